//! The queues of one seat of a run: a deque of ready tasks and a stretch of sources.
//!
//! It owns where ready tasks wait. Which of them is taken when is the participant's choice.

use crossbeam_utils::CachePadded;

use super::entry::Entry;
use super::sources::Stretch;
use crate::sync::Mutex;
use crate::sync::deque::{Stealer, Worker};

/// What one seat has to do, open to thieves.
pub(crate) struct Lane {
    /// The owner's end; absent while somebody sits here.
    deque: Mutex<Option<Worker<Entry>>>,
    pub(crate) stealer: Stealer<Entry>,
    pub(crate) stretch: Stretch,
}

impl Lane {
    /// One lane for each seat.
    pub(crate) fn all(seats: usize) -> Box<[CachePadded<Self>]> {
        (0..seats).map(|_| CachePadded::new(Self::new())).collect()
    }

    fn new() -> Self {
        let deque = Worker::new_lifo();
        let stealer = deque.stealer();
        Self { deque: Mutex::new(Some(deque)), stealer, stretch: Stretch::new() }
    }

    /// Sits down. The lock is not held while the seat is taken.
    pub(crate) fn take_deque(&self) -> Worker<Entry> {
        self.deque.lock().take().expect("one thread at a time sits on a seat")
    }

    /// Stands up.
    pub(crate) fn return_deque(&self, deque: Worker<Entry>) {
        *self.deque.lock() = Some(deque);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stretch.is_empty() && self.stealer.is_empty()
    }
}
