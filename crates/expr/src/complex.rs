//! What floats and complex numbers have in common beside arithmetic: a real and an imaginary part; and the arithmetic of
//! complex numbers with NumPy's values.
//!
//! Products and sums are made of the parts as written; none of the recoveries of infinities that C99 recommends, which
//! NumPy does not do either. Elementary functions are those of `chunkwise_math`.

use chunkwise_chunk::{Complex, Inexact};
use chunkwise_math::{Atan2, Binary, Hypot, Plain, complex_quotient};

use crate::Arith;

/// A real number, whose imaginary part is 0, or a complex one.
///
/// ```
/// use chunkwise_chunk::Complex;
/// use chunkwise_expr::Parts;
/// assert_eq!((Complex::new(1.0, 2.0).im(), 3.0.im()), (2.0, 0.0));
/// assert_eq!(Complex::new(1.0, 2.0).norm_sqr(), 5.0);
/// ```
pub trait Parts: Inexact {
    /// The complex numbers with these parts.
    type Complex;
    /// Real part.
    fn re(self) -> Self::Real;
    /// Imaginary part.
    fn im(self) -> Self::Real;
    /// The complex number of the real part and another imaginary one.
    fn with_im(self, im: Self::Real) -> Self::Complex;
    /// The number with the negative imaginary part.
    fn conj(self) -> Self;
    /// Angle in the complex plane, in `[-pi, pi]`.
    fn arg(self) -> Self::Real;
    /// Square of the absolute value.
    fn norm_sqr(self) -> Self::Real;
    /// `1 / self`.
    fn reciprocal(self) -> Self;
    /// Parts that are NaN as zero, infinite ones as the largest finite values.
    fn finite(self) -> Self;
    /// True when a part is NaN.
    fn has_nan(self) -> bool;
    /// True when a part is infinite.
    fn has_infinity(self) -> bool;
    /// True when no part is NaN or infinite.
    fn all_finite(self) -> bool;
}

macro_rules! parts {
    ($($t:ident)*) => { $(
        impl Parts for $t {
            type Complex = Complex<$t>;
            #[inline]
            fn re(self) -> $t { self }
            #[inline]
            fn im(self) -> $t { 0.0 }
            #[inline]
            fn with_im(self, im: $t) -> Complex<$t> { Complex::new(self, im) }
            #[inline]
            fn conj(self) -> $t { self }
            #[inline]
            fn arg(self) -> $t {
                if self.is_nan() { return self; }
                if self.is_sign_negative() { std::$t::consts::PI } else { 0.0 }
            }
            #[inline]
            fn norm_sqr(self) -> $t { self * self }
            #[inline]
            fn reciprocal(self) -> $t { self.recip() }
            #[inline]
            fn finite(self) -> $t {
                if self.is_nan() { 0.0 } else { self.clamp($t::MIN, $t::MAX) }
            }
            #[inline]
            fn has_nan(self) -> bool { self.is_nan() }
            #[inline]
            fn has_infinity(self) -> bool { self.is_infinite() }
            #[inline]
            fn all_finite(self) -> bool { self.is_finite() }
        }

        impl Parts for Complex<$t> {
            type Complex = Complex<$t>;
            #[inline]
            fn re(self) -> $t { self.re }
            #[inline]
            fn im(self) -> $t { self.im }
            #[inline]
            fn with_im(self, im: $t) -> Complex<$t> { Complex::new(self.re, im) }
            #[inline]
            fn conj(self) -> Complex<$t> { Complex::new(self.re, -self.im) }
            #[inline]
            fn arg(self) -> $t { <Atan2 as Binary<$t>>::fast::<Plain>(self.im, self.re) }
            #[inline]
            fn norm_sqr(self) -> $t { self.re * self.re + self.im * self.im }
            #[inline]
            fn reciprocal(self) -> Complex<$t> {
                // The quotient without the zero of the dividend, which would take the sign of a zero part.
                if self.im.abs() <= self.re.abs() {
                    let ratio = self.im / self.re;
                    let below = self.re + self.im * ratio;
                    return Complex::new(1.0 / below, -ratio / below);
                }
                let ratio = self.re / self.im;
                let below = self.re * ratio + self.im;
                Complex::new(ratio / below, -1.0 / below)
            }
            #[inline]
            fn finite(self) -> Complex<$t> { Complex::new(self.re.finite(), self.im.finite()) }
            #[inline]
            fn has_nan(self) -> bool { self.re.is_nan() | self.im.is_nan() }
            #[inline]
            fn has_infinity(self) -> bool { self.re.is_infinite() | self.im.is_infinite() }
            #[inline]
            fn all_finite(self) -> bool { self.re.is_finite() & self.im.is_finite() }
        }

        impl Arith for Complex<$t> {
            #[inline]
            fn plus(self, b: Self) -> Self { self + b }
            #[inline]
            fn minus(self, b: Self) -> Self { self - b }
            #[inline]
            fn times(self, b: Self) -> Self { self * b }
            #[inline]
            fn quotient(self, b: Self) -> Self { complex_quotient(self, b) }
            #[inline]
            fn power(self, b: Self) -> Self { chunkwise_math::pow(self, b) }
            #[inline]
            fn negate(self) -> Self { -self }
            #[inline]
            fn magnitude(self) -> $t { <Hypot as Binary<$t>>::fast::<Plain>(self.re, self.im) }
            #[inline]
            fn sign(self) -> Self {
                let magnitude = self.magnitude();
                if magnitude == 0.0 {
                    return Complex::ZERO;
                }
                if magnitude.is_infinite() {
                    // One infinite part decides alone, two leave the angle open.
                    let open = self.re.is_infinite() && self.im.is_infinite();
                    let toward = |x: $t| if x.is_infinite() { x.signum() } else { 0.0 };
                    return if open { Complex::new($t::NAN, $t::NAN) } else { Complex::new(toward(self.re), toward(self.im)) };
                }
                Complex::new(self.re / magnitude, self.im / magnitude)
            }
            #[inline]
            fn is_integer_zero(self) -> bool { false }
            #[inline]
            fn is_negative_integer(self) -> bool { false }
        }
    )* };
}
parts!(f32 f64);

