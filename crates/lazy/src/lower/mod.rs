//! From an optimised expression graph to block tasks.
//!
//! ```text
//! node of the graph          layers of tasks
//! source, literal            none where readers can read for themselves (see `sources`), else one read a block
//! map, view, rechunk, ..     one task a block: gather the needed regions, apply          (`blockwise`)
//! blockwise rule             the same, or a task for each of its steps, one after the other
//! map beyond the budget      none where each user can compute it for itself               (`recompute`)
//! rechunk beyond the budget  one task a block, and one a piece on the way               (`shuffle`)
//! reduction                  one fold a block, merges of eight partial results, finish   (`reduce`)
//! siblings                   the same folds and merges for all of them, a finish each
//! call, collect              one task                                                    (`object`)
//! a result that is streamed  besides, one a block, each after the one before              (`deliver`)
//! ```
//!
//! An operation says which input *regions* an output region needs; here they become blocks. Only blocks that some
//! result needs get tasks (`demand`). A layer is one object for all its tasks, and a task two numbers. Results are
//! written to their sink by the task that computes them: in place, where the sink is memory. Memory of blocks that are
//! used up goes to the tasks that come after (`recycle`). Tiny blocks share a task where nobody sees it (`group`, `reduce`).

mod barriers;
mod blockwise;
mod deliver;
mod demand;
mod emit;
mod emit_reduce;
mod evict;
mod feed;
mod group;
mod object;
mod recompute;
mod recycle;
mod reduce;
mod shuffle;
mod sources;
mod value;

use std::panic::Location;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, Region};
use chunkwise_expr::{BuildError, ExprError, ExprGraph, GraphNode, NodeId, Op};
use chunkwise_optimize::PassReport;
use chunkwise_scheduler::{Retry, TaskGraph};

use crate::Result;
use recompute::Recomputed;
use shuffle::{Marks, Shuffled};

pub(crate) use barriers::{Crossing, crossings};
pub(crate) use demand::Demand;
pub(crate) use evict::BlockCodec;
pub(crate) use group::{most_elements, result_grid};
pub(crate) use recompute::Again;
pub(crate) use recycle::{MOST_IDLE, Recycler};
pub(crate) use sources::blocks_of;
pub(crate) use value::Value;

/// Tasks of one plan, of some two hundred bytes each.
const MOST_TASKS: usize = 20_000_000;

/// Blocks of one array, of which few may be needed: some bytes each.
const MOST_BLOCKS: usize = 1 << 27;

/// What becomes of a root.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Its blocks are written here.
    Sink(Arc<dyn ChunkSink>),
    /// Its blocks, or its value, are returned.
    Keep,
    /// Its blocks are handed over in C order while the run goes on.
    Stream(SyncSender<Chunk>),
    /// Nothing: the plan is only looked at.
    Discard,
}

/// The tasks of a graph.
pub(crate) struct Lowered {
    pub(crate) tasks: TaskGraph<Value>,
    /// Memory of blocks that its tasks are done with.
    pub(crate) recycler: Arc<Recycler>,
    pub(crate) facts: Facts,
}

/// What was found out on the way to the tasks.
#[derive(Default)]
pub(crate) struct Facts {
    /// The graph that they were made of, where it is another one: with maps computed again and rechunks in pieces.
    pub(crate) graph: Option<ExprGraph>,
    /// What was done to have that graph.
    pub(crate) reports: Vec<PassReport>,
    /// Maps that it does not have because their users compute them.
    pub(crate) again: Vec<Again>,
    /// For each of its nodes whether users read it for themselves.
    pub(crate) inlined: Vec<bool>,
    /// For each node which blocks are needed.
    pub(crate) demand: Vec<Demand>,
    /// For each node why its blocks are held, written or made again when memory is short.
    pub(crate) why: Vec<&'static str>,
    /// The node of each layer. Siblings have theirs at the first of them.
    pub(crate) node_of_layer: Vec<NodeId>,
    /// Bytes that will be read from storage.
    pub(crate) bytes_read: u64,
}

/// What tasks are made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LowerOptions {
    /// Bytes that the tasks may use; `None` is no limit.
    pub(crate) budget: Option<u64>,
    /// How often reading a block is tried again.
    pub(crate) retry: Retry,
    /// Whether blocks can go to disk.
    pub(crate) spills: bool,
    /// Elements that a task may have of several tiny blocks; `None` where each block has its own.
    pub(crate) group: Option<usize>,
}

impl LowerOptions {
    /// Bytes of decoded blocks that may be kept so that several readers need not decode them again.
    fn share(&self) -> u64 {
        self.budget.map_or(u64::MAX, |budget| budget / 4)
    }
}

/// Makes the tasks that compute the roots into their targets.
pub(crate) fn lower(graph: &ExprGraph, targets: &[Target], options: &LowerOptions) -> Result<Lowered> {
    let recomputed = options.budget.and_then(|budget| recompute::recompute(graph, budget, options.spills));
    let (mut other, mut reports, mut again) = (None, Vec::new(), Vec::new());
    if let Some(Recomputed { graph, report, maps }) = recomputed {
        (other, again) = (graph, maps);
        reports.push(report);
    }
    let shuffled = options.budget.and_then(|budget| {
        let graph = other.as_ref().unwrap_or(graph);
        shuffle::shuffle(graph, budget, options.spills)
    });
    let mut marks = Marks::default();
    if let Some(Shuffled { graph, marks: found }) = shuffled {
        (other, marks) = (Some(graph), found);
    }
    let lowered = lower_marked(other.as_ref().unwrap_or(graph), &marks, targets, options)?;
    Ok(Lowered { facts: Facts { graph: other, reports, again, ..lowered.facts }, ..lowered })
}

