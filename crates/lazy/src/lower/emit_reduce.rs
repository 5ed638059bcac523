//! Layers and tasks of reductions: of one, or of siblings that are folded together.

use std::collections::HashMap;
use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, DType, Region};
use chunkwise_expr::{Meta, Need, NodeId, Op, Reduce};
use chunkwise_kernels::Fold;
use chunkwise_scheduler::{LayerId, TaskBytes, TaskId};
use smallvec::SmallVec;

use super::Label;
use super::emit::{Emit, number_of};
use super::feed::{Feed, bytes};
use super::reduce::{FinishLayer, FoldLayer, Groups, MergeLayer};
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
    finishes: Vec<(Arc<FinishLayer>, LayerId)>,
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
        // Blocks have the same numbers in all of them: reduced axes that are kept have one block.
        let blocks = self.graph.node(id).meta.grid().num_blocks();
        let mut tasks: Vec<Tasks> = vec![vec![None; blocks]; members.len()];
        // What nothing needs is not folded either: its elements may be errors.
        let mut layers: HashMap<Vec<usize>, Layers> = HashMap::new();
        let demand = self.demand;
        let wanted = |index: usize| -> Vec<usize> {
            (0..members.len()).filter(|&member| demand[members[member].index()].wants(index)).collect()
        };
        for (index, wanted) in (0..blocks).map(|index| (index, wanted(index))) {
            if wanted.is_empty() {
                continue;
            }
            if !layers.contains_key(&wanted) {
                let ids: Vec<NodeId> = wanted.iter().map(|&member| members[member]).collect();
                layers.insert(wanted.clone(), self.reduce_layers(&ids)?);
            }
            let finished = self.result_block(&layers[&wanted], index)?;
            wanted.iter().zip(finished).for_each(|(&member, task)| tasks[member][index] = Some(task));
        }
        self.made_before.extend(members.into_iter().zip(tasks));
        Ok(self.made_before.remove(&id).unwrap_or_default())
    }

    /// The tasks that give one block of each result.
    fn result_block(&mut self, layers: &Layers, index: usize) -> Result<Vec<TaskId>> {
        let (parts, largest) = self.folds(layers, index)?;
        let parts = self.merges(parts, layers.merge, index, largest, Reduce::FAN_IN)?;
        let mut tasks = Vec::with_capacity(layers.finishes.len());
        for (finish, layer) in &layers.finishes {
            let own =
                bytes(finish.fold.output_of(finish.member), &finish.grid.region(&finish.grid.block(index)));
            let output = if finish.used { own } else { 0 };
            let bytes = TaskBytes { output, scratch: largest.saturating_add(own - output) };
            tasks.push(self.builder.task(*layer, number_of(index), &parts, bytes)?);
        }
        Ok(tasks)
    }

    fn reduce_layers(&mut self, members: &[NodeId]) -> Result<Layers> {
        let graph = self.graph;
        let reduces: Vec<&Reduce> = members.iter().map(|&id| reduce_of(&graph.node(id).op)).collect();
        let (feeds, metas) = (self.feeds(members[0]), self.metas(members[0]));
        let types: Vec<DType> = metas.iter().map(Meta::dtype).collect();
        let fold = Arc::new(Fold::siblings(&reduces, &types));
        let label = |part: &str, grid: Option<&ChunkGrid>| {
            let labels = members.iter().map(|&id| Label::of_node(graph.node(id), part, grid.cloned()));
            labels.reduce(Label::and).expect("a set has members")
        };
        let space = reduces[0].space.clone();
        let merge = MergeLayer { label: label(", merge", None), fold: fold.clone() };
        let numbers = if feeds.iter().any(Feed::reads_whole_blocks) { 1 } else { reduces[0].most_pieces() };
        let groupable = self.group.is_some() && numbers == 1 && feeds.iter().all(Feed::is_at_hand);
        let groups = groupable.then(|| Groups::new(reduces[0])).flatten();
        let label = label("", Some(&space));
        let folds = Arc::new(FoldLayer {
            label,
            fold: fold.clone(),
            space,
            feeds,
            metas,
            numbers,
            groups,
            retry: self.retry,
            recycler: self.recycler.clone(),
        });
        let mut finishes = Vec::with_capacity(members.len());
        for (member, &id) in members.iter().enumerate() {
            let finish = Arc::new(self.finish_layer(id, member, &fold));
            finishes.push((finish.clone(), self.builder.layer(finish)?));
        }
        let reduce = Reduce { keepdims: false, ..reduces[0].clone() };
        Ok(Layers {
            results: reduce.result_grid(),
            reduce,
            sources: graph.inputs(members[0]),
            fold: self.builder.layer(folds.clone())?,
            merge: self.builder.layer(Arc::new(merge))?,
            folds,
            finishes,
        })
    }

    fn finish_layer(&self, id: NodeId, member: usize, fold: &Arc<Fold>) -> FinishLayer {
        let node = self.graph.node(id);
        let grid = node.meta.grid().clone();
        FinishLayer {
            label: Label::of_node(node, ", finish", Some(grid.clone())),
            fold: fold.clone(),
            member,
            grid,
            sinks: self.sinks(id),
            used: self.is_used(id),
        }
    }

    /// A partial result for each block that is folded into a block of the results, and the bytes of the largest.
    fn folds(&mut self, layers: &Layers, index: usize) -> Result<(Vec<TaskId>, u64)> {
        let folds = &layers.folds;
        if let Some(groups) = &folds.groups {
            return self.group_folds(layers, groups, index);
        }
        let reduce = &layers.reduce;
        let result = layers.results.block(index);
        let mut parts = Vec::with_capacity(reduce.blocks_per_result());
        let mut largest = 0;
        for block in reduce.blocks_of(&result) {
            let first = parts.len();
            for (number, region) in folds.regions(block).into_iter().enumerate() {
                let needs = folds.needs(&region);
                let bytes = fold_bytes(folds, &region, &needs);
                largest = largest.max(bytes.output);
                let inputs = self.gather(&layers.sources, &folds.feeds, &needs);
                let index = number_of(block * folds.numbers + number);
                parts.push(self.builder.task(layers.fold, index, &inputs, bytes)?);
            }
            if parts.len() > first + 1 {
                let pieces = parts.split_off(first);
                parts.extend(self.merges(pieces, layers.merge, index, largest, 1)?);
            }
        }
        Ok((parts, largest))
    }

    /// A partial result for each group of tiny blocks, and its bytes.
    fn group_folds(&mut self, layers: &Layers, groups: &Groups, index: usize) -> Result<(Vec<TaskId>, u64)> {
        let (region, held) = groups.largest();
        let one = fold_bytes(&layers.folds, &region, &layers.folds.needs(&region));
        let all = one.output.saturating_mul(held as u64);
        let bytes = TaskBytes { output: one.output, scratch: one.scratch.saturating_add(all) };
        let count = groups.per_result();
        let task = |number| self.builder.task(layers.fold, number_of(index * count + number), &[], bytes);
        let parts = (0..count).map(task).collect::<std::result::Result<_, _>>()?;
        Ok((parts, one.output))
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

/// What the fold of a region allocates: its partial result; registers, what it reads, and the partial results of
/// pieces where the task folds several.
fn fold_bytes(folds: &FoldLayer, region: &Region, needs: &[Need]) -> TaskBytes {
    let fold = &folds.fold;
    let output = fold.partial_bytes(region) as u64;
    let pieces = match fold.pieces(region) as u64 {
        1 => 0,
        pieces => pieces.saturating_mul(output),
    };
    let own = (fold.scratch_bytes(region.shape()) as u64).saturating_add(pieces);
    let in_order = fold.walks_in_order(region);
    let scratch = needs.iter().fold(own, |sum, need| {
        let feed = &folds.feeds[need.input];
        let allocated = match in_order {
            true => feed.allocates_for_walk(&need.region, region.shape()),
            false => feed.allocates(&need.region),
        };
        sum.saturating_add(allocated).saturating_add(feed.scratch(&need.region))
    });
    TaskBytes { output, scratch }
}

fn reduce_of(op: &Op) -> &Reduce {
    let Op::Reduce(reduce) = op else { unreachable!("only reductions have siblings") };
    reduce
}
