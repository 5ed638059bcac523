//! Numbers of 106 bits: the unrounded sum of two doubles.
//!
//! The algorithms are those of Dekker (1971) and of Hida, Li and Bailey, "Library for double-double and quad-double
//! arithmetic" (2008). Relative errors are a few 2^-105 an operation.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// An unrounded sum, `|low| <= ulp(high) / 2`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Double {
    pub(crate) high: f64,
    pub(crate) low: f64,
}

/// Any two numbers as a `Double`.
pub(crate) fn sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let v = high - a;
    Double { high, low: (a - (high - v)) + (b - v) }
}

/// The exact product of two numbers.
pub(crate) fn product(a: f64, b: f64) -> Double {
    let high = a * b;
    Double { high, low: a.mul_add(b, -high) }
}

impl Double {
    pub(crate) const ZERO: Double = Double { high: 0.0, low: 0.0 };
    pub(crate) const ONE: Double = Double { high: 1.0, low: 0.0 };
    pub(crate) const LN_2: Double = Double { high: std::f64::consts::LN_2, low: 2.319_046_813_846_299_6e-17 };
    pub(crate) const PI_2: Double =
        Double { high: std::f64::consts::FRAC_PI_2, low: 6.123_233_995_736_766e-17 };

    pub(crate) fn sqrt(self) -> Double {
        if self.high <= 0.0 {
            return self;
        }
        let x = self.high.sqrt();
        let rest = self - product(x, x);
        sum(x, rest.high / (2.0 * x))
    }

    /// Times a power of two.
    pub(crate) fn times(self, power: f64) -> Double {
        Double { high: self.high * power, low: self.low * power }
    }
}

impl From<f64> for Double {
    fn from(high: f64) -> Double {
        Double { high, low: 0.0 }
    }
}

impl Neg for Double {
    type Output = Double;
    fn neg(self) -> Double {
        Double { high: -self.high, low: -self.low }
    }
}

impl Add for Double {
    type Output = Double;
    fn add(self, other: Double) -> Double {
        let (s, t) = (sum(self.high, other.high), sum(self.low, other.low));
        let s = sum(s.high, s.low + t.high);
        sum(s.high, s.low + t.low)
    }
}

impl Sub for Double {
    type Output = Double;
    fn sub(self, other: Double) -> Double {
        self + -other
    }
}

impl Mul for Double {
    type Output = Double;
    fn mul(self, other: Double) -> Double {
        let p = product(self.high, other.high);
        sum(p.high, p.low + (self.high * other.low + self.low * other.high))
    }
}

impl Div for Double {
    type Output = Double;
    fn div(self, other: Double) -> Double {
        let q = self.high / other.high;
        let rest = self - other * Double::from(q);
        let q2 = rest.high / other.high;
        let rest = rest - other * Double::from(q2);
        sum(q, q2) + Double::from(rest.high / other.high)
    }
}
