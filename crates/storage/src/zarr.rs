//! Zarr arrays in a folder: reading v2 and v3, sharded or not; writing v3 or v2.
//!
//! Codecs and metadata are the zarrs crate's; nothing of it shows in a public signature. Two things are done
//! here instead, each for a reason:
//!
//! * Files are read by a store of our own ([`store`]): the one of zarrs keeps a lock for every chunk it ever
//!   saw and syncs every chunk to the disk as it is written.
//! * Codecs run on the calling thread: the scheduler's pool is the only one, so zarrs is asked for a
//!   concurrency of one, at which it does not enter its own.

mod attributes;
mod metadata;
mod sink;
mod source;
mod store;

use std::fmt;
use std::path::Path;

use chunkwise_chunk::{Region, SourceError};
use zarrs::array::{ArraySubset, CodecOptions};

pub use metadata::{ZarrOptions, ZarrVersion};
pub use sink::ZarrSink;
pub use source::ZarrSource;

/// The root of the store is the array.
const ROOT: &str = "/";

/// Codecs stay on the calling thread.
fn codec_options() -> CodecOptions {
    CodecOptions::default().with_concurrent_target(1).with_chunk_concurrent_minimum(1)
}

/// An error that names the array.
fn error(path: &Path, what: impl fmt::Display) -> SourceError {
    SourceError::message(format!("zarr {}: {what}", path.display()))
}

fn subset(region: &Region) -> ArraySubset {
    let ranges: Vec<_> = (0..region.ndim()).map(|a| region.start()[a] as u64..region.end(a) as u64).collect();
    ArraySubset::new_with_ranges(&ranges)
}

fn indices(block: &[usize]) -> Vec<u64> {
    block.iter().map(|&i| i as u64).collect()
}

#[cfg(test)]
mod tests;
