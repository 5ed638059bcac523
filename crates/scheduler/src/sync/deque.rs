//! What stands for `crossbeam_deque` in models: a queue under a lock.
//!
//! It owns the part of its interface that the crate uses. The deque itself is not modelled, what is built on it is: a
//! push that others see, a batch that changes seats.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Mutex;

/// The owner's end: last in, first out.
pub(crate) struct Worker<T>(Arc<Mutex<VecDeque<T>>>);

/// A thief's end: first in, first out.
pub(crate) struct Stealer<T>(Arc<Mutex<VecDeque<T>>>);

/// What a theft brought.
pub(crate) enum Steal<T> {
    Empty,
    Success(T),
    #[allow(dead_code, reason = "a lock leaves nothing to try again")]
    Retry,
}

impl<T> Worker<T> {
    pub(crate) fn new_lifo() -> Self {
        Self(Arc::new(Mutex::new(VecDeque::new())))
    }

    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer(Arc::clone(&self.0))
    }

    pub(crate) fn push(&self, entry: T) {
        self.0.lock().push_back(entry);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.0.lock().pop_back()
    }
}

impl<T> Stealer<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Takes the older half: one entry to return, the others into the deque of the thief.
    pub(crate) fn steal_batch_and_pop(&self, thief: &Worker<T>) -> Steal<T> {
        let mut batch = {
            let mut entries = self.0.lock();
            let half = entries.len().div_ceil(2);
            entries.drain(..half).collect::<VecDeque<T>>()
        };
        let Some(first) = batch.pop_front() else { return Steal::Empty };
        if !batch.is_empty() {
            thief.0.lock().extend(batch);
        }
        Steal::Success(first)
    }
}
