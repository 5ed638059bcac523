//! Which sources are read by the tasks that need them, and which get tasks of their own.
//!
//! A source in memory is a view away, a formula a few instructions: every reader reads for itself, and a read fuses
//! with the computation. Decoding is worth sharing: a source that must be decoded and has several users, or users that
//! need its blocks in pieces, gets a task per block, if what that holds is small against the memory limit; otherwise it
//! is decoded again by each user. Reductions that are folded together are one user. Rechunks may want a source read once
//! whatever it holds (`shuffle`).

use chunkwise_chunk::{ReadCost, ReadUnit};
use chunkwise_expr::{ExprGraph, Meta, NodeId, Op, SourceOp};
use smallvec::SmallVec;

use super::shuffle::Marks;

/// For each node, whether its users read it for themselves.
pub(crate) fn inlined(graph: &ExprGraph, marks: &Marks, mut share: u64) -> Vec<bool> {
    let read_by_user = |id: NodeId| match &graph.node(id).op {
        Op::Literal(_) => true,
        Op::Source(_) if marks.is_read_once(id) => false,
        Op::Source(source) => {
            let inline = reads_inline(graph, id, source, share);
            if !inline {
                share = share.saturating_sub(graph.node(id).meta.nbytes());
            }
            inline
        }
        _ => false,
    };
    graph.ids().map(read_by_user).collect()
}

fn reads_inline(graph: &ExprGraph, id: NodeId, source: &SourceOp, share: u64) -> bool {
    let only_user = single_user(graph, id);
    let aligned = only_user.is_some_and(|user| takes_whole_blocks(graph, id, user));
    let read = source.source();
    match (read.unit(), read.cost()) {
        (ReadUnit::Block, _) => aligned,
        (ReadUnit::Any, ReadCost::Free | ReadCost::Generate) => true,
        (ReadUnit::Any, _) => {
            aligned
                || only_user.is_some_and(|user| matches!(graph.node(user).op, Op::View(_)))
                || graph.node(id).meta.nbytes() > share
        }
        _ => false,
    }
}

/// The only one that takes the source's elements, or the first of several that take them together; `None` when there
/// are others, the caller among them.
fn single_user(graph: &ExprGraph, id: NodeId) -> Option<NodeId> {
    let mut users: SmallVec<[NodeId; 4]> = graph.users(id).collect();
    users.sort_unstable();
    let alone = users.len() == 1 || users[..] == *graph.siblings(*users.first()?);
    (alone && !graph.is_root(id)).then_some(users[0])
}

/// Whether the only user asks for the source's blocks one by one and whole.
fn takes_whole_blocks(graph: &ExprGraph, id: NodeId, user: NodeId) -> bool {
    let source = graph.node(id).meta.grid();
    match &graph.node(user).op {
        Op::Element(_) | Op::Fused(..) => graph.node(user).meta.grid() == source,
        Op::Reduce(reduce) => reduce.space == *source,
        _ => false,
    }
}

/// The blocks of a node's result; a value is one.
pub(crate) fn blocks_of(graph: &ExprGraph, id: NodeId) -> usize {
    match &graph.node(id).meta {
        Meta::Array { grid, .. } => grid.num_blocks(),
        _ => 1,
    }
}

/// Tasks that a block of the result takes: its steps, or the folds of what is reduced to it, with their pieces.
pub(crate) fn tasks_of_block(graph: &ExprGraph, id: NodeId) -> usize {
    match &graph.node(id).op {
        Op::Reduce(reduce) => reduce.blocks_per_result().saturating_mul(reduce.most_pieces()),
        Op::Blockwise(rule) => rule.steps(&graph.input_metas(id)),
        _ => 1,
    }
}
