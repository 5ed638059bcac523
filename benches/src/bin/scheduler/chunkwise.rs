//! The scheduler of this workspace: graph builder, plan, pool.

use std::sync::Arc;

use chunkwise_scheduler::{BoxError, FnLayer, GraphBuilder, GraphError, Pool, TaskBytes, TaskGraph, TaskId};

use crate::measure::{Clock, Times};
use crate::peer::Rounds;
use crate::shapes::Graph;

/// A value is a `u64`.
const BYTES: TaskBytes = TaskBytes { output: 8, scratch: 0 };

pub(crate) struct Chunkwise {
    graph: Arc<Graph>,
    pool: Pool,
    budget: Option<u64>,
}

impl Chunkwise {
    /// Without a limit of memory.
    pub(crate) fn new(graph: &Arc<Graph>, workers: usize) -> Result<Self, BoxError> {
        Ok(Self { graph: Arc::clone(graph), pool: Pool::new(workers)?, budget: None })
    }

    /// With a budget of twice the sequential peak and 1 KiB.
    pub(crate) fn tight(graph: &Arc<Graph>, workers: usize) -> Result<Self, BoxError> {
        let plan = build(graph, |_| ())?.plan(None)?;
        Ok(Self { budget: Some(plan.peak_bytes() * 2 + 1024), ..Self::new(graph, workers)? })
    }
}

impl Rounds for Chunkwise {
    fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    fn round<B>(&self, body: B) -> Result<Times, BoxError>
    where
        B: Fn(u32) + Send + Sync + 'static,
    {
        let mut clock = Clock::start();
        let graph = build(&self.graph, body)?;
        let build = clock.lap();
        let plan = graph.plan(self.budget)?;
        let order = clock.lap();
        self.pool.run(plan.clone())?;
        let run = clock.lap();
        drop(plan);
        Ok(Times { build, order, run, teardown: clock.lap() })
    }
}

fn build<B>(from: &Graph, body: B) -> Result<TaskGraph<u64>, GraphError>
where
    B: Fn(u32) + Send + Sync + 'static,
{
    let mut graph = GraphBuilder::new();
    graph.reserve(from.tasks() as usize, from.edges());
    let empty = FnLayer::new("empty", move |task, inputs: &mut [u64]| {
        body(task);
        Ok(inputs.len() as u64)
    });
    let layer = graph.layer(Arc::new(empty))?;
    let mut ids: Vec<TaskId> = Vec::with_capacity(from.tasks() as usize);
    let mut inputs = Vec::new();
    for task in 0..from.tasks() {
        inputs.clear();
        inputs.extend(from.inputs.row(task).iter().map(|&input| ids[input as usize]));
        ids.push(graph.task(layer, task, &inputs, BYTES)?);
    }
    Ok(graph.build())
}
