//! A deterministic simulator of a run: one real thread plays all seats of a [`Run`], in an order drawn from a seed.
//!
//! It owns the dice and the checks. The code under test is the real one: plan, window, counters, slots, deques, retries,
//! records. A seat is between two turns, or between the two halves of one (its task was run and not settled), where the
//! other seats go on. Tasks fail, panic and are tried again, spills are refused, the run is cancelled, all by the
//! same dice; a failing seed fails again.
//!
//! Checked: every task runs after its inputs and once (but for retries and second runs); live bytes, counted where values
//! are made and dropped, stay within the budget; values are those of a sequential evaluation; nothing is left when the
//! run ends; a run that does not end has something to do (no deadlock).
//!
//! `CHUNKWISE_SIMULATIONS=1000000 cargo simulate` runs more of them.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use super::parallel::Run;
use super::participant::{Job, Participant, Ran};
use super::spilled::Spilled;
use super::watch::Unwatched;
use super::work::Work;
use super::{ErrorMode, Failures};
use crate::pool::{Gate, Shared};
use crate::run::entry::Find;
use crate::{
    BoxError, Eviction, GraphBuilder, Layer, Plan, PlanOptions, Pool, RunError, SpillCodec, TaskBytes,
    TaskCx, TaskId, TaskKind,
};

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// What a simulated task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Fine,
    Fails,
    Panics,
    /// Fails so many times, then succeeds.
    Retries(u32),
}

/// A random graph and the fates of its tasks.
struct World {
    inputs: Vec<Vec<u32>>,
    bytes: Vec<TaskBytes>,
    fates: Vec<Fate>,
    live: AtomicU64,
    peak: AtomicU64,
    runs: Vec<AtomicU32>,
    refuse_writes: bool,
}

impl World {
    fn draw(dice: &mut Dice, faults: bool) -> Arc<Self> {
        let tasks = 1 + dice.roll(24) as usize;
        let (reach, most) = (1 + dice.roll(8), dice.roll(4));
        let mut inputs = Vec::new();
        for task in 0..tasks as u64 {
            let count = if task == 0 { 0 } else { dice.roll(most + 1) };
            let input = |dice: &mut Dice| (task - 1 - dice.roll(task.min(reach))) as u32;
            inputs.push((0..count).map(|_| input(dice)).collect());
        }
        let bytes =
            (0..tasks).map(|_| TaskBytes { output: dice.roll(4) * 10, scratch: dice.roll(3) * 5 }).collect();
        let fates = (0..tasks).map(|_| if faults { Self::fate(dice) } else { Fate::Fine }).collect();
        Arc::new(Self {
            inputs,
            bytes,
            fates,
            live: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            runs: (0..tasks).map(|_| AtomicU32::new(0)).collect(),
            refuse_writes: faults && dice.one_in(4),
        })
    }

    fn fate(dice: &mut Dice) -> Fate {
        match dice.roll(40) {
            0 => Fate::Fails,
            1 => Fate::Panics,
            2..=5 => Fate::Retries(1 + dice.roll(3) as u32),
            _ => Fate::Fine,
        }
    }

    fn take(&self, bytes: u64) {
        let live = self.live.fetch_add(bytes, SeqCst) + bytes;
        self.peak.fetch_max(live, SeqCst);
    }

    fn give(&self, bytes: u64) {
        self.live.fetch_sub(bytes, SeqCst);
    }

    /// The value of every task, in order of creation.
    fn truth(&self) -> Vec<u64> {
        let mut values = Vec::new();
        for (task, inputs) in self.inputs.iter().enumerate() {
            values.push(value_of(task as u32, inputs.iter().map(|&input| values[input as usize])));
        }
        values
    }
}

fn value_of(task: u32, inputs: impl Iterator<Item = u64>) -> u64 {
    inputs.fold(mix(u64::from(task)), |sum, input| mix(sum ^ input.rotate_left(7)))
}

/// A value that counts its bytes while it lives.
struct Counted {
    value: u64,
    bytes: u64,
    world: Arc<World>,
}

impl Counted {
    fn new(world: &Arc<World>, value: u64, bytes: u64) -> Arc<Self> {
        world.take(bytes);
        Arc::new(Self { value, bytes, world: Arc::clone(world) })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.world.give(self.bytes);
    }
}

/// Layer and codec of a world.
struct Play(Arc<World>);

