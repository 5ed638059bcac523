//! Groups of elementwise operations become one program, so that no value between them reaches memory.
//!
//! ```text
//! walk from users to inputs:
//!     an elementwise node joins the group of its users when
//!         it is not a result itself,
//!         all its users are in that one group,          -- else it would be computed twice
//!         it has the shape of the group,                -- else it would be repeated by the broadcast
//!         the group has room;
//!     else it heads a group of its own
//! walk from inputs to users: every head becomes the program of its group
//! ```
//!
//! A node that two groups use, or that is used under a broadcast, stays an array of its own: computing it once
//! and reading it twice is the cheaper choice for all but the simplest operations. A view between two nodes
//! keeps them apart, so one producer is never fused under two index maps.

use std::sync::Arc;

use chunkwise_chunk::ChunkGrid;
use chunkwise_expr::{Arg, ElementOp, ExprGraph, GraphNode, NodeId, Op, ProgramBuilder};

use crate::rebuild::{Inputs, Places, Step, rebuild};
use crate::{Notes, Pass};

/// Instructions of one program. A bound on what one task holds, far above any hand-written expression.
const MOST_INSTRUCTIONS: usize = 4096;

/// Fuses elementwise operations.
///
/// ```
/// use chunkwise_optimize::{FuseMaps, Pass};
/// assert_eq!(FuseMaps.name(), "fuse_maps");
/// ```
#[derive(Debug)]
pub struct FuseMaps;

impl Pass for FuseMaps {
    fn name(&self) -> &'static str {
        "fuse_maps"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let groups = Groups::find(graph, notes);
        let next = rebuild(graph, notes, |_, id, places| groups.step(graph, id, places));
        (notes.rewrites() > 0).then_some(next)
    }
}

/// For each node the head of its group, and for each head the members, in topological order.
struct Groups {
    head: Vec<Option<NodeId>>,
    members: Vec<Vec<NodeId>>,
}

impl Groups {
    fn find(graph: &ExprGraph, notes: &mut Notes) -> Groups {
        let mut head: Vec<Option<NodeId>> = vec![None; graph.len()];
        let mut members: Vec<Vec<NodeId>> = vec![Vec::new(); graph.len()];
        for id in graph.ids().rev() {
            let node = graph.node(id);
            if !matches!(node.op, Op::Element(_)) {
                continue;
            }
            let joined = common_head(graph, id, &head).and_then(|group| {
                let shape = |id: NodeId| graph.node(id).meta.grid().shape();
                match () {
                    () if graph.is_root(id) => Err(Some("it is a result itself")),
                    () if shape(group) != shape(id) => {
                        Err(Some("its users broadcast it: it would be computed for each of them"))
                    }
                    () if members[group.index()].len() >= MOST_INSTRUCTIONS => {
                        Err(Some("the program would be too long"))
                    }
                    () => Ok(group),
                }
            });
            let group = joined.unwrap_or_else(|why_not| {
                why_not.into_iter().for_each(|why| notes.declined("fuse maps", node, why));
                id
            });
            head[id.index()] = Some(group);
            members[group.index()].push(id);
        }
        members.iter_mut().for_each(|group| group.reverse());
        Groups { head, members }
    }

    fn step(&self, graph: &ExprGraph, id: NodeId, places: &Places) -> Step {
        match self.head[id.index()] {
            Some(head) if head != id => Step::Drop,
            Some(_) if self.members[id.index()].len() > 1 || reads_constant(graph, id) => {
                self.fuse(graph, id, places)
            }
            _ => Step::Keep,
        }
    }

