//! What will be done, before it is done.
//!
//! ```text
//! mod        what a plan knows, and its text
//! tree       a graph as a tree
//! passes     what the passes did, rule by rule
//! again      what becomes of values that are needed twice
//! time       about how long it takes
//! picture    the plan as a drawing
//! ```

mod again;
mod passes;
mod picture;
mod time;
mod tree;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use chunkwise_expr::{ExprGraph, NodeId};
use chunkwise_optimize::{Optimized, PassReport, optimize_seen};
use chunkwise_scheduler::{self as scheduler, LayerTotals};

use again::Decisions;
use passes::write_report;
use time::{about, estimate};
use tree::{place, readable, write_trees};

use crate::lower::{Facts, Value, blocks_of};
use crate::{OptimizeOptions, Result};

/// Lines of each tree, after which it is cut.
const MOST_LINES: usize = 200;

/// Nodes of a graph up to which it is kept for the text between two passes.
const MOST_KEPT: usize = 2000;

/// The plan of a computation: the expression, what each pass did by which rule, the optimised expression with tasks, what
/// becomes of values that are needed twice, time and bytes.
///
/// Its text has trees of the expression, of what a pass made of it where others follow, and of what will be done: results
/// first, what each takes below it. The same program gives the same text on every machine with as many threads and as much
/// memory. Long trees are cut after some hundred lines.
///
/// ```
/// use chunkwise::prelude::*;
/// let plan = LazyArray::<f64, _>::zeros(64, 4).sqrt().mean().plan()?;
/// assert_eq!(plan.tasks(), 19);
/// assert!(plan.to_string().contains("fuse_reductions: 1 rewrite"));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    before: ExprGraph,
    /// The graphs between two passes, with the numbers of the reports of the passes that made them.
    stages: Vec<(usize, ExprGraph)>,
    /// What the tasks are made of.
    after: ExprGraph,
    reports: Vec<PassReport>,
    nodes: Vec<NodePlan>,
    decisions: Decisions,
    tasks: usize,
    peak_bytes: u64,
    most_bytes: u64,
    bytes_read: u64,
    spill_bytes: u64,
    rerun_bytes: u64,
    memory_limit: Option<u64>,
    threads: usize,
}

/// What is done for a node.
#[derive(Clone, Debug)]
struct NodePlan {
    totals: LayerTotals,
    /// Whether its users read it for themselves.
    inlined: bool,
    /// The part of its blocks that is needed.
    needed: f64,
    /// Why its blocks go where they go when memory is short.
    why: &'static str,
}

/// An expression, and what the passes made of it step by step.
pub(crate) struct Explained {
    before: ExprGraph,
    stages: Vec<(usize, ExprGraph)>,
    optimized: Optimized,
}

/// What was planned, and for what.
pub(crate) struct Terms {
    pub(crate) facts: Facts,
    /// Bytes of the result, if it is in memory.
    pub(crate) result: u64,
    /// Bytes of the tasks that may be in memory at once.
    pub(crate) most_bytes: u64,
    pub(crate) memory_limit: Option<u64>,
    pub(crate) threads: usize,
}

impl Explained {
    /// Optimises, keeping what lies between the passes.
    pub(crate) fn new(before: ExprGraph, options: &OptimizeOptions) -> Explained {
        let (mut stages, mut number) = (Vec::new(), 0);
        let optimized = optimize_seen(before.clone(), options, |report, graph| {
            if report.rewrites() > 0 && graph.len() <= MOST_KEPT {
                stages.push((number, graph.clone()));
            }
            number += 1;
        });
        Explained { before, stages, optimized }
    }

    /// The optimised graph.
    pub(crate) fn graph(&self) -> &ExprGraph {
        &self.optimized.graph
    }

