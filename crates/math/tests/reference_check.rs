//! The reference of the accuracy tests against arbitrary precision.

#[allow(dead_code)]
mod reference;

use astro_float_num::{BigFloat, Consts, RoundingMode};
use reference::cases::{cases, cases_of_two};
use reference::inputs::{Random, numbers};
use reference::{Exact, double::Double};

const BITS: usize = 256;
const NEAREST: RoundingMode = RoundingMode::ToEven;

fn big(x: f64) -> BigFloat {
    BigFloat::from_f64(x, BITS)
}

fn big_of(e: Exact) -> BigFloat {
    let Double { high, low } = e.value;
    let power = big(2.0).powi(e.exponent.unsigned_abs() as usize, BITS, NEAREST);
    let value = big(high).add(&big(low), BITS, NEAREST);
    if e.exponent < 0 { value.div(&power, BITS, NEAREST) } else { value.mul(&power, BITS, NEAREST) }
}

/// The exponent of the relative difference: -90 for 90 common bits.
fn agreement(ours: Exact, theirs: &BigFloat) -> i32 {
    let difference = big_of(ours).sub(theirs, BITS, NEAREST);
    if difference.is_zero() {
        return i32::MIN;
    }
    let exponent = |x: &BigFloat| x.exponent().expect("a finite number");
    exponent(&difference) - exponent(theirs)
}

/// `erf` by the series whose terms have one sign.
fn erf(x: &BigFloat, c: &mut Consts) -> BigFloat {
    let square = x.mul(x, BITS, NEAREST);
    let (mut term, mut total) = (x.clone(), x.clone());
    for i in 1..400 {
        let ratio = square.mul(&big(2.0), BITS, NEAREST).div(&big(f64::from(2 * i + 1)), BITS, NEAREST);
        term = term.mul(&ratio, BITS, NEAREST);
        total = total.add(&term, BITS, NEAREST);
    }
    let gauss = square.neg().exp(BITS, NEAREST, c);
    let root = c.pi(BITS, NEAREST).sqrt(BITS, NEAREST);
    total.mul(&big(2.0), BITS, NEAREST).mul(&gauss, BITS, NEAREST).div(&root, BITS, NEAREST)
}

fn theirs(name: &str, x: f64, c: &mut Consts) -> BigFloat {
    let (x, p, rm) = (big(x), BITS, NEAREST);
    let one = big(1.0);
    match name {
        "Sqrt" => x.sqrt(p, rm),
        "Cbrt" => x.cbrt(p, rm),
        "Recip" => one.div(&x, p, rm),
        "Exp" => x.exp(p, rm, c),
        "Exp2" => big(2.0).pow(&x, p, rm, c),
        // The subtraction takes up to 160 bits.
        "ExpM1" => x.exp(2 * p, rm, c).sub(&one, p, rm),
        "Ln" => x.ln(p, rm, c),
        "Log2" => x.log2(p, rm, c),
        "Log10" => x.log10(p, rm, c),
        "Ln1p" => x.add(&one, 3 * p, rm).ln(p, rm, c),
        "Sin" => x.sin(p, rm, c),
        "Cos" => x.cos(p, rm, c),
        "Tan" => x.tan(p, rm, c),
        "Asin" => x.asin(p, rm, c),
        "Acos" => x.acos(p, rm, c),
        "Atan" => x.atan(p, rm, c),
        "Sinh" => x.sinh(p, rm, c),
        "Cosh" => x.cosh(p, rm, c),
        "Tanh" => x.tanh(p, rm, c),
        "Asinh" => x.asinh(p, rm, c),
        "Acosh" => x.acosh(p, rm, c),
        "Atanh" => x.atanh(p, rm, c),
        "Erf" => erf(&x, c),
        _ => unreachable!("{name} has no counterpart"),
    }
}

#[test]
fn functions_of_one_number_have_90_right_bits() {
    let mut consts = Consts::new().expect("memory for the constants");
    for case in cases() {
        // The other library is slow, and its series for tiny and huge numbers are not the ones in question.
        let moderate = |x: &f64| x.abs() > 1e-40 && (x.abs() < 1e40 || "Sin Cos Tan".contains(case.name));
        let inside =
            |x: &f64| *x > case.domain.0 && *x < case.domain.1 && (case.name != "Erf" || x.abs() < 6.0);
        for x in numbers(60, case.range.0, case.range.1).filter(moderate).filter(inside) {
            let bits = agreement((case.exact)(x), &theirs(case.name, x, &mut consts));
            assert!(bits <= -90, "{}({x:?}): 2^{bits}", case.name);
        }
    }
}

#[test]
fn functions_of_two_numbers_have_85_right_bits() {
    let mut c = Consts::new().expect("memory for the constants");
    for case in cases_of_two() {
        let mut random = Random(5);
        for i in 0..60 {
            let (x, y) = (case.draw)(&mut random, i);
            let (a, b) = (big(x), big(y));
            let theirs = match case.name {
                // Subnormal numbers are not converted rightly there.
                "Pow" if x >= f64::MIN_POSITIVE => a.pow(&b, BITS, NEAREST, &mut c),
                "Hypot" => {
                    let (a, b) = (a.mul(&a, 3000, NEAREST), b.mul(&b, 3000, NEAREST));
                    a.add(&b, 3000, NEAREST).sqrt(BITS, NEAREST)
                }
                "Atan2" if y > 0.0 => a.div(&b, BITS, NEAREST).atan(BITS, NEAREST, &mut c),
                _ => continue,
            };
            let bits = agreement((case.exact)(x, y), &theirs);
            assert!(bits <= -85, "{}({x:?}, {y:?}): 2^{bits}", case.name);
        }
    }
}