    /// The program of a group, over the nodes it reads from outside.
    fn fuse(&self, graph: &ExprGraph, head: NodeId, places: &Places) -> Step {
        let mut builder = ProgramBuilder::new();
        let mut args: Vec<(NodeId, Arg)> = Vec::new();
        let mut outside: Vec<NodeId> = Vec::new();
        for &member in &self.members[head.index()] {
            let operands: Vec<Arg> = graph
                .inputs(member)
                .into_iter()
                .map(|input| match args.binary_search_by_key(&input, |&(id, _)| id) {
                    Ok(known) => args[known].1,
                    Err(place) => {
                        let arg = leaf(graph, input, &mut builder, &mut outside);
                        args.insert(place, (input, arg));
                        arg
                    }
                })
                .collect();
            let Op::Element(op) = &graph.node(member).op else { unreachable!("only elementwise nodes join") };
            let value = push(&mut builder, op, &operands);
            builder.written_at(graph.node(member).origin);
            args.push((member, value));
        }
        let result = args[args.len() - 1].1;
        let node = graph.node(head);
        let grid: ChunkGrid = node.meta.grid().clone();
        let op = Op::Fused(Arc::new(builder.finish(result)), grid);
        let inputs: Inputs = places.of(&outside);
        Step::Replace("fuse maps", GraphNode { op, ..node.clone() }, inputs)
    }
}

/// Whether a node of one operation gains from being a program: literals and arrays of one value become constants of it.
fn reads_constant(graph: &ExprGraph, id: NodeId) -> bool {
    graph.inputs(id).iter().any(|&input| graph.node(input).op.constant().is_some())
}

/// The group that all users of a node are in, or why there is none; no reason where no user is elementwise.
fn common_head(
    graph: &ExprGraph,
    id: NodeId,
    head: &[Option<NodeId>],
) -> Result<NodeId, Option<&'static str>> {
    let mut users = graph.users(id).map(|user| head[user.index()]);
    let Some(Some(first)) = users.next() else { return Err(None) };
    let alike = users.all(|other| other == Some(first));
    if alike {
        Ok(first)
    } else {
        Err(Some("operations of several programs use it: it is computed once and kept"))
    }
}

fn leaf(graph: &ExprGraph, id: NodeId, builder: &mut ProgramBuilder, outside: &mut Vec<NodeId>) -> Arg {
    match graph.node(id).op.constant() {
        Some(value) => builder.constant(value),
        None => {
            outside.push(id);
            builder.input(graph.node(id).meta.dtype())
        }
    }
}

fn push(builder: &mut ProgramBuilder, op: &ElementOp, operands: &[Arg]) -> Arg {
    builder.push(op.clone(), operands).expect("types were checked when the expression was built")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, constant, lit, source, unchanged};
    use chunkwise_expr::{BinaryOp, Expr, UnaryOp};
    use std::panic::Location;

    fn map(op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], Location::caller())
    }

    fn two(op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], Location::caller())
    }

    #[test]
    fn chain_becomes_one_program() {
        let x = source("x", &[4], &[2]);
        let y = two(BinaryOp::Mul, &map(UnaryOp::Sqrt, &x), &lit(2.0));
        check(&FuseMaps, y, &["fused{r0 = sqrt x0; r1 = mul r0 2.0}(%0)"]);
    }

    #[test]
    fn diamond_computes_its_top_once() {
        let x = map(UnaryOp::Exp, &source("x", &[4], &[2]));
        let y = two(BinaryOp::Add, &map(UnaryOp::Sin, &x), &map(UnaryOp::Cos, &x));
        check(&FuseMaps, y, &["fused{r0 = exp x0; r1 = sin r0; r2 = cos r0; r3 = add r1 r2}(%0)"]);
    }

    #[test]
    fn array_of_one_value_is_a_constant() {
        let x = source("x", &[4], &[2]);
        let ones = constant(1.0, &[4], &[2]);
        check(&FuseMaps, two(BinaryOp::Add, &x, &ones), &["fused{r0 = add x0 1.0}(%0)"]);
    }

    #[test]
    fn value_that_is_broadcast_stays_an_array() {
        let row = map(UnaryOp::Exp, &source("row", &[4], &[2]));
        unchanged(&FuseMaps, two(BinaryOp::Add, &source("x", &[3, 4], &[1, 2]), &row));
    }

    #[test]
    fn value_with_two_groups_of_users_stays_an_array() {
        let x = map(UnaryOp::Exp, &source("x", &[4], &[2]));
        let sum = |y: &Expr| y.reduce(chunkwise_expr::ReduceKind::Sum, None, false, 0.0, Location::caller());
        let (a, b) = (map(UnaryOp::Sin, &x), map(UnaryOp::Cos, &x));
        unchanged(&FuseMaps, two(BinaryOp::Add, &sum(&a), &sum(&b)));
    }
}
