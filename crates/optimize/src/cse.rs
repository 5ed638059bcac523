//! Common subexpressions: equal operations of equal inputs become one node.
//!
//! Closures are equal only to themselves and sources only when they are the same object or say so, so nothing
//! with an effect or a hidden state is merged.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use chunkwise_expr::{ExprGraph, NodeId};
use smallvec::SmallVec;

use crate::rebuild::{Inputs, Step, rebuild};
use crate::{Notes, Pass};

/// Merges equal nodes in one walk.
///
/// ```
/// use chunkwise_optimize::{Cse, Pass};
/// assert_eq!(Cse.name(), "cse");
/// ```
#[derive(Debug)]
pub struct Cse;

impl Pass for Cse {
    fn name(&self) -> &'static str {
        "cse"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let same = Same::find(graph);
        let any = same.0.iter().zip(graph.ids()).any(|(first, id)| *first != id);
        any.then(|| {
            rebuild(graph, notes, |_, id, places| match same.0[id.index()] {
                first if first == id => Step::Keep,
                first => Step::Forward("merge equal", places.of(&[first])[0]),
            })
        })
    }
}

/// For each node the first one that is equal to it.
struct Same(Vec<NodeId>);

impl Same {
    fn find(graph: &ExprGraph) -> Same {
        let mut same = Same(Vec::with_capacity(graph.len()));
        // Only looked up, never walked: the order of a hash map must not reach the graph.
        let mut known: HashMap<u64, SmallVec<[NodeId; 1]>> = HashMap::new();
        for id in graph.ids() {
            let node = graph.node(id);
            let inputs = same.of_inputs(graph, id);
            let mut hasher = DefaultHasher::new();
            (&node.op, &inputs).hash(&mut hasher);
            let alike = known.entry(hasher.finish()).or_default();
            let equal = alike.iter().copied().find(|&other| {
                let candidate = graph.node(other);
                candidate.op == node.op
                    && candidate.meta == node.meta
                    && same.of_inputs(graph, other) == inputs
            });
            if equal.is_none() {
                alike.push(id);
            }
            same.0.push(equal.unwrap_or(id));
        }
        same
    }

    fn of_inputs(&self, graph: &ExprGraph, id: NodeId) -> Inputs {
        graph.inputs(id).into_iter().map(|input| self.0[input.index()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, lit, source, unchanged};
    use chunkwise_expr::{BinaryOp, ElementFn, ElementOp, Expr, UnaryOp};
    use std::panic::Location;

    #[test]
    fn equal_expressions_become_one() {
        let at = Location::caller();
        let x = source("x", &[4], &[2]);
        let root = || Expr::element(UnaryOp::Sqrt.into(), &[&x], at);
        let sum = Expr::element(BinaryOp::Add.into(), &[&root(), &root()], at);
        check(&Cse, sum, &["%1 = sqrt(%0)", "%2 = add(%1, %1)"]);
    }

    #[test]
    fn equal_literals_become_one() {
        let at = Location::caller();
        let x = source("x", &[4], &[2]);
        let a = Expr::element(BinaryOp::Add.into(), &[&x, &lit(1.0)], at);
        let b = Expr::element(BinaryOp::Add.into(), &[&x, &lit(1.0)], at);
        check(&Cse, Expr::element(BinaryOp::Mul.into(), &[&a, &b], at), &["mul(%2, %2)"]);
    }

    #[test]
    fn closures_are_not_merged() {
        let at = Location::caller();
        let x = source("x", &[4], &[2]);
        let call = || Expr::element(ElementOp::Call(ElementFn::unary("mapv", |v: f64| v)), &[&x], at);
        unchanged(&Cse, Expr::element(BinaryOp::Add.into(), &[&call(), &call()], at));
    }
}
