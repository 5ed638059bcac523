//! Walks the graph from sources to roots and makes layers and tasks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use chunkwise_chunk::{Chunk, ChunkSink, Region};
use chunkwise_expr::{
    Collect, ElementOp, ExprGraph, GraphNode, Meta, Need, NodeId, Op, Program, ProgramBuilder,
};
use chunkwise_kernels::Kernel;
use chunkwise_scheduler::{Eviction, GraphBuilder, LayerId, Retry, TaskBytes, TaskId};
use smallvec::SmallVec;

use super::blockwise::{BlockLayer, BlockOp};
use super::deliver::DeliverLayer;
use super::demand::Demand;
use super::feed::{Feed, bytes};
use super::object::{CallLayer, CollectLayer};
use super::recycle::Recycler;
use super::shuffle::Marks;
use super::{Facts, Label, LowerOptions, Lowered, Target, Value, evict, group};
use crate::Result;

/// The state of one walk.
pub(crate) struct Emit<'a> {
    pub(super) graph: &'a ExprGraph,
    marks: &'a Marks,
    targets: &'a [Target],
    inlined: &'a [bool],
    pub(super) demand: &'a [Demand],
    pub(super) builder: GraphBuilder<Value>,
    /// For each node the tasks of its blocks; empty for nodes that users read for themselves.
    tasks: Vec<Vec<Option<TaskId>>>,
    /// Layers of sources whose tasks are made when they are first needed.
    late: HashMap<NodeId, (LayerId, Arc<BlockLayer>)>,
    /// Tasks of reductions that were made with a sibling's.
    pub(super) made_before: HashMap<NodeId, Vec<Option<TaskId>>>,
    bytes_read: u64,
    /// For each node which roots it is.
    root_numbers: Vec<SmallVec<[usize; 1]>>,
    pub(super) recycler: Arc<Recycler>,
    pub(super) retry: Retry,
    /// Elements that a task may have of several tiny blocks; `None` where each block has its own.
    pub(super) group: Option<usize>,
    /// Whether blocks can go to disk.
    spills: bool,
    /// The node of each layer.
    node_of_layer: Vec<NodeId>,
    /// For each node why its blocks are held, written or made again when memory is short.
    why: Vec<&'static str>,
}

