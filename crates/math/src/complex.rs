//! Elementary functions of complex numbers, with the branch cuts and special values of C99, annex G, as NumPy has them.
//!
//! ```text
//! exp    e^x (cos y, sin y)                             tanh   Kahan: t = tan y, s = sinh x, u = 1 + t^2
//! ln     (ln |z|, atan2(y, x))                                 (u sqrt(1 + s^2) s, t) / (1 + u s^2)
//! sqrt   t = sqrt((|x| + |z|) / 2), then y / 2t         sin, cos, tan   of sinh, cosh, tanh at i z
//! sinh   (sinh x cos y, cosh x sin y)                   pow    |a|^Re b e^(-Im b arg a), by its angle
//! exp_m1 ((e^x - 1) cos y - 2 sin^2(y/2), e^x sin y)    ln_1p  (ln(1 + 2x + |z|^2) / 2, atan2(y, 1 + x))
//! ```
//!
//! (Kahan, "Branch cuts for complex elementary functions", 1987.) The parts are computed in f64 by the real functions of
//! this crate in their plain form, so every processor gives the same bits; numbers of f32 are rounded once, at the end.
//! The error is a few units in the last place of each part, where a formula does not cancel: `tan` near a pole and `pow`
//! with a large angle err by a few units of the whole.
//!
//! These are functions with branches, called element by element: they do not vectorise.

use std::f64::consts::{LN_2, LOG2_E, LOG10_E};

use num_complex::Complex;
use num_traits::Float;

use crate::num::{two_prod, two_sum};
use crate::table::{
    Acos, Acosh, Asin, Asinh, Atan, Atan2, Atanh, Cos, Cosh, Exp, Exp2, ExpM1, Hypot, Ln, Ln1p, Log2, Log10,
    Pow, Sin, Sinh, Sqrt, Tan, Tanh,
};
use crate::{Binary, Isa, Plain, Unary};

mod inverse;

use inverse::{acos, acosh, asin, asinh, atan, atanh};

type C = Complex<f64>;

/// From here on `e^x` is computed as the square of `e^(x/2)`, which does not overflow before the product does.
const LARGE: f64 = 700.0;

macro_rules! functions {
    ($($Op:ident $f:ident;)*) => { $(
        impl Unary<Complex<f64>> for $Op {
            type Output = Complex<f64>;
            #[inline(always)]
            fn fast<I: Isa>(z: Complex<f64>) -> Complex<f64> {
                $f(z)
            }
            #[inline(always)]
            fn slow(z: Complex<f64>) -> Complex<f64> {
                $f(z)
            }
        }

        impl Unary<Complex<f32>> for $Op {
            type Output = Complex<f32>;
            #[inline(always)]
            fn fast<I: Isa>(z: Complex<f32>) -> Complex<f32> {
                narrow($f(wide(z)))
            }
            #[inline(always)]
            fn slow(z: Complex<f32>) -> Complex<f32> {
                narrow($f(wide(z)))
            }
        }
    )* };
}
functions! {
    Exp exp;
    Exp2 exp2;
    ExpM1 exp_m1;
    Ln ln;
    Log2 log2;
    Log10 log10;
    Ln1p ln_1p;
    Sqrt sqrt;
    Sin sin;
    Cos cos;
    Tan tan;
    Asin asin;
    Acos acos;
    Atan atan;
    Sinh sinh;
    Cosh cosh;
    Tanh tanh;
    Asinh asinh;
    Acosh acosh;
    Atanh atanh;
}

impl Binary<Complex<f64>> for Pow {
    #[inline(always)]
    fn fast<I: Isa>(a: Complex<f64>, b: Complex<f64>) -> Complex<f64> {
        pow(a, b)
    }
}

impl Binary<Complex<f32>> for Pow {
    #[inline(always)]
    fn fast<I: Isa>(a: Complex<f32>, b: Complex<f32>) -> Complex<f32> {
        narrow(pow(wide(a), wide(b)))
    }
}

