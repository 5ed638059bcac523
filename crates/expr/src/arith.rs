//! Arithmetic of single elements with NumPy's values: what the rows of the operation tables are made of.
//!
//! Integers wrap. The divisions of integers give 0 for a divisor of zero; the tables turn that case into an
//! error. Everything is `#[inline]` and free of branches where it can be, so that loops over it vectorise.

use chunkwise_chunk::{Number, Ordered, Real};

use crate::divide::Divide;

/// Arithmetic that is defined for every pair of values.
///
/// ```
/// use chunkwise_chunk::Complex;
/// use chunkwise_expr::Arith;
/// assert_eq!(200u8.plus(100), 44);
/// assert_eq!(Complex::new(3.0, 4.0).magnitude(), 5.0);
/// ```
pub trait Arith: Number {
    /// `self + b`.
    fn plus(self, b: Self) -> Self;
    /// `self - b`.
    fn minus(self, b: Self) -> Self;
    /// `self * b`.
    fn times(self, b: Self) -> Self;
    /// `self / b`; integers truncate.
    fn quotient(self, b: Self) -> Self;
    /// `self` to the power of `b`.
    fn power(self, b: Self) -> Self;
    /// `-self`.
    fn negate(self) -> Self;
    /// Absolute value.
    fn magnitude(self) -> Self::Real;
    /// -1, 0 or 1; NaN for NaN. Of complex numbers `self / |self|`.
    fn sign(self) -> Self;
    /// True for an integer zero: what must not divide.
    fn is_integer_zero(self) -> bool;
    /// True for a negative integer: what must not be an exponent.
    fn is_negative_integer(self) -> bool;
}

/// Arithmetic that rests on an order.
///
/// ```
/// use chunkwise_expr::RealArith;
/// assert_eq!((-7i32).modulo(2), 1);
/// assert_eq!(1.0f64.floor_quotient(0.1), 9.0);
/// ```
pub trait RealArith: Arith + Real {
    /// What truncating division leaves: the sign is that of `self`.
    fn remainder(self, b: Self) -> Self;
    /// `self / b` rounded down.
    fn floor_quotient(self, b: Self) -> Self;
    /// What floored division leaves: the sign is that of `b`.
    fn modulo(self, b: Self) -> Self;
    /// `ln(e^self + e^b)`; integers are never asked and give their maximum.
    fn ln_add_exp(self, b: Self) -> Self;
}

/// Order of elements, bool included, with NaN as NumPy treats it.
///
/// ```
/// use chunkwise_expr::Order;
/// assert!(f64::NAN.maximum(1.0).is_nan());
/// assert_eq!(f64::NAN.fmax(1.0), 1.0);
/// ```
pub trait Order: Ordered {
    /// True for NaN.
    fn unordered(self) -> bool;

    /// True for anything but zero and `false`; NaN is true.
    fn truth(self) -> bool;

    /// The larger one; NaN when either is NaN.
    #[inline]
    fn maximum(self, b: Self) -> Self {
        if self >= b || self.unordered() { self } else { b }
    }

    /// The smaller one; NaN when either is NaN.
    #[inline]
    fn minimum(self, b: Self) -> Self {
        if self <= b || self.unordered() { self } else { b }
    }

    /// The larger one; the other one when one is NaN.
    #[inline]
    fn fmax(self, b: Self) -> Self {
        if self >= b || b.unordered() { self } else { b }
    }

    /// The smaller one; the other one when one is NaN.
    #[inline]
    fn fmin(self, b: Self) -> Self {
        if self <= b || b.unordered() { self } else { b }
    }
}

