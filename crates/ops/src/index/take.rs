//! Elements along one axis, at indices that are computed.

use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, DType, Region, Scalar, dispatch};
use chunkwise_expr::{BinaryOp, BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::ArrayViewD;

use super::plan::Picks;
use super::points::checked_axis;
use super::{begun, cells, gather};

/// The elements of its first input at the indices that its second one holds, of type `i64` and one axis.
///
/// Nobody knows which part of the source a block needs before its indices are computed, so it has a step for every part:
/// each fills the places whose index lies in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Take {
    axis: usize,
    /// The parts of the axis of the source.
    cells: AxisChunks,
    /// The blocks of the axis of the result.
    cut: AxisChunks,
}

impl Take {
    /// The axis of the input.
    pub fn axis(&self) -> usize {
        self.axis
    }
}

impl fmt::Display for Take {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "take[axis {}]", self.axis)
    }
}

impl BlockRule for Take {
    fn name(&self) -> &str {
        "take"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let mut axes = inputs[0].grid().axes().to_vec();
        axes[self.axis] = self.cut.clone();
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid: ChunkGrid::new(axes) })
    }

    fn steps(&self, _: &[&Meta]) -> usize {
        self.cells.count()
    }

    fn needs(&self, block: &Region, step: usize, _: &[&Meta]) -> Needs {
        let (start, len) = (block.start()[self.axis], block.shape()[self.axis]);
        let indices = Need { input: 1, region: Region::new(&[start], &[len]) };
        let cell = self.cells.range(step);
        let mut region = block.clone();
        region.set_axis(self.axis, cell.start, cell.len());
        let source = (!cell.is_empty()).then_some(Need { input: 0, region });
        std::iter::once(indices).chain(source).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let indices = step.operands[0].typed::<i64>()?.view();
        let len = self.cells.len();
        if step.number == 0 {
            check(&indices, self.axis, len)?;
        }
        let (places, sources) = picked(&indices, len, self.cells.range(step.number));
        let picks = Picks { places: &places, sources: &sources };
        let dtype = step.inputs[0].dtype();
        let mut out = begun(step.before, dtype, step.block.shape());
        if let (Some(source), false) = (step.operands.get(1), places.is_empty()) {
            let points = step.block.shape()[self.axis];
            dispatch!(Bits: dtype, W => {
                let mut elements = out.bits_mut::<W>()?;
                let elements = elements.as_slice_mut().expect("a block that is begun is in C order");
                gather::along(elements, points, source.bits::<W>()?, self.axis, picks);
            });
        }
        Ok(out)
    }

    /// The places that a step fills and where they come from.
    fn scratch_bytes(&self, block: &Region, _: &[&Meta]) -> u64 {
        2 * size_of::<u32>() as u64 * block.shape()[self.axis] as u64
    }
}

/// The places whose index lies in a part of the axis, and where in it.
fn picked(indices: &ArrayViewD<'_, i64>, len: usize, cell: std::ops::Range<usize>) -> (Vec<u32>, Vec<u32>) {
    let (mut places, mut sources) = (Vec::new(), Vec::new());
    for (place, &index) in (0..).zip(indices) {
        let inside = position(index, len).wrapping_sub(cell.start);
        if inside < cell.len() {
            places.push(place);
            sources.push(inside as u32);
        }
    }
    (places, sources)
}

/// Where an index points that was checked: negative ones count from the end.
pub(super) fn position(index: i64, len: usize) -> usize {
    if index < 0 { len.wrapping_add_signed(index as isize) } else { index as usize }
}

/// Refuses indices that lie outside an axis.
pub(super) fn check(indices: &ArrayViewD<'_, i64>, axis: usize, len: usize) -> Result<(), BlockError> {
    let outside = |index: i64| index >= len as i64 || index < -(len as i64);
    match indices.iter().find(|&&index| outside(index)) {
        Some(index) => Err(format!("index {index} is out of bounds for axis {axis} of length {len}").into()),
        None => Ok(()),
    }
}

/// The elements at `indices` of an axis, where these are an array that is computed, of integers and one axis. Negative
/// ones count from the end; what is out of bounds is an error when the result is computed.
///
/// The result is in the blocks of `indices`, cut where they would be larger than those of both inputs.
pub fn take_lazy(input: &Expr, indices: &Expr, axis: usize, origin: &'static Location<'static>) -> Expr {
    let (Some(grid), Some(of_indices)) = (input.grid(), indices.grid()) else {
        return first_error(input, indices);
    };
    match rule(grid, of_indices, axis) {
        Ok(take) => match wide(indices, origin) {
            Ok(indices) => Expr::blockwise(take, &[input, &indices], origin),
            Err(cause) => Expr::invalid("take", cause, origin),
        },
        Err(cause) => Expr::invalid("take", cause, origin),
    }
}

fn rule(grid: &ChunkGrid, indices: &ChunkGrid, axis: usize) -> Result<Take, ExprError> {
    checked_axis(axis, grid.shape())?;
    if indices.ndim() != 1 {
        let text = format!("indices of shape {:?} must have one axis", indices.shape());
        return Err(ExprError::Message(text));
    }
    let beside = cells::beside(grid, &[axis]);
    let longest = indices.axis(0).max_chunk();
    let most = grid.axis(axis).max_chunk().max(longest / beside).clamp(1, u32::MAX as usize);
    let cut = match longest > most {
        true => indices.axis(0).refine(&AxisChunks::regular(indices.shape()[0], most))?,
        false => indices.axis(0).clone(),
    };
    Ok(Take { axis, cells: cells::cells(grid, &[axis]).swap_remove(0), cut })
}

/// The error of one of two expressions that are not both arrays.
pub(super) fn first_error(a: &Expr, b: &Expr) -> Expr {
    if a.error().is_some() { a.clone() } else { b.clone() }
}

/// Indices of any integer type as `i64`.
pub(super) fn wide(indices: &Expr, origin: &'static Location<'static>) -> Result<Expr, ExprError> {
    match indices.dtype() {
        Some(dtype) if !dtype.is_integer() => Err(ExprError::DType(vec![dtype])),
        // What is beyond the largest i64 must not come round to a negative index.
        Some(DType::U64) => {
            let most = Expr::literal(Scalar::U64(i64::MAX as u64), origin);
            let least = Expr::element(BinaryOp::Minimum.into(), &[indices, &most], origin);
            Ok(least.cast(DType::I64, origin))
        }
        _ => Ok(indices.cast(DType::I64, origin)),
    }
}
