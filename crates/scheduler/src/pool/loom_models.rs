//! Models of the protocols in the README beside this file: sleeping, the gate, the list of runs, the end of the pool.

use std::fmt;
use std::sync::Arc as StdArc;
use std::time::{Duration, Instant};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use loom::thread;

use super::{Gate, Job, Shared, Sleep, work};
use crate::loom_models::check;

/// The tasks of a model: a count that anybody may take from.
#[derive(Default)]
struct Work(AtomicU32);

impl Work {
    fn push(&self, tasks: u32) {
        self.0.fetch_add(tasks, Relaxed);
    }

    fn exists(&self) -> bool {
        self.0.load(Relaxed) > 0
    }

    fn take(&self) -> bool {
        let mut tasks = self.0.load(Relaxed);
        while tasks > 0 {
            match self.0.compare_exchange(tasks, tasks - 1, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(now) => tasks = now,
            }
        }
        false
    }
}

struct Model {
    work: Work,
    sleep: Sleep,
}

impl Model {
    fn new(workers: usize) -> Arc<Self> {
        Arc::new(Self { work: Work::default(), sleep: Sleep::new(workers) })
    }

    /// A worker that ends after `tasks` tasks.
    fn work(&self, worker: usize, tasks: u32) {
        for _ in 0..tasks {
            self.sleep.start_search();
            while !self.work.take() {
                self.sleep.sleep(worker, None, || self.work.exists());
            }
            self.sleep.found(|| self.work.exists());
        }
    }
}

#[test]
fn loom_a_task_published_while_the_worker_falls_asleep_wakes_it() {
    check(3, || {
        let model = Model::new(1);
        let worker = thread::spawn({
            let model = Arc::clone(&model);
            move || model.work(0, 2)
        });
        for _ in 0..2 {
            model.work.push(1);
            model.sleep.notify();
        }
        worker.join().unwrap();
    });
}

#[test]
fn loom_one_notice_of_two_tasks_wakes_two_workers() {
    check(2, || {
        let model = Model::new(2);
        let workers = [0, 1].map(|worker| {
            let model = Arc::clone(&model);
            thread::spawn(move || model.work(worker, 1))
        });
        model.work.push(2);
        model.sleep.notify();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn loom_two_publishers_wake_two_workers() {
    check(2, || {
        let model = Model::new(2);
        let publish = |model: &Model| {
            model.work.push(1);
            model.sleep.notify();
        };
        let workers = [0, 1].map(|worker| {
            let model = Arc::clone(&model);
            thread::spawn(move || {
                model.work(worker, 1);
                if worker == 0 {
                    publish(&model);
                }
            })
        });
        publish(&model);
        publish(&model);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn loom_the_end_of_the_pool_wakes_a_worker_that_falls_asleep() {
    check(3, || {
        let model = Arc::new((Sleep::new(1), AtomicBool::new(false)));
        let worker = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                model.0.start_search();
                while !model.1.load(Relaxed) {
                    model.0.sleep(0, None, || model.1.load(Relaxed));
                }
            }
        });
        model.1.store(true, Relaxed);
        model.0.wake_all();
        worker.join().unwrap();
    });
}

#[test]
fn loom_the_caller_hears_of_tasks_and_of_the_last_helper() {
    check(3, || {
        let model = Arc::new((Gate::new(), Work::default()));
        model.0.enter();
        let helper = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                model.1.push(1);
                model.0.wake_caller();
                model.0.leave();
            }
        });
        let mut taken = false;
        while !(taken && model.0.is_empty()) {
            if model.1.take() {
                taken = true;
            } else {
                model.0.wait(None, || model.1.exists());
            }
        }
        helper.join().unwrap();
    });
}

#[test]
fn loom_two_helpers_leave_and_the_last_one_wakes_the_caller() {
    check(3, || {
        let gate = Arc::new(Gate::new());
        gate.enter();
        gate.enter();
        let helpers = [0, 1].map(|_| {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.leave())
        });
        while !gate.is_empty() {
            gate.wait(None, || false);
        }
        helpers.into_iter().for_each(|helper| helper.join().unwrap());
    });
}

