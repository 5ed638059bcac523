#![doc = include_str!("README.md")]

mod book;
mod error;
#[cfg(all(test, loom))]
mod loom_models;

use std::fmt;
use std::sync::Arc;

use book::{Book, Purpose};
pub use error::LeaseError;

use crate::CancelToken;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
use crate::sync::{Condvar, Mutex};

/// A memory limit that several runs share: each takes a [`Lease`] of it. Clones are the same budget.
///
/// Runs are served first come, first served. A run gets what it needs at least and, from what is free, up to half as
/// surplus, so that the next run does not have to wait for it.
///
/// ```
/// use chunkwise_scheduler::MemoryBudget;
///
/// let budget = MemoryBudget::new(Some(1000));
/// let first = budget.lease(200, u64::MAX)?;
/// let second = budget.lease(100, 150)?;
/// assert_eq!((first.bytes(), second.bytes()), (600, 150));
/// drop(first);
/// assert_eq!(budget.leased(), 150);
/// # Ok::<(), chunkwise_scheduler::LeaseError>(())
/// ```
#[derive(Clone)]
pub struct MemoryBudget(Arc<Shared>);

struct Shared {
    limit: Option<u64>,
    book: Mutex<Book>,
    /// Somebody was served, or shall look whether it was cancelled.
    news: Condvar,
}

impl MemoryBudget {
    /// A budget of `limit` bytes. Without a limit every lease is granted at once and in full, and counted.
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// let budget = MemoryBudget::new(None);
    /// assert_eq!(budget.lease(10, 1 << 40)?.bytes(), 1 << 40);
    /// # Ok::<(), chunkwise_scheduler::LeaseError>(())
    /// ```
    #[must_use]
    pub fn new(limit: Option<u64>) -> Self {
        let shared = Shared { limit, book: Mutex::new(Book::new(limit)), news: Condvar::default() };
        Self(Arc::new(shared))
    }

