//! Everything that can go wrong: while building a graph, planning it, starting a pool and running.
//!
//! It owns the error types and their messages. It does not decide when an error is raised.

use std::fmt;

use thiserror::Error;

use crate::SpillError;

/// Any error a task may return.
///
/// ```
/// let error: chunkwise_scheduler::BoxError = "the file is gone".into();
/// assert_eq!(error.to_string(), "the file is gone");
/// ```
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a [`GraphBuilder`](crate::GraphBuilder) refused something.
///
/// ```
/// use chunkwise_scheduler::{GraphBuilder, GraphError};
///
/// let mut other = GraphBuilder::<i32>::new();
/// let layer = other.layer(std::sync::Arc::new(chunkwise_scheduler::FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
/// let foreign = other.task(layer, 0, &[], Default::default())?;
/// let error = GraphBuilder::<i32>::new().keep(foreign).unwrap_err();
/// assert_eq!(error, GraphError::UnknownTask { task: 0, tasks: 0 });
/// # Ok::<(), GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A task id that this builder did not hand out.
    #[error("task {task} is not in this graph, which has {tasks} tasks: use ids of the same builder")]
    UnknownTask {
        /// The id that was given.
        task: u32,
        /// How many tasks the graph has.
        tasks: usize,
    },
    /// A layer id that this builder did not hand out.
    #[error("layer {layer} is not in this graph, which has {layers} layers: use ids of the same builder")]
    UnknownLayer {
        /// The id that was given.
        layer: u32,
        /// How many layers the graph has.
        layers: usize,
    },
    /// More tasks, layers or edges than 32 bits can number.
    #[error("the graph has more than {limit} {what}: use larger chunks or run it in parts")]
    TooLarge {
        /// What overflowed: "tasks", "layers" or "edges".
        what: &'static str,
        /// The largest count allowed.
        limit: u32,
    },
}

/// Why a graph cannot be run inside a budget.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, GraphBuilder, PlanError, TaskBytes};
///
/// let mut graph = GraphBuilder::new();
/// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("load", |_, _: &mut [i32]| Ok(1))))?;
/// let task = graph.task(layer, 3, &[], TaskBytes { output: 800, scratch: 200 })?;
/// graph.keep(task)?;
/// let error = graph.build().plan(Some(900)).unwrap_err();
/// assert!(error.to_string().starts_with("task `load 3` needs 1000 bytes"));
/// # Ok::<(), chunkwise_scheduler::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Even one task at a time, in the best order found, more bytes are live than the budget allows.
    #[error(
        "task `{task}` needs {needed} bytes ({own} of its own, the rest held for it and for later tasks), \
         the budget is {budget}: raise the budget to at least {needed} bytes or use smaller chunks"
    )]
    BudgetTooSmall {
        /// Label of the task at which most bytes are live.
        task: String,
        /// Output and scratch bytes of that task alone.
        own: u64,
        /// Bytes live while that task runs; the smallest budget that would do.
        needed: u64,
        /// The budget that was given, in bytes.
        budget: u64,
    },
}

/// Why a [`Pool`](crate::Pool) could not be started.
///
/// ```
/// use chunkwise_scheduler::{Pool, PoolError};
///
/// assert!(matches!(Pool::new(0), Err(PoolError::NoThreads)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// A pool needs at least one thread.
    #[error("a pool of 0 threads can run nothing: ask for at least 1")]
    NoThreads,
    /// The operating system refused to start a thread.
    #[error("worker thread {worker} could not be started: {source}")]
    Spawn {
        /// Index of the worker that failed to start.
        worker: usize,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// How a task failed.
///
/// ```
/// let kind = chunkwise_scheduler::TaskErrorKind::Panicked("index out of bounds".to_string());
/// assert_eq!(kind.to_string(), "panicked: index out of bounds");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum TaskErrorKind {
    /// The layer returned this error.
    Returned(BoxError),
    /// The layer, or the drop of a value at its last use, panicked with this message.
    Panicked(String),
    /// A value that did not fit into memory could not be written to disk, or read back.
    Spill(SpillError),
}

impl fmt::Display for TaskErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(error) => write!(f, "{error}"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Spill(error) => write!(f, "{error}"),
        }
    }
}

