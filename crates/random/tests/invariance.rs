//! An element depends on its place alone: regions, runs and instruction sets.
#![allow(clippy::unwrap_used)]

use chunkwise_chunk::{Chunk, ChunkSource, DType, Element, Region, TileMut, dispatch, for_each_dtype};
use chunkwise_math::dispatch::InstructionSet;
use chunkwise_random::{Distribution, RandomSource};

/// Every distribution in every way it is computed; those whose functions fuse operations come with `true`.
fn distributions() -> Vec<(Distribution, bool)> {
    let mut all = vec![];
    for dtype in [DType::F32, DType::F64] {
        all.push((Distribution::Uniform { dtype, low: -1.0, high: 2.0 }, false));
        all.push((Distribution::Normal { dtype, mean: 1.0, std: 2.0 }, true));
        all.push((Distribution::LogNormal { dtype, mean: 0.0, sigma: 1.0 }, true));
        all.push((Distribution::Exponential { dtype, scale: 2.0 }, true));
        all.push((Distribution::Gamma { dtype, shape: 0.3, scale: 1.0 }, true));
        all.push((Distribution::Gamma { dtype, shape: 1.0, scale: 2.0 }, true));
        all.push((Distribution::Gamma { dtype, shape: 1e7, scale: 2.0 }, true));
    }
    let integers = [
        (DType::I8, -7, 3),
        (DType::I8, -128, 127),
        (DType::U8, 0, 255),
        (DType::I16, -5, 32_767),
        (DType::U16, 0, 65_535),
        (DType::I32, -1_000_000, 2_000_000_000),
        (DType::U32, 0, u32::MAX.into()),
        (DType::U32, 5, 5),
        (DType::I64, -(1 << 62), (1 << 62) + (1 << 61)),
        (DType::I64, i64::MIN.into(), i64::MAX.into()),
        (DType::U64, 1, u64::MAX.into()),
    ];
    all.extend(integers.map(|(dtype, low, last)| (Distribution::Integers { dtype, low, last }, false)));
    all.extend([0.0, 0.3, 1.0].map(|p| (Distribution::Bernoulli { p }, false)));
    all.extend([0.0, 3.0, 63.0, 64.0, 1e6, 9.2e18].map(|lam| (Distribution::Poisson { lam }, false)));
    let values = Chunk::from_array(ndarray::arr1(&[1.5f32, -2.5, f32::NAN, 0.0, 9.0]).into_dyn());
    all.push((Distribution::Choice { values: values.clone(), weights: None }, false));
    all.push((Distribution::Choice { values, weights: Some(vec![1.0, 0.0, 2.5, 1e-3, 7.0]) }, false));
    all
}

/// The elements as texts, in which every bit counts.
fn bits(chunk: &Chunk) -> Vec<String> {
    dispatch!(chunk.dtype(), T => {
        chunk.typed::<T>().unwrap().iter().map(|x| x.into_scalar().to_string()).collect()
    })
}

/// The region by runs of these lengths in turn.
fn by_runs(source: &RandomSource, region: &Region, lengths: &[usize]) -> Vec<String> {
    macro_rules! of_type {
        ($($v:ident $t:ty, $name:literal;)*) => {
            match source.dtype() {
                $(DType::$v => runs::<$t>(source, region, lengths, |run| TileMut::$v(run)),)*
            }
        };
    }
    for_each_dtype!(of_type)
}

fn runs<T: Element>(
    source: &RandomSource,
    region: &Region,
    lengths: &[usize],
    tile: fn(&mut [T]) -> TileMut<'_>,
) -> Vec<String> {
    let mut all = vec![];
    for &len in lengths.iter().cycle() {
        let mut run = vec![T::default(); len.min(region.len() - all.len())];
        source.formula().unwrap().fill(region, all.len(), tile(&mut run));
        all.extend(run.iter().map(|x| x.into_scalar().to_string()));
        if all.len() == region.len() {
            break;
        }
    }
    all
}

#[test]
fn every_region_and_run_gives_the_elements_of_the_whole() {
    let shape = [7, 5, 43];
    for (distribution, _) in distributions() {
        let source = RandomSource::new(distribution.clone(), 1, 2, &shape).unwrap();
        let whole = source.read(&Region::whole(&shape)).unwrap();
        let regions = [
            Region::new(&[0, 0, 0], &[7, 5, 43]),
            Region::new(&[1, 2, 3], &[5, 2, 40]),
            Region::new(&[1, 2, 3], &[6, 3, 1]),
            Region::new(&[0, 4, 41], &[7, 1, 2]),
            Region::new(&[2, 0, 0], &[3, 5, 43]),
            Region::new(&[6, 1, 7], &[1, 4, 31]),
            Region::new(&[6, 4, 42], &[1, 1, 1]),
            Region::new(&[3, 5, 43], &[0, 0, 0]),
        ];
        for region in regions {
            let expected = bits(&whole.part(&region));
            assert_eq!(bits(&source.read(&region).unwrap()), expected, "{distribution} at {region}");
            for lengths in [&[1][..], &[3, 64, 5], &[257], &[31, 2, 33]] {
                let found = by_runs(&source, &region, lengths);
                assert_eq!(found, expected, "{distribution} at {region} in runs of {lengths:?}");
            }
        }
    }
}

