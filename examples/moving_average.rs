//! Moving averages of ten million temperatures: over five hours, a day and a year, and the median of a week.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --example moving_average
//! ```
//!
//! Prints some values with the time that each statistic took, and checks all of them against plain loops. The time hardly
//! depends on how long the windows are.

use std::error::Error;
use std::time::Instant;

use chunkwise::MovingWindow;
use chunkwise::prelude::*;
use chunkwise_examples::close;

/// Hours: more than eleven centuries.
const N: usize = 10_000_000;
const CHUNK: usize = 250_000;
const DAY: usize = 24;
const WEEK: usize = 7 * DAY;
const YEAR: usize = 365 * DAY;

fn main() -> Result<(), Box<dyn Error>> {
    let hours: Vec<f64> = (0..N).map(temperature).collect();
    let x = LazyArray::from_ndarray(ndarray::Array1::from(hours.clone()), CHUNK);
    println!("{x:?} on {} threads\n", Runtime::global()?.threads());

    for (what, window) in [("five hours", 5), ("a day", DAY), ("a year", YEAR)] {
        let mean = timed(&format!("mean of {what}"), || x.moving_mean(window, Axis(0)).compute())?;
        check(&mean, &running_means(&hours, window))?;
    }

    let window = MovingWindow::centred(WEEK);
    let median = timed("median of a week around each hour", || x.moving_median(window, Axis(0)).compute())?;
    check_medians(&median, &hours)?;

    // Windows at the ends are shorter; with a least number of hours they have a value nevertheless.
    let window = MovingWindow::trailing(DAY).min_count(1);
    let coldest = timed("coldest of the last day", || x.moving_min(window, Axis(0)).compute())?;
    let first = hours[..3].iter().copied().fold(f64::INFINITY, f64::min);
    if coldest.len() != N || coldest[2] != first {
        return Err("the third hour has two before it".into());
    }
    Ok(())
}

/// Degrees: the seasons, the day, and weather that nobody can foresee.
fn temperature(hour: usize) -> f64 {
    let turn = |period: usize| std::f64::consts::TAU * (hour % period) as f64 / period as f64;
    let weather = (hour.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1u64 << 24) as f64;
    10.0 - 12.0 * turn(YEAR).cos() - 4.0 * turn(DAY).cos() + 6.0 * (weather - 0.5)
}

fn timed(
    what: &str,
    run: impl Fn() -> chunkwise::Result<ndarray::Array1<f64>>,
) -> chunkwise::Result<ndarray::Array1<f64>> {
    let start = Instant::now();
    let values = run()?;
    let (ms, n) = (start.elapsed().as_secs_f64() * 1e3, values.len());
    println!(
        "{what}: {:.3}, {:.3} .. {:.3} ({n} in {ms:.1} ms)",
        values[n / 3],
        values[n / 2],
        values[n - 1]
    );
    Ok(values)
}

/// The means of all windows, each from the sum of the one before: it drifts, but not far here.
fn running_means(x: &[f64], window: usize) -> Vec<f64> {
    let mut sum: f64 = x[..window].iter().sum();
    let first = sum / window as f64;
    let others = x[window..].iter().zip(x).map(|(new, old)| {
        sum += new - old;
        sum / window as f64
    });
    std::iter::once(first).chain(others).collect()
}

fn check(got: &ndarray::Array1<f64>, want: &[f64]) -> Result<(), String> {
    let near = |(&got, &want): (&f64, &f64)| close(got, want, 1e-9) || (got - want).abs() < 1e-7;
    match got.len() == want.len() && got.iter().zip(want).all(near) {
        true => Ok(()),
        false => Err("the means are not those of a plain loop".into()),
    }
}

/// Compares one window in a thousand with the middle of its sorted hours.
fn check_medians(got: &ndarray::Array1<f64>, x: &[f64]) -> Result<(), String> {
    for middle in (WEEK / 2..N - WEEK / 2).step_by(1000) {
        let mut window = x[middle - WEEK / 2..middle + WEEK / 2].to_vec();
        window.sort_by(f64::total_cmp);
        let want = (window[WEEK / 2 - 1] + window[WEEK / 2]) / 2.0;
        if got[middle] != want {
            return Err(format!("the median at {middle} is {}, not {want}", got[middle]));
        }
    }
    Ok(())
}