/// A task that failed: which one, and how.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool};
///
/// let mut graph = GraphBuilder::new();
/// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("load", |_, _: &mut [i32]| Err("no such file".into()))))?;
/// let task = graph.task(layer, 7, &[], Default::default())?;
/// let error = Pool::new(1)?.run(graph.build().plan(None)?).unwrap_err();
/// assert_eq!(error.errors()[0].to_string(), "task `load 7`: no such file");
/// assert_eq!((error.errors()[0].task, error.errors()[0].index), (task, 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TaskError {
    /// The id that [`GraphBuilder::task`](crate::GraphBuilder::task) returned.
    pub task: crate::TaskId,
    /// What the layer calls the task.
    pub label: String,
    /// The layer of the task.
    pub layer: crate::LayerId,
    /// The index of the task in its layer.
    pub index: u32,
    /// How it failed.
    pub kind: TaskErrorKind,
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task `{}`: {}", self.label, self.kind)
    }
}

impl std::error::Error for TaskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            TaskErrorKind::Returned(error) => Some(error.as_ref()),
            TaskErrorKind::Panicked(_) => None,
            TaskErrorKind::Spill(error) => Some(error),
        }
    }
}

/// A run that failed, with every task error seen before it stopped, in execution order. Panics in the drop of values
/// that the failed run left behind come last.
///
/// The first error is the one a single thread would have met, whatever the number of threads; which others
/// are present depends on what was running at the time.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool};
///
/// let mut graph = GraphBuilder::new();
/// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("load", |i, _: &mut [i32]| match i {
///     0 => Ok(1),
///     _ => Err("no such file".into()),
/// })))?;
/// for index in 0..3 {
///     graph.task(layer, index, &[], Default::default())?;
/// }
/// let error = Pool::new(1)?.run(graph.build().plan(None)?).unwrap_err();
/// assert_eq!(error.to_string(), "task `load 1`: no such file");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunError {
    errors: Vec<TaskError>,
    cancelled: bool,
}

impl RunError {
    /// Wraps errors that are already in execution order; there is at least one unless the run was cancelled.
    pub(crate) fn new(errors: Vec<TaskError>, cancelled: bool) -> Self {
        debug_assert!(cancelled || !errors.is_empty());
        Self { errors, cancelled }
    }

    /// Whether the run was stopped by its [`CancelToken`](crate::CancelToken).
    ///
    /// ```
    /// # use chunkwise_scheduler::{CancelToken, GraphBuilder, Pool, RunOptions};
    /// let token = CancelToken::new();
    /// token.cancel();
    /// let plan = GraphBuilder::<i32>::new().build().plan(None)?;
    /// let error = Pool::new(1)?.run_with(plan, RunOptions::new().cancel(token)).unwrap_err();
    /// assert_eq!((error.is_cancelled(), error.to_string().as_str()), (true, "the run was cancelled"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// The failed tasks in execution order; none when a run was cancelled before any failed.
    ///
    /// ```
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool};
    /// # let mut graph = GraphBuilder::new();
    /// # let layer = graph.layer(std::sync::Arc::new(FnLayer::new("load", |_, _: &mut [i32]| Err("no".into()))))?;
    /// # graph.task(layer, 0, &[], Default::default())?;
    /// let error = Pool::new(1)?.run(graph.build().plan(None)?).unwrap_err();
    /// assert_eq!(error.errors().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn errors(&self) -> &[TaskError] {
        &self.errors
    }

    /// The errors by value, in execution order.
    ///
    /// ```
    /// # use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool};
    /// # let mut graph = GraphBuilder::new();
    /// # let layer = graph.layer(std::sync::Arc::new(FnLayer::new("load", |_, _: &mut [i32]| Err("no".into()))))?;
    /// # graph.task(layer, 0, &[], Default::default())?;
    /// let error = Pool::new(1)?.run(graph.build().plan(None)?).unwrap_err();
    /// assert_eq!(error.into_errors().remove(0).label, "load 0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn into_errors(self) -> Vec<TaskError> {
        self.errors
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.split_first() {
            _ if self.cancelled => write!(f, "the run was cancelled"),
            None => write!(f, "the run failed"),
            Some((first, [])) => write!(f, "{first}"),
            Some((first, rest)) => write!(f, "{first} (and {} more failed tasks)", rest.len()),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.errors.first().and_then(std::error::Error::source)
    }
}
