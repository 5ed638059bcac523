//! The only place that names a synchronisation crate, so that a model checker can take its place.
//!
//! It owns the facade (`--cfg loom` swaps it) and the one-thread [`Parker`] built on it. Under loom a locked queue takes
//! the place of each deque (`deque`), and nobody spins: whoever would spin goes to sleep, which is the case to check.

#[cfg(loom)]
pub(crate) mod deque;

#[cfg(not(loom))]
mod real {
    pub(crate) use crossbeam_deque as deque;
    pub(crate) use crossbeam_utils::Backoff;
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    pub(crate) use std::sync::atomic;

    /// A cell that other threads may change, with as much of the interface of loom's as is used.
    #[repr(transparent)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        /// Reads or writes; nobody else does meanwhile.
        #[inline(always)]
        pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
            write(self.0.get())
        }
    }

    /// A condition variable whose `wait` takes and gives back the guard.
    #[derive(Default)]
    pub(crate) struct Condvar(parking_lot::Condvar);

    impl Condvar {
        pub(crate) fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            self.0.wait(&mut guard);
            guard
        }

        /// Waits until `due` at most.
        pub(crate) fn wait_until<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            due: std::time::Instant,
        ) -> MutexGuard<'a, T> {
            self.0.wait_until(&mut guard, due);
            guard
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }
}

#[cfg(loom)]
mod model {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::{MutexGuard, atomic};

    /// Lets other threads run, and is soon weary: who would go to sleep does, which is the case to check.
    pub(crate) struct Backoff;

    impl Backoff {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn reset(&self) {}

        pub(crate) fn snooze(&self) {
            loom::thread::yield_now();
        }

        pub(crate) fn is_completed(&self) -> bool {
            true
        }
    }

    /// Loom's mutex with the interface of `parking_lot`'s: no poisoning.
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model panics while holding a lock")
        }
    }

    #[derive(Default)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    impl Condvar {
        pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            self.0.wait(guard).expect("no model panics while holding a lock")
        }

        /// Models have no clock: no model waits for a time.
        pub(crate) fn wait_until<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            _: std::time::Instant,
        ) -> MutexGuard<'a, T> {
            self.wait(guard)
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }
}

#[cfg(loom)]
pub(crate) use model::{Backoff, Condvar, Mutex, UnsafeCell, atomic};
#[cfg(not(loom))]
pub(crate) use real::{Backoff, Condvar, Mutex, UnsafeCell, atomic, deque};

/// Lets one thread wait for a token that another thread leaves. A token left early is not lost.
pub(crate) struct Parker {
    token: Mutex<bool>,
    left: Condvar,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Self { token: Mutex::new(false), left: Condvar::default() }
    }

    /// Waits for a token and takes it.
    pub(crate) fn park(&self) {
        let mut token = self.token.lock();
        while !*token {
            token = self.left.wait(token);
        }
        *token = false;
    }

    /// Waits for a token until `due`; true when it took one.
    pub(crate) fn park_until(&self, due: std::time::Instant) -> bool {
        let mut token = self.token.lock();
        while !*token && std::time::Instant::now() < due {
            token = self.left.wait_until(token, due);
        }
        std::mem::take(&mut *token)
    }

    /// Leaves a token.
    pub(crate) fn unpark(&self) {
        *self.token.lock() = true;
        self.left.notify_one();
    }
}
