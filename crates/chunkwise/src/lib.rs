#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

pub use chunkwise_lazy::*;
