//! Evictions planned ahead: a graph in execution order rewritten so that it runs in less memory.
//!
//! It owns which value leaves memory when, and whether it comes back from a record on disk or from a second run of its
//! task. It does not choose the order of the tasks ([`order`](crate::order)), defines no bytes
//! ([`profile`](crate::profile)), and neither reads nor writes records.
//!
//! # The walk
//!
//! ```text
//! for task in order:
//!     pin the inputs of task that are in memory
//!     for each other input u:                        // evicted earlier
//!         make room for the bytes of u, and for its scratch if it runs again
//!         emit LOAD(u) or RUN(u); pin u
//!     make room for output and scratch of task
//!     emit RUN(task)
//!     unpin: a value without a next use is gone, the others and that of task may be evicted from now on
//!
//! make room for b bytes:
//!     while live + b > target:
//!         u = the victim among the values that are not pinned
//!         emit SPILL(u), unless u has a record or will run again
//!         live -= bytes of u
//! ```
//!
//! A value is immutable, so its record stays good: it is written once and read as often as needed. A value that runs
//! again and was not used since its task ran is taken out of the past: that run is not emitted at all.
//!
//! # The victim
//!
//! Belady's rule (IBM Systems Journal 5, 1966) evicts the value with the furthest next use. It counts evictions; here
//! they differ in price: a record to write and read, a record to read, a task to run again. A value that stays
//! occupies its bytes until its next use and saves its price, so the victim is the one that saves least per byte
//! and step: furthest distance times a weight of its price ([`candidates`]). A byte of a small record is dear, since
//! a request takes its time whatever its size. Among equals in price and next use the smallest value that makes
//! enough room goes, else the largest.
//!
//! # Why the peak holds
//!
//! `held(t)` are the bytes of the values that may not be evicted and are live while `t` runs, and of those inputs of `t`
//! that may be evicted, once each. Any run in this order needs `held(t)` plus the bytes of `t` itself, for each `t`:
//! the greatest of these sums is the least peak ([`needs`]), and a target below it is refused. Otherwise each
//! call of "make room" for `t` succeeds: when every value that is not pinned is evicted, what is left in memory is part of
//! `held(t)`. Before RUN(`t`) that is all of it. Before LOAD(`u`) it is at most `held(t)` without `u`, and the load
//! brings no more than `u`. Before a second RUN(`u`) there is scratch besides: a value may only run again for `t` when
//! `held(t)` plus that scratch fits the target, otherwise it gets a record when it is evicted.
//!
//! The walk counts a value from its task to its last use or eviction. In the new graph it may end earlier (an eviction
//! without SPILL ends it after the use before) and never later, so the peak of the new graph as `LiveBytes` defines it
//! is at most what the walk saw, at most `target`.
//!
//! Cost: O((tasks + edges) log tasks), nothing recursive, nothing but the graph decides.

mod candidates;
mod needs;
mod rewrite;
mod values;
mod walk;

#[cfg(all(test, not(loom)))]
mod tests;

use crate::TaskGraph;
use crate::csr::Csr;
use crate::profile::{LiveBytes, Peak};
use needs::Needs;
use values::Values;
use walk::Walk;

