//! A graph made ready to run: tasks renumbered by execution order, users beside inputs, memory checked.
//!
//! It owns the immutable arrays that a run reads. It does not hold any state of a run.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::blocks::Blocks;
use crate::csr::Csr;
use crate::order::{self, Ordered};
use crate::profile::Peak;
use crate::{BoxError, Layer, LayerId, PlanError, TaskBytes, TaskCx, TaskGraph, TaskId};

/// Most tasks of a graph that is asked whether it is too short to wake anybody.
const SMALL_TASKS: usize = 64;
/// A graph that is known to take less than this, in nanoseconds, runs on the calling thread.
const SMALL_NANOS: u64 = 20_000;

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

/// The arrays of a plan. A task is named by its rank: its place in the execution order, which is its priority.
pub(crate) struct PlanData<V> {
    layers: Vec<Arc<dyn Layer<V>>>,
    layer: Vec<u32>,
    index: Vec<u32>,
    /// Creation id of each rank; absent when the order is that of creation.
    created: Option<Vec<u32>>,
    pub(crate) inputs: Csr,
    pub(crate) users: Csr,
    /// Tasks without inputs, ascending.
    pub(crate) sources: Vec<u32>,
    /// Tasks to return, in the order of the calls of `keep`.
    pub(crate) keep: Vec<u32>,
    kept: Vec<bool>,
    memory: Memory,
    inline: bool,
}

/// What is known about the bytes of a plan.
struct Memory {
    /// What the tasks may use.
    budget: Option<u64>,
    /// What is set aside beside it.
    reserved: u64,
    peak: Peak,
    outputs: u64,
    most_scratch: u64,
    /// Absent when all values and all scratch fit the budget at once.
    blocks: Option<Blocks>,
}

/// Who asks for the value of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandOver {
    /// It can be dropped at once.
    Nobody,
    /// One input of one task.
    Only(u32),
    /// Several inputs, or the caller.
    Shared,
}

impl<V> Plan<V> {
    pub(crate) fn new(graph: TaskGraph<V>, budget: Option<u64>, reserve: u64) -> Result<Self, PlanError> {
        let Ordered { graph, created, users, peak } = order::reorder(graph);
        let memory = Memory::new(&graph, &users, peak, budget, reserve);
        let sources = (0..graph.len() as u32).filter(|&task| graph.inputs.len_of(task) == 0).collect();
        let mut kept = vec![false; graph.len()];
        graph.keep.iter().for_each(|&task| kept[task as usize] = true);
        let mut data = PlanData {
            layers: graph.layers,
            layer: graph.layer,
            index: graph.index,
            created,
            inputs: graph.inputs,
            users,
            sources,
            keep: graph.keep,
            kept,
            memory,
            inline: false,
        };
        data.check_budget(&graph.bytes)?;
        data.inline = data.is_chain() || data.is_short();
        Ok(Self { data: Arc::new(data) })
    }

