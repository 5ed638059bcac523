//! Windows that slide along an axis, as a new last axis.

use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkError, ChunkGrid, Region, dispatch};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::{Axis, Slice};

use crate::gathered::Gathered;

/// The windows of a length along an axis: element `[.., i, .., k]` of the result is element `[.., i + k, ..]`.
///
/// Blocks are cut along the axis, so that they hold about as many elements as those of the input, or those of one window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SlidingWindows {
    axis: usize,
    window: usize,
    gathered: Option<Gathered>,
}

impl SlidingWindows {
    /// The axis along which windows slide.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// Their length.
    pub fn window(&self) -> usize {
        self.window
    }

    fn check(&self, shape: &[usize]) -> Result<(), ExprError> {
        let Some(&len) = shape.get(self.axis) else {
            return Err(ChunkError::Axis { axis: self.axis as isize, shape: shape.into() }.into());
        };
        if self.window == 0 || self.window > len {
            let (window, axis) = (self.window, self.axis);
            let text = format!("windows of {window} elements do not fit axis {axis} of shape {shape:?}");
            return Err(ExprError::Message(text));
        }
        Ok(())
    }
}

impl SlidingWindows {
    /// The blocks of the windows of an array with these blocks.
    fn grid(&self, grid: &ChunkGrid) -> Result<ChunkGrid, ExprError> {
        self.check(grid.shape())?;
        let along = grid.axis(self.axis);
        let count = along.len() - self.window + 1;
        let piece = along.max_chunk().div_ceil(self.window);
        let mut axes = grid.axes().to_vec();
        axes[self.axis] = along.strided(0, 1, count)?.refine(&AxisChunks::regular(count, piece))?;
        axes.push(AxisChunks::whole(self.window));
        Ok(ChunkGrid::new(axes))
    }
}

impl fmt::Display for SlidingWindows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sliding_windows[{} along {}]", self.window, self.axis)?;
        self.gathered.map_or(Ok(()), |gathered| write!(f, ", {gathered}"))
    }
}

impl BlockRule for SlidingWindows {
    fn name(&self) -> &str {
        "sliding_windows"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid: self.grid(inputs[0].grid())? })
    }

    fn needs(&self, block: &Region, _: usize, _: &[&Meta]) -> Needs {
        let last = block.ndim() - 1;
        let mut region = Region::new(&block.start()[..last], &block.shape()[..last]);
        let len = block.shape()[self.axis] + self.window - 1;
        region.set_axis(self.axis, block.start()[self.axis], len);
        std::iter::once(Need { input: 0, region }).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let (operand, shape) = (&step.operands[0], step.block.shape());
        let (axis, last) = (Axis(self.axis), Axis(shape.len() - 1));
        let mut windows = Chunk::zeros(operand.dtype(), shape);
        dispatch!(Bits: operand.dtype(), W => {
            let (elements, mut windows) = (operand.bits::<W>()?, windows.bits_mut::<W>()?);
            for k in 0..self.window {
                let part = elements.slice_axis(axis, Slice::from(k..k + shape[self.axis]));
                windows.index_axis_mut(last, k).assign(&part);
            }
        });
        Ok(windows)
    }
}

/// The windows of `window` elements along `axis`, as a new last axis.
pub fn sliding_windows(input: &Expr, window: usize, axis: usize, origin: &'static Location<'static>) -> Expr {
    let mut rule = SlidingWindows { axis, window, gathered: None };
    if let Some(grid) = input.grid() {
        rule.gathered = rule.grid(grid).ok().and_then(|windows| Gathered::new(grid, windows.max_chunk()));
    }
    Expr::blockwise(rule, &[input], origin)
}
