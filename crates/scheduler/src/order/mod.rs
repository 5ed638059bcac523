//! The execution order: which task a single thread would run when.
//!
//! It owns the choice between candidate orders and the renumbering. The order is also the priority of tasks when many
//! threads run them, so a good one keeps few values alive. Everything here is linear in tasks and edges,
//! iterative, and depends on nothing but the graph.

mod heavy;
mod release;

use crate::TaskGraph;
use crate::csr::Csr;
use crate::profile::{LiveBytes, least_peak};

/// An order is good enough when it needs at most 1/8 more than any order does.
const GOOD_ENOUGH: u64 = 8;

/// The graph with its tasks renumbered by execution order, the creation ids of the new numbers unless they are the
/// same, and the users of each task.
pub(crate) fn reorder<V>(graph: TaskGraph<V>) -> (TaskGraph<V>, Option<Vec<u32>>, Csr) {
    let users = graph.inputs.transposed();
    match better_than_creation(&graph, &users) {
        None => (graph, None, users),
        Some(order) => {
            let graph = renumbered(graph, &order);
            let users = graph.inputs.transposed();
            (graph, Some(order), users)
        }
    }
}

/// The candidate that needs least memory at its peak, if that is not the order of creation.
fn better_than_creation<V>(graph: &TaskGraph<V>, users: &Csr) -> Option<Vec<u32>> {
    if graph.num_edges() == 0 {
        return None;
    }
    let live = || LiveBytes::new(&graph.bytes, &graph.inputs, users, &graph.keep);
    let bound = least_peak(&graph.bytes, &graph.inputs);
    let good_enough = bound.saturating_add(bound / GOOD_ENOUGH);
    let mut least = live().run_all().bytes;
    let mut best = None;
    let mut consider = |least: u64, visits: &Csr| {
        let (order, peak) = release::order(graph, users, visits, live());
        if peak.bytes < least {
            best = Some(order);
        }
        peak.bytes.min(least)
    };
    if least > good_enough {
        least = consider(least, &graph.inputs);
    }
    if least > good_enough
        && let Some(visits) = heavy::heavy_first(&graph.inputs, &graph.bytes)
    {
        consider(least, &visits);
    }
    best
}

/// The same graph with task `order[i]` as task `i`.
fn renumbered<V>(graph: TaskGraph<V>, order: &[u32]) -> TaskGraph<V> {
    let mut rank = vec![0_u32; order.len()];
    for (new, &old) in order.iter().enumerate() {
        rank[old as usize] = new as u32;
    }
    let mut inputs = Csr::with_capacity(order.len(), graph.inputs.items());
    for &old in order {
        inputs.push_row(graph.inputs.row(old).iter().map(|&input| rank[input as usize]));
    }
    TaskGraph {
        layers: graph.layers,
        layer: order.iter().map(|&old| graph.layer[old as usize]).collect(),
        index: order.iter().map(|&old| graph.index[old as usize]).collect(),
        bytes: order.iter().map(|&old| graph.bytes[old as usize]).collect(),
        inputs,
        keep: graph.keep.iter().map(|&old| rank[old as usize]).collect(),
    }
}
