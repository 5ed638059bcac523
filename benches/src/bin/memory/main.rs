//! Measures what the memory limit promises: workloads on arrays of many times the limit, each in a process of its own.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --features zarr --bin memory                       # every workload
//! cargo run --release -p chunkwise-benches --features zarr --bin memory -- center_npy rechunk # some
//! cargo run --release -p chunkwise-benches --features zarr --bin memory -- --budget "128 MiB" --factor 10 --dir /data
//! ```
//!
//! It prints one JSON object for each workload:
//!
//! * `budget_bytes` is the memory limit, `array_bytes` the size of the array, `factor` times as much.
//! * `one_thread_peak_bytes` and `planned_peak_bytes` are what the plan says for one thread and for all;
//!   `tracked_peak_bytes` is the most that was live, by the bytes that tasks declare.
//! * `rss_peak_bytes` is the most memory the system had given to the process, beyond what it had when idle, and
//!   `anon_peak_bytes` the part of it that is no file; sampled every few milliseconds.
//! * `spilled_bytes` went to disk because they did not fit.
//! * `ms` is the time of the computation, `bound_ms` that of the same passes over the data without what connects them
//!   and without a limit, `disk_ms` that of writing and reading as many plain bytes; `--no-bound` leaves both out.
//!
//! Sources are written beforehand and results are checked afterwards, both outside of what is measured. All files are
//! in a folder of their own in `--dir`, by default the system's folder for large temporary files, and removed at the end. It
//! needs room for four such arrays there.

mod disk;
mod measure;
mod options;
mod workloads;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use self::options::{Options, Part};
use self::workloads::{Job, Workload};

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let result = Options::parse(std::env::args().skip(1)).and_then(|options| match options.part {
        None => every_workload(&options),
        Some(part) => one_part(&options, part),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The parent: starts a process for each part of each workload.
fn every_workload(options: &Options) -> Result<(), Failure> {
    let folder = options.dir.join(format!("chunkwise-memory-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = options.workloads.iter().try_for_each(|workload| measure(options, &folder, workload));
    fs::remove_dir_all(&folder)?;
    result
}

/// One workload: its source, its bounds, itself.
fn measure(options: &Options, folder: &Path, workload: &Workload) -> Result<(), Failure> {
    part(options, folder, workload, Part::Prepare)?;
    let mut line = part(options, folder, workload, Part::Run)?;
    if options.bound {
        let bound = part(options, folder, workload, Part::Bound)?;
        let disk = disk::time(folder, options.array_bytes(), workload.reads)?;
        line = format!("{}, {bound}, \"disk_ms\": {disk:.0}}}", line.trim_end_matches('}'));
    }
    println!("{line}");
    Ok(())
}

/// Runs a part in a child; returns what it printed.
fn part(options: &Options, folder: &Path, workload: &Workload, part: Part) -> Result<String, Failure> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(options.for_child(folder, workload.name, part)).stderr(Stdio::inherit());
    let output = child.output()?;
    if !output.status.success() {
        return Err(format!("{} ({part}) failed: {}", workload.name, output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The child: one part of one workload.
fn one_part(options: &Options, part: Part) -> Result<(), Failure> {
    let [workload] = &options.workloads[..] else { return Err("a part is of one workload".into()) };
    let job = Job::new(options);
    match part {
        Part::Prepare => (workload.source.prepare)(&job),
        Part::Bound => workload.bound(&job).map(|ms| println!("\"bound_ms\": {ms:.0}")),
        Part::Run => workload.run(&job).map(|line| println!("{line}")),
    }
}
