//! rayon, used as its users would: tasks spawned when a counter of inputs reaches zero, and recursive joins.
//!
//! Both read the edges where they are: rayon has no graph of its own to build, and its figures lack the bytes and the
//! time of making one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::AcqRel};

use chunkwise_scheduler::BoxError;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::measure::{Clock, Times};
use crate::peer::Rounds;
use crate::shapes::{Graph, Rows, Shape};

/// `scope.spawn` for each task that becomes ready, except for one, which the thread goes on with.
pub(crate) struct Scope {
    graph: Arc<Graph>,
    users: Rows,
    pool: ThreadPool,
}

impl Scope {
    pub(crate) fn new(graph: &Arc<Graph>, workers: usize) -> Result<Self, BoxError> {
        Ok(Self { graph: Arc::clone(graph), users: graph.inputs.transposed(), pool: pool(workers)? })
    }
}

impl Rounds for Scope {
    fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    fn round<B>(&self, body: B) -> Result<Times, BoxError>
    where
        B: Fn(u32) + Send + Sync + 'static,
    {
        let mut clock = Clock::start();
        let inputs = &self.graph.inputs;
        let missing = |task| AtomicU32::new(inputs.row(task).len() as u32);
        let run =
            Counted { users: &self.users, missing: (0..self.graph.tasks()).map(missing).collect(), body };
        let build = clock.lap();
        self.pool.scope(|scope| {
            let sources = (0..self.graph.tasks()).filter(|&task| inputs.row(task).is_empty());
            sources.for_each(|task| run.spawn(scope, task));
        });
        let took = clock.lap();
        drop(run);
        Ok(Times { build, order: 0.0, run: took, teardown: clock.lap() })
    }
}

/// One run of a graph with counters.
struct Counted<'graph, B> {
    users: &'graph Rows,
    /// Inputs of each task that have not run.
    missing: Vec<AtomicU32>,
    body: B,
}

impl<B: Fn(u32) + Sync> Counted<'_, B> {
    fn spawn<'scope>(&'scope self, scope: &rayon::Scope<'scope>, task: u32) {
        scope.spawn(move |scope| self.follow(scope, task));
    }

    /// Runs a task and, of the users it makes ready, the first; the others are spawned.
    fn follow<'scope>(&'scope self, scope: &rayon::Scope<'scope>, task: u32) {
        let mut next = Some(task);
        while let Some(task) = next.take() {
            (self.body)(task);
            for &user in self.users.row(task) {
                // AcqRel: the last input to be done takes over what the others have written.
                if self.missing[user as usize].fetch_sub(1, AcqRel) > 1 {
                    continue;
                }
                match next {
                    None => next = Some(user),
                    Some(_) => self.spawn(scope, user),
                }
            }
        }
    }
}

/// `join` of the two inputs of a task, or of the halves of a range of tasks, down to single tasks.
pub(crate) struct Join {
    graph: Arc<Graph>,
    pool: ThreadPool,
}

impl Join {
    pub(crate) fn new(graph: &Arc<Graph>, workers: usize) -> Result<Self, BoxError> {
        Ok(Self { graph: Arc::clone(graph), pool: pool(workers)? })
    }
}

impl Rounds for Join {
    fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    fn round<B>(&self, body: B) -> Result<Times, BoxError>
    where
        B: Fn(u32) + Send + Sync + 'static,
    {
        let mut clock = Clock::start();
        let tasks = self.graph.tasks();
        self.pool.install(|| match self.graph.shape {
            Shape::Tree => join_inputs(&self.graph.inputs, tasks - 1, &body),
            _ => join_range(0, tasks, &body),
        });
        Ok(Times { build: 0.0, order: 0.0, run: clock.lap(), teardown: 0.0 })
    }
}

fn join_inputs(inputs: &Rows, task: u32, body: &(impl Fn(u32) + Sync)) {
    if let &[left, right] = inputs.row(task) {
        rayon::join(|| join_inputs(inputs, left, body), || join_inputs(inputs, right, body));
    }
    body(task);
}

fn join_range(start: u32, end: u32, body: &(impl Fn(u32) + Sync)) {
    if end - start == 1 {
        return body(start);
    }
    let middle = start + (end - start) / 2;
    rayon::join(|| join_range(start, middle, body), || join_range(middle, end, body));
}

fn pool(workers: usize) -> Result<ThreadPool, BoxError> {
    Ok(ThreadPoolBuilder::new().num_threads(workers).build()?)
}
