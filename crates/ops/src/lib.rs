//! Operations that compute each block of their result from regions of their inputs: one file each.
//!
//! ```text
//! index      integer arrays, pointwise indices, assignment
//! shape      padding, repetition, triangles, interpolation
//! scan       running sums, products and extremes
//! rolling    statistics of moving windows
//! overlap    functions of blocks with a margin, neighbourhoods, convolution
//! function   functions of blocks
//! contract   sums of products
//! ```
//!
//! An operation is a type with the trait [`BlockRule`](chunkwise_expr::BlockRule): what the result is, which regions a
//! block of it needs, and how the block comes of them. A function that is not generic builds the expression; the typed
//! methods of `chunkwise-lazy` call it. Whatever is a composition of other operations has no rule and is written there.
//!
//! This crate knows no task, no thread and no typed array.

#![forbid(unsafe_code)]

pub mod contract;
mod ends;
pub mod function;
mod gathered;
pub mod index;
pub mod overlap;
pub mod rolling;
pub mod scan;
pub mod shape;
