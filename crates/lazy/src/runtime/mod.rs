//! The runtime: threads, memory limit, passes, and the way from an expression to a result.
//!
//! ```text
//! builder    what a runtime is made of
//! mod        what it is asked: compute, persist, plan, store
//! execute    how that is done: optimise, lower, plan within the limit, lease memory, run
//! gate       runs, and moves of persisted arrays, keep out of each other's way
//! submit     the same in the background
//! stream     blocks handed over one after the other while the run goes on
//! ```
//!
//! A [`Runtime`] is a handle to what all its clones share, and the terms on which this clone runs: who looks on, who may
//! cancel.

mod builder;
mod execute;
mod gate;
mod stream;
mod submit;

use std::fmt;
use std::sync::{Arc, OnceLock};

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, Element, ReadCost, Room};
use chunkwise_expr::{Expr, ExprGraph, NodeId, Op};
use chunkwise_optimize::{OptimizeOptions, Optimized, optimize};
use chunkwise_scheduler::{CancelToken, ErrorMode, MemoryBudget, Observer, Pool, Retry, SpillStore};
use ndarray::{Array, Dimension};

use crate::compute::Results;
use crate::lower::{self, Target};
use crate::persist::Registry;
use crate::{Compute, LazyArray, Plan, Result};

use gate::Gate;

pub use builder::RuntimeBuilder;
pub use stream::BlocksIter;
pub use submit::RunHandle;

/// Threads, a memory limit and the results that were persisted: where lazy arrays are computed.
///
/// Most programs use the [global](Runtime::global) one and never name it. A `Runtime` is a cheap handle; its threads
/// end when the last handle is dropped.
///
/// ```
/// use chunkwise::prelude::*;
/// let rt = Runtime::builder().threads(2).memory_limit("1 GiB").build()?;
/// let x = LazyArray::arange(0.0_f64, 10.0, 1.0, 3);
/// assert_eq!(rt.compute((x.sum(), x.max()))?, (45.0, 9.0));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
    terms: Terms,
}

/// What all handles of a runtime share.
struct Shared {
    pool: Pool,
    memory: MemoryBudget,
    /// Where blocks go that do not fit into memory.
    store: Option<SpillStore>,
    retry: Retry,
    options: OptimizeOptions,
    registry: Registry,
    gate: Gate,
}

/// How the runs of one handle go.
#[derive(Clone, Default)]
struct Terms {
    observers: Vec<Arc<dyn Observer>>,
    cancel: Option<CancelToken>,
    errors: ErrorMode,
    /// Whether the runs are called for by a task, on whatever thread: they must not wait for memory.
    nested: bool,
    /// Whether the runs wait for their program, which goes on meanwhile: as far as they can, they leave it half of the
    /// memory.
    stream: bool,
    /// Whether tiny blocks keep a task each: memory is too short for groups of them.
    ungrouped: bool,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runtime(threads {}, memory limit {:?})", self.threads(), self.memory_limit())
    }
}

