//! The ends of the orders of element types: what the search for an extreme starts from.

use chunkwise_expr::Order;

/// The ends of an order: no element is less than the one, none is larger than the other.
pub(crate) trait Ends: Order {
    /// The least value but NaN.
    const LEAST: Self;
    /// The largest value but NaN.
    const LARGEST: Self;
}

macro_rules! ends {
    ($($t:ident: $least:expr, $largest:expr;)*) => { $(
        impl Ends for $t {
            const LEAST: $t = $least;
            const LARGEST: $t = $largest;
        }
    )* };
}
ends! {
    bool: false, true;
    i8: i8::MIN, i8::MAX;
    i16: i16::MIN, i16::MAX;
    i32: i32::MIN, i32::MAX;
    i64: i64::MIN, i64::MAX;
    u8: u8::MIN, u8::MAX;
    u16: u16::MIN, u16::MAX;
    u32: u32::MIN, u32::MAX;
    u64: u64::MIN, u64::MAX;
    f32: f32::NEG_INFINITY, f32::INFINITY;
    f64: f64::NEG_INFINITY, f64::INFINITY;
}