macro_rules! integer_arith {
    ($($t:ty)*) => { $(
        impl Arith for $t {
            #[inline]
            fn plus(self, b: $t) -> $t { self.wrapping_add(b) }
            #[inline]
            fn minus(self, b: $t) -> $t { self.wrapping_sub(b) }
            #[inline]
            fn times(self, b: $t) -> $t { self.wrapping_mul(b) }
            #[inline]
            fn quotient(self, b: $t) -> $t { self.truncated(b).0 }
            #[inline]
            fn power(self, b: $t) -> $t {
                let (mut base, mut left, mut product) = (self, b, 1 as $t);
                while left > 0 {
                    if left & 1 == 1 { product = product.wrapping_mul(base); }
                    base = base.wrapping_mul(base);
                    left >>= 1;
                }
                product
            }
            #[inline]
            fn negate(self) -> $t { self.wrapping_neg() }
            #[inline]
            #[allow(unused_comparisons)]
            fn magnitude(self) -> $t { if self < 0 { self.wrapping_neg() } else { self } }
            #[inline]
            fn sign(self) -> $t { ((self > 0) as $t).wrapping_sub((self != 0 && !(self > 0)) as $t) }
            #[inline]
            fn is_integer_zero(self) -> bool { self == 0 }
            #[inline]
            #[allow(unused_comparisons)]
            fn is_negative_integer(self) -> bool { self < 0 }
        }
        impl RealArith for $t {
            #[inline]
            fn remainder(self, b: $t) -> $t { self.truncated(b).1 }
            #[inline]
            fn floor_quotient(self, b: $t) -> $t { self.floored(b).0 }
            #[inline]
            fn modulo(self, b: $t) -> $t { self.floored(b).1 }
            #[inline]
            fn ln_add_exp(self, _: $t) -> $t { <$t>::MAX }
        }
        impl Order for $t {
            #[inline]
            fn unordered(self) -> bool { false }
            #[inline]
            fn truth(self) -> bool { self != 0 }
        }
    )* };
}
integer_arith!(i8 i16 i32 i64 u8 u16 u32 u64);

macro_rules! float_arith {
    ($($t:ident)*) => { $(
        impl Arith for $t {
            #[inline]
            fn plus(self, b: $t) -> $t { self + b }
            #[inline]
            fn minus(self, b: $t) -> $t { self - b }
            #[inline]
            fn times(self, b: $t) -> $t { self * b }
            #[inline]
            fn quotient(self, b: $t) -> $t { self / b }
            #[inline]
            fn power(self, b: $t) -> $t { chunkwise_math::pow(self, b) }
            #[inline]
            fn negate(self) -> $t { -self }
            #[inline]
            fn magnitude(self) -> $t { self.abs() }
            #[inline]
            fn sign(self) -> $t {
                if self.is_nan() { return self; }
                f32::from((self > 0.0) as i8 - (self < 0.0) as i8) as $t
            }
            #[inline]
            fn is_integer_zero(self) -> bool { false }
            #[inline]
            fn is_negative_integer(self) -> bool { false }
        }
        impl RealArith for $t {
            #[inline]
            fn remainder(self, b: $t) -> $t { self % b }
            #[inline]
            fn floor_quotient(self, b: $t) -> $t {
                if b == 0.0 { return self / b; }
                let r = self % b;
                let q = (self - r) / b;
                let q = if r != 0.0 && (b < 0.0) != (r < 0.0) { q - 1.0 } else { q };
                if q == 0.0 { return (0.0 as $t).copysign(self / b); }
                let down = q.floor();
                if q - down > 0.5 { down + 1.0 } else { down }
            }
            #[inline]
            fn modulo(self, b: $t) -> $t {
                let r = self % b;
                if r == 0.0 { return (0.0 as $t).copysign(b); }
                if (b < 0.0) != (r < 0.0) { r + b } else { r }
            }
            #[inline]
            fn ln_add_exp(self, b: $t) -> $t {
                if self == b { return self + std::$t::consts::LN_2; }
                let d = self - b;
                if d > 0.0 { return self + (-d).exp().ln_1p(); }
                if d <= 0.0 { b + d.exp().ln_1p() } else { d }
            }
        }
        impl Order for $t {
            #[inline]
            fn unordered(self) -> bool { self.is_nan() }
            #[inline]
            fn truth(self) -> bool { self != 0.0 }
        }
    )* };
}
float_arith!(f32 f64);

