//! Random numbers of every law.

use std::hint::black_box;
use std::sync::Mutex;

use chunkwise_chunk::{Chunk, ChunkSource, DType, Element, Region, dispatch};
use chunkwise_random::{Distribution, RandomSource};

use super::{Case, numbers};

/// Elements of a tile.
const TILE: usize = 4096;

pub(super) fn add_to(cases: &mut Vec<Case>) {
    cases.extend([DType::F32, DType::F64].into_iter().flat_map(floats));
    cases.extend(others());
}

fn floats(dtype: DType) -> impl Iterator<Item = Case> {
    let laws = [
        ("", Distribution::Uniform { dtype, low: 0.0, high: 1.0 }),
        ("", Distribution::Normal { dtype, mean: 0.0, std: 1.0 }),
        ("", Distribution::LogNormal { dtype, mean: 0.0, sigma: 1.0 }),
        ("", Distribution::Exponential { dtype, scale: 1.0 }),
        ("", Distribution::Gamma { dtype, shape: 2.0, scale: 1.0 }),
        ("_below_one", Distribution::Gamma { dtype, shape: 0.5, scale: 1.0 }),
    ];
    laws.into_iter().map(|(kind, law)| case(kind, law))
}

fn others() -> impl Iterator<Item = Case> {
    let values: Chunk = numbers(DType::I64, [1, 100], [1.0, 1000.0], 0).with_shape(&[100]);
    let weights = Some((0..100).map(f64::from).collect());
    let integers = |dtype, low, last| Distribution::Integers { dtype, low, last };
    let laws = [
        ("", integers(DType::U8, 0, 9)),
        ("", integers(DType::I32, 0, 999)),
        ("", integers(DType::I64, 0, 999_999_999_999)),
        ("_all", integers(DType::I64, i64::MIN.into(), i64::MAX.into())),
        ("", Distribution::Bernoulli { p: 0.3 }),
        ("", Distribution::Choice { values: values.clone(), weights: None }),
        ("", Distribution::Choice { values, weights }),
        ("_small", Distribution::Poisson { lam: 4.0 }),
        ("_large", Distribution::Poisson { lam: 1000.0 }),
        ("", Distribution::Permutation { n: 1_000_000 }),
    ];
    laws.into_iter().map(|(kind, law)| case(kind, law))
}

/// One tile, always the same: the time of a law that rejects some depends on its numbers.
fn case(kind: &str, law: Distribution) -> Case {
    let dtype = law.dtype();
    let name = format!("random.{}{kind}.{dtype}", law.word());
    let shape = [1_000_000];
    let source = RandomSource::new(law, 42, 0, &shape).expect("the parameters are in range");
    let region = Region::whole(&shape);
    dispatch!(dtype, T => {
        let tile = Mutex::new(vec![T::default(); TILE]);
        Case::new(name, TILE, move || {
            let Ok(mut tile) = tile.lock() else { return };
            let formula = source.formula().expect("random numbers have a formula");
            formula.fill(&region, 0, T::tile_mut(black_box(&mut tile)));
        })
    })
}