#[test]
fn places_beyond_2_to_the_32_differ_from_those_below() {
    let shape = [1 << 40, 1 << 20];
    for (distribution, _) in distributions() {
        let source = RandomSource::new(distribution.clone(), 1, 2, &shape).unwrap();
        let row = |i: usize| bits(&source.read(&Region::new(&[i, 100], &[1, 300])).unwrap());
        let (near, far) = (row(0), row(1 << 39));
        let constant = near.iter().all(|x| *x == near[0]);
        assert!(constant || near != far, "{distribution}");
        let tail = bits(&source.read(&Region::new(&[1 << 39, 397], &[1, 3])).unwrap());
        assert_eq!(far[297..], tail, "{distribution}");
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for (distribution, fuses) in distributions() {
        let source = RandomSource::new(distribution.clone(), 3, 4, &[400, 9]).unwrap();
        let sets = || InstructionSet::available().filter(|&set| !fuses || set != InstructionSet::Baseline);
        for region in [Region::whole(&[400, 9]), Region::new(&[1, 4], &[399, 1])] {
            let results: Vec<_> =
                sets().map(|set| bits(&set.with(|| source.read(&region).unwrap()))).collect();
            assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{distribution}");
        }
    }
    let n = 100_000;
    let source = RandomSource::new(Distribution::Permutation { n }, 3, 4, &[n]).unwrap();
    let read = |set: InstructionSet| bits(&set.with(|| source.read(&Region::whole(&[n])).unwrap()));
    let results: Vec<_> = InstructionSet::available().map(read).collect();
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn baseline_differs_in_last_bits_only() {
    for (distribution, _) in distributions().into_iter().filter(|(_, fuses)| *fuses) {
        if distribution.dtype() != DType::F64 {
            continue;
        }
        let source = RandomSource::new(distribution.clone(), 3, 4, &[100_000]).unwrap();
        let read = || source.read(&Region::whole(&[100_000])).unwrap().to_array::<f64>().unwrap();
        let (plain, best) = (InstructionSet::Baseline.with(read), read());
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + a.abs());
        assert!(plain.iter().zip(&best).all(near), "{distribution}");
    }
}

#[test]
fn values_stay() {
    // What a seed gives changes only on purpose: the first two rows were computed by another program.
    let f64 = DType::F64;
    let rows = [
        (
            Distribution::Uniform { dtype: f64, low: 0.0, high: 1.0 },
            "0.4685865183391049 0.34086154938517876 0.32706338120338474 0.4543156017348883",
        ),
        (Distribution::Integers { dtype: DType::I64, low: 0, last: 99 }, "61 46 7 34"),
        (Distribution::Poisson { lam: 5.0 }, "4 3 2 4"),
        (Distribution::Poisson { lam: 500.0 }, "498 489 510 511"),
        (Distribution::Permutation { n: 4 }, "0 3 2 1"),
    ];
    for (distribution, expected) in rows {
        let source = RandomSource::new(distribution.clone(), 42, 0, &[4]).unwrap();
        let found = bits(&source.read(&Region::whole(&[4])).unwrap()).join(" ");
        assert_eq!(found, expected, "{distribution}");
    }
}

#[test]
fn other_seeds_streams_and_shapes() {
    let normal = Distribution::Normal { dtype: DType::F64, mean: 0.0, std: 1.0 };
    let read = |seed, stream, shape: &[usize]| {
        let source = RandomSource::new(normal.clone(), seed, stream, shape).unwrap();
        (source.key(), bits(&source.read(&Region::whole(shape)).unwrap()))
    };
    let (key, x) = read(1, 1, &[12]);
    assert_eq!(read(1, 1, &[12]), (key.clone(), x.clone()));
    for (seed, stream) in [(2, 1), (1, 2), (1 << 32, 1)] {
        let (other_key, other) = read(seed, stream, &[12]);
        assert!(other_key != key && other != x);
    }
    // The shape does not matter to the numbers, but to the array.
    let (other_key, other) = read(1, 1, &[3, 4]);
    assert!(other_key != key && other == x);
}

#[test]
fn parameters_out_of_range_are_errors() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let mut bad = vec![];
    for dtype in [DType::F32, DType::F64] {
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (nan, 1.0), (0.0, nan), (0.0, inf), (-inf, 0.0)] {
            bad.push(Distribution::Uniform { dtype, low, high });
        }
        for x in [-1.0, nan, inf, -inf] {
            bad.push(Distribution::Normal { dtype, mean: 0.0, std: x });
            bad.push(Distribution::LogNormal { dtype, mean: 0.0, sigma: x });
            bad.push(Distribution::Exponential { dtype, scale: x });
            bad.push(Distribution::Gamma { dtype, shape: x, scale: 1.0 });
            bad.push(Distribution::Gamma { dtype, shape: 1.0, scale: x });
        }
        bad.push(Distribution::Normal { dtype, mean: nan, std: 1.0 });
        bad.push(Distribution::LogNormal { dtype, mean: inf, sigma: 1.0 });
        bad.push(Distribution::Integers { dtype, low: 0, last: 1 });
    }
    bad.push(Distribution::Uniform { dtype: DType::F64, low: f64::MIN, high: f64::MAX });
    bad.push(Distribution::Uniform { dtype: DType::F32, low: 1.0, high: 1.0 + 1e-12 });
    bad.push(Distribution::Uniform { dtype: DType::I32, low: 0.0, high: 1.0 });
    bad.push(Distribution::Normal { dtype: DType::Bool, mean: 0.0, std: 1.0 });
    for (low, last) in [(1, 0), (-1, 5), (0, 256), (i128::MIN, i128::MAX)] {
        bad.push(Distribution::Integers { dtype: DType::U8, low, last });
    }
    bad.extend([-0.1, 1.1, nan].map(|p| Distribution::Bernoulli { p }));
    bad.extend([-1.0, nan, inf, 1e19].map(|lam| Distribution::Poisson { lam }));
    let values = |n: usize| Chunk::zeros(DType::U8, &[n]);
    bad.push(Distribution::Choice { values: values(0), weights: None });
    bad.push(Distribution::Choice { values: Chunk::zeros(DType::U8, &[2, 2]), weights: None });
    for weights in [&[1.0][..], &[0.0, 0.0], &[1.0, -1.0], &[1.0, nan], &[inf, 1.0]] {
        bad.push(Distribution::Choice { values: values(2), weights: Some(weights.to_vec()) });
    }
    for distribution in bad {
        assert!(RandomSource::new(distribution.clone(), 0, 0, &[2]).is_err(), "{distribution:?}");
    }
    let one = Distribution::Bernoulli { p: 0.5 };
    assert!(RandomSource::new(one.clone(), 0, 0, &[usize::MAX, 2]).is_err());
    assert!(RandomSource::new(one.clone(), 0, 0, &[usize::MAX, 2, 0]).is_err());
    assert!(RandomSource::new(Distribution::Permutation { n: 3 }, 0, 0, &[4]).is_err());
    let source = RandomSource::new(one, 0, 0, &[4]).unwrap();
    assert!(source.read(&Region::new(&[3], &[2])).is_err());
}

