//! One random run with random faults, drawn from a seed, and the check that it keeps all promises.
//!
//! It owns the draw. What the faults do is the business of `chaos`.

use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;

use chunkwise_scheduler::{
    CancelToken, ErrorMode, LeaseError, MemoryBudget, Plan, PlanError, Pool, RunError, RunHandle, RunOptions,
    SpillStore,
};

use super::chaos::{CodecFault, Fate, Piece, Trip, Tripwire, World};
use super::leaks::TestStore;
use super::{Dag, Rng};

/// What runs share: pools of one to four threads and a limit of memory.
pub(crate) struct Arena {
    pub(crate) pools: Vec<Pool>,
    pub(crate) memory: MemoryBudget,
}

impl Arena {
    pub(crate) fn new() -> Self {
        let pools = (1..=4).map(|threads| Pool::new(threads).unwrap()).collect();
        // As much as the largest run needs: others have to wait for it.
        Self { pools, memory: MemoryBudget::new(Some(3000)) }
    }

    pub(crate) fn is_clean(&self) -> bool {
        (self.memory.leased(), self.memory.waiting()) == (0, 0)
    }
}

/// How many runs ended how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) let_go: u64,
    pub(crate) spilled: u64,
    pub(crate) rerun: u64,
    pub(crate) nested: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.finished += other.finished;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.let_go += other.let_go;
        self.spilled += other.spilled;
        self.rerun += other.rerun;
        self.nested += other.nested;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { finished, failed, cancelled, let_go, spilled, rerun, nested } = self;
        write!(f, "{finished} finished, {failed} failed, {cancelled} cancelled, {let_go} let go; ")?;
        write!(f, "{spilled} spilled, {rerun} made values again, {nested} nested")
    }
}

/// What the disk is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    Works,
    Holds(u64),
    IsMissing,
}

/// How a run is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Called,
    Submitted,
    LetGo,
}

/// A run that is drawn and not yet played.
struct Trial {
    world: Arc<World>,
    plan: Plan<Piece>,
    mode: ErrorMode,
    disk: Disk,
    way: Way,
    tripwire: Option<Arc<Tripwire>>,
    cancels: bool,
}

fn faulty_world(arena: &Arena, dice: &mut Rng) -> World {
    let tasks = 1 + dice.below(40) as u32;
    let dag = match dice.below(2) {
        0 => Dag::random(dice.next(), tasks),
        _ => Dag::long_lived(dice.next(), tasks),
    };
    let mut world = World::new(dag);
    world.pools = arena.pools.clone();
    world.token = CancelToken::new();
    if dice.below(5) < 2 {
        return world;
    }
    for _ in 0..dice.below(4) {
        let task = dice.below(u64::from(tasks)) as usize;
        world.fates[task] = fate(dice);
    }
    // Two panics at once would end the process: the last bomb is kept, and a codec that panics has none beside it.
    let bombs: Vec<usize> = (0..tasks as usize).filter(|&task| world.fates[task] == Fate::Bomb).collect();
    bombs.iter().skip(1).for_each(|&task| world.fates[task] = Fate::Fine);
    world.nameless = dice.below(8) == 0;
    world.codec = match dice.below(20) {
        0 => CodecFault::WriteFails,
        1 => CodecFault::ReadFails,
        2 if bombs.is_empty() => CodecFault::WritePanics,
        3 if bombs.is_empty() => CodecFault::ReadPanics,
        _ => CodecFault::None,
    };
    world
}

fn fate(dice: &mut Rng) -> Fate {
    match dice.below(10) {
        0 => Fate::Fails,
        1 => Fate::Panics,
        2 => Fate::Bomb,
        3 => Fate::Fragile,
        4 => Fate::RetryPanics,
        5 | 6 => Fate::Retries(1 + dice.below(3) as u32),
        _ => Fate::Nests(1 + dice.below(4) as u32),
    }
}

/// A plan with a budget from none at all down to less than fits without the disk.
fn tight_plan(world: &Arc<World>, dice: &mut Rng) -> Plan<Piece> {
    let free = world.plan(None).unwrap();
    let peak = free.peak_bytes();
    let budget = match dice.below(6) {
        0 => return free,
        1 => peak,
        2 => peak + dice.below(peak + 1),
        part => peak * part / 6,
    };
    match world.plan(Some(budget)) {
        Ok(plan) => plan,
        Err(PlanError::BudgetTooSmall { needed, .. }) => world.plan(Some(needed)).unwrap(),
        Err(error) => panic!("{error}"),
    }
}

