//! What plans say of blocks that are larger than those of the array: a rule that puts several together names it.

use std::fmt;

use chunkwise_chunk::ChunkGrid;

/// That a block needs, or has, more elements than the blocks of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Gathered {
    /// Elements of the largest block of the input.
    from: usize,
    /// Elements that are put together.
    to: usize,
}

impl Gathered {
    /// Blocks of so many elements along each axis, made of those of a grid; `None` where they are no larger.
    pub(crate) fn new(grid: &ChunkGrid, lengths: impl IntoIterator<Item = usize>) -> Option<Gathered> {
        let product = |lengths: &mut dyn Iterator<Item = usize>| lengths.fold(1usize, usize::saturating_mul);
        let from = product(&mut grid.max_chunk().into_iter());
        let to = product(&mut lengths.into_iter());
        (to > from).then_some(Gathered { from, to })
    }

    /// How much larger they are, for the largest of several.
    pub(crate) fn growth(&self) -> usize {
        self.to / self.from.max(1)
    }
}

impl fmt::Display for Gathered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gathers {} elements from blocks of {}", self.to, self.from)
    }
}