/// The quotient of complex numbers, divided by the larger part of the divisor so that nothing overflows on the way.
///
/// (Smith, "Algorithm 116: Complex division", 1962.) By zero both parts are divided by zero, as in NumPy.
///
/// ```
/// use chunkwise_math::complex_quotient;
/// use num_complex::Complex;
/// assert_eq!(complex_quotient(Complex::new(4.0, 2.0), Complex::new(0.0, 2.0)), Complex::new(1.0, -2.0));
/// ```
#[inline]
pub fn complex_quotient<T: Float>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    if b.re.abs() >= b.im.abs() {
        if b.re == T::zero() && b.im == T::zero() {
            return Complex::new(a.re / b.re.abs(), a.im / b.re.abs());
        }
        let ratio = b.im / b.re;
        let scale = T::one() / (b.re + b.im * ratio);
        return Complex::new((a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale);
    }
    let ratio = b.re / b.im;
    let scale = T::one() / (b.im + b.re * ratio);
    Complex::new((a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale)
}

#[inline(always)]
fn wide(z: Complex<f32>) -> C {
    C::new(z.re.into(), z.im.into())
}

#[inline(always)]
fn narrow(z: C) -> Complex<f32> {
    Complex::new(z.re as f32, z.im as f32)
}

/// The real function in its plain form.
#[inline(always)]
fn real<F: Unary<f64, Output = f64>>(x: f64) -> f64 {
    F::eval::<Plain>(x)
}

fn cis(y: f64) -> C {
    C::new(real::<Cos>(y), real::<Sin>(y))
}

fn exp(z: C) -> C {
    power::<Exp>(z.re, z.im, 0.0)
}

fn exp2(z: C) -> C {
    // ln 2 less its nearest number.
    const REST: f64 = 2.319_046_813_846_299_6e-17;
    let (angle, rest) = two_prod::<Plain>(z.im, LN_2);
    let rest = rest + z.im * REST;
    // An infinity, or an angle so large that the product overflows on the way, and no digit is left.
    power::<Exp2>(z.re, angle, if rest.is_finite() { rest } else { 0.0 })
}

/// `F` of a real number, turned by an angle and a tiny rest of it.
fn power<F: Unary<f64, Output = f64>>(x: f64, angle: f64, rest: f64) -> C {
    if angle == 0.0 {
        return C::new(real::<F>(x), angle);
    }
    if !angle.is_finite() {
        return match x {
            f64::INFINITY => C::new(x, f64::NAN),
            f64::NEG_INFINITY => C::new(0.0, 0.0_f64.copysign(angle)),
            _ => C::new(f64::NAN, f64::NAN),
        };
    }
    let turn = cis(angle);
    power_times::<F>(x, C::new(turn.re - rest * turn.im, turn.im + rest * turn.re))
}

/// `F` of a real number times `w`, which overflows only where the product does.
fn power_times<F: Unary<f64, Output = f64>>(x: f64, w: C) -> C {
    if x < LARGE {
        return w * real::<F>(x);
    }
    let root = real::<F>(x / 2.0);
    w * root * root
}

fn exp_m1(z: C) -> C {
    // Of a number this large either the 1 or the power is below all digits.
    const LARGE: f64 = 40.0;
    let C { re: x, im: y } = z;
    if y == 0.0 {
        return C::new(real::<ExpM1>(x), y);
    }
    let power = exp(z);
    if !y.is_finite() || x.abs() > LARGE {
        return C::new(power.re - 1.0, power.im);
    }
    let half = real::<Sin>(y / 2.0);
    C::new(real::<ExpM1>(x) * real::<Cos>(y) - 2.0 * half * half, power.im)
}

fn ln(z: C) -> C {
    C::new(ln_abs(z), arg(z))
}

fn log2(z: C) -> C {
    C::new(log_abs::<Log2>(z, LOG2_E), arg(z) * LOG2_E)
}

fn log10(z: C) -> C {
    C::new(log_abs::<Log10>(z, LOG10_E), arg(z) * LOG10_E)
}

fn ln_1p(z: C) -> C {
    let next = C::new(1.0 + z.re, z.im);
    let ln =
        if is_near_one(abs(next)) { real::<Ln1p>(squares_and(z, 2.0 * z.re)) / 2.0 } else { ln_abs(next) };
    C::new(ln, arg(next))
}

fn arg(z: C) -> f64 {
    Atan2::fast::<Plain>(z.im, z.re)
}

fn abs(z: C) -> f64 {
    Hypot::fast::<Plain>(z.re, z.im)
}

fn ln_abs(z: C) -> f64 {
    log_abs::<Ln>(z, 1.0)
}

/// The logarithm `F` of `|z|`, with all digits near the unit circle and without overflow; `unit` is that of `e`.
fn log_abs<F: Unary<f64, Output = f64>>(z: C, unit: f64) -> f64 {
    const SCALE: f64 = f64::from_bits((1023 + 600) << 52);
    let shift = 600.0 * LN_2 * unit;
    match abs(z) {
        r if is_near_one(r) => real::<Ln1p>(squares_and(z, -1.0)) / 2.0 * unit,
        r if r > 1.0 / f64::MIN_POSITIVE && z.is_finite() => real::<F>(abs(z / SCALE)) + shift,
        r if r < 1.0 / SCALE && r > 0.0 => real::<F>(abs(z * SCALE)) - shift,
        r => real::<F>(r),
    }
}

/// Where a logarithm is small, and the digits of what is next to 1 are its own.
fn is_near_one(r: f64) -> bool {
    (0.5..2.0).contains(&r)
}

/// `|z|^2 + more` with one rounding or two.
fn squares_and(z: C, more: f64) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (two_prod::<Plain>(z.re, z.re), two_prod::<Plain>(z.im, z.im));
    let (most, least) = if a >= b { (a, b) } else { (b, a) };
    let (sum, rest) = two_sum(most, more);
    let (sum, more) = two_sum(sum, least);
    sum + (rest + more + (a_rest + b_rest))
}

