//! Views and other rearrangements: no element is changed. Views share memory, but for broadcasts, and for parts so
//! small that sharing would keep a large block alive.

use chunkwise_chunk::{ChunkError, Element, View};
use chunkwise_expr::{Expr, ExprError};
use ndarray::{Axis, Dimension, IntoDimension, RemoveAxis, SliceArg, SliceInfoElem};

use super::here;
use crate::{LazyArray, LazyArrayD};

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// A slice, as `s![..]` writes it: ranges with steps, single indices, new axes. Negative numbers count from the
    /// end, and a negative step walks the range from its end, as in ndarray; bounds beyond the ends are clamped, as
    /// in NumPy. Only blocks that hold some of it are computed.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 10, 1, 3);
    /// assert_eq!(x.slice(s![2..9;3]).compute()?, ndarray::arr1(&[2, 5, 8]));
    /// assert_eq!(x.slice(s![..;-4]).compute()?, ndarray::arr1(&[9, 5, 1]));
    /// let last: i32 = x.slice(s![-1]).compute()?;
    /// assert_eq!(last, 9);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slice<I: SliceArg<D>>(&self, info: I) -> LazyArray<T, I::OutDim> {
        LazyArray::wrap(self.viewed("slice", View::slice(self.shape(), info.as_ref())))
    }

    /// A slice whose form is known only when run; the result is of dynamic rank.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::ndarray::SliceInfoElem;
    /// let x = LazyArray::arange(0_i32, 10, 1, 3);
    /// let y = x.slice_dyn(&[SliceInfoElem::Slice { start: 8, end: None, step: 1 }]);
    /// assert_eq!(y.compute()?, ndarray::arr1(&[8, 9]).into_dyn());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slice_dyn(&self, info: &[SliceInfoElem]) -> LazyArrayD<T> {
        LazyArray::wrap(self.viewed("slice", View::slice(self.shape(), info)))
    }

    /// The transpose: all axes in reverse order.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.t().compute()?, ndarray::arr2(&[[1, 3], [2, 4]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn t(&self) -> LazyArray<T, D> {
        let axes: Vec<usize> = (0..self.ndim()).rev().collect();
        LazyArray::wrap(self.viewed("t", View::permute(self.shape(), &axes)))
    }

    /// The axes in another order: axis `i` of the result is axis `axes[i]`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((2, 3, 4), 2);
    /// assert_eq!(x.permuted_axes([2, 0, 1]).shape(), [4, 2, 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn permuted_axes<A: IntoDimension<Dim = D>>(&self, axes: A) -> LazyArray<T, D> {
        let axes = axes.into_dimension();
        LazyArray::wrap(self.viewed("permuted_axes", View::permute(self.shape(), axes.slice())))
    }

    /// A new axis of length 1 before `axis`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((2, 3), 2);
    /// assert_eq!(x.insert_axis(Axis(1)).shape(), [2, 1, 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn insert_axis(&self, axis: Axis) -> LazyArray<T, D::Larger> {
        LazyArray::wrap(self.viewed("insert_axis", View::insert_axis(self.shape(), axis.index())))
    }

    /// Without `axis`: its first element, as in ndarray. See [`squeeze`](LazyArray::squeeze) for an axis that
    /// must have length 1.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.remove_axis(Axis(1)).compute()?, ndarray::arr1(&[1, 3]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn remove_axis(&self, axis: Axis) -> LazyArray<T, D::Smaller>
    where
        D: RemoveAxis,
    {
        LazyArray::wrap(self.viewed("remove_axis", at_index(self.shape(), axis.index(), 0)))
    }

    /// Element `index` of `axis`, which vanishes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.index_axis(Axis(0), 1).compute()?, ndarray::arr1(&[3, 4]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn index_axis(&self, axis: Axis, index: usize) -> LazyArray<T, D::Smaller>
    where
        D: RemoveAxis,
    {
        LazyArray::wrap(self.viewed("index_axis", at_index(self.shape(), axis.index(), index)))
    }

    /// Without `axis`, which must have length 1.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((2, 1), 2);
    /// assert_eq!(x.squeeze(Axis(1)).shape(), [2]);
    /// assert!(x.squeeze(Axis(0)).check().is_err());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn squeeze(&self, axis: Axis) -> LazyArray<T, D::Smaller>
    where
        D: RemoveAxis,
    {
        LazyArray::wrap(self.viewed("squeeze", View::remove_axis(self.shape(), axis.index())))
    }

    /// Repeated to a larger shape: axes align at the end, and length 1 repeats.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 2, 1, 2).broadcast((2, 2));
    /// assert_eq!(x.compute()?, ndarray::arr2(&[[0, 1], [0, 1]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn broadcast<S: IntoDimension>(&self, shape: S) -> LazyArray<T, S::Dim> {
        let shape = shape.into_dimension();
        LazyArray::wrap(self.viewed("broadcast", View::broadcast(self.shape(), shape.slice())))
    }

    /// The order of one axis reversed.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 3, 1, 2);
    /// assert_eq!(x.flip(Axis(0)).compute()?, ndarray::arr1(&[2, 1, 0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn flip(&self, axis: Axis) -> LazyArray<T, D> {
        LazyArray::wrap(self.viewed("flip", View::flip(self.shape(), axis.index())))
    }

    /// The elements in C order under another shape. Works for any two shapes of equally many elements; each block is
    /// gathered from just the elements it holds, and blocks hold at most as many elements as before.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 6, 1, 4).reshape((2, 3));
    /// assert_eq!(x.compute()?, ndarray::arr2(&[[0, 1, 2], [3, 4, 5]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reshape<S: IntoDimension>(&self, shape: S) -> LazyArray<T, S::Dim> {
        let shape = shape.into_dimension();
        LazyArray::wrap(self.expr().reshape(shape.slice(), here()))
    }

    /// [`reshape`](LazyArray::reshape) with one length given as -1, which becomes what is left.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::arange(0_i32, 6, 1, 4).reshape_dyn(&[2, -1]).shape(), [2, 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reshape_dyn(&self, shape: &[isize]) -> LazyArrayD<T> {
        let at = here();
        if self.expr().error().is_some() {
            return LazyArray::wrap(self.expr().clone());
        }
        LazyArray::wrap(match completed(shape, self.shape()) {
            Ok(shape) => self.expr().reshape(&shape, at),
            Err(cause) => Expr::invalid("reshape", cause, at),
        })
    }

    #[track_caller]
    fn viewed(&self, name: &str, view: Result<View, ChunkError>) -> Expr {
        Expr::view(name, self.expr(), view, here())
    }
}

