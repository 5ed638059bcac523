//! Rechunks move towards the sources, and into them.
//!
//! ```text
//! rechunk(op(x, c))    ->  op(rechunk(x), c)       elementwise: computed in the new blocks, and fused with what folds them
//! rechunk(view(x))     ->  view(x) in the new blocks
//! rechunk(source)      ->  the source, read in the new blocks
//! ```
//!
//! Operations ask for regions, so computing in other blocks is only another grid. It is done when all uses of the operation
//! want the same blocks, and nothing has to be moved for it: its operands are single values, small, read from memory, where
//! any region costs the same, or operations of such that nothing else uses. Of what is decoded or computed, the result is
//! moved as well as the operand would be.
//!
//! A source in memory, or a formula, is read in any blocks. What must be decoded is read in new blocks when each of its own
//! blocks lies in one of them, so that it is decoded once.

use chunkwise_chunk::{AxisChunks, ChunkGrid, ReadCost, ReadUnit};
use chunkwise_expr::{ExprGraph, GraphNode, Meta, NodeId, Op, SourceOp};

use crate::rebuild::{Inputs, Places, Step, rebuild};
use crate::{Notes, Pass};

/// Pushes rechunks through elementwise operations and views, into sources.
///
/// ```
/// use chunkwise_optimize::{Pass, PushRechunks};
/// assert_eq!(PushRechunks.name(), "push_rechunks");
/// ```
#[derive(Debug)]
pub struct PushRechunks;

impl Pass for PushRechunks {
    fn name(&self) -> &'static str {
        "push_rechunks"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        if !graph.ids().any(|id| matches!(graph.node(id).op, Op::Rechunk(_))) {
            return None;
        }
        let regridded = Regridded::find(graph, notes);
        let next = rebuild(graph, notes, |_, id, places| regridded.step(graph, id, places));
        (notes.rewrites() > 0).then_some(next)
    }
}

/// In which blocks the users of a node want it.
#[derive(Clone)]
enum Want {
    Nothing,
    Blocks(ChunkGrid),
    /// Its own, or not all the same.
    Own,
}

/// For each node the blocks it is computed in instead of its own.
struct Regridded(Vec<Option<ChunkGrid>>);

/// For each node whether it is an elementwise operation that can be computed in any blocks for the same.
fn find_free(graph: &ExprGraph) -> Vec<bool> {
    let mut free = vec![false; graph.len()];
    for id in graph.ids() {
        let alone = |input: NodeId| !graph.is_root(input) && graph.users(input).all(|user| user == id);
        let had = |input: &NodeId| !is_moved(graph, id, *input) || (free[input.index()] && alone(*input));
        free[id.index()] = matches!(graph.node(id).op, Op::Element(_)) && graph.inputs(id).iter().all(had);
    }
    free
}

impl Regridded {
    fn find(graph: &ExprGraph, notes: &mut Notes) -> Regridded {
        let mut wants = vec![Want::Nothing; graph.len()];
        let mut regridded = Regridded(vec![None; graph.len()]);
        let free = find_free(graph);
        for id in graph.ids().rev() {
            let node = graph.node(id);
            let taken = match std::mem::replace(&mut wants[id.index()], Want::Own) {
                Want::Blocks(grid) => takes(graph, (id, free[id.index()]), &grid, notes).then_some(grid),
                _ => None,
            };
            let wanted = match &node.op {
                Op::Rechunk(_) => Some(node.meta.grid()),
                _ => taken.as_ref(),
            };
            for input in graph.inputs(id) {
                let passed_on =
                    wanted.filter(|_| matches!(node.op, Op::Rechunk(_)) || is_moved(graph, id, input));
                note(&mut wants[input.index()], passed_on);
            }
            regridded.0[id.index()] = taken;
        }
        regridded
    }

    fn step(&self, old: &ExprGraph, id: NodeId, places: &Places) -> Step {
        let (node, inputs) = (old.node(id), old.inputs(id));
        match (&node.op, &self.0[id.index()]) {
            (Op::Rechunk(_), _) if self.0[inputs[0].index()].is_some() => {
                Step::Forward("compute in the new blocks", places.of(&inputs)[0])
            }
            (Op::Rechunk(_), _) => match read_in(old, inputs[0], node.meta.grid()) {
                Some(source) => Step::Replace("read in the new blocks", source, Inputs::new()),
                None => Step::Keep,
            },
            (op, Some(grid)) => Step::Replace(
                "compute in the new blocks",
                gridded(node, op.clone(), grid),
                places.of(&inputs),
            ),
            (_, None) => Step::Keep,
        }
    }
}

fn note(want: &mut Want, grid: Option<&ChunkGrid>) {
    *want = match (&*want, grid) {
        (Want::Nothing, Some(grid)) => Want::Blocks(grid.clone()),
        (Want::Blocks(known), Some(grid)) if known == grid => return,
        _ => Want::Own,
    };
}

/// Whether a node is computed in other blocks.
fn takes(graph: &ExprGraph, (id, free): (NodeId, bool), grid: &ChunkGrid, notes: &mut Notes) -> bool {
    let node = graph.node(id);
    if node.meta.grid() == grid || matches!(node.op, Op::Source(_) | Op::Literal(_)) {
        return false;
    }
    let why_not = match &node.op {
        _ if graph.is_root(id) => "it is a result itself",
        Op::Element(_) if free => return true,
        Op::Element(_) => "its operands would have to be moved in its place",
        Op::View(_) if is_at_hand(graph, graph.inputs(id)[0]) => return true,
        _ => return false,
    };
    notes.declined("compute in the new blocks", node, why_not);
    false
}

