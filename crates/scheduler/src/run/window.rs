//! Which tasks may start, so that a run stays within its budget: the counters of [`Blocks`] for one run.
//!
//! It owns the limit, the frontier and the tasks that became ready beyond the limit. The protocol is in the README
//! of the pool.

use crate::blocks::Blocks;
use crate::sync::Mutex;
use crate::sync::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};

/// End of a list of parked tasks.
const NONE: u32 = u32::MAX;

/// The window of one run over the execution order.
pub(crate) struct Window {
    blocks: Blocks,
    /// Tasks below may start. Never decreases.
    limit: AtomicU32,
    /// Unfinished tasks of each block.
    left: Box<[AtomicU32]>,
    /// Head of the list of tasks of each block that are ready but beyond the limit.
    parked: Box<[AtomicU32]>,
    /// The task parked before each task.
    next: Box<[AtomicU32]>,
    frontier: Mutex<Frontier>,
}

/// Every task before `block` is finished; tasks before block `admitted` may start.
struct Frontier {
    block: u32,
    admitted: u32,
}

impl Window {
    pub(crate) fn new(blocks: Blocks) -> Self {
        let admitted = blocks.admit(0, 0, 0);
        let tasks = blocks.first(blocks.len());
        Self {
            limit: AtomicU32::new(blocks.first(admitted)),
            left: (0..blocks.len()).map(|block| AtomicU32::new(blocks.tasks(block))).collect(),
            parked: (0..blocks.len()).map(|_| AtomicU32::new(NONE)).collect(),
            // What is in it does not matter: zeros, in memory that is not touched.
            next: vec![0; tasks as usize].into_iter().map(AtomicU32::new).collect(),
            frontier: Mutex::new(Frontier { block: 0, admitted }),
            blocks,
        }
    }

    /// Tasks below this rank may start.
    // Relaxed: a smaller answer than the truth only parks a task, and `park` looks again.
    #[inline]
    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(Relaxed)
    }

    /// Keeps a ready task until the limit passes it. Tasks that may start after all go to `ready`.
    pub(crate) fn park(&self, task: u32, ready: impl FnMut(u32)) {
        let block = self.blocks.of(task);
        let head = &self.parked[block as usize];
        let mut first = head.load(Relaxed);
        loop {
            self.next[task as usize].store(first, Relaxed);
            // Release pairs with Acquire in `unpark`, which reads `next`.
            match head.compare_exchange_weak(first, task, Release, Relaxed) {
                Ok(_) => break,
                Err(now) => first = now,
            }
        }
        // Pairs with the fence in `advance`: either it sees the task in the list or this sees the new limit.
        fence(SeqCst);
        if task < self.limit() {
            self.unpark(block, ready);
        }
    }

    /// Counts a finished task. Tasks that may start because of it go to `ready`; true when the limit was raised.
    ///
    /// `overdraft` bytes are in use besides those of the plan. When they are in the way of the first unfinished task,
    /// and nothing runs that could free any, that task is the `Err`.
    #[inline]
    pub(crate) fn finish(&self, task: u32, overdraft: u64, ready: impl FnMut(u32)) -> Result<bool, u32> {
        // AcqRel: Release for what the task freed and stored, Acquire for what the others of the block did.
        let block = self.blocks.of(task) as usize;
        if self.left[block].fetch_sub(1, AcqRel) > 1 {
            return Ok(false);
        }
        self.advance(overdraft, ready)
    }

    /// Moves the frontier over finished blocks and the limit as far as the budget allows.
    fn advance(&self, overdraft: u64, mut ready: impl FnMut(u32)) -> Result<bool, u32> {
        let blocks = &self.blocks;
        let opened = {
            let mut frontier = self.frontier.lock();
            // Acquire pairs with AcqRel in `finish`. A block whose last task finishes later brings its own call.
            while frontier.block < blocks.len() && self.left[frontier.block as usize].load(Acquire) == 0 {
                frontier.block += 1;
            }
            if frontier.block == blocks.len() {
                return Ok(false);
            }
            let from = frontier.admitted;
            frontier.admitted = blocks.admit(frontier.block, from, overdraft);
            if frontier.admitted == frontier.block {
                return Err(blocks.first(frontier.block));
            }
            self.limit.store(blocks.first(frontier.admitted), Relaxed);
            from..frontier.admitted
        };
        // Pairs with the fence in `park`.
        fence(SeqCst);
        let raised = !opened.is_empty();
        opened.for_each(|block| self.unpark(block, &mut ready));
        Ok(raised)
    }

    /// Takes the whole list of a block: each parked task is handed out once.
    fn unpark(&self, block: u32, mut ready: impl FnMut(u32)) {
        // Acquire pairs with Release in `park`.
        let mut task = self.parked[block as usize].swap(NONE, Acquire);
        while task != NONE {
            let next = self.next[task as usize].load(Relaxed);
            ready(task);
            task = next;
        }
    }
}
