//! NaNs, infinities, zeros and the ends of domains: the bits of the standard library.

use chunkwise_math::{self as m, Binary, Fma, Plain, Unary};

const SPECIAL: &[f64] = &[
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    1.0,
    -1.0,
    5e-324,
    -5e-324,
    1e-310,
    f64::MIN_POSITIVE,
    -f64::MIN_POSITIVE,
    0.5,
    -0.5,
    1.0 + f64::EPSILON,
    1.0 - f64::EPSILON,
    -1.0 - f64::EPSILON,
    2.0,
    -2.0,
    3.0,
    -3.0,
    2.5,
    1e16,
    -1e16,
    9_007_199_254_740_991.0,
    -9_007_199_254_740_991.0,
    709.0,
    711.0,
    -711.0,
    745.0,
    -746.0,
    1025.0,
    -1076.0,
    1e300,
    -1e300,
];

/// Results that are limits, on either side, must be the same ones.
fn same(name: &str, args: &[f64], ours: f64, std: f64) {
    let limit = |x: f64| !x.is_finite() || x == 0.0;
    if limit(ours) || limit(std) {
        let agree = ours.to_bits() == std.to_bits() || ours.is_nan() && std.is_nan();
        assert!(agree, "{name}({args:?}) is {ours}, not {std}");
    }
}

/// f32 to compare: what the standard library gives in f64, rounded.
fn check<F: Unary<f64, Output = f64> + Unary<f32, Output = f32>>(name: &str, std: fn(f64) -> f64) {
    for &x in SPECIAL {
        same(name, &[x], <F as Unary<f64>>::eval::<Plain>(x), std(x));
        same(name, &[x], <F as Unary<f64>>::eval::<Fma>(x), std(x));
        let single = x as f32;
        let ours = <F as Unary<f32>>::eval::<Plain>(single);
        assert_eq!(ours.to_bits(), <F as Unary<f32>>::eval::<Fma>(single).to_bits(), "{name} of f32 differs");
        same(name, &[single.into()], ours.into(), (std(single.into()) as f32).into());
    }
}

fn check_two<F: Binary<f64> + Binary<f32>>(name: &str, std: fn(f64, f64) -> f64) {
    for (&x, &y) in SPECIAL.iter().flat_map(|x| SPECIAL.iter().map(move |y| (x, y))) {
        same(name, &[x, y], <F as Binary<f64>>::fast::<Plain>(x, y), std(x, y));
        same(name, &[x, y], <F as Binary<f64>>::fast::<Fma>(x, y), std(x, y));
        let (a, b) = (x as f32, y as f32);
        let ours = <F as Binary<f32>>::fast::<Plain>(a, b);
        same(name, &[a.into(), b.into()], ours.into(), (std(a.into(), b.into()) as f32).into());
    }
}

#[test]
fn limits_are_those_of_the_standard_library() {
    check::<m::Sqrt>("sqrt", f64::sqrt);
    check::<m::Cbrt>("cbrt", f64::cbrt);
    check::<m::Recip>("recip", f64::recip);
    check::<m::Exp>("exp", f64::exp);
    check::<m::Exp2>("exp2", f64::exp2);
    check::<m::ExpM1>("exp_m1", f64::exp_m1);
    check::<m::Ln>("ln", f64::ln);
    check::<m::Log2>("log2", f64::log2);
    check::<m::Log10>("log10", f64::log10);
    check::<m::Ln1p>("ln_1p", f64::ln_1p);
    check::<m::Sin>("sin", f64::sin);
    check::<m::Cos>("cos", f64::cos);
    check::<m::Tan>("tan", f64::tan);
    check::<m::Asin>("asin", f64::asin);
    check::<m::Acos>("acos", f64::acos);
    check::<m::Atan>("atan", f64::atan);
    check::<m::Sinh>("sinh", f64::sinh);
    check::<m::Cosh>("cosh", f64::cosh);
    check::<m::Tanh>("tanh", f64::tanh);
    check::<m::Asinh>("asinh", f64::asinh);
    check::<m::Acosh>("acosh", f64::acosh);
    check::<m::Atanh>("atanh", f64::atanh);
    check::<m::Erf>(
        "erf",
        |x| if x == 0.0 || x.is_nan() { x } else { x.signum().min(x.abs()).max(-x.abs()) },
    );
}

#[test]
fn limits_of_two_numbers_are_those_of_the_standard_library() {
    check_two::<m::Pow>("pow", f64::powf);
    check_two::<m::Hypot>("hypot", f64::hypot);
    check_two::<m::Atan2>("atan2", f64::atan2);
}

#[test]
fn points_on_axes_and_diagonals_have_the_exact_angles() {
    let ends = [f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.0, -1.0, 5e-324, 1e300];
    for (y, x) in ends.iter().flat_map(|&y| ends.iter().map(move |&x| (y, x))) {
        assert_eq!(m::Atan2::fast::<Plain>(y, x), y.atan2(x), "atan2({y}, {x})");
        assert_eq!(m::Atan2::fast::<Fma>(y, x), y.atan2(x), "atan2({y}, {x})");
    }
}

#[test]
fn whole_powers_are_exact() {
    for n in -1074..=1023 {
        let power = m::Exp2::fast::<Plain>(f64::from(n));
        assert_eq!(power, f64::from(n).exp2(), "2^{n}");
        assert_eq!(m::Log2::fast::<Plain>(power), f64::from(n));
        assert_eq!(m::Log2::fast::<Fma>(power), f64::from(n));
    }
}

#[test]
fn sin_cos_is_sin_and_cos() {
    for x in [0.0, -0.0, 0.3, 4.0, -1e5, 1e9, 1e22, f64::MAX] {
        assert_eq!(m::sin_cos(x), (m::sin(x), m::cos(x)));
        let x = x.min(1e38) as f32;
        assert_eq!(m::sin_cos(x), (m::sin(x), m::cos(x)));
    }
}

#[test]
fn hardest_angle_is_right() {
    let x = 6_381_956_970_095_103.0 * 2f64.powi(797);
    assert_eq!(m::cos(x), -4.687_165_924_254_628e-19);
    assert_eq!(m::sin(x), 1.0);
}
