//! A depth-first order that runs ahead wherever running ahead frees memory.
//!
//! It owns the search and its rules. Inputs are visited depth first from the tasks that nobody uses, in creation
//! order. After each task `v` the rules look at its users:
//!
//! ```text
//! emit(v): for each user c of v that has all its inputs now
//!     release   running c frees at least what c makes               -> c next
//!     reduce    all users of c are tiny beside c                    -> c next   (it feeds a reduction)
//!     only      c is the only user of v                             -> c next
//!     split     all users left of v are ready and no larger than v  -> all of them next
//! and for each user c of v that misses one input u
//!     pull      u could run now, is no larger than v and has few users -> u, then c, after all of the above,
//!               unless that leaves more behind than v holds
//! ```
//!
//! Each rule looks at an edge a constant number of times.

use crate::csr::Csr;
use crate::profile::{LiveBytes, Peak};
use crate::{TaskBytes, TaskGraph};

/// A user counts as tiny when it makes at most 1/20 of what its input holds.
const TINY: u64 = 20;
/// An input with more users than this is not pulled: it would stay for long.
const MOST_USERS_TO_PULL: u32 = 4;

/// The tasks in execution order and the peak of its live bytes, for which `live` is at the start; `None` when that
/// peak would not be less than `limit`. `visits` are the inputs of each task in the order in which to compute them.
pub(super) fn order<V>(
    graph: &TaskGraph<V>,
    users: &Csr,
    visits: &Csr,
    live: LiveBytes<'_>,
    limit: u64,
) -> Option<(Vec<u32>, Peak)> {
    let mut search = Search::new(graph, users, visits, live);
    for sink in (0..graph.len() as u32).filter(|&task| users.len_of(task) == 0) {
        search.run(Step::Visit { task: sink, input: 0 }, limit)?;
    }
    debug_assert_eq!(search.order.len(), graph.len());
    let peak = search.live.peak();
    (peak.bytes < limit).then_some((search.order, peak))
}

/// What is left to do, innermost last.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Emit the inputs of `task` from this one on, then the task.
    Visit { task: u32, input: u32 },
    /// Emit a ready task.
    Emit(u32),
    /// Emit the one missing input of `user`, then the user, if that still suits `made`.
    Pull { made: u32, user: u32 },
}

struct Search<'graph> {
    users: &'graph Csr,
    visits: &'graph Csr,
    bytes: &'graph [TaskBytes],
    missing: Vec<Missing>,
    live: LiveBytes<'graph>,
    order: Vec<u32>,
    steps: Vec<Step>,
    /// Users of the task at hand, kept for its capacity.
    ready: Vec<u32>,
}

/// Inputs of a task that are not emitted, and their ids combined by exclusive or: with one left, its id.
#[derive(Clone, Copy)]
struct Missing {
    count: u32,
    ids: u32,
}

impl Missing {
    /// The count of a task that is emitted itself. Builders admit fewer edges.
    const EMITTED: u32 = u32::MAX;

    fn new(inputs: &[u32]) -> Self {
        Self { count: inputs.len() as u32, ids: inputs.iter().fold(0, |ids, &input| ids ^ input) }
    }

    fn remove(&mut self, input: u32) {
        self.count -= 1;
        self.ids ^= input;
    }
}

impl<'graph> Search<'graph> {
    fn new<V>(
        graph: &'graph TaskGraph<V>,
        users: &'graph Csr,
        visits: &'graph Csr,
        live: LiveBytes<'graph>,
    ) -> Self {
        Self {
            users,
            visits,
            bytes: &graph.bytes,
            missing: (0..graph.len() as u32).map(|task| Missing::new(graph.inputs.row(task))).collect(),
            live,
            order: Vec::with_capacity(graph.len()),
            steps: Vec::new(),
            ready: Vec::new(),
        }
    }