    /// Number of tasks.
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
    /// smallest budget this order fits.
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(None)?;
    /// assert_eq!(plan.peak_bytes(), 0);
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.data.memory.peak.bytes
    }

    /// Bytes of the budget that the tasks leave to others; see [`TaskGraph::plan_beside`].
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(Some(100))?;
    /// assert_eq!(plan.reserved_bytes(), 0);
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn reserved_bytes(&self) -> u64 {
        self.data.memory.reserved
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

impl Memory {
    fn new<V>(graph: &TaskGraph<V>, users: &Csr, peak: Peak, budget: Option<u64>, reserve: u64) -> Self {
        let (bytes, inputs, keep) = (&graph.bytes, &graph.inputs, &graph.keep);
        let reserved = budget.map_or(reserve, |budget| reserve.min(budget.saturating_sub(peak.bytes) / 4));
        let budget = budget.map(|budget| budget - reserved);
        let outputs = bytes.iter().fold(0, |sum: u64, task| sum.saturating_add(task.output));
        let most_scratch = bytes.iter().map(|task| task.scratch).max().unwrap_or(0);
        let all = bytes.iter().fold(0, |sum: u64, task| sum.saturating_add(task.total()));
        let blocks = budget
            .filter(|&budget| peak.bytes <= budget && budget < all)
            .map(|budget| Blocks::new(bytes, inputs, users, keep, peak.bytes, budget));
        Self { budget, reserved, peak, outputs, most_scratch, blocks }
    }

    /// Whether all values and the scratch of every thread fit the budget at once.
    fn always_fits(&self, threads: usize) -> bool {
        let scratch = self.most_scratch.saturating_mul(threads as u64);
        self.budget.is_none_or(|budget| self.outputs.saturating_add(scratch) <= budget)
    }
}

impl<V> PlanData<V> {
    pub(crate) fn len(&self) -> usize {
        self.layer.len()
    }

    #[inline]
    pub(crate) fn call(&self, task: u32, inputs: &mut [V], cx: &TaskCx<'_>) -> Result<V, BoxError> {
        let layer = &self.layers[self.layer[task as usize] as usize];
        layer.run(self.index[task as usize], inputs, cx)
    }

    /// The creation id, layer, index and label of a task.
    pub(crate) fn describe(&self, task: u32) -> (TaskId, LayerId, u32, String) {
        let at = task as usize;
        let (layer, index) = (self.layer[at], self.index[at]);
        let created = self.created.as_ref().map_or(task, |created| created[at]);
        let label = catch_unwind(AssertUnwindSafe(|| self.layers[layer as usize].label(index)));
        let label = label.unwrap_or_else(|payload| {
            format!(
                "index {index} of layer {layer}, whose label panicked: {}",
                crate::run::panic_message(payload)
            )
        });
        (TaskId::new(created), LayerId::new(layer), index, label)
    }

    /// Who asks for the value of a task.
    #[inline]
    pub(crate) fn hand_over(&self, task: u32) -> HandOver {
        match (self.users.row(task), self.kept[task as usize]) {
            ([], false) => HandOver::Nobody,
            (&[user], false) => HandOver::Only(user),
            _ => HandOver::Shared,
        }
    }

    /// How many times the value of each task is asked for: by its users and by the caller.
    pub(crate) fn uses(&self) -> impl Iterator<Item = u32> {
        let mut uses = self.users.row_lens();
        for &task in &self.keep {
            uses[task as usize] += 1;
        }
        uses.into_iter()
    }

    /// The memory plan.
    pub(crate) fn blocks(&self) -> Option<&Blocks> {
        self.memory.blocks.as_ref()
    }

    /// The memory plan, if so many threads need one.
    pub(crate) fn blocks_for(&self, threads: usize) -> Option<&Blocks> {
        self.blocks().filter(|_| !self.memory.always_fits(threads))
    }

    /// Whether the plan gains nothing from a second thread.
    pub(crate) fn runs_inline(&self) -> bool {
        self.inline
    }

    /// Whether each task waits for the one before.
    fn is_chain(&self) -> bool {
        (1..self.len() as u32).all(|task| self.inputs.row(task).contains(&(task - 1)))
    }

    fn is_short(&self) -> bool {
        let nanos = |task: usize| self.layers[self.layer[task] as usize].nanos_hint(self.index[task]);
        self.len() <= SMALL_TASKS
            && (0..self.len())
                .try_fold(0, |sum: u64, task| Some(sum.saturating_add(nanos(task)?)))
                .is_some_and(|sum| sum <= SMALL_NANOS)
    }

    fn check_budget(&self, bytes: &[TaskBytes]) -> Result<(), PlanError> {
        let peak = self.memory.peak;
        let Some(budget) = self.memory.budget.filter(|&budget| budget < peak.bytes) else { return Ok(()) };
        let (_, _, _, task) = self.describe(peak.at);
        let own = bytes[peak.at as usize].total();
        Err(PlanError::BudgetTooSmall { task, own, needed: peak.bytes, budget })
    }
}
