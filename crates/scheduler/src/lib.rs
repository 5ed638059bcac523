//! Task graphs run by a work-stealing pool inside a memory budget.

#![forbid(unsafe_code)]

mod blocks;
mod csr;
mod error;
mod graph;
mod layer;
#[cfg(all(test, loom))]
mod loom_models;
mod order;
mod plan;
mod pool;
mod profile;
mod run;
mod sync;

pub use error::{BoxError, GraphError, PlanError, PoolError, RunError, TaskError, TaskErrorKind};
pub use graph::{GraphBuilder, LayerId, TaskBytes, TaskGraph, TaskId};
pub use layer::{FnLayer, Layer, TaskCx};
pub use plan::Plan;
pub use pool::Pool;