    /// Follows `first` to the end, or to `None` when the peak gets to `limit`.
    fn run(&mut self, first: Step, limit: u64) -> Option<()> {
        self.steps.push(first);
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Visit { task, input } => self.visit(task, input),
                Step::Emit(task) => self.emit(task),
                Step::Pull { made, user } => self.pull(made, user),
            }
            if self.live.peak().bytes >= limit {
                return None;
            }
        }
        Some(())
    }

    /// Goes down to the first task that is ready, leaving the way back on the stack.
    fn visit(&mut self, mut task: u32, mut input: u32) {
        loop {
            let Missing { count, ids } = self.missing[task as usize];
            match count {
                Missing::EMITTED => return,
                0 => return self.emit(task),
                1 => {
                    self.steps.push(Step::Emit(task));
                    task = ids;
                }
                _ => {
                    let inputs = self.visits.row(task);
                    while self.is_emitted(inputs[input as usize]) {
                        input += 1;
                    }
                    self.steps.push(Step::Visit { task, input: input + 1 });
                    task = inputs[input as usize];
                }
            }
            input = 0;
        }
    }

    fn emit(&mut self, task: u32) {
        if self.is_emitted(task) {
            return;
        }
        self.missing[task as usize].count = Missing::EMITTED;
        self.order.push(task);
        self.live.step(task);
        match self.users.row(task) {
            [] => {}
            &[user] => self.inform(task, user),
            _ => self.inform_all(task),
        }
    }

    /// Tells the only user of `made`.
    fn inform(&mut self, made: u32, user: u32) {
        let missing = &mut self.missing[user as usize];
        missing.remove(made);
        match missing.count {
            0 => self.steps.push(Step::Emit(user)),
            1 => self.steps.push(Step::Pull { made, user }),
            _ => {}
        }
    }

    /// Tells the users of `made`. Pulls are tried after everything that is ready, so they go on the stack first.
    fn inform_all(&mut self, made: u32) {
        let mut ready = std::mem::take(&mut self.ready);
        ready.clear();
        let all_ready = self.push_pulls(made, &mut ready);
        let all = all_ready && self.are_no_larger(&ready, made);
        for &user in &ready {
            if all || self.releases(user) || self.feeds_reduction(user) {
                self.steps.push(Step::Emit(user));
            }
        }
        self.ready = ready;
    }

    /// Counts `made` off its users and puts those that miss one input now on the stack, those that miss none into
    /// `ready`. Whether that are all.
    fn push_pulls(&mut self, made: u32, ready: &mut Vec<u32>) -> bool {
        let users = self.users.row(made);
        let bottom = self.steps.len();
        let (mut all_ready, mut left) = (true, 0_u64);
        for (at, &user) in users.iter().enumerate().rev() {
            let missing = &mut self.missing[user as usize];
            missing.remove(made);
            // Equal users are neighbours: the last one to be counted speaks for all.
            if at > 0 && users[at - 1] == user {
                continue;
            }
            match missing.count {
                0 => ready.push(user),
                1 => {
                    left = left.saturating_add(self.left_by_pull(made, user));
                    self.steps.push(Step::Pull { made, user });
                    all_ready = false;
                }
                _ => all_ready = false,
            }
        }
        if left > self.output(made) {
            self.steps.truncate(bottom);
        }
        all_ready
    }

    fn is_emitted(&self, task: u32) -> bool {
        self.missing[task as usize].count == Missing::EMITTED
    }

    fn output(&self, task: u32) -> u64 {
        self.bytes[task as usize].output
    }

    /// Whether `tasks` together make no more than `made` holds.
    fn are_no_larger(&self, tasks: &[u32], made: u32) -> bool {
        tasks.iter().fold(0, |sum: u64, &task| sum.saturating_add(self.output(task))) <= self.output(made)
    }

    /// Whether running `task` frees at least what it makes.
    fn releases(&mut self, task: u32) -> bool {
        self.output(task) <= self.live.freed_by(task)
    }

    /// Whether all users of `task` are tiny beside it.
    fn feeds_reduction(&self, task: u32) -> bool {
        let users = self.users.row(task);
        let tiny = self.output(task) / TINY;
        // A kept value has a use more than users: it stays in any case.
        users.len() == self.live.uses(task) as usize
            && !users.is_empty()
            && users.iter().all(|&user| self.output(user) <= tiny)
    }

    fn pull(&mut self, made: u32, user: u32) {
        if let Some(input) = self.pulled_input(made, user) {
            self.emit(input);
            self.steps.push(Step::Emit(user));
        }
    }

    /// The input to run for the sake of `user` and `made`.
    fn pulled_input(&self, made: u32, user: u32) -> Option<u32> {
        let Missing { count, ids: input } = self.missing[user as usize];
        let pulls = count == 1
            && self.missing[input as usize].count == 0
            && self.users.len_of(input) <= MOST_USERS_TO_PULL
            && self.output(input) <= self.output(made);
        pulls.then_some(input)
    }

    /// Bytes that stay when `user` is pulled after `made`: its value, or less where its users make less of it.
    fn left_by_pull(&self, made: u32, user: u32) -> u64 {
        let (users, output) = (self.users.row(user), self.output(user));
        let is_kept = users.len() < self.live.uses(user) as usize;
        match self.pulled_input(made, user) {
            None => 0,
            Some(_) if is_kept => output,
            Some(_) => {
                users.iter().fold(0, |sum: u64, &next| sum.saturating_add(self.output(next))).min(output)
            }
        }
    }
}
