//! A graph made ready to run: tasks renumbered by execution order, users beside inputs, memory checked.
//!
//! ```text
//! TaskGraph -> order (least peak found) -> fits the budget? -> Plan
//!                                          no: evict (values to disk, sources made again) -> fits? -> Plan
//!                                                                                           no: Err
//! ```
//!
//! It owns the immutable arrays that a run reads. It does not hold any state of a run. A task that the eviction has
//! made (spill, load) is a task like any other, with a number instead of a layer.

mod ahead;
mod ask;
mod by_layer;
mod data;
mod options;

use std::fmt;
use std::sync::Arc;

pub use by_layer::LayerTotals;
pub(crate) use data::{HandOver, PlanData, What};
pub use options::{PlanOptions, SpillCodec};

use crate::evict::{Evicted, evict};
use crate::order::{self, Ordered};
use crate::profile::Peak;
use crate::{Eviction, PlanError, TaskGraph};

/// When values have to be evicted, the plan leaves a quarter of the budget to tasks that run ahead.
const AHEAD: u64 = 4;

/// A graph with its execution order, found to fit its budget. Cheap to clone, may be run many times.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool, TaskBytes};
///
/// let mut graph = GraphBuilder::new();
/// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("count", |i, _: &mut [u32]| Ok(i))))?;
/// for index in 0..3 {
///     let task = graph.task(layer, index, &[], TaskBytes { output: 4, scratch: 1 })?;
///     graph.keep(task)?;
/// }
/// let plan = graph.build().plan(Some(1000))?;
/// assert_eq!((plan.tasks(), plan.peak_bytes()), (3, 13));
/// let pool = Pool::new(2)?;
/// assert_eq!(pool.run(plan.clone())?, pool.run(plan)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Plan<V> {
    data: Arc<PlanData<V>>,
}

/// A graph in execution order, with its evictions.
struct Scheduled<V> {
    ordered: Ordered<V>,
    moved: Moved,
}

/// What the evictions of a plan move.
#[derive(Clone, Copy, Default)]
struct Moved {
    records: u32,
    spilled: u64,
    loaded: u64,
    rerun: u64,
}

impl<V> Plan<V> {
    pub(crate) fn new(graph: TaskGraph<V>, options: PlanOptions<V>) -> Result<Self, PlanError> {
        let ordered = order::reorder(graph);
        let scheduled = match options.budget {
            Some(budget) if budget < ordered.peak.bytes => evicted(ordered, budget, options.codec.is_some())?,
            _ => Scheduled { ordered, moved: Moved::default() },
        };
        Ok(Self { data: Arc::new(PlanData::new(scheduled, options)) })
    }

