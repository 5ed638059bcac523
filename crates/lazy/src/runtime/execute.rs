//! From an expression to what is kept of it: optimise, lower, plan within the limit, lease memory, run.
//!
//! A plan is made for the whole limit less what persisted arrays hold, whatever else runs at the moment: the same
//! program gives the same plan. The run then leases what its plan needs at least, waiting its turn, and more as far
//! as there is. Where a plan does not fit beside the persisted arrays, the oldest are moved to disk and it is made again.
//! From its plan to its end a run keeps them where they are.
//!
//! A stream of blocks ends when its program has taken them, which may be never. So its lease counts as memory that is kept:
//! other runs are planned for the rest, and what does not fit there is an error at once.

use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSource, DType, Room};
use chunkwise_expr::{Expr, ExprGraph, Meta};
use chunkwise_optimize::{GROUP_BLOCKS, Optimized};
use chunkwise_scheduler::{
    self as scheduler, Lease, MemoryBudget, OnCancel, PlanOptions, RunOptions, inside_task,
};
use chunkwise_storage::MemorySink;
use parking_lot::Mutex;

use super::gate::Running;
use super::{Runtime, Terms, result_grid};
use crate::compute::Output;
use crate::explain::{Explained, Terms as PlanTerms};
use crate::lower::{
    BlockCodec, Facts, LowerOptions, Lowered, MOST_IDLE, Recycler, Target, Value, lower, most_elements,
};
use crate::persist::PersistSink;
use crate::{Error, Plan, Result};

/// Of the limit one run leaves an eighth to others, unless it needs it.
const FOR_OTHERS: u64 = 8;

/// How often a run is planned again because another thread has persisted an array meanwhile.
const PLANNED_AGAIN: usize = 16;

/// A plan and what was found out on the way.
struct Planned {
    plan: scheduler::Plan<Value>,
    recycler: Arc<Recycler>,
    facts: Facts,
}

/// A run that has all it needs, or had.
pub(super) struct Begun<T> {
    what: T,
    /// Of a stream what says that it may stay.
    streams: Option<OnCancel>,
    lease: Lease,
    /// Dropped when what comes of the run is where it belongs: persisted arrays stay until then.
    running: Running,
}

impl Runtime {
    /// Computes every root: arrays into memory that is allocated once, values as they are.
    pub(super) fn run(&self, roots: &[Expr]) -> Result<Vec<Output>> {
        let optimized = self.optimized(roots)?;
        self.or_ungrouped(|runtime| runtime.run_optimized(&optimized, roots))
    }

    /// Does something, again without groups of tiny blocks where memory is too short for them.
    fn or_ungrouped<T>(&self, f: impl Fn(&Runtime) -> Result<T>) -> Result<T> {
        match f(self) {
            Err(error) if error.is_short_of_memory() && !self.terms.ungrouped => {
                let terms = Terms { ungrouped: true, ..self.terms.clone() };
                f(&Runtime { terms, ..self.clone() })
            }
            done => done,
        }
    }

    fn run_optimized(&self, optimized: &Optimized, roots: &[Expr]) -> Result<Vec<Output>> {
        let results = roots.iter().fold(0u64, |sum, root| sum.saturating_add(root.meta().nbytes()));
        let group = self.group(self.budget_with_room(results)?); // before memory is asked for
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
        let values = self.execute(&optimized.graph, &targets, results)?.what;
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
        let group = self.group(self.budget_with_room(bytes)?); // before more memory is asked for
        let sink = Arc::new(MemorySink::reusing(room, &result_grid(&optimized.graph, 0, group))?);
        let _done = self.execute(&optimized.graph, &[Target::Sink(sink.clone())], bytes)?;
        Ok(sink.take()?)
    }