impl Order for bool {
    #[inline]
    fn unordered(self) -> bool {
        false
    }

    #[inline]
    fn truth(self) -> bool {
        self
    }
}

/// Conversions between element types: `as` of Rust, and not-zero for bool.
mod convert {
    use chunkwise_chunk::Complex;

    use super::Order;

    pub trait To<U> {
        fn to(self) -> U;
    }

    macro_rules! numbers {
        ($($t:ident)*) => { $(
            numbers!(@from $t: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64);
            numbers!(@parts $t: f32 f64);
            impl To<bool> for $t {
                #[inline]
                fn to(self) -> bool { self.truth() }
            }
            impl To<$t> for bool {
                #[inline]
                fn to(self) -> $t { u8::from(self) as $t }
            }
        )* };
        (@from $t:ident: $($u:ident)*) => { $(
            impl To<$u> for $t {
                #[inline]
                fn to(self) -> $u { self as $u }
            }
        )* };
        (@parts $t:ident: $($f:ident)*) => { $(
            impl To<Complex<$f>> for $t {
                #[inline]
                fn to(self) -> Complex<$f> { Complex::new(self as $f, 0.0) }
            }
            impl To<$t> for Complex<$f> {
                #[inline]
                fn to(self) -> $t { self.re as $t }
            }
        )* };
    }
    numbers!(i8 i16 i32 i64 u8 u16 u32 u64 f32 f64);

    macro_rules! complex {
        ($($f:ident: $($g:ident)*;)*) => { $(
            impl To<Complex<$f>> for bool {
                #[inline]
                fn to(self) -> Complex<$f> { Complex::new(self.to(), 0.0) }
            }
            impl To<bool> for Complex<$f> {
                #[inline]
                fn to(self) -> bool { self.re != 0.0 || self.im != 0.0 }
            }
            $(impl To<Complex<$g>> for Complex<$f> {
                #[inline]
                fn to(self) -> Complex<$g> { Complex::new(self.re as $g, self.im as $g) }
            })*
        )* };
    }
    complex! {
        f32: f32 f64;
        f64: f32 f64;
    }

    impl To<bool> for bool {
        #[inline]
        fn to(self) -> bool {
            self
        }
    }
}

/// Converts one element: floats to integers truncate and saturate with NaN as 0, integers to integers wrap,
/// anything to bool is "not zero" with NaN as true. Complex numbers to real ones are their real parts, a conversion that
/// no expression has: [`ElementOp::Cast`](crate::ElementOp::Cast) does not take it.
///
/// ```
/// use chunkwise_expr::cast;
/// assert_eq!(cast::<f64, i32>(-1.9), -1);
/// assert_eq!(cast::<i64, u8>(300), 44);
/// assert_eq!(cast::<f64, bool>(f64::NAN), true);
/// ```
#[inline]
pub fn cast<T: convert::To<U>, U>(x: T) -> U {
    x.to()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_and_round_as_numpy() {
        assert_eq!((7i64.floor_quotient(-2), (-7i64).floor_quotient(2)), (-4, -4));
        assert_eq!((7i64.modulo(-2), (-7i64).modulo(2), (-7i64).remainder(2)), (-1, 1, -1));
        assert_eq!((i64::MIN.quotient(-1), i64::MIN.remainder(-1)), (i64::MIN, 0));
        assert_eq!((2i8.power(7), 2u8.power(8), 0i32.power(0)), (-128, 0, 1));
        assert_eq!(((-3i32).sign(), 0i32.sign(), 9u8.sign()), (-1, 0, 1));
        assert_eq!((250u8.modulo(7), 250u8.floor_quotient(7)), (5, 35));
    }

    #[test]
    fn float_modulo_has_the_sign_of_the_divisor() {
        assert_eq!(1.0f64.modulo(0.1), 0.09999999999999995);
        assert_eq!((-1.0f64).modulo(f64::INFINITY), f64::INFINITY);
        assert!(6.0f64.modulo(-2.0).is_sign_negative());
        assert!(1.0f64.modulo(0.0).is_nan());
    }
}
