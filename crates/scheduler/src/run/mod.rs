//! One execution of a plan.

mod failures;
mod inline;
mod slot;

pub(crate) use failures::Failures;
pub(crate) use inline::run_inline;
