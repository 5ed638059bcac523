//! Telling the observer of a run, or nobody.
//!
//! It owns the switch between the two, which is a type: what is not watched costs nothing. It also keeps the count
//! of live bytes, which only an observer asks for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::observe::{Observer, RunEvent, TaskEnd, TaskEvent};
use crate::plan::PlanData;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Who looks on.
pub(super) trait Watch: Send + Sync + 'static {
    /// Whether anybody does.
    const ON: bool;

    /// A task begins on a seat: `bytes` come into use.
    fn started<V>(&self, plan: &PlanData<V>, task: u32, seat: usize, bytes: u64);

    /// A task has ended: `bytes` are no longer in use.
    fn finished<V>(&self, plan: &PlanData<V>, task: u32, seat: usize, bytes: u64, end: TaskEnd);
}

/// Nobody.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    const ON: bool = false;

    #[inline(always)]
    fn started<V>(&self, _: &PlanData<V>, _: u32, _: usize, _: u64) {}

    #[inline(always)]
    fn finished<V>(&self, _: &PlanData<V>, _: u32, _: usize, _: u64, _: TaskEnd) {}
}

/// An observer, until it panics.
pub(super) struct Watched {
    observer: Arc<dyn Observer>,
    run: RunEvent,
    live: AtomicU64,
    muted: AtomicBool,
}

impl Watched {
    /// Tells that the run begins.
    pub(super) fn new(observer: Arc<dyn Observer>, run: RunEvent) -> Self {
        let watched = Self { observer, run, live: AtomicU64::new(0), muted: AtomicBool::new(false) };
        watched.tell(|observer| observer.run_started(&run));
        watched
    }

    fn tell(&self, event: impl FnOnce(&dyn Observer)) {
        // Relaxed: an event more or less does not matter.
        if self.muted.load(Relaxed) {
            return;
        }
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| event(&*self.observer))) {
            self.muted.store(true, Relaxed);
            super::panic_message(payload);
        }
    }

    fn event<'a, V>(&self, plan: &'a PlanData<V>, task: u32, seat: usize, live: u64) -> TaskEvent<'a> {
        let (id, layer, index) = plan.identity(task);
        TaskEvent {
            run: self.run.run,
            worker: seat,
            rank: task,
            task: id,
            layer,
            index,
            kind: plan.kind(task),
            bytes: plan.event_bytes(task),
            live_bytes: live,
            labels: plan,
        }
    }
}

impl Drop for Watched {
    /// Tells that the run is over.
    fn drop(&mut self) {
        let run = self.run;
        self.tell(|observer| observer.run_finished(&run));
    }
}

impl Watch for Watched {
    const ON: bool = true;

    fn started<V>(&self, plan: &PlanData<V>, task: u32, seat: usize, bytes: u64) {
        let live = self.live.fetch_add(bytes, Relaxed).wrapping_add(bytes);
        self.tell(|observer| observer.task_started(&self.event(plan, task, seat, live)));
    }

    fn finished<V>(&self, plan: &PlanData<V>, task: u32, seat: usize, bytes: u64, end: TaskEnd) {
        let live = self.live.fetch_sub(bytes, Relaxed).wrapping_sub(bytes);
        self.tell(|observer| observer.task_finished(&self.event(plan, task, seat, live), end));
    }
}
