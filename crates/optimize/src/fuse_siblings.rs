//! Reductions of the same elements are folded together: each tile is read and computed once, for all of them.
//!
//! ```text
//! walk from users to inputs:
//!     a map is inlined when
//!         it is not a result itself,
//!         every user of it is a reduction that reads nothing else, or a map inlined before that reads nothing else,
//!         all these reductions fold its own grid along the same axes,      -- else it would be computed twice
//!         they are few, and copying its program into each adds little
//! walk from inputs to users:
//!     a reduction takes the programs of the maps inlined into it in front of its own
//!     reductions of the same inputs, space and axes become siblings        -- `ExprGraph::siblings`
//! ```
//!
//! Every sibling keeps its own program over the inputs they share; what the programs have in common is found when
//! they are compiled. So a graph with siblings means what it means without, node by node, and every reduction keeps
//! its own result, line and place among the roots: a node of several results would need a type, a grid and a truth of
//! its own.
//!
//! Siblings read the same inputs, so none of them can need another one: it would need itself.

use std::collections::HashMap;
use std::sync::Arc;

use chunkwise_chunk::ChunkGrid;
use chunkwise_expr::{Arg, ExprGraph, GraphNode, NodeId, Op, Program, ProgramBuilder, Reduce};
use smallvec::SmallVec;

use crate::fuse_reductions::program;
use crate::rebuild::{Inputs, Step, rebuild};
use crate::{Notes, Pass};

/// Reductions of a set: their results must stay in registers, and the registers in the first-level cache.
const MOST_SIBLINGS: usize = 16;

/// Instructions that inlining one map may add, over all reductions it is copied into.
const MOST_COPIES: usize = 4096;

/// Folds reductions of the same elements together.
///
/// ```
/// use chunkwise_optimize::{FuseSiblings, Pass};
/// assert_eq!(FuseSiblings.name(), "fuse_siblings");
/// ```
#[derive(Debug)]
pub struct FuseSiblings;

impl Pass for FuseSiblings {
    fn name(&self) -> &'static str {
        "fuse_siblings"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let maps = Inlined::find(graph, notes);
        let sets = sets(graph, &maps);
        if sets.is_empty() {
            return None;
        }
        let mut set_of: Vec<Option<usize>> = vec![None; graph.len()];
        for (number, set) in sets.iter().enumerate() {
            set.members.iter().for_each(|id| set_of[id.index()] = Some(number));
        }
        let mut siblings: Vec<Vec<NodeId>> = vec![Vec::new(); sets.len()];
        let mut new = rebuild(graph, notes, |new, id, places| {
            if maps.is_inlined(id) {
                return Step::Drop;
            }
            let Some(number) = set_of[id.index()] else { return Step::Keep };
            siblings[number].push(NodeId::new(new.len())); // the id it is about to get
            let inputs = &sets[number].inputs;
            Step::Replace("fold together", over(graph, &maps, id, inputs), places.of(inputs))
        });
        new.set_siblings(siblings);
        Some(new)
    }
}

/// The maps that reductions take in, each with its program and the nodes it reads.
struct Inlined(Vec<Option<(Arc<Program>, Inputs)>>);

impl Inlined {
    fn find(graph: &ExprGraph, notes: &mut Notes) -> Inlined {
        let mut maps = Inlined(vec![None; graph.len()]);
        // For each node the reductions that read nothing else, maps inlined so far seen through.
        let mut fed: Vec<Vec<NodeId>> = vec![Vec::new(); graph.len()];
        for id in graph.ids().rev() {
            if let Op::Reduce(_) = graph.node(id).op {
                if let Some(only) = only(&graph.inputs(id)) {
                    fed[only.index()].push(id);
                }
                continue;
            }
            let reductions = std::mem::take(&mut fed[id.index()]);
            if !maps.takes_in(graph, id, &reductions) {
                if matches!(graph.node(id).op, Op::Fused(..) | Op::Element(_)) && !reductions.is_empty() {
                    notes.declined(
                        "fold a map",
                        graph.node(id),
                        "its users do not all fold it alike: it is kept",
                    );
                }
                continue;
            }
            let Some((program, inputs)) = program(graph, id) else { continue };
            if program.instrs().len() * reductions.len() > MOST_COPIES {
                continue;
            }
            if let Some(only) = only(&inputs) {
                fed[only.index()].extend(reductions);
            }
            maps.0[id.index()] = Some((program, inputs));
        }
        maps
    }