    /// With what was planned.
    pub(crate) fn plan(self, plan: &scheduler::Plan<Value>, terms: Terms) -> Plan {
        let Explained { before, mut stages, optimized } = self;
        let Terms { facts, result, most_bytes, memory_limit, threads } = terms;
        let last = optimized.reports.iter().rposition(|report| report.rewrites() > 0);
        if facts.graph.is_none() && stages.last().map(|(number, _)| *number) == last {
            stages.pop(); // it is the plan
        }
        let after = facts.graph.as_ref().unwrap_or(&optimized.graph);
        let nodes = NodePlan::all(after, plan, &facts);
        let decisions = Decisions::find(after, &nodes, &facts.again, memory_limit);
        Plan {
            before,
            stages,
            reports: optimized.reports.into_iter().chain(facts.reports).collect(),
            after: facts.graph.unwrap_or(optimized.graph),
            nodes,
            decisions,
            tasks: plan.tasks(),
            peak_bytes: plan.peak_bytes().saturating_add(result),
            most_bytes: most_bytes.saturating_add(result),
            bytes_read: facts.bytes_read,
            spill_bytes: plan.spill_bytes(),
            rerun_bytes: plan.rerun_bytes(),
            memory_limit,
            threads,
        }
    }
}

impl NodePlan {
    fn all(graph: &ExprGraph, plan: &scheduler::Plan<Value>, facts: &Facts) -> Vec<NodePlan> {
        let needed = |id: NodeId| {
            let blocks = blocks_of(graph, id).max(1);
            facts.demand[id.index()].count(blocks) as f64 / blocks as f64
        };
        let node = |id: NodeId| NodePlan {
            totals: LayerTotals::default(),
            inlined: facts.inlined[id.index()],
            needed: needed(id),
            why: facts.why[id.index()],
        };
        let mut nodes: Vec<NodePlan> = graph.ids().map(node).collect();
        for (layer, id) in plan.by_layer().into_iter().zip(&facts.node_of_layer) {
            let totals = &mut nodes[id.index()].totals;
            totals.tasks += layer.tasks;
            totals.output += layer.output;
            totals.spilled += layer.spilled;
            totals.loaded += layer.loaded;
            totals.rerun += layer.rerun;
        }
        nodes
    }
}

