//! About how long a plan takes.
//!
//! ```text
//! work of a node = elements * instructions + bytes of inputs and results through memory
//!                + bytes read and decoded + bytes that formulas make
//! time           = (work of all nodes + tasks + second runs) / threads + bytes to and from disk
//! ```
//!
//! The constants are those of [`cost`](crate::cost). It is right for orders of magnitude: what a function of the user's takes
//! is not known, nor how fast the machine is, nor what lies in its caches.

use std::time::Duration;

use chunkwise_chunk::ReadCost;
use chunkwise_expr::{ExprGraph, Meta, NodeId, Op, Reduce};

use super::NodePlan;
use crate::cost;

/// Additions that a fold, and other operations that are no maps, take for an element.
const FOLD: f64 = 0.5;
const OTHER: f64 = 1.0;

/// Nanoseconds of a multiplication and addition of a product of matrices.
const PRODUCT: f64 = 0.1;

/// The time of all tasks.
pub(super) fn estimate(graph: &ExprGraph, nodes: &[NodePlan], threads: usize) -> Duration {
    let (mut work, mut disk) = (0.0, 0.0);
    for id in graph.ids() {
        let plan = &nodes[id.index()];
        let totals = &plan.totals;
        if plan.needed > 0.0 && (!plan.inlined || graph.is_root(id)) {
            work += plan.needed * node(graph, nodes, id);
        }
        work += totals.tasks as f64 * cost::TASK + totals.rerun as f64 / cost::MEMORY;
        disk += totals.spilled as f64 / cost::WRITTEN + totals.loaded as f64 / cost::LOADED;
    }
    Duration::from_secs_f64((work / threads.max(1) as f64 + disk).clamp(0.0, 1e18) / 1e9)
}

/// Nanoseconds of all blocks of a node.
fn node(graph: &ExprGraph, nodes: &[NodePlan], id: NodeId) -> f64 {
    let node = graph.node(id);
    let own = elements(&node.meta);
    let (elements, each) = match &node.op {
        Op::Element(op) => (own, cost::instruction(op)),
        Op::Fused(program, _) => (own, cost::program(program)),
        Op::Reduce(reduce) => (space(reduce), FOLD + reduce.program.as_deref().map_or(0.0, cost::program)),
        Op::Blockwise(rule) if is_product(rule.name()) => (products(graph, id), PRODUCT),
        Op::Source(_) | Op::Literal(_) => (0.0, 0.0),
        _ => (own, OTHER),
    };
    let inputs: f64 = match &node.op {
        Op::Source(source) => read(source.source().cost(), &node.meta),
        // A view takes no more of its input than it has.
        Op::View(_) => graph.inputs(id).iter().map(|&input| taken(graph, nodes, input, own)).sum(),
        _ => graph.inputs(id).iter().map(|&input| taken(graph, nodes, input, f64::INFINITY)).sum(),
    };
    elements * each + inputs + node.meta.nbytes() as f64 / cost::MEMORY
}

/// Nanoseconds of taking an input, of which no more than so many elements.
fn taken(graph: &ExprGraph, nodes: &[NodePlan], input: NodeId, most: f64) -> f64 {
    let node = graph.node(input);
    let all = elements(&node.meta);
    let part = if all > most { most / all } else { 1.0 };
    part * match &node.op {
        Op::Source(source) if nodes[input.index()].inlined => read(source.source().cost(), &node.meta),
        _ => node.meta.nbytes() as f64 / cost::MEMORY,
    }
}

fn read(cost: ReadCost, meta: &Meta) -> f64 {
    let time = cost::read(cost, elements(meta), meta.nbytes() as f64);
    if time.is_finite() { time } else { elements(meta) * cost::CALLED }
}

fn elements(meta: &Meta) -> f64 {
    match meta {
        Meta::Array { dtype, .. } => meta.nbytes() as f64 / dtype.itemsize() as f64,
        _ => 0.0,
    }
}

fn space(reduce: &Reduce) -> f64 {
    reduce.space.shape().iter().map(|&len| len as f64).product()
}

fn is_product(name: &str) -> bool {
    matches!(name, "dot" | "matmul" | "tensordot" | "inner" | "outer" | "einsum")
}

/// Multiplications of a product: `n m k` for an n x k and a k x m matrix, the root of the product of their sizes and that
/// of the result.
fn products(graph: &ExprGraph, id: NodeId) -> f64 {
    let inputs: f64 = graph.input_metas(id).iter().map(|meta| elements(meta)).product();
    (inputs * elements(&graph.node(id).meta)).sqrt()
}

/// As in `about 12 ms`: two digits are more than it knows.
pub(super) fn about(time: Duration) -> String {
    let mut amount = time.as_secs_f64() * 1e6;
    for (unit, next) in [("µs", 1e3), ("ms", 1e3), ("s", 60.0), ("min", 60.0), ("h", 24.0)] {
        // What would be rounded to the next unit is one of it.
        if amount < next * 0.995 {
            let digits = usize::from(amount < 9.95);
            return format!("about {amount:.digits$} {unit}");
        }
        amount /= next;
    }
    format!("about {amount:.1} days")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let text = |nanos: u64| about(Duration::from_nanos(nanos));
        assert_eq!(text(0), "about 0.0 µs");
        assert_eq!(text(1_234), "about 1.2 µs");
        assert_eq!(text(999_900), "about 1.0 ms");
        assert_eq!(text(12_345_678), "about 12 ms");
        assert_eq!(text(59_000_000_000), "about 59 s");
        assert_eq!(text(90_000_000_000), "about 1.5 min");
        assert_eq!(text(200 * 3600 * 1_000_000_000), "about 8.3 days");
    }
}
