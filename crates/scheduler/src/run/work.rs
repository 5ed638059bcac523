//! One task, from its inputs to its value: what the executors have in common.
//!
//! It owns the calls into user code and what the observer hears of them. Where inputs come from and where the value goes
//! is the executor's. So is the guard around these calls, which is around many tasks at once: whoever catches a panic
//! finds the task in its [`Hand`].

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use super::failures::Failures;
use super::guard::drop_left_over;
use super::spilled::Spilled;
use super::watch::Watch;
use crate::error::TaskErrorKind;
use crate::observe::TaskEnd;
use crate::plan::{PlanData, What};
use crate::{BoxError, CancelToken, Layer, TaskBytes, TaskCx};

/// What every thread of a run needs.
pub(super) struct Work<V, W> {
    pub(super) plan: Arc<PlanData<V>>,
    pub(super) failures: Arc<Failures>,
    pub(super) spilled: Spilled<V>,
    pub(super) watch: W,
    /// Cancels the run, and the runs that its tasks call for.
    pub(super) cancel: Option<CancelToken>,
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
    /// It should have been written to disk, and stays in memory.
    Refused,
    /// Its error is in the list.
    Failed,
    /// It failed and shall be tried again.
    // Boxed: it is rare, and the others are small.
    Again(Box<Retrial<V>>),
}

/// A task that shall run again.
pub(super) struct Retrial<V> {
    pub(super) pause: Duration,
    pub(super) inputs: Vec<V>,
    /// Bytes that its end will free.
    pub(super) freed: u64,
}

/// What a thread works with, and on.
pub(super) struct Hand<V> {
    turn: Turn,
    /// The inputs that have not been used up; kept for its capacity.
    pub(super) inputs: Vec<V>,
    /// Bytes that the end of the task frees.
    freed: u64,
    /// Whether the observer was told of the task's start and not of its end.
    open: bool,
}

impl<V> Hand<V> {
    pub(super) fn new(seat: usize) -> Self {
        Self { turn: Turn { task: 0, seat, failed: 0 }, inputs: Vec::new(), freed: 0, open: false }
    }
}

thread_local! {
    /// How many runs this thread runs tasks of, one inside the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What cancels the innermost of them that can be.
    static CANCEL: RefCell<Option<CancelToken>> = const { RefCell::new(None) };
}

