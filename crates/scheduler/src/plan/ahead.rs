//! How many bytes a run on several threads has live at once: the run played through ahead of time.
//!
//! It owns a model of a run: seats that take tasks as the participants of a run do (own tasks first and the newest of
//! them, sources in stretches, then what others have), within the window of the memory plan, each task taking as long
//! as the bytes it touches. It counts bytes as an observer of the run sees them. It runs nothing and knows no clock:
//! the same plan gives the same number.
//!
//! The window bounds every run; what the model adds is how much of the window the threads use. Tasks whose times are
//! not as their bytes make a run differ from it, though never beyond the budget.
//!
//! Cost: O((tasks + edges) log threads).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;

use super::PlanData;
use crate::blocks::Blocks;

/// Most sources that a seat takes at once, as in a run.
const MOST_SOURCES: u32 = 64;

/// Most bytes live at once when so many threads run a plan within `budget`.
pub(super) fn most_live<V>(plan: &PlanData<V>, threads: usize, budget: Option<u64>) -> u64 {
    let mut model = Model::new(plan, threads, budget);
    model.play();
    model.most
}

/// A run at some moment.
struct Model<'plan, V> {
    plan: &'plan PlanData<V>,
    seats: Vec<Seat>,
    /// Tasks at work: when they end, on which seat.
    running: BinaryHeap<Reverse<(u64, usize, u32)>>,
    now: u64,
    /// Inputs of each task that are still to come.
    pending: Vec<u32>,
    /// Uses of each value that are still to come.
    uses: Vec<u32>,
    /// The next source that nobody has taken.
    cursor: u32,
    window: Option<Window>,
    live: u64,
    most: u64,
}

/// What a thread has to do.
#[derive(Default)]
struct Seat {
    busy: bool,
    /// Ready tasks, the newest last.
    tasks: VecDeque<u32>,
    /// Sources it has taken, by their position.
    stretch: Range<u32>,
}

/// How far tasks may start.
struct Window {
    blocks: Blocks,
    /// Unfinished tasks of each block.
    left: Vec<u32>,
    frontier: u32,
    admitted: u32,
}

impl Window {
    fn new(blocks: Blocks) -> Self {
        let left = (0..blocks.len()).map(|block| blocks.tasks(block)).collect();
        let admitted = blocks.admit(0, 0, 0);
        Self { blocks, left, frontier: 0, admitted }
    }

    fn limit(&self) -> u32 {
        self.blocks.first(self.admitted)
    }

    /// Counts a finished task; the tasks that may start from now on.
    fn finish(&mut self, task: u32) -> Range<u32> {
        self.left[self.blocks.of(task) as usize] -= 1;
        while self.frontier < self.blocks.len() && self.left[self.frontier as usize] == 0 {
            self.frontier += 1;
        }
        let before = self.limit();
        if self.frontier < self.blocks.len() {
            self.admitted = self.blocks.admit(self.frontier, self.admitted, 0);
        }
        before..self.limit()
    }
}

impl<'plan, V> Model<'plan, V> {
    fn new(plan: &'plan PlanData<V>, threads: usize, budget: Option<u64>) -> Self {
        let tasks = 0..plan.len() as u32;
        let mut uses = plan.users.row_lens();
        plan.keep.iter().for_each(|&task| uses[task as usize] += 1);
        Self {
            plan,
            seats: (0..threads).map(|_| Seat::default()).collect(),
            running: BinaryHeap::with_capacity(threads),
            now: 0,
            pending: tasks.map(|task| plan.inputs.len_of(task)).collect(),
            uses,
            cursor: 0,
            window: plan.blocks_for(threads, budget).map(Window::new),
            live: 0,
            most: 0,
        }
    }

    fn play(&mut self) {
        loop {
            for seat in 0..self.seats.len() {
                if !self.seats[seat].busy {
                    self.find(seat).into_iter().for_each(|task| self.start(seat, task));
                }
            }
            let Some(Reverse((end, seat, task))) = self.running.pop() else { return };
            self.now = end;
            self.finish(seat, task);
        }
    }

