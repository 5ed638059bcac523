//! Runs in the background: the handle of a run, and how one is started.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chunkwise_scheduler::{self as scheduler, CancelToken, Progress, inside_task};

use super::Runtime;
use crate::{Compute, Error, Result};

/// A computation that goes on in the background, on the threads of its runtime and one of its own.
///
/// [`wait`](Self::wait) for it, or await it: it is a future for any executor. Dropping the handle cancels the
/// computation; [`detach`](Self::detach) lets it go on.
///
/// ```
/// use chunkwise::prelude::*;
/// let run = LazyArray::arange(0.0_f64, 1e6, 1.0, 10_000).sqrt().sum().submit()?;
/// assert!(run.progress().fraction() <= 1.0);
/// assert_eq!(run.wait()?.round(), 666_666_166.0);
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use = "dropping the handle cancels the computation: wait for it, await it or detach it"]
pub struct RunHandle<T> {
    inner: scheduler::RunHandle<Result<T>>,
    progress: Arc<Progress>,
}

impl<T: Send + 'static> RunHandle<T> {
    /// Waits for the result.
    ///
    /// # Errors
    /// Those of the computation; [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) when it was cancelled.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let run = LazyArray::arange(0.0_f64, 10.0, 1.0, 3).sum().submit()?;
    /// assert_eq!(run.wait()?, 45.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn wait(self) -> Result<T> {
        self.inner.wait()
    }

    /// Asks the computation to stop; returns at once. Tasks that run end within a few microseconds of work, no other is
    /// started, and [`wait`](Self::wait) gives an error. A result that was to be stored does not appear. A computation
    /// that is already complete may still give its result.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::ErrorKind;
    /// use std::sync::{Mutex, mpsc};
    ///
    /// let (go_on, gate) = mpsc::channel::<()>();
    /// let gate = Mutex::new(gate);
    /// let x = LazyArray::<f64, Ix1>::from_blocks(4, 2, move |block| {
    ///     gate.lock().unwrap().recv().ok(); // until the other end is dropped
    ///     ndarray::Array1::ones(block.shape[0])
    /// });
    /// let run = x.sum().submit()?;
    /// run.cancel();
    /// drop(go_on);
    /// assert!(run.wait().is_err_and(|err| err.kind() == ErrorKind::Cancelled));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// A token that cancels this computation, for other threads; a thread that receives signals is one. Not for a signal
    /// handler itself: cancelling takes locks and runs closures.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 10.0, 1.0, 3);
    /// let run = x.sum().submit()?;
    /// let token = run.token().clone();
    /// assert_eq!(run.wait()?, 45.0);
    /// // Too late, which does no harm.
    /// token.cancel();
    /// assert!(token.is_cancelled());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn token(&self) -> &CancelToken {
        self.inner.token()
    }

    /// Whether the result is there.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let run = LazyArray::arange(0.0_f64, 10.0, 1.0, 3).sum().submit()?;
    /// while !run.is_finished() {
    ///     std::thread::yield_now(); // or something useful
    /// }
    /// assert_eq!(run.wait()?, 45.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// How far the computation is.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let run = LazyArray::arange(0.0_f64, 10.0, 1.0, 3).sum().submit()?;
    /// while !run.is_finished() {
    ///     std::thread::yield_now();
    /// }
    /// assert_eq!(run.progress().fraction(), 1.0);
    /// assert_eq!(run.wait()?, 45.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Lets the computation go on without this handle; its result is dropped.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use std::sync::mpsc;
    ///
    /// let (tell, done) = mpsc::channel();
    /// let run = Runtime::global()?.submit_with(move |rt| {
    ///     tell.send(rt.compute(LazyArray::arange(0.0_f64, 10.0, 1.0, 3).sum())).ok();
    ///     Ok(())
    /// })?;
    /// run.detach();
    /// assert_eq!(done.recv().unwrap()?, 45.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn detach(self) {
        self.inner.detach();
    }
}

impl<T: Send + 'static> Future for RunHandle<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

impl<T> fmt::Debug for RunHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunHandle").field("progress", &self.progress.fraction()).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Computes lazy values in the background; what can be computed is what [`compute`](crate::compute) takes.
    ///
    /// # Errors
    /// When the system refuses a thread. Everything else is an error of the handle's.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).build()?;
    /// let x = LazyArray::arange(0, 10, 1, 3);
    /// let run = rt.submit((x.min(), x.max()))?;
    /// assert_eq!(run.wait()?, (0, 9));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn submit<C>(&self, values: C) -> Result<RunHandle<C::Output>>
    where
        C: Compute + Send + 'static,
        C::Output: Send + 'static,
    {
        self.submit_with(move |runtime| runtime.compute(values))
    }

    /// Runs a function in the background whose runs on the given runtime belong to the handle: it cancels them and tells
    /// their progress. For what is more than one computation, and for stores.
    ///
    /// # Errors
    /// When the system refuses a thread.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let path = std::env::temp_dir().join(format!("chunkwise-doc-submit-{}.npy", std::process::id()));
    /// let (x, target) = (LazyArray::<f32, _>::ones((4, 4), 2), path.clone());
    /// let run = Runtime::global()?.submit_with(move |rt| rt.store_npy(&x, target))?;
    /// run.wait()?;
    /// assert!(path.exists());
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn submit_with<T, F>(&self, work: F) -> Result<RunHandle<T>>
    where
        T: Send + 'static,
        F: FnOnce(&Runtime) -> Result<T> + Send + 'static,
    {
        let progress = Arc::new(Progress::new());
        let token = CancelToken::new();
        let outer = self.terms.cancel.as_ref().map(|outer| {
            let token = token.clone();
            outer.on_cancel(move || token.cancel())
        });
        let mut runtime = self.observed_by(progress.clone()).cancelled_by(token.clone());
        runtime.terms.nested |= inside_task();
        let work = move |_: &CancelToken| {
            let _cancelled_with_the_outer = outer;
            work(&runtime)
        };
        let inner = scheduler::RunHandle::spawn(token, work).map_err(Error::thread)?;
        Ok(RunHandle { inner, progress })
    }
}
