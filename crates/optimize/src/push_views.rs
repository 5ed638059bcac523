//! Views move below the elementwise operations they look at, towards the sources.
//!
//! ```text
//! view(op(a, b))  ->  op(view(a), view(b))          view1(view2(a))  ->  view(a)
//! ```
//!
//! Only what a view shows is then computed, operations on both sides of it can be fused, and a view of memory costs
//! nothing. It is done when nothing else uses the operation, and
//!
//! * the view repeats no element: each would be computed as often as it is shown;
//! * the operands have the shape of the result or are single values, which any shape is broadcast from;
//! * every element has a result: an integer divided by zero must not go unnoticed because a view leaves it out;
//! * no closure of the user's is called: how often and on what it runs is not for a rewrite to change.
//!
//! A walk from users to inputs notes for every node the view through which alone it is needed; a walk from inputs to
//! users builds it so.

use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, View};
use chunkwise_expr::{ElementOp, ExprGraph, GraphNode, Meta, NodeId, Op};

use crate::rebuild::{Inputs, Places, Step, rebuild};
use crate::{Notes, Pass};

/// Pushes views through elementwise operations.
///
/// ```
/// use chunkwise_optimize::{Pass, PushViews};
/// assert_eq!(PushViews.name(), "push_views");
/// ```
#[derive(Debug)]
pub struct PushViews;

impl Pass for PushViews {
    fn name(&self) -> &'static str {
        "push_views"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> ExprGraph {
        let shown = Shown::find(graph);
        rebuild(graph, notes, |new, id, places| shown.step(graph, new, id, places))
    }
}

/// A view, and the grid of what it shows.
type Through = (Arc<View>, ChunkGrid);

/// For each node the view through which alone it is needed.
struct Shown(Vec<Option<Through>>);

impl Shown {
    fn find(graph: &ExprGraph) -> Shown {
        let mut shown = Shown(vec![None; graph.len()]);
        for id in graph.ids().rev() {
            let Some((view, grid)) = shown.of_inputs(graph, id) else { continue };
            for input in graph.inputs(id) {
                if moves(graph, input, id) && !view.repeats() && is_viewed(graph, id, input) {
                    shown.0[input.index()] = Some((view.clone(), grid.clone()));
                }
            }
        }
        shown
    }

    /// The view through which a node looks at its inputs, when it is the only one to do so.
    fn of_inputs(&self, graph: &ExprGraph, id: NodeId) -> Option<Through> {
        let node = graph.node(id);
        match (&node.op, &self.0[id.index()]) {
            (Op::View(view), None) => Some((view.clone(), node.meta.grid().clone())),
            (Op::View(view), Some((next, grid))) => Some((Arc::new(view.then(next)), grid.clone())),
            (_, through) => through.clone(),
        }
    }

    fn step(&self, old: &ExprGraph, new: &mut ExprGraph, id: NodeId, places: &Places) -> Step {
        let (node, inputs) = (old.node(id), old.inputs(id));
        let Some((view, grid)) = self.of_inputs(old, id) else { return Step::Keep };
        match &node.op {
            // The input shows it already.
            Op::View(_) if self.0[inputs[0].index()].is_some() => {
                Step::Forward("push views", places.of(&inputs)[0])
            }
            Op::View(_) if self.0[id.index()].is_none() => Step::Keep,
            Op::View(_) => {
                Step::Replace("push views", viewed(node, Op::View(view), &grid), places.of(&inputs))
            }
            op => {
                let operand = |&input: &NodeId| self.operand(old, new, id, input, places);
                let operands: Inputs = inputs.iter().map(operand).collect();
                Step::Replace("push views", viewed(node, op.clone(), &grid), operands)
            }
        }
    }

    /// What an operation under a view takes for one of its inputs.
    fn operand(
        &self,
        old: &ExprGraph,
        new: &mut ExprGraph,
        id: NodeId,
        input: NodeId,
        places: &Places,
    ) -> NodeId {
        let (place, node) = (places.of(&[input])[0], old.node(input));
        if self.0[input.index()].is_some() || !is_viewed(old, id, input) {
            return place;
        }
        let (view, grid) = self.0[id.index()].as_ref().expect("only operations under a view are rebuilt");
        if let Some(value) = node.op.constant() {
            let meta = Meta::Array { dtype: node.meta.dtype(), grid: ChunkGrid::whole(&[]) };
            return new.add(GraphNode { op: Op::Literal(value), meta, ..node.clone() }, &[]);
        }
        new.add(viewed(node, Op::View(view.clone()), grid), &[place])
    }
}

/// A node that shows its elements in another grid.
fn viewed(node: &GraphNode, op: Op, grid: &ChunkGrid) -> GraphNode {
    GraphNode { op, meta: Meta::Array { dtype: node.meta.dtype(), grid: grid.clone() }, ..node.clone() }
}

