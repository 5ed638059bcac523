//! Every function with its exact form, the range of its uniform arguments, and the bounds on its error.

use chunkwise_math::{self as m, Binary, Fma, Plain, Unary};

use super::double::Double;
use super::inputs::{Random, numbers, numbers_f32};
use super::{self as exact, Exact};

/// The largest error found and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worst {
    pub(crate) ulps: f64,
    pub(crate) at: (f64, f64),
}

impl Worst {
    const NONE: Worst = Worst { ulps: 0.0, at: (0.0, 0.0) };

    fn see(&mut self, ulps: f64, at: (f64, f64)) {
        if ulps > self.ulps {
            *self = Worst { ulps, at };
        }
    }
}

/// A function of one number.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Where arguments are uniform, and the domain.
    pub(crate) range: (f64, f64),
    pub(crate) domain: (f64, f64),
    pub(crate) bound: f64,
    pub(crate) plain: fn(f64) -> f64,
    pub(crate) fused: fn(f64) -> f64,
    pub(crate) single: fn(f32) -> f32,
    pub(crate) exact: fn(f64) -> Exact,
}

impl Case {
    fn holds(&self, x: f64) -> bool {
        x.is_finite() && x != 0.0 && x > self.domain.0 && x < self.domain.1
    }

    /// The largest errors without and with fused operations.
    pub(crate) fn sweep(&self, count: usize) -> [Worst; 2] {
        let mut worst = [Worst::NONE; 2];
        for x in numbers(count, self.range.0, self.range.1).filter(|&x| self.holds(x)) {
            let exact = (self.exact)(x);
            worst[0].see(exact.ulps_f64((self.plain)(x)), (x, 0.0));
            worst[1].see(exact.ulps_f64((self.fused)(x)), (x, 0.0));
        }
        worst
    }

    pub(crate) fn sweep_f32(&self, count: usize) -> Worst {
        let mut worst = Worst::NONE;
        for x in numbers_f32(count, self.range.0, self.range.1).filter(|&x| self.holds(x.into())) {
            worst.see((self.exact)(x.into()).ulps_f32((self.single)(x)), (x.into(), 0.0));
        }
        worst
    }
}

/// A function of two numbers.
pub(crate) struct Case2 {
    pub(crate) name: &'static str,
    pub(crate) bound: f64,
    pub(crate) plain: fn(f64, f64) -> f64,
    pub(crate) fused: fn(f64, f64) -> f64,
    pub(crate) single: fn(f32, f32) -> f32,
    pub(crate) exact: fn(f64, f64) -> Exact,
    /// Draws arguments.
    pub(crate) draw: fn(&mut Random, usize) -> (f64, f64),
}

fn usual(x: f64, y: f64) -> bool {
    x.is_finite() && y.is_finite() && x != 0.0 && y != 0.0
}

impl Case2 {
    pub(crate) fn sweep(&self, count: usize) -> [Worst; 2] {
        let mut random = Random(count as u64);
        let mut worst = [Worst::NONE; 2];
        for i in 0..count {
            let (x, y) = (self.draw)(&mut random, i);
            if usual(x, y) {
                let exact = (self.exact)(x, y);
                worst[0].see(exact.ulps_f64((self.plain)(x, y)), (x, y));
                worst[1].see(exact.ulps_f64((self.fused)(x, y)), (x, y));
            }
        }
        worst
    }

    pub(crate) fn sweep_f32(&self, count: usize) -> Worst {
        let mut random = Random(count as u64);
        let mut worst = Worst::NONE;
        for i in 0..count {
            let (x, y) = (self.draw)(&mut random, i);
            let bits = random.bits();
            let (x, y) = match i % 3 {
                0 => (f32::from_bits(bits as u32).abs(), f32::from_bits((bits >> 32) as u32)),
                _ => (x as f32, y as f32),
            };
            if usual(x.into(), y.into()) {
                let exact = (self.exact)(x.into(), y.into());
                worst.see(exact.ulps_f32((self.single)(x, y)), (x.into(), y.into()));
            }
        }
        worst
    }
}

macro_rules! cases {
    ($($Op:ident in $range:tt, domain $domain:expr, bound $bound:expr, $exact:expr;)*) => {
        vec![$(Case {
            name: stringify!($Op),
            range: $range,
            domain: $domain,
            bound: $bound,
            plain: m::$Op::eval::<Plain>,
            fused: m::$Op::eval::<Fma>,
            single: m::$Op::eval::<Plain>,
            exact: $exact,
        }),*]
    };
}

const ALL: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
const POSITIVE: (f64, f64) = (0.0, f64::INFINITY);
const INSIDE: (f64, f64) = (-1.0, 1.0);

