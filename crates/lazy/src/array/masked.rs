//! Arrays with missing elements: what they are, their parts, and how they are computed.
//!
//! Elementwise methods are in `masked_math.rs`, reductions in `masked_reduce.rs`, other layouts in `masked_shape.rs`, and what makes masked arrays of plain
//! ones in `missing.rs`.

use std::fmt;

use chunkwise_chunk::{ChunkGrid, Chunks, DType, Element};
use chunkwise_expr::{Expr, ExprError};
use ndarray::{Axis, Dimension, IntoDimension, Ix0, RemoveAxis, SliceArg};

use super::here;
use super::masked_expr::{Masked, nothing_missing};
use super::values_expr::Elementwise;
use crate::compute::Results;
use crate::{Compute, LazyArray, LazyDim, Plan, Result, Runtime};

/// A lazy array some of whose elements are missing: the elements, and a mask that is true where one is missing.
///
/// Both are lazy arrays of one shape. Elementwise operations give masked arrays again, whose elements are missing where
/// one of the operands is; reductions skip what is missing, and their result is missing where everything is. Missing
/// elements are computed like others, but nothing depends on them, and in the operators and methods of masked arrays
/// they are never an error. What is passed to [`map_data`](MaskedArray::map_data), or taken by
/// [`data`](MaskedArray::data), are the elements as they are: there a missing zero can be a divisor.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&[1.0, -999.0, 5.0]), 2).masked_equal(-999.0);
/// let anomaly = &x - x.mean();
/// assert_eq!(anomaly.filled(0.0).compute()?, ndarray::arr1(&[-2.0, 0.0, 2.0]));
/// assert_eq!(x.sum().compute_option()?, Some(6.0));
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub struct MaskedArray<T, D> {
    pub(super) data: LazyArray<T, D>,
    pub(super) mask: LazyArray<bool, D>,
}

impl<T, D> Clone for MaskedArray<T, D> {
    fn clone(&self) -> Self {
        MaskedArray { data: self.data.clone(), mask: self.mask.clone() }
    }
}

impl<T, D> fmt::Debug for MaskedArray<T, D> {
    /// Element type, shape and blocks, never the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskedArray<{}>", self.data.expr().meta())
    }
}

impl<T, D> MaskedArray<T, D> {
    pub(super) fn wrap(masked: Masked) -> Self {
        MaskedArray { data: LazyArray::wrap(masked.data), mask: LazyArray::wrap(masked.mask) }
    }

    pub(super) fn masked(&self) -> Masked {
        Masked { data: self.data.expr().clone(), mask: self.mask.expr().clone() }
    }

    /// The elements. Those that are missing are some value of their type.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 2]), 2).masked_equal(2);
    /// assert_eq!(x.data().shape(), [2]);
    /// ```
    pub fn data(&self) -> &LazyArray<T, D> {
        &self.data
    }

    /// True where an element is missing.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 2]), 2).masked_equal(2);
    /// assert_eq!(x.mask().compute()?, ndarray::arr1(&[false, true]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn mask(&self) -> &LazyArray<bool, D> {
        &self.mask
    }

    /// Length of every axis; empty when the expression cannot be built.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).masked_equal(0.0).shape(), [3, 4]);
    /// ```
    pub fn shape(&self) -> &[usize] {
        self.data.shape()
    }

    /// Number of axes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).masked_equal(0.0).ndim(), 2);
    /// ```
    pub fn ndim(&self) -> usize {
        self.data.ndim()
    }

    /// How the elements are cut into blocks; one empty grid when the expression cannot be built.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((3, 4), 2).masked_equal(0.0);
    /// assert_eq!(x.chunks().to_string(), "(2, 2)");
    /// ```
    pub fn chunks(&self) -> ChunkGrid {
        self.data.chunks()
    }

    /// Number of elements, missing ones included; 0 when the expression cannot be built.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).masked_equal(0.0).len(), 12);
    /// ```
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no elements, missing ones included.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert!(!LazyArray::<f32, _>::zeros((3, 4), 2).masked_equal(0.0).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Length of an axis; 0 for one that is not there.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).masked_equal(0.0).len_of(Axis(1)), 4);
    /// ```
    pub fn len_of(&self, axis: Axis) -> usize {
        self.data.len_of(axis)
    }

    /// The plan of computing elements and mask as text; see [`LazyArray::explain`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&[1.0, -9.0, 5.0]), 2).masked_equal(-9.0);
    /// // The sum, and whether everything is missing: folded together.
    /// let text = x.sum().explain();
    /// assert!(text.contains("folded with"), "{text}");
    /// ```
    pub fn explain(&self) -> String {
        match self.plan() {
            Ok(plan) => plan.to_string(),
            Err(err) => format!("cannot be planned: {err}\n"),
        }
    }

    /// The plan of computing elements and mask in one run, without running it.
    ///
    /// # Errors
    /// As [`LazyArray::plan`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&[1.0, -9.0, 5.0]), 1).masked_equal(-9.0);
    /// // Three folds, of which sum, count and mask are finished each; and the quotient.
    /// assert_eq!(x.mean().plan()?.tasks(), 7);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn plan(&self) -> Result<Plan> {
        Runtime::global()?.plan_compute(&[self.data.expr().clone(), self.mask.expr().clone()])
    }

    /// The first error made while building the elements or the mask, if any.
    ///
    /// # Errors
    /// That error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((3, 4), 2).masked_equal(0.0);
    /// assert!(x.check().is_ok() && x.slice(s![9, ..]).check().is_err());
    /// ```
    pub fn check(&self) -> Result<()> {
        self.data.check().and_then(|()| self.mask.check())
    }
}

