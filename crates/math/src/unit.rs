//! Functions of uniform random numbers: shorter forms of ln and sin_cos for arguments that are known to be ordinary.

use crate::num::{round, select};
use crate::{Isa, log, trig};

/// The logarithm of a normal number that is positive and finite: what [`Ln`](crate::Ln) gives.
///
/// ```
/// use chunkwise_math::{Plain, unit};
/// assert_eq!(unit::ln::<Plain>(1.0), 0.0);
/// ```
#[inline(always)]
pub fn ln<I: Isa>(x: f64) -> f64 {
    log::ln_of_normal::<I>(x)
}

/// Sine and cosine of `2 pi x`, for `|x|` below 2^50, within 2 ULP: the reduction is exact.
///
/// ```
/// use chunkwise_math::{Plain, unit};
/// assert_eq!(unit::sin_cos_of_turns::<Plain>(0.25), (1.0, 0.0));
/// ```
#[inline(always)]
pub fn sin_cos_of_turns<I: Isa>(x: f64) -> (f64, f64) {
    let quarters = 4.0 * x;
    let whole = round(quarters);
    let (sin, cos) = trig::short::<I>(std::f64::consts::FRAC_PI_2 * (quarters - whole));
    let quadrant = (whole + crate::num::ROUNDER).to_bits();
    let odd = quadrant & 1 != 0;
    let (s, c) = (select(odd, cos, sin), select(odd, sin, cos));
    (trig::flip(s, quadrant), trig::flip(c, quadrant.wrapping_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fma, Ln, Plain, Unary};

    #[test]
    fn short_forms_agree_with_the_long_ones() {
        for i in 1..=100_000u32 {
            let x = f64::from(i) / 100_000.0;
            assert_eq!(ln::<Plain>(x), Ln::fast::<Plain>(x));
            assert_eq!(ln::<Fma>(x), Ln::fast::<Fma>(x));
            let (sin, cos) = sin_cos_of_turns::<Plain>(x);
            let (expected_sin, expected_cos) = (std::f64::consts::TAU * x).sin_cos();
            // The angle of the library's function is rounded, by up to 2^-51.
            assert!((sin - expected_sin).abs() < 1e-15 && (cos - expected_cos).abs() < 1e-15, "{x}");
        }
        assert_eq!(ln::<Plain>(1.0 / (1u64 << 53) as f64), Ln::fast::<Plain>(1.0 / (1u64 << 53) as f64));
    }
}
