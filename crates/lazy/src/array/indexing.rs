//! Indexing by arrays: taking, placing, diagonals.
//!
//! Indices are host arrays, whose bounds are checked when the expression is built, or lazy arrays of integers, whose bounds
//! are checked when it runs. Negative ones count from the end of the axis.

use chunkwise_chunk::{Element, View};
use chunkwise_expr::{Expr, ExprError};
use chunkwise_ops::index::{self, Index};
use ndarray::{Axis, Dimension, RemoveAxis, SliceInfoElem};

use super::here;
use super::indexing_arguments::{Indices, IntoIndices, LaneIndices, Origin};
use crate::{LazyArray, LazyArrayD};

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The elements at `indices` of an axis, in that order, as often as they are named.
    ///
    /// Host indices are grouped by the blocks they lie in when the expression is built, in O(n log n) at most; the result
    /// has blocks of the average length of this array's. With lazy indices every block of the result goes through all
    /// blocks of this array along the axis, one after the other.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 10, 1, 3);
    /// assert_eq!(x.take([9, 0, 0, -1, 5], Axis(0)).compute()?, ndarray::arr1(&[9, 0, 0, 9, 5]));
    /// assert!(x.take([10], Axis(0)).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn take(&self, indices: impl IntoIndices, axis: Axis) -> Self {
        LazyArray::wrap(taken(self.expr(), indices.into_indices(), axis.index(), here()))
    }

    /// The elements at `indices` of an axis, as ndarray's `select`: [`take`](LazyArray::take) of host indices.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.select(Axis(1), &[1, 1]).compute()?, ndarray::arr2(&[[2, 2], [4, 4]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn select(&self, axis: Axis, indices: &[usize]) -> Self {
        LazyArray::wrap(index::take_list("select", self.expr(), indices.into(), axis.index(), here()))
    }

    /// The elements at indices of their own for every lane of an axis, as `argmin` finds them. The indices have as many
    /// axes as this array, and its lengths, or 1, on all others; they are a lazy array or an ndarray of integers.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[3, 1, 2], [5, 6, 4]]), 2);
    /// let at = LazyArray::from_ndarray(ndarray::arr2(&[[1, -1], [2, 0]]), 1);
    /// assert_eq!(x.take_along_axis(&at, Axis(1)).compute()?, ndarray::arr2(&[[1, 2], [4, 5]]));
    /// let first = x.take_along_axis(&ndarray::arr2(&[[0]]), Axis(1));
    /// assert_eq!(first.compute()?, ndarray::arr2(&[[3], [5]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn take_along_axis(&self, indices: impl LaneIndices<D>, axis: Axis) -> Self {
        let at = here();
        let indices = indices.lanes(self.shape(), axis, at);
        LazyArray::wrap(index::take_along_axis(self.expr(), &indices, axis.index(), at))
    }

    /// What NumPy's brackets pick: positions, ranges, new axes, masks and arrays of indices on any axes; missing axes are
    /// whole ones. Arrays broadcast against each other, and the axes of what they pick stand where the arrays were, or
    /// first where something else lies between them. Write the key with [`idx!`](crate::idx).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::{Index, idx};
    /// let x = LazyArray::<f64, _>::zeros((2, 3, 4), 2);
    /// assert_eq!(x.index(idx![.., [2, 0], [1, 3]]).shape(), [2, 2]);
    /// assert_eq!(x.index(idx![[0, 1, 1], .., 1]).shape(), [3, 3]);
    /// assert_eq!(x.index(idx![Index::Ellipsis, Index::NewAxis, [3, 1, 0]]).shape(), [2, 3, 1, 3]);
    /// assert_eq!(x.index(idx![.., ndarray::arr2(&[[0], [2]]), [0, 1, 3]]).shape(), [2, 2, 3]);
    /// assert!(x.index(idx![[0, 2]]).check().is_err());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn index(&self, key: impl AsRef<[Index]>) -> LazyArrayD<T> {
        LazyArray::wrap(index::index(self.expr(), key.as_ref(), here()))
    }

    /// What [`index`](LazyArray::index) picks, with the axes of the arrays first wherever they stand: elements at points.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::idx;
    /// let x = LazyArray::from_fn((3, 2, 3), 2, |(i, j, k)| (100 * i + 10 * j + k) as u64);
    /// let points = x.vindex(idx![.., [0, 1, 0], [2, 0, 1]]);
    /// assert_eq!(points.shape(), [3, 3]);
    /// let first: LazyArray1<_> = points.index_axis(Axis(1), 0).into_dimensionality();
    /// assert_eq!(first.compute()?, ndarray::arr1(&[2, 10, 1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn vindex(&self, key: impl AsRef<[Index]>) -> LazyArrayD<T> {
        LazyArray::wrap(index::vindex(self.expr(), key.as_ref(), here()))
    }

    /// The elements of an axis where `mask` is true. The mask has the length of the axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 4, 1, 3);
    /// assert_eq!(x.compress(&[true, false, false, true], Axis(0)).compute()?, ndarray::arr1(&[0, 3]));
    /// assert!(x.compress(&[true], Axis(0)).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn compress(&self, mask: &[bool], axis: Axis) -> Self {
        LazyArray::wrap(compressed(self.expr(), mask, axis.index(), here()))
    }

    /// The array without some positions of an axis: one, a list of them, a range, or those where a mask is true. What is
    /// named twice is deleted once.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 5, 1, 2);
    /// assert_eq!(x.delete([1, -1, 1], Axis(0)).compute()?, ndarray::arr1(&[0, 2, 3]));
    /// assert_eq!(x.delete([false, true, false, false, true], Axis(0)).compute()?, ndarray::arr1(&[0, 2, 3]));
    /// assert_eq!(x.delete(1..4, Axis(0)).compute()?, ndarray::arr1(&[0, 4]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn delete(&self, what: impl Into<Index>, axis: Axis) -> Self {
        LazyArray::wrap(index::delete(self.expr(), what.into(), axis.index(), here()))
    }

    /// The array with `values` laid into an axis before `index`, which is at most the length of the axis; negative ones
    /// count from the end. The values have the lengths of this array on all other axes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 4, 1, 2);
    /// let y = x.insert(1, &LazyArray::arange(7, 9, 1, 2), Axis(0));
    /// assert_eq!(y.compute()?, ndarray::arr1(&[0, 7, 8, 1, 2, 3]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn insert(&self, index: isize, values: &LazyArray<T, D>, axis: Axis) -> Self {
        LazyArray::wrap(inserted(self.expr(), index, values.expr(), axis.index(), here()))
    }

    /// The array with `values` at the end of an axis: [`concatenate`](crate::concatenate) of both.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 2, 1, 2);
    /// assert_eq!(x.append(&x, Axis(0)).compute()?, ndarray::arr1(&[0, 1, 0, 1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn append(&self, values: &LazyArray<T, D>, axis: Axis) -> Self {
        LazyArray::wrap(Expr::concat(&[self.expr(), values.expr()], axis.index(), here()))
    }
}

