//! Rechunking and reshaping of arrays that do not fit into memory.
//!
//! It owns the rewrite of a rechunk into smaller ones and the choice of the grids between. A reshape gathers consecutive
//! elements: it is done as a rechunk to blocks of such, by the same rules, and a reshape of these. What is evicted when, and the
//! order of the tasks, are the scheduler's.
//!
//! Rows to columns is the hard case: every target block needs a part of every source block. With whole blocks, each
//! target decodes, or loads, all sources again. So the common refinement of both grids is put between:
//!
//! ```text
//! source block    read or computed once, free after its pieces
//!   piece         source block x target block, copied out: on disk at most once, and back once
//! target block    put together from its pieces
//! ```
//!
//! # When
//!
//! | blocks | lowered as |
//! |---|---|
//! | each source block is needed by one target | as it is |
//! | the array takes no more than what is left of half the budget | as it is; a stored source is read by tasks of its own |
//! | a source block and a piece, or two target blocks, do not fit | as it is |
//! | each target needs one source block | as it is, with targets that are copies and a source read by tasks of its own |
//! | otherwise | through pieces |
//!
//! Sources that are views of memory, formulas, or files without blocks are left alone: a part of a block costs no more
//! than its elements.
//!
//! # How many stages
//!
//! n sources with m targets each make n * m pieces, which may be tiny. With k stages through grids whose blocks lie
//! between the two in geometric progression there are about k * n * m^(1/k), and each byte moves k times. The blocks
//! between are never put together: pieces of one stage are made of those of the stage before. A piece below 16 KiB
//! costs as much as one of 16 KiB, as it does for the planner of evictions. The cheapest k of 1 to 4 is taken among
//! those with at most two million pieces. The idea of intermediate grids is that of rechunker
//! (<https://rechunker.readthedocs.io/en/latest/algorithm.html>).

use std::collections::{BTreeMap, HashMap, HashSet};

use chunkwise_chunk::{AxisChunks, ChunkGrid, ReadCost, ReadUnit};
use chunkwise_expr::{ExprGraph, GraphNode, Meta, NodeId, Op, Rechunk, Reshape};

use super::demand::Demand;

/// A record of fewer bytes takes as long as one of this size.
const SMALL_PIECE: u64 = 16 << 10;

/// Pieces, and blocks of grids between, of one rechunk.
const MOST_PIECES: usize = 2 << 20;

/// Stages that are tried.
const MOST_STAGES: u32 = 4;

/// A graph whose large rechunks go through pieces.
#[derive(Debug)]
pub(super) struct Shuffled {
    pub(super) graph: ExprGraph,
    pub(super) marks: Marks,
}

/// What is special about nodes.
#[derive(Debug, Default)]
pub(super) struct Marks {
    read_once: HashSet<NodeId>,
    made_late: HashSet<NodeId>,
    /// The grids whose blocks pieces are cut out of.
    pieces: HashMap<NodeId, ChunkGrid>,
}

impl Marks {
    /// Whether a source is read by tasks of its own, whatever it holds.
    pub(super) fn is_read_once(&self, id: NodeId) -> bool {
        self.read_once.contains(&id)
    }

    /// Whether each block of a source is made right before its pieces, for which alone it is read. It is then held until
    /// they are made: the targets that the last ones complete may run in between, and would have it read again.
    pub(super) fn is_made_late(&self, id: NodeId) -> bool {
        self.made_late.contains(&id)
    }

    /// Whether blocks have memory of their own, so that those that they are parts of can go.
    pub(super) fn is_piece(&self, id: NodeId) -> bool {
        self.pieces.contains_key(&id)
    }

    /// The needed blocks of a grid by number, in the order in which they are made: pieces of one block are neighbours.
    pub(super) fn order(&self, id: NodeId, grid: &ChunkGrid, demand: &Demand) -> Vec<usize> {
        let Some(wholes) = self.pieces.get(&id) else { return demand.wanted(grid.num_blocks()).collect() };
        let parts = wholes.blocks().flat_map(|whole| grid.blocks_in(&wholes.region(&whole)));
        let mut listed = vec![false; grid.num_blocks()];
        let mut order: Vec<usize> = Vec::new();
        let parts = parts.map(|part| grid.linear(&part)).filter(|&part| demand.wants(part));
        for part in parts {
            listed[part] = true;
            order.push(part);
        }
        // Blocks without elements lie in no other block, but are among those of a box that reaches beyond them.
        order.extend(demand.wanted(grid.num_blocks()).filter(|&block| !listed[block]));
        order
    }
}

/// How a rechunk is done.
#[derive(Debug)]
enum Way {
    /// As it is; a source is read once, into blocks that are held.
    Hold,
    /// Through the pieces of these stages, of which the last one ends with the grid of the rechunk.
    Split(Vec<Stage>),
}

/// One step from grid to grid, and the common refinement of both.
#[derive(Clone, Debug)]
struct Stage {
    from: ChunkGrid,
    pieces: ChunkGrid,
    to: ChunkGrid,
}

