//! The functions with errors below 2^-95, by series and Newton's iteration in numbers of 106 bits.
//!
//! Slow and plain, and nothing shared with the library but the digits of 2/pi: there is one form of every
//! function for all arguments. `tests/reference_check.rs` checks it against the arbitrary precision of astro-float.

pub(crate) mod cases;
pub(crate) mod double;
pub(crate) mod inputs;

use double::{Double, product, sum};

/// `value * 2^exponent`: results may lie beyond the range of f64.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exact {
    pub(crate) value: Double,
    pub(crate) exponent: i32,
}

impl From<Double> for Exact {
    fn from(value: Double) -> Exact {
        Exact { value, exponent: 0 }
    }
}

/// `x * 2^n` without intermediate overflow; `x` is normal or the result exact.
pub(crate) fn times_power(mut x: f64, mut n: i32) -> f64 {
    let power = |n: i32| f64::from_bits(((1023 + n) as u64) << 52);
    while n > 1000 {
        x *= power(1000);
        n -= 1000;
    }
    while n < -1000 {
        x *= power(-1000);
        n += 1000;
    }
    x * power(n)
}

impl Exact {
    fn scaled(value: Double, exponent: i32) -> Exact {
        Exact { value, exponent }
    }

    /// The distance of `got` in units of the last place of the exact value, in a format of `digits` bits whose
    /// smallest exponent is `lowest` and whose first power beyond is `2^beyond`.
    fn distance(self, got: f64, digits: i32, lowest: i32, beyond: i32) -> f64 {
        let Exact { value, exponent } = self;
        if value.high == 0.0 || !value.high.is_finite() {
            return if got == value.high { 0.0 } else { f64::INFINITY };
        }
        if got.is_nan() {
            return f64::INFINITY;
        }
        let e = value.high.abs().log2().floor() as i32;
        // log2 rounds: correct the exponent by looking.
        let e = if times_power(1.0, e) > value.high.abs() { e - 1 } else { e };
        let e = if times_power(2.0, e) <= value.high.abs() { e + 1 } else { e };
        if got.is_infinite() && e + exponent >= beyond {
            return if got.signum() == value.high.signum() { 0.0 } else { f64::INFINITY };
        }
        let ulp = (e + exponent).max(lowest).min(beyond - 1) - (digits - 1);
        // Both are brought to the size of the value.
        let got = if got.is_infinite() {
            times_power(got.signum(), beyond - exponent)
        } else {
            times_power(got, -exponent)
        };
        let difference = sum(got, -value.high) - Double::from(value.low);
        times_power(difference.high.abs(), exponent - ulp)
    }

    pub(crate) fn ulps_f64(self, got: f64) -> f64 {
        self.distance(got, 53, -1022, 1024)
    }

    pub(crate) fn ulps_f32(self, got: f32) -> f64 {
        self.distance(f64::from(got), 24, -126, 128)
    }
}

/// `x = m 2^e` with `m` in 1..2.
fn mantissa(x: f64) -> (f64, i32) {
    let (x, shift) = if x.abs() < f64::MIN_POSITIVE { (x * times_power(1.0, 64), -64) } else { (x, 0) };
    let e = (x.to_bits() >> 52 & 0x7ff) as i32 - 1023;
    (f64::from_bits(x.to_bits() & !(0x7ff << 52) | 1023 << 52), e + shift)
}

/// `sum of x^i c(i)` with `c(i) = c(i - 1) * next(i)` by the terms themselves, until they vanish.
fn series(first: Double, ratio: impl Fn(i32) -> Double) -> Double {
    let (mut term, mut total) = (first, first);
    for i in 1..400 {
        term = term * ratio(i);
        total = total + term;
        if term.high.abs() < total.high.abs() * 1e-34 {
            break;
        }
    }
    total
}

/// `e^r - 1` for small `r`.
fn exp_m1_small(r: Double) -> Double {
    if r.high == 0.0 { r } else { series(r, |i| r / Double::from(f64::from(i + 1))) }
}