    fn is_inlined(&self, id: NodeId) -> bool {
        self.0[id.index()].is_some()
    }

    /// Whether these reductions are what a map is for, and fold alike.
    fn takes_in(&self, graph: &ExprGraph, id: NodeId, reductions: &[NodeId]) -> bool {
        let reads_it_alone = |user: NodeId| match (&graph.node(user).op, &self.0[user.index()]) {
            (Op::Reduce(_), _) => only(&graph.inputs(user)) == Some(id),
            (_, Some((_, inputs))) => only(inputs) == Some(id),
            _ => false,
        };
        let Some(&first) = reductions.first() else { return false };
        let (space, axes) = space_of(graph, first);
        (2..=MOST_SIBLINGS).contains(&reductions.len())
            && !graph.is_root(id)
            && graph.users(id).all(reads_it_alone)
            && graph.node(id).meta.grid() == space
            && reductions.iter().all(|&other| space_of(graph, other) == (space, axes))
    }

    /// The last of the maps inlined into a reduction, itself where there is none, and what that reads.
    fn front(&self, graph: &ExprGraph, reduction: NodeId) -> (NodeId, Inputs) {
        let (mut front, mut inputs) = (reduction, graph.inputs(reduction));
        while let Some(&input) = inputs.first()
            && let Some((_, outside)) = &self.0[input.index()]
        {
            (front, inputs) = (input, outside.clone());
        }
        (front, inputs)
    }
}

/// Reductions that fold together.
struct Set {
    members: Vec<NodeId>,
    /// What all of them read, each node once.
    inputs: Inputs,
}

/// The sets of more than one reduction. Those that take in the same map stay together.
fn sets(graph: &ExprGraph, maps: &Inlined) -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::new();
    // Only looked up, never walked: the set that reductions of these inputs, space and axes join at present.
    let mut open: HashMap<(Inputs, &ChunkGrid, &[usize]), usize> = HashMap::new();
    for (inputs, reductions) in clusters(graph, maps) {
        let (space, axes) = space_of(graph, reductions[0]);
        let mut key = distinct(&inputs);
        key.sort_unstable();
        let at = open.entry((key, space, axes)).or_insert(usize::MAX);
        match sets.get_mut(*at) {
            Some(set) if set.members.len() + reductions.len() <= MOST_SIBLINGS => {
                set.members.extend(reductions)
            }
            _ => {
                *at = sets.len();
                sets.push(Set { members: reductions, inputs: distinct(&inputs) });
            }
        }
    }
    sets.retain(|set| set.members.len() > 1);
    sets
}

/// The reductions by the last map inlined into them, with what that reads, in the order of the first of each.
fn clusters(graph: &ExprGraph, maps: &Inlined) -> Vec<(Inputs, Vec<NodeId>)> {
    let mut clusters: Vec<(Inputs, Vec<NodeId>)> = Vec::new();
    let mut at: Vec<Option<usize>> = vec![None; graph.len()];
    for id in graph.ids().filter(|&id| matches!(graph.node(id).op, Op::Reduce(_))) {
        let (front, inputs) = maps.front(graph, id);
        let at = *at[front.index()].get_or_insert_with(|| {
            clusters.push((inputs, Vec::new()));
            clusters.len() - 1
        });
        clusters[at].1.push(id);
    }
    clusters
}

