//! One thread at work on one run.
//!
//! It owns the order in which tasks are taken (own deque, own stretch of sources, new sources, theft) and what
//! happens around a task. A thread inside a run takes tasks of that run only: a task that waits for a nested run
//! never finds itself above a foreign task on the same stack.
//!
//! A turn has two halves, [`run`](Participant::run) and [`settle`](Participant::settle), between which other threads
//! may do anything: the simulator (`run::simulate`) puts their turns between them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::sync::deque::{Steal, Worker};

use super::delayed::Again;
use super::entry::{Entry, Find, halve};
use super::guard::drop_left_over;
use super::parallel::Run;
use super::sources::Span;
use super::watch::Watch;
use super::work::{Hand, Inside, Outcome, Turn};
use crate::plan::HandOver;

/// A thread on its seat.
pub(super) struct Participant<'run, V, W> {
    run: &'run Run<V, W>,
    seat: usize,
    /// Present until the thread stands up.
    deque: Option<Worker<Entry>>,
    hand: Hand<V>,
    /// A task just run and its value, if its only user is the next task of this thread.
    carried: Option<(u32, V)>,
}

/// What a thread takes in hand.
pub(super) enum Job<V> {
    Find(Find),
    Again(Again<V>),
}

/// A task that was run and whose outcome nobody knows yet.
pub(super) struct Ran<V> {
    turn: Turn,
    outcome: Outcome<V>,
}

impl<'run, V: Clone, W: Watch> Participant<'run, V, W> {
    pub(super) fn sit_down(run: &'run Run<V, W>, seat: usize) -> Self {
        Self { run, seat, deque: Some(run.lanes[seat].take_deque()), hand: Hand::new(seat), carried: None }
    }

    /// Works until no task is found; true when there was one. `busy` is called once the first is taken.
    pub(super) fn work(&mut self, busy: &dyn Fn()) -> bool {
        let Some(first) = self.find() else { return false };
        busy();
        let mut found = Some(first);
        while self.guarded(|this| this.follow_all(&mut found)).is_none() {}
        true
    }

    /// Acts under a guard: a panic becomes an error of the task at hand, and there is no answer.
    pub(super) fn guarded<R>(&mut self, act: impl FnOnce(&mut Self) -> R) -> Option<R> {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _inside = Inside::new(self.run.work.cancel.as_ref());
            act(self)
        }));
        result.map_err(|payload| self.panicked(payload)).ok()
    }

    #[cold]
    fn panicked(&mut self, payload: Box<dyn Any + Send>) {
        self.run.work.panicked(&mut self.hand, payload);
        self.skip();
    }

    /// Does what was found, and then what there is to be found.
    fn follow_all(&mut self, found: &mut Option<Job<V>>) {
        while let Some(job) = found.take().or_else(|| self.find()) {
            self.follow(job);
        }
    }

    /// Does what was found and, one after the other, the tasks it leads to.
    #[inline]
    fn follow(&mut self, job: Job<V>) {
        let mut next = match job {
            Job::Find(Find::Task(task)) => Some(task),
            Job::Find(Find::Edges(edges)) => self.release_edges(edges),
            Job::Again(again) => self.run_again(again).and_then(|ran| self.settle(ran)),
        };
        while let Some(task) = next {
            next = self.run(task).and_then(|ran| self.settle(ran));
        }
    }
}

