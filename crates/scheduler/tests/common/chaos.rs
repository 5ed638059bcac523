//! Runs in which everything goes wrong that can: tasks, values, retries, the disk, the observer.
//!
//! It owns the faults, values that count themselves and hold the bytes they declare, and the check of what a run
//! returned. At most one value of a graph panics in its drop: two panics at once end any process.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use chunkwise_scheduler::{
    BoxError, CancelToken, Eviction, GraphBuilder, Layer, Observer, Plan, PlanError, PlanOptions, Pool,
    RunError, RunEvent, RunOptions, SpillCodec, TaskBytes, TaskCx, TaskEnd, TaskErrorKind, TaskEvent, TaskId,
};

use super::{Dag, mix, value_of};

/// What a task does besides its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    Fails,
    Panics,
    /// Fails so many times, then succeeds.
    Retries(u32),
    /// Fails, and panics when asked whether to try again.
    RetryPanics,
    /// Its value panics when its last handle goes.
    Bomb,
    /// Its value panics when it is copied.
    Fragile,
    /// Runs a graph of its own, this many levels deep.
    Nests(u32),
}

/// What the codec does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CodecFault {
    #[default]
    None,
    WriteFails,
    WritePanics,
    ReadFails,
    ReadPanics,
}

/// A graph, its faults, and the counts of what lives and what ran.
pub(crate) struct World {
    pub(crate) dag: Dag,
    pub(crate) fates: Vec<Fate>,
    pub(crate) codec: CodecFault,
    /// Labels panic.
    pub(crate) nameless: bool,
    /// Bytes that are allocated for each byte declared.
    pub(crate) scale: usize,
    /// Where nested runs go.
    pub(crate) pools: Vec<Pool>,
    pub(crate) token: CancelToken,
    live: AtomicI64,
    pub(crate) runs: Vec<AtomicU32>,
}

impl World {
    pub(crate) fn new(dag: Dag) -> Self {
        let tasks = dag.inputs.len();
        Self {
            fates: vec![Fate::Fine; tasks],
            dag,
            codec: CodecFault::None,
            nameless: false,
            scale: 0,
            pools: Vec::new(),
            token: CancelToken::new(),
            live: AtomicI64::new(0),
            runs: (0..tasks).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    /// Values that live now.
    pub(crate) fn live(&self) -> i64 {
        self.live.load(SeqCst)
    }

    /// Whether anything may go wrong.
    pub(crate) fn is_sound(&self) -> bool {
        self.codec == CodecFault::None
            && self.fates.iter().all(|fate| matches!(fate, Fate::Fine | Fate::Retries(_) | Fate::Nests(_)))
    }

    /// The plan within `budget`, with a disk.
    pub(crate) fn plan(self: &Arc<Self>, budget: Option<u64>) -> Result<Plan<Piece>, PlanError> {
        let play = Arc::new(Play(Arc::clone(self)));
        self.dag.graph(play.clone()).plan_with(PlanOptions::new().budget(budget).spill(play))
    }

    /// Checks a result: the true values, or an error with a cause that was drawn.
    pub(crate) fn check(&self, result: Result<Vec<Piece>, RunError>, cancelled: bool, full: bool) {
        match result {
            Ok(kept) => {
                let numbers: Vec<u64> = kept.iter().map(|piece| piece.0.number).collect();
                assert_eq!(numbers, self.dag.truth());
                // Kept values are the user's to drop, with the panics of their drops.
                kept.into_iter().for_each(drop_quietly);
            }
            Err(error) => {
                assert!(cancelled || !error.is_cancelled(), "nobody has cancelled");
                assert!(error.is_cancelled() || !error.errors().is_empty());
                for error in error.errors() {
                    self.check_error(error.index, &error.kind, cancelled, full);
                }
            }
        }
    }

    fn check_error(&self, task: u32, kind: &TaskErrorKind, cancelled: bool, full: bool) {
        let fate = self.fates[task as usize];
        let known = match kind {
            TaskErrorKind::Spill(_) => full || self.codec != CodecFault::None,
            TaskErrorKind::Returned(_) => fate == Fate::Fails || cancelled && matches!(fate, Fate::Nests(_)),
            TaskErrorKind::Panicked(message) => message.starts_with(CHAOS),
            _ => false,
        };
        assert!(known, "task {task}, {fate:?}: {kind}");
    }
}

fn drop_quietly(piece: Piece) {
    if let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(piece))) {
        assert!(payload.downcast_ref::<String>().is_some_and(|text| text.starts_with(CHAOS)));
    }
}