impl<T: Element, D: Dimension> MaskedArray<T, D> {
    /// The masked array of elements and a mask of the same shape, which is true where an element is missing.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let data = LazyArray::arange(0_i32, 3, 1, 2);
    /// let x = MaskedArray::from_parts(data.clone(), data.eq(1));
    /// assert_eq!(x.sum().compute_option()?, Some(2));
    /// assert!(MaskedArray::from_parts(data, LazyArray::full(4, false, 2)).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn from_parts(data: LazyArray<T, D>, mask: LazyArray<bool, D>) -> Self {
        let unbuilt = data.expr().error().is_some() || mask.expr().error().is_some();
        if unbuilt || data.shape() == mask.shape() {
            return MaskedArray { data, mask };
        }
        let text = format!("elements of shape {:?} under a mask of shape {:?}", data.shape(), mask.shape());
        let mask = LazyArray::wrap(Expr::invalid("from_parts", ExprError::Message(text), here()));
        MaskedArray { data, mask }
    }

    /// Type of the elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros(3, 2).masked_equal(0.0).dtype(), DType::F32);
    /// ```
    pub fn dtype(&self) -> DType {
        T::DTYPE
    }

    /// The elements, with `value` where they are missing.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 2]), 2).masked_equal(2);
    /// assert_eq!(x.filled(-1).compute()?, ndarray::arr1(&[1, -1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn filled(&self, value: T) -> LazyArray<T, D> {
        LazyArray::wrap(self.masked().filled(value, Elementwise(here())))
    }

    /// Also missing where `condition` is true, which broadcasts to the shape of this array.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 2, 3]), 2);
    /// let y = x.masked_equal(2).mask_where(&x.gt(2));
    /// assert_eq!(y.mask().compute()?, ndarray::arr1(&[false, true, true]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn mask_where<E: Dimension>(&self, condition: &LazyArray<bool, E>) -> Self {
        let make = Elementwise(here());
        let mask = make.or(self.mask.expr(), condition.expr());
        MaskedArray::wrap(Masked::new(self.data.expr().clone(), &mask, make))
    }

    /// Any method of plain arrays that works element by element, on the elements; the mask stays. Another shape is an
    /// error. The method sees missing elements too, as they are: where they could be an error, give it
    /// [`filled`](MaskedArray::filled) ones.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.25, 2.5]), 2).masked_equal(2.5);
    /// assert_eq!(x.map_data(|x| x.round_to(1)).filled(0.0).compute()?, ndarray::arr1(&[1.2, 0.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn map_data<U: Element>(
        &self,
        f: impl FnOnce(&LazyArray<T, D>) -> LazyArray<U, D>,
    ) -> MaskedArray<U, D> {
        MaskedArray::from_parts(f(&self.data), self.mask.clone())
    }

    /// The elements converted to another type; see [`LazyArray::cast`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 2]), 2).masked_equal(2);
    /// assert_eq!(x.cast::<f64>().filled(0.5).compute()?, ndarray::arr1(&[1.0, 0.5]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cast<U: Element>(&self) -> MaskedArray<U, D> {
        MaskedArray { data: self.data.cast(), mask: self.mask.clone() }
    }

    /// The same array in other blocks; see [`LazyArray::rechunk`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((4, 6), (4, 1)).masked_equal(0.0);
    /// assert_eq!(x.rechunk((1, ..)).chunks().to_string(), "(1, 6)");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn rechunk(&self, chunks: impl Into<Chunks>) -> Self {
        let chunks = chunks.into();
        MaskedArray { data: self.data.rechunk(chunks.clone()), mask: self.mask.rechunk(chunks) }
    }

    /// A slice; see [`LazyArray::slice`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 10, 1, 3).masked_equal(8);
    /// assert_eq!(x.slice(s![2..9;3]).filled(-1).compute()?, ndarray::arr1(&[2, 5, -1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slice<I: SliceArg<D> + Clone>(&self, info: I) -> MaskedArray<T, I::OutDim> {
        MaskedArray { data: self.data.slice(info.clone()), mask: self.mask.slice(info) }
    }

    /// The transpose: all axes in reverse order.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((2, 3), 2).masked_equal(0.0).t().shape(), [3, 2]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn t(&self) -> Self {
        MaskedArray { data: self.data.t(), mask: self.mask.t() }
    }

    /// A new axis of length 1 before `axis`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((2, 3), 2).masked_equal(0.0);
    /// assert_eq!(x.insert_axis(Axis(1)).shape(), [2, 1, 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn insert_axis(&self, axis: Axis) -> MaskedArray<T, D::Larger> {
        MaskedArray { data: self.data.insert_axis(axis), mask: self.mask.insert_axis(axis) }
    }

    /// Element `index` of `axis`, which vanishes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((2, 3), 2).masked_equal(0.0);
    /// assert_eq!(x.index_axis(Axis(1), 2).shape(), [2]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn index_axis(&self, axis: Axis, index: usize) -> MaskedArray<T, D::Smaller>
    where
        D: RemoveAxis,
    {
        MaskedArray { data: self.data.index_axis(axis, index), mask: self.mask.index_axis(axis, index) }
    }

    /// Repeated to a larger shape; see [`LazyArray::broadcast`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 2, 1, 2).masked_equal(0).broadcast((2, 2));
    /// assert_eq!(x.filled(7).compute()?, ndarray::arr2(&[[7, 1], [7, 1]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn broadcast<S: IntoDimension + Clone>(&self, shape: S) -> MaskedArray<T, S::Dim> {
        MaskedArray { data: self.data.broadcast(shape.clone()), mask: self.mask.broadcast(shape) }
    }

    /// The elements in C order under another shape; see [`LazyArray::reshape`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 4, 1, 3).masked_equal(2).reshape((2, 2));
    /// assert_eq!(x.filled(7).compute()?, ndarray::arr2(&[[0, 1], [7, 3]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reshape<S: IntoDimension + Clone>(&self, shape: S) -> MaskedArray<T, S::Dim> {
        MaskedArray { data: self.data.reshape(shape.clone()), mask: self.mask.reshape(shape) }
    }

    /// The same array with its rank known only when run.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::arange(0, 4, 1, 3).masked_equal(2).into_dyn().ndim(), 1);
    /// ```
    #[must_use]
    pub fn into_dyn(self) -> MaskedArray<T, ndarray::IxDyn> {
        MaskedArray { data: self.data.into_dyn(), mask: self.mask.into_dyn() }
    }
}