impl Runtime {
    /// A runtime of your own.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).no_memory_limit().build()?;
    /// assert_eq!((rt.threads(), rt.memory_limit()), (2, None));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// The runtime of everything that does not name one, made when first used.
    ///
    /// # Errors
    /// When the environment asks for something that is not a number or size; always the same error then.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 10.0, 1.0, 3);
    /// assert_eq!(Runtime::global()?.compute(x.sum())?, 45.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn global() -> Result<&'static Runtime> {
        static GLOBAL: OnceLock<Result<Runtime>> = OnceLock::new();
        GLOBAL.get_or_init(|| Runtime::builder().build()).as_ref().map_err(Clone::clone)
    }

    /// The same runtime, telling an observer what the runs of this handle do.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::Progress;
    /// use std::sync::Arc;
    ///
    /// let progress = Arc::new(Progress::new());
    /// let rt = Runtime::builder().threads(2).build()?.observed_by(progress.clone());
    /// assert_eq!(rt.compute(LazyArray::arange(0, 1000, 1, 100).max())?, 999);
    /// assert_eq!(progress.finished(), progress.tasks());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn observed_by(&self, observer: Arc<dyn Observer>) -> Runtime {
        let mut runtime = self.clone();
        runtime.terms.observers.push(observer);
        runtime
    }

    /// The same runtime, whose runs through this handle stop when the token is cancelled.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::{CancelToken, ErrorKind};
    ///
    /// let token = CancelToken::new();
    /// let rt = Runtime::builder().threads(2).build()?.cancelled_by(token.clone());
    /// token.cancel();
    /// let err = rt.compute(LazyArray::<f64, _>::ones(8, 2).sum()).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Cancelled);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn cancelled_by(&self, token: CancelToken) -> Runtime {
        let mut runtime = self.clone();
        runtime.terms.cancel = Some(token);
        runtime
    }

    /// Number of threads.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(Runtime::builder().threads(3).build()?.threads(), 3);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.pool.threads()
    }

    /// Bytes that may be in use, `None` when there is no limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).memory_limit("2 MiB").build()?;
    /// assert_eq!(rt.memory_limit(), Some(2 << 20));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn memory_limit(&self) -> Option<u64> {
        self.shared.memory.limit()
    }

    /// Bytes held in memory by persisted arrays.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).build()?;
    /// let kept = rt.persist(&LazyArray::<f64, _>::zeros(100, 10))?;
    /// assert_eq!(rt.persisted_bytes(), 800);
    /// drop(kept);
    /// assert_eq!(rt.persisted_bytes(), 0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn persisted_bytes(&self) -> u64 {
        self.shared.registry.bytes()
    }

    /// Computes lazy values in one run; see [`compute`](crate::compute).
    ///
    /// # Errors
    /// When an expression cannot be built, does not fit into the memory limit, or a task fails.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).build()?;
    /// let x = LazyArray::arange(0.0_f64, 4.0, 1.0, 2);
    /// let (array, sum) = rt.compute((&x * 2.0, x.sum()))?;
    /// assert_eq!((array, sum), (ndarray::arr1(&[0.0, 2.0, 4.0, 6.0]), 6.0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn compute<C: Compute>(&self, values: C) -> Result<C::Output> {
        let mut roots = Vec::new();
        values.roots(&mut roots);
        values.collect(&mut Results::new(self.run(&roots)?))
    }

    /// Computes an array into memory of an earlier one; see [`LazyArray::compute_into`].
    ///
    /// # Errors
    /// As [`compute`](Runtime::compute).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).build()?;
    /// let x = LazyArray::arange(0.0_f64, 4.0, 1.0, 2);
    /// let earlier = ndarray::Array1::zeros(4);
    /// assert_eq!(rt.compute_into(&(x * 2.0), earlier)?, ndarray::arr1(&[0.0, 2.0, 4.0, 6.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn compute_into<T: Element, D: Dimension>(
        &self,
        array: &LazyArray<T, D>,
        memory: Array<T, D>,
    ) -> Result<Array<T, D>> {
        // Nobody shares an array that was just moved: there is always room.
        let room = Chunk::from_array(memory.into_dyn()).into_room().unwrap_or(Room::new(T::DTYPE));
        Ok(typed(self.run_into(array.expr(), room)?))
    }

    /// Computes an array and keeps its blocks; see [`LazyArray::persist`].
    ///
    /// # Errors
    /// As [`compute`](Runtime::compute).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).build()?;
    /// let kept = rt.persist(&LazyArray::arange(0.0_f64, 6.0, 1.0, 4).sqrt())?;
    /// // Computed from the blocks that are kept.
    /// assert_eq!(rt.compute(kept.square().sum())?.round(), 15.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn persist<T: Element, D>(&self, array: &LazyArray<T, D>) -> Result<LazyArray<T, D>> {
        let source = self.run_to_persist(array.expr(), T::DTYPE, array.chunks())?;
        Ok(LazyArray::wrap(Expr::source("persist", source, None, array.expr().origin())))
    }

    /// The plan of computing lazy values in one run, without running it; takes what [`compute`](Runtime::compute) takes.
    ///
    /// # Errors
    /// When an expression cannot be built or does not fit into the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).build()?;
    /// let x = LazyArray::<f64, _>::ones(1024, 256);
    /// assert!(rt.plan(&x)?.peak_bytes() >= 8 * 1024);
    /// // Both are folded by the same tasks.
    /// assert_eq!(rt.plan((x.mean(), x.max()))?.tasks(), rt.plan(x.mean())?.tasks() + 1);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn plan<C: Compute>(&self, values: C) -> Result<Plan> {
        let mut roots = Vec::new();
        values.roots(&mut roots);
        self.plan_compute(&roots)
    }

    /// The plan of [`persist`](Runtime::persist), without running it.
    ///
    /// # Errors
    /// As [`plan`](Runtime::plan).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).build()?;
    /// let x = LazyArray::<f64, _>::ones(1 << 20, 1 << 16);
    /// assert!(rt.plan_persist(&x.sqrt())?.peak_bytes() >= 8 << 20);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn plan_persist<T: Element, D>(&self, array: &LazyArray<T, D>) -> Result<Plan> {
        self.plan_to_persist(array.expr(), T::DTYPE, array.chunks())
    }

    /// The plan of storing an array block by block, without running it: the result is never in memory as a whole. What
    /// writing a block takes is not part of it, for it depends on the format: see
    /// [`plan_store_npy`](Runtime::plan_store_npy).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).build()?;
    /// let x = LazyArray::<f64, _>::ones(1 << 20, 1 << 16);
    /// assert!(rt.plan_store(&x)?.peak_bytes() < 1 << 20);
    /// assert!(rt.plan(&x)?.peak_bytes() >= 8 << 20);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`plan`](Runtime::plan).
    pub fn plan_store<T, D>(&self, array: &LazyArray<T, D>) -> Result<Plan> {
        self.plan_of(std::slice::from_ref(array.expr()), &[Target::Discard], 0)
    }

    /// The plan of computing an expression into a sink that is begun for it and given up.
    pub(crate) fn plan_into(&self, expr: &Expr, sink: Arc<dyn ChunkSink>) -> Result<Plan> {
        self.plan_of(&[as_written(expr, &*sink)], &[Target::Sink(sink)], 0)
    }

    /// Computes an expression into a sink, in the blocks the sink asks for.
    pub(crate) fn store(&self, expr: &Expr, sink: Arc<dyn ChunkSink>) -> Result<()> {
        let expr = as_written(expr, &*sink);
        let optimized = self.optimized(&[expr])?;
        let _done = self.execute(&optimized.graph, &[Target::Sink(sink.clone())], 0)?;
        self.check_cancelled()?;
        Ok(sink.finish()?)
    }

    fn optimized(&self, roots: &[Expr]) -> Result<Optimized> {
        Ok(optimize(ExprGraph::import(roots)?, &self.shared.options))
    }
}

