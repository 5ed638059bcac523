//! Models of what the threads of a run do to each other, the parts alone and the whole run.
//!
//! It owns the small graphs that the models run. A plan is made once, outside the model: it holds no state of a run.

mod handover;
mod runs;
mod window;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::{
    BoxError, Eviction, GraphBuilder, Layer, Plan, PlanOptions, SpillCodec, TaskBytes, TaskCx, TaskId,
};

/// Whether writing to disk works in a model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disk {
    Works,
    IsFull,
}

/// The sum of the inputs and one, for every task.
struct Sum {
    disk: Disk,
    /// This task fails.
    fails: Option<u32>,
    /// This task is tried a second time.
    retries: Option<u32>,
}

impl Sum {
    fn new() -> Self {
        Self { disk: Disk::Works, fails: None, retries: None }
    }
}

type Value = Arc<u64>;

impl Layer<Value> for Sum {
    fn run(&self, index: u32, inputs: &mut [Value], _: &TaskCx<'_>) -> Result<Value, BoxError> {
        match self.fails == Some(index) {
            true => Err("fails".into()),
            false => Ok(Arc::new(1 + inputs.iter().map(|input| **input).sum::<u64>())),
        }
    }

    fn label(&self, index: u32) -> String {
        format!("sum {index}")
    }

    fn eviction(&self, _: u32) -> Eviction {
        Eviction::Spill
    }

    fn retries(&self) -> bool {
        self.retries.is_some()
    }

    fn retry(&self, index: u32, failed: u32, _: &(dyn std::error::Error + 'static)) -> Option<Duration> {
        (self.retries == Some(index) && failed == 1).then_some(Duration::ZERO)
    }
}

impl SpillCodec<Value> for Sum {
    fn write(&self, value: &Value, out: &mut dyn io::Write) -> io::Result<()> {
        match self.disk {
            Disk::IsFull => Err(io::ErrorKind::StorageFull.into()),
            Disk::Works => out.write_all(&value.to_le_bytes()),
        }
    }

    fn read(&self, input: &mut dyn io::Read) -> io::Result<Value> {
        let mut bytes = [0; 8];
        input.read_exact(&mut bytes)?;
        Ok(Arc::new(u64::from_le_bytes(bytes)))
    }
}

/// Inputs, bytes of the value and of scratch.
type Task<'a> = (&'a [usize], u64, u64);

/// A plan for these tasks; what nobody uses is kept.
fn plan_bytes(sum: Sum, tasks: &[Task<'_>], budget: Option<u64>) -> Plan<Value> {
    let sum = Arc::new(sum);
    let mut builder = GraphBuilder::new();
    let layer = builder.layer(sum.clone()).unwrap();
    let mut ids: Vec<TaskId> = Vec::new();
    for (index, &(inputs, output, scratch)) in tasks.iter().enumerate() {
        let inputs: Vec<TaskId> = inputs.iter().map(|&input| ids[input]).collect();
        ids.push(builder.task(layer, index as u32, &inputs, TaskBytes { output, scratch }).unwrap());
    }
    for (index, &id) in ids.iter().enumerate() {
        if !tasks.iter().any(|(inputs, ..)| inputs.contains(&index)) {
            builder.keep(id).unwrap();
        }
    }
    builder.build().plan_with(PlanOptions::new().budget(budget).spill(sum)).unwrap()
}

/// A plan for tasks of 10 bytes with these inputs.
fn plan(sum: Sum, tasks: &[&[usize]], budget: Option<u64>) -> Plan<Value> {
    let tasks: Vec<Task<'_>> = tasks.iter().map(|&inputs| (inputs, 10, 0)).collect();
    plan_bytes(sum, &tasks, budget)
}

/// A value that is used three times, with tasks between that leave it no room: it is written once and read twice.
fn spilled_twice_used(disk: Disk) -> Plan<Value> {
    let tasks: [Task<'_>; 6] =
        [(&[], 20, 0), (&[0], 10, 0), (&[1], 10, 30), (&[0, 2], 10, 0), (&[3], 10, 30), (&[0, 4], 10, 0)];
    plan_bytes(Sum { disk, ..Sum::new() }, &tasks, Some(50))
}

/// The same with one use less.
fn spilled_once(disk: Disk, budget: u64) -> Plan<Value> {
    let tasks: [Task<'_>; 4] = [(&[], 20, 0), (&[0], 10, 0), (&[1], 10, 30), (&[0, 2], 10, 0)];
    plan_bytes(Sum { disk, ..Sum::new() }, &tasks, Some(budget))
}
