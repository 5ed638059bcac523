//! Filters of a stack of pictures: the temperature of North America in each of 240 years.
//!
//! ```text
//! cargo run --release --example image_filters [FOLDER]
//! ```
//!
//! The fields are smoothed, their edges found, and salt and pepper removed, all years in one run; the last year goes as
//! pictures (PGM) into the folder. What a filter must leave as it is, is checked.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use chunkwise::Boundary;
use chunkwise::ndarray::{Array2, ArrayView2, arr1};
use chunkwise::prelude::*;
use chunkwise_examples::{data, show};

const ATTRIBUTION: &str = "British Crown copyright, 2018. Contains public sector information licensed under the Open \
                           Government Licence. Source: Met Office, Iris sample data.";
/// Pixels of a picture for each element, on either axis.
const ZOOM: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(default_folder, PathBuf::from);
    fs::create_dir_all(&folder)?;

    // Years by latitudes by longitudes, north up; kelvin.
    let years = chunkwise::open_npy::<f32, Ix3>(data("a1b_air_temperature.npy"))?.cast::<f64>().flip(Axis(1));
    let years = years.rechunk((40, .., ..));
    println!("{years:?}\n{ATTRIBUTION}\n");

    // Over the two axes of a picture, not from year to year.
    let smooth = years.gaussian_filter([0.0, 2.0, 2.0], Boundary::Symmetric);
    let difference = arr1(&[-0.5, 0.0, 0.5]);
    let slope = |axis| years.correlate_axis(&difference, axis, Boundary::Nearest);
    let edges = (slope(Axis(1)).pow2() + slope(Axis(2)).pow2()).sqrt();
    let spoilt = &years + &noise(years.shape());
    let mended = spoilt.median_filter([1, 3, 3], Boundary::Symmetric);

    let last = years.shape()[0] - 1;
    let pictures =
        [("field", &years), ("smooth", &smooth), ("edges", &edges), ("spoilt", &spoilt), ("mended", &mended)];
    let of_last_year: Vec<LazyArray2<f64>> =
        pictures.iter().map(|(_, stack)| stack.index_axis(Axis(0), last)).collect();
    for ((name, _), picture) in pictures.iter().zip(chunkwise::compute(&of_last_year)?) {
        write_pgm(&folder.join(format!("{name}.pgm")), picture.view())?;
    }

    let left = (&mended - &years).abs().mean();
    let before = (&spoilt - &years).abs().mean();
    let (mean, smooth_mean, left, before) = chunkwise::compute((years.mean(), smooth.mean(), left, before))?;
    show("mean of all years", mean, mean)?;
    show("mean of the smooth fields", smooth_mean, mean)?;
    println!("distance from the field: {before:.3} K spoilt, {left:.3} K mended");
    println!("pictures: {}", folder.display());
    if left < before / 2.0 { Ok(()) } else { Err("the median should remove most of the noise".into()) }
}

/// One element in twenty is 40 K too hot or too cold.
fn noise(shape: &[usize]) -> LazyArray3<f64> {
    let shape = (shape[0], shape[1], shape[2]);
    LazyArray::from_fn(shape, (40, .., ..), |(year, i, j)| {
        let place = (year * 7919 + i * 104_729 + j * 1_299_709 + 13) * 2_654_435_761;
        match (place ^ (place >> 17)) % 40 {
            0 => 40.0,
            1 => -40.0,
            _ => 0.0,
        }
    })
}

/// Writes a picture as a portable grey map, from the least element in black to the largest in white.
fn write_pgm(path: &Path, picture: ArrayView2<'_, f64>) -> std::io::Result<()> {
    let (low, high) = picture.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
    let grey = |x: f64| (255.0 * (x - low) / (high - low).max(f64::MIN_POSITIVE)).round() as u8;
    let (rows, columns) = (picture.nrows() * ZOOM, picture.ncols() * ZOOM);
    let pixels = Array2::from_shape_fn((rows, columns), |(i, j)| grey(picture[[i / ZOOM, j / ZOOM]]));
    let head = format!("P5 {columns} {rows} 255\n");
    fs::write(path, [head.as_bytes(), pixels.as_slice().unwrap_or_default()].concat())
}

fn default_folder() -> PathBuf {
    std::env::temp_dir().join("chunkwise-image-filters")
}
