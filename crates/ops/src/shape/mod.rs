//! Operations that lay elements out anew.
//!
//! ```text
//! walk        how one axis of a result runs along an axis of the input: padded, repeated
//! extend      the rule that follows a walk along every axis
//! difference  each element's distance to the next
//! gradient    derivatives by central differences
//! median      the median of lines, for padding with it
//! ```
//!
//! Joining, rolling, splitting and triangles are compositions of views and other operations: they are written where the
//! methods are.

mod difference;
mod extend;
mod gradient;
mod median;
mod walk;

pub use difference::Difference;
pub use extend::Extend;
pub use gradient::{Gradient, Spacing};
pub use median::LineMedian;
pub use walk::{Beyond, Counts, Walk};

use chunkwise_chunk::ChunkError;

fn check_axis(axis: usize, shape: &[usize]) -> Result<(), ChunkError> {
    if axis < shape.len() {
        return Ok(());
    }
    Err(ChunkError::Axis { axis: axis as isize, shape: shape.into() })
}
