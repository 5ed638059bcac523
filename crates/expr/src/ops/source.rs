//! Reading an array.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, ChunkSource};

use crate::Meta;

/// An array that is read from somewhere, and the grid it is read in.
///
/// Two are equal when grid and source are, and sources when they are the same object or say so by
/// [`ChunkSource::key`].
#[derive(Clone)]
pub struct SourceOp {
    source: Arc<dyn ChunkSource>,
    grid: ChunkGrid,
}

impl SourceOp {
    /// Reads `source` in the blocks of `grid`.
    pub fn new(source: Arc<dyn ChunkSource>, grid: ChunkGrid) -> SourceOp {
        SourceOp { source, grid }
    }

    /// Where the elements come from.
    pub fn source(&self) -> &Arc<dyn ChunkSource> {
        &self.source
    }

    pub(crate) fn meta(&self) -> Meta {
        Meta::Array { dtype: self.source.dtype(), grid: self.grid.clone() }
    }
}

impl PartialEq for SourceOp {
    fn eq(&self, other: &SourceOp) -> bool {
        let same = Arc::ptr_eq(&self.source, &other.source)
            || self.source.key().is_some_and(|key| other.source.key() == Some(key));
        same && self.grid == other.grid
    }
}

impl Eq for SourceOp {}

impl Hash for SourceOp {
    // Not the address: it differs from run to run.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.name().hash(state);
    }
}

impl fmt::Debug for SourceOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceOp({})", self.source.name())
    }
}
