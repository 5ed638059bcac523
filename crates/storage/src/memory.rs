//! Arrays in memory: one that is there, one held as blocks, and one that is being written.
//!
//! Owns no computation and no spilling: what is here stays here until it is dropped.

mod buffer;
mod resident;
mod sink;

use chunkwise_chunk::{Chunk, ChunkSource, DType, Element, ReadCost, Region, SourceError};
use ndarray::{ArcArray, ArrayD, IxDyn};

use crate::bounds::check_region;

pub use resident::ResidentSource;
pub use sink::MemorySink;

/// An array that is in memory already. A read is a view: it copies nothing.
///
/// ```
/// use chunkwise_chunk::{ChunkSource, Region};
/// use chunkwise_storage::MemorySource;
/// let source = MemorySource::new(ndarray::arr1(&[1, 2, 3]).into_dyn().into_shared());
/// let part = source.read(&Region::new(&[1], &[2])).unwrap();
/// assert_eq!(part.to_array::<i32>().unwrap(), ndarray::arr1(&[2, 3]).into_dyn());
/// ```
#[derive(Debug, Clone)]
pub struct MemorySource {
    chunk: Chunk,
}

impl MemorySource {
    /// The source of a shared array; its elements are not copied.
    ///
    /// ```
    /// use chunkwise_chunk::ChunkSource;
    /// use chunkwise_storage::MemorySource;
    /// let shared = ndarray::ArcArray::<f32, _>::zeros((2, 3)).into_dyn();
    /// assert_eq!(MemorySource::new(shared).shape(), [2, 3]);
    /// ```
    pub fn new<T: Element>(array: ArcArray<T, IxDyn>) -> MemorySource {
        MemorySource { chunk: T::into_chunk(array) }
    }

    /// The source of an owned array; its elements are moved, not copied.
    ///
    /// ```
    /// use chunkwise_chunk::ChunkSource;
    /// use chunkwise_storage::MemorySource;
    /// let source = MemorySource::from_array(ndarray::arr2(&[[1.0, 2.0]]).into_dyn());
    /// assert_eq!(source.shape(), [1, 2]);
    /// ```
    pub fn from_array<T: Element>(array: ArrayD<T>) -> MemorySource {
        MemorySource::new(array.into_shared())
    }

    /// The source of a block.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkSource, DType};
    /// use chunkwise_storage::MemorySource;
    /// let source = MemorySource::from_chunk(Chunk::zeros(DType::U8, &[4]));
    /// assert_eq!(source.dtype(), DType::U8);
    /// ```
    pub fn from_chunk(chunk: Chunk) -> MemorySource {
        MemorySource { chunk }
    }

    /// Bytes of the array.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// use chunkwise_storage::MemorySource;
    /// assert_eq!(MemorySource::from_chunk(Chunk::zeros(DType::F64, &[4])).nbytes(), 32);
    /// ```
    pub fn nbytes(&self) -> usize {
        self.chunk.nbytes()
    }
}

impl ChunkSource for MemorySource {
    fn dtype(&self) -> DType {
        self.chunk.dtype()
    }

    fn shape(&self) -> &[usize] {
        self.chunk.shape()
    }

    fn name(&self) -> String {
        "memory".into()
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Free
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        check_region(region, self.shape())?;
        Ok(self.chunk.part(region))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array;

    #[test]
    fn owned_array_is_not_copied() {
        let array = Array::from_shape_fn((4, 5), |(i, j)| (i * 5 + j) as f64).into_dyn();
        let at = array.as_ptr();
        let source = MemorySource::from_array(array);
        let whole = source.read(&Region::whole(&[4, 5])).unwrap();
        assert_eq!(whole.typed::<f64>().unwrap().as_ptr(), at);
        let part = source.read(&Region::new(&[2, 1], &[2, 3])).unwrap();
        assert_eq!(part.typed::<f64>().unwrap().as_ptr(), at.wrapping_add(11));
    }
}
