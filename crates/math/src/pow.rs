//! pow: `e^(y ln |x|)` with the logarithm and the product as pairs.
//!
//! ```text
//! |x| = 2^k m,  s = (m - 1) / (m + 1) as a pair
//! ln m = 2 s + s z (2/3 + z T(z)),  z = s^2
//! ```
//!
//! The logarithm needs 2^-66: its relative error is multiplied by up to 710. Terms below z^2 are therefore pairs;
//! the coefficients of `T` are those of SLEEF's `pow` (Shibata, 2010-2020).

use std::f64::consts::{LN_2, LOG2_E};

use crate::Isa;
use crate::exp::{LN_2_HIGH, LN_2_LOW, LN_2_TAIL, beyond_r};
use crate::log::split;
use crate::num::{Pair, ROUNDER, clamp, fast_two_sum, fma, poly, scale, select, two_prod, two_sum};

/// `ln a` as a pair, for positive finite `a`.
#[inline(always)]
fn ln_pair<I: Isa>(a: f64) -> Pair {
    let (k, m) = split(a);
    let f = m - 1.0;
    let (d, d_tail) = two_sum(m, 1.0);
    let inverse = 1.0 / d;
    let s = f * inverse;
    let (p, e) = two_prod::<I>(s, d);
    let (s, s_tail) = fast_two_sum(s, (((f - p) - e) - s * d_tail) * inverse);
    let (z, z_tail) = two_prod::<I>(s, s);
    let z_tail = fma::<I>(2.0 * s, s_tail, z_tail);
    let t = poly!(I, z;
        0.116_255_524_079_935_04, 0.103_239_680_901_072_95, 0.117_754_809_412_464,
        0.133_329_810_868_462_73, 0.153_846_227_114_512_26, 0.181_818_180_850_050_78,
        0.222_222_222_230_083_56, 0.285_714_285_714_249_2, 0.400_000_000_000_000_1);
    // 2/3 + z t, then times s z.
    let (u, u_tail) = two_prod::<I>(z, t);
    let (c, c_tail) = fast_two_sum(2.0 / 3.0, u);
    let c_tail = c_tail + (fma::<I>(z_tail, t, u_tail) + 3.805_549_625_424_120_6e-17);
    let (g, g_tail) = two_prod::<I>(z, c);
    let g_tail = fma::<I>(z, c_tail, fma::<I>(z_tail, c, g_tail));
    let (w, w_tail) = two_prod::<I>(s, g);
    let w_tail = fma::<I>(s, g_tail, fma::<I>(s_tail, g, w_tail));
    let (high, low) = fast_two_sum(2.0 * s, w);
    let low = low + (2.0 * s_tail + w_tail);
    let (kh, kl) = two_prod::<I>(k, LN_2);
    let (sum, error) = two_sum(kh, high);
    fast_two_sum(sum, error + (fma::<I>(k, LN_2_TAIL, kl) + low))
}

/// `e^(high + low)` with its overflow and underflow.
#[inline(always)]
fn exp_of_pair<I: Isa>((high, low): Pair) -> f64 {
    // Outside, and where the product overflowed, the low part may be anything.
    let low = select(high.abs() < 750.0, low, 0.0);
    let high = clamp(high, -750.0, 710.0);
    let shifted = fma::<I>(high, LOG2_E, ROUNDER);
    let n = shifted - ROUNDER;
    let (first, second) = if I::FMA { (LN_2, LN_2_TAIL) } else { (LN_2_HIGH, LN_2_LOW) };
    let (r, tail) = two_sum(fma::<I>(-n, first, high), fma::<I>(-n, second, low));
    scale(1.0 + (r + beyond_r::<I>(r, tail)), shifted, high < -700.0)
}

/// The nearest integer to any non-negative number.
#[inline(always)]
fn nearest_integer(a: f64) -> f64 {
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    select(a < TWO_52, (a + TWO_52) - TWO_52, a)
}

#[inline(always)]
pub(crate) fn pow<I: Isa>(x: f64, y: f64) -> f64 {
    let ln = ln_pair::<I>(x.abs());
    let (product, tail) = two_prod::<I>(ln.0, y);
    of_magnitude(x, y, exp_of_pair::<I>((product, fma::<I>(ln.1, y, tail))))
}

/// The power, given `|x|^y` of all numbers that are not limits: its sign, and the limits.
#[inline(always)]
pub(crate) fn of_magnitude(x: f64, y: f64, v: f64) -> f64 {
    let ay = y.abs();
    let whole = nearest_integer(ay) == ay;
    let odd = whole && nearest_integer(ay * 0.5) != ay * 0.5;
    let v = select(x < 0.0, select(odd, -v, select(whole, v, f64::NAN)), v);
    with_limits(x, y, odd, v)
}

/// The powers of and with zeros, infinities and NaNs (IEEE 754-2019, section 9.2.1); `v` is right for all others.
#[inline(always)]
fn with_limits(x: f64, y: f64, odd: bool, v: f64) -> f64 {
    let (ax, ay) = (x.abs(), y.abs());
    let down = y < 0.0;
    let limit = select((ax == 0.0) != down, 0.0, f64::INFINITY);
    let limit = select(odd, limit.copysign(x), limit);
    let v = select(ax == 0.0 || ax == f64::INFINITY, limit, v);
    let grows = (ax > 1.0) != down;
    let limit = select(ax == 1.0, 1.0, select(grows, f64::INFINITY, 0.0));
    let v = select(ay == f64::INFINITY, limit, v);
    let v = select(x.is_nan() || y.is_nan(), f64::NAN, v);
    select(y == 0.0 || x == 1.0, 1.0, v)
}
