#![doc = include_str!("README.md")]

mod gate;
#[cfg(all(test, loom))]
mod loom_models;
mod registry;
mod sleep;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

pub(crate) use gate::Gate;
pub(crate) use registry::{Job, Registry};
pub(crate) use sleep::Sleep;
#[cfg(all(test, loom))]
pub(crate) use worker::work;

use crate::PoolError;
use crate::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Stack of a worker thread, in bytes: what a main thread usually has.
const STACK_BYTES: usize = 8 << 20;

/// A set of threads that run plans together. Clones share the threads; the last one to go stops them.
///
/// ```
/// use chunkwise_scheduler::Pool;
///
/// let pool = Pool::new(2)?;
/// assert_eq!(pool.clone().threads(), 2);
/// # Ok::<(), chunkwise_scheduler::PoolError>(())
/// ```
#[derive(Clone)]
pub struct Pool {
    threads: Arc<Threads>,
}

impl Pool {
    /// Starts a pool in which up to `threads` threads work on a run. The thread that calls
    /// [`run`](Self::run) is one of them, so `threads - 1` are started here.
    ///
    /// ```
    /// use chunkwise_scheduler::Pool;
    ///
    /// assert!(Pool::new(1).is_ok());
    /// assert_eq!(Pool::new(0).unwrap_err().to_string(), "a pool of 0 threads can run nothing: ask for at least 1");
    /// ```
    ///
    /// # Errors
    /// [`PoolError::NoThreads`] for 0, [`PoolError::Spawn`] when the operating system refuses a thread.
    pub fn new(threads: usize) -> Result<Self, PoolError> {
        let workers = threads.checked_sub(1).ok_or(PoolError::NoThreads)?;
        let mut started = Threads { shared: Arc::new(Shared::new(workers)), handles: Vec::new() };
        for worker in 0..workers {
            let shared = Arc::clone(&started.shared);
            let thread = thread::Builder::new()
                .name(format!("chunkwise-{}", worker + 1))
                .stack_size(STACK_BYTES)
                .spawn(move || worker::work(&shared, worker))
                .map_err(|source| PoolError::Spawn { worker, source })?;
            started.handles.push(thread);
        }
        Ok(Self { threads: Arc::new(started) })
    }

    /// How many threads work on one run at most, the calling one included.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::Pool::new(3)?.threads(), 3);
    /// # Ok::<(), chunkwise_scheduler::PoolError>(())
    /// ```
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.handles.len() + 1
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.threads.shared
    }
}

/// Tells who sleeps and how far each run in flight is: enough to see why a program stands still.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Pool");
        text.field("threads", &self.threads()).field("sleep", &self.shared().sleep);
        text.field("runs", &self.shared().registry).finish()
    }
}

/// What workers and callers share.
pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) sleep: Sleep,
    closed: AtomicBool,
}

impl Shared {
    pub(crate) fn new(workers: usize) -> Self {
        Self { registry: Registry::new(), sleep: Sleep::new(workers), closed: AtomicBool::new(false) }
    }

    /// Sends the workers home.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.sleep.wake_all();
    }

    fn is_closed(&self) -> bool {
        // Relaxed: a worker that must not miss it has a fence, or the lock of the sleepers, before.
        self.closed.load(Relaxed)
    }
}

/// The worker threads; dropping this stops them.
struct Threads {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    /// Waits for the workers, unless one of them drops the pool: it cannot wait for itself, nor for another that
    /// may wait for it. They then end on their own.
    fn drop(&mut self) {
        self.shared.close();
        let current = thread::current().id();
        if self.handles.iter().any(|handle| handle.thread().id() == current) {
            return;
        }
        for handle in self.handles.drain(..) {
            // A worker only panics through a bug of this crate; there is nobody left to tell.
            let _ = handle.join();
        }
    }
}
