//! What passes say of themselves: which rule did what where, and which tempting one did not, and why.
//!
//! Graphs have up to millions of nodes, so all rewrites are counted but only the first few are kept.

use std::fmt;
use std::panic::Location;

use chunkwise_expr::GraphNode;

/// Notes of each kind that are kept.
const MOST_KEPT: usize = 32;

/// One rewrite, or one that was left.
///
/// ```
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::{Expr, ExprGraph};
/// use chunkwise_optimize::Notes;
/// let graph = ExprGraph::import(&[Expr::literal(Scalar::I8(1), std::panic::Location::caller())]).unwrap();
/// let mut notes = Notes::default();
/// notes.declined("double", graph.node(graph.roots()[0]), "it is one already");
/// assert!(notes.left()[0].to_string().starts_with("double left literal at "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was done, or could have been.
    pub rule: &'static str,
    /// The operation it was done to.
    pub op: String,
    /// Where the user wrote that.
    pub origin: &'static Location<'static>,
    /// Why it was not done; `None` when it was.
    pub why_not: Option<&'static str>,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Note { rule, op, origin, why_not } = self;
        match why_not {
            None => write!(f, "{rule}: {op} at {origin}"),
            Some(why) => write!(f, "{rule} left {op} at {origin}: {why}"),
        }
    }
}

/// The notes of a pass.
///
/// ```
/// let notes = chunkwise_optimize::Notes::default();
/// assert_eq!((notes.rewrites(), notes.done().len()), (0, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    done: Vec<Note>,
    rewrites: usize,
    left: Vec<Note>,
    declined: usize,
}

impl Notes {
    /// Notes a rewrite of a node.
    pub fn did(&mut self, rule: &'static str, node: &GraphNode) {
        self.rewrites += 1;
        keep(&mut self.done, rule, node, None);
    }

    /// Notes a rewrite that was not done though a reader might expect it, and why.
    pub fn declined(&mut self, rule: &'static str, node: &GraphNode, why: &'static str) {
        self.declined += 1;
        keep(&mut self.left, rule, node, Some(why));
    }

    /// Number of rewrites.
    pub fn rewrites(&self) -> usize {
        self.rewrites
    }

    /// The first rewrites.
    pub fn done(&self) -> &[Note] {
        &self.done
    }

    /// Number of rewrites that were left.
    pub fn num_left(&self) -> usize {
        self.declined
    }

    /// The first rewrites that were left.
    pub fn left(&self) -> &[Note] {
        &self.left
    }
}

fn keep(notes: &mut Vec<Note>, rule: &'static str, node: &GraphNode, why_not: Option<&'static str>) {
    if notes.len() < MOST_KEPT {
        notes.push(Note { rule, op: node.op.name().to_owned(), origin: node.origin, why_not });
    }
}
