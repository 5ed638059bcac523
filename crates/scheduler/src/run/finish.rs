//! The end of a run, whoever ran it: kept values out, everything else dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::failures::Failures;
use super::guard::drop_left_over;
use super::slot::Slots;
use crate::RunError;
use crate::plan::PlanData;

/// The kept values, in the order they were asked for; none of a run that failed, be it by a panic of a copy here.
pub(super) fn take_kept<V>(
    plan: &PlanData<V>,
    failures: &Failures,
    mut consume: impl FnMut(u32) -> V,
) -> Vec<V> {
    let mut kept = Vec::new();
    if failures.any() {
        return kept;
    }
    kept.reserve(plan.keep.len());
    for &task in &plan.keep {
        match catch_unwind(AssertUnwindSafe(|| consume(task))) {
            Ok(value) => kept.push(value),
            Err(payload) => {
                failures.add_panic(task, payload);
                drop_left_over(failures, task, kept);
                return Vec::new();
            }
        }
    }
    kept
}

/// The result of a run: its kept values, unless it has failed or was cancelled meanwhile.
pub(super) fn conclude<V>(plan: &PlanData<V>, failures: &Failures, kept: Vec<V>) -> Result<Vec<V>, RunError> {
    match failures.to_result(plan) {
        Ok(()) => Ok(kept),
        Err(error) => {
            kept.into_iter().zip(&plan.keep).for_each(|(value, &task)| drop_left_over(failures, task, value));
            Err(error)
        }
    }
}

/// Drops what is left in the slots. Only a run that failed leaves something.
pub(super) fn drop_rest<V>(plan: &PlanData<V>, failures: &Failures, slots: &mut Slots<V>) {
    if !failures.any() || !std::mem::needs_drop::<V>() {
        return;
    }
    for task in 0..plan.len() as u32 {
        drop_left_over(failures, task, slots.take(task));
    }
}
