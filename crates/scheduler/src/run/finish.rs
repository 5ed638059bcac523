//! The end of a run, whoever ran it: kept values out, everything else dropped, errors labelled.

use super::failures::Failures;
use super::guard::drop_guarded;
use super::slot::Slot;
use crate::RunError;
use crate::plan::PlanData;

/// Takes the kept values out of the slots if nothing failed, and drops what is left.
pub(super) fn collect<V: Clone>(
    plan: &PlanData<V>,
    failures: Failures,
    mut slots: Vec<Slot<V>>,
) -> Result<Vec<V>, RunError> {
    let kept: Vec<V> = if failures.any() {
        Vec::new()
    } else {
        plan.keep.iter().map(|&task| slots[task as usize].consume()).collect()
    };
    if std::mem::needs_drop::<V>() && failures.any() {
        for (task, slot) in slots.into_iter().enumerate() {
            drop_guarded(&failures, task as u32, slot.into_value());
        }
    }
    failures.into_result(plan).map(|()| kept)
}
