//! What floats alone have: neighbours, fraction and exponent, and functions that are sums.
//!
//! Neighbours and parts work on the bits of IEEE 754, exactly. Everything is free of branches where it can be, so that
//! loops over it vectorise. This file does not own the elementary functions: those are `chunkwise-math`.

use chunkwise_chunk::Float;

/// Neighbours and parts of a float, with NumPy's values.
///
/// ```
/// use chunkwise_expr::FloatParts;
/// assert_eq!(1.0f64.next_toward(2.0), 1.0 + f64::EPSILON);
/// assert_eq!((12.0f32.fraction(), 12.0f32.exponent()), (0.75, 4.0));
/// ```
pub trait FloatParts: Float {
    /// The next float from `self` in the direction of `b`; `b` when they are equal, NaN when either is NaN.
    fn next_toward(self, b: Self) -> Self;
    /// The distance to the next float away from zero, with the sign of `self`; NaN for infinities.
    fn spacing(self) -> Self;
    /// The `m` in [0.5, 1) or (-1, -0.5] of `self = m * 2^e`; zeros, infinities and NaN as they are.
    fn fraction(self) -> Self;
    /// The integer `e` of `self = m * 2^e`; 0 for zeros, infinities and NaN.
    fn exponent(self) -> Self;
    /// `self * 2^n` rounded once, with `n` truncated to an integer; NaN when `n` is.
    fn times_power_of_two(self, n: Self) -> Self;
    /// The modified Bessel function of the first kind and order 0.
    fn bessel_i0(self) -> Self;
}

/// Terms of the power series of `bessel_i0`: at 20, where it is left, the term after these is below 1e-19 of the sum.
const SERIES_TERMS: u32 = 46;

/// Terms of the asymptotic series of `bessel_i0`: from 20 on, the term after these is below 1e-16.
const ASYMPTOTIC_TERMS: u32 = 24;

/// A float that is normal, or has no parts, and the exponent that it took to make it so.
macro_rules! scaled {
    ($x:expr, $t:ident) => {{
        let subnormal = $x.abs() < $t::MIN_POSITIVE;
        let power = (1u64 << $t::MANTISSA_DIGITS) as $t;
        if subnormal { ($x * power, $t::MANTISSA_DIGITS) } else { ($x, 0) }
    }};
}
/// `2^n` for the exponents of normal floats.
macro_rules! power_of_two {
    ($n:expr, $t:ident, $bits:ident) => {
        $t::from_bits((($n + $t::MAX_EXP - 1) as $bits) << ($t::MANTISSA_DIGITS - 1))
    };
}
macro_rules! float_parts {
    ($($t:ident $bits:ident $signed:ident;)*) => { $(
        impl FloatParts for $t {
            #[inline]
            fn next_toward(self, b: $t) -> $t {
                let away = (self < b) == (self > 0.0);
                let bits = self.to_bits();
                let next = $t::from_bits(if away { bits.wrapping_add(1) } else { bits.wrapping_sub(1) });
                let next = if self == 0.0 { $t::from_bits(1).copysign(b) } else { next };
                let next = if self == b { b } else { next };
                if self.is_nan() || b.is_nan() { self + b } else { next }
            }

            #[inline]
            fn spacing(self) -> $t {
                let next = $t::from_bits(self.to_bits().wrapping_add(1));
                let own = if self == 0.0 { $t::from_bits(1) } else { next - self };
                if self.is_finite() { own } else { $t::NAN }
            }

            #[inline]
            fn fraction(self) -> $t {
                let (scaled, _) = scaled!(self, $t);
                // All bits of the exponent are those of infinity.
                let digits = scaled.to_bits() & !$t::INFINITY.to_bits();
                let half: $t = 0.5;
                let fraction = $t::from_bits(digits | half.to_bits());
                if self == 0.0 || !self.is_finite() { self } else { fraction }
            }

            #[inline]
            fn exponent(self) -> $t {
                let (scaled, by) = scaled!(self, $t);
                let biased = (scaled.abs().to_bits() >> ($t::MANTISSA_DIGITS - 1)) as $signed;
                let exponent = (biased - ($t::MAX_EXP - 2) as $signed - by as $signed) as $t;
                if self == 0.0 || !self.is_finite() { 0.0 } else { exponent }
            }

            /// Scaled down in steps that keep all digits: where a step is subnormal, what is left takes it to zero.
            #[inline]
            fn times_power_of_two(self, n: $t) -> $t {
                const MOST: i32 = $t::MAX_EXP - 1;
                const LEAST: i32 = $t::MIN_EXP - 1;
                const DOWN: i32 = LEAST + $t::MANTISSA_DIGITS as i32;
                let limit = 3.0 * $t::MAX_EXP as $t - 100.0;
                let mut left = n.clamp(-limit, limit) as i32;
                let mut x = self;
                for _ in 0..2 {
                    let step = if left > MOST { MOST } else if left < LEAST { DOWN } else { 0 };
                    x *= power_of_two!(step, $t, $bits);
                    left -= step;
                }
                x *= power_of_two!(left.clamp(LEAST, MOST), $t, $bits);
                if n.is_nan() { n } else { x }
            }

            /// Abramowitz and Stegun, 9.6.12: the sum of `(x^2 / 4)^k / k!^2`, whose terms are positive. Beyond 20, 9.7.1:
            /// `e^x / sqrt(2 pi x)` times the sum of the products of `(2 k - 1)^2 / (8 k x)`.
            #[inline]
            fn bessel_i0(self) -> $t {
                let x = self.abs();
                if x < 20.0 || x.is_nan() {
                    let y = x * x / 4.0;
                    let term = |sum: $t, k: u32| 1.0 + y / (k * k) as $t * sum;
                    return (1..=SERIES_TERMS).rev().fold(1.0, term);
                }
                if x.is_infinite() { return x; }
                let term = |sum: $t, k: u32| 1.0 + ((2 * k - 1) * (2 * k - 1)) as $t / ((8 * k) as $t * x) * sum;
                let sum = (1..=ASYMPTOTIC_TERMS).rev().fold(1.0, term);
                // Half of the exponent at a time: the product fits where the power alone would not.
                let root = chunkwise_math::exp(x / 2.0);
                root * (sum / (2.0 * std::$t::consts::PI * x).sqrt()) * root
            }
        }
    )* };
}

