//! The end of a run, whoever ran it: kept values out, everything else dropped.

use super::failures::Failures;
use super::guard::drop_left_over;
use super::slot::Slots;
use crate::plan::PlanData;

/// The kept values, in the order they were asked for; none of a run that failed.
pub(super) fn take_kept<V>(plan: &PlanData<V>, failures: &Failures, consume: impl FnMut(u32) -> V) -> Vec<V> {
    if failures.any() { Vec::new() } else { plan.keep.iter().copied().map(consume).collect() }
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
