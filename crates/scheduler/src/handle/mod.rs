//! Work that goes on in the background: a thread, the handle that waits for it, and the wish that it stop.
//!
//! It owns the thread and the three ways out: wait, let go, cancel. It knows nothing of plans and pools; what the
//! thread does is a closure, which looks at its [`CancelToken`].

mod cancel;
mod guard;
#[cfg(all(test, loom))]
mod loom_models;
mod outcome;

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

pub use cancel::{CancelToken, OnCancel};
use outcome::Outcome;

/// Stack of the thread, in bytes: that of a worker, because it drives runs as a worker does.
const STACK_BYTES: usize = 8 << 20;

/// Work in the background. [`wait`](Self::wait) for it or `.await` it on any executor; dropping the handle asks the work
/// to stop and does not wait until it has.
///
/// ```
/// use chunkwise_scheduler::{CancelToken, RunHandle};
///
/// let handle = RunHandle::spawn(CancelToken::new(), |_| (1..=4).product::<u32>())?;
/// assert_eq!(handle.wait(), 24);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "dropping the handle cancels the work: wait for it or detach it"]
pub struct RunHandle<T> {
    token: CancelToken,
    outcome: Arc<Outcome<T>>,
}

impl<T: Send + 'static> RunHandle<T> {
    /// Starts a thread that runs `work`. Work is asked to stop through `token` and may look at it at any time; it also
    /// starts, and returns something, when the token was cancelled before.
    ///
    /// ```
    /// use chunkwise_scheduler::{CancelToken, RunHandle};
    ///
    /// let token = CancelToken::new();
    /// token.cancel();
    /// let handle = RunHandle::spawn(token, |token| token.is_cancelled())?;
    /// assert!(handle.wait());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the operating system refuses a thread. `work` was not called then.
    pub fn spawn(
        token: CancelToken,
        work: impl FnOnce(&CancelToken) -> T + Send + 'static,
    ) -> io::Result<Self> {
        let outcome = Arc::new(Outcome::new());
        let (seen, left) = (token.clone(), Arc::clone(&outcome));
        thread::Builder::new()
            .name("chunkwise-run".to_string())
            .stack_size(STACK_BYTES)
            .spawn(move || left.finish(catch_unwind(AssertUnwindSafe(|| work(&seen)))))?;
        Ok(Self { token, outcome })
    }
}

impl<T> RunHandle<T> {
    /// Sleeps until the work is over and returns its result. A panic of the work goes on here.
    ///
    /// ```
    /// # use chunkwise_scheduler::{CancelToken, RunHandle};
    /// let handle = RunHandle::spawn(CancelToken::new(), |_| "done")?;
    /// assert_eq!(handle.wait(), "done");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Panics
    /// When the work has panicked, with its panic, or when a poll has already returned the result.
    pub fn wait(self) -> T {
        unpack(self.outcome.wait())
    }

    /// Asks the work to stop: cancels its token. The handle can still be waited for.
    ///
    /// ```
    /// # use chunkwise_scheduler::{CancelToken, RunHandle};
    /// let handle = RunHandle::spawn(CancelToken::new(), |token| {
    ///     while !token.is_cancelled() {
    ///         std::thread::yield_now();
    ///     }
    ///     "stopped"
    /// })?;
    /// handle.cancel();
    /// assert_eq!(handle.wait(), "stopped");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// Whether the work is over, so that waiting returns at once.
    ///
    /// ```
    /// # use chunkwise_scheduler::{CancelToken, RunHandle};
    /// let handle = RunHandle::spawn(CancelToken::new(), |_| 1)?;
    /// while !handle.is_finished() {
    ///     std::thread::yield_now();
    /// }
    /// assert_eq!(handle.wait(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.outcome.is_finished()
    }

    /// The token that the work looks at.
    ///
    /// ```
    /// # use chunkwise_scheduler::{CancelToken, RunHandle};
    /// let handle = RunHandle::spawn(CancelToken::new(), |_| 1)?;
    /// assert!(!handle.token().is_cancelled());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn token(&self) -> &CancelToken {
        &self.token
    }

    /// Lets the work go on with nobody waiting; its result is dropped when it is over, its panic ends with its
    /// thread. The token still stops it. Like any thread it ends with the process.
    ///
    /// ```
    /// # use chunkwise_scheduler::{CancelToken, RunHandle};
    /// use std::sync::mpsc;
    ///
    /// let (sender, done) = mpsc::channel();
    /// RunHandle::spawn(CancelToken::new(), move |_| sender.send("on its own"))?.detach();
    /// assert_eq!(done.recv(), Ok("on its own"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn detach(self) {
        // The drop that follows finds the result abandoned and cancels nothing.
        self.outcome.abandon();
    }
}

impl<T> Future for RunHandle<T> {
    type Output = T;

    /// The result once the work is over; until then keeps the waker of the last poll, which is woken once.
    ///
    /// # Panics
    /// When the work has panicked, with its panic, or when an earlier poll has returned the result.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.outcome.poll(cx.waker().clone()).map(unpack)
    }
}

impl<T> Drop for RunHandle<T> {
    /// Asks work that still goes on to stop; work that is over leaves the token as it is. A result that was not taken
    /// is dropped, and a panic of that drop goes no further.
    fn drop(&mut self) {
        if self.outcome.abandon() {
            self.token.cancel();
        }
    }
}

impl<T> fmt::Debug for RunHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunHandle")
            .field("finished", &self.is_finished())
            .field("cancelled", &self.token.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// The value, or the panic of the work.
fn unpack<T>(result: Option<thread::Result<T>>) -> T {
    result
        .expect("a handle gives its result once: it was polled to the end")
        .unwrap_or_else(|payload| resume_unwind(payload))
}
