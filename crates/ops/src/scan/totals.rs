//! What each block gives to those after it: all its elements along an axis, joined.

use std::fmt;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, Region};
use chunkwise_expr::{BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};

use super::ScanKind;
use super::join::loops;

/// All elements of each block along an axis joined: the first step of a scan. The result has an element along the axis
/// for each block of a grid, in blocks of one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BlockTotals {
    pub(super) kind: ScanKind,
    pub(super) axis: usize,
    pub(super) grid: ChunkGrid,
}

impl BlockTotals {
    /// What elements are joined with.
    pub fn kind(&self) -> &ScanKind {
        &self.kind
    }

    /// The axis along which they are.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// The blocks along it.
    pub fn blocks(&self) -> &AxisChunks {
        self.grid.axis(self.axis)
    }
}

impl fmt::Display for BlockTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "totals of {} along axis {}", self.kind.name(), self.axis)
    }
}

impl BlockRule for BlockTotals {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let dtype = self.kind.check(inputs[0].dtype())?;
        let mut axes = self.grid.axes().to_vec();
        axes[self.axis] = AxisChunks::regular(self.blocks().count(), 1);
        Ok(Meta::Array { dtype, grid: ChunkGrid::new(axes) })
    }

    fn needs(&self, block: &Region, _: usize, _: &[&Meta]) -> Needs {
        let along = self.blocks().range(block.start()[self.axis]);
        let mut region = block.clone();
        region.set_axis(self.axis, along.start, along.len());
        (!along.is_empty()).then_some(Need { input: 0, region }).into_iter().collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let loops = loops(&self.kind, step.inputs[0].dtype()).ok_or("elements of another type")?;
        loops.totals(step.operands.first(), step.block.shape(), self.axis)
    }

    /// A function of the user's may take any time.
    fn is_cheap(&self) -> bool {
        !matches!(self.kind, ScanKind::Call(_))
    }
}
