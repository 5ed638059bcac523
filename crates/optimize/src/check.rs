//! What holds of every graph, whatever passes did to it: asked after each pass in debug builds.

use chunkwise_expr::{ExprGraph, Meta, NodeId, Op};

/// What is wrong with a graph, if anything: a bug of the pass that made it.
///
/// Elements and views may be computed in any blocks. All else has the blocks that its operation says.
pub(crate) fn find_fault(graph: &ExprGraph) -> Option<String> {
    graph.ids().find_map(|id| fault(graph, id).map(|what| format!("%{}: {what} in\n{graph}", id.index())))
}

fn fault(graph: &ExprGraph, id: NodeId) -> Option<String> {
    let node = graph.node(id);
    if graph.inputs(id).iter().any(|input| *input >= id) {
        return Some("an input comes after its user".into());
    }
    let inputs = graph.input_metas(id);
    let (Meta::Array { dtype, grid }, Ok(Meta::Array { dtype: inferred, grid: own })) =
        (&node.meta, node.op.infer(&inputs))
    else {
        return matches!(node.meta, Meta::Invalid(_)).then(|| "a node that cannot be built".into());
    };
    if *dtype != inferred {
        return Some(format!("elements are {dtype}, not {inferred}"));
    }
    match &node.op {
        // Single values alone are repeated to the shape of what they replaced.
        Op::Element(_) if own.ndim() == 0 => None,
        Op::Element(_) | Op::View(_) | Op::Fused(..) | Op::Concat(_) if own.shape() == grid.shape() => None,
        _ if own == *grid => None,
        _ => Some(format!("the grid is {grid} of {:?}, not {own} of {:?}", grid.shape(), own.shape())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::source;
    use chunkwise_chunk::{ChunkGrid, DType};
    use chunkwise_expr::{Expr, GraphNode, ReduceKind, UnaryOp};
    use std::panic::Location;

    #[test]
    fn wrong_types_and_grids_are_found() {
        let x = source("x", &[4], &[2]);
        let root = Expr::element(UnaryOp::Sqrt.into(), &[&x], Location::caller());
        let sum = x.reduce(ReduceKind::Sum, None, true, 0.0, Location::caller());
        let graph = ExprGraph::import(&[root, sum]).unwrap();
        assert_eq!(find_fault(&graph), None);
        let wrong = |id: usize, meta: Meta| {
            let mut wrong = ExprGraph::new();
            for at in graph.ids() {
                let node = graph.node(at).clone();
                let node = if at.index() == id { GraphNode { meta: meta.clone(), ..node } } else { node };
                wrong.add(node, &graph.inputs(at));
            }
            find_fault(&wrong).unwrap_or_default()
        };
        let meta = |dtype, len: usize| Meta::Array { dtype, grid: ChunkGrid::whole(&[len]) };
        assert!(wrong(1, meta(DType::I8, 4)).starts_with("%1: elements are i8, not f64"));
        assert!(wrong(1, meta(DType::F64, 5)).starts_with("%1: the grid is (5,)"));
        assert!(wrong(2, meta(DType::F64, 4)).starts_with("%2: the grid is (4,)"));
    }
}
