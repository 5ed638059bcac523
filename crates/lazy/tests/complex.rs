//! Complex arrays as users meet them: how they are made, what they mix with, what they refuse, where they are stored.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use chunkwise_lazy::prelude::*;
use chunkwise_lazy::{Error, open_npy};
use ndarray::{Array1, Array2, arr1};

type C = Complex<f64>;

fn c(re: f64, im: f64) -> C {
    C::new(re, im)
}

fn some() -> LazyArray1<C> {
    LazyArray::from_ndarray(arr1(&[c(1.0, 2.0), c(-3.0, 0.5), c(0.0, -1.0)]), 2)
}

#[test]
fn operators_take_complex_and_real_numbers_on_either_side() -> Result<(), Error> {
    let z = some();
    assert_eq!((&z * Complex::i()).compute()?, arr1(&[c(-2.0, 1.0), c(-0.5, -3.0), c(1.0, 0.0)]));
    assert_eq!((Complex::i() * &z).compute()?, (&z * Complex::i()).compute()?);
    assert_eq!((&z * 2.0).compute()?, arr1(&[c(2.0, 4.0), c(-6.0, 1.0), c(0.0, -2.0)]));
    assert_eq!((1.0 - &z).compute()?, arr1(&[c(0.0, -2.0), c(4.0, -0.5), c(1.0, 1.0)]));
    assert_eq!((4.0 / z.slice(s![2..])).compute()?, arr1(&[c(0.0, 4.0)]));
    assert_eq!((-(&z + &z) / 2.0).compute()?, (-z).compute()?);
    Ok(())
}

#[test]
fn parts_are_real_arrays() -> Result<(), Error> {
    let z = some();
    assert_eq!(z.re().compute()?, arr1(&[1.0, -3.0, 0.0]));
    assert_eq!(z.im().compute()?, arr1(&[2.0, 0.5, -1.0]));
    assert_eq!(z.conj().im().compute()?, arr1(&[-2.0, -0.5, 1.0]));
    assert_eq!(z.norm_sqr().compute()?, arr1(&[5.0, 9.25, 1.0]));
    assert_eq!(z.abs().compute()?, z.norm_sqr().sqrt().compute()?);
    assert_eq!(z.arg().compute()?[2], -std::f64::consts::FRAC_PI_2);
    let again = LazyArray::from_parts(&z.re(), z.im());
    assert!(again.eq(&z).all().compute()?);
    let turned = LazyArray::from_polar(&z.abs(), z.arg()) - &z;
    assert!(turned.abs().max().compute()? < 1e-15);
    Ok(())
}

#[test]
fn what_is_computed_of_complex_numbers_is_one_program() -> Result<(), Error> {
    let z = some();
    let mean = ((&z * Complex::i()).exp() + &z).norm_sqr().mean();
    assert!(
        mean.explain().contains("mean{r0 = mul x0 0.0+1.0i; r1 = exp r0; r2 = add r1 x0; r3 = norm_sqr r2}")
    );
    let want = z.compute()?.mapv(|z| ((z * C::i()).exp() + z).norm_sqr()).mean().unwrap();
    assert!((mean.compute()? - want).abs() < 1e-13 * want);
    Ok(())
}

#[test]
fn reductions_are_those_of_the_parts() -> Result<(), Error> {
    let z = some();
    let (re, im) = (z.re(), z.im());
    assert_eq!(z.sum().compute()?, c(re.sum().compute()?, im.sum().compute()?));
    assert_eq!(z.mean().compute()?, c(re.mean().compute()?, im.mean().compute()?));
    assert_eq!(z.var(1.0).compute()?, re.var(1.0).compute()? + im.var(1.0).compute()?);
    assert_eq!(z.prod().compute()?, c(1.0, 2.0) * c(-3.0, 0.5) * c(0.0, -1.0));
    assert_eq!((z.any().compute()?, z.all().compute()?), (true, true));
    let singles = z.cast::<Complex<f32>>();
    assert_eq!(singles.std(0.0).compute()?, z.std(0.0).compute()? as f32);
    Ok(())
}

