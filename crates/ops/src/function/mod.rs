//! Functions of the user's that take blocks.
//!
//! ```text
//! call        a function as rules hold it, and what it is told of its block
//! grid        the common blocks of several arrays
//! layout      how the blocks of a result follow from those of the inputs
//! map         a function of the blocks of several arrays: `map_blocks`, `zip_blocks`, `reduce_blocks`
//! signature   "(i,j),(j)->(i)" read and matched with shapes
//! gufunc      a function of core axes, over all others
//! lanes       a function of the lanes of one axis, over all others
//! ```
//!
//! What a function takes a margin for is in [`overlap`](crate::overlap).

mod call;
mod grid;
mod gufunc;
mod lanes;
mod layout;
mod map;
mod signature;

pub use call::{BlockFn, Place};
pub use gufunc::gufunc;
pub use lanes::{along_axis, lane_by_lane};
pub use layout::BlockLayout;
pub use map::{MapBlocks, OutAxis, Take, map_blocks};
pub use signature::Signature;

pub(crate) use grid::common_grid;