impl<'a> Emit<'a> {
    pub(crate) fn new(
        graph: &'a ExprGraph,
        marks: &'a Marks,
        targets: &'a [Target],
        inlined: &'a [bool],
        demand: &'a [Demand],
        options: &LowerOptions,
    ) -> Emit<'a> {
        let tasks = Vec::with_capacity(graph.len());
        let mut root_numbers = vec![SmallVec::new(); graph.len()];
        for (number, root) in graph.roots().iter().enumerate() {
            root_numbers[root.index()].push(number);
        }
        Emit {
            graph,
            marks,
            targets,
            inlined,
            demand,
            builder: GraphBuilder::new(),
            tasks,
            late: HashMap::new(),
            made_before: HashMap::new(),
            bytes_read: 0,
            root_numbers,
            recycler: Arc::default(),
            retry: options.retry,
            group: options.group,
            spills: options.spills,
            node_of_layer: Vec::new(),
            why: vec!["it is a result of a reduction"; graph.len()],
        }
    }

    pub(crate) fn run(mut self) -> Result<Lowered> {
        for id in self.graph.ids() {
            let tasks = if self.is_needed(id) { self.node(id)? } else { Vec::new() };
            self.tasks.push(tasks);
            self.node_of_layer.resize(self.builder.num_layers(), id);
        }
        for (&root, target) in self.graph.roots().iter().zip(self.targets) {
            match target {
                Target::Keep => {
                    for task in self.tasks[root.index()].iter().flatten() {
                        self.builder.keep(*task)?;
                    }
                }
                Target::Stream(taker) => self.deliver(root, taker)?,
                Target::Sink(_) | Target::Discard => {}
            }
            self.node_of_layer.resize(self.builder.num_layers(), root);
        }
        let Emit { bytes_read, why, node_of_layer, .. } = self;
        let facts = Facts { bytes_read, why, node_of_layer, ..Facts::default() };
        Ok(Lowered { tasks: self.builder.build(), recycler: self.recycler, facts })
    }

    /// One task after the other that hands over a block: the one that waits for its taker holds up no other.
    fn deliver(&mut self, root: NodeId, taker: &SyncSender<Chunk>) -> Result<()> {
        let node = self.graph.node(root);
        let label = Label::of_node(node, ", handed over", Some(node.meta.grid().clone()));
        let layer = self.builder.layer(Arc::new(DeliverLayer { label, taker: taker.clone() }))?;
        let mut before = None;
        for (index, block) in self.tasks[root.index()].iter().enumerate() {
            let inputs: Vec<TaskId> = block.iter().copied().chain(before).collect();
            before = Some(self.builder.task(layer, number_of(index), &inputs, TaskBytes::default())?);
        }
        Ok(())
    }

    /// Whether a node gets tasks: it is needed, and no user reads it for itself, or it is a result.
    fn is_needed(&self, id: NodeId) -> bool {
        self.demand[id.index()] != Demand::None && (!self.inlined[id.index()] || self.graph.is_root(id))
    }

    fn node(&mut self, id: NodeId) -> Result<Vec<Option<TaskId>>> {
        let node = self.graph.node(id);
        match &node.op {
            Op::Reduce(_) => self.reduce(id),
            Op::Call(call) => {
                let label = Label::new(call.name(), None, node.origin);
                let layer = self.builder.layer(Arc::new(CallLayer { label, call: call.clone() }))?;
                let inputs = self.first_tasks(id);
                Ok(vec![Some(self.builder.task(layer, 0, &inputs, TaskBytes::default())?)])
            }
            Op::Collect(collect) => self.collect(id, collect),
            _ => self.blocks(id),
        }
    }

    /// One task that takes the whole array, which is one block.
    fn collect(&mut self, id: NodeId, collect: &Collect) -> Result<Vec<Option<TaskId>>> {
        let label = Label::new("collect", None, self.graph.node(id).origin);
        let feed = self.feeds(id).swap_remove(0);
        let meta = &self.graph.node(self.graph.inputs(id)[0]).meta;
        let region = Region::whole(meta.grid().shape());
        let output = bytes(meta.dtype(), &region);
        let need = Need { input: 0, region };
        let sources = self.graph.inputs(id);
        let inputs = self.gather(&sources, std::slice::from_ref(&feed), std::slice::from_ref(&need));
        let layer = self.builder.layer(Arc::new(CollectLayer {
            label,
            collect: collect.clone(),
            feed,
            need,
            recycler: self.recycler.clone(),
        }))?;
        Ok(vec![Some(self.builder.task(layer, 0, &inputs, TaskBytes { output, scratch: 0 })?)])
    }

    /// The tasks of inputs that are values.
    fn first_tasks(&self, id: NodeId) -> Vec<TaskId> {
        self.graph.inputs(id).iter().filter_map(|input| self.tasks[input.index()][0]).collect()
    }

    /// One task per needed block; for a source whose blocks are made when they are first needed, none yet.
    fn blocks(&mut self, id: NodeId) -> Result<Vec<Option<TaskId>>> {
        let layer = Arc::new(self.block_layer(id));
        let number = self.builder.layer(layer.clone())?;
        let mut tasks = vec![None; layer.grid.num_blocks()];
        if self.marks.is_made_late(id) {
            self.late.insert(id, (number, layer));
            return Ok(tasks);
        }
        for index in self.marks.order(id, &layer.grid, &self.demand[id.index()]) {
            tasks[index] = Some(self.block(id, number, &layer, index)?);
        }
        Ok(tasks)
    }

    /// The task that gives a block, with those of the steps before.
    fn block(&mut self, id: NodeId, number: LayerId, layer: &BlockLayer, index: usize) -> Result<TaskId> {
        let region = layer.grid.region(&layer.grid.block(index));
        let last = layer.block_op.steps() - 1;
        let sources = self.graph.inputs(id);
        let mut before = None;
        for step in if region.is_empty() { last } else { 0 }..last {
            before = Some(self.step(&sources, number, layer, (index, step), before)?);
        }
        self.step(&sources, number, layer, (index, last), before)
    }

    fn step(
        &mut self,
        sources: &[NodeId],
        number: LayerId,
        layer: &BlockLayer,
        (index, step): (usize, usize),
        before: Option<TaskId>,
    ) -> Result<TaskId> {
        let region = layer.grid.region(&layer.grid.block(index));
        let needs = layer.needs(&region, step);
        self.make_late(sources, &needs)?;
        let mut inputs = Vec::from_iter(before);
        inputs.append(&mut self.gather(sources, &layer.feeds, &needs));
        let bytes = layer.bytes(&region, step, &needs);
        let index = index * layer.block_op.steps() + step;
        Ok(self.builder.task(number, number_of(index), &inputs, bytes)?)
    }

    /// Makes the tasks of late sources that are needed now for the first time.
    fn make_late(&mut self, sources: &[NodeId], needs: &[Need]) -> Result<()> {
        for need in needs {
            let Some(&source) = sources.get(need.input) else { continue };
            let Some((number, layer)) = self.late.get(&source).cloned() else { continue };
            for block in layer.grid.blocks_in(&need.region) {
                let index = layer.grid.linear(&block);
                if self.tasks[source.index()][index].is_none() {
                    let task = self.block(source, number, &layer, index)?;
                    self.tasks[source.index()][index] = Some(task);
                }
            }
        }
        Ok(())
    }

    fn block_layer(&mut self, id: NodeId) -> BlockLayer {
        let node = self.graph.node(id);
        let inlined = self.inlined[id.index()] || matches!(node.op, Op::Source(_));
        let (block_op, feeds, metas) = match &node.op {
            // A source or literal with tasks of its own reads itself.
            _ if inlined => (gather_op(node), vec![feed_of(node)], vec![node.meta.clone()]),
            op => (
                block_op(op, self.program_of(id), &self.graph.input_metas(id)),
                self.feeds(id),
                self.metas(id),
            ),
        };
        let (sinks, used) = (self.sinks(id), self.is_used(id));
        let (eviction, why) = match self.marks.is_made_late(id) {
            true => (Eviction::Hold, "its pieces are made right after it"),
            false => evict::eviction(&node.op, &block_op, &feeds, node.meta.dtype(), self.spills),
        };
        self.why[id.index()] = why;
        // The blocks of the only one that takes them, which may be finer or coarser.
        let own = node.meta.grid();
        let grid = match &sinks[..] {
            [sink] if !used => match (sink.write_grid(), self.group) {
                (Some(grid), _) => grid,
                (None, Some(most)) => group::result_grid(self.graph, id, own, most),
                (None, None) => own.clone(),
            },
            _ => own.clone(),
        };
        let by_own_blocks = matches!(block_op, BlockOp::Rule(..));
        debug_assert!(!by_own_blocks || grid == *own, "rules are asked for blocks of their own grid");
        let groups = grid.num_blocks() < own.num_blocks();
        BlockLayer {
            // Groups of blocks go by the numbers of their blocks.
            label: Label::of_node(node, "", Some(if groups { own.clone() } else { grid.clone() })),
            groups,
            op: node.op.clone(),
            block_op,
            dtype: node.meta.dtype(),
            grid,
            feeds,
            metas,
            sinks,
            used,
            owned: self.is_kept(id) || (used && self.marks.is_piece(id)),
            eviction,
            retry: self.retry,
            recycler: self.recycler.clone(),
        }
    }

    /// The tasks that hold the needed regions of `inputs`, in the order the layer takes them.
    pub(super) fn gather(&mut self, inputs: &[NodeId], feeds: &[Feed], needs: &[Need]) -> Vec<TaskId> {
        let mut tasks = Vec::new();
        for need in needs {
            let feed = &feeds[need.input];
            self.bytes_read = self.bytes_read.saturating_add(feed.bytes_read(&need.region));
            if let Some(input) = inputs.get(need.input) {
                feed.tasks(&need.region, &self.tasks[input.index()], |task| tasks.push(task));
            }
        }
        tasks
    }

    pub(super) fn feeds(&self, id: NodeId) -> Vec<Feed> {
        let feed = |input: &NodeId| match self.inlined[input.index()] {
            true => feed_of(self.graph.node(*input)),
            false => match &self.graph.node(*input).meta {
                Meta::Array { dtype, grid } => Feed::Blocks(*dtype, grid.clone()),
                _ => Feed::Object,
            },
        };
        self.graph.inputs(id).iter().map(feed).collect()
    }

    pub(super) fn metas(&self, id: NodeId) -> Vec<Meta> {
        self.graph.input_metas(id).into_iter().cloned().collect()
    }

    fn targets_of(&self, id: NodeId) -> impl Iterator<Item = &'a Target> + '_ {
        let targets = self.targets;
        self.root_numbers[id.index()].iter().map(move |&number| &targets[number])
    }

    pub(super) fn sinks(&self, id: NodeId) -> Vec<Arc<dyn ChunkSink>> {
        let sink = |target: &Target| match target {
            Target::Sink(sink) => Some(sink.clone()),
            _ => None,
        };
        self.targets_of(id).filter_map(sink).collect()
    }

    /// Whether the caller keeps the value of a node.
    fn is_kept(&self, id: NodeId) -> bool {
        self.targets_of(id).any(|target| matches!(target, Target::Keep | Target::Stream(_)))
    }

    /// Whether the value of a node is taken by other tasks or the caller. Users of a source that is read inline
    /// do not take it from its tasks.
    pub(super) fn is_used(&self, id: NodeId) -> bool {
        let by_tasks = !self.inlined[id.index()] && self.graph.users(id).next().is_some();
        by_tasks || self.is_kept(id)
    }

    /// The program of a map that was not fused.
    fn program_of(&self, id: NodeId) -> Option<Program> {
        let Op::Element(op) = &self.graph.node(id).op else { return None };
        Some(single(op, &self.graph.input_metas(id)))
    }
}

