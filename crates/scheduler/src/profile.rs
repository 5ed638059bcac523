//! Live bytes of a sequential run.
//!
//! It owns the definition of "live": a value counts from the start of its task to the end of its last user, or
//! to the end of the run when it is kept; scratch counts while its task runs. It does not choose the order.

use crate::TaskBytes;
use crate::csr::Csr;

/// Where a sequential run needs most bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peak {
    /// Bytes live at that moment, the task's own included.
    pub(crate) bytes: u64,
    /// Position in the order of the task that runs at that moment.
    pub(crate) at: u32,
}

/// Walks tasks one by one in some order and keeps the count of live bytes.
pub(crate) struct LiveBytes<'graph> {
    bytes: &'graph [TaskBytes],
    inputs: &'graph Csr,
    /// Users still to come, plus one for a kept value.
    uses: Vec<u32>,
    live: u64,
    peak: Peak,
    steps: u32,
}

impl<'graph> LiveBytes<'graph> {
    pub(crate) fn new(bytes: &'graph [TaskBytes], inputs: &'graph Csr, users: &Csr, keep: &[u32]) -> Self {
        let mut uses = users.row_lens();
        for &task in keep {
            uses[task as usize] += 1;
        }
        Self { bytes, inputs, uses, live: 0, peak: Peak { bytes: 0, at: 0 }, steps: 0 }
    }

    /// Bytes of values made so far that are still needed.
    pub(crate) fn live(&self) -> u64 {
        self.live
    }

    /// The first moment so far with most live bytes.
    pub(crate) fn peak(&self) -> Peak {
        self.peak
    }

    /// Uses of a value that are still to come; a kept value has one that never comes.
    pub(crate) fn uses(&self, task: u32) -> u32 {
        self.uses[task as usize]
    }

    /// Runs `task` next.
    #[inline]
    pub(crate) fn step(&mut self, task: u32) {
        self.step_over(task, self.bytes[task as usize], self.inputs.row(task));
    }

    #[inline(always)]
    fn step_over(&mut self, task: u32, own: TaskBytes, inputs: &[u32]) {
        let during = self.live.saturating_add(own.total());
        if during > self.peak.bytes {
            self.peak = Peak { bytes: during, at: self.steps };
        }
        self.steps += 1;
        if self.uses[task as usize] > 0 {
            self.live = self.live.saturating_add(own.output);
        }
        for &input in inputs {
            let uses = &mut self.uses[input as usize];
            *uses -= 1;
            if *uses == 0 {
                self.live = self.live.saturating_sub(self.bytes[input as usize].output);
            }
        }
    }

    /// Bytes that running `task` next would free.
    pub(crate) fn freed_by(&mut self, task: u32) -> u64 {
        let mut freed = 0_u64;
        if let &[input] = self.inputs.row(task) {
            return if self.uses(input) == 1 { self.bytes[input as usize].output } else { 0 };
        }
        for &input in self.inputs.row(task) {
            let uses = &mut self.uses[input as usize];
            *uses -= 1;
            if *uses == 0 {
                freed = freed.saturating_add(self.bytes[input as usize].output);
            }
        }
        for &input in self.inputs.row(task) {
            self.uses[input as usize] += 1;
        }
        freed
    }

    /// Runs all tasks in the order of their numbers.
    pub(crate) fn run_all(mut self) -> Peak {
        let (bytes, inputs) = (self.bytes, self.inputs);
        for (task, (&own, row)) in (0..).zip(bytes.iter().zip(inputs.iter_rows())) {
            self.step_over(task, own, row);
        }
        self.peak
    }
}

/// Most inputs of a task among which duplicates are looked for.
const FEW_INPUTS: usize = 16;

/// Bytes that any order needs: those of some task and its inputs, and in the end those of the kept values.
pub(crate) fn least_peak(bytes: &[TaskBytes], inputs: &Csr, keep: &[u32]) -> u64 {
    let output = |task: u32| bytes[task as usize].output;
    let held = |row: &[u32]| match row {
        [] => 0,
        &[input] => output(input),
        _ if row.len() <= FEW_INPUTS => (0..row.len())
            .filter(|&at| !row[..at].contains(&row[at]))
            .fold(0, |sum: u64, at| sum.saturating_add(output(row[at]))),
        _ => row.iter().map(|&input| output(input)).max().unwrap_or(0),
    };
    let needs = bytes.iter().zip(inputs.iter_rows()).map(|(own, row)| held(row).saturating_add(own.total()));
    let most = needs.max().unwrap_or(0);
    let mut kept = keep.to_vec();
    kept.sort_unstable();
    kept.dedup();
    most.max(kept.into_iter().fold(0, |sum: u64, task| sum.saturating_add(output(task))))
}
