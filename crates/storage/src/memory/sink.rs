//! The destination of `compute()`: one array, written by blocks in parallel.

use std::fmt;

use chunkwise_chunk::{
    Chunk, ChunkGrid, ChunkSink, DType, Element, Filler, Lent, Region, Room, SourceError, dispatch,
};

use super::buffer::BlockBuffer;
use crate::bounds::{check_chunk, saturating_nbytes};

/// One array in memory, allocated once and written by blocks from any number of threads.
///
/// The memory is not filled first, and the finished array is handed out without a copy. Each block of the
/// grid is written by one call; blocks may come in any order.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, DType, Scalar};
/// use chunkwise_storage::MemorySink;
/// let grid = ChunkGrid::regular(&[3], &[2]);
/// let sink = MemorySink::new(DType::U8, &grid).unwrap();
/// sink.write(&grid.region(&[1]), &Chunk::filled(Scalar::U8(9), &[1])).unwrap();
/// sink.write(&grid.region(&[0]), &Chunk::filled(Scalar::U8(1), &[2])).unwrap();
/// sink.finish().unwrap();
/// let array = sink.into_chunk().unwrap().into_array::<u8>().unwrap();
/// assert_eq!(array, ndarray::arr1(&[1, 1, 9]).into_dyn());
/// ```
pub struct MemorySink {
    dtype: DType,
    grid: ChunkGrid,
    target: Box<dyn Target>,
}

impl MemorySink {
    /// Allocates the array that the grid cuts.
    ///
    /// # Errors
    /// When its size overflows or there is no memory for it.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkGrid, ChunkSink, DType};
    /// use chunkwise_storage::MemorySink;
    /// let grid = ChunkGrid::regular(&[10, 10], &[5, 5]);
    /// assert_eq!(MemorySink::new(DType::F32, &grid).unwrap().write_grid(), Some(grid));
    /// assert!(MemorySink::new(DType::F32, &ChunkGrid::whole(&[usize::MAX])).is_err());
    /// ```
    pub fn new(dtype: DType, grid: &ChunkGrid) -> Result<MemorySink, SourceError> {
        MemorySink::reusing(Room::new(dtype), grid)
    }

    /// The array that the grid cuts in memory that was used before, if that is large enough; else in fresh memory.
    ///
    /// # Errors
    /// As [`new`](MemorySink::new).
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, DType, Region};
    /// use chunkwise_storage::MemorySink;
    /// let earlier = Chunk::zeros(DType::F64, &[100]).into_room().unwrap();
    /// let sink = MemorySink::reusing(earlier, &ChunkGrid::whole(&[7])).unwrap();
    /// sink.write(&Region::whole(&[7]), &Chunk::zeros(DType::F64, &[7])).unwrap();
    /// assert_eq!(sink.into_chunk().unwrap().shape(), [7]);
    /// ```
    pub fn reusing(room: Room, grid: &ChunkGrid) -> Result<MemorySink, SourceError> {
        let dtype = room.dtype();
        let target: Box<dyn Target> = dispatch!(dtype, T => {
            // Dispatched on the room's own type, so the vector is always there.
            Box::new(BlockBuffer::new(grid, room.into_vec::<T>().unwrap_or_default())?)
        });
        Ok(MemorySink { dtype, grid: grid.clone(), target })
    }

    /// Bytes of the array.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkGrid, DType};
    /// let sink = chunkwise_storage::MemorySink::new(DType::F32, &ChunkGrid::whole(&[10])).unwrap();
    /// assert_eq!(sink.nbytes(), 40);
    /// ```
    pub fn nbytes(&self) -> usize {
        saturating_nbytes(self.dtype, self.grid.shape())
    }

    /// The finished array, from a sink that is shared; it can be taken once.
    ///
    /// # Errors
    /// When a block was never written, or the array was taken before.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, DType, Region};
    /// let sink = chunkwise_storage::MemorySink::new(DType::F32, &ChunkGrid::whole(&[2])).unwrap();
    /// assert!(sink.take().is_err());
    /// sink.write(&Region::whole(&[2]), &Chunk::zeros(DType::F32, &[2])).unwrap();
    /// assert_eq!(sink.take().unwrap().shape(), [2]);
    /// assert!(sink.take().is_err());
    /// ```
    pub fn take(&self) -> Result<Chunk, SourceError> {
        self.target.take()
    }

    /// The finished array.
    ///
    /// # Errors
    /// When a block was never written, or the array was taken before.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkGrid, DType};
    /// use chunkwise_storage::MemorySink;
    /// let nothing_to_write = MemorySink::new(DType::U8, &ChunkGrid::whole(&[0, 3])).unwrap();
    /// assert_eq!(nothing_to_write.into_chunk().unwrap().shape(), [0, 3]);
    /// ```
    pub fn into_chunk(self) -> Result<Chunk, SourceError> {
        self.take()
    }
}