impl Layer<Arc<Counted>> for Play {
    fn run(&self, index: u32, inputs: &mut [Arc<Counted>], _: &TaskCx<'_>) -> Result<Arc<Counted>, BoxError> {
        let world = &self.0;
        let failed = world.runs[index as usize].fetch_add(1, SeqCst);
        let scratch = world.bytes[index as usize].scratch;
        match world.fates[index as usize] {
            Fate::Fails => return Err("fails".into()),
            Fate::Panics => panic!("{QUIET}"),
            Fate::Retries(times) if failed < times => return Err("not yet".into()),
            _ => {}
        }
        world.take(scratch);
        let value = value_of(index, inputs.iter().map(|input| input.value));
        let value = Counted::new(world, value, world.bytes[index as usize].output);
        world.give(scratch);
        Ok(value)
    }

    fn label(&self, index: u32) -> String {
        format!("play {index}")
    }

    fn eviction(&self, index: u32) -> Eviction {
        [Eviction::Hold, Eviction::Spill, Eviction::Rerun][mix(u64::from(index)) as usize % 3]
    }

    fn retries(&self) -> bool {
        true
    }

    fn retry(&self, index: u32, _: u32, _: &(dyn std::error::Error + 'static)) -> Option<Duration> {
        matches!(self.0.fates[index as usize], Fate::Retries(_)).then_some(Duration::ZERO)
    }
}

impl SpillCodec<Arc<Counted>> for Play {
    fn write(&self, value: &Arc<Counted>, out: &mut dyn io::Write) -> io::Result<()> {
        if self.0.refuse_writes {
            return Err(io::Error::other("the disk is full"));
        }
        out.write_all(&value.value.to_le_bytes())?;
        out.write_all(&value.bytes.to_le_bytes())
    }

    fn read(&self, input: &mut dyn io::Read) -> io::Result<Arc<Counted>> {
        let mut word = || {
            let mut word = [0; 8];
            input.read_exact(&mut word).map(|()| u64::from_le_bytes(word))
        };
        let (value, bytes) = (word()?, word()?);
        Ok(Counted::new(&self.0, value, bytes))
    }
}

/// The message of simulated panics, kept out of the test's output.
const QUIET: &str = "simulated panic";

/// A world and its plan, if the budget drawn for it is enough.
fn plan(world: &Arc<World>, dice: &mut Dice) -> Option<Plan<Arc<Counted>>> {
    let play = Arc::new(Play(Arc::clone(world)));
    let mut builder = GraphBuilder::new();
    let layer = builder.layer(play.clone()).unwrap();
    let mut ids: Vec<TaskId> = Vec::new();
    for (task, inputs) in world.inputs.iter().enumerate() {
        let inputs: Vec<TaskId> = inputs.iter().map(|&input| ids[input as usize]).collect();
        ids.push(builder.task(layer, task as u32, &inputs, world.bytes[task]).unwrap());
    }
    builder.keep(ids[ids.len() - 1]).unwrap();
    let budget = 40 + dice.roll(200);
    builder.build().plan_with(PlanOptions::new().budget(Some(budget)).spill(play)).ok()
}

/// A seat and the task it has run and not settled.
struct Seat<'run> {
    participant: Participant<'run, Arc<Counted>, Unwatched>,
    next: Option<u32>,
    ran: Option<Ran<Arc<Counted>>>,
}

impl Seat<'_> {
    /// Half a turn; false when there was nothing to do.
    fn act(&mut self) -> bool {
        if let Some(ran) = self.ran.take() {
            self.next = self.participant.guarded(|seat| seat.settle(ran)).flatten();
            return true;
        }
        let job = match self.next.take() {
            Some(task) => Job::Find(Find::Task(task)),
            None => match self.participant.find() {
                Some(job) => job,
                None => return false,
            },
        };
        match job {
            Job::Find(Find::Task(task)) => {
                self.ran = self.participant.guarded(|seat| seat.run(task)).flatten();
            }
            Job::Find(Find::Edges(edges)) => self.next = self.participant.release_edges(edges),
            Job::Again(again) => {
                self.ran = self.participant.guarded(|seat| seat.run_again(again)).flatten();
            }
        }
        true
    }

    fn is_idle(&self) -> bool {
        self.ran.is_none() && self.next.is_none()
    }
}

