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
//!
//! A block needs its own elements and those of a window more. So that every element is needed about twice, and not as
//! often as a window has blocks, the blocks of the result are as long as the window along its axis, and shorter along the
//! others: they hold about as many elements as before.

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

/// A statistic of the windows along an axis. Blocks are those of the array, but as long as the window where that is longer;
/// blocks of more than a million elements are cut into such.
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
    let mut axes = lengthened(grid, axis, reach.window)?;
    axes[axis] = cut(&axes[axis], kept)?;
    // What can be no number can be missing, too: a window has all of its elements, or any number of them counts.
    let min_count = if window.is_strict() { reach.window } else { window.required() };
    let grid = ChunkGrid::new(axes).split(MOST_ELEMENTS)?;
    Ok(Moving { statistic, axis, before: reach.before, window: reach.window, min_count, grid })
}

/// Blocks at least as long as a window along its axis, and cut along the others for that.
fn lengthened(grid: &ChunkGrid, axis: usize, window: usize) -> Result<Vec<AxisChunks>, ChunkError> {
    let mut axes = grid.axes().to_vec();
    let (chunk, len) = (axes[axis].max_chunk(), axes[axis].len());
    let wanted = window.min(MOST_ELEMENTS).min(len);
    if wanted <= chunk {
        return Ok(axes);
    }
    // Whole blocks of the array, where these are equal.
    let mut parts = wanted.div_ceil(chunk);
    axes[axis] = AxisChunks::regular(len, (parts * chunk).min(len));
    for other in (0..axes.len()).filter(|&other| other != axis) {
        let longest = axes[other].max_chunk();
        let piece = longest.div_ceil(parts);
        if piece < longest {
            axes[other] = axes[other].refine(&AxisChunks::regular(axes[other].len(), piece))?;
            parts = parts.div_ceil(longest.div_ceil(piece));
        }
    }
    Ok(axes)
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
        Statistic::Var(ddof) | Statistic::Std(ddof) if !ddof.is_finite() => {
            refuse(format!("ddof is {ddof}; it must be a finite number"))
        }
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

#[cfg(test)]
mod tests {
    use chunkwise_expr::{BlockRule, Meta};

    use super::*;

    /// How many elements all blocks of a moving sum need together, and how large the largest of them are.
    fn needed(shape: &[usize], chunk: &[usize], window: MovingWindow) -> (usize, usize) {
        let grid = ChunkGrid::regular(shape, chunk);
        let rule = rule(&grid, DType::F64, Statistic::Sum, window, 0).unwrap();
        let meta = Meta::Array { dtype: DType::F64, grid };
        let blocks = rule.grid.blocks().map(|block| rule.grid.region(&block));
        let sizes: Vec<usize> = blocks.map(|block| rule.needs(&block, 0, &[&meta])[0].region.len()).collect();
        (sizes.iter().sum(), sizes.iter().copied().max().unwrap_or(0))
    }

    #[test]
    fn elements_are_needed_twice_however_long_the_window_is() {
        for window in [1, 10, 100, 1000, 30_000] {
            for shape in [&[60_000][..], &[6000, 10]] {
                let chunk: Vec<usize> = std::iter::once(100).chain(shape[1..].iter().copied()).collect();
                let (all, _) = needed(shape, &chunk, MovingWindow::trailing(window));
                let total: usize = shape.iter().product();
                assert!(all <= 2 * total + window, "{window} of {shape:?}: {all} elements");
            }
        }
    }

    #[test]
    fn blocks_of_several_axes_stay_small() {
        // A block of the array has 100 * 64 elements; one of the result 800 * 8, which needs 800 more in each lane.
        let (_, most) = needed(&[8000, 64], &[100, 64], MovingWindow::trailing(800));
        assert_eq!(most, (800 + 799) * 8);
    }

    #[test]
    fn short_windows_keep_the_blocks() {
        let grid = ChunkGrid::regular(&[60, 4], &[10, 3]);
        let rule = rule(&grid, DType::F64, Statistic::Sum, MovingWindow::trailing(10), 0).unwrap();
        assert_eq!(rule.grid, grid);
    }
}