/// How the panics made here begin.
pub(crate) const CHAOS: &str = "chaos: ";

/// Keeps panics made here out of the output.
pub(crate) fn quiet() {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<String>().is_none_or(|text| !text.starts_with(CHAOS)) {
                usual(info);
            }
        }));
    });
}

fn strike(what: &str) -> ! {
    panic!("{CHAOS}{what}")
}

/// A value of a world.
pub(crate) struct Piece(Arc<Inner>);

struct Inner {
    number: u64,
    task: u32,
    bytes: Vec<u8>,
    world: Arc<World>,
}

impl Piece {
    fn new(world: &Arc<World>, number: u64, task: u32) -> Self {
        world.live.fetch_add(1, SeqCst);
        let len = world.dag.bytes[task as usize].output as usize * world.scale;
        Self(Arc::new(Inner { number, task, bytes: vec![number as u8; len], world: Arc::clone(world) }))
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Piece {}", self.0.task)
    }
}

impl Clone for Piece {
    fn clone(&self) -> Self {
        if self.0.world.fates[self.0.task as usize] == Fate::Fragile {
            strike("a copy of a value");
        }
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.world.live.fetch_sub(1, SeqCst);
        if self.world.fates[self.task as usize] == Fate::Bomb {
            strike("the drop of a value");
        }
    }
}

/// Layer and codec of a world.
struct Play(Arc<World>);

impl Layer<Piece> for Play {
    fn run(&self, index: u32, inputs: &mut [Piece], _: &TaskCx<'_>) -> Result<Piece, BoxError> {
        let world = &self.0;
        let before = world.runs[index as usize].fetch_add(1, SeqCst);
        match world.fates[index as usize] {
            Fate::Fails => return Err("fails".into()),
            Fate::Panics => strike("a task"),
            Fate::RetryPanics => return Err("fails".into()),
            Fate::Retries(times) if before < times => return Err("not yet".into()),
            Fate::Nests(depth) => nest(world, depth)?,
            _ => {}
        }
        let TaskBytes { scratch, .. } = world.dag.bytes[index as usize];
        let scratch = vec![1_u8; scratch as usize * world.scale];
        let expected = &world.dag.inputs[index as usize];
        assert!(inputs.iter().map(|input| &input.0.task).eq(expected), "wrong inputs for task {index}");
        let piece = Piece::new(world, value_of(index, inputs.iter().map(|input| input.0.number)), index);
        std::hint::black_box(&scratch);
        Ok(piece)
    }

    fn label(&self, index: u32) -> String {
        if self.0.nameless {
            strike("a label");
        }
        format!("piece {index}")
    }

    fn eviction(&self, index: u32) -> Eviction {
        match mix(u64::from(index)) % 8 {
            0 => Eviction::Hold,
            1..=3 => Eviction::Rerun,
            _ => Eviction::Spill,
        }
    }

    fn retries(&self) -> bool {
        self.0.fates.iter().any(|fate| matches!(fate, Fate::Retries(_) | Fate::RetryPanics))
    }

