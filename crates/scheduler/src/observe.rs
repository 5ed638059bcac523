//! Looking on while a run goes on: the [`Observer`] trait, what it is told, and the counts of a [`Progress`].
//!
//! It owns the events. It decides nothing: what an observer does changes no result, and a run that nobody observes
//! is compiled without any of this.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam_utils::CachePadded;

use crate::{LayerId, TaskBytes, TaskId};

/// Is told what a run does, by the threads that do it, while they do it.
///
/// Calls for different tasks come at the same time from different threads; a slow observer slows the run down. A panic
/// of an observer is caught, and the run goes on without it.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, GraphBuilder, Observer, Pool, RunOptions, TaskEnd, TaskEvent};
/// use std::sync::{Arc, Mutex};
///
/// #[derive(Default)]
/// struct Log(Mutex<Vec<String>>);
///
/// impl Observer for Log {
///     fn task_finished(&self, task: &TaskEvent<'_>, end: TaskEnd) {
///         self.0.lock().unwrap().push(format!("{} {end:?}", task.label()));
///     }
/// }
///
/// let mut graph = GraphBuilder::new();
/// let one = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
/// graph.task(one, 7, &[], Default::default())?;
/// let log = Arc::new(Log::default());
/// Pool::new(2)?.run_with(graph.build().plan(None)?, RunOptions::new().observer(log.clone()))?;
/// assert_eq!(*log.0.lock().unwrap(), ["one 7 Done"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Observer: Send + Sync {
    /// A run begins.
    fn run_started(&self, run: &RunEvent) {
        let _ = run;
    }

    /// A task begins; called by the thread that runs it.
    fn task_started(&self, task: &TaskEvent<'_>) {
        let _ = task;
    }

    /// A task has ended; called by the thread that ran it. What it freed is no longer in
    /// [`TaskEvent::live_bytes`].
    fn task_finished(&self, task: &TaskEvent<'_>, end: TaskEnd) {
        let _ = (task, end);
    }

    /// A run is over, whether it succeeded or not.
    fn run_finished(&self, run: &RunEvent) {
        let _ = run;
    }
}

/// A run as a whole.
///
/// ```
/// use chunkwise_scheduler::{Observer, RunEvent};
///
/// struct Announce;
/// impl Observer for Announce {
///     fn run_started(&self, run: &RunEvent) {
///         println!("{} tasks on {} threads within {:?} bytes", run.tasks, run.threads, run.budget);
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunEvent {
    /// Number of the run, unique in the process.
    pub run: u64,
    /// Tasks of the run.
    pub tasks: usize,
    /// Threads that may work on it.
    pub threads: usize,
    /// Bytes the run may use; `None` is no limit.
    pub budget: Option<u64>,
}

/// What a task is to the run.
///
/// ```
/// assert_ne!(chunkwise_scheduler::TaskKind::Compute, chunkwise_scheduler::TaskKind::Spill);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskKind {
    /// A task of the graph.
    Compute,
    /// Writes the value of a task to disk.
    Spill,
    /// Reads the value of a task back.
    Load,
}

/// How a task ended.
///
/// ```
/// assert_eq!(format!("{:?}", chunkwise_scheduler::TaskEnd::Retry), "Retry");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskEnd {
    /// With a value.
    Done,
    /// With an error; it will run again.
    Retry,
    /// With the error that the run reports.
    Failed,
    /// Without effect: a spill that the disk refused. The value stays in memory.
    Refused,
}

/// One task, at its start or its end.
///
/// ```
/// use chunkwise_scheduler::{Observer, TaskEvent, TaskKind};
///
/// struct Announce;
/// impl Observer for Announce {
///     fn task_started(&self, task: &TaskEvent<'_>) {
///         if task.kind == TaskKind::Spill {
///             println!("{} bytes to disk, {} live: {}", task.bytes.output, task.live_bytes, task.label());
///         }
///     }
/// }
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct TaskEvent<'run> {
    /// Number of the run, as in [`RunEvent::run`].
    pub run: u64,
    /// The thread: below [`RunEvent::threads`], 0 for the one that called for the run.
    pub worker: usize,
    /// The task's place in the order of the run, which is unique in the run.
    pub rank: u32,
    /// The task of the graph; of a spill or load the one whose value is moved.
    pub task: TaskId,
    /// Layer of that task.
    pub layer: LayerId,
    /// Index of that task in its layer.
    pub index: u32,
    /// What is done.
    pub kind: TaskKind,
    /// Bytes that the task declares; of a spill what is written.
    pub bytes: TaskBytes,
    /// Bytes of all live values and running tasks of the run at this moment, as declared.
    pub live_bytes: u64,
    pub(crate) labels: &'run dyn Labels,
}