#[test]
fn ends_of_parameters_have_their_value() {
    let f64 = DType::F64;
    let all = |distribution: Distribution, value: &str| {
        let source = RandomSource::new(distribution.clone(), 5, 0, &[1000]).unwrap();
        let found = bits(&source.read(&Region::whole(&[1000])).unwrap());
        assert!(found.iter().all(|x| x == value), "{distribution:?}: {:?}", &found[..4]);
    };
    all(Distribution::Normal { dtype: f64, mean: 3.0, std: 0.0 }, "3.0");
    all(Distribution::Exponential { dtype: f64, scale: 0.0 }, "0.0");
    all(Distribution::Gamma { dtype: f64, shape: 0.0, scale: 1.0 }, "0.0");
    all(Distribution::Gamma { dtype: f64, shape: 5e-324, scale: 1.0 }, "0.0");
    all(Distribution::Gamma { dtype: f64, shape: 2.0, scale: 0.0 }, "0.0");
    all(Distribution::Gamma { dtype: f64, shape: f64::MAX, scale: 0.0 }, "0.0");
    all(Distribution::Bernoulli { p: 0.0 }, "false");
    all(Distribution::Bernoulli { p: 1.0 }, "true");
    all(Distribution::Poisson { lam: 0.0 }, "0");
    all(Distribution::Integers { dtype: DType::I8, low: -128, last: -128 }, "-128");
    // Between neighbours there is nothing but the lower one.
    let next = 1.0f64.next_up();
    all(Distribution::Uniform { dtype: f64, low: 1.0, high: next }, "1.0");
    let next = 1.0f32.next_up();
    all(Distribution::Uniform { dtype: DType::F32, low: 1.0, high: next.into() }, "1.0");
    for n in [0, 1] {
        let source = RandomSource::new(Distribution::Permutation { n }, 0, 0, &[n]).unwrap();
        assert_eq!(bits(&source.read(&Region::whole(&[n])).unwrap()), vec!["0".to_string(); n]);
    }
}
