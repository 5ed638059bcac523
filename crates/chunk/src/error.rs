//! What can be wrong with a shape, a grid, a view or a source.

use std::sync::Arc;

use thiserror::Error;

use crate::{DType, Region};

/// A shape, chunk grid, view or dtype that does not fit.
///
/// ```
/// use chunkwise_chunk::{AxisChunks, ChunkError};
/// let err = AxisChunks::explicit(10, &[4, 4]).unwrap_err();
/// assert_eq!(err.to_string(), "chunks [4, 4] sum to 8, but the axis has length 10");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// Explicit chunk sizes that do not add up.
    #[error("chunks {sizes:?} sum to {sum}, but the axis has length {len}")]
    ChunkSum {
        /// The sizes as given (at most the first sixteen).
        sizes: Vec<usize>,
        /// Their sum.
        sum: usize,
        /// The length of the axis.
        len: usize,
    },
    /// A chunk size of zero, or an empty list of chunks.
    #[error("a chunk size must be at least 1, and a list of chunks must not be empty")]
    ZeroChunk,
    /// A chunk specification for another number of axes.
    #[error("chunks are given for {given} axes, but the array has {ndim}; shape {shape:?}{}",
        if *ndim == 1 { "; block lengths of one axis are written (vec![..],)" } else { "" })]
    ChunkRank {
        /// Axes in the specification.
        given: usize,
        /// Axes of the array.
        ndim: usize,
        /// Shape of the array.
        shape: Vec<usize>,
    },
    /// Blocks of unequal lengths, too many to list.
    #[error(
        "an axis would be cut into up to {blocks} unequal blocks; use larger chunks, or ones that line up"
    )]
    TooManyBlocks {
        /// How many.
        blocks: usize,
    },
    /// A text such as `"64 MiB"` that is not a size.
    #[error("chunks {0:?} are neither \"auto\" nor a size such as \"64 MiB\"")]
    ChunkText(String),
    /// An axis that does not exist.
    #[error("axis {axis} is out of range for shape {shape:?}")]
    Axis {
        /// The axis asked for.
        axis: isize,
        /// The shape it was asked of.
        shape: Vec<usize>,
    },
    /// An axis named twice.
    #[error("axis {axis} is named twice in {axes:?}")]
    RepeatedAxis {
        /// The axis.
        axis: usize,
        /// All axes as given.
        axes: Vec<usize>,
    },
    /// A list of axes that is not a permutation.
    #[error("axes {axes:?} are not a permutation of the axes of shape {shape:?}")]
    Permutation {
        /// The axes as given.
        axes: Vec<usize>,
        /// The shape.
        shape: Vec<usize>,
    },
    /// An index beyond the end.
    #[error("index {index} is out of bounds for axis {axis} of shape {shape:?}")]
    Index {
        /// The index, negative counted from the end.
        index: isize,
        /// The axis.
        axis: usize,
        /// The shape.
        shape: Vec<usize>,
    },
    /// A slice with step 0.
    #[error("the slice of axis {axis} has step 0")]
    ZeroStep {
        /// The axis.
        axis: usize,
    },
    /// A slice with more elements than axes.
    #[error("a slice of {given} axes does not fit shape {shape:?}")]
    SliceRank {
        /// Axes the slice consumes.
        given: usize,
        /// The shape.
        shape: Vec<usize>,
    },
    /// Shapes that do not broadcast.
    #[error("shapes {left:?} and {right:?} do not broadcast")]
    Broadcast {
        /// Left shape.
        left: Vec<usize>,
        /// Right shape.
        right: Vec<usize>,
    },
    /// An axis to remove that is longer than one.
    #[error("axis {axis} of shape {shape:?} has length {len}, only an axis of length 1 can be removed")]
    NotUnit {
        /// The axis.
        axis: usize,
        /// Its length.
        len: usize,
        /// The shape.
        shape: Vec<usize>,
    },
    /// A shape whose number of elements overflows.
    #[error("shape {0:?} has more elements than this machine can address")]
    TooLarge(Vec<usize>),
    /// A block of another type than expected.
    #[error("expected elements of type {expected}, found {found}")]
    DType {
        /// The type asked for.
        expected: DType,
        /// The type there is.
        found: DType,
    },
}

/// A block that could not be read or written.
///
/// ```
/// use chunkwise_chunk::SourceError;
/// let err = SourceError::message("bad magic number");
/// assert_eq!(err.to_string(), "bad magic number");
/// ```
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// An I/O error of the operating system.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the path.
        what: String,
        /// The error.
        source: Arc<std::io::Error>,
    },
    /// A region outside the array.
    #[error("region {region} lies outside shape {shape:?}")]
    Region {
        /// The region asked for.
        region: Box<Region>,
        /// The shape of the array.
        shape: Vec<usize>,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Message(String),
}

impl SourceError {
    /// An error in words.
    pub fn message(text: impl Into<String>) -> SourceError {
        SourceError::Message(text.into())
    }

    /// An I/O error and what was being done.
    pub fn io(what: impl Into<String>, source: std::io::Error) -> SourceError {
        SourceError::Io { what: what.into(), source: Arc::new(source) }
    }
}
