//! Which blocks of each node some result needs.

use chunkwise_chunk::ChunkGrid;
use chunkwise_expr::{ExprGraph, Meta, NodeId, Op};

/// The needed blocks of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    None,
    All,
    /// By number in C order.
    Some(Vec<bool>),
}

impl Demand {
    /// Whether the block of this number is needed.
    pub(crate) fn wants(&self, block: usize) -> bool {
        match self {
            Demand::None => false,
            Demand::All => true,
            Demand::Some(wanted) => wanted[block],
        }
    }

    /// The needed blocks of a grid of `blocks`, by number.
    pub(crate) fn wanted(&self, blocks: usize) -> impl Iterator<Item = usize> + '_ {
        (0..blocks).filter(|&block| self.wants(block))
    }

    /// Number of needed blocks of a grid of `blocks`.
    pub(crate) fn count(&self, blocks: usize) -> usize {
        match self {
            Demand::None => 0,
            Demand::All => blocks,
            Demand::Some(wanted) => wanted.iter().filter(|&&wanted| wanted).count(),
        }
    }

    fn add(&mut self, block: usize, blocks: usize) {
        if *self == Demand::None {
            *self = Demand::Some(vec![false; blocks]);
        }
        if let Demand::Some(wanted) = self {
            wanted[block] = true;
        }
    }
}

/// Walks from the roots to the sources. A node whose blocks are all needed needs all blocks of its inputs, unless
/// it is a view or follows a rule, which may leave some out.
pub(crate) fn find(graph: &ExprGraph, inlined: &[bool]) -> Vec<Demand> {
    let mut demand = vec![Demand::None; graph.len()];
    for &root in graph.roots() {
        demand[root.index()] = Demand::All;
    }
    for id in graph.ids().rev() {
        let wanted = std::mem::replace(&mut demand[id.index()], Demand::None);
        match (&wanted, &graph.node(id).op) {
            (Demand::None, _) => {}
            // Some blocks of an array, or all of what may leave some out, need some blocks of the inputs; a value is needed as a whole.
            (Demand::Some(_), op) | (Demand::All, op @ (Op::View(_) | Op::Blockwise(_)))
                if !matches!(op, Op::FromObject(_)) =>
            {
                mark_inputs(graph, id, op, &wanted, inlined, &mut demand);
            }
            _ => graph.inputs(id).iter().for_each(|input| demand[input.index()] = Demand::All),
        }
        demand[id.index()] = wanted;
    }
    demand
}

fn mark_inputs(
    graph: &ExprGraph,
    id: NodeId,
    op: &Op,
    wanted: &Demand,
    inlined: &[bool],
    demand: &mut [Demand],
) {
    let inputs = graph.inputs(id);
    let Meta::Array { grid, .. } = &graph.node(id).meta else {
        return inputs.iter().for_each(|input| demand[input.index()] = Demand::All);
    };
    let metas = graph.input_metas(id);
    let starts = if let Op::Concat(concat) = op { concat.starts(&metas) } else { Vec::new() };
    for block in wanted.wanted(grid.num_blocks()) {
        let index = grid.block(block);
        if let Op::Reduce(reduce) = op {
            for folded in reduce.blocks_of(&index) {
                let region = reduce.space.region(&reduce.space.block(folded));
                for need in chunkwise_expr::element_needs(&region, &metas) {
                    mark(&metas, &inputs, need, inlined, demand);
                }
            }
            continue;
        }
        let region = grid.region(&index);
        if region.is_empty() {
            continue;
        }
        if let (Op::Concat(concat), starts) = (op, &starts) {
            for (need, _) in concat.parts(&region, starts) {
                mark(&metas, &inputs, need, inlined, demand);
            }
            continue;
        }
        for need in op.needs(&region, &metas) {
            mark(&metas, &inputs, need, inlined, demand);
        }
    }
}

fn mark(
    metas: &[&Meta],
    inputs: &[NodeId],
    need: chunkwise_expr::Need,
    inlined: &[bool],
    demand: &mut [Demand],
) {
    let input = inputs[need.input].index();
    if inlined[input] {
        return;
    }
    let Meta::Array { grid, .. } = metas[need.input] else {
        demand[input] = Demand::All;
        return;
    };
    let grid: &ChunkGrid = grid;
    for block in grid.blocks_in(&need.region) {
        demand[input].add(grid.linear(&block), grid.num_blocks());
    }
}
