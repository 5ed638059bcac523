//! Expressions and graphs as text: what `explain` prints and tests compare.

use std::fmt;

use petgraph::dot::{Config, Dot};
use petgraph::visit::EdgeRef;

use chunkwise_chunk::Scalar;

use crate::{ElementOp, Expr, ExprGraph, GraphNode, Meta, NodeId, Op};

/// How many levels of an expression are written before the rest becomes `..`.
const DEPTH: usize = 6;

impl fmt::Display for Expr {
    /// The expression as nested calls, cut off at a depth that keeps the text short.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_expr(self, DEPTH, f)
    }
}

fn write_expr(expr: &Expr, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(err) = expr.error() {
        return write!(f, "error({err})");
    }
    match expr.op() {
        Op::Literal(value) => return write!(f, "{value}"),
        Op::Source(source) => return f.write_str(&source.source().name()),
        _ if depth == 0 => return f.write_str(".."),
        op => write!(f, "{op}(")?,
    }
    for (i, input) in expr.node().inputs().iter().enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        write_expr(input, depth - 1, f)?;
    }
    f.write_str(")")
}

impl fmt::Display for Op {
    /// The operation with its own data, without inputs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Source(source) => f.write_str(&source.source().name()),
            Op::Literal(value) => write!(f, "{value}"),
            Op::Element(ElementOp::Cast(to)) => write!(f, "cast<{to}>"),
            Op::Fused(program, _) => write!(f, "fused{{{program}}}"),
            Op::Reduce(reduce) => {
                f.write_str(reduce.kind.name())?;
                if reduce.axes.len() < reduce.space.ndim() {
                    write!(f, "{:?}", reduce.axes)?;
                }
                if reduce.kind.takes_ddof() {
                    write!(f, "<ddof {}>", reduce.ddof)?;
                }
                match &reduce.program {
                    Some(program) => write!(f, "{{{program}}}"),
                    None => Ok(()),
                }
            }
            Op::View(view) => write!(f, "view{view}"),
            Op::Concat(concat) => write!(f, "concatenate<axis {}>", concat.axis),
            Op::Blockwise(op) => write!(f, "{op}"),
            op => f.write_str(op.name()),
        }
    }
}

impl fmt::Display for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Meta::Array { dtype, grid } if grid.ndim() == 0 => write!(f, "{dtype}"),
            Meta::Array { dtype, grid } => write!(f, "{dtype}{:?} chunks {grid}", grid.shape()),
            Meta::Object => f.write_str("object"),
            Meta::Invalid(err) => write!(f, "error({err})"),
        }
    }
}

impl ExprGraph {
    /// The graph in Graphviz' DOT language: a node for every operation with its shape, element type and chunks, an edge
    /// from each input to its user, numbered where the order of operands matters.
    ///
    /// ```
    /// use std::panic::Location;
    /// use chunkwise_chunk::Scalar;
    /// use chunkwise_expr::{Expr, ExprGraph};
    /// let one = Expr::literal(Scalar::F64(1.0), Location::caller());
    /// assert!(ExprGraph::import(&[one]).unwrap().to_dot().contains("label = \"1.0\\nf64\""));
    /// ```
    pub fn to_dot(&self) -> String {
        let no_labels = [Config::NodeNoLabel, Config::EdgeNoLabel];
        let edge = |_: &_, edge: petgraph::graph::EdgeReference<'_, u32>| {
            let several = self.inputs(edge.target()).len() > 1;
            if several { format!("label = \"{}\"", edge.weight()) } else { String::new() }
        };
        let node = |_: &_, (id, node): (NodeId, &GraphNode)| {
            let text = format!("{}\n{}", node.op, node.meta);
            let shape = if self.is_root(id) { "box, style = bold" } else { "box" };
            format!("shape = {shape}, label = \"{}\"", text.replace('"', "\\\"").replace('\n', "\\n"))
        };
        format!("{:?}", Dot::with_attr_getters(self.as_petgraph(), &no_labels, &edge, &node))
    }

    fn operand(&self, id: NodeId) -> String {
        match &self.node(id).op {
            Op::Literal(value) => Scalar::to_string(value),
            _ => format!("%{}", id.index()),
        }
    }

    fn line(&self, id: NodeId, node: &GraphNode) -> String {
        let inputs: Vec<String> = self.inputs(id).into_iter().map(|input| self.operand(input)).collect();
        let call = match inputs.is_empty() {
            true => node.op.to_string(),
            false => format!("{}({})", node.op, inputs.join(", ")),
        };
        let root = if self.is_root(id) { " -> result" } else { "" };
        let first = self.siblings(id).first().filter(|&&first| first != id);
        let with = first.map_or_else(String::new, |first| format!(", folded with %{}", first.index()));
        format!("%{} = {call}: {}{with}{root}", id.index(), node.meta)
    }
}

impl fmt::Display for ExprGraph {
    /// One line a node, inputs before users; literals are written where they are used.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for id in self.ids() {
            let node = self.node(id);
            if matches!(node.op, Op::Literal(_)) && !self.is_root(id) {
                continue;
            }
            writeln!(f, "{}", self.line(id, node))?;
        }
        Ok(())
    }
}
