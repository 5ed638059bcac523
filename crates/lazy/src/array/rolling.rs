//! Statistics of windows that move along an axis.
//!
//! A window is a number of elements, for those that lie in the array, or a [`MovingWindow`], which says more. No window
//! is ever an array of its own, and no block holds more than its elements and those of one window. Where windows are longer
//! than blocks, those of the result are as long, and shorter along other axes. The value of a window
//! depends on its elements and its place in the array alone, to the bit: not on blocks, and not on elements outside of
//! it, so that no error travels along the axis.

use chunkwise_chunk::{DType, Element, Ordered};
use chunkwise_expr::{BinaryOp, Expr};
use chunkwise_ops::rolling::{MovingWindow, Statistic, moving};
use ndarray::{Axis, Dimension};

use super::complex::{of_parts, parts, present_parts};
use super::here;
use crate::LazyArray;

type Origin = &'static std::panic::Location<'static>;

macro_rules! moving_statistics {
    ($($(#[$doc:meta])* $name:ident ($($parameter:ident: $p:literal)?): $class:ident -> $out:ty, $work:path, $statistic:expr,
        eg $eg:expr, $window:expr => $res:expr;)*) => { $(
        impl<T: $class, D: Dimension> LazyArray<T, D> {
            $(#[$doc])*
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&", stringify!($eg), "), 2);")]
            #[doc = concat!("let y = x.", stringify!($name), "(", stringify!($window), $(", ", stringify!($p),)?
                ", Axis(0));")]
            #[doc = concat!("assert_eq!(y.compute()?, ndarray::arr1(&", stringify!($res), "));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $name(
                &self,
                window: impl Into<MovingWindow>,
                $($parameter: f64,)?
                axis: Axis,
            ) -> LazyArray<$out, D> {
                let (at, statistic) = (here(), $statistic);
                let x = self.expr().cast($work(T::DTYPE), at);
                let values = values(&x, statistic, window.into(), axis.index(), at);
                LazyArray::wrap(values.cast(<$out>::DTYPE, at))
            }
        }
    )* };
}

moving_statistics! {
    /// The sum of each window. Integers and bool are summed in 64 bits and wrap; `f32` and the parts of complex numbers
    /// are summed in `f64`.
    moving_sum(): Element -> T::Sum, sum_type, Statistic::Sum, eg [1.0, 2.0, 6.0, 3.0], 2 => [3.0, 8.0, 9.0];
    /// The mean of each window, computed in `f64`, of complex numbers part by part.
    moving_mean(): Element -> T::Mean, DType::double_type, Statistic::Mean, eg [1.0, 3.0, 6.0, 2.0], 2 => [2.0, 4.5, 4.0];
    /// The smallest element of each window; NaN when one is, unless a `min_count` leaves those out.
    moving_min(): Ordered -> T, unchanged, Statistic::Min, eg [1.0, 3.0, 6.0, 2.0], 2 => [1.0, 3.0, 2.0];
    /// The largest element of each window; NaN when one is, unless a `min_count` leaves those out.
    moving_max(): Ordered -> T, unchanged, Statistic::Max, eg [1.0, 3.0, 6.0, 2.0], 2 => [3.0, 6.0, 6.0];
    /// The variance of each window with the divisor `n - ddof`, computed in `f64`: 0.0 for a population, 1.0 for a
    /// sample. The divisor is at least 0, so `ddof >= n` gives an infinity, or NaN when all elements are equal. The error is
    /// relative to the variance, and grows with the length of the window, not with the mean. With a `min_count`, counts
    /// and means are merged, and the rounding of these means counts as it does in [`var`](LazyArray::var).
    moving_var(ddof: 1.0): Ordered -> T::Mean, DType::double_type, Statistic::Var(ddof), eg [1.0, 3.0, 6.0], 2 => [2.0, 4.5];
    /// The standard deviation of each window; see [`moving_var`](LazyArray::moving_var).
    moving_std(ddof: 0.0): Ordered -> T::Mean, DType::double_type, Statistic::Std(ddof), eg [1.0, 3.0, 7.0], 2 => [1.0, 2.0];
    /// The median of each window; the mean of the two in the middle when it has an even number of elements. A block
    /// of n elements takes O(n log w) for windows of w.
    moving_median(): Ordered -> T::Mean, DType::double_type, Statistic::Median, eg [1.0, 9.0, 2.0, 3.0], 3 => [2.0, 3.0];
    /// A quantile of each window, interpolated linearly: 0.5 is the [`moving_median`](LazyArray::moving_median).
    moving_quantile(q: 0.25): Ordered -> T::Mean, DType::double_type, Statistic::Quantile(q), eg [1.0, 9.0, 2.0, 3.0], 3 => [1.5, 2.5];
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The number of elements of each window that are not NaN.
    ///
    /// ```
    /// use chunkwise::MovingWindow;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, f64::NAN, 6.0, 2.0]), 2);
    /// assert_eq!(x.moving_count(2, Axis(0)).compute()?, ndarray::arr1(&[1, 1, 2]));
    /// let all = x.moving_count(MovingWindow::trailing(2), Axis(0));
    /// assert_eq!(all.compute()?, ndarray::arr1(&[1, 1, 1, 2]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn moving_count(&self, window: impl Into<MovingWindow>, axis: Axis) -> LazyArray<i64, D> {
        let at = here();
        // NaN is what does not equal itself.
        let numbers =
            Expr::element(BinaryOp::Eq.into(), &[self.expr(), self.expr()], at).cast(DType::I64, at);
        let window = window.into().min_count(0);
        LazyArray::wrap(moving(&numbers, Statistic::Sum, window, axis.index(), at))
    }
}

/// The values of windows; of complex numbers those of the parts, one of which is missing where the other one is.
fn values(x: &Expr, statistic: Statistic, window: MovingWindow, axis: usize, at: Origin) -> Expr {
    let values = |x: &Expr| moving(x, statistic, window, axis, at);
    match x.dtype() {
        Some(dtype) if dtype.is_complex() => {
            // A window that must have all of its numbers has each part of a sum by itself.
            let parts = if window.is_strict() { parts(x, at) } else { present_parts(x, at) };
            of_parts(parts.map(|part| values(&part)), at)
        }
        _ => values(x),
    }
}

fn unchanged(dtype: DType) -> DType {
    dtype
}

/// The type in which elements are summed.
fn sum_type(dtype: DType) -> DType {
    if dtype.is_float() || dtype.is_complex() { dtype.double_type() } else { dtype.sum_type() }
}
