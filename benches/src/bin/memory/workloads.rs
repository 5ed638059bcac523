//! The workloads: where the array comes from, what is computed of it, and whether the result is right.

use std::path::PathBuf;
use std::time::Instant;

use chunkwise::Plan;
use chunkwise::prelude::*;
use chunkwise::random::Generator;
use ndarray::Array2;

use super::Failure;
use super::measure::{Seen, watch};
use super::options::Options;

const COLUMNS: usize = 8192;

/// Blocks of which one takes the budget.
const BLOCKS_IN_BUDGET: usize = 32;

/// What is computed of an array, and how.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    /// How often the array must be read, at least.
    pub(crate) reads: u32,
    /// What is stored.
    result: fn(&Job, &LazyArray2<f64>) -> LazyArray2<f64>,
    /// The passes over the array, without what connects them.
    passes: fn(&Job, &LazyArray2<f64>) -> Vec<LazyArray2<f64>>,
    is_right: fn(&Job, &LazyArray2<f64>, &LazyArray2<f64>) -> chunkwise::Result<bool>,
    format: Format,
}

/// Where an array comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// Makes the files.
    pub(crate) prepare: fn(&Job) -> Result<(), Failure>,
    open: fn(&Job) -> chunkwise::Result<LazyArray2<f64>>,
    /// Whether it is persisted before it is used.
    persisted: bool,
}

/// What kind of file the result is.
#[derive(Clone, Copy, Debug)]
enum Format {
    Npy,
    #[cfg(feature = "zarr")]
    Zarr,
}

const RANDOM: Source = Source { prepare: |_| Ok(()), open: |job| Ok(job.random()), persisted: false };
const PERSISTED: Source = Source { persisted: true, ..RANDOM };
/// Blocks of a function of the user's: they are not made twice but written to disk.
const MADE: Source = Source { open: |job| Ok(job.made()), ..RANDOM };
const NPY: Source = Source { prepare: prepare_npy, open: open_npy, persisted: false };
#[cfg(feature = "zarr")]
const ZARR: Source = Source { prepare: prepare_zarr, open: open_zarr, persisted: false };

const CENTER: Workload = Workload {
    name: "center_random",
    source: RANDOM,
    reads: 2,
    result: |_, x| x - x.mean(),
    passes: |_, x| vec![row_of(x.mean_axis(Axis(0))), x - 0.5],
    is_right: |job, x, y| is_centered(job, x, y),
    format: Format::Npy,
};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload { reads: 0, ..CENTER },
    Workload { name: "center_made", source: MADE, ..CENTER },
    Workload { name: "center_npy", source: NPY, ..CENTER },
    #[cfg(feature = "zarr")]
    Workload { name: "center_zarr", source: ZARR, format: Format::Zarr, ..CENTER },
    Workload { name: "center_persisted", source: PERSISTED, ..CENTER },
    #[cfg(feature = "zarr")]
    Workload {
        name: "two_reductions",
        source: ZARR,
        reads: 2,
        result: |_, x| (x - row_of(x.mean_axis(Axis(0)))) / row_of(x.std_axis(Axis(0), 0.0)),
        passes: |_, x| vec![row_of(x.std_axis(Axis(0), 0.0)), (x - 0.5) / 0.3],
        is_right: |job, _, y| is_standardized(job, y),
        format: Format::Zarr,
    },
    #[cfg(feature = "zarr")]
    Workload {
        name: "rechunk",
        source: ZARR,
        reads: 1,
        result: |job, x| x.rechunk(job.column_chunks()),
        passes: |_, x| vec![x + 0.0],
        is_right: |job, x, y| {
            job.spots().try_fold(true, |same, spot| Ok(same && job.at(x, spot)? == job.at(y, spot)?))
        },
        format: Format::Zarr,
    },
];

/// Statistics of columns, as a row beside the rows of an array.
fn row_of(columns: LazyArray1<f64>) -> LazyArray2<f64> {
    columns.insert_axis(Axis(0))
}

