//! The common blocks of several arrays that broadcast.

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid};
use chunkwise_expr::ExprError;

/// The coarsest grid whose every block lies in one block of each array; axes align at the end, and axes of length 1
/// repeat. The grid of a single array is its own.
pub(crate) fn common_grid(grids: &[&ChunkGrid]) -> Result<ChunkGrid, ExprError> {
    let [first, rest @ ..] = grids else {
        return Err(ExprError::Message("there must be at least one array".into()));
    };
    rest.iter().try_fold((*first).clone(), |common, grid| refined(&common, grid))
}

fn refined(a: &ChunkGrid, b: &ChunkGrid) -> Result<ChunkGrid, ExprError> {
    let ndim = a.ndim().max(b.ndim());
    let mismatch = || ChunkError::Broadcast { left: a.shape().into(), right: b.shape().into() };
    let cut = |axis| match (from_end(a, ndim, axis), from_end(b, ndim, axis)) {
        (Some(a), Some(b)) if a.len() == b.len() => a.refine(b),
        (Some(one), Some(many)) | (Some(many), Some(one)) if one.len() == 1 => Ok(many.clone()),
        (Some(only), None) | (None, Some(only)) => Ok(only.clone()),
        _ => Err(mismatch()),
    };
    let axes = (0..ndim).map(cut).collect::<Result<Vec<AxisChunks>, ChunkError>>()?;
    Ok(ChunkGrid::new(axes))
}

/// Axis `axis` of `ndim` when the grid's axes align at the end.
fn from_end(grid: &ChunkGrid, ndim: usize, axis: usize) -> Option<&AxisChunks> {
    (axis + grid.ndim()).checked_sub(ndim).map(|axis| grid.axis(axis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lie_in_one_block_of_every_array() {
        let (a, b) = (ChunkGrid::regular(&[6, 4], &[4, 4]), ChunkGrid::regular(&[6, 1], &[3, 1]));
        assert_eq!(common_grid(&[&a, &b]).unwrap().to_string(), "([3, 1, 2], 4)");
        assert_eq!(common_grid(&[&b]).unwrap(), b);
        assert!(common_grid(&[&a, &ChunkGrid::whole(&[3])]).is_err());
        assert!(common_grid(&[]).is_err());
    }
}
