//! What a block of an N-dimensional array is, and nothing about what is done with it.
//!
//! This crate owns the vocabulary that every other crate of the workspace shares:
//!
//! | type | what it says |
//! |---|---|
//! | [`DType`], [`Element`], [`Number`], [`Float`], [`Complex`] | which element types there are |
//! | [`Scalar`] | one value of any element type |
//! | [`Chunk`] | one block: a dtype-erased, reference-counted, possibly strided array |
//! | [`Region`] | a box of an array: start and length on every axis |
//! | [`ChunkGrid`] | how an array is cut into blocks; O(1) for regular grids |
//! | [`Cut`] | every n-th index of a range on each axis |
//! | [`View`] | an affine map of indices: slice, step, flip, permutation, broadcast, new axis |
//! | [`ChunkSource`], [`Formula`], [`ChunkSink`] | where blocks come from and go to |
//! | [`Packing`] | how stored elements stand for values |
//! | [`AsBits`] | elements that are only moved, by their size |
//! | [`Tile`], [`Window`], [`Room`] | runs of elements; memory that elements are written into |
//!
//! It knows no operation, no graph and no task.

// But for one module, which says why.
#![deny(unsafe_code)]

mod bits;
mod chunk;
mod codec;
mod cut;
mod dtype;
mod error;
mod grid;
mod io;
mod packing;
mod region;
mod scalar;
mod spec;
mod tile;
mod view;
mod window;

pub use bits::AsBits;
pub use chunk::Chunk;
pub use cut::Cut;
pub use dtype::{Bits, DType, Element, Float, Inexact, Integer, Number, Ordered, Real, Signed};
pub use error::{ChunkError, SourceError};
pub use grid::{AxisChunks, BlockIndex, BlockIter, ChunkGrid};
pub use io::{ChunkSink, ChunkSource, Filler, Formula, Lent, ReadCost, ReadUnit};
/// A complex number; `Complex<f32>` and `Complex<f64>` are element types.
pub use num_complex::Complex;
pub use packing::Packing;
pub use region::{Region, Shape};
pub use scalar::Scalar;
pub use spec::{AxisSpec, Chunks, parse_bytes};
pub use tile::{Tile, TileMut};
pub use view::{AxisMap, SliceElem, View};
pub use window::{Room, Window, Written};
