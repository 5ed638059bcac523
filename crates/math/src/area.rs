//! asinh, acosh, atanh: logarithms of `1 + w` with `w` as a pair.
//!
//! ```text
//! asinh a = ln(1 + a + a^2 / (1 + sqrt(1 + a^2)))
//! acosh x = ln(1 + t + sqrt(2 t + t^2)),  t = x - 1
//! atanh a = ln(1 + 2 a / (1 - a)) / 2
//! ```
//!
//! The forms are those of Kahan, "Branch cuts for complex elementary functions" (1987): no digit cancels near the
//! zero of the function. From 2^30 on, asinh and acosh are ln(2 x), that is ln(1 + w) + ln 2 with
//! `w = x - 1` as a pair, where squares could overflow.

use crate::Isa;
use crate::log::ln_1p_of_pair;
use crate::num::{fast_two_sum, quotient, rough_inverse_root, select, two_prod, two_sum};

/// Where `ln(2 x)` becomes right to the last bit.
const LARGE: f64 = 1_073_741_824.0;
/// Below this the functions that are odd are `x`.
const TINY: f64 = 1e-10;

#[inline(always)]
pub(crate) fn asinh<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let large = a > LARGE;
    let b = select(large, 1.0, a);
    let square = b * b;
    let (sum, error) = fast_two_sum(b, square / (1.0 + (1.0 + square).sqrt()));
    let w = (select(large, a, sum), select(large, -1.0, error));
    let y = ln_1p_of_pair::<I>(w, select(large, 1.0, 0.0));
    select(a < TINY, x, y.copysign(x))
}

#[inline(always)]
pub(crate) fn acosh<I: Isa>(x: f64) -> f64 {
    let large = x > LARGE;
    let b = select(large, 2.0, x);
    let (t, t_tail) = two_sum(b, -1.0);
    // The root of 2 t + t^2 = t (b + 1) as a pair; b + 1 loses at most one bit, which counts only for large b.
    let (square, e) = two_prod::<I>(t, b + 1.0);
    let root = square.sqrt();
    let (p, pe) = two_prod::<I>(root, root);
    let root_tail = (((square - p) - pe) + e) * (0.5 * rough_inverse_root(square));
    let (sum, error) = two_sum(root, t);
    let w = (select(large, x, sum), select(large, -1.0, error + (root_tail + t_tail)));
    let y = ln_1p_of_pair::<I>(w, select(large, 1.0, 0.0));
    select(x >= 1.0, y, f64::NAN)
}

#[inline(always)]
pub(crate) fn atanh<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let inside = a < 1.0;
    let b = select(inside, a, 0.5);
    let (high, low) = quotient::<I>((2.0 * b, 0.0), fast_two_sum(1.0, -b));
    let y = 0.5 * ln_1p_of_pair::<I>((high, low), 0.0);
    let y = select(inside, y, select(a == 1.0, f64::INFINITY, f64::NAN));
    select(a < TINY, x, y.copysign(x))
}
