//! Products of matrices and other sums of products.
//!
//! Operands are of one element type, and so is the result: integers wrap in their own type, and of truth values the
//! product is "and", the sum "or". A result is cut as its operands are, but into blocks of at most about 512 by 512 and
//! at least 128 by 128 elements; sums go over the common axes in steps of 256 or more, one after the other, so that a
//! block is in memory once. Where the result has few blocks and the common axes are long, up to 32 partial sums are
//! made side by side. None of this depends on threads or memory; `explain` shows it.

use chunkwise_chunk::Element;
use chunkwise_expr::{Expr, ExprError};
use chunkwise_ops::contract;
use ndarray::{DimMax, Dimension, Ix0, Ix1, Ix2, IxDyn, RemoveAxis};

use super::here;
use crate::{IntoAxes, LazyArray, LazyArray2, LazyArrayD, LazyScalar, Number};

mod sealed {
    /// Closes [`DotDim`](super::DotDim) to other crates.
    pub trait DotDim<E> {}
    /// Closes [`IntoAxisPairs`](super::IntoAxisPairs) to other crates.
    pub trait IntoAxisPairs {}
}

/// Ranks that [`LazyArray::dot`] takes: vectors and matrices as in ndarray, and arrays of dynamic rank. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(0, 3, 1, 2);
/// let dot: LazyScalar<i32> = x.dot(&x); // Ix1 with Ix1 gives Ix0
/// assert_eq!(dot.compute()?, 5);
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub trait DotDim<E>: sealed::DotDim<E> {
    /// The rank of the product.
    type Output: Dimension;
}

macro_rules! dot_dims {
    ($($left:ty, $right:ty => $output:ty;)*) => { $(
        impl sealed::DotDim<$right> for $left {}
        impl DotDim<$right> for $left {
            type Output = $output;
        }
    )* };
}
dot_dims! {
    Ix1, Ix1 => Ix0;
    Ix2, Ix1 => Ix1;
    Ix1, Ix2 => Ix1;
    Ix2, Ix2 => Ix2;
    IxDyn, IxDyn => IxDyn;
}

/// Which axes [`tensordot`] sums: a number for the last ones of the first array and the first ones of the second, or the
/// axes of both, which form pairs. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::<f64, _>::ones((2, 3, 4), 2);
/// assert_eq!(x.tensordot(&x.permuted_axes([1, 2, 0]), 2).shape(), [2, 2]);
/// assert_eq!(x.tensordot(&x, (Axis(1), Axis(1))).shape(), [2, 4, 2, 4]);
/// ```
pub trait IntoAxisPairs: sealed::IntoAxisPairs {
    /// The axes of the first array, of this rank, and those of the second one.
    #[doc(hidden)]
    fn into_axis_pairs(self, ndim: usize) -> Result<[Vec<usize>; 2], ExprError>;
}

impl sealed::IntoAxisPairs for usize {}
impl IntoAxisPairs for usize {
    fn into_axis_pairs(self, ndim: usize) -> Result<[Vec<usize>; 2], ExprError> {
        let text = || format!("{self} axes are more than the {ndim} there are");
        let first = ndim.checked_sub(self).ok_or_else(|| ExprError::Message(text()))?;
        Ok([(first..ndim).collect(), (0..self).collect()])
    }
}

impl<A: IntoAxes, B: IntoAxes> sealed::IntoAxisPairs for (A, B) {}
impl<A: IntoAxes, B: IntoAxes> IntoAxisPairs for (A, B) {
    fn into_axis_pairs(self, _: usize) -> Result<[Vec<usize>; 2], ExprError> {
        Ok([self.0.into_axes(), self.1.into_axes()])
    }
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The product of vectors and matrices, as ndarray's `dot`. Of arrays of dynamic rank it is NumPy's: the last axis
    /// of this array is summed with the last but one of the other, or its only one.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let a = LazyArray::arange(0.0_f64, 6.0, 1.0, 2).reshape((2, 3));
    /// let x = LazyArray::<f64, _>::ones(3, 2);
    /// assert_eq!(a.dot(&x).compute()?, ndarray::arr1(&[3.0, 12.0]));
    /// assert_eq!(a.dot(&a.t()).compute()?, ndarray::arr2(&[[5.0, 14.0], [14.0, 50.0]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn dot<E: Dimension>(&self, other: &LazyArray<T, E>) -> LazyArray<T, <D as DotDim<E>>::Output>
    where
        D: DotDim<E>,
    {
        LazyArray::wrap(contract::dot(self.expr(), other.expr(), here()))
    }