/// Names tasks.
pub(crate) trait Labels {
    /// What messages call the task of this rank.
    fn label(&self, rank: u32) -> String;
}

impl TaskEvent<'_> {
    /// What messages call the task, such as `sum block (3, 0)`; made anew at each call.
    #[must_use]
    pub fn label(&self) -> String {
        self.labels.label(self.rank)
    }
}

impl fmt::Debug for TaskEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskEvent")
            .field("rank", &self.rank)
            .field("kind", &self.kind)
            .field("worker", &self.worker)
            .field("live_bytes", &self.live_bytes)
            .finish_non_exhaustive()
    }
}

/// Counters side by side would be one cache line for all threads.
const SHARDS: usize = 16;

/// Counts what the runs it observes have done so far; the counts may be read at any time.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool, Progress, RunOptions};
/// use std::sync::Arc;
///
/// let mut graph = GraphBuilder::new();
/// let one = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
/// for index in 0..10 {
///     graph.task(one, index, &[], Default::default())?;
/// }
/// let progress = Arc::new(Progress::new());
/// Pool::new(2)?.run_with(graph.build().plan(None)?, RunOptions::new().observer(progress.clone()))?;
/// assert_eq!((progress.finished(), progress.tasks(), progress.fraction()), (10, 10, 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Progress {
    tasks: AtomicU64,
    finished: [CachePadded<AtomicU64>; SHARDS],
    spilled_bytes: AtomicU64,
    peak_bytes: AtomicU64,
}

impl Progress {
    /// Nothing done yet.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::Progress::new().finished(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tasks of all runs that have begun.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::Progress::new().tasks(), 0);
    /// ```
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.tasks.load(Relaxed)
    }

    /// Tasks that have ended with a value, or with a write to disk.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::Progress::new().finished(), 0);
    /// ```
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.finished.iter().map(|shard| shard.load(Relaxed)).sum()
    }

    /// Finished tasks as a part of all, from 0 to 1; 0 before a run begins.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::Progress::new().fraction(), 0.0);
    /// ```
    #[must_use]
    pub fn fraction(&self) -> f64 {
        match self.tasks() {
            0 => 0.0,
            // A run may begin between the two questions.
            tasks => (self.finished() as f64 / tasks as f64).min(1.0),
        }
    }

    /// Bytes written to disk because they did not fit into memory.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::Progress::new().spilled_bytes(), 0);
    /// ```
    #[must_use]
    pub fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes.load(Relaxed)
    }

    /// Most bytes live at once in a run, as declared by its tasks.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool, Progress, RunOptions, TaskBytes};
    /// use std::sync::Arc;
    ///
    /// let mut graph = GraphBuilder::new();
    /// let one = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
    /// graph.task(one, 0, &[], TaskBytes { output: 80, scratch: 20 })?;
    /// let progress = Arc::new(Progress::new());
    /// Pool::new(1)?.run_with(graph.build().plan(None)?, RunOptions::new().observer(progress.clone()))?;
    /// assert_eq!(progress.peak_bytes(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes.load(Relaxed)
    }
}

impl Observer for Progress {
    fn run_started(&self, run: &RunEvent) {
        self.tasks.fetch_add(run.tasks as u64, Relaxed);
    }

    fn task_started(&self, task: &TaskEvent<'_>) {
        if task.live_bytes > self.peak_bytes.load(Relaxed) {
            self.peak_bytes.fetch_max(task.live_bytes, Relaxed);
        }
    }

    fn task_finished(&self, task: &TaskEvent<'_>, end: TaskEnd) {
        if matches!(end, TaskEnd::Done | TaskEnd::Refused) {
            self.finished[task.worker % SHARDS].fetch_add(1, Relaxed);
        }
        if end == TaskEnd::Done && task.kind == TaskKind::Spill {
            self.spilled_bytes.fetch_add(task.bytes.output, Relaxed);
        }
    }
}
