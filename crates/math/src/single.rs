//! The functions of f32, computed in f64.
//!
//! A result in f64 with an error below 2^-33 rounds to the right f32 in all but a few cases in a thousand, so short
//! polynomials do; the ends of the range and subnormals are left to the conversion. No operation is fused, so
//! every instruction set gives the same bits. Functions without a short form convert the result of the f64 one.
//!
//! The methods are those of the f64 functions; the polynomials are Chebyshev interpolants.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, FRAC_PI_4, LN_2, LOG2_E, LOG10_2, LOG10_E};

use crate::num::{ROUNDER, clamp, poly, pow2, round, select};
use crate::{Plain, arc, area, erf as error, log, pow as power, root, trig};

/// `e^r - 1` for `|r| <= 0.35`, to 2^-37.
#[inline(always)]
fn exp_m1_short(r: f64) -> f64 {
    r * poly!(Plain, r;
        2.486_793_656_219_774e-5, 1.990_763_572_659_209_7e-4, 1.388_883_901_085_895_8e-3,
        8.333_283_438_946_465e-3, 4.166_666_678_662_519_4e-2, 1.666_666_667_866_682_2e-1,
        4.999_999_999_995_493e-1, 9.999_999_999_954_91e-1)
}

/// `2^n` and `e^r - 1` with `x = n ln 2 + r`, `x` being limited to where the result in f32 is.
#[inline(always)]
fn exp_parts(x: f64) -> (f64, f64) {
    let x = clamp(x, -200.0, 200.0);
    let n = round(x * LOG2_E);
    (pow2(n), exp_m1_short(x - n * LN_2))
}

/// `e^x` for the short functions.
#[inline(always)]
fn exp_short(x: f64) -> f64 {
    let (p, q) = exp_parts(x);
    p + p * q
}

/// `e^x - 1` for the short functions.
#[inline(always)]
fn exp_m1_wide(x: f64) -> f64 {
    let (p, q) = exp_parts(x);
    (p - 1.0) + p * q
}

#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    exp_short(f64::from(x)) as f32
}

#[inline(always)]
pub(crate) fn exp2(x: f32) -> f32 {
    let x = clamp(f64::from(x), -300.0, 300.0);
    let n = round(x);
    let p = pow2(n);
    (p + p * exp_m1_short((x - n) * LN_2)) as f32
}

#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    if x == 0.0 { x } else { exp_m1_wide(f64::from(x)) as f32 }
}

#[inline(always)]
pub(crate) fn sinh(x: f32) -> f32 {
    let t = exp_m1_wide(f64::from(x.abs()));
    ((0.5 * (t + t / (t + 1.0))) as f32).copysign(x)
}

#[inline(always)]
pub(crate) fn cosh(x: f32) -> f32 {
    let e = exp_short(f64::from(x.abs()));
    (0.5 * (e + 1.0 / e)) as f32
}

#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let t = exp_m1_wide(2.0 * f64::from(x.abs()));
    ((t / (t + 2.0)) as f32).copysign(x)
}

/// `ln(1 + f)` for `1 + f` in sqrt(1/2)..sqrt(2), to 2^-33.
#[inline(always)]
fn ln_1p_short(f: f64) -> f64 {
    let p = poly!(Plain, f;
        5.393_129_607_818_226e-2, -9.771_449_356_382_762e-2, 9.923_879_802_924_102e-2,
        -9.936_141_376_513_27e-2, 1.102_840_330_685_452_4e-1, -1.249_823_881_958_088e-1,
        1.428_916_480_018_585_5e-1, -1.666_682_382_692_657_4e-1, 1.999_994_113_086_682_2e-1,
        -2.499_999_769_299_360_9e-1, 3.333_333_361_965_382_7e-1, -5.000_000_000_445_643e-1);
    f + f * f * p
}

/// `k` and `ln(m)` with `x = 2^k m`.
#[inline(always)]
fn ln_parts(x: f32) -> (f64, f64) {
    let (k, m) = log::split(f64::from(x));
    (k, ln_1p_short(m - 1.0))
}

#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let (k, l) = ln_parts(x);
    log::with_limits(f64::from(x), k * LN_2 + l) as f32
}

#[inline(always)]
pub(crate) fn log2(x: f32) -> f32 {
    let (k, l) = ln_parts(x);
    log::with_limits(f64::from(x), k + l * LOG2_E) as f32
}

#[inline(always)]
pub(crate) fn log10(x: f32) -> f32 {
    let (k, l) = ln_parts(x);
    log::with_limits(f64::from(x), k * LOG10_2 + l * LOG10_E) as f32
}

/// Where `1 + x` needs no power of two, `x` itself is the argument: nothing is lost to the addition.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let wide = f64::from(x);
    let (k, m) = log::split(1.0 + wide);
    let y = k * LN_2 + ln_1p_short(select(k == 0.0, wide, m - 1.0));
    if x == 0.0 { x } else { log::with_limits(1.0 + wide, y) as f32 }
}

/// Whether the fast functions of angles are not right for `x`.
#[inline(always)]
pub(crate) fn is_rare(x: f32) -> bool {
    x.abs() >= 1_048_576.0
}

