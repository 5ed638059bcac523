//! How a task gets the input regions it needs.

use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSource, DType, ReadCost, ReadUnit, Region, Scalar};
use chunkwise_expr::Need;
use chunkwise_kernels::{KernelError, Operand};
use chunkwise_scheduler::{BoxError, TaskId};

use super::evict::read_failed;
use super::recycle::Recycler;
use super::value::Value;

/// Where the regions of one input come from.
#[derive(Clone, Debug)]
pub(crate) enum Feed {
    /// A literal.
    Literal(Scalar),
    /// The task reads them itself.
    Source(Arc<dyn ChunkSource>),
    /// Blocks of this grid, computed by other tasks.
    Blocks(DType, ChunkGrid),
    /// A value, computed by one other task.
    Object,
}

impl Feed {
    /// Calls `each` with the tasks whose blocks hold a region, in grid order.
    pub(crate) fn tasks(&self, region: &Region, tasks: &[Option<TaskId>], mut each: impl FnMut(TaskId)) {
        let mut push = |block: usize| {
            each(tasks[block].expect("needed blocks were marked before tasks were made"));
        };
        match self {
            Feed::Blocks(_, grid) => grid.blocks_in(region).for_each(|block| push(grid.linear(&block))),
            Feed::Object => push(0),
            Feed::Literal(_) | Feed::Source(_) => {}
        }
    }

    /// Whether regions are had without other tasks, and for next to nothing: parts of memory, formulas.
    pub(crate) fn is_at_hand(&self) -> bool {
        match self {
            Feed::Literal(_) => true,
            Feed::Source(source) => is_at_hand(&**source),
            Feed::Blocks(..) | Feed::Object => false,
        }
    }

    /// Bytes that the task allocates to have a region: decoded, generated, or put together from several blocks.
    pub(crate) fn allocates(&self, region: &Region) -> u64 {
        match self {
            Feed::Source(source) if source.cost() > ReadCost::Free => bytes(source.dtype(), region),
            Feed::Blocks(dtype, grid) if grid.blocks_in(region).nth(1).is_some() => bytes(*dtype, region),
            _ => 0,
        }
    }

    /// [`allocates`](Feed::allocates) for a kernel that walks a block of this shape in C order: formulas of the very
    /// block are computed in its registers.
    pub(crate) fn allocates_for_walk(&self, region: &Region, block: &[usize]) -> u64 {
        match self {
            Feed::Source(source) if source.formula().is_some() && region.shape() == block => 0,
            _ => self.allocates(region),
        }
    }

    /// Bytes that a part of a region keeps alive when it shares memory: of what the task allocates, or of the block that
    /// holds the region.
    pub(crate) fn holds(&self, region: &Region) -> u64 {
        match self {
            Feed::Blocks(dtype, grid) => {
                let mut blocks = grid.blocks_in(region);
                match (blocks.next(), blocks.next()) {
                    (Some(only), None) => bytes(*dtype, &grid.region(&only)),
                    _ => bytes(*dtype, region),
                }
            }
            _ => self.allocates(region),
        }
    }

    /// Whether the task reads what is decoded block by block, so that a part of a block costs as much as all of it.
    pub(crate) fn reads_whole_blocks(&self) -> bool {
        match self {
            Feed::Source(source) => source.unit() == ReadUnit::Block || source.cost() >= ReadCost::Decode,
            _ => false,
        }
    }

    /// Bytes that reading a region takes beside the block it gives.
    pub(crate) fn scratch(&self, region: &Region) -> u64 {
        match self {
            Feed::Source(source) => source.scratch(region),
            _ => 0,
        }
    }

    /// Bytes of storage that reading a region reads from elsewhere.
    pub(crate) fn bytes_read(&self, region: &Region) -> u64 {
        match self {
            Feed::Source(source) if source.cost() >= ReadCost::Decode => bytes(source.dtype(), region),
            _ => 0,
        }
    }

