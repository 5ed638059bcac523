//! Models of the hand-over of values and tasks: pending counts, stretches of sources, records, failures.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};
use loom::thread;

use super::{Disk, Sum, plan, spilled_twice_used};
use crate::error::TaskErrorKind;
use crate::loom_models::check;
use crate::run::slot::Slots;
use crate::run::sources::{Cursor, Span, Stretch};
use crate::run::spilled::Spilled;
use crate::run::{ErrorMode, Failures};
use crate::{SpillStore, TaskKind};

/// Runs both at once and returns what they return.
fn both<T: Send + 'static>(other: impl FnOnce() -> T + Send + 'static, this: impl FnOnce() -> T) -> [T; 2] {
    let other = thread::spawn(other);
    let this = this();
    [this, other.join().unwrap()]
}

#[test]
fn loom_the_last_input_makes_a_task_ready_once_and_sees_the_others() {
    check(3, || {
        let model = Arc::new((Slots::<()>::new(2), [0; 3].map(|_| AtomicU32::new(0))));
        let arrive = |from: usize| {
            let model = Arc::clone(&model);
            move || {
                // Relaxed: the count alone must make them seen.
                model.1[from].store(1, Relaxed);
                let ready = model.0.input_arrived(1, 3);
                assert!(!ready || model.1.iter().all(|input| input.load(Relaxed) == 1));
                ready
            }
        };
        let (first, second, third) = (arrive(0), arrive(1), arrive(2));
        let third = thread::spawn(third);
        let ready = both(second, first).into_iter().chain([third.join().unwrap()]);
        assert_eq!(ready.filter(|ready| *ready).count(), 1);
    });
}

#[test]
fn loom_whoever_sees_that_one_input_lacks_sees_all_the_others() {
    check(3, || {
        let model = Arc::new((Slots::<()>::new(2), AtomicU32::new(0)));
        let arrives = Arc::clone(&model);
        let ready = both(
            move || {
                arrives.1.store(1, Relaxed);
                arrives.0.input_arrived(1, 2)
            },
            || {
                let carries = model.0.lacks_one(1, 2);
                if carries {
                    assert_eq!(model.1.load(Relaxed), 1);
                }
                carries || model.0.input_arrived(1, 2)
            },
        );
        assert_eq!(ready.into_iter().filter(|ready| *ready).count(), 1);
    });
}

#[test]
fn loom_each_source_goes_to_one_of_its_owner_and_two_thieves() {
    check(3, || {
        let stretch = Arc::new(Stretch::new());
        stretch.fill(Span { start: 3, end: 6 });
        let steal = || {
            let stretch = Arc::clone(&stretch);
            thread::spawn(move || stretch.steal().map_or(0..0, |span| span.start..span.end))
        };
        let thieves = [steal(), steal()];
        let mut taken: Vec<u32> = std::iter::from_fn(|| stretch.pop()).collect();
        thieves.into_iter().for_each(|thief| taken.extend(thief.join().unwrap()));
        taken.extend(std::iter::from_fn(|| stretch.pop()));
        taken.sort_unstable();
        assert_eq!(taken, [3, 4, 5]);
    });
}

#[test]
fn loom_a_stretch_that_is_filled_again_while_a_thief_looks_gives_each_source_once() {
    check(3, || {
        let model = Arc::new((Cursor::new(), Stretch::new()));
        let thief = thread::spawn({
            let model = Arc::clone(&model);
            move || model.1.steal().map_or(0..0, |span| span.start..span.end)
        });
        let mut taken = Vec::new();
        while let Some(span) = model.0.claim(3, 1) {
            taken.push(span.start);
            model.1.fill(Span { start: span.start + 1, ..span });
            taken.extend(std::iter::from_fn(|| model.1.pop()));
        }
        taken.extend(thief.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2]);
    });
}

/// Two loads of one record at once, after its write.
fn two_loads(disk: Disk) {
    let data = Arc::clone(spilled_twice_used(disk).data());
    let spill = (0..data.len() as u32).find(|&task| data.kind(task) == TaskKind::Spill);
    let spill = spill.expect("the budget is too small to keep the value");
    let loads: [u32; 2] = data.users.row(spill).try_into().expect("the value is read twice");
    check(2, move || {
        let store = SpillStore::default();
        let spilled = Arc::new(Spilled::new(&data, Some(store.clone())));
        spilled.write(&data, spill, 0, Arc::new(7));
        let read = |load| {
            let (spilled, data) = (Arc::clone(&spilled), Arc::clone(&data));
            move || *spilled.read(&data, load, 0).expect("it was written").0
        };
        assert_eq!(both(read(loads[0]), read(loads[1])), [7, 7]);
        assert_eq!((spilled.overdraft(), store.stats().on_disk), (0, 0), "the last load frees the record");
    });
}

#[test]
fn loom_the_last_of_two_loads_frees_the_record_on_disk() {
    two_loads(Disk::Works);
}

#[test]
fn loom_the_last_of_two_loads_ends_the_overdraft() {
    two_loads(Disk::IsFull);
}

#[test]
fn loom_a_run_that_takes_no_values_because_it_was_cancelled_says_so() {
    let data = Arc::clone(plan(Sum::new(), &[&[]], None).data());
    check(3, move || {
        let failures = Arc::new(Failures::new(ErrorMode::Deterministic));
        let cancel = thread::spawn({
            let failures = Arc::clone(&failures);
            move || failures.cancel()
        });
        let takes_values = !failures.any();
        let result = failures.to_result(&data);
        assert!(takes_values || result.is_err_and(|error| error.is_cancelled()));
        cancel.join().unwrap();
    });
}

#[test]
fn loom_errors_at_once_are_all_kept_and_the_first_in_order_stops_what_comes_after() {
    let data = Arc::clone(plan(Sum::new(), &[&[], &[], &[]], None).data());
    check(3, move || {
        let failures = Arc::new(Failures::new(ErrorMode::Deterministic));
        let fail = |failures: Arc<Failures>, task| {
            move || failures.add(task, TaskErrorKind::Panicked(task.to_string()))
        };
        both(fail(Arc::clone(&failures), 2), fail(Arc::clone(&failures), 1));
        assert!(failures.skips(2) && !failures.skips(1) && !failures.skips(0));
        let error = failures.to_result(&data).unwrap_err();
        assert_eq!(error.errors().iter().map(|error| error.index).collect::<Vec<_>>(), [1, 2]);
    });
}
