//! What every source and sink checks before it touches an element.

use chunkwise_chunk::{BlockIndex, Chunk, ChunkGrid, DType, Region, SourceError};

/// Checks that a region lies inside an array of this shape.
pub(crate) fn check_region(region: &Region, shape: &[usize]) -> Result<(), SourceError> {
    let ends = region.start().iter().zip(region.shape()).map(|(&start, &len)| start.checked_add(len));
    let inside =
        region.ndim() == shape.len() && ends.zip(shape).all(|(end, &len)| end.is_some_and(|end| end <= len));
    if inside {
        return Ok(());
    }
    Err(SourceError::Region { region: Box::new(region.clone()), shape: shape.into() })
}

/// Checks that a block has the type of the array and the shape of its region.
pub(crate) fn check_chunk(region: &Region, chunk: &Chunk, dtype: DType) -> Result<(), SourceError> {
    if chunk.dtype() != dtype {
        let found = chunk.dtype();
        return Err(SourceError::message(format!(
            "a block of {found} cannot be written to an array of {dtype}"
        )));
    }
    if chunk.shape() != region.shape() {
        let found = chunk.shape();
        return Err(SourceError::message(format!(
            "a block of shape {found:?} does not fill region {region}"
        )));
    }
    Ok(())
}

/// The block of the grid that is just this region.
pub(crate) fn block_at(grid: &ChunkGrid, region: &Region) -> Option<BlockIndex> {
    (0..grid.ndim())
        .map(|a| {
            let (axis, want) = (grid.axis(a), region.start()[a]..region.end(a));
            if want.is_empty() {
                return (0..axis.count()).find(|&i| axis.range(i) == want);
            }
            let block = axis.block_of(want.start);
            (axis.range(block) == want).then_some(block)
        })
        .collect()
}

/// Checks that a region is one block of the grid.
pub(crate) fn check_block(grid: &ChunkGrid, region: &Region) -> Result<BlockIndex, SourceError> {
    check_region(region, grid.shape())?;
    block_at(grid, region).ok_or_else(|| {
        let shape = grid.shape();
        SourceError::message(format!(
            "region {region} is not one block of the grid {grid} of shape {shape:?}"
        ))
    })
}

/// Bytes of an array of this shape.
///
/// Axes of length 0 count as 1 in the check for overflow, as they do for ndarray.
pub(crate) fn checked_nbytes(dtype: DType, shape: &[usize]) -> Result<usize, SourceError> {
    let most = shape.iter().try_fold(dtype.itemsize(), |bytes, &n| bytes.checked_mul(n.max(1)));
    match most {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(if shape.contains(&0) { 0 } else { bytes }),
        _ => Err(SourceError::message(format!(
            "shape {shape:?} of {dtype} has more bytes than this machine can address"
        ))),
    }
}

/// Bytes of a block of this shape; saturates.
pub(crate) fn saturating_nbytes(dtype: DType, shape: &[usize]) -> usize {
    Region::whole(shape).len().saturating_mul(dtype.itemsize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::AxisChunks;

    #[test]
    fn region_that_overflows_is_outside() {
        assert!(check_region(&Region::new(&[usize::MAX], &[2]), &[5]).is_err());
        assert!(check_region(&Region::new(&[0], &[2]), &[5, 5]).is_err());
        assert!(check_region(&Region::new(&[5], &[0]), &[5]).is_ok());
    }

    #[test]
    fn only_whole_blocks_are_blocks() {
        let grid = ChunkGrid::regular(&[10, 6], &[4, 6]);
        assert_eq!(block_at(&grid, &Region::new(&[8, 0], &[2, 6])).as_deref(), Some(&[2, 0][..]));
        assert!(block_at(&grid, &Region::new(&[8, 0], &[1, 6])).is_none());
        assert!(block_at(&grid, &Region::new(&[1, 0], &[4, 6])).is_none());
        assert!(check_block(&grid, &Region::new(&[9, 0], &[4, 6])).is_err());
    }

    #[test]
    fn empty_blocks_are_found() {
        let grid = ChunkGrid::new([AxisChunks::explicit(5, &[0, 3, 0, 2]).unwrap()]);
        assert_eq!(block_at(&grid, &Region::new(&[3], &[0])).as_deref(), Some(&[2][..]));
        assert!(block_at(&grid, &Region::new(&[1], &[0])).is_none());
        assert!(block_at(&ChunkGrid::whole(&[0]), &Region::new(&[0], &[0])).is_some());
    }

    #[test]
    fn sizes_are_checked_for_overflow() {
        assert_eq!(checked_nbytes(DType::F32, &[3, 4]).unwrap(), 48);
        assert_eq!(checked_nbytes(DType::F32, &[0, 4]).unwrap(), 0);
        assert!(checked_nbytes(DType::F32, &[1 << 40, 1 << 40]).is_err());
        assert!(checked_nbytes(DType::F32, &[0, 1 << 40, 1 << 40]).is_err());
    }

    #[test]
    fn sizes_of_what_cannot_be_saturate() {
        assert_eq!(saturating_nbytes(DType::F32, &[3, 4]), 48);
        assert_eq!(saturating_nbytes(DType::F64, &[usize::MAX / 4]), usize::MAX);
        assert_eq!(saturating_nbytes(DType::F64, &[1 << 40, 1 << 40]), usize::MAX);
        assert_eq!(saturating_nbytes(DType::F64, &[1 << 40, 1 << 40, 0]), 0);
    }

    #[test]
    fn block_for_a_region_that_overflows_is_refused() {
        let region = Region::new(&[usize::MAX], &[2]);
        let message =
            check_chunk(&region, &Chunk::zeros(DType::U8, &[1]), DType::U8).unwrap_err().to_string();
        assert!(message.contains(&region.to_string()), "{message}");
        assert!(check_block(&ChunkGrid::whole(&[4]), &region).is_err());
    }
}