#[test]
fn order_and_real_conversions_are_refused_when_built() {
    let z = some();
    let at = std::panic::Location::caller();
    let error = |x: &LazyArray1<f64>| x.check().unwrap_err().to_string();
    assert!(error(&z.cast()).contains("use re(), im() or abs()"), "{}", error(&z.cast()));
    assert!(z.cast::<bool>().check().is_ok());
    for kind in [chunkwise_expr::ReduceKind::Max, chunkwise_expr::ReduceKind::ArgMin] {
        let max = z.expr().reduce(kind, None, false, 0.0, at);
        assert!(max.error().unwrap().to_string().contains("elements of type c128 are not taken"));
    }
    let less = chunkwise_expr::Expr::element(chunkwise_expr::BinaryOp::Lt.into(), &[z.expr(), z.expr()], at);
    assert!(less.error().is_some());
}

#[test]
fn real_numbers_become_complex() -> Result<(), Error> {
    let x = LazyArray::arange(0_i32, 3, 1, 2);
    assert_eq!(x.cast::<C>().compute()?, arr1(&[c(0.0, 0.0), c(1.0, 0.0), c(2.0, 0.0)]));
    let ones = LazyArray::<Complex<f32>, _>::ones(3, 2) + LazyArray::<Complex<f32>, _>::eye(3, 2);
    assert_eq!(ones.compute()?[[1, 1]], Complex::new(2.0, 0.0));
    assert_eq!(LazyArray::full((2, 2), c(0.0, 3.0), 1).sum().compute()?, c(0.0, 12.0));
    Ok(())
}

#[test]
fn layouts_and_selections_keep_both_parts() -> Result<(), Error> {
    let plain = Array2::from_shape_fn((70, 40), |(i, j)| Complex::new(i as f32, j as f32 - 7.0));
    let z = LazyArray::from_ndarray(plain.clone(), (16, 9));
    let turned = (&z.t() + &z.t().slice(s![.., ..;-1])).compute()?;
    assert_eq!(turned, &plain.t() + &plain.t().slice(s![.., ..;-1]));
    let chosen = z.re().gt(30.0).where_(&z, Complex::new(0.0, 1.0)).compute()?;
    assert_eq!(chosen, plain.mapv(|z| if z.re > 30.0 { z } else { Complex::new(0.0, 1.0) }));
    Ok(())
}

#[test]
fn persisted_and_stored_arrays_keep_their_bits() -> Result<(), Error> {
    let folder = tempfile::tempdir().unwrap();
    let plain =
        Array1::from_shape_fn(1000, |i| c(-(i as f64), if i % 7 == 0 { -0.0 } else { 1.0 / i as f64 }));
    let z = LazyArray::from_ndarray(plain.clone(), 300);
    let bits = |z: &Array1<C>| z.iter().flat_map(|z| [z.re.to_bits(), z.im.to_bits()]).collect::<Vec<u64>>();
    assert_eq!(bits(&z.conj().persist()?.conj().compute()?), bits(&plain));
    let path = folder.path().join("z.npy");
    z.store_npy(&path)?;
    let read: LazyArray1<C> = open_npy(&path)?;
    assert_eq!(bits(&read.compute()?), bits(&plain));
    Ok(())
}

#[test]
fn spilled_blocks_keep_their_bits() -> Result<(), Error> {
    let runtime =
        Runtime::builder().threads(2).memory_limit_bytes(3 << 20).spill_dir(std::env::temp_dir()).build()?;
    let z =
        LazyArray::from_ndarray(Array1::from_shape_fn(1 << 16, |i| c(i as f64, -0.5 * i as f64)), 1 << 13);
    let kept = runtime.persist(&(&z * Complex::i()))?;
    let other = runtime.persist(&(&z + 1.0))?;
    let sum = runtime.compute(&(kept + other).sum())?;
    let n = (1u64 << 16) as f64;
    let total = n * (n - 1.0) / 2.0;
    assert_eq!(sum, c(total * 1.5 + n, total * 0.5));
    Ok(())
}

