//! Layers and tasks of reductions: of one, or of siblings that are folded together.

use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, DType, Region};
use chunkwise_expr::{Meta, NodeId, Op, Reduce};
use chunkwise_kernels::Fold;
use chunkwise_scheduler::{LayerId, TaskBytes, TaskId};
use smallvec::SmallVec;

use super::Label;
use super::emit::{Emit, number_of};
use super::feed::{Feed, bytes};
use super::reduce::{FinishLayer, FoldLayer, MergeLayer};
use crate::Result;

/// The tasks of a node's blocks.
type Tasks = Vec<Option<TaskId>>;

/// The layers of reductions that are folded together.
struct Layers {
    /// What all of them fold; that of the first, without its reduced axes.
    reduce: Reduce,
    /// The grid of its results.
    results: ChunkGrid,
    sources: SmallVec<[NodeId; 3]>,
    folds: Arc<FoldLayer>,
    fold: LayerId,
    merge: LayerId,
    finishes: Vec<Finish>,
}

/// The last layer of one reduction, and what its tasks leave.
struct Finish {
    id: NodeId,
    layer: LayerId,
    dtype: DType,
    grid: ChunkGrid,
    /// Whether other tasks, or the caller, take blocks of the result.
    used: bool,
    tasks: Tasks,
}

