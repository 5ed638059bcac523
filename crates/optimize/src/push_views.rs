//! Views move below the operations they look at, towards the sources.
//!
//! ```text
//! view(op(a, b))  ->  op(view(a), view(b))                  elementwise, operands of the shape of the result
//! view(op(a, b))  ->  rest(op'(cut_a(a), cut_b(b)))         anything that has parts (`Op::part`): cut the slice in the
//!                                                           view, rest what it does besides
//! view1(view2(a)) ->  view(a)
//! ```
//!
//! Only what a view shows is then computed and read, operations on both sides of it can be fused, and a view of memory
//! costs nothing. It is done when
//!
//! * every use of the operation looks at it through the same view: it would be computed twice otherwise;
//! * the view repeats no element: each would be computed as often as it is shown. Its slice may still move;
//! * every element has a result: an integer divided by zero must not go unnoticed because a view leaves it out;
//! * no closure of the user's is called: how often and on what it runs is not for a rewrite to change;
//! * bits stay: a reduction that would fold in other pieces stays whole.
//!
//! A walk from users to inputs notes how every node is seen and what that makes of it; a walk from inputs to users builds
//! it so. Both are linear in the edges.

use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, Cut, View};
use chunkwise_expr::{ElementOp, ExprGraph, GraphNode, Meta, NodeId, Op};
use smallvec::SmallVec;

use crate::rebuild::{Inputs, Places, Step, rebuild};
use crate::{Notes, Pass};

/// Pushes views through the operations they look at.
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

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let pushed = Pushed::find(graph, notes);
        let any = pushed.shows.contains(&true);
        any.then(|| rebuild(graph, notes, |new, id, places| pushed.step(graph, new, id, places)))
    }
}

/// A view, and the grid of what it shows.
#[derive(Clone, PartialEq)]
struct Through {
    view: Arc<View>,
    grid: ChunkGrid,
}

/// How a node is seen by those that use it.
#[derive(Clone)]
enum Seen {
    Never,
    /// By all through one view.
    Through(Through),
    Whole,
}

/// What a node becomes.
enum Becomes {
    /// Itself.
    Same,
    /// A view through which its input is seen: with the views of its users, when these were taken in.
    View(Through),
    /// The same operation of operands seen through the view of its users.
    Map(Through),
    /// A part, and what is shown of that.
    Part { op: Op, grid: ChunkGrid, inputs: SmallVec<[(usize, Option<Through>); 3]>, rest: Option<Through> },
}

struct Pushed {
    becomes: Vec<Becomes>,
    /// For each node whether what it becomes is what its users see of it.
    shows: Vec<bool>,
}

impl Pushed {
    fn find(graph: &ExprGraph, notes: &mut Notes) -> Pushed {
        let mut seen = vec![Seen::Never; graph.len()];
        let mut pushed = Pushed { becomes: Vec::with_capacity(graph.len()), shows: vec![false; graph.len()] };
        for id in graph.ids().rev() {
            let through = through_of(graph, id, &seen[id.index()], notes);
            let becomes = match &through {
                Some(through) => taken(graph, id, through, notes),
                None => None,
            };
            pushed.shows[id.index()] = becomes.is_some();
            let becomes = becomes.unwrap_or_else(|| as_it_is(graph, id));
            see(graph, id, &becomes, &mut seen);
            pushed.becomes.push(becomes);
        }
        pushed.becomes.reverse();
        pushed
    }

    fn step(&self, old: &ExprGraph, new: &mut ExprGraph, id: NodeId, places: &Places) -> Step {
        let (node, inputs) = (old.node(id), old.inputs(id));
        match &self.becomes[id.index()] {
            Becomes::Same => Step::Keep,
            Becomes::View(_) if self.shows[inputs[0].index()] => {
                Step::Forward("slice the input", places.of(&inputs)[0])
            }
            Becomes::View(_) if !self.shows[id.index()] => Step::Keep,
            Becomes::View(through) => Step::Replace("join views", through.node(node), places.of(&inputs)),
            Becomes::Map(through) => {
                let op = GraphNode { op: node.op.clone(), ..through.node(node) };
                let views = inputs.iter().map(|&input| (input, is_viewed(old, id, input).then_some(through)));
                Step::Replace("view the operands", op, self.operands((old, id), new, views, places))
            }
            Becomes::Part { op, grid, inputs: parts, rest } => {
                let views = parts.iter().map(|(place, through)| (inputs[*place], through.as_ref()));
                let operands = self.operands((old, id), new, views, places);
                let part = gridded(node, op.clone(), grid);
                match rest {
                    // All but one of the inputs of a concatenation were left out.
                    None if matches!(part.op, Op::Concat(_)) && new.node(operands[0]).meta == part.meta => {
                        Step::Forward("compute a part", operands[0])
                    }
                    None => Step::Replace("compute a part", part, operands),
                    Some(rest) => {
                        let part = new.add(part, &operands);
                        Step::Replace("compute a part", rest.node(node), smallvec::smallvec![part])
                    }
                }
            }
        }
    }