    /// Computes an array to be kept: in memory if it takes no more than half of what there is and the plan has room
    /// beside it, else on disk.
    pub(super) fn run_to_persist(
        &self,
        root: &Expr,
        dtype: DType,
        grid: ChunkGrid,
    ) -> Result<Arc<dyn ChunkSource>> {
        let graph = self.optimized(std::slice::from_ref(root))?.graph;
        let Some(store) = &self.shared.store else { return self.run_to_memory(&graph, dtype, grid) };
        if self.budget(0)?.is_none_or(|free| root.meta().nbytes() <= free / 2) {
            match self.run_to_memory(&graph, dtype, grid.clone()) {
                Err(error) if error.is_short_of_memory() => {}
                done => return done,
            }
        }
        let sink = Arc::new(PersistSink::new(dtype, grid, store.clone()));
        let _done = self.execute(&graph, &[Target::Sink(sink.clone())], 0)?;
        Ok(self.shared.registry.keep(sink.take()?))
    }

    fn run_to_memory(
        &self,
        graph: &ExprGraph,
        dtype: DType,
        grid: ChunkGrid,
    ) -> Result<Arc<dyn ChunkSource>> {
        let Begun { what: values, lease, running: _running, .. } = self.execute(graph, &[Target::Keep], 0)?;
        let blocks = values.into_iter().map(|mut value| value.block()).collect();
        Ok(self.shared.registry.keep_in_memory(dtype, grid, blocks, lease)?)
    }

    /// What the plans of [`Runtime`] say: `result` are the bytes of the results, if they are to be in memory.
    pub(crate) fn plan_of(&self, roots: &[Expr], targets: &[Target], result: u64) -> Result<Plan> {
        let explained = Explained::new(ExprGraph::import(roots)?, &self.shared.options);
        let planned = self.beside_persisted(|| self.planned(explained.graph(), targets, result))?;
        let (Planned { plan, facts, .. }, _running) = planned;
        let most_bytes = self.most_bytes(&plan, result)?;
        let (memory_limit, threads) = (self.memory_limit(), self.threads());
        Ok(explained.plan(&plan, PlanTerms { facts, result, most_bytes, memory_limit, threads }))
    }

    /// The plan of computing roots: those that are arrays into memory.
    pub(crate) fn plan_compute(&self, roots: &[Expr]) -> Result<Plan> {
        let results = roots.iter().fold(0u64, |sum, root| sum.saturating_add(root.meta().nbytes()));
        self.plan_of(roots, &vec![Target::Discard; roots.len()], results)
    }

    /// The plan of [`run_to_persist`](Runtime::run_to_persist).
    pub(super) fn plan_to_persist(&self, root: &Expr, dtype: DType, grid: ChunkGrid) -> Result<Plan> {
        let (roots, in_memory) = (std::slice::from_ref(root), [Target::Keep]);
        let Some(store) = &self.shared.store else { return self.plan_of(roots, &in_memory, 0) };
        if self.budget(0)?.is_none_or(|free| root.meta().nbytes() <= free / 2) {
            match self.plan_of(roots, &in_memory, 0) {
                Err(error) if error.is_short_of_memory() => {}
                done => return done,
            }
        }
        let sink = Arc::new(PersistSink::new(dtype, grid, store.clone()));
        self.plan_of(roots, &[Target::Sink(sink)], 0)
    }

    /// Lowers, plans and runs; returns what was kept, and the lease of the memory it is in. `results` bytes are spoken for
    /// besides.
    pub(super) fn execute(
        &self,
        graph: &ExprGraph,
        targets: &[Target],
        results: u64,
    ) -> Result<Begun<Vec<Value>>> {
        self.check_cancelled()?;
        let Begun { what: Planned { plan, recycler, .. }, streams, lease, running } =
            self.begin(graph, targets, results)?;
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
        let what = self.shared.pool.run_with(plan, options)?;
        Ok(Begun { what, streams, lease, running })
    }

