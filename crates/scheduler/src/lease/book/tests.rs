//! Random sequences of requests, against the promises of `lease/README.md` and a slow model of the grants.

use proptest::prelude::*;

use super::{Book, LeaseError, Purpose, Ticket};

const LIMIT: u64 = 100;

#[derive(Clone, Debug)]
enum Step {
    Ask(u64, u64),
    Nested(u64, u64),
    Hold(u64),
    /// Gives back all of a lease but these bytes.
    Shrink(usize, u64),
    Drop(usize),
    Withdraw(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..=LIMIT + 10, 0..2 * LIMIT).prop_map(|(least, most)| Step::Ask(least, most)),
        1 => (0..LIMIT, 0..2 * LIMIT).prop_map(|(least, most)| Step::Nested(least, most)),
        1 => (0..LIMIT / 2).prop_map(Step::Hold),
        1 => (any::<usize>(), 0..LIMIT).prop_map(|(at, bytes)| Step::Shrink(at, bytes)),
        3 => any::<usize>().prop_map(Step::Drop),
        1 => any::<usize>().prop_map(Step::Withdraw),
    ]
}

/// A lease as its holder sees it.
#[derive(Debug)]
struct Live {
    bytes: u64,
    purpose: Purpose,
    nested: bool,
}

/// Everybody who uses one book, one after the other.
struct World {
    book: Book,
    live: Vec<Live>,
    /// Requests in the order of their arrival.
    waiting: Vec<(Ticket, u64, u64)>,
}

impl World {
    fn new() -> Self {
        Self { book: Book::new(Some(LIMIT)), live: Vec::new(), waiting: Vec::new() }
    }

    fn sum(&self, counts: impl Fn(&Live) -> bool) -> u64 {
        self.live.iter().filter(|lease| counts(lease)).map(|lease| lease.bytes).sum()
    }

