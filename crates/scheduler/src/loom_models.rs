//! How models are checked. The models themselves are beside what they model, in files of this name.
//!
//! `.ci/model` runs them all; `LOOM_MAX_PREEMPTIONS=4 .ci/model` lets every model be preempted more often.

use loom::model::Builder;

/// Branches of one execution: a whole run has more than the thousand that loom allows by itself.
const MOST_BRANCHES: usize = 20_000;

/// Explores all interleavings with at most this many preemptions, or as many as the environment says if that is more.
/// A lost wake-up is a deadlock, which loom reports.
pub(crate) fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    // The builder has read LOOM_MAX_PREEMPTIONS.
    builder.preemption_bound = builder.preemption_bound.max(Some(preemptions));
    builder.max_branches = MOST_BRANCHES;
    builder.check(model);
}
