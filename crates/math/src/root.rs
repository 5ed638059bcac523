//! sqrt, recip, cbrt, hypot.
//!
//! The square root and the reciprocal are instructions, correctly rounded by IEEE 754. The cube root takes a
//! polynomial start, one Newton step for the inverse root and one for the root whose residual is exact. hypot is
//! the root of a sum of squares kept as a pair, corrected by its residual (Borges, "Fast compensated algorithms for
//! the reciprocal square root, the reciprocal hypotenuse, and Givens rotations", 2021).

use crate::Isa;
use crate::num::{fast_two_sum, fma, poly, pow2, rough_inverse_root, round, select, two_prod};

const TWO_54: f64 = 18_014_398_509_481_984.0;
/// The cube roots of 2 and 4.
const CBRT_2: f64 = 1.259_921_049_894_873_2;
const CBRT_4: f64 = 1.587_401_051_968_199_5;

#[allow(clippy::extra_unused_type_parameters, reason = "the table wants one form of all functions")]
#[inline(always)]
pub(crate) fn sqrt<I: Isa>(x: f64) -> f64 {
    x.sqrt()
}

#[allow(clippy::extra_unused_type_parameters, reason = "the table wants one form of all functions")]
#[inline(always)]
pub(crate) fn recip<I: Isa>(x: f64) -> f64 {
    1.0 / x
}

/// `x = m 2^e` with `m` in 1/2..1, `e = 3 q + rest`: the root of `m 2^rest` is found and multiplied by `2^q`.
#[inline(always)]
pub(crate) fn cbrt<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let subnormal = a < f64::MIN_POSITIVE;
    let bits = select(subnormal, a * TWO_54, a).to_bits();
    // The exponent becomes the low bits of 2^52, which is then subtracted.
    let e = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1022.0);
    let m = f64::from_bits((bits & ((1 << 52) - 1)) | 0x3fe0_0000_0000_0000);
    let q = round((e - 1.0) * (1.0 / 3.0));
    let rest = e - 3.0 * q;
    let by = |one: f64, two: f64, zero: f64| select(rest == 1.0, one, select(rest == 2.0, two, zero));
    let scaled = m * by(2.0, 4.0, 1.0);
    // The inverse root of m, to 2^-17 and then 2^-33.
    let t = poly!(I, m;
        -0.640_245_898_480_692_9, 2.961_551_030_200_395, -5.733_530_609_229_478,
        6.039_903_689_894_588, -3.858_419_355_104_45, 2.230_727_530_249_661);
    let t2 = t * t;
    let t = t - (m * (t2 * t2) - t) * (1.0 / 3.0);
    let y = m * t * t * by(CBRT_2, CBRT_4, 1.0);
    let (y2, e2) = two_prod::<I>(y, y);
    let (y3, e3) = two_prod::<I>(y2, y);
    let residual = (y3 - scaled) + fma::<I>(e2, y, e3);
    let inverse_square = t * t * by(1.0 / CBRT_2 / CBRT_2, 1.0 / CBRT_4 / CBRT_4, 1.0);
    let root = (y - residual * inverse_square * (1.0 / 3.0)) * pow2(q - select(subnormal, 18.0, 0.0));
    let itself = x == 0.0 || a == f64::INFINITY || x.is_nan();
    select(itself, a, root).copysign(x)
}

/// Magnitudes near the ends of the range are scaled by powers of two, so that their squares stay in it.
#[inline(always)]
pub(crate) fn hypot<I: Isa>(x: f64, y: f64) -> f64 {
    const UP: f64 = f64::from_bits((1023 + 600) << 52);
    const DOWN: f64 = f64::from_bits((1023 - 600) << 52);
    let (a, b) = (x.abs(), y.abs());
    let (large, small) = (select(a > b, a, b), select(a > b, b, a));
    let (big, tiny) = (large > 1e150, large < 1e-140);
    let by = select(big, DOWN, select(tiny, UP, 1.0));
    let back = select(big, UP, select(tiny, DOWN, 1.0));
    let (p, pe) = two_prod::<I>(large * by, large * by);
    let (q, qe) = two_prod::<I>(small * by, small * by);
    let (sum, error) = fast_two_sum(p, q);
    let root = sum.sqrt();
    let (r2, re) = two_prod::<I>(root, root);
    let residual = ((sum - r2) - re) + (error + (pe + qe));
    let root = root + residual * (0.5 * rough_inverse_root(sum));
    let root = select(x.is_nan() || y.is_nan(), f64::NAN, root * back);
    select(a == f64::INFINITY || b == f64::INFINITY, f64::INFINITY, root)
}
