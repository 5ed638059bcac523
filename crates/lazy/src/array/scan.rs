//! Running sums, products and extremes: a value for each element, of it and all before it along an axis.
//!
//! A scan is three steps: the total of each block along the axis, the scan of these totals, and the scan of each block
//! from what comes before it. The array is read twice: what is computed in front of a scan is held, or made again where
//! memory is short. In which order elements are joined follows from the blocks alone.

use chunkwise_chunk::{Chunks, DType, Element, Float, Inexact, Ordered, Scalar, View};
use chunkwise_expr::{ElementOp, Expr, UnaryOp};
use chunkwise_ops::scan::{ScanFn, ScanKind, scan};
use ndarray::{Axis, Dimension};

use super::here;
use crate::{LazyArray, LazyArray1, LazyArrayD};

macro_rules! running {
    ($($(#[$doc:meta])* $kind:ident $name:ident $flat:ident: $class:ident -> $out:ty, $prepare:ident,
        eg $eg:expr => $res:expr;)*) => { $(
        impl<T: $class, D: Dimension> LazyArray<T, D> {
            $(#[$doc])*
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&", stringify!($eg), "), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($name), "(Axis(0)).compute()?, ndarray::arr1(&",
                stringify!($res), "));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $name(&self, axis: Axis) -> LazyArray<$out, D> {
                let at = here();
                LazyArray::wrap(running(&$prepare(self.expr(), at), &ScanKind::$kind, axis, <$out>::DTYPE, at))
            }

            #[doc = concat!("[`", stringify!($name), "`](LazyArray::", stringify!($name),
                ") of the elements in C order, whatever the axes.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($flat), "().compute()?, ndarray::arr1(&",
                stringify!($res), "));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $flat(&self) -> LazyArray1<$out> {
                let at = here();
                let x = $prepare(&self.expr().reshape(&[self.len()], at), at);
                LazyArray::wrap(running(&x, &ScanKind::$kind, Axis(0), <$out>::DTYPE, at))
            }
        }
    )* };
}

running! {
    /// Running sums along an axis. Integers and bool are summed in 64 bits and wrap; `f32` is accumulated in `f64` and
    /// each sum rounded, and so are the parts of complex numbers. The last one is the [`sum`](LazyArray::sum) but for
    /// rounding.
    Sum cumsum cumsum_flat: Element -> T::Sum, unchanged, eg [1.0, 2.0, 6.0] => [1.0, 3.0, 9.0];
    /// Running products along an axis. Integers and bool multiply in 64 bits and wrap; `f32` is accumulated in `f64`, and
    /// so are the parts of complex numbers.
    Prod cumprod cumprod_flat: Element -> T::Sum, unchanged, eg [1.0, 2.0, 6.0] => [1.0, 2.0, 12.0];
    /// The largest elements so far along an axis; NaN from the first one on.
    Max cummax cummax_flat: Ordered -> T, unchanged, eg [1.0, 3.0, 2.0] => [1.0, 3.0, 3.0];
    /// The smallest elements so far along an axis; NaN from the first one on.
    Min cummin cummin_flat: Ordered -> T, unchanged, eg [3.0, 1.0, 2.0] => [3.0, 1.0, 1.0];
    /// Running sums along an axis with NaN as 0, and complex numbers with a part that is.
    Sum nan_cumsum nan_cumsum_flat: Inexact -> T, zero_for_nan, eg [1.0, f64::NAN, 6.0] => [1.0, 1.0, 7.0];
    /// Running products along an axis with NaN as 1, and complex numbers with a part that is.
    Prod nan_cumprod nan_cumprod_flat: Inexact -> T, one_for_nan, eg [2.0, f64::NAN, 6.0] => [2.0, 2.0, 12.0];
    /// The largest elements so far along an axis that are not NaN; NaN before the first such.
    FMax nan_cummax nan_cummax_flat: Float -> T, unchanged, eg [1.0, f64::NAN, 2.0] => [1.0, 1.0, 2.0];
    /// The smallest elements so far along an axis that are not NaN; NaN before the first such.
    FMin nan_cummin nan_cummin_flat: Float -> T, unchanged, eg [1.0, f64::NAN, 2.0] => [1.0, 1.0, 1.0];
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// Each element joined with all before it along an axis by a function of the user's, which must be associative: blocks
    /// are joined on their own first. `identity` changes nothing that it is joined with; it stands for blocks without
    /// elements. The order of elements is kept, so the function need not be commutative.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[12u64, 18, 27, 5]), 2);
    /// let gcd = |mut a: u64, mut b: u64| {
    ///     while b != 0 {
    ///         (a, b) = (b, a % b);
    ///     }
    ///     a
    /// };
    /// assert_eq!(x.scan_with(Axis(0), 0, gcd).compute()?, ndarray::arr1(&[12, 6, 3, 1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn scan_with(
        &self,
        axis: Axis,
        identity: T,
        join: impl Fn(T, T) -> T + Send + Sync + 'static,
    ) -> LazyArray<T, D> {
        let kind = ScanKind::Call(ScanFn::new(identity, join));
        LazyArray::wrap(scan(self.expr(), &kind, axis.index(), here()))
    }
}

