#![doc = include_str!("README.md")]
#![deny(unsafe_code)]

mod distribution;
mod fill;
mod gamma;
mod permutation;
mod philox;
mod poisson;
mod real;
mod rows;
mod source;
mod table;
mod whole;

pub use distribution::{Distribution, ParameterError};
pub use source::RandomSource;