/// Taking tasks.
impl<V: Clone, W: Watch> Participant<'_, V, W> {
    pub(super) fn find(&mut self) -> Option<Job<V>> {
        if let Some(entry) = self.deque().pop() {
            return Some(Job::Find(entry.unpack()));
        }
        if let Some(again) = self.run.delayed.pop(&self.run.work.failures) {
            return Some(Job::Again(again));
        }
        let source = self.pop_source();
        let stolen = || if self.run.window.is_some() { self.steal() } else { None };
        let find = source.map(Find::Task).or_else(stolen).or_else(|| self.claim_sources().map(Find::Task));
        find.or_else(|| self.steal()).map(Job::Find)
    }

    fn deque(&self) -> &Worker<Entry> {
        self.deque.as_ref().expect("the thread sits")
    }

    fn pop_source(&self) -> Option<u32> {
        let position = self.run.lanes[self.seat].stretch.pop()?;
        Some(self.run.work.plan.sources[position as usize])
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
        self.run.work.plan.sources[span.start as usize]
    }

    /// Looks once at every other seat, beginning with the next one.
    fn steal(&self) -> Option<Find> {
        let seats = self.run.lanes.len();
        (1..seats).find_map(|step| self.steal_from((self.seat + step) % seats))
    }

    fn steal_from(&self, seat: usize) -> Option<Find> {
        let victim = &self.run.lanes[seat];
        loop {
            match victim.stealer.steal_batch_and_pop(self.deque()) {
                Steal::Success(entry) => return Some(entry.unpack()),
                Steal::Empty => break,
                Steal::Retry => std::hint::spin_loop(),
            }
        }
        victim.stretch.steal().map(|span| Find::Task(self.start_span(span)))
    }
}

/// Running tasks.
impl<V: Clone, W: Watch> Participant<'_, V, W> {
    /// Runs a task, unless it is not wanted any more.
    #[inline(always)]
    pub(super) fn run(&mut self, task: u32) -> Option<Ran<V>> {
        let run = self.run;
        if run.work.failures.skips(task) {
            self.skip();
            return None;
        }
        let turn = Turn { task, seat: self.seat, failed: 0 };
        let carried = &mut self.carried;
        let outcome = run.work.run(turn, &mut self.hand, |tasks, inputs| gather(run, tasks, carried, inputs));
        Some(Ran { turn, outcome })
    }

    /// Runs a task that failed before.
    #[cold]
    pub(super) fn run_again(&mut self, again: Again<V>) -> Option<Ran<V>> {
        let Again { task, failed, inputs, freed, .. } = again;
        if self.run.work.failures.skips(task) {
            drop_left_over(&self.run.work.failures, task, inputs);
            return None;
        }
        let turn = Turn { task, seat: self.seat, failed };
        self.hand.inputs = inputs;
        let outcome = self.run.work.run(turn, &mut self.hand, |_, _| freed);
        Some(Ran { turn, outcome })
    }

    /// Leaves out a task that is not wanted.
    #[cold]
    fn skip(&mut self) {
        if let Some((from, value)) = self.carried.take() {
            drop_left_over(&self.run.work.failures, from, value);
        }
    }

    /// Hands the value to the users of a task, releases them, and returns one that is ready. The inputs are gone by now.
    #[inline(always)]
    pub(super) fn settle(&mut self, Ran { turn, outcome }: Ran<V>) -> Option<u32> {
        match outcome {
            Outcome::Value(value) => self.finish(turn.task, Some(value)),
            Outcome::Written | Outcome::Refused => self.finish(turn.task, None),
            Outcome::Failed => {
                self.skip();
                None
            }
            Outcome::Again(retrial) => {
                self.run.delayed.push(turn, *retrial);
                self.run.notify();
                None
            }
        }
    }

    #[inline(always)]
    fn finish(&mut self, task: u32, value: Option<V>) -> Option<u32> {
        let run = self.run;
        let mut ready = Ready::new(run, self.deque.as_ref());
        match (run.work.plan.hand_over(task), value) {
            (HandOver::Nobody, value) => drop(value),
            (HandOver::Only(user), Some(value)) if run.is_last_input_of(user) => {
                ready.next = Some(user);
                self.carried = Some((task, value));
            }
            (HandOver::Only(user), value) => {
                store(run, task, value, 1);
                ready.release_edge(user);
            }
            (HandOver::Shared(uses), value) => {
                store(run, task, value, uses);
                ready.release_edges(run.work.plan.users.range_of(task));
            }
        }
        ready.finish_in_window(task);
        ready.done()
    }

    pub(super) fn release_edges(&mut self, edges: std::ops::Range<u32>) -> Option<u32> {
        let mut ready = Ready::new(self.run, self.deque.as_ref());
        ready.release_edges(edges);
        ready.done()
    }
}

