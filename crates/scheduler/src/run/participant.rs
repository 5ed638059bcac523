//! One thread at work on one run.
//!
//! It owns the order in which tasks are taken (own deque, own stretch of sources, new sources, theft) and what
//! happens around a task. A thread inside a run takes tasks of that run only: a task that waits for a nested run
//! never finds itself above a foreign task on the same stack.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::sync::deque::{Steal, Worker};

use super::failures::Failures;
use super::guard::{drop_guarded, drop_left_over};
use super::parallel::Run;
use super::sources::Span;
use crate::TaskCx;
use crate::error::TaskErrorKind;
use crate::plan::HandOver;

/// A thread on its seat.
pub(super) struct Participant<'run, V> {
    run: &'run Run<V>,
    seat: usize,
    /// Present until the thread stands up.
    deque: Option<Worker<u32>>,
    /// The inputs of the task at hand; kept for its capacity.
    inputs: Vec<V>,
    /// A task just run and its value, if its only user is the next task of this thread.
    carried: Option<(u32, V)>,
}

impl<'run, V: Clone> Participant<'run, V> {
    pub(super) fn sit_down(run: &'run Run<V>, seat: usize) -> Self {
        Self { run, seat, deque: Some(run.lanes[seat].take_deque()), inputs: Vec::new(), carried: None }
    }

    /// Works until no task is found; true when there was one. `busy` is called once the first is taken.
    pub(super) fn work(&mut self, busy: &dyn Fn()) -> bool {
        let Some(first) = self.find() else { return false };
        busy();
        self.follow(first);
        while let Some(task) = self.find() {
            self.follow(task);
        }
        true
    }

    /// Runs a task and, one after the other, those it leads to.
    fn follow(&mut self, task: u32) {
        let mut next = Some(task);
        while let Some(task) = next {
            next = self.step(task);
        }
    }
}

/// Taking tasks.
impl<V: Clone> Participant<'_, V> {
    fn find(&mut self) -> Option<u32> {
        self.deque()
            .pop()
            .or_else(|| self.pop_source())
            .or_else(|| if self.run.window.is_some() { self.steal() } else { None })
            .or_else(|| self.claim_sources())
            .or_else(|| self.steal())
    }

    fn deque(&self) -> &Worker<u32> {
        self.deque.as_ref().expect("the thread sits")
    }

    fn pop_source(&self) -> Option<u32> {
        let position = self.run.lanes[self.seat].stretch.pop()?;
        Some(self.run.plan.sources[position as usize])
    }

    fn claim_sources(&self) -> Option<u32> {
        if !self.run.source_is_open() {
            return None;
        }
        let span = self.run.cursor.claim(self.run.open_sources(), self.run.lanes.len() as u32)?;
        Some(self.start_span(span))
    }

    /// Keeps a span that is not empty as the own stretch, but for its first source.
    fn start_span(&self, span: Span) -> u32 {
        self.run.lanes[self.seat].stretch.fill(Span { start: span.start + 1, ..span });
        self.run.plan.sources[span.start as usize]
    }

    /// Looks once at every other seat, beginning with the next one.
    fn steal(&self) -> Option<u32> {
        let seats = self.run.lanes.len();
        (1..seats).find_map(|step| self.steal_from((self.seat + step) % seats))
    }

    fn steal_from(&self, seat: usize) -> Option<u32> {
        let victim = &self.run.lanes[seat];
        loop {
            match victim.stealer.steal_batch_and_pop(self.deque()) {
                Steal::Success(task) => return Some(task),
                Steal::Empty => break,
                Steal::Retry => std::hint::spin_loop(),
            }
        }
        victim.stretch.steal().map(|span| self.start_span(span))
    }
}

