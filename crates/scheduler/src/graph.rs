//! Building a task graph in flat arrays.
//!
//! It owns ids, sizes and edges in creation order. It does not choose an execution order or check memory.

use std::fmt;
use std::sync::Arc;

use crate::csr::Csr;
use crate::{GraphError, Layer, Plan, PlanError, PlanOptions};

/// Names a layer of one [`GraphBuilder`].
///
/// ```
/// # use chunkwise_scheduler::{FnLayer, GraphBuilder};
/// let mut graph = GraphBuilder::<i32>::new();
/// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
/// assert_eq!(layer.number(), 0);
/// # Ok::<(), chunkwise_scheduler::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerId(u32);

impl LayerId {
    pub(crate) fn new(number: u32) -> Self {
        Self(number)
    }

    /// How many layers were added before it.
    ///
    /// ```
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder};
    /// # use std::sync::Arc;
    /// let mut graph = GraphBuilder::<i32>::new();
    /// let zero = graph.layer(Arc::new(FnLayer::new("zero", |_, _: &mut [i32]| Ok(0))))?;
    /// let one = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// assert_eq!((zero.number(), one.number()), (0, 1));
    /// # Ok::<(), chunkwise_scheduler::GraphError>(())
    /// ```
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// Names a task of one [`GraphBuilder`]: its place in creation order.
///
/// ```
/// # use chunkwise_scheduler::{FnLayer, GraphBuilder};
/// # let mut graph = GraphBuilder::<i32>::new();
/// # let layer = graph.layer(std::sync::Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
/// let task = graph.task(layer, 5, &[], Default::default())?;
/// assert_eq!(task.number(), 0);
/// # Ok::<(), chunkwise_scheduler::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u32);

impl TaskId {
    pub(crate) fn new(number: u32) -> Self {
        Self(number)
    }

    /// How many tasks were created before it.
    ///
    /// ```
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder};
    /// # let mut graph = GraphBuilder::<i32>::new();
    /// # let layer = graph.layer(std::sync::Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// let first = graph.task(layer, 5, &[], Default::default())?;
    /// let second = graph.task(layer, 3, &[], Default::default())?;
    /// assert_eq!((first.number(), second.number()), (0, 1));
    /// # Ok::<(), chunkwise_scheduler::GraphError>(())
    /// ```
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// The memory a task needs besides its inputs, in bytes.
///
/// ```
/// let bytes = chunkwise_scheduler::TaskBytes { output: 8000, scratch: 512 };
/// assert_eq!(bytes.total(), 8512);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskBytes {
    /// Newly allocated storage of its value; 0 for a view of an input.
    pub output: u64,
    /// Held only while the task runs.
    pub scratch: u64,
}

impl TaskBytes {
    /// Bytes that come into use when the task starts.
    ///
    /// ```
    /// let bytes = chunkwise_scheduler::TaskBytes { output: 8000, scratch: 512 };
    /// assert_eq!(bytes.total(), 8512);
    /// ```
    #[must_use]
    pub fn total(self) -> u64 {
        self.output.saturating_add(self.scratch)
    }
}

/// Collects layers, tasks and the values to keep. Adding a task of k inputs costs O(k), nothing is boxed.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool};
/// use std::sync::Arc;
///
/// let mut graph = GraphBuilder::new();
/// let number = graph.layer(Arc::new(FnLayer::new("number", |i, _: &mut [u64]| Ok(u64::from(i)))))?;
/// let sum = graph.layer(Arc::new(FnLayer::new("sum", |_, inputs: &mut [u64]| Ok(inputs.iter().sum()))))?;
/// let numbers = (0..10).map(|i| graph.task(number, i, &[], Default::default())).collect::<Result<Vec<_>, _>>()?;
/// let total = graph.task(sum, 0, &numbers, Default::default())?;
/// graph.keep(total)?;
/// assert_eq!(Pool::new(2)?.run(graph.build().plan(None)?)?, [45]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct GraphBuilder<V> {
    graph: TaskGraph<V>,
}

