//! Counting the inputs of tasks.

use crate::sync::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire},
};

/// How many inputs of each task have arrived. The thread that brings the last one owns the right to run the task.
/// Tasks with one input have no use for the count: theirs is not touched.
pub(crate) struct Pending(Box<[AtomicU32]>);

impl Pending {
    pub(crate) fn new(tasks: usize) -> Self {
        // Zeros in memory that is not touched.
        Self(vec![0; tasks].into_iter().map(AtomicU32::new).collect())
    }

    /// Counts one input of `task`, which has `inputs`; true for exactly one caller, after the last input.
    #[inline]
    pub(crate) fn input_arrived(&self, task: u32, inputs: u32) -> bool {
        // AcqRel: Release publishes this input, Acquire lets the last arriver see all the others.
        inputs == 1 || self.0[task as usize].fetch_add(1, AcqRel) + 1 == inputs
    }

    /// Whether all of the `inputs` of `task` but one have arrived. The thread that brings the last one then owns the
    /// right to run the task without counting it.
    #[inline]
    pub(crate) fn lacks_one(&self, task: u32, inputs: u32) -> bool {
        // Acquire pairs with Release in `input_arrived`.
        inputs == 1 || self.0[task as usize].load(Acquire) + 1 == inputs
    }
}