    fn free(&self) -> u64 {
        LIMIT.saturating_sub(self.sum(|_| true))
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Ask(least, most) => self.ask(least, most),
            Step::Nested(least, most) => self.nested(least, most),
            Step::Hold(bytes) => self.hold(bytes),
            Step::Shrink(at, bytes) => self.shrink(at, bytes),
            Step::Drop(at) if !self.live.is_empty() => self.give_back(at % self.live.len()),
            Step::Withdraw(at) if !self.waiting.is_empty() => self.withdraw(at % self.waiting.len()),
            Step::Drop(_) | Step::Withdraw(_) => {}
        }
        self.check();
    }

    fn ask(&mut self, least: u64, most: u64) {
        let held = self.sum(|lease| lease.purpose == Purpose::Hold);
        match self.book.ask(least, most) {
            Ok(ticket) => self.waiting.push((ticket, least, most.max(least))),
            Err(LeaseError::AboveLimit { needed, limit }) => {
                assert!((needed, limit) == (least, LIMIT) && least > LIMIT);
            }
            Err(error) => {
                assert_eq!(error, LeaseError::Held { needed: least, limit: LIMIT, held });
                assert!(least <= LIMIT && least > LIMIT - held);
            }
        }
        self.fetch_all();
    }

    fn nested(&mut self, least: u64, most: u64) {
        let spare = if self.waiting.is_empty() { self.free() } else { 0 };
        let bytes = self.book.take_nested(least, most);
        assert_eq!(bytes, least.max(spare.min(most)));
        self.live.push(Live { bytes, purpose: Purpose::Run, nested: true });
    }

    fn hold(&mut self, bytes: u64) {
        let fits = bytes <= self.free() && self.waiting.is_empty();
        assert_eq!(self.book.take_hold(bytes), fits || bytes == 0);
        if fits {
            self.live.push(Live { bytes, purpose: Purpose::Hold, nested: false });
        }
    }

    fn shrink(&mut self, at: usize, bytes: u64) {
        let count = self.live.len().max(1);
        let Some(lease) = self.live.get_mut(at % count).filter(|lease| bytes < lease.bytes) else { return };
        let back = std::mem::replace(&mut lease.bytes, bytes) - bytes;
        let purpose = lease.purpose;
        let served = self.book.give_back(back, purpose);
        assert_eq!(self.fetch_all() > 0, served);
    }

    fn give_back(&mut self, at: usize) {
        let lease = self.live.swap_remove(at);
        let served = self.book.give_back(lease.bytes, lease.purpose);
        assert_eq!(self.fetch_all() > 0, served);
    }

    fn withdraw(&mut self, at: usize) {
        let (ticket, ..) = self.waiting.remove(at);
        let served = self.book.withdraw(ticket);
        assert_eq!(self.fetch_all() > 0, served);
    }

    /// Fetches what was granted, in the order of arrival, and compares it with the rule. Returns how many.
    fn fetch_all(&mut self) -> usize {
        let mut free = self.free();
        let fits = |&&(_, least, _): &&(Ticket, u64, u64)| {
            let fits = least <= free;
            free -= if fits { least } else { 0 };
            fits
        };
        let count = self.waiting.iter().take_while(fits).count();
        let share = if count == self.waiting.len() { free / (count as u64 + 1) } else { 0 };
        for (ticket, least, most) in self.waiting.drain(..count) {
            let bytes = self.book.fetch(ticket).expect("its bytes are free and nobody is before it");
            assert_eq!(bytes, least + share.min(most - least));
            self.live.push(Live { bytes, purpose: Purpose::Run, nested: false });
        }
        count
    }

    fn check(&mut self) {
        for &(ticket, ..) in &self.waiting {
            assert_eq!(self.book.fetch(ticket), None, "granted out of turn");
        }
        assert!(self.book.served.is_empty());
        assert_eq!(self.book.waiting(), self.waiting.len());
        let leased = self.sum(|_| true);
        assert_eq!((self.book.leased(), self.book.overdraft()), (leased, leased.saturating_sub(LIMIT)));
        if !self.live.iter().any(|lease| lease.nested) {
            assert!(leased <= LIMIT);
        }
    }

    /// Ends all runs; holds stay.
    fn end_runs(&mut self) {
        while let Some(at) = self.live.iter().position(|lease| lease.purpose == Purpose::Run) {
            self.give_back(at);
            self.check();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn grants_follow_the_rule_and_every_accepted_request_is_served(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.take(step));
        world.end_runs();
        prop_assert!(world.waiting.is_empty());
        prop_assert_eq!(world.book.leased(), world.sum(|lease| lease.purpose == Purpose::Hold));
    }
}

#[test]
fn a_run_alone_leaves_half_of_the_surplus() {
    let mut book = Book::new(Some(100));
    let ticket = book.ask(20, u64::MAX).unwrap();
    assert_eq!(book.fetch(ticket), Some(60));
}

#[test]
fn requests_granted_together_get_equal_surplus() {
    let mut book = Book::new(Some(100));
    let all = book.ask(100, 100).unwrap();
    let waiting = [book.ask(10, 100).unwrap(), book.ask(30, 100).unwrap()];
    assert_eq!(book.fetch(all), Some(100));
    assert!(book.give_back(100, Purpose::Run));
    assert_eq!(waiting.map(|ticket| book.fetch(ticket)), [Some(30), Some(50)]);
}

#[test]
fn a_small_request_does_not_overtake_a_large_one() {
    let mut book = Book::new(Some(100));
    let first = book.ask(60, 60).unwrap();
    let (large, small) = (book.ask(50, 50).unwrap(), book.ask(1, 1).unwrap());
    assert_eq!(book.fetch(first), Some(60));
    assert_eq!((book.fetch(large), book.fetch(small)), (None, None));
    assert!(book.withdraw(large));
    assert_eq!(book.fetch(small), Some(1));
}

#[test]
fn without_a_limit_sums_beyond_64_bits_are_counted() {
    let mut book = Book::new(None);
    for _ in 0..3 {
        let ticket = book.ask(0, u64::MAX).unwrap();
        assert_eq!(book.fetch(ticket), Some(u64::MAX));
    }
    assert!(book.take_hold(u64::MAX));
    assert!(!book.give_back(u64::MAX, Purpose::Run));
    assert_eq!((book.leased(), book.overdraft()), (u64::MAX, 0));
}
