//! Layers and tasks of a reduction.

use std::sync::Arc;

use chunkwise_chunk::ChunkGrid;
use chunkwise_expr::{Meta, NodeId, Reduce};
use chunkwise_kernels::Fold;
use chunkwise_scheduler::{LayerId, TaskBytes, TaskId};

use super::Label;
use super::emit::{Emit, number_of};
use super::feed::bytes;
use super::reduce::{FinishLayer, FoldLayer, MergeLayer};
use crate::Result;

/// The three layers of one reduction.
struct Layers {
    folds: Arc<FoldLayer>,
    fold: LayerId,
    merge: LayerId,
    finish: LayerId,
    /// Whether other tasks, or the caller, take blocks of the result.
    used: bool,
}

impl Emit<'_> {
    /// Folds, merges and finishes for every needed block of the result.
    pub(super) fn reduce(&mut self, id: NodeId, reduce: &Reduce) -> Result<Vec<Option<TaskId>>> {
        let layers = self.reduce_layers(id, reduce)?;
        let (dtype, grid) = (self.graph.node(id).meta.dtype(), self.graph.node(id).meta.grid().clone());
        let mut tasks = vec![None; grid.num_blocks()];
        for index in self.demand[id.index()].wanted(grid.num_blocks()) {
            let result = grid.block(index);
            let own = bytes(dtype, &grid.region(&result));
            let (parts, largest) = self.folds(id, reduce, &layers, &result)?;
            let parts = self.merges(parts, layers.merge, index, largest)?;
            let output = if layers.used { own } else { 0 };
            let bytes = TaskBytes { output, scratch: largest.saturating_add(own - output) };
            tasks[index] = Some(self.builder.task(layers.finish, number_of(index), &parts, bytes)?);
        }
        Ok(tasks)
    }

    fn reduce_layers(&mut self, id: NodeId, reduce: &Reduce) -> Result<Layers> {
        let node = self.graph.node(id);
        let (feeds, metas) = (self.feeds(id), self.metas(id));
        let folded = metas.first().map_or_else(|| node.meta.dtype(), Meta::dtype);
        let fold = Arc::new(Fold::new(reduce, folded));
        let label = |part: &str, grid: Option<&ChunkGrid>| Label::of_node(node, part, grid.cloned());
        let (space, grid) = (&reduce.space, node.meta.grid());
        let merges = MergeLayer { label: label(", merge", None), fold: fold.clone() };
        let finish = FinishLayer {
            label: label(", finish", Some(grid)),
            fold: fold.clone(),
            grid: grid.clone(),
            sinks: self.sinks(id),
            used: self.is_used(id),
        };
        let folds = Arc::new(FoldLayer {
            label: label("", Some(space)),
            fold,
            space: space.clone(),
            feeds,
            metas,
            recycler: self.recycler.clone(),
        });
        Ok(Layers {
            used: finish.used,
            fold: self.builder.layer(folds.clone())?,
            merge: self.builder.layer(Arc::new(merges))?,
            finish: self.builder.layer(Arc::new(finish))?,
            folds,
        })
    }

    /// A task for each block that is folded into a block of the result, and the bytes of the largest partial result.
    fn folds(
        &mut self,
        id: NodeId,
        reduce: &Reduce,
        layers: &Layers,
        result: &[usize],
    ) -> Result<(Vec<TaskId>, u64)> {
        let folds = &layers.folds;
        let sources = self.graph.inputs(id);
        let mut parts = Vec::with_capacity(reduce.blocks_per_result());
        let mut largest = 0;
        for block in reduce.blocks_of(result) {
            let region = folds.space.region(&folds.space.block(block));
            let needs = folds.needs(&region);
            let inputs = self.gather(&sources, &folds.feeds, &needs);
            let in_order = folds.fold.walks_in_order(&region);
            let read = needs.iter().fold(folds.fold.scratch_bytes() as u64, |sum, need| {
                let feed = &folds.feeds[need.input];
                let allocated = match in_order {
                    true => feed.allocates_for_walk(&need.region, region.shape()),
                    false => feed.allocates(&need.region),
                };
                sum.saturating_add(allocated).saturating_add(feed.scratch(&need.region))
            });
            let output = folds.fold.partial_bytes(&region) as u64;
            largest = largest.max(output);
            let bytes = TaskBytes { output, scratch: read };
            parts.push(self.builder.task(layers.fold, number_of(block), &inputs, bytes)?);
        }
        Ok((parts, largest))
    }

    /// Merges by eights, in order, until one task can merge the rest.
    fn merges(
        &mut self,
        mut parts: Vec<TaskId>,
        layer: LayerId,
        index: usize,
        output: u64,
    ) -> Result<Vec<TaskId>> {
        while parts.len() > Reduce::FAN_IN {
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
