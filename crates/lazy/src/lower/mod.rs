//! From an optimised expression graph to block tasks.
//!
//! ```text
//! node of the graph          layers of tasks
//! source, literal            none where readers can read for themselves (see `sources`), else one read a block
//! map, view, rechunk, ..     one task a block: gather the needed regions, apply          (`blockwise`)
//! reduction                  one fold a block, merges of eight partial results, finish   (`reduce`)
//! call, collect              one task                                                    (`object`)
//! ```
//!
//! An operation says which input *regions* an output region needs; here they become blocks. Only blocks that some
//! result needs get tasks (`demand`). A layer is one object for all its tasks, and a task two numbers. Results are
//! written to their sink by the task that computes them.

mod blockwise;
mod demand;
mod emit;
mod feed;
mod object;
mod reduce;
mod sources;
mod value;

use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, ChunkSink};
use chunkwise_expr::{BuildError, ExprError, ExprGraph};
use chunkwise_scheduler::TaskGraph;

use crate::Result;

pub(crate) use value::Value;

/// What becomes of a root.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Its blocks are written here.
    Sink(Arc<dyn ChunkSink>),
    /// Its blocks, or its value, are returned.
    Keep,
    /// Nothing: the plan is only looked at.
    Discard,
}

/// The tasks of a graph.
pub(crate) struct Lowered {
    pub(crate) tasks: TaskGraph<Value>,
    /// Bytes that will be read from storage.
    pub(crate) bytes_read: u64,
}

/// Makes the tasks that compute the roots into their targets. `share` is how many bytes of decoded blocks may be kept
/// so that several readers need not decode them again.
pub(crate) fn lower(graph: &ExprGraph, targets: &[Target], share: u64) -> Result<Lowered> {
    for id in graph.ids() {
        if let Some(grid) = sources::grid_of(graph, id) {
            check_count(grid, graph.node(id).op.name(), graph.node(id).origin)?;
        }
    }
    let inlined = sources::inlined(graph, share);
    let demand = demand::find(graph, &inlined);
    emit::Emit::new(graph, targets, &inlined, &demand).run()
}

fn check_count(grid: &ChunkGrid, op: &str, origin: &'static Location<'static>) -> Result<()> {
    let blocks = grid.num_blocks();
    if u32::try_from(blocks).is_ok() {
        return Ok(());
    }
    Err(Arc::new(BuildError::new(op, ExprError::TooManyBlocks { blocks }, origin)).into())
}

/// What a layer calls its tasks.
#[derive(Debug)]
pub(crate) struct Label {
    op: String,
    grid: Option<ChunkGrid>,
    origin: &'static Location<'static>,
}

impl Label {
    pub(crate) fn new(
        op: impl Into<String>,
        grid: Option<ChunkGrid>,
        origin: &'static Location<'static>,
    ) -> Label {
        Label { op: op.into(), grid, origin }
    }

    /// As in `sqrt, block [3, 0] of shape [10, 4] in chunks (2, 4) (at src/main.rs:7:15)`.
    pub(crate) fn of(&self, index: u32) -> String {
        let (op, origin) = (&self.op, self.origin);
        match &self.grid {
            Some(grid) if grid.ndim() > 0 => {
                let block = grid.block(index as usize);
                format!("{op}, block {block:?} of shape {:?} in chunks {grid} (at {origin})", grid.shape())
            }
            _ => format!("{op} (at {origin})"),
        }
    }
}
