//! A run on the calling thread alone.
//!
//! It owns the sequential executor: ranks in ascending order, no counters, no atomics. It is used for pools of
//! one thread and for graphs not worth a wake-up. The plan's peak is its peak, so it needs no window.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use super::finish::{conclude, drop_rest, take_kept};
use super::guard::drop_left_over;
use super::slot::Slots;
use super::watch::Watch;
use super::work::{Hand, Inside, Outcome, Turn, Work};
use crate::error::{RunError, TaskErrorKind};
use crate::plan::HandOver;

/// Runs every task in order and returns the kept values.
pub(super) fn run_inline<V: Clone, W: Watch>(
    work: &Work<V, W>,
    budget: Option<u64>,
) -> Result<Vec<V>, RunError> {
    let mut line = Line::new(work, budget);
    let result = catch_unwind(AssertUnwindSafe(|| line.run_all()));
    if let Err(payload) = result {
        work.panicked(&mut line.hand, payload);
    }
    line.into_result()
}

/// A run in its order.
struct Line<'run, V, W> {
    work: &'run Work<V, W>,
    budget: Option<u64>,
    slots: Slots<V>,
    hand: Hand<V>,
    /// A task just run and its value, if its only user is the next task.
    carried: Option<(u32, V)>,
}

impl<'run, V: Clone, W: Watch> Line<'run, V, W> {
    fn new(work: &'run Work<V, W>, budget: Option<u64>) -> Self {
        Self { slots: Slots::new(work.plan.len()), hand: Hand::new(0), carried: None, work, budget }
    }

    /// Runs the tasks up to the first that fails or is not wanted.
    fn run_all(&mut self) {
        let _inside = Inside::new(self.work.cancel.as_ref());
        for task in 0..self.work.plan.len() as u32 {
            if self.work.failures.skips(task) || !self.step(task) {
                return;
            }
        }
    }

    /// Runs one task; false when it failed.
    #[inline(always)]
    fn step(&mut self, task: u32) -> bool {
        let mut outcome = self.run(task);
        let mut turn = Turn { task, seat: 0, failed: 0 };
        while let Outcome::Again(again) = outcome {
            turn.failed += 1;
            wait(again.pause, || self.work.failures.skips(task));
            if self.work.failures.skips(task) {
                drop_left_over(&self.work.failures, task, again.inputs);
                return false;
            }
            self.hand.inputs = again.inputs;
            outcome = self.work.run(turn, &mut self.hand, |_, _| again.freed);
        }
        match outcome {
            Outcome::Value(value) => self.store(task, value),
            Outcome::Written => {}
            Outcome::Refused => return self.check_overdraft(task),
            _ => return false,
        }
        true
    }

    #[inline(always)]
    fn run(&mut self, task: u32) -> Outcome<V> {
        let Self { work, slots, carried, .. } = self;
        let turn = Turn { task, seat: 0, failed: 0 };
        work.run(turn, &mut self.hand, |tasks, inputs| {
            let mut freed = 0;
            for &input in tasks {
                let (value, is_last) = match carried.take_if(|(from, _)| *from == input) {
                    Some((_, value)) => (value, true),
                    None => slots.consume_alone(input),
                };
                inputs.push(value);
                if W::ON && is_last {
                    freed = u64::wrapping_add(freed, work.plan.bytes(input).output);
                }
            }
            freed
        })
    }

    /// Keeps a value for its users; without any it is dropped.
    #[inline(always)]
    fn store(&mut self, task: u32, value: V) {
        match self.work.plan.hand_over(task) {
            HandOver::Nobody => drop(value),
            HandOver::Only(user) if user == task + 1 => self.carried = Some((task, value)),
            HandOver::Only(_) => self.slots.fill_alone(task, value, 1),
            HandOver::Shared(uses) => self.slots.fill_alone(task, value, uses),
        }
    }

    /// Whether the run can go on after `task` was to be written to disk; without a disk it goes on while memory lasts.
    fn check_overdraft(&self, task: u32) -> bool {
        let work = self.work;
        let overdraft = work.spilled.overdraft();
        if overdraft == 0 || work.plan.spare_bytes(self.budget) >= overdraft {
            return true;
        }
        let refusal = work.spilled.take_refusal();
        refusal.into_iter().for_each(|error| work.failures.add(task, TaskErrorKind::Spill(error)));
        false
    }

    fn into_result(mut self) -> Result<Vec<V>, RunError> {
        let (plan, failures) = (&*self.work.plan, &*self.work.failures);
        if let Some((from, value)) = self.carried.take() {
            drop_left_over(failures, from, value);
        }
        let _inside = Inside::new(self.work.cancel.as_ref());
        let kept = take_kept(plan, failures, |task| self.slots.consume_alone(task).0);
        drop_rest(plan, failures, &mut self.slots);
        self.work.spilled.drop_rest(failures);
        conclude(plan, failures, kept)
    }
}

/// Pauses, in steps short enough to notice that the task is not wanted any more.
fn wait(pause: Duration, skip: impl Fn() -> bool) {
    const STEP: Duration = Duration::from_millis(20);
    let end = Instant::now() + pause.min(Duration::from_secs(7 * 24 * 3600));
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        if skip() {
            return;
        }
        thread::sleep(left.min(STEP));
    }
}
