//! The arrays of a plan and what a run asks them.

use std::sync::Arc;

use super::ahead::most_live;
use super::{Moved, PlanOptions, Scheduled, SpillCodec, ask};
use crate::blocks::Blocks;
use crate::csr::Csr;
use crate::evict::{LOAD, SPILL};
use crate::observe::{Labels, TaskKind};
use crate::order::Ordered;
use crate::profile::Peak;
use crate::{Layer, LayerId, TaskBytes, TaskId};

/// Most tasks of a graph that is asked whether it is too short to wake anybody.
const SMALL_TASKS: usize = 64;
/// A graph that is known to take less than this, in nanoseconds, runs on the calling thread.
const SMALL_NANOS: u64 = 20_000;

/// The arrays of a plan. A task is named by its rank: its place in the execution order, which is its priority.
pub(crate) struct PlanData<V> {
    layers: Vec<PlanLayer<V>>,
    /// The layer of each task, or what the eviction made it for.
    layer: Vec<u32>,
    /// The index in the layer, or the number of a record.
    index: Vec<u32>,
    bytes: Vec<TaskBytes>,
    /// Creation id of each rank; absent when the order is that of creation.
    created: Option<Vec<u32>>,
    pub(crate) inputs: Csr,
    pub(crate) users: Csr,
    /// Tasks without inputs, ascending.
    pub(crate) sources: Vec<u32>,
    /// Tasks to return, in the order of the calls of `keep`.
    pub(crate) keep: Vec<u32>,
    /// The same, ascending.
    kept: Vec<u32>,
    is_kept: Vec<bool>,
    codec: Option<Arc<dyn SpillCodec<V>>>,
    memory: Memory,
    inline: bool,
}

struct PlanLayer<V> {
    layer: Arc<dyn Layer<V>>,
    /// Whether it wants to be asked before an error counts.
    retries: bool,
}

/// What is known about the bytes of a plan.
struct Memory {
    /// What the tasks may use.
    budget: Option<u64>,
    /// What is set aside beside it.
    reserved: u64,
    peak: Peak,
    outputs: u64,
    most_scratch: u64,
    moved: Moved,
}

/// Who asks for the value of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandOver {
    /// It can be dropped at once.
    Nobody,
    /// One input of one task.
    Only(u32),
    /// So many: several inputs, or the caller.
    Shared(u32),
}

/// What is to be done for a task.
pub(crate) enum What<'plan, V> {
    Compute {
        layer: &'plan dyn Layer<V>,
        index: u32,
        retries: bool,
    },
    /// Writes its input to the record of this number.
    Spill(u32),
    /// Reads the record of this number.
    Load(u32),
}

impl<V> PlanData<V> {
    pub(super) fn new(scheduled: Scheduled<V>, options: PlanOptions<V>) -> Self {
        let memory = Memory::new(&scheduled, &options);
        let Scheduled { ordered: Ordered { graph, users, created, .. }, moved } = scheduled;
        let sources = graph.inputs.empty_rows();
        let mut is_kept = vec![false; graph.len()];
        graph.keep.iter().for_each(|&task| is_kept[task as usize] = true);
        let mut kept = graph.keep.clone();
        kept.sort_unstable();
        let mut data = Self {
            layers: graph.layers.into_iter().map(PlanLayer::new).collect(),
            layer: graph.layer,
            index: graph.index,
            bytes: graph.bytes,
            created,
            inputs: graph.inputs,
            users,
            sources,
            keep: graph.keep,
            kept,
            is_kept,
            codec: options.codec.filter(|_| moved.records > 0),
            memory,
            inline: false,
        };
        data.inline = data.is_chain() || data.is_short();
        data
    }

    pub(crate) fn len(&self) -> usize {
        self.layer.len()
    }

    pub(super) fn num_layers(&self) -> usize {
        self.layers.len()
    }