/// `e^x` as a value in 1/2..2 and a power of two.
pub(crate) fn exp(x: Double) -> Exact {
    let n = (x.high / std::f64::consts::LN_2).round();
    /// ln 2 beyond its pair.
    const REST: f64 = 5.707_708_438_416_212e-34;
    let r = (x - product(n, Double::LN_2.high)) - product(n, Double::LN_2.low) - Double::from(n * REST);
    // Eight halvings make the series short; squaring e - 1 instead of e keeps its digits.
    let mut m = exp_m1_small(r.times(1.0 / 256.0));
    for _ in 0..8 {
        m = m.times(2.0) + m * m;
    }
    Exact::scaled(Double::ONE + m, n as i32)
}

pub(crate) fn exp2(x: f64) -> Exact {
    let n = x.round();
    let Exact { value, exponent } = exp(Double::from(x - n) * Double::LN_2);
    Exact::scaled(value, exponent + n as i32)
}

pub(crate) fn exp_m1(x: Double) -> Exact {
    if x.high.abs() < 0.5 {
        let mut m = exp_m1_small(x.times(1.0 / 64.0));
        for _ in 0..6 {
            m = m.times(2.0) + m * m;
        }
        return if x.high.abs() < 1e-200 { x.into() } else { m.into() };
    }
    let e = exp(x);
    if e.exponent > 200 {
        return e;
    }
    let power = times_power(1.0, e.exponent.max(-900));
    Exact::from(e.value.times(power) - Double::ONE)
}

/// `ln(1 + w)` for `1 + w` near one, by a Newton step from the logarithm in f64.
fn ln_1p_small(w: Double) -> Double {
    if w.high.abs() < 1e-200 {
        return w;
    }
    let start = Double::from(w.high.ln_1p());
    let e = exp_m1(start).value;
    start + (w - e) / (e + Double::ONE)
}

pub(crate) fn ln_1p(w: Double) -> Double {
    if w.high.abs() < 0.5 { ln_1p_small(w) } else { ln(Double::ONE + w) }
}

pub(crate) fn ln(x: Double) -> Double {
    let (m, e) = mantissa(x.high);
    let (e, m) = if m > 1.5 { (e + 1, m / 2.0) } else { (e, m) };
    let m = Double { high: m, low: if x.low == 0.0 { 0.0 } else { times_power(x.low, -e) } };
    ln_1p_small(m - Double::ONE)
        + product(f64::from(e), Double::LN_2.high)
        + product(f64::from(e), Double::LN_2.low)
}

/// The quadrant and the angle in it of any finite number: all of 2/pi times the mantissa, as one long integer.
fn reduce(x: f64) -> (u64, Double) {
    if x.abs() < 0.7 {
        return (0, Double::from(x));
    }
    let exponent = (x.abs().to_bits() >> 52) as i32 - 1075;
    let m = x.abs().to_bits() & ((1 << 52) - 1) | 1 << 52;
    // words[i] has the weight 2^(-64 (i + 1)) of 2/pi; one more in front takes the carry.
    let mut words = [0u64; 21];
    let mut carry = 0u128;
    for i in (0..20).rev() {
        let wide = u128::from(TWO_OVER_PI[i]) * u128::from(m) + carry;
        words[i + 1] = wide as u64;
        carry = wide >> 64;
    }
    words[0] = carry as u64;
    // Bit 0 is the highest of words[0], of weight 2^63; the point of x * 2/pi is before bit 64 + exponent.
    let bit = |at: i32| -> u64 {
        if at < 0 { 0 } else { words.get(at as usize / 64).map_or(0, |w| w >> (63 - at % 64) & 1) }
    };
    let point = 64 + exponent;
    let mut quadrant = bit(point - 2) << 1 | bit(point - 1);
    let part = |from: i32| (0..50).fold(0.0, |v, i| v * 2.0 + bit(point + from + i) as f64);
    let parts = [part(0), part(50), part(100), part(150)];
    let mut fraction = Double::ZERO;
    for (i, &p) in parts.iter().enumerate().rev() {
        fraction = fraction + Double::from(times_power(p, -50 * (i as i32 + 1)));
    }
    if bit(point) == 1 {
        quadrant += 1;
        // One minus the fraction, from its parts so that no digit is lost next to one.
        fraction = Double::ZERO;
        let full = times_power(1.0, 50) - 1.0;
        for (i, &p) in parts.iter().enumerate().rev() {
            fraction = fraction - Double::from(times_power(full - p, -50 * (i as i32 + 1)));
        }
    }
    let angle = fraction * Double::PI_2;
    if x < 0.0 { (quadrant.wrapping_neg() & 3, -angle) } else { (quadrant & 3, angle) }
}

