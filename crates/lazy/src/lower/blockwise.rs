//! Operations that compute a block from regions of their inputs.

use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, DType, Region, View};
use chunkwise_expr::{Concat, FromObject, Meta, Need, Needs, Op};
use chunkwise_kernels::Kernel;
use chunkwise_scheduler::{BoxError, Layer, TaskCx};
use smallvec::SmallVec;

use super::feed::{Feed, operands};
use super::{Label, Value};

/// What is done to the gathered regions.
#[derive(Debug)]
pub(crate) enum BlockOp {
    /// An element program.
    Map(Kernel),
    /// A view of the one region.
    View(Arc<View>),
    /// The regions' elements, one after the other, in a new shape.
    Runs,
    /// The regions laid end to end.
    Concat(Concat),
    /// The one region as it is.
    Gather,
    /// A value made into an array.
    FromObject(FromObject),
}

/// One task per block of a grid.
#[derive(Debug)]
pub(crate) struct BlockLayer {
    pub(crate) label: Label,
    pub(crate) op: Op,
    pub(crate) block_op: BlockOp,
    pub(crate) dtype: DType,
    pub(crate) grid: ChunkGrid,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) metas: Vec<Meta>,
    pub(crate) sinks: Vec<Arc<dyn ChunkSink>>,
    /// Whether other tasks, or the caller, take the block.
    pub(crate) used: bool,
}

impl BlockLayer {
    /// The regions that a block needs, in the order operands are taken.
    pub(crate) fn needs(&self, region: &Region) -> Needs {
        if region.is_empty() && !matches!(self.block_op, BlockOp::FromObject(_)) {
            return Needs::new();
        }
        match self.block_op {
            BlockOp::Gather => smallvec::smallvec![Need { input: 0, region: region.clone() }],
            _ => self.op.needs(region, &self.metas()),
        }
    }

    fn metas(&self) -> SmallVec<[&Meta; 3]> {
        self.metas.iter().collect()
    }

    fn compute(&self, region: &Region, inputs: &mut [Value]) -> Result<Chunk, BoxError> {
        if let BlockOp::FromObject(from) = &self.block_op {
            return Ok(from.run(&inputs[0].object())?);
        }
        if region.is_empty() {
            return Ok(Chunk::zeros(self.dtype, region.shape()));
        }
        let needs = self.needs(region);
        let held: usize =
            inputs.iter().map(|input| if let Value::Block(c) = input { c.len() } else { 0 }).sum();
        let mut operands = operands(&self.feeds, &needs, inputs)?;
        Ok(match &self.block_op {
            BlockOp::Map(kernel) => kernel.map(&operands, region.shape())?,
            BlockOp::View(view) => compact(operands.swap_remove(0).view(&view.pull(region).1), held),
            BlockOp::Gather | BlockOp::FromObject(_) => compact(operands.swap_remove(0), held),
            BlockOp::Runs => Chunk::from_runs(self.dtype, region.shape(), &operands)?,
            BlockOp::Concat(concat) => {
                let metas = self.metas();
                let places = concat.parts(region, &metas).map(|(_, place)| place);
                Chunk::assemble(self.dtype, region.shape(), places.zip(&operands))?
            }
        })
    }
}

/// Copies a small part of what its inputs hold, so that it does not keep them alive.
fn compact(part: Chunk, held: usize) -> Chunk {
    if part.len() < held / 2 { part.to_owned_copy() } else { part }
}

impl Layer<Value> for BlockLayer {
    fn run(&self, index: u32, inputs: &mut [Value], _: &TaskCx<'_>) -> Result<Value, BoxError> {
        let region = self.grid.region(&self.grid.block(index as usize));
        let chunk = self.compute(&region, inputs)?;
        write(&self.sinks, &region, &chunk)?;
        Ok(if self.used { Value::Block(chunk) } else { Value::Written })
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index)
    }
}

pub(crate) fn write(sinks: &[Arc<dyn ChunkSink>], region: &Region, chunk: &Chunk) -> Result<(), BoxError> {
    for sink in sinks {
        sink.write(region, chunk)?;
    }
    Ok(())
}
