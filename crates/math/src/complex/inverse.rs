//! Inverses of the complex sines: of real and imaginary part side by side, with both sides of every branch cut.
//!
//! ```text
//! p = sqrt(1 - z) = a + ib, q = sqrt(1 + z) = c + id
//! asin   (atan(x / Re p q), asinh(Im p* q))         acosh  i acos z or -i acos z, the one on the right
//! acos   (2 atan(a / c), -asinh(Im p* q))           asinh, atan   of asin, atanh at i z
//! atanh  (ln(1 + 4x / ((1 - x)^2 + y^2)) / 4, atan2(2y, (1 - x)(1 + x) - y^2) / 2)
//! ```
//!
//! (Kahan, "Branch cuts for complex elementary functions", 1987.) The signs of `b` and `d` differ, so neither product
//! cancels. `1 - z` is made of the parts: a subtraction of complex numbers would lose the sign of a zero, which says on
//! which side of a cut a number is.

use std::f64::consts::{FRAC_PI_2, LN_2};

use super::{C, abs, ln_abs, real, sqrt};
use crate::table::{Asinh, Atan, Atan2, Ln, Ln1p};
use crate::{Binary, Plain};

/// Beyond this the 1 of `1 - z^2` is below all digits.
const LARGE: f64 = 1e150;

fn atan2(y: f64, x: f64) -> f64 {
    Atan2::fast::<Plain>(y, x)
}

fn is_large(z: C) -> bool {
    z.re.abs() > LARGE || z.im.abs() > LARGE
}

/// The function of a number turned by a quarter, turned back: `-i f(i z)`, with the signs of zeros.
fn turned(f: fn(C) -> C, z: C) -> C {
    let w = f(C::new(z.im, z.re));
    C::new(w.im, w.re)
}

/// `sqrt(1 - z)` and `sqrt(1 + z)`.
fn roots(z: C) -> (C, C) {
    (sqrt(C::new(1.0 - z.re, -z.im)), sqrt(C::new(1.0 + z.re, z.im)))
}

/// The imaginary part of `asin z`, which is that of `acos z` with the other sign.
fn height(p: C, q: C) -> f64 {
    real::<Asinh>(p.re * q.im - p.im * q.re)
}

/// `ln |2 z|` on the side of `z`.
fn far_height(z: C) -> f64 {
    (ln_abs(z) + LN_2).copysign(z.im)
}

pub(super) fn asin(z: C) -> C {
    if is_large(z) {
        return C::new(atan2(z.re, z.im.abs()), far_height(z));
    }
    if z.re == 0.0 && z.im.is_nan() {
        return z;
    }
    let (p, q) = roots(z);
    C::new(real::<Atan>(z.re / (p.re * q.re - p.im * q.im)), height(p, q))
}

pub(super) fn acos(z: C) -> C {
    if is_large(z) {
        return C::new(atan2(z.im.abs(), z.re), -far_height(z));
    }
    if z.re == 0.0 && z.im.is_nan() {
        return C::new(FRAC_PI_2, z.im);
    }
    let (p, q) = roots(z);
    C::new(2.0 * real::<Atan>(p.re / q.re), -height(p, q))
}

pub(super) fn asinh(z: C) -> C {
    turned(asin, z)
}

pub(super) fn acosh(z: C) -> C {
    let w = acos(z);
    C::new(w.im.abs(), w.re.copysign(z.im))
}

pub(super) fn atan(z: C) -> C {
    turned(atanh, z)
}

pub(super) fn atanh(z: C) -> C {
    let (x, y) = (z.re.abs(), z.im.abs());
    let angle = match (is_large(z), y.is_nan()) {
        // An infinity at an unknown height.
        (true, true) => y,
        (true, false) => FRAC_PI_2,
        _ => atan2(2.0 * y, (1.0 - x) * (1.0 + x) - y * y) / 2.0,
    };
    C::new(distance(x, y).copysign(z.re), angle.copysign(z.im))
}

/// The real part of `atanh(x + iy)` where neither is negative.
fn distance(x: f64, y: f64) -> f64 {
    if x.is_infinite() || y.is_infinite() || (x == 0.0 && y.is_nan()) {
        return 0.0;
    }
    if x > LARGE || y > LARGE {
        // x / |z|^2; half of z, since its absolute value may overflow.
        let half = abs(C::new(x / 2.0, y / 2.0));
        return x / 4.0 / half / half;
    }
    if x == 1.0 && y < 1.0 / LARGE {
        // The square of y underflows.
        return (LN_2 - real::<Ln>(y)) / 2.0;
    }
    real::<Ln1p>(4.0 * x / ((1.0 - x) * (1.0 - x) + y * y)) / 4.0
}
