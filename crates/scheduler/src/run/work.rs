//! One task, from its inputs to its value: what the executors have in common.
//!
//! It owns the calls into user code, their guards and what the observer hears of them. Where inputs come from and where
//! the value goes is the executor's.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::failures::Failures;
use super::guard::{drop_left_over, panic_message};
use super::spilled::Spilled;
use super::watch::Watch;
use crate::error::TaskErrorKind;
use crate::observe::TaskEnd;
use crate::plan::{PlanData, What};
use crate::{BoxError, Layer, TaskBytes, TaskCx};

/// What every thread of a run needs.
pub(super) struct Work<V, W> {
    pub(super) plan: Arc<PlanData<V>>,
    pub(super) failures: Arc<Failures>,
    pub(super) spilled: Spilled<V>,
    pub(super) watch: W,
}

/// A task at hand: who runs it, and for which time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) task: u32,
    pub(super) seat: usize,
    /// Attempts that have failed before.
    pub(super) failed: u32,
}

/// What became of a task.
pub(super) enum Outcome<V> {
    Value(V),
    /// It has no value: it was written to disk.
    Written,
    /// Its error is in the list.
    Failed,
    /// It failed and shall be tried again, after a pause and with these inputs; its end will free so many bytes.
    Again {
        pause: Duration,
        inputs: Vec<V>,
        freed: u64,
    },
}

thread_local! {
    /// How many tasks this thread is inside of.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread runs a task, of whatever pool.
///
/// What waits for memory, or for a lock, must not do so inside a task that holds some.
///
/// ```
/// assert!(!chunkwise_scheduler::inside_task());
/// ```
#[must_use]
pub fn inside_task() -> bool {
    DEPTH.get() > 0
}

/// Marks a thread as running a task.
struct Inside;

impl Inside {
    fn new() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

impl<V: Clone, W: Watch> Work<V, W> {
    /// Runs a task. `gather` adds its inputs to `inputs` and tells how many bytes this use of them frees; afterwards
    /// `inputs` is empty.
    // Inlined, so that the outcome is not moved through memory.
    #[inline(always)]
    pub(super) fn run(
        &self,
        turn: Turn,
        inputs: &mut Vec<V>,
        gather: impl FnOnce(&mut Vec<V>) -> u64,
    ) -> Outcome<V> {
        let (plan, task) = (&*self.plan, turn.task);
        let bytes = if W::ON { plan.bytes(task) } else { Default::default() };
        self.watch.started(plan, task, turn.seat, bytes.total());
        let mut freed = 0;
        let inside = Inside::new();
        let result = catch_unwind(AssertUnwindSafe(|| {
            freed = gather(inputs);
            let outcome = self.call(turn, inputs);
            inputs.clear();
            outcome
        }));
        let outcome = match result {
            Ok(Ok(Outcome::Again { pause, inputs, .. })) => Outcome::Again { pause, inputs, freed },
            Ok(Ok(outcome)) => outcome,
            Ok(Err(kind)) => self.fail(task, kind, inputs),
            Err(payload) => self.fail(task, TaskErrorKind::Panicked(panic_message(payload)), inputs),
        };
        drop(inside);
        if W::ON {
            let (end, gone) = self.end_of(task, &outcome, bytes, freed);
            self.watch.finished(plan, task, turn.seat, gone, end);
        }
        outcome
    }

    /// How a task has ended, and the bytes that are not in use any more.
    fn end_of(&self, task: u32, outcome: &Outcome<V>, bytes: TaskBytes, freed: u64) -> (TaskEnd, u64) {
        match outcome {
            Outcome::Value(_) if self.plan.is_used(task) => {
                (TaskEnd::Done, bytes.scratch.saturating_add(freed))
            }
            Outcome::Value(_) | Outcome::Written => (TaskEnd::Done, bytes.total().saturating_add(freed)),
            Outcome::Failed => (TaskEnd::Failed, bytes.total().saturating_add(freed)),
            // The inputs stay.
            Outcome::Again { .. } => (TaskEnd::Retry, bytes.total()),
        }
    }

    #[inline(always)]
    fn call(&self, turn: Turn, inputs: &mut Vec<V>) -> Result<Outcome<V>, TaskErrorKind> {
        let cx = TaskCx::new(&self.failures, turn.task, turn.seat);
        match self.plan.what(turn.task) {
            What::Compute { layer, index, retries: false } => {
                layer.run(index, inputs, &cx).map(Outcome::Value).map_err(TaskErrorKind::Returned)
            }
            What::Compute { layer, index, .. } => attempt(layer, index, inputs, &cx, turn.failed + 1),
            What::Spill(record) => {
                let value = inputs.pop().expect("a spill has one input");
                self.spilled.write(&self.plan, turn.task, record, value);
                Ok(Outcome::Written)
            }
            What::Load(record) => self.spilled.read(&self.plan, turn.task, record).map(Outcome::Value),
        }
    }

    #[cold]
    fn fail(&self, task: u32, kind: TaskErrorKind, inputs: &mut Vec<V>) -> Outcome<V> {
        self.failures.add(task, kind);
        drop_left_over(&self.failures, task, std::mem::take(inputs));
        Outcome::Failed
    }
}

/// Runs a task that may be run again: on copies of its inputs.
#[cold]
fn attempt<V: Clone>(
    layer: &dyn Layer<V>,
    index: u32,
    inputs: &mut Vec<V>,
    cx: &TaskCx<'_>,
    failed: u32,
) -> Result<Outcome<V>, TaskErrorKind> {
    let mut copies = inputs.clone();
    let error: BoxError = match layer.run(index, &mut copies, cx) {
        Ok(value) => return Ok(Outcome::Value(value)),
        Err(error) => error,
    };
    match layer.retry(index, failed, &*error) {
        Some(pause) => Ok(Outcome::Again { pause, inputs: std::mem::take(inputs), freed: 0 }),
        None => Err(TaskErrorKind::Returned(error)),
    }
}