/// An expression in the blocks that a sink asks for.
fn as_written(expr: &Expr, sink: &dyn ChunkSink) -> Expr {
    match sink.write_grid() {
        Some(grid) => expr.rechunk(&grid.into(), expr.origin()),
        None => expr.clone(),
    }
}

/// The blocks in which a result is written: those of the array, but of a map pieces where they are huge, so that all
/// threads have a part in them, and several at a time where they are tiny and may be grouped. What others take too stays as
/// it is, and so does what is decoded by block.
fn result_grid(graph: &ExprGraph, root: usize, group: Option<usize>) -> ChunkGrid {
    const PIECE: usize = 1 << 20;
    let id = graph.roots()[root];
    let (node, grid) = (graph.node(id), graph.node(id).meta.grid());
    let once = graph.roots().iter().filter(|&&other| other == id).count() == 1;
    let decodes = |input: &NodeId| matches!(&graph.node(*input).op, Op::Source(source) if source.source().cost() >= ReadCost::Decode);
    let is_map = matches!(node.op, Op::Element(_) | Op::Fused(..));
    let alone = once && graph.users(id).next().is_none();
    let grid = match is_map && alone && !graph.inputs(id).iter().any(decodes) {
        true => grid.split(PIECE).unwrap_or_else(|_| grid.clone()),
        false => grid.clone(),
    };
    match group {
        Some(most) if alone => lower::result_grid(graph, id, &grid, most),
        _ => grid,
    }
}

/// The array of a result.
fn typed<T: Element, D: Dimension>(result: Chunk) -> Array<T, D> {
    let array = result.into_array::<T>().expect("the element type of an expression is that of its type");
    array.into_dimensionality().expect("the rank of an expression is that of its type")
}