    fn retry(&self, index: u32, failed: u32, _: &(dyn std::error::Error + 'static)) -> Option<Duration> {
        match self.0.fates[index as usize] {
            Fate::Retries(_) => Some(Duration::from_micros(u64::from(failed) * 50)),
            Fate::RetryPanics => strike("a retry"),
            _ => None,
        }
    }
}

/// Runs a small graph inside a task, on one of the pools, with more of the same inside.
fn nest(world: &Arc<World>, depth: u32) -> Result<(), BoxError> {
    let pool = &world.pools[depth as usize % world.pools.len()];
    let mut graph = GraphBuilder::new();
    let layer = graph.layer(Arc::new(Nested { world: Arc::clone(world), depth }))?;
    let leaves: Vec<TaskId> =
        (0..3).map(|index| graph.task(layer, index, &[], Default::default())).collect::<Result<_, _>>()?;
    let sum = graph.task(layer, 3, &leaves, Default::default())?;
    graph.keep(sum)?;
    let kept = pool.run_with(graph.build().plan(None)?, RunOptions::new().cancel(world.token.clone()))?;
    assert_eq!(kept, [6]);
    Ok(())
}

/// The layer of nested runs: ones twice, and their sum.
struct Nested {
    world: Arc<World>,
    depth: u32,
}

impl Layer<u64> for Nested {
    fn run(&self, index: u32, inputs: &mut [u64], _: &TaskCx<'_>) -> Result<u64, BoxError> {
        if index == 0 && self.depth > 1 {
            nest(&self.world, self.depth - 1)?;
        }
        Ok(if inputs.is_empty() { 2 } else { inputs.iter().sum() })
    }

    fn label(&self, index: u32) -> String {
        format!("nested {index}")
    }
}

impl SpillCodec<Piece> for Play {
    fn write(&self, piece: &Piece, out: &mut dyn io::Write) -> io::Result<()> {
        match self.0.codec {
            CodecFault::WriteFails => return Err(io::Error::other("the codec fails")),
            CodecFault::WritePanics => strike("the codec writes"),
            _ => {}
        }
        out.write_all(&piece.0.number.to_le_bytes())?;
        out.write_all(&piece.0.task.to_le_bytes())?;
        out.write_all(&piece.0.bytes)
    }

    fn read(&self, input: &mut dyn io::Read) -> io::Result<Piece> {
        match self.0.codec {
            CodecFault::ReadFails => return Err(io::Error::other("the codec fails")),
            CodecFault::ReadPanics => strike("the codec reads"),
            _ => {}
        }
        let (mut number, mut task) = ([0; 8], [0; 4]);
        input.read_exact(&mut number)?;
        input.read_exact(&mut task)?;
        let mut piece = Piece::new(&self.0, u64::from_le_bytes(number), u32::from_le_bytes(task));
        let inner = Arc::get_mut(&mut piece.0).expect("nobody else has it yet");
        input.read_exact(&mut inner.bytes)?;
        Ok(piece)
    }
}

/// What happens at an event.
pub(crate) enum Trip {
    Cancel(CancelToken),
    Panic,
}

/// Counts the events of a run down to one at which something happens.
pub(crate) struct Tripwire {
    left: AtomicU64,
    trip: Trip,
}

impl Tripwire {
    /// At event `at`, counted from 1.
    pub(crate) fn new(at: u64, trip: Trip) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(at), trip })
    }

    /// Whether it has happened.
    pub(crate) fn has_tripped(&self) -> bool {
        self.left.load(SeqCst) == 0
    }

    fn event(&self) {
        let last = self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) == Ok(1);
        match &self.trip {
            Trip::Cancel(token) if last => token.cancel(),
            Trip::Panic if last => strike("an observer"),
            _ => {}
        }
    }
}

impl Observer for Tripwire {
    fn run_started(&self, _: &RunEvent) {
        self.event();
    }

    fn task_started(&self, _: &TaskEvent<'_>) {
        self.event();
    }

    fn task_finished(&self, _: &TaskEvent<'_>, _: TaskEnd) {
        self.event();
    }

    fn run_finished(&self, _: &RunEvent) {
        self.event();
    }
}