    /// The product of matrices, as NumPy's `matmul`: the last two axes are a matrix, those before broadcast; a vector on
    /// the left is a row, on the right a column. Numbers are an error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let batch = LazyArray::<f64, _>::ones((5, 2, 3), 2);
    /// let a = LazyArray::<f64, _>::ones((3, 4), 2);
    /// let y = batch.matmul(&a);
    /// assert_eq!(y.shape(), [5, 2, 4]);
    /// assert_eq!(y.max().compute()?, 3.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn matmul<E: Dimension>(&self, other: &LazyArray<T, E>) -> LazyArrayD<T> {
        LazyArray::wrap(contract::matmul(self.expr(), other.expr(), here()))
    }

    /// The product summed over pairs of axes, as NumPy's `tensordot`; the other axes are kept, those of this array first.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 4, 1, 2).reshape((2, 2));
    /// let y = x.tensordot(&x, ([Axis(0), Axis(1)], [Axis(1), Axis(0)]));
    /// assert_eq!(y.compute()?[[]], 0 * 0 + 1 * 2 + 2 * 1 + 3 * 3);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tensordot<E: Dimension>(
        &self,
        other: &LazyArray<T, E>,
        axes: impl IntoAxisPairs,
    ) -> LazyArrayD<T> {
        let axes = axes.into_axis_pairs(self.ndim());
        LazyArray::wrap(contract::tensordot(self.expr(), other.expr(), axes, here()))
    }

    /// The product over the last axes of both, as NumPy's `inner`; the other axes are kept, those of this array first.
    /// A number multiplies.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i64, 4, 1, 2).reshape((2, 2));
    /// assert_eq!(x.inner(&x).compute()?, ndarray::arr2(&[[1, 3], [3, 13]]).into_dyn());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn inner<E: Dimension>(&self, other: &LazyArray<T, E>) -> LazyArrayD<T> {
        LazyArray::wrap(contract::inner(self.expr(), other.expr(), here()))
    }

    /// All products of an element of this array and one of the other, each array in C order.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(1_i64, 3, 1, 2);
    /// assert_eq!(x.outer(&x).compute()?, ndarray::arr2(&[[1, 2], [2, 4]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn outer<E: Dimension>(&self, other: &LazyArray<T, E>) -> LazyArray2<T> {
        LazyArray::wrap(contract::outer(self.expr(), other.expr(), here()))
    }

    /// The Kronecker product: each element of this array replaced by it times the other array. Axes align at the end.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let (a, b) = (LazyArray::arange(1, 3, 1, 2), LazyArray::arange(3, 5, 1, 1));
    /// assert_eq!(a.kron(&b).compute()?, ndarray::arr1(&[3, 4, 6, 8]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn kron<E: Dimension>(&self, other: &LazyArray<T, E>) -> LazyArray<T, <D as DimMax<E>>::Output>
    where
        D: DimMax<E>,
    {
        LazyArray::wrap(contract::kron(self.expr(), other.expr(), here()))
    }

    /// The products of vectors along the last axis; the axes before broadcast. Of complex numbers those of this array are
    /// conjugated.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i64, 4, 1, 2).reshape((2, 2));
    /// assert_eq!(x.vecdot(&x).compute()?, ndarray::arr1(&[1, 13]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn vecdot<E: Dimension>(
        &self,
        other: &LazyArray<T, E>,
    ) -> LazyArray<T, <<D as DimMax<E>>::Output as Dimension>::Smaller>
    where
        D: DimMax<E>,
        <D as DimMax<E>>::Output: RemoveAxis,
    {
        LazyArray::wrap(contract::vecdot(self.expr(), other.expr(), here()))
    }
}

impl<T: Number> LazyArray2<T> {
    /// The sum of the diagonal.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<u8, _>::full((300, 300), 1, 100).trace().compute()?, 300);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn trace(&self) -> LazyScalar<T::Sum> {
        LazyArray::wrap(contract::trace(self.expr(), 0, here()))
    }

    /// The sum of a diagonal: a positive offset counts to the right of the main one, a negative one below it. Of an offset
    /// beyond the matrix 0. In more axes it is the sum of [`diagonal`](LazyArray::diagonal) along its last one.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2, 3], [4, 5, 6]]), 2);
    /// let sums = [-2, -1, 0, 1, 2, 3].map(|offset| x.trace_offset(offset));
    /// assert_eq!(chunkwise::compute(sums)?, [0_i64, 4, 6, 8, 3, 0]);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn trace_offset(&self, offset: isize) -> LazyScalar<T::Sum> {
        LazyArray::wrap(contract::trace(self.expr(), offset, here()))
    }
}

