//! Models of leases, checked over every interleaving: a lost wake-up is a deadlock, which loom reports.
//! `.ci/model` runs them.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use loom::thread::{self, JoinHandle};

use super::{LeaseError, MemoryBudget};
use crate::CancelToken;
use crate::loom_models::check;

/// A thread that takes a lease and gives it back.
fn borrow(budget: &MemoryBudget, least: u64) -> JoinHandle<()> {
    let budget = budget.clone();
    thread::spawn(move || assert!(budget.lease(least, least).unwrap().bytes() == least))
}

#[test]
fn loom_bytes_given_back_while_the_waiter_falls_asleep_wake_it() {
    check(3, || {
        let budget = MemoryBudget::new(Some(10));
        let lease = budget.lease(10, 10).unwrap();
        let waiter = borrow(&budget, 6);
        lease.shrink_to(7);
        drop(lease);
        waiter.join().unwrap();
        assert_eq!((budget.leased(), budget.waiting()), (0, 0));
    });
}

#[test]
fn loom_three_runs_share_the_limit_and_all_get_their_turn() {
    check(2, || {
        let (budget, inside) = (MemoryBudget::new(Some(10)), Arc::new(AtomicU64::new(0)));
        let run = |budget: MemoryBudget, inside: Arc<AtomicU64>, least| {
            move || {
                let lease = budget.lease(least, 10).unwrap();
                let bytes = lease.bytes();
                assert!(inside.fetch_add(bytes, SeqCst) + bytes <= 10 && bytes >= least);
                inside.fetch_sub(bytes, SeqCst);
            }
        };
        let others = [7, 4].map(|least| thread::spawn(run(budget.clone(), Arc::clone(&inside), least)));
        run(budget.clone(), inside, 6)();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!((budget.leased(), budget.waiting()), (0, 0));
    });
}

#[test]
fn loom_a_newcomer_does_not_overtake_a_request_in_the_queue() {
    check(3, || {
        let budget = MemoryBudget::new(Some(10));
        let lease = budget.lease(10, 10).unwrap();
        let first = budget.0.book.lock().ask(10, 10).unwrap();
        let served_second = Arc::new(AtomicBool::new(false));
        let newcomer = thread::spawn({
            let (budget, served_second) = (budget.clone(), Arc::clone(&served_second));
            move || {
                let _lease = budget.lease(1, 1).unwrap();
                served_second.store(true, Relaxed);
            }
        });
        drop(lease);
        let bytes = budget.0.book.lock().fetch(first).expect("first come, first served");
        assert!(!served_second.load(Relaxed));
        drop(budget.grant(bytes, super::Purpose::Run));
        newcomer.join().unwrap();
    });
}

#[test]
fn loom_a_hold_and_a_run_that_race_stay_within_the_limit() {
    check(3, || {
        let budget = MemoryBudget::new(Some(10));
        let holder = thread::spawn({
            let budget = budget.clone();
            move || budget.try_lease(6)
        });
        let run = budget.lease(5, 10);
        let hold = holder.join().unwrap();
        assert!(budget.leased() <= 10);
        match run {
            Ok(run) => assert!(run.bytes() <= 10 - hold.map_or(0, |hold| hold.bytes())),
            Err(error) => assert_eq!(error, LeaseError::Held { needed: 5, limit: 10, held: 6 }),
        }
    });
}

#[test]
fn loom_a_cancel_while_the_waiter_falls_asleep_wakes_it() {
    check(3, || {
        let (budget, token) = (MemoryBudget::new(Some(10)), CancelToken::new());
        let _held = budget.lease(10, 10).unwrap();
        let waiter = thread::spawn({
            let (budget, token) = (budget.clone(), token.clone());
            move || budget.lease_unless_cancelled(1, 1, &token).map(drop)
        });
        token.cancel();
        assert_eq!(waiter.join().unwrap(), Err(LeaseError::Cancelled));
        assert_eq!((budget.leased(), budget.waiting()), (10, 0));
    });
}

#[test]
fn loom_a_cancel_that_races_with_the_grant_loses_no_bytes() {
    check(3, || {
        let (budget, token) = (MemoryBudget::new(Some(10)), CancelToken::new());
        let lease = budget.lease(10, 10).unwrap();
        let waiter = thread::spawn({
            let (budget, token) = (budget.clone(), token.clone());
            move || budget.lease_unless_cancelled(10, 10, &token).map(drop)
        });
        let cancel = thread::spawn(move || token.cancel());
        drop(lease);
        let _either = waiter.join().unwrap();
        cancel.join().unwrap();
        assert_eq!((budget.leased(), budget.waiting()), (0, 0));
    });
}

#[test]
fn loom_a_request_that_is_cancelled_lets_the_next_one_pass() {
    check(2, || {
        let (budget, token) = (MemoryBudget::new(Some(10)), CancelToken::new());
        let _held = budget.lease(5, 5).unwrap();
        let large = thread::spawn({
            let (budget, token) = (budget.clone(), token.clone());
            move || budget.lease_unless_cancelled(10, 10, &token).map(drop)
        });
        let small = borrow(&budget, 5);
        token.cancel();
        assert_eq!(large.join().unwrap(), Err(LeaseError::Cancelled));
        small.join().unwrap();
    });
}