/// The quadrant, and sine and cosine of the angle in it, to 2^-34.
#[inline(always)]
fn sin_cos_parts(x: f32) -> (u64, f64, f64) {
    /// pi/2, the first part of 33 bits, whose products with quadrants are exact.
    const PARTS: [f64; 2] = [1.570_796_326_734_125_6, 6.077_100_506_506_192e-11];
    let x = f64::from(x);
    let shifted = x * FRAC_2_PI + ROUNDER;
    let j = shifted - ROUNDER;
    let r = (x - j * PARTS[0]) - j * PARTS[1];
    let z = r * r;
    let s = poly!(Plain, z;
        2.724_986_465_513_958_5e-6, -1.984_008_626_375_544_3e-4, 8.333_331_873_837_089e-3,
        -1.666_666_666_385_304_3e-1);
    let c = poly!(Plain, z;
        -2.730_090_816_799_653_7e-7, 2.480_059_998_353_171e-5, -1.388_888_767_128_810_8e-3,
        4.166_666_666_431_933e-2, -0.5);
    (shifted.to_bits(), r + r * (z * s), 1.0 + z * c)
}

#[inline(always)]
fn flip(x: f64, quadrant: u64) -> f64 {
    f64::from_bits(x.to_bits() ^ ((quadrant & 2) << 62))
}

#[inline(always)]
pub(crate) fn sin(x: f32) -> f32 {
    let (quadrant, s, c) = sin_cos_parts(x);
    let y = flip(select(quadrant & 1 != 0, c, s), quadrant) as f32;
    if x == 0.0 { x } else { y }
}

#[inline(always)]
pub(crate) fn cos(x: f32) -> f32 {
    let (quadrant, s, c) = sin_cos_parts(x);
    flip(select(quadrant & 1 != 0, s, c), quadrant.wrapping_add(1)) as f32
}

#[inline(always)]
pub(crate) fn sin_cos(x: f32) -> (f32, f32) {
    (sin(x), cos(x))
}

#[inline(always)]
pub(crate) fn tan(x: f32) -> f32 {
    let (quadrant, s, c) = sin_cos_parts(x);
    let odd = quadrant & 1 != 0;
    let y = (select(odd, -c, s) / select(odd, s, c)) as f32;
    if x == 0.0 { x } else { y }
}

/// Sine and cosine of any angle of at least 2^-8.
#[cold]
pub(crate) fn sin_cos_exact(x: f32) -> (f32, f32) {
    let (sin, cos) = trig::sin_cos_exact(f64::from(x));
    (sin as f32, cos as f32)
}

/// The tangent of any angle of at least 2^-8.
#[cold]
pub(crate) fn tan_exact(x: f32) -> f32 {
    trig::tan_exact(f64::from(x)) as f32
}

#[inline(always)]
pub(crate) fn atan(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let a = select(a > 1e30, 1e30, a);
    let (over_1, over_2) = (a > 0.414_213_562_373_095_1, a > 2.414_213_562_373_095);
    let numerator = select(over_2, -1.0, select(over_1, a - 1.0, a));
    let t = numerator / select(over_2, a, select(over_1, a + 1.0, 1.0));
    let base = select(over_2, FRAC_PI_2, select(over_1, FRAC_PI_4, 0.0));
    let y = t * poly!(Plain, t * t;
        4.707_348_141_968_02e-2, -8.456_192_886_940_496e-2, 1.104_048_922_721_824e-1,
        -1.428_158_877_265_412_5e-1, 1.999_988_385_565_130_4e-1, -3.333_333_209_760_938_6e-1,
        9.999_999_999_783_987e-1);
    ((base + y) as f32).copysign(x)
}

#[inline(always)]
pub(crate) fn sqrt(x: f32) -> f32 {
    x.sqrt()
}

#[inline(always)]
pub(crate) fn recip(x: f32) -> f32 {
    1.0 / x
}

/// Squares of f32 are exact in f64 and neither overflow nor underflow.
#[inline(always)]
pub(crate) fn hypot(x: f32, y: f32) -> f32 {
    let (a, b) = (f64::from(x), f64::from(y));
    let root = (a * a + b * b).sqrt();
    let infinite = a.abs() == f64::INFINITY || b.abs() == f64::INFINITY;
    select(infinite, f64::INFINITY, root) as f32
}

#[inline(always)]
pub(crate) fn pow(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    power::of_magnitude(x, y, exp_short(y * log::ln::<Plain>(x.abs()))) as f32
}

/// Functions that are the f64 one, converted.
macro_rules! converted {
    ($($name:ident($($x:ident),*) = $($path:ident)::+;)*) => {$(
        #[inline(always)]
        pub(crate) fn $name($($x: f32),*) -> f32 {
            $($path)::+::<Plain>($(f64::from($x)),*) as f32
        }
    )*};
}

converted! {
    cbrt(x) = root::cbrt;
    asin(x) = arc::asin;
    acos(x) = arc::acos;
    atan2(y, x) = arc::atan2;
    asinh(x) = area::asinh;
    acosh(x) = area::acosh;
    atanh(x) = area::atanh;
    erf(x) = error::erf;
}
