//! Reductions: folds of blocks, merges in grid order, the final value.
//!
//! Siblings share folds and merges, whose partial results are of all of them; each finishes for itself.
//!
//! The tree depends on the grid alone: partial results of blocks in C order, merged by eights until at most eight are
//! left, which the finishing task merges itself. The partial result of a huge block is that of its pieces, merged by
//! eights until one is left. Each piece has a task of its own, unless the task reads what must be decoded: decoding is
//! by block, and pieces would do it again.

use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, ChunkSink, Region};
use chunkwise_expr::{Meta, Needs, element_needs};
use chunkwise_kernels::{Fold, Partial};
use chunkwise_scheduler::{BoxError, Layer, TaskCx};
use smallvec::SmallVec;

use super::blockwise::write;
use super::emit::number_of;
use super::feed::{Feed, kernel_operands, recycle};
use super::recycle::Recycler;
use super::{Label, Value};

/// One task per block of the space that is folded, or per piece of it.
pub(crate) struct FoldLayer {
    pub(crate) label: Label,
    pub(crate) fold: Arc<Fold>,
    pub(crate) space: ChunkGrid,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) metas: Vec<Meta>,
    /// Numbers of tasks for each block, of which smaller blocks use the first ones: the pieces of the largest block
    /// where each piece is a task, else one.
    pub(crate) numbers: usize,
    pub(crate) recycler: Arc<Recycler>,
}

impl FoldLayer {
    pub(crate) fn needs(&self, region: &Region) -> Needs {
        let metas: SmallVec<[&Meta; 3]> = self.metas.iter().collect();
        element_needs(region, &metas)
    }

    /// What the tasks of a block fold, in the order in which their partial results are merged.
    pub(crate) fn regions(&self, block: usize) -> SmallVec<[Region; 1]> {
        let region = self.space.region(&self.space.block(block));
        match self.numbers {
            1 => smallvec::smallvec![region],
            _ => (0..self.fold.pieces(&region)).map(|number| self.fold.piece(&region, number)).collect(),
        }
    }

    /// What the task of this number folds.
    fn region(&self, index: usize) -> Region {
        let region = self.space.region(&self.space.block(index / self.numbers));
        match self.numbers {
            1 => region,
            numbers => self.fold.piece(&region, index % numbers),
        }
    }
}

impl Layer<Value> for FoldLayer {
    fn run(&self, index: u32, inputs: &mut [Value], _: &TaskCx<'_>) -> Result<Value, BoxError> {
        let region = self.region(index as usize);
        let operands = kernel_operands(&self.feeds, &self.needs(&region), inputs, &self.recycler)?;
        let partial = self.fold.fold(&operands, &region)?;
        recycle(operands, &self.recycler);
        Ok(Value::Partial(Arc::new(partial)))
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index / number_of(self.numbers))
    }
}

/// Merges partial results in the order of its inputs.
pub(crate) struct MergeLayer {
    pub(crate) label: Label,
    pub(crate) fold: Arc<Fold>,
}

impl Layer<Value> for MergeLayer {
    fn run(&self, _: u32, inputs: &mut [Value], _: &TaskCx<'_>) -> Result<Value, BoxError> {
        Ok(Value::Partial(Arc::new(self.fold.merge(&partials(inputs)))))
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index)
    }
}

/// Merges the last partial results of a block of the result and gives its value.
pub(crate) struct FinishLayer {
    pub(crate) label: Label,
    pub(crate) fold: Arc<Fold>,
    /// Which of the reductions that are folded together.
    pub(crate) member: usize,
    pub(crate) grid: ChunkGrid,
    pub(crate) sinks: Vec<Arc<dyn ChunkSink>>,
    pub(crate) used: bool,
}

impl Layer<Value> for FinishLayer {
    fn run(&self, index: u32, inputs: &mut [Value], _: &TaskCx<'_>) -> Result<Value, BoxError> {
        let region = self.grid.region(&self.grid.block(index as usize));
        let chunk = self.fold.finish_one(self.member, &partials(inputs));
        write(&self.sinks, &region, &chunk)?;
        Ok(if self.used { Value::Block(chunk) } else { Value::Written })
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index)
    }
}

fn partials(inputs: &[Value]) -> Vec<&Partial> {
    inputs.iter().map(Value::partial).collect()
}
