//! Loops compiled for every instruction set of this processor against the functions of one number.

#![cfg(target_arch = "x86_64")]

use chunkwise_math::{self as m, Fma, Isa, Plain, Unary, has_fma};

const COUNT: usize = 1027;

#[inline(always)]
fn map<F: Unary<f64, Output = f64>, I: Isa>(x: &[f64], y: &mut [f64]) {
    let mut rare = false;
    for (y, &x) in y.iter_mut().zip(x) {
        *y = F::fast::<I>(x);
        rare |= F::is_rare::<I>(x);
    }
    if rare {
        for (y, &x) in y.iter_mut().zip(x) {
            if F::is_rare::<I>(x) {
                *y = F::slow(x);
            }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<F: Unary<f64, Output = f64>>(x: &[f64], y: &mut [f64]) {
    map::<F, Fma>(x, y);
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma")]
unsafe fn avx512<F: Unary<f64, Output = f64>>(x: &[f64], y: &mut [f64]) {
    map::<F, Fma>(x, y);
}

/// Ordinary numbers, huge ones, and every kind of special value between them.
fn arguments() -> Vec<f64> {
    let special = [f64::NAN, f64::INFINITY, -f64::INFINITY, 0.0, -0.0, 5e-324, 1e22, -1e300];
    let number = |i: usize| match i % 5 {
        0 => special[i / 5 % special.len()],
        1 => (i as f64 - 500.0) * 0.77,
        2 => (i as f64).exp2() * 1e-150,
        3 => (i as f64 - 500.0) / 511.0,
        _ => i as f64 * 12_345.678,
    };
    (0..COUNT).map(number).collect()
}

fn same(name: &str, x: &[f64], loops: &[f64], scalar: impl Fn(f64) -> f64) {
    for (&x, &y) in x.iter().zip(loops) {
        let one = scalar(x);
        assert!(y.to_bits() == one.to_bits() || y.is_nan() && one.is_nan(), "{name}({x:?}): {y:?}, {one:?}");
    }
}

fn check<F: Unary<f64, Output = f64>>(name: &str, scalar: fn(f64) -> f64) {
    let x = arguments();
    let mut y = vec![0.0; COUNT];
    map::<F, Plain>(&x, &mut y);
    same(name, &x, &y, F::eval::<Plain>);
    if has_fma() {
        // SAFETY: the processor has the features, as just tested.
        unsafe { avx2::<F>(&x, &mut y) };
        same(name, &x, &y, scalar);
    }
    let wide = std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512vl");
    if wide && has_fma() {
        // SAFETY: the processor has the features, as just tested.
        unsafe { avx512::<F>(&x, &mut y) };
        same(name, &x, &y, scalar);
    }
}

#[test]
fn loops_give_the_bits_of_the_scalar_functions() {
    check::<m::Cbrt>("cbrt", m::cbrt);
    check::<m::Exp>("exp", m::exp);
    check::<m::Exp2>("exp2", m::exp2);
    check::<m::ExpM1>("exp_m1", m::exp_m1);
    check::<m::Ln>("ln", m::ln);
    check::<m::Log2>("log2", m::log2);
    check::<m::Log10>("log10", m::log10);
    check::<m::Ln1p>("ln_1p", m::ln_1p);
    check::<m::Sin>("sin", m::sin);
    check::<m::Cos>("cos", m::cos);
    check::<m::Tan>("tan", m::tan);
    check::<m::Asin>("asin", m::asin);
    check::<m::Acos>("acos", m::acos);
    check::<m::Atan>("atan", m::atan);
    check::<m::Sinh>("sinh", m::sinh);
    check::<m::Cosh>("cosh", m::cosh);
    check::<m::Tanh>("tanh", m::tanh);
    check::<m::Asinh>("asinh", m::asinh);
    check::<m::Acosh>("acosh", m::acosh);
    check::<m::Atanh>("atanh", m::atanh);
    check::<m::Erf>("erf", m::erf);
}
