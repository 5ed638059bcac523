//! Nanoseconds an element of every distribution, for each instruction set of this processor: runs, and columns of a
//! matrix, whose elements are computed one by one.
//!
//! ```text
//! cargo run --release -p chunkwise-random --example random_times
//! ```
//!
//! Tiles of 4096 elements stay in the cache; the smallest time of many rounds stands.

use std::hint::black_box;
use std::time::Instant;

use chunkwise_chunk::{Chunk, ChunkSource, DType, Element, Region, TileMut};
use chunkwise_math::dispatch::InstructionSet;
use chunkwise_random::{Distribution, RandomSource};

const COUNT: usize = 4096;

/// The smallest time an element, in nanoseconds.
fn time(source: &RandomSource, region: &Region) -> f64 {
    match source.dtype() {
        DType::F64 => time_of::<f64>(source, region, |x| TileMut::F64(x)),
        DType::F32 => time_of::<f32>(source, region, |x| TileMut::F32(x)),
        DType::I64 => time_of::<i64>(source, region, |x| TileMut::I64(x)),
        DType::I32 => time_of::<i32>(source, region, |x| TileMut::I32(x)),
        DType::U8 => time_of::<u8>(source, region, |x| TileMut::U8(x)),
        DType::Bool => time_of::<bool>(source, region, |x| TileMut::Bool(x)),
        other => panic!("no row is of {other}"),
    }
}

fn time_of<T: Element>(source: &RandomSource, region: &Region, tile: fn(&mut [T]) -> TileMut<'_>) -> f64 {
    let formula = source.formula().expect("random numbers have a formula");
    let mut out = vec![T::default(); COUNT];
    let mut at = 0;
    let mut round = || {
        let start = Instant::now();
        for _ in 0..4 {
            formula.fill(region, at, tile(black_box(&mut out)));
            at = (at + COUNT) % (region.len() - COUNT);
        }
        start.elapsed().as_nanos() as f64 / (4 * COUNT) as f64
    };
    (0..60).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn main() {
    let (f32, f64) = (DType::F32, DType::F64);
    let values = Chunk::from_array(ndarray::Array1::from_iter(0..100i64).into_dyn());
    let weights = Some((0..100).map(f64::from).collect());
    let integers = |dtype, low, last| Distribution::Integers { dtype, low, last };
    let distributions = [
        ("uniform f64", Distribution::Uniform { dtype: f64, low: 0.0, high: 1.0 }),
        ("uniform f32", Distribution::Uniform { dtype: f32, low: 0.0, high: 1.0 }),
        ("normal f64", Distribution::Normal { dtype: f64, mean: 0.0, std: 1.0 }),
        ("normal f32", Distribution::Normal { dtype: f32, mean: 0.0, std: 1.0 }),
        ("lognormal f64", Distribution::LogNormal { dtype: f64, mean: 0.0, sigma: 1.0 }),
        ("exponential f64", Distribution::Exponential { dtype: f64, scale: 1.0 }),
        ("exponential f32", Distribution::Exponential { dtype: f32, scale: 1.0 }),
        ("integers u8 0..10", integers(DType::U8, 0, 9)),
        ("integers i32 0..1000", integers(DType::I32, 0, 999)),
        ("integers i64 0..10^12", integers(DType::I64, 0, 999_999_999_999)),
        ("integers i64 all", integers(DType::I64, i64::MIN.into(), i64::MAX.into())),
        ("bernoulli 0.3", Distribution::Bernoulli { p: 0.3 }),
        ("choice of 100", Distribution::Choice { values: values.clone(), weights: None }),
        ("weighted choice of 100", Distribution::Choice { values, weights }),
        ("poisson 4", Distribution::Poisson { lam: 4.0 }),
        ("poisson 1000", Distribution::Poisson { lam: 1000.0 }),
        ("gamma 2 f64", Distribution::Gamma { dtype: f64, shape: 2.0, scale: 1.0 }),
        ("gamma 0.5 f64", Distribution::Gamma { dtype: f64, shape: 0.5, scale: 1.0 }),
        ("permutation 10^6", Distribution::Permutation { n: 1_000_000 }),
    ];
    let sets: Vec<InstructionSet> = InstructionSet::available().collect();
    println!("{:24}{:>10?}{:>10}", "ns an element", sets.iter().rev().collect::<Vec<_>>(), "column");
    for (name, distribution) in distributions {
        let alone = matches!(distribution, Distribution::Permutation { .. });
        let shape: &[usize] = if alone { &[1_000_000] } else { &[1_000_000, 8] };
        let source = RandomSource::new(distribution, 42, 0, shape).expect("the parameters are in range");
        let whole = Region::whole(shape);
        let times = sets.iter().rev().map(|set| set.with(|| time(&source, &whole)));
        let cells: String = times.map(|t| format!("{t:10.2}")).collect();
        let mut column = whole.clone();
        if !alone {
            column.set_axis(1, 3, 1);
        }
        println!("{name:24}{cells}{:10.2}", time(&source, &column));
    }
}