impl<T: Number> LazyArray2<T> {
    /// The covariances of the rows, each a variable with an observation in every column, divided by their number less
    /// `ddof`. As NumPy's `cov`, whose `ddof` is 1 where none is said. Observations are centred before they are
    /// multiplied, in `f64`; of complex numbers the second one is conjugated, and covariances are complex.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2, 3], [6, 4, 2]]), 2);
    /// assert_eq!(x.cov(1.0).compute()?, ndarray::arr2(&[[1.0, -2.0], [-2.0, 4.0]]));
    /// let z = x.cast::<Complex<f64>>() * Complex::i();
    /// assert_eq!(z.cov(1.0).compute()?[[0, 1]], Complex::new(-2.0, 0.0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cov(&self, ddof: f64) -> LazyArray2<T::Double> {
        LazyArray::wrap(contract::cov(self.expr(), ddof, here()))
    }

    /// The correlations of the rows: their covariances divided by both standard deviations, from -1 to 1, of complex
    /// numbers with such parts. NaN for rows of equal elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2, 3], [6, 4, 2]]), 2);
    /// assert_eq!(x.corrcoef().compute()?, ndarray::arr2(&[[1.0, -1.0], [-1.0, 1.0]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn corrcoef(&self) -> LazyArray2<T::Double> {
        LazyArray::wrap(contract::corrcoef(self.expr(), here()))
    }
}

/// [`LazyArray::matmul`] as a function.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::<f32, _>::ones((2, 3), 2);
/// assert_eq!(chunkwise::matmul(&x, &x.t()).compute()?, ndarray::ArrayD::from_elem(vec![2, 2], 3.0));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn matmul<T: Element, D: Dimension, E: Dimension>(
    a: &LazyArray<T, D>,
    b: &LazyArray<T, E>,
) -> LazyArrayD<T> {
    a.matmul(b)
}

/// [`LazyArray::tensordot`] as a function.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::<f32, _>::ones((2, 3), 2);
/// assert_eq!(chunkwise::tensordot(&x, &x, (Axis(0), Axis(0))).shape(), [3, 3]);
/// ```
#[must_use]
#[track_caller]
pub fn tensordot<T: Element, D: Dimension, E: Dimension>(
    a: &LazyArray<T, D>,
    b: &LazyArray<T, E>,
    axes: impl IntoAxisPairs,
) -> LazyArrayD<T> {
    a.tensordot(b, axes)
}

/// Sums of products of arrays whose axes are named by letters, as NumPy's `einsum`.
///
/// Axes of one letter are one axis: where an array has a letter twice, its diagonal is meant. Letters that the result
/// has not are summed. Without `->` the result has the letters that appear once, in alphabetical order. `...` stands for
/// any other axes, which broadcast. Axes of length 1 repeat.
///
/// Several arrays are contracted two at a time: up to eight in the order that needs the fewest multiplications of all,
/// more in a good one (Smith and Gray, "opt_einsum", Journal of Open Source Software 3(26), 753, 2018).
///
/// ```
/// use chunkwise::{einsum, prelude::*};
/// let x = LazyArray::arange(0_i64, 4, 1, 2).reshape((2, 2)).into_dyn();
/// assert_eq!(einsum("ij,jk->ik", &[&x, &x]).compute()?, ndarray::arr2(&[[2, 3], [6, 11]]).into_dyn());
/// assert_eq!(einsum("ii", &[&x]).compute()?[[]], 3);
/// assert_eq!(einsum("...ij->...ji", &[&x]).shape(), [2, 2]);
/// assert!(einsum("ijk", &[&x]).check().is_err());
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn einsum<T: Element, D: Dimension>(subscripts: &str, operands: &[&LazyArray<T, D>]) -> LazyArrayD<T> {
    let operands: Vec<&Expr> = operands.iter().map(|array| array.expr()).collect();
    LazyArray::wrap(contract::einsum(subscripts, &operands, here()))
}
