//! Graphs as plain data, and an interpreter that runs a graph after evictions value by value.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod exact;
mod families;
mod random;

use std::sync::Arc;

use super::{Evicted, Eviction, LOAD, SPILL, evict};
use crate::csr::Csr;
use crate::profile::{LiveBytes, Peak};
use crate::{FnLayer, GraphBuilder, TaskBytes, TaskGraph, TaskId};

/// A graph whose values are numbers; task `i` has index `i`.
#[derive(Clone, Debug, Default)]
struct Dag {
    inputs: Vec<Vec<u32>>,
    bytes: Vec<TaskBytes>,
    keep: Vec<u32>,
    eviction: Vec<Eviction>,
}

impl Dag {
    fn add(&mut self, inputs: &[u32], output: u64, scratch: u64, eviction: Eviction) -> u32 {
        self.inputs.push(inputs.to_vec());
        self.bytes.push(TaskBytes { output, scratch });
        self.eviction.push(eviction);
        self.inputs.len() as u32 - 1
    }

    fn graph(&self) -> TaskGraph<u64> {
        let mut builder = GraphBuilder::new();
        let layer = builder.layer(Arc::new(FnLayer::new("task", |_, _: &mut [u64]| Ok(0)))).unwrap();
        let mut ids: Vec<TaskId> = Vec::new();
        for (task, inputs) in self.inputs.iter().enumerate() {
            let inputs: Vec<TaskId> = inputs.iter().map(|&input| ids[input as usize]).collect();
            ids.push(builder.task(layer, task as u32, &inputs, self.bytes[task]).unwrap());
        }
        self.keep.iter().for_each(|&task| builder.keep(ids[task as usize]).unwrap());
        builder.build()
    }

    fn peak(&self) -> u64 {
        peak(&self.graph()).bytes
    }

    #[allow(clippy::result_large_err, reason = "as evict")]
    fn evict(&self, target: u64) -> Result<Evicted<u64>, (TaskGraph<u64>, Peak)> {
        let graph = self.graph();
        let users = graph.inputs.transposed();
        evict(graph, &users, |task| self.eviction[task as usize], target)
    }

    /// The kept values.
    fn truth(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = Vec::new();
        for (task, inputs) in self.inputs.iter().enumerate() {
            numbers.push(value_of(task as u32, inputs.iter().map(|&input| numbers[input as usize])));
        }
        self.keep.iter().map(|&task| numbers[task as usize]).collect()
    }

    /// What may be done with the value of `task`, as documented.
    fn possible(&self, task: u32) -> Eviction {
        let at = task as usize;
        match self.eviction[at] {
            _ if self.keep.contains(&task) || self.bytes[at].output == 0 => Eviction::Hold,
            Eviction::Rerun if !self.inputs[at].is_empty() => Eviction::Spill,
            eviction => eviction,
        }
    }

    /// The least peak of this order, by the definition: for each task, what may not be evicted and is live, its own inputs
    /// and its own bytes.
    fn least_peak(&self) -> u64 {
        let len = self.inputs.len() as u32;
        let needed_after = |value: u32, task: u32| {
            self.keep.contains(&value)
                || (task + 1..len).any(|user| self.inputs[user as usize].contains(&value))
        };
        let need = |task: u32| {
            let inputs = &self.inputs[task as usize];
            let held: u64 = (0..task)
                .filter(|value| {
                    inputs.contains(value)
                        || (self.possible(*value) == Eviction::Hold && needed_after(*value, task))
                })
                .map(|value| self.bytes[value as usize].output)
                .sum();
            held + self.bytes[task as usize].total()
        };
        (0..len).map(need).max().unwrap_or(0)
    }
}

fn peak<V>(graph: &TaskGraph<V>) -> Peak {
    let users = graph.inputs.transposed();
    LiveBytes::new(&graph.bytes, &graph.inputs, &users, &graph.keep).run_all()
}

/// The value of a task: depends on the order of the inputs.
fn value_of(task: u32, inputs: impl Iterator<Item = u64>) -> u64 {
    inputs.fold(mix(u64::from(task) + 1), |sum, input| mix(sum ^ input.rotate_left(7)))
}

/// The finaliser of SplitMix64.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0) % end
    }
}

/// What a run of a new graph did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    kept: Vec<u64>,
    spilled: u64,
    loaded: u64,
    rerun: u64,
    peak: u64,
    /// Bytes in memory at the end.
    left: u64,
}

/// Runs the tasks in order. A value is in memory from its task to its last user; records are a map of their own. Panics when
/// a task asks for a value or a record that is not there.
fn interpret(evicted: &Evicted<u64>) -> Outcome {
    let graph = &evicted.graph;
    let mut uses: Vec<u32> = graph.inputs.transposed().row_lens();
    graph.keep.iter().for_each(|&task| uses[task as usize] += 1);
    let mut memory: Vec<Option<u64>> = vec![None; graph.len()];
    let mut disk: Vec<Option<u64>> = vec![None; evicted.records as usize];
    let mut runs = vec![0_u32; graph.index.iter().max().map_or(0, |&most| most as usize + 1)];
    let (mut outcome, mut live) = (Outcome::default(), 0_u64);
    for task in 0..graph.len() {
        let (index, bytes) = (graph.index[task], graph.bytes[task]);
        let row = graph.inputs.row(task as u32);
        outcome.peak = outcome.peak.max(live + bytes.total());
        live += bytes.output;
        let mut inputs = row.iter().map(|&input| memory[input as usize].expect("an input is in memory"));
        let value = match graph.layer[task] {
            SPILL => {
                let [input] = row else { panic!("a spill has one input") };
                outcome.spilled += graph.bytes[*input as usize].output;
                let record = &mut disk[index as usize];
                assert!(record.is_none(), "record {index} is written once");
                *record = inputs.next();
                0
            }
            LOAD => {
                let [input] = row else { panic!("a load has one input") };
                assert_eq!((graph.layer[*input as usize], graph.index[*input as usize]), (SPILL, index));
                outcome.loaded += bytes.output;
                disk[index as usize].expect("the record was written")
            }
            _ => {
                outcome.rerun += if runs[index as usize] > 0 { bytes.output } else { 0 };
                runs[index as usize] += 1;
                assert_eq!(evicted.from[task], index);
                value_of(index, inputs)
            }
        };
        memory[task] = Some(value);
        for &input in row {
            uses[input as usize] -= 1;
            if uses[input as usize] == 0 {
                memory[input as usize] = None;
                live -= graph.bytes[input as usize].output;
            }
        }
        if uses[task] == 0 {
            memory[task] = None;
            live -= bytes.output;
        }
    }
    outcome.kept = graph.keep.iter().map(|&task| memory[task as usize].unwrap()).collect();
    outcome.left = live;
    outcome
}

/// The tasks of a graph: `3` is a run of task 3, `s3` a SPILL and `l3` a LOAD of its value, then the inputs.
fn listing(evicted: &Evicted<u64>) -> Vec<String> {
    let graph = &evicted.graph;
    let line = |task: usize| {
        let letter = match graph.layer[task] {
            SPILL => "s",
            LOAD => "l",
            _ => "",
        };
        let inputs = graph.inputs.row(task as u32);
        if inputs.is_empty() {
            format!("{letter}{}", evicted.from[task])
        } else {
            format!("{letter}{} {inputs:?}", evicted.from[task])
        }
    };
    (0..graph.len()).map(line).collect()
}

fn rows(csr: &Csr) -> Vec<Vec<u32>> {
    (0..csr.rows() as u32).map(|row| csr.row(row).to_vec()).collect()
}
