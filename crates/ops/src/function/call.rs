//! A function of the user's as rules hold it, and what it is told of its block.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, Region};
use chunkwise_expr::BlockError;

/// Which block a function is called for.
///
/// ```
/// use chunkwise_chunk::{ChunkGrid, Region};
/// use chunkwise_ops::function::Place;
/// let place = Place::of(&ChunkGrid::regular(&[5], &[2]), &Region::new(&[4], &[1]));
/// assert_eq!((place.index, place.blocks), (vec![2], vec![3]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// First index on every axis.
    pub start: Vec<usize>,
    /// Length of every axis.
    pub shape: Vec<usize>,
    /// Number of the block on every axis.
    pub index: Vec<usize>,
    /// How many blocks there are on every axis.
    pub blocks: Vec<usize>,
}

impl Place {
    /// The block of `grid` that is `region`, which must not be empty.
    pub fn of(grid: &ChunkGrid, region: &Region) -> Place {
        let index = region.start().iter().zip(grid.axes()).map(|(&at, cut)| cut.block_of(at));
        Place {
            start: region.start().into(),
            shape: region.shape().into(),
            index: index.collect(),
            blocks: grid.block_counts().to_vec(),
        }
    }
}

type Function = dyn Fn(&[Chunk], &Place, &dyn Fn() -> bool) -> Result<Chunk, BlockError> + Send + Sync;

/// A function of the blocks of several arrays. Two are equal when they are clones of one.
///
/// ```
/// use chunkwise_ops::function::BlockFn;
/// let first = BlockFn::new(|blocks, _| Ok(blocks[0].clone()));
/// assert_eq!(first, first.clone());
/// assert_ne!(first, BlockFn::new(|blocks, _| Ok(blocks[0].clone())));
/// ```
#[derive(Clone)]
pub struct BlockFn(Arc<Function>);

impl BlockFn {
    /// Wraps a function.
    pub fn new(f: impl Fn(&[Chunk], &Place) -> Result<Chunk, BlockError> + Send + Sync + 'static) -> BlockFn {
        BlockFn(Arc::new(move |blocks, place, _| f(blocks, place)))
    }

    /// Wraps a function that asks on its way whether the result is no longer wanted.
    pub(crate) fn stoppable(
        f: impl Fn(&[Chunk], &Place, &dyn Fn() -> bool) -> Result<Chunk, BlockError> + Send + Sync + 'static,
    ) -> BlockFn {
        BlockFn(Arc::new(f))
    }

    /// Calls it with a block of every array.
    ///
    /// # Errors
    /// Those of the function.
    pub fn call(&self, blocks: &[Chunk], place: &Place) -> Result<Chunk, BlockError> {
        self.call_until(blocks, place, &|| false)
    }

    /// Calls it, with what says whether the result is no longer wanted.
    pub(crate) fn call_until(
        &self,
        blocks: &[Chunk],
        place: &Place,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Chunk, BlockError> {
        (self.0)(blocks, place, cancelled)
    }
}

impl PartialEq for BlockFn {
    fn eq(&self, other: &BlockFn) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for BlockFn {}

impl Hash for BlockFn {
    /// Nothing: addresses differ from run to run.
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl fmt::Debug for BlockFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockFn")
    }
}