fn lower_marked(
    graph: &ExprGraph,
    marks: &Marks,
    targets: &[Target],
    options: &LowerOptions,
) -> Result<Lowered> {
    let inlined = sources::inlined(graph, marks, options.share());
    let has_tasks = |id: &NodeId| !inlined[id.index()] || graph.is_root(*id);
    for id in graph.ids().filter(has_tasks) {
        let tasks = sources::blocks_of(graph, id).saturating_mul(sources::tasks_of_block(graph, id));
        check_count(graph, id, tasks, MOST_BLOCKS)?;
    }
    let demand = demand::find(graph, &inlined);
    let mut tasks = 0usize;
    for id in graph.ids().filter(has_tasks) {
        let blocks = |id: &NodeId| {
            let wanted = demand[id.index()].count(sources::blocks_of(graph, *id));
            wanted.saturating_mul(sources::tasks_of_block(graph, *id))
        };
        tasks = tasks.saturating_add(match graph.siblings(id) {
            [] => blocks(&id),
            [first, ..] if *first != id => 0,
            together => together.iter().map(blocks).max().unwrap_or(0),
        });
        check_count(graph, id, tasks, MOST_TASKS)?;
    }
    let lowered = emit::Emit::new(graph, marks, targets, &inlined, &demand, options).run()?;
    Ok(Lowered { facts: Facts { inlined, demand, ..lowered.facts }, ..lowered })
}

/// Refuses plans that would not fit into memory themselves.
fn check_count(graph: &ExprGraph, id: NodeId, blocks: usize, most: usize) -> Result<()> {
    if blocks <= most {
        return Ok(());
    }
    let node = graph.node(id);
    let cause = ExprError::TooManyBlocks { blocks };
    Err(Arc::new(BuildError::new(node.op.name(), cause, node.origin)).into())
}

/// What a layer calls its tasks.
#[derive(Debug)]
pub(crate) struct Label {
    op: String,
    grid: Option<ChunkGrid>,
    /// The user's lines: of the operation, then of those fused into it.
    origins: Vec<&'static Location<'static>>,
}

impl Label {
    pub(crate) fn new(op: &str, grid: Option<ChunkGrid>, origin: &'static Location<'static>) -> Label {
        Label { op: op.to_owned(), grid, origins: vec![origin] }
    }

    /// The label of a node, with `part` of its work.
    pub(crate) fn of_node(node: &GraphNode, part: &str, grid: Option<ChunkGrid>) -> Label {
        let mut label = Label::new(&format!("{}{part}", node.op), grid, node.origin);
        let program = match &node.op {
            Op::Fused(program, _) => Some(program),
            Op::Reduce(reduce) => reduce.program.as_ref(),
            _ => None,
        };
        let fused = program.into_iter().flat_map(|program| program.origins());
        label.origins.extend(fused.filter(|&&origin| origin != node.origin));
        label
    }

    /// The label of what is done for both.
    pub(crate) fn and(mut self, other: Label) -> Label {
        self.op = format!("{} and {}", self.op, other.op);
        let more = other.origins.into_iter().filter(|origin| !self.origins.contains(origin));
        let more: Vec<_> = more.collect();
        self.origins.extend(more);
        self
    }

    /// As in `sqrt, block [3, 0] of shape [10, 4] in chunks (2, 4) (at src/main.rs:7:15)`.
    pub(crate) fn of(&self, index: u32) -> String {
        self.of_blocks(|grid| format!("block {:?}", grid.block(index as usize)))
    }

    /// As in `sum, one of the blocks [0] to [63] of shape [1000] in chunks (1,) (at src/main.rs:7:15)`.
    pub(crate) fn of_several(&self, first: usize, last: usize) -> String {
        self.of_blocks(|grid| format!("one of the blocks {:?} to {:?}", grid.block(first), grid.block(last)))
    }

    /// [`of_several`](Label::of_several) for the blocks that hold a region.
    pub(crate) fn of_region(&self, region: &Region) -> String {
        let Some(grid) = &self.grid else { return self.of(0) };
        let mut blocks = grid.blocks_in(region).map(|block| grid.linear(&block));
        let first = blocks.next().unwrap_or(0);
        self.of_several(first, blocks.last().unwrap_or(first))
    }

    fn of_blocks(&self, blocks: impl Fn(&ChunkGrid) -> String) -> String {
        let origins: Vec<String> = self.origins.iter().map(|origin| origin.to_string()).collect();
        let (op, origins) = (&self.op, origins.join(", fused with "));
        match &self.grid {
            Some(grid) if grid.ndim() > 0 => {
                format!("{op}, {} of shape {:?} in chunks {grid} (at {origins})", blocks(grid), grid.shape())
            }
            _ => format!("{op} (at {origins})"),
        }
    }
}
