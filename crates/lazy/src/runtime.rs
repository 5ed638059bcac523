//! The runtime: threads, memory limit, passes, and the way from an expression to a result.

use std::fmt;
use std::sync::{Arc, OnceLock};

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, Element, ReadCost, Room};
use chunkwise_expr::{Expr, ExprGraph, Meta, NodeId, Op};
use chunkwise_optimize::{OptimizeOptions, Optimized, optimize};
use chunkwise_scheduler::Pool;
use chunkwise_storage::{MemorySink, ResidentSource};
use ndarray::{Array, Dimension};

use crate::compute::{Output, Results};
use crate::lower::{Lowered, MOST_IDLE, Target, Value, lower};
use crate::persist::Registry;
use crate::{Compute, Error, LazyArray, Plan, Result, config};

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
pub struct Runtime(Arc<Inner>);

struct Inner {
    pool: Pool,
    memory_limit: Option<u64>,
    options: OptimizeOptions,
    registry: Arc<Registry>,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.0.memory_limit;
        write!(f, "Runtime(threads {}, memory limit {limit:?})", self.threads())
    }
}

/// How a [`Runtime`] shall be. What is not said comes from the environment (`CHUNKWISE_NUM_THREADS`,
/// `CHUNKWISE_MEMORY_LIMIT`), else from the machine: all cores, and 60 % of the memory.
///
/// ```
/// use chunkwise::prelude::*;
/// assert_eq!(Runtime::builder().threads(3).build()?.threads(), 3);
/// assert!(Runtime::builder().memory_limit("plenty").build().is_err());
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RuntimeBuilder {
    threads: Option<usize>,
    memory_limit: Option<Limit>,
    options: OptimizeOptions,
}

#[derive(Clone, Debug)]
enum Limit {
    Text(String),
    Bytes(u64),
    None,
}

impl RuntimeBuilder {
    /// Number of threads, at least 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Bytes that the blocks, partial results and results of a run and all persisted arrays may take together, as a size
    /// such as `"2 GiB"`. A plan that cannot stay within it is an error before anything runs. Runs at the same time, from
    /// several threads or from inside a task, each have the limit for themselves.
    #[must_use]
    pub fn memory_limit(mut self, size: &str) -> Self {
        self.memory_limit = Some(Limit::Text(size.to_owned()));
        self
    }

    /// The memory limit in bytes.
    #[must_use]
    pub fn memory_limit_bytes(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(Limit::Bytes(bytes));
        self
    }

    /// No memory limit.
    #[must_use]
    pub fn no_memory_limit(mut self) -> Self {
        self.memory_limit = Some(Limit::None);
        self
    }

    /// Which optimiser passes run; all by default. Results are the same bits with any choice.
    #[must_use]
    pub fn optimizer(mut self, options: OptimizeOptions) -> Self {
        self.options = options;
        self
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// When a size cannot be read, the number of threads is 0, or the system refuses threads.
    pub fn build(self) -> Result<Runtime> {
        let threads = self.threads.map_or_else(config::threads, Ok)?;
        let memory_limit = match self.memory_limit {
            None => config::memory_limit()?,
            Some(Limit::None) => None,
            Some(Limit::Bytes(bytes)) => Some(bytes),
            Some(Limit::Text(text)) => Some(config::parse_limit(&text).ok_or_else(|| {
                Error::config(format!("memory limit {text:?} is not a size such as \"2 GiB\""))
            })?),
        };
        let pool = Pool::new(threads)?;
        let registry = Arc::new(Registry::default());
        Ok(Runtime(Arc::new(Inner { pool, memory_limit, options: self.options, registry })))
    }
}

impl Runtime {
    /// A runtime of your own.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// The runtime of everything that does not name one, made when first used.
    ///
    /// # Errors
    /// When the environment asks for something that is not a number or size; always the same error then.
    pub fn global() -> Result<&'static Runtime> {
        static GLOBAL: OnceLock<Result<Runtime>> = OnceLock::new();
        GLOBAL.get_or_init(|| Runtime::builder().build()).as_ref().map_err(Clone::clone)
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.0.pool.threads()
    }

    /// Bytes that may be in use, `None` when there is no limit.
    pub fn memory_limit(&self) -> Option<u64> {
        self.0.memory_limit
    }

    /// Bytes held by persisted arrays.
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
    pub fn persisted_bytes(&self) -> u64 {
        self.0.registry.bytes()
    }

    /// Computes lazy values in one run; see [`compute`](crate::compute).
    ///
    /// # Errors
    /// When an expression cannot be built, does not fit into the memory limit, or a task fails.
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

    /// Computes an array and keeps its blocks in memory; see [`LazyArray::persist`].
    ///
    /// # Errors
    /// As [`compute`](Runtime::compute).
    pub fn persist<T: Element, D>(&self, array: &LazyArray<T, D>) -> Result<LazyArray<T, D>> {
        let optimized = self.optimized(std::slice::from_ref(array.expr()))?;
        let values = self.execute(&optimized.graph, &[Target::Keep], 0)?;
        let blocks = values.into_iter().map(|mut value| value.block()).collect();
        let source = ResidentSource::new(T::DTYPE, array.chunks(), blocks)?;
        let persisted = Arc::new(self.0.registry.keep(source));
        Ok(LazyArray::wrap(Expr::source("persist", persisted, None, array.expr().origin())))
    }