impl<T: Float, D: Dimension> LazyArray<T, D> {
    /// NaN replaced by the latest number before it along an axis: at most `limit` of them in a row, all with `None`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let nan = f64::NAN;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, nan, nan, 4.0, nan]), 2);
    /// assert_eq!(x.forward_fill(Axis(0), None).compute()?, ndarray::arr1(&[1.0, 1.0, 1.0, 4.0, 4.0]));
    /// assert!(x.forward_fill(Axis(0), Some(1)).compute()?[2].is_nan());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn forward_fill(&self, axis: Axis, limit: Option<usize>) -> LazyArray<T, D> {
        LazyArray::wrap(filled(self.expr(), axis.index(), limit, here()))
    }

    /// NaN replaced by the next number after it along an axis: at most `limit` of them in a row, all with `None`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[f64::NAN, f64::NAN, 4.0]), 2);
    /// assert_eq!(x.backward_fill(Axis(0), None).compute()?, ndarray::arr1(&[4.0, 4.0, 4.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn backward_fill(&self, axis: Axis, limit: Option<usize>) -> LazyArray<T, D> {
        let at = here();
        let flip = |x: &Expr| Expr::view("backward_fill", x, View::flip(x.shape(), axis.index()), at);
        LazyArray::wrap(flip(&filled(&flip(self.expr()), axis.index(), limit, at)))
    }
}

type Origin = &'static std::panic::Location<'static>;

/// A scan whose result is of another type than what it is computed in.
fn running(x: &Expr, kind: &ScanKind, axis: Axis, out: DType, at: Origin) -> Expr {
    let sums = matches!(kind, ScanKind::Sum | ScanKind::Prod);
    let work = match out {
        DType::F32 if sums => DType::F64,
        DType::C64 if sums => DType::C128,
        out => out,
    };
    scan(&x.cast(work, at), kind, axis.index(), at).cast(out, at)
}

fn unchanged(x: &Expr, _: Origin) -> Expr {
    x.clone()
}

fn zero_for_nan(x: &Expr, at: Origin) -> Expr {
    instead_of_nan(x, Scalar::zero, at)
}

fn one_for_nan(x: &Expr, at: Origin) -> Expr {
    instead_of_nan(x, Scalar::one, at)
}

fn instead_of_nan(x: &Expr, value: fn(DType) -> Scalar, at: Origin) -> Expr {
    let Some(dtype) = x.dtype() else { return x.clone() };
    let nan = Expr::element(UnaryOp::IsNan.into(), &[x], at);
    Expr::element(ElementOp::Select, &[&nan, &Expr::literal(value(dtype), at), x], at)
}

/// The latest numbers, no further than `limit` from where they are.
fn filled(x: &Expr, axis: usize, limit: Option<usize>, at: Origin) -> Expr {
    let latest = scan(x, &ScanKind::Latest, axis, at);
    let (Some(limit), Some(dtype), None) = (limit, x.dtype(), latest.error()) else { return latest };
    let place = LazyArrayD::<i64>::wrap(places(x, axis, at));
    let nan = LazyArrayD::<bool>::wrap(Expr::element(UnaryOp::IsNan.into(), &[x], at));
    let seen = nan.where_(-1_i64, &place);
    let seen = LazyArrayD::<i64>::wrap(scan(seen.expr(), &ScanKind::Max, axis, at));
    let near = (&place - &seen).le(i64::try_from(limit).unwrap_or(i64::MAX));
    let missing = Expr::literal(Scalar::F64(f64::NAN), at).cast(dtype, at);
    Expr::element(ElementOp::Select, &[near.expr(), &latest, &missing], at)
}

/// The index of each element along an axis.
fn places(x: &Expr, axis: usize, at: Origin) -> Expr {
    let Some(grid) = x.grid() else { return x.clone() };
    let along = chunkwise_chunk::ChunkGrid::new([grid.axis(axis).clone()]);
    let mut shape = vec![1; grid.ndim()];
    shape[axis] = grid.shape()[axis];
    let places = LazyArray1::<i64>::arange(0, shape[axis] as i64, 1, Chunks::from(along));
    let places = places.expr().reshape(&shape, at);
    let spread = View::broadcast(places.shape(), grid.shape());
    Expr::view("forward_fill", &places, spread, at)
}
