//! From an expression to what is kept of it: optimise, lower, plan within the limit, lease memory, run.
//!
//! A plan is made for the whole limit less what persisted arrays hold, whatever else runs at the moment: the same
//! program gives the same plan. The run then leases what its plan needs at least, waiting its turn, and more as far
//! as there is. Where a plan does not fit beside the persisted arrays, they are moved to disk and it is made again.

use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSource, DType, Room};
use chunkwise_expr::{Expr, ExprGraph, Meta};
use chunkwise_optimize::{GROUP_BLOCKS, Optimized};
use chunkwise_scheduler::{self as scheduler, Lease, MemoryBudget, PlanOptions, RunOptions, inside_task};
use chunkwise_storage::MemorySink;

use super::{Runtime, result_grid};
use crate::compute::Output;
use crate::lower::{
    BlockCodec, LowerOptions, Lowered, MOST_IDLE, Recycler, Target, Value, lower, most_elements,
};
use crate::persist::{PersistSink, Persisted};
use crate::{Error, Plan, Result};

/// Of the limit one run leaves an eighth to others, unless it needs it.
const FOR_OTHERS: u64 = 8;

/// A plan and what was found out on the way.
struct Planned {
    plan: scheduler::Plan<Value>,
    bytes_read: u64,
    recycler: Arc<Recycler>,
}

