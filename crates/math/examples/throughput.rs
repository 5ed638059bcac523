//! Nanoseconds an element of every function: loops compiled for AVX-512, AVX2 with FMA and the baseline, and the
//! standard library's function in the same loop.
//!
//! ```text
//! cargo run --release -p chunkwise-math --example throughput [-- name...]
//! ```
//!
//! 4096 elements stay in the cache; the smallest time of many rounds stands. A function whose time does not fall
//! from one instruction set to the next is not vectorised.

use std::hint::black_box;
use std::time::Instant;

use chunkwise_math::{self as m, Binary, Fma, Isa, Plain, Unary};

const COUNT: usize = 4096;

/// The loop a user of the library writes.
#[inline(always)]
fn map<F: Unary<T, Output = T>, I: Isa, T: Copy>(x: &[T], y: &mut [T]) {
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

#[inline(always)]
fn zip<F: Binary<T>, I: Isa, T: Copy>(a: &[T], b: &[T], y: &mut [T]) {
    for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
        *y = F::fast::<I>(a, b);
    }
}

type Map<T> = unsafe fn(&[T], &mut [T]);
type Zip<T> = unsafe fn(&[T], &[T], &mut [T]);

#[inline(never)]
unsafe fn map_baseline<F: Unary<T, Output = T>, T: Copy>(x: &[T], y: &mut [T]) {
    map::<F, Plain, T>(x, y);
}

