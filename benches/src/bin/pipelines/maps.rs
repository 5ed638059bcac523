//! Elementwise pipelines: two results of one input, and a mean of some elements.

use chunkwise::prelude::*;
use chunkwise_benches::{close, uniform};
use ndarray::Array1;
use rayon::prelude::*;

use crate::versus::{Versus, agree};

/// Elements that a thread takes at once: 128 KiB.
const TILE: usize = 16_384;

pub(crate) fn two_outputs(versus: &Versus) -> chunkwise::Result<f64> {
    let data = Array1::from(uniform(10_000_000)).into_shared();
    let x = LazyArray::from_ndarray(&data, "auto");
    let ours = || chunkwise::compute(((x.square() + 1.0).sqrt(), (&x - 0.5) / (&x + 1.0)));
    let slice = data.as_slice().unwrap_or_default();
    versus.report(
        || both(slice),
        ours,
        |hand, ours| agree(&hand.0, &ours.0, 1e-15) && agree(&hand.1, &ours.1, 1e-15),
    )
}

fn both(x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut a, mut b) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let out = a.par_chunks_mut(TILE).zip(b.par_chunks_mut(TILE));
    out.zip(x.par_chunks(TILE)).for_each(|((a, b), x)| {
        for ((a, b), x) in a.iter_mut().zip(b).zip(x) {
            *a = (x * x + 1.0).sqrt();
            *b = (x - 0.5) / (x + 1.0);
        }
    });
    (a, b)
}

pub(crate) fn filtered_mean(versus: &Versus) -> chunkwise::Result<f64> {
    let data = Array1::from(uniform(16_000_000)).into_shared();
    let x = LazyArray::from_ndarray(&data, "auto");
    let ours = || (x.sqrt() + x.square()).masked_where(&x.le(0.5)).mean().compute_option();
    let slice = data.as_slice().unwrap_or_default();
    let same = |hand: &f64, ours: &Option<f64>| ours.is_some_and(|ours| close(ours, *hand, 1e-12));
    versus.report(|| mean_above(slice, 0.5), ours, same)
}

/// The mean of `sqrt(x) + x^2` where `x` is above a bound.
fn mean_above(x: &[f64], bound: f64) -> f64 {
    let sums = x.par_chunks(TILE).map(|x| {
        let (mut sum, mut count) = ([0.0; 8], [0.0; 8]);
        let (lanes, rest) = x.as_chunks::<8>();
        for x in lanes {
            for lane in 0..8 {
                let wanted = x[lane] > bound;
                sum[lane] += if wanted { x[lane].sqrt() + x[lane] * x[lane] } else { 0.0 };
                count[lane] += if wanted { 1.0 } else { 0.0 };
            }
        }
        for x in rest.iter().filter(|&&x| x > bound) {
            sum[0] += x.sqrt() + x * x;
            count[0] += 1.0;
        }
        (sum.iter().sum::<f64>(), count.iter().sum::<f64>())
    });
    let (sum, count) = sums.reduce(|| (0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    sum / count
}