impl<V> GraphBuilder<V> {
    /// An empty graph.
    ///
    /// ```
    /// assert!(chunkwise_scheduler::GraphBuilder::<i32>::new().build().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        let graph = TaskGraph {
            layers: Vec::new(),
            layer: Vec::new(),
            index: Vec::new(),
            bytes: Vec::new(),
            inputs: Csr::new(),
            keep: Vec::new(),
        };
        Self { graph }
    }

    /// Makes room for this many more tasks and edges at once.
    ///
    /// ```
    /// let mut graph = chunkwise_scheduler::GraphBuilder::<i32>::new();
    /// graph.reserve(1_000_000, 2_000_000);
    /// assert!(graph.build().is_empty());
    /// ```
    pub fn reserve(&mut self, tasks: usize, edges: usize) {
        self.graph.layer.reserve(tasks);
        self.graph.index.reserve(tasks);
        self.graph.bytes.reserve(tasks);
        self.graph.inputs.reserve(tasks, edges);
    }

    /// Adds an operation; its tasks are added with [`task`](Self::task).
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder};
    ///
    /// let mut graph = GraphBuilder::new();
    /// let one = graph.layer(std::sync::Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// assert_eq!(one.number(), 0);
    /// # Ok::<(), chunkwise_scheduler::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// [`GraphError::TooLarge`] when ids no longer fit 32 bits.
    pub fn layer(&mut self, layer: Arc<dyn Layer<V>>) -> Result<LayerId, GraphError> {
        let id = next_id(self.graph.layers.len(), "layers")?;
        self.graph.layers.push(layer);
        Ok(LayerId(id))
    }

    /// Number of layers so far: that of the next one.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::GraphBuilder::<i32>::new().num_layers(), 0);
    /// ```
    #[must_use]
    pub fn num_layers(&self) -> usize {
        self.graph.layers.len()
    }

    /// Adds task `index` of a layer. Its inputs must have been added before; one may be given several times.
    ///
    /// ```
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder, GraphError};
    /// # use std::sync::Arc;
    /// # let mut graph = GraphBuilder::new();
    /// # let layer = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// let first = graph.task(layer, 0, &[], Default::default())?;
    /// let second = graph.task(layer, 1, &[first, first], Default::default())?;
    /// assert!(first < second);
    /// # Ok::<(), GraphError>(())
    /// ```
    ///
    /// # Errors
    /// [`GraphError::UnknownLayer`] or [`GraphError::UnknownTask`] for an id of another builder,
    /// [`GraphError::TooLarge`] when tasks or edges no longer fit 32 bits.
    pub fn task(
        &mut self,
        layer: LayerId,
        index: u32,
        inputs: &[TaskId],
        bytes: TaskBytes,
    ) -> Result<TaskId, GraphError> {
        let graph = &mut self.graph;
        let id = next_id(graph.layer.len(), "tasks")?;
        if layer.0 as usize >= graph.layers.len() {
            return Err(GraphError::UnknownLayer { layer: layer.0, layers: graph.layers.len() });
        }
        if let Some(unknown) = inputs.iter().find(|input| input.0 >= id) {
            return Err(GraphError::UnknownTask { task: unknown.0, tasks: graph.layer.len() });
        }
        next_id(graph.inputs.items() + inputs.len() + graph.keep.len(), "edges")?;
        graph.layer.push(layer.0);
        graph.index.push(index);
        graph.bytes.push(bytes);
        graph.inputs.push_row(inputs.iter().map(|input| input.0));
        Ok(TaskId(id))
    }

    /// Asks for the value of a task to be returned by the run; a task may be kept several times.
    ///
    /// ```
    /// # use chunkwise_scheduler::Pool;
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder, GraphError};
    /// # use std::sync::Arc;
    /// # let mut graph = GraphBuilder::new();
    /// # let layer = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// let task = graph.task(layer, 0, &[], Default::default())?;
    /// graph.keep(task)?;
    /// graph.keep(task)?;
    /// assert_eq!(Pool::new(1)?.run(graph.build().plan(None)?)?, [1, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`GraphError::UnknownTask`] for an id of another builder, [`GraphError::TooLarge`] when edges and kept values together
    /// no longer fit 32 bits.
    pub fn keep(&mut self, task: TaskId) -> Result<(), GraphError> {
        if task.0 as usize >= self.graph.len() {
            return Err(GraphError::UnknownTask { task: task.0, tasks: self.graph.len() });
        }
        // A run counts the uses of a value, users and the caller together, in 32 bits.
        next_id(self.graph.inputs.items() + self.graph.keep.len() + 1, "edges")?;
        self.graph.keep.push(task.0);
        Ok(())
    }

    /// Closes the graph.
    ///
    /// ```
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder, GraphError};
    /// # use std::sync::Arc;
    /// # let mut graph = GraphBuilder::new();
    /// # let layer = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// graph.task(layer, 0, &[], Default::default())?;
    /// assert_eq!(graph.build().len(), 1);
    /// # Ok::<(), GraphError>(())
    /// ```
    #[must_use]
    pub fn build(self) -> TaskGraph<V> {
        self.graph
    }
}

impl<V> Default for GraphBuilder<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> fmt::Debug for GraphBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphBuilder").field("graph", &self.graph).finish()
    }
}