    /// Operands as a node takes them; equal ones are made once.
    fn operands<'a>(
        &self,
        (old, id): (&ExprGraph, NodeId),
        new: &mut ExprGraph,
        views: impl Iterator<Item = (NodeId, Option<&'a Through>)>,
        places: &Places,
    ) -> Inputs {
        let broadcasts = matches!(old.node(id).op, Op::Element(_));
        let mut made: SmallVec<[(NodeId, Option<&Through>, NodeId); 3]> = SmallVec::new();
        for (input, through) in views {
            let known = made.iter().find(|(id, view, _)| *id == input && *view == through);
            let (place, node) = (places.of(&[input])[0], old.node(input));
            let made_here = match (known, through) {
                (Some(known), _) => known.2,
                (None, Some(through)) if !self.shows[input.index()] => match node.op.constant() {
                    // Any shape is broadcast from a single value.
                    Some(value) if broadcasts => {
                        new.add(gridded(node, Op::Literal(value), &ChunkGrid::whole(&[])), &[])
                    }
                    _ => new.add(through.node(node), &[place]),
                },
                _ => place,
            };
            made.push((input, through, made_here));
        }
        made.into_iter().map(|(_, _, place)| place).collect()
    }
}

impl Through {
    /// A node that shows another one.
    fn node(&self, node: &GraphNode) -> GraphNode {
        gridded(node, Op::View(self.view.clone()), &self.grid)
    }

    /// A cut of an array in a grid; `None` where it is all of it.
    fn cut(cut: &Cut, grid: &ChunkGrid) -> Option<Through> {
        let is_part = !cut.is_whole(grid.shape());
        let view = Arc::new(cut.view(grid.shape()));
        is_part.then_some(())?;
        Some(Through { grid: view.grid(grid).ok()?, view })
    }
}

fn gridded(node: &GraphNode, op: Op, grid: &ChunkGrid) -> GraphNode {
    GraphNode { op, meta: Meta::Array { dtype: node.meta.dtype(), grid: grid.clone() }, ..node.clone() }
}

/// The view through which alone a node is seen, if it may become what that shows.
fn through_of<'a>(graph: &ExprGraph, id: NodeId, seen: &'a Seen, notes: &mut Notes) -> Option<&'a Through> {
    let Seen::Through(through) = seen else { return None };
    let node = graph.node(id);
    let why_not = match &node.op {
        Op::Source(_) | Op::Literal(_) => return None,
        _ if graph.is_root(id) => "it is a result itself",
        Op::Element(op) if !is_total(graph, id, op) => {
            "all of it may fail, or calls a function of the user's"
        }
        _ => return Some(through),
    };
    notes.declined("slice the input", node, why_not);
    None
}

/// What a node becomes of which only a view is needed; `None` where it is needed whole all the same.
fn taken(graph: &ExprGraph, id: NodeId, through: &Through, notes: &mut Notes) -> Option<Becomes> {
    let node = graph.node(id);
    match &node.op {
        Op::View(view) => {
            let view = Arc::new(view.then(&through.view));
            return Some(Becomes::View(Through { view, grid: through.grid.clone() }));
        }
        Op::Element(_) if !through.view.repeats() && has_full_operands(graph, id) => {
            return Some(Becomes::Map(through.clone()));
        }
        _ => {}
    }
    let (cut, rest) = through.view.split();
    if cut.is_whole(node.meta.grid().shape()) {
        return None;
    }
    let Some(part) = node.op.part(&cut, &graph.input_metas(id), &node.meta) else {
        notes.declined("compute a part", node, "it has no part that needs less and keeps the bits");
        return None;
    };
    let metas = graph.input_metas(id);
    let of_input = |(place, cut): (usize, Cut)| {
        let view = Through::cut(&cut, metas[place].grid());
        (place, view)
    };
    let rest = part.left.view(part.grid.shape()).then(&rest);
    let rest = (!rest.is_identity() || part.grid != through.grid)
        .then(|| Through { view: Arc::new(rest), grid: through.grid.clone() });
    Some(Becomes::Part {
        op: part.op,
        grid: part.grid,
        inputs: part.inputs.into_iter().map(of_input).collect(),
        rest,
    })
}

fn as_it_is(graph: &ExprGraph, id: NodeId) -> Becomes {
    let node = graph.node(id);
    match &node.op {
        Op::View(view) => Becomes::View(Through { view: view.clone(), grid: node.meta.grid().clone() }),
        _ => Becomes::Same,
    }
}

