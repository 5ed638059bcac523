//! A run that the threads of a pool share.
//!
//! It owns the state of the run and its way through the pool: registered, driven by the calling thread, helped by
//! workers, closed. What one thread does inside is the participant's.

use std::sync::Arc;

use crossbeam_utils::{Backoff, CachePadded};

use super::failures::Failures;
use super::finish::{drop_rest, take_kept};
use super::lane::Lane;
use super::participant::Participant;
use super::pending::Pending;
use super::slot::Slot;
use super::sources::Cursor;
use super::window::Window;
use crate::RunError;
use crate::blocks::Blocks;
use crate::plan::PlanData;
use crate::pool::{Gate, Job, Shared};
use crate::sync::Mutex;

/// The state that the threads of one run share.
pub(super) struct Run<V> {
    pub(super) plan: Arc<PlanData<V>>,
    pub(super) slots: Box<[Mutex<Slot<V>>]>,
    pub(super) pending: Pending,
    pub(super) cursor: Cursor,
    pub(super) lanes: Box<[CachePadded<Lane>]>,
    /// Absent when everything fits the budget at once.
    pub(super) window: Option<Window>,
    pub(super) failures: Failures,
    pub(super) gate: Arc<Gate>,
    pub(super) shared: Arc<Shared>,
}

/// Runs a plan on up to `threads` threads of the pool, the calling one included.
pub(super) fn run_parallel<V>(
    shared: &Arc<Shared>,
    threads: usize,
    plan: &Arc<PlanData<V>>,
) -> Result<Vec<V>, RunError>
where
    V: Clone + Send + 'static,
{
    let run = Arc::new(Run::new(shared, threads, plan));
    shared.registry.add(Arc::clone(&run) as Arc<dyn Job>);
    run.drive();
    Arc::into_inner(run).expect("a closed run is held by its caller alone").into_result()
}

impl<V: Clone> Run<V> {
    fn new(shared: &Arc<Shared>, threads: usize, plan: &Arc<PlanData<V>>) -> Self {
        Self {
            plan: Arc::clone(plan),
            slots: plan.uses().map(|uses| Mutex::new(Slot::new(uses))).collect(),
            pending: Pending::new(&plan.inputs),
            cursor: Cursor::new(),
            lanes: Lane::all(threads),
            window: plan.blocks_for(threads).map(Window::new),
            failures: Failures::new(),
            gate: Arc::new(Gate::new()),
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
            self.gate.wait(|| self.any_work());
            backoff.reset();
        }
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
        if !self.gate.wake_caller() {
            self.shared.sleep.notify();
        }
    }

    /// Positions of the sources below this one may be taken.
    pub(super) fn open_sources(&self) -> u32 {
        let sources = &self.plan.sources;
        match &self.window {
            None => sources.len() as u32,
            Some(window) => {
                let limit = window.limit();
                sources.partition_point(|&source| source < limit) as u32
            }
        }
    }

    /// The window with its memory plan.
    #[inline]
    pub(super) fn window(&self) -> Option<(&Window, &Blocks)> {
        self.window.as_ref().zip(self.plan.blocks())
    }

    /// Whether the budget admits `task` now.
    #[inline]
    pub(super) fn may_start(&self, task: u32) -> bool {
        self.window.as_ref().is_none_or(|window| task < window.limit())
    }

    /// Whether `user` may start as soon as the one input at hand is there: it then need not be stored nor counted.
    #[inline]
    pub(super) fn is_last_input_of(&self, user: u32) -> bool {
        self.may_start(user) && self.pending.lacks_one(user, self.plan.inputs.len_of(user))
    }

    pub(super) fn any_work(&self) -> bool {
        self.source_is_open() || self.lanes.iter().any(|lane| !lane.is_empty())
    }

    /// Whether the next source may start and is still wanted.
    pub(super) fn source_is_open(&self) -> bool {
        let Some(&source) = self.plan.sources.get(self.cursor.position() as usize) else { return false };
        self.may_start(source) && !self.failures.skips(source)
    }

    fn into_result(self) -> Result<Vec<V>, RunError> {
        let slots = self.slots.into_vec();
        let kept = take_kept(&self.plan, &self.failures, |task| slots[task as usize].lock().consume());
        drop_rest(&self.failures, slots.into_iter().map(Mutex::into_inner));
        self.failures.into_result(&self.plan).map(|()| kept)
    }
}

impl<V: Clone + Send> Job for Run<V> {
    fn has_work(&self) -> bool {
        self.any_work()
    }

    fn help(&self, seat: usize, busy: &dyn Fn()) -> bool {
        Participant::sit_down(self, seat).work(busy)
    }

    fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }
}
