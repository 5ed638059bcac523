//! Times the scheduler on graphs of empty tasks, beside other schedulers on the same graphs.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin scheduler -- --tasks 1000000 --table
//! cargo run --release -p chunkwise-benches --bin scheduler -- --tasks 1000 --shapes tree,fan --workers 2 --runs 101
//! TASKFLOW_DIR=../taskflow cargo run --release -p chunkwise-benches --bin scheduler -- --tasks 1000000
//! ```
//!
//! It prints one JSON object for each shape, number of workers and peer: medians in milliseconds, the least time of the
//! run and of all four parts together, and bytes a task. `--table` adds a table on stderr: nanoseconds a task and our
//! least times as multiples of the peers'.
//!
//! * Shapes: `chain independent tree wavefront random fan`; see [`shapes::Shape`]. The graph is the same for every peer.
//! * Peers: `chunkwise`; `chunkwise_tight`, inside a budget of twice the sequential peak and 1 KiB; `rayon_scope`;
//!   `rayon_join`, where the graph is a tree or has no edges; `taskflow`, when `TASKFLOW_DIR` is a folder in which the
//!   compiler `$CXX`, or `c++`, finds `taskflow/taskflow.hpp`.
//! * `build_ms` is from edge lists to the peer's own graph, `order_ms` is ours alone, `run_ms` is one run, `teardown_ms`
//!   gives the memory back. Threads are started before the clock.
//! * `bytes_per_task` is the most that is allocated between the start of build and the end of run.
//!
//! Before it is timed, each peer runs each graph once with tasks that check that they run once, after their inputs.
//! Timed tasks do nothing but show the compiler their number. The timed runs of all peers take turns.

mod chunkwise;
mod measure;
mod memory;
mod options;
mod peer;
mod rayon;
mod shapes;
mod taskflow;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use chunkwise_scheduler::BoxError;

use self::measure::{Figures, Times, table};
use self::options::{Options, PeerName};
use self::peer::Peer;
use self::shapes::{Graph, Shape};
use self::taskflow::Program;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

fn main() -> ExitCode {
    let result = Options::parse(std::env::args().skip(1)).and_then(|options| run(&options));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), BoxError> {
    let program = options.taskflow.as_deref().map(Program::compile).transpose()?;
    let mut all = Vec::new();
    for &shape in &options.shapes {
        let graph = Arc::new(Graph::new(shape, options.tasks)?);
        for &workers in &options.workers {
            let figures = compare(options, program.as_ref(), &graph, workers)?;
            figures.iter().for_each(|figures| println!("{figures}"));
            all.extend(figures);
        }
    }
    if options.table {
        eprint!("{}", table(&all));
    }
    Ok(())
}

/// Checks and times all peers on one graph.
fn compare(
    options: &Options,
    program: Option<&Program>,
    graph: &Arc<Graph>,
    workers: usize,
) -> Result<Vec<Figures>, BoxError> {
    let failed = |name: PeerName, error: BoxError| -> BoxError {
        format!("{name} on {}, workers: {workers}: {error}", graph.shape).into()
    };
    let mut peers = Vec::new();
    for &name in options.peers.iter().filter(|&&name| can_run(name, graph.shape)) {
        let mut peer = set_up(name, program, graph, workers).map_err(|error| failed(name, error))?;
        let bytes = peer.check().map_err(|error| failed(name, error))?;
        peers.push((name, bytes, peer, Vec::new()));
    }
    for _ in 0..options.runs {
        for (name, _, peer, times) in &mut peers {
            times.push(peer.time().map_err(|error| failed(*name, error))?);
        }
    }
    let figures = |(name, bytes, _, times): (PeerName, u64, Box<dyn Peer>, Vec<Times>)| {
        Figures::new(graph, workers, name, bytes, &times)
    };
    Ok(peers.into_iter().map(figures).collect())
}

/// Whether the peer can express graphs of this shape.
fn can_run(name: PeerName, shape: Shape) -> bool {
    name != PeerName::RayonJoin || matches!(shape, Shape::Tree | Shape::Independent)
}

fn set_up(
    name: PeerName,
    program: Option<&Program>,
    graph: &Arc<Graph>,
    workers: usize,
) -> Result<Box<dyn Peer>, BoxError> {
    Ok(match name {
        PeerName::Chunkwise => Box::new(chunkwise::Chunkwise::new(graph, workers)?),
        PeerName::ChunkwiseTight => Box::new(chunkwise::Chunkwise::tight(graph, workers)?),
        PeerName::RayonScope => Box::new(rayon::Scope::new(graph, workers)?),
        PeerName::RayonJoin => Box::new(rayon::Join::new(graph, workers)?),
        PeerName::Taskflow => {
            let program = program.ok_or("the environment variable TASKFLOW_DIR is not set")?;
            Box::new(program.start(graph, workers)?)
        }
    })
}