    /// Number of tasks, those that move values to disk and back included.
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(None)?;
    /// assert_eq!(plan.tasks(), 0);
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.data.len()
    }

    /// Most bytes live at once when one thread runs the plan: values in use, kept values and scratch. It is the
    /// smallest budget this plan fits.
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(None)?;
    /// assert_eq!(plan.peak_bytes(), 0);
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.data.peak().bytes
    }

    /// Most bytes that a run on so many threads has live at once: what [`peak_bytes`](Self::peak_bytes) is for one thread.
    /// Found by playing the run through, each task taking as long as the bytes it touches: an estimate, as times are,
    /// but no run exceeds the budget.
    ///
    /// Costs O((tasks + edges) log threads).
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, TaskBytes};
    ///
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("count", |i, _: &mut [u32]| Ok(i))))?;
    /// for index in 0..10 {
    ///     graph.task(layer, index, &[], TaskBytes { output: 4, scratch: 6 })?;
    /// }
    /// let plan = graph.build().plan(Some(1000))?;
    /// assert_eq!((plan.peak_bytes(), plan.most_bytes(3)), (10, 30));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn most_bytes(&self, threads: usize) -> u64 {
        self.data.most_bytes(threads, self.data.budget())
    }

    /// [`most_bytes`](Self::most_bytes) of a run that is given a budget of its own, as
    /// [`RunOptions::budget`](crate::RunOptions::budget) is.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, TaskBytes};
    ///
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("count", |i, _: &mut [u32]| Ok(i))))?;
    /// for index in 0..10 {
    ///     graph.task(layer, index, &[], TaskBytes { output: 4, scratch: 6 })?;
    /// }
    /// let plan = graph.build().plan(Some(1000))?;
    /// assert_eq!((plan.most_bytes(3), plan.most_bytes_within(3, 20)), (30, 20));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn most_bytes_within(&self, threads: usize, budget: u64) -> u64 {
        self.data.most_bytes(threads, Some(budget))
    }

    /// Bytes beyond which a run has no use for more: all values and the scratch of so many threads, or the budget.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, TaskBytes};
    ///
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("count", |i, _: &mut [u32]| Ok(i))))?;
    /// for index in 0..10 {
    ///     graph.task(layer, index, &[], TaskBytes { output: 4, scratch: 6 })?;
    /// }
    /// let plan = graph.build().plan(Some(1000))?;
    /// assert_eq!(plan.useful_bytes(3), 10 * 4 + 3 * 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn useful_bytes(&self, threads: usize) -> u64 {
        self.data.useful_bytes(threads)
    }

    /// The bytes that its runs stay within, what is set aside not included; `None` is no limit.
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(Some(100))?;
    /// assert_eq!(plan.budget(), Some(100));
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn budget(&self) -> Option<u64> {
        self.data.budget()
    }

    /// Bytes that will be written to disk because they do not fit into the budget. As much or more is read back.
    ///
    /// ```
    /// use chunkwise_scheduler::{BoxError, Eviction, GraphBuilder, Layer, PlanOptions, Pool, SpillCodec, TaskBytes, TaskCx};
    /// use std::{io, sync::Arc};
    ///
    /// /// Blocks of a kilobyte that may go to disk, and sums of the first bytes of blocks.
    /// struct Blocks;
    ///
    /// impl Layer<Arc<Vec<u8>>> for Blocks {
    ///     fn run(&self, index: u32, inputs: &mut [Arc<Vec<u8>>], _: &TaskCx<'_>) -> Result<Arc<Vec<u8>>, BoxError> {
    ///         Ok(Arc::new(match inputs {
    ///             [] => vec![index as u8; 1000],
    ///             _ => vec![inputs.iter().map(|block| block[0]).sum()],
    ///         }))
    ///     }
    ///     fn label(&self, index: u32) -> String { format!("block {index}") }
    ///     fn eviction(&self, _: u32) -> Eviction { Eviction::Spill }
    /// }
    ///
    /// impl SpillCodec<Arc<Vec<u8>>> for Blocks {
    ///     fn write(&self, value: &Arc<Vec<u8>>, out: &mut dyn io::Write) -> io::Result<()> { out.write_all(value) }
    ///     fn read(&self, input: &mut dyn io::Read) -> io::Result<Arc<Vec<u8>>> {
    ///         let mut value = Vec::new();
    ///         input.read_to_end(&mut value).map(|_| Arc::new(value))
    ///     }
    /// }
    ///
    /// // The first half of ten blocks is used again after all of them were used once.
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(Arc::new(Blocks))?;
    /// let (block, tiny) = (TaskBytes { output: 1000, scratch: 0 }, TaskBytes { output: 1, scratch: 0 });
    /// let blocks = (0..10).map(|i| graph.task(layer, i, &[], block)).collect::<Result<Vec<_>, _>>()?;
    /// let mut sum = blocks[0];
    /// for block in blocks.iter().chain(&blocks[..5]) {
    ///     sum = graph.task(layer, 0, &[sum, *block], tiny)?;
    /// }
    /// graph.keep(sum)?;
    /// let plan = graph.build().plan_with(PlanOptions::new().budget(Some(4000)).spill(Arc::new(Blocks)))?;
    /// assert!(plan.peak_bytes() <= 4000);
    /// assert_eq!((plan.spill_bytes(), plan.load_bytes(), plan.rerun_bytes()), (4000, 4000, 0));
    /// assert_eq!(*Pool::new(2)?.run(plan)?[0], [45 + 10]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn spill_bytes(&self) -> u64 {
        self.data.moved().spilled
    }

    /// Bytes that will be read back from disk; see [`spill_bytes`](Self::spill_bytes).
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(None)?;
    /// assert_eq!(plan.load_bytes(), 0);
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn load_bytes(&self) -> u64 {
        self.data.moved().loaded
    }

    /// Bytes of values that are made a second time, because that is cheaper than keeping them.
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(None)?;
    /// assert_eq!(plan.rerun_bytes(), 0);
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn rerun_bytes(&self) -> u64 {
        self.data.moved().rerun
    }

    /// Bytes of the budget that the tasks leave to others; see [`PlanOptions::reserve`].
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(Some(100))?;
    /// assert_eq!(plan.reserved_bytes(), 0);
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn reserved_bytes(&self) -> u64 {
        self.data.reserved()
    }

    pub(crate) fn data(&self) -> &Arc<PlanData<V>> {
        &self.data
    }
}

impl<V> Clone for Plan<V> {
    fn clone(&self) -> Self {
        Self { data: Arc::clone(&self.data) }
    }
}

impl<V> fmt::Debug for Plan<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("tasks", &self.tasks()).field("peak_bytes", &self.peak_bytes()).finish()
    }
}

/// The same work within `budget`: some values go to disk (where `spills` says that they can) or are made again.
fn evicted<V>(ordered: Ordered<V>, budget: u64, spills: bool) -> Result<Scheduled<V>, PlanError> {
    let ordered = order::reorder_for_less(ordered);
    if ordered.peak.bytes <= budget {
        return Ok(Scheduled { ordered, moved: Moved::default() });
    }
    let Ordered { mut graph, created, users, .. } = ordered;
    let layers = graph.layers.clone();
    let (layer, index) = (graph.layer.clone(), graph.index.clone());
    let eviction = |task: u32| {
        let layer = &*layers[layer[task as usize] as usize];
        match ask::eviction(layer, index[task as usize]) {
            Eviction::Spill if !spills => Eviction::Hold,
            eviction => eviction,
        }
    };
    for target in [budget - budget / AHEAD, budget] {
        match evict(graph, &users, eviction, target) {
            Ok(evicted) => return Ok(Scheduled::new(evicted, created)),
            Err((back, peak)) if target == budget => return Err(refused(&back, peak, budget)),
            Err((back, _)) => graph = back,
        }
    }
    unreachable!("the last target is the budget")
}

impl<V> Scheduled<V> {
    fn new(evicted: Evicted<V>, created: Option<Vec<u32>>) -> Self {
        let Evicted { graph, users, mut from, records, spilled, loaded, rerun, peak } = evicted;
        if let Some(created) = created {
            from.iter_mut().for_each(|rank| *rank = created[*rank as usize]);
        }
        let ordered = Ordered { graph, users, created: Some(from), peak };
        Self { ordered, moved: Moved { records, spilled, loaded, rerun } }
    }
}

/// The error for a graph that needs `peak` at least.
fn refused<V>(graph: &TaskGraph<V>, peak: Peak, budget: u64) -> PlanError {
    let at = peak.at as usize;
    let task = ask::label(&*graph.layers[graph.layer[at] as usize], graph.layer[at], graph.index[at]);
    PlanError::BudgetTooSmall { task, own: graph.bytes[at].total(), needed: peak.bytes, budget }
}
