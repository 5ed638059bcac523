//! What can be wrong with an expression, and where the user wrote it.

use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{ChunkError, DType};
use thiserror::Error;

/// Why an operation cannot be built.
///
/// ```
/// use chunkwise_expr::ExprError;
/// let err = ExprError::Reshape { from: vec![4], to: vec![3] };
/// assert_eq!(err.to_string(), "shape [4] (4 elements) cannot become shape [3] (3 elements)");
/// ```
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ExprError {
    /// A shape, axis, index or chunk specification that does not fit.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// Element types an operation does not take.
    #[error("elements of type {} are not taken; {}", names(.0), way_out(.0))]
    DType(Vec<DType>),
    /// A reduction without a value for no elements.
    #[error("no elements to reduce: axes {axes:?} of shape {shape:?} hold none")]
    NoElements {
        /// The axes to reduce.
        axes: Vec<usize>,
        /// Shape of the array.
        shape: Vec<usize>,
    },
    /// A new shape with another number of elements.
    #[error("shape {from:?} ({} elements) cannot become shape {to:?} ({} elements)",
        from.iter().product::<usize>(), to.iter().product::<usize>())]
    Reshape {
        /// Shape there is.
        from: Vec<usize>,
        /// Shape asked for.
        to: Vec<usize>,
    },
    /// Arrays that cannot be laid end to end.
    #[error("arrays of shapes {shapes:?} cannot be joined along axis {axis}")]
    Concat {
        /// The shapes.
        shapes: Vec<Vec<usize>>,
        /// The axis.
        axis: usize,
    },
    /// No arrays to join.
    #[error("there must be at least one array to join")]
    NothingToConcat,
    /// More blocks than a plan can hold.
    #[error("{blocks} blocks are more than a plan can hold; use larger chunks")]
    TooManyBlocks {
        /// Number of blocks.
        blocks: usize,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Message(String),
}

fn names(types: &[DType]) -> String {
    let names: Vec<&str> = types.iter().map(|d| d.name()).collect();
    names.join(", ")
}

fn way_out(types: &[DType]) -> &'static str {
    match types.iter().any(|dtype| dtype.is_complex()) {
        true => "use re(), im() or abs() of complex numbers, cast() of others",
        false => "convert with cast()",
    }
}

/// An operation that cannot be built, with the line of the user's program that asked for it.
///
/// ```
/// use std::panic::Location;
/// use chunkwise_expr::{BuildError, ExprError};
/// let err = BuildError::new("arange", ExprError::Message("step is 0".into()), Location::caller());
/// assert!(err.to_string().starts_with("arange: step is 0 (at "));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BuildError {
    op: String,
    cause: ExprError,
    origin: &'static Location<'static>,
}

impl BuildError {
    /// An error of operation `op`, asked for at `origin`.
    pub fn new(op: impl Into<String>, cause: ExprError, origin: &'static Location<'static>) -> BuildError {
        BuildError { op: op.into(), cause, origin }
    }

    /// Name of the operation.
    pub fn op(&self) -> &str {
        &self.op
    }

    /// What is wrong.
    pub fn cause(&self) -> &ExprError {
        &self.cause
    }

    /// Where the user wrote it.
    pub fn origin(&self) -> &'static Location<'static> {
        self.origin
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (at {})", self.op, self.cause, self.origin)
    }
}

// No source: the message holds the cause.
impl std::error::Error for BuildError {}