impl ChunkSink for MemorySink {
    fn write_grid(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    fn write(&self, region: &Region, chunk: &Chunk) -> Result<(), SourceError> {
        check_chunk(region, chunk, self.dtype)?;
        self.target.write(region, chunk)
    }

    fn lends(&self) -> Option<Lent> {
        Some(self.target.lent())
    }

    fn fill(&self, region: &Region, fill: &mut Filler<'_>) -> Result<(), SourceError> {
        self.target.fill(region, fill)
    }

    fn finish(&self) -> Result<(), SourceError> {
        self.target.check_complete()
    }
}

impl fmt::Debug for MemorySink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemorySink<{}>{:?} in {}", self.dtype, self.grid.shape(), self.grid)
    }
}

/// A buffer of any element type.
trait Target: Send + Sync {
    fn write(&self, region: &Region, chunk: &Chunk) -> Result<(), SourceError>;
    fn fill(&self, region: &Region, fill: &mut Filler<'_>) -> Result<(), SourceError>;
    fn lent(&self) -> Lent;
    fn check_complete(&self) -> Result<(), SourceError>;
    fn take(&self) -> Result<Chunk, SourceError>;
}

impl<T: Element> Target for BlockBuffer<T> {
    fn write(&self, region: &Region, chunk: &Chunk) -> Result<(), SourceError> {
        let array = chunk.typed::<T>().map_err(|e| SourceError::message(e.to_string()))?;
        BlockBuffer::write(self, region, array.view())
    }

    fn fill(&self, region: &Region, fill: &mut Filler<'_>) -> Result<(), SourceError> {
        BlockBuffer::fill(self, region, fill)
    }

    fn lent(&self) -> Lent {
        BlockBuffer::lent(self)
    }

    fn check_complete(&self) -> Result<(), SourceError> {
        BlockBuffer::check_complete(self)
    }

    fn take(&self) -> Result<Chunk, SourceError> {
        BlockBuffer::take(self).map(Chunk::from_array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::Scalar;

    #[test]
    fn region_that_is_no_block_is_refused() {
        let sink = MemorySink::new(DType::F64, &ChunkGrid::regular(&[4], &[2])).unwrap();
        let write =
            |start, len| sink.write(&Region::new(&[start], &[len]), &Chunk::zeros(DType::F64, &[len]));
        assert!(write(1, 2).unwrap_err().to_string().contains("is not one block of the grid (2,)"));
        assert!(write(0, 4).is_err());
        assert!(write(4, 2).is_err());
        write(0, 2).unwrap();
        assert!(write(0, 2).unwrap_err().to_string().contains("written twice"));
        assert!(sink.finish().unwrap_err().to_string().contains("[2..4]"));
    }

    #[test]
    fn region_beyond_every_index_is_refused() {
        let sink = MemorySink::new(DType::F64, &ChunkGrid::whole(&[4])).unwrap();
        for (start, len) in [(usize::MAX, 4), (usize::MAX, 1), (4, usize::MAX), (1, usize::MAX)] {
            assert!(sink.write(&Region::new(&[start], &[len]), &Chunk::zeros(DType::F64, &[4])).is_err());
        }
    }

    #[test]
    fn block_of_other_type_or_shape_is_refused() {
        let sink = MemorySink::new(DType::F64, &ChunkGrid::whole(&[2])).unwrap();
        let whole = Region::whole(&[2]);
        assert!(sink.write(&whole, &Chunk::zeros(DType::F32, &[2])).is_err());
        assert!(sink.write(&whole, &Chunk::zeros(DType::F64, &[1])).is_err());
        sink.write(&whole, &Chunk::filled(Scalar::F64(1.0), &[2])).unwrap();
        sink.finish().unwrap();
    }

    #[test]
    fn impossible_size_is_an_error() {
        let huge = ChunkGrid::whole(&[1 << 40, 1 << 40]);
        assert!(MemorySink::new(DType::F64, &huge).unwrap_err().to_string().contains("address"));
        let longest = ChunkGrid::regular(&[isize::MAX as usize / 8], &[1]);
        assert!(MemorySink::new(DType::F64, &longest).is_err());
        let large = ChunkGrid::whole(&[1 << 58]);
        assert!(MemorySink::new(DType::F64, &large).unwrap_err().to_string().contains("memory"));
    }
}
