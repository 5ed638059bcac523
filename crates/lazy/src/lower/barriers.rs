//! Which values are needed again behind a barrier: in `x - x.mean()` all of `x` goes into the mean before the first element
//! of the result is known, which needs `x` once more.
//!
//! It owns finding them. What is done about it is decided by [`sources`](super::sources) (read again),
//! [`recompute`](super::recompute) (computed again), and the planner of evictions ([`evict`](super::evict)).

use std::collections::{BTreeMap, BTreeSet};

use chunkwise_expr::{ExprGraph, Meta, NodeId, Op};

/// Nodes that are looked at in all searches of one graph: it may be huge.
const MOST_LOOKS: usize = 2_000_000;

/// A value that is needed before a barrier and behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crossing {
    pub(crate) node: NodeId,
    /// The operation that takes all of it before its first result.
    pub(crate) barrier: NodeId,
    /// For each user the number of barriers that lie between the value and it, on the way with most of them.
    pub(crate) users: BTreeMap<NodeId, u32>,
}

impl Crossing {
    /// How often its users come to it: once for each number of barriers.
    pub(crate) fn times(&self) -> usize {
        let mut stages: Vec<u32> = self.users.values().copied().collect();
        stages.sort_unstable();
        stages.dedup();
        stages.len()
    }
}

/// The crossings of the nodes that are `wanted`, in order, and how many of these nodes were not looked at.
pub(crate) fn crossings(graph: &ExprGraph, wanted: impl Fn(NodeId) -> bool) -> (Vec<Crossing>, usize) {
    let (mut found, mut left, mut looks) = (Vec::new(), 0, 0);
    let barriers: Vec<bool> = graph.ids().map(|id| is_barrier(graph, id)).collect();
    let stages = stages(graph, &barriers);
    for id in graph.ids().filter(|&id| wanted(id) && !matches!(graph.node(id).op, Op::Literal(_))) {
        // Between users with equally many barriers before them there is none.
        let mut of_users = graph.users(id).map(|user| stages[user.index()]);
        let first = of_users.next();
        if of_users.all(|stage| Some(stage) == first) {
            continue;
        }
        if looks >= MOST_LOOKS {
            left += 1;
            continue;
        }
        found.extend(crossing(graph, id, &barriers, &mut looks));
    }
    (found, left)
}

/// For each node the most barriers on a way to its inputs; views wait until they are needed.
fn stages(graph: &ExprGraph, barriers: &[bool]) -> Vec<u32> {
    let mut stages: Vec<u32> = Vec::with_capacity(graph.len());
    let behind = |stages: &[u32], id: NodeId| stages[id.index()] + u32::from(barriers[id.index()]);
    for id in graph.ids() {
        stages.push(graph.inputs(id).iter().map(|&input| behind(&stages, input)).max().unwrap_or(0));
    }
    for id in graph.ids().rev().filter(|&id| waits(graph, id)) {
        let first = graph.users(id).map(|user| stages[user.index()]).min();
        stages[id.index()] = first.unwrap_or(stages[id.index()]);
    }
    stages
}

/// Whether a node does nothing before its users need it.
fn waits(graph: &ExprGraph, id: NodeId) -> bool {
    matches!(graph.node(id).op, Op::View(_)) && !graph.is_root(id)
}

/// Barriers that were passed on the way to a node, and the last of them.
type Passed = (u32, Option<NodeId>);

/// Walks from a node to its last user.
fn crossing(graph: &ExprGraph, node: NodeId, barriers: &[bool], looks: &mut usize) -> Option<Crossing> {
    let last = last_user(graph, node)?;
    // Of nodes that depend on it: what was passed before them, and with them.
    let (mut before, mut with) = (BTreeMap::new(), BTreeMap::from([(node, (0, None))]));
    let mut waiting = BTreeSet::from_iter(graph.users(node));
    while let Some(id) = waiting.pop_first() {
        *looks += 1;
        let passed: Passed = graph
            .inputs(id)
            .iter()
            .filter_map(|input| with.get(input).copied())
            .max_by_key(|&(passed, _)| passed)
            .unwrap_or_default();
        before.insert(id, passed);
        with.insert(id, if barriers[id.index()] { (passed.0 + 1, Some(id)) } else { passed });
        waiting.extend(graph.users(id).filter(|&user| user <= last));
    }
    let waiting: Vec<NodeId> = before.keys().copied().rev().filter(|&id| waits(graph, id)).collect();
    for id in waiting {
        let first =
            graph.users(id).filter_map(|user| before.get(&user).copied()).min_by_key(|&(passed, _)| passed);
        before.extend(first.map(|first| (id, first)));
    }
    let (_, barrier) = graph.users(node).map(|user| before[&user]).max_by_key(|&(passed, _)| passed)?;
    let users = graph.users(node).map(|user| (user, before[&user].0)).collect();
    Some(Crossing { node, barrier: barrier?, users })
}

