//! The nearest of other points; how many points are how far away.

use chunkwise::BlockLayout;
use chunkwise::prelude::*;
use chunkwise_benches::uniform;
use ndarray::{ArcArray1, Array1, Array2};
use rayon::prelude::*;

use crate::versus::{Versus, agree};

const POINTS: usize = 16_000;
const OTHERS: usize = 1000;

pub(crate) fn nearest(versus: &Versus) -> chunkwise::Result<f64> {
    let numbers = uniform(3 * (POINTS + OTHERS));
    let coordinates = |n: usize, from: usize| -> [ArcArray1<f64>; 3] {
        std::array::from_fn(|axis| Array1::from(numbers[from + axis * n..][..n].to_vec()).into_shared())
    };
    let (a, b) = (coordinates(POINTS, 0), coordinates(OTHERS, 3 * POINTS));
    let points = a.each_ref().map(|x| LazyArray::from_ndarray(x, 250).insert_axis(Axis(1)));
    let others = b.each_ref().map(|x| LazyArray::from_ndarray(x, ..));
    let ours = || {
        let [x, y, z] = std::array::from_fn(|axis| (&points[axis] - &others[axis]).square());
        (x + y + z).min_axis(Axis(1)).sqrt().compute()
    };
    let points = a.each_ref().map(|x| x.as_slice().unwrap_or_default());
    let others = b.each_ref().map(|x| x.as_slice().unwrap_or_default());
    versus.report(|| distances(points, others), ours, |hand, ours| agree(hand, ours, 1e-12))
}

fn distances(points: [&[f64]; 3], others: [&[f64]; 3]) -> Vec<f64> {
    let [x, y, z] = others.map(|x| x.as_chunks::<8>().0);
    assert!(OTHERS.is_multiple_of(8), "others are taken eight at a time");
    let nearest = |point: usize| {
        let mut least = [f64::INFINITY; 8];
        let point = points.map(|x| x[point]);
        for ((x, y), z) in x.iter().zip(y).zip(z) {
            for lane in 0..8 {
                let (dx, dy, dz) = (point[0] - x[lane], point[1] - y[lane], point[2] - z[lane]);
                let square = dx * dx + dy * dy + dz * dz;
                least[lane] = if square < least[lane] { square } else { least[lane] };
            }
        }
        least.into_iter().fold(f64::INFINITY, f64::min).sqrt()
    };
    (0..POINTS).into_par_iter().with_min_len(64).map(nearest).collect()
}

const N: usize = 10_000_000;
const BINS: usize = 64;
/// Bins for each unit of distance, which is below the square root of two.
const SCALE: f64 = BINS as f64 / std::f64::consts::SQRT_2;

pub(crate) fn histogram(versus: &Versus) -> chunkwise::Result<f64> {
    let numbers = uniform(2 * N);
    let a = Array1::from(numbers[..N].to_vec()).into_shared();
    let b = Array1::from(numbers[N..].to_vec()).into_shared();
    let (x, y) = (LazyArray::from_ndarray(&a, "auto"), LazyArray::from_ndarray(&b, "auto"));
    let ours = || {
        let layout = BlockLayout::new().sizes(Axis(0), 1).new_axis(Axis(1), BINS);
        let counts = (x.square() + y.square()).sqrt().map_blocks_to(layout, |block, _| {
            let mut counts = Array2::<u64>::zeros((1, BINS));
            for distance in block {
                counts[[0, ((distance * SCALE) as usize).min(BINS - 1)]] += 1;
            }
            counts
        });
        counts.sum_axis(Axis(0)).compute()
    };
    let (a, b) = (a.as_slice().unwrap_or_default(), b.as_slice().unwrap_or_default());
    versus.report(|| counts(a, b), ours, |hand, ours| hand.iter().eq(ours))
}

fn counts(x: &[f64], y: &[f64]) -> [u64; BINS] {
    const TILE: usize = 4096;
    type Tables = [[u64; BINS]; 4];
    let tables = x.par_chunks(TILE).zip(y.par_chunks(TILE)).fold(
        || [[0; BINS]; 4],
        |mut tables: Tables, (x, y)| {
            let mut bins = [0_i32; TILE];
            for (bin, (x, y)) in bins.iter_mut().zip(x.iter().zip(y)) {
                *bin = ((x * x + y * y).sqrt() * SCALE) as i32;
            }
            // Neighbours in one bin would wait for each other.
            for bins in bins[..x.len()].chunks(4) {
                for (table, &bin) in tables.iter_mut().zip(bins) {
                    table[(bin as usize).min(BINS - 1)] += 1;
                }
            }
            tables
        },
    );
    let mut counts = [0; BINS];
    for table in tables.collect::<Vec<Tables>>().concat() {
        counts.iter_mut().zip(table).for_each(|(count, n)| *count += n);
    }
    counts
}
