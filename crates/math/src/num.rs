//! The steps functions are made of: selection, powers of two, polynomials, and arithmetic that keeps its
//! rounding errors.
//!
//! A *pair* `(h, l)` stands for the unrounded sum `h + l` with `l` much smaller than `h`. The methods are those
//! of Dekker, "A floating-point technique for extending the available precision" (1971), and Knuth, TAOCP vol. 2,
//! section 4.2.2.

use crate::Isa;

/// Twice 1.5 * 2^51: added to a number below 2^51 it leaves the nearest integer in the low bits of the sum.
pub(crate) const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// A number in two parts.
pub(crate) type Pair = (f64, f64);

/// `a * b + c`, rounded once if the processor can and twice if not.
#[inline(always)]
pub(crate) fn fma<I: Isa>(a: f64, b: f64, c: f64) -> f64 {
    if I::FMA { a.mul_add(b, c) } else { a * b + c }
}

/// A choice without a branch, both sides being computed.
#[inline(always)]
pub(crate) fn select(condition: bool, yes: f64, no: f64) -> f64 {
    if condition { yes } else { no }
}

/// The integer nearest to `x`, for `|x| < 2^51`.
#[inline(always)]
pub(crate) fn round(x: f64) -> f64 {
    (x + ROUNDER) - ROUNDER
}

/// `2^n` for an integral `n` in -1022..=1023.
#[inline(always)]
pub(crate) fn pow2(n: f64) -> f64 {
    f64::from_bits((n + ROUNDER).to_bits().wrapping_add(1023) << 52)
}

/// `p * 2^n` with overflow and gradual underflow, for `p` in 1/2..2 and `n` in -1100..=1024.
///
/// `shifted` is `n + ROUNDER`; `tiny` must hold below -1020 and not above 0. The power goes in two factors, the
/// second of which is one of two constants.
#[inline(always)]
pub(crate) fn scale(p: f64, shifted: f64, tiny: bool) -> f64 {
    const LIFT: u64 = 128;
    let bias = if tiny { 1022 + LIFT } else { 1022 };
    let power = f64::from_bits(shifted.to_bits().wrapping_add(bias) << 52);
    p * power * select(tiny, f64::from_bits((1024 - LIFT) << 52), 2.0)
}

/// `x` limited to an interval; a NaN stays one.
#[inline(always)]
pub(crate) fn clamp(x: f64, low: f64, high: f64) -> f64 {
    let x = select(x > high, high, x);
    select(x < low, low, x)
}

/// The sum of any two numbers, exactly.
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> Pair {
    let sum = a + b;
    let v = sum - a;
    (sum, (a - (sum - v)) + (b - v))
}

/// The sum of two numbers, exactly, if `a` is zero, at least as large as `b`, or a multiple of its last place.
#[inline(always)]
pub(crate) fn fast_two_sum(a: f64, b: f64) -> Pair {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// The product of two numbers, exactly, for numbers below 2^995 whose product's error does not underflow.
#[inline(always)]
pub(crate) fn two_prod<I: Isa>(a: f64, b: f64) -> Pair {
    let p = a * b;
    if I::FMA {
        return (p, a.mul_add(b, -p));
    }
    let (ah, al) = halves(a);
    let (bh, bl) = halves(b);
    (p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
}

/// A number as the sum of two of 26 bits.
#[inline(always)]
fn halves(a: f64) -> Pair {
    let c = 134_217_729.0 * a;
    let high = c - (c - a);
    (high, a - high)
}

/// The quotient of two normalised pairs with a relative error near 2^-100; its parts may overlap in a bit.
#[inline(always)]
pub(crate) fn quotient<I: Isa>(n: Pair, d: Pair) -> Pair {
    let inverse = 1.0 / d.0;
    let q = n.0 * inverse;
    let (p, e) = two_prod::<I>(q, d.0);
    let rest = ((n.0 - p) - e) + fma::<I>(-q, d.1, n.1);
    (q, rest * inverse)
}

/// `1 / sqrt(x)` within 4 %, for normal `x`: enough to turn a residual into the last digits of a root.
#[inline(always)]
pub(crate) fn rough_inverse_root(x: f64) -> f64 {
    f64::from_bits(0x5fe6_eb50_c7b5_37a9_u64.wrapping_sub(x.to_bits() >> 1))
}

/// A polynomial by Horner's rule; the coefficient of the highest power comes first.
macro_rules! horner {
    ($isa:ty, $x:expr; $first:expr $(, $c:expr)* $(,)?) => {{
        let x = $x;
        let r = $first;
        $(let r = $crate::num::fma::<$isa>(r, x, $c);)*
        r
    }};
}
pub(crate) use horner;

/// A polynomial as two of the square, of its even and its odd powers; the coefficient of the highest comes first.
///
/// That is one multiplication more than Horner's rule and half as many steps that wait for each other.
macro_rules! poly {
    (@split $isa:ty, $x:expr; [$($odd:expr),*] [$($even:expr),*]) => {{
        let x = $x;
        let square = x * x;
        let odd = $crate::num::horner!($isa, square; $($odd),*);
        $crate::num::fma::<$isa>(odd, x, $crate::num::horner!($isa, square; $($even),*))
    }};
    // Coefficients go to the two lists in turn, so the last, of power zero, ends in the second.
    (@split $isa:ty, $x:expr; [$($a:expr),*] [$($b:expr),*] $c:expr $(, $rest:expr)*) => {
        $crate::num::poly!(@split $isa, $x; [$($b),*] [$($a,)* $c] $($rest),*)
    };
    ($isa:ty, $x:expr; $($c:expr),* $(,)?) => {
        $crate::num::poly!(@split $isa, $x; [] [] $($c),*)
    };
}
pub(crate) use poly;