/// A reduction over the inputs of its set, with everything inlined into it.
fn over(graph: &ExprGraph, maps: &Inlined, id: NodeId, inputs: &[NodeId]) -> GraphNode {
    let node = graph.node(id);
    let reduce = reduce_of(graph, id);
    if graph.inputs(id)[..] == *inputs {
        return node.clone();
    }
    let mut builder = ProgramBuilder::new();
    let args: Vec<Arg> = inputs.iter().map(|&input| builder.input(graph.node(input).meta.dtype())).collect();
    let result = value(&mut builder, graph, maps, id, &|input| {
        args[inputs.iter().position(|&other| other == input).expect("the set reads what its members read")]
    });
    let program = Some(Arc::new(builder.finish(result)));
    GraphNode { op: Op::Reduce(Arc::new(Reduce { program, ..reduce.clone() })), ..node.clone() }
}

/// The elements a reduction folds, as a value of the program that is built: the maps in front of it from the first to
/// the last, then its own program.
fn value(
    builder: &mut ProgramBuilder,
    graph: &ExprGraph,
    maps: &Inlined,
    id: NodeId,
    arg: &dyn Fn(NodeId) -> Arg,
) -> Arg {
    let mut chain: Vec<(&Arc<Program>, usize)> = Vec::new();
    let mut inputs = graph.inputs(id);
    let own = reduce_of(graph, id).program.as_ref();
    chain.extend(own.map(|program| (program, inputs.len())));
    while let Some(&input) = inputs.first()
        && let Some((program, outside)) = &maps.0[input.index()]
    {
        chain.push((program, outside.len()));
        inputs = outside.clone();
    }
    let mut values: SmallVec<[Arg; 3]> = inputs.into_iter().map(arg).collect();
    for (program, operands) in chain.into_iter().rev() {
        // All operands of a program behind a map are the one value of that map.
        values.resize(operands, values.first().copied().unwrap_or(Arg::Input(0)));
        values = smallvec::smallvec![builder.inline(program, &values)];
    }
    values[0]
}

/// The only node of a list, which may be in it several times.
fn only(inputs: &[NodeId]) -> Option<NodeId> {
    let first = *inputs.first()?;
    inputs.iter().all(|&other| other == first).then_some(first)
}

/// Each node once, in the order of its first place.
fn distinct(inputs: &[NodeId]) -> Inputs {
    let mut distinct = Inputs::new();
    for &input in inputs {
        if !distinct.contains(&input) {
            distinct.push(input);
        }
    }
    distinct
}

fn reduce_of(graph: &ExprGraph, id: NodeId) -> &Reduce {
    let Op::Reduce(reduce) = &graph.node(id).op else { unreachable!("only reductions are asked") };
    reduce
}

