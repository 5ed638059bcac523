//! The elements of a scan: each block from what the blocks before it carry.

use std::fmt;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, Region, Window, Written};
use chunkwise_expr::{BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};

use super::ScanKind;
use super::join::loops;

/// Each element joined with all before it in its block, and with what is carried: the element of a second input that
/// stands for the block before. Without a second input nothing is carried.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ScanBlocks {
    pub(super) kind: ScanKind,
    pub(super) axis: usize,
    pub(super) grid: ChunkGrid,
}

impl ScanBlocks {
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

impl fmt::Display for ScanBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} along axis {}", self.kind.name(), self.axis)
    }
}

impl BlockRule for ScanBlocks {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let dtype = self.kind.check(inputs[0].dtype())?;
        Ok(Meta::Array { dtype, grid: self.grid.clone() })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let mut needs: Needs = std::iter::once(Need { input: 0, region: block.clone() }).collect();
        let number = self.blocks().block_of(block.start()[self.axis]);
        if number > 0 && inputs.len() > 1 {
            let mut region = block.clone();
            region.set_axis(self.axis, number - 1, 1);
            needs.push(Need { input: 1, region });
        }
        needs
    }

    fn compute(&self, mut step: Step<'_>) -> Result<Chunk, BlockError> {
        let loops = loops(&self.kind, step.inputs[0].dtype()).ok_or("elements of another type")?;
        let x = step.operands.swap_remove(0);
        loops.scan(x, step.operands.first(), self.axis)
    }

    fn fills(&self) -> bool {
        true
    }

    fn fill<'w>(&self, step: Step<'_>, window: Window<'w>) -> Result<Written<'w>, BlockError> {
        let loops = loops(&self.kind, step.inputs[0].dtype()).ok_or("elements of another type")?;
        loops.fill(&step.operands[0], step.operands.get(1), self.axis, window)
    }

    /// A function of the user's may take any time.
    fn is_cheap(&self) -> bool {
        !matches!(self.kind, ScanKind::Call(_))
    }
}
