//! Models of the memory window: parking, raising, and bytes that the plan does not count.

use std::sync::Arc;

use loom::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use loom::thread;

use crate::TaskBytes;
use crate::blocks::Blocks;
use crate::csr::Csr;
use crate::loom_models::check;
use crate::run::window::Window;

/// Three tasks that nobody uses, one a block, the first two of which fit the budget at once.
fn three_blocks(last: u64) -> Blocks {
    let bytes = [10, 10, last].map(|output| TaskBytes { output, scratch: 0 });
    let mut inputs = Csr::new();
    (0..3).for_each(|_| inputs.push_row([]));
    Blocks::new(&bytes, &inputs, &inputs.transposed(), &[], last, 20)
}

#[test]
fn loom_a_task_parked_while_the_limit_rises_is_handed_out_once() {
    check(3, || {
        let window = Arc::new(Window::new(three_blocks(10)));
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
        let window = Arc::new(Window::new(three_blocks(10)));
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

/// A window and the bytes in use besides those of its plan.
struct Overdrawn {
    window: Window,
    overdraft: AtomicU64,
}

impl Overdrawn {
    fn new(last: u64, overdraft: u64) -> Arc<Self> {
        Arc::new(Self { window: Window::new(three_blocks(last)), overdraft: AtomicU64::new(overdraft) })
    }

    /// Finishes a task and adds what became ready to `out`.
    fn finish(&self, task: u32, out: &mut u32) -> Result<bool, u32> {
        self.window.finish(task, || self.overdraft.load(Acquire), |_| *out += 1)
    }
}

#[test]
fn loom_an_overdraft_that_a_task_ends_while_another_finishes_stops_nobody() {
    check(3, || {
        let model = Overdrawn::new(10, 15);
        model.window.park(2, |_| panic!("the limit is below"));
        let load = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                let mut out = 0;
                model.overdraft.fetch_sub(15, Release);
                model.finish(1, &mut out).expect("the load has freed what it needs");
                out
            }
        });
        let mut out = 0;
        model.finish(0, &mut out).expect("task 1 has not ended or has freed all");
        assert_eq!(out + load.join().unwrap(), 1, "the parked task is handed out once");
        assert_eq!(model.window.limit(), 3);
    });
}

#[test]
fn loom_an_overdraft_that_a_task_leaves_while_another_finishes_raises_no_limit_and_is_told_once() {
    check(3, || {
        let model = Overdrawn::new(15, 0);
        model.window.park(2, |_| panic!("the limit is below"));
        let spill = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                model.overdraft.fetch_add(15, Release);
                model.finish(1, &mut 0)
            }
        });
        let results = [model.finish(0, &mut 0), spill.join().unwrap()];
        // Task 2 never fits: not beside task 1, nor beside what that leaves.
        assert_eq!(results.iter().filter(|result| **result == Err(2)).count(), 1, "{results:?}");
        assert_eq!(model.window.limit(), 2);
    });
}

#[test]
fn loom_the_last_of_several_loads_frees_the_way_while_others_park() {
    check(3, || {
        let model = Overdrawn::new(10, 10);
        let parks = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                let mut out = 0;
                model.window.park(2, |_| out += 1);
                out
            }
        });
        let load = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                let mut out = 0;
                model.overdraft.fetch_sub(10, Release);
                model.finish(1, &mut out).expect("the load has freed what it needs");
                out
            }
        });
        let mut out = 0;
        model.finish(0, &mut out).expect("ten bytes leave room for one task");
        assert_eq!(out + load.join().unwrap() + parks.join().unwrap(), 1);
        assert_eq!(model.overdraft.load(Relaxed), 0);
    });
}
