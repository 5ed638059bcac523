//! Who has how many bytes and who waits for some: the rules of the budget, without threads.
//!
//! It owns the order in which requests are served and how much each gets. Locks and sleep are the budget's.

use std::collections::VecDeque;

use super::LeaseError;

/// Names a request until it is served or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// What a lease is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A run: it ends, and gives its bytes back.
    Run,
    /// A result that stays, maybe for ever.
    Hold,
}

/// A request for `least` bytes or more, and up to `extra` on top.
#[derive(Clone, Copy, Debug)]
struct Request {
    ticket: Ticket,
    least: u64,
    extra: u64,
}

/// The accounts of one budget. While somebody waits, less is free than the first in the queue needs.
#[derive(Debug)]
pub(super) struct Book {
    limit: Option<u64>,
    /// In all leases. Wide, because without a limit the sum of leases may exceed 64 bits.
    leased: u128,
    /// The part of `leased` that is held.
    held: u128,
    queue: VecDeque<Request>,
    /// Served, and not yet fetched by the thread that asked.
    served: Vec<(Ticket, u64)>,
    next: u64,
}

impl Book {
    pub(super) fn new(limit: Option<u64>) -> Self {
        Self { limit, leased: 0, held: 0, queue: VecDeque::new(), served: Vec::new(), next: 0 }
    }

    pub(super) fn leased(&self) -> u64 {
        u64::try_from(self.leased).unwrap_or(u64::MAX)
    }

    pub(super) fn held(&self) -> u64 {
        u64::try_from(self.held).unwrap_or(u64::MAX)
    }

    /// Bytes leased beyond the limit.
    pub(super) fn overdraft(&self) -> u64 {
        let over = self.limit.map_or(0, |limit| self.leased.saturating_sub(u128::from(limit)));
        u64::try_from(over).unwrap_or(u64::MAX)
    }

    /// How many requests wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Joins the queue and serves it.
    pub(super) fn ask(&mut self, least: u64, most: u64) -> Result<Ticket, LeaseError> {
        self.check(least)?;
        let ticket = Ticket(self.next);
        self.next += 1;
        self.queue.push_back(Request { ticket, least, extra: most.saturating_sub(least) });
        self.serve();
        Ok(ticket)
    }

    /// The bytes granted to a request, once it was served.
    pub(super) fn fetch(&mut self, ticket: Ticket) -> Option<u64> {
        let at = self.served.iter().position(|served| served.0 == ticket)?;
        Some(self.served.swap_remove(at).1)
    }

    /// Takes a waiting request off the queue. True when that served others, which are to be woken.
    pub(super) fn withdraw(&mut self, ticket: Ticket) -> bool {
        self.queue.retain(|request| request.ticket != ticket);
        self.serve()
    }

    /// At least `least` bytes now, whatever is free; more only if nobody waits.
    pub(super) fn take_nested(&mut self, least: u64, most: u64) -> u64 {
        let spare = if self.queue.is_empty() { self.free() } else { 0 };
        let bytes = most.min(spare).max(least);
        self.leased += u128::from(bytes);
        bytes
    }

    /// Exactly `bytes`, to be held, if they are free and nobody waits.
    pub(super) fn take_hold(&mut self, bytes: u64) -> bool {
        let granted = bytes == 0 || (self.queue.is_empty() && bytes <= self.free());
        if granted {
            self.leased += u128::from(bytes);
            self.held += u128::from(bytes);
        }
        granted
    }

    /// Counts bytes of a run's lease as held from now on. Who waits may then wait in vain, and is to be woken.
    pub(super) fn hold(&mut self, bytes: u64) {
        self.held += u128::from(bytes);
    }

    /// Counts bytes as those of a run again. It was possible before, so nobody has to be woken.
    pub(super) fn no_longer_hold(&mut self, bytes: u64) {
        self.held -= u128::from(bytes);
    }

    /// Takes bytes of a lease back. True when that served others, which are to be woken.
    pub(super) fn give_back(&mut self, bytes: u64, purpose: Purpose) -> bool {
        self.leased -= u128::from(bytes);
        if purpose == Purpose::Hold {
            self.held -= u128::from(bytes);
        }
        self.serve()
    }

    /// Refuses what could not be served if every run ended.
    pub(super) fn check(&self, least: u64) -> Result<(), LeaseError> {
        let Some(limit) = self.limit else { return Ok(()) };
        let held = self.held();
        match least {
            _ if least > limit => Err(LeaseError::AboveLimit { needed: least, limit }),
            _ if least > limit.saturating_sub(held) => Err(LeaseError::Held { needed: least, limit, held }),
            _ => Ok(()),
        }
    }

    /// Serves the queue from its front as far as what is free goes; true when somebody was served.
    fn serve(&mut self) -> bool {
        let mut front = Vec::new();
        while let Some(request) = self.next_that_fits() {
            self.leased += u128::from(request.least);
            front.push(request);
        }
        let share = self.surplus_share(front.len());
        for &Request { ticket, least, extra } in &front {
            let extra = extra.min(share);
            self.leased += u128::from(extra);
            self.served.push((ticket, least + extra));
        }
        !front.is_empty()
    }

    /// Takes the first request off the queue if what it needs is free.
    fn next_that_fits(&mut self) -> Option<Request> {
        let first = self.queue.front()?;
        if first.least > self.free() {
            return None;
        }
        self.queue.pop_front()
    }

    /// What each of `count` requests served together may have on top: an equal part of what is free, with one part
    /// left for the next to come. Nothing while somebody waits.
    fn surplus_share(&self, count: usize) -> u64 {
        match self.limit {
            None => u64::MAX,
            Some(_) if self.queue.is_empty() => self.free() / (count as u64 + 1),
            Some(_) => 0,
        }
    }

    /// Bytes that are not leased.
    fn free(&self) -> u64 {
        let Some(limit) = self.limit else { return u64::MAX };
        u64::try_from(u128::from(limit).saturating_sub(self.leased)).expect("no more than the limit")
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