    /// What is to be done for a task.
    #[inline]
    pub(crate) fn what(&self, task: u32) -> What<'_, V> {
        let (layer, index) = (self.layer[task as usize], self.index[task as usize]);
        match layer {
            SPILL => What::Spill(index),
            LOAD => What::Load(index),
            layer => {
                let PlanLayer { layer, retries } = &self.layers[layer as usize];
                What::Compute { layer: &**layer, index, retries: *retries }
            }
        }
    }

    pub(crate) fn kind(&self, task: u32) -> TaskKind {
        match self.layer[task as usize] {
            SPILL => TaskKind::Spill,
            LOAD => TaskKind::Load,
            _ => TaskKind::Compute,
        }
    }

    /// Bytes that a task declares.
    #[inline]
    pub(crate) fn bytes(&self, task: u32) -> TaskBytes {
        self.bytes[task as usize]
    }

    /// Bytes that a task is about: those it declares, or of a spill those of the value.
    pub(crate) fn event_bytes(&self, task: u32) -> TaskBytes {
        match self.inputs.row(task) {
            &[value] if self.layer[task as usize] == SPILL => {
                TaskBytes { output: self.bytes(value).output, scratch: 0 }
            }
            _ => self.bytes(task),
        }
    }

    /// The creation id, layer and index of a task; of a spill or load those of the task whose value it moves.
    pub(crate) fn identity(&self, task: u32) -> (TaskId, LayerId, u32) {
        let made = self.made_by(task);
        let (layer, index) = (self.layer[made as usize], self.index[made as usize]);
        let created = self.created.as_ref().map_or(made, |created| created[made as usize]);
        (TaskId::new(created), LayerId::new(layer), index)
    }

    /// The task of the graph that made what a task is about.
    fn made_by(&self, task: u32) -> u32 {
        let mut made = task;
        while self.kind(made) != TaskKind::Compute {
            made = self.inputs.row(made)[0];
        }
        made
    }

    /// The creation id, layer, index and label of a task.
    pub(crate) fn describe(&self, task: u32) -> (TaskId, LayerId, u32, String) {
        let (id, layer, index) = self.identity(task);
        let label = ask::label(&*self.layers[layer.number() as usize].layer, layer.number(), index);
        let label = match self.kind(task) {
            TaskKind::Spill => format!("write to disk what {label} made"),
            TaskKind::Load => format!("read back what {label} made"),
            TaskKind::Compute => label,
        };
        (id, layer, index, label)
    }

    /// Who asks for the value of a task.
    #[inline]
    pub(crate) fn hand_over(&self, task: u32) -> HandOver {
        match (self.users.row(task), self.is_kept[task as usize]) {
            ([], false) => HandOver::Nobody,
            (&[user], false) => HandOver::Only(user),
            (users, false) => HandOver::Shared(users.len() as u32),
            (users, true) => HandOver::Shared(users.len() as u32 + self.times_kept(task)),
        }
    }

    /// How often the caller asks for the value of a task.
    fn times_kept(&self, task: u32) -> u32 {
        let before = |task| self.kept.partition_point(|&kept| kept < task);
        (before(task + 1) - before(task)) as u32
    }

    /// Whether anybody asks for the value of a task.
    pub(crate) fn is_used(&self, task: u32) -> bool {
        self.hand_over(task) != HandOver::Nobody
    }

    /// How values are written to disk, where the plan does so.
    pub(crate) fn codec(&self) -> Option<&dyn SpillCodec<V>> {
        self.codec.as_deref()
    }

    /// Number of values that are written to disk.
    pub(crate) fn records(&self) -> u32 {
        self.memory.moved.records
    }

    pub(super) fn moved(&self) -> Moved {
        self.memory.moved
    }

    pub(crate) fn peak(&self) -> Peak {
        self.memory.peak
    }

    pub(super) fn reserved(&self) -> u64 {
        self.memory.reserved
    }

    /// What the tasks may use.
    pub(crate) fn budget(&self) -> Option<u64> {
        self.memory.budget
    }

    /// What a run of its tasks one by one leaves of `budget`.
    pub(crate) fn spare_bytes(&self, budget: Option<u64>) -> u64 {
        budget.map_or(u64::MAX, |budget| budget.saturating_sub(self.memory.peak.bytes))
    }

    /// Most bytes live at once in a run on so many threads within `budget`, as far as can be foreseen.
    pub(super) fn most_bytes(&self, threads: usize, budget: Option<u64>) -> u64 {
        let peak = self.memory.peak.bytes;
        if threads <= 1 || self.inline { peak } else { most_live(self, threads, budget).max(peak) }
    }

    pub(super) fn useful_bytes(&self, threads: usize) -> u64 {
        let memory = &self.memory;
        let all = memory.outputs.saturating_add(memory.most_scratch.saturating_mul(threads as u64));
        all.max(memory.peak.bytes).min(memory.budget.unwrap_or(u64::MAX))
    }

    /// The memory plan for so many threads; `None` when all values and the scratch of every thread fit at once.
    pub(crate) fn blocks_for(&self, threads: usize, budget: Option<u64>) -> Option<Blocks> {
        let scratch = self.memory.most_scratch.saturating_mul(threads as u64);
        let budget = budget?.max(self.memory.peak.bytes);
        let fits = self.memory.outputs.saturating_add(scratch) <= budget;
        let peak = self.memory.peak.bytes;
        (!fits).then(|| Blocks::new(&self.bytes, &self.inputs, &self.users, &self.keep, peak, budget))
    }

    /// Whether the plan gains nothing from a second thread.
    pub(crate) fn runs_inline(&self) -> bool {
        self.inline
    }

    /// Whether each task waits for the one before.
    fn is_chain(&self) -> bool {
        (1..self.len() as u32).all(|task| self.inputs.row(task).contains(&(task - 1)))
    }

    fn is_short(&self) -> bool {
        let nanos = |task: u32| match self.what(task) {
            What::Compute { layer, index, .. } => ask::nanos_hint(layer, index),
            _ => None,
        };
        self.len() <= SMALL_TASKS
            && (0..self.len() as u32)
                .try_fold(0, |sum: u64, task| Some(sum.saturating_add(nanos(task)?)))
                .is_some_and(|sum| sum <= SMALL_NANOS)
    }
}

