//! asin, acos, atan, atan2.
//!
//! ```text
//! asin x = x + x R(x^2)                               |x| <= 1/2
//!        = pi/2 - 2 asin(s), s = sqrt((1 - |x|)/2)    beyond, s as a pair
//! atan x = b + atan t, t and b by the size of x:
//!          t = x, (x - 1)/(x + 1), -1/x;  b = 0, pi/4, pi/2;  |t| <= tan(pi/8)
//! ```
//!
//! The reduction of asin is that of FreeBSD's msun `e_asin.c`, with a Chebyshev interpolant for `R`; the polynomial of
//! the arc tangent is that of `s_atan.c` (Sun Microsystems, 1993). The quotient `t` keeps its rounding error.

use std::f64::consts::{FRAC_PI_2, PI};

use crate::Isa;
use crate::num::{Pair, fast_two_sum, fma, poly, quotient, rough_inverse_root, select, two_prod};

/// pi/2 - FRAC_PI_2.
const PI_2_TAIL: f64 = 6.123_233_995_736_766e-17;
/// tan(pi/8) and its inverse.
const TAN_PI_8: f64 = 0.414_213_562_373_095_1;
const TAN_3_PI_8: f64 = 2.414_213_562_373_095;

/// The parts of asin and acos: whether `|x| <= 1/2`, `R(z)`, and `sqrt(z)` as a pair.
struct Arc {
    small: bool,
    r: f64,
    root: Pair,
}

#[inline(always)]
fn arc<I: Isa>(x: f64) -> Arc {
    let a = x.abs();
    let small = a <= 0.5;
    let z = select(small, x * x, (1.0 - a) * 0.5);
    let r = z * poly!(I, z;
        2.875_785_136_742_156_6e-2, -1.485_188_707_124_720_4e-2, 1.740_087_944_269_402e-2,
        5.457_506_718_640_358e-3, 1.032_281_435_018_578e-2, 1.147_917_741_518_490_6e-2,
        1.397_121_297_355_293_3e-2, 1.735_239_272_086_997_3e-2, 2.237_217_294_214_989e-2,
        3.038_194_413_853_124_7e-2, 4.464_285_714_635_543e-2, 7.499_999_999_998_433e-2,
        1.666_666_666_666_666_9e-1);
    let root = z.sqrt();
    let (p2, e) = two_prod::<I>(root, root);
    let tail = ((z - p2) - e) * (0.5 * rough_inverse_root(z));
    Arc { small, r, root: (root, tail) }
}

#[inline(always)]
pub(crate) fn asin<I: Isa>(x: f64) -> f64 {
    let Arc { small, r, root: (s, tail) } = arc::<I>(x);
    let (high, low) = fast_two_sum(FRAC_PI_2, -2.0 * s);
    let large = high + (low + (PI_2_TAIL - 2.0 * (tail + s * r)));
    select(small, fma::<I>(x, r, x), large.copysign(x))
}

#[inline(always)]
pub(crate) fn acos<I: Isa>(x: f64) -> f64 {
    let Arc { small, r, root: (s, tail) } = arc::<I>(x);
    let rest = tail + s * r;
    let middle = FRAC_PI_2 - (x - (PI_2_TAIL - x * r));
    let (high, low) = fast_two_sum(FRAC_PI_2, -s);
    let negative = 2.0 * (high + (low + (PI_2_TAIL - rest)));
    select(small, middle, select(x < 0.0, negative, 2.0 * (s + rest)))
}

/// `t - atan(t)` for `|t| <= 7/16`.
#[inline(always)]
fn short_of<I: Isa>(t: f64) -> f64 {
    let z = t * t;
    t * (z * poly!(I, z;
        1.628_582_011_536_578_2e-2, -3.653_157_274_421_691_6e-2, 4.976_877_994_615_932e-2,
        -5.833_570_133_790_573_5e-2, 6.661_073_137_387_531e-2, -7.691_876_205_044_83e-2,
        9.090_887_133_436_507e-2, -1.111_111_040_546_235_6e-1, 1.428_571_427_250_346_6e-1,
        -1.999_999_999_987_648_3e-1, 3.333_333_333_333_293e-1))
}

#[inline(always)]
pub(crate) fn atan<I: Isa>(x: f64) -> f64 {
    // The result is pi/2 from 2^54 on, and the largest numbers have no inverse of full precision.
    let a = x.abs();
    let a = select(a > 1e30, 1e30, a);
    let (over_1, over_2) = (a > TAN_PI_8, a > TAN_3_PI_8);
    let numerator = fast_two_sum(select(over_1, -1.0, 0.0), select(over_2, 0.0, a));
    let denominator = fast_two_sum(select(over_2, 0.0, 1.0), select(over_1, a, 0.0));
    let (t, e) = quotient::<I>(numerator, denominator);
    let base = select(over_2, FRAC_PI_2, select(over_1, 0.5 * FRAC_PI_2, 0.0));
    let base_tail = select(over_2, PI_2_TAIL, select(over_1, 0.5 * PI_2_TAIL, 0.0));
    let (high, low) = fast_two_sum(base, t);
    // The derivative of the arc tangent is near 1 - t^2.
    let tail = fma::<I>(-e, t * t, e) + base_tail;
    (high + (low - (short_of::<I>(t) - tail))).copysign(x)
}

/// The arc tangent of the smaller magnitude over the larger, then turned into the octant of the point.
///
/// Magnitudes near the ends of the range are scaled by powers of two, so the quotient has its full precision.
#[inline(always)]
pub(crate) fn atan2<I: Isa>(y: f64, x: f64) -> f64 {
    const SHRINK: f64 = f64::from_bits((1023 - 600) << 52);
    const GROW: f64 = f64::from_bits((1023 + 600) << 52);
    let (ay, ax) = (y.abs(), x.abs());
    let steep = ay > ax;
    let (large, small) = (select(steep, ay, ax), select(steep, ax, ay));
    let by = select(large > 1e270, SHRINK, select(large < 1e-270, GROW, 1.0));
    let (b, a) = (large * by, small * by);
    let diagonal = a > TAN_PI_8 * b;
    // Two zeros and two infinities have quotients by convention: 0 and 1.
    let (zeros, infinities) = (large == 0.0, small == f64::INFINITY);
    let flat = zeros || large == f64::INFINITY;
    let numerator = fast_two_sum(select(diagonal && !flat, -b, 0.0), select(flat, 0.0, a));
    let denominator = fast_two_sum(select(flat, 1.0, b), select(diagonal && !flat, a, 0.0));
    let (t, e) = quotient::<I>(numerator, denominator);
    // The residual of a quotient whose numerator is near the end of the range is lost; its rounding is small then.
    let e = select(a < 1e-270, 0.0, e);
    let eighth = select(diagonal || infinities, 0.5, 0.0);
    let tail = fma::<I>(-e, t * t, e) - short_of::<I>(t);
    let behind = x.is_sign_negative();
    // angle = base + sign (eighth pi/2 + atan t)
    let sign = select(steep != behind, -1.0, 1.0);
    let turns = select(steep, 1.0, select(behind, 2.0, 0.0)) + sign * eighth;
    let (high, low) = fast_two_sum(turns * FRAC_PI_2, sign * t);
    let angle = high + (low + fma::<I>(sign, tail, turns * PI_2_TAIL));
    let angle = select(zeros, select(behind, PI, 0.0), angle);
    select(x.is_nan() || y.is_nan(), f64::NAN, angle.copysign(y))
}
