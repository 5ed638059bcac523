//! Where the thread that called for a run waits for its helpers: see the README beside this file.
//!
//! It owns the count of helping workers and the caller's sleep. It is kept apart from the run, so that a worker
//! lets go of the run before it says that it has left.

use std::time::Instant;

use crate::sync::Parker;
use crate::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};

/// The door between one caller and the workers that help it.
pub(crate) struct Gate {
    helpers: AtomicU32,
    caller_waits: AtomicBool,
    parker: Parker,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { helpers: AtomicU32::new(0), caller_waits: AtomicBool::new(false), parker: Parker::new() }
    }

    /// A worker begins to help. Called under the lock of the registry, so that [`is_empty`](Self::is_empty)
    /// stays true once it was seen under that lock.
    pub(crate) fn enter(&self) {
        self.helpers.fetch_add(1, Relaxed);
    }

    /// A worker has stopped helping and holds nothing of the run any more.
    pub(crate) fn leave(&self) {
        // Release pairs with Acquire in `is_empty`: the caller sees all that the helper did.
        if self.helpers.fetch_sub(1, Release) == 1 {
            self.wake_caller();
        }
    }

    /// Whether no worker helps.
    pub(crate) fn is_empty(&self) -> bool {
        // Pairs with Release in `leave`.
        self.helpers.load(Acquire) == 0
    }

    /// Wakes the caller if it waits; true when it did. Called after work was published or a helper left.
    #[inline]
    pub(crate) fn wake_caller(&self) -> bool {
        // Pairs with the fence in `wait`: either the caller sees the news or this sees that it waits.
        fence(SeqCst);
        self.wake_caller_fenced()
    }

    /// [`wake_caller`](Self::wake_caller) after a fence of the caller's.
    #[inline]
    pub(crate) fn wake_caller_fenced(&self) -> bool {
        if self.caller_waits.load(Relaxed) && self.take_down() {
            self.parker.unpark();
            return true;
        }
        false
    }

    /// The caller waits for work, for the last helper to leave, or until `due`.
    pub(crate) fn wait(&self, due: Option<Instant>, has_work: impl FnOnce() -> bool) {
        self.caller_waits.swap(true, AcqRel);
        // Pairs with the fence in `wake_caller`.
        fence(SeqCst);
        let news = has_work() || (due.is_none() && self.is_empty());
        if news && self.take_down() {
            return;
        }
        let in_time = match due {
            None => false,
            Some(due) => self.parker.park_until(due) || self.take_down(),
        };
        if !in_time {
            // Nobody gave up, or somebody else took the flag down: there is a token, or will be.
            self.parker.park();
        }
    }

    /// True for the one who says that the wait is over.
    fn take_down(&self) -> bool {
        // AcqRel pairs with itself and with the swap in `wait`: the changes of the flag are ordered.
        self.caller_waits.swap(false, AcqRel)
    }
}
