//! Rewrites that keep values up to rounding, for those who ask for them: the pass is off unless it is switched on.
//!
//! | rule | what it saves |
//! |---|---|
//! | `mean(x + c)` becomes `mean(x) + c`, `mean(x * c)` becomes `mean(x) * c`, and so `sum(x * c)` | an operation per element |
//! | `mean(a + b)` becomes `mean(a) + mean(b)` where `a` or `b` is a transposed view, and so `sum` and `-` | the transposed copy |
//! | `x / c` becomes `x * (1 / c)` | a division takes the time of many multiplications |
//! | `x ** 2`, `x ** 0.5`, `x ** -1` become `x * x`, `sqrt(x)`, `1 / x` | a logarithm and an exponential |
//! | `sqrt(x * x)` becomes `abs(x)` | a square root; `x * x` can no longer overflow |
//!
//! Errors of the first two are those of another order of summation; of the others at most two units in the last place,
//! where the intermediate result neither overflows nor underflows.

use std::sync::Arc;

use chunkwise_chunk::{AxisMap, Scalar, View};
use chunkwise_expr::{
    BinaryOp, ElementOp, ExprGraph, GraphNode, Meta, NodeId, Op, Reduce, ReduceKind, UnaryOp,
};
use smallvec::smallvec;

use crate::rebuild::{Step, rebuild};
use crate::{Notes, Pass};

/// Rewrites that keep values up to rounding.
///
/// ```
/// use chunkwise_optimize::{FastMath, Pass};
/// assert_eq!(FastMath.name(), "fast_math");
/// ```
#[derive(Debug)]
pub struct FastMath;

impl Pass for FastMath {
    fn name(&self) -> &'static str {
        "fast_math"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let next = rebuild(graph, notes, |new, id, places| {
            let node = graph.node(id);
            if !node_is_float(node) {
                return Step::Keep;
            }
            let inputs = places.of(&graph.inputs(id));
            let step = match (&node.op, &inputs[..]) {
                (Op::Element(ElementOp::Unary(UnaryOp::Sqrt)), &[x]) => root_of_square(node, new, x),
                (Op::Element(ElementOp::Binary(op)), &[x, c]) => by_literal(*op, node, new, (x, c)),
                (Op::Reduce(reduce), &[x]) if reduce.program.is_none() && users(graph, id) == 1 => {
                    distributed(reduce, node, new, x)
                }
                _ => None,
            };
            step.unwrap_or(Step::Keep)
        });
        (notes.rewrites() > 0).then_some(next)
    }
}

fn node_is_float(node: &GraphNode) -> bool {
    matches!(&node.meta, Meta::Array { dtype, .. } if dtype.is_float())
}

/// How many nodes use the only input of a node.
fn users(graph: &ExprGraph, id: NodeId) -> usize {
    let input = graph.inputs(id)[0];
    graph.users(input).count() + usize::from(graph.is_root(input))
}

fn root_of_square(node: &GraphNode, new: &ExprGraph, x: NodeId) -> Option<Step> {
    let below = new.inputs(x);
    let squares = match (&new.node(x).op, &below[..]) {
        (Op::Element(ElementOp::Unary(UnaryOp::Square)), _) => true,
        (Op::Element(ElementOp::Binary(BinaryOp::Mul)), &[a, b]) => a == b,
        _ => false,
    };
    let op = Op::Element(UnaryOp::Abs.into());
    squares.then(|| Step::Replace("root of a square", GraphNode { op, ..node.clone() }, smallvec![below[0]]))
}

fn by_literal(op: BinaryOp, node: &GraphNode, new: &mut ExprGraph, (x, c): (NodeId, NodeId)) -> Option<Step> {
    let Op::Literal(literal) = new.node(c).op else { return None };
    let value = match literal {
        Scalar::F32(value) => f64::from(value),
        Scalar::F64(value) => value,
        _ => return None,
    };
    if op == BinaryOp::Div && (1.0 / value).is_normal() {
        let inverse = match literal {
            Scalar::F32(value) => Scalar::F32(1.0 / value),
            _ => Scalar::F64(1.0 / value),
        };
        let literal = GraphNode { op: Op::Literal(inverse), ..new.node(c).clone() };
        let op = Op::Element(BinaryOp::Mul.into());
        let inputs = smallvec![x, new.add(literal, &[])];
        return Some(Step::Replace("multiply by the inverse", GraphNode { op, ..node.clone() }, inputs));
    }
    let simpler = match (op, value) {
        (BinaryOp::Pow, 2.0) => UnaryOp::Square,
        (BinaryOp::Pow, 0.5) => UnaryOp::Sqrt,
        (BinaryOp::Pow, -1.0) => UnaryOp::Recip,
        _ => return None,
    };
    let op = Op::Element(simpler.into());
    Some(Step::Replace("simpler power", GraphNode { op, ..node.clone() }, smallvec![x]))
}

