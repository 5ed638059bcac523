//! The diagonal of the planes of two axes.
//!
//! A block lies within one block of the input, of which it takes the square around its diagonal.

use std::fmt;

use chunkwise_chunk::{Chunk, ChunkError, ChunkGrid, Element, Region, dispatch};
use chunkwise_expr::{BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};
use ndarray::{Axis, IxDyn};

use super::check_axis;

/// Elements `[.., i, .., i + offset, ..]` of two axes, which vanish, along a new last axis.
///
/// ```
/// use chunkwise_ops::shape::Diagonal;
/// let rule = Diagonal { offset: -1, axes: [0, 1] };
/// assert_eq!(rule.to_string(), "diagonal[-1 of axes 0, 1]");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Diagonal {
    /// How far it lies above the main diagonal.
    pub offset: isize,
    /// The axes of rows and columns.
    pub axes: [usize; 2],
}

impl fmt::Display for Diagonal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "diagonal[{} of axes {}, {}]", self.offset, self.axes[0], self.axes[1])
    }
}

impl Diagonal {
    /// Row and column of its first element, and how many it has.
    fn line(&self, shape: &[usize]) -> ([usize; 2], usize) {
        let offset = self.offset.unsigned_abs();
        let start = if self.offset < 0 { [offset, 0] } else { [0, offset] };
        let left = |side: usize| shape[self.axes[side]].saturating_sub(start[side]);
        (start, left(0).min(left(1)))
    }

    /// The axes that stay, in order.
    fn others(&self, ndim: usize) -> impl Iterator<Item = usize> + '_ {
        (0..ndim).filter(|axis| !self.axes.contains(axis))
    }

    fn typed<T: Element>(&self, step: &Step<'_>) -> Result<Chunk, BlockError> {
        let elements = step.operands[0].typed::<T>()?.view();
        let ndim = elements.ndim();
        let order: Vec<usize> = self.others(ndim).chain(self.axes).collect();
        let planes = elements.permuted_axes(IxDyn(&order));
        let len = planes.shape()[ndim - 1];
        let rows = planes.lanes(Axis(ndim - 1));
        let line = rows.into_iter().enumerate().map(|(number, row)| row[number % len]).collect();
        Ok(Chunk::from_elements(line, step.block.shape()))
    }
}

impl BlockRule for Diagonal {
    fn name(&self) -> &str {
        "diagonal"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let (grid, dtype) = (inputs[0].grid(), inputs[0].dtype());
        self.axes.iter().try_for_each(|&axis| check_axis(axis, grid.shape()))?;
        if self.axes[0] == self.axes[1] {
            return Err(ChunkError::RepeatedAxis { axis: self.axes[0], axes: self.axes.to_vec() }.into());
        }
        let (start, len) = self.line(grid.shape());
        let cut = |side: usize| match len {
            0 => Ok(chunkwise_chunk::AxisChunks::whole(0)),
            len => grid.axis(self.axes[side]).strided(start[side], 1, len),
        };
        let line = cut(0)?.refine(&cut(1)?)?;
        let others = self.others(grid.ndim()).map(|axis| grid.axis(axis).clone());
        Ok(Meta::Array { dtype, grid: ChunkGrid::new(others.chain([line])) })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let shape = inputs[0].grid().shape();
        let (start, _) = self.line(shape);
        let mut region = Region::whole(shape);
        for (place, axis) in self.others(shape.len()).enumerate() {
            region.set_axis(axis, block.start()[place], block.shape()[place]);
        }
        let last = block.ndim() - 1;
        for side in [0, 1] {
            region.set_axis(self.axes[side], start[side] + block.start()[last], block.shape()[last]);
        }
        std::iter::once(Need { input: 0, region }).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        dispatch!(step.operands[0].dtype(), T => self.typed::<T>(&step))
    }
}
