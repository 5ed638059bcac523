//! Elementwise operations over arrays: broadcasting and the common grid.
//!
//! The common grid is the refinement: each of its blocks lies in one block of every operand, so nothing is put together.
//! Where that would be slivers, it is the coarser of the two cuts on each axis: a block of it is gathered from several of
//! the other operand, at the cost of a copy, which is less than that of a task for each sliver.

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid, DType, Region};
use smallvec::SmallVec;

use crate::{ElementOp, ExprError, Meta, Need, Needs};

/// Elements of a block that take as long as what a task costs besides, times ten or so.
const SLIVER: usize = 1 << 14;

/// Blocks that are few however small.
const FEW_BLOCKS: usize = 256;

/// Elements of a block that is put together, unless an operand has larger ones: 8 MiB of doubles.
const MOST_GATHERED: usize = 1 << 20;

/// Checks types, broadcasts shapes and refines the grids to a common one.
pub(crate) fn infer(op: &ElementOp, inputs: &[&Meta]) -> Result<Meta, ExprError> {
    let types: SmallVec<[DType; 3]> = inputs.iter().map(|input| input.dtype()).collect();
    let dtype = op.output(&types).ok_or_else(|| refused(op, &types))?;
    let mut grid = inputs[0].grid().clone();
    for input in &inputs[1..] {
        grid = broadcast(&grid, input.grid())?;
    }
    Ok(Meta::Array { dtype, grid })
}

fn refused(op: &ElementOp, types: &[DType]) -> ExprError {
    match (op, types) {
        (ElementOp::Cast(to), [from]) => {
            let why =
                format!("complex elements ({from}) have no value of type {to}; use re(), im() or abs()");
            ExprError::Message(why)
        }
        _ => ExprError::DType(types.to_vec()),
    }
}

/// The input regions that a region of a broadcast space needs: axes align at the end, length 1 repeats.
///
/// ```
/// use chunkwise_chunk::{ChunkGrid, DType, Region};
/// use chunkwise_expr::{Meta, element_needs};
/// let row = Meta::Array { dtype: DType::F64, grid: ChunkGrid::whole(&[4]) };
/// let needs = element_needs(&Region::new(&[2, 1], &[1, 3]), &[&row]);
/// assert_eq!(needs[0].region, Region::new(&[1], &[3]));
/// ```
pub fn needs(region: &Region, inputs: &[&Meta]) -> Needs {
    let regions = inputs.iter().map(|input| aligned(region, input.grid().shape()));
    regions.enumerate().map(|(input, region)| Need { input, region }).collect()
}

fn aligned(region: &Region, shape: &[usize]) -> Region {
    let lead = region.ndim() - shape.len();
    let mut part = Region::whole(shape);
    for (axis, &n) in shape.iter().enumerate() {
        if n != 1 {
            part.set_axis(axis, region.start()[lead + axis], region.shape()[lead + axis]);
        }
    }
    part
}

fn broadcast(a: &ChunkGrid, b: &ChunkGrid) -> Result<ChunkGrid, ExprError> {
    if a == b || b.ndim() == 0 {
        return Ok(a.clone());
    }
    if a.ndim() == 0 {
        return Ok(b.clone());
    }
    let ndim = a.ndim().max(b.ndim());
    let mismatch = || ChunkError::Broadcast { left: a.shape().into(), right: b.shape().into() };
    let axes: Result<SmallVec<[AxisChunks; 6]>, ChunkError> = (0..ndim)
        .map(|axis| match (from_end(a, ndim, axis), from_end(b, ndim, axis)) {
            (Some(one), None) | (None, Some(one)) => Ok(one.clone()),
            (Some(a), Some(b)) if a.len() == b.len() => a.refine(b),
            (Some(a), Some(b)) if a.len() == 1 => Ok(b.clone()),
            (Some(a), Some(b)) if b.len() == 1 => Ok(a.clone()),
            _ => Err(mismatch()),
        })
        .collect();
    let refined = ChunkGrid::new(axes?);
    Ok(without_slivers(&refined, a, b).unwrap_or(refined))
}

