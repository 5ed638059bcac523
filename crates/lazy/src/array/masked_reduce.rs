//! Reductions of masked arrays: what is missing is skipped, and the result is missing where everything is.

use chunkwise_chunk::{Element, Ordered};
use chunkwise_expr::ReduceKind;
use ndarray::{Axis, Dimension, Ix0, IxDyn, RemoveAxis};

use super::here;
use super::masked_expr::{Masked, Over};
use super::values_expr::Elementwise;
use crate::{IntoAxes, LazyArray, LazyArrayD, LazyScalar, MaskedArray};

#[rustfmt::skip]
macro_rules! output {
    (Same, $t:ident) => { $t };
    (Sum, $t:ident) => { $t::Sum };
    (Mean, $t:ident) => { $t::Mean };
    (Spread, $t:ident) => { <$t::Mean as Element>::Real };
    (Bool, $t:ident) => { bool };
    (Index, $t:ident) => { i64 };
}

/// Four methods for each row: over everything, over one axis, over several, over several that stay.
macro_rules! masked_reductions {
    ($($(#[$doc:meta])* $variant:ident $all:ident $one:ident $several:ident $keep:ident: $class:ident -> $out:ident
        $(, $ddof:ident)?; eg ($($arg:expr)?) => $res:expr;)*) => { $(
        impl<T: $class, D: Dimension> MaskedArray<T, D> {
            $(#[$doc])*
            ///
            /// ```
            /// use chunkwise::prelude::*;
            /// let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&[1.0, 99.0, 2.0, 6.0]), 2).masked_equal(99.0);
            #[doc = concat!("let y = x.", stringify!($all), "(", $(stringify!($arg),)? ");")]
            #[doc = concat!("assert_eq!(y.compute_option()?, Some(", stringify!($res), "));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $all(&self $(, $ddof: f64)?) -> MaskedArray<output!($out, T), Ix0> {
                let ddof = 0.0 $(+ $ddof)?;
                MaskedArray::wrap(reduce(&self.masked(), ReduceKind::$variant, None, false, ddof, Elementwise(here())))
            }

            #[doc = concat!("[`", stringify!($all), "`](MaskedArray::", stringify!($all), ") along one axis.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            /// let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[[1.0, 99.0, 2.0, 6.0]]), 2).masked_equal(99.0);
            #[doc = concat!("let y = x.", stringify!($one), "(Axis(1)", $(", ", stringify!($arg),)? ");")]
            #[doc = concat!("assert_eq!(y.data().compute()?, ndarray::arr1(&[", stringify!($res), "]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $one(&self, axis: Axis $(, $ddof: f64)?) -> MaskedArray<output!($out, T), D::Smaller>
            where
                D: RemoveAxis,
            {
                let (axes, ddof) = ([axis.index()], 0.0 $(+ $ddof)?);
                let make = Elementwise(here());
                MaskedArray::wrap(reduce(&self.masked(), ReduceKind::$variant, Some(&axes), false, ddof, make))
            }

            #[doc = concat!("[`", stringify!($all), "`](MaskedArray::", stringify!($all), ") along several axes.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            /// let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[[1.0, 99.0, 2.0, 6.0]]), 2).masked_equal(99.0);
            #[doc = concat!("let y = x.", stringify!($several), "([Axis(0), Axis(1)]",
                $(", ", stringify!($arg),)? ");")]
            #[doc = concat!("assert_eq!(y.data().compute()?[[]], ", stringify!($res), ");")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $several(
                &self,
                axes: impl IntoAxes $(, $ddof: f64)?,
            ) -> MaskedArray<output!($out, T), IxDyn> {
                let (axes, ddof) = (axes.into_axes(), 0.0 $(+ $ddof)?);
                let make = Elementwise(here());
                MaskedArray::wrap(reduce(&self.masked(), ReduceKind::$variant, Some(&axes), false, ddof, make))
            }

            #[doc = concat!("[`", stringify!($all), "`](MaskedArray::", stringify!($all),
                ") along some axes, which stay with length 1.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            /// let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[[1.0, 99.0, 2.0, 6.0]]), 2).masked_equal(99.0);
            #[doc = concat!("let y = x.", stringify!($keep), "(Axis(1)", $(", ", stringify!($arg),)? ");")]
            #[doc = concat!("assert_eq!(y.data().compute()?, ndarray::arr2(&[[", stringify!($res), "]]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $keep(&self, axes: impl IntoAxes $(, $ddof: f64)?) -> MaskedArray<output!($out, T), D> {
                let (axes, ddof) = (axes.into_axes(), 0.0 $(+ $ddof)?);
                let make = Elementwise(here());
                MaskedArray::wrap(reduce(&self.masked(), ReduceKind::$variant, Some(&axes), true, ddof, make))
            }
        }
    )* };
}

