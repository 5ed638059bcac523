//! What the working types are to reductions: the type totals are kept in, and the conversions around it.

use chunkwise_chunk::Element;
use chunkwise_expr::{Order, cast};

/// An element type with the types its sums are accumulated in.
pub(super) trait Summed: Ordered {
    /// `f64` for floats, else 64 bits that wrap.
    type Total: Total;
    /// The element in the type of totals.
    fn total(self) -> Self::Total;
    /// The element as `f64`.
    fn float(self) -> f64;
    /// A total as the result of `sum`.
    fn from_total(total: Self::Total) -> Self;
    /// A mean or a variance.
    fn from_float(x: f64) -> Self;
}

/// What sums and products are accumulated in.
pub(super) trait Total: Element {
    /// Changes no sum: -0.0 for floats, so that a sum of -0.0 stays one.
    const NOTHING: Self;
    /// The sum of nothing.
    const ZERO: Self;
    /// Changes no product.
    const ONE: Self;
    /// Sum; integers wrap.
    fn plus(self, b: Self) -> Self;
    /// Product; integers wrap.
    fn times(self, b: Self) -> Self;
}

impl Total for f64 {
    const NOTHING: f64 = -0.0;
    const ZERO: f64 = 0.0;
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
            const ZERO: $t = 0;
            const ONE: $t = 1;
            #[inline(always)]
            fn plus(self, b: $t) -> $t { self.wrapping_add(b) }
            #[inline(always)]
            fn times(self, b: $t) -> $t { self.wrapping_mul(b) }
        }
    )* };
}
impl_total!(i64 u64);

/// An element type that is compared, with the value that stands for none.
pub(super) trait Ordered: Order {
    /// True for floats.
    const FLOAT: bool;
    /// NaN for floats, zero for others.
    const ABSENT: Self;
}

macro_rules! impl_summed {
    ($($t:ident $total:ident;)*) => { $(
        impl Summed for $t {
            type Total = $total;
            #[inline(always)]
            fn total(self) -> $total { cast(self) }
            #[inline(always)]
            fn float(self) -> f64 { cast(self) }
            fn from_total(total: $total) -> $t { cast(total) }
            fn from_float(x: f64) -> $t { cast(x) }
        }
    )* };
}
impl_summed! { f32 f64; f64 f64; i64 i64; u64 u64; }

macro_rules! impl_ordered {
    ($($t:ident $absent:expr, $float:expr;)*) => { $(
        impl Ordered for $t {
            const FLOAT: bool = $float;
            const ABSENT: $t = $absent;
        }
    )* };
}
impl_ordered! {
    bool false, false;
    i32 0, false;
    u32 0, false;
    i64 0, false;
    u64 0, false;
    f32 f32::NAN, true;
    f64 f64::NAN, true;
}
