//! Columns with mean zero and standard deviation one.

use chunkwise::prelude::*;
use chunkwise_benches::uniform;
use ndarray::Array2;
use rayon::prelude::*;

use crate::versus::{Versus, agree};

const ROWS: usize = 16_000;
const COLUMNS: usize = 1000;

/// Rows that a thread takes at once: half a megabyte.
const TILE: usize = 64;

pub(crate) fn standardise(versus: &Versus) -> chunkwise::Result<f64> {
    let data = Array2::from_shape_vec((ROWS, COLUMNS), uniform(ROWS * COLUMNS))
        .expect("as many elements as the shape has")
        .into_shared();
    let x = LazyArray::from_ndarray(&data, "auto");
    let ours = || ((&x - x.mean_axis(Axis(0))) / x.std_axis(Axis(0), 0.0)).compute();
    let slice = data.as_slice().unwrap_or_default();
    versus.report(|| by_hand(slice), ours, |hand, ours| agree(hand, ours, 1e-10))
}

/// Sums of the differences from the first row, and of their squares.
struct Sums(Vec<f64>, Vec<f64>);

impl Sums {
    fn none() -> Sums {
        Sums(vec![0.0; COLUMNS], vec![0.0; COLUMNS])
    }

    fn add_rows(mut self, rows: &[f64], pivot: &[f64]) -> Sums {
        for row in rows.chunks_exact(COLUMNS) {
            let sums = self.0.iter_mut().zip(&mut self.1);
            for ((sum, square), (x, pivot)) in sums.zip(row.iter().zip(pivot)) {
                let difference = x - pivot;
                *sum += difference;
                *square += difference * difference;
            }
        }
        self
    }

    fn add(mut self, other: Sums) -> Sums {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a += b);
        self.1.iter_mut().zip(other.1).for_each(|(a, b)| *a += b);
        self
    }
}

fn by_hand(x: &[f64]) -> Vec<f64> {
    let (tile, n) = (TILE * COLUMNS, ROWS as f64);
    let pivot = &x[..COLUMNS];
    let sums = x.par_chunks(tile).fold(Sums::none, |sums, rows| sums.add_rows(rows, pivot));
    let Sums(sums, squares) = sums.reduce(Sums::none, Sums::add);
    let mean: Vec<f64> = sums.iter().zip(pivot).map(|(sum, pivot)| pivot + sum / n).collect();
    let spread = sums.iter().zip(&squares);
    let scale: Vec<f64> =
        spread.map(|(sum, square)| 1.0 / (square / n - (sum / n) * (sum / n)).sqrt()).collect();
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(tile).zip(x.par_chunks(tile)).for_each(|(out, x)| {
        for (out, x) in out.chunks_exact_mut(COLUMNS).zip(x.chunks_exact(COLUMNS)) {
            let columns = mean.iter().zip(&scale);
            for ((out, x), (mean, scale)) in out.iter_mut().zip(x).zip(columns) {
                *out = (x - mean) * scale;
            }
        }
    });
    out
}