impl Runtime {
    /// Computes every root: arrays into memory that is allocated once, values as they are.
    pub(super) fn run(&self, roots: &[Expr]) -> Result<Vec<Output>> {
        let optimized = self.optimized(roots)?;
        let results = roots.iter().fold(0u64, |sum, root| sum.saturating_add(root.meta().nbytes()));
        let group = self.group(self.budget(results)?); // before memory is asked for
        let sink = |number: usize| {
            let Meta::Array { dtype, .. } = roots[number].meta() else { return Ok(None) };
            Ok(Some(Arc::new(MemorySink::new(*dtype, &result_grid(&optimized.graph, number, group))?)))
        };
        let sinks = (0..roots.len()).map(sink).collect::<Result<Vec<_>>>()?;
        let target = |sink: &Option<Arc<MemorySink>>| match sink {
            Some(sink) => Target::Sink(sink.clone()),
            None => Target::Keep,
        };
        let targets: Vec<Target> = sinks.iter().map(target).collect();
        let values = self.execute(&optimized.graph, &targets, results)?.0;
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
    pub(super) fn run_into(&self, root: &Expr, room: Room) -> Result<Chunk> {
        let optimized = self.optimized(std::slice::from_ref(root))?;
        let bytes = root.meta().nbytes().max(room.nbytes() as u64);
        let group = self.group(self.budget(bytes)?); // before more memory is asked for
        let sink = Arc::new(MemorySink::reusing(room, &result_grid(&optimized.graph, 0, group))?);
        let _done = self.execute(&optimized.graph, &[Target::Sink(sink.clone())], bytes)?;
        Ok(sink.take()?)
    }

    /// Computes an array to be kept: in memory if it takes no more than half of what there is, else on disk.
    pub(super) fn run_to_persist(
        &self,
        root: &Expr,
        dtype: DType,
        grid: ChunkGrid,
    ) -> Result<Arc<dyn ChunkSource>> {
        let optimized = self.optimized(std::slice::from_ref(root))?;
        let free = self.budget(0)?.unwrap_or(u64::MAX);
        let persisted = match &self.shared.store {
            Some(store) if root.meta().nbytes() > free / 2 => {
                let sink = Arc::new(PersistSink::new(dtype, grid, store.clone()));
                let _done = self.execute(&optimized.graph, &[Target::Sink(sink.clone())], 0)?;
                sink.take()?
            }
            _ => {
                let (values, lease) = self.execute(&optimized.graph, &[Target::Keep], 0)?;
                let blocks = values.into_iter().map(|mut value| value.block()).collect();
                Persisted::in_memory(dtype, grid, blocks, lease)?
            }
        };
        Ok(self.shared.registry.keep(persisted))
    }

    /// What the plans of [`Runtime`] say: `result` are the bytes of the result, if it is to be in memory.
    pub(super) fn plan_of(&self, root: &Expr, target: Target, result: u64) -> Result<Plan> {
        let before = ExprGraph::import(std::slice::from_ref(root))?;
        let Optimized { graph: after, reports } =
            chunkwise_optimize::optimize(before.clone(), &self.shared.options);
        let Planned { plan, bytes_read, .. } = self.planned(&after, &[target], result)?;
        Ok(Plan {
            before,
            after,
            reports,
            tasks: plan.tasks(),
            peak_bytes: plan.peak_bytes().saturating_add(result),
            most_bytes: self.most_bytes(&plan, result)?.saturating_add(result),
            bytes_read,
            spill_bytes: plan.spill_bytes(),
            rerun_bytes: plan.rerun_bytes(),
            memory_limit: self.memory_limit(),
        })
    }

    /// Lowers, plans and runs; returns what was kept, and the lease of the memory it is in. `results` bytes are spoken for
    /// besides.
    pub(super) fn execute(
        &self,
        graph: &ExprGraph,
        targets: &[Target],
        results: u64,
    ) -> Result<(Vec<Value>, Lease)> {
        self.check_cancelled()?;
        let Planned { plan, recycler, .. } = self.planned(graph, targets, results)?;
        let lease = self.lease(&plan, results)?;
        let reserved = plan.reserved_bytes();
        recycler.allow(reserved);
        let mut options = RunOptions::new().errors(self.terms.errors);
        if self.memory_limit().is_some() {
            options = options.budget(lease.bytes().saturating_sub(results).saturating_sub(reserved));
        }
        if let Some(token) = &self.terms.cancel {
            options = options.cancel(token.clone());
        }
        for observer in &self.terms.observers {
            options = options.observer(observer.clone());
        }
        if let Some(store) = &self.shared.store {
            options = options.spill_to(store.clone());
        }
        let _running = self.shared.registry.run_begins();
        Ok((self.shared.pool.run_with(plan, options)?, lease))
    }

    /// The plan for the limit; with persisted arrays moved to disk if it does not fit otherwise.
    fn planned(&self, graph: &ExprGraph, targets: &[Target], results: u64) -> Result<Planned> {
        match self.planned_beside(graph, targets, results) {
            Err(error) if error.is_short_of_memory() && self.make_room() => {
                self.planned_beside(graph, targets, results)
            }
            done => done,
        }
    }

    fn planned_beside(&self, graph: &ExprGraph, targets: &[Target], results: u64) -> Result<Planned> {
        let budget = self.budget(results)?;
        let options = LowerOptions {
            budget,
            retry: self.shared.retry,
            spills: self.shared.store.is_some(),
            group: self.group(budget),
        };
        let Lowered { tasks, bytes_read, recycler } = lower(graph, targets, &options)?;
        self.check_cancelled()?;
        let mut options = PlanOptions::new().budget(budget).reserve(MOST_IDLE);
        if self.shared.store.is_some() {
            options = options.spill(Arc::new(BlockCodec));
        }
        Ok(Planned { plan: tasks.plan_with(options)?, bytes_read, recycler })
    }

    /// Elements that a task may have of several tiny blocks; `None` where each block has its own.
    fn group(&self, budget: Option<u64>) -> Option<usize> {
        self.shared.options.is_on(GROUP_BLOCKS).then(|| most_elements(budget))
    }

    /// Moves persisted arrays to disk, where nothing reads them now; true when that has freed memory.
    fn make_room(&self) -> bool {
        self.shared.store.as_ref().is_some_and(|store| self.shared.registry.spill(store))
    }

    /// Memory for a run: at least what its plan needs, waiting for it unless this is inside a task.
    fn lease(&self, plan: &scheduler::Plan<Value>, results: u64) -> Result<Lease> {
        let (least, most) = self.demand(plan, results);
        if self.terms.nested || inside_task() {
            return Ok(self.shared.memory.lease_nested(least, most));
        }
        Ok(match &self.terms.cancel {
            Some(token) => self.shared.memory.lease_unless_cancelled(least, most, token)?,
            None => self.shared.memory.lease(least, most)?,
        })
    }

    /// What a run needs at least, and what it can use.
    fn demand(&self, plan: &scheduler::Plan<Value>, results: u64) -> (u64, u64) {
        let beside = results.saturating_add(plan.reserved_bytes());
        let least = plan.peak_bytes().saturating_add(beside);
        let most = plan.useful_bytes(self.threads()).saturating_add(beside);
        let most = match self.memory_limit() {
            Some(limit) => most.min(limit - limit / FOR_OTHERS).max(least),
            None => most,
        };
        (least, most)
    }

    /// Most bytes that the tasks of a plan have live at once in a run that has the runtime for itself.
    fn most_bytes(&self, plan: &scheduler::Plan<Value>, results: u64) -> Result<u64> {
        let Some(free) = self.budget(0)? else { return Ok(plan.most_bytes(self.threads())) };
        let (least, most) = self.demand(plan, results);
        let lease = MemoryBudget::new(Some(free)).lease(least, most)?.bytes();
        let tasks = lease.saturating_sub(results).saturating_sub(plan.reserved_bytes());
        Ok(plan.most_bytes_within(self.threads(), tasks))
    }

    pub(super) fn check_cancelled(&self) -> Result<()> {
        match &self.terms.cancel {
            Some(token) if token.is_cancelled() => Err(Error::cancelled()),
            _ => Ok(()),
        }
    }

    /// What is left of the memory limit beside persisted arrays and `results` bytes of results.
    pub(super) fn budget(&self, results: u64) -> Result<Option<u64>> {
        let Some(limit) = self.memory_limit() else { return Ok(None) };
        let left = |held: u64| limit.checked_sub(held).and_then(|left| left.checked_sub(results));
        let held = self.persisted_bytes();
        if let Some(left) = left(held) {
            return Ok(Some(left));
        }
        let spilled = self.make_room();
        let held = self.persisted_bytes();
        match left(held).filter(|_| spilled) {
            Some(left) => Ok(Some(left)),
            None => Err(Error::budget(results, limit, held)),
        }
    }
}
