//! sinh, cosh, tanh.
//!
//! ```text
//! |x| = n ln 2 + r,  e^r = 1 + r + C + S   with C even (cosh r - 1) and S odd (sinh r - r)
//! 4 sinh |x| = (2^n - 2^-n)(1 + C) + (2^n + 2^-n)(r + S)
//! 4 cosh |x| = (2^n + 2^-n)(1 + C) + (2^n - 2^-n)(r + S)          (over 2, kept halved against overflow)
//! ```
//!
//! The large terms are sums of powers of two and of powers of two times `r`: they are exact, and no division is
//! needed. tanh is (e^2x - 1) / (e^2x + 1), the numerator as a pair. `C` and `S` are Chebyshev interpolants with errors
//! below 2^-60 and 2^-69.

use crate::Isa;
use crate::exp::{self, Reduced};
use crate::num::{Pair, ROUNDER, fast_two_sum, fma, poly, pow2, select, two_sum};

/// Below this sinh and tanh are `x`; halves of the smallest numbers would not be numbers.
const TINY: f64 = 1e-9;

/// Both functions overflow before this; their halves do not.
const OVERFLOW: f64 = 710.6;

/// Half of sinh and half of cosh of `a` in 0..=OVERFLOW, as pairs.
#[inline(always)]
fn halves<I: Isa>(a: f64) -> (Pair, Pair) {
    let Reduced { shifted, r, tail } = exp::reduce::<I>(a);
    let n = shifted - ROUNDER;
    let z = r * r;
    let odd = poly!(I, z;
        1.608_665_004_457_821e-10, 2.505_207_103_456_511_6e-8, 2.755_731_924_727_456_4e-6,
        1.984_126_984_126_432_8e-4, 8.333_333_333_333_333e-3, 1.666_666_666_666_666_6e-1);
    let even = poly!(I, z;
        2.091_126_423_919_608_3e-9, 2.755_728_291_148_268e-7, 2.480_158_731_718_188_6e-5,
        1.388_888_888_888_654_5e-3, 4.166_666_666_666_666_4e-2, 0.5);
    let s = fma::<I>(z * r, odd, tail);
    let c = z * even;
    let up = pow2(n - 2.0);
    // 2^-n is nothing beside 2^n from here on, and would leave the range of powers.
    let down = pow2(-2.0 - select(n > 100.0, 100.0, n));
    let (minus, plus) = (fast_two_sum(up, -down), fast_two_sum(up, down));
    let part = |first: Pair, second: f64, down: f64| {
        let (sum, e1) = two_sum(first.0, up * r);
        let (sum, e2) = fast_two_sum(sum, down * r);
        (sum, fma::<I>(first.0, c, fma::<I>(second, s, first.1 + (e1 + e2))))
    };
    (part(minus, plus.0, down), part(plus, minus.0, -down))
}

#[inline(always)]
pub(crate) fn sinh<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let ((high, low), _) = halves::<I>(select(a > OVERFLOW, OVERFLOW, a));
    select(a < TINY, x, (2.0 * (high + low)).copysign(x))
}

#[inline(always)]
pub(crate) fn cosh<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let (_, (high, low)) = halves::<I>(select(a > OVERFLOW, OVERFLOW, a));
    2.0 * (high + low)
}

/// `t / (t + 2)` with `t = e^(2|x|) - 1`, corrected for what `t` and `t + 2` were rounded by.
#[inline(always)]
pub(crate) fn tanh<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    // From 19.1 on the result is one.
    let (high, low) = exp::quarter_exp_m1::<I>(2.0 * select(a > 20.0, 20.0, a));
    let (t, t_tail) = fast_two_sum(high, low);
    let (d, d_tail) = two_sum(t, 0.5);
    let q = t / d;
    // 1 / d is 2 (1 - q) because d = t + 1/2.
    let correction = fma::<I>(-q, d_tail + t_tail, t_tail) * fma::<I>(-2.0, q, 2.0);
    select(a < TINY, x, (q + correction).copysign(x))
}
