//! Measures the constants of the model of costs in `crates/lazy/src/cost.rs`, on one thread.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin costs -- [folder on the disk that values would go to]
//! ```
//!
//! The model is for orders of magnitude: whether a value is computed again or written to disk, and about how long a plan
//! takes. Run it on another machine to see how far that is off.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

use chunkwise::prelude::*;

const MIB: usize = 1 << 20;

/// Bytes that no cache holds.
const BYTES: usize = 512 * MIB;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "/var/tmp".to_owned());
    let file = Path::new(&folder).join(format!("chunkwise-costs-{}", std::process::id()));
    let rt = Runtime::builder().threads(1).no_memory_limit().build()?;
    let data = ndarray::Array1::from_shape_fn(BYTES / 8, |i| i as f64);

    println!("an addition in the first-level cache: {:.3} ns", addition());
    let x = LazyArray::from_ndarray(data, MIB / 8);
    let from_memory = best(|| rt.compute(x.sum()).map(drop))?;
    println!("memory, read: {:.2} bytes/ns", BYTES as f64 / from_memory);
    rt.store_npy(&x, &file)?;
    let stored = chunkwise::open_npy::<f64, Ix1>(&file)?.rechunk(MIB / 8);
    let from_file = best(|| rt.compute(stored.sum()).map(drop))?;
    println!("npy, read and summed: {:.2} bytes/ns", BYTES as f64 / from_file);
    std::fs::remove_file(&file)?;

    let (write, read) = disk(&file)?;
    println!("disk: written {write:.2} bytes/ns, read back {read:.2} bytes/ns");
    std::fs::remove_file(&file)?;

    let tiny = LazyArray::<i64, _>::from_blocks(100_000, 1, |_| ndarray::Array1::zeros(1));
    println!("a task: {:.0} ns", best(|| rt.compute(tiny.max()).map(drop))? / 100_000.0);
    let random = chunkwise::random::Generator::new(1).uniform(0.0, 1.0, BYTES / 64, MIB / 8);
    println!("a random number: {:.2} ns", best(|| rt.compute(random.sum()).map(drop))? / (BYTES / 64) as f64);
    Ok(())
}

/// Nanoseconds of the best of some runs.
fn best(run: impl Fn() -> chunkwise::Result<()>) -> chunkwise::Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        run()?;
        least = least.min(start.elapsed().as_secs_f64() * 1e9);
    }
    Ok(least)
}

fn addition() -> f64 {
    let (a, b, mut sum) = (vec![1.0; 1024], vec![2.0; 1024], vec![0.0; 1024]);
    let mut least = f64::INFINITY;
    for _ in 0..2000 {
        let start = Instant::now();
        for _ in 0..64 {
            for ((sum, a), b) in sum.iter_mut().zip(black_box(&a)).zip(black_box(&b)) {
                *sum = a + b;
            }
            black_box(&mut sum);
        }
        least = least.min(start.elapsed().as_secs_f64() * 1e9 / (64.0 * 1024.0));
    }
    least
}

/// Bytes per nanosecond of writing blocks to a file that is as large as the data, and of reading them back.
fn disk(path: &Path) -> std::io::Result<(f64, f64)> {
    let mut block = vec![7_u8; MIB];
    let (mut file, start) = (File::create(path)?, Instant::now());
    for _ in 0..BYTES / MIB {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    let write = BYTES as f64 / (start.elapsed().as_secs_f64() * 1e9);
    let (mut file, start) = (File::open(path)?, Instant::now());
    for _ in 0..BYTES / MIB {
        file.read_exact(&mut block)?;
    }
    Ok((write, BYTES as f64 / (start.elapsed().as_secs_f64() * 1e9)))
}
