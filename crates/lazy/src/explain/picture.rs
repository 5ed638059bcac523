//! Plans as pictures: the expression as it was written, and what is left of it to be done.

use std::fmt::Write as _;
use std::path::Path;

use chunkwise_chunk::SourceError;
use chunkwise_draw::{BoxId, Diagram, Look, MOST_BOXES, svg};
use chunkwise_expr::{ExprGraph, Meta, NodeId, Op};

use super::tree::{call, readable};
use super::{NodePlan, Plan};
use crate::Result;
use crate::error::Error;

/// The expression and the plan, beside or below each other.
pub(super) fn picture(plan: &Plan) -> String {
    let plain = |_: NodeId| None;
    let before = diagram("expression", &plan.before, plain);
    let after = diagram("plan", &plan.after, |id| tasks(&plan.nodes[id.index()]));
    svg(&[before, after])
}

/// Writes a plan to a file, in the format that its name says.
#[track_caller]
pub(super) fn write(plan: &Plan, path: &Path) -> Result<()> {
    let origin = std::panic::Location::caller();
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let text = match extension.to_ascii_lowercase().as_str() {
        "svg" => picture(plan),
        "dot" => plan.to_dot(),
        _ => {
            let what = format!("{}: a plan is drawn to files that end in .svg or .dot", path.display());
            return Err(Error::storage(SourceError::message(what), origin));
        }
    };
    let what = format!("drawing to {}", path.display());
    std::fs::write(path, text).map_err(|err| Error::storage(SourceError::io(what, err), origin))
}

/// A box for each node but literals, which are named where they are used.
fn diagram(title: &str, graph: &ExprGraph, beside: impl Fn(NodeId) -> Option<String>) -> Diagram {
    let mut diagram = Diagram::new(format!("{title}: {} nodes", graph.len()));
    let mut boxes: Vec<Option<BoxId>> = Vec::with_capacity(graph.len());
    // Labels of what is not drawn would cost more than its count.
    let is_drawn = graph.len() <= 2 * MOST_BOXES;
    for id in graph.ids() {
        let node = graph.node(id);
        if matches!(node.op, Op::Literal(_)) && !graph.is_root(id) {
            boxes.push(None);
            continue;
        }
        let inputs: Vec<BoxId> = graph.inputs(id).iter().filter_map(|input| boxes[input.index()]).collect();
        let look = match &node.op {
            _ if graph.is_root(id) => Look::Result,
            Op::Source(_) => Look::Source,
            _ => Look::Step,
        };
        let mut lines = if is_drawn { lines(graph, id) } else { Vec::new() };
        lines.extend(beside(id).filter(|_| is_drawn));
        boxes.push(Some(diagram.add(look, lines, &inputs)));
    }
    diagram
}

fn lines(graph: &ExprGraph, id: NodeId) -> Vec<String> {
    let node = graph.node(id);
    let mut lines = wrapped(&format!("%{} = {}", id.index(), call(graph, id)));
    match &node.meta {
        Meta::Array { dtype, grid } if grid.ndim() == 0 => lines.push(dtype.to_string()),
        Meta::Array { dtype, grid } => {
            lines.push(format!("{dtype}{:?}, {}", grid.shape(), readable(node.meta.nbytes())));
            lines.push(format!("chunks {grid}"));
        }
        other => lines.push(other.to_string()),
    }
    if let Some(first) = graph.siblings(id).first().filter(|&&first| first != id) {
        lines.push(format!("folded with %{}", first.index()));
    }
    lines
}

/// A long call in lines, cut at the instructions of its program.
fn wrapped(text: &str) -> Vec<String> {
    const MOST: usize = 52;
    const LINES: usize = 6;
    let mut lines = vec![String::new()];
    for part in text.split_inclusive("; ") {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && lines[line].len() + part.len() > MOST {
            lines.push(format!("  {part}"));
        } else {
            lines[line].push_str(part);
        }
    }
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.drain(LINES / 2..LINES / 2 + more);
        lines.insert(LINES / 2, format!("  .. {more} more lines"));
    }
    lines
}

fn tasks(plan: &NodePlan) -> Option<String> {
    let mut line = match (plan.totals.tasks, plan.inlined) {
        (_, true) => "read by its users".to_owned(),
        (0, _) => return None,
        (1, _) => "1 task".to_owned(),
        (tasks, _) => format!("{tasks} tasks"),
    };
    for (bytes, what) in [(plan.totals.spilled, "to disk"), (plan.totals.rerun, "made again")] {
        if bytes > 0 {
            let _ = write!(line, ", {} {what}", readable(bytes));
        }
    }
    Some(line)
}
