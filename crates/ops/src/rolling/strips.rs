//! The lanes of a block: loaded a few side by side, tile by tile, and stored.

use chunkwise_chunk::Element;
use chunkwise_expr::BlockError;
use ndarray::{ArrayView1, ArrayView2, ArrayViewD, ArrayViewMut1, ArrayViewMut2, ArrayViewMutD};

use super::folds::Fold;
use super::quantile::{Quantile, Quantiles};
use super::slide::slide;
use crate::scan::lanes::planes;

/// Lanes that are loaded side by side: a line of the cache of `f64`.
const SIDE_BY_SIDE: usize = 8;

/// Windows of a tile, when they are short.
const TILE: usize = 1024;

/// Tiles that are computed at once where nothing is copied.
const LONGER: usize = 8;

/// Windows of a tile: some times their length, so that little is computed twice.
fn tile(window: usize) -> usize {
    window.saturating_mul(4).max(TILE)
}

/// Bytes of the tiles for so many windows of each lane.
pub(super) fn tile_bytes(window: usize, windows: usize) -> usize {
    // Elements, values, and what is known of suffixes: up to three numbers each.
    let places = tile(window).min(windows).saturating_mul(2).saturating_add(window.saturating_mul(4));
    places.saturating_mul(SIDE_BY_SIDE * size_of::<f64>())
}

/// Bytes that quantiles take: two blocks of values, links and sorted keys.
pub(super) fn block_bytes(window: usize) -> usize {
    window.saturating_add(1).saturating_mul(2 * (8 + 3 * 4 + 16))
}

/// Where the lanes of a block lie, and what is asked on the way.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Elements of a window.
    pub(super) window: usize,
    /// Position of the first window.
    pub(super) first: usize,
    /// Elements of the first window that lie before the array.
    pub(super) missing: usize,
    /// Whether the result is no longer wanted.
    pub(super) cancelled: &'a dyn Fn() -> bool,
}

impl Place<'_> {
    fn go_on(&self) -> Result<(), BlockError> {
        if (self.cancelled)() { Err("stopped: the run was cancelled".into()) } else { Ok(()) }
    }
}

/// The values of a fold for each window along an axis.
pub(super) fn fold_windows<F: Fold>(
    fold: &F,
    place: Place<'_>,
    x: ArrayViewD<'_, F::In>,
    out: ArrayViewMutD<'_, F::In>,
    axis: usize,
) -> Result<(), BlockError> {
    let mut result = Ok(());
    planes(x, out, axis, &mut |x, mut out| {
        if result.is_err() {
            return;
        }
        result = match x.ncols() {
            1 => fold_lane(fold, place, x, out.view_mut()),
            _ => fold_plane::<F, SIDE_BY_SIDE>(fold, place, x, out),
        };
    });
    result
}

/// A single lane: read and written where it is, when it is one run of memory.
fn fold_lane<F: Fold>(
    fold: &F,
    place: Place<'_>,
    x: ArrayView2<'_, F::In>,
    mut out: ArrayViewMut2<'_, F::In>,
) -> Result<(), BlockError> {
    let whole = place.missing == 0 && x.nrows() + 1 == out.nrows() + place.window;
    let mut values = out.column_mut(0);
    match (x.column(0).as_slice(), values.as_slice_mut()) {
        (Some(x), Some(out)) if whole => {
            let (x, out) = (x.as_chunks::<1>().0, out.as_chunks_mut::<1>().0);
            let (windows, long) = (out.len(), tile(place.window).saturating_mul(LONGER));
            let mut suffixes = Vec::new();
            for start in (0..windows).step_by(long) {
                place.go_on()?;
                let end = windows.min(start.saturating_add(long));
                let x = &x[start..end + place.window - 1];
                slide(fold, place.window, place.first + start, x, &mut out[start..end], &mut suffixes);
            }
            Ok(())
        }
        _ => fold_plane::<F, 1>(fold, place, x, out),
    }
}

/// Lanes that are copied together, `C` at a time, so that the loops over them vectorise.
fn fold_plane<F: Fold, const C: usize>(
    fold: &F,
    place: Place<'_>,
    x: ArrayView2<'_, F::In>,
    mut out: ArrayViewMut2<'_, F::In>,
) -> Result<(), BlockError> {
    let (mut elements, mut values, mut suffixes) = (Vec::new(), Vec::new(), Vec::new());
    let (windows, tile) = (out.nrows(), tile(place.window).min(out.nrows()));
    for left in (0..x.ncols()).step_by(C) {
        let width = C.min(x.ncols() - left);
        for start in (0..windows).step_by(tile) {
            place.go_on()?;
            let len = tile.min(windows - start);
            elements.clear();
            elements.extend((start..start + len + place.window - 1).map(|at| {
                let mut row = [fold.missing(); C];
                if let Some(at) = at.checked_sub(place.missing).filter(|&at| at < x.nrows()) {
                    load(x.row(at), left, &mut row[..width]);
                }
                row
            }));
            values.resize(len, [F::In::default(); C]);
            slide(fold, place.window, place.first + start, &elements, &mut values, &mut suffixes);
            for (at, value) in values.iter().enumerate() {
                store(&value[..width], left, out.row_mut(start + at));
            }
        }
    }
    Ok(())
}

fn load<T: Element>(x: ArrayView1<'_, T>, left: usize, to: &mut [T]) {
    match x.as_slice() {
        Some(x) => to.copy_from_slice(&x[left..left + to.len()]),
        None => to.iter_mut().zip(x.iter().skip(left)).for_each(|(to, &x)| *to = x),
    }
}

fn store<T: Element>(from: &[T], left: usize, mut out: ArrayViewMut1<'_, T>) {
    match out.as_slice_mut() {
        Some(out) => out[left..left + from.len()].copy_from_slice(from),
        None => out.iter_mut().skip(left).zip(from).for_each(|(out, &x)| *out = x),
    }
}

/// The quantiles of each window along an axis, lane by lane.
pub(super) fn quantiles(
    quantile: Quantile,
    place: Place<'_>,
    x: ArrayViewD<'_, f64>,
    out: ArrayViewMutD<'_, f64>,
    axis: usize,
) -> Result<(), BlockError> {
    let mut lists = Quantiles::new(quantile, place.window);
    let mut result = Ok(());
    planes(x, out, axis, &mut |x, mut out| {
        for (lane, mut values) in x.columns().into_iter().zip(out.columns_mut()) {
            if result.is_err() {
                return;
            }
            let get = |at: usize| {
                at.checked_sub(place.missing).and_then(|at| lane.get(at)).copied().unwrap_or(f64::NAN)
            };
            result = lists.run(values.len(), get, |at, value| values[at] = value, || place.go_on());
        }
    });
    result
}