/// The coarser of the cuts on each axis, where the refinement has many blocks that are small, and it has half as many or
/// fewer, none of which is large.
fn without_slivers(refined: &ChunkGrid, a: &ChunkGrid, b: &ChunkGrid) -> Option<ChunkGrid> {
    let elements = |shape: &[usize]| shape.iter().fold(1usize, |n, &len| n.saturating_mul(len));
    let blocks = refined.num_blocks();
    if blocks <= FEW_BLOCKS || elements(refined.shape()) / blocks >= SLIVER {
        return None;
    }
    let ndim = refined.ndim();
    let coarser = ChunkGrid::new((0..ndim).map(|axis| {
        let own = refined.axis(axis);
        let cuts = [a, b].into_iter().filter_map(|grid| from_end(grid, ndim, axis));
        let whole = cuts.filter(|cut| cut.len() == own.len() && own.len() > 1);
        whole.min_by_key(|cut| cut.count()).unwrap_or(own).clone()
    }));
    let largest = |grid: &ChunkGrid| elements(&grid.max_chunk());
    let most = MOST_GATHERED.max(largest(a)).max(largest(b));
    (coarser.num_blocks() <= blocks / 2 && largest(&coarser) <= most).then_some(coarser)
}

/// Axis `axis` of `ndim` when the grid's axes align at the end.
fn from_end(grid: &ChunkGrid, ndim: usize, axis: usize) -> Option<&AxisChunks> {
    (axis + grid.ndim()).checked_sub(ndim).map(|axis| grid.axis(axis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BinaryOp;

    fn add(a: ChunkGrid, b: ChunkGrid) -> Result<String, String> {
        let meta = |grid| Meta::Array { dtype: DType::F64, grid };
        let out = infer(&BinaryOp::Add.into(), &[&meta(a), &meta(b)]);
        out.map(|m| m.grid().to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn grids_are_refined_and_unit_axes_do_not_force_a_cut() {
        let (a, b) = (ChunkGrid::regular(&[6, 4], &[4, 4]), ChunkGrid::regular(&[6, 1], &[3, 1]));
        assert_eq!(add(a, b).unwrap(), "([3, 1, 2], 4)");
        let (a, b) = (ChunkGrid::regular(&[4], &[2]), ChunkGrid::regular(&[3, 4], &[1, 4]));
        assert_eq!(add(a, b).unwrap(), "(1, 2)");
    }

    #[test]
    fn slivers_are_put_together() {
        let grid = |chunk| ChunkGrid::regular(&[1_000_000], &[chunk]);
        // Cuts that interleave, and tiny blocks beside good ones.
        assert_eq!(add(grid(5000), grid(4999)).unwrap(), "(5000,)");
        assert_eq!(add(grid(100), grid(10_000)).unwrap(), "(10000,)");
        // Good blocks, few blocks, and blocks that would be large stay.
        assert!(add(grid(50_000), grid(49_999)).unwrap().starts_with("([49999, 1, 49998,"));
        assert_eq!(add(ChunkGrid::regular(&[200], &[1]), ChunkGrid::whole(&[200])).unwrap(), "(1,)");
        let (rows, columns) = ([1, 1 << 12], [1 << 12, 1]);
        let square = |chunk: &[usize]| ChunkGrid::regular(&[1 << 12, 1 << 12], chunk);
        assert_eq!(add(square(&rows), square(&columns)).unwrap(), "(1, 1)");
    }

    #[test]
    fn shapes_that_do_not_broadcast_are_named() {
        let err = add(ChunkGrid::whole(&[0]), ChunkGrid::whole(&[2])).unwrap_err();
        assert_eq!(err, "shapes [0] and [2] do not broadcast");
        assert_eq!(add(ChunkGrid::whole(&[0]), ChunkGrid::whole(&[1])).unwrap(), "(1,)");
    }
}