fn sqrt(z: C) -> C {
    let C { re: x, im: y } = z;
    if x == 0.0 && y == 0.0 {
        return C::new(0.0, y);
    }
    if y.is_infinite() {
        return C::new(f64::INFINITY, y);
    }
    if x.is_nan() {
        return C::new(x, x);
    }
    if x.is_infinite() {
        let zero = y * 0.0; // NaN for NaN
        return if x > 0.0 { C::new(x, zero.copysign(y)) } else { C::new(zero.abs(), (-x).copysign(y)) };
    }
    // Powers of four away from overflow and from numbers with few digits.
    const UP: f64 = f64::from_bits((1023 + 108) << 52);
    const ROOT: f64 = f64::from_bits((1023 + 54) << 52);
    match x.abs().max(y.abs()) {
        large if large > f64::MAX / 4.0 => finite_sqrt(z * 0.25) * 2.0,
        small if small < f64::MIN_POSITIVE / f64::EPSILON => finite_sqrt(z * UP) / ROOT,
        _ => finite_sqrt(z),
    }
}

fn finite_sqrt(z: C) -> C {
    let t = ((z.re.abs() + abs(z)) * 0.5).sqrt();
    let other = z.im / (2.0 * t);
    if z.re >= 0.0 { C::new(t, other) } else { C::new(other.abs(), t.copysign(z.im)) }
}

fn sinh(z: C) -> C {
    let C { re: x, im: y } = z;
    if y == 0.0 {
        return C::new(real::<Sinh>(x), y);
    }
    if !y.is_finite() {
        let re = match x {
            0.0 => x,
            x if x.is_infinite() => f64::INFINITY,
            _ => f64::NAN,
        };
        return C::new(re, f64::NAN);
    }
    let turn = cis(y);
    if x == 0.0 {
        return C::new(0.0_f64.copysign(x * turn.re), turn.im);
    }
    if x.abs() < LARGE {
        return C::new(real::<Sinh>(x) * turn.re, real::<Cosh>(x) * turn.im);
    }
    let half = power_times::<Exp>(x.abs(), turn * 0.5);
    C::new(if x < 0.0 { -half.re } else { half.re }, half.im)
}

