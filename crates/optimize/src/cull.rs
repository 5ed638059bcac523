//! Dead nodes: what no root needs is left out.
//!
//! The same is done for single blocks when tasks are made: only blocks that some root needs get tasks.

use chunkwise_expr::ExprGraph;

use crate::rebuild::{Step, rebuild};
use crate::{Notes, Pass};

/// Drops nodes that no root needs.
///
/// ```
/// use chunkwise_optimize::{Cull, Pass};
/// assert_eq!(Cull.name(), "cull");
/// ```
#[derive(Debug)]
pub struct Cull;

impl Pass for Cull {
    fn name(&self) -> &'static str {
        "cull"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let mut needed = vec![false; graph.len()];
        for &root in graph.roots() {
            needed[root.index()] = true;
        }
        for id in graph.ids().rev() {
            if needed[id.index()] {
                graph.inputs(id).iter().for_each(|input| needed[input.index()] = true);
            }
        }
        let dropped = graph.ids().filter(|id| !needed[id.index()]);
        dropped.for_each(|id| notes.did("drop unused", graph.node(id)));
        let step = |_: &mut _, id: chunkwise_expr::NodeId, _: &_| match needed[id.index()] {
            true => Step::Keep,
            false => Step::Drop,
        };
        needed.contains(&false).then(|| rebuild(graph, notes, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{source, unchanged};
    use chunkwise_expr::{Expr, UnaryOp};
    use std::panic::Location;

    #[test]
    fn unneeded_nodes_vanish() {
        let at = Location::caller();
        let x = source("x", &[4], &[2]);
        let (kept, dead) =
            (Expr::element(UnaryOp::Exp.into(), &[&x], at), Expr::element(UnaryOp::Sin.into(), &[&x], at));
        let mut graph = ExprGraph::import(&[dead, kept]).unwrap();
        graph.set_roots(vec![graph.roots()[1]]);
        let mut notes = Notes::default();
        let after = Cull.run(&graph, &mut notes).unwrap();
        assert_eq!((after.len(), notes.rewrites()), (2, 1));
        assert!(after.to_string().contains("%1 = exp(%0)"));
    }

    #[test]
    fn needed_nodes_stay() {
        let x = source("x", &[4], &[2]);
        unchanged(&Cull, Expr::element(UnaryOp::Exp.into(), &[&x], Location::caller()));
    }
}