/// Plays a run to its end.
fn play(
    plan: &Plan<Arc<Counted>>,
    mode: ErrorMode,
    cancels: bool,
    dice: &mut Dice,
) -> Result<Vec<u64>, RunError> {
    let data = Arc::clone(plan.data());
    let budget = data.budget();
    let work = Work {
        spilled: Spilled::new(&data, None),
        failures: Arc::new(Failures::new(mode)),
        plan: data,
        watch: Unwatched,
        cancel: None,
    };
    let threads = 1 + dice.roll(4) as usize;
    let run = Run::new(&Arc::new(Shared::new(0)), threads, work, budget, Arc::new(Gate::new()));
    {
        let sit = |seat| Seat { participant: Participant::sit_down(&run, seat), next: None, ran: None };
        let mut seats: Vec<Seat<'_>> = (0..threads).map(sit).collect();
        let mut fruitless = 0;
        while fruitless < 64 {
            if cancels && dice.one_in(30) {
                run.work.failures.cancel();
            }
            let acted = seats[dice.roll(threads as u64) as usize].act();
            fruitless = if acted { 0 } else { fruitless + 1 };
        }
        assert!(
            seats.iter_mut().all(|seat| !seat.act() && seat.is_idle()),
            "somebody still has something to do"
        );
    }
    assert!(!run.any_work() && run.delayed.is_empty(), "work is left that nobody does");
    run.into_result().map(|kept| kept.iter().map(|value| value.value).collect())
}

/// A world, its plan and how it is to be played.
struct Stage {
    world: Arc<World>,
    plan: Plan<Arc<Counted>>,
    mode: ErrorMode,
    faults: bool,
    cancels: bool,
}

/// The same for the same dice; `None` where the budget is too small for any plan.
fn stage(dice: &mut Dice) -> Option<Stage> {
    let faults = dice.one_in(2);
    let world = World::draw(dice, faults);
    let plan = plan(&world, dice)?;
    let mode = if dice.one_in(2) { ErrorMode::Deterministic } else { ErrorMode::FailFast };
    let cancels = faults && dice.one_in(3);
    Some(Stage { world, plan, mode, faults, cancels })
}

fn simulate(seed: u64) {
    let mut dice = Dice(seed);
    let Some(Stage { world, plan, mode, faults, cancels }) = stage(&mut dice) else { return };
    let result = play(&plan, mode, cancels, &mut dice);
    assert_eq!(world.live.load(SeqCst), 0, "bytes are left");
    let budget = plan.budget().unwrap();
    assert!(world.peak.load(SeqCst) <= budget, "{} bytes live, budget {budget}", world.peak.load(SeqCst));
    match result {
        Ok(kept) => {
            assert_eq!(kept.last(), world.truth().last());
            check_runs(&world, &plan);
        }
        Err(error) => {
            assert!(faults, "{error}");
            assert!(cancels || !error.is_cancelled());
            if mode == ErrorMode::Deterministic && !cancels && !world.refuse_writes {
                check_first_error(seed, &error);
            }
        }
    }
}

/// Every task of the plan ran once, and again as often as it failed.
fn check_runs(world: &World, plan: &Plan<Arc<Counted>>) {
    let data = plan.data();
    let mut expected = vec![0; world.inputs.len()];
    for task in (0..data.len() as u32).filter(|&task| data.kind(task) == TaskKind::Compute) {
        expected[data.identity(task).2 as usize] += 1;
    }
    for (task, fate) in world.fates.iter().enumerate() {
        let failed = if let Fate::Retries(times) = fate { *times } else { 0 };
        let times = if expected[task] == 0 { 0 } else { expected[task] + failed };
        assert_eq!(world.runs[task].load(SeqCst), times, "task {task}");
    }
}

/// The first error is the one that a single thread meets.
fn check_first_error(seed: u64, error: &RunError) {
    let alone = stage(&mut Dice(seed)).expect("it was staged before");
    let expected = Pool::new(1).unwrap().run(alone.plan).err().expect("it failed before");
    let name = |error: &RunError| error.errors().first().map(|error| (error.task, error.kind.to_string()));
    assert_eq!(name(error), name(&expected));
}

/// Keeps the panics of simulated tasks out of the output.
fn quiet() {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<String>().is_none_or(|text| text != QUIET)
                && info.payload().downcast_ref::<&str>() != Some(&QUIET)
            {
                usual(info);
            }
        }));
    });
}

#[test]
fn simulated_runs_keep_their_promises_under_faults() {
    quiet();
    let runs =
        std::env::var("CHUNKWISE_SIMULATIONS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(20_000);
    for seed in 0..runs {
        let caught = std::panic::catch_unwind(|| simulate(seed));
        assert!(caught.is_ok(), "seed {seed}");
    }
}

#[test]
fn a_simulation_with_the_same_seed_is_the_same() {
    quiet();
    let outcome = |seed| {
        let mut dice = Dice(seed);
        let world = World::draw(&mut dice, true);
        let plan = plan(&world, &mut dice)?;
        let result = play(&plan, ErrorMode::FailFast, true, &mut dice);
        Some((result.map_err(|error| error.to_string()), world.peak.load(SeqCst)))
    };
    assert!((0..500).all(|seed| outcome(seed) == outcome(seed)));
}