/// Running tasks.
impl<V: Clone> Participant<'_, V> {
    /// Runs a task and returns one that became ready through it.
    fn step(&mut self, task: u32) -> Option<u32> {
        let run = self.run;
        if run.failures.skips(task) {
            return self.skip();
        }
        let cx = TaskCx::new(&run.failures, task, self.seat);
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.take_inputs(task);
            let value = run.plan.call(task, &mut self.inputs, &cx);
            self.inputs.clear();
            value
        }));
        match result {
            Ok(Ok(value)) => self.finish(task, value),
            Ok(Err(error)) => self.fail(task, |failures| failures.add(task, TaskErrorKind::Returned(error))),
            Err(payload) => self.fail(task, |failures| failures.add_panic(task, payload)),
        }
    }

    fn take_inputs(&mut self, task: u32) {
        for &input in self.run.plan.inputs.row(task) {
            let value = match self.carried.take_if(|(from, _)| *from == input) {
                Some((_, value)) => value,
                None => self.run.slots[input as usize].lock().consume(),
            };
            self.inputs.push(value);
        }
    }

    /// Leaves out a task that comes after a failed one.
    #[cold]
    fn skip(&mut self) -> Option<u32> {
        if let Some((from, value)) = self.carried.take() {
            drop_left_over(&self.run.failures, from, value);
        }
        None
    }

    #[cold]
    fn fail(&mut self, task: u32, add: impl FnOnce(&Failures)) -> Option<u32> {
        add(&self.run.failures);
        drop_left_over(&self.run.failures, task, std::mem::take(&mut self.inputs));
        self.skip()
    }

    /// Hands the value to the users of the task and releases them. The inputs are gone by now.
    fn finish(&mut self, task: u32, value: V) -> Option<u32> {
        let run = self.run;
        let deque = self.deque.as_ref().expect("the thread sits");
        let mut ready = Ready { deque, next: None, pushed: false };
        match run.plan.hand_over(task) {
            HandOver::Nobody => {
                if !drop_guarded(&run.failures, task, value) {
                    return None;
                }
            }
            HandOver::Only(user) if run.is_last_input_of(user) => {
                self.carried = Some((task, value));
                ready.next = Some(user);
            }
            _ => ready.release_users(run, task, value),
        }
        ready.finish_in_window(run, task);
        let Ready { next, pushed, .. } = ready;
        if pushed {
            run.notify();
        }
        next
    }
}

impl<V> Drop for Participant<'_, V> {
    fn drop(&mut self) {
        if let Some(deque) = self.deque.take() {
            self.run.lanes[self.seat].return_deque(deque);
        }
    }
}

/// The tasks that became ready: one to go on with, the others in the deque.
struct Ready<'run> {
    deque: &'run Worker<u32>,
    next: Option<u32>,
    pushed: bool,
}

impl Ready<'_> {
    /// Stores the value of a task and adds the users that have all their inputs now.
    fn release_users<V: Clone>(&mut self, run: &Run<V>, task: u32, value: V) {
        run.slots[task as usize].lock().fill(value);
        // Descending, so that the user with the highest priority comes next.
        for &user in run.plan.users.row(task).iter().rev() {
            if run.pending.input_arrived(user, run.plan.inputs.len_of(user)) {
                self.release(run, user);
            }
        }
    }

    /// Adds a task whose inputs are there, or parks it beyond the limit.
    fn release<V: Clone>(&mut self, run: &Run<V>, task: u32) {
        match run.window() {
            Some((window, blocks)) if !run.may_start(task) => {
                window.park(blocks, task, |task| self.offer(task))
            }
            _ => self.add(task),
        }
    }

    /// Counts a finished task and adds what may start because of it.
    fn finish_in_window<V: Clone>(&mut self, run: &Run<V>, task: u32) {
        if let Some((window, blocks)) = run.window() {
            let raised = window.finish(blocks, task, |task| self.offer(task));
            self.pushed |= raised && run.source_is_open();
        }
    }

    /// Adds a user of the task at hand; the one added last comes next.
    fn add(&mut self, task: u32) {
        if let Some(other) = self.next.replace(task) {
            self.push(other);
        }
    }

    /// Adds a task from elsewhere, which comes next only if there is nothing else.
    fn offer(&mut self, task: u32) {
        match self.next {
            None => self.next = Some(task),
            Some(_) => self.push(task),
        }
    }

    fn push(&mut self, task: u32) {
        self.deque.push(task);
        self.pushed = true;
    }
}
