//! What holds for the planning of every graph: its time, its stack, and an order no worse than that of creation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chunkwise_scheduler::FnLayer;

use crate::common::{Dag, Rng};
use crate::{CHUNK, TINY, peak};

#[test]
fn a_long_chain_needs_no_stack() {
    let mut dag = Dag::default();
    let mut last = dag.add(&[], CHUNK, 0);
    for _ in 0..200_000 {
        last = dag.add(&[last], CHUNK, 0);
    }
    assert!(peak(&dag) <= 2.0, "{}", peak(&dag));
}

#[test]
fn the_order_of_creation_is_kept_when_nothing_beats_it() {
    for seed in 0..200 {
        let dag = Dag::random(seed, 150);
        let live = |order: &mut dyn Iterator<Item = usize>| {
            let mut uses = vec![0; dag.inputs.len()];
            dag.inputs.iter().flatten().chain(&dag.keep).for_each(|&input| uses[input as usize] += 1);
            let (mut live, mut peak) = (0, 0);
            for task in order {
                peak = peak.max(live + dag.bytes[task].total());
                live += if uses[task] > 0 { dag.bytes[task].output } else { 0 };
                for &input in &dag.inputs[task] {
                    uses[input as usize] -= 1;
                    live -= if uses[input as usize] == 0 { dag.bytes[input as usize].output } else { 0 };
                }
            }
            peak as f64 / CHUNK as f64
        };
        assert!(peak(&dag) <= live(&mut (0..dag.inputs.len())));
    }
}

/// Least time a task of planning, of several rounds.
fn least_time(dag: &Dag) -> Duration {
    let time = |_| {
        let graph = dag.graph(Arc::new(FnLayer::new("task", |_, _: &mut [u64]| Ok(0))));
        let start = Instant::now();
        drop(graph.plan(None).unwrap());
        start.elapsed()
    };
    (0..5).map(time).min().unwrap() / dag.inputs.len() as u32
}

/// A tree over `leaves` chunks, which is created level by level and has to be reordered.
fn tree(leaves: usize) -> Dag {
    let mut dag = Dag::default();
    let mut level = crate::sources(&mut dag, leaves);
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| dag.add(pair, CHUNK, 0)).collect();
    }
    dag
}

/// Each task reads up to four of the hundred before it.
fn near_inputs(tasks: u32) -> Dag {
    let (mut dag, mut rng) = (Dag::default(), Rng(7));
    for task in 0..tasks {
        let count = if task == 0 { 0 } else { rng.below(5) };
        let inputs: Vec<u32> =
            (0..count).map(|_| task - 1 - rng.below(u64::from(task.min(100))) as u32).collect();
        dag.add(&inputs, 1 + rng.below(CHUNK), TINY);
    }
    dag
}

#[test]
fn planning_takes_time_linear_in_tasks() {
    for (small, large) in [(tree(1_000), tree(100_000)), (near_inputs(2_000), near_inputs(200_000))] {
        // A quadratic step would make it a hundred times as long a task, caches and page faults make it a few times.
        let (small, large) = (least_time(&small), least_time(&large));
        assert!(large <= 25 * small, "{small:?} and {large:?} a task");
    }
}