#[test]
fn vecdot_conjugates_the_first() -> Result<(), Error> {
    let (a, b) = (some().slice(s![..2]), some().slice(s![1..]));
    assert_eq!(a.vecdot(&b).compute()?, (a.conj() * &b).sum().compute()?);
    Ok(())
}

#[test]
fn variance_of_too_few_is_infinite_where_one_part_varies() -> Result<(), Error> {
    let z = LazyArray::from_ndarray(arr1(&[c(1.0, 2.0), c(1.0, 3.0)]), 2);
    assert_eq!((z.var(2.0).compute()?, z.std(3.0).compute()?), (f64::INFINITY, f64::INFINITY));
    Ok(())
}

#[test]
fn positive_difference_of_infinities_is_zero() -> Result<(), Error> {
    let x = LazyArray::from_ndarray(arr1(&[f64::INFINITY, f64::NEG_INFINITY, 1.0]), 2);
    assert_eq!(x.abs_sub(f64::INFINITY).compute()?, arr1(&[0.0; 3]));
    Ok(())
}

#[test]
fn inverse_functions_are_right_on_both_sides_of_their_cuts() -> Result<(), Error> {
    let z = LazyArray::from_ndarray(arr1(&[c(2.0, 0.0), c(2.0, -0.0), c(-2.0, 0.0), c(-2.0, -0.0)]), 3);
    let (right, height) = (std::f64::consts::FRAC_PI_2, 3.0_f64.sqrt().asinh());
    let asin = z.asin().compute()?;
    let want = [c(right, height), c(right, -height), c(-right, height), c(-right, -height)];
    assert!(asin.iter().zip(want).all(|(got, want)| (got - want).norm() < 1e-15), "{asin}");
    assert!((z.acos() + z.asin() - right).norm_max().compute()? < 1e-15);
    assert!(z.log2().im().compute()?[3] < -4.5 && z.ln_1p().im().compute()?[3] == -std::f64::consts::PI);
    Ok(())
}

#[test]
fn real_arrays_stand_beside_complex_ones_as_complex() -> Result<(), Error> {
    let (z, x) = (some(), LazyArray::from_ndarray(arr1(&[2.0, 4.0, -1.0]), 3));
    assert_eq!((&z * x.to_complex()).compute()?, arr1(&[c(2.0, 4.0), c(-12.0, 2.0), c(0.0, 1.0)]));
    assert_eq!((x.to_complex() - &z).compute()?, arr1(&[c(1.0, -2.0), c(7.0, -0.5), c(-1.0, 1.0)]));
    Ok(())
}

#[test]
fn masked_numbers_on_the_left_may_be_complex() -> Result<(), Error> {
    let z = some().masked_equal(c(0.0, -1.0));
    let (turned, missing) = (C::i() * &z).compute()?;
    assert_eq!((turned[0], missing), (c(-2.0, 1.0), arr1(&[false, false, true])));
    Ok(())
}

#[test]
fn variance_without_nan_reads_its_array_once() -> Result<(), Error> {
    let z = LazyArray::from_ndarray(arr1(&[c(1.0, 2.0), c(f64::NAN, 1.0), c(3.0, f64::NAN), c(3.0, 3.0)]), 2);
    assert_eq!((z.nan_var(0.0).compute()?, z.nan_std(1.0).compute()?), (1.25, 2.5_f64.sqrt()));
    assert!(z.nan_var(2.0).compute()?.is_nan());
    assert!(z.nan_var(0.0).explain().contains("folded with"), "{}", z.nan_var(0.0).explain());
    Ok(())
}

#[test]
fn running_products_of_singles_are_made_of_doubles() -> Result<(), Error> {
    let z = LazyArray::from_ndarray(Array1::from_elem(40, Complex::new(1e-3_f32, 1e3)), 7);
    let last = z.cumprod(Axis(0)).compute()?[5];
    let want = C::new(f64::from(1e-3_f32), 1e3).powu(6);
    assert_eq!(last, Complex::new(want.re as f32, want.im as f32));
    Ok(())
}
