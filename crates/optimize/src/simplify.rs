//! Canonical forms that keep every bit.
//!
//! * operations of literals become literals (unless their value is an error, which is left to be reported
//!   when run);
//! * a view of a view becomes one view;
//! * of two rechunks in a row only the last counts;
//! * `not not x` and `neg neg x` become `x`.

use std::sync::Arc;

use chunkwise_chunk::Scalar;
use chunkwise_expr::{ElementOp, ExprGraph, GraphNode, NodeId, Op, UnaryOp, eval_element};
use smallvec::{SmallVec, smallvec};

use crate::rebuild::{Places, Step, rebuild};
use crate::{Notes, Pass};

/// See the source of this file for the list of rules.
///
/// ```
/// use chunkwise_optimize::{Pass, Simplify};
/// assert_eq!(Simplify.name(), "simplify");
/// ```
#[derive(Debug)]
pub struct Simplify;

impl Pass for Simplify {
    fn name(&self) -> &'static str {
        "simplify"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let next = rebuild(graph, notes, |new, id, places| step(graph, new, id, places));
        (notes.rewrites() > 0).then_some(next)
    }
}

fn step(old: &ExprGraph, new: &ExprGraph, id: NodeId, places: &Places) -> Step {
    let node = old.node(id);
    let inputs = places.of(&old.inputs(id));
    let rewritten = match &node.op {
        Op::Element(ElementOp::Call(_)) => None, // may have effects; run it once, where the user sees it
        Op::Element(op) => fold(op, new, &inputs)
            .map(|value| {
                Step::Replace(
                    "fold constants",
                    GraphNode { op: Op::Literal(value), ..node.clone() },
                    SmallVec::new(),
                )
            })
            .or_else(|| undone(op, new, inputs[0])),
        Op::View(view) => match &new.node(inputs[0]).op {
            Op::View(first) => {
                let op = Op::View(Arc::new(first.then(view)));
                Some(Step::Replace("join views", GraphNode { op, ..node.clone() }, new.inputs(inputs[0])))
            }
            _ => None,
        },
        Op::Rechunk(_) => match &new.node(inputs[0]).op {
            Op::Rechunk(_) => {
                Some(Step::Replace("last rechunk only", node.clone(), smallvec![new.inputs(inputs[0])[0]]))
            }
            _ => None,
        },
        _ => None,
    };
    rewritten.unwrap_or(Step::Keep)
}

fn fold(op: &ElementOp, new: &ExprGraph, inputs: &[NodeId]) -> Option<Scalar> {
    let args: Option<SmallVec<[Scalar; 3]>> = inputs
        .iter()
        .map(|&input| match new.node(input).op {
            Op::Literal(value) => Some(value),
            _ => None,
        })
        .collect();
    eval_element(op, &args?)
}

/// The operand of an operation that undoes itself.
fn undone(op: &ElementOp, new: &ExprGraph, input: NodeId) -> Option<Step> {
    let involution = matches!(op, ElementOp::Unary(UnaryOp::Not | UnaryOp::Neg));
    let twice = matches!(&new.node(input).op, Op::Element(inner) if inner == op);
    (involution && twice).then(|| Step::Forward("undo twice", new.inputs(input)[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, lit, source, unchanged};
    use chunkwise_chunk::{ChunkError, View};
    use chunkwise_expr::{BinaryOp, Expr};
    use std::panic::Location;

    #[test]
    fn literals_fold() {
        let at = Location::caller();
        let x = source("x", &[4], &[2]);
        let three = Expr::element(BinaryOp::Add.into(), &[&lit(1.0), &lit(2.0)], at);
        let y = Expr::element(BinaryOp::Mul.into(), &[&x, &three], at);
        check(&Simplify, y, &["mul(%0, 3.0)"]);
    }

    #[test]
    fn views_compose() {
        let at = Location::caller();
        let x = source("x", &[4, 6], &[2, 2]);
        let t = Expr::view("t", &x, View::permute(&[4, 6], &[1, 0]), at);
        let tt: Result<View, ChunkError> = View::flip(t.shape(), 0);
        check(&Simplify, Expr::view("flip", &t, tt, at), &["view[i1, 5 - i0](%0)"]);
    }

    #[test]
    fn division_of_integer_literals_by_zero_is_left_to_be_reported() {
        let at = Location::caller();
        let int = |x| Expr::literal(Scalar::I32(x), at);
        unchanged(&Simplify, Expr::element(BinaryOp::Div.into(), &[&int(1), &int(0)], at));
    }

    #[test]
    fn negation_twice_is_nothing_but_abs_twice_stays() {
        let at = Location::caller();
        let x = source("x", &[4], &[2]);
        let twice = |op: UnaryOp| Expr::element(op.into(), &[&Expr::element(op.into(), &[&x], at)], at);
        check(&Simplify, twice(UnaryOp::Neg), &["%0 = x: f64[4] chunks (2,) -> result"]);
        unchanged(&Simplify, twice(UnaryOp::Abs));
    }
}