    /// The limit in bytes.
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// assert_eq!(MemoryBudget::new(Some(64)).limit(), Some(64));
    /// ```
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.0.limit
    }

    /// Bytes in all leases now, at most `u64::MAX`.
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// let budget = MemoryBudget::new(Some(64));
    /// let _lease = budget.lease(16, 16)?;
    /// assert_eq!(budget.leased(), 16);
    /// # Ok::<(), chunkwise_scheduler::LeaseError>(())
    /// ```
    #[must_use]
    pub fn leased(&self) -> u64 {
        self.0.book.lock().leased()
    }

    /// Bytes of the leases that stay, maybe for ever: those of [`try_lease`](Self::try_lease), [`Lease::keep`] and
    /// [`Lease::stays`].
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// let budget = MemoryBudget::new(Some(64));
    /// let _run = budget.lease(16, 16)?;
    /// let _result = budget.try_lease(8);
    /// assert_eq!(budget.held(), 8);
    /// # Ok::<(), chunkwise_scheduler::LeaseError>(())
    /// ```
    #[must_use]
    pub fn held(&self) -> u64 {
        self.0.book.lock().held()
    }

    /// Bytes leased beyond the limit now, by [`lease_nested`](Self::lease_nested).
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// let budget = MemoryBudget::new(Some(64));
    /// let _outer = budget.lease(60, 60)?;
    /// let _inner = budget.lease_nested(10, 20);
    /// assert_eq!(budget.overdraft(), 6);
    /// # Ok::<(), chunkwise_scheduler::LeaseError>(())
    /// ```
    #[must_use]
    pub fn overdraft(&self) -> u64 {
        self.0.book.lock().overdraft()
    }

    /// How many calls of [`lease`](Self::lease) wait now.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::MemoryBudget::new(Some(64)).waiting(), 0);
    /// ```
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.book.lock().waiting()
    }

    /// Takes at least `least` bytes and, while nobody waits, some of what is free beyond, up to `most` (a `most` below
    /// `least` counts as `least`). Sleeps, first come first served, until `least` bytes are free.
    ///
    /// A thread that has a lease of a run must not call this: it may wait for itself. That is what
    /// [`lease_nested`](Self::lease_nested) is for. Nor may a task of a run that has a lease wait for a thread that is in
    /// here: the bytes may be those of the task's own run. So no lock that tasks take is held across this call, and
    /// a thread that a task has started and waits for takes [`lease_nested`](Self::lease_nested) as well.
    ///
    /// ```
    /// # use chunkwise_scheduler::{LeaseError, MemoryBudget};
    /// let budget = MemoryBudget::new(Some(100));
    /// assert_eq!(budget.lease(20, 50)?.bytes(), 50);
    /// assert_eq!(budget.lease(20, 100)?.bytes(), 60);
    /// # Ok::<(), LeaseError>(())
    /// ```
    ///
    /// # Errors
    /// [`LeaseError::AboveLimit`] when `least` exceeds the limit, [`LeaseError::Held`] when it exceeds what results
    /// that stay ([`try_lease`](Self::try_lease)) leave of it: they may stay for ever.
    pub fn lease(&self, least: u64, most: u64) -> Result<Lease, LeaseError> {
        self.wait_for(least, most, || false)
    }

    /// As [`lease`](Self::lease), and gives up when `token` is cancelled: the way out for a thread that may be waited for.
    ///
    /// ```
    /// # use chunkwise_scheduler::{CancelToken, LeaseError, MemoryBudget};
    /// let token = CancelToken::new();
    /// token.cancel();
    /// let error = MemoryBudget::new(Some(100)).lease_unless_cancelled(10, 10, &token).unwrap_err();
    /// assert_eq!(error, LeaseError::Cancelled);
    /// ```
    ///
    /// # Errors
    /// Those of [`lease`](Self::lease), and [`LeaseError::Cancelled`].
    pub fn lease_unless_cancelled(
        &self,
        least: u64,
        most: u64,
        token: &CancelToken,
    ) -> Result<Lease, LeaseError> {
        let shared = Arc::clone(&self.0);
        let _wakes_this_wait = token.on_cancel(move || shared.wake_waiters());
        self.wait_for(least, most, || token.is_cancelled())
    }

    /// Takes `least` bytes without waiting, beyond the limit if it must, and up to `most` of what is free if nobody
    /// waits. For a run inside a task, where waiting for the outer run's lease would be a deadlock.
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// let budget = MemoryBudget::new(Some(100));
    /// let _outer = budget.lease(70, 70)?;
    /// assert_eq!(budget.lease_nested(10, 50).bytes(), 30);
    /// assert_eq!(budget.lease_nested(40, 50).bytes(), 40);
    /// # Ok::<(), chunkwise_scheduler::LeaseError>(())
    /// ```
    #[must_use = "a lease that is dropped gives its bytes back"]
    pub fn lease_nested(&self, least: u64, most: u64) -> Lease {
        let bytes = self.0.book.lock().take_nested(least, most);
        self.grant(bytes, Purpose::Run)
    }

    /// Takes exactly `bytes` without waiting, or nothing: when they are not free, or somebody waits for a lease. For
    /// results that stay; runs do not count on getting these bytes back.
    ///
    /// ```
    /// # use chunkwise_scheduler::{LeaseError, MemoryBudget};
    /// let budget = MemoryBudget::new(Some(100));
    /// let result = budget.try_lease(30).expect("nothing is leased");
    /// assert!(budget.try_lease(80).is_none());
    /// let error = budget.lease(80, 80).unwrap_err();
    /// assert_eq!(error, LeaseError::Held { needed: 80, limit: 100, held: 30 });
    /// drop(result);
    /// assert!(budget.lease(80, 80).is_ok());
    /// ```
    #[must_use = "a lease that is dropped gives its bytes back"]
    pub fn try_lease(&self, bytes: u64) -> Option<Lease> {
        let granted = self.0.book.lock().take_hold(bytes);
        granted.then(|| self.grant(bytes, Purpose::Hold))
    }

    fn wait_for(&self, least: u64, most: u64, cancelled: impl Fn() -> bool) -> Result<Lease, LeaseError> {
        if cancelled() {
            return Err(LeaseError::Cancelled);
        }
        let mut book = self.0.book.lock();
        let ticket = book.ask(least, most)?;
        loop {
            if let Some(bytes) = book.fetch(ticket) {
                return Ok(self.grant(bytes, Purpose::Run));
            }
            let refused = if cancelled() { Err(LeaseError::Cancelled) } else { book.check(least) };
            if let Err(error) = refused {
                let served = book.withdraw(ticket);
                drop(book);
                self.0.tell(served);
                return Err(error);
            }
            book = self.0.news.wait(book);
        }
    }

    fn grant(&self, bytes: u64, purpose: Purpose) -> Lease {
        Lease { budget: Arc::clone(&self.0), purpose, bytes: AtomicU64::new(bytes) }
    }
}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("MemoryBudget");
        text.field("limit", &self.limit()).field("leased", &self.leased()).field("waiting", &self.waiting());
        text.finish()
    }
}

impl Shared {
    /// Wakes the waiters when `served` says that one of them has its lease.
    fn tell(&self, served: bool) {
        if served {
            self.news.notify_all();
        }
    }

