//! Operations that pick elements by arrays of indices, by name.

use super::Refusal;
use super::case::CaseStep;
use crate::AnyArray;

/// The result of a step; `None` when it is not one of these.
pub(super) fn apply(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    let _ = args;
    match step.op.as_str() {
        _ => None,
    }
}
