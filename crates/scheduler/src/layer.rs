//! What a task runs: the [`Layer`] trait, the context a task gets, and a layer made of a closure.
//!
//! It owns the contract between the scheduler and user code. It does not call it.

use std::fmt;
use std::time::Duration;

use crate::run::Failures;
use crate::{BoxError, Eviction};

/// One operation of the graph: all its tasks share this object, a task is (layer, index).
///
/// `V` is the type of the values that flow along the edges. It should be a small handle whose clone is cheap
/// (an `Arc`, an enum of `Arc`s): a value with several users is cloned for all but the last of them.
///
/// A panic of [`run`](Self::run) or [`retry`](Self::retry) is an error of the task. One of the other methods is caught
/// where they are called, and the default answer holds; a label is made up from the index.
///
/// ```
/// use chunkwise_scheduler::{BoxError, GraphBuilder, Layer, Pool, TaskCx};
/// use std::sync::Arc;
///
/// struct Add;
///
/// impl Layer<i64> for Add {
///     fn run(&self, index: u32, inputs: &mut [i64], _: &TaskCx<'_>) -> Result<i64, BoxError> {
///         Ok(inputs.iter().sum::<i64>() + i64::from(index))
///     }
///
///     fn label(&self, index: u32) -> String {
///         format!("add {index}")
///     }
/// }
///
/// let mut graph = GraphBuilder::new();
/// let add = graph.layer(Arc::new(Add))?;
/// let two = graph.task(add, 2, &[], Default::default())?;
/// let seven = graph.task(add, 3, &[two, two], Default::default())?;
/// graph.keep(seven)?;
/// assert_eq!(Pool::new(2)?.run(graph.build().plan(None)?)?, [7]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Layer<V>: Send + Sync {
    /// Computes the value of task `index`.
    ///
    /// `inputs` are in the order given to [`GraphBuilder::task`](crate::GraphBuilder::task). They belong to this
    /// call: an input may be taken out and reused. A handle that is not shared any more (`Arc::get_mut`)
    /// is at its last use, so its storage may be overwritten.
    ///
    /// # Errors
    /// Whatever stops the task; the run then fails with this error, the task's label beside it.
    fn run(&self, index: u32, inputs: &mut [V], cx: &TaskCx<'_>) -> Result<V, BoxError>;

    /// What messages call task `index`, such as `sum block (3, 0)`. Only called for errors, of a plan or of a run, and by
    /// observers that ask for it ([`TaskEvent::label`](crate::TaskEvent::label)); nothing is decided by it.
    fn label(&self, index: u32) -> String;

    /// What may be done with the value of task `index` when memory is short; the default is to hold it.
    ///
    /// Asked while a plan is made, and only when the graph does not fit its budget; see [`Eviction`] for a plan that
    /// makes use of it.
    ///
    /// ```
    /// use chunkwise_scheduler::{Eviction, FnLayer, Layer};
    ///
    /// let layer = FnLayer::new("zeros", |_, _: &mut [i32]| Ok(0));
    /// assert_eq!(layer.eviction(3), Eviction::Hold);
    /// ```
    fn eviction(&self, index: u32) -> Eviction {
        let _ = index;
        Eviction::Hold
    }

    /// Whether [`retry`](Self::retry) is to be asked when a task fails. Such tasks get copies of their inputs, so
    /// that they cannot reuse their storage.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, Layer};
    ///
    /// assert!(!FnLayer::new("zeros", |_, _: &mut [i32]| Ok(0)).retries());
    /// ```
    fn retries(&self) -> bool {
        false
    }

    /// After which pause task `index` shall run again, having failed `failed` times, the last time with `error`;
    /// `None` when the error shall stop the run. The task must give the same value however often it is run. Nobody waits
    /// while it pauses: threads take other tasks.
    ///
    /// ```
    /// use chunkwise_scheduler::{BoxError, GraphBuilder, Layer, Pool, Retry, TaskCx};
    /// use std::error::Error;
    /// use std::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}};
    /// use std::time::Duration;
    ///
    /// /// Fails the first two times.
    /// #[derive(Default)]
    /// struct Download(AtomicU32);
    ///
    /// impl Layer<&'static str> for Download {
    ///     fn run(&self, _: u32, _: &mut [&'static str], _: &TaskCx<'_>) -> Result<&'static str, BoxError> {
    ///         if self.0.fetch_add(1, Relaxed) < 2 { Err("the server is busy".into()) } else { Ok("data") }
    ///     }
    ///
    ///     fn label(&self, index: u32) -> String {
    ///         format!("download {index}")
    ///     }
    ///
    ///     fn retries(&self) -> bool {
    ///         true
    ///     }
    ///
    ///     fn retry(&self, _: u32, failed: u32, _: &(dyn Error + 'static)) -> Option<Duration> {
    ///         Retry::times(3).delay(Duration::ZERO).after(failed)
    ///     }
    /// }
    ///
    /// let mut graph = GraphBuilder::new();
    /// let download = graph.layer(Arc::new(Download::default()))?;
    /// let data = graph.task(download, 0, &[], Default::default())?;
    /// graph.keep(data)?;
    /// assert_eq!(Pool::new(2)?.run(graph.build().plan(None)?)?, ["data"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn retry(&self, index: u32, failed: u32, error: &(dyn std::error::Error + 'static)) -> Option<Duration> {
        let _ = (index, failed, error);
        None
    }

    /// How long task `index` takes, in nanoseconds, where that is known to be short.
    ///
    /// A small graph whose tasks are all known to be short runs on the calling thread, waking nobody. `None`
    /// (the default) means unknown.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, Layer};
    ///
    /// assert_eq!(FnLayer::new("zeros", |_, _: &mut [i32]| Ok(0)).nanos_hint(3), None);
    /// ```
    fn nanos_hint(&self, index: u32) -> Option<u64> {
        let _ = index;
        None
    }
}

