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

/// Observers, each until it panics.
pub(super) struct Watched {
    observers: Vec<Watcher>,
    run: RunEvent,
    live: AtomicU64,
}

struct Watcher {
    observer: Arc<dyn Observer>,
    muted: AtomicBool,
}

impl Watched {
    /// Tells that the run begins.
    pub(super) fn new(observers: Vec<Arc<dyn Observer>>, run: RunEvent) -> Self {
        let watcher = |observer| Watcher { observer, muted: AtomicBool::new(false) };
        let observers = observers.into_iter().map(watcher).collect();
        let watched = Self { observers, run, live: AtomicU64::new(0) };
        watched.tell(|observer| observer.run_started(&run));
        watched
    }

    fn tell(&self, event: impl Fn(&dyn Observer)) {
        for Watcher { observer, muted } in &self.observers {
            // Relaxed: an event more or less does not matter.
            if muted.load(Relaxed) {
                continue;
            }
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| event(&**observer))) {
                muted.store(true, Relaxed);
                super::panic_message(payload);
            }
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
