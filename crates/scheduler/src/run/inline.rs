//! A run on the calling thread alone.
//!
//! It owns the sequential executor: ranks in ascending order, no counters, no atomics. It is used for pools of
//! one thread, for graphs too small to be worth a wake-up, and as the oracle in tests.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::failures::Failures;
use super::slot::Slot;
use crate::TaskCx;
use crate::error::{BoxError, RunError, TaskErrorKind};
use crate::plan::PlanData;

/// Runs every task in order and returns the kept values.
pub(crate) fn run_inline<V: Clone>(plan: &PlanData<V>) -> Result<Vec<V>, RunError> {
    let failures = Failures::new();
    let mut slots: Vec<Slot<V>> = plan.uses().into_iter().map(Slot::new).collect();
    let mut inputs = Vec::new();
    for task in 0..plan.len() as u32 {
        match catch_unwind(AssertUnwindSafe(|| step(plan, &failures, &mut slots, &mut inputs, task))) {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => failures.add(task, TaskErrorKind::Returned(error)),
            Err(payload) => failures.add_panic(task, payload),
        }
        drop_guarded(&failures, task, std::mem::take(&mut inputs));
        break;
    }
    let kept = if failures.skips(u32::MAX) { Vec::new() } else { take_kept(plan, &mut slots) };
    for (task, slot) in slots.into_iter().enumerate() {
        drop_guarded(&failures, task as u32, slot.into_value());
    }
    failures.into_result(plan).map(|()| kept)
}

fn step<V: Clone>(
    plan: &PlanData<V>,
    failures: &Failures,
    slots: &mut [Slot<V>],
    inputs: &mut Vec<V>,
    task: u32,
) -> Result<(), BoxError> {
    inputs.extend(plan.inputs.row(task).iter().map(|&input| slots[input as usize].consume()));
    let value = plan.call(task, inputs, &TaskCx::new(failures, task, 0))?;
    inputs.clear();
    if slots[task as usize].is_wanted() {
        slots[task as usize].fill(value);
    }
    Ok(())
}

fn take_kept<V: Clone>(plan: &PlanData<V>, slots: &mut [Slot<V>]) -> Vec<V> {
    plan.keep.iter().map(|&task| slots[task as usize].consume()).collect()
}

/// Drops user data; a panic on the way becomes an error of `task`.
pub(super) fn drop_guarded<T>(failures: &Failures, task: u32, data: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(data))) {
        failures.add_panic(task, payload);
    }
}
