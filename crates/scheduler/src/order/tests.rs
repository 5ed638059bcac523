//! What holds for the order of every graph, checked on random ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Ordered, reorder};
use crate::{FnLayer, GraphBuilder, TaskBytes, TaskGraph, TaskId};

/// Draws numbers below a bound: SplitMix64.
fn draws(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)) % below
    }
}

/// Values of all sizes, inputs given several times, several kept values. Odd seeds give all sources first.
fn random_graph(seed: u64, tasks: u32) -> TaskGraph<u64> {
    let mut draw = draws(seed);
    let mut graph = GraphBuilder::new();
    let layer = graph.layer(Arc::new(FnLayer::new("task", |_, _: &mut [u64]| Ok(0)))).unwrap();
    let mut ids: Vec<TaskId> = Vec::new();
    for index in 0..tasks {
        let is_source = ids.is_empty() || (seed % 2 == 1 && index < tasks / 2);
        let count = if is_source { 0 } else { draw(4) };
        let reach = ids.len().min(if seed % 2 == 1 { tasks as usize } else { 20 }) as u64;
        let inputs: Vec<TaskId> = (0..count).map(|_| ids[ids.len() - 1 - draw(reach) as usize]).collect();
        let bytes = TaskBytes { output: draw(100), scratch: draw(10) };
        ids.push(graph.task(layer, index, &inputs, bytes).unwrap());
    }
    (0..draw(4)).for_each(|_| graph.keep(ids[draw(u64::from(tasks)) as usize]).unwrap());
    graph.build()
}

fn order_of<V>(ordered: &Ordered<V>) -> Vec<u32> {
    ordered.created.clone().unwrap_or_else(|| (0..ordered.graph.len() as u32).collect())
}

/// The first moment with most live bytes: after each task, what is live is found by asking every value.
fn brute_force_peak(graph: &TaskGraph<u64>, order: &[u32]) -> (u64, u32) {
    let is_needed = |value: u32, done: usize| {
        graph.keep.contains(&value)
            || order[done..].iter().any(|&task| graph.inputs.row(task).contains(&value))
    };
    let mut peak = (0, 0);
    for (at, &task) in order.iter().enumerate() {
        let needed = order[..at].iter().filter(|&&value| is_needed(value, at));
        let live: u64 = needed.map(|&value| graph.bytes[value as usize].output).sum();
        let during = live + graph.bytes[task as usize].total();
        peak = if during > peak.0 { (during, at as u32) } else { peak };
    }
    peak
}

#[test]
fn the_order_holds_each_task_once_after_its_inputs() {
    for seed in 0..200 {
        let graph = random_graph(seed, 150);
        let before = graph.inputs.clone();
        let ordered = reorder(graph);
        let order = order_of(&ordered);
        let mut seen = BTreeSet::new();
        for task in order {
            assert!(before.row(task).iter().all(|input| seen.contains(input)), "seed {seed}");
            assert!(seen.insert(task), "seed {seed}");
        }
        assert_eq!(seen.len(), 150);
    }
}

#[test]
fn renumbered_graphs_are_the_same_graphs() {
    for seed in 0..100 {
        let before = random_graph(seed, 150);
        let Ordered { graph, created, users, .. } = reorder(random_graph(seed, 150));
        let created = created.unwrap_or_else(|| (0..150).collect());
        let old = |tasks: &[u32]| tasks.iter().map(|&task| created[task as usize]).collect::<Vec<_>>();
        for (new, &task) in created.iter().enumerate() {
            assert_eq!(old(graph.inputs.row(new as u32)), before.inputs.row(task));
            assert_eq!((graph.index[new], graph.bytes[new]), (task, before.bytes[task as usize]));
        }
        assert_eq!(old(&graph.keep), before.keep);
        assert_eq!(users, graph.inputs.transposed());
    }
}

#[test]
fn the_peak_is_that_of_a_brute_force_simulation() {
    for seed in 0..100 {
        let ordered = reorder(random_graph(seed, 100));
        let peak = (ordered.peak.bytes, ordered.peak.at);
        assert_eq!(peak, brute_force_peak(&random_graph(seed, 100), &order_of(&ordered)), "seed {seed}");
    }
}

#[test]
fn some_graphs_are_reordered_and_some_are_not() {
    let reordered = (0..200).filter(|&seed| reorder(random_graph(seed, 150)).created.is_some()).count();
    assert!((20..180).contains(&reordered), "{reordered}");
}

/// A change of the rules changes the number below; nothing else may: no process, machine or build.
#[test]
fn the_order_is_the_same_in_every_process() {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for seed in 0..50 {
        for task in order_of(&reorder(random_graph(seed, 200))) {
            hash = (hash ^ u64::from(task)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    assert_eq!(hash, 0xB1B4_163F_1F47_2153, "{hash:#018X}");
}
