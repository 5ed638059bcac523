//! Models of whole runs of a few tasks: two seats without a pool, and a caller with a worker.
//!
//! The plan, the window, the counters, the slots, the gate and the sleep are the real ones, the deques stand for
//! theirs. Whether a run ends is what is checked first: one that does not is a deadlock.

use std::sync::Arc;

use loom::thread;

use super::{Disk, Sum, Value, plan, spilled_once};
use crate::loom_models::check;
use crate::pool::{Gate, Shared, work};
use crate::run::parallel::{Run, run_parallel};
use crate::run::participant::Participant;
use crate::run::spilled::Spilled;
use crate::run::watch::Unwatched;
use crate::run::work::Work;
use crate::run::{ErrorMode, Failures};
use crate::{Plan, RunError, SpillStore, TaskError, TaskErrorKind};

fn work_of(plan: &Plan<Value>) -> Work<Value, Unwatched> {
    let data = Arc::clone(plan.data());
    Work {
        spilled: Spilled::new(&data, Some(SpillStore::default())),
        failures: Arc::new(Failures::new(ErrorMode::Deterministic)),
        plan: data,
        watch: Unwatched,
        cancel: None,
    }
}

fn numbers(result: Result<Vec<Value>, RunError>) -> Result<Vec<u64>, RunError> {
    result.map(|kept| kept.iter().map(|value| **value).collect())
}

/// Two threads on two seats, until neither finds a task.
fn two_seats(plan: &Plan<Value>) -> Result<Vec<u64>, RunError> {
    let shared = Arc::new(Shared::new(0));
    let run = Run::new(&shared, 2, work_of(plan), plan.budget(), Arc::new(Gate::new()));
    let run = Arc::new(run);
    let other = thread::spawn({
        let run = Arc::clone(&run);
        move || Participant::sit_down(&run, 1).work(&|| {})
    });
    Participant::sit_down(&run, 0).work(&|| {});
    other.join().unwrap();
    assert!(!run.any_work() && run.delayed.is_empty(), "work is left that nobody does");
    numbers(Arc::into_inner(run).unwrap().into_result())
}

/// A caller and one worker, from the start of the pool to its end.
fn with_pool(plan: &Plan<Value>, cancel: bool) -> Result<Vec<u64>, RunError> {
    let shared = Arc::new(Shared::new(1));
    let worker = thread::spawn({
        let shared = Arc::clone(&shared);
        move || work(&shared, 0)
    });
    let (work, gate) = (work_of(plan), Arc::new(Gate::new()));
    let canceller = cancel.then(|| {
        let (failures, gate) = (Arc::clone(&work.failures), Arc::clone(&gate));
        thread::spawn(move || {
            failures.cancel();
            gate.wake_caller();
        })
    });
    let result = run_parallel(&shared, 2, work, plan.budget(), gate);
    shared.close();
    worker.join().unwrap();
    canceller.into_iter().for_each(|thread| thread.join().unwrap());
    numbers(result)
}

#[test]
fn loom_two_sources_meet_in_one_task() {
    let plan = plan(Sum::new(), &[&[], &[], &[0, 1]], None);
    check(3, move || assert_eq!(two_seats(&plan).unwrap(), [3]));
}

#[test]
fn loom_a_value_with_two_users_reaches_both() {
    let plan = plan(Sum::new(), &[&[], &[0], &[0], &[1, 2]], None);
    check(3, move || assert_eq!(two_seats(&plan).unwrap(), [5]));
}

#[test]
fn loom_a_window_of_one_task_hands_all_tasks_out() {
    let plan = plan(Sum::new(), &[&[], &[], &[0, 1]], Some(30));
    check(3, move || assert_eq!(two_seats(&plan).unwrap(), [3]));
}

#[test]
fn loom_a_task_that_waits_for_its_next_attempt_is_not_forgotten() {
    let sum = Sum { fails: Some(0), retries: Some(0), ..Sum::new() };
    let plan = plan(sum, &[&[], &[]], None);
    check(3, move || {
        let error = two_seats(&plan).unwrap_err();
        assert_eq!((error.errors().len(), error.errors()[0].index), (1, 0));
    });
}

#[test]
fn loom_the_first_error_is_the_first_in_order() {
    let plan = plan(Sum { fails: Some(0), ..Sum::new() }, &[&[], &[], &[0, 1]], None);
    check(3, move || {
        let error = two_seats(&plan).unwrap_err();
        assert_eq!(error.errors()[0].index, 0);
    });
}

#[test]
fn loom_a_spilled_value_comes_back_to_whichever_thread_loads_it() {
    let plan = spilled_once(Disk::Works, 50);
    assert!(plan.spill_bytes() > 0);
    check(3, move || assert_eq!(two_seats(&plan).unwrap(), [5]));
}

#[test]
fn loom_a_full_disk_ends_the_run_with_one_error() {
    let plan = spilled_once(Disk::IsFull, 50);
    check(2, move || {
        let error = two_seats(&plan).unwrap_err();
        assert!(matches!(error.errors(), [TaskError { kind: TaskErrorKind::Spill(_), .. }]), "{error}");
    });
}

#[test]
fn loom_a_run_in_a_pool_ends_with_its_value() {
    let plan = plan(Sum::new(), &[&[], &[], &[0, 1]], None);
    check(2, move || assert_eq!(with_pool(&plan, false).unwrap(), [3]));
}

#[test]
fn loom_a_run_in_a_pool_within_a_tight_budget_ends_with_its_value() {
    let plan = plan(Sum::new(), &[&[], &[], &[0, 1]], Some(30));
    check(2, move || assert_eq!(with_pool(&plan, false).unwrap(), [3]));
}

#[test]
fn loom_a_run_in_a_pool_that_is_cancelled_at_any_moment_ends() {
    let plan = plan(Sum::new(), &[&[], &[]], None);
    check(2, move || match with_pool(&plan, true) {
        Ok(values) => assert_eq!(values, [1, 1]),
        Err(error) => assert!(error.is_cancelled()),
    });
}

#[test]
fn loom_a_retry_in_a_pool_that_is_cancelled_at_any_moment_ends() {
    let plan = plan(Sum { fails: Some(0), retries: Some(0), ..Sum::new() }, &[&[], &[]], None);
    check(2, move || {
        let error = with_pool(&plan, true).unwrap_err();
        assert!(error.is_cancelled() || error.errors()[0].index == 0);
    });
}
