//! Memory as the allocator counts it: values and scratch really take the bytes they declare.
//!
//! One test, so that nothing else allocates beside it.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use chunkwise_scheduler::{Plan, PlanError, Pool, RunOptions};
use common::chaos::{Piece, World};
use common::leaks::TestStore;
use common::watchdog::Watchdog;
use common::{Dag, Rng};

/// The system's allocator, with a count of live bytes and of their peak.
struct Counting {
    live: AtomicUsize,
    peak: AtomicUsize,
}

#[global_allocator]
static ALLOCATED: Counting = Counting { live: AtomicUsize::new(0), peak: AtomicUsize::new(0) };

impl Counting {
    fn take(&self, bytes: usize) {
        let live = self.live.fetch_add(bytes, SeqCst) + bytes;
        self.peak.fetch_max(live, SeqCst);
    }

    /// Counts the peak from now on; what lives now.
    fn start(&self) -> usize {
        let live = self.live.load(SeqCst);
        self.peak.store(live, SeqCst);
        live
    }
}

// SAFETY: every call is handed on to the system's allocator as it is; counting allocates nothing. `realloc` is the
// default, made of the two below.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.take(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.live.fetch_sub(layout.size(), SeqCst);
        // SAFETY: the caller keeps the contract of `dealloc`, and `at` came from the system's allocator.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Bytes allocated for each byte declared: values of half a megabyte to one and a half.
const SCALE: usize = 50_000;
/// What a run takes besides: counters, and a buffer of 64 KiB for each thread that writes or reads.
const BESIDES: usize = 64 << 10;

/// A plan whose budget is near the least that is possible.
fn tight_plan(world: &Arc<World>, dice: &mut Rng) -> Plan<Piece> {
    match world.plan(Some(0)) {
        Ok(plan) => plan,
        Err(PlanError::BudgetTooSmall { needed, .. }) => {
            world.plan(Some(needed + dice.below(needed / 4 + 1))).unwrap()
        }
        Err(error) => panic!("{error}"),
    }
}

/// What a run has allocated at most, and its plan.
fn run(pool: &Pool, seed: u64, store: &TestStore) -> (usize, Plan<Piece>) {
    let mut dice = Rng(seed);
    let mut world = World::new(Dag::long_lived(seed, 10 + dice.below(30) as u32));
    world.scale = SCALE;
    let world = Arc::new(world);
    let (plan, options) = (tight_plan(&world, &mut dice), RunOptions::new().spill_to(store.store.clone()));
    let before = ALLOCATED.start();
    let result = pool.run_with(plan.clone(), options);
    let peak = ALLOCATED.peak.load(SeqCst) - before;
    let runs: u64 = world.runs.iter().map(|runs| u64::from(runs.load(SeqCst))).sum();
    let moves = u64::from(plan.spill_bytes() > 0 || plan.rerun_bytes() > 0);
    assert!(world.runs.iter().all(|runs| runs.load(SeqCst) >= 1));
    assert!(runs == world.runs.len() as u64 || moves == 1, "tasks run again for no reason");
    world.check(result, false, false);
    assert_eq!(world.live(), 0);
    assert!(store.is_clean());
    (peak, plan)
}

#[test]
fn what_the_allocator_counts_stays_within_the_budget() {
    let watchdog = Watchdog::new("memory");
    let (mut spilled, mut rerun, mut ratio) = (0, 0, 0.0_f64);
    for threads in [1, 2, 4] {
        let (pool, store) = (Pool::new(threads).unwrap(), TestStore::new(None));
        watchdog.watch(&pool);
        for seed in 0..20 {
            let (peak, plan) = run(&pool, seed, &store);
            let budget = plan.budget().unwrap() as usize * SCALE;
            assert!(
                peak <= budget + (threads + 1) * BESIDES,
                "seed {seed}, {threads} threads: {peak} bytes allocated, {budget} allowed"
            );
            spilled += u32::from(plan.spill_bytes() > 0);
            rerun += u32::from(plan.rerun_bytes() > 0);
            ratio = ratio.max(peak as f64 / budget as f64);
        }
    }
    println!("{spilled} of 60 runs spill, {rerun} make values again, {ratio:.3} of the budget at most");
    assert!(spilled >= 30 && rerun >= 6, "{spilled} of 60 runs spill, {rerun} make values again");
}