#[inline(never)]
unsafe fn zip_baseline<F: Binary<T>, T: Copy>(a: &[T], b: &[T], y: &mut [T]) {
    zip::<F, Plain, T>(a, b, y);
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::*;

    #[target_feature(enable = "avx2,fma,bmi1,bmi2")]
    pub(super) unsafe fn map_avx2<F: Unary<T, Output = T>, T: Copy>(x: &[T], y: &mut [T]) {
        map::<F, Fma, T>(x, y);
    }

    #[target_feature(enable = "avx2,fma,bmi1,bmi2")]
    pub(super) unsafe fn zip_avx2<F: Binary<T>, T: Copy>(a: &[T], b: &[T], y: &mut [T]) {
        zip::<F, Fma, T>(a, b, y);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma,bmi1,bmi2")]
    pub(super) unsafe fn map_avx512<F: Unary<T, Output = T>, T: Copy>(x: &[T], y: &mut [T]) {
        map::<F, Fma, T>(x, y);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma,bmi1,bmi2")]
    pub(super) unsafe fn zip_avx512<F: Binary<T>, T: Copy>(a: &[T], b: &[T], y: &mut [T]) {
        zip::<F, Fma, T>(a, b, y);
    }
}

/// The versions of one function this processor has, widest first.
fn maps<F: Unary<T, Output = T>, T: Copy>() -> [Option<Map<T>>; 3] {
    #[cfg(target_arch = "x86_64")]
    {
        let avx512 = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vl");
        [
            avx512.then_some(wide::map_avx512::<F, T> as Map<T>),
            m::has_fma().then_some(wide::map_avx2::<F, T> as Map<T>),
            Some(map_baseline::<F, T>),
        ]
    }
    #[cfg(not(target_arch = "x86_64"))]
    [None, None, Some(map_baseline::<F, T>)]
}

fn zips<F: Binary<T>, T: Copy>() -> [Option<Zip<T>>; 3] {
    #[cfg(target_arch = "x86_64")]
    {
        let avx512 = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vl");
        [
            avx512.then_some(wide::zip_avx512::<F, T> as Zip<T>),
            m::has_fma().then_some(wide::zip_avx2::<F, T> as Zip<T>),
            Some(zip_baseline::<F, T>),
        ]
    }
    #[cfg(not(target_arch = "x86_64"))]
    [None, None, Some(zip_baseline::<F, T>)]
}

/// The smallest time an element.
fn time(mut f: impl FnMut()) -> f64 {
    let round = || {
        let start = Instant::now();
        for _ in 0..4 {
            f();
        }
        start.elapsed().as_nanos() as f64 / (4 * COUNT) as f64
    };
    std::iter::repeat_with(round).take(60).fold(f64::INFINITY, f64::min)
}

fn row(name: &str, ours: [Option<f64>; 3], std: Option<f64>) {
    let cell = |t: Option<f64>| t.map_or("      -".to_owned(), |t| format!("{t:7.3}"));
    println!("{name:12} {} {} {}   {}", cell(ours[0]), cell(ours[1]), cell(ours[2]), cell(std));
}

fn unary<F: Unary<T, Output = T>, T: Copy + Default>(name: &str, x: &[T], std: Option<fn(T) -> T>) {
    let mut y = vec![T::default(); COUNT];
    // SAFETY: `maps` returns versions whose features this processor has.
    let ours = maps::<F, T>().map(|f| f.map(|f| time(|| unsafe { f(black_box(x), black_box(&mut y)) })));
    let std = std.map(|f| {
        time(|| {
            for (y, &x) in black_box(&mut y).iter_mut().zip(black_box(x)) {
                *y = f(x);
            }
        })
    });
    row(name, ours, std);
}

fn binary<F: Binary<T>, T: Copy + Default>(name: &str, a: &[T], b: &[T], std: fn(T, T) -> T) {
    let mut y = vec![T::default(); COUNT];
    // SAFETY: `zips` returns versions whose features this processor has.
    let ours = zips::<F, T>()
        .map(|f| f.map(|f| time(|| unsafe { f(black_box(a), black_box(b), black_box(&mut y)) })));
    let std = time(|| {
        for ((y, &a), &b) in black_box(&mut y).iter_mut().zip(black_box(a)).zip(b) {
            *y = std(a, b);
        }
    });
    row(name, ours, Some(std));
}

fn range(low: f64, high: f64) -> Vec<f64> {
    let step = |i: usize| (i * 1_327 % COUNT) as f64 / COUNT as f64;
    (0..COUNT).map(|i| low + (high - low) * step(i)).collect()
}

fn singles(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    println!("ns/element   AVX-512    AVX2 baseline       std");
    macro_rules! unary {
        ($($Op:ident $low:literal .. $high:literal $std64:expr, $std32:expr;)*) => {$(
            let name = stringify!($Op);
            if wanted.is_empty() || wanted.iter().any(|w| w == name) {
                let x = range($low, $high);
                unary::<m::$Op, f64>(name, &x, $std64);
                unary::<m::$Op, f32>(concat!(stringify!($Op), " f32"), &singles(&x), $std32);
            }
        )*};
    }
    unary! {
        Sqrt 0.1 .. 10.0 Some(f64::sqrt), Some(f32::sqrt);
        Recip 0.1 .. 10.0 Some(f64::recip), Some(f32::recip);
        Cbrt 0.1 .. 10.0 Some(f64::cbrt), Some(f32::cbrt);
        Exp -10.0 .. 10.0 Some(f64::exp), Some(f32::exp);
        Exp2 -10.0 .. 10.0 Some(f64::exp2), Some(f32::exp2);
        ExpM1 -10.0 .. 10.0 Some(f64::exp_m1), Some(f32::exp_m1);
        Ln 0.1 .. 10.0 Some(f64::ln), Some(f32::ln);
        Log2 0.1 .. 10.0 Some(f64::log2), Some(f32::log2);
        Log10 0.1 .. 10.0 Some(f64::log10), Some(f32::log10);
        Ln1p -0.9 .. 10.0 Some(f64::ln_1p), Some(f32::ln_1p);
        Sin -30.0 .. 30.0 Some(f64::sin), Some(f32::sin);
        Cos -30.0 .. 30.0 Some(f64::cos), Some(f32::cos);
        Tan -30.0 .. 30.0 Some(f64::tan), Some(f32::tan);
        Asin -1.0 .. 1.0 Some(f64::asin), Some(f32::asin);
        Acos -1.0 .. 1.0 Some(f64::acos), Some(f32::acos);
        Atan -5.0 .. 5.0 Some(f64::atan), Some(f32::atan);
        Sinh -5.0 .. 5.0 Some(f64::sinh), Some(f32::sinh);
        Cosh -5.0 .. 5.0 Some(f64::cosh), Some(f32::cosh);
        Tanh -5.0 .. 5.0 Some(f64::tanh), Some(f32::tanh);
        Asinh -5.0 .. 5.0 Some(f64::asinh), Some(f32::asinh);
        Acosh 1.0 .. 9.0 Some(f64::acosh), Some(f32::acosh);
        Atanh -0.9 .. 0.9 Some(f64::atanh), Some(f32::atanh);
        Erf -4.0 .. 4.0 None, None;
    }
    macro_rules! binary {
        ($($Op:ident $a:expr, $b:expr, $std64:expr, $std32:expr;)*) => {$(
            let name = stringify!($Op);
            if wanted.is_empty() || wanted.iter().any(|w| w == name) {
                let (a, b) = ($a, $b);
                binary::<m::$Op, f64>(name, &a, &b, $std64);
                binary::<m::$Op, f32>(concat!(stringify!($Op), " f32"), &singles(&a), &singles(&b), $std32);
            }
        )*};
    }
    binary! {
        Pow range(0.1, 10.0), range(-9.0, 9.0), f64::powf, f32::powf;
        Hypot range(-9.0, 10.0), range(0.3, 7.0), f64::hypot, f32::hypot;
        Atan2 range(-9.0, 10.0), range(-7.0, 7.0), f64::atan2, f32::atan2;
    }
}
