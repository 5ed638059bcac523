//! How long neighbourhoods and convolutions take, beside plain loops over one array.
//!
//! ```text
//! cargo run --release -p chunkwise-ops [--features fft] --example overlap_times
//! ```
//!
//! Each time is the least of several, on one thread; what counts is the ratio within a line.

use std::hint::black_box;
use std::time::{Duration, Instant};

use chunkwise::prelude::*;
use chunkwise::{Boundary, ConvolveMode};
use ndarray::{Array1, Array2};

const SIDE: usize = 1500;

fn main() -> chunkwise::Result<()> {
    let runtime = Runtime::builder().threads(1).build()?;
    let data = Array2::from_shape_fn((SIDE, SIDE), |(i, j)| ((i * 31 + j * 17) % 97) as f64);
    let x = LazyArray::from_ndarray(&data, 300);

    let plain = least(|| black_box(laplace(black_box(&data))).len());
    let made = x.stencil([1, 1], Boundary::Nearest, |n| {
        n[[-1, 0]] + n[[1, 0]] + n[[0, -1]] + n[[0, 1]] - 4.0 * n[[0, 0]]
    });
    let mut memory = Array2::zeros((SIDE, SIDE));
    let lazy = least(|| {
        memory = runtime.compute_into(&made, std::mem::take(&mut memory)).expect("it can be computed");
        memory.len()
    });
    line("stencil of 5 points", lazy, plain);

    for count in [8, 32, 128, 512, 2048] {
        let weights = Array1::from_shape_fn(count, |k| 1.0 / (k + 1) as f64);
        let row = Array1::from_iter(data.iter().copied());
        let lazy = LazyArray::from_ndarray(&row, 100_000).convolve(&weights, ConvolveMode::Valid);
        let taken = least(|| runtime.compute(&lazy).expect("it can be computed").len());
        let plain = least(|| black_box(valid(black_box(&row), black_box(&weights))).len());
        line(&format!("{count} weights"), taken, plain);
    }
    Ok(())
}

fn line(what: &str, lazy: Duration, plain: Duration) {
    let ratio = lazy.as_secs_f64() / plain.as_secs_f64();
    println!("{what:>20}: {lazy:9.2?}, plain loop {plain:9.2?}, ratio {ratio:.2}");
}

fn least(mut f: impl FnMut() -> usize) -> Duration {
    let time = |_| {
        let start = Instant::now();
        black_box(f());
        start.elapsed()
    };
    (0..5).map(time).min().unwrap_or_default()
}

/// The inside of the array alone.
fn laplace(x: &Array2<f64>) -> Array2<f64> {
    let mut y = Array2::zeros(x.raw_dim());
    for i in 1..SIDE - 1 {
        for j in 1..SIDE - 1 {
            y[[i, j]] = x[[i - 1, j]] + x[[i + 1, j]] + x[[i, j - 1]] + x[[i, j + 1]] - 4.0 * x[[i, j]];
        }
    }
    y
}

/// A sum of products for each element.
fn valid(x: &Array1<f64>, weights: &Array1<f64>) -> Vec<f64> {
    let (x, weights) = (x.as_slice().unwrap_or_default(), weights.to_vec());
    let sum = |part: &[f64]| part.iter().zip(weights.iter().rev()).map(|(x, weight)| x * weight).sum();
    x.windows(weights.len()).map(sum).collect()
}
