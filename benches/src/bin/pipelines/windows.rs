//! How far each element is from the mean of the last ones, in their standard deviations.

use chunkwise::MovingWindow;
use chunkwise::prelude::*;
use chunkwise_benches::uniform;
use ndarray::Array1;
use rayon::prelude::*;

use crate::versus::{Versus, agree};

const N: usize = 10_000_000;
const WINDOW: usize = 30;

pub(crate) fn zscore(versus: &Versus) -> chunkwise::Result<f64> {
    let data = Array1::from(uniform(N)).into_shared();
    let x = LazyArray::from_ndarray(&data, "auto");
    let ours = || {
        let window = MovingWindow::trailing(WINDOW);
        ((&x - x.moving_mean(window, Axis(0))) / x.moving_std(window, 0.0, Axis(0))).compute()
    };
    let slice = data.as_slice().unwrap_or_default();
    versus.report(|| by_hand(slice), ours, |hand, ours| agree(hand, ours, 1e-9))
}

/// Windows with a running sum, and how many such runs are computed at once: each waits for its last addition.
const RUN: usize = 1024;
const RUNS: usize = 4;

fn by_hand(x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    let (head, tail) = out.split_at_mut(WINDOW - 1);
    head.fill(f64::NAN);
    tail.par_chunks_mut(RUN * RUNS).enumerate().for_each(|(tile, out)| {
        let x = &x[tile * RUN * RUNS..];
        match out.len() == RUN * RUNS {
            true => tile_of::<RUNS>(x, RUN, out),
            false => {
                for (run, out) in out.chunks_mut(RUN).enumerate() {
                    tile_of::<1>(&x[run * RUN..], out.len(), out);
                }
            }
        }
    });
    out
}

/// The values of `K` runs, side by side, of the windows that begin with the first elements of `x`.
fn tile_of<const K: usize>(x: &[f64], run: usize, out: &mut [f64]) {
    let pivot = x[0];
    let lanes: [&[f64]; K] = std::array::from_fn(|k| &x[k * run..][..run + WINDOW - 1]);
    let (mut sums, mut squares) = ([0.0; K], [0.0; K]);
    for (k, lane) in lanes.iter().enumerate() {
        sums[k] = lane[..WINDOW - 1].iter().map(|x| x - pivot).sum();
        squares[k] = lane[..WINDOW - 1].iter().map(|x| (x - pivot) * (x - pivot)).sum();
    }
    let mut mean = [[0.0; K]; RUN];
    let mut variance = [[0.0; K]; RUN];
    let n = 1.0 / WINDOW as f64;
    for i in 0..run {
        for k in 0..K {
            let (new, old) = (lanes[k][i + WINDOW - 1] - pivot, lanes[k][i] - pivot);
            let (sum, square) = (sums[k] + new, squares[k] + new * new);
            mean[i][k] = sum * n;
            variance[i][k] = square * n - (sum * n) * (sum * n);
            (sums[k], squares[k]) = (sum - old, square - old * old);
        }
    }
    for k in 0..K {
        let known = mean.iter().zip(&variance).map(|(mean, variance)| (mean[k], variance[k]));
        let x = &lanes[k][WINDOW - 1..];
        for ((out, x), (mean, variance)) in out[k * run..][..run].iter_mut().zip(x).zip(known) {
            *out = (x - pivot - mean) / variance.sqrt();
        }
    }
}
