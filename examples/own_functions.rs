//! Functions of your own, from single elements to blocks with a margin. Every value is printed and checked.
//!
//! ```text
//! cargo run --release --example own_functions
//! ```

use std::error::Error;

use chunkwise::ndarray::{Array1, ArrayView1};
use chunkwise::prelude::*;
use chunkwise::{BlockLayout, Boundary, apply_gufunc, zip_blocks};
use chunkwise_examples::show;

const ROWS: usize = 1000;
const COLUMNS: usize = 30;

fn main() -> Result<(), Box<dyn Error>> {
    let x = LazyArray::from_fn((ROWS, COLUMNS), (100, 10), |(i, j)| ((i * 7 + j * 13) % 100) as f64);
    println!("{x:?}\n");
    elements(&x)?;
    blocks(&x)?;
    lanes(&x)?;
    several_arrays(&x)?;
    margins(&x)?;
    mistakes(&x)
}

/// Of each element. It is fused with what is around it.
fn elements(x: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let classes = x.mapv(|value| if value < 50.0 { 0_u8 } else { 1 });
    Ok(show("elements from 50 up", classes.sum().compute()? as f64, 15_000.0)?)
}

/// Of each block: its view, and where it lies.
fn blocks(x: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let centred = x.map_blocks(|block, _| &block - block.mean().unwrap_or(0.0));
    show("mean without the means of the blocks", 1.0 + centred.mean().compute()?, 1.0)?;

    // Blocks of other shapes are declared: here two rows for each block, the least and the largest of every column.
    let layout = BlockLayout::new().sizes(Axis(0), 2);
    let ranges = x.map_blocks_to(layout, |block, _| {
        let fold = |f: fn(f64, f64) -> f64, first: f64| {
            block
                .columns()
                .into_iter()
                .map(|column| column.fold(first, |a, &b| f(a, b)))
                .collect::<Array1<f64>>()
        };
        ndarray::stack![Axis(0), fold(f64::min, f64::MAX), fold(f64::max, f64::MIN)]
    });
    show("rows of ranges", ranges.shape()[0] as f64, 20.0)?;

    // One value for each block, merged as an array of as few elements as there are blocks.
    let hits = x.reduce_blocks(|block, _| block.iter().filter(|&&value| value == 99.0).count() as u64);
    Ok(show("elements that are 99", hits.sum().compute()? as f64, 300.0)?)
}

/// Of each lane along an axis, whatever blocks it is cut into.
fn lanes(x: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let middle = |lane: ArrayView1<'_, f64>| {
        let mut sorted = lane.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let medians = x.map_axis(Axis(0), middle);
    show("mean of the medians of the columns", medians.mean().compute()?, 50.0)?;
    let ranks = x.apply_along_axis(Axis(0), 3, |lane| lane.slice(s![..3]).to_owned());
    Ok(show("rows of the first three", ranks.shape()[0] as f64, 3.0)?)
}

/// Of the blocks of several arrays, which may be cut and shaped differently.
fn several_arrays(x: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let scale = LazyArray::arange(0.0_f64, COLUMNS as f64, 1.0, 7);
    let product = zip_blocks((x, &scale), |x, scale, _| &x * &scale);
    let difference = (&product - &(x * &scale)).abs().max().compute()?;
    show("difference from x * scale", 1.0 + difference, 1.0)?;

    // A signature names the axes that a function takes whole; it is called for all others.
    let dot = apply_gufunc("(i),(i)->()", (x, &scale), |x, scale, _| x.dot(&scale));
    let want = product.sum().compute()?;
    Ok(show("sum of the products", dot.sum().compute()?, want)?)
}

/// Of blocks with a margin of their neighbours.
fn margins(x: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let means = x.map_overlap([1, 0], Boundary::Periodic, |padded, _| {
        let (before, after) = (padded.slice(s![..-2, ..]), padded.slice(s![2.., ..]));
        (&before + &padded.slice(s![1..padded.nrows() - 1, ..]) + after) / 3.0
    });
    Ok(show("mean of the moving means", means.mean().compute()?, x.mean().compute()?)?)
}

/// Errors and panics of a function are errors of the computation: with the operation, the block and the line.
fn mistakes(x: &LazyArray2<f64>) -> Result<(), Box<dyn Error>> {
    let refused = x.try_map_blocks(|block, info| match info.index[0] {
        3 => Err("no data for block 3"),
        _ => Ok(block.to_owned()),
    });
    let misshaped = x.map_blocks(|block, _| block.slice(s![1.., ..]).to_owned());
    for mistake in [refused, misshaped] {
        match mistake.compute() {
            Err(error) => println!("{error}"),
            Ok(_) => return Err("this should be an error".into()),
        }
    }
    Ok(())
}