    /// Plans and leases; again, when results that another thread keeps have taken the memory in between.
    fn begin(&self, graph: &ExprGraph, targets: &[Target], results: u64) -> Result<Begun<Planned>> {
        let mut again = 0..PLANNED_AGAIN;
        loop {
            let (what, running) = self.beside_persisted(|| self.planned(graph, targets, results))?;
            match self.lease(&what.plan, results) {
                Ok(lease) => {
                    let streams = self.streams(&lease, &running);
                    return Ok(Begun { what, streams, lease, running });
                }
                Err(error) if error.is_overtaken() && again.next().is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the lease of a stream count as kept, until the stream ends or its program has done with it: a cancelled run ends
    /// by itself.
    fn streams(&self, lease: &Lease, running: &Running) -> Option<OnCancel> {
        let token = self.terms.cancel.as_ref().filter(|_| self.terms.stream)?;
        let stays = Mutex::new(Some((lease.stays(), running.streams())));
        Some(token.on_cancel(move || drop(stays.lock().take())))
    }

    /// Plans beside the persisted arrays, which stay where they are as long as what is returned with the plan. Where
    /// memory is short, moves some of them to disk and plans again, as often as that frees memory.
    fn beside_persisted<T>(&self, plan: impl Fn() -> Result<T>) -> Result<(T, Running)> {
        loop {
            let running = self.shared.gate.run(self.is_nested(), self.terms.cancel.as_ref())?;
            let error = match plan() {
                Err(error) if error.is_short_of_memory() => error,
                done => return Ok((done?, running)),
            };
            drop(running);
            if !self.make_room(error.missing_bytes().unwrap_or(1))? {
                return Err(error);
            }
        }
    }

    /// Moves persisted arrays to disk until so many bytes are free; true when that has freed memory. Waits for what
    /// runs, unless this is inside a task.
    fn make_room(&self, missing: u64) -> Result<bool> {
        let (registry, gate) = (&self.shared.registry, &self.shared.gate);
        let Some(store) = self.shared.store.as_ref().filter(|_| registry.bytes() > 0) else {
            return Ok(false);
        };
        let alone = match self.is_nested() {
            true => gate.try_move(),
            false => gate.move_alone(self.terms.cancel.as_ref())?,
        };
        Ok(alone.is_some_and(|_alone| registry.spill(store, missing)))
    }

    /// Whether this is inside a task: it must not wait for what runs.
    fn is_nested(&self) -> bool {
        self.terms.nested || inside_task()
    }

    /// The plan for what persisted arrays leave of the limit.
    fn planned(&self, graph: &ExprGraph, targets: &[Target], results: u64) -> Result<Planned> {
        self.or_ungrouped(|runtime| runtime.planned_once(graph, targets, results))
    }

    fn planned_once(&self, graph: &ExprGraph, targets: &[Target], results: u64) -> Result<Planned> {
        let budget = self.budget(results)?;
        let options = LowerOptions {
            budget,
            retry: self.shared.retry,
            spills: self.shared.store.is_some(),
            group: self.group(budget),
        };
        let Lowered { tasks, recycler, facts } = lower(graph, targets, &options)?;
        self.check_cancelled()?;
        let mut options = PlanOptions::new().budget(budget).reserve(MOST_IDLE);
        if self.shared.store.is_some() {
            options = options.spill(Arc::new(BlockCodec));
        }
        Ok(Planned { plan: tasks.plan_with(options)?, recycler, facts })
    }

    /// Elements that a task may have of several tiny blocks; `None` where each block has its own.
    fn group(&self, budget: Option<u64>) -> Option<usize> {
        let groups = self.shared.options.is_on(GROUP_BLOCKS) && !self.terms.ungrouped;
        groups.then(|| most_elements(budget))
    }

    /// Memory for a run: at least what its plan needs, waiting for it unless this is inside a task.
    fn lease(&self, plan: &scheduler::Plan<Value>, results: u64) -> Result<Lease> {
        let (least, most) = self.demand(plan, results);
        if self.is_nested() {
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
            Some(limit) if self.terms.stream => {
                most.min(limit.saturating_sub(self.shared.memory.held()) / 2).max(least)
            }
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

    /// What is left of the memory limit beside `results` bytes of results and persisted arrays, some of which are moved to
    /// disk if nothing is.
    fn budget_with_room(&self, results: u64) -> Result<Option<u64>> {
        Ok(self.beside_persisted(|| self.budget(results))?.0)
    }

    /// What is left of the memory limit beside persisted arrays, streams of blocks and `results` bytes of results.
    pub(super) fn budget(&self, results: u64) -> Result<Option<u64>> {
        let Some(limit) = self.memory_limit() else { return Ok(None) };
        let held = self.shared.memory.held();
        let left = limit.checked_sub(held).and_then(|left| left.checked_sub(results));
        left.map(Some).ok_or_else(|| Error::budget(results, limit, held))
    }
}