/// What cancels the run whose task this thread is inside of, or one around it.
pub(super) fn outer_cancel() -> Option<CancelToken> {
    CANCEL.with_borrow(Clone::clone)
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

/// Marks a thread as running tasks, or calling other code of the user's for a run.
pub(super) struct Inside {
    /// What was there before.
    cancel: Option<CancelToken>,
}

impl Inside {
    /// Inside of a run that this token cancels.
    pub(super) fn new(cancel: Option<&CancelToken>) -> Self {
        DEPTH.set(DEPTH.get() + 1);
        let cancel = cancel.cloned().or_else(outer_cancel);
        Self { cancel: CANCEL.replace(cancel) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        CANCEL.set(self.cancel.take());
        DEPTH.set(DEPTH.get() - 1);
    }
}

impl<V: Clone, W: Watch> Work<V, W> {
    /// Runs a task. `gather` adds the values of the tasks it is given to the inputs in the hand, and tells how many bytes
    /// this use of them frees; afterwards there are no inputs. Panics of user code pass through: see
    /// [`panicked`](Self::panicked).
    // Inlined, so that the outcome is not moved through memory.
    #[inline(always)]
    pub(super) fn run(
        &self,
        turn: Turn,
        hand: &mut Hand<V>,
        gather: impl FnOnce(&[u32], &mut Vec<V>) -> u64,
    ) -> Outcome<V> {
        let plan = &*self.plan;
        hand.turn = turn;
        if W::ON {
            (hand.open, hand.freed) = (true, 0);
            self.watch.started(plan, turn.task, turn.seat, plan.bytes(turn.task).total());
        }
        let what = plan.what(turn.task);
        hand.freed = gather(what.values_of(plan.inputs.row(turn.task)), &mut hand.inputs);
        let result = self.call(what, hand);
        hand.inputs.clear();
        let outcome = result.unwrap_or_else(|kind| {
            self.failures.add(turn.task, kind);
            Outcome::Failed
        });
        if W::ON {
            self.tell_end(hand, &outcome);
        }
        outcome
    }

    /// Makes an error of a panic that came out of [`run`](Self::run), or of the drop of its outcome.
    #[cold]
    pub(super) fn panicked(&self, hand: &mut Hand<V>, payload: Box<dyn Any + Send>) {
        let task = hand.turn.task;
        self.failures.add_panic(task, payload);
        drop_left_over(&self.failures, task, std::mem::take(&mut hand.inputs));
        if W::ON && hand.open {
            self.tell_end(hand, &Outcome::Failed);
        }
    }

    fn tell_end(&self, hand: &mut Hand<V>, outcome: &Outcome<V>) {
        let Turn { task, seat, .. } = hand.turn;
        hand.open = false;
        let (end, gone) = self.end_of(task, outcome, self.plan.bytes(task), hand.freed);
        self.watch.finished(&self.plan, task, seat, gone, end);
    }

    /// How a task has ended, and the bytes that are not in use any more. Sums wrap: so does the count they are taken off.
    fn end_of(&self, task: u32, outcome: &Outcome<V>, bytes: TaskBytes, freed: u64) -> (TaskEnd, u64) {
        let all = bytes.total().wrapping_add(freed);
        match outcome {
            Outcome::Value(_) if self.plan.is_used(task) => {
                (TaskEnd::Done, all.wrapping_sub(bytes.output.min(bytes.total())))
            }
            Outcome::Value(_) | Outcome::Written => (TaskEnd::Done, all),
            // The record has the value now.
            Outcome::Refused => (TaskEnd::Refused, all.wrapping_sub(self.plan.event_bytes(task).output)),
            Outcome::Failed => (TaskEnd::Failed, all),
            // The inputs stay.
            Outcome::Again(_) => (TaskEnd::Retry, bytes.total()),
        }
    }

    #[inline(always)]
    fn call(&self, what: What<'_, V>, hand: &mut Hand<V>) -> Result<Outcome<V>, TaskErrorKind> {
        let Turn { task, seat, .. } = hand.turn;
        let cx = TaskCx::new(&self.failures, task, seat);
        match what {
            What::Compute { layer, index, retries: false } => {
                layer.run(index, &mut hand.inputs, &cx).map(Outcome::Value).map_err(TaskErrorKind::Returned)
            }
            What::Compute { layer, index, .. } => attempt(layer, index, hand, &cx),
            What::Spill(record) => {
                let value = hand.inputs.pop().expect("a spill has one input");
                let is_written = self.spilled.write(&self.plan, task, record, value);
                Ok(if is_written { Outcome::Written } else { Outcome::Refused })
            }
            What::Load(record) => {
                let (value, moves) = self.spilled.read(&self.plan, task, record)?;
                if W::ON && moves {
                    hand.freed = hand.freed.wrapping_add(self.plan.bytes(task).output);
                }
                Ok(Outcome::Value(value))
            }
        }
    }
}

/// Runs a task that may be run again: on copies of its inputs.
#[cold]
fn attempt<V: Clone>(
    layer: &dyn Layer<V>,
    index: u32,
    hand: &mut Hand<V>,
    cx: &TaskCx<'_>,
) -> Result<Outcome<V>, TaskErrorKind> {
    let mut copies = hand.inputs.clone();
    let error: BoxError = match layer.run(index, &mut copies, cx) {
        Ok(value) => return Ok(Outcome::Value(value)),
        Err(error) => error,
    };
    match layer.retry(index, hand.turn.failed + 1, &*error) {
        Some(pause) => {
            let inputs = std::mem::take(&mut hand.inputs);
            Ok(Outcome::Again(Box::new(Retrial { pause, inputs, freed: hand.freed })))
        }
        None => Err(TaskErrorKind::Returned(error)),
    }
}