impl Workload {
    /// Computes the result, looks on, checks it; returns a line of JSON.
    pub(crate) fn run(&self, job: &Job) -> Result<String, Failure> {
        let runtime = job.runtime(Some(job.budget))?;
        let source = (self.source.open)(job)?;
        // Threads, and what they keep, are there before memory is looked at.
        runtime.compute(LazyArray::<f64, _>::ones(1 << 20, 1 << 10).sum())?;
        let (mut one_thread, mut planned) = (0, 0);
        let seen = watch(&runtime, |runtime| {
            let x = if self.source.persisted { runtime.persist(&source)? } else { source.clone() };
            let result = (self.result)(job, &x);
            let plan = self.format.plan(job, runtime, &result)?;
            (one_thread, planned) = (plan.peak_bytes(), plan.most_bytes());
            Ok(self.format.store(job, runtime, &result)?)
        })?;
        let stored = self.format.open(job)?;
        let right = (self.is_right)(job, &source, &stored)?;
        drop(stored);
        self.format.remove(job)?;
        if !right {
            return Err(format!("{} stores a wrong result", self.name).into());
        }
        Ok(self.line(job, &seen, one_thread, planned))
    }

    fn line(&self, job: &Job, seen: &Seen, one_thread: u64, planned: u64) -> String {
        let Seen { ms, rss_peak, anon_peak, tracked_peak, spilled } = seen;
        format!(
            "{{\"workload\": \"{}\", \"budget_bytes\": {}, \"array_bytes\": {}, \"one_thread_peak_bytes\": {one_thread}, \
             \"planned_peak_bytes\": {planned}, \"tracked_peak_bytes\": {tracked_peak}, \"rss_peak_bytes\": {rss_peak}, \
             \"anon_peak_bytes\": {anon_peak}, \"spilled_bytes\": {spilled}, \"ms\": {ms:.0}}}",
            self.name,
            job.budget,
            job.rows * COLUMNS * size_of::<f64>(),
        )
    }

    /// Milliseconds of the passes alone, without a limit: the reductions, then the store.
    pub(crate) fn bound(&self, job: &Job) -> Result<f64, Failure> {
        let runtime = job.runtime(None)?;
        let source = (self.source.open)(job)?;
        let mut passes = (self.passes)(job, &source);
        let last = passes.pop().ok_or("a workload has a pass")?;
        let start = Instant::now();
        for reduction in passes {
            runtime.compute(reduction)?;
        }
        self.format.store(job, &runtime, &last)?;
        let ms = start.elapsed().as_secs_f64() * 1e3;
        self.format.remove(job)?;
        Ok(ms)
    }
}

impl Format {
    fn path(self, job: &Job) -> PathBuf {
        job.folder.join(match self {
            Format::Npy => "result.npy",
            #[cfg(feature = "zarr")]
            Format::Zarr => "result.zarr",
        })
    }

    fn store(self, job: &Job, runtime: &Runtime, result: &LazyArray2<f64>) -> chunkwise::Result<()> {
        let path = self.path(job);
        match self {
            Format::Npy => runtime.store_npy(result, path),
            #[cfg(feature = "zarr")]
            Format::Zarr => runtime.store_zarr_with(result, path, chunkwise::ZarrOptions::default()),
        }
    }

    fn plan(self, job: &Job, runtime: &Runtime, result: &LazyArray2<f64>) -> chunkwise::Result<Plan> {
        let path = self.path(job);
        match self {
            Format::Npy => runtime.plan_store_npy(result, path),
            #[cfg(feature = "zarr")]
            Format::Zarr => runtime.plan_store_zarr_with(result, path, chunkwise::ZarrOptions::default()),
        }
    }

    fn open(self, job: &Job) -> chunkwise::Result<LazyArray2<f64>> {
        let path = self.path(job);
        match self {
            Format::Npy => Ok(chunkwise::open_npy(path)?.rechunk(job.chunks())),
            #[cfg(feature = "zarr")]
            Format::Zarr => chunkwise::open_zarr(path),
        }
    }

    fn remove(self, job: &Job) -> std::io::Result<()> {
        match self {
            Format::Npy => std::fs::remove_file(self.path(job)),
            #[cfg(feature = "zarr")]
            Format::Zarr => std::fs::remove_dir_all(self.path(job)),
        }
    }
}

/// The array of a workload, its blocks and its place.
#[derive(Debug)]
pub(crate) struct Job {
    folder: PathBuf,
    budget: u64,
    threads: Option<usize>,
    rows: usize,
    /// Rows of a block.
    block: usize,
}