/// The shape with its -1 replaced.
fn completed(shape: &[isize], from: &[usize]) -> Result<Vec<usize>, ExprError> {
    let unknown = shape.iter().filter(|&&len| len == -1).count();
    if unknown > 1 || shape.iter().any(|&len| len < -1) {
        let text = format!("shape {shape:?} must hold at most one -1 and otherwise lengths");
        return Err(ExprError::Message(text));
    }
    let lengths = shape.iter().filter(|&&len| len >= 0).map(|&len| len as usize);
    let known = lengths.clone().try_fold(1usize, |n, len| n.checked_mul(len));
    let known = known.ok_or_else(|| ChunkError::TooLarge(lengths.collect()))?;
    let total: usize = from.iter().product();
    if unknown == 1 && (known == 0 || !total.is_multiple_of(known)) {
        let text =
            format!("no length in place of -1 makes shape {shape:?} hold the {total} elements of {from:?}");
        return Err(ExprError::Message(text));
    }
    Ok(shape.iter().map(|&len| if len < 0 { total / known } else { len as usize }).collect())
}

fn at_index(shape: &[usize], axis: usize, index: usize) -> Result<View, ChunkError> {
    let mut elems: Vec<SliceInfoElem> = vec![(..).into(); shape.len()];
    let out_of_range = || ChunkError::Axis { axis: axis as isize, shape: shape.into() };
    *elems.get_mut(axis).ok_or_else(out_of_range)? =
        SliceInfoElem::Index(index.try_into().unwrap_or(isize::MAX));
    View::slice(shape, &elems)
}

/// Arrays laid end to end along an axis. They must agree in all other lengths; blocks are kept.
///
/// ```
/// use chunkwise::prelude::*;
/// let (a, b) = (LazyArray::arange(0_i32, 2, 1, 2), LazyArray::arange(5, 7, 1, 1));
/// assert_eq!(chunkwise::concatenate(Axis(0), &[&a, &b]).compute()?, ndarray::arr1(&[0, 1, 5, 6]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn concatenate<T: Element, D: RemoveAxis>(axis: Axis, arrays: &[&LazyArray<T, D>]) -> LazyArray<T, D> {
    let exprs: Vec<&Expr> = arrays.iter().map(|array| array.expr()).collect();
    LazyArray::wrap(Expr::concat(&exprs, axis.index(), here()))
}

/// Arrays of one shape side by side along a new axis.
///
/// ```
/// use chunkwise::prelude::*;
/// let (a, b) = (LazyArray::arange(0_i32, 2, 1, 2), LazyArray::arange(5, 7, 1, 1));
/// assert_eq!(chunkwise::stack(Axis(0), &[&a, &b]).compute()?, ndarray::arr2(&[[0, 1], [5, 6]]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn stack<T: Element, D: Dimension>(axis: Axis, arrays: &[&LazyArray<T, D>]) -> LazyArray<T, D::Larger> {
    let at = here();
    let widened: Vec<Expr> = arrays
        .iter()
        .map(|array| {
            let view = View::insert_axis(array.shape(), axis.index());
            Expr::view("stack", array.expr(), view, at)
        })
        .collect();
    LazyArray::wrap(Expr::concat(&widened.iter().collect::<Vec<_>>(), axis.index(), at))
}
