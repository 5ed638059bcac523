//! Two axes as one: the elements at equal positions of both.

use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{AsBits, AxisChunks, Chunk, ChunkError, ChunkGrid, Region, dispatch};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayViewD, ArrayViewMutD, Axis, Ix2};

use super::points::checked_axis;

/// The elements at `(first + k, second + k)` of two axes; `k` is the last axis of the result.
///
/// A block is cut wherever the diagonal leaves a block of the input, and needs a square of one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Diagonal {
    axes: [usize; 2],
    /// Where the diagonal starts on both axes.
    start: [usize; 2],
    len: usize,
}

impl Diagonal {
    /// The two axes.
    pub fn axes(&self) -> [usize; 2] {
        self.axes
    }

    /// Where the diagonal starts on both.
    pub fn start(&self) -> [usize; 2] {
        self.start
    }

    /// Its length.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn new(shape: &[usize], offset: isize, axes: [usize; 2]) -> Result<Diagonal, ExprError> {
        axes.iter().try_for_each(|&axis| checked_axis(axis, shape))?;
        if axes[0] == axes[1] {
            return Err(ChunkError::RepeatedAxis { axis: axes[0], axes: axes.to_vec() }.into());
        }
        let along = offset.unsigned_abs();
        let start = if offset < 0 { [along, 0] } else { [0, along] };
        let left = |i: usize| shape[axes[i]].saturating_sub(start[i]);
        Ok(Diagonal { axes, start, len: left(0).min(left(1)) })
    }

    fn others(&self, ndim: usize) -> impl Iterator<Item = usize> + '_ {
        (0..ndim).filter(|axis| !self.axes.contains(axis))
    }
}

impl fmt::Display for Diagonal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([a, b], [i, j]) = (self.axes, self.start);
        write!(f, "diagonal[axes {a} from {i}, {b} from {j}]")
    }
}

impl BlockRule for Diagonal {
    fn name(&self) -> &str {
        "diagonal"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let grid = inputs[0].grid();
        let cut = |i: usize| grid.axis(self.axes[i]).strided(self.start[i], 1, self.len);
        let diagonal = if self.len == 0 { AxisChunks::whole(0) } else { cut(0)?.refine(&cut(1)?)? };
        let others = self.others(grid.ndim()).map(|axis| grid.axis(axis).clone());
        let grid = ChunkGrid::new(others.chain([diagonal]));
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let mut region = Region::whole(inputs[0].grid().shape());
        for (own, axis) in self.others(region.ndim()).enumerate() {
            region.set_axis(axis, block.start()[own], block.shape()[own]);
        }
        let last = block.ndim() - 1;
        for (axis, start) in self.axes.into_iter().zip(self.start) {
            region.set_axis(axis, start + block.start()[last], block.shape()[last]);
        }
        Needs::from_iter([Need { input: 0, region }])
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let square = &step.operands[0];
        let mut out = Chunk::zeros(square.dtype(), step.block.shape());
        dispatch!(Bits: square.dtype(), W => of_square(out.bits_mut::<W>()?, square.bits::<W>()?, self.axes));
        Ok(out)
    }
}

/// The diagonal of two axes of equal lengths, as the last axis.
fn of_square<T: AsBits>(mut out: ArrayViewMutD<'_, T>, square: ArrayViewD<'_, T>, [a, b]: [usize; 2]) {
    if let Ok(square) = square.view().into_dimensionality::<Ix2>() {
        return out.assign(&square.diag());
    }
    let mut others: Vec<usize> = (0..square.ndim()).filter(|&axis| axis != a && axis != b).collect();
    others.extend([a, b]);
    let square = square.permuted_axes(others);
    let last = square.ndim() - 2;
    for k in 0..out.len_of(Axis(last)) {
        let at = square.index_axis(Axis(last + 1), k).index_axis_move(Axis(last), k);
        out.index_axis_mut(Axis(last), k).assign(&at);
    }
}

/// The diagonal of two axes, which becomes the last axis of the result; `offset` counts to the right of the main one.
pub fn diagonal(input: &Expr, offset: isize, axes: [usize; 2], origin: &'static Location<'static>) -> Expr {
    let Some(grid) = input.grid() else { return input.clone() };
    match Diagonal::new(grid.shape(), offset, axes) {
        Ok(rule) => Expr::blockwise(rule, &[input], origin),
        Err(cause) => Expr::invalid("diagonal", cause, origin),
    }
}