/// Notes how the inputs of a node are seen.
fn see(graph: &ExprGraph, id: NodeId, becomes: &Becomes, seen: &mut [Seen]) {
    let mut through = |input: NodeId, view: Option<&Through>| {
        let seen = &mut seen[input.index()];
        *seen = match (&*seen, view) {
            (Seen::Never, Some(view)) => Seen::Through(view.clone()),
            (Seen::Through(known), Some(view)) if known == view => return,
            _ => Seen::Whole,
        };
    };
    let inputs = graph.inputs(id);
    match becomes {
        Becomes::Same => inputs.iter().for_each(|&input| through(input, None)),
        Becomes::View(view) => through(inputs[0], Some(view)),
        Becomes::Map(view) => {
            inputs.iter().for_each(|&input| through(input, is_viewed(graph, id, input).then_some(view)));
        }
        Becomes::Part { inputs: parts, .. } => {
            parts.iter().for_each(|(place, view)| through(inputs[*place], view.as_ref()));
        }
    }
}

/// Whether every operand has the shape of the result, or is a single value.
pub(crate) fn has_full_operands(graph: &ExprGraph, id: NodeId) -> bool {
    let single = |input: NodeId| graph.node(input).meta.grid().ndim() == 0;
    graph.inputs(id).into_iter().all(|input| single(input) || is_viewed(graph, id, input))
}

/// Whether an operand of a node is seen through the node's view: it has its shape.
pub(crate) fn is_viewed(graph: &ExprGraph, id: NodeId, input: NodeId) -> bool {
    graph.node(input).meta.grid().shape() == graph.node(id).meta.grid().shape()
}

pub(crate) fn is_total(graph: &ExprGraph, id: NodeId, op: &ElementOp) -> bool {
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

    fn sliced(x: &Expr, start: isize, end: isize) -> Expr {
        let elems: Vec<SliceElem> = (0..x.shape().len())
            .map(|axis| match axis {
                0 => SliceElem::Slice { start, end: Some(end), step: 1 },
                _ => SliceElem::Slice { start: 0, end: None, step: 1 },
            })
            .collect();
        Expr::view("slice", x, View::slice(x.shape(), &elems), Location::caller())
    }

    #[test]
    fn slice_of_a_reduction_reads_only_its_rows() {
        let x = map(UnaryOp::Sqrt, &source("x", &[8, 6], &[4, 6]));
        let rows = x.reduce(ReduceKind::Sum, Some(&[1]), false, 0.0, Location::caller());
        let after =
            ["view[4 + i0, i1](%0): f64[3, 6]", "sqrt(%1)", "sum[1](%2): f64[3] chunks (3,) -> result"];
        check(&PushViews, sliced(&rows, 4, 7), &after);
    }

    #[test]
    fn operand_that_is_broadcast_is_cut_along_the_axes_it_has() {
        let (x, row) = (source("x", &[8, 6], &[4, 6]), map(UnaryOp::Exp, &source("row", &[6], &[6])));
        let sum = two(BinaryOp::Add, &x, &row);
        let after = ["view[2 + i0, i1](%0): f64[2, 6]", "add(%3, %2): f64[2, 6] chunks (2, 6) -> result"];
        check(&PushViews, sliced(&sum, 2, 4), &after);
    }

    #[test]
    fn slice_of_a_concatenation_leaves_out_inputs() {
        let (x, y) = (source("x", &[8], &[4]), source("y", &[8], &[4]));
        let both = Expr::concat(&[&map(UnaryOp::Sin, &x), &map(UnaryOp::Cos, &y)], 0, Location::caller());
        check(
            &PushViews,
            sliced(&both, 10, 12),
            &["view[2 + i0](%2): f64[2]", "cos(%3): f64[2] chunks (2,) -> result"],
        );
    }

    #[test]
    fn what_a_slice_does_besides_stays_above() {
        let x = source("x", &[8, 6], &[4, 6]);
        let rows = x.reduce(ReduceKind::Sum, Some(&[1]), true, 0.0, Location::caller());
        let turned =
            Expr::view("t", &sliced(&rows, 0, 4), View::permute(&[4, 1], &[1, 0]), Location::caller());
        check(&PushViews, turned, &["sum[1](%1): f64[4, 1]", "view[i1, i0](%2): f64[1, 4]"]);
    }

    #[test]
    fn uses_through_one_view_are_one_use() {
        let x = map(UnaryOp::Exp, &source("x", &[8], &[4]));
        let half = halved(&x);
        let squared = two(BinaryOp::Mul, &half, &halved(&x));
        check(&PushViews, squared, &["view[2*i0](%0)", "exp(%1): f64[4]", "mul(%2, %2)"]);
    }

    #[test]
    fn reasons_are_noted() {
        let x = map(UnaryOp::Exp, &source("x", &[8], &[4]));
        let mut notes = Notes::default();
        PushViews.run(&ExprGraph::import(&[halved(&x), x]).unwrap(), &mut notes);
        assert_eq!(notes.left()[0].why_not, Some("it is a result itself"));
    }
}
