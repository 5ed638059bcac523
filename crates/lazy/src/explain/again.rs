//! What becomes of values that are needed before a barrier and again behind it, and why.
//!
//! It owns the words. The decisions are made in [`lower`](crate::lower) and by the planner of evictions.

use std::fmt;

use chunkwise_chunk::ReadCost;
use chunkwise_expr::{ExprGraph, NodeId, Op};

use super::NodePlan;
use super::tree::{place, readable};
use crate::lower::{Again, Crossing, crossings};

/// Decisions that are kept for a plan.
const MOST: usize = 200;

/// Bytes below which a value that is held is not worth a line.
const TINY: u64 = 1 << 10;

/// What becomes of one value.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    node: String,
    barrier: String,
    what: String,
}

/// What becomes of all such values of a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Decisions {
    first: Vec<Decision>,
    more: usize,
}

impl Decisions {
    pub(super) fn find(
        graph: &ExprGraph,
        nodes: &[NodePlan],
        again: &[Again],
        limit: Option<u64>,
    ) -> Decisions {
        let mut decisions = Decisions::default();
        again.iter().for_each(|map| decisions.push(|| computed_again(map)));
        let large = |id: NodeId| graph.node(id).meta.nbytes() >= TINY;
        let (found, left) = crossings(graph, large);
        for crossing in &found {
            decisions.push(|| decision(graph, crossing, &nodes[crossing.node.index()], limit));
        }
        decisions.more += left;
        decisions
    }

    fn push(&mut self, decision: impl FnOnce() -> Decision) {
        match self.first.len() < MOST {
            true => self.first.push(decision()),
            false => self.more += 1,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}

impl fmt::Display for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Decision { node, barrier, what } in &self.first {
            writeln!(f, "  {node}, again after {barrier}: {what}")?;
        }
        match self.more {
            0 => Ok(()),
            more => writeln!(f, "  .. and {more} more"),
        }
    }
}

fn computed_again(map: &Again) -> Decision {
    let Again { node, barrier, times, nanos, disk_nanos } = map;
    let share = 100.0 * nanos / disk_nanos;
    let cost = if share < 1.0 { "less than 1 %".to_owned() } else { format!("about {share:.0} %") };
    Decision {
        node: format!("{} at {}, {}", node.op.name(), place(node.origin), readable(node.meta.nbytes())),
        barrier: barrier.clone(),
        what: format!("computed {times} times: that takes {cost} of the time of the disk, and no memory"),
    }
}

fn decision(graph: &ExprGraph, crossing: &Crossing, plan: &NodePlan, limit: Option<u64>) -> Decision {
    let node = graph.node(crossing.node);
    let bytes = readable(node.meta.nbytes());
    let limit = limit.map_or_else(|| "no limit".to_owned(), readable);
    let what = match &node.op {
        Op::Source(source) if plan.inlined => read_again(source.source().cost(), &bytes, &limit),
        _ => kept(plan, &bytes),
    };
    let id = crossing.node.index();
    let barrier = format!("%{} ({})", crossing.barrier.index(), graph.node(crossing.barrier).op.name());
    Decision { node: format!("%{id}, {bytes}"), barrier, what }
}

fn read_again(cost: ReadCost, bytes: &str, limit: &str) -> String {
    match cost {
        ReadCost::Free => "read where it is: it is in memory".to_owned(),
        ReadCost::Generate => "made again: a formula costs less than memory".to_owned(),
        _ => format!("read again: stored, decoding costs less than keeping {bytes} in {limit}"),
    }
}

/// Of blocks that tasks make.
fn kept(plan: &NodePlan, bytes: &str) -> String {
    let NodePlan { totals, why, .. } = plan;
    match (totals.spilled, totals.rerun) {
        (0, 0) => format!("held: {bytes} fit"),
        (0, rerun) => format!("made again, {}: {why}", readable(rerun)),
        (spilled, 0) => format!("to disk, {}: {why}", readable(spilled)),
        (spilled, rerun) => {
            format!("to disk, {}, and made again, {}: {why}", readable(spilled), readable(rerun))
        }
    }
}