    /// Makes every waiter look whether it was cancelled.
    fn wake_waiters(&self) {
        // The lock makes this wait for a waiter that has looked and does not sleep yet.
        drop(self.book.lock());
        self.news.notify_all();
    }
}

/// Bytes of a [`MemoryBudget`]. Dropping it gives them back and serves those who wait.
///
/// ```
/// use chunkwise_scheduler::MemoryBudget;
///
/// let budget = MemoryBudget::new(Some(100));
/// let lease = budget.lease(10, 40)?;
/// assert_eq!(lease.bytes(), 40);
/// drop(lease);
/// assert_eq!(budget.leased(), 0);
/// # Ok::<(), chunkwise_scheduler::LeaseError>(())
/// ```
#[must_use = "a lease that is dropped gives its bytes back"]
pub struct Lease {
    budget: Arc<Shared>,
    purpose: Purpose,
    /// Changes only under the lock of the book.
    bytes: AtomicU64,
}

impl Lease {
    /// How many bytes it is.
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// assert_eq!(MemoryBudget::new(Some(100)).lease(30, 30)?.bytes(), 30);
    /// # Ok::<(), chunkwise_scheduler::LeaseError>(())
    /// ```
    #[must_use]
    pub fn bytes(&self) -> u64 {
        // Relaxed: a number and nothing behind it.
        self.bytes.load(Relaxed)
    }

    /// Gives back all but `bytes` and serves those who wait. A lease never grows: a larger number changes nothing.
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// let budget = MemoryBudget::new(Some(100));
    /// let lease = budget.lease(30, 30)?;
    /// lease.shrink_to(10);
    /// lease.shrink_to(20);
    /// assert_eq!((lease.bytes(), budget.leased()), (10, 10));
    /// # Ok::<(), chunkwise_scheduler::LeaseError>(())
    /// ```
    pub fn shrink_to(&self, bytes: u64) {
        let mut book = self.budget.book.lock();
        // Relaxed: both under the lock.
        let before = self.bytes.load(Relaxed);
        if bytes >= before {
            return;
        }
        self.bytes.store(bytes, Relaxed);
        let served = book.give_back(before - bytes, self.purpose);
        drop(book);
        self.budget.tell(served);
    }
}

impl Lease {
    /// Gives back all but `bytes`, which stay for a result that outlives its run. Those who wait and could never be served
    /// beside it get an error.
    ///
    /// ```
    /// # use chunkwise_scheduler::{LeaseError, MemoryBudget};
    /// let budget = MemoryBudget::new(Some(100));
    /// let result = budget.lease(50, 50)?.keep(40);
    /// assert_eq!(budget.lease(70, 70).unwrap_err(), LeaseError::Held { needed: 70, limit: 100, held: 40 });
    /// drop(result);
    /// assert_eq!(budget.lease(70, 70)?.bytes(), 70);
    /// # Ok::<(), LeaseError>(())
    /// ```
    pub fn keep(mut self, bytes: u64) -> Self {
        self.shrink_to(bytes);
        if self.purpose == Purpose::Run {
            self.purpose = Purpose::Hold;
            self.budget.book.lock().hold(self.bytes());
            self.budget.wake_waiters();
        }
        self
    }
}

impl Lease {
    /// Counts its bytes as held as long as what is returned lives: for a run that may never end, as it waits for its program.
    /// Those who wait and could never be served beside it get an error.
    ///
    /// ```
    /// # use chunkwise_scheduler::MemoryBudget;
    /// let budget = MemoryBudget::new(Some(100));
    /// let run = budget.lease(40, 40)?;
    /// let stays = run.stays();
    /// assert!(budget.lease(70, 70).is_err());
    /// drop(stays);
    /// assert_eq!((budget.held(), budget.leased()), (0, 40));
    /// # Ok::<(), chunkwise_scheduler::LeaseError>(())
    /// ```
    #[must_use = "the lease is one of a run that ends when this is dropped"]
    pub fn stays(&self) -> Stay {
        let bytes = self.bytes();
        self.budget.book.lock().hold(bytes);
        self.budget.wake_waiters();
        Stay { budget: Arc::clone(&self.budget), bytes }
    }
}

/// Bytes of a run's [`Lease`] that count as held; made by [`Lease::stays`].
pub struct Stay {
    budget: Arc<Shared>,
    bytes: u64,
}

impl fmt::Debug for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stay").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.budget.book.lock().no_longer_hold(self.bytes);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("bytes", &self.bytes()).field("purpose", &self.purpose).finish()
    }
}
