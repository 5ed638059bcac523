//! Task graphs run by a work-stealing pool inside a memory budget.
//!
//! The crate knows tasks, edges and bytes, and nothing of arrays. A [`GraphBuilder`] collects tasks in flat arrays: a task
//! is a layer (the operation, one object for all its tasks) and an index. [`TaskGraph::plan`] numbers the tasks by a good
//! sequential order and proves that the run fits its budget, or says which task does not. [`Pool::run`] runs the plan
//! on all threads.
//!
//! ```
//! use chunkwise_scheduler::{FnLayer, GraphBuilder, Pool, TaskBytes};
//! use std::sync::Arc;
//!
//! let mut graph = GraphBuilder::new();
//! let load = graph.layer(Arc::new(FnLayer::new("load", |block, _: &mut [Arc<Vec<f64>>]| {
//!     Ok(Arc::new(vec![f64::from(block); 1000]))
//! })))?;
//! let sum = graph.layer(Arc::new(FnLayer::new("sum", |_, inputs: &mut [Arc<Vec<f64>>]| {
//!     Ok(Arc::new(vec![inputs.iter().flat_map(|block| block.iter()).sum()]))
//! })))?;
//! let mut total = graph.task(load, 0, &[], TaskBytes { output: 8000, scratch: 0 })?;
//! for block in 1..100 {
//!     let next = graph.task(load, block, &[], TaskBytes { output: 8000, scratch: 0 })?;
//!     total = graph.task(sum, block, &[total, next], TaskBytes { output: 8, scratch: 0 })?;
//! }
//! graph.keep(total)?;
//!
//! let plan = graph.build().plan(Some(64_000))?;
//! assert_eq!(plan.peak_bytes(), 16_008);
//! let kept = Pool::new(2)?.run(plan)?;
//! assert_eq!(*kept[0], [4_950_000.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Promises
//!
//! * **Order.** A task runs once, after its inputs, unless its layer lets it be tried again ([`Layer::retry`]) or its value
//!   be made again ([`Eviction::Rerun`]). A value is dropped when its last user ends.
//! * **Memory.** The bytes of live values and of running tasks, as declared in [`TaskBytes`], never exceed the budget,
//!   and a plan that was accepted always ends if its tasks do: `src/blocks.rs` has the argument. A graph that does not
//!   fit is made to, where its layers allow it, by writing values to disk or making them again ([`Eviction`]); nothing is
//!   left on disk whatever becomes of the process. A disk that refuses a value loses nothing: it stays in memory as long
//!   as there is room for it, and then the run ends with an error.
//! * **Determinism.** The plan depends on the graph and its [`PlanOptions`] alone. Values do not depend on the number of
//!   threads, nor does the first error, unless [`ErrorMode::FailFast`] is asked for.
//! * **Failure.** Errors and panics of tasks, and panics in the drop of values, come back with the task's label. Other
//!   runs and the pool go on. A layer that panics when it is asked about its tasks gets the default answers, an observer
//!   that panics is told no more. A panic while another one unwinds, a stack overflow and `panic = "abort"` cannot be
//!   caught.
//! * **Nesting.** A task may run plans on any pool: the thread then takes tasks of the new run only.
//! * **Stopping.** A run can be cancelled at any time; it then starts nothing more, and drops what it has.
//!
//! # Unsafe code
//!
//! It is denied but for the slots that hold the values of a run, `src/run/slot.rs`: a value is reached without a lock by the
//! one thread whose turn it is. The two calls that rely on the order of tasks for this are in `src/run/participant.rs`.
//! Loom checks the slots: `.ci/model`.

#![deny(unsafe_code)]

mod blocks;
mod csr;
mod error;
mod evict;
mod graph;
mod handle;
mod layer;
mod lease;
#[cfg(all(test, loom))]
mod loom_models;
mod observe;
mod order;
mod plan;
mod pool;
mod profile;
mod retry;
mod run;
mod spill;
mod sync;

pub use error::{BoxError, GraphError, PlanError, PoolError, RunError, TaskError, TaskErrorKind};
pub use evict::Eviction;
pub use graph::{GraphBuilder, LayerId, TaskBytes, TaskGraph, TaskId};
pub use handle::{CancelToken, OnCancel, RunHandle};
pub use layer::{FnLayer, Layer, TaskCx};
pub use lease::{Lease, LeaseError, MemoryBudget, Stay};
pub use observe::{Observer, Progress, RunEvent, TaskEnd, TaskEvent, TaskKind};
pub use plan::{LayerTotals, Plan, PlanOptions, SpillCodec};
pub use pool::Pool;
pub use retry::Retry;
pub use run::{ErrorMode, RunOptions, inside_task};
pub use spill::{SpillError, SpillRecord, SpillStats, SpillStore};