    /// The plan of computing an array, without running it.
    ///
    /// # Errors
    /// When the expression cannot be built or does not fit into the memory limit.
    pub fn plan<T, D>(&self, array: &LazyArray<T, D>) -> Result<Plan> {
        let roots = std::slice::from_ref(array.expr());
        let before = ExprGraph::import(roots)?;
        let Optimized { graph: after, reports } = optimize(before.clone(), &self.0.options);
        let result = array.expr().meta().nbytes();
        let budget = self.budget(result)?;
        let Lowered { tasks, bytes_read, .. } = lower(&after, &[Target::Discard], share(budget))?;
        let plan = tasks.plan(budget)?;
        let peak_bytes = plan.peak_bytes().saturating_add(result);
        let memory_limit = self.0.memory_limit;
        Ok(Plan { before, after, reports, tasks: plan.tasks(), peak_bytes, bytes_read, memory_limit })
    }

    /// Computes an expression into a sink, in the blocks the sink asks for.
    pub(crate) fn store(&self, expr: &Expr, sink: Arc<dyn ChunkSink>) -> Result<()> {
        let expr = match sink.write_grid() {
            Some(grid) => expr.rechunk(&grid.into(), expr.origin()),
            None => expr.clone(),
        };
        let optimized = self.optimized(&[expr])?;
        self.execute(&optimized.graph, &[Target::Sink(sink.clone())], 0)?;
        Ok(sink.finish()?)
    }

    fn optimized(&self, roots: &[Expr]) -> Result<Optimized> {
        Ok(optimize(ExprGraph::import(roots)?, &self.0.options))
    }

    /// Computes every root: arrays into memory that is allocated once, values as they are.
    fn run(&self, roots: &[Expr]) -> Result<Vec<Output>> {
        let optimized = self.optimized(roots)?;
        let results = roots.iter().fold(0u64, |sum, root| sum.saturating_add(root.meta().nbytes()));
        self.budget(results)?; // before memory is asked for
        let sink = |number: usize| {
            let Meta::Array { dtype, .. } = roots[number].meta() else { return Ok(None) };
            Ok(Some(Arc::new(MemorySink::new(*dtype, &result_grid(&optimized.graph, number))?)))
        };
        let sinks = (0..roots.len()).map(sink).collect::<Result<Vec<_>>>()?;
        let target = |sink: &Option<Arc<MemorySink>>| match sink {
            Some(sink) => Target::Sink(sink.clone()),
            None => Target::Keep,
        };
        let targets: Vec<Target> = sinks.iter().map(target).collect();
        let values = self.execute(&optimized.graph, &targets, results)?;
        drop(targets);
        let mut values = values.into_iter();
        let mut outputs = Vec::with_capacity(roots.len());
        for sink in sinks {
            outputs.push(match sink {
                Some(sink) => Output::Array(sink.take()?),
                None => {
                    Output::Object(values.next().expect("a kept value for every root that is none").object())
                }
            });
        }
        Ok(outputs)
    }

    /// Computes an array into memory that there is, which counts as the result's.
    fn run_into(&self, root: &Expr, room: Room) -> Result<Chunk> {
        let optimized = self.optimized(std::slice::from_ref(root))?;
        let bytes = root.meta().nbytes().max(room.nbytes() as u64);
        self.budget(bytes)?; // before more memory is asked for
        let sink = Arc::new(MemorySink::reusing(room, &result_grid(&optimized.graph, 0))?);
        self.execute(&optimized.graph, &[Target::Sink(sink.clone())], bytes)?;
        Ok(sink.take()?)
    }

    /// Lowers, plans and runs; returns what was kept. `results` bytes are spoken for besides.
    fn execute(&self, graph: &ExprGraph, targets: &[Target], results: u64) -> Result<Vec<Value>> {
        let budget = self.budget(results)?;
        let lowered = lower(graph, targets, share(budget))?;
        let plan = lowered.tasks.plan_beside(budget, MOST_IDLE)?;
        lowered.recycler.allow(plan.reserved_bytes());
        Ok(self.0.pool.run(plan)?)
    }

    /// What is left of the memory limit beside persisted arrays and `results` bytes of results.
    fn budget(&self, results: u64) -> Result<Option<u64>> {
        let Some(limit) = self.0.memory_limit else { return Ok(None) };
        let held = self.persisted_bytes();
        match limit.checked_sub(held).and_then(|left| left.checked_sub(results)) {
            Some(left) => Ok(Some(left)),
            None => Err(Error::budget(results, limit, held)),
        }
    }
}

/// The blocks in which a result is written: those of the array, but of a map pieces where they are huge, so that all
/// threads have a part in them. What others take too stays whole, and so does what is decoded by block.
fn result_grid(graph: &ExprGraph, root: usize) -> ChunkGrid {
    const PIECE: usize = 1 << 20;
    let id = graph.roots()[root];
    let (node, grid) = (graph.node(id), graph.node(id).meta.grid());
    let once = graph.roots().iter().filter(|&&other| other == id).count() == 1;
    let decodes = |input: &NodeId| matches!(&graph.node(*input).op, Op::Source(source) if source.source().cost() == ReadCost::Decode);
    let is_map = matches!(node.op, Op::Element(_) | Op::Fused(..));
    if is_map && once && graph.users(id).next().is_none() && !graph.inputs(id).iter().any(decodes) {
        return grid.split(PIECE).unwrap_or_else(|_| grid.clone());
    }
    grid.clone()
}

/// The array of a result.
fn typed<T: Element, D: Dimension>(result: Chunk) -> Array<T, D> {
    let array = result.into_array::<T>().expect("the element type of an expression is that of its type");
    array.into_dimensionality().expect("the rank of an expression is that of its type")
}

/// The part of a budget that decoded blocks may take to be shared by several readers.
fn share(budget: Option<u64>) -> u64 {
    budget.map_or(u64::MAX, |budget| budget / 4)
}
