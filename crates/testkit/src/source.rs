//! A source for tests: an array in memory that can be read as a file is, block by block.

use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{
    Chunk, ChunkGrid, ChunkSource, Chunks, DType, ReadCost, ReadUnit, Region, SourceError,
};
use chunkwise_expr::Expr;

use crate::PlainArray;

/// An array in memory with a grid of its own, read by any region or, as a chunked file is, by whole blocks.
///
/// ```
/// use chunkwise_chunk::{ChunkGrid, ChunkSource, ReadUnit, Region};
/// use chunkwise_testkit::{PlainArray, TestSource};
/// let x = PlainArray::of(&[3], &[1, 2, 3]);
/// let source = TestSource::new(&x, ChunkGrid::regular(&[3], &[2]), ReadUnit::Block);
/// assert_eq!(source.read(&Region::new(&[2], &[1])).unwrap().len(), 1);
/// assert!(source.read(&Region::new(&[1], &[1])).is_err());
/// ```
#[derive(Debug)]
pub struct TestSource {
    chunk: Chunk,
    grid: ChunkGrid,
    unit: ReadUnit,
    cost: ReadCost,
}

impl TestSource {
    /// The array cut as `grid` says.
    ///
    /// # Panics
    /// When the grid is of another shape.
    pub fn new(array: &PlainArray, grid: ChunkGrid, unit: ReadUnit) -> TestSource {
        assert_eq!(array.shape(), grid.shape(), "the grid cuts the array");
        let cost = if unit == ReadUnit::Block { ReadCost::Decode } else { ReadCost::Free };
        TestSource { chunk: array.to_chunk(), grid, unit, cost }
    }

    /// The same array, said to cost something else: what is costly is shared between readers.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkGrid, ChunkSource, ReadCost, ReadUnit};
    /// use chunkwise_testkit::{PlainArray, TestSource};
    /// let x = PlainArray::of(&[3], &[1, 2, 3]);
    /// let source = TestSource::new(&x, ChunkGrid::whole(&[3]), ReadUnit::Any).costing(ReadCost::Decode);
    /// assert_eq!(source.cost(), ReadCost::Decode);
    /// ```
    #[must_use]
    pub fn costing(self, cost: ReadCost) -> TestSource {
        TestSource { cost, ..self }
    }

    /// The expression that reads the array in the blocks of its grid.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkGrid, ReadUnit};
    /// use chunkwise_testkit::{PlainArray, TestSource, eval};
    /// let x = PlainArray::of(&[3], &[1, 2, 3]);
    /// let expr = TestSource::new(&x, ChunkGrid::whole(&[3]), ReadUnit::Any).into_expr();
    /// assert_eq!(eval(&expr).unwrap().array(), Some(&x));
    /// ```
    #[track_caller]
    pub fn into_expr(self) -> Expr {
        let chunks = Chunks::from(&self.grid);
        Expr::source("test", Arc::new(self), Some(&chunks), Location::caller())
    }

    /// Whether the source may be asked for this region.
    fn allows(&self, region: &Region) -> bool {
        let is_block = || self.grid.blocks().any(|block| self.grid.region(&block) == *region);
        // The evaluator reads everything at once, as no scheduler does.
        let everything = *region == Region::whole(self.shape());
        region.fits(self.shape()) && (self.unit == ReadUnit::Any || everything || is_block())
    }
}

impl ChunkSource for TestSource {
    fn dtype(&self) -> DType {
        self.chunk.dtype()
    }

    fn shape(&self) -> &[usize] {
        self.chunk.shape()
    }

    fn name(&self) -> String {
        "test".to_owned()
    }

    fn cost(&self) -> ReadCost {
        self.cost
    }

    fn unit(&self) -> ReadUnit {
        self.unit
    }

    fn native_chunks(&self) -> Option<ChunkGrid> {
        (self.unit == ReadUnit::Block).then(|| self.grid.clone())
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        if !self.allows(region) {
            return Err(SourceError::message(format!("{region} is no block of {}", self.grid)));
        }
        let part = self.chunk.part(region);
        // What is not in memory is made anew by every read.
        Ok(if self.cost == ReadCost::Free { part } else { part.to_owned_copy() })
    }
}
