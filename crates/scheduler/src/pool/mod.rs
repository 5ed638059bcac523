//! The worker pool.

use crate::run::run_inline;
use crate::{Plan, PoolError, RunError};

/// A set of threads that run plans together. Clones share the threads; the last one to go stops them.
///
/// ```
/// use chunkwise_scheduler::Pool;
///
/// let pool = Pool::new(2)?;
/// assert_eq!(pool.threads(), 2);
/// # Ok::<(), chunkwise_scheduler::PoolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pool {
    threads: usize,
}

impl Pool {
    /// Starts a pool in which `threads` threads work on a run, the calling thread being one of them.
    ///
    /// # Errors
    /// [`PoolError::NoThreads`] for 0, [`PoolError::Spawn`] when the operating system refuses a thread.
    pub fn new(threads: usize) -> Result<Self, PoolError> {
        if threads == 0 {
            return Err(PoolError::NoThreads);
        }
        Ok(Self { threads })
    }

    /// How many threads work on one run at most.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs a plan and returns the kept values in the order of the calls of
    /// [`GraphBuilder::keep`](crate::GraphBuilder::keep).
    ///
    /// # Errors
    /// [`RunError`] when a task returns an error or panics; the first error is the same for any number of threads.
    pub fn run<V: Clone + Send + 'static>(&self, plan: Plan<V>) -> Result<Vec<V>, RunError> {
        run_inline(plan.data())
    }
}
