//! What the element types are to sums: the type totals are kept in, and the conversions around it.

use chunkwise_chunk::{Element, for_each_dtype};
use chunkwise_expr::{Order, cast};

/// An element type with the types its sums are accumulated in.
pub(super) trait Summed: Order {
    /// `f64` for floats, else 64 bits that wrap.
    type Total: Total;
    /// The element in the type of totals.
    fn total(self) -> Self::Total;
    /// The element as `f64`.
    fn float(self) -> f64;
    /// A total as the result of `sum`.
    fn from_total(total: Self::Total) -> <Self as Element>::Sum;
    /// The result of `mean`, `var` and `std`.
    fn from_float(x: f64) -> <Self as Element>::Mean;
    /// What stands for no value: NaN for floats, zero for others.
    fn absent() -> Self;
}

/// What sums and products are accumulated in.
pub(super) trait Total: Element {
    /// Changes no sum: -0.0 for floats, so that a sum of -0.0 stays one.
    const NOTHING: Self;
    /// Changes no product.
    const ONE: Self;
    /// Sum; integers wrap.
    fn plus(self, b: Self) -> Self;
    /// Product; integers wrap.
    fn times(self, b: Self) -> Self;
}

impl Total for f64 {
    const NOTHING: f64 = -0.0;
    const ONE: f64 = 1.0;
    #[inline(always)]
    fn plus(self, b: f64) -> f64 {
        self + b
    }
    #[inline(always)]
    fn times(self, b: f64) -> f64 {
        self * b
    }
}

macro_rules! impl_total {
    ($($t:ty)*) => { $(
        impl Total for $t {
            const NOTHING: $t = 0;
            const ONE: $t = 1;
            #[inline(always)]
            fn plus(self, b: $t) -> $t { self.wrapping_add(b) }
            #[inline(always)]
            fn times(self, b: $t) -> $t { self.wrapping_mul(b) }
        }
    )* };
}
impl_total!(i64 u64);

#[rustfmt::skip]
macro_rules! total_type {
    (f32) => { f64 };
    (f64) => { f64 };
    ($other:ident) => { <$other as Element>::Sum };
}

#[rustfmt::skip]
macro_rules! absent {
    (f32) => { f32::NAN };
    (f64) => { f64::NAN };
    ($other:ident) => { <$other>::default() };
}

macro_rules! impl_summed {
    ($($v:ident $t:ident, $name:literal;)*) => { $(
        impl Summed for $t {
            type Total = total_type!($t);
            #[inline(always)]
            fn total(self) -> Self::Total { cast(self) }
            #[inline(always)]
            fn float(self) -> f64 { cast(self) }
            fn from_total(total: Self::Total) -> <Self as Element>::Sum { cast(total) }
            fn from_float(x: f64) -> <Self as Element>::Mean { cast(x) }
            fn absent() -> Self { absent!($t) }
        }
    )* };
}
for_each_dtype!(impl_summed);