masked_reductions! {
    /// Sum of the elements; see [`LazyArray::sum`].
    Sum sum sum_axis sum_axes sum_keepdims: Element -> Sum; eg () => 9.0;
    /// Product of the elements; see [`LazyArray::prod`].
    Prod prod prod_axis prod_axes prod_keepdims: Element -> Sum; eg () => 12.0;
    /// Smallest element; NaN when there is one. An error when there are no elements, missing ones included.
    Min min min_axis min_axes min_keepdims: Ordered -> Same; eg () => 1.0;
    /// Largest element; NaN when there is one. An error when there are no elements, missing ones included.
    Max max max_axis max_axes max_keepdims: Ordered -> Same; eg () => 6.0;
    /// Arithmetic mean, computed in `f64`.
    Mean mean mean_axis mean_axes mean_keepdims: Element -> Mean; eg () => 3.0;
    /// True when some element is not zero; NaN is not.
    Any any any_axis any_axes any_keepdims: Element -> Bool; eg () => true;
    /// True when no element is zero.
    All all all_axis all_axes all_keepdims: Element -> Bool; eg () => true;
    /// Position of the first smallest element, or of the first NaN, in C order of the reduced axes; missing elements count
    /// as places. The elements are read twice.
    ArgMin argmin argmin_axis argmin_axes argmin_keepdims: Ordered -> Index; eg () => 0;
    /// Position of the first largest element, or of the first NaN, in C order of the reduced axes; missing elements count
    /// as places. The elements are read twice.
    ArgMax argmax argmax_axis argmax_axes argmax_keepdims: Ordered -> Index; eg () => 3;
    /// Variance with the divisor `n - ddof`, where `n` elements are not missing; missing where `n` is no more than `ddof`.
    /// The elements are read twice, first for the mean; computed in `f64`.
    Var var var_axis var_axes var_keepdims: Element -> Spread, ddof; eg (1.0) => 7.0;
    /// Standard deviation: the root of [`var`](MaskedArray::var).
    Std std std_axis std_axes std_keepdims: Element -> Spread, ddof; eg (1.0) => 7.0_f64.sqrt();
}

impl<T: Element, D: Dimension> MaskedArray<T, D> {
    /// Number of elements that are not missing.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::arange(0, 5, 1, 2).masked_less(2).count().compute()?, 3);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn count(&self) -> LazyScalar<i64> {
        let over = Over { axes: None, keepdims: false };
        LazyArray::wrap(self.masked().count(over, Elementwise(here())))
    }

    /// [`count`](MaskedArray::count) along one axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1).masked_less(2);
    /// assert_eq!(x.count_axis(Axis(1)).compute()?, ndarray::arr1(&[1, 2]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn count_axis(&self, axis: Axis) -> LazyArray<i64, D::Smaller>
    where
        D: RemoveAxis,
    {
        let over = Over { axes: Some(&[axis.index()]), keepdims: false };
        LazyArray::wrap(self.masked().count(over, Elementwise(here())))
    }

    /// [`count`](MaskedArray::count) along several axes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1).masked_less(2);
    /// assert_eq!(x.count_axes([Axis(0), Axis(1)]).compute()?[[]], 3);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn count_axes(&self, axes: impl IntoAxes) -> LazyArrayD<i64> {
        let over = Over { axes: Some(&axes.into_axes()), keepdims: false };
        LazyArray::wrap(self.masked().count(over, Elementwise(here())))
    }

    /// [`count`](MaskedArray::count) along some axes, which stay with length 1.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1).masked_less(2);
    /// assert_eq!(x.count_keepdims(Axis(1)).compute()?, ndarray::arr2(&[[1], [2]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn count_keepdims(&self, axes: impl IntoAxes) -> LazyArray<i64, D> {
        let over = Over { axes: Some(&axes.into_axes()), keepdims: true };
        LazyArray::wrap(self.masked().count(over, Elementwise(here())))
    }
}

fn reduce(
    masked: &Masked,
    kind: ReduceKind,
    axes: Option<&[usize]>,
    keepdims: bool,
    ddof: f64,
    make: Elementwise,
) -> Masked {
    masked.reduce(kind, Over { axes, keepdims }, ddof, make)
}
