//! What the planner asks about the values of a graph: their size, what may be done with them, when they are used.
//!
//! It owns the reading of `Eviction`. It does not know which values are in memory.

use super::Eviction;
use crate::csr::Csr;
use crate::{TaskBytes, TaskGraph};

/// The next use of a value that nobody uses any more.
pub(super) const NEVER: u32 = u32::MAX;
/// The next use of a kept value after that by its last user.
const AT_THE_END: u32 = u32::MAX - 1;

/// The values of a graph; the value of a task has the number of the task.
pub(super) struct Values<'graph> {
    bytes: &'graph [TaskBytes],
    inputs: &'graph Csr,
    users: &'graph Csr,
    eviction: Vec<Eviction>,
    kept: Vec<bool>,
}

impl<'graph> Values<'graph> {
    pub(super) fn new<V>(
        graph: &'graph TaskGraph<V>,
        users: &'graph Csr,
        eviction: impl Fn(u32) -> Eviction,
    ) -> Self {
        let mut kept = vec![false; graph.len()];
        graph.keep.iter().for_each(|&task| kept[task as usize] = true);
        let possible = |task: u32| match eviction(task) {
            _ if kept[task as usize] || graph.bytes[task as usize].output == 0 => Eviction::Hold,
            Eviction::Rerun if graph.inputs.len_of(task) > 0 => Eviction::Spill,
            eviction => eviction,
        };
        let eviction = (0..graph.len() as u32).map(possible).collect();
        Self { bytes: &graph.bytes, inputs: &graph.inputs, users, eviction, kept }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn bytes(&self, task: u32) -> TaskBytes {
        self.bytes[task as usize]
    }

    /// The inputs of a task; an input may be there several times.
    pub(super) fn inputs(&self, task: u32) -> &'graph [u32] {
        self.inputs.row(task)
    }

    /// What may be done with a value, `Rerun` only for tasks without inputs.
    pub(super) fn eviction(&self, value: u32) -> Eviction {
        self.eviction[value as usize]
    }

    /// The first use of a value after task `after`.
    pub(super) fn next_use(&self, value: u32, after: u32) -> u32 {
        let users = self.users.row(value);
        let next = match users.last() {
            Some(&last) if last > after => users[users.partition_point(|&user| user <= after)],
            _ => NEVER,
        };
        if next == NEVER && self.kept[value as usize] { AT_THE_END } else { next }
    }
}
