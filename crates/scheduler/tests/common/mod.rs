//! Random graphs, values that count themselves, and the slow truth they are compared with.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod chaos;
pub(crate) mod leaks;
pub(crate) mod trial;
pub(crate) mod watchdog;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use chunkwise_scheduler::{BoxError, GraphBuilder, Layer, TaskBytes, TaskCx, TaskGraph, TaskId};

/// SplitMix64: small, deterministic, good enough to draw graphs.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

pub(crate) fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// A graph as plain data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dag {
    pub(crate) inputs: Vec<Vec<u32>>,
    pub(crate) bytes: Vec<TaskBytes>,
    pub(crate) keep: Vec<u32>,
}

impl Dag {
    pub(crate) fn add(&mut self, inputs: &[u32], output: u64, scratch: u64) -> u32 {
        self.inputs.push(inputs.to_vec());
        self.bytes.push(TaskBytes { output, scratch });
        self.inputs.len() as u32 - 1
    }

    /// A graph of `tasks` tasks, of one of several shapes, with some values kept and some unused.
    pub(crate) fn random(seed: u64, tasks: u32) -> Self {
        let mut rng = Rng(seed);
        let mut dag = Self::default();
        let (shape, reach) = (rng.below(4), 1 + rng.below(12));
        for task in 0..tasks {
            let most = match shape {
                0 => 0,
                1 => 1,
                2 => 3,
                _ => 1 + rng.below(6),
            };
            let count = if task == 0 || most == 0 { 0 } else { rng.below(most + 1) };
            let inputs: Vec<u32> =
                (0..count).map(|_| task - 1 - rng.below(u64::from(task).min(reach)) as u32).collect();
            dag.add(&inputs, rng.below(4) * 10, rng.below(3) * 5);
        }
        for _ in 0..rng.below(4).min(u64::from(tasks)) {
            dag.keep.push(rng.below(u64::from(tasks)) as u32);
        }
        dag
    }

    /// A graph in which values are used again long after they were made: what a small budget sends to disk.
    pub(crate) fn long_lived(seed: u64, tasks: u32) -> Self {
        let mut rng = Rng(seed);
        let mut dag = Self::default();
        let early = 1 + tasks / 3;
        for task in 0..tasks {
            let mut inputs = Vec::new();
            if task >= early || task > 0 && rng.below(3) == 0 {
                inputs.push(task - 1);
            }
            if task >= early {
                inputs.push(rng.below(u64::from(early)) as u32);
            }
            dag.add(&inputs, (1 + rng.below(3)) * 10, rng.below(3) * 10);
        }
        dag.keep.push(tasks - 1);
        dag
    }

    /// The kept values, computed in creation order.
    pub(crate) fn truth(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = Vec::new();
        for (task, inputs) in self.inputs.iter().enumerate() {
            numbers.push(value_of(task as u32, inputs.iter().map(|&input| numbers[input as usize])));
        }
        self.keep.iter().map(|&task| numbers[task as usize]).collect()
    }

    pub(crate) fn kept_bytes(&self) -> u64 {
        let mut kept = self.keep.clone();
        kept.sort_unstable();
        kept.dedup();
        kept.iter().map(|&task| self.bytes[task as usize].output).sum()
    }

    pub(crate) fn graph<V>(&self, layer: Arc<dyn Layer<V>>) -> TaskGraph<V> {
        let mut builder = GraphBuilder::new();
        let layer = builder.layer(layer).unwrap();
        let mut ids: Vec<TaskId> = Vec::new();
        for (task, inputs) in self.inputs.iter().enumerate() {
            let inputs: Vec<TaskId> = inputs.iter().map(|&input| ids[input as usize]).collect();
            ids.push(builder.task(layer, task as u32, &inputs, self.bytes[task]).unwrap());
        }
        for &task in &self.keep {
            builder.keep(ids[task as usize]).unwrap();
        }
        builder.build()
    }
}

/// The value of a task: depends on the order of the inputs.
pub(crate) fn value_of(task: u32, inputs: impl Iterator<Item = u64>) -> u64 {
    inputs.fold(mix(u64::from(task)), |sum, input| mix(sum ^ input.rotate_left(7)))
}

/// Counts live bytes, their peak and the runs of each task.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    live: AtomicU64,
    peak: AtomicU64,
    pub(crate) runs: Vec<AtomicU32>,
    pub(crate) drops: Vec<AtomicU32>,
}

impl Ledger {
    pub(crate) fn new(tasks: usize) -> Arc<Self> {
        let zeros = || (0..tasks).map(|_| AtomicU32::new(0)).collect();
        Arc::new(Self { runs: zeros(), drops: zeros(), ..Self::default() })
    }

    fn add(&self, bytes: u64) {
        let live = self.live.fetch_add(bytes, SeqCst) + bytes;
        self.peak.fetch_max(live, SeqCst);
    }

    fn sub(&self, bytes: u64) {
        self.live.fetch_sub(bytes, SeqCst);
    }

    pub(crate) fn live(&self) -> u64 {
        self.live.load(SeqCst)
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(SeqCst)
    }
}

/// A number that counts its bytes as long as it lives.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) number: u64,
    task: u32,
    bytes: u64,
    ledger: Arc<Ledger>,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.ledger.sub(self.bytes);
        self.ledger.drops[self.task as usize].fetch_add(1, SeqCst);
    }
}

/// The layer of all tasks of a [`Dag`].
pub(crate) struct TrackedLayer {
    pub(crate) dag: Dag,
    pub(crate) ledger: Arc<Ledger>,
}

impl Layer<Arc<Tracked>> for TrackedLayer {
    fn run(&self, index: u32, inputs: &mut [Arc<Tracked>], _: &TaskCx<'_>) -> Result<Arc<Tracked>, BoxError> {
        let TaskBytes { output, scratch } = self.dag.bytes[index as usize];
        self.ledger.add(output + scratch);
        self.ledger.runs[index as usize].fetch_add(1, SeqCst);
        let expected = &self.dag.inputs[index as usize];
        assert!(inputs.iter().map(|input| &input.task).eq(expected), "wrong inputs for task {index}");
        let number = value_of(index, inputs.iter().map(|input| input.number));
        self.ledger.sub(scratch);
        Ok(Arc::new(Tracked { number, task: index, bytes: output, ledger: Arc::clone(&self.ledger) }))
    }

    fn label(&self, index: u32) -> String {
        format!("tracked {index}")
    }
}