/// Takes the values of tasks; the bytes that no later task uses.
#[inline(always)]
fn gather<V: Clone, W: Watch>(
    run: &Run<V, W>,
    tasks: &[u32],
    carried: &mut Option<(u32, V)>,
    inputs: &mut Vec<V>,
) -> u64 {
    let mut freed = 0;
    for &task in tasks {
        let (value, is_last) = match carried.take_if(|(from, _)| *from == task) {
            Some((_, value)) => (value, true),
            // SAFETY: a task runs once, after its inputs, each of which was stored for all its users; the counts of inputs and the
            // deques order the two. The inputs of a task that runs again are not taken again.
            #[allow(unsafe_code)]
            None => unsafe { run.slots.consume(task) },
        };
        inputs.push(value);
        if W::ON && is_last {
            freed = u64::wrapping_add(freed, run.work.plan.bytes(task).output);
        }
    }
    freed
}

/// Keeps the value of a task, if it has one, for so many users.
#[inline(always)]
fn store<V: Clone, W: Watch>(run: &Run<V, W>, task: u32, value: Option<V>, uses: u32) {
    if let Some(value) = value {
        // SAFETY: a task ends once, and only the thread that has run it gets here.
        #[allow(unsafe_code)]
        unsafe {
            run.slots.fill(task, value, uses);
        }
    }
}

impl<V, W> Drop for Participant<'_, V, W> {
    fn drop(&mut self) {
        if let Some(deque) = self.deque.take() {
            self.run.lanes[self.seat].return_deque(deque);
        }
    }
}

/// The tasks that became ready: one to go on with, the others in the deque.
struct Ready<'seat, 'run, V, W> {
    run: &'run Run<V, W>,
    deque: &'seat Worker<Entry>,
    next: Option<u32>,
    pushed: bool,
}

impl<'seat, 'run, V: Clone, W: Watch> Ready<'seat, 'run, V, W> {
    #[inline]
    fn new(run: &'run Run<V, W>, deque: Option<&'seat Worker<Entry>>) -> Self {
        Self { run, deque: deque.expect("the thread sits"), next: None, pushed: false }
    }

    /// Counts an input of the users at these positions, and adds those that have all their inputs now. Where there are
    /// very many, most are left for others to count.
    #[inline]
    fn release_edges(&mut self, edges: std::ops::Range<u32>) {
        let run = self.run;
        let edges = halve(edges, |rest| self.push(Entry::edges(rest)));
        if self.pushed {
            run.notify();
        }
        // Descending, so that the user with the highest priority comes next.
        for &user in run.work.plan.users.slice(edges).iter().rev() {
            self.release_edge(user);
        }
    }

    /// Counts an input of `user`.
    #[inline]
    fn release_edge(&mut self, user: u32) {
        if self.run.slots.input_arrived(user, self.run.work.plan.inputs.len_of(user)) {
            self.release(user);
        }
    }

    /// Adds a task whose inputs are there, or parks it beyond the limit.
    #[inline]
    fn release(&mut self, user: u32) {
        match &self.run.window {
            Some(window) if !self.run.may_start(user) => window.park(user, |task| self.offer(task)),
            _ => self.add(user),
        }
    }

    /// Counts a finished task and adds what may start because of it.
    #[inline]
    fn finish_in_window(&mut self, task: u32) {
        let run = self.run;
        let raised = run.finish_in_window(task, |task| self.offer(task));
        self.pushed |= raised && run.source_is_open();
    }

    /// Adds a user of the task at hand; the one added last comes next.
    fn add(&mut self, task: u32) {
        if let Some(other) = self.next.replace(task) {
            self.push(Entry::task(other));
        }
    }

    /// Adds a task from elsewhere, which comes next only if there is nothing else.
    fn offer(&mut self, task: u32) {
        match self.next {
            None => self.next = Some(task),
            Some(_) => self.push(Entry::task(task)),
        }
    }

    fn push(&mut self, entry: Entry) {
        self.deque.push(entry);
        self.pushed = true;
    }

    /// Tells the others what was pushed, and returns the task to go on with.
    #[inline]
    fn done(self) -> Option<u32> {
        if self.pushed {
            self.run.notify();
        }
        self.next
    }
}
