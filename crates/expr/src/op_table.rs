//! The elementwise operations: one row each, and everything else follows.
//!
//! A row reads
//!
//! ```text
//! /// Documentation of the method.
//! Variant name: Class -> Out, |x| meaning, form, eg input => result;
//! ```
//!
//! * `Class` is the trait of the element types it takes: `Element`, `Ordered`, `Number`, `Real`, `Signed`, `Inexact`,
//!   `Float`, `Bits`, `Integer`.
//! * `Out` is `Same`, `Bool`, `Real` (the parts of complex numbers, else the same) or `Complex` (of such parts).
//! * the meaning is a Rust expression over values of the concrete type, with [`crate::Arith`], [`crate::RealArith`],
//!   [`crate::Order`] and [`crate::Parts`] in scope.
//! * `form` is `method`, or `operator` where Rust has an operator, or the API a function, that is the way to write it;
//!   `via F` after it names the function of `chunkwise_math` whose vector form computes the meaning of floats, to the
//!   bit.
//! * the example becomes the doc test of the method.
//!
//! Binary rows have a second expression after `faults`: where it is true the result is an error.

/// Calls `$reader!` with one row per unary elementwise operation; see the source for the row's form.
#[macro_export]
macro_rules! for_each_unary {
    ($reader:ident) => {
        $reader! {
            /// Negative of each element; integers wrap.
            Neg neg: Signed -> Same, |x| Arith::negate(x), operator, eg 1.5 => -1.5;
            /// Logical not of booleans, bitwise not of integers.
            Not not: Bits -> Same, |x| !x, operator, eg true => false;
            /// Absolute value of each element, of complex numbers a real one; the smallest signed integer wraps to itself.
            Abs abs: Number -> Real, |x| Arith::magnitude(x), method, eg -1.5 => 1.5;
            /// Sign of each element as NumPy has it: -1, 0 or 1, and NaN for NaN; of complex numbers `x / abs(x)`.
            Sign sign: Number -> Same, |x| Arith::sign(x), method, eg -3.0 => -1.0;
            /// Sign of each element as Rust's standard library has it: `0.0` gives 1, `-0.0` gives -1.
            Signum signum: Float -> Same, |x| x.signum(), method, eg 0.0 => 1.0;
            /// `x * x`; integers wrap.
            Square square: Number -> Same, |x| Arith::times(x, x), method, eg 3.0 => 9.0;
            /// `1 / x`; NaN of a complex zero.
            Recip recip: Inexact -> Same, |x| Parts::reciprocal(x), method, eg 4.0 => 0.25;
            /// Square root; NaN below zero. Of complex numbers the one with a real part that is not negative; the branch
            /// cut is the negative real axis.
            Sqrt sqrt: Inexact -> Same, |x| $crate::math::sqrt(x), method via Sqrt, eg 4.0 => 2.0;
            /// Cubic root.
            Cbrt cbrt: Float -> Same, |x| $crate::math::cbrt(x), method via Cbrt, eg 27.0 => 3.0;
            /// `e^x`.
            Exp exp: Inexact -> Same, |x| $crate::math::exp(x), method via Exp, eg 0.0 => 1.0;
            /// `2^x`.
            Exp2 exp2: Inexact -> Same, |x| $crate::math::exp2(x), method via Exp2, eg 3.0 => 8.0;
            /// `e^x - 1`, exact for small `x`.
            ExpM1 exp_m1: Inexact -> Same, |x| $crate::math::exp_m1(x), method via ExpM1, eg 0.0 => 0.0;
            /// Natural logarithm. Of complex numbers the one with an imaginary part in `[-pi, pi]`; the branch cut is the
            /// negative real axis.
            Ln ln: Inexact -> Same, |x| $crate::math::ln(x), method via Ln, eg 1.0 => 0.0;
            /// Logarithm to base 2; of complex numbers with the branch cut of `ln`.
            Log2 log2: Inexact -> Same, |x| $crate::math::log2(x), method via Log2, eg 8.0 => 3.0;
            /// Logarithm to base 10; of complex numbers with the branch cut of `ln`.
            Log10 log10: Inexact -> Same, |x| $crate::math::log10(x), method via Log10, eg 100.0 => 2.0;
            /// `ln(1 + x)`, exact for small `x`; the branch cut of complex numbers is the real axis below -1.
            Ln1p ln_1p: Inexact -> Same, |x| $crate::math::ln_1p(x), method via Ln1p, eg 0.0 => 0.0;
            /// Sine of an angle in radians.
            Sin sin: Inexact -> Same, |x| $crate::math::sin(x), method via Sin, eg 0.0 => 0.0;
            /// Cosine of an angle in radians.
            Cos cos: Inexact -> Same, |x| $crate::math::cos(x), method via Cos, eg 0.0 => 1.0;
            /// Tangent of an angle in radians.
            Tan tan: Inexact -> Same, |x| $crate::math::tan(x), method via Tan, eg 0.0 => 0.0;
            /// Arcsine in radians; NaN of real numbers outside [-1, 1], the branch cuts of complex ones.
            Asin asin: Inexact -> Same, |x| $crate::math::asin(x), method via Asin, eg 0.0 => 0.0;
            /// Arccosine in radians; NaN of real numbers outside [-1, 1], the branch cuts of complex ones.
            Acos acos: Inexact -> Same, |x| $crate::math::acos(x), method via Acos, eg 1.0 => 0.0;
            /// Arctangent in radians; the branch cuts of complex numbers are the imaginary axis outside [-i, i].
            Atan atan: Inexact -> Same, |x| $crate::math::atan(x), method via Atan, eg 0.0 => 0.0;
            /// Hyperbolic sine.
            Sinh sinh: Inexact -> Same, |x| $crate::math::sinh(x), method via Sinh, eg 0.0 => 0.0;
            /// Hyperbolic cosine.
            Cosh cosh: Inexact -> Same, |x| $crate::math::cosh(x), method via Cosh, eg 0.0 => 1.0;
            /// Hyperbolic tangent.
            Tanh tanh: Inexact -> Same, |x| $crate::math::tanh(x), method via Tanh, eg 0.0 => 0.0;
            /// Inverse hyperbolic sine; the branch cuts of complex numbers are the imaginary axis outside [-i, i].
            Asinh asinh: Inexact -> Same, |x| $crate::math::asinh(x), method via Asinh, eg 0.0 => 0.0;
            /// Inverse hyperbolic cosine; NaN of real numbers below 1, the branch cut of complex ones.
            Acosh acosh: Inexact -> Same, |x| $crate::math::acosh(x), method via Acosh, eg 1.0 => 0.0;
            /// Inverse hyperbolic tangent; NaN of real numbers outside [-1, 1], the branch cuts of complex ones.
            Atanh atanh: Inexact -> Same, |x| $crate::math::atanh(x), method via Atanh, eg 0.0 => 0.0;
            /// Error function, `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x`.
            Erf erf: Float -> Same, |x| $crate::math::erf(x), method via Erf, eg 0.0 => 0.0;
            /// Largest integer not above each element.
            Floor floor: Float -> Same, |x| x.floor(), method, eg -1.5 => -2.0;
            /// Smallest integer not below each element.
            Ceil ceil: Float -> Same, |x| x.ceil(), method, eg -1.5 => -1.0;
            /// Integer part.
            Trunc trunc: Float -> Same, |x| x.trunc(), method, eg -1.5 => -1.0;
            /// Nearest integer, halves away from zero, as Rust and ndarray round.
            Round round: Float -> Same, |x| x.round(), method, eg 2.5 => 3.0;
            /// Nearest integer, halves to even, as NumPy rounds.
            RoundTiesEven round_ties_even: Float -> Same, |x| x.round_ties_even(), method, eg 2.5 => 2.0;
            /// Fractional part, with the sign of the element.
            Fract fract: Float -> Same, |x| x.fract(), method, eg -1.25 => -0.25;
            /// Radians to degrees.
            ToDegrees to_degrees: Float -> Same, |x| x.to_degrees(), method, eg std::f64::consts::PI => 180.0;
            /// Degrees to radians.
            ToRadians to_radians: Float -> Same, |x| x.to_radians(), method, eg 180.0 => std::f64::consts::PI;
            /// NaN as zero, infinities as the largest finite values.
            NanToNum nan_to_num: Inexact -> Same, |x| Parts::finite(x), method, eg f64::NAN => 0.0;
            /// True where the element, or a part of it, is NaN.
            IsNan is_nan: Inexact -> Bool, |x| Parts::has_nan(x), method, eg f64::NAN => true;
            /// True where the element, or a part of it, is an infinity.
            IsInfinite is_infinite: Inexact -> Bool, |x| Parts::has_infinity(x), method, eg f64::NAN => false;
            /// True where the element, and every part of it, is neither an infinity nor NaN.
            IsFinite is_finite: Inexact -> Bool, |x| Parts::all_finite(x), method, eg 1.0 => true;
            /// True where the sign bit is set, as in `-0.0`.
            IsSignNegative is_sign_negative: Float -> Bool, |x| x.is_sign_negative(), method, eg -0.0 => true;
            /// Real part.
            Re re: Inexact -> Real, |x| Parts::re(x), method, eg 1.5 => 1.5;
            /// Imaginary part, 0 of a real number.
            Im im: Inexact -> Real, |x| Parts::im(x), method, eg 1.5 => 0.0;
            /// Complex conjugate, a real number itself.
            Conj conj: Inexact -> Same, |x| Parts::conj(x), method, eg 1.5 => 1.5;
            /// Angle in the complex plane in radians, in `[-pi, pi]`; 0 or pi of a real number, by its sign bit.
            Arg arg: Inexact -> Real, |x| Parts::arg(x), method, eg -1.0 => std::f64::consts::PI;
            /// Square of the absolute value.
            NormSqr norm_sqr: Inexact -> Real, |x| Parts::norm_sqr(x), method, eg -3.0 => 9.0;
            /// The `m` in [0.5, 1) or (-1, -0.5] of `m * 2^e`; zeros, infinities and NaN as they are.
            Mantissa mantissa: Float -> Same, |x| $crate::FloatParts::fraction(x), method, eg 12.0 => 0.75;
            /// The integer `e` of `m * 2^e` with `m` in [0.5, 1) or (-1, -0.5]; 0 for zeros, infinities and NaN.
            Exponent exponent: Float -> Same, |x| $crate::FloatParts::exponent(x), method, eg 12.0 => 4.0;
            /// Distance to the next float away from zero, with the sign of the element; NaN for infinities.
            Spacing spacing: Float -> Same, |x| $crate::FloatParts::spacing(x), method, eg 1.0 => f64::EPSILON;
            /// Modified Bessel function of the first kind and order 0.
            BesselI0 bessel_i0: Float -> Same, |x| $crate::FloatParts::bessel_i0(x), method, eg 0.0 => 1.0;
        }
    };
}