/// Sine and cosine of a small angle.
fn sin_cos_small(a: Double) -> (Double, Double) {
    let z = -(a * a);
    let over = |i: i32, first: i32| Double::from(f64::from((2 * i + first) * (2 * i + first - 1)));
    if a.high.abs() < 1e-100 {
        return (a, Double::ONE);
    }
    (series(a, |i| z / over(i, 1)), series(Double::ONE, |i| z / over(i, 0)))
}

pub(crate) fn sin_cos(x: f64) -> (Double, Double) {
    let (quadrant, angle) = reduce(x);
    let (s, c) = sin_cos_small(angle);
    match quadrant {
        0 => (s, c),
        1 => (c, -s),
        2 => (-s, -c),
        _ => (-c, s),
    }
}

pub(crate) fn tan(x: f64) -> Double {
    let (s, c) = sin_cos(x);
    s / c
}

/// The arc tangent of `n / d`, both not negative and of moderate size: a Newton step from the one in f64.
fn atan_of_ratio(n: Double, d: Double) -> Double {
    if n.high == 0.0 {
        return n;
    }
    let start = n.high.atan2(d.high);
    if start < 1e-100 {
        return n / d;
    }
    let (s, c) = sin_cos_small(Double::from(start));
    Double::from(start) + (n * c - d * s) / (d * c + n * s)
}

pub(crate) fn atan(x: f64) -> Double {
    let a = x.abs();
    let y = if a > 1.0 {
        Double::PI_2 - atan_of_ratio(Double::ONE / Double::from(a), Double::ONE)
    } else {
        atan_of_ratio(Double::from(a), Double::ONE)
    };
    if x < 0.0 { -y } else { y }
}

pub(crate) fn asin(x: f64) -> Double {
    let one = Double::ONE;
    let a = x.abs();
    let y = atan_of_ratio(Double::from(a), ((one - Double::from(a)) * (one + Double::from(a))).sqrt());
    if x < 0.0 { -y } else { y }
}

pub(crate) fn acos(x: f64) -> Double {
    let x = Double::from(x);
    atan_of_ratio((Double::ONE - x).sqrt(), (Double::ONE + x).sqrt()).times(2.0)
}

pub(crate) fn atan2(y: f64, x: f64) -> Exact {
    let ((n, ne), (d, de)) = (mantissa(y.abs()), mantissa(x.abs()));
    let apart = ne - de;
    let sign = |e: Exact| if y < 0.0 { Exact { value: -e.value, ..e } } else { e };
    if apart < -150 && x > 0.0 {
        return sign(Exact::scaled(Double::from(n) / Double::from(d), apart));
    }
    let apart = apart.clamp(-200, 200);
    let (n, d) = (times_power(n, apart / 2), times_power(d, apart / 2 - apart));
    let angle = atan_of_ratio(Double::from(n), Double::from(d));
    sign(Exact::from(if x < 0.0 { Double::PI_2.times(2.0) - angle } else { angle }))
}

pub(crate) fn sinh(x: f64) -> Exact {
    let t = exp_m1(Double::from(x.abs()));
    let sign = |e: Exact| if x < 0.0 { Exact { value: -e.value, ..e } } else { e };
    if t.exponent != 0 {
        return sign(Exact { exponent: t.exponent - 1, ..t });
    }
    if x.abs() < 1e-100 {
        return Double::from(x).into();
    }
    sign((t.value + t.value / (t.value + Double::ONE)).times(0.5).into())
}

pub(crate) fn cosh(x: f64) -> Exact {
    let e = exp(Double::from(x.abs()));
    if e.exponent > 200 {
        return Exact { exponent: e.exponent - 1, ..e };
    }
    let e = e.value.times(times_power(1.0, e.exponent));
    (e + Double::ONE / e).times(0.5).into()
}