fn cosh(z: C) -> C {
    let C { re: x, im: y } = z;
    if y == 0.0 {
        let im = if x.is_nan() { y } else { 0.0_f64.copysign(x) * y };
        return C::new(real::<Cosh>(x), im);
    }
    if !y.is_finite() {
        return match x {
            0.0 => C::new(f64::NAN, 0.0),
            x if x.is_infinite() => C::new(f64::INFINITY, f64::NAN),
            _ => C::new(f64::NAN, f64::NAN),
        };
    }
    let turn = cis(y);
    if x == 0.0 {
        return C::new(turn.re, x * turn.im);
    }
    if x.abs() < LARGE {
        return C::new(real::<Cosh>(x) * turn.re, real::<Sinh>(x) * turn.im);
    }
    let half = power_times::<Exp>(x.abs(), turn * 0.5);
    C::new(half.re, if x < 0.0 { -half.im } else { half.im })
}

fn tanh(z: C) -> C {
    let C { re: x, im: y } = z;
    if x.is_nan() {
        return C::new(x, if y == 0.0 { y } else { x });
    }
    if x.is_infinite() {
        let sign = if y.is_finite() { real::<Sin>(y) * real::<Cos>(y) } else { y };
        return C::new(1.0_f64.copysign(x), 0.0_f64.copysign(sign));
    }
    if !y.is_finite() {
        return C::new(if x == 0.0 { x } else { f64::NAN }, f64::NAN);
    }
    if y == 0.0 {
        return C::new(real::<Tanh>(x), y);
    }
    if x.abs() >= 22.0 {
        // 1 - |tanh| is below half a unit; e^-2x may underflow, and only once.
        let small = real::<Exp>(-x.abs());
        let turn = cis(y);
        return C::new(1.0_f64.copysign(x), 4.0 * turn.re * turn.im * small * small);
    }
    let (t, s) = (real::<Tan>(y), real::<Sinh>(x));
    let u = 1.0 + t * t;
    let below = 1.0 + u * s * s;
    C::new(u * (1.0 + s * s).sqrt() * s / below, t / below)
}

fn sin(z: C) -> C {
    let w = sinh(C::new(z.im, z.re));
    C::new(w.im, w.re)
}

fn cos(z: C) -> C {
    cosh(C::new(-z.im, z.re))
}

fn tan(z: C) -> C {
    let w = tanh(C::new(z.im, z.re));
    C::new(w.im, w.re)
}

/// Powers with a whole exponent up to this are products.
const MOST_FACTORS: f64 = 100.0;

fn pow(a: C, b: C) -> C {
    if b.re == 0.0 && b.im == 0.0 {
        return C::new(1.0, 0.0);
    }
    if a.re == 0.0 && a.im == 0.0 {
        return if b.re > 0.0 { C::new(0.0, 0.0) } else { C::new(f64::NAN, f64::NAN) };
    }
    if b.im == 0.0 && b.re.fract() == 0.0 && b.re.abs() <= MOST_FACTORS {
        let power = product(a, b.re.abs() as u32);
        return if b.re > 0.0 { power } else { complex_quotient(C::new(1.0, 0.0), power) };
    }
    let modulus = abs(a);
    if !modulus.is_finite() || !b.is_finite() || modulus < f64::MIN_POSITIVE {
        return exp(b * ln(a));
    }
    let angle = arg(a);
    let ln_modulus = if b.im == 0.0 { 0.0 } else { ln_abs(a) };
    let scale = Pow::fast::<Plain>(modulus, b.re);
    cis(b.re * angle + b.im * ln_modulus) * scale * real::<Exp>(-b.im * angle)
}

/// `a^n` for `n > 0`, by squares.
fn product(a: C, n: u32) -> C {
    let (mut power, mut square, mut left) = (None, a, n);
    loop {
        if left & 1 == 1 {
            power = Some(power.map_or(square, |power: C| power * square));
        }
        left >>= 1;
        match power {
            Some(power) if left == 0 => return power,
            _ => square = square * square,
        }
    }
}