/// Calls `$reader!` with one row per binary elementwise operation; see the source for the row's form.
#[macro_export]
macro_rules! for_each_binary {
    ($reader:ident) => {
        $reader! {
            /// Sum; integers wrap.
            Add add: Number -> Same, |a, b| Arith::plus(a, b), faults false, operator, eg 1.0, 2.0 => 3.0;
            /// Difference; integers wrap.
            Sub sub: Number -> Same, |a, b| Arith::minus(a, b), faults false, operator, eg 1.0, 2.0 => -1.0;
            /// Product; integers wrap.
            Mul mul: Number -> Same, |a, b| Arith::times(a, b), faults false, operator, eg 3.0, 2.0 => 6.0;
            /// Quotient; integers truncate, and dividing an integer by zero is an error.
            Div div: Number -> Same, |a, b| Arith::quotient(a, b), faults Arith::is_integer_zero(b), operator, eg 1.0, 2.0 => 0.5;
            /// Remainder with the sign of the dividend (NumPy's `fmod`); by an integer zero it is an error.
            Rem rem: Real -> Same, |a, b| RealArith::remainder(a, b), faults Arith::is_integer_zero(b), operator, eg -7.0, 3.0 => -1.0;
            /// Logical and of booleans, bitwise and of integers.
            BitAnd bit_and: Bits -> Same, |a, b| a & b, faults false, operator, eg true, false => false;
            /// Logical or of booleans, bitwise or of integers.
            BitOr bit_or: Bits -> Same, |a, b| a | b, faults false, operator, eg true, false => true;
            /// Exclusive or of booleans or of the bits of integers.
            BitXor bit_xor: Bits -> Same, |a, b| a ^ b, faults false, operator, eg true, true => false;
            /// Quotient rounded down (NumPy's `//`); by an integer zero it is an error.
            FloorDiv floor_div: Real -> Same, |a, b| RealArith::floor_quotient(a, b), faults Arith::is_integer_zero(b), method, eg -7.0, 2.0 => -4.0;
            /// Remainder with the sign of the divisor (NumPy's `%`); by an integer zero it is an error.
            Modulo modulo: Real -> Same, |a, b| RealArith::modulo(a, b), faults Arith::is_integer_zero(b), method, eg -7.0, 3.0 => 2.0;
            /// Power; integers wrap, and a negative integer exponent is an error. Complex powers are those of NumPy: whole
            /// exponents up to 100 are products, others `exp(b ln a)`.
            Pow pow: Number -> Same, |a, b| Arith::power(a, b), faults Arith::is_negative_integer(b), method via Pow, eg 2.0, 10.0 => 1024.0;
            /// The larger one; NaN when either is NaN.
            Maximum maximum: Ordered -> Same, |a, b| Order::maximum(a, b), faults false, method, eg 1.0, 2.0 => 2.0;
            /// The smaller one; NaN when either is NaN.
            Minimum minimum: Ordered -> Same, |a, b| Order::minimum(a, b), faults false, method, eg 1.0, 2.0 => 1.0;
            /// The larger one; the other one when one is NaN.
            Fmax fmax: Ordered -> Same, |a, b| Order::fmax(a, b), faults false, method, eg f64::NAN, 2.0 => 2.0;
            /// The smaller one; the other one when one is NaN.
            Fmin fmin: Ordered -> Same, |a, b| Order::fmin(a, b), faults false, method, eg f64::NAN, 2.0 => 2.0;
            /// Angle of the point `(x: other, y: self)` in radians.
            Atan2 atan2: Float -> Same, |a, b| $crate::math::atan2(a, b), faults false, method via Atan2, eg 0.0, 1.0 => 0.0;
            /// Length of the hypotenuse of a right-angled triangle.
            Hypot hypot: Float -> Same, |a, b| $crate::math::hypot(a, b), faults false, method via Hypot, eg 3.0, 4.0 => 5.0;
            /// The first with the sign of the second.
            Copysign copysign: Float -> Same, |a, b| a.copysign(b), faults false, method, eg 2.0, -0.0 => -2.0;
            /// `ln(e^a + e^b)` without overflow.
            LnAddExp ln_add_exp: Float -> Same, |a, b| RealArith::ln_add_exp(a, b), faults false, method, eg f64::NEG_INFINITY, 1.0 => 1.0;
            /// The positive difference, 0 where the second is larger.
            AbsSub abs_sub: Float -> Same, |a, b| if a <= b { Default::default() } else { Arith::minus(a, b) }, faults false, method, eg 3.0, 1.0 => 2.0;
            /// True where the first is less than the second.
            Lt lt: Ordered -> Bool, |a, b| a < b, faults false, method, eg 1.0, 2.0 => true;
            /// True where the first is at most the second.
            Le le: Ordered -> Bool, |a, b| a <= b, faults false, method, eg 2.0, 2.0 => true;
            /// True where the first is greater than the second.
            Gt gt: Ordered -> Bool, |a, b| a > b, faults false, method, eg 1.0, 2.0 => false;
            /// True where the first is at least the second.
            Ge ge: Ordered -> Bool, |a, b| a >= b, faults false, method, eg 2.0, 2.0 => true;
            /// True where both are equal; NaN equals nothing.
            Eq eq: Element -> Bool, |a, b| a == b, faults false, method, eg f64::NAN, f64::NAN => false;
            /// True where they differ; NaN differs from everything.
            Ne ne: Element -> Bool, |a, b| a != b, faults false, method, eg f64::NAN, f64::NAN => true;
            /// The complex number of a real and an imaginary part.
            Complex complex: Float -> Complex, |a, b| Parts::with_im(a, b), faults false, operator, eg 1.0, 2.0 => Complex::new(1.0, 2.0);
            /// Bits moved up; a count that is negative or too large gives 0.
            Shl shl: Integer -> Same, |a, b| $crate::IntegerBits::shifted_left(a, b), faults false, operator, eg 3, 2 => 12;
            /// Bits moved down, the sign repeated; a count that is negative or too large gives 0, or -1 for negative numbers.
            Shr shr: Integer -> Same, |a, b| $crate::IntegerBits::shifted_right(a, b), faults false, operator, eg -8, 1 => -4;
            /// Greatest common divisor, not negative; 0 for two zeros.
            Gcd gcd: Integer -> Same, |a, b| $crate::IntegerBits::divisor(a, b), faults false, method, eg 12, -18 => 6;
            /// Least common multiple, not negative; 0 when either is 0. It wraps.
            Lcm lcm: Integer -> Same, |a, b| $crate::IntegerBits::multiple(a, b), faults false, method, eg 4, -6 => 12;
            /// The first where it is an index of a list with the second as its length, else an error.
            IndexOf index_of: Integer -> Same, |a, b| { let _ = b; a }, faults $crate::IntegerBits::is_outside(a, b), operator, eg 1, 2 => 1;
            /// The next float in the direction of the other one; that one when they are equal.
            NextAfter next_after: Float -> Same, |a, b| $crate::FloatParts::next_toward(a, b), faults false, method, eg 1.0, 2.0 => 1.0 + f64::EPSILON;
            /// `x * 2^n`, rounded once, with `n` truncated to an integer.
            ScaleB scale_b: Float -> Same, |a, b| $crate::FloatParts::times_power_of_two(a, b), faults false, method, eg 0.75, 4.0 => 12.0;
        }
    };
}
