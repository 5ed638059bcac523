//! A tour of chunkwise in nine stops. Every value is printed and checked.
//!
//! ```text
//! cargo run --release --example quickstart
//! ```

use std::error::Error;
use std::f64::consts::{SQRT_2, TAU};

use chunkwise::ndarray::Array2;
use chunkwise::prelude::*;
use chunkwise_examples::show;

const HOURS: usize = 365 * 24;
const STATIONS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    // 1. An ndarray becomes a lazy array in blocks of 30 days and all stations. It is not copied.
    let t: LazyArray2<f64> = LazyArray::from_ndarray(readings(), (30 * 24, ..));
    println!("a year of hourly readings: {t:?}\n");

    one_value(&t)?;
    several_values(&t)?;
    along_an_axis(&t)?;
    your_own_functions(&t)?;
    kept_in_memory(&t)?;
    values_of_any_type(&t)?;
    larger_than_it_looks()?;
    mistakes(&t)
}

/// The temperature at every hour and station: a daily wave around 10 degrees at station 0, 11 at station 1, ...
fn readings() -> Array2<f64> {
    Array2::from_shape_fn((HOURS, STATIONS), |(hour, station)| {
        10.0 + station as f64 + 8.0 * (TAU * hour as f64 / 24.0).sin()
    })
}

/// 2. Methods describe a computation, `explain` tells how it would be run, `compute` runs it on all cores.
fn one_value(t: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let mean_square = (t * t).mean();
    println!("the plan of a mean of squares\n{}", mean_square.explain());
    let mean_square: f64 = mean_square.compute()?;
    let squares_of_means: f64 = (0..STATIONS).map(|station| (10.0 + station as f64).powi(2)).sum();
    show("mean of the squares", mean_square, squares_of_means / STATIONS as f64 + 32.0)?;
    Ok(())
}

/// 3. Results asked for together share their work: here the anomaly, which is never held as an array.
fn several_values(t: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let anomaly = t - t.mean_axis(Axis(0)).insert_axis(Axis(0));
    let (warmest, spread) = chunkwise::compute((anomaly.max(), anomaly.std_axis(Axis(0), 0.0)))?;
    show("largest anomaly", warmest, 8.0)?;
    show("spread of the anomaly at the last station", spread[STATIONS - 1], 8.0 / SQRT_2)?;
    Ok(())
}

/// 4. Reductions along an axis give arrays. `compute` makes them ndarrays, whose methods are yours from there on.
fn along_an_axis(t: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let by_hour_of_day = t.reshape((365, 24, STATIONS)).mean_axis(Axis(0)).mean_axis(Axis(1));
    let by_hour_of_day = by_hour_of_day.compute()?;
    println!("mean by hour of the day: {by_hour_of_day:.1}");
    show("mean at six in the morning", by_hour_of_day[6], 67.5)?;
    Ok(())
}

/// 5. Closures are elementwise operations like any other, and are fused with what stands around them.
fn your_own_functions(t: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let fahrenheit = t.mapv(|celsius| celsius * 1.8 + 32.0);
    let hot = fahrenheit.gt(212.0).cast::<u8>().sum().compute()?;
    // Above 100 degrees Celsius: stations above 92, when the wave carries them there.
    show("boiling hours", hot as f64, readings().iter().filter(|&&t| t * 1.8 + 32.0 > 212.0).count() as f64)?;
    Ok(())
}

/// 6. `persist` computes an array and keeps its blocks, for many questions about one result.
fn kept_in_memory(t: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let warmth = t.maximum(60.0).sqrt().persist()?;
    let summer = warmth.slice(s![150 * 24..240 * 24, ..]);
    show("smallest square root", warmth.min().compute()?, 60.0_f64.sqrt())?;
    show("largest one in summer", summer.max().compute()?, 117.0_f64.sqrt())?;
    Ok(())
}

/// 7. Values of any type are part of the same graph; each is computed once, when something needs it.
fn values_of_any_type(t: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let unit = delayed(|| "degrees".to_owned());
    let report = delayed_with((t.mean(), &unit), |mean, unit| format!("{mean:.1} {unit}"));
    let (report, highest) = chunkwise::compute((&report, t.max()))?;
    println!("report: {report} on average, {highest:.1} at most");
    if *report == "59.5 degrees" { Ok(()) } else { Err(format!("unexpected report {report}").into()) }
}

/// 8. Blocks are made when they are needed and dropped when they are not: 1.6 GB of numbers in a few MB.
fn larger_than_it_looks() -> Result<(), Box<dyn Error>> {
    let x = LazyArray::linspace(0.0_f64, 1.0, 200_000_001, "auto");
    let area = (1.0 - x.square()).mean();
    let plan = area.plan()?;
    println!("{} bytes of numbers, {} in memory at once", x.nbytes(), plan.peak_bytes());
    let area = area.compute()?;
    println!("area under a parabola: {area:.6}");
    if (area - 2.0 / 3.0).abs() < 1e-8 { Ok(()) } else { Err("the area should be 2/3".into()) }
}

/// 9. A mistake does not panic. It comes back from `compute` with the shapes and the line that made it.
fn mistakes(t: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let wrong = t - t.mean_axis(Axis(1)); // the axis that is gone was not put back
    let line = line!() - 1;
    match wrong.sqrt().max().compute() {
        Ok(value) => Err(format!("a value of shapes that do not fit: {value}").into()),
        Err(err) if err.to_string().contains(&format!("quickstart.rs:{line}:")) => {
            println!("a mistake: {err}");
            Ok(())
        }
        Err(err) => Err(format!("an error without its line: {err}").into()),
    }
}