#[test]
fn loom_a_caller_that_waits_for_a_time_hears_of_earlier_work_and_of_a_cancel() {
    check(3, || {
        // The time never comes: only the others can wake the caller.
        let never = Some(Instant::now() + Duration::from_secs(3600));
        let model = Arc::new((Gate::new(), Work::default(), AtomicBool::new(false)));
        model.0.enter();
        let helper = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                model.1.push(1);
                model.0.wake_caller();
                model.0.leave();
            }
        });
        let cancel = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                model.2.store(true, Relaxed);
                model.0.wake_caller();
            }
        });
        let mut taken = false;
        while !(taken && model.2.load(Relaxed)) {
            if model.1.take() {
                taken = true;
            } else if !model.2.load(Relaxed) || !taken {
                model.0.wait(never, || model.1.exists() || taken && model.2.load(Relaxed));
            }
        }
        helper.join().unwrap();
        cancel.join().unwrap();
    });
}

/// A run of tasks that only count.
struct Counting {
    work: Work,
    done: AtomicU32,
    gate: StdArc<Gate>,
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counting")
    }
}

impl Counting {
    fn new(tasks: u32) -> StdArc<Self> {
        let job = Self { work: Work::default(), done: AtomicU32::new(0), gate: StdArc::new(Gate::new()) };
        job.work.push(tasks);
        StdArc::new(job)
    }

    /// The way of a caller through its run.
    fn drive(self: StdArc<Self>, shared: &Shared) -> Self {
        shared.registry.add(StdArc::clone(&self) as StdArc<dyn Job>);
        loop {
            self.help(0, &|| shared.sleep.notify());
            if self.gate.is_empty() && shared.registry.close(&self.gate) {
                break;
            }
            self.gate.wait(None, || self.work.exists());
        }
        StdArc::into_inner(self).expect("a closed run is held by its caller alone")
    }
}

impl Job for Counting {
    fn has_work(&self) -> bool {
        self.work.exists()
    }

    fn next_due(&self) -> Option<std::time::Instant> {
        None
    }

    fn help(&self, _: usize, busy: &dyn Fn()) -> bool {
        let mut helped = false;
        while self.work.take() {
            if !helped {
                busy();
                helped = true;
            }
            // Relaxed: leaving the gate is what makes it seen.
            self.done.store(self.done.load(Relaxed) + 1, Relaxed);
        }
        helped
    }

    fn gate(&self) -> &StdArc<Gate> {
        &self.gate
    }
}

#[test]
fn loom_a_closed_run_is_held_by_its_caller_alone_and_all_its_tasks_are_seen_done() {
    check(2, || {
        let shared = StdArc::new(Shared::new(1));
        let worker = thread::spawn({
            let shared = StdArc::clone(&shared);
            move || work(&shared, 0)
        });
        // One task: whoever takes it, the other must neither wait for ever nor miss it.
        let run = Counting::new(1).drive(&shared);
        assert_eq!(run.done.load(Relaxed), 1);
        shared.close();
        worker.join().unwrap();
    });
}

#[test]
fn loom_runs_one_after_the_other_and_the_end_of_the_pool_find_the_worker_in_any_state() {
    check(2, || {
        let shared = StdArc::new(Shared::new(1));
        let worker = thread::spawn({
            let shared = StdArc::clone(&shared);
            move || work(&shared, 0)
        });
        for _ in 0..2 {
            assert_eq!(Counting::new(1).drive(&shared).done.load(Relaxed), 1);
        }
        shared.close();
        worker.join().unwrap();
    });
}

#[test]
fn loom_two_callers_share_a_worker_and_each_leaves_with_its_own_run() {
    check(2, || {
        let shared = StdArc::new(Shared::new(1));
        let worker = thread::spawn({
            let shared = StdArc::clone(&shared);
            move || work(&shared, 0)
        });
        let other = thread::spawn({
            let shared = StdArc::clone(&shared);
            move || Counting::new(1).drive(&shared).done.load(Relaxed)
        });
        assert_eq!(Counting::new(1).drive(&shared).done.load(Relaxed), 1);
        assert_eq!(other.join().unwrap(), 1);
        shared.close();
        worker.join().unwrap();
    });
}