/// A mean or sum of a sum as a sum of means, where that saves work.
fn distributed(reduce: &Arc<Reduce>, node: &GraphNode, new: &mut ExprGraph, x: NodeId) -> Option<Step> {
    let Op::Element(ElementOp::Binary(op)) = new.node(x).op else { return None };
    let operands = new.inputs(x);
    let is_mean = match reduce.kind {
        ReduceKind::Mean => true,
        ReduceKind::Sum => false,
        _ => return None,
    };
    let (linear, additive) = (op == BinaryOp::Mul, matches!(op, BinaryOp::Add | BinaryOp::Sub));
    let fold = |new: &mut ExprGraph, x: NodeId| {
        let whole = new.node(x).meta.grid().shape() == reduce.space.shape();
        whole.then(|| new.add(GraphNode { op: Op::Reduce(reduce.clone()), ..node.clone() }, &[x]))
    };
    let literal = |new: &ExprGraph, id: NodeId| matches!(new.node(id).op, Op::Literal(_));
    let folded = match (operands[0], operands[1]) {
        (a, c) if literal(new, c) && (linear || (additive && is_mean)) => [fold(new, a)?, c],
        (c, b) if literal(new, c) && (linear || (additive && is_mean)) => [c, fold(new, b)?],
        (a, b) if additive && (is_turned(new, a) || is_turned(new, b)) => [fold(new, a)?, fold(new, b)?],
        _ => return None,
    };
    let op = Op::Element(op.into());
    Some(Step::Replace("distribute", GraphNode { op, ..node.clone() }, folded.into_iter().collect()))
}

/// Whether an array is a view whose axes are not in the order of the source.
fn is_turned(new: &ExprGraph, id: NodeId) -> bool {
    let sources = |view: &View| -> Vec<usize> {
        let axes = view.axes().iter();
        axes.filter_map(|map| if let AxisMap::Source { axis, .. } = map { Some(*axis) } else { None })
            .collect()
    };
    matches!(&new.node(id).op, Op::View(view) if !sources(view).is_sorted())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, lit, source, unchanged};
    use chunkwise_expr::Expr;
    use std::panic::Location;

    fn two(op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], Location::caller())
    }

    fn mean(x: &Expr) -> Expr {
        x.reduce(ReduceKind::Mean, Some(&[1]), false, 0.0, Location::caller())
    }

    fn table() -> Expr {
        source("x", &[4, 4], &[2, 2])
    }

    #[test]
    fn mean_of_a_matrix_and_its_transpose_needs_no_transposed_copy() {
        let x = table();
        let turned = Expr::view("t", &x, View::permute(&[4, 4], &[1, 0]), Location::caller());
        let after = ["mean[1](%0)", "mean[1](%1)", "add(%3, %4): f64[4] chunks (2,) -> result"];
        check(&FastMath, mean(&two(BinaryOp::Add, &x, &turned)), &after);
        unchanged(&FastMath, mean(&two(BinaryOp::Add, &x, &source("y", &[4, 4], &[2, 2]))));
        unchanged(&FastMath, mean(&two(BinaryOp::Mul, &x, &turned)));
    }

    #[test]
    fn literals_leave_means() {
        check(&FastMath, mean(&two(BinaryOp::Mul, &table(), &lit(3.0))), &["mean[1](%0)", "mul(%3, 3.0)"]);
        check(&FastMath, mean(&two(BinaryOp::Sub, &lit(3.0), &table())), &["sub(3.0, %3)"]);
        let sum = two(BinaryOp::Add, &table(), &lit(3.0));
        unchanged(&FastMath, sum.reduce(ReduceKind::Sum, None, false, 0.0, Location::caller()));
    }

    #[test]
    fn powers_and_divisions_by_literals_are_simpler() {
        let x = table();
        check(&FastMath, two(BinaryOp::Pow, &x, &lit(2.0)), &["square(%0)"]);
        check(&FastMath, two(BinaryOp::Div, &x, &lit(3.0)), &["mul(%0, 0.3333333333333333)"]);
        unchanged(&FastMath, two(BinaryOp::Div, &x, &lit(0.0)));
        let root = Expr::element(UnaryOp::Sqrt.into(), &[&two(BinaryOp::Mul, &x, &x)], Location::caller());
        check(&FastMath, root, &["abs(%0)"]);
    }

    #[test]
    fn sum_that_others_need_is_left() {
        let sum = two(BinaryOp::Mul, &table(), &lit(3.0));
        crate::testing::unchanged_all(&FastMath, &[mean(&sum), sum]);
    }
}
