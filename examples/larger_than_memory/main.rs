//! Normalises an array of several times its own memory limit: every column gets the mean 0 and the deviation 1.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --example larger_than_memory
//! cargo run --release -p chunkwise-examples --example larger_than_memory -- "512 MiB" 10     # limit, times
//! ```
//!
//! The array is a file; its statistics and the result need it as a whole, one after the other. It prints what the
//! plan says the computation will take, and what it took: as its tasks declare it, and as the system sees the process.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise::{Plan, Progress};
use chunkwise_examples::Folder;

const COLUMNS: usize = 1024;

/// What the command line says.
struct Sizes {
    limit: u64,
    times: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let sizes = Sizes::from_args()?;
    let folder = Folder::new("larger-than-memory")?;
    let (source, target) = (folder.file("x.npy"), folder.file("normal.npy"));

    let progress = Arc::new(Progress::new());
    let rt = Runtime::builder().memory_limit_bytes(sizes.limit).spill_dir(folder.path()).build()?;
    let rt = rt.observed_by(progress.clone());
    // Numbers are drawn block by block on their way to the file.
    let rows = (sizes.limit * sizes.times) as usize / (8 * COLUMNS);
    let x = Generator::new(1).normal(20.0, 5.0, (rows, COLUMNS), (sizes.rows_of_a_block(), ..));
    rt.store_npy(&x, &source)?;

    let x = chunkwise::open_npy::<f64, Ix2>(&source)?.rechunk((sizes.rows_of_a_block(), ..));
    println!("{x:?}\n{}, with a memory limit of {}", mib(x.nbytes() as u64), mib(sizes.limit));
    let normal = normalised(&x);
    let plan = rt.plan_store_npy(&normal, &target)?;
    let start = Instant::now();
    rt.store_npy(&normal, &target)?;
    println!("normalised and stored in {:.2} s", start.elapsed().as_secs_f64());
    report(&plan, &progress, sizes.limit)?;
    check(&rt, &target)
}

/// The array, less the mean of each column, by its standard deviation.
fn normalised(x: &LazyArray2<f64>) -> LazyArray2<f64> {
    let mean = x.mean_axis(Axis(0)).insert_axis(Axis(0));
    let std = x.std_axis(Axis(0), 0.0).insert_axis(Axis(0));
    (x - mean) / std
}

/// Prints planned against actual; an error when the limit was exceeded.
fn report(plan: &Plan, progress: &Progress, limit: u64) -> Result<(), Box<dyn Error>> {
    println!("planned:  {} on one thread, {} on all", mib(plan.peak_bytes()), mib(plan.most_bytes()));
    println!("tracked:  {}", mib(progress.peak_bytes()));
    println!("on disk:  {} planned, {} written", mib(plan.spill_bytes()), mib(progress.spilled_bytes()));
    match resident_peak() {
        Some(peak) => println!("resident: {} at most, the program itself included", mib(peak)),
        None => println!("resident: this system does not tell"),
    }
    if progress.peak_bytes() <= limit {
        Ok(())
    } else {
        Err("more was in memory than the limit allows".into())
    }
}

/// The columns of the stored result have the mean 0 and the deviation 1.
fn check(rt: &Runtime, target: &Path) -> Result<(), Box<dyn Error>> {
    let y = chunkwise::open_npy::<f64, Ix2>(target)?;
    let (mean, std) = rt.compute((y.mean_axis(Axis(0)), y.std_axis(Axis(0), 0.0)))?;
    let mean = mean.iter().fold(0.0, |most: f64, mean| most.max(mean.abs()));
    let std = std.iter().fold(0.0, |most: f64, std| most.max((std - 1.0).abs()));
    println!("columns: means within {mean:.1e} of 0, deviations within {std:.1e} of 1");
    if mean < 1e-10 && std < 1e-10 { Ok(()) } else { Err("the columns are not normalised".into()) }
}

impl Sizes {
    fn from_args() -> Result<Sizes, Box<dyn Error>> {
        let mut args = std::env::args().skip(1);
        let limit = args.next().unwrap_or_else(|| "16 MiB".to_owned());
        let times = args.next().map_or(Ok(8), |times| times.parse())?;
        // The runtime knows how sizes are written.
        let limit = Runtime::builder().threads(1).memory_limit(&limit).build()?.memory_limit().unwrap_or(0);
        if limit < 1 << 20 {
            Err("the limit must be at least 1 MiB".into())
        } else {
            Ok(Sizes { limit, times })
        }
    }

    /// Blocks of a 32nd of the limit.
    fn rows_of_a_block(&self) -> usize {
        (self.limit as usize / 32 / (8 * COLUMNS)).max(1)
    }
}

/// Most bytes that the process has had in memory, on Linux.
fn resident_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
