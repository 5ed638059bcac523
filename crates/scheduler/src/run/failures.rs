//! What went wrong in a run so far, and which tasks need not run because of it.
//!
//! It owns the rule that makes the first error independent of the number of threads: after task f has failed,
//! tasks above f are skipped and tasks below f still run, because one of them may fail before f in a
//! sequential run. It does not run anything.

use std::any::Any;
use std::fmt;

use crossbeam_utils::CachePadded;

use super::guard::panic_message;
use crate::error::{RunError, TaskError, TaskErrorKind};
use crate::plan::PlanData;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The failed tasks of one run.
pub(crate) struct Failures {
    /// The smallest failed task, `u32::MAX` when there is none. On its own cache line: every task reads it.
    first: CachePadded<AtomicU32>,
    errors: Mutex<Vec<(Cause, u32, TaskErrorKind)>>,
}

/// Whether an error stopped the run or came after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Task,
    /// The drop of a value that a failed run left behind.
    LeftOver,
}

impl Failures {
    pub(crate) fn new() -> Self {
        Self { first: CachePadded::new(AtomicU32::new(u32::MAX)), errors: Mutex::new(Vec::new()) }
    }

    /// Whether `task` comes after a task that has failed.
    // Relaxed: a late answer only runs a task in vain; the errors themselves are under the lock.
    #[inline]
    pub(crate) fn skips(&self, task: u32) -> bool {
        self.first.load(Relaxed) < task
    }

    /// Whether any task has failed.
    pub(crate) fn any(&self) -> bool {
        self.skips(u32::MAX)
    }

    pub(crate) fn add(&self, task: u32, kind: TaskErrorKind) {
        self.errors.lock().push((Cause::Task, task, kind));
        self.first.fetch_min(task, Relaxed);
    }

    pub(crate) fn add_panic(&self, task: u32, payload: Box<dyn Any + Send>) {
        self.add(task, TaskErrorKind::Panicked(panic_message(payload)));
    }

    /// Adds a panic in the drop of a value of `task`, after the run has failed.
    pub(crate) fn add_left_over(&self, task: u32, payload: Box<dyn Any + Send>) {
        let kind = TaskErrorKind::Panicked(panic_message(payload));
        self.errors.lock().push((Cause::LeftOver, task, kind));
    }

    /// The errors with their labels, in execution order.
    pub(crate) fn into_result<V>(self, plan: &PlanData<V>) -> Result<(), RunError> {
        let mut errors = self.errors.into_inner();
        if errors.is_empty() {
            return Ok(());
        }
        errors.sort_by_key(|(cause, task, _)| (*cause, *task));
        let label = |(_, task, kind)| {
            let (task, layer, index, label) = plan.describe(task);
            TaskError { task, label, layer, index, kind }
        };
        Err(RunError::new(errors.into_iter().map(label).collect()))
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures").field("first", &self.first.load(Relaxed)).finish_non_exhaustive()
    }
}
