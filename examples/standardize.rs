//! `(x - mean) / std` of a stored array with a memory limit of a sixteenth of it: the file is read twice, and nothing else
//! touches the disk but the result.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --example standardize
//! ```
//!
//! Mean and deviation need all of `x`, and the result needs `x` again when they are known. They are folded together, in one
//! read; to keep what was read would take more memory than there is, to write it elsewhere more time than to read it again.

use std::error::Error;
use std::sync::Arc;

use chunkwise::Progress;
use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise_examples::Folder;

const ROWS: usize = 1 << 14;
const COLUMNS: usize = 1 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("standardize")?;
    let (source, target) = (folder.file("x.npy"), folder.file("y.npy"));
    let nbytes = (8 * ROWS * COLUMNS) as u64;
    let progress = Arc::new(Progress::new());
    let rt = Runtime::builder().memory_limit_bytes(nbytes / 16).spill_dir(folder.path()).build()?;
    rt.store_npy(&Generator::new(7).normal(20.0, 5.0, (ROWS, COLUMNS), (64, ..)), &source)?;

    let x = chunkwise::open_npy::<f64, Ix2>(&source)?.rechunk((64, ..));
    let y = (&x - x.mean_axis(Axis(0))) / x.std_axis(Axis(0), 0.0);
    let plan = rt.plan_store_npy(&y, &target)?;
    println!("{plan}");
    // Blocks that are made again are read again.
    let read = plan.bytes_read() + plan.rerun_bytes();
    let times = read as f64 / nbytes as f64;
    println!("the file is read {times:.2} times; {} bytes go to disk beside the result", plan.spill_bytes());
    if read > 2 * nbytes || plan.spill_bytes() > 0 {
        return Err("the file should be read twice, and nothing be written".into());
    }

    rt.observed_by(progress.clone()).store_npy(&y, &target)?;
    let (peak, limit) = (progress.peak_bytes(), nbytes / 16);
    println!("peak: {} bytes planned, {peak} live, of {limit}", plan.most_bytes());
    let y = chunkwise::open_npy::<f64, Ix2>(&target)?;
    let (mean, std) = rt.compute((y.mean_axis(Axis(0)), y.std_axis(Axis(0), 0.0)))?;
    let off = mean.iter().map(|mean| mean.abs()).chain(std.iter().map(|std| (std - 1.0).abs()));
    let off = off.fold(0.0, f64::max);
    println!("means and deviations of the result are within {off:.1e} of 0 and 1");
    if peak <= limit && off < 1e-10 { Ok(()) } else { Err("the limit or the result is wrong".into()) }
}
