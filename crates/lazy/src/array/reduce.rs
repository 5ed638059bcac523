//! Reductions: four methods for each row of the table.
//!
//! The tree of merges follows the chunk grid alone, so that bits depend on the grid but never on threads, fusion or
//! the memory limit.

use std::panic::Location;

use chunkwise_chunk::{DType, Element, Ordered};
use chunkwise_expr::{BinaryOp, Expr, ReduceKind, UnaryOp, for_each_moment, for_each_reduction};
use ndarray::{Axis, RemoveAxis};

use super::complex::present_parts;
use super::here;
use super::values_expr::Elementwise;
use crate::{IntoAxes, LazyArray, LazyArrayD, LazyScalar};

type Origin = &'static Location<'static>;

#[rustfmt::skip]
macro_rules! output {
    (Same, $t:ident) => { $t };
    (Sum, $t:ident) => { $t::Sum };
    (Mean, $t:ident) => { $t::Mean };
    (Spread, $t:ident) => { <$t::Mean as Element>::Real };
    (Bool, $t:ident) => { bool };
    (Index, $t:ident) => { i64 };
}

macro_rules! define_reductions {
    ($($(#[$doc:meta])* $variant:ident $all:ident $one:ident $several:ident $keep:ident: $class:ident -> $out:ident,
        eg $eg:expr => $res:expr;)*) => { $(
        impl<T: $class, D> LazyArray<T, D> {
            $(#[$doc])*
            ///
            /// One task per block, and one per eight partial results.
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&", stringify!($eg), "), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($all), "().compute()?, ", stringify!($res), ");")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $all(&self) -> LazyScalar<output!($out, T)> {
                LazyArray::wrap(self.expr().reduce(ReduceKind::$variant, None, false, 0.0, here()))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all), ") along one axis.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($one), "(Axis(1)).compute()?, ndarray::arr1(&[",
                stringify!($res), "]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $one(&self, axis: Axis) -> LazyArray<output!($out, T), D::Smaller>
            where
                D: RemoveAxis,
            {
                let axes = [axis.index()];
                LazyArray::wrap(self.expr().reduce(ReduceKind::$variant, Some(&axes), false, 0.0, here()))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all), ") along several axes.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("let y = x.", stringify!($several), "([Axis(0), Axis(1)]);")]
            #[doc = concat!("assert_eq!(y.compute()?[[]], ", stringify!($res), ");")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $several(&self, axes: impl IntoAxes) -> LazyArrayD<output!($out, T)> {
                let axes = axes.into_axes();
                LazyArray::wrap(self.expr().reduce(ReduceKind::$variant, Some(&axes), false, 0.0, here()))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all),
                ") along some axes, which stay with length 1.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($keep), "(Axis(1)).compute()?, ndarray::arr2(&[[",
                stringify!($res), "]]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $keep(&self, axes: impl IntoAxes) -> LazyArray<output!($out, T), D> {
                let axes = axes.into_axes();
                LazyArray::wrap(self.expr().reduce(ReduceKind::$variant, Some(&axes), true, 0.0, here()))
            }
        }
    )* };
}
for_each_reduction!(define_reductions);

macro_rules! define_moments {
    ($($(#[$doc:meta])* $variant:ident $all:ident $one:ident $several:ident $keep:ident: $class:ident -> $out:ident,
        eg $eg:expr, $ddof:expr => $res:expr;)*) => { $(
        impl<T: $class, D> LazyArray<T, D> {
            $(#[$doc])*
            ///
            /// Means and sums of squared deviations of runs of 256 elements are merged pairwise (Chan, Golub, LeVeque
            /// 1983), in `f64`.
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr1(&", stringify!($eg), "), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($all), "(", stringify!($ddof), ").compute()?, ",
                stringify!($res), ");")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $all(&self, ddof: f64) -> LazyScalar<output!($out, T)> {
                LazyArray::wrap(spread(self.expr(), &ReduceKind::$variant, None, false, ddof, here()))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all), ") along one axis.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($one), "(Axis(1), ", stringify!($ddof),
                ").compute()?, ndarray::arr1(&[", stringify!($res), "]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $one(&self, axis: Axis, ddof: f64) -> LazyArray<output!($out, T), D::Smaller>
            where
                D: RemoveAxis,
            {
                let axes = [axis.index()];
                LazyArray::wrap(spread(self.expr(), &ReduceKind::$variant, Some(&axes), false, ddof, here()))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all), ") along several axes.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("let y = x.", stringify!($several), "([Axis(0), Axis(1)], ", stringify!($ddof), ");")]
            #[doc = concat!("assert_eq!(y.compute()?[[]], ", stringify!($res), ");")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $several(&self, axes: impl IntoAxes, ddof: f64) -> LazyArrayD<output!($out, T)> {
                let axes = axes.into_axes();
                LazyArray::wrap(spread(self.expr(), &ReduceKind::$variant, Some(&axes), false, ddof, here()))
            }

            #[doc = concat!("[`", stringify!($all), "`](LazyArray::", stringify!($all),
                ") along some axes, which stay with length 1.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::<f64, _>::from_ndarray(ndarray::arr2(&[", stringify!($eg), "]), 2);")]
            #[doc = concat!("assert_eq!(x.", stringify!($keep), "(Axis(1), ", stringify!($ddof),
                ").compute()?, ndarray::arr2(&[[", stringify!($res), "]]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $keep(&self, axes: impl IntoAxes, ddof: f64) -> LazyArray<output!($out, T), D> {
                let axes = axes.into_axes();
                LazyArray::wrap(spread(self.expr(), &ReduceKind::$variant, Some(&axes), true, ddof, here()))
            }
        }
    )* };
}
for_each_moment!(define_moments);

/// A variance or a standard deviation.
fn spread(
    x: &Expr,
    kind: &ReduceKind,
    axes: Option<&[usize]>,
    keepdims: bool,
    ddof: f64,
    at: Origin,
) -> Expr {
    let reduce = |x: &Expr, kind: &ReduceKind| x.reduce(kind.clone(), axes, keepdims, ddof, at);
    let (Some(dtype), ReduceKind::NanVar | ReduceKind::NanStd) = (x.dtype(), kind) else {
        return reduce(x, kind);
    };
    if !dtype.is_complex() {
        return reduce(x, kind);
    }
    // Both parts are left out together, so that they are divided by one number. Siblings: the elements are read once.
    let parts = present_parts(&x.cast(DType::C128, at), at).map(|part| reduce(&part, &ReduceKind::NanVar));
    let make = Elementwise(at);
    let sum = make.binary(BinaryOp::Add, &parts[0], &parts[1]);
    let spread = if *kind == ReduceKind::NanStd { make.unary(UnaryOp::Sqrt, &sum) } else { sum };
    make.cast(&spread, dtype.real_type())
}
