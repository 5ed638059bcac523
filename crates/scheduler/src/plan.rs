//! A graph made ready to run: tasks renumbered by execution order, users beside inputs, memory checked.
//!
//! It owns the immutable arrays that a run reads. It does not hold any state of a run.

use std::fmt;
use std::sync::Arc;

use crate::csr::Csr;
use crate::profile::{LiveBytes, Peak};
use crate::{BoxError, Layer, LayerId, PlanError, TaskBytes, TaskCx, TaskGraph, TaskId};

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
    /// Creation id of each rank; empty when the order is that of creation.
    created: Vec<u32>,
    pub(crate) inputs: Csr,
    pub(crate) users: Csr,
    /// Ranks to return, in the order of the calls of `keep`.
    pub(crate) keep: Vec<u32>,
    peak: Peak,
}

impl<V> Plan<V> {
    pub(crate) fn new(graph: TaskGraph<V>, budget: Option<u64>) -> Result<Self, PlanError> {
        let users = graph.inputs.transposed();
        let peak =
            LiveBytes::new(&graph.bytes, &graph.inputs, &users, &graph.keep).peak(0..graph.len() as u32);
        let bytes = graph.bytes;
        let data = PlanData {
            layers: graph.layers,
            layer: graph.layer,
            index: graph.index,
            created: Vec::new(),
            inputs: graph.inputs,
            users,
            keep: graph.keep,
            peak,
        };
        data.check_budget(&bytes, budget)?;
        Ok(Self { data: Arc::new(data) })
    }

    /// Number of tasks.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.data.len()
    }

    /// Most bytes live at once when one thread runs the plan: values in use, kept values and scratch.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.data.peak.bytes
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
        let created = self.created.get(at).copied().unwrap_or(task);
        let label = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.layers[layer as usize].label(index)
        }));
        let label = label.unwrap_or_else(|_| format!("layer {layer} index {index}"));
        (TaskId::new(created), LayerId::new(layer), index, label)
    }

    /// How many times the value of each task is asked for: by its users and by the caller.
    pub(crate) fn uses(&self) -> Vec<u32> {
        let mut uses: Vec<u32> = (0..self.len()).map(|task| self.users.len_of(task as u32)).collect();
        for &task in &self.keep {
            uses[task as usize] += 1;
        }
        uses
    }

    fn check_budget(&self, bytes: &[TaskBytes], budget: Option<u64>) -> Result<(), PlanError> {
        let Some(budget) = budget.filter(|&budget| budget < self.peak.bytes) else { return Ok(()) };
        let (_, _, _, task) = self.describe(self.peak.at);
        let own = bytes[self.peak.at as usize].total();
        Err(PlanError::BudgetTooSmall { task, own, needed: self.peak.bytes, budget })
    }
}
