//! The wish that a run stop: a flag that the run looks at, and calls for those who sleep and cannot look.
//!
//! It owns the flag and the list of calls. It stops nothing itself.
//!
//! A call is on the list or was taken off it by exactly one thread: the one that cancels, which then makes the call, or
//! the one that drops the guard. The flag is raised and looked at under the lock of the list, so a call that comes
//! after the flag is made at once and a call that comes before it is found on the list: none is lost.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::guard::call_quietly;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering::Relaxed};

type Wake = Box<dyn Fn() + Send + Sync>;

/// Asks a run to stop. Clones share the wish: give every run that shall stop on its own a token of its own.
///
/// A cancelled token stays cancelled.
///
/// ```
/// let token = chunkwise_scheduler::CancelToken::new();
/// let seen_by_the_run = token.clone();
/// token.cancel();
/// assert!(seen_by_the_run.is_cancelled());
/// ```
#[derive(Clone)]
pub struct CancelToken(Arc<Shared>);

struct Shared {
    /// On its own cache line: every task reads it.
    cancelled: CachePadded<AtomicBool>,
    calls: Mutex<Calls>,
}

/// What to call at cancel, in the order of arrival.
struct Calls {
    next: u64,
    waiting: BTreeMap<u64, Wake>,
}

impl CancelToken {
    /// A token that is not cancelled.
    ///
    /// ```
    /// assert!(!chunkwise_scheduler::CancelToken::new().is_cancelled());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        let calls = Mutex::new(Calls { next: 0, waiting: BTreeMap::new() });
        Self(Arc::new(Shared { cancelled: CachePadded::new(AtomicBool::new(false)), calls }))
    }

    /// Asks to stop, then makes the calls of [`on_cancel`](Self::on_cancel) on this thread, in the order of their
    /// arrival. A call that panics does not keep the others from being made; its panic goes no further.
    ///
    /// ```
    /// let token = chunkwise_scheduler::CancelToken::new();
    /// token.cancel();
    /// token.cancel();
    /// assert!(token.is_cancelled());
    /// ```
    pub fn cancel(&self) {
        while let Some(wake) = self.raise_and_take() {
            call_quietly(wake);
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    ///
    /// This is one relaxed load: it says that the run shall stop, and nothing about what else the other thread did.
    ///
    /// ```
    /// let token = chunkwise_scheduler::CancelToken::new();
    /// let blocks = (0..10).take_while(|_| !token.is_cancelled()).count();
    /// assert_eq!(blocks, 10);
    /// ```
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        // Relaxed: a late answer only runs a task in vain. Who must not miss it uses `on_cancel`.
        self.0.cancelled.load(Relaxed)
    }

    /// Calls `wake` once when the token is cancelled, or at once if it was before, unless the returned guard is dropped
    /// first. When the guard is dropped, a call that has begun on another thread may still be running; none begins
    /// later.
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let token = chunkwise_scheduler::CancelToken::new();
    /// let (sender, woken) = mpsc::channel();
    /// let guard = token.on_cancel(move || sender.send("stop").unwrap());
    /// token.cancel();
    /// assert_eq!(woken.recv()?, "stop");
    /// drop(guard);
    /// # Ok::<(), mpsc::RecvError>(())
    /// ```
    pub fn on_cancel(&self, wake: impl Fn() + Send + Sync + 'static) -> OnCancel {
        match self.enlist(Box::new(wake)) {
            Ok(call) => OnCancel { token: self.clone(), call: Some(call) },
            Err(wake) => {
                wake();
                OnCancel { token: self.clone(), call: None }
            }
        }
    }

    /// Puts a call on the list; gives it back when the token is cancelled.
    fn enlist(&self, wake: Wake) -> Result<u64, Wake> {
        let mut calls = self.0.calls.lock();
        if self.is_cancelled() {
            return Err(wake);
        }
        let call = calls.next;
        calls.next += 1;
        calls.waiting.insert(call, wake);
        Ok(call)
    }

    /// Raises the flag and takes the first call off the list.
    fn raise_and_take(&self) -> Option<Wake> {
        let mut calls = self.0.calls.lock();
        // Relaxed: `enlist` looks at it under the same lock.
        self.0.cancelled.store(true, Relaxed);
        calls.waiting.pop_first().map(|(_, wake)| wake)
    }

    fn strike(&self, call: u64) -> Option<Wake> {
        self.0.calls.lock().waiting.remove(&call)
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

/// Keeps a call of [`CancelToken::on_cancel`] on the list; dropping it takes the call off.
///
/// ```
/// let token = chunkwise_scheduler::CancelToken::new();
/// drop(token.on_cancel(|| panic!("nobody waits any more")));
/// token.cancel();
/// ```
#[must_use = "the call is taken off the list when this is dropped"]
pub struct OnCancel {
    token: CancelToken,
    call: Option<u64>,
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        // The call is user data: it is dropped after the lock is free.
        drop(self.call.and_then(|call| self.token.strike(call)));
    }
}

impl fmt::Debug for OnCancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnCancel").field("token", &self.token).finish_non_exhaustive()
    }
}