/// Whether a view may move below a node: it is a view or an operation as described above, and only `user` needs it.
fn moves(graph: &ExprGraph, id: NodeId, user: NodeId) -> bool {
    let fits = match &graph.node(id).op {
        Op::View(_) => true,
        Op::Element(op) => {
            let single = |input: NodeId| graph.node(input).meta.grid().ndim() == 0;
            is_total(graph, id, op)
                && graph.inputs(id).into_iter().all(|input| single(input) || is_viewed(graph, id, input))
        }
        _ => false,
    };
    fits && !graph.is_root(id) && graph.users(id).all(|other| other == user)
}

/// Whether an input of a node is seen through the node's view: it has its shape, or the node is the view.
fn is_viewed(graph: &ExprGraph, id: NodeId, input: NodeId) -> bool {
    matches!(graph.node(id).op, Op::View(_))
        || graph.node(input).meta.grid().shape() == graph.node(id).meta.grid().shape()
}

fn is_total(graph: &ExprGraph, id: NodeId, op: &ElementOp) -> bool {
    graph.inputs(id).first().is_some_and(|&input| op.is_total(graph.node(input).meta.dtype()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, check_all, constant, lit, source, unchanged};
    use chunkwise_chunk::SliceElem;
    use chunkwise_expr::{BinaryOp, ElementFn, Expr, ReduceKind, UnaryOp};
    use std::panic::Location;

    /// `x[::2]` of a vector.
    fn halved(x: &Expr) -> Expr {
        let elem = SliceElem::Slice { start: 0, end: None, step: 2 };
        Expr::view("slice", x, View::slice(x.meta().grid().shape(), &[elem]), Location::caller())
    }

    fn map(op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], Location::caller())
    }

    fn two(op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], Location::caller())
    }

    fn integers(x: &Expr) -> Expr {
        Expr::element(ElementOp::Cast(chunkwise_chunk::DType::I32), &[x], Location::caller())
    }

    #[test]
    fn slice_of_an_expression_is_the_expression_of_slices() {
        let (x, y) = (source("x", &[8], &[4]), source("y", &[8], &[4]));
        let sum = two(BinaryOp::Add, &map(UnaryOp::Sqrt, &x), &y);
        check(
            &PushViews,
            halved(&two(BinaryOp::Mul, &sum, &lit(2.0))),
            &[
                "view[2*i0](%0): f64[4] chunks (2,)",
                "sqrt(%1): f64[4] chunks (2,)",
                "mul(%5, 2.0): f64[4] chunks (2,) -> result",
            ],
        );
    }

    #[test]
    fn views_of_views_become_one_and_arrays_of_one_value_stay_that() {
        let ones = constant(1.0, &[8], &[4]);
        let x = source("x", &[8], &[4]);
        check(
            &PushViews,
            halved(&halved(&two(BinaryOp::Add, &x, &ones))),
            &["view[4*i0](%0): f64[2] chunks (1,)", "add(%2, 1.0): f64[2] chunks (1,) -> result"],
        );
    }

    #[test]
    fn operation_that_is_needed_whole_is_not_done_twice() {
        let root = map(UnaryOp::Exp, &source("x", &[8], &[4]));
        let mean = root.reduce(ReduceKind::Mean, None, false, 0.0, Location::caller());
        let pair = [halved(&root), mean];
        crate::testing::unchanged_all(&PushViews, &pair);
        crate::testing::unchanged_all(&PushViews, &[halved(&root), root]);
    }

    #[test]
    fn repetition_stays_above_what_it_repeats() {
        let x = map(UnaryOp::Exp, &source("x", &[4], &[4]));
        let rows = Expr::view("broadcast", &x, View::broadcast(&[4], &[3, 4]), Location::caller());
        unchanged(&PushViews, rows);
        // An operand that is repeated is not of the shape of the result.
        let column = source("c", &[4, 1], &[4, 1]);
        let table = two(BinaryOp::Add, &column, &source("x", &[4], &[4]));
        let first = Expr::view("t", &table, View::permute(&[4, 4], &[1, 0]), Location::caller());
        unchanged(&PushViews, first);
    }

    #[test]
    fn faults_and_closures_are_not_left_out() {
        let (x, y) = (integers(&source("x", &[8], &[4])), integers(&source("y", &[8], &[4])));
        unchanged(&PushViews, halved(&two(BinaryOp::Div, &x, &y)));
        let call = ElementOp::Call(ElementFn::unary("mapv", |x: f64| x));
        unchanged(&PushViews, halved(&Expr::element(call, &[&source("x", &[8], &[4])], Location::caller())));
    }

    #[test]
    fn results_keep_their_grids() {
        let x = map(UnaryOp::Sqrt, &source("x", &[9], &[4]));
        check_all(&PushViews, &[halved(&x)], &["sqrt(%1): f64[5] chunks (2,) -> result"]);
    }
}
