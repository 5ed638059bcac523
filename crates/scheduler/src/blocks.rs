//! The memory plan: stretches of the execution order with the byte sums that admission needs.
//!
//! It owns how tasks are grouped and the rule that keeps a run within its budget. The counters of a run are in
//! `run::window`.
//!
//! With `a` the first task of the frontier block (every earlier task is finished) the bytes that can be live are
//! at most `live(a)`, what earlier tasks left behind, plus the bytes of every task from `a` up to the limit. The
//! limit is raised only while that sum fits the budget, or to the end of the frontier block, which fits by
//! construction. Moving the frontier never makes the sum grow. So the budget holds whatever the workers do inside
//! the limit, and since the first unfinished task is always inside, somebody can always go on.

use crate::TaskBytes;
use crate::csr::Csr;
use crate::profile::LiveBytes;

/// Most tasks of a block.
const BLOCK_TASKS: u32 = 1024;

/// Consecutive tasks in blocks, with prefix sums. There is at least one task in a block.
#[derive(Debug)]
pub(crate) struct Blocks {
    budget: u64,
    /// First task of each block, and the number of tasks.
    first: Vec<u32>,
    /// Bytes left behind by earlier tasks when the block starts.
    live: Vec<u64>,
    /// Bytes, scratch included, of all tasks before the block; one more entry for the total.
    before: Vec<u128>,
    /// The block of each task.
    of: Vec<u32>,
}

impl Blocks {
    /// Groups tasks `0..n`, whose sequential peak `peak` fits `budget`.
    pub(crate) fn new(
        bytes: &[TaskBytes],
        inputs: &Csr,
        users: &Csr,
        keep: &[u32],
        peak: u64,
        budget: u64,
    ) -> Self {
        let slack = u128::from(budget.saturating_sub(peak) / 4);
        let mut blocks =
            Self { budget, first: vec![], live: vec![], before: vec![], of: Vec::with_capacity(bytes.len()) };
        let mut walk = LiveBytes::new(bytes, inputs, users, keep);
        let mut before = 0_u128;
        for task in 0..bytes.len() as u32 {
            let own = u128::from(bytes[task as usize].total());
            if !blocks.takes(task, before, own, slack) {
                blocks.first.push(task);
                blocks.live.push(walk.live());
                blocks.before.push(before);
            }
            blocks.of.push(blocks.live.len() as u32 - 1);
            before += own;
            walk.step(task);
        }
        blocks.first.push(bytes.len() as u32);
        blocks.before.push(before);
        blocks
    }

    /// Whether the last block may also hold `task`, `before` being the bytes of all earlier tasks.
    fn takes(&self, task: u32, before: u128, own: u128, slack: u128) -> bool {
        let (Some(&first), Some(&live), Some(&start)) =
            (self.first.last(), self.live.last(), self.before.last())
        else {
            return false;
        };
        let sum = before - start + own;
        task - first < BLOCK_TASKS
            && u128::from(live) + sum <= u128::from(self.budget)
            && (sum <= slack || own == 0)
    }

    /// Number of blocks.
    pub(crate) fn len(&self) -> u32 {
        self.live.len() as u32
    }

    /// The block of a task.
    #[inline]
    pub(crate) fn of(&self, task: u32) -> u32 {
        self.of[task as usize]
    }

    /// First task of a block; the number of tasks for the block after the last.
    pub(crate) fn first(&self, block: u32) -> u32 {
        self.first[block as usize]
    }

    /// Number of tasks of a block.
    pub(crate) fn tasks(&self, block: u32) -> u32 {
        self.first(block + 1) - self.first(block)
    }

    /// The block up to which (exclusive) tasks may start when every task before block `frontier` is finished.
    /// `admitted` is what was allowed so far; the answer is never less, and more than `frontier` unless bytes that the
    /// plan does not count (`overdraft`) are in the way.
    pub(crate) fn admit(&self, frontier: u32, admitted: u32, overdraft: u64) -> u32 {
        let mut admitted = admitted;
        while admitted < self.len() && self.fits(frontier, admitted + 1, overdraft) {
            admitted += 1;
        }
        admitted
    }

    fn fits(&self, frontier: u32, end: u32, overdraft: u64) -> bool {
        let window = self.before[end as usize] - self.before[frontier as usize];
        let sum = u128::from(self.live[frontier as usize]) + window + u128::from(overdraft);
        sum <= u128::from(self.budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Independent tasks of these bytes whose values nobody uses.
    fn blocks(outputs: &[u64], budget: u64) -> Blocks {
        let bytes: Vec<TaskBytes> = outputs.iter().map(|&output| TaskBytes { output, scratch: 0 }).collect();
        let mut inputs = Csr::new();
        outputs.iter().for_each(|_| inputs.push_row([]));
        let peak = outputs.iter().copied().max().unwrap_or(0);
        Blocks::new(&bytes, &inputs, &inputs.transposed(), &[], peak, budget)
    }

    #[test]
    fn the_limit_stays_ahead_of_the_frontier_by_what_fits() {
        let blocks = blocks(&[10; 6], 30);
        assert_eq!(blocks.len(), 6);
        assert_eq!(blocks.admit(0, 0, 0), 3);
        assert_eq!(blocks.admit(2, 3, 0), 5);
        assert_eq!(blocks.admit(5, 5, 0), 6);
    }

    #[test]
    fn the_frontier_block_is_admitted_when_it_fills_the_budget_alone() {
        let blocks = blocks(&[10, 30, 10], 30);
        assert_eq!(blocks.admit(0, 0, 0), 1);
        assert_eq!(blocks.admit(1, 1, 0), 2);
    }

    #[test]
    fn an_overdraft_may_leave_the_frontier_no_room() {
        let blocks = blocks(&[10; 6], 30);
        assert_eq!(blocks.admit(0, 0, 10), 2);
        assert_eq!(blocks.admit(2, 2, 25), 2);
    }

    #[test]
    fn small_tasks_share_a_block_and_free_ones_join_any() {
        let blocks = blocks(&[40, 0, 1, 1, 0, 40], 210);
        assert_eq!((blocks.of(1), blocks.of(4)), (0, 0));
        assert_eq!(blocks.tasks(0), 5);
        assert_eq!(blocks.first(1), 5);
    }
}
