//! The walk along the execution order that decides what leaves memory and what comes back when.
//!
//! It owns the state of memory. It does not build the new graph: it says the steps.

use super::Eviction;
use super::candidates::{Candidates, Price};
use super::needs::Needs;
use super::values::{NEVER, Values};

/// One task of the new graph, by the number of its value in the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Run the task, not always for the first time.
    Run(u32),
    /// Write the value to disk.
    Spill(u32),
    /// Read the value back.
    Load(u32),
    /// A run whose value was evicted before anyone used it.
    Nothing,
}

/// The whereabouts of a value.
#[derive(Clone, Copy)]
struct Place {
    /// Its next use.
    next: u32,
    /// The step that made it, until it is used or written.
    unused_since: Option<u32>,
    in_memory: bool,
    on_disk: bool,
}

/// The state of memory between two steps.
pub(super) struct Walk<'graph> {
    values: &'graph Values<'graph>,
    needs: &'graph Needs,
    target: u64,
    places: Vec<Place>,
    candidates: Candidates,
    live: u64,
    steps: Vec<Step>,
}

impl<'graph> Walk<'graph> {
    /// A walk to `target`, which is no less than the least peak.
    pub(super) fn new(values: &'graph Values<'graph>, needs: &'graph Needs, target: u64) -> Self {
        let nowhere = Place { next: NEVER, unused_since: None, in_memory: false, on_disk: false };
        Self {
            values,
            needs,
            target,
            places: vec![nowhere; values.len()],
            candidates: Candidates::default(),
            live: 0,
            steps: Vec::with_capacity(values.len()),
        }
    }

    /// Walks all tasks.
    pub(super) fn run(mut self) -> Vec<Step> {
        (0..self.values.len() as u32).for_each(|task| self.visit(task));
        self.steps
    }

    fn visit(&mut self, task: u32) {
        let inputs = self.values.inputs(task);
        for &input in inputs {
            self.pin(input);
        }
        for &input in inputs {
            if !self.places[input as usize].in_memory {
                self.bring_back(input, task);
            }
        }
        self.make_room(self.values.bytes(task).total(), task);
        self.emit(Step::Run(task));
        for &input in inputs {
            if self.places[input as usize].next == task {
                self.release(input, task);
            }
        }
        self.welcome(task);
    }

    /// Takes a value that is in memory out of the candidates.
    fn pin(&mut self, value: u32) {
        if let Some(price) = self.price(value) {
            let Place { next, in_memory: true, .. } = self.places[value as usize] else { return };
            self.candidates.remove(price, next, self.values.bytes(value).output, value);
        }
    }

    /// Brings an evicted value back for `task`, pinned.
    fn bring_back(&mut self, value: u32, task: u32) {
        let bytes = self.values.bytes(value);
        if self.price(value) == Some(Price::Rerun) {
            self.make_room(bytes.total(), task);
            self.emit(Step::Run(value));
        } else {
            self.make_room(bytes.output, task);
            self.emit(Step::Load(value));
        }
        self.places[value as usize].in_memory = true;
        self.live += bytes.output;
    }

    /// Frees an input of `task` at its last use, or lets it be evicted until the next.
    fn release(&mut self, value: u32, task: u32) {
        let next = self.values.next_use(value, task);
        let place = &mut self.places[value as usize];
        (place.next, place.unused_since) = (next, None);
        if next == NEVER {
            place.in_memory = false;
            self.live -= self.values.bytes(value).output;
        } else {
            self.unpin(value);
        }
    }

    /// Takes in the value of `task`, just run, if anyone wants it.
    fn welcome(&mut self, task: u32) {
        let next = self.values.next_use(task, task);
        if next != NEVER {
            let unused_since = u32::try_from(self.steps.len() - 1).ok();
            self.places[task as usize] = Place { next, unused_since, in_memory: true, on_disk: false };
            self.live += self.values.bytes(task).output;
            self.unpin(task);
        }
    }

    fn unpin(&mut self, value: u32) {
        if let Some(price) = self.price(value) {
            let next = self.places[value as usize].next;
            self.candidates.insert(price, next, self.values.bytes(value).output, value);
        }
    }

    /// What it costs to be without a value until its next use; `None` if that is not possible.
    fn price(&self, value: u32) -> Option<Price> {
        let Place { next, on_disk, .. } = self.places[value as usize];
        match self.values.eviction(value) {
            Eviction::Hold => None,
            Eviction::Rerun if self.may_run_again(value, next) => Some(Price::Rerun),
            _ if on_disk => Some(Price::Load),
            _ => Some(Price::SpillAndLoad),
        }
    }

    /// Whether a value may run again right before `task`, whatever else that task needs.
    fn may_run_again(&self, value: u32, task: u32) -> bool {
        let scratch = self.values.bytes(value).scratch;
        self.needs.held(task).checked_add(scratch).is_some_and(|bytes| bytes <= self.target)
    }

    /// Evicts until `bytes` more fit the target.
    fn make_room(&mut self, bytes: u64, task: u32) {
        loop {
            let all = u128::from(self.live) + u128::from(bytes);
            let missing = all.saturating_sub(u128::from(self.target));
            if missing == 0 {
                return;
            }
            let missing = u64::try_from(missing).unwrap_or(u64::MAX);
            let (price, victim) = self
                .candidates
                .victim(task, missing)
                .expect("without candidates only what the task needs is in memory, and that fits");
            self.evict(price, victim);
        }
    }

    fn evict(&mut self, price: Price, value: u32) {
        let bytes = self.values.bytes(value).output;
        let place = &mut self.places[value as usize];
        self.candidates.remove(price, place.next, bytes, value);
        self.live -= bytes;
        place.in_memory = false;
        match (price, place.unused_since.take()) {
            (Price::Rerun, Some(step)) => self.steps[step as usize] = Step::Nothing,
            (Price::Rerun | Price::Load, _) => {}
            (Price::SpillAndLoad, _) => {
                place.on_disk = true;
                self.emit(Step::Spill(value));
            }
        }
    }

    fn emit(&mut self, step: Step) {
        self.steps.push(step);
    }
}