impl Job {
    pub(crate) fn new(options: &Options) -> Job {
        let row = COLUMNS * size_of::<f64>();
        let block = (options.budget as usize / BLOCKS_IN_BUDGET / row).max(1);
        let rows = (options.array_bytes() as usize / row).max(1);
        Job {
            folder: options.dir.clone(),
            budget: options.budget,
            threads: options.threads,
            rows,
            block: block.min(rows),
        }
    }

    fn runtime(&self, limit: Option<u64>) -> chunkwise::Result<Runtime> {
        let builder = Runtime::builder().spill_dir(&self.folder);
        let builder = self.threads.into_iter().fold(builder, |builder, threads| builder.threads(threads));
        limit
            .map_or_else(
                || builder.clone().no_memory_limit(),
                |limit| builder.clone().memory_limit_bytes(limit),
            )
            .build()
    }

    fn chunks(&self) -> (usize, usize) {
        (self.block, COLUMNS)
    }

    /// Blocks of whole columns, of as many bytes.
    #[cfg(feature = "zarr")]
    fn column_chunks(&self) -> (usize, usize) {
        (self.rows, (self.block * COLUMNS / self.rows).max(1))
    }

    fn random(&self) -> LazyArray2<f64> {
        Generator::new(11).uniform(0.0, 1.0, (self.rows, COLUMNS), self.chunks())
    }

    fn made(&self) -> LazyArray2<f64> {
        LazyArray::from_blocks((self.rows, COLUMNS), self.chunks(), |block| {
            let first = block.start[0] * COLUMNS;
            Array2::from_shape_fn((block.shape[0], COLUMNS), |(row, column)| {
                ((first + row * COLUMNS + column) % 99_991) as f64 / 99_991.0
            })
        })
    }

    /// Elements that are looked at, all over the array.
    fn spots(&self) -> impl Iterator<Item = (usize, usize)> {
        let rows = self.rows;
        (0..16).map(move |i| (i * (rows - 1) / 15, (i * 2741) % COLUMNS))
    }

    fn at(&self, x: &LazyArray2<f64>, (row, column): (usize, usize)) -> chunkwise::Result<f64> {
        let spot: Array2<f64> = self.runtime(None)?.compute(x.slice(s![row..row + 1, column..column + 1]))?;
        Ok(spot[[0, 0]])
    }
}

/// Whether `y` is `x` less one number, and has the mean 0.
fn is_centered(job: &Job, x: &LazyArray2<f64>, y: &LazyArray2<f64>) -> chunkwise::Result<bool> {
    let shift = job.at(x, (0, 0))? - job.at(y, (0, 0))?;
    let shifted = |right: bool, spot| -> chunkwise::Result<bool> {
        Ok(right && (job.at(x, spot)? - job.at(y, spot)? - shift).abs() < 1e-12)
    };
    let mean: f64 = job.runtime(None)?.compute(y.mean())?;
    Ok(mean.abs() < 1e-12 && job.spots().try_fold(true, shifted)?)
}

/// Whether the columns of `y` have the mean 0 and the deviation 1.
#[cfg(feature = "zarr")]
fn is_standardized(job: &Job, y: &LazyArray2<f64>) -> chunkwise::Result<bool> {
    let (mean, std) = job.runtime(None)?.compute((y.mean_axis(Axis(0)), y.std_axis(Axis(0), 0.0)))?;
    Ok(mean.iter().all(|mean| mean.abs() < 1e-10) && std.iter().all(|std| (std - 1.0).abs() < 1e-10))
}

fn prepare_npy(job: &Job) -> Result<(), Failure> {
    let path = job.folder.join("source.npy");
    if !path.exists() {
        job.runtime(None)?.store_npy(&job.random(), path)?;
    }
    Ok(())
}

fn open_npy(job: &Job) -> chunkwise::Result<LazyArray2<f64>> {
    Ok(chunkwise::open_npy(job.folder.join("source.npy"))?.rechunk(job.chunks()))
}

#[cfg(feature = "zarr")]
fn prepare_zarr(job: &Job) -> Result<(), Failure> {
    let path = job.folder.join("source.zarr");
    if !path.exists() {
        job.runtime(None)?.store_zarr_with(&job.random(), path, chunkwise::ZarrOptions::default())?;
    }
    Ok(())
}

#[cfg(feature = "zarr")]
fn open_zarr(job: &Job) -> chunkwise::Result<LazyArray2<f64>> {
    chunkwise::open_zarr(job.folder.join("source.zarr"))
}