/// Rewrites the rechunks that do not fit; `None` when none is to be changed. `spills` says whether pieces can go to disk.
pub(super) fn shuffle(graph: &ExprGraph, budget: u64, spills: bool) -> Option<Shuffled> {
    let mut room = budget / 2;
    let mut ways = BTreeMap::new();
    for id in graph.ids() {
        if let Some(way) = way(graph, id, budget, spills, &mut room) {
            ways.insert(id, way);
        }
    }
    (!ways.is_empty()).then(|| rewrite(graph, &ways))
}

/// How a node is done, if not simply as it is. What is held is taken from `room`.
fn way(graph: &ExprGraph, id: NodeId, budget: u64, spills: bool, room: &mut u64) -> Option<Way> {
    let source = graph.node(*graph.inputs(id).first()?);
    let Meta::Array { dtype, grid: from } = &source.meta else { return None };
    let to = &gathered(&graph.node(id).op, from)?;
    if is_at_hand(source) || refinement(from, to)? == *from {
        return None;
    }
    let nbytes = source.meta.nbytes();
    if let Some(left) = room.checked_sub(nbytes) {
        *room = left;
        return Some(Way::Hold);
    }
    let itemsize = dtype.itemsize();
    // Blocks that are computed must be in memory in any case; parts of a source are had without, and where that is all
    // that fits, it stays so.
    let fits = |stages: &[Stage]| match is_source(source) {
        true => need_beside_source(stages, itemsize) <= budget - budget / 8,
        false => need(stages, itemsize) <= budget,
    };
    let stages = cheapest(from, to, nbytes, fits)?;
    spills.then_some(Way::Split(stages))
}

/// The blocks of an input that a rechunk, or a reshape, takes.
fn gathered(op: &Op, source: &ChunkGrid) -> Option<ChunkGrid> {
    match op {
        Op::Rechunk(Rechunk { grid }) => Some(grid.clone()),
        Op::Reshape(_) => Some(Reshape::rows_of(source)),
        _ => None,
    }
}

/// Whether parts of blocks cost no more than their elements.
fn is_at_hand(node: &GraphNode) -> bool {
    match &node.op {
        Op::Literal(_) => true,
        Op::Source(source) => {
            let source = source.source();
            // Without blocks of its own, a file gives any region for the price of its elements.
            let in_blocks = source.cost() == ReadCost::Decode && source.native_chunks().is_some();
            source.unit() == ReadUnit::Any && !in_blocks
        }
        _ => false,
    }
}

fn is_source(node: &GraphNode) -> bool {
    matches!(node.op, Op::Source(_))
}

/// The stages with the least cost of those that fit.
fn cheapest(
    from: &ChunkGrid,
    to: &ChunkGrid,
    nbytes: u64,
    fits: impl Fn(&[Stage]) -> bool,
) -> Option<Vec<Stage>> {
    let mut best: Option<(u64, Vec<Stage>)> = None;
    for count in 1..=MOST_STAGES {
        let Some(stages) = stages(from, to, count) else { continue };
        let cost = cost(&stages, nbytes);
        let is_better = best.as_ref().is_none_or(|(least, _)| cost < *least);
        if is_better && pieces(&stages) <= MOST_PIECES && fits(&stages) {
            best = Some((cost, stages));
        }
    }
    best.map(|(_, stages)| stages)
}

/// Bytes that are moved, with those of small pieces as what they cost.
fn cost(stages: &[Stage], nbytes: u64) -> u64 {
    let stage = |stage: &Stage| nbytes.max((stage.pieces.num_blocks() as u64).saturating_mul(SMALL_PIECE));
    stages.iter().map(stage).fold(0, u64::saturating_add)
}

/// Pieces that are made on the way.
fn pieces(stages: &[Stage]) -> usize {
    stages.iter().map(|stage| stage.pieces.num_blocks()).fold(0, usize::saturating_add)
}

/// Bytes that a task of the stages needs at most: a block and its piece, or the last block and the pieces it is made of.
fn need(stages: &[Stage], itemsize: usize) -> u64 {
    let bytes = |grid| block_bytes(grid, itemsize);
    let cut = stages.iter().map(|stage| bytes(&stage.from).saturating_add(bytes(&stage.pieces)));
    let joined = stages.last().map(|stage| bytes(&stage.to).saturating_mul(2));
    cut.chain(joined).max().unwrap_or(0)
}

/// [`need`] while a source block is held, with a copy of the last block for a sink that encodes it.
fn need_beside_source(stages: &[Stage], itemsize: usize) -> u64 {
    let bytes = |grid: Option<&ChunkGrid>| grid.map_or(0, |grid| block_bytes(grid, itemsize));
    let source = bytes(stages.first().map(|stage| &stage.from));
    let written = bytes(stages.last().map(|stage| &stage.to)).saturating_mul(3);
    need(stages, itemsize).max(written).saturating_add(source)
}

/// Bytes of the largest block.
fn block_bytes(grid: &ChunkGrid, itemsize: usize) -> u64 {
    grid.max_chunk().iter().fold(itemsize as u64, |bytes, &len| bytes.saturating_mul(len as u64))
}

