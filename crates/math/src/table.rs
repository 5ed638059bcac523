//! All functions: name, type, documentation, and where the f64 and f32 forms are.

use crate::function::{binary, unary};
use crate::{
    Binary, Isa, Unary, arc, area, erf as error, exp as exponential, hyperbolic, log, pow as power, root,
    single, trig,
};

/// The type of a function.
macro_rules! operation {
    ($Op:ident, $name:ident, $args:literal) => {
        #[doc = concat!("The function [`", stringify!($name), "()`] as a type, for generic loops.")]
        ///
        /// ```
        #[doc = concat!("use chunkwise_math::{Binary, ", stringify!($Op), ", Plain, Unary};")]
        #[doc = concat!(
                            "assert_eq!(", stringify!($Op), "::fast::<Plain>(", $args, "), chunkwise_math::",
                            stringify!($name), "(", $args, "));"
                        )]
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $Op;
    };
}

/// Functions of one number whose fast form is right everywhere.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $Op:ident = $($f64:ident)::+, $($f32:ident)::+;)*) => {$(
        operation!($Op, $name, "1.0_f32");

        impl Unary<f64> for $Op {
            type Output = f64;
            #[inline(always)]
            fn fast<I: Isa>(x: f64) -> f64 {
                $($f64)::+::<I>(x)
            }
            #[inline(always)]
            fn slow(x: f64) -> f64 {
                $($f64)::+::<crate::Plain>(x)
            }
        }

        impl Unary<f32> for $Op {
            type Output = f32;
            #[inline(always)]
            fn fast<I: Isa>(x: f32) -> f32 {
                $($f32)::+(x)
            }
            #[inline(always)]
            fn slow(x: f32) -> f32 {
                $($f32)::+(x)
            }
        }

        $(#[$doc])*
        #[inline]
        pub fn $name<T: Copy>(x: T) -> T
        where
            $Op: Unary<T, Output = T>,
        {
            unary::<$Op, T>(x)
        }
    )*};
}

