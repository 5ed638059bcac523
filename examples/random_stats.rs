//! Statistics of a hundred million random numbers, and of a function of them: none is ever held in memory.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --example random_stats
//! ```
//!
//! Prints each value with what theory says and how long it took. The numbers are drawn while they are summed, tile by
//! tile, and they are the same for any chunks and threads.

use std::error::Error;
use std::time::Instant;

use chunkwise::prelude::*;
use chunkwise::random::Generator;

const N: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = Generator::new(42);
    let x = rng.uniform(0.0, 1.0, (N, N), 1000);
    println!("{x:?} on {} threads\n", Runtime::global()?.threads());

    let mean = timed("the mean of 10,000 x 10,000 uniform numbers", || x.mean().compute())?;
    // The mean of n uniform numbers deviates by 1/sqrt(12 n).
    near("mean", mean, 0.5, 1.0 / (12.0 * (N * N) as f64).sqrt())?;

    // Three statistics of one array are one pass: each tile is drawn, computed and folded three times.
    let y = x.sqrt() + x.sin();
    let (mean, std, max) = timed("mean, standard deviation and maximum of sqrt(x) + sin(x)", || {
        chunkwise::compute((y.mean(), y.std(0.0), y.max()))
    })?;
    near("mean", mean, MEAN, STD / N as f64)?;
    // The fourth moment says by how much the standard deviation of n numbers deviates: here by half as much.
    near("std", std, STD, STD / N as f64 / 2.0)?;
    near("max", max, 1.0 + 1.0_f64.sin(), 1e-7)?;

    let means = timed("the mean of each of 10,000 columns", || x.mean_axis(Axis(0)).compute())?;
    let furthest = means.iter().map(|mean| (mean - 0.5).abs()).fold(0.0, f64::max);
    // Of 10,000 means the furthest lies about four deviations away.
    near("furthest from a half", furthest, 4.0 / (12.0 * N as f64).sqrt(), 0.5 / (12.0 * N as f64).sqrt())?;

    let corner = x.slice(s![..2, ..3]);
    let again = Generator::new(42).uniform(0.0, 1.0, (N, N), (7, ..)).slice(s![..2, ..3]);
    println!("\nthe corner of x, in chunks of 1000 and of 7 rows:\n{}", corner.compute()?);
    if corner.compute()? != again.compute()? {
        return Err("the numbers depend on the chunks".into());
    }
    Ok(())
}

/// Integral of sqrt(x) + sin(x) over 0..1: 2/3 + 1 - cos(1).
const MEAN: f64 = 1.126_364_360_798_527;
/// The integral of the square is 1/2 + 2 * 0.36422193203213 + 1/2 - sin(2)/4, where the number is that of sqrt(x) sin(x).
const STD: f64 = 0.482_102_514_078_457;

fn timed<T>(what: &str, run: impl Fn() -> chunkwise::Result<T>) -> chunkwise::Result<T> {
    let start = Instant::now();
    let value = run()?;
    println!("{what}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    Ok(value)
}

/// Prints a value; an error when it is more than six deviations from what theory says.
fn near(what: &str, got: f64, want: f64, deviation: f64) -> Result<(), String> {
    println!("  {what} {got:.9}, theory {want:.9} +- {deviation:.1e}");
    if (got - want).abs() <= 6.0 * deviation {
        Ok(())
    } else {
        Err(format!("{what} is not what it should be"))
    }
}
