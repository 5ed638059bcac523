//! The execution order: which task a single thread would run when.
//!
//! It owns the choice between candidate orders and the renumbering. The order is also the priority of tasks when many
//! threads run them, so a good one keeps few values alive. Everything here is linear in tasks and edges,
//! iterative, and depends on nothing but the graph.

mod heavy;
mod release;
#[cfg(test)]
mod tests;

use crate::TaskGraph;
use crate::csr::Csr;
use crate::profile::{LiveBytes, Peak, least_peak};

/// An order is good enough when it needs at most 1/8 more than any order does.
const GOOD_ENOUGH: u64 = 8;
/// An order replaces another when it needs less by at least 1/16: renumbering has its price, in time and in the
/// locality of the order of creation.
const WORTHWHILE: u64 = 16;

/// A graph whose tasks are numbered by execution order.
pub(crate) struct Ordered<V> {
    pub(crate) graph: TaskGraph<V>,
    /// The creation ids of the new numbers; absent when they are the same.
    pub(crate) created: Option<Vec<u32>>,
    pub(crate) users: Csr,
    /// Where a sequential run needs most bytes.
    pub(crate) peak: Peak,
}

/// Renumbers tasks by the best candidate order.
pub(crate) fn reorder<V>(graph: TaskGraph<V>) -> Ordered<V> {
    let users = graph.inputs.transposed();
    match best_order(&graph, &users) {
        (None, peak) => Ordered { graph, created: None, users, peak },
        (Some(order), peak) => Ordered::renumbered(graph, users, order, peak),
    }
}

/// The same tasks for a budget below their peak: by the search also where the order of creation needs no more. What
/// is used soon after it was made is moved less.
pub(crate) fn reorder_for_less<V>(ordered: Ordered<V>) -> Ordered<V> {
    let Ordered { graph, created: None, users, peak } = ordered else { return ordered };
    let live = LiveBytes::new(&graph.bytes, &graph.inputs, &users, &graph.keep);
    match release::order(&graph, &users, &graph.inputs, live, peak.bytes.saturating_add(1)) {
        None => Ordered { graph, created: None, users, peak },
        Some((order, peak)) => Ordered::renumbered(graph, users, order, peak),
    }
}

impl<V> Ordered<V> {
    fn renumbered(graph: TaskGraph<V>, users: Csr, order: Vec<u32>, peak: Peak) -> Self {
        drop(users);
        let graph = renumbered(graph, &order);
        let users = graph.inputs.transposed();
        Self { graph, created: Some(order), users, peak }
    }
}

/// The order with the least peak of those worth the renumbering, `None` for that of creation, and its peak.
fn best_order<V>(graph: &TaskGraph<V>, users: &Csr) -> (Option<Vec<u32>>, Peak) {
    let live = || LiveBytes::new(&graph.bytes, &graph.inputs, users, &graph.keep);
    let mut best = (None, live().run_all());
    if graph.num_edges() == 0 {
        return best;
    }
    let bound = least_peak(&graph.bytes, &graph.inputs, &graph.keep);
    let good_enough = bound.saturating_add(bound / GOOD_ENOUGH);
    let limit = |best: Peak| best.bytes - best.bytes / WORTHWHILE;
    if best.1.bytes > good_enough
        && let Some((order, peak)) = release::order(graph, users, &graph.inputs, live(), limit(best.1))
    {
        best = (Some(order), peak);
    }
    if best.1.bytes > good_enough
        && let Some(visits) = heavy::heavy_first(&graph.inputs, &graph.bytes)
        && let Some((order, peak)) = release::order(graph, users, &visits, live(), limit(best.1))
    {
        best = (Some(order), peak);
    }
    best
}

/// The same graph with task `order[i]` as task `i`. Array by array, each into the storage of one that is done with.
fn renumbered<V>(graph: TaskGraph<V>, order: &[u32]) -> TaskGraph<V> {
    let TaskGraph { layers, layer, index, bytes, inputs, mut keep } = graph;
    let bytes = order.iter().map(|&old| bytes[old as usize]).collect();
    let (layer, spare) = permuted(layer, order, Vec::new());
    let (index, mut rank) = permuted(index, order, spare);
    for (new, &old) in order.iter().enumerate() {
        rank[old as usize] = new as u32;
    }
    keep.iter_mut().for_each(|task| *task = rank[*task as usize]);
    TaskGraph { layers, layer, index, bytes, inputs: inputs.renumbered(order, &rank), keep }
}

/// Item `order[i]` at place `i`, stored in `spare`, and the storage of the items as it was.
fn permuted(items: Vec<u32>, order: &[u32], mut spare: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
    spare.clear();
    spare.extend(order.iter().map(|&old| items[old as usize]));
    (spare, items)
}
