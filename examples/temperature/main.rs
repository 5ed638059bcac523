//! How much does North America warm? Two runs of a climate model, 240 years each, read from Zarr.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --features zarr --example temperature [FOLDER]
//! ```
//!
//! Prints the warming of two scenarios beside the values that NumPy gives, and writes the anomaly as Zarr and a plot
//! as SVG into the folder.

mod expected;
mod plot;

use std::error::Error;
use std::path::{Path, PathBuf};

use chunkwise::ndarray::Array1;
use chunkwise::prelude::*;
use chunkwise_examples::data;

use expected::Expected;

const FIRST_YEAR: usize = 1860;
/// Years of a moving average, which is dated by its last year.
const WINDOW: usize = 5;
/// Kelvin.
const THRESHOLD: f64 = 287.0;
const ATTRIBUTION: &str = "British Crown copyright, 2018. Contains public sector information licensed under the Open \
                           Government Licence. Source: Met Office, Iris sample data.";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(default_folder, PathBuf::from);
    std::fs::create_dir_all(&folder)?;

    let a1b = chunkwise::open_zarr::<f32, Ix3>(data("a1b_v3.zarr"))?.cast::<f64>();
    let e1 = chunkwise::open_zarr::<f32, Ix3>(data("e1_v3.zarr"))?.cast::<f64>();
    println!("A1B: {a1b:?}\n E1: {e1:?}\n{ATTRIBUTION}\n");

    // One run for everything that is one number or one row: each file is read once.
    let gap = final_decade(&a1b) - final_decade(&e1);
    let (a1b_warms, e1_warms, gap) = chunkwise::compute((&summary(&a1b), &summary(&e1), gap.mean()))?;

    let mut expected = Expected::read(&data("expected.json"))?;
    compare(&mut expected, "a1b", &a1b_warms)?;
    compare(&mut expected, "e1", &e1_warms)?;
    expected.array("yearly_area_mean_first5", a1b_warms.yearly.slice(s![..5]))?;
    expected.array("yearly_area_mean_last5", a1b_warms.yearly.slice(s![-5..]))?;
    expected.array("moving_average_5_of_area_mean_first3", a1b_warms.smooth.slice(s![..3]))?;
    expected.number("mean", a1b_warms.mean)?;
    expected.number("e1_mean", e1_warms.mean)?;
    expected.number("a1b_minus_e1_final_decade_mean", gap)?;
    expected
        .number("a1b_anomaly_std_over_time_max", stored_spread(&a1b, &folder.join("a1b_anomaly.zarr"))?)?;
    expected.number("e1_anomaly_std_over_time_max", stored_spread(&e1, &folder.join("e1_anomaly.zarr"))?)?;

    let plot = folder.join("temperature.svg");
    plot::draw(&plot, &a1b_warms, &e1_warms)?;
    println!("\nanomalies and plot: {}", folder.display());
    expected.verdict()
}

/// What is asked of one scenario.
#[derive(Debug)]
pub(crate) struct Summary {
    mean: f64,
    /// Mean over the area, year by year.
    yearly: Array1<f64>,
    /// The moving average of `yearly`.
    smooth: Array1<f64>,
    /// Last decade minus first decade.
    warming: f64,
    /// The first year whose moving average is above the threshold.
    passes: Option<usize>,
}

/// A summary of an array of (year, latitude, longitude), to be computed.
fn summary(t: &LazyArray3<f64>) -> Delayed<Summary> {
    let yearly = t.mean_axis(Axis(2)).mean_axis(Axis(1));
    let smooth = moving_average(&yearly);
    let warming = yearly.slice(s![-10..]).mean() - yearly.slice(s![..10]).mean();
    let above = smooth.gt(THRESHOLD);
    delayed_with(
        (t.mean(), &yearly, &smooth, warming, above.any(), above.argmax()),
        |&mean, yearly, smooth, &warming, &any, &first| Summary {
            mean,
            yearly: yearly.clone(),
            smooth: smooth.clone(),
            warming,
            passes: any.then(|| FIRST_YEAR + WINDOW - 1 + first as usize),
        },
    )
}

/// Mean over each full window, as a sum of shifted slices.
fn moving_average(yearly: &LazyArray1<f64>) -> LazyArray1<f64> {
    let full = yearly.len() - WINDOW + 1;
    let shifted = |by: usize| yearly.slice(s![by..by + full]);
    (1..WINDOW).fold(shifted(0), |sum, by| sum + shifted(by)) / WINDOW as f64
}

fn final_decade(t: &LazyArray3<f64>) -> LazyArray3<f64> {
    t.slice(s![-10.., .., ..])
}

/// Stores the anomaly against the mean over time, block by block, and computes its largest spread from the stored one.
fn stored_spread(t: &LazyArray3<f64>, path: &Path) -> chunkwise::Result<f64> {
    let anomaly = t - t.mean_axis(Axis(0)).insert_axis(Axis(0));
    anomaly.store_zarr(path)?;
    chunkwise::open_zarr::<f64, Ix3>(path)?.std_axis(Axis(0), 0.0).max().compute()
}

fn compare(expected: &mut Expected, scenario: &str, got: &Summary) -> Result<(), Box<dyn Error>> {
    expected.number(&format!("{scenario}_warming_last_minus_first_decade"), got.warming)?;
    let year = got.passes.map_or(f64::NAN, |year| year as f64);
    expected.number(&format!("{scenario}_first_year_5y_mean_above_287K"), year)
}

fn default_folder() -> PathBuf {
    std::env::temp_dir().join("chunkwise-temperature")
}
