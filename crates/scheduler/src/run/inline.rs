//! A run on the calling thread alone.
//!
//! It owns the sequential executor: ranks in ascending order, no counters, no atomics. It is used for pools of
//! one thread and for graphs not worth a wake-up. The plan's peak is its peak, so it needs no window.

use std::thread;
use std::time::{Duration, Instant};

use super::finish::{drop_rest, take_kept};
use super::guard::{drop_guarded, drop_left_over};
use super::slot::Slot;
use super::watch::Watch;
use super::work::{Outcome, Turn, Work};
use crate::error::{RunError, TaskErrorKind};

/// Runs every task in order and returns the kept values.
pub(super) fn run_inline<V: Clone, W: Watch>(
    work: &Work<V, W>,
    budget: Option<u64>,
) -> Result<Vec<V>, RunError> {
    let (plan, failures) = (&*work.plan, &*work.failures);
    let mut slots: Vec<Slot<V>> = plan.uses().map(Slot::new).collect();
    let mut inputs = Vec::new();
    for task in 0..plan.len() as u32 {
        if failures.skips(task) || !step(work, budget, &mut slots, &mut inputs, task) {
            break;
        }
    }
    let kept = take_kept(plan, failures, |task| slots[task as usize].consume());
    drop_rest(failures, slots);
    work.spilled.drop_rest(failures);
    failures.to_result(plan).map(|()| kept)
}

/// Runs one task; false when it failed.
#[inline]
fn step<V: Clone, W: Watch>(
    work: &Work<V, W>,
    budget: Option<u64>,
    slots: &mut [Slot<V>],
    inputs: &mut Vec<V>,
    task: u32,
) -> bool {
    let (plan, failures) = (&*work.plan, &*work.failures);
    let gather = |inputs: &mut Vec<V>| {
        let mut freed = 0;
        for &input in plan.values_of(task) {
            let slot = &mut slots[input as usize];
            inputs.push(slot.consume());
            if W::ON && slot.is_used_up() {
                freed += plan.bytes(input).output;
            }
        }
        freed
    };
    let mut turn = Turn { task, seat: 0, failed: 0 };
    let mut outcome = work.run(turn, inputs, gather);
    while let Outcome::Again { pause, inputs: again, freed } = outcome {
        turn.failed += 1;
        wait(pause, || failures.skips(task));
        if failures.skips(task) {
            drop_left_over(failures, task, again);
            return false;
        }
        *inputs = again;
        outcome = work.run(turn, inputs, |_| freed);
    }
    match outcome {
        Outcome::Value(value) if slots[task as usize].is_wanted() => slots[task as usize].fill(value),
        Outcome::Value(value) => return drop_guarded(failures, task, value),
        Outcome::Written => return check_overdraft(work, budget, task),
        _ => return false,
    }
    true
}

/// Whether the run can go on after `task` was to be written to disk; without a disk it goes on while memory lasts.
fn check_overdraft<V: Clone, W: Watch>(work: &Work<V, W>, budget: Option<u64>, task: u32) -> bool {
    let overdraft = work.spilled.overdraft();
    if overdraft == 0 || work.plan.spare_bytes(budget) >= overdraft {
        return true;
    }
    let refusal = work.spilled.take_refusal();
    refusal.into_iter().for_each(|error| work.failures.add(task, TaskErrorKind::Spill(error)));
    false
}

/// Pauses, in steps short enough to notice that the task is not wanted any more.
fn wait(pause: Duration, skip: impl Fn() -> bool) {
    const STEP: Duration = Duration::from_millis(20);
    let end = Instant::now() + pause.min(Duration::from_secs(7 * 24 * 3600));
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        if skip() {
            return;
        }
        thread::sleep(left.min(STEP));
    }
}
