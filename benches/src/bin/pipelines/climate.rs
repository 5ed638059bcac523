//! Months of years and their anomalies; the vegetation index of a satellite image.

use chunkwise::prelude::*;
use chunkwise_benches::{close, uniform};
use ndarray::{Array2, Array3};
use rayon::prelude::*;

use crate::versus::{Versus, agree};

const YEARS: usize = 40;
const LATITUDES: usize = 128;
const LONGITUDES: usize = 256;
const CELLS: usize = LATITUDES * LONGITUDES;

/// Cells whose years stay in the cache: 320 KiB.
const TILE: usize = 1024;

pub(crate) fn climatology(versus: &Versus) -> chunkwise::Result<f64> {
    let shape = (12 * YEARS, LATITUDES, LONGITUDES);
    let data = Array3::from_shape_vec(shape, uniform(12 * YEARS * CELLS))
        .expect("as many elements as the shape has")
        .into_shared();
    // All months of some cells in a block, as such files are kept.
    let x = LazyArray::from_ndarray(&data, (.., 32, 32));
    let ours = || {
        let years = x.reshape((YEARS, 12, LATITUDES, LONGITUDES));
        (&years - years.mean_axis(Axis(0))).abs().max().compute()
    };
    let slice = data.as_slice().unwrap_or_default();
    versus.report(|| largest_anomaly(slice), ours, |hand, ours| close(*ours, *hand, 1e-12))
}

fn largest_anomaly(x: &[f64]) -> f64 {
    let tiles = CELLS / TILE;
    let tile = |number: usize| {
        let start = number / tiles * CELLS + number % tiles * TILE;
        let year = |year: usize| &x[start + year * 12 * CELLS..][..TILE];
        let mut mean = [0.0; TILE];
        for year in (0..YEARS).map(year) {
            mean.iter_mut().zip(year).for_each(|(mean, x)| *mean += x);
        }
        mean.iter_mut().for_each(|mean| *mean /= YEARS as f64);
        let mut largest = [0.0_f64; 8];
        for year in (0..YEARS).map(year) {
            for (x, mean) in year.as_chunks::<8>().0.iter().zip(mean.as_chunks::<8>().0) {
                for lane in 0..8 {
                    let anomaly = (x[lane] - mean[lane]).abs();
                    largest[lane] = if anomaly > largest[lane] { anomaly } else { largest[lane] };
                }
            }
        }
        largest.into_iter().fold(0.0, f64::max)
    };
    (0..12 * tiles).into_par_iter().map(tile).reduce(|| 0.0, f64::max)
}

const SIDE: usize = 4000;

pub(crate) fn ndvi(versus: &Versus) -> chunkwise::Result<f64> {
    let numbers = uniform(3 * SIDE * SIDE);
    let image = |band: usize| {
        let numbers = &numbers[band * SIDE * SIDE..][..SIDE * SIDE];
        let image: Vec<f32> = numbers.iter().map(|&x| 0.1 + x as f32).collect();
        Array2::from_shape_vec((SIDE, SIDE), image).expect("as many elements as the shape has").into_shared()
    };
    let (near, red) = (image(0), image(1));
    let clouds = image(2).mapv(|x| x > 0.8).into_shared();
    let nir = LazyArray::from_ndarray(&near, 1000);
    let visible = LazyArray::from_ndarray(&red, 1000);
    let cloudy = LazyArray::from_ndarray(&clouds, 1000);
    let ours = || {
        let ndvi = ((&nir - &visible) / (&nir + &visible)).masked_where(&cloudy);
        chunkwise::compute((ndvi.filled(f32::NAN), ndvi.mean()))
    };
    let slices = (near.as_slice(), red.as_slice(), clouds.as_slice());
    let (near, red) = (slices.0.unwrap_or_default(), slices.1.unwrap_or_default());
    let clouds = slices.2.unwrap_or_default();
    versus.report(
        || index_of(near, red, clouds),
        ours,
        |hand, (index, (mean, missing))| {
            agree(&hand.0, index, 1e-6) && !missing && close(f64::from(*mean), hand.1, 1e-6)
        },
    )
}

/// The index, NaN where there are clouds, and its mean without them.
fn index_of(near: &[f32], red: &[f32], clouds: &[bool]) -> (Vec<f32>, f64) {
    const TILE: usize = 16_384;
    let mut out = vec![0.0; near.len()];
    let input = near.par_chunks(TILE).zip(red.par_chunks(TILE)).zip(clouds.par_chunks(TILE));
    let sums = out.par_chunks_mut(TILE).zip(input).map(|(out, ((near, red), clouds))| {
        let (mut sum, mut count) = ([0.0_f64; 8], [0_u32; 8]);
        let input = near.as_chunks::<8>().0.iter().zip(red.as_chunks::<8>().0);
        let input = input.zip(clouds.as_chunks::<8>().0);
        for (out, ((near, red), clouds)) in out.as_chunks_mut::<8>().0.iter_mut().zip(input) {
            for lane in 0..8 {
                let index = (near[lane] - red[lane]) / (near[lane] + red[lane]);
                out[lane] = if clouds[lane] { f32::NAN } else { index };
                sum[lane] += f64::from(if clouds[lane] { 0.0 } else { index });
                count[lane] += u32::from(!clouds[lane]);
            }
        }
        (sum.iter().sum::<f64>(), count.iter().sum::<u32>())
    });
    let (sum, count) = sums.reduce(|| (0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    (out, sum / f64::from(count))
}
