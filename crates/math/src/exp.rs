//! exp, exp2, exp_m1.
//!
//! ```text
//! n = round(x / ln 2)              r + tail = x - n ln 2, |r| <= 0.35
//! e^x = 2^n (1 + r + tail + r^2 U(r))
//! ```
//!
//! ln 2 is taken in two parts so that the first subtraction is exact (Cody and Waite, 1980). `U` is the Chebyshev
//! interpolant of (e^r - 1 - r) / r^2; its error is below 2^-59 of the result. 2^n is multiplied in two steps, so
//! overflow and subnormal results come out right.

use std::f64::consts::{LN_2, LOG2_E};

use crate::Isa;
use crate::num::{ROUNDER, clamp, fast_two_sum, fma, poly, scale, select, two_prod};

/// ln 2 - LN_2.
pub(crate) const LN_2_TAIL: f64 = 2.319_046_813_846_299_6e-17;
/// The first 32 bits of ln 2, whose products with exponents are exact.
pub(crate) const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
/// ln 2 - LN_2_HIGH.
pub(crate) const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `x = n ln 2 + r + tail`.
pub(crate) struct Reduced {
    /// `n + ROUNDER`.
    pub(crate) shifted: f64,
    pub(crate) r: f64,
    pub(crate) tail: f64,
}

/// For `|x| < 2^20`.
#[inline(always)]
pub(crate) fn reduce<I: Isa>(x: f64) -> Reduced {
    let shifted = fma::<I>(x, LOG2_E, ROUNDER);
    let n = shifted - ROUNDER;
    let (high, low) =
        if I::FMA { (fma::<I>(-n, LN_2, x), n * LN_2_TAIL) } else { (x - n * LN_2_HIGH, n * LN_2_LOW) };
    let (r, tail) = fast_two_sum(high, -low);
    Reduced { shifted, r, tail }
}

/// `e^(r + tail) - 1 - r` for `|r| <= 0.35`.
#[inline(always)]
pub(crate) fn beyond_r<I: Isa>(r: f64, tail: f64) -> f64 {
    let u = poly!(I, r;
        2.091_471_734_171_637_8e-9, 2.510_525_953_844_849_4e-8, 2.755_727_357_010_214e-7,
        2.755_725_529_796_964_3e-6, 2.480_158_732_530_562_4e-5, 1.984_126_987_490_126e-4,
        1.388_888_888_888_373e-3, 8.333_333_333_326_112e-3, 4.166_666_666_666_667e-2,
        1.666_666_666_666_667e-1, 0.5);
    fma::<I>(r * r, u, tail)
}

#[inline(always)]
pub(crate) fn exp<I: Isa>(x: f64) -> f64 {
    let x = clamp(x, -750.0, 710.0);
    let Reduced { shifted, r, tail } = reduce::<I>(x);
    scale(1.0 + (r + beyond_r::<I>(r, tail)), shifted, x < -700.0)
}

/// `2^x = 2^n e^(r ln 2)`, the product in a pair.
#[inline(always)]
pub(crate) fn exp2<I: Isa>(x: f64) -> f64 {
    let x = clamp(x, -1080.0, 1024.4);
    let shifted = x + ROUNDER;
    let part = x - (shifted - ROUNDER);
    let (r, tail) = two_prod::<I>(part, LN_2);
    let tail = fma::<I>(part, LN_2_TAIL, tail);
    scale(1.0 + (r + beyond_r::<I>(r, tail)), shifted, x < -1000.0)
}

/// A quarter of `e^x - 1 = (2^n - 1) + 2^n r + 2^n (e^r - 1 - r)`, so that 2^n does not overflow first.
///
/// The first two terms are exact and their sum is kept exactly, the third is returned with what that sum lost; it is
/// up to a fifth of it. For `x` in -60.0..=710.7.
#[inline(always)]
pub(crate) fn quarter_exp_m1<I: Isa>(x: f64) -> (f64, f64) {
    let Reduced { shifted, r, tail } = reduce::<I>(x);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023 - 2) << 52);
    // 2^n - 1 is either zero or larger than 2^n r.
    let (high, low) = fast_two_sum(power - 0.25, power * r);
    (high, fma::<I>(power, beyond_r::<I>(r, tail), low))
}

#[inline(always)]
pub(crate) fn exp_m1<I: Isa>(x: f64) -> f64 {
    let (high, low) = quarter_exp_m1::<I>(clamp(x, -60.0, 710.7));
    // A quarter of the smallest numbers is not a number.
    select(x.abs() < 1e-18, x, 4.0 * (high + low))
}