impl Plan {
    /// Number of tasks.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// // Four blocks are summed, and their sums are.
    /// let x = LazyArray::<f64, _>::ones(64, 16);
    /// assert_eq!(x.sum().plan()?.tasks(), 5);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// Bytes of blocks, partial results and results that are in memory at once when one thread runs the tasks in
    /// order. More threads use more, up to the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::ones(1 << 20, 1 << 12);
    /// assert!(x.plan()?.peak_bytes() >= 8 << 20); // the result
    /// assert!(x.sum().plan()?.peak_bytes() < 1 << 20);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// Bytes that may be in memory at once when all threads run: the [peak](Self::peak_bytes) and what tasks that run
    /// ahead take; never more than the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build()?;
    /// let plan = rt.plan(&LazyArray::from_fn(1 << 15, 1 << 12, |i| i as f64).sqrt())?;
    /// assert!(plan.peak_bytes() <= plan.most_bytes() && plan.most_bytes() <= 1 << 20);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    /// Bytes that will be written to disk, and read back, because they do not fit into the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build()?;
    /// // 4 MiB, needed once for the mean and once more when it is known.
    /// let x = LazyArray::<f64, Ix1>::from_blocks(1 << 19, 1 << 13, |block| {
    ///     ndarray::Array1::from_elem(block.shape[0], block.start[0] as f64)
    /// });
    /// let plan = rt.plan_store(&(&x - x.mean()))?;
    /// assert!(plan.peak_bytes() <= 1 << 20);
    /// assert!(plan.spill_bytes() >= 3 << 20);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn spill_bytes(&self) -> u64 {
        self.spill_bytes
    }

    /// Bytes of blocks that will be computed or read a second time because they do not fit into the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build()?;
    /// // 4 MiB of random numbers: whoever needs one makes it, so none is held and none given up.
    /// let x = chunkwise::random::Generator::new(1).uniform(0.0, 1.0, 1 << 19, 1 << 13);
    /// let plan = rt.plan_store(&(&x - x.mean()))?;
    /// assert_eq!((plan.spill_bytes(), plan.rerun_bytes()), (0, 0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn rerun_bytes(&self) -> u64 {
        self.rerun_bytes
    }

    /// Bytes of decoded elements that will be read from files or made by user functions.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, Ix1>::from_blocks(100, 10, |block| ndarray::Array1::ones(block.shape[0]));
    /// assert_eq!(x.sum().plan()?.bytes_read(), 800);
    /// assert_eq!(x.slice(s![..30]).sum().plan()?.bytes_read(), 240);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// About how long the run takes, for orders of magnitude: a model of elements, instructions, bytes and tasks, whose
    /// constants were measured on one machine. What functions of the user's take is not known to it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let time = |len| LazyArray::<f64, _>::ones(len, 1 << 16).exp().sum().plan().map(|plan| plan.estimated_time());
    /// assert!(time(1 << 20)? < time(1 << 26)?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn estimated_time(&self) -> Duration {
        estimate(&self.after, &self.nodes, self.threads)
    }

    /// The expression and the plan as a picture in SVG: a box for each node with its shape, element type, chunks, bytes and
    /// tasks, an arrow from each input to its user. Above six hundred nodes it says how many there are.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let plan = LazyArray::<f64, _>::ones(4, 2).sum().plan()?;
    /// assert!(plan.to_svg().starts_with("<svg"));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        picture::picture(self)
    }

    /// Writes the plan to a file: as [`to_svg`](Plan::to_svg) if its name ends in `.svg`, as [`to_dot`](Plan::to_dot) if in
    /// `.dot`.
    ///
    /// # Errors
    /// For other names, and when the file cannot be written.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let plan = LazyArray::<f64, _>::ones(4, 2).sum().plan()?;
    /// let path = std::env::temp_dir().join("chunkwise-doc-plan.svg");
    /// plan.visualize(&path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with("</svg>\n")));
    /// assert!(plan.visualize("plan.png").is_err());
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn visualize(&self, path: impl AsRef<Path>) -> Result<()> {
        picture::write(self, path.as_ref())
    }

    /// The optimised expression in Graphviz' DOT language.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let plan = LazyArray::<f64, _>::ones(4, 2).sum().plan()?;
    /// assert!(plan.to_dot().starts_with("digraph"));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn to_dot(&self) -> String {
        self.after.to_dot()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "expression, {}", count(self.before.len(), "node"))?;
        write_trees(f, &self.before, MOST_LINES, |id| {
            format!("  at {}", place(self.before.node(id).origin))
        })?;
        writeln!(f, "passes")?;
        for (number, report) in self.reports.iter().enumerate() {
            write_report(f, report)?;
            if let Some((_, graph)) = self.stages.iter().find(|(after, _)| *after == number) {
                writeln!(f, "  after {}, {}", report.pass, count(graph.len(), "node"))?;
                write_trees(f, graph, MOST_LINES, |_| String::new())?;
            }
        }
        writeln!(f, "plan, {}", count(self.after.len(), "node"))?;
        write_trees(f, &self.after, MOST_LINES, |id| self.nodes[id.index()].to_string())?;
        if !self.decisions.is_empty() {
            writeln!(f, "needed again behind a barrier")?;
            write!(f, "{}", self.decisions)?;
        }
        let limit = self.memory_limit.map_or("none".to_owned(), readable);
        let threads = count(self.threads, "thread");
        writeln!(f, "tasks {}, {} on {threads}", self.tasks, about(self.estimated_time()))?;
        writeln!(
            f,
            "peak {} (one thread), {} (all threads), read {}, spill {}, recompute {}, memory limit {limit}",
            readable(self.peak_bytes),
            readable(self.most_bytes),
            readable(self.bytes_read),
            readable(self.spill_bytes),
            readable(self.rerun_bytes)
        )
    }
}

impl fmt::Display for NodePlan {
    /// What stands behind a node: its tasks, and what of its blocks leaves memory.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LayerTotals { tasks, spilled, rerun, .. } = self.totals;
        match tasks {
            0 if self.inlined => write!(f, ", read by its users")?,
            0 => {}
            _ => write!(f, ", {}", count(tasks, "task"))?,
        }
        for (bytes, what) in [(spilled, "to disk"), (rerun, "made again")] {
            if bytes > 0 {
                write!(f, ", {} {what}", readable(bytes))?;
            }
        }
        Ok(())
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
