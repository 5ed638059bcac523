//! Elements along one axis, at indices of their own for every lane.

use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{AsBits, AxisChunks, Chunk, ChunkError, ChunkGrid, Region, View, dispatch};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayViewD, ArrayViewMutD, Axis, Zip};

use super::points::checked_axis;
use super::take::{check, first_error, position, wide};
use super::{begun, cells};

/// The elements of its first input at the indices that its second one holds for each place; both have the same lengths
/// but along the axis.
///
/// As [`Take`](super::Take) it has a step for every part of the source along the axis.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TakeAlong {
    axis: usize,
    /// The parts of the axis of the source.
    cells: AxisChunks,
}

impl TakeAlong {
    /// The axis.
    pub fn axis(&self) -> usize {
        self.axis
    }
}

impl fmt::Display for TakeAlong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "take_along_axis[axis {}]", self.axis)
    }
}

impl BlockRule for TakeAlong {
    fn name(&self) -> &str {
        "take_along_axis"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let (source, indices) = (inputs[0].grid(), inputs[1].grid());
        let cut = |axis: usize| match axis == self.axis {
            true => Ok(indices.axis(axis).clone()),
            false => source.axis(axis).refine(indices.axis(axis)),
        };
        let axes: Result<Vec<AxisChunks>, ChunkError> = (0..source.ndim()).map(cut).collect();
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid: ChunkGrid::new(axes?) })
    }

    fn steps(&self, _: &[&Meta]) -> usize {
        self.cells.count()
    }

    fn needs(&self, block: &Region, step: usize, _: &[&Meta]) -> Needs {
        let cell = self.cells.range(step);
        let mut region = block.clone();
        region.set_axis(self.axis, cell.start, cell.len());
        let indices = Need { input: 1, region: block.clone() };
        let source = (!cell.is_empty()).then_some(Need { input: 0, region });
        std::iter::once(indices).chain(source).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let indices = step.operands[0].typed::<i64>()?.view();
        let len = self.cells.len();
        if step.number == 0 {
            check(&indices, self.axis, len)?;
        }
        let start = self.cells.range(step.number).start;
        let dtype = step.inputs[0].dtype();
        let mut out = begun(step.before, dtype, step.block.shape());
        if let Some(source) = step.operands.get(1) {
            let inside = |index: i64| position(index, len).wrapping_sub(start);
            dispatch!(Bits: dtype, W => {
                pick(out.bits_mut::<W>()?, indices, source.bits::<W>()?, Axis(self.axis), inside);
            });
        }
        Ok(out)
    }
}

/// Sets every place whose index lies in this part of the source; `inside` says where, or a number beyond its end.
fn pick<T: AsBits>(
    mut out: ArrayViewMutD<'_, T>,
    indices: ArrayViewD<'_, i64>,
    source: ArrayViewD<'_, T>,
    axis: Axis,
    inside: impl Fn(i64) -> usize,
) {
    let lanes = Zip::from(out.lanes_mut(axis)).and(indices.lanes(axis)).and(source.lanes(axis));
    lanes.for_each(|out, indices, source| {
        Zip::from(out).and(indices).for_each(|out, &index| {
            if let Some(&x) = source.get(inside(index)) {
                *out = x;
            }
        });
    });
}

/// The elements at `indices` along an axis: `out[i, j] = input[indices[i, j], j]` for axis 0. Both have equally many axes;
/// lengths other than that of the axis must be equal or 1.
pub fn take_along_axis(
    input: &Expr,
    indices: &Expr,
    axis: usize,
    origin: &'static Location<'static>,
) -> Expr {
    let (Some(grid), Some(_)) = (input.grid(), indices.grid()) else { return first_error(input, indices) };
    let built = checked_axis(axis, grid.shape())
        .and_then(|()| aligned(input, indices, axis, origin))
        .and_then(|(input, indices)| Ok((input, wide(&indices, origin)?)));
    match built {
        Ok((input, indices)) => {
            let Some(grid) = input.grid() else { return input };
            let cells = cells::cells(grid, &[axis]).swap_remove(0);
            Expr::blockwise(TakeAlong { axis, cells }, &[&input, &indices], origin)
        }
        Err(cause) => Expr::invalid("take_along_axis", cause, origin),
    }
}

/// Both arrays with equal lengths but for the axis.
fn aligned(
    input: &Expr,
    indices: &Expr,
    axis: usize,
    origin: &'static Location<'static>,
) -> Result<(Expr, Expr), ExprError> {
    let (own, other) = (input.shape(), indices.shape());
    let misfit = || ChunkError::Broadcast { left: own.into(), right: other.into() };
    if own.len() != other.len() {
        return Err(misfit().into());
    }
    let common = |at: usize| match (own[at], other[at]) {
        (a, b) if at == axis || a == b || b == 1 => Ok(a),
        (1, b) => Ok(b),
        _ => Err(misfit()),
    };
    let of_input = (0..own.len()).map(common).collect::<Result<Vec<usize>, ChunkError>>()?;
    let mut of_indices = of_input.clone();
    of_indices[axis] = other[axis];
    let repeated = |x: &Expr, shape: &[usize]| {
        Expr::view("take_along_axis", x, View::broadcast(x.shape(), shape), origin)
    };
    Ok((repeated(input, &of_input), repeated(indices, &of_indices)))
}
