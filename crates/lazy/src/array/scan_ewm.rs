//! Exponentially weighted means: a scan with a weight that decays.

use chunkwise_chunk::{DType, Float};
use chunkwise_expr::{Expr, ExprError};
use chunkwise_ops::scan::{Ewm, ScanKind, decayed, scan};
use ndarray::{Axis, Dimension};

use super::here;
use crate::{LazyArray, LazyArrayD};

impl<T: Float, D: Dimension> LazyArray<T, D> {
    /// Exponentially weighted means along an axis: of each element and all before it, with weights of
    /// `(1 - alpha)^k` for those that lie `k` before. Computed in `f64`.
    ///
    /// NaN counts nothing, but the weights of those before it decay past it; where no number has come yet, or none that
    /// still has a weight, the mean is NaN.
    ///
    /// ```
    /// use chunkwise::Ewm;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[2.0, 5.0, f64::NAN, 8.0]), 2);
    /// let y = x.ewm_mean(Ewm::alpha(0.5), Axis(0)).compute()?;
    /// assert_eq!(y, ndarray::arr1(&[2.0, 4.0, 4.0, (2.0 + 2.0 * 5.0 + 8.0 * 8.0) / 11.0]));
    /// let y = x.ewm_mean(Ewm::alpha(0.5).recursive(), Axis(0)).compute()?;
    /// assert_eq!(y[1], 3.5);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ewm_mean(&self, weights: Ewm, axis: Axis) -> LazyArray<T, D> {
        let at = here();
        LazyArray::wrap(
            ewm_mean(&self.expr().cast(DType::F64, at), weights, axis.index(), at).cast(T::DTYPE, at),
        )
    }
}

type Origin = &'static std::panic::Location<'static>;

/// The weighted sum of the numbers divided by the sum of their weights.
fn ewm_mean(x: &Expr, weights: Ewm, axis: usize, at: Origin) -> Expr {
    let alpha = weights.newest();
    if !(alpha > 0.0 && alpha <= 1.0) {
        let text = format!("alpha is {alpha}, not above 0 and at most 1");
        return Expr::invalid("ewm_mean", ExprError::Message(text), at);
    }
    let x = LazyArrayD::<f64>::wrap(x.clone());
    // NaN is what does not equal itself.
    let number = x.eq(&x);
    let one = number.cast::<f64>();
    let weight = if weights.is_recursive() { from_the_first(&one, alpha, axis, at) } else { one };
    let weighted = number.where_(&x, 0.0) * &weight;
    let sums = |x: &LazyArrayD<f64>| LazyArrayD::<f64>::wrap(decayed(x.expr(), 1.0 - alpha, axis, at));
    (sums(&weighted) / sums(&weight)).expr().clone()
}

/// A weight of `alpha` for each number, and of 1 for the first one.
fn from_the_first(one: &LazyArrayD<f64>, alpha: f64, axis: usize, at: Origin) -> LazyArrayD<f64> {
    let numbers = LazyArrayD::<f64>::wrap(scan(one.expr(), &ScanKind::Sum, axis, at));
    numbers.eq(1.0).where_(one, one * alpha)
}
