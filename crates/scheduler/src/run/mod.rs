//! One execution of a plan.
//!
//! It owns [`Pool::run`] and everything that lives as long as one run. The plan is not changed by it, and threads
//! are the pool's.

mod failures;
mod finish;
mod guard;
mod inline;
mod lane;
mod parallel;
mod participant;
mod pending;
mod slot;
mod sources;
mod window;

pub(crate) use failures::Failures;
pub(crate) use guard::panic_message;
#[cfg(all(test, loom))]
pub(crate) use window::Window;

use crate::{Plan, Pool, RunError};

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
        let data = plan.data();
        if self.threads() == 1 || data.runs_inline() {
            return inline::run_inline(data);
        }
        parallel::run_parallel(self.shared(), self.threads(), data)
    }
}
