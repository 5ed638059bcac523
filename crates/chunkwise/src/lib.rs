#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

pub use chunkwise_lazy::*;

/// The example of the README compiles.
#[cfg(all(doctest, feature = "zarr"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
