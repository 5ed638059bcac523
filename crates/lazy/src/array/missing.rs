//! From plain arrays to masked ones: what shall count as missing.

use chunkwise_chunk::{Element, Inexact, Ordered};
use chunkwise_expr::{BinaryOp, UnaryOp};
use ndarray::Dimension;

use super::here;
use super::masked_expr::Masked;
use super::values_expr::Elementwise;
use crate::{LazyArray, MaskedArray};

/// A method that masks by comparing with a number.
macro_rules! masked_by_comparison {
    ($($(#[$doc:meta])* $name:ident $op:ident: $class:ident, eg $eg:expr, $value:expr => $res:expr;)*) => { $(
        impl<T: $class, D: Dimension> LazyArray<T, D> {
            $(#[$doc])*
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::from_ndarray(ndarray::arr1(&", stringify!($eg), "), 2);")]
            #[doc = concat!("let y = x.", stringify!($name), "(", stringify!($value), ");")]
            #[doc = concat!("assert_eq!(y.mask().compute()?, ndarray::arr1(&", stringify!($res), "));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $name(&self, value: T) -> MaskedArray<T, D> {
                let make = Elementwise(here());
                let mask = make.with(BinaryOp::$op, self.expr(), value);
                MaskedArray::wrap(Masked { data: self.expr().clone(), mask })
            }
        }
    )* };
}

masked_by_comparison! {
    /// Missing where an element equals `value`; NaN equals nothing.
    masked_equal Eq: Element, eg [1.5, -9.0], -9.0 => [false, true];
    /// Missing where an element differs from `value`; NaN differs from everything.
    masked_not_equal Ne: Element, eg [1.5, -9.0], -9.0 => [true, false];
    /// Missing where an element is greater than `value`.
    masked_greater Gt: Ordered, eg [1, 2, 3], 2 => [false, false, true];
    /// Missing where an element is at least `value`.
    masked_greater_equal Ge: Ordered, eg [1, 2, 3], 2 => [false, true, true];
    /// Missing where an element is less than `value`.
    masked_less Lt: Ordered, eg [1, 2, 3], 2 => [true, false, false];
    /// Missing where an element is at most `value`.
    masked_less_equal Le: Ordered, eg [1, 2, 3], 2 => [true, true, false];
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// Missing where `mask` is true, which broadcasts to the shape of this array.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1_i32, 2], [3, 4]]), 1);
    /// let second_column = LazyArray::from_ndarray(ndarray::arr1(&[false, true]), 1);
    /// assert_eq!(x.masked_where(&second_column).sum().compute_option()?, Some(4));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn masked_where<E: Dimension>(&self, mask: &LazyArray<bool, E>) -> MaskedArray<T, D> {
        MaskedArray::wrap(Masked::new(self.expr().clone(), mask.expr(), Elementwise(here())))
    }
}

impl<T: Ordered, D: Dimension> LazyArray<T, D> {
    /// Missing where an element lies from `low` to `high`, both included.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 5, 1, 2).masked_inside(1, 3);
    /// assert_eq!(x.filled(-1).compute()?, ndarray::arr1(&[0, -1, -1, -1, 4]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn masked_inside(&self, low: T, high: T) -> MaskedArray<T, D> {
        let (make, x) = (Elementwise(here()), self.expr());
        let (from, to) = (make.with(BinaryOp::Ge, x, low), make.with(BinaryOp::Le, x, high));
        MaskedArray::wrap(Masked { data: x.clone(), mask: make.and(&from, &to) })
    }

    /// Missing where an element lies below `low` or above `high`; NaN does not.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0, 5, 1, 2).masked_outside(1, 3);
    /// assert_eq!(x.filled(-1).compute()?, ndarray::arr1(&[-1, 1, 2, 3, -1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn masked_outside(&self, low: T, high: T) -> MaskedArray<T, D> {
        let (make, x) = (Elementwise(here()), self.expr());
        let (below, above) = (make.with(BinaryOp::Lt, x, low), make.with(BinaryOp::Gt, x, high));
        MaskedArray::wrap(Masked { data: x.clone(), mask: make.or(&below, &above) })
    }
}

impl<T: Inexact, D: Dimension> LazyArray<T, D> {
    /// Missing where an element, or a part of it, is NaN or an infinity.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, f64::NAN, f64::INFINITY]), 2);
    /// assert_eq!(x.masked_invalid().mean().compute_option()?, Some(1.0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn masked_invalid(&self) -> MaskedArray<T, D> {
        let make = Elementwise(here());
        let mask = make.not(&make.unary(UnaryOp::IsFinite, self.expr()));
        MaskedArray::wrap(Masked { data: self.expr().clone(), mask })
    }
}
