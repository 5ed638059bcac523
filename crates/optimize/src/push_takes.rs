//! Taking elements by their places moves below elementwise operations.
//!
//! ```text
//! take(op(a, c))  ->  op(take(a), c)
//! ```
//!
//! Only what is taken is then computed. It is done when no more elements are taken than there are, nothing else uses the
//! operation, its operands have the shape of the result or are single values, and leaving elements out leaves out no error
//! and no call of a user's closure.

use chunkwise_expr::{Blockwise, ExprGraph, GraphNode, Meta, NodeId, Op};

use crate::push_views::{has_full_operands, is_total, is_viewed};
use crate::rebuild::{Inputs, Places, Step, rebuild};
use crate::{Notes, Pass};

/// Pushes takes through elementwise operations.
///
/// ```
/// use chunkwise_optimize::{Pass, PushTakes};
/// assert_eq!(PushTakes.name(), "push_takes");
/// ```
#[derive(Debug)]
pub struct PushTakes;

impl Pass for PushTakes {
    fn name(&self) -> &'static str {
        "push_takes"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let taken = Taken::find(graph, notes);
        let any = taken.0.iter().any(Option::is_some);
        any.then(|| rebuild(graph, notes, |new, id, places| taken.step(graph, new, id, places)))
    }
}

/// For each node the only take that uses it, when the node becomes what that takes: the rule, and its result.
struct Taken<'a>(Vec<Option<(&'a Blockwise, &'a Meta)>>);

impl<'a> Taken<'a> {
    fn find(graph: &'a ExprGraph, notes: &mut Notes) -> Taken<'a> {
        let mut taken = Taken(vec![None; graph.len()]);
        for id in graph.ids().rev() {
            let Some((rule, meta)) = taken.below(graph, id) else { continue };
            let mut inputs = graph.inputs(id);
            inputs.retain(|input| matches!(graph.node(*input).op, Op::Element(_)) && sees(graph, id, *input));
            inputs.dedup();
            for input in inputs {
                match why_not(graph, id, input, meta) {
                    None => taken.0[input.index()] = Some((rule, meta)),
                    Some(why) => notes.declined("take the operands", graph.node(input), why),
                }
            }
        }
        taken
    }

    /// What the inputs of a node are taken by.
    fn below(&self, graph: &'a ExprGraph, id: NodeId) -> Option<(&'a Blockwise, &'a Meta)> {
        match &graph.node(id).op {
            Op::Blockwise(rule) if rule.takes() => Some((rule, &graph.node(id).meta)),
            _ => self.0[id.index()],
        }
    }

    fn step(&self, old: &ExprGraph, new: &mut ExprGraph, id: NodeId, places: &Places) -> Step {
        let (node, inputs) = (old.node(id), old.inputs(id));
        let Some((rule, meta)) = self.0[id.index()] else {
            let done = matches!(node.op, Op::Blockwise(_))
                && inputs.first().is_some_and(|input| self.0[input.index()].is_some());
            return if done { Step::Forward("take the operands", places.of(&inputs)[0]) } else { Step::Keep };
        };
        let operand = |&input: &NodeId| {
            let (place, operand) = (places.of(&[input])[0], old.node(input));
            if self.0[input.index()].is_some() || !is_viewed(old, id, input) {
                return place;
            }
            let meta = rule.infer(&[&operand.meta]).expect("places do not depend on the type of elements");
            new.add(GraphNode { op: Op::Blockwise(rule.clone()), meta, ..operand.clone() }, &[place])
        };
        let operands: Inputs = inputs.iter().map(operand).collect();
        let meta = Meta::Array { dtype: node.meta.dtype(), grid: meta.grid().clone() };
        Step::Replace("take the operands", GraphNode { op: node.op.clone(), meta, ..node.clone() }, operands)
    }
}

/// Whether a take, or an operation that is taken, takes of an input.
fn sees(graph: &ExprGraph, id: NodeId, input: NodeId) -> bool {
    matches!(graph.node(id).op, Op::Blockwise(_)) || is_viewed(graph, id, input)
}

fn why_not(graph: &ExprGraph, user: NodeId, id: NodeId, taken: &Meta) -> Option<&'static str> {
    let node = graph.node(id);
    let Op::Element(op) = &node.op else { return Some("it is not elementwise") };
    let count = |meta: &Meta| meta.grid().shape().iter().fold(1usize, |n, &len| n.saturating_mul(len));
    match () {
        () if graph.is_root(id) => Some("it is a result itself"),
        () if graph.users(id).any(|other| other != user) => Some("others use it"),
        () if !is_total(graph, id, op) => Some("all of it may fail, or calls a function of the user's"),
        () if !has_full_operands(graph, id) => Some("its operands are broadcast"),
        () if count(taken) > count(&node.meta) => Some("more elements are taken than there are"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{First, check, lit, source, unchanged, unchanged_all};
    use chunkwise_expr::{BinaryOp, Expr, UnaryOp};
    use std::panic::Location;

    fn first(n: usize, x: &Expr) -> Expr {
        Expr::blockwise(First(n), &[x], Location::caller())
    }

    fn map(op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], Location::caller())
    }

    fn two(op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], Location::caller())
    }

    #[test]
    fn only_what_is_taken_is_computed() {
        let x = map(UnaryOp::Sqrt, &source("x", &[8], &[4]));
        let y = two(BinaryOp::Mul, &x, &lit(2.0));
        let after = ["first 3(%0): f64[3]", "sqrt(%1): f64[3]", "mul(%2, 2.0): f64[3] chunks (3,) -> result"];
        check(&PushTakes, first(3, &y), &after);
    }

    #[test]
    fn what_others_need_and_what_would_grow_stays() {
        let x = map(UnaryOp::Sqrt, &source("x", &[8], &[4]));
        unchanged_all(&PushTakes, &[first(3, &x), map(UnaryOp::Exp, &x)]);
        unchanged(&PushTakes, first(9, &x));
        let row = two(BinaryOp::Add, &source("y", &[1], &[1]), &source("x", &[8], &[4]));
        unchanged(&PushTakes, first(3, &row));
    }
}