#[cfg(test)]
mod tests {
    use super::*;

    type C = Complex<f64>;

    #[test]
    fn arithmetic_is_that_of_the_parts() {
        let (a, b) = (C::new(1.0, 2.0), C::new(3.0, -1.0));
        assert_eq!(
            (a.plus(b), a.minus(b), a.times(b)),
            (C::new(4.0, 1.0), C::new(-2.0, 3.0), C::new(5.0, 5.0))
        );
        assert_eq!(C::new(4.0, 8.0).quotient(C::new(2.0, 2.0)), C::new(3.0, 1.0));
        assert_eq!((a.negate(), a.power(C::new(2.0, 0.0))), (C::new(-1.0, -2.0), C::new(-3.0, 4.0)));
        assert_eq!(Complex::<f32>::new(3e30, 4e30).magnitude(), 5e30);
    }

    #[test]
    fn reciprocals_keep_the_signs_of_zeros() {
        assert_eq!(Parts::reciprocal(C::new(0.0, 2.0)), C::new(0.0, -0.5));
        assert!(Parts::reciprocal(C::new(-0.0, 2.0)).re.is_sign_negative());
        assert_eq!(Parts::reciprocal(C::new(3.0, 4.0)), C::new(0.12, -0.16));
        assert!(Parts::reciprocal(C::ZERO).has_nan());
    }

    #[test]
    fn signs_are_on_the_unit_circle() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        assert_eq!(C::new(3.0, -4.0).sign(), C::new(0.6, -0.8));
        assert_eq!((C::new(-0.0, 0.0).sign(), C::new(-inf, 1.0).sign()), (C::ZERO, C::new(-1.0, 0.0)));
        assert_eq!(
            (C::new(nan, -inf).sign(), C::new(2.0, inf).sign()),
            (C::new(0.0, -1.0), C::new(0.0, 1.0))
        );
        assert!(C::new(inf, inf).sign().re.is_nan() && C::new(nan, 1.0).sign().im.is_nan());
    }

    #[test]
    fn parts_of_real_numbers_are_complex_numbers_on_the_real_line() {
        assert_eq!(((-2.0f32).re(), (-2.0f32).im(), Parts::conj(-2.0f32)), (-2.0, 0.0, -2.0));
        assert_eq!((Parts::arg(-0.0f64), Parts::arg(2.0f64)), (std::f64::consts::PI, 0.0));
        assert_eq!(Parts::arg(C::new(-0.0, 0.0)), std::f64::consts::PI);
        let z = C::new(f64::NEG_INFINITY, f64::NAN);
        assert!(z.has_nan() && z.has_infinity() && !z.all_finite());
        assert_eq!(Parts::finite(z), C::new(f64::MIN, 0.0));
    }
}
