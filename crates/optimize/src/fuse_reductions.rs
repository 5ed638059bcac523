//! A map whose only user is a reduction is evaluated inside the fold, tile by tile: it is never an array.

use std::sync::Arc;

use chunkwise_expr::{ExprGraph, GraphNode, NodeId, Op, Program, ProgramBuilder, Reduce};

use crate::rebuild::{Inputs, Places, Step, rebuild};
use crate::{Notes, Pass};

/// Fuses maps into reductions.
///
/// ```
/// use chunkwise_optimize::{FuseReductions, Pass};
/// assert_eq!(FuseReductions.name(), "fuse_reductions");
/// ```
#[derive(Debug)]
pub struct FuseReductions;

impl Pass for FuseReductions {
    fn name(&self) -> &'static str {
        "fuse_reductions"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let mut inlined = vec![false; graph.len()];
        for id in graph.ids().filter(|&id| !graph.is_root(id)) {
            let is_map = matches!(graph.node(id).op, Op::Fused(..) | Op::Element(_));
            inlined[id.index()] = is_map && only_user_folds(graph, id);
        }
        let any = inlined.contains(&true);
        any.then(|| rebuild(graph, notes, |_, id, places| step(graph, id, places, &inlined)))
    }
}

fn only_user_folds(graph: &ExprGraph, id: NodeId) -> bool {
    let mut users = graph.users(id);
    let first = users.next();
    users.next().is_none()
        && first.is_some_and(|user| {
            matches!(&graph.node(user).op, Op::Reduce(reduce) if reduce.program.is_none()
                && reduce.space == *graph.node(id).meta.grid())
        })
}

fn step(graph: &ExprGraph, id: NodeId, places: &Places, inlined: &[bool]) -> Step {
    let node = graph.node(id);
    if inlined[id.index()] {
        return Step::Drop;
    }
    let Op::Reduce(reduce) = &node.op else { return Step::Keep };
    let inputs = graph.inputs(id);
    if !inlined[inputs[0].index()] {
        return Step::Keep;
    }
    let (program, outside) = program(graph, inputs[0]).expect("only maps are inlined");
    let op = Op::Reduce(Arc::new(Reduce { program: Some(program), ..(**reduce).clone() }));
    Step::Replace("fold a map", GraphNode { op, ..node.clone() }, places.of(&outside))
}

/// The program of a map and the nodes it reads; `None` for anything else.
pub(crate) fn program(graph: &ExprGraph, id: NodeId) -> Option<(Arc<Program>, Inputs)> {
    match &graph.node(id).op {
        Op::Fused(program, _) => Some((program.clone(), graph.inputs(id))),
        Op::Element(op) => {
            let mut builder = ProgramBuilder::new();
            let mut outside = Inputs::new();
            let args: Vec<_> = graph
                .inputs(id)
                .into_iter()
                .map(|input| match graph.node(input).op.constant() {
                    Some(value) => builder.constant(value),
                    None => {
                        outside.push(input);
                        builder.input(graph.node(input).meta.dtype())
                    }
                })
                .collect();
            let result = builder.push(op.clone(), &args)?;
            builder.written_at(graph.node(id).origin);
            Some((Arc::new(builder.finish(result)), outside))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, source, unchanged};
    use chunkwise_expr::{Expr, ReduceKind, UnaryOp};
    use std::panic::Location;

    fn mean(x: &Expr) -> Expr {
        x.reduce(ReduceKind::Mean, None, false, 0.0, Location::caller())
    }

    #[test]
    fn map_is_folded_without_an_array() {
        let x = source("x", &[4], &[2]);
        let root = Expr::element(UnaryOp::Sqrt.into(), &[&x], Location::caller());
        check(&FuseReductions, mean(&root), &["%1 = mean{r0 = sqrt x0}(%0): f64 -> result"]);
    }

    #[test]
    fn map_with_another_user_stays_an_array() {
        let x = source("x", &[4], &[2]);
        let at = Location::caller();
        let y = Expr::element(UnaryOp::Exp.into(), &[&x], at);
        let centred = Expr::element(chunkwise_expr::BinaryOp::Sub.into(), &[&y, &mean(&y)], at);
        unchanged(&FuseReductions, centred);
    }
}
