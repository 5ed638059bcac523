//! How workers without work go to sleep and are woken: see the README beside this file.
//!
//! It owns who searches and who sleeps. It does not know what work is; callers pass a way to look for it.

use std::fmt;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use crate::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst, fence};
use crate::sync::{Mutex, Parker};

/// How many workers search and how many sleep, in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Counts(u32);

impl Counts {
    const SEARCHING: u32 = 1;
    const SLEEPING: u32 = 1 << 16;

    fn searching(self) -> u32 {
        self.0 & (Self::SLEEPING - 1)
    }

    fn sleeping(self) -> u32 {
        self.0 / Self::SLEEPING
    }

    /// Whether somebody sleeps and nobody is up to find new work.
    fn wants_wake(self) -> bool {
        self.sleeping() > 0 && self.searching() == 0
    }
}

/// The workers that sleep, and the count of those that search.
pub(crate) struct Sleep {
    counts: CachePadded<AtomicU32>,
    sleepers: Mutex<Vec<usize>>,
    parkers: Box<[Parker]>,
}

impl Sleep {
    /// For workers `0..workers`, all of which start busy.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            counts: CachePadded::new(AtomicU32::new(0)),
            sleepers: Mutex::new(Vec::with_capacity(workers)),
            parkers: (0..workers).map(|_| Parker::new()).collect(),
        }
    }

    /// Tells that work was published. Wakes one sleeper unless somebody searches already.
    #[inline]
    pub(crate) fn notify(&self) {
        // Pairs with the fence in `sleep` and `found`: either they see the work or this sees their counts.
        fence(SeqCst);
        self.notify_fenced();
    }

    /// [`notify`](Self::notify) after a fence of the caller's.
    #[inline]
    pub(crate) fn notify_fenced(&self) {
        if self.counts().wants_wake() {
            self.wake_one();
        }
    }

    /// A busy worker begins to search.
    pub(crate) fn start_search(&self) {
        self.counts.fetch_add(Counts::SEARCHING, Relaxed);
    }

    /// A searching worker has found work and becomes busy. The last one to stop searching answers for what was
    /// published meanwhile: `has_more` looks for it.
    pub(crate) fn found(&self, has_more: impl FnOnce() -> bool) {
        let before = Counts(self.counts.fetch_sub(Counts::SEARCHING, Relaxed));
        if before.searching() > 1 || before.sleeping() == 0 {
            return;
        }
        // Pairs with the fence in `notify`.
        fence(SeqCst);
        if has_more() {
            self.wake_one();
        }
    }

    /// A searching worker sleeps until it is woken, until `due`, or not at all if `has_work` says so; it searches again
    /// after.
    pub(crate) fn sleep(&self, worker: usize, due: Option<Instant>, has_work: impl FnOnce() -> bool) {
        {
            let mut sleepers = self.sleepers.lock();
            sleepers.push(worker);
            self.counts.fetch_add(Counts::SLEEPING - Counts::SEARCHING, Relaxed);
        }
        // Pairs with the fence in `notify`.
        fence(SeqCst);
        if has_work() && self.leave(worker) {
            return;
        }
        let parker = &self.parkers[worker];
        let in_time = due.is_some_and(|due| parker.park_until(due) || self.leave(worker));
        if !in_time {
            // Nobody set a time, or somebody else took this worker off the list: there is a token, or will be.
            parker.park();
        }
    }

    /// Wakes everybody, for the end of the pool.
    pub(crate) fn wake_all(&self) {
        let woken = {
            let mut sleepers = self.sleepers.lock();
            self.move_to_searching(sleepers.len() as u32);
            std::mem::take(&mut *sleepers)
        };
        woken.into_iter().for_each(|worker| self.parkers[worker].unpark());
    }

    /// Takes `worker` off the list of sleepers; false when it was woken first, its token then lies ready.
    fn leave(&self, worker: usize) -> bool {
        let mut sleepers = self.sleepers.lock();
        let Some(at) = sleepers.iter().position(|&sleeper| sleeper == worker) else { return false };
        sleepers.swap_remove(at);
        self.move_to_searching(1);
        true
    }

    #[cold]
    fn wake_one(&self) {
        let woken = {
            let mut sleepers = self.sleepers.lock();
            if !self.counts().wants_wake() {
                return;
            }
            let woken = sleepers.pop();
            self.move_to_searching(u32::from(woken.is_some()));
            woken
        };
        if let Some(worker) = woken {
            self.parkers[worker].unpark();
        }
    }

    /// Counts `workers` sleepers as searching. The list of sleepers is locked.
    fn move_to_searching(&self, workers: u32) {
        self.counts.fetch_sub(workers * (Counts::SLEEPING - Counts::SEARCHING), Relaxed);
    }

    fn counts(&self) -> Counts {
        Counts(self.counts.load(Relaxed))
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        f.debug_struct("Sleep")
            .field("searching", &counts.searching())
            .field("sleeping", &counts.sleeping())
            .finish_non_exhaustive()
    }
}
