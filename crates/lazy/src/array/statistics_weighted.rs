//! Weighted means. The nodes are made in `statistics_nodes`.

use chunkwise_chunk::Element;
use ndarray::{Axis, RemoveAxis};

use super::here;
use super::statistics_nodes::{Over, average};
use crate::{IntoAxes, LazyArray, LazyArrayD, LazyScalar, Operand};

/// A weighted mean and the sum of its weights.
type Returned<T, D> = (LazyArray<<T as Element>::Mean, D>, LazyArray<<T as Element>::Mean, D>);

impl<T: Element, D> LazyArray<T, D> {
    /// Weighted mean: `sum(x w) / sum(w)`, accumulated in `f64`. Weights that sum to zero give NaN or an infinity.
    ///
    /// The weights broadcast to the array. Where they have as many axes as are reduced, and fewer than the array, they
    /// lie along the reduced axes, as NumPy has it. The array is read once, and the weights twice.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1_i32, 2, 6]), 2);
    /// let w = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 2.0, 1.0]), 2);
    /// assert_eq!(x.average(&w).compute()?, 2.75);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn average(&self, weights: impl Operand<T::Mean>) -> LazyScalar<T::Mean> {
        let at = here();
        let over = Over::new("average", None, false, at);
        LazyArray::wrap(average(self.expr(), &weights.operand(at), over).0)
    }

    /// [`average`](LazyArray::average) along one axis; weights of one axis lie along it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1.0, 2.0], [3.0, 6.0]]), 1);
    /// let w = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 3.0]), 2);
    /// assert_eq!(x.average_axis(Axis(0), &w).compute()?, ndarray::arr1(&[2.5, 5.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn average_axis(&self, axis: Axis, weights: impl Operand<T::Mean>) -> LazyArray<T::Mean, D::Smaller>
    where
        D: RemoveAxis,
    {
        let (at, axes) = (here(), [axis.index()]);
        let over = Over::new("average_axis", Some(&axes), false, at);
        LazyArray::wrap(average(self.expr(), &weights.operand(at), over).0)
    }

    /// [`average`](LazyArray::average) along several axes; weights of as many axes lie along these, in
    /// the order in which they are named.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::ones((2, 3, 4), 2);
    /// let w = LazyArray::<f64, _>::ones((2, 4), 2);
    /// assert_eq!(x.average_axes([Axis(0), Axis(2)], &w).sum().compute()?, 3.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn average_axes(&self, axes: impl IntoAxes, weights: impl Operand<T::Mean>) -> LazyArrayD<T::Mean> {
        let (at, axes) = (here(), axes.into_axes());
        let over = Over::new("average_axes", Some(&axes), false, at);
        LazyArray::wrap(average(self.expr(), &weights.operand(at), over).0)
    }

    /// [`average`](LazyArray::average) along some axes, which stay with length 1.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1.0, 2.0], [3.0, 6.0]]), 1);
    /// let w = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 3.0]), 2);
    /// assert_eq!(x.average_keepdims(Axis(1), &w).compute()?, ndarray::arr2(&[[1.75], [5.25]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn average_keepdims(
        &self,
        axes: impl IntoAxes,
        weights: impl Operand<T::Mean>,
    ) -> LazyArray<T::Mean, D> {
        let (at, axes) = (here(), axes.into_axes());
        let over = Over::new("average_keepdims", Some(&axes), true, at);
        LazyArray::wrap(average(self.expr(), &weights.operand(at), over).0)
    }

    /// [`average`](LazyArray::average), and the sum of the weights as they are broadcast.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 2.0, 6.0]), 2);
    /// let (mean, weight) = x.average_returned(0.5);
    /// assert_eq!(chunkwise::compute((mean, weight))?, (3.0, 1.5));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn average_returned(
        &self,
        weights: impl Operand<T::Mean>,
    ) -> (LazyScalar<T::Mean>, LazyScalar<T::Mean>) {
        let at = here();
        let over = Over::new("average_returned", None, false, at);
        let (mean, weight) = average(self.expr(), &weights.operand(at), over);
        (LazyArray::wrap(mean), LazyArray::wrap(weight))
    }

    /// [`average_axis`](LazyArray::average_axis), and the sum of the weights.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1.0, 2.0], [3.0, 6.0]]), 1);
    /// let w = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 3.0]), 2);
    /// let (_, weight) = x.average_axis_returned(Axis(0), &w);
    /// assert_eq!(weight.compute()?, ndarray::arr1(&[4.0, 4.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn average_axis_returned(&self, axis: Axis, weights: impl Operand<T::Mean>) -> Returned<T, D::Smaller>
    where
        D: RemoveAxis,
    {
        let (at, axes) = (here(), [axis.index()]);
        let over = Over::new("average_axis_returned", Some(&axes), false, at);
        let (mean, weight) = average(self.expr(), &weights.operand(at), over);
        (LazyArray::wrap(mean), LazyArray::wrap(weight))
    }

    /// [`average_axes`](LazyArray::average_axes), and the sum of the weights.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::ones((2, 3), 2);
    /// let (_, weight) = x.average_axes_returned([Axis(0), Axis(1)], 2.0);
    /// assert_eq!(weight.compute()?[[]], 12.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn average_axes_returned(
        &self,
        axes: impl IntoAxes,
        weights: impl Operand<T::Mean>,
    ) -> Returned<T, ndarray::IxDyn> {
        let (at, axes) = (here(), axes.into_axes());
        let over = Over::new("average_axes_returned", Some(&axes), false, at);
        let (mean, weight) = average(self.expr(), &weights.operand(at), over);
        (LazyArray::wrap(mean), LazyArray::wrap(weight))
    }

    /// [`average_keepdims`](LazyArray::average_keepdims), and the sum of the weights.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::ones((2, 3), 2);
    /// let (_, weight) = x.average_keepdims_returned(Axis(1), 2.0);
    /// assert_eq!(weight.compute()?, ndarray::arr2(&[[6.0], [6.0]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn average_keepdims_returned(
        &self,
        axes: impl IntoAxes,
        weights: impl Operand<T::Mean>,
    ) -> Returned<T, D> {
        let (at, axes) = (here(), axes.into_axes());
        let over = Over::new("average_keepdims_returned", Some(&axes), true, at);
        let (mean, weight) = average(self.expr(), &weights.operand(at), over);
        (LazyArray::wrap(mean), LazyArray::wrap(weight))
    }
}