impl<T: Element, D: RemoveAxis> LazyArray<T, D> {
    /// The diagonal of two axes, which becomes the last axis of the result; a positive offset counts to the right of the
    /// main diagonal, a negative one below it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_fn((3, 4), 2, |(i, j)| (10 * i + j) as u64);
    /// assert_eq!(x.diagonal(1, Axis(0), Axis(1)).compute()?, ndarray::arr1(&[1, 12, 23]));
    /// assert_eq!(x.diagonal(-2, Axis(0), Axis(1)).compute()?, ndarray::arr1(&[20]));
    /// assert!(x.diagonal(0, Axis(1), Axis(1)).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn diagonal(&self, offset: isize, axis1: Axis, axis2: Axis) -> LazyArray<T, D::Smaller> {
        let axes = [axis1.index(), axis2.index()];
        LazyArray::wrap(index::diagonal(self.expr(), offset, axes, here()))
    }
}

/// The elements at indices of an axis.
fn taken(input: &Expr, indices: Indices, axis: usize, origin: Origin) -> Expr {
    match indices {
        Indices::Given(list) => index::take_list("take", input, list, axis, origin),
        Indices::Lazy(indices) => index::take_lazy(input, &indices, axis, origin),
    }
}

/// The elements of an axis where a mask is true.
fn compressed(input: &Expr, mask: &[bool], axis: usize, origin: Origin) -> Expr {
    let shape = input.shape();
    if shape.get(axis).is_some_and(|&len| len != mask.len()) {
        let text = format!("a mask of length {} does not fit axis {axis} of shape {shape:?}", mask.len());
        return Expr::invalid("compress", ExprError::Message(text), origin);
    }
    let kept: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
    index::take_list("compress", input, kept.into(), axis, origin)
}

/// The values between what lies before and after a position of an axis.
fn inserted(input: &Expr, index: isize, values: &Expr, axis: usize, origin: Origin) -> Expr {
    let Some(&len) = input.shape().get(axis) else {
        // The error of such an axis, or the one that an input has.
        return Expr::concat(&[input, values], axis, origin);
    };
    let split = if index < 0 { index.saturating_add(len as isize) } else { index };
    if !(0..=len as isize).contains(&split) {
        let text = format!("index {index} is out of bounds for inserting into {len} elements of axis {axis}");
        return Expr::invalid("insert", ExprError::Message(text), origin);
    }
    let (head, tail) = (part(input, axis, 0, Some(split), origin), part(input, axis, split, None, origin));
    Expr::concat(&[&head, values, &tail], axis, origin)
}

/// The elements from `start` to `end` of an axis.
fn part(input: &Expr, axis: usize, start: isize, end: Option<isize>, origin: Origin) -> Expr {
    let mut elems: Vec<SliceInfoElem> = vec![(..).into(); input.shape().len()];
    elems[axis] = SliceInfoElem::Slice { start, end, step: 1 };
    Expr::view("insert", input, View::slice(input.shape(), &elems), origin)
}
