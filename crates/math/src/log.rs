//! ln, log2, log10, ln_1p.
//!
//! ```text
//! x = 2^k (1 + f),  sqrt(1/2) <= 1 + f < sqrt(2)
//! s = f / (2 + f),  ln(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2))
//! ```
//!
//! The method and the coefficients of `R` are those of FreeBSD's msun `e_log.c` (Sun Microsystems, 1993), without
//! its branches. log2 and log10 multiply the logarithm in two parts, as `e_log2.c` and `e_log10.c` do.

use crate::Isa;
use crate::exp::{LN_2_HIGH, LN_2_LOW};
use crate::num::{Pair, fast_two_sum, fma, poly, select};

/// The bits of sqrt(1/2): mantissas are taken from here to sqrt(2).
const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const MANTISSA: u64 = (1 << 52) - 1;
/// The bits of 2^52, and 2^52 as a number.
const TWO_52: u64 = 0x4330_0000_0000_0000;
const TWO_52_VALUE: f64 = 4_503_599_627_370_496.0;
const TWO_54: f64 = 18_014_398_509_481_984.0;

/// `x = 2^k m` with `m` in sqrt(1/2)..sqrt(2), for positive finite `x`.
#[inline(always)]
pub(crate) fn split(x: f64) -> (f64, f64) {
    let subnormal = x < f64::MIN_POSITIVE;
    let normal = select(subnormal, x * TWO_54, x);
    split_normal(normal, select(subnormal, 1023.0 + 54.0, 1023.0))
}

/// The same for normal `x`, with `2^(k + bias - 1023)`.
#[inline(always)]
fn split_normal(x: f64, bias: f64) -> (f64, f64) {
    let bias = TWO_52_VALUE + bias;
    let bits = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = f64::from_bits((bits >> 52) | TWO_52) - bias;
    (k, f64::from_bits((bits & MANTISSA).wrapping_add(SQRT_HALF)))
}

/// `f^2 / 2` and `s (f^2/2 + R)`: what ln(1 + f) is short of and beyond f.
#[inline(always)]
fn parts<I: Isa>(f: f64) -> (f64, f64, f64) {
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * poly!(I, z;
        1.479_819_860_511_658_6e-1, 1.531_383_769_920_937_3e-1, 1.818_357_216_161_805e-1,
        2.222_219_843_214_978_4e-1, 2.857_142_874_366_239e-1, 3.999_999_999_940_942e-1,
        6.666_666_666_666_735e-1);
    (0.5 * f * f, s, r)
}

/// `k ln 2 + ln(1 + f) + c`.
#[inline(always)]
fn combine<I: Isa>(k: f64, f: f64, c: f64) -> f64 {
    let (half, s, r) = parts::<I>(f);
    let beyond = fma::<I>(s, half + r, fma::<I>(k, LN_2_LOW, c));
    fma::<I>(k, LN_2_HIGH, f - (half - beyond))
}

/// The logarithms of infinity, zero and negative numbers; `y` is right for all others.
#[inline(always)]
pub(crate) fn with_limits(x: f64, y: f64) -> f64 {
    let y = select(x == f64::INFINITY, x, y);
    let y = select(x == 0.0, f64::NEG_INFINITY, y);
    select(x >= 0.0, y, f64::NAN)
}

/// The logarithm of a positive, finite, normal number.
#[inline(always)]
pub(crate) fn ln_of_normal<I: Isa>(x: f64) -> f64 {
    let (k, m) = split_normal(x, 1023.0);
    combine::<I>(k, m - 1.0, 0.0)
}

#[inline(always)]
pub(crate) fn ln<I: Isa>(x: f64) -> f64 {
    let (k, m) = split(x);
    with_limits(x, combine::<I>(k, m - 1.0, 0.0))
}

#[inline(always)]
pub(crate) fn ln_1p<I: Isa>(x: f64) -> f64 {
    select(x == 0.0, x, ln_1p_of_pair::<I>((x, 0.0), 0.0))
}

/// `ln(1 + w) + doublings * ln 2`, for a pair `w`.
///
/// The part of `1 + w` lost in rounding comes back divided by it, the derivative of the logarithm.
#[inline(always)]
pub(crate) fn ln_1p_of_pair<I: Isa>(w: Pair, doublings: f64) -> f64 {
    let (u, lost) = fast_two_sum(1.0, w.0);
    // Of large numbers nothing is lost that matters, and infinity makes the sum's error a NaN.
    let lost = select(u > 1e18 || u <= 0.0, 0.0, lost + w.1);
    let (k, m) = split(u);
    with_limits(u, combine::<I>(k + doublings, m - 1.0, lost / u))
}

/// `k` and the pair ln(m), the first part of 32 bits.
#[inline(always)]
fn ln_pair<I: Isa>(x: f64) -> (f64, f64, f64) {
    let (k, m) = split(x);
    let f = m - 1.0;
    let (half, s, r) = parts::<I>(f);
    let high = f64::from_bits((f - half).to_bits() & 0xffff_ffff_0000_0000);
    (k, high, ((f - high) - half) + s * (half + r))
}

#[inline(always)]
pub(crate) fn log2<I: Isa>(x: f64) -> f64 {
    /// 1 / ln 2, the first part of 32 bits.
    const INVERSE: Pair = (1.442_695_040_721_446_3, 1.675_171_316_488_651_2e-10);
    let (k, high, low) = ln_pair::<I>(x);
    let whole = high * INVERSE.0;
    let sum = k + whole;
    let rest = (low + high) * INVERSE.1 + low * INVERSE.0;
    with_limits(x, (rest + ((k - sum) + whole)) + sum)
}

#[inline(always)]
pub(crate) fn log10<I: Isa>(x: f64) -> f64 {
    /// 1 / ln 10, the first part of 32 bits.
    const INVERSE: Pair = (4.342_944_818_781_689e-1, 2.508_294_671_164_527_5e-11);
    /// log10(2), the first part of 42 bits.
    const LOG10_2: Pair = (3.010_299_956_636_117_7e-1, 3.694_239_077_158_931e-13);
    let (k, high, low) = ln_pair::<I>(x);
    let whole = high * INVERSE.0;
    let power = k * LOG10_2.0;
    let sum = power + whole;
    let rest = k * LOG10_2.1 + (low + high) * INVERSE.1 + low * INVERSE.0;
    with_limits(x, (rest + ((power - sum) + whole)) + sum)
}