/// `count` stages from one grid to the other; `None` when their blocks cannot be listed.
fn stages(from: &ChunkGrid, to: &ChunkGrid, count: u32) -> Option<Vec<Stage>> {
    let mut stages: Vec<Stage> = Vec::new();
    for step in 1..=count {
        let before = stages.last().map_or(from, |stage| &stage.to);
        let next = if step == count { to.clone() } else { between(from, to, step, count) };
        stages.push(Stage { from: before.clone(), pieces: refinement(before, &next)?, to: next });
    }
    Some(stages)
}

/// The grid `step` of `count` steps away from the first. Along each axis it joins blocks of the finer cut, so many that
/// lengths grow by the same factor from step to step.
fn between(from: &ChunkGrid, to: &ChunkGrid, step: u32, count: u32) -> ChunkGrid {
    ChunkGrid::new(from.axes().iter().zip(to.axes()).map(|(from, to)| {
        let (fine, coarse, steps) = match from.count() >= to.count() {
            true => (from, to, step),
            false => (to, from, count - step),
        };
        let ratio = fine.count() as f64 / coarse.count() as f64;
        let factor = ratio.powf(1.0 / f64::from(count)).round() as usize;
        joined(fine, factor.max(1).saturating_pow(steps))
    }))
}

/// The cut whose blocks are `count` neighbours each.
fn joined(axis: &AxisChunks, count: usize) -> AxisChunks {
    if let Some(chunk) = axis.regular_chunk() {
        return AxisChunks::regular(axis.len(), chunk.saturating_mul(count));
    }
    let sizes: Vec<usize> = axis.sizes().collect();
    let sizes: Vec<usize> = sizes.chunks(count).map(|sizes| sizes.iter().sum()).collect();
    AxisChunks::explicit(axis.len(), &sizes).expect("the lengths of all blocks add up to that of the axis")
}

/// The coarsest grid whose every block lies inside one of both.
fn refinement(one: &ChunkGrid, other: &ChunkGrid) -> Option<ChunkGrid> {
    let axes = one.axes().iter().zip(other.axes()).map(|(one, other)| one.refine(other));
    Some(ChunkGrid::new(axes.collect::<Result<Vec<_>, _>>().ok()?))
}

/// The graph with every rechunk and reshape done as `ways` say.
fn rewrite(old: &ExprGraph, ways: &BTreeMap<NodeId, Way>) -> Shuffled {
    let mut new = Shuffled { graph: ExprGraph::new(), marks: Marks::default() };
    let mut places: Vec<NodeId> = Vec::with_capacity(old.len());
    for id in old.ids() {
        let node = old.node(id);
        let inputs: Vec<NodeId> = old.inputs(id).iter().map(|input| places[input.index()]).collect();
        if ways.contains_key(&id) && is_source(new.graph.node(inputs[0])) {
            new.marks.read_once.insert(inputs[0]);
        }
        places.push(match ways.get(&id) {
            Some(Way::Split(stages)) => {
                let to = &stages[stages.len() - 1].to;
                let last = new.split(node, inputs[0], stages, to);
                match node.op {
                    Op::Rechunk(_) => last,
                    _ => new.graph.add(node.clone(), &[last]),
                }
            }
            _ => new.graph.add(node.clone(), &inputs),
        });
    }
    let place = |ids: &[NodeId]| ids.iter().map(|id| places[id.index()]).collect::<Vec<_>>();
    new.graph.set_roots(place(old.roots()));
    let firsts = old.ids().filter(|&id| old.siblings(id).first() == Some(&id));
    new.graph.set_siblings(firsts.map(|id| place(old.siblings(id))).collect());
    new.mark_late();
    new
}

impl Shuffled {
    /// Adds a rechunk in stages for a node; its last node.
    fn split(&mut self, node: &GraphNode, mut input: NodeId, stages: &[Stage], to: &ChunkGrid) -> NodeId {
        for Stage { from, pieces, .. } in stages {
            if self.graph.node(input).meta.grid() != pieces {
                input = self.rechunk(node, input, pieces);
                self.marks.pieces.insert(input, from.clone());
            }
        }
        match to {
            grid if grid == self.graph.node(input).meta.grid() => input,
            grid => self.rechunk(node, input, grid),
        }
    }

    fn mark_late(&mut self) {
        let Shuffled { graph, marks: Marks { read_once, pieces, made_late } } = self;
        let only_cut = |&id: &NodeId| {
            let mut users = graph.users(id);
            let user = users.next().filter(|_| users.next().is_none());
            user.is_some_and(|user| pieces.contains_key(&user)) && !graph.is_root(id)
        };
        made_late.extend(read_once.iter().copied().filter(only_cut));
    }

    fn rechunk(&mut self, node: &GraphNode, input: NodeId, grid: &ChunkGrid) -> NodeId {
        let meta = Meta::Array { dtype: node.meta.dtype(), grid: grid.clone() };
        let op = Op::Rechunk(Rechunk { grid: grid.clone() });
        self.graph.add(GraphNode { op, meta, origin: node.origin }, &[input])
    }
}
