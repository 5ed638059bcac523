//! Graphs as trees of text: results first, what each takes below it.
//!
//! A node is shown once; after that, and below the deepest level, its number stands for it.

use std::collections::{HashSet, VecDeque};
use std::fmt::{self, Write as _};
use std::panic::Location;

use chunkwise_expr::{ExprGraph, Meta, NodeId, Op};
use smallvec::SmallVec;

/// Levels of a tree, below which it goes on as another one.
const DEEPEST: usize = 24;

/// Operands that are named.
const MOST_OPERANDS: usize = 6;

/// Characters of an operation, or a grid, that are shown.
const MOST_CHARS: usize = 400;

/// Writes the trees of all roots, at most `lines` lines. `beside` says what else is known of a node.
pub(super) fn write_trees(
    f: &mut fmt::Formatter<'_>,
    graph: &ExprGraph,
    lines: usize,
    beside: impl Fn(NodeId) -> String,
) -> fmt::Result {
    let mut shown = HashSet::new();
    let mut roots: VecDeque<NodeId> = graph.roots().iter().copied().collect();
    let mut written = 0;
    while let Some(root) = roots.pop_front() {
        if shown.contains(&root) {
            continue;
        }
        let mut stack = vec![(root, Branch::default())];
        while let Some((id, branch)) = stack.pop() {
            if written == lines {
                let left = graph.ids().filter(|&id| is_shown(graph, id)).count().saturating_sub(shown.len());
                return writeln!(f, "  .. and {left} more");
            }
            written += 1;
            if shown.contains(&id) {
                writeln!(f, "  {branch}%{} (above)", id.index())?;
                continue;
            }
            let inputs = shown_inputs(graph, id);
            if branch.depth == DEEPEST && !inputs.is_empty() {
                writeln!(f, "  {branch}%{} (below)", id.index())?;
                roots.push_back(id);
                continue;
            }
            shown.insert(id);
            writeln!(f, "  {branch}{}{}", line(graph, id), beside(id))?;
            let count = inputs.len();
            let below = inputs.into_iter().enumerate().rev();
            stack.extend(below.map(|(at, input)| (input, branch.below(at + 1 == count))));
        }
    }
    Ok(())
}

/// What stands before a line.
#[derive(Default)]
struct Branch {
    /// Of the lines below.
    margin: String,
    last: bool,
    depth: usize,
}

impl Branch {
    fn below(&self, last: bool) -> Branch {
        let mut margin = self.margin.clone();
        if self.depth > 0 {
            margin.push_str(if self.last { "   " } else { "│  " });
        }
        Branch { margin, last, depth: self.depth + 1 }
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let turn = match (self.depth, self.last) {
            (0, _) => "",
            (_, true) => "└─ ",
            (_, false) => "├─ ",
        };
        write!(f, "{}{turn}", self.margin)
    }
}

/// Literals are written where they are used.
fn is_shown(graph: &ExprGraph, id: NodeId) -> bool {
    !matches!(graph.node(id).op, Op::Literal(_)) || graph.is_root(id)
}

fn shown_inputs(graph: &ExprGraph, id: NodeId) -> SmallVec<[NodeId; 3]> {
    let mut seen = HashSet::new();
    graph.inputs(id).into_iter().filter(|&input| is_shown(graph, input) && seen.insert(input)).collect()
}

/// A node with its operands, and what its value is.
fn line(graph: &ExprGraph, id: NodeId) -> String {
    let meta = &graph.node(id).meta;
    let mut line = format!("%{} = {}: {}", id.index(), call(graph, id), cut(&meta.to_string(), MOST_CHARS));
    if let Meta::Array { grid, .. } = meta
        && grid.ndim() > 0
    {
        let _ = write!(line, ", {}", readable(meta.nbytes()));
    }
    if let Some(first) = graph.siblings(id).first().filter(|&&first| first != id) {
        let _ = write!(line, ", folded with %{}", first.index());
    }
    if graph.is_root(id) {
        line.push_str(" -> result");
    }
    line
}

/// A node with its operands.
pub(super) fn call(graph: &ExprGraph, id: NodeId) -> String {
    let op = cut(&graph.node(id).op.to_string(), MOST_CHARS);
    let inputs = graph.inputs(id);
    if inputs.is_empty() {
        return op;
    }
    let operand = |&input: &NodeId| match &graph.node(input).op {
        Op::Literal(value) => value.to_string(),
        _ => format!("%{}", input.index()),
    };
    let mut operands: Vec<String> = inputs.iter().take(MOST_OPERANDS).map(operand).collect();
    if inputs.len() > MOST_OPERANDS {
        operands.push(format!("{} more", inputs.len() - MOST_OPERANDS));
    }
    format!("{op}({})", operands.join(", "))
}

/// A line of the user's program, without the folders, which differ from machine to machine.
pub(super) fn place(origin: &Location<'_>) -> String {
    let file = origin.file().rsplit(['/', '\\']).next().unwrap_or_default();
    format!("{file}:{}:{}", origin.line(), origin.column())
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}

/// Bytes with a binary prefix, as in `1.5 MiB`.
pub(super) fn readable(bytes: u64) -> String {
    let mut amount = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if amount < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} TiB")
}
