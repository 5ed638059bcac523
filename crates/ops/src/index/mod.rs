//! Elements picked and placed by arrays of indices.
//!
//! ```text
//! given      indices of the program: bounds are checked when built, and a plan groups them by source block
//!   points     elements at points of one axis or several       plan, gather
//!   place      elements replaced along an axis
//!   delete     an axis without some positions
//! lazy       indices that are computed: a step for each source block fills what that block holds
//!   take       along one axis
//!   along      another index for every lane of an axis
//! affine     nothing to look up
//!   diagonal   two axes as one
//!   assign     a slice replaced
//! key        what users write in brackets; which of the above it is
//! ```
//!
//! A block of a result may need elements of every block of its source. It takes them in steps, a source block in each, so
//! that no task holds more than a block of the source and one of the result.

mod along;
mod assign;
mod cells;
mod delete;
mod diagonal;
mod gather;
mod key;
mod list;
mod place;
mod plan;
mod points;
mod take;

use chunkwise_chunk::{Chunk, DType};

pub use along::{TakeAlong, take_along_axis};
pub use assign::{Assign, Walk, assign, repeated};
pub use delete::{Delete, delete};
pub use diagonal::{Diagonal, diagonal};
pub use key::{Index, index, vindex};
pub use list::IndexList;
pub use place::{Place, assign_at};
pub use points::{Points, take_list};
pub use take::{Take, take_lazy};

/// The result of the step before, to be written to in C order; zeros at the first step.
fn begun(before: Option<Chunk>, dtype: DType, shape: &[usize]) -> Chunk {
    let Some(before) = before else { return Chunk::zeros(dtype, shape) };
    let ordered = before.to_contiguous();
    // The last handle but one: with it the elements would be copied.
    drop(before);
    ordered.into_unshared()
}
