//! Rewrites of an [`ExprGraph`]: what a careful expert would have written by hand.
//!
//! A pass takes a graph and gives the next one; [`passes`] is the one ordered list, each with its reason.
//! Every pass keeps the roots' shapes, element types, grids **and bits**: an optimised expression computes the
//! very same values. [`optimize`] checks shapes, types and grids after each pass in debug builds, reports what
//! each pass did, and leaves out those that are switched off by name.
//!
//! ```
//! use std::panic::Location;
//! use chunkwise_chunk::Scalar;
//! use chunkwise_expr::{Expr, ExprGraph, UnaryOp};
//! use chunkwise_optimize::{OptimizeOptions, optimize};
//!
//! let at = Location::caller();
//! let two = Expr::element(UnaryOp::Sqrt.into(), &[&Expr::literal(Scalar::F64(4.0), at)], at);
//! let graph = ExprGraph::import(&[two]).unwrap();
//! let optimized = optimize(graph, &OptimizeOptions::all());
//! assert_eq!(optimized.graph.to_string(), "%0 = 2.0: f64 -> result\n");
//! assert_eq!(optimized.reports[0].to_string(), "simplify: 1 rewrite, 2 -> 2 nodes");
//! ```

#![forbid(unsafe_code)]

mod algebra;
mod check;
mod cse;
mod cull;
mod fast_math;
mod fuse_maps;
mod fuse_reductions;
mod fuse_siblings;
mod notes;
mod pass;
mod push_rechunks;
mod push_takes;
mod push_views;
mod rebuild;
mod simplify;
#[cfg(test)]
mod testing;

use chunkwise_expr::ExprGraph;

pub use algebra::Algebra;
pub use cse::Cse;
pub use cull::Cull;
pub use fast_math::FastMath;
pub use fuse_maps::FuseMaps;
pub use fuse_reductions::FuseReductions;
pub use fuse_siblings::FuseSiblings;
pub use notes::{Note, Notes};
pub use pass::{GROUP_BLOCKS, OptimizeOptions, Optimized, Pass, PassReport};
pub use push_rechunks::PushRechunks;
pub use push_takes::PushTakes;
pub use push_views::PushViews;
pub use simplify::Simplify;

/// The order is part of the design; each line says what it relies on.
pub fn passes() -> Vec<Box<dyn Pass>> {
    vec![
        Box::new(Simplify),       // canonical forms, so that `Cse` sees equals as equal
        Box::new(Algebra),        // after the literals are folded
        Box::new(Cse),            // before fusion, which works by counting users
        Box::new(PushViews), // after `Cse`, so that uses through equal views are one; views no longer part groups
        Box::new(PushTakes), // after `PushViews`: a slice of what is taken is a part of the take
        Box::new(FastMath), // off unless asked for; after `PushViews`, which brings transposes to the sources
        Box::new(PushRechunks), // after `PushViews`; rechunks no longer part groups from their reductions
        Box::new(FuseMaps), // element programs over whole groups
        Box::new(FuseReductions), // takes the programs `FuseMaps` has made
        Box::new(Cull),     // what the others left unused
        Box::new(FuseSiblings), // last: it counts users that are needed, and names nodes
    ]
}

/// Runs the passes that are on, in order. Linear in the number of nodes and edges.
///
/// # Panics
/// In debug builds, when a pass changes shape, element type or grid of a root: a bug of the pass.
pub fn optimize(graph: ExprGraph, options: &OptimizeOptions) -> Optimized {
    optimize_seen(graph, options, |_, _| {})
}

/// [`optimize`], showing `seen` what each pass reports and the graph it made.
///
/// # Panics
/// As [`optimize`].
pub fn optimize_seen(
    graph: ExprGraph,
    options: &OptimizeOptions,
    mut seen: impl FnMut(&PassReport, &ExprGraph),
) -> Optimized {
    let mut optimized = Optimized { graph, reports: Vec::new() };
    for pass in passes() {
        if !options.is_on(pass.name()) {
            continue;
        }
        let before = optimized.graph.len();
        let mut notes = Notes::default();
        if let Some(graph) = pass.run(&optimized.graph, &mut notes) {
            debug_assert!(same_roots(&optimized.graph, &graph), "{} changed what a root is", pass.name());
            debug_assert_eq!(check::find_fault(&graph), None, "{} made a wrong graph", pass.name());
            optimized.graph = graph;
        }
        let report = PassReport { pass: pass.name(), before, after: optimized.graph.len(), notes };
        seen(&report, &optimized.graph);
        optimized.reports.push(report);
    }
    optimized
}

fn same_roots(before: &ExprGraph, after: &ExprGraph) -> bool {
    let metas = |graph: &ExprGraph| -> Vec<_> {
        graph.roots().iter().map(|&root| graph.node(root).meta.clone()).collect()
    };
    metas(before) == metas(after)
}
