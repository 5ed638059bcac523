//! Arrays given by a function of the user's: of one index, or of one block.

use std::{fmt, io};

use chunkwise_chunk::{
    Chunk, ChunkGrid, ChunkSource, DType, Element, ReadCost, ReadUnit, Region, Shape, SourceError,
};
use ndarray::{ArrayD, IxDyn};

use crate::bounds::{check_block, check_region};

/// A function of the index of an element.
///
/// ```
/// use chunkwise_chunk::{ChunkSource, Region};
/// use chunkwise_storage::FnSource;
/// let table = FnSource::new(&[9, 9], |i| ((i[0] + 1) * (i[1] + 1)) as u32);
/// let part = table.read(&Region::new(&[6, 7], &[1, 2])).unwrap();
/// assert_eq!(part.to_array::<u32>().unwrap(), ndarray::arr2(&[[56, 63]]).into_dyn());
/// ```
pub struct FnSource {
    dtype: DType,
    shape: Shape,
    make: Box<dyn Fn(&Region) -> Chunk + Send + Sync>,
}

impl FnSource {
    /// The array of this shape whose element at index `i` is `f(i)`. The function should depend on nothing
    /// else: how often and in which order it is called is open.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkSource, DType};
    /// use chunkwise_storage::FnSource;
    /// assert_eq!(FnSource::new(&[10], |i| i[0] % 2 == 0).dtype(), DType::Bool);
    /// ```
    pub fn new<T, F>(shape: &[usize], f: F) -> FnSource
    where
        T: Element,
        F: Fn(&[usize]) -> T + Send + Sync + 'static,
    {
        FnSource { dtype: T::DTYPE, shape: shape.into(), make: Box::new(move |region| by_index(region, &f)) }
    }
}

impl ChunkSource for FnSource {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        "function of the index".into()
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Call
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        check_region(region, &self.shape)?;
        Ok((self.make)(region))
    }
}

impl fmt::Debug for FnSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FnSource<{}>{:?}", self.dtype, self.shape)
    }
}

/// A function of a block: called once for each block that is read, with its region of the whole array.
///
/// ```
/// use chunkwise_chunk::{ChunkGrid, ChunkSource, Region};
/// use chunkwise_storage::BlockFnSource;
/// use ndarray::{ArrayD, IxDyn};
/// let grid = ChunkGrid::regular(&[4], &[2]);
/// let starts = BlockFnSource::new(grid, |r| ArrayD::from_elem(IxDyn(r.shape()), r.start()[0] as i32));
/// let block = starts.read(&Region::new(&[2], &[2])).unwrap();
/// assert_eq!(block.to_array::<i32>().unwrap(), ndarray::arr1(&[2, 2]).into_dyn());
/// ```
pub struct BlockFnSource {
    dtype: DType,
    grid: ChunkGrid,
    make: Box<MakeBlock>,
}

type MakeBlock = dyn Fn(&Region) -> io::Result<Chunk> + Send + Sync;

impl BlockFnSource {
    /// The array cut by `grid` whose block at region `r` is `f(r)`, which must have the region's shape.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkGrid, ChunkSource, Region};
    /// use chunkwise_storage::BlockFnSource;
    /// let grid = ChunkGrid::regular(&[4], &[2]);
    /// let wrong = BlockFnSource::new(grid, |_| ndarray::ArrayD::<f32>::zeros(ndarray::IxDyn(&[3])));
    /// let err = wrong.read(&Region::new(&[2], &[2])).unwrap_err().to_string();
    /// assert_eq!(err, "the function of the block at [2..4] returned shape [3], expected [2]");
    /// ```
    pub fn new<T, F>(grid: ChunkGrid, f: F) -> BlockFnSource
    where
        T: Element,
        F: Fn(&Region) -> ArrayD<T> + Send + Sync + 'static,
    {
        BlockFnSource::fallible(grid, move |region| Ok(f(region)))
    }