fn space_of(graph: &ExprGraph, id: NodeId) -> (&ChunkGrid, &[usize]) {
    let reduce = reduce_of(graph, id);
    (&reduce.space, &reduce.axes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_all, lit, source, unchanged, unchanged_all};
    use crate::{FuseMaps, FuseReductions};
    use chunkwise_expr::{BinaryOp, Expr, ReduceKind, UnaryOp};
    use std::panic::Location;

    fn fold(kind: ReduceKind, x: &Expr) -> Expr {
        x.reduce(kind, None, false, 0.0, Location::caller())
    }

    fn map(op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], Location::caller())
    }

    fn two(op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], Location::caller())
    }

    #[test]
    fn map_of_several_reductions_is_in_each_of_them_and_no_array() {
        let y = map(UnaryOp::Sqrt, &source("x", &[4], &[2]));
        let after = [
            "%1 = mean{r0 = sqrt x0}(%0): f64 -> result",
            "%2 = max{r0 = sqrt x0}(%0): f64, folded with %1 -> result",
        ];
        check_all(&FuseSiblings, &[fold(ReduceKind::Mean, &y), fold(ReduceKind::Max, &y)], &after);
    }

    #[test]
    fn reductions_of_one_array_fold_together() {
        let x = source("x", &[4], &[2]);
        let after = ["%1 = mean(%0): f64 -> result", "%2 = max(%0): f64, folded with %1 -> result"];
        check_all(&FuseSiblings, &[fold(ReduceKind::Mean, &x), fold(ReduceKind::Max, &x)], &after);
    }

    #[test]
    fn maps_behind_maps_are_taken_in() {
        let y = map(UnaryOp::Sqrt, &source("x", &[4], &[2]));
        let z = two(BinaryOp::Mul, &y, &y);
        let roots = [fold(ReduceKind::Sum, &z), fold(ReduceKind::Any, &z), fold(ReduceKind::Min, &y)];
        let after = [
            "%1 = sum{r0 = sqrt x0; r1 = mul r0 r0}(%0): f64 -> result",
            "%2 = any{r0 = sqrt x0; r1 = mul r0 r0}(%0): bool, folded with %1 -> result",
            "%3 = min{r0 = sqrt x0}(%0): f64, folded with %1 -> result",
        ];
        check_all(&FuseSiblings, &roots, &after);
    }

    #[test]
    fn programs_are_written_over_the_same_order_of_inputs() {
        let (x, w) = (source("x", &[4], &[2]), source("w", &[4], &[2]));
        let weighted = fold(ReduceKind::Sum, &two(BinaryOp::Mul, &x, &w));
        let farthest = fold(ReduceKind::Max, &two(BinaryOp::Sub, &w, &x));
        let mut graph = ExprGraph::import(&[weighted, farthest]).unwrap();
        for pass in [&FuseMaps as &dyn Pass, &FuseReductions, &FuseSiblings] {
            graph = pass.run(&graph, &mut Notes::default()).unwrap_or(graph);
        }
        let text = graph.to_string();
        assert!(text.contains("%2 = sum{r0 = mul x0 x1}(%0, %1)"), "{text}");
        assert!(text.contains("%3 = max{r0 = sub x1 x0}(%0, %1): f64, folded with %2"), "{text}");
    }

    #[test]
    fn reductions_along_other_axes_stay_apart_and_their_map_an_array() {
        let y = map(UnaryOp::Sqrt, &source("x", &[4, 4], &[2, 2]));
        let along = |axis| y.reduce(ReduceKind::Sum, Some(&[axis]), false, 0.0, Location::caller());
        unchanged_all(&FuseSiblings, &[along(0), along(1)]);
    }

    #[test]
    fn map_with_a_user_that_is_no_reduction_stays_an_array() {
        let y = map(UnaryOp::Exp, &source("x", &[4], &[2]));
        unchanged(&FuseSiblings, two(BinaryOp::Sub, &y, &fold(ReduceKind::Mean, &y)));
    }

    #[test]
    fn map_that_is_a_result_stays_an_array_which_is_read_once() {
        let y = map(UnaryOp::Exp, &source("x", &[4], &[2]));
        let roots = [y.clone(), fold(ReduceKind::Mean, &y), fold(ReduceKind::Max, &y)];
        check_all(&FuseSiblings, &roots, &["%1 = exp(%0)", "%2 = mean(%1)", "max(%1): f64, folded with %2"]);
    }

    #[test]
    fn reduction_that_needs_another_one_is_no_sibling_of_it() {
        let x = source("x", &[4], &[2]);
        let centred = two(BinaryOp::Sub, &x, &fold(ReduceKind::Mean, &x));
        unchanged(&FuseSiblings, fold(ReduceKind::Max, &centred));
    }

    #[test]
    fn sets_are_bounded_and_keep_reductions_of_one_map_together() {
        let x = source("x", &[4], &[2]);
        let y = two(BinaryOp::Mul, &x, &lit(2.0));
        let above = |x: &Expr, i: usize| fold(ReduceKind::Sum, &two(BinaryOp::Gt, x, &lit(i as f64)));
        let roots: Vec<Expr> = (0..10).map(|i| above(&x, i)).chain((0..10).map(|i| above(&y, i))).collect();
        let mut graph = ExprGraph::import(&roots).unwrap();
        for pass in [&FuseMaps as &dyn Pass, &FuseReductions, &FuseSiblings] {
            graph = pass.run(&graph, &mut Notes::default()).unwrap_or(graph);
        }
        let sets: Vec<usize> = graph.roots().iter().map(|&root| graph.siblings(root).len()).collect();
        assert_eq!(sets, [10; 20], "{graph}");
    }
}
