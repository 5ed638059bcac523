//! Statistics of windows that move along an axis: sums, means, extremes, variances, quantiles.
//!
//! ```text
//! block of the result        |----------|
//! what it needs          |---+----------|---|     and what of each window lies before and after an index
//! ```
//!
//! No window is ever an array. Sums and what is like them are joined from two parts (`slide`), quantiles come from
//! sorted lists (`quantile`); both take a time for each element that hardly depends on the length of the window. A value
//! depends on its window and the place of that in the array alone, to the bit: no block, no chunk and no element outside
//! of the window has a say in it, so sums do not drift.

mod folds;
mod moving;
mod options;
mod quantile;
mod slide;
mod statistic;
mod strips;

use std::panic::Location;

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid, DType};
use chunkwise_expr::{Expr, ExprError};

pub use moving::Moving;
pub use options::MovingWindow;
pub use statistic::Statistic;

use crate::scan::MOST_ELEMENTS;

/// A statistic of the windows along an axis. Blocks are those of the array; blocks of more than a million elements are
/// cut into such.
pub fn moving(
    x: &Expr,
    statistic: Statistic,
    window: MovingWindow,
    axis: usize,
    origin: &'static Location<'static>,
) -> Expr {
    let (Some(grid), Some(dtype)) = (x.grid(), x.dtype()) else { return x.clone() };
    match rule(grid, dtype, statistic, window, axis) {
        Ok(rule) => Expr::blockwise(rule, &[x], origin),
        Err(cause) => Expr::invalid(statistic.name(), cause, origin),
    }
}

fn rule(
    grid: &ChunkGrid,
    dtype: DType,
    statistic: Statistic,
    window: MovingWindow,
    axis: usize,
) -> Result<Moving, ExprError> {
    let shape = grid.shape();
    let len =
        *shape.get(axis).ok_or_else(|| ChunkError::Axis { axis: axis as isize, shape: shape.to_vec() })?;
    check(statistic, window, dtype, len)?;
    let reach = window.reach(len);
    let kept = if window.is_valid() { len - window.len() + 1 } else { len };
    let mut axes = grid.axes().to_vec();
    axes[axis] = cut(&axes[axis], kept)?;
    // What can be no number can be missing, too: a window has all of its elements, or any number of them counts.
    let min_count = if window.is_strict() { reach.window } else { window.required() };
    let grid = ChunkGrid::new(axes).split(MOST_ELEMENTS)?;
    Ok(Moving { statistic, axis, before: reach.before, window: reach.window, min_count, grid })
}

/// The first so many elements of an axis in the blocks they are in.
fn cut(axis: &AxisChunks, kept: usize) -> Result<AxisChunks, ChunkError> {
    if kept == axis.len() { Ok(axis.clone()) } else { axis.strided(0, 1, kept) }
}

fn check(statistic: Statistic, window: MovingWindow, dtype: DType, len: usize) -> Result<(), ExprError> {
    let refuse = |text: String| Err(ExprError::Message(text));
    let (wide, required) = (window.len(), window.required());
    match statistic {
        _ if wide == 0 => refuse("a window must have at least one element".into()),
        _ if required > wide => {
            refuse(format!("min_count {required} is more than the {wide} elements of a window"))
        }
        _ if window.is_valid() && wide > len => {
            refuse(format!("a window of {wide} does not fit into an axis of length {len}"))
        }
        Statistic::Quantile(q) if !(0.0..=1.0).contains(&q) => {
            refuse(format!("the quantile {q} is not between 0 and 1"))
        }
        Statistic::Var(ddof) | Statistic::Std(ddof) if ddof.is_nan() => refuse("ddof is not a number".into()),
        Statistic::Median | Statistic::Quantile(_)
            if wide >= u32::MAX as usize && len >= u32::MAX as usize =>
        {
            refuse(format!("a window of {wide} is more than the 2^32 elements a quantile can be taken of"))
        }
        Statistic::Sum | Statistic::Min | Statistic::Max
            if !dtype.is_float() && !window.is_valid() && required > 1 =>
        {
            refuse(format!(
                "windows at the ends have fewer than {required} elements, and {dtype} has no NaN: \
                 convert with cast(), or ask for min_count(1)"
            ))
        }
        _ => Ok(()),
    }
}
