//! What passes from a thread that works to the handle that waits: the result, or that nobody wants it.
//!
//! It owns the state both share and who drops a result that is not taken. It starts no thread and cancels nothing.
//!
//! All steps are taken under one lock; wakers and results are user data and are cloned, woken and dropped outside it.
//! The worker stores the result and takes the waker in one step, the handle stores a waker only while there is no
//! result. So a waker is either found by the worker, or its owner has seen the result: no wake-up is lost.

use std::task::{Poll, Waker};
use std::thread::Result;

use super::guard::{call_quietly, drop_quietly};
use crate::sync::{Condvar, Mutex};

/// The meeting point of one worker and one handle.
pub(super) struct Outcome<T> {
    state: Mutex<State<T>>,
    done: Condvar,
}

enum State<T> {
    /// The work goes on. The waker is that of the last poll.
    Running(Option<Waker>),
    /// The work is over, its result lies here.
    Done(Result<T>),
    /// The work is over and its result was taken.
    Taken,
    /// Nobody wants the result.
    Abandoned,
}

impl<T> Outcome<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::Running(None)), done: Condvar::default() }
    }

    /// The worker leaves its result and wakes who waits for it. Called once.
    pub(super) fn finish(&self, result: Result<T>) {
        match self.leave(result) {
            Ok(None) => {}
            Ok(Some(waker)) => call_quietly(|| waker.wake()),
            Err(unwanted) => drop_quietly(unwanted),
        }
    }

    /// Stores the result and returns the waker; gives the result back when nobody wants it.
    fn leave(&self, result: Result<T>) -> std::result::Result<Option<Waker>, Result<T>> {
        let mut state = self.state.lock();
        if matches!(*state, State::Abandoned) {
            return Err(result);
        }
        let before = std::mem::replace(&mut *state, State::Done(result));
        self.done.notify_all();
        match before {
            State::Running(waker) => Ok(waker),
            _ => unreachable!("the worker finishes once and nobody else leaves a result"),
        }
    }

    /// Sleeps until the result is there and takes it; `None` when it was taken before.
    pub(super) fn wait(&self) -> Option<Result<T>> {
        let mut state = self.state.lock();
        while matches!(*state, State::Running(_)) {
            state = self.done.wait(state);
        }
        state.take_result()
    }

    /// Takes the result, or leaves a waker in place of the last one; `Ready(None)` when it was taken before.
    pub(super) fn poll(&self, waker: Waker) -> Poll<Option<Result<T>>> {
        let mut state = self.state.lock();
        let State::Running(slot) = &mut *state else { return Poll::Ready(state.take_result()) };
        let last = slot.replace(waker);
        drop(state);
        drop(last);
        Poll::Pending
    }

    /// The handle lets go of the result. True when the work still goes on.
    pub(super) fn abandon(&self) -> bool {
        let before = std::mem::replace(&mut *self.state.lock(), State::Abandoned);
        let running = matches!(before, State::Running(_));
        drop_quietly(before);
        running
    }

    pub(super) fn is_finished(&self) -> bool {
        matches!(*self.state.lock(), State::Done(_) | State::Taken)
    }
}

impl<T> State<T> {
    /// The result of finished work, if it is still here.
    fn take_result(&mut self) -> Option<Result<T>> {
        match std::mem::replace(self, Self::Taken) {
            Self::Done(result) => Some(result),
            _ => None,
        }
    }
}