impl<T: Element, D: LazyDim> MaskedArray<T, D> {
    /// Computes elements and mask in one run on the global runtime: plain values for a scalar, else two ndarrays. Missing
    /// elements are some value of their type.
    ///
    /// # Errors
    /// As [`LazyArray::compute`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 2]), 2);
    /// let (data, mask) = x.masked_equal(2).compute()?;
    /// assert_eq!((data[0], mask), (1, ndarray::arr1(&[false, true])));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn compute(&self) -> Result<(D::Computed<T>, D::Computed<bool>)> {
        Runtime::global()?.compute(self)
    }
}

impl<T: Element, D: LazyDim> MaskedArray<T, D> {
    /// Computes elements and mask and keeps their blocks; see [`LazyArray::persist`]. In two runs: where both come from one
    /// file, it is read for each.
    ///
    /// # Errors
    /// As [`LazyArray::persist`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 2]), 2).masked_equal(2).persist()?;
    /// assert_eq!(x.max().compute_option()?, Some(1));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn persist(&self) -> Result<Self> {
        Ok(MaskedArray { data: self.data.persist()?, mask: self.mask.persist()? })
    }
}

impl<T: Element> MaskedArray<T, Ix0> {
    /// Computes the one value: `None` when it is missing.
    ///
    /// # Errors
    /// As [`LazyArray::compute`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 2]), 2);
    /// assert_eq!(x.masked_equal(2).max().compute_option()?, Some(1));
    /// assert_eq!(x.masked_greater(0).max().compute_option()?, None);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn compute_option(&self) -> Result<Option<T>> {
        let (value, missing) = self.compute()?;
        Ok((!missing).then_some(value))
    }
}

impl<T: Element, D: LazyDim> Compute for MaskedArray<T, D> {
    type Output = (D::Computed<T>, D::Computed<bool>);

    fn roots(&self, roots: &mut Vec<Expr>) {
        (&self.data, &self.mask).roots(roots);
    }

    fn collect(&self, results: &mut Results) -> Result<Self::Output> {
        (&self.data, &self.mask).collect(results)
    }
}

impl<T: Element, D: Dimension> From<LazyArray<T, D>> for MaskedArray<T, D> {
    /// Nothing is missing.
    #[track_caller]
    fn from(data: LazyArray<T, D>) -> Self {
        let mask = LazyArray::wrap(nothing_missing(data.expr(), Elementwise(here())));
        MaskedArray { data, mask }
    }
}
