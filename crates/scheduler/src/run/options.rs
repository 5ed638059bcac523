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
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs within so many bytes instead of the plan's budget. Less than [`Plan::peak_bytes`](crate::Plan::peak_bytes)
    /// counts as that: one task at a time.
    #[must_use]
    pub fn budget(mut self, bytes: u64) -> Self {
        self.budget = Some(bytes);
        self
    }

    /// Which errors are reported.
    #[must_use]
    pub fn errors(mut self, mode: ErrorMode) -> Self {
        self.errors = mode;
        self
    }

    /// Stops the run when the token is cancelled: nothing starts after that, running tasks are told by
    /// [`TaskCx::cancelled`](crate::TaskCx::cancelled).
    #[must_use]
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = Some(token);
        self
    }

    /// Tells one more observer what happens.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Where values go that do not fit into memory; else to the system's folder for large temporary files.
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
