//! What a pass is, which passes run, and what they report.

use std::fmt;

use chunkwise_expr::ExprGraph;

use crate::Notes;

/// A rewrite of a whole graph.
///
/// ```
/// use chunkwise_expr::ExprGraph;
/// use chunkwise_optimize::{Notes, Pass};
/// struct Nothing;
/// impl Pass for Nothing {
///     fn name(&self) -> &'static str { "nothing" }
///     fn run(&self, _: &ExprGraph, _: &mut Notes) -> Option<ExprGraph> { None }
/// }
/// assert!(Nothing.run(&ExprGraph::new(), &mut Notes::default()).is_none());
/// ```
pub trait Pass: Send + Sync {
    /// The name by which it is switched off, and reported.
    fn name(&self) -> &'static str;

    /// The next graph; `None` when nothing is done. The roots keep shape, element type, grid and bits. Every rewrite is noted, and what a reader of
    /// the plan might have expected and why it was not done.
    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph>;
}

/// The name by which the grouping of tiny blocks into tasks is switched, among the passes: it is the last of them, made
/// when a graph becomes tasks.
pub const GROUP_BLOCKS: &str = "group_blocks";

/// Passes that run only when they are asked for: they keep values up to rounding, not bits.
const OPT_IN: [&str; 1] = [FAST_MATH];

/// The name of the pass that rounds otherwise.
const FAST_MATH: &str = "fast_math";

/// Which passes run, and whether tiny blocks share tasks ([`GROUP_BLOCKS`]).
///
/// ```
/// use chunkwise_optimize::OptimizeOptions;
/// let options = OptimizeOptions::all().without("cse");
/// assert!(!options.is_on("cse") && options.is_on("cull"));
/// assert!(!OptimizeOptions::none().is_on("cull"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptimizeOptions {
    all: bool,
    but: Vec<String>,
}

impl OptimizeOptions {
    /// Every pass that keeps the bits.
    pub fn all() -> OptimizeOptions {
        OptimizeOptions { all: true, but: Vec::new() }
    }

    /// No pass.
    pub fn none() -> OptimizeOptions {
        OptimizeOptions { all: false, but: Vec::new() }
    }

    /// These with the rewrites of [`FastMath`](crate::FastMath), which may change the last digits of results.
    ///
    /// ```
    /// use chunkwise_optimize::OptimizeOptions;
    /// assert!(!OptimizeOptions::all().is_on("fast_math"));
    /// assert!(OptimizeOptions::all().fast_math().is_on("fast_math"));
    /// ```
    #[must_use]
    pub fn fast_math(self) -> OptimizeOptions {
        self.with(FAST_MATH)
    }

    /// These without the pass of this name. A name that no pass has changes nothing.
    #[must_use]
    pub fn without(self, pass: &str) -> OptimizeOptions {
        self.set(pass, false)
    }

    /// These with the pass of this name. A name that no pass has changes nothing.
    #[must_use]
    pub fn with(self, pass: &str) -> OptimizeOptions {
        self.set(pass, true)
    }

    /// Whether the pass of this name runs.
    pub fn is_on(&self, pass: &str) -> bool {
        self.by_default(pass) != self.but.iter().any(|name| name == pass)
    }

    fn by_default(&self, pass: &str) -> bool {
        self.all && !OPT_IN.contains(&pass)
    }

    fn set(mut self, pass: &str, on: bool) -> OptimizeOptions {
        self.but.retain(|name| name != pass);
        if on != self.by_default(pass) {
            self.but.push(pass.to_owned());
        }
        self
    }
}

impl Default for OptimizeOptions {
    fn default() -> OptimizeOptions {
        OptimizeOptions::all()
    }
}

/// The graph after all passes, and what each did.
///
/// ```
/// use chunkwise_expr::ExprGraph;
/// use chunkwise_optimize::{OptimizeOptions, optimize, passes};
/// let all = OptimizeOptions::all().fast_math();
/// assert_eq!(optimize(ExprGraph::new(), &all).reports.len(), passes().len());
/// ```
#[derive(Clone, Debug)]
pub struct Optimized {
    /// The last graph.
    pub graph: ExprGraph,
    /// One entry per pass that ran.
    pub reports: Vec<PassReport>,
}

/// What a pass did.
///
/// ```
/// use chunkwise_optimize::{Notes, PassReport};
/// let report = PassReport { pass: "cse", before: 9, after: 7, notes: Notes::default() };
/// assert_eq!(report.to_string(), "cse: 0 rewrites, 9 -> 7 nodes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassReport {
    /// Name of the pass.
    pub pass: &'static str,
    /// Nodes before.
    pub before: usize,
    /// Nodes after.
    pub after: usize,
    /// Its rewrites, and what it left.
    pub notes: Notes,
}

impl PassReport {
    /// Number of rewrites it made.
    pub fn rewrites(&self) -> usize {
        self.notes.rewrites()
    }
}

impl fmt::Display for PassReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PassReport { pass, before, after, .. } = self;
        let plural = if self.rewrites() == 1 { "" } else { "s" };
        write!(f, "{pass}: {} rewrite{plural}, {before} -> {after} nodes", self.rewrites())
    }
}