/// What may be done with the value of a task when memory is short.
///
/// [`Layer::eviction`](crate::Layer::eviction) says which; [`Plan::spill_bytes`](crate::Plan::spill_bytes) has an example
/// with a disk.
///
/// ```
/// use chunkwise_scheduler::{BoxError, Eviction, GraphBuilder, Layer, TaskBytes, TaskCx};
/// use std::sync::Arc;
///
/// /// The source, task 0, is cheap to make again.
/// struct Steps;
///
/// impl Layer<u64> for Steps {
///     fn run(&self, index: u32, inputs: &mut [u64], _: &TaskCx<'_>) -> Result<u64, BoxError> {
///         Ok(u64::from(index) + inputs.iter().sum::<u64>())
///     }
///
///     fn label(&self, index: u32) -> String {
///         format!("step {index}")
///     }
///
///     fn eviction(&self, index: u32) -> Eviction {
///         if index == 0 { Eviction::Rerun } else { Eviction::Hold }
///     }
/// }
///
/// // The first value is used by the second and the last task; each but the last says that it takes a kilobyte.
/// let mut graph = GraphBuilder::new();
/// let steps = graph.layer(Arc::new(Steps))?;
/// let kilobyte = TaskBytes { output: 1000, scratch: 0 };
/// let first = graph.task(steps, 0, &[], kilobyte)?;
/// let second = graph.task(steps, 1, &[first], kilobyte)?;
/// let third = graph.task(steps, 2, &[second], kilobyte)?;
/// graph.task(steps, 3, &[third, first], TaskBytes::default())?;
/// let plan = graph.build().plan(Some(2500))?;
/// assert_eq!((plan.peak_bytes(), plan.rerun_bytes(), plan.spill_bytes()), (2000, 1000, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Eviction {
    /// It stays in memory until its last use.
    #[default]
    Hold,
    /// It may be written to disk and read back.
    Spill,
    /// A task without inputs may run again: it gives the same value and is cheaper than the disk. The value may be written
    /// to disk as well, where a second run needs too much scratch. With inputs it means [`Spill`](Self::Spill).
    Rerun,
}

/// The layer of tasks that write their input to record `index`.
pub(crate) const SPILL: u32 = u32::MAX - 1;
/// The layer of tasks that read record `index`; their input is the task that wrote it.
pub(crate) const LOAD: u32 = u32::MAX - 2;
/// Tasks, layers and edges of a graph stay below this number.
const LIMIT: u64 = u32::MAX as u64 - 3;

/// A graph that fits its target.
#[derive(Debug)]
pub(crate) struct Evicted<V> {
    /// Tasks in execution order. Tasks of [`SPILL`] and [`LOAD`] have no layer object.
    pub(crate) graph: TaskGraph<V>,
    /// The users of each task of `graph`.
    pub(crate) users: Csr,
    /// The old number of each task; for SPILL and LOAD that of the task whose value moves.
    pub(crate) from: Vec<u32>,
    /// How many records are written: the number of SPILL tasks.
    pub(crate) records: u32,
    /// Bytes written.
    pub(crate) spilled: u64,
    /// Bytes read back.
    pub(crate) loaded: u64,
    /// Bytes of values made more than once, without the first time.
    pub(crate) rerun: u64,
    /// The sequential peak of `graph`.
    pub(crate) peak: Peak,
}

/// Rewrites a graph whose tasks are numbered in execution order so that its sequential peak is at most `target`.
/// Kept values and values of 0 bytes stay in memory whatever `eviction` says.
///
/// # Errors
/// The graph as it was and the least peak that evictions can reach, when that is above `target`. The graph and its own
/// peak, when the new graph would have too many tasks or edges.
#[allow(clippy::result_large_err, reason = "called once for a plan, and smaller than the value of success")]
pub(crate) fn evict<V>(
    graph: TaskGraph<V>,
    users: &Csr,
    eviction: impl Fn(u32) -> Eviction,
    target: u64,
) -> Result<Evicted<V>, (TaskGraph<V>, Peak)> {
    evict_below(graph, users, eviction, target, LIMIT)
}

/// [`evict`] with tasks, layers and edges of the new graph below `limit`.
#[allow(clippy::result_large_err, reason = "as evict")]
fn evict_below<V>(
    graph: TaskGraph<V>,
    users: &Csr,
    eviction: impl Fn(u32) -> Eviction,
    target: u64,
    limit: u64,
) -> Result<Evicted<V>, (TaskGraph<V>, Peak)> {
    let values = Values::new(&graph, users, eviction);
    let needs = Needs::new(&values);
    let least = needs.least();
    if least.bytes > target {
        return Err((graph, least));
    }
    let steps = Walk::new(&values, &needs, target).run();
    if rewrite::size(&graph, &steps) >= limit {
        let peak = LiveBytes::new(&graph.bytes, &graph.inputs, users, &graph.keep).run_all();
        return Err((graph, peak));
    }
    let evicted = rewrite::rewrite(graph, &steps);
    debug_assert!(evicted.peak.bytes <= target, "{:?} above {target}", evicted.peak);
    Ok(evicted)
}
