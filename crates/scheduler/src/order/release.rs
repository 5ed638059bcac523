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
//!     pull      u could run now, is no larger than v and has few users -> u, then c, after all of the above
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

/// The tasks in execution order and the peak of its live bytes, for which `live` is at the start. `visits` are the
/// inputs of each task in the order in which to compute them.
pub(super) fn order<V>(
    graph: &TaskGraph<V>,
    users: &Csr,
    visits: &Csr,
    live: LiveBytes<'_>,
) -> (Vec<u32>, Peak) {
    let mut search = Search::new(graph, users, visits, live);
    for sink in (0..graph.len() as u32).filter(|&task| users.len_of(task) == 0) {
        search.run(Step::Visit { task: sink, input: 0 });
    }
    debug_assert_eq!(search.order.len(), graph.len());
    (search.order, search.live.peak())
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
    /// Inputs of each task that are not emitted, and their ids combined by exclusive or: with one left, its id.
    missing: Vec<Missing>,
    live: LiveBytes<'graph>,
    emitted: Vec<bool>,
    order: Vec<u32>,
    steps: Vec<Step>,
    /// Users of the task at hand, kept for its capacity.
    ready: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Missing {
    count: u32,
    ids: u32,
}

impl<'graph> Search<'graph> {
    fn new<V>(
        graph: &'graph TaskGraph<V>,
        users: &'graph Csr,
        visits: &'graph Csr,
        live: LiveBytes<'graph>,
    ) -> Self {
        let missing = |task| {
            let row = graph.inputs.row(task);
            Missing { count: row.len() as u32, ids: row.iter().fold(0, |ids, &input| ids ^ input) }
        };
        Self {
            users,
            visits,
            bytes: &graph.bytes,
            missing: (0..graph.len() as u32).map(missing).collect(),
            live,
            emitted: vec![false; graph.len()],
            order: Vec::with_capacity(graph.len()),
            steps: Vec::new(),
            ready: Vec::new(),
        }
    }

    fn run(&mut self, first: Step) {
        self.steps.push(first);
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Visit { task, input } => self.visit(task, input),
                Step::Emit(task) => self.emit(task),
                Step::Pull { made, user } => self.pull(made, user),
            }
        }
    }

    fn visit(&mut self, task: u32, input: u32) {
        if self.emitted[task as usize] {
            return;
        }
        let inputs = self.visits.row(task);
        let next = (input as usize..inputs.len()).find(|&at| !self.emitted[inputs[at] as usize]);
        match next {
            None => self.emit(task),
            Some(at) => {
                self.steps.push(Step::Visit { task, input: at as u32 + 1 });
                self.steps.push(Step::Visit { task: inputs[at], input: 0 });
            }
        }
    }

    fn emit(&mut self, task: u32) {
        if std::mem::replace(&mut self.emitted[task as usize], true) {
            return;
        }
        self.order.push(task);
        self.live.step(task);
        for &user in self.users.row(task) {
            let missing = &mut self.missing[user as usize];
            missing.count -= 1;
            missing.ids ^= task;
        }
        self.push_pulls(task);
        self.push_hops(task);
    }

    /// Users that miss one input are tried after everything that is ready, so they go on the stack first.
    fn push_pulls(&mut self, made: u32) {
        for &user in self.users.row(made).iter().rev() {
            if self.missing[user as usize].count == 1 {
                self.steps.push(Step::Pull { made, user });
            }
        }
    }

    fn push_hops(&mut self, made: u32) {
        let users = self.users;
        let row = users.row(made);
        let mut ready = std::mem::take(&mut self.ready);
        ready.clear();
        ready.extend(row.iter().rev().filter(|&&user| self.is_ready(user)));
        let all = ready.len() == row.iter().filter(|&&user| !self.emitted[user as usize]).count()
            && self.are_no_larger(&ready, made);
        for &user in &ready {
            if all || row.len() == 1 || self.releases(user) || self.feeds_reduction(user) {
                self.steps.push(Step::Emit(user));
            }
        }
        self.ready = ready;
    }

    fn is_ready(&self, task: u32) -> bool {
        self.missing[task as usize].count == 0 && !self.emitted[task as usize]
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
        let Missing { count, ids: input } = self.missing[user as usize];
        let pulls = count == 1
            && self.is_ready(input)
            && self.users.len_of(input) <= MOST_USERS_TO_PULL
            && self.output(input) <= self.output(made);
        if pulls {
            self.emit(input);
            self.steps.push(Step::Emit(user));
        }
    }
}
