//! Random arrays through the lazy API: the same values for every chunking, slice and number of threads.
#![allow(clippy::unwrap_used)]

use chunkwise::ErrorKind;
use chunkwise::ndarray::{Array2, s};
use chunkwise::prelude::*;
use chunkwise::random::Generator;

const SHAPE: (usize, usize) = (37, 53);

fn chunkings() -> Vec<Chunks> {
    vec![
        Chunks::from(1000),
        Chunks::from((vec![1, 20, 0, 16], vec![50, 2, 1])),
        Chunks::from((1, ..)),
        Chunks::from((.., 1)),
        Chunks::from(1),
        Chunks::from((8, 16)),
    ]
}

/// Calls `check` with each kind of array, as f64.
fn every_kind(check: impl Fn(&str, &dyn Fn(Chunks) -> LazyArray2<f64>)) {
    let rng = || Generator::with_stream(42, 7);
    check("uniform", &|chunks| rng().uniform(-1.0, 1.0, SHAPE, chunks));
    check("normal f32", &|chunks| rng().normal(1.0_f32, 2.0, SHAPE, chunks).cast());
    check("gamma", &|chunks| rng().gamma(0.5, 2.0, SHAPE, chunks));
    check("integers", &|chunks| rng().integers(-5_i16, 12, SHAPE, chunks).cast());
    check("wide integers", &|chunks| rng().integers(i64::MIN, i64::MAX, SHAPE, chunks).cast());
    check("bernoulli", &|chunks| rng().bernoulli(0.4, SHAPE, chunks).cast());
    check("choice", &|chunks| rng().choice(&[3_u8, 1, 4], SHAPE, chunks).cast());
    check("weighted choice", &|chunks| rng().choice_weighted(&[3.0, 1.0], &[0.9, 0.1], SHAPE, chunks));
    check("small poisson", &|chunks| rng().poisson(3.0, SHAPE, chunks).cast());
    check("large poisson", &|chunks| rng().poisson(300.0, SHAPE, chunks).cast());
}

#[test]
fn chunks_do_not_change_values() {
    every_kind(|what, make| {
        let whole = make(Chunks::from((.., ..))).compute().unwrap();
        for chunks in chunkings() {
            assert_eq!(make(chunks.clone()).compute().unwrap(), whole, "{what} in {chunks:?}");
        }
    });
}

#[test]
fn slices_are_parts_of_the_whole() {
    every_kind(|what, make| {
        let whole = make(Chunks::from((.., ..))).compute().unwrap();
        for chunks in chunkings() {
            let x = make(chunks);
            let rows = x.slice(s![3..30;2, ..]).compute().unwrap();
            assert_eq!(rows, whole.slice(s![3..30;2, ..]), "{what}");
            let back = x.slice(s![..;-3, 5..41;7]).compute().unwrap();
            assert_eq!(back, whole.slice(s![..;-3, 5..41;7]), "{what}");
            assert_eq!(x.slice(s![.., 11]).compute().unwrap(), whole.slice(s![.., 11]), "{what}");
            assert_eq!(x.t().compute().unwrap(), whole.t(), "{what}");
        }
    });
}

#[test]
fn threads_do_not_change_values() {
    every_kind(|what, make| {
        let whole = make(Chunks::from((.., ..))).compute().unwrap();
        for threads in [1, 2, 3, 8] {
            let runtime = Runtime::builder().threads(threads).build().unwrap();
            let x = runtime.compute(&make(Chunks::from((4, 9)))).unwrap();
            assert_eq!(x, whole, "{what} on {threads} threads");
        }
    });
}

#[test]
fn permutation_is_whole_in_any_chunks() {
    let whole = Generator::new(3).permutation(10_000, 10_000).compute().unwrap();
    let cut = Generator::new(3).permutation(10_000, 77).compute().unwrap();
    assert_eq!(cut, whole);
    let mut sorted = whole.to_vec();
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..10_000));
    assert_eq!(Generator::new(3).permutation(0, 1).compute().unwrap().len(), 0);
}

#[test]
fn equal_arrays_are_one_source_and_others_are_not() {
    let make = |stream| Generator::with_stream(1, stream).normal(0.0, 1.0, (100, 100), 50);
    assert!((make(0) - make(0)).abs().max().compute().unwrap() == 0.0);
    let reads = |x: LazyArray2<f64>| x.explain().to_string().matches("normal(0, 1) of seed 1").count();
    assert!(reads(make(0) + make(0)) < reads(make(0) + make(1)));
}

#[test]
fn bad_parameters_come_back_with_the_line() {
    let mut rng = Generator::new(0);
    let line = line!() + 1;
    let x = rng.normal(0.0, -1.0, 10, 10);
    let err = x.compute().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Build);
    let start = "normal: the standard deviation must be finite and at least 0, it is -1 (at ";
    assert!(err.to_string().starts_with(start), "{err}");
    assert!(err.to_string().contains(&format!("random.rs:{line}:")), "{err}");

    assert!(rng.uniform(1.0, 1.0, 10, 10).check().is_err());
    assert!(rng.integers_inclusive(1, 0, 10, 10).check().is_err());
    assert!(rng.choice::<f64, _>(&[], 10, 10).check().is_err());
    assert!(rng.choice_weighted(&[1, 2], &[1.0], 10, 10).check().is_err());
    assert!(rng.poisson(f64::NAN, 10, 10).check().is_err());
    assert!(rng.bernoulli(0.5, (usize::MAX, usize::MAX), 10).check().is_err());
    assert!(rng.permutation(usize::MAX, 10).check().is_err());
    assert!(rng.bernoulli(0.5, 10, 0).check().is_err());
    assert!(rng.integers(i64::MIN, i64::MIN, 10, 10).check().is_err());
    assert_eq!(rng.bernoulli(1.0, (3, 0), 1).compute().unwrap(), Array2::from_elem((3, 0), true));
}

#[test]
fn streams_end_with_an_error() {
    let mut rng = Generator::with_stream(0, u32::MAX);
    assert!(rng.bernoulli(0.5, 3, 3).check().is_ok());
    let err = rng.bernoulli(0.5, 3, 3).check().unwrap_err().to_string();
    assert!(err.starts_with("bernoulli: a seed has 2^32 streams, and they are used up (at "), "{err}");
}

#[test]
fn choices_of_other_values_are_other_arrays() {
    let a = Generator::new(1).choice(&[1.0, 2.0], 10, 10);
    let b = Generator::new(1).choice(&[30.0, 40.0], 10, 10);
    let (x, y) = (a.compute().unwrap(), b.compute().unwrap());
    assert_eq!((&a - &b).compute().unwrap(), x - y);
    let weights = [[1.0, 0.0], [0.0, 1.0]];
    let [a, b] = weights.map(|weights| Generator::new(1).choice_weighted(&[1, 2], &weights, 10, 10));
    assert_eq!((a - b).sum().compute().unwrap(), -10_i64);
}
