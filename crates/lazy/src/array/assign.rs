//! Arrays with some elements replaced. The array itself stays as it is: what is made is another one.

use chunkwise_chunk::Element;
use chunkwise_expr::{ElementOp, Expr};
use chunkwise_ops::index::{self, IndexList};
use ndarray::{Axis, Dimension, SliceArg};

use super::here;
use crate::{LazyArray, Operand};

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The array with the elements of a slice replaced: `x[2:9:3] = value` in NumPy. The value is a number, or an array
    /// that is repeated to the slice's shape. This array stays as it is, and so does every expression that uses it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 6, 1, 4);
    /// assert_eq!(x.assign(s![1..5], 9).compute()?, ndarray::arr1(&[0, 9, 9, 9, 9, 5]));
    /// assert_eq!(x.assign(s![..;-2], &LazyArray::arange(7, 10, 1, 2)).compute()?, ndarray::arr1(&[0, 9, 2, 8, 4, 7]));
    /// assert!(x.assign(s![1..5], &x).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn assign<I: SliceArg<D>>(&self, info: I, value: impl Operand<T>) -> Self {
        let at = here();
        LazyArray::wrap(index::assign(self.expr(), info.as_ref(), &value.operand(at), at))
    }

    /// The array with the elements at `indices` of an axis replaced: `x[:, indices] = value` in NumPy for axis 1. The
    /// value is a number, or an array that is repeated to the shape that taking the indices would have. Of equal indices
    /// the last one counts.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 4, 1, 3);
    /// let y = LazyArray::arange(5, 8, 1, 2);
    /// assert_eq!(x.assign_at([1, -1, 1], Axis(0), &y).compute()?, ndarray::arr1(&[0, 7, 2, 6]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn assign_at(&self, indices: impl Into<IndexList>, axis: Axis, value: impl Operand<T>) -> Self {
        let at = here();
        LazyArray::wrap(index::assign_at(self.expr(), indices.into(), axis.index(), &value.operand(at), at))
    }

    /// The array with the elements replaced where `mask` is true: `x[mask] = value` in NumPy for a value of one element,
    /// or for one that is as large as the array. Mask and value are repeated to the shape of the array.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(-2, 3, 1, 2);
    /// assert_eq!(x.assign_where(&x.lt(0), 0).compute()?, ndarray::arr1(&[0, 0, 0, 1, 2]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn assign_where<M: Dimension>(&self, mask: &LazyArray<bool, M>, value: impl Operand<T>) -> Self {
        let at = here();
        let value = index::repeated("assign_where", &value.operand(at), self.expr(), at);
        let mask = index::repeated("assign_where", mask.expr(), self.expr(), at);
        LazyArray::wrap(Expr::element(ElementOp::Select, &[&mask, &value, self.expr()], at))
    }
}
