//! How a plan is run, beyond the plan: budget, errors, who looks on, who may stop it.

use std::fmt;
use std::sync::Arc;

use crate::observe::Observer;
use crate::{CancelToken, SpillStore};

/// Which errors a failed run reports, and so what still runs after the first.
///
/// ```
/// assert_eq!(chunkwise_scheduler::ErrorMode::default(), chunkwise_scheduler::ErrorMode::Deterministic);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorMode {
    /// Tasks that come before a failed one in the order still run, because one of them may fail too: the first error is
    /// the one that a single thread would have met.
    #[default]
    Deterministic,
    /// Nothing starts after the first error; tasks that are running end. Which error comes first depends on timing.
    FailFast,
}

/// How a plan is run.
///
/// ```
/// use chunkwise_scheduler::{CancelToken, ErrorMode, FnLayer, GraphBuilder, Pool, RunOptions};
/// use std::sync::Arc;
///
/// let mut graph = GraphBuilder::new();
/// let one = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [i32]| Ok(1))))?;
/// graph.task(one, 0, &[], Default::default())?;
/// let token = CancelToken::new();
/// token.cancel();
/// let options = RunOptions::new().errors(ErrorMode::FailFast).cancel(token);
/// let error = Pool::new(2)?.run_with(graph.build().plan(None)?, options).unwrap_err();
/// assert!(error.is_cancelled());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct RunOptions {
    pub(crate) budget: Option<u64>,
    pub(crate) errors: ErrorMode,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    pub(crate) store: Option<SpillStore>,
}

impl RunOptions {
    /// The plan's own budget, deterministic errors, nobody looking on, no way to stop it.
    ///
    /// ```
    /// use chunkwise_scheduler::{GraphBuilder, Pool, RunOptions};
    ///
    /// let plan = GraphBuilder::<i32>::new().build().plan(None)?;
    /// assert_eq!(Pool::new(2)?.run_with(plan, RunOptions::new())?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs within so many bytes instead of the plan's budget. Less than [`Plan::peak_bytes`](crate::Plan::peak_bytes)
    /// counts as that: one task at a time. `u64::MAX` is no limit.
    ///
    /// It is a number, and no `Option` as in [`PlanOptions::budget`](crate::PlanOptions::budget), because a run that is given
    /// none has the budget of its plan.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool, Progress, RunOptions, TaskBytes};
    /// use std::sync::Arc;
    ///
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(Arc::new(FnLayer::new("count", |i, _: &mut [u32]| Ok(i))))?;
    /// for index in 0..10 {
    ///     graph.task(layer, index, &[], TaskBytes { output: 4, scratch: 6 })?;
    /// }
    /// let progress = Arc::new(Progress::new());
    /// let options = RunOptions::new().budget(20).observer(progress.clone());
    /// Pool::new(4)?.run_with(graph.build().plan(Some(1000))?, options)?;
    /// assert!(progress.peak_bytes() <= 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn budget(mut self, bytes: u64) -> Self {
        self.budget = Some(bytes);
        self
    }

    /// Which errors are reported.
    ///
    /// ```
    /// use chunkwise_scheduler::{ErrorMode, FnLayer, GraphBuilder, Pool, RunOptions};
    ///
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("load", |_, _: &mut [i32]| Err("no such file".into()))))?;
    /// for index in 0..10 {
    ///     graph.task(layer, index, &[], Default::default())?;
    /// }
    /// let options = RunOptions::new().errors(ErrorMode::Deterministic);
    /// let error = Pool::new(2)?.run_with(graph.build().plan(None)?, options).unwrap_err();
    /// assert_eq!(error.errors()[0].label, "load 0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn errors(mut self, mode: ErrorMode) -> Self {
        self.errors = mode;
        self
    }

    /// Stops the run when the token is cancelled: nothing starts after that, running tasks are told by
    /// [`TaskCx::cancelled`](crate::TaskCx::cancelled).
    ///
    /// ```
    /// use chunkwise_scheduler::{CancelToken, FnLayer, GraphBuilder, Pool, RunOptions};
    ///
    /// let token = CancelToken::new();
    /// let cancel = token.clone();
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("stop", move |_, _: &mut [i32]| {
    ///     cancel.cancel();
    ///     Ok(1)
    /// })))?;
    /// let first = graph.task(layer, 0, &[], Default::default())?;
    /// graph.task(layer, 1, &[first], Default::default())?;
    /// let error = Pool::new(2)?.run_with(graph.build().plan(None)?, RunOptions::new().cancel(token)).unwrap_err();
    /// assert_eq!(error.to_string(), "the run was cancelled");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = Some(token);
        self
    }

    /// Tells one more observer what happens.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool, Progress, RunOptions};
    /// use std::sync::Arc;
    ///
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(Arc::new(FnLayer::new("count", |i, _: &mut [u32]| Ok(i))))?;
    /// for index in 0..10 {
    ///     graph.task(layer, index, &[], Default::default())?;
    /// }
    /// let progress = Arc::new(Progress::new());
    /// Pool::new(2)?.run_with(graph.build().plan(None)?, RunOptions::new().observer(progress.clone()))?;
    /// assert_eq!(progress.finished(), 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Where values go that do not fit into memory; else to the system's folder for large temporary files. Of use to
    /// plans made with [`PlanOptions::spill`](crate::PlanOptions::spill) that write something
    /// ([`Plan::spill_bytes`](crate::Plan::spill_bytes)).
    ///
    /// ```
    /// use chunkwise_scheduler::{GraphBuilder, Pool, RunOptions, SpillStore};
    ///
    /// let store = SpillStore::new(std::env::temp_dir(), Some(1 << 30));
    /// let plan = GraphBuilder::<i32>::new().build().plan(None)?;
    /// Pool::new(2)?.run_with(plan, RunOptions::new().spill_to(store.clone()))?;
    /// assert_eq!(store.stats().written, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn spill_to(mut self, store: SpillStore) -> Self {
        self.store = Some(store);
        self
    }
}

impl fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions")
            .field("budget", &self.budget)
            .field("errors", &self.errors)
            .field("cancel", &self.cancel)
            .field("observers", &self.observers.len())
            .field("store", &self.store)
            .finish()
    }
}
