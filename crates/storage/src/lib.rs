//! Where chunkwise blocks come from and go to: memory, formulas, npy, Zarr.
//!
//! | from | | to | |
//! |---|---|---|---|
//! | [`MemorySource`] | an array that is there already | [`MemorySink`] | one array, written in parallel |
//! | [`ResidentSource`] | blocks that were computed before | | |
//! | [`FillSource`], [`ArangeSource`], [`LinspaceSource`], [`EyeSource`] | a formula | | |
//! | [`FnSource`], [`BlockFnSource`] | a function of the index or of the block | | |
//! | [`NpySource`] | a `.npy` file, memory-mapped | [`NpySink`] | a `.npy` file |
//! | `ZarrSource` (feature `zarr`) | a Zarr array, v2 or v3 | `ZarrSink` | a Zarr array, v3 or v2 |
//!
//! A source can be read from any number of threads, and a sink written from any number. Files appear under
//! their final name only when they are whole. This crate computes nothing and owns no thread.
//!
//! A new format is one file here: a type for [`ChunkSource`] and one for [`ChunkSink`], run through the
//! conformance suite in `testing`.
//!
//! [`ChunkSource`]: chunkwise_chunk::ChunkSource
//! [`ChunkSink`]: chunkwise_chunk::ChunkSink

#![deny(unsafe_code)]

mod bounds;
mod bytes;
mod cache;
mod claims;
mod function;
mod generate;
mod leftovers;
mod memory;
mod npy;
mod runs;
mod staged;
mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(feature = "zarr")]
mod zarr;

pub use cache::{ChunkCache, SourceId};
pub use function::{BlockFnSource, FnSource};
pub use generate::{ArangeSource, EyeSource, FillSource, LinspaceSource};
pub use memory::{MemorySink, MemorySource, ResidentSource};
pub use npy::{NpySink, NpySource};
#[cfg(feature = "zarr")]
pub use zarr::{ZarrOptions, ZarrSink, ZarrSource, ZarrVersion};
