//! Models of the protocols in `pool/README.md`, checked over every interleaving: a lost wake-up is a deadlock, which
//! loom reports. `RUSTFLAGS="--cfg loom" cargo test -p chunkwise-scheduler --release --lib loom`.

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use loom::thread;

use crate::TaskBytes;
use crate::blocks::Blocks;
use crate::csr::Csr;
use crate::pool::{Gate, Sleep};
use crate::run::Window;

/// Explores all interleavings with at most this many preemptions.
fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

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
                self.sleep.sleep(worker, || self.work.exists());
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
                    model.0.sleep(0, || model.1.load(Relaxed));
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

/// Three tasks of 10 bytes that nobody uses, one a block, two of which fit the budget at once.
fn three_blocks() -> Blocks {
    let bytes = [TaskBytes { output: 10, scratch: 0 }; 3];
    let mut inputs = Csr::new();
    (0..3).for_each(|_| inputs.push_row([]));
    Blocks::new(&bytes, &inputs, &inputs.transposed(), &[], 10, 20)
}

#[test]
fn loom_a_task_parked_while_the_limit_rises_is_handed_out_once() {
    check(3, || {
        let window = Arc::new(Window::new(three_blocks()));
        assert_eq!(window.limit(), 2);
        let parker = thread::spawn({
            let window = Arc::clone(&window);
            move || {
                let mut out = 0;
                window.park(2, |_| out += 1);
                out
            }
        });
        let mut out = 0;
        window.finish(0, || 0, |_| out += 1).unwrap();
        assert_eq!(out + parker.join().unwrap(), 1);
    });
}

#[test]
fn loom_blocks_that_end_together_move_the_frontier_past_both() {
    check(3, || {
        let window = Arc::new(Window::new(three_blocks()));
        window.park(2, |_| panic!("the limit is below"));
        let other = thread::spawn({
            let window = Arc::clone(&window);
            move || {
                let mut out = 0;
                window.finish(1, || 0, |_| out += 1).unwrap();
                out
            }
        });
        let mut out = 0;
        window.finish(0, || 0, |_| out += 1).unwrap();
        assert_eq!(out + other.join().unwrap(), 1);
        assert_eq!(window.limit(), 3);
    });
}