impl<V> What<'_, V> {
    /// Of the inputs of a task, those whose values it takes. A load waits for its spill, which has none.
    #[inline]
    pub(crate) fn values_of<'inputs>(&self, inputs: &'inputs [u32]) -> &'inputs [u32] {
        if let What::Load(_) = self { &[] } else { inputs }
    }
}

impl<V> PlanLayer<V> {
    fn new(layer: Arc<dyn Layer<V>>) -> Self {
        Self { retries: ask::retries(&*layer), layer }
    }
}

impl<V> Labels for PlanData<V> {
    fn label(&self, rank: u32) -> String {
        self.describe(rank).3
    }
}

impl Memory {
    fn new<V>(scheduled: &Scheduled<V>, options: &PlanOptions<V>) -> Self {
        let (bytes, peak) = (&scheduled.ordered.graph.bytes, scheduled.ordered.peak);
        let reserve = options.reserve;
        let spare = |budget: u64| budget.saturating_sub(peak.bytes) / 4;
        let reserved = options.budget.map_or(reserve, |budget| reserve.min(spare(budget)));
        let (mut outputs, mut most_scratch) = (0_u64, 0);
        for task in bytes {
            outputs = outputs.saturating_add(task.output);
            most_scratch = task.scratch.max(most_scratch);
        }
        Self {
            budget: options.budget.map(|budget| budget - reserved),
            reserved,
            peak,
            outputs,
            most_scratch,
            moved: scheduled.moved,
        }
    }
}
