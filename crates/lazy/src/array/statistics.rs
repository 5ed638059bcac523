//! Statistics: what is composed of reductions and elementwise operations. The nodes are made in `statistics_nodes`.
//!
//! Reductions of one array along the same axes are folded together, so each of these reads its array once, but where it
//! says otherwise.

use chunkwise_chunk::{Element, Number, Ordered, Real};
use ndarray::{Axis, RemoveAxis};

use super::here;
use super::statistics_nodes::{self as nodes, Over};
use crate::{IntoAxes, LazyArray, LazyArrayD, LazyScalar};

#[rustfmt::skip]
macro_rules! output {
    (Same, $t:ident) => { $t };
    (Sum, $t:ident) => { $t::Sum };
    (Mean, $t:ident) => { $t::Mean };
    (Spread, $t:ident) => { <$t::Mean as Element>::Real };
    (Index, $t:ident) => { i64 };
}

/// Four methods for each statistic: over everything, over one axis, over several, and over several that stay with length 1.
///
/// A row reads `all one several keep(parameter: type = example, ..): Class -> Out, eg input => result;`, and the nodes
/// are made by the function of the first name.
macro_rules! define_statistics {
    ($($(#[$doc:meta])* $all:ident $one:ident $several:ident $keep:ident($($arg:ident: $ty:ty = $value:expr)?):
        $class:ident -> $out:ident, eg $eg:expr => $res:expr;)*) => { $(
        impl<T: $class, D> LazyArray<T, D> {
            $(#[$doc])*
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&", stringify!($eg), "), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($all), "(", $(stringify!($value),)? ").compute()?, ",
                stringify!($res), ");")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $all(&self $(, $arg: $ty)?) -> LazyScalar<output!($out, T)> {
                let over = Over::new(stringify!($all), None, false, here());
                LazyArray::wrap(nodes::$all(self.expr(), over $(, $arg)?))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all), ") along one axis.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($one), "(Axis(1)", $(", ", stringify!($value),)?
                ").compute()?, ndarray::arr1(&[", stringify!($res), "]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $one(&self, axis: Axis $(, $arg: $ty)?) -> LazyArray<output!($out, T), D::Smaller>
            where
                D: RemoveAxis,
            {
                let axes = [axis.index()];
                let over = Over::new(stringify!($one), Some(&axes), false, here());
                LazyArray::wrap(nodes::$all(self.expr(), over $(, $arg)?))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all), ") along several axes.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("let y = x.", stringify!($several), "([Axis(0), Axis(1)]", $(", ", stringify!($value),)?
                ");")]
            #[doc = concat!("assert_eq!(y.compute()?[[]], ", stringify!($res), ");")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $several(&self, axes: impl IntoAxes $(, $arg: $ty)?) -> LazyArrayD<output!($out, T)> {
                let axes = axes.into_axes();
                let over = Over::new(stringify!($several), Some(&axes), false, here());
                LazyArray::wrap(nodes::$all(self.expr(), over $(, $arg)?))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all),
                ") along some axes, which stay with length 1.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($keep), "(Axis(1)", $(", ", stringify!($value),)?
                ").compute()?, ndarray::arr2(&[[", stringify!($res), "]]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $keep(&self, axes: impl IntoAxes $(, $arg: $ty)?) -> LazyArray<output!($out, T), D> {
                let axes = axes.into_axes();
                let over = Over::new(stringify!($keep), Some(&axes), true, here());
                LazyArray::wrap(nodes::$all(self.expr(), over $(, $arg)?))
            }
        }
    )* };
}