impl Emit<'_> {
    /// Folds, merges and finishes for every needed block of a reduction. Those of its siblings are made with it and
    /// kept until their turn: they need nothing else.
    pub(super) fn reduce(&mut self, id: NodeId) -> Result<Tasks> {
        if let Some(tasks) = self.made_before.remove(&id) {
            return Ok(tasks);
        }
        let members = match self.graph.siblings(id) {
            [] => vec![id],
            siblings => siblings.to_vec(),
        };
        let mut layers = self.reduce_layers(&members)?;
        let mut finishes = std::mem::take(&mut layers.finishes);
        for index in 0..finishes[0].grid.num_blocks() {
            self.result_block(&layers, &mut finishes, index)?;
        }
        self.made_before.extend(finishes.into_iter().map(|finish| (finish.id, finish.tasks)));
        Ok(self.made_before.remove(&id).unwrap_or_default())
    }

    /// The tasks of one block of the results, where some member's is needed. Blocks have the same numbers in all of
    /// them: reduced axes that are kept have one block.
    fn result_block(&mut self, layers: &Layers, finishes: &mut [Finish], index: usize) -> Result<()> {
        let demand = self.demand;
        let is_wanted = |finish: &&mut Finish| demand[finish.id.index()].wants(index);
        let mut wanted: Vec<&mut Finish> = finishes.iter_mut().filter(is_wanted).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let (parts, largest) = self.folds(layers, index)?;
        let parts = self.merges(parts, layers.merge, index, largest, Reduce::FAN_IN)?;
        for finish in &mut wanted {
            let own = bytes(finish.dtype, &finish.grid.region(&finish.grid.block(index)));
            let output = if finish.used { own } else { 0 };
            let bytes = TaskBytes { output, scratch: largest.saturating_add(own - output) };
            let task = self.builder.task(finish.layer, number_of(index), &parts, bytes)?;
            finish.tasks[index] = Some(task);
        }
        Ok(())
    }

    fn reduce_layers(&mut self, members: &[NodeId]) -> Result<Layers> {
        let graph = self.graph;
        let reduces: Vec<&Reduce> = members.iter().map(|&id| reduce_of(&graph.node(id).op)).collect();
        let (feeds, metas) = (self.feeds(members[0]), self.metas(members[0]));
        let types: Vec<DType> = metas.iter().map(Meta::dtype).collect();
        let fold = Arc::new(Fold::siblings(&reduces, &types));
        let space = reduces[0].space.clone();
        let label = |part: &str, grid: Option<&ChunkGrid>| {
            let labels = members.iter().map(|&id| Label::of_node(graph.node(id), part, grid.cloned()));
            labels.reduce(Label::and).expect("a set has members")
        };
        let merge =
            self.builder.layer(Arc::new(MergeLayer { label: label(", merge", None), fold: fold.clone() }))?;
        let numbers = if feeds.iter().any(Feed::reads_whole_blocks) { 1 } else { reduces[0].most_pieces() };
        let folds =
            FoldLayer { label: label("", Some(&space)), fold: fold.clone(), space, feeds, metas, numbers };
        let folds = Arc::new(folds);
        let finishes = members.iter().enumerate().map(|(member, &id)| self.finish(id, member, &fold));
        let reduce = Reduce { keepdims: false, ..reduces[0].clone() };
        Ok(Layers {
            results: reduce.result_grid(),
            reduce,
            sources: graph.inputs(members[0]),
            finishes: finishes.collect::<Result<_>>()?,
            fold: self.builder.layer(folds.clone())?,
            merge,
            folds,
        })
    }

    fn finish(&mut self, id: NodeId, member: usize, fold: &Arc<Fold>) -> Result<Finish> {
        let node = self.graph.node(id);
        let (dtype, grid, used) = (node.meta.dtype(), node.meta.grid().clone(), self.is_used(id));
        let layer = FinishLayer {
            label: Label::of_node(node, ", finish", Some(grid.clone())),
            fold: fold.clone(),
            member,
            grid: grid.clone(),
            sinks: self.sinks(id),
            used,
        };
        let tasks = vec![None; grid.num_blocks()];
        Ok(Finish { id, layer: self.builder.layer(Arc::new(layer))?, dtype, grid, used, tasks })
    }

    /// A partial result for each block that is folded into a block of the results, and the bytes of the largest.
    fn folds(&mut self, layers: &Layers, index: usize) -> Result<(Vec<TaskId>, u64)> {
        let folds = &layers.folds;
        let reduce = &layers.reduce;
        let result = layers.results.block(index);
        let mut parts = Vec::with_capacity(reduce.blocks_per_result());
        let mut largest = 0;
        for block in reduce.blocks_of(&result) {
            let mut pieces: SmallVec<[TaskId; 1]> = SmallVec::new();
            for (number, region) in folds.regions(block).enumerate() {
                let bytes = self.fold_bytes(folds, &region);
                largest = largest.max(bytes.output);
                let needs = folds.needs(&region);
                let inputs = self.gather(&layers.sources, &folds.feeds, &needs);
                let index = number_of(block * folds.numbers + number);
                pieces.push(self.builder.task(layers.fold, index, &inputs, bytes)?);
            }
            parts.extend(self.merges(pieces.to_vec(), layers.merge, index, largest, 1)?);
        }
        Ok((parts, largest))
    }

    /// What the fold of a region allocates: its partial result; registers, what it reads, and the partial results of
    /// pieces where the task folds several.
    fn fold_bytes(&self, folds: &FoldLayer, region: &Region) -> TaskBytes {
        let fold = &folds.fold;
        let output = fold.partial_bytes(region) as u64;
        let pieces = match fold.pieces(region) as u64 {
            1 => 0,
            pieces => pieces.saturating_mul(output),
        };
        let own = (fold.scratch_bytes() as u64).saturating_add(pieces);
        let scratch = folds.needs(region).iter().fold(own, |sum, need| {
            let feed = &folds.feeds[need.input];
            sum.saturating_add(feed.allocates(&need.region)).saturating_add(feed.scratch(&need.region))
        });
        TaskBytes { output, scratch }
    }

    /// Merges by eights, in order, until no more than `left` are left.
    fn merges(
        &mut self,
        mut parts: Vec<TaskId>,
        layer: LayerId,
        index: usize,
        output: u64,
        left: usize,
    ) -> Result<Vec<TaskId>> {
        while parts.len() > left {
            let mut merged = Vec::with_capacity(parts.len().div_ceil(Reduce::FAN_IN));
            for group in parts.chunks(Reduce::FAN_IN) {
                merged.push(match group {
                    [only] => *only,
                    group => {
                        let bytes = TaskBytes { output, scratch: 0 };
                        self.builder.task(layer, number_of(index), group, bytes)?
                    }
                });
            }
            parts = merged;
        }
        Ok(parts)
    }
}

fn reduce_of(op: &Op) -> &Reduce {
    let Op::Reduce(reduce) = op else { unreachable!("only reductions have siblings") };
    reduce
}