/// Whether an operand of an elementwise operation has to come in the blocks of the result: it is as large, and computed or decoded.
fn is_moved(graph: &ExprGraph, id: NodeId, input: NodeId) -> bool {
    matches!(graph.node(id).op, Op::Element(_))
        && !is_at_hand(graph, input)
        && graph.node(input).meta.grid().shape() == graph.node(id).meta.grid().shape()
        && graph.node(input).meta.grid().ndim() > 0
}

/// Whether any region of a node is read for the same next to nothing.
fn is_at_hand(graph: &ExprGraph, id: NodeId) -> bool {
    match &graph.node(id).op {
        Op::Literal(_) => true,
        Op::Source(source) => {
            source.source().unit() == ReadUnit::Any && source.source().cost() < ReadCost::Decode
        }
        _ => false,
    }
}

/// A source that reads in other blocks, where that costs nothing.
fn read_in(graph: &ExprGraph, id: NodeId, grid: &ChunkGrid) -> Option<GraphNode> {
    let node = graph.node(id);
    let Op::Source(source) = &node.op else { return None };
    let alone = graph.users(id).count() == 1 && !graph.is_root(id);
    let decoded_once = source.source().unit() == ReadUnit::Any && alone && is_coarser(grid, node.meta.grid());
    let op = Op::Source(SourceOp::new(source.source().clone(), grid.clone()));
    (is_at_hand(graph, id) || decoded_once).then(|| gridded(node, op, grid))
}

/// Whether each block of `fine` lies in one of `coarse`.
fn is_coarser(coarse: &ChunkGrid, fine: &ChunkGrid) -> bool {
    let fits =
        |(coarse, fine): (&AxisChunks, &AxisChunks)| coarse.refine(fine).is_ok_and(|both| both == *fine);
    coarse.axes().iter().zip(fine.axes()).all(fits)
}

fn gridded(node: &GraphNode, op: Op, grid: &ChunkGrid) -> GraphNode {
    GraphNode { op, meta: Meta::Array { dtype: node.meta.dtype(), grid: grid.clone() }, ..node.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, lit, source, stored, unchanged, unchanged_all};
    use chunkwise_chunk::{Chunks, View};
    use chunkwise_expr::{BinaryOp, Expr, ReduceKind, UnaryOp};
    use std::panic::Location;

    fn map(op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], Location::caller())
    }

    fn two(op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], Location::caller())
    }

    fn rechunk(x: &Expr, chunk: usize) -> Expr {
        let chunk = vec![chunk; x.shape().len()];
        x.rechunk(&Chunks::Grid(ChunkGrid::regular(x.shape(), &chunk)), Location::caller())
    }

    #[test]
    fn elements_are_computed_in_the_new_blocks() {
        let x = source("x", &[8], &[2]);
        let y = two(BinaryOp::Mul, &map(UnaryOp::Sqrt, &x), &lit(2.0));
        let after = ["sqrt(%0): f64[8] chunks (4,)", "mul(%1, 2.0): f64[8] chunks (4,) -> result"];
        check(&PushRechunks, rechunk(&y, 4), &after);
    }

    #[test]
    fn memory_is_read_in_any_blocks_and_files_in_larger_ones() {
        check(&PushRechunks, rechunk(&source("x", &[8], &[4]), 3), &["%1 = x: f64[8] chunks (3,) -> result"]);
        check(&PushRechunks, rechunk(&stored("x", &[8], &[2]), 4), &["%1 = x: f64[8] chunks (4,) -> result"]);
        unchanged(&PushRechunks, rechunk(&stored("x", &[8], &[4]), 2));
        let x = stored("x", &[8], &[2]);
        unchanged_all(&PushRechunks, &[rechunk(&x, 4), rechunk(&x, 8)]);
    }

    #[test]
    fn what_would_have_to_be_moved_is_moved_as_a_result() {
        let (x, y) = (stored("x", &[8], &[4]), source("y", &[8], &[4]));
        unchanged(&PushRechunks, rechunk(&two(BinaryOp::Add, &x, &y), 3));
        unchanged(&PushRechunks, rechunk(&map(UnaryOp::Sqrt, &two(BinaryOp::Add, &x, &y)), 3));
        unchanged(&PushRechunks, rechunk(&two(BinaryOp::Add, &x, &stored("z", &[8], &[4])), 3));
        unchanged(&PushRechunks, rechunk(&map(UnaryOp::IsNan, &x), 3));
    }

    #[test]
    fn views_of_memory_are_seen_in_the_new_blocks() {
        let x = source("x", &[8, 4], &[4, 4]);
        let turned = Expr::view("t", &x, View::permute(&[8, 4], &[1, 0]), Location::caller());
        check(&PushRechunks, rechunk(&turned, 2), &["view[i1, i0](%0): f64[4, 8] chunks (2, 2) -> result"]);
    }

    #[test]
    fn what_others_want_in_its_own_blocks_stays() {
        let y = map(UnaryOp::Exp, &source("x", &[8], &[2]));
        let sum = y.reduce(ReduceKind::Sum, None, false, 0.0, Location::caller());
        unchanged_all(&PushRechunks, &[rechunk(&y, 4), sum]);
        unchanged_all(&PushRechunks, &[rechunk(&y, 4), y]);
    }
}
