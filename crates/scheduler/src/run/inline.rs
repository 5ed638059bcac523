//! A run on the calling thread alone.
//!
//! It owns the sequential executor: ranks in ascending order, no counters, no atomics. It is used for pools of
//! one thread and for graphs not worth a wake-up.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::failures::Failures;
use super::finish::{drop_rest, take_kept};
use super::guard::drop_left_over;
use super::slot::Slot;
use crate::TaskCx;
use crate::error::{BoxError, RunError, TaskErrorKind};
use crate::plan::PlanData;

/// Runs every task in order and returns the kept values.
pub(crate) fn run_inline<V: Clone>(plan: &PlanData<V>) -> Result<Vec<V>, RunError> {
    let failures = Failures::new();
    let mut slots: Vec<Slot<V>> = plan.uses().map(Slot::new).collect();
    let mut inputs = Vec::new();
    for task in 0..plan.len() as u32 {
        match catch_unwind(AssertUnwindSafe(|| step(plan, &failures, &mut slots, &mut inputs, task))) {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => failures.add(task, TaskErrorKind::Returned(error)),
            Err(payload) => failures.add_panic(task, payload),
        }
        drop_left_over(&failures, task, std::mem::take(&mut inputs));
        break;
    }
    let kept = take_kept(plan, &failures, |task| slots[task as usize].consume());
    drop_rest(&failures, slots);
    failures.into_result(plan).map(|()| kept)
}

fn step<V: Clone>(
    plan: &PlanData<V>,
    failures: &Failures,
    slots: &mut [Slot<V>],
    inputs: &mut Vec<V>,
    task: u32,
) -> Result<(), BoxError> {
    for &input in plan.inputs.row(task) {
        inputs.push(slots[input as usize].consume());
    }
    let value = plan.call(task, inputs, &TaskCx::new(failures, task, 0))?;
    inputs.clear();
    let slot = &mut slots[task as usize];
    if slot.is_wanted() {
        slot.fill(value);
    }
    Ok(())
}
