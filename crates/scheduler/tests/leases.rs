//! Leases of a shared memory limit, from several threads.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Barrier, mpsc};
use std::thread;

use chunkwise_scheduler::{CancelToken, LeaseError, MemoryBudget};

/// Returns once `count` threads wait for leases.
fn until_waiting(budget: &MemoryBudget, count: usize) {
    while budget.waiting() < count {
        thread::yield_now();
    }
}

#[test]
fn a_lease_waits_until_its_bytes_are_free() {
    let budget = MemoryBudget::new(Some(100));
    let first = budget.lease(80, 80).unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| budget.lease(50, 50).unwrap().bytes());
        until_waiting(&budget, 1);
        assert_eq!(budget.leased(), 80);
        first.shrink_to(50);
        assert_eq!(second.join().unwrap(), 50);
    });
}

#[test]
fn leases_are_granted_first_come_first_served() {
    let budget = MemoryBudget::new(Some(100));
    let all = budget.lease(100, 100).unwrap();
    let (sender, granted) = mpsc::channel();
    thread::scope(|scope| {
        for (place, least) in [90, 5, 70, 100].into_iter().enumerate() {
            let (budget, sender) = (&budget, sender.clone());
            scope.spawn(move || {
                let lease = budget.lease(least, least).unwrap();
                sender.send((place, lease)).unwrap();
            });
            until_waiting(budget, place + 1);
        }
        drop(all);
        let mut order = Vec::new();
        // A lease is given back before the next is received: only two fit at once.
        let mut first_two: Vec<_> = (0..2).map(|_| granted.recv().unwrap()).collect();
        first_two.sort_by_key(|(place, _)| *place);
        order.extend(first_two.into_iter().map(|(place, _)| place));
        order.extend((0..2).map(|_| granted.recv().unwrap().0));
        assert_eq!(order, [0, 1, 2, 3]);
    });
    assert_eq!((budget.leased(), budget.waiting()), (0, 0));
}

#[test]
fn the_sum_of_leases_never_exceeds_the_limit() {
    let (budget, inside) = (MemoryBudget::new(Some(1000)), AtomicU64::new(0));
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for worker in 0..4 {
            let (budget, inside, start) = (&budget, &inside, &start);
            scope.spawn(move || {
                start.wait();
                for turn in 0..2000 {
                    let least = (turn * 37 + worker * 101) % 1001;
                    let lease = budget.lease(least, 1000).unwrap();
                    let now = inside.fetch_add(lease.bytes(), SeqCst) + lease.bytes();
                    assert!(lease.bytes() >= least && now <= 1000);
                    // Others find the bytes taken.
                    thread::yield_now();
                    inside.fetch_sub(lease.bytes(), SeqCst);
                }
            });
        }
    });
    assert_eq!((budget.leased(), budget.waiting()), (0, 0));
}

#[test]
fn cancelling_wakes_the_waiter_and_serves_those_behind_it() {
    let budget = MemoryBudget::new(Some(100));
    let _first = budget.lease(60, 60).unwrap();
    let token = CancelToken::new();
    thread::scope(|scope| {
        let large = scope.spawn(|| budget.lease_unless_cancelled(90, 90, &token).map(|lease| lease.bytes()));
        until_waiting(&budget, 1);
        let small = scope.spawn(|| budget.lease(40, 40).unwrap().bytes());
        until_waiting(&budget, 2);
        token.cancel();
        assert_eq!(large.join().unwrap(), Err(LeaseError::Cancelled));
        assert_eq!(small.join().unwrap(), 40);
    });
    assert_eq!((budget.leased(), budget.waiting()), (60, 0));
}

#[test]
fn cancelling_leaves_other_waiters_waiting() {
    let budget = MemoryBudget::new(Some(100));
    let first = budget.lease(100, 100).unwrap();
    let (token, granted) = (CancelToken::new(), AtomicBool::new(false));
    thread::scope(|scope| {
        let stays = scope.spawn(|| {
            let bytes = budget.lease(10, 10).unwrap().bytes();
            granted.store(true, SeqCst);
            bytes
        });
        until_waiting(&budget, 1);
        let goes = scope.spawn(|| budget.lease_unless_cancelled(10, 10, &token).map(drop));
        until_waiting(&budget, 2);
        token.cancel();
        assert_eq!(goes.join().unwrap(), Err(LeaseError::Cancelled));
        assert!(!granted.load(SeqCst) && budget.waiting() == 1);
        drop(first);
        assert_eq!(stays.join().unwrap(), 10);
    });
}

#[test]
fn a_nested_lease_never_waits_and_later_leases_see_its_overdraft() {
    let budget = MemoryBudget::new(Some(100));
    let outer = budget.lease(100, 100).unwrap();
    let inner = budget.lease_nested(50, 80);
    assert_eq!((inner.bytes(), budget.leased(), budget.overdraft()), (50, 150, 50));
    drop(outer);
    assert_eq!((budget.leased(), budget.overdraft()), (50, 0));
    assert_eq!(budget.lease(20, 100).unwrap().bytes(), 35);
}

#[test]
fn a_nested_lease_takes_no_surplus_while_somebody_waits() {
    let budget = MemoryBudget::new(Some(100));
    let outer = budget.lease(50, 50).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| budget.lease(60, 60).unwrap().bytes());
        until_waiting(&budget, 1);
        assert_eq!(budget.lease_nested(10, 50).bytes(), 10);
        assert!(budget.try_lease(10).is_none());
        drop(outer);
        assert_eq!(waiter.join().unwrap(), 60);
    });
}

#[test]
fn a_run_that_results_leave_no_room_for_is_refused_at_once() {
    let budget = MemoryBudget::new(Some(100));
    let result = budget.try_lease(40).unwrap();
    let error = budget.lease(61, 61).unwrap_err();
    assert_eq!(error, LeaseError::Held { needed: 61, limit: 100, held: 40 });
    assert_eq!(
        error.to_string(),
        "the run needs 61 bytes, results that are kept and streams of blocks hold 40 of the memory limit of 100: drop some of them, \
         raise the limit or use smaller chunks"
    );
    result.shrink_to(39);
    assert_eq!(budget.lease(61, 61).unwrap().bytes(), 61);
}

#[test]
fn a_limit_of_zero_grants_only_nothing() {
    let budget = MemoryBudget::new(Some(0));
    assert_eq!(budget.lease(0, 10).unwrap().bytes(), 0);
    assert_eq!(budget.lease(1, 1).unwrap_err(), LeaseError::AboveLimit { needed: 1, limit: 0 });
    assert!(budget.try_lease(0).is_some() && budget.try_lease(1).is_none());
    assert_eq!(budget.lease_nested(7, 0).bytes(), 7);
}

#[test]
fn a_lease_outlives_the_handle_of_its_budget() {
    let lease = MemoryBudget::new(Some(100)).lease(10, 10).unwrap();
    assert_eq!(lease.bytes(), 10);
}

#[test]
fn budgets_and_leases_cross_threads_and_print() {
    fn shared<T: Send + Sync>(value: &T) -> &T {
        value
    }
    let budget = MemoryBudget::new(Some(100));
    let lease = budget.lease(10, 10).unwrap();
    assert_eq!(format!("{:?}", shared(&budget)), "MemoryBudget { limit: Some(100), leased: 10, waiting: 0 }");
    assert_eq!(format!("{:?}", shared(&lease)), "Lease { bytes: 10, purpose: Run }");
}
