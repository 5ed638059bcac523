//! sin, cos, tan, sin_cos of reduced angles.
//!
//! ```text
//! sin(x + y) = x + (y (1 - x^2/2) + x^3 S(x^2))
//! cos(x + y) = (1 - x^2/2) + (x^4 C(x^2) - x y)          |x| <= pi/4
//! ```
//!
//! The polynomials are those of FreeBSD's msun `k_sin.c` and `k_cos.c` (Sun Microsystems, 1993). Both are computed
//! for every angle and the quadrant selects; each is a pair, so that the tangent is one rounded division.

use crate::num::{Pair, fast_two_sum, fma, poly, quotient, select};
use crate::reduce::{self, Reduced};
use crate::{Isa, Plain};

/// Sine and cosine of an angle of at most pi/4, as pairs not yet normalised.
#[inline(always)]
fn pairs<I: Isa>((x, y): Pair) -> (Pair, Pair) {
    let z = x * x;
    let half = 0.5 * z;
    let whole = 1.0 - half;
    let s = poly!(I, z;
        1.589_690_995_211_55e-10, -2.505_076_025_340_686_3e-8, 2.755_731_370_707_007e-6,
        -1.984_126_982_985_795e-4, 8.333_333_333_322_49e-3, -1.666_666_666_666_663_2e-1);
    let c = z * poly!(I, z;
        -1.135_964_755_778_819_5e-11, 2.087_572_321_298_175e-9, -2.755_731_435_139_066_3e-7,
        2.480_158_728_947_673e-5, -1.388_888_888_887_411e-3, 4.166_666_666_666_66e-2);
    let sin = (x, fma::<I>(z * x, s, y * whole));
    let cos = (whole, ((1.0 - whole) - half) + fma::<I>(z, c, -(x * y)));
    (sin, cos)
}

/// Sine and cosine of an angle of at most pi/4.
#[inline(always)]
pub(crate) fn short<I: Isa>(x: f64) -> Pair {
    let (s, c) = pairs::<I>((x, 0.0));
    (s.0 + s.1, c.0 + c.1)
}

/// `x` with its sign changed if bit 1 of `quadrant` is set.
#[inline(always)]
pub(crate) fn flip(x: f64, quadrant: u64) -> f64 {
    f64::from_bits(x.to_bits() ^ ((quadrant & 2) << 62))
}

/// The value of an odd function at `x` from that at `|x|`; zeros keep their sign.
#[inline(always)]
pub(crate) fn with_sign_of(y: f64, x: f64) -> f64 {
    f64::from_bits(y.to_bits() ^ (x.to_bits() & (1 << 63)))
}

#[inline(always)]
fn sin_cos_of<I: Isa>(r: Reduced) -> (f64, f64) {
    let (s, c) = pairs::<I>(r.angle);
    let (s, c) = (s.0 + s.1, c.0 + c.1);
    let odd = r.quadrant & 1 != 0;
    let sin = flip(select(odd, c, s), r.quadrant);
    (sin, flip(select(odd, s, c), r.quadrant.wrapping_add(1)))
}

#[inline(always)]
fn tan_of<I: Isa>(r: Reduced) -> f64 {
    let (s, c) = pairs::<I>(r.angle);
    let odd = r.quadrant & 1 != 0;
    let (s, c) = (fast_two_sum(s.0, s.1), fast_two_sum(c.0, c.1));
    let numerator = (select(odd, -c.0, s.0), select(odd, -c.1, s.1));
    let denominator = (select(odd, s.0, c.0), select(odd, s.1, c.1));
    let (high, low) = quotient::<I>(numerator, denominator);
    high + low
}

/// Whether the fast functions are not right for `x`.
#[inline(always)]
pub(crate) fn is_rare<I: Isa>(x: f64) -> bool {
    x.abs() >= reduce::limit::<I>()
}

#[inline(always)]
pub(crate) fn sin<I: Isa>(x: f64) -> f64 {
    sin_cos::<I>(x).0
}

#[inline(always)]
pub(crate) fn cos<I: Isa>(x: f64) -> f64 {
    sin_cos::<I>(x).1
}

#[inline(always)]
pub(crate) fn sin_cos<I: Isa>(x: f64) -> (f64, f64) {
    let (sin, cos) = sin_cos_of::<I>(reduce::fast::<I>(x.abs()));
    (with_sign_of(sin, x), cos)
}

#[inline(always)]
pub(crate) fn tan<I: Isa>(x: f64) -> f64 {
    with_sign_of(tan_of::<I>(reduce::fast::<I>(x.abs())), x)
}

/// Sine and cosine of any angle of at least 2^-8 by the exact reduction; the same bits on every processor.
#[cold]
pub(crate) fn sin_cos_exact(x: f64) -> (f64, f64) {
    if !x.is_finite() {
        return (f64::NAN, f64::NAN);
    }
    sin_cos_of::<Plain>(reduce::exact(x))
}

/// The tangent of any angle of at least 2^-8 by the exact reduction.
#[cold]
pub(crate) fn tan_exact(x: f64) -> f64 {
    if !x.is_finite() {
        return f64::NAN;
    }
    tan_of::<Plain>(reduce::exact(x))
}
