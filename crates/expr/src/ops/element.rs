//! Elementwise operations over arrays: broadcasting and the common grid.

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid, DType, Region};
use smallvec::SmallVec;

use crate::{ElementOp, ExprError, Meta, Need, Needs};

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
    Ok(ChunkGrid::new(axes?))
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
    fn shapes_that_do_not_broadcast_are_named() {
        let err = add(ChunkGrid::whole(&[0]), ChunkGrid::whole(&[2])).unwrap_err();
        assert_eq!(err, "shapes [0] and [2] do not broadcast");
        assert_eq!(add(ChunkGrid::whole(&[0]), ChunkGrid::whole(&[1])).unwrap(), "(1,)");
    }
}