/// The number `len` as an id, as long as it and its successor fit 32 bits.
fn next_id(len: usize, what: &'static str) -> Result<u32, GraphError> {
    let limit = u32::MAX - 1;
    u32::try_from(len).ok().filter(|&id| id < limit).ok_or(GraphError::TooLarge { what, limit })
}

/// A closed graph: tasks in creation order, their inputs, sizes, and which values to keep.
///
/// ```
/// # use chunkwise_scheduler::{FnLayer, GraphBuilder};
/// # let mut graph = GraphBuilder::<i32>::new();
/// # let layer = graph.layer(std::sync::Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
/// let one = graph.task(layer, 0, &[], Default::default())?;
/// graph.task(layer, 1, &[one, one], Default::default())?;
/// let graph = graph.build();
/// assert_eq!((graph.len(), graph.num_edges()), (2, 2));
/// # Ok::<(), chunkwise_scheduler::GraphError>(())
/// ```
pub struct TaskGraph<V> {
    pub(crate) layers: Vec<Arc<dyn Layer<V>>>,
    pub(crate) layer: Vec<u32>,
    pub(crate) index: Vec<u32>,
    pub(crate) bytes: Vec<TaskBytes>,
    pub(crate) inputs: Csr,
    pub(crate) keep: Vec<u32>,
}

impl<V> TaskGraph<V> {
    /// Number of tasks.
    ///
    /// ```
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder, GraphError};
    /// # use std::sync::Arc;
    /// # let mut graph = GraphBuilder::new();
    /// # let layer = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// graph.task(layer, 0, &[], Default::default())?;
    /// assert_eq!(graph.build().len(), 1);
    /// # Ok::<(), GraphError>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.layer.len()
    }

    /// Whether there is nothing to run.
    ///
    /// ```
    /// assert!(chunkwise_scheduler::GraphBuilder::<i32>::new().build().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layer.is_empty()
    }

    /// Number of inputs of all tasks together, duplicates included.
    ///
    /// ```
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder, GraphError};
    /// # use std::sync::Arc;
    /// # let mut graph = GraphBuilder::new();
    /// # let layer = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// let one = graph.task(layer, 0, &[], Default::default())?;
    /// graph.task(layer, 1, &[one, one], Default::default())?;
    /// assert_eq!(graph.build().num_edges(), 2);
    /// # Ok::<(), GraphError>(())
    /// ```
    #[must_use]
    pub fn num_edges(&self) -> usize {
        self.inputs.items()
    }

    /// Chooses an execution order and checks that it fits `budget` bytes; `None` is no limit.
    ///
    /// Costs O(tasks + edges), independent of the machine: the same graph gives the same plan everywhere.
    ///
    /// ```
    /// # use chunkwise_scheduler::TaskBytes;
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder, GraphError};
    /// # use std::sync::Arc;
    /// # let mut graph = GraphBuilder::new();
    /// # let layer = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// let one = graph.task(layer, 0, &[], TaskBytes { output: 80, scratch: 20 })?;
    /// graph.task(layer, 1, &[one], TaskBytes { output: 8, scratch: 0 })?;
    /// assert_eq!(graph.build().plan(Some(1000))?.peak_bytes(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PlanError::BudgetTooSmall`] when even one task at a time needs more than the budget.
    pub fn plan(self, budget: Option<u64>) -> Result<Plan<V>, PlanError> {
        self.plan_with(PlanOptions::new().budget(budget))
    }

    /// [`plan`](TaskGraph::plan) with more to say: what is set aside, whether values may go to disk.
    ///
    /// Costs O(tasks + edges); where values have to be evicted, O((tasks + edges) log tasks).
    ///
    /// ```
    /// # use chunkwise_scheduler::{GraphBuilder, PlanOptions};
    /// let plan = |budget, reserve| {
    ///     let options = PlanOptions::new().budget(budget).reserve(reserve);
    ///     GraphBuilder::<i32>::new().build().plan_with(options)
    /// };
    /// assert_eq!(plan(Some(1000), 100)?.reserved_bytes(), 100);
    /// assert_eq!(plan(Some(1000), 400)?.reserved_bytes(), 250);
    /// assert_eq!(plan(None, 400)?.reserved_bytes(), 400);
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    ///
    /// # Errors
    /// As [`plan`](TaskGraph::plan).
    pub fn plan_with(self, options: PlanOptions<V>) -> Result<Plan<V>, PlanError> {
        Plan::new(self, options)
    }
}

impl<V> fmt::Debug for TaskGraph<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGraph")
            .field("layers", &self.layers.len())
            .field("tasks", &self.len())
            .field("edges", &self.num_edges())
            .finish_non_exhaustive()
    }
}