float_parts! {
    f32 u32 i32;
    f64 u64 i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const TINY: f64 = f64::from_bits(1);

    #[test]
    fn neighbours_are_numpys() {
        assert_eq!((1.0f64.next_toward(INF), 0.0f64.next_toward(-1.0)), (1.0 + f64::EPSILON, -TINY));
        assert_eq!((TINY.next_toward(-1.0), f64::MAX.next_toward(INF)), (0.0, INF));
        assert_eq!((INF.next_toward(0.0), (-1.0f32).next_toward(0.0)), (f64::MAX, -1.0 + f32::EPSILON / 2.0));
        assert!(0.0f64.next_toward(-0.0).is_sign_negative() && 1.0f64.next_toward(f64::NAN).is_nan());
        assert_eq!(((-1.0f64).spacing(), f64::MAX.spacing()), (-f64::EPSILON, INF));
        assert_eq!(((-0.0f64).spacing(), (-TINY).spacing()), (TINY, -TINY));
        assert!(INF.spacing().is_nan() && f64::NAN.spacing().is_nan());
    }

    #[test]
    fn fraction_and_exponent_make_the_float_again() {
        for x in [1.0, -3.0, TINY, f64::MAX, f64::MIN_POSITIVE, 0.1, 1e-310] {
            assert_eq!(x.fraction().times_power_of_two(x.exponent()), x);
            assert!((0.5..1.0).contains(&x.fraction().abs()));
        }
        assert_eq!(
            (TINY.exponent(), f32::from_bits(1).exponent(), 0.0f64.exponent()),
            (-1073.0, -148.0, 0.0)
        );
        assert_eq!(
            (INF.fraction(), INF.exponent(), (-0.0f64).fraction().is_sign_negative()),
            (INF, 0.0, true)
        );
    }

    #[test]
    fn powers_of_two_are_rounded_once() {
        assert_eq!(
            (3.0f64.times_power_of_two(-1075.0), 1.0f64.times_power_of_two(-1075.0)),
            (2.0 * TINY, 0.0)
        );
        assert_eq!(
            (1.0f64.times_power_of_two(2000.0), TINY.times_power_of_two(2097.0)),
            (INF, 2f64.powi(1023))
        );
        assert_eq!((f64::MAX.times_power_of_two(-3000.0), 1.5f64.times_power_of_two(1.9)), (0.0, 3.0));
        assert_eq!(f32::MAX.times_power_of_two(-276.0), 2f32.powi(-148));
        // Exactly half of the smallest one and a little more, which the first of two roundings would lose.
        let x = 1.0 + f64::EPSILON;
        assert_eq!((x.times_power_of_two(-1075.0), INF.times_power_of_two(-INF)), (TINY, INF));
    }

    #[test]
    fn bessel_function_is_that_of_the_tables() {
        let known = [
            (0.0_f64, 1.0_f64),
            (1.0, 1.2660658777520084),
            (10.0, 2815.716628466254),
            (700.0, 1.5295933476718743e302),
        ];
        for (x, want) in known {
            assert!((x.bessel_i0() - want).abs() <= 4e-15 * want, "{x}: {} {want}", x.bessel_i0());
        }
        let (below, above): (f64, f64) = (20.0f64.next_toward(0.0).bessel_i0(), 20.0f64.bessel_i0());
        assert!((below / above - 1.0).abs() < 1e-14, "{below} {above}");
        assert_eq!((INF.bessel_i0(), (-INF).bessel_i0()), (INF, INF));
    }
}