/// Functions of angles: large ones go to a slow form.
macro_rules! functions_of_angles {
    ($($(#[$doc:meta])* $name:ident: $Op:ident -> $out:ty = $slow:ident$(.$part:tt)?;)*) => {$(
        operation!($Op, $name, "1.0_f32");

        const _: () = {
            type T = f64;
            impl Unary<T> for $Op {
                type Output = $out;
                #[inline(always)]
                fn fast<I: Isa>(x: T) -> $out {
                    trig::$name::<I>(x)
                }
                #[inline(always)]
                fn is_rare<I: Isa>(x: T) -> bool {
                    trig::is_rare::<I>(x)
                }
                fn slow(x: T) -> $out {
                    trig::$slow(x)$(.$part)?
                }
            }
        };

        const _: () = {
            type T = f32;
            impl Unary<T> for $Op {
                type Output = $out;
                #[inline(always)]
                fn fast<I: Isa>(x: T) -> $out {
                    single::$name(x)
                }
                #[inline(always)]
                fn is_rare<I: Isa>(x: T) -> bool {
                    single::is_rare(x)
                }
                fn slow(x: T) -> $out {
                    single::$slow(x)$(.$part)?
                }
            }
        };

        $(#[$doc])*
        #[inline]
        pub fn $name<T: Copy>(x: T) -> $out
        where
            $Op: Unary<T, Output = $out>,
        {
            unary::<$Op, T>(x)
        }
    )*};
}

/// Functions of two numbers.
macro_rules! functions_of_two {
    ($($(#[$doc:meta])* $name:ident($x:ident, $y:ident): $Op:ident = $($f64:ident)::+, $($f32:ident)::+;)*) => {$(
        operation!($Op, $name, "1.0_f32, 2.0");

        impl Binary<f64> for $Op {
            #[inline(always)]
            fn fast<I: Isa>($x: f64, $y: f64) -> f64 {
                $($f64)::+::<I>($x, $y)
            }
        }

        impl Binary<f32> for $Op {
            #[inline(always)]
            fn fast<I: Isa>($x: f32, $y: f32) -> f32 {
                $($f32)::+($x, $y)
            }
        }

        $(#[$doc])*
        #[inline]
        pub fn $name<T: Copy>($x: T, $y: T) -> T
        where
            $Op: Binary<T>,
        {
            binary::<$Op, T>($x, $y)
        }
    )*};
}

functions! {
    /// The square root, the instruction.
    ///
    /// Special values: Negative numbers give NaN; -0 gives -0.
    ///
    /// Method: IEEE 754-2019, section 5.4.1.
    ///
    /// Error: correctly rounded.
    ///
    /// ```
    /// use chunkwise_math::sqrt;
    /// assert_eq!(sqrt(2.25), 1.5);
    /// ```
    sqrt: Sqrt = root::sqrt, single::sqrt;

    /// The cube root of any number.
    ///
    /// Special values: Zeros and infinities give themselves.
    ///
    /// Method: Newton's iteration with an exact residual.
    ///
    /// Error: at most 0.57 ULP measured with fused operations and without, f32 0.500.
    ///
    /// ```
    /// use chunkwise_math::cbrt;
    /// assert_eq!(cbrt(-27.0_f32), -3.0);
    /// ```
    cbrt: Cbrt = root::cbrt, single::cbrt;

    /// `1 / x`, the instruction.
    ///
    /// Special values: Zeros give infinities of their sign, infinities zeros.
    ///
    /// Method: IEEE 754-2019, section 5.4.1.
    ///
    /// Error: correctly rounded.
    ///
    /// ```
    /// use chunkwise_math::recip;
    /// assert_eq!(recip(-4.0), -0.25);
    /// ```
    recip: Recip = root::recip, single::recip;

    /// `e^x`.
    ///
    /// Special values: Above 709.78 (f32: 88.72) infinity; below -745.13 (f32: -103.97) zero, subnormals before
    /// that.
    ///
    /// Method: Cody and Waite's reduction (1980), a polynomial of degree 12.
    ///
    /// Error: at most 0.88 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::exp;
    /// assert_eq!(exp(1.0_f32), std::f32::consts::E);
    /// ```
    exp: Exp = exponential::exp, single::exp;

    /// `2^x`.
    ///
    /// Special values: Integers give exact powers. From 1024 on (f32: 128) infinity; below -1075 (f32: -150)
    /// zero, subnormals before that.
    ///
    /// Method: As [`exp`], the product with ln 2 kept in two parts.
    ///
    /// Error: at most 0.88 ULP measured with fused operations, 0.90 without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::exp2;
    /// assert_eq!(exp2(-3.0), 0.125);
    /// ```
    exp2: Exp2 = exponential::exp2, single::exp2;

    /// `e^x - 1`, precise near zero.
    ///
    /// Special values: Zeros give themselves, minus infinity -1; overflow as [`exp`].
    ///
    /// Method: As [`exp`], the subtraction made on powers of two.
    ///
    /// Error: at most 1.09 ULP measured with fused operations, 1.07 without, f32 0.503.
    ///
    /// ```
    /// use chunkwise_math::exp_m1;
    /// assert_eq!(exp_m1(1e-20), 1e-20);
    /// ```
    exp_m1: ExpM1 = exponential::exp_m1, single::exp_m1;

    /// The natural logarithm.
    ///
    /// Special values: Zeros give minus infinity, negative numbers NaN, infinity itself; subnormals are right.
    ///
    /// Method: FreeBSD msun `e_log.c`.
    ///
    /// Error: at most 0.77 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::ln;
    /// assert_eq!(ln(10.0_f32), std::f32::consts::LN_10);
    /// ```
    ln: Ln = log::ln, single::ln;

    /// The logarithm to base 2.
    ///
    /// Special values: As [`ln`]; powers of two give integers.
    ///
    /// Method: FreeBSD msun `e_log2.c`.
    ///
    /// Error: at most 0.74 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::log2;
    /// assert_eq!(log2(0.125), -3.0);
    /// ```
    log2: Log2 = log::log2, single::log2;

    /// The logarithm to base 10.
    ///
    /// Special values: As [`ln`].
    ///
    /// Method: FreeBSD msun `e_log10.c`.
    ///
    /// Error: at most 0.73 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::log10;
    /// assert_eq!(log10(1000.0_f32), 3.0);
    /// ```
    log10: Log10 = log::log10, single::log10;

    /// `ln(1 + x)`, precise near zero.
    ///
    /// Special values: Zeros give themselves, -1 minus infinity, smaller numbers NaN.
    ///
    /// Method: FreeBSD msun `s_log1p.c`, the lost part of the sum by two-sum.
    ///
    /// Error: at most 0.79 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::ln_1p;
    /// assert_eq!(ln_1p(1e-20), 1e-20);
    /// ```
    ln_1p: Ln1p = log::ln_1p, single::ln_1p;

    /// The arc sine, in -pi/2..=pi/2.
    ///
    /// Special values: Zeros give themselves, numbers outside -1..=1 NaN.
    ///
    /// Method: FreeBSD msun `e_asin.c`.
    ///
    /// Error: at most 0.64 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::asin;
    /// assert_eq!(asin(1.0_f32), std::f32::consts::FRAC_PI_2);
    /// ```
    asin: Asin = arc::asin, single::asin;

    /// The arc cosine, in 0..=pi.
    ///
    /// Special values: 1 gives 0, numbers outside -1..=1 NaN.
    ///
    /// Method: FreeBSD msun `e_acos.c`.
    ///
    /// Error: at most 0.76 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::acos;
    /// assert_eq!(acos(-1.0_f32), std::f32::consts::PI);
    /// ```
    acos: Acos = arc::acos, single::acos;

    /// The arc tangent, in -pi/2..=pi/2.
    ///
    /// Special values: Zeros give themselves, infinities +-pi/2.
    ///
    /// Method: FreeBSD msun `s_atan.c` in three intervals, with the error of the quotient.
    ///
    /// Error: at most 0.65 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::atan;
    /// assert_eq!(atan(1.0_f32), std::f32::consts::FRAC_PI_4);
    /// ```
    atan: Atan = arc::atan, single::atan;

    /// The hyperbolic sine.
    ///
    /// Special values: Zeros give themselves; infinities of the sign of x beyond 710.48 (f32: 89.42).
    ///
    /// Method: Sums of powers of two and polynomials, without a division.
    ///
    /// Error: at most 0.76 ULP measured with fused operations, 0.83 without, f32 0.504.
    ///
    /// ```
    /// use chunkwise_math::sinh;
    /// assert_eq!(sinh(0.0), 0.0);
    /// ```
    sinh: Sinh = hyperbolic::sinh, single::sinh;

    /// The hyperbolic cosine.
    ///
    /// Special values: Infinity beyond 710.48 (f32: 89.42).
    ///
    /// Method: As [`sinh`].
    ///
    /// Error: at most 0.69 ULP measured with fused operations, 0.71 without, f32 0.502.
    ///
    /// ```
    /// use chunkwise_math::cosh;
    /// assert_eq!(cosh(0.0), 1.0);
    /// ```
    cosh: Cosh = hyperbolic::cosh, single::cosh;

    /// The hyperbolic tangent.
    ///
    /// Special values: Zeros give themselves, infinities +-1.
    ///
    /// Method: As [`sinh`], one division of pairs.
    ///
    /// Error: at most 1.34 ULP measured with fused operations, 1.21 without, f32 0.503.
    ///
    /// ```
    /// use chunkwise_math::tanh;
    /// assert_eq!(tanh(30.0), 1.0);
    /// ```
    tanh: Tanh = hyperbolic::tanh, single::tanh;

    /// The inverse of [`sinh`].
    ///
    /// Special values: Zeros and infinities give themselves.
    ///
    /// Method: Kahan (1987).
    ///
    /// Error: at most 1.15 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::asinh;
    /// assert_eq!(asinh(0.0), 0.0);
    /// ```
    asinh: Asinh = area::asinh, single::asinh;

    /// The inverse of [`cosh`], not negative.
    ///
    /// Special values: 1 gives 0, smaller numbers NaN, infinity itself.
    ///
    /// Method: Kahan (1987), the root as a pair.
    ///
    /// Error: at most 1.03 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::acosh;
    /// assert_eq!(acosh(1.0), 0.0);
    /// ```
    acosh: Acosh = area::acosh, single::acosh;

    /// The inverse of [`tanh`].
    ///
    /// Special values: Zeros give themselves, +-1 infinities, numbers outside NaN.
    ///
    /// Method: Kahan (1987), the quotient as a pair.
    ///
    /// Error: at most 0.78 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::atanh;
    /// assert_eq!(atanh(-1.0), f64::NEG_INFINITY);
    /// ```
    atanh: Atanh = area::atanh, single::atanh;

    /// The error function, `2/sqrt(pi)` times the integral of `e^(-t^2)` over 0..x.
    ///
    /// Special values: Zeros give themselves, infinities +-1.
    ///
    /// Method: A polynomial below 1, beyond it Shepherd and Laframboise's variable (1981).
    ///
    /// Error: at most 1.38 ULP measured with fused operations, 1.54 without, f32 0.502.
    ///
    /// ```
    /// use chunkwise_math::erf;
    /// assert_eq!(erf(7.0), 1.0);
    /// ```
    erf: Erf = error::erf, single::erf;
}

functions_of_angles! {
    /// The sine of any angle.
    ///
    /// Special values: Zeros give themselves, infinities NaN.
    ///
    /// Method: Cody and Waite's reduction (1980), Payne and Hanek's (1983) of large angles, FreeBSD msun's
    /// polynomials.
    ///
    /// Error: at most 0.77 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::sin;
    /// assert_eq!(sin(1e22), -0.8522008497671888);
    /// ```
    sin: Sin -> T = sin_cos_exact.0;

    /// The cosine of any angle.
    ///
    /// Special values: Infinities give NaN.
    ///
    /// Method: Cody and Waite's reduction (1980), Payne and Hanek's (1983) of large angles, FreeBSD msun's
    /// polynomials.
    ///
    /// Error: at most 0.77 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::cos;
    /// assert!((cos(1e22_f64) - 0.523_214_785_395_138_9).abs() < 2e-16);
    /// ```
    cos: Cos -> T = sin_cos_exact.1;

    /// The tangent of any angle.
    ///
    /// Special values: Zeros give themselves, infinities NaN.
    ///
    /// Method: Cody and Waite's reduction (1980), Payne and Hanek's (1983) of large angles, FreeBSD msun's
    /// polynomials.
    ///
    /// Error: at most 0.93 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::tan;
    /// assert!((tan(1e22_f64) + 1.6287782256068988).abs() < 5e-16);
    /// ```
    tan: Tan -> T = tan_exact;

    /// Sine and cosine of any angle by one reduction; the bits of [`sin`] and [`cos`].
    ///
    /// Special values: Those of the two.
    ///
    /// Method: Cody and Waite's reduction (1980), Payne and Hanek's (1983) of large angles, FreeBSD msun's
    /// polynomials.
    ///
    /// Error: that of the two.
    ///
    /// ```
    /// use chunkwise_math::sin_cos;
    /// assert_eq!(sin_cos(0.0), (0.0, 1.0));
    /// ```
    sin_cos: SinCos -> (T, T) = sin_cos_exact;
}

functions_of_two! {
    /// `x^y`.
    ///
    /// Special values: Those of C and IEEE 754: `x^0` and `1^y` are 1 even for NaN, negative numbers have
    /// integral powers only (otherwise NaN), zeros and infinities keep their sign for odd `y`.
    ///
    /// Method: The logarithm and its product with `y` as pairs.
    ///
    /// Error: at most 0.87 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::pow;
    /// assert_eq!(pow(2.0_f32, -2.0), 0.25);
    /// ```
    pow(x, y): Pow = power::pow, single::pow;

    /// `sqrt(x^2 + y^2)` without overflow or underflow in between.
    ///
    /// Special values: An infinity gives infinity even with NaN.
    ///
    /// Method: Borges (2021), the sum as a pair.
    ///
    /// Error: at most 0.52 ULP measured with fused operations and without, f32 0.500.
    ///
    /// ```
    /// use chunkwise_math::hypot;
    /// assert_eq!(hypot(3.0, 4.0), 5.0);
    /// ```
    hypot(x, y): Hypot = root::hypot, single::hypot;

    /// The angle of the point `(x, y)`, in -pi..=pi.
    ///
    /// Special values: Those of C: the signs of zeros count, infinities are at multiples of pi/4.
    ///
    /// Method: As [`atan`], of the smaller over the larger.
    ///
    /// Error: at most 1.35 ULP measured with fused operations and without, f32 0.501.
    ///
    /// ```
    /// use chunkwise_math::atan2;
    /// assert_eq!(atan2(1.0_f32, -1.0), 0.75 * std::f32::consts::PI);
    /// ```
    atan2(y, x): Atan2 = arc::atan2, single::atan2;
}