    fn may_start(&self, task: u32) -> bool {
        self.window.as_ref().is_none_or(|window| task < window.limit())
    }

    /// The next task of a seat.
    fn find(&mut self, seat: usize) -> Option<u32> {
        let own = &mut self.seats[seat];
        if let Some(task) = own.tasks.pop_back() {
            return Some(task);
        }
        if let Some(position) = own.stretch.next() {
            return Some(self.plan.sources[position as usize]);
        }
        let windowed = self.window.is_some();
        let stolen = if windowed { self.steal(seat) } else { None };
        stolen.or_else(|| self.claim(seat)).or_else(|| if windowed { None } else { self.steal(seat) })
    }

    /// Takes the next sources.
    fn claim(&mut self, seat: usize) -> Option<u32> {
        let sources = &self.plan.sources;
        let open = match &self.window {
            None => sources.len() as u32,
            Some(window) => sources.partition_point(|&source| source < window.limit()) as u32,
        };
        let left = open.saturating_sub(self.cursor);
        if left == 0 {
            return None;
        }
        let taken = (left / (4 * self.seats.len() as u32)).clamp(1, MOST_SOURCES);
        let stretch = self.cursor..self.cursor + taken;
        self.cursor = stretch.end;
        Some(self.keep(seat, stretch))
    }

    /// Takes what another seat has: its oldest task, else the second half of its sources.
    fn steal(&mut self, seat: usize) -> Option<u32> {
        let seats = self.seats.len();
        (1..seats).map(|step| (seat + step) % seats).find_map(|victim| {
            let other = &mut self.seats[victim];
            if let Some(task) = other.tasks.pop_front() {
                return Some(task);
            }
            let Range { start, end } = other.stretch;
            if start >= end {
                return None;
            }
            let middle = start + (end - start) / 2;
            other.stretch.end = middle;
            Some(self.keep(seat, middle..end))
        })
    }

    /// Keeps a stretch that is not empty, but for its first source.
    fn keep(&mut self, seat: usize, stretch: Range<u32>) -> u32 {
        self.seats[seat].stretch = stretch.start + 1..stretch.end;
        self.plan.sources[stretch.start as usize]
    }

    fn start(&mut self, seat: usize, task: u32) {
        let own = self.plan.bytes(task).total();
        self.live = self.live.saturating_add(own);
        self.most = self.most.max(self.live);
        let touched = self
            .plan
            .inputs
            .row(task)
            .iter()
            .fold(own, |sum, &input| sum.saturating_add(self.plan.bytes(input).output));
        self.seats[seat].busy = true;
        self.running.push(Reverse((self.now.saturating_add(touched).saturating_add(1), seat, task)));
    }

    fn finish(&mut self, seat: usize, task: u32) {
        let plan = self.plan;
        self.seats[seat].busy = false;
        let bytes = plan.bytes(task);
        let kept = if plan.is_used(task) { bytes.output } else { 0 };
        self.live = self.live.saturating_sub(bytes.total() - kept);
        for &input in plan.inputs.row(task) {
            self.uses[input as usize] -= 1;
            if self.uses[input as usize] == 0 {
                self.live = self.live.saturating_sub(plan.bytes(input).output);
            }
        }
        // Descending, so that the user with the highest priority comes next.
        for &user in plan.users.row(task).iter().rev() {
            self.pending[user as usize] -= 1;
            if self.pending[user as usize] == 0 && self.may_start(user) {
                self.seats[seat].tasks.push_back(user);
            }
        }
        let opened = self.window.as_mut().map_or(0..0, |window| window.finish(task));
        for task in opened.filter(|&task| plan.inputs.len_of(task) > 0) {
            if self.pending[task as usize] == 0 {
                self.seats[seat].tasks.push_front(task);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
