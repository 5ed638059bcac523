//! Tasks that failed and wait for their next attempt.
//!
//! It owns the clockwork. No thread sleeps for it but the caller of the run, which has nothing else to do then.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::failures::Failures;
use super::work::{Retrial, Turn};
use crate::sync::Mutex;
use crate::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// A task and what it needs to be run again.
pub(super) struct Again<V> {
    due: Instant,
    pub(super) task: u32,
    /// Attempts that have failed.
    pub(super) failed: u32,
    pub(super) inputs: Vec<V>,
    /// Bytes that its end frees.
    pub(super) freed: u64,
}

/// The tasks of one run that wait.
pub(super) struct Delayed<V> {
    /// How many wait: nothing is locked while it is 0.
    count: AtomicU32,
    queue: Mutex<BinaryHeap<Reverse<ByDue<V>>>>,
}

/// Ordered by time, then by rank.
struct ByDue<V>(Again<V>);

impl<V> ByDue<V> {
    fn key(&self) -> (Instant, u32) {
        (self.0.due, self.0.task)
    }
}

impl<V> PartialEq for ByDue<V> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<V> Eq for ByDue<V> {}

impl<V> PartialOrd for ByDue<V> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<V> Ord for ByDue<V> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<V> Delayed<V> {
    pub(super) fn new() -> Self {
        Self { count: AtomicU32::new(0), queue: Mutex::new(BinaryHeap::new()) }
    }

    /// Whether no task waits.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        // Acquire pairs with Release in `pop`: what the last one led to is seen with its leaving.
        self.count.load(Acquire) == 0
    }

    /// Lets the task of this turn wait, which has failed once more.
    pub(super) fn push(&self, turn: Turn, retrial: Retrial<V>) {
        let Retrial { pause, inputs, freed } = retrial;
        let due = Instant::now() + pause.min(MOST_PAUSE);
        let again = Again { due, task: turn.task, failed: turn.failed + 1, inputs, freed };
        let mut queue = self.queue.lock();
        self.count.fetch_add(1, Relaxed);
        queue.push(Reverse(ByDue(again)));
    }

    /// A task whose time has come, or that is not wanted any more.
    #[inline]
    pub(super) fn pop(&self, failures: &Failures) -> Option<Again<V>> {
        if self.is_empty() { None } else { self.pop_ready(failures) }
    }

    #[cold]
    fn pop_ready(&self, failures: &Failures) -> Option<Again<V>> {
        let mut queue = self.queue.lock();
        if !is_ready(queue.peek()?, failures) {
            return None;
        }
        let Reverse(ByDue(again)) = queue.pop()?;
        self.count.fetch_sub(1, Release);
        Some(again)
    }

    /// Whether `pop` would find one.
    pub(super) fn has_ready(&self, failures: &Failures) -> bool {
        !self.is_empty() && self.queue.lock().peek().is_some_and(|first| is_ready(first, failures))
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        if self.is_empty() { None } else { self.queue.lock().peek().map(|Reverse(first)| first.0.due) }
    }
}

/// Instants far beyond any run cannot be represented everywhere.
const MOST_PAUSE: Duration = Duration::from_secs(7 * 24 * 3600);

fn is_ready<V>(Reverse(first): &Reverse<ByDue<V>>, failures: &Failures) -> bool {
    first.0.due <= Instant::now() || failures.any() && failures.skips(first.0.task)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::ErrorMode;

    fn turn(task: u32) -> Turn {
        Turn { task, seat: 0, failed: 0 }
    }

    #[test]
    fn the_earliest_comes_first_and_nobody_before_its_time() {
        let (delayed, failures) = (Delayed::new(), Failures::new(ErrorMode::Deterministic));
        delayed.push(turn(1), Retrial { pause: Duration::from_secs(3600), inputs: vec!['a'], freed: 0 });
        delayed.push(turn(2), Retrial { pause: Duration::ZERO, inputs: vec!['b'], freed: 0 });
        let first = delayed.pop(&failures).unwrap();
        assert_eq!((first.task, first.failed, first.inputs), (2, 1, vec!['b']));
        assert!(delayed.pop(&failures).is_none());
        assert!(!delayed.is_empty() && delayed.next_due().is_some());
    }

    #[test]
    fn a_task_that_is_not_wanted_waits_no_longer() {
        let (delayed, failures) = (Delayed::new(), Failures::new(ErrorMode::FailFast));
        delayed.push(turn(1), Retrial { pause: Duration::MAX, inputs: vec![()], freed: 0 });
        failures.cancel();
        assert!(delayed.has_ready(&failures));
        assert_eq!(delayed.pop(&failures).map(|again| again.task), Some(1));
        assert!(delayed.is_empty());
    }
}
