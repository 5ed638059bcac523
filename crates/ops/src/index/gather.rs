//! The loops that copy picked elements from a box of the source to a block of the result.
//!
//! ```text
//! source [outer, axis, inner]        result [outer, points, inner]
//! nothing inside        loads that depend on no other, as many in flight as the machine holds
//! inner in one piece    memcpy of rows
//! else                  rows element by element
//! ```

use chunkwise_chunk::AsBits;
use ndarray::{ArrayView1, ArrayViewD, Axis, Ix1, Ix2, IxDyn};

use super::plan::Picks;

/// Copies picks along `axis` of `source` to `out`: a block in C order that has `points` places along that axis.
pub(super) fn along<T: AsBits>(
    out: &mut [T],
    points: usize,
    source: ArrayViewD<'_, T>,
    axis: usize,
    picks: Picks<'_>,
) {
    if axis == 0 {
        return rows(out, source, picks);
    }
    if let Ok(source) = source.view().into_dimensionality::<Ix2>() {
        for (out, lane) in out.chunks_exact_mut(points).zip(source.rows()) {
            elements(out, lane, picks);
        }
        return;
    }
    let part = out.len() / source.len_of(Axis(0));
    for (out, source) in out.chunks_exact_mut(part).zip(source.outer_iter()) {
        along(out, points, source, axis - 1, picks);
    }
}

/// Copies picks of the first axes of `source`, as many as a pick has numbers, to the rows of `out`.
pub(super) fn pointwise<T: AsBits>(out: &mut [T], source: ArrayViewD<'_, T>, axes: usize, picks: Picks<'_>) {
    if axes == 1 {
        return rows(out, source, picks);
    }
    if let (2, Ok(source)) = (axes, source.view().into_dimensionality::<Ix2>()) {
        for (&place, at) in picks.places.iter().zip(picks.sources.chunks_exact(2)) {
            out[place as usize] = source[[at[0] as usize, at[1] as usize]];
        }
        return;
    }
    let inner: usize = source.shape()[axes..].iter().product();
    for (&place, at) in picks.places.iter().zip(picks.sources.chunks_exact(axes)) {
        let row = at.iter().fold(source.view(), |row, &at| row.index_axis_move(Axis(0), at as usize));
        row_to(&mut out[place as usize * inner..][..inner], &row);
    }
}

/// Rows along the first axis.
fn rows<T: AsBits>(out: &mut [T], source: ArrayViewD<'_, T>, picks: Picks<'_>) {
    if let Ok(lane) = source.view().into_dimensionality::<Ix1>() {
        return elements(out, lane, picks);
    }
    let inner: usize = source.shape()[1..].iter().product();
    let pairs = picks.places.iter().zip(picks.sources);
    if let Some(run) = source.as_slice() {
        for (&place, &at) in pairs {
            out[place as usize * inner..][..inner].copy_from_slice(&run[at as usize * inner..][..inner]);
        }
    } else if let Ok(source) = source.view().into_dimensionality::<Ix2>() {
        for (&place, &at) in pairs {
            row_to(&mut out[place as usize * inner..][..inner], &source.row(at as usize).into_dyn());
        }
    } else {
        for (&place, &at) in pairs {
            let row = source.index_axis(Axis(0), at as usize);
            row_to(&mut out[place as usize * inner..][..inner], &row);
        }
    }
}

fn row_to<T: AsBits>(out: &mut [T], row: &ArrayViewD<'_, T>) {
    match row.as_slice() {
        Some(run) => out.copy_from_slice(run),
        None => out.iter_mut().zip(row).for_each(|(out, &x)| *out = x),
    }
}

/// Single elements of a lane.
fn elements<T: AsBits>(out: &mut [T], lane: ArrayView1<'_, T>, picks: Picks<'_>) {
    let pairs = picks.places.iter().zip(picks.sources);
    match lane.as_slice() {
        Some(run) => pairs.for_each(|(&place, &at)| out[place as usize] = run[at as usize]),
        None => pairs.for_each(|(&place, &at)| out[place as usize] = lane[at as usize]),
    }
}

/// A source with the picked axes first, in their order.
pub(super) fn axes_first<'a, T>(source: ArrayViewD<'a, T>, axes: &[usize]) -> ArrayViewD<'a, T> {
    let others = (0..source.ndim()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = axes.iter().copied().chain(others).collect();
    source.permuted_axes(IxDyn(&order))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, ArrayD};

    fn numbers(shape: &[usize]) -> ArrayD<u32> {
        let len: u32 = shape.iter().product::<usize>() as u32;
        Array::from_iter(0..len).into_shape_with_order(IxDyn(shape)).unwrap()
    }

    /// `source` in its own memory, and as every other element of a larger array with its axes in another order.
    fn layouts(source: &ArrayD<u32>) -> [ArrayD<u32>; 2] {
        let reversed = source.t().to_owned();
        [source.clone(), reversed.reversed_axes()]
    }

    #[test]
    fn picks_along_any_axis_of_any_layout() {
        let picks = Picks { places: &[2, 0, 1], sources: &[1, 1, 0] };
        for shape in [&[2][..], &[2, 3], &[3, 2], &[2, 3, 2], &[4, 2, 3], &[2, 2, 2, 2]] {
            for axis in (0..shape.len()).filter(|&axis| shape[axis] == 2) {
                for source in layouts(&numbers(shape)) {
                    let mut want_shape = shape.to_vec();
                    want_shape[axis] = 3;
                    let mut got = ArrayD::<u32>::zeros(IxDyn(&want_shape));
                    along(got.as_slice_mut().unwrap(), 3, source.view(), axis, picks);
                    assert_eq!(got, source.select(Axis(axis), &[1, 0, 1]), "{shape:?} {axis}");
                }
            }
        }
    }

    #[test]
    fn points_of_several_axes_of_any_layout() {
        let picks = Picks { places: &[1, 0], sources: &[1, 0, 0, 2] };
        for source in layouts(&numbers(&[2, 3, 2])) {
            let mut got = [0; 4];
            pointwise(&mut got, source.view(), 2, picks);
            assert_eq!(got, [4, 5, 6, 7]);
        }
        let mut got = [0; 2];
        pointwise(&mut got, numbers(&[2, 3]).view(), 2, picks);
        assert_eq!(got, [2, 3]);
    }
}