fn of(x: f64) -> Double {
    Double::from(x)
}

pub(crate) fn cases() -> Vec<Case> {
    cases! {
        Sqrt in (0.0, 10.0), domain POSITIVE, bound 0.5, exact::sqrt;
        Cbrt in (-10.0, 10.0), domain ALL, bound 1.0, exact::cbrt_signed;
        Recip in (-10.0, 10.0), domain ALL, bound 0.5, exact::recip;
        Exp in (-750.0, 712.0), domain (-800.0, 800.0), bound 1.0, |x| exact::exp(of(x));
        Exp2 in (-1080.0, 1026.0), domain (-1100.0, 1100.0), bound 2.0, exact::exp2;
        ExpM1 in (-40.0, 711.0), domain (-800.0, 800.0), bound 2.0, |x| exact::exp_m1(of(x));
        Ln in (0.0, 10.0), domain POSITIVE, bound 1.0, |x| exact::ln(of(x)).into();
        Log2 in (0.0, 10.0), domain POSITIVE, bound 2.0, |x| exact::log2(x).into();
        Log10 in (0.0, 10.0), domain POSITIVE, bound 2.0, |x| exact::log10(x).into();
        Ln1p in (-1.0, 5.0), domain (-1.0, 1e300), bound 2.0, |x| exact::ln_1p(of(x)).into();
        Sin in (-30.0, 30.0), domain ALL, bound 1.0, |x| exact::sin_cos(x).0.into();
        Cos in (-30.0, 30.0), domain ALL, bound 1.0, |x| exact::sin_cos(x).1.into();
        Tan in (-30.0, 30.0), domain ALL, bound 2.0, |x| exact::tan(x).into();
        Asin in (-1.0, 1.0), domain INSIDE, bound 2.0, |x| exact::asin(x).into();
        Acos in (-1.0, 1.0), domain INSIDE, bound 2.0, |x| exact::acos(x).into();
        Atan in (-5.0, 5.0), domain ALL, bound 2.0, |x| exact::atan(x).into();
        Sinh in (-25.0, 25.0), domain (-800.0, 800.0), bound 2.0, exact::sinh;
        Cosh in (-25.0, 25.0), domain (-800.0, 800.0), bound 2.0, exact::cosh;
        Tanh in (-5.0, 5.0), domain ALL, bound 2.0, |x| exact::tanh(x).into();
        Asinh in (-5.0, 5.0), domain ALL, bound 2.0, |x| exact::asinh(x).into();
        Acosh in (1.0, 5.0), domain (1.0, f64::INFINITY), bound 2.0, |x| exact::acosh(x).into();
        Atanh in (-1.0, 1.0), domain INSIDE, bound 2.0, |x| exact::atanh(x).into();
        Erf in (-6.5, 6.5), domain ALL, bound 2.0, exact::erf;
    }
}

/// Exponents and bases with results all over the range, at its ends too.
fn draw_powers(random: &mut Random, i: usize) -> (f64, f64) {
    let x = match i % 3 {
        0 => random.within(0.0, 4.0),
        1 => random.log_uniform(-1074.0, 1024.0).abs(),
        _ => 1.0 + random.log_uniform(-50.0, -2.0),
    };
    let size = random.within(-745.5, 710.0);
    let y = match i % 4 {
        0 => random.within(-30.0, 30.0).round(),
        _ => size / x.ln(),
    };
    (if i.is_multiple_of(8) { -x } else { x }, y)
}

/// Coordinates of one size, of any sizes, and of any bits.
fn draw_points(random: &mut Random, i: usize) -> (f64, f64) {
    match i % 3 {
        0 => (random.within(-2.0, 2.0), random.within(-2.0, 2.0)),
        1 => {
            let (x, apart) = (random.log_uniform(-1000.0, 950.0), random.log_uniform(-70.0, 70.0));
            (x, x * apart)
        }
        _ => (f64::from_bits(random.bits()), f64::from_bits(random.bits())),
    }
}

pub(crate) fn cases_of_two() -> Vec<Case2> {
    macro_rules! cases_of_two {
        ($($Op:ident bound $bound:expr, $exact:expr, $draw:expr;)*) => {
            vec![$(Case2 {
                name: stringify!($Op),
                bound: $bound,
                plain: m::$Op::fast::<Plain>,
                fused: m::$Op::fast::<Fma>,
                single: m::$Op::fast::<Plain>,
                exact: $exact,
                draw: $draw,
            }),*]
        };
    }
    cases_of_two! {
        Pow bound 2.0, exact::pow, draw_powers;
        Hypot bound 1.0, exact::hypot, draw_points;
        Atan2 bound 2.0, exact::atan2, draw_points;
    }
}
