//! An array as planes: what an operation along one axis walks.
//!
//! A plane has two axes: first the one that is walked, then one of the others, which is the innermost one unless that is
//! walked itself. Axes that lie in memory as one are one. A loop over the rows of a plane then handles many lanes at
//! once, and a plane of one column is a single lane.

use ndarray::{ArrayView2, ArrayViewD, ArrayViewMut2, ArrayViewMutD, Axis, Ix2};

/// Calls `each` for every plane of two arrays, whose lengths differ along `axis` alone.
pub(crate) fn planes<X, O>(
    mut x: ArrayViewD<'_, X>,
    mut out: ArrayViewMutD<'_, O>,
    axis: usize,
    each: &mut dyn FnMut(ArrayView2<'_, X>, ArrayViewMut2<'_, O>),
) {
    for inner in 1..x.ndim() {
        if inner != axis && inner - 1 != axis {
            merge(&mut x, &mut out, inner - 1, inner);
        }
    }
    if axis + 1 == x.ndim() {
        let last = Axis(x.ndim());
        (x, out) = (x.insert_axis(last), out.insert_axis(last));
    }
    walk(x, out, axis, each);
}

/// Makes two axes one where that can be done in both arrays; the outer one keeps length 1.
fn merge<X, O>(x: &mut ArrayViewD<'_, X>, out: &mut ArrayViewMutD<'_, O>, outer: usize, inner: usize) {
    let mut merged = x.clone();
    if merged.merge_axes(Axis(outer), Axis(inner)) && out.merge_axes(Axis(outer), Axis(inner)) {
        *x = merged;
    }
}

/// The planes of arrays whose last axis is not `axis`.
fn walk<X, O>(
    x: ArrayViewD<'_, X>,
    mut out: ArrayViewMutD<'_, O>,
    axis: usize,
    each: &mut dyn FnMut(ArrayView2<'_, X>, ArrayViewMut2<'_, O>),
) {
    if x.ndim() == 2 {
        let plane = "an array of two axes";
        return each(
            x.into_dimensionality::<Ix2>().expect(plane),
            out.into_dimensionality::<Ix2>().expect(plane),
        );
    }
    let over = Axis(usize::from(axis == 0));
    let left = axis - usize::from(axis != 0);
    for (x, out) in x.axis_iter(over).zip(out.axis_iter_mut(over)) {
        walk(x, out, left, each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, ArrayD, IxDyn};

    fn shapes(x: &ArrayD<i32>, axis: usize) -> Vec<[usize; 2]> {
        let mut shape = x.shape().to_vec();
        shape[axis] = 1;
        let (mut out, mut seen) = (ArrayD::<i32>::zeros(IxDyn(&shape)), Vec::new());
        planes(x.view(), out.view_mut(), axis, &mut |x, mut out| {
            seen.push([x.nrows(), x.ncols()]);
            out.row_mut(0).assign(&x.row(x.nrows() - 1));
        });
        assert_eq!(out.index_axis(Axis(axis), 0), x.index_axis(Axis(axis), x.shape()[axis] - 1));
        seen
    }

    #[test]
    fn axes_that_lie_in_memory_as_one_are_one() {
        let x = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (12 * i + 4 * j + k) as i32).into_dyn();
        assert_eq!(shapes(&x, 0), [[2, 12]]);
        assert_eq!(shapes(&x, 1), [[3, 4]; 2]);
        assert_eq!(shapes(&x, 2), [[4, 1]; 6]);
    }

    #[test]
    fn axes_in_any_order_are_walked() {
        let x = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (12 * i + 4 * j + k) as i32).into_dyn();
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for axis in 0..3 {
                shapes(&x.clone().permuted_axes(IxDyn(&order)), axis);
            }
        }
    }
}