fn single(op: &ElementOp, inputs: &[&Meta]) -> Program {
    let mut builder = ProgramBuilder::new();
    let args: Vec<_> = inputs.iter().map(|meta| builder.input(meta.dtype())).collect();
    let result = builder.push(op.clone(), &args).expect("types were checked when the expression was built");
    builder.finish(result)
}

fn block_op(op: &Op, single: Option<Program>, inputs: &[&Meta]) -> BlockOp {
    match op {
        Op::Fused(program, _) => BlockOp::Map(Kernel::new(program)),
        Op::View(view) => BlockOp::View(view.clone()),
        Op::Reshape(_) => BlockOp::Runs,
        Op::Concat(concat) => BlockOp::Concat(concat.clone(), concat.starts(inputs)),
        Op::FromObject(from) => BlockOp::FromObject(from.clone()),
        Op::Blockwise(rule) => BlockOp::Rule(rule.clone(), rule.steps(inputs)),
        _ => single.map_or(BlockOp::Gather, |program| BlockOp::Map(Kernel::new(&program))),
    }
}

/// Reading a source or literal: formulas are kernels.
fn gather_op(node: &GraphNode) -> BlockOp {
    match &node.op {
        Op::Source(source) if source.source().formula().is_some() => {
            BlockOp::Map(Kernel::new(&Program::identity(node.meta.dtype())))
        }
        _ => BlockOp::Gather,
    }
}

/// The feed of a source or literal.
fn feed_of(node: &GraphNode) -> Feed {
    match &node.op {
        Op::Source(source) => Feed::Source(source.source().clone()),
        Op::Literal(value) => Feed::Literal(*value),
        other => unreachable!("only sources and literals are read by their users, not {other}"),
    }
}

/// Blocks were counted before: they fit.
pub(super) fn number_of(block: usize) -> u32 {
    u32::try_from(block).expect("grids of more than 2^32 blocks were refused")
}