impl Trial {
    fn draw(arena: &Arena, dice: &mut Rng) -> Self {
        let world = Arc::new(faulty_world(arena, dice));
        let plan = tight_plan(&world, dice);
        let faults = dice.below(2) == 0;
        let events = 2 * plan.tasks() as u64 + 2;
        let cancels = faults && dice.below(3) == 0;
        let trip = if cancels { Trip::Cancel(world.token.clone()) } else { Trip::Panic };
        let watched = cancels || faults && dice.below(4) == 0;
        Self {
            tripwire: watched.then(|| Tripwire::new(1 + dice.below(events), trip)),
            cancels,
            mode: if dice.below(2) == 0 { ErrorMode::FailFast } else { ErrorMode::Deterministic },
            disk: match dice.below(12) {
                0 if faults => Disk::IsMissing,
                1 if faults => Disk::Holds(dice.below(3) * 4096),
                _ => Disk::Works,
            },
            way: match dice.below(8) {
                0 => Way::LetGo,
                1 => Way::Submitted,
                _ => Way::Called,
            },
            world,
            plan,
        }
    }

    fn options(&self, store: &TestStore) -> RunOptions {
        let store = match self.disk {
            Disk::IsMissing => SpillStore::new(store.folder().join("no").join("such"), None),
            Disk::Holds(bytes) => SpillStore::new(store.folder(), Some(bytes)),
            Disk::Works => store.store.clone(),
        };
        let options = RunOptions::new().errors(self.mode).cancel(self.world.token.clone()).spill_to(store);
        match &self.tripwire {
            Some(tripwire) => options.observer(tripwire.clone()),
            None => options,
        }
    }

    fn check(&self, result: Result<Vec<Piece>, RunError>, cancelled: bool) -> Tally {
        let mut tally = Tally::default();
        match &result {
            Ok(_) => tally.finished = 1,
            Err(error) if error.is_cancelled() => tally.cancelled = 1,
            Err(_) => tally.failed = 1,
        }
        let sound = self.world.is_sound() && self.disk == Disk::Works && !cancelled;
        assert!(!sound || result.is_ok(), "nothing can go wrong: {}", result.unwrap_err());
        self.world.check(result, cancelled, self.disk != Disk::Works);
        if sound {
            self.check_runs();
        }
        tally
    }

    /// Every task ran, and ran again only where that was planned or it failed before.
    fn check_runs(&self) {
        let retries = self.world.fates.iter().any(|fate| matches!(fate, Fate::Retries(_)));
        let once = self.plan.rerun_bytes() == 0 && self.plan.load_bytes() == 0 && !retries;
        for runs in &self.world.runs {
            let runs = runs.load(SeqCst);
            assert!(runs == 1 || runs > 1 && !once, "a task ran {runs} times");
        }
    }
}

/// Draws a run from `seed`, plays it and checks it.
pub(crate) fn play(arena: &Arena, seed: u64) -> Tally {
    let mut dice = Rng(seed);
    let trial = Trial::draw(arena, &mut dice);
    let pool = arena.pools[dice.below(4) as usize].clone();
    let store = TestStore::new(None);
    let mut tally = match lease_and_run(&trial, arena, &pool, &store) {
        Some(result) => trial.check(result, trial.cancels),
        None => Tally { let_go: 1, ..Tally::default() },
    };
    assert_eq!(trial.world.live(), 0, "values are left");
    assert!(store.is_clean(), "something is left on disk: {:?}", store.store);
    let spills = trial.plan.spill_bytes() > 0;
    tally.spilled = u64::from(spills);
    tally.rerun = u64::from(trial.plan.rerun_bytes() > 0);
    tally.nested = u64::from(trial.world.fates.iter().any(|fate| matches!(fate, Fate::Nests(_))));
    tally
}

/// The result, unless nobody waits for it.
fn lease_and_run(
    trial: &Trial,
    arena: &Arena,
    pool: &Pool,
    store: &TestStore,
) -> Option<Result<Vec<Piece>, RunError>> {
    let (plan, token, options) = (trial.plan.clone(), trial.world.token.clone(), trial.options(store));
    let (pool, memory) = (pool.clone(), arena.memory.clone());
    let work = move |token: &CancelToken| {
        let (least, most) = (plan.peak_bytes(), plan.useful_bytes(pool.threads()));
        let lease = match memory.lease_unless_cancelled(least, most, token) {
            Ok(lease) => Some(lease),
            Err(LeaseError::Cancelled) => None,
            Err(error) => panic!("{error}"),
        };
        let options = match (&lease, plan.budget()) {
            (Some(lease), Some(_)) => options.budget(lease.bytes()),
            _ => options,
        };
        pool.run_with(plan, options)
    };
    match trial.way {
        Way::Called => Some(work(&token)),
        Way::Submitted => Some(RunHandle::spawn(token, work).unwrap().wait()),
        Way::LetGo => {
            let (sender, over) = mpsc::channel::<()>();
            // The sender goes after the result: a tuple is dropped in order.
            let work = move |token: &CancelToken| (work(token), sender);
            drop(RunHandle::spawn(token, work).unwrap());
            assert!(over.recv().is_err(), "nothing is sent");
            None
        }
    }
}
