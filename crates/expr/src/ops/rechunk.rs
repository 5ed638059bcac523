//! The same array in other blocks.

use chunkwise_chunk::ChunkGrid;

/// The grid to have.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rechunk {
    /// The new grid.
    pub grid: ChunkGrid,
}
