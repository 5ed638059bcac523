//! The functions of f32, computed in f64.
//!
//! A result in f64 with an error below 2^-33 rounds to the right f32 in all but a few cases in a thousand, so short
//! polynomials do; the ends of the range and subnormals are left to the conversion. No operation is fused, so
//! every instruction set gives the same bits.
//!
//! The methods are those of the f64 functions; the polynomials are Chebyshev interpolants.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, FRAC_PI_4, LN_2, LOG2_E, LOG10_2, LOG10_E, PI};

use crate::num::{ROUNDER, clamp, poly, select};
use crate::{Plain, log, pow as power, trig};

/// `e^r - 1` for `|r| <= 0.35`, to 2^-32.
#[inline(always)]
fn exp_m1_short(r: f64) -> f64 {
    r * poly!(Plain, r;
        1.989_933_205_656_408_3e-4, 1.394_116_075_382_547e-3, 8.333_298_413_941_455e-3,
        4.166_635_226_808_252_5e-2, 1.666_666_671_915_48e-1, 5.000_000_047_259_399e-1, 1.0)
}

/// `2^n` and `e^r - 1` with `x = n ln 2 + r`, `x` being limited to where the result in f32 is.
#[inline(always)]
fn exp_parts(x: f64) -> (f64, f64) {
    let x = clamp(x, -200.0, 200.0);
    let shifted = x * LOG2_E + ROUNDER;
    (power_of(shifted), exp_m1_short(x - (shifted - ROUNDER) * LN_2))
}

/// `2^n` for `shifted` = `n + ROUNDER`.
#[inline(always)]
fn power_of(shifted: f64) -> f64 {
    f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
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
    let shifted = x + ROUNDER;
    let p = power_of(shifted);
    (p + p * exp_m1_short((x - (shifted - ROUNDER)) * LN_2)) as f32
}

#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    let wide = f64::from(x);
    select(wide == 0.0, wide, exp_m1_wide(wide)) as f32
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

/// `ln(1 + f)` for `1 + f` in sqrt(1/2)..sqrt(2), to 2^-35: `2 s + s z P(z)` with `s = f / (2 + f)`, `z = s^2`.
#[inline(always)]
fn ln_1p_short(f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    s * poly!(Plain, z;
        2.333_056_249_723_63e-1, 2.855_081_731_423_506e-1, 4.000_012_187_067_328e-1,
        6.666_666_655_445_935e-1, 2.0)
}

/// `k` and `m` with `x = 2^k m`, for normal numbers; those of f32 are all normal in f64.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    let bits = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = f64::from_bits((bits >> 52) | TWO_52) - (4_503_599_627_370_496.0 + 1023.0);
    (k, f64::from_bits((bits & ((1 << 52) - 1)).wrapping_add(SQRT_HALF)))
}

#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let (k, m) = split(f64::from(x));
    log::with_limits(f64::from(x), k * LN_2 + ln_1p_short(m - 1.0)) as f32
}

#[inline(always)]
pub(crate) fn log2(x: f32) -> f32 {
    let (k, m) = split(f64::from(x));
    log::with_limits(f64::from(x), k + ln_1p_short(m - 1.0) * LOG2_E) as f32
}

#[inline(always)]
pub(crate) fn log10(x: f32) -> f32 {
    let (k, m) = split(f64::from(x));
    log::with_limits(f64::from(x), k * LOG10_2 + ln_1p_short(m - 1.0) * LOG10_E) as f32
}

/// `ln(1 + w)`. Where `1 + w` needs no power of two, `w` is the argument: nothing is lost to the addition.
#[inline(always)]
fn ln_1p_wide(w: f64) -> f64 {
    let (k, m) = split(1.0 + w);
    log::with_limits(1.0 + w, k * LN_2 + ln_1p_short(select(k == 0.0, w, m - 1.0)))
}

#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let wide = f64::from(x);
    select(wide == 0.0, wide, ln_1p_wide(wide)) as f32
}

/// Squares of f32 do not overflow in f64.
#[inline(always)]
pub(crate) fn asinh(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let square = a * a;
    let finite = ln_1p_wide(a + square / (1.0 + (1.0 + square).sqrt()));
    (select(a == f64::INFINITY, a, finite) as f32).copysign(x)
}

#[inline(always)]
pub(crate) fn acosh(x: f32) -> f32 {
    let t = f64::from(x) - 1.0;
    select(x >= 1.0, ln_1p_wide(t + (t * (t + 2.0)).sqrt()), f64::NAN) as f32
}