/// What a running task can ask about its run.
///
/// ```
/// use chunkwise_scheduler::{BoxError, Layer, TaskCx};
///
/// struct Search;
///
/// impl Layer<u64> for Search {
///     fn run(&self, _: u32, _: &mut [u64], cx: &TaskCx<'_>) -> Result<u64, BoxError> {
///         let answer = (0..1_000_000).take_while(|_| !cx.cancelled()).find(|n| n * n == 1_234_321);
///         answer.ok_or_else(|| "not found".into())
///     }
///
///     fn label(&self, index: u32) -> String {
///         format!("search {index}")
///     }
/// }
/// ```
#[derive(Debug)]
pub struct TaskCx<'run> {
    failures: &'run Failures,
    task: u32,
    worker: usize,
}

impl<'run> TaskCx<'run> {
    pub(crate) fn new(failures: &'run Failures, task: u32, worker: usize) -> Self {
        Self { failures, task, worker }
    }

    /// Whether this task's result is no longer wanted: the run was cancelled, or an earlier task has failed.
    ///
    /// A long task asks now and then and may return anything, an error included, once it is true. Tasks that
    /// come before the failed one are still wanted, because one of them may be the first to fail.
    ///
    /// ```
    /// use chunkwise_scheduler::{BoxError, Layer, TaskCx};
    ///
    /// struct Patient;
    ///
    /// impl Layer<usize> for Patient {
    ///     fn run(&self, _: u32, _: &mut [usize], cx: &TaskCx<'_>) -> Result<usize, BoxError> {
    ///         (0..100).try_fold(0, |sum, tile| if cx.cancelled() { Err("cancelled".into()) } else { Ok(sum + tile) })
    ///     }
    ///     # fn label(&self, _: u32) -> String { String::new() }
    /// }
    /// ```
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.failures.skips(self.task)
    }

    /// Index of the thread that runs the task: unique in the run, below [`Pool::threads`](crate::Pool::threads),
    /// 0 for the thread that called [`Pool::run`](crate::Pool::run).
    ///
    /// ```
    /// use chunkwise_scheduler::{BoxError, Layer, TaskCx};
    ///
    /// struct Seat;
    ///
    /// impl Layer<usize> for Seat {
    ///     fn run(&self, _: u32, _: &mut [usize], cx: &TaskCx<'_>) -> Result<usize, BoxError> {
    ///         Ok(cx.worker())
    ///     }
    ///     # fn label(&self, _: u32) -> String { String::new() }
    /// }
    /// ```
    #[must_use]
    pub fn worker(&self) -> usize {
        self.worker
    }
}

/// A layer made of a name and a closure from (index, inputs) to a value.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, Layer};
///
/// let double = FnLayer::new("double", |_, inputs: &mut [i32]| Ok(inputs[0] * 2));
/// assert_eq!(double.label(4), "double 4");
/// ```
pub struct FnLayer<F> {
    name: String,
    body: F,
}

impl<F> FnLayer<F> {
    /// Names the closure; task `i` is labelled `name i`.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool};
    ///
    /// let mut graph = GraphBuilder::new();
    /// let square = graph.layer(std::sync::Arc::new(FnLayer::new("square", |i, _: &mut [u32]| Ok(i * i))))?;
    /// let task = graph.task(square, 5, &[], Default::default())?;
    /// graph.keep(task)?;
    /// assert_eq!(Pool::new(1)?.run(graph.build().plan(None)?)?, [25]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new<V>(name: impl Into<String>, body: F) -> Self
    where
        F: Fn(u32, &mut [V]) -> Result<V, BoxError> + Send + Sync,
    {
        Self { name: name.into(), body }
    }
}

impl<V, F> Layer<V> for FnLayer<F>
where
    F: Fn(u32, &mut [V]) -> Result<V, BoxError> + Send + Sync,
{
    fn run(&self, index: u32, inputs: &mut [V], _: &TaskCx<'_>) -> Result<V, BoxError> {
        (self.body)(index, inputs)
    }

    fn label(&self, index: u32) -> String {
        format!("{} {index}", self.name)
    }
}

impl<F> fmt::Debug for FnLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnLayer").field("name", &self.name).finish_non_exhaustive()
    }
}
