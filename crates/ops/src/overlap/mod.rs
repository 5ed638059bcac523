//! Functions of blocks with a margin, neighbourhoods, convolution.
//!
//! ```text
//! boundary    what lies beyond the ends of an array, and how deep a margin is
//! margin      where the elements of a block with its margin come from, and the padded block itself
//! function    a function of padded blocks
//! stencil     a function of the neighbourhood of every element
//! correlate   weighted sums of neighbourhoods
//! fourier     the same by Fourier transforms, for long weights
//! rank        the element of a given rank of every neighbourhood
//! windows     windows that slide along an axis, as an axis of their own
//! split       an axis as rows of equal length: what coarsening reduces
//! ```
//!
//! A block needs its own region and the margin around it, whoever holds that: one region, or a few where the array is
//! periodic. What lies beyond the ends of the array is made inside the task. So margins may be deeper than blocks and
//! deeper than the array, and one operation with a margin may follow another.

mod boundary;
mod correlate;
mod fourier;
mod function;
mod margin;
mod numbers;
mod rank;
mod split;
mod stencil;
mod windows;

pub use boundary::{Boundaries, Boundary, Depth, PerAxis};
pub use correlate::{ConvolveMode, Correlate, Weights, correlate, correlate_1d};
pub use function::{MapOverlap, map_overlap};
pub use margin::AxisMargin;
pub use rank::{RankFilter, rank_filter};
pub use split::{SplitAxes, split_axes};
pub use stencil::{Neighborhood, stencil};
pub use windows::{SlidingWindows, sliding_windows};
