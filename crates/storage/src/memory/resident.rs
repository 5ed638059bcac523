//! An array held as the blocks it was computed in.

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSource, DType, ReadCost, Region, SourceError};

use crate::bounds::{check_chunk, check_region};

/// An array held as already computed blocks: what `persist()` gives.
///
/// A region inside one block is a view of it; any other is put together from its blocks.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSource, DType, Region, Scalar};
/// use chunkwise_storage::ResidentSource;
/// let grid = ChunkGrid::regular(&[4], &[2]);
/// let blocks = vec![Chunk::filled(Scalar::I8(1), &[2]), Chunk::filled(Scalar::I8(2), &[2])];
/// let source = ResidentSource::new(DType::I8, grid, blocks).unwrap();
/// let middle = source.read(&Region::new(&[1], &[2])).unwrap();
/// assert_eq!(middle.to_array::<i8>().unwrap(), ndarray::arr1(&[1, 2]).into_dyn());
/// assert_eq!(source.nbytes(), 4);
/// ```
#[derive(Debug, Clone)]
pub struct ResidentSource {
    dtype: DType,
    grid: ChunkGrid,
    blocks: Vec<Chunk>,
}

impl ResidentSource {
    /// The array with these blocks, given in C order of the grid.
    ///
    /// # Errors
    /// When there are more or fewer blocks than the grid has, or one has another type or shape.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkGrid, DType};
    /// use chunkwise_storage::ResidentSource;
    /// let one = vec![Chunk::zeros(DType::F32, &[2])];
    /// let err = ResidentSource::new(DType::F32, ChunkGrid::regular(&[4], &[2]), one).unwrap_err();
    /// assert_eq!(err.to_string(), "1 blocks are given for the 2 of grid (2,)");
    /// ```
    pub fn new(dtype: DType, grid: ChunkGrid, blocks: Vec<Chunk>) -> Result<ResidentSource, SourceError> {
        if blocks.len() != grid.num_blocks() {
            let (found, expected) = (blocks.len(), grid.num_blocks());
            return Err(SourceError::message(format!(
                "{found} blocks are given for the {expected} of grid {grid}"
            )));
        }
        for (index, chunk) in grid.blocks().zip(&blocks) {
            check_chunk(&grid.region(&index), chunk, dtype)?;
        }
        Ok(ResidentSource { dtype, grid, blocks })
    }

    /// Bytes of all blocks together.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkGrid, DType};
    /// use chunkwise_storage::ResidentSource;
    /// let whole = vec![Chunk::zeros(DType::F64, &[10])];
    /// assert_eq!(ResidentSource::new(DType::F64, ChunkGrid::whole(&[10]), whole).unwrap().nbytes(), 80);
    /// ```
    pub fn nbytes(&self) -> usize {
        self.blocks.iter().fold(0, |sum: usize, block| sum.saturating_add(block.nbytes()))
    }

    /// The blocks in C order of the grid.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkGrid, DType};
    /// use chunkwise_storage::ResidentSource;
    /// let whole = vec![Chunk::zeros(DType::F64, &[10])];
    /// assert_eq!(ResidentSource::new(DType::F64, ChunkGrid::whole(&[10]), whole).unwrap().blocks().len(), 1);
    /// ```
    pub fn blocks(&self) -> &[Chunk] {
        &self.blocks
    }

    fn assemble(&self, region: &Region) -> Result<Chunk, SourceError> {
        let parts: Vec<(Region, Chunk)> = self
            .grid
            .blocks_in(region)
            .map(|index| {
                let block = self.grid.region(&index);
                let common = block.intersect(region);
                let part = self.blocks[self.grid.linear(&index)].part(&common.relative_to(&block));
                (common.relative_to(region), part)
            })
            .collect();
        let parts = parts.iter().map(|(at, part)| (at.clone(), part));
        Chunk::assemble(self.dtype, region.shape(), parts).map_err(|e| SourceError::message(e.to_string()))
    }
}

impl ChunkSource for ResidentSource {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.grid.shape()
    }

    fn name(&self) -> String {
        "persisted".into()
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Free
    }

    fn native_chunks(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        check_region(region, self.shape())?;
        let mut inside = self.grid.blocks_in(region);
        match (inside.next(), inside.next()) {
            (Some(index), None) => {
                let block = self.grid.region(&index);
                Ok(self.blocks[self.grid.linear(&index)].part(&region.relative_to(&block)))
            }
            _ => self.assemble(region),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::{AxisChunks, Scalar};

    fn blocks(grid: &ChunkGrid) -> Vec<Chunk> {
        let value = |i| Scalar::I32(i as i32);
        grid.blocks().enumerate().map(|(i, b)| Chunk::filled(value(i), grid.region(&b).shape())).collect()
    }

    #[test]
    fn read_of_a_block_shares_it() {
        let grid = ChunkGrid::regular(&[5, 4], &[3, 4]);
        let source = ResidentSource::new(DType::I32, grid.clone(), blocks(&grid)).unwrap();
        let block = source.read(&grid.region(&[1, 0])).unwrap();
        assert_eq!(
            block.typed::<i32>().unwrap().as_ptr(),
            source.blocks()[1].typed::<i32>().unwrap().as_ptr()
        );
        assert_eq!(source.nbytes(), 80);
    }

    #[test]
    fn empty_blocks_are_skipped() {
        let grid = ChunkGrid::new([AxisChunks::explicit(3, &[0, 2, 0, 1]).unwrap()]);
        let source = ResidentSource::new(DType::I32, grid.clone(), blocks(&grid)).unwrap();
        let all = source.read(&Region::whole(&[3])).unwrap().to_array::<i32>().unwrap();
        assert_eq!(all, ndarray::arr1(&[1, 1, 3]).into_dyn());
    }

    #[test]
    fn wrong_blocks_are_refused() {
        let grid = ChunkGrid::regular(&[4], &[2]);
        let one = Chunk::zeros(DType::I32, &[2]);
        assert!(ResidentSource::new(DType::I32, grid.clone(), vec![one.clone()]).is_err());
        let countless = ChunkGrid::regular(&[1 << 40, 1 << 40], &[1, 1]);
        assert!(ResidentSource::new(DType::I32, countless, Vec::new()).is_err());
        let other = Chunk::zeros(DType::F32, &[2]);
        let err = ResidentSource::new(DType::I32, grid, vec![one, other]).unwrap_err();
        assert_eq!(err.to_string(), "a block of f32 cannot be written to an array of i32");
    }
}
