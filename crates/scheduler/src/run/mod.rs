//! One execution of a plan.
//!
//! ```text
//! inline         one thread, ranks in order
//! parallel       the pool's threads: a participant each, lanes to take tasks from, the window to start them in
//! work           a task from inputs to value, for both
//! ```
//!
//! It owns [`Pool::run`] and everything that lives as long as one run. The plan is not changed by it, and threads
//! are the pool's.

mod delayed;
mod entry;
mod failures;
mod finish;
mod guard;
mod inline;
mod lane;
#[cfg(all(test, loom))]
mod loom_models;
mod options;
mod parallel;
mod participant;
#[cfg(all(test, not(loom)))]
mod simulate;
mod slot;
mod sources;
mod spilled;
mod state;
mod watch;
mod window;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(crate) use failures::Failures;
pub(crate) use guard::panic_message;
pub use options::{ErrorMode, RunOptions};
pub use work::inside_task;
use work::outer_cancel;

use crate::observe::RunEvent;
use crate::pool::Gate;
use crate::{CancelToken, OnCancel, Plan, Pool, RunError};
use spilled::Spilled;
use watch::{Unwatched, Watch, Watched};
use work::Work;

impl Pool {
    /// Runs a plan and returns the kept values, in the order of the calls of
    /// [`GraphBuilder::keep`](crate::GraphBuilder::keep).
    ///
    /// The calling thread works too. It may itself be running a task of this or another pool: it then takes tasks
    /// of the new run only, so that a lock held across the call does no harm. Runs may be in flight from several
    /// threads at once; each keeps its own budget.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool};
    ///
    /// let mut graph = GraphBuilder::new();
    /// let square = graph.layer(std::sync::Arc::new(FnLayer::new("square", |i, _: &mut [u32]| Ok(i * i))))?;
    /// for index in 0..4 {
    ///     let task = graph.task(square, index, &[], Default::default())?;
    ///     graph.keep(task)?;
    /// }
    /// assert_eq!(Pool::new(2)?.run(graph.build().plan(None)?)?, [0, 1, 4, 9]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RunError`] when tasks return errors or panic. The first error is the same for any number of threads.
    pub fn run<V>(&self, plan: Plan<V>) -> Result<Vec<V>, RunError>
    where
        V: Clone + Send + 'static,
    {
        self.run_with(plan, RunOptions::new())
    }

    /// [`run`](Self::run) with a budget of its own, a token to cancel it, an observer, or another error mode.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool, Progress, RunOptions};
    /// use std::sync::Arc;
    ///
    /// let mut graph = GraphBuilder::new();
    /// let one = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [u32]| Ok(1))))?;
    /// let task = graph.task(one, 0, &[], Default::default())?;
    /// graph.keep(task)?;
    /// let progress = Arc::new(Progress::new());
    /// let options = RunOptions::new().observer(progress.clone());
    /// assert_eq!(Pool::new(2)?.run_with(graph.build().plan(None)?, options)?, [1]);
    /// assert_eq!(progress.finished(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run), and when the run was cancelled.
    pub fn run_with<V>(&self, plan: Plan<V>, mut options: RunOptions) -> Result<Vec<V>, RunError>
    where
        V: Clone + Send + 'static,
    {
        match std::mem::take(&mut options.observers) {
            none if none.is_empty() => self.execute(plan, options, Unwatched),
            observers => {
                let event = RunEvent {
                    run: next_run(),
                    tasks: plan.tasks(),
                    threads: self.threads(),
                    budget: options.budget.or(plan.budget()),
                };
                self.execute(plan, options, Watched::new(observers, event))
            }
        }
    }

    fn execute<V, W>(&self, plan: Plan<V>, options: RunOptions, watch: W) -> Result<Vec<V>, RunError>
    where
        V: Clone + Send + 'static,
        W: Watch,
    {
        let plan = Arc::clone(plan.data());
        let budget = options.budget.or(plan.budget());
        let failures = Arc::new(Failures::new(options.errors));
        let gate = Arc::new(Gate::new());
        let (cancel, _chained) = with_outer(options.cancel);
        let _listening = cancel.as_ref().map(|token| {
            let (failures, gate) = (Arc::clone(&failures), Arc::clone(&gate));
            token.on_cancel(move || {
                failures.cancel();
                gate.wake_caller();
            })
        });
        let spilled = Spilled::new(&plan, options.store);
        let inline = self.threads() == 1 || plan.runs_inline();
        let work = Work { plan, failures, spilled, watch, cancel };
        match inline {
            true => inline::run_inline(&work, budget),
            false => parallel::run_parallel(self.shared(), self.threads(), work, budget, gate),
        }
    }
}

/// What cancels a run: its own token, and that of the run whose task calls for it.
fn with_outer(own: Option<CancelToken>) -> (Option<CancelToken>, Vec<OnCancel>) {
    let (Some(own), Some(outer)) = (&own, outer_cancel()) else {
        return (own.or_else(outer_cancel), Vec::new());
    };
    let either = CancelToken::new();
    let chain = |token: &CancelToken| {
        let either = either.clone();
        token.on_cancel(move || either.cancel())
    };
    let chained = vec![chain(own), chain(&outer)];
    (Some(either), chained)
}

/// A number for each run that is observed.
fn next_run() -> u64 {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    RUNS.fetch_add(1, Relaxed)
}