pub(crate) fn tanh(x: f64) -> Double {
    if x.abs() < 1e-100 {
        return x.into();
    }
    let t = exp_m1(Double::from(2.0 * x.abs().min(100.0))).value;
    let y = t / (t + Double::from(2.0));
    let y = if x.abs() > 60.0 { Double::ONE } else { y };
    if x < 0.0 { -y } else { y }
}

pub(crate) fn asinh(x: f64) -> Double {
    let a = Double::from(x.abs());
    let y = if a.high > 1e100 {
        ln(a) + Double::LN_2
    } else if a.high < 1e-100 {
        a
    } else {
        ln_1p(a + a * a / (Double::ONE + (Double::ONE + a * a).sqrt()))
    };
    if x < 0.0 { -y } else { y }
}

pub(crate) fn acosh(x: f64) -> Double {
    if x > 1e100 {
        return ln(Double::from(x)) + Double::LN_2;
    }
    let t = Double::from(x) - Double::ONE;
    ln_1p(t + (t * (t + Double::from(2.0))).sqrt())
}

pub(crate) fn atanh(x: f64) -> Double {
    let a = Double::from(x.abs());
    let y = if a.high < 1e-100 { a } else { ln_1p(a.times(2.0) / (Double::ONE - a)).times(0.5) };
    if x < 0.0 { -y } else { y }
}

pub(crate) fn log2(x: f64) -> Double {
    ln(Double::from(x)) / Double::LN_2
}

pub(crate) fn log10(x: f64) -> Double {
    ln(Double::from(x)) / ln(Double::from(10.0))
}

pub(crate) fn sqrt(x: f64) -> Exact {
    let (m, e) = mantissa(x);
    let odd = e.rem_euclid(2);
    Exact::scaled(Double::from(times_power(m, odd)).sqrt(), (e - odd) / 2)
}

pub(crate) fn recip(x: f64) -> Exact {
    let (m, e) = mantissa(x);
    Exact::scaled(Double::ONE / Double::from(m), -e)
}

pub(crate) fn cbrt_signed(x: f64) -> Exact {
    let e = cbrt(x.abs());
    if x < 0.0 { Exact { value: -e.value, ..e } } else { e }
}

fn cbrt(x: f64) -> Exact {
    let (m, e) = mantissa(x);
    let rest = e.rem_euclid(3);
    let m = Double::from(times_power(m, rest));
    let mut y = Double::from(m.high.cbrt());
    for _ in 0..2 {
        y = y - (y * y * y - m) / (y * y * Double::from(3.0));
    }
    Exact::scaled(y, (e - rest) / 3)
}

pub(crate) fn hypot(x: f64, y: f64) -> Exact {
    let ((m, e), (n, f)) = (mantissa(x.abs()), mantissa(y.abs()));
    let (m, e, n, f) = if e >= f { (m, e, n, f) } else { (n, f, m, e) };
    let n = times_power(n, (f - e).max(-200));
    Exact::scaled((product(m, m) + product(n, n)).sqrt(), e)
}

pub(crate) fn pow(x: f64, y: f64) -> Exact {
    let p = ln(Double::from(x.abs())) * Double::from(y);
    let odd = y.abs() < 9_007_199_254_740_992.0 && y % 2.0 != 0.0;
    // Far beyond the range of the exponent it does not matter how far.
    let e = if p.high.abs() > 1e6 { exp(Double::from(1e6f64.copysign(p.high))) } else { exp(p) };
    if x < 0.0 && odd { Exact { value: -e.value, ..e } } else { e }
}

pub(crate) fn erf(x: f64) -> Exact {
    let (m, e) = mantissa(x);
    let root = Double::PI_2.times(2.0).sqrt();
    if x.abs() < 1e-30 {
        return Exact::scaled(Double::from(2.0 * m) / root, e);
    }
    if x.abs() > 7.0 {
        return Double::from(x.signum()).into();
    }
    // All terms of this series have one sign.
    let z = product(x, x);
    let s = series(Double::from(x), |i| z.times(2.0) / Double::from(f64::from(2 * i + 1)));
    let g = exp(-z);
    (s.times(2.0) / root * g.value.times(times_power(1.0, g.exponent))).into()
}

const TWO_OVER_PI: [u64; 20] = [
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];
