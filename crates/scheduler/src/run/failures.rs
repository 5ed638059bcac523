//! What went wrong in a run so far, and which tasks need not run because of it.
//!
//! It owns the rule that makes the first error independent of the number of threads: after task f has failed,
//! tasks above f are skipped and tasks below f still run, because one of them may fail before f in a
//! sequential run. A run that was cancelled, or that shall stop at any error, skips all. It does not run anything.

use std::any::Any;
use std::fmt;

use crossbeam_utils::CachePadded;

use super::guard::panic_message;
use super::options::ErrorMode;
use crate::error::{RunError, TaskError, TaskErrorKind};
use crate::plan::PlanData;
use crate::sync::Mutex;
use crate::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// The failed tasks of one run.
pub(crate) struct Failures {
    /// Tasks from this rank on are not wanted; `u32::MAX` while all are. On its own cache line: every task reads it.
    stop: CachePadded<AtomicU32>,
    mode: ErrorMode,
    cancelled: AtomicBool,
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
    pub(crate) fn new(mode: ErrorMode) -> Self {
        Self {
            stop: CachePadded::new(AtomicU32::new(u32::MAX)),
            mode,
            cancelled: AtomicBool::new(false),
            errors: Mutex::new(Vec::new()),
        }
    }

    /// Whether `task` is not wanted any more.
    // Relaxed: a late answer only runs a task in vain; the errors themselves are under the lock.
    #[inline]
    pub(crate) fn skips(&self, task: u32) -> bool {
        self.stop.load(Relaxed) <= task
    }

    /// Whether any task has failed, or the run was cancelled.
    pub(crate) fn any(&self) -> bool {
        // Acquire pairs with Release in `cancel`.
        self.stop.load(Acquire) < u32::MAX
    }

    /// No task is wanted any more.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
        // Release pairs with Acquire in `any`: who sees that everything stopped sees why.
        self.stop.store(0, Release);
    }

    pub(crate) fn add(&self, task: u32, kind: TaskErrorKind) {
        self.errors.lock().push((Cause::Task, task, kind));
        let stop = match self.mode {
            ErrorMode::Deterministic => task + 1,
            ErrorMode::FailFast => 0,
        };
        self.stop.fetch_min(stop, Relaxed);
    }

    /// Adds a panic in the drop of a value at its last use.
    pub(crate) fn add_panic(&self, task: u32, payload: Box<dyn Any + Send>) {
        self.add(task, TaskErrorKind::Panicked(panic_message(payload)));
    }

    /// Adds a panic in the drop of a value of `task`, after the run has failed.
    pub(crate) fn add_left_over(&self, task: u32, payload: Box<dyn Any + Send>) {
        let kind = TaskErrorKind::Panicked(panic_message(payload));
        self.errors.lock().push((Cause::LeftOver, task, kind));
    }

    /// The errors with their labels, in execution order.
    pub(crate) fn to_result<V>(&self, plan: &PlanData<V>) -> Result<(), RunError> {
        let mut errors = std::mem::take(&mut *self.errors.lock());
        // Relaxed: a caller that took no values has seen the reason with `any`.
        let cancelled = self.cancelled.load(Relaxed);
        if errors.is_empty() && !cancelled {
            return Ok(());
        }
        errors.sort_by_key(|(cause, task, _)| (*cause, *task));
        let label = |(_, task, kind)| {
            let (task, layer, index, label) = plan.describe(task);
            TaskError { task, label, layer, index, kind }
        };
        Err(RunError::new(errors.into_iter().map(label).collect(), cancelled))
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures").field("stop", &self.stop.load(Relaxed)).finish_non_exhaustive()
    }
}
