//! The loop of a worker thread: search, help, sleep.
//!
//! It owns the order of these steps. What it helps with is the registry's, how it sleeps is [`Sleep`]'s.

use super::Shared;
use crate::sync::Backoff;

/// Runs worker thread `worker` (its seat in every run is `worker + 1`) until the pool closes.
pub(crate) fn work(shared: &Shared, worker: usize) {
    shared.sleep.start_search();
    while search(shared, worker) {}
}

/// One search, ending in help, in sleep, or (false) in the end of the pool.
fn search(shared: &Shared, worker: usize) -> bool {
    let backoff = Backoff::new();
    loop {
        if help_one(shared, worker) {
            return true;
        }
        if shared.is_closed() {
            return false;
        }
        if backoff.is_completed() {
            let due = shared.registry.next_due();
            shared.sleep.sleep(worker, due, || shared.is_closed() || shared.registry.has_work());
            return true;
        }
        backoff.snooze();
    }
}

/// Helps one run as long as it has work; true when a task was run.
fn help_one(shared: &Shared, worker: usize) -> bool {
    let Some(job) = shared.registry.enter() else { return false };
    let helped = job.help(worker + 1, &|| shared.sleep.found(|| shared.registry.has_work()));
    let gate = std::sync::Arc::clone(job.gate());
    drop(job);
    gate.leave();
    if helped {
        shared.sleep.start_search();
    }
    helped
}
