//! Time per empty task, build, plan and run (teardown included) apart:
//! `cargo run --release -p chunkwise-scheduler --example empty_tasks [tasks] [shape]`.
//!
//! "tight run" is inside a budget of twice the sequential peak and 1 KiB; a value counts 8 bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chunkwise_scheduler::{BoxError, FnLayer, GraphBuilder, GraphError, LayerId, Pool, TaskBytes, TaskId};

type Build = fn(&mut GraphBuilder<u64>, LayerId, u32) -> Result<(), GraphError>;

const SHAPES: [(&str, Build); 6] = [
    ("independent", independent),
    ("chain", chain),
    ("tree", tree),
    ("wavefront", wavefront),
    ("random", random),
    ("fan", fan),
];
const BYTES: TaskBytes = TaskBytes { output: 8, scratch: 0 };

fn main() -> Result<(), BoxError> {
    let tasks = std::env::args().nth(1).map_or(Ok(1_000_000), |arg| arg.parse())?;
    let wanted = std::env::args().nth(2);
    let rounds = if tasks > 2_000_000 { 3 } else { 7 };
    println!("{tasks} empty tasks, median of {rounds} rounds, ns per task");
    println!("{:<14}{:>8}{:>8}{:>8}{:>12}{:>12}", "shape", "threads", "build", "plan", "run", "tight run");
    for (name, build) in
        SHAPES.into_iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name))
    {
        for threads in [1, 2] {
            let pool = Pool::new(threads)?;
            let times = (0..rounds).map(|_| round(&pool, build, tasks)).collect::<Result<Vec<_>, _>>()?;
            let median = |part: usize| {
                let mut sorted: Vec<Duration> = times.iter().map(|round| round[part]).collect();
                sorted.sort_unstable();
                sorted[rounds / 2].as_nanos() as f64 / f64::from(tasks)
            };
            let [b, p, r, t] = [0, 1, 2, 3].map(median);
            println!("{name:<14}{threads:>8}{b:>8.1}{p:>8.1}{r:>12.1}{t:>12.1}");
        }
    }
    Ok(())
}

fn round(pool: &Pool, build: Build, tasks: u32) -> Result<[Duration; 4], BoxError> {
    let graph = || -> Result<_, GraphError> {
        let mut graph = GraphBuilder::new();
        let layer =
            graph.layer(Arc::new(FnLayer::new("empty", |_, inputs: &mut [u64]| Ok(inputs.len() as u64))))?;
        build(&mut graph, layer, tasks)?;
        Ok(graph.build())
    };
    let start = Instant::now();
    let built = graph()?;
    let build_time = start.elapsed();
    let start = Instant::now();
    let plan = built.plan(None)?;
    let plan_time = start.elapsed();
    let budget = plan.peak_bytes() * 2 + 1024;
    let start = Instant::now();
    pool.run(plan)?;
    let run_time = start.elapsed();
    let tight = graph()?.plan(Some(budget))?;
    let start = Instant::now();
    pool.run(tight)?;
    Ok([build_time, plan_time, run_time, start.elapsed()])
}

fn independent(graph: &mut GraphBuilder<u64>, layer: LayerId, tasks: u32) -> Result<(), GraphError> {
    (0..tasks).try_for_each(|index| graph.task(layer, index, &[], BYTES).map(drop))
}

fn chain(graph: &mut GraphBuilder<u64>, layer: LayerId, tasks: u32) -> Result<(), GraphError> {
    let mut last = graph.task(layer, 0, &[], BYTES)?;
    for index in 1..tasks {
        last = graph.task(layer, index, &[last], BYTES)?;
    }
    Ok(())
}

/// A binary reduction.
fn tree(graph: &mut GraphBuilder<u64>, layer: LayerId, tasks: u32) -> Result<(), GraphError> {
    let leaf = |index| graph.task(layer, index, &[], BYTES);
    let mut level: Vec<TaskId> = (0..tasks.div_ceil(2)).map(leaf).collect::<Result<_, _>>()?;
    while level.len() > 1 {
        let join =
            |pair: &[TaskId]| if let [one] = pair { Ok(*one) } else { graph.task(layer, 0, pair, BYTES) };
        level = level.chunks(2).map(join).collect::<Result<_, _>>()?;
    }
    Ok(())
}

/// A square in which each task waits for the ones above and to the left.
fn wavefront(graph: &mut GraphBuilder<u64>, layer: LayerId, tasks: u32) -> Result<(), GraphError> {
    let side = f64::from(tasks).sqrt() as usize;
    let mut above: Vec<TaskId> = Vec::new();
    for _ in 0..side {
        let mut row: Vec<TaskId> = Vec::with_capacity(side);
        for column in 0..side {
            let inputs = [above.get(column).copied(), row.last().copied()];
            let inputs: Vec<TaskId> = inputs.into_iter().flatten().collect();
            row.push(graph.task(layer, 0, &inputs, BYTES)?);
        }
        above = row;
    }
    Ok(())
}

/// Each task waits for up to three of the thousand before it.
fn random(graph: &mut GraphBuilder<u64>, layer: LayerId, tasks: u32) -> Result<(), GraphError> {
    let mut ids: Vec<TaskId> = Vec::new();
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for index in 0..tasks {
        let count = if ids.is_empty() { 0 } else { draw(4) };
        let inputs: Vec<TaskId> =
            (0..count).map(|_| ids[ids.len() - 1 - draw(ids.len().min(1000))]).collect();
        ids.push(graph.task(layer, index, &inputs, BYTES)?);
    }
    Ok(())
}

/// One to many to one.
fn fan(graph: &mut GraphBuilder<u64>, layer: LayerId, tasks: u32) -> Result<(), GraphError> {
    let first = graph.task(layer, 0, &[], BYTES)?;
    let middle =
        (2..tasks).map(|index| graph.task(layer, index, &[first], BYTES)).collect::<Result<Vec<_>, _>>()?;
    graph.task(layer, 1, &middle, BYTES).map(drop)
}