    /// [`new`](BlockFnSource::new) for a function that may fail; its error is the source's, with the block.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkGrid, ChunkSource, Region};
    /// use chunkwise_storage::BlockFnSource;
    /// use std::io::{Error, ErrorKind};
    /// let grid = ChunkGrid::regular(&[4], &[2]);
    /// let late = BlockFnSource::fallible::<f64, _>(grid, |_| Err(Error::from(ErrorKind::TimedOut)));
    /// let err = late.read(&Region::new(&[2], &[2])).unwrap_err().to_string();
    /// assert_eq!(err, "function of the block at [2..4]: timed out");
    /// ```
    pub fn fallible<T, F>(grid: ChunkGrid, f: F) -> BlockFnSource
    where
        T: Element,
        F: Fn(&Region) -> io::Result<ArrayD<T>> + Send + Sync + 'static,
    {
        let make = Box::new(move |region: &Region| f(region).map(Chunk::from_array));
        BlockFnSource { dtype: T::DTYPE, grid, make }
    }
}

impl ChunkSource for BlockFnSource {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.grid.shape()
    }

    fn name(&self) -> String {
        "function of the block".into()
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Call
    }

    fn unit(&self) -> ReadUnit {
        ReadUnit::Block
    }

    fn native_chunks(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        check_block(&self.grid, region)?;
        let failed = |err| SourceError::io(format!("function of the block at {region}"), err);
        let chunk = (self.make)(region).map_err(failed)?;
        if chunk.shape() != region.shape() {
            let (found, expected) = (chunk.shape(), region.shape());
            return Err(SourceError::message(format!(
                "the function of the block at {region} returned shape {found:?}, expected {expected:?}"
            )));
        }
        Ok(chunk)
    }
}

impl fmt::Debug for BlockFnSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockFnSource<{}>{:?} in {}", self.dtype, self.grid.shape(), self.grid)
    }
}

/// The block of a region, element by element in C order.
fn by_index<T: Element>(region: &Region, f: &impl Fn(&[usize]) -> T) -> Chunk {
    let mut index: Shape = region.start().into();
    let mut elements = Vec::with_capacity(region.len());
    for _ in 0..region.len() {
        elements.push(f(&index));
        advance(&mut index, region);
    }
    Chunk::from_array(ArrayD::from_shape_vec(IxDyn(region.shape()), elements).expect("one element an index"))
}

/// Moves to the next index of the region in C order.
fn advance(index: &mut [usize], region: &Region) {
    for axis in (0..index.len()).rev() {
        index[axis] += 1;
        if index[axis] < region.end(axis) {
            return;
        }
        index[axis] = region.start()[axis];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_gets_the_global_index() {
        let source = FnSource::new(&[3, 4, 5], |i| (i[0] * 100 + i[1] * 10 + i[2]) as i64);
        let part = source.read(&Region::new(&[1, 2, 3], &[2, 2, 2])).unwrap().to_array::<i64>().unwrap();
        let flat: Vec<i64> = part.into_iter().collect();
        assert_eq!(flat, [123, 124, 133, 134, 223, 224, 233, 234]);
        assert_eq!(source.read(&Region::new(&[1, 2, 3], &[0, 2, 2])).unwrap().shape(), [0, 2, 2]);
        assert_eq!(FnSource::new(&[], |_| 1u8).read(&Region::whole(&[])).unwrap().len(), 1);
    }

    #[test]
    fn block_of_wrong_shape_is_an_error_that_names_it() {
        let grid = ChunkGrid::regular(&[5], &[2]);
        let source = BlockFnSource::new(grid, |_| ArrayD::<f32>::zeros(IxDyn(&[2])));
        source.read(&Region::new(&[2], &[2])).unwrap();
        let message = source.read(&Region::new(&[4], &[1])).unwrap_err().to_string();
        assert_eq!(message, "the function of the block at [4..5] returned shape [2], expected [1]");
    }

    #[test]
    fn only_whole_blocks_are_asked_of_a_block_function() {
        let grid = ChunkGrid::regular(&[5], &[2]);
        let source = BlockFnSource::new(grid, |r| ArrayD::<f32>::zeros(IxDyn(r.shape())));
        assert!(source.read(&Region::new(&[1], &[2])).is_err());
        assert!(source.read(&Region::new(&[4], &[2])).is_err());
    }
}