#[inline(always)]
pub(crate) fn atanh(x: f32) -> f32 {
    let a = f64::from(x.abs());
    ((0.5 * ln_1p_wide(2.0 * a / (1.0 - a))) as f32).copysign(x)
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
pub(crate) fn sin(x: f32) -> f32 {
    let (quadrant, s, c) = sin_cos_parts(x.abs());
    let y = trig::flip(select(quadrant & 1 != 0, c, s), quadrant);
    trig::with_sign_of(y, f64::from(x)) as f32
}

#[inline(always)]
pub(crate) fn cos(x: f32) -> f32 {
    let (quadrant, s, c) = sin_cos_parts(x.abs());
    trig::flip(select(quadrant & 1 != 0, s, c), quadrant.wrapping_add(1)) as f32
}

#[inline(always)]
pub(crate) fn sin_cos(x: f32) -> (f32, f32) {
    (sin(x), cos(x))
}

#[inline(always)]
pub(crate) fn tan(x: f32) -> f32 {
    let (quadrant, s, c) = sin_cos_parts(x.abs());
    let odd = quadrant & 1 != 0;
    let y = select(odd, -c, s) / select(odd, s, c);
    trig::with_sign_of(y, f64::from(x)) as f32
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

/// `asin(s)` for `s = sqrt(z)`, `|s| <= 1/2`.
#[inline(always)]
fn asin_short(s: f64, z: f64) -> f64 {
    s + s
        * (z * poly!(Plain, z;
        2.930_523_970_533_579e-2, 5.443_185_102_748_108e-3, 1.930_626_086_936_804_5e-2,
        2.213_244_362_342_679_4e-2, 3.039_763_413_058_070_2e-2, 4.464_235_848_488_32e-2,
        7.500_000_598_829_049e-2, 1.666_666_666_549_508_6e-1))
}

#[inline(always)]
pub(crate) fn asin(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let small = a <= 0.5;
    let z = select(small, a * a, (1.0 - a) * 0.5);
    let y = asin_short(select(small, a, z.sqrt()), z);
    (select(small, y, FRAC_PI_2 - 2.0 * y) as f32).copysign(x)
}

#[inline(always)]
pub(crate) fn acos(x: f32) -> f32 {
    let (x, a) = (f64::from(x), f64::from(x.abs()));
    let small = a <= 0.5;
    let z = select(small, a * a, (1.0 - a) * 0.5);
    let y = asin_short(select(small, x, z.sqrt()), z);
    select(small, FRAC_PI_2 - y, select(x < 0.0, PI - 2.0 * y, 2.0 * y)) as f32
}

/// `atan(t)` for `|t| <= tan(pi/8)`, to 2^-35.
#[inline(always)]
fn atan_short(t: f64) -> f64 {
    t * poly!(Plain, t * t;
        4.707_348_141_968_02e-2, -8.456_192_886_940_496e-2, 1.104_048_922_721_824e-1,
        -1.428_158_877_265_412_5e-1, 1.999_988_385_565_130_4e-1, -3.333_333_209_760_938_6e-1,
        9.999_999_999_783_987e-1)
}

#[inline(always)]
pub(crate) fn atan(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let a = select(a > 1e30, 1e30, a);
    let (over_1, over_2) = (a > 0.414_213_562_373_095_1, a > 2.414_213_562_373_095);
    let numerator = select(over_2, -1.0, select(over_1, a - 1.0, a));
    let t = numerator / select(over_2, a, select(over_1, a + 1.0, 1.0));
    let base = select(over_2, FRAC_PI_2, select(over_1, FRAC_PI_4, 0.0));
    ((base + atan_short(t)) as f32).copysign(x)
}

/// The arc tangent of the smaller magnitude over the larger, then turned into the octant of the point.
#[inline(always)]
pub(crate) fn atan2(y: f32, x: f32) -> f32 {
    // Infinities are of one size, beyond all others, and zeros of a size that gives the quotient 0.
    let size = |v: f32| clamp(f64::from(v.abs()), 0.0, 1e100);
    let (ay, ax) = (size(y), size(x));
    let steep = ay > ax;
    let (b, a) = (select(steep, ay, ax), select(steep, ax, ay));
    let diagonal = a > 0.414_213_562_373_095_1 * b;
    let t = select(diagonal, a - b, a) / (select(diagonal, a + b, b) + f64::MIN_POSITIVE);
    let angle = select(diagonal, FRAC_PI_4, 0.0) + atan_short(t);
    let angle = select(steep, FRAC_PI_2 - angle, angle);
    let angle = select(x.is_sign_negative(), PI - angle, angle);
    (select(x.is_nan() || y.is_nan(), f64::NAN, angle) as f32).copysign(y)
}

/// The root of `m` in 1..8 with `|x| = m 2^(3 q)`, by Newton's iteration from an estimate by shifting bits.
#[inline(always)]
pub(crate) fn cbrt(x: f32) -> f32 {
    let a = f64::from(x.abs());
    // A third of the bits, which are nearly a logarithm, plus two thirds of those of one (Kahan, 1991).
    let third = (a.to_bits() >> 32) as u32 / 3;
    let t = f64::from_bits(u64::from(third + 715_094_163) << 32);
    // Halley's step makes 5 bits 16, and 16 48.
    let step = |t: f64| t * ((2.0 * a + t * t * t) / (a + 2.0 * (t * t * t)));
    let y = step(step(t));
    (select(a > 0.0 && a < f64::INFINITY, y, a) as f32).copysign(x)
}

/// As in f64, with shorter polynomials.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let a = select(f64::from(x.abs()) > 6.0, 6.0, f64::from(x.abs()));
    let z = a * a;
    let near = a + a * poly!(Plain, z;
        -9.667_044_571_486_996e-6, 1.126_596_895_902_560_7e-4, -8.484_080_405_535_107e-4,
        5.221_031_807_858_023e-3, -2.686_543_072_767_024_3e-2, 1.128_378_249_523_684_5e-1,
        -3.761_263_846_802_871e-1, 1.283_791_670_615_434_3e-1);
    let t = (a - 3.0) / (a + 3.0);
    let q = poly!(Plain, t;
        9.248_882_570_807_165e-4, -2.803_853_560_052_148_3e-2, 6.972_479_581_319_914e-2,
        -1.506_880_382_626_458_6e-1, 2.455_102_070_120_121e-1, -3.262_413_096_983_495e-1,
        1.790_009_094_981_708_2e-1);
    (select(a < 1.0, near, 1.0 - exp_short(-z) * q) as f32).copysign(x)
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