define_statistics! {
    /// Sum of the elements that are not NaN; 0 when there are none. Otherwise as [`sum`](LazyArray::sum).
    nan_sum nan_sum_axis nan_sum_axes nan_sum_keepdims(): Element -> Sum, eg [1.0, f64::NAN, 6.0] => 7.0;
    /// Product of the elements that are not NaN; 1 when there are none. Otherwise as [`prod`](LazyArray::prod).
    nan_prod nan_prod_axis nan_prod_axes nan_prod_keepdims(): Element -> Sum, eg [2.0, f64::NAN, 6.0] => 12.0;
    /// Arithmetic mean of the elements that are not NaN; NaN when there are none. Accumulated in `f64`.
    nan_mean nan_mean_axis nan_mean_axes nan_mean_keepdims(): Element -> Mean, eg [1.0, f64::NAN, 6.0] => 3.5;
    /// Number of elements that are not NaN.
    nan_count nan_count_axis nan_count_axes nan_count_keepdims(): Element -> Index, eg [1.0, f64::NAN, 6.0] => 2;
    /// Number of elements that are not zero; NaN is not zero.
    count_nonzero count_nonzero_axis count_nonzero_axes count_nonzero_keepdims(): Element -> Index,
        eg [1.0, 0.0, -0.0, f64::NAN] => 2;
    /// Peak to peak: the largest element less the smallest one, in the type of the elements, so integers wrap. NaN when
    /// there is one. An error when there are no elements.
    ptp ptp_axis ptp_axes ptp_keepdims(): Real -> Same, eg [3.0, 1.0, 7.0] => 6.0;
    /// Central moment: the mean of `(x - mean)^order`. The moment of order 0 is 1, that of order 1 is 0; all are NaN when
    /// there are no elements or some are NaN.
    ///
    /// Orders up to 4 take one pass, with the formulas of Pébay (2008), "Formulas for robust, one-pass parallel computation
    /// of covariances and arbitrary-order statistical moments"; higher ones read the array again for the mean.
    moment moment_axis moment_axes moment_keepdims(order: u32 = 3): Ordered -> Mean, eg [0.0, 0.0, 3.0] => 2.0;
    /// Skewness as SciPy defines it: `g = m3 / m2^(3/2)` of the central moments when `bias` is true, that of the
    /// population; else, corrected for samples of `n` elements, `g sqrt(n (n - 1)) / (n - 2)`, where `n > 2`.
    ///
    /// NaN when all elements are equal: the standard deviation is below 1e-15 of the mean. One pass, as
    /// [`moment`](LazyArray::moment).
    skew skew_axis skew_axes skew_keepdims(bias: bool = true): Ordered -> Mean, eg [1.0, 2.0, 3.0] => 0.0;
    /// Excess kurtosis (Fisher's) as SciPy defines it: `g = m4 / m2^2 - 3` of the central moments when `bias` is true,
    /// that of the population, 0 for a normal distribution; else, corrected for samples of `n` elements,
    /// `((n + 1) g + 6) (n - 1) / ((n - 2) (n - 3))`, where `n > 3`.
    ///
    /// NaN when all elements are equal: the standard deviation is below 1e-15 of the mean. One pass, as
    /// [`moment`](LazyArray::moment).
    kurtosis kurtosis_axis kurtosis_axes kurtosis_keepdims(bias: bool = true): Ordered -> Mean,
        eg [1.0, -1.0, 1.0, -1.0] => -2.0;
    /// Sum of absolute values: the l1 norm of the elements as one vector. Accumulated in `f64`, in which no integer wraps.
    norm_l1 norm_l1_axis norm_l1_axes norm_l1_keepdims(): Number -> Spread, eg [3.0, -4.0] => 7.0;
    /// Square root of the sum of squares: the Euclidean norm of the elements as one vector. Accumulated in `f64`, in which
    /// no integer wraps.
    norm_l2 norm_l2_axis norm_l2_axes norm_l2_keepdims(): Number -> Spread, eg [3.0, -4.0] => 5.0;
    /// Largest absolute value: the maximum norm of the elements as one vector. No integer wraps. An error when there are
    /// no elements.
    norm_max norm_max_axis norm_max_axes norm_max_keepdims(): Number -> Spread, eg [3.0, -4.0] => 4.0;
}