    /// The elements of a region, taken from the next of the task's inputs where blocks hold them.
    fn fetch(
        &self,
        region: &Region,
        inputs: &mut std::slice::IterMut<'_, Value>,
        recycler: &Recycler,
    ) -> Result<Chunk, BoxError> {
        match self {
            Feed::Literal(value) => Ok(Chunk::filled(*value, &[])),
            Feed::Source(source) if region.is_empty() => Ok(Chunk::zeros(source.dtype(), region.shape())),
            Feed::Source(source) => source.read(region).map_err(read_failed),
            Feed::Blocks(dtype, grid) => gather(*dtype, grid, region, inputs, recycler),
            Feed::Object => unreachable!("values are taken whole, not by regions"),
        }
    }
}

/// The operands of a task, one for each region it needs.
pub(crate) fn operands(
    feeds: &[Feed],
    needs: &[Need],
    inputs: &mut [Value],
    recycler: &Recycler,
) -> Result<Vec<Chunk>, BoxError> {
    let mut inputs = inputs.iter_mut();
    needs.iter().map(|need| feeds[need.input].fetch(&need.region, &mut inputs, recycler)).collect()
}

/// The operands of a task that runs a kernel: formulas as they are.
pub(crate) fn kernel_operands(
    feeds: &[Feed],
    needs: &[Need],
    inputs: &mut [Value],
    recycler: &Recycler,
) -> Result<Vec<Operand>, BoxError> {
    let mut inputs = inputs.iter_mut();
    let mut operand = |need: &Need| {
        let feed = &feeds[need.input];
        let formula = match feed {
            Feed::Source(source) if !need.region.is_empty() => Operand::of_formula(source, &need.region),
            _ => None,
        };
        formula.map_or_else(|| Ok(feed.fetch(&need.region, &mut inputs, recycler)?.into()), Ok)
    };
    needs.iter().map(&mut operand).collect()
}

/// Gives back the memory of operands that were used here last.
pub(crate) fn recycle(operands: Vec<Operand>, recycler: &Recycler) {
    operands.into_iter().filter_map(Operand::into_chunk).for_each(|chunk| recycler.give(chunk));
}

/// What a run says of a kernel that gave no result.
pub(crate) fn kernel_error(error: KernelError) -> BoxError {
    match error {
        KernelError::Stopped => "stopped: the run was cancelled".into(),
        error => error.into(),
    }
}

/// A region out of the blocks that hold it: a part of the only one, or a copy put together from several.
fn gather(
    dtype: DType,
    grid: &ChunkGrid,
    region: &Region,
    inputs: &mut std::slice::IterMut<'_, Value>,
    recycler: &Recycler,
) -> Result<Chunk, BoxError> {
    let mut parts: Vec<(Region, Chunk)> = Vec::new();
    for block in grid.blocks_in(region) {
        let place = grid.region(&block);
        let chunk = inputs.next().expect("a task has an input for every block it needs").block();
        if place == *region {
            return Ok(chunk);
        }
        let common = region.intersect(&place);
        parts.push((common.relative_to(region), chunk.part(&common.relative_to(&place))));
    }
    if parts.len() == 1 {
        return Ok(parts.swap_remove(0).1);
    }
    let whole = Chunk::assemble(dtype, region.shape(), parts.iter().map(|(at, chunk)| (at.clone(), chunk)))?;
    parts.into_iter().for_each(|(_, part)| recycler.give(part));
    Ok(whole)
}

/// Whether any regions of a source are had for next to nothing.
pub(crate) fn is_at_hand(source: &dyn ChunkSource) -> bool {
    source.unit() == ReadUnit::Any && source.cost() < ReadCost::Decode
}

pub(crate) fn bytes(dtype: DType, region: &Region) -> u64 {
    region.shape().iter().fold(dtype.itemsize() as u64, |n, &len| n.saturating_mul(len as u64))
}
