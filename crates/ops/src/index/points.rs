//! Elements at given points of one axis or several.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkError, ChunkGrid, Region, Shape, dispatch};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};

use super::plan::{Plan, cut_of_points};
use super::{IndexList, begun, cells, gather};

/// Elements of a block of a result that has more than a few blocks, however short those of the source are.
const LEAST_ELEMENTS: usize = 1 << 16;

/// Blocks along the axis of points that may be shorter.
const FEW_BLOCKS: usize = 1024;

/// The elements of its input at points that were given when it was built: positions along one axis, whose place the points
/// take, or along several, and then the points come first.
///
/// Each block of the result has a step for every part of the source that holds some of its points.
#[derive(Clone, Debug)]
pub struct Points {
    axes: Shape,
    plan: Arc<Plan>,
}

impl Points {
    /// The positions of every point along the axes, in the order of points.
    pub fn points(&self) -> Vec<Shape> {
        self.plan.points()
    }

    /// The axes of the input that positions are along.
    pub fn axes(&self) -> &[usize] {
        &self.axes
    }

    /// Where points are among the axes of the result.
    fn place(&self) -> usize {
        if let [axis] = self.axes[..] { axis } else { 0 }
    }

    /// The axes of the input that are those of the result but for the points, in order.
    fn others(&self, ndim: usize) -> impl Iterator<Item = usize> + '_ {
        (0..ndim).filter(|axis| !self.axes.contains(axis))
    }

    /// The positions of points that are inside the axes, in a plan for the grid of the input.
    fn new(axes: &[usize], positions: &[Vec<usize>], grid: &ChunkGrid) -> Result<Points, ExprError> {
        let cells = cells::cells(grid, axes);
        let chunk = axes.iter().fold(1usize, |n, &axis| n.saturating_mul(cells::average(grid.axis(axis))));
        // A long result is not cut like a tiny source, a palette perhaps.
        let n = positions[0].len();
        let least = (LEAST_ELEMENTS / cells::beside(grid, axes).max(1)).min(n.div_ceil(FEW_BLOCKS));
        let cut = cut_of_points(n, chunk.max(least))?;
        Ok(Points { axes: axes.into(), plan: Arc::new(Plan::new(positions, &cells, cut)?) })
    }
}

impl PartialEq for Points {
    fn eq(&self, other: &Points) -> bool {
        self.axes == other.axes && (Arc::ptr_eq(&self.plan, &other.plan) || self.plan == other.plan)
    }
}

impl Eq for Points {}

impl Hash for Points {
    /// Nothing of the points but their number: there may be millions.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.axes.hash(state);
        self.plan.cut().hash(state);
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "take[{} points of {:?}]", self.plan.len(), &self.axes[..])
    }
}

impl BlockRule for Points {
    fn name(&self) -> &str {
        "take"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let grid = inputs[0].grid();
        let mut axes: Vec<AxisChunks> =
            self.others(grid.ndim()).map(|axis| grid.axis(axis).clone()).collect();
        axes.insert(self.place(), self.plan.cut().clone());
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid: ChunkGrid::new(axes) })
    }

    fn steps(&self, _: &[&Meta]) -> usize {
        self.plan.steps()
    }

    fn needs(&self, block: &Region, step: usize, inputs: &[&Meta]) -> Needs {
        let place = self.place();
        let Some((held, _)) = self.plan.group(block.start()[place], step) else { return Needs::new() };
        let mut region = Region::whole(inputs[0].grid().shape());
        for (i, &axis) in self.axes.iter().enumerate() {
            region.set_axis(axis, held.start()[i], held.shape()[i]);
        }
        let of_block = (0..block.ndim()).filter(|&axis| axis != place);
        for (axis, own) in self.others(region.ndim()).zip(of_block) {
            region.set_axis(axis, block.start()[own], block.shape()[own]);
        }
        Needs::from_iter([Need { input: 0, region }])
    }

    fn takes(&self) -> bool {
        true
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let place = self.place();
        let group = self.plan.group(step.block.start()[place], step.number);
        let (Some((_, picks)), Some(source)) = (group, step.operands.first()) else {
            // All points of the block were taken by earlier steps.
            return Ok(step.before.expect("the first step of a block takes points"));
        };
        let mut out = begun(step.before, source.dtype(), step.block.shape());
        dispatch!(Bits: source.dtype(), W => {
            let mut elements = out.bits_mut::<W>()?;
            let elements = elements.as_slice_mut().expect("a block that is begun is in C order");
            let source = source.bits::<W>()?;
            match self.axes[..] {
                [axis] => gather::along(elements, step.block.shape()[axis], source, axis, picks),
                ref axes => {
                    gather::pointwise(elements, gather::axes_first(source, axes), axes.len(), picks);
                }
            }
        });
        Ok(out)
    }
}

/// The elements at `indices` of an axis, of which the result has the length of the list; negative ones count from the end.
///
/// Building takes O(n log n) for n indices. Blocks are as long along the axis as those of the input on the average;
/// of more than 1,024 blocks each has at least 65,536 elements.
pub fn take_list(
    name: &str,
    input: &Expr,
    indices: IndexList,
    axis: usize,
    origin: &'static Location<'static>,
) -> Expr {
    let Some(grid) = input.grid() else { return input.clone() };
    let built = checked_axis(axis, grid.shape()).and_then(|()| {
        let &[_] = indices.shape() else {
            let text = format!("indices of shape {:?} must have one axis", indices.shape());
            return Err(ExprError::Message(text));
        };
        Points::new(&[axis], &[indices.positions(axis, grid.shape())?], grid)
    });
    match built {
        Ok(points) => Expr::blockwise(points, &[input], origin),
        Err(cause) => Expr::invalid(name, cause, origin),
    }
}

/// The elements at points of several axes, given by positions along each. Points come first in the result.
pub(super) fn take_points(
    input: &Expr,
    axes: &[usize],
    positions: &[Vec<usize>],
    origin: &'static Location<'static>,
) -> Result<Expr, ExprError> {
    let Some(grid) = input.grid() else { return Ok(input.clone()) };
    Ok(Expr::blockwise(Points::new(axes, positions, grid)?, &[input], origin))
}

pub(super) fn checked_axis(axis: usize, shape: &[usize]) -> Result<(), ExprError> {
    if axis < shape.len() {
        return Ok(());
    }
    Err(ChunkError::Axis { axis: axis as isize, shape: shape.into() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tiny_source_does_not_cut_a_long_result_into_tiny_blocks() {
        let chunk = |n: usize, shape: &[usize], chunks: &[usize]| {
            let points = Points::new(&[0], &[vec![1; n]], &ChunkGrid::regular(shape, chunks)).unwrap();
            points.plan.cut().max_chunk()
        };
        assert_eq!(chunk(9, &[4], &[2]), 2);
        assert_eq!(chunk(1 << 20, &[2], &[2]), 1 << 10);
        assert_eq!(chunk(1 << 20, &[2, 1 << 12], &[2, 1 << 12]), 16);
        assert_eq!(chunk(1 << 20, &[1 << 17], &[1 << 15]), 1 << 15);
    }
}
