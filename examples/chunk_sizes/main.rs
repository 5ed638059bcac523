//! Which chunk size is best? `mean(sqrt(x^2))` of ten million numbers, in chunks from a thousand to all of them.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --features plot --example chunk_sizes [FOLDER]
//! ```
//!
//! Prints a table and draws the curve as SVG into the folder. The numbers are in memory before the clock starts; making
//! the expression, planning and running it is timed. Of each size the median of several runs counts.

mod plot;

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use chunkwise::ndarray::Array1;
use chunkwise::prelude::*;
use chunkwise_examples::close;

const N: usize = 10_000_000;
const SIZES: [usize; 13] = [
    1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000,
    N,
];
const RUNS: usize = 15;

/// A chunk size and how long it takes.
struct Point {
    chunk: usize,
    tasks: usize,
    milliseconds: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    std::fs::create_dir_all(&folder)?;

    // From -1 to 1, so that the mean of |x| is a half.
    let data = Array1::from_shape_fn(N, |i| 2.0 * (i as f64 + 0.5) / N as f64 - 1.0);
    println!("mean(sqrt(x^2)) of {N} f64 on {} threads\n", Runtime::global()?.threads());
    println!("{:>10} {:>8} {:>10} {:>9}", "chunk", "tasks", "ms", "GB/s");
    let mut points = Vec::new();
    for chunk in SIZES {
        let point = measure(&data, chunk)?;
        let rate = (N * size_of::<f64>()) as f64 / point.milliseconds / 1e6;
        println!("{:>10} {:>8} {:>10.2} {rate:>9.1}", point.chunk, point.tasks, point.milliseconds);
        points.push(point);
    }
    let flat = points.iter().filter(|point| point.chunk >= 10_000).map(|point| point.milliseconds);
    let (best, worst) = flat.fold((f64::MAX, f64::MIN), |(low, high), ms| (low.min(ms), high.max(ms)));
    println!("\nfrom chunks of 10,000 on the slowest takes {:.2} times as long as the fastest", worst / best);

    let picture = folder.join("chunk_sizes.svg");
    plot::draw(&picture, &points)?;
    println!("the curve: {}", picture.display());
    Ok(())
}

fn measure(data: &Array1<f64>, chunk: usize) -> Result<Point, Box<dyn Error>> {
    let x = LazyArray::from_ndarray(data.clone(), chunk);
    let tasks = x.square().sqrt().mean().plan()?.tasks();
    let mut times = Vec::with_capacity(RUNS);
    for run in 0..=RUNS {
        let start = Instant::now();
        let mean: f64 = x.square().sqrt().mean().compute()?;
        if run > 0 {
            times.push(start.elapsed().as_secs_f64() * 1e3); // the first one warms up
        }
        if !close(mean, 0.5, 1e-12) {
            return Err(format!("the mean is {mean}, it should be 0.5").into());
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(Point { chunk, tasks, milliseconds: times[RUNS / 2] })
}
