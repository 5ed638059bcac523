//! The new graph, from the steps of the walk.
//!
//! It owns the new numbers and the sums that are reported. It decides nothing.

use super::walk::Step;
use super::{Evicted, LOAD, SPILL};
use crate::csr::Csr;
use crate::profile::{LiveBytes, Peak};
use crate::{TaskBytes, TaskGraph};

/// A value without a task of the new graph so far.
const NONE: u32 = u32::MAX;

/// The greatest number of tasks, edges or layers that the new graph has.
pub(super) fn size<V>(graph: &TaskGraph<V>, steps: &[Step]) -> u64 {
    let (mut tasks, mut edges) = (0_u64, 0_u64);
    for step in steps {
        match *step {
            Step::Run(task) => edges += u64::from(graph.inputs.len_of(task)),
            Step::Spill(_) | Step::Load(_) => edges += 1,
            Step::Nothing => continue,
        }
        tasks += 1;
    }
    tasks.max(edges).max(graph.layers.len() as u64)
}

/// The graph of these steps, whose [`size`] is below `u32::MAX`.
pub(super) fn rewrite<V>(graph: TaskGraph<V>, steps: &[Step]) -> Evicted<V> {
    let mut rewrite = Rewrite::new(graph, steps.len());
    for step in steps {
        match *step {
            Step::Run(task) => rewrite.run(task),
            Step::Spill(value) => rewrite.spill(value),
            Step::Load(value) => rewrite.load(value),
            Step::Nothing => {}
        }
    }
    rewrite.finish()
}

struct Rewrite<V> {
    old: TaskGraph<V>,
    new: Evicted<V>,
    /// The task of the new graph that gives each old value now.
    giver: Vec<u32>,
    /// The task of the new graph that wrote each old value.
    writer: Vec<u32>,
}

impl<V> Rewrite<V> {
    fn new(mut old: TaskGraph<V>, steps: usize) -> Self {
        let mut inputs = Csr::new();
        inputs.reserve(steps, old.inputs.items() + (steps - old.len().min(steps)));
        let graph = TaskGraph {
            layers: std::mem::take(&mut old.layers),
            layer: Vec::with_capacity(steps),
            index: Vec::with_capacity(steps),
            bytes: Vec::with_capacity(steps),
            inputs,
            keep: Vec::with_capacity(old.keep.len()),
        };
        let new = Evicted {
            graph,
            users: Csr::new(),
            from: Vec::with_capacity(steps),
            records: 0,
            spilled: 0,
            loaded: 0,
            rerun: 0,
            peak: Peak { bytes: 0, at: 0 },
        };
        let (giver, writer) = (vec![NONE; old.len()], vec![NONE; old.len()]);
        Self { old, new, giver, writer }
    }

    fn run(&mut self, task: u32) {
        let at = task as usize;
        let bytes = self.old.bytes[at];
        if self.giver[at] != NONE {
            self.new.rerun = self.new.rerun.saturating_add(bytes.output);
        }
        let giver = &self.giver;
        let inputs = self.old.inputs.row(task).iter().map(|&input| giver[input as usize]);
        self.new.graph.inputs.push_row(inputs);
        self.giver[at] = self.push(self.old.layer[at], self.old.index[at], bytes, task);
    }

    fn spill(&mut self, value: u32) {
        let at = value as usize;
        self.new.spilled = self.new.spilled.saturating_add(self.old.bytes[at].output);
        self.new.graph.inputs.push_row([self.giver[at]]);
        self.writer[at] = self.push(SPILL, self.new.records, TaskBytes::default(), value);
        self.new.records += 1;
    }

    fn load(&mut self, value: u32) {
        let at = value as usize;
        let (writer, output) = (self.writer[at], self.old.bytes[at].output);
        self.new.loaded = self.new.loaded.saturating_add(output);
        self.new.graph.inputs.push_row([writer]);
        let record = self.new.graph.index[writer as usize];
        self.giver[at] = self.push(LOAD, record, TaskBytes { output, scratch: 0 }, value);
    }

    /// Adds a task whose inputs were added; its number.
    fn push(&mut self, layer: u32, index: u32, bytes: TaskBytes, from: u32) -> u32 {
        let Evicted { graph, from: origins, .. } = &mut self.new;
        graph.layer.push(layer);
        graph.index.push(index);
        graph.bytes.push(bytes);
        origins.push(from);
        origins.len() as u32 - 1
    }

    fn finish(self) -> Evicted<V> {
        let Self { old, mut new, giver, .. } = self;
        let graph = &mut new.graph;
        graph.keep.extend(old.keep.iter().map(|&task| giver[task as usize]));
        new.users = graph.inputs.transposed();
        new.peak = LiveBytes::new(&graph.bytes, &graph.inputs, &new.users, &graph.keep).run_all();
        new
    }
}
