//! Sums of products over common axes: products of matrices, `tensordot`, `einsum`.
//!
//! ```text
//! subscripts   "ij,jk->ik" as labels of axes
//! path         the order in which several operands are contracted, two at a time
//! terms        operands with labels: diagonals, sums, products of two
//! build        the functions that the typed methods call
//! grid         how the result and the summed axes are cut
//! rule         Contract: blocks of matrix products, accumulated in place
//! product      the product of two matrices in memory
//! repeated     Repeated: elements with equal indices on several axes
//! ```
//!
//! A product of two operands is a [`Contract`] where it is one of matrices. Where one of them is a vector, or nothing
//! is summed, it is a multiplication and a reduction, which are fused into one pass over the elements.

mod build;
mod grid;
mod path;
mod product;
mod repeated;
mod rule;
mod statistics;
mod subscripts;
mod terms;

pub use build::{dot, einsum, inner, kron, matmul, outer, tensordot, trace, vecdot};
pub use grid::Limits;
pub use repeated::Repeated;
pub use rule::{Axes, Contract};
pub use statistics::{corrcoef, cov};
