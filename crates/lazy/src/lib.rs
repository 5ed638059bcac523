//! The typed API, the lowering of expressions to tasks, and the runtime: what users of `chunkwise` see.
//!
//! ```text
//! array/    LazyArray<T, D>: a shell over `Expr`; every method makes one node
//! delayed   Delayed<T>: values of any type in the same graph
//! compute   compute((a, &b, ..)): roots -> one run -> typed results
//! lower/    ExprGraph -> TaskGraph: layers of block tasks
//! runtime   Runtime: pool, memory limit, passes, results kept by persist()
//! explain/  plans as text and pictures
//! cost      a model of what work costs
//! random    Generator: arrays of random numbers
//! ```
//!
//! Generic methods convert their arguments and call one function on the untyped expression; there is no loop and
//! no branch on element types in them.

#![cfg_attr(not(test), forbid(unsafe_code))]

mod array;
mod compute;
mod config;
mod cost;
mod delayed;
mod error;
mod explain;
mod lower;
mod persist;
pub mod prelude;
pub mod random;
mod runtime;

pub use array::{
    BlockArgs, BlockInfo, DotDim, Indexing, InterpOptions, IntoAxes, IntoAxisPairs, IntoIndices, IntoShared,
    LaneIndices, LazyArray, LazyArray1, LazyArray2, LazyArray3, LazyArray4, LazyArray5, LazyArray6,
    LazyArrayD, LazyDim, LazyScalar, MaskedArray, MaskedOperand, Nested, Operand, PadMode, PadStatistic,
    PadWidth, apply_gufunc, block, broadcast_arrays, column_stack, concatenate, dstack, einsum, hstack,
    indices, matmul, meshgrid, meshgrid_sparse, open_npy, reduction, select, stack, tensordot, tril_indices,
    triu_indices, try_apply_gufunc, try_zip_blocks, vstack, zip_blocks, zip_overlap,
};
#[cfg(feature = "zarr")]
pub use array::{ZarrArray, ZarrOptions, ZarrVersion, open_zarr};
pub use chunkwise_chunk::{
    AxisChunks, AxisSpec, Bits, ChunkGrid, Chunks, Complex, DType, Element, Float, Inexact, Integer, Number,
    Ordered, Packing, Real, Scalar, Signed,
};
pub use chunkwise_expr::Reduction;
pub use chunkwise_ops::function::BlockLayout;
pub use chunkwise_ops::index::{Index, IndexList};
pub use chunkwise_ops::overlap::{Boundaries, Boundary, ConvolveMode, Depth, Neighborhood, PerAxis};
pub use chunkwise_ops::shape::Spacing;
pub use chunkwise_ops::{rolling::MovingWindow, scan::Ewm};
pub use chunkwise_optimize::OptimizeOptions;
pub use chunkwise_scheduler::{
    CancelToken, ErrorMode, Observer, Progress, Retry, RunEvent, TaskEnd, TaskEvent, TaskKind,
};
pub use compute::{Compute, compute, explain};
pub use delayed::{Delayed, DelayedArgs, DelayedInput, delayed, delayed_with};
pub use error::{Error, ErrorKind, Result};
pub use explain::Plan;
pub use ndarray;
pub use runtime::{BlocksIter, RunHandle, Runtime, RuntimeBuilder};
