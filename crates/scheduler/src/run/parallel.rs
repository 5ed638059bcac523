//! A run that the threads of a pool share.
//!
//! It owns the state of the run and its way through the pool: registered, driven by the calling thread, helped by
//! workers, closed. What one thread does inside is the participant's.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::delayed::Delayed;
use super::finish::{conclude, drop_rest, take_kept};
use super::lane::Lane;
use super::participant::Participant;
use super::slot::Slots;
use super::sources::Cursor;
use super::watch::Watch;
use super::window::Window;
use super::work::{Inside, Work};
use crate::RunError;
use crate::error::TaskErrorKind;
use crate::pool::{Gate, Job, Shared};
use crate::sync::Backoff;
use crate::sync::atomic::{Ordering::SeqCst, fence};

/// The state that the threads of one run share.
pub(super) struct Run<V, W> {
    pub(super) work: Work<V, W>,
    pub(super) slots: Slots<V>,
    pub(super) cursor: Cursor,
    pub(super) lanes: Box<[CachePadded<Lane>]>,
    /// Tasks that wait for another attempt.
    pub(super) delayed: Delayed<V>,
    /// Absent when everything fits the budget at once.
    pub(super) window: Option<Window>,
    pub(super) gate: Arc<Gate>,
    pub(super) shared: Arc<Shared>,
}

/// Runs a plan on up to `threads` threads of the pool, the calling one included, within `budget`.
pub(super) fn run_parallel<V, W>(
    shared: &Arc<Shared>,
    threads: usize,
    work: Work<V, W>,
    budget: Option<u64>,
    gate: Arc<Gate>,
) -> Result<Vec<V>, RunError>
where
    V: Clone + Send + 'static,
    W: Watch,
{
    let run = Arc::new(Run::new(shared, threads, work, budget, gate));
    shared.registry.add(Arc::clone(&run) as Arc<dyn Job>);
    run.drive();
    Arc::into_inner(run).expect("a closed run is held by its caller alone").into_result()
}

impl<V: Clone, W: Watch> Run<V, W> {
    pub(super) fn new(
        shared: &Arc<Shared>,
        threads: usize,
        work: Work<V, W>,
        budget: Option<u64>,
        gate: Arc<Gate>,
    ) -> Self {
        let plan = &work.plan;
        Self {
            slots: Slots::new(plan.len()),
            cursor: Cursor::new(),
            lanes: Lane::all(threads),
            delayed: Delayed::new(),
            window: plan.blocks_for(threads, budget).map(Window::new),
            work,
            gate,
            shared: Arc::clone(shared),
        }
    }

    /// The calling thread works, waits for its helpers, and leaves when nothing is left and nobody is inside.
    fn drive(&self) {
        let backoff = Backoff::new();
        let mut participant = Participant::sit_down(self, 0);
        loop {
            if participant.work(&|| self.notify_workers_if_more()) {
                backoff.reset();
            }
            if self.gate.is_empty() && self.shared.registry.close(&self.gate) {
                return;
            }
            if !backoff.is_completed() {
                backoff.snooze();
                continue;
            }
            self.wait();
            backoff.reset();
        }
    }

    /// Waits for work, for the last helper to leave, or for the next attempt at a task to be due.
    fn wait(&self) {
        let due = self.delayed.next_due();
        self.gate.wait(due, || self.any_work() || self.delayed.next_due() != due);
    }

    /// Who woke the caller, or called for the run, counts on the caller to call for more hands.
    fn notify_workers_if_more(&self) {
        if self.any_work() {
            self.shared.sleep.notify();
        }
    }

    /// Tells that ready tasks were published: to the waiting caller, else to the workers.
    #[inline]
    pub(super) fn notify(&self) {
        // Pairs with the fences of those that go to sleep, in `Gate::wait` and `Sleep`.
        fence(SeqCst);
        if !self.gate.wake_caller_fenced() {
            self.shared.sleep.notify_fenced();
        }
    }

    /// Positions of the sources below this one may be taken.
    pub(super) fn open_sources(&self) -> u32 {
        let sources = &self.work.plan.sources;
        match &self.window {
            None => sources.len() as u32,
            Some(window) => {
                let limit = window.limit();
                sources.partition_point(|&source| source < limit) as u32
            }
        }
    }

    /// Whether the budget admits `task` now.
    #[inline]
    pub(super) fn may_start(&self, task: u32) -> bool {
        self.window.as_ref().is_none_or(|window| task < window.limit())
    }

    /// Whether `user` may start as soon as the one input at hand is there: it then need not be stored nor counted.
    #[inline]
    pub(super) fn is_last_input_of(&self, user: u32) -> bool {
        self.may_start(user) && self.slots.lacks_one(user, self.work.plan.inputs.len_of(user))
    }

    pub(super) fn any_work(&self) -> bool {
        self.source_is_open()
            || self.lanes.iter().any(|lane| !lane.is_empty())
            || self.delayed.has_ready(&self.work.failures)
    }

    /// Whether the next source may start and is still wanted.
    pub(super) fn source_is_open(&self) -> bool {
        let Some(&source) = self.work.plan.sources.get(self.cursor.position() as usize) else { return false };
        self.may_start(source) && !self.work.failures.skips(source)
    }

    /// Counts a finished task for the window; `ready` gets what may start because of it. True when more may.
    #[inline]
    pub(super) fn finish_in_window(&self, task: u32, ready: impl FnMut(u32)) -> bool {
        let Some(window) = &self.window else { return false };
        let raised = window.finish(task, || self.work.spilled.overdraft(), ready);
        raised.unwrap_or_else(|stuck| self.fail_for_memory(stuck))
    }

    /// What should be on disk fills the memory that the first unfinished task needs.
    #[cold]
    fn fail_for_memory(&self, task: u32) -> bool {
        let refusal = self.work.spilled.take_refusal();
        refusal.into_iter().for_each(|error| self.work.failures.add(task, TaskErrorKind::Spill(error)));
        false
    }

    pub(super) fn into_result(mut self) -> Result<Vec<V>, RunError> {
        let (plan, failures) = (&*self.work.plan, &*self.work.failures);
        let _inside = Inside::new(self.work.cancel.as_ref());
        let kept = take_kept(plan, failures, |task| self.slots.consume_alone(task).0);
        drop_rest(plan, failures, &mut self.slots);
        self.work.spilled.drop_rest(failures);
        conclude(plan, failures, kept)
    }
}

impl<V: Clone + Send, W: Watch> Job for Run<V, W> {
    fn has_work(&self) -> bool {
        self.any_work()
    }

    fn next_due(&self) -> Option<Instant> {
        self.delayed.next_due()
    }

    fn help(&self, seat: usize, busy: &dyn Fn()) -> bool {
        Participant::sit_down(self, seat).work(busy)
    }

    fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }
}