/// The last node that takes a value, by itself or through views.
fn last_user(graph: &ExprGraph, node: NodeId) -> Option<NodeId> {
    let (mut last, mut from) = (None, vec![node]);
    while let Some(id) = from.pop() {
        last = last.max(graph.users(id).max());
        from.extend(graph.users(id).filter(|&user| waits(graph, user)));
    }
    last
}

/// Whether a block of a result needs most blocks of an input that has several.
fn is_barrier(graph: &ExprGraph, id: NodeId) -> bool {
    match &graph.node(id).op {
        Op::Reduce(reduce) => reduce.blocks_per_result() > 1,
        Op::Call(_) | Op::Collect(_) => true,
        Op::Blockwise(_) => last_block_needs_most(graph, id),
        _ => false,
    }
}

fn last_block_needs_most(graph: &ExprGraph, id: NodeId) -> bool {
    let node = graph.node(id);
    let Meta::Array { grid, .. } = &node.meta else { return false };
    let Some(last) = grid.num_blocks().checked_sub(1) else { return false };
    let region = grid.region(&grid.block(last));
    if region.is_empty() {
        return false;
    }
    let metas = graph.input_metas(id);
    let mut blocks = vec![0; metas.len()];
    for need in node.op.needs(&region, &metas) {
        if let Meta::Array { grid, .. } = metas[need.input] {
            blocks[need.input] += grid.blocks_in(&need.region).count();
        }
    }
    metas.iter().zip(blocks).any(|(meta, blocks)| match meta {
        Meta::Array { grid, .. } => grid.num_blocks() > 1 && 2 * blocks > grid.num_blocks(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::panic::Location;
    use std::sync::Arc;

    use chunkwise_chunk::Chunks;
    use chunkwise_expr::{BinaryOp, Expr, ReduceKind};
    use chunkwise_storage::MemorySource;

    use super::*;

    fn source() -> Expr {
        let zeros = ndarray::ArcArray::<f64, _>::zeros(ndarray::IxDyn(&[12]));
        let source = Arc::new(MemorySource::new(zeros));
        Expr::source("x", source, Some(&Chunks::from(3)), Location::caller())
    }

    fn minus_mean(x: &Expr) -> Expr {
        let mean = x.reduce(ReduceKind::Mean, None, false, 0.0, Location::caller());
        Expr::element(BinaryOp::Sub.into(), &[x, &mean], Location::caller())
    }

    #[test]
    fn what_its_own_mean_is_taken_from_is_needed_twice() {
        let x = source();
        let once = minus_mean(&x);
        let graph = ExprGraph::import(&[minus_mean(&once)]).unwrap();
        let (found, left) = crossings(&graph, |_| true);
        let nodes: Vec<_> = found.iter().map(|c| (c.node.index(), c.barrier.index(), c.times())).collect();
        // 0: x, 1: its mean, 2: the difference, 3: the mean of that.
        assert_eq!((nodes, left), (vec![(0, 1, 2), (2, 3, 2)], 0));
    }

    #[test]
    fn the_mean_of_something_else_is_no_barrier() {
        let (x, other) = (source(), source());
        let mean = other.reduce(ReduceKind::Mean, None, false, 0.0, Location::caller());
        let rest = Expr::element(BinaryOp::Sub.into(), &[&x, &mean], Location::caller());
        let sum = x.reduce(ReduceKind::Sum, None, false, 0.0, Location::caller());
        let graph = ExprGraph::import(&[rest, sum]).unwrap();
        assert_eq!(crossings(&graph, |_| true), (Vec::new(), 0));
    }
}
