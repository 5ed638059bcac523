//! The runs in flight and the workers' way into them.
//!
//! It owns the list of runs and the rule that a run is closed only while nobody is inside. It does not know
//! what a run computes.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::gate::Gate;
use crate::sync::Mutex;

/// What a worker sees of a run.
pub(crate) trait Job: Send + Sync + fmt::Debug {
    /// Whether a task could be taken right now. May be out of date at once.
    fn has_work(&self) -> bool;

    /// When a task is due that waits for its next attempt, if one does.
    fn next_due(&self) -> Option<Instant>;

    /// Works as the thread of this seat until no task is found; true when there was at least one. `busy` is called
    /// once the first is taken.
    fn help(&self, seat: usize, busy: &dyn Fn()) -> bool;

    /// The door of the run.
    fn gate(&self) -> &Arc<Gate>;
}

/// The runs in flight, oldest first.
pub(crate) struct Registry {
    jobs: Mutex<Vec<Arc<dyn Job>>>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self { jobs: Mutex::new(Vec::new()) }
    }

    pub(crate) fn add(&self, job: Arc<dyn Job>) {
        self.jobs.lock().push(job);
    }

    pub(crate) fn has_work(&self) -> bool {
        self.jobs.lock().iter().any(|job| job.has_work())
    }

    /// When the first task is due that waits for its next attempt.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.jobs.lock().iter().filter_map(|job| job.next_due()).min()
    }

    /// Enters the youngest run that has work: nested runs come first, somebody waits inside for them.
    pub(super) fn enter(&self) -> Option<Arc<dyn Job>> {
        let jobs = self.jobs.lock();
        let job = jobs.iter().rev().find(|job| job.has_work())?;
        job.gate().enter();
        Some(Arc::clone(job))
    }

    /// Removes a run if no worker is inside and no task is left to take or to wait for; afterwards the caller alone holds it.
    ///
    /// Nobody can enter while the list is locked, and without helpers only the caller could publish work: what is
    /// seen here stays true.
    pub(crate) fn close(&self, gate: &Arc<Gate>) -> bool {
        let mut jobs = self.jobs.lock();
        let Some(at) = jobs.iter().position(|job| Arc::ptr_eq(job.gate(), gate)) else { return true };
        if !gate.is_empty() || jobs[at].next_due().is_some() || jobs[at].has_work() {
            return false;
        }
        jobs.remove(at);
        true
    }
}

impl fmt::Debug for Registry {
    /// Holds the lock while the runs are put into words, for nobody else may hold a run that its caller closes; not
    /// while the words are written, since the writer is the user's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs: Vec<String> = self.jobs.lock().iter().map(|job| format!("{job:?}")).collect();
        write!(f, "[{}]", jobs.join(", "))
    }
}
