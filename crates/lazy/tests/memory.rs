//! The promise about memory: runs on arrays of several times the limit allocate no more than the limit says, and give
//! the bits of runs without one.
//!
//! In a file of its own, whose tests take turns: they measure what the whole process allocates.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

use std::path::PathBuf;
use std::sync::{Arc, Barrier};

use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise::{ErrorKind, Progress, RuntimeBuilder};

use counting::{measured, turn};

/// The memory limit.
const LIMIT: usize = 4 << 20;

/// Elements of the arrays: four times the limit.
const LEN: usize = 2 << 20;

/// Elements of a block of 128 KiB.
const BLOCK: usize = 16 << 10;

/// Graphs, tasks, queues: what is not elements.
const SMALL: usize = 512 << 10;

/// Registers that a thread keeps for the next kernel: nobody's but its own.
const REGISTERS: usize = 256 << 10;

/// Threads of a runtime, where nothing else is said.
const THREADS: usize = 3;

fn limited(threads: usize) -> RuntimeBuilder {
    Runtime::builder().threads(threads).memory_limit_bytes(LIMIT as u64).spill_dir(std::env::temp_dir())
}

fn unlimited() -> Runtime {
    Runtime::builder().threads(THREADS).no_memory_limit().build().unwrap()
}

/// What is allocated at most on so many threads, in one run or several.
fn most(threads: usize) -> usize {
    LIMIT + SMALL + threads * REGISTERS
}

/// A file that is removed when the test is done with it.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str) -> TempFile {
        let name = format!("chunkwise-memory-{name}-{}.npy", std::process::id());
        TempFile(std::env::temp_dir().join(name))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // It may not have been written.
        drop(std::fs::remove_file(&self.0));
    }
}

fn random() -> LazyArray1<f64> {
    Generator::new(5).uniform(0.0, 1.0, LEN, BLOCK)
}

/// Blocks that a function of the user's makes: what is needed twice is written to disk.
fn made() -> LazyArray1<f64> {
    LazyArray::from_blocks(LEN, BLOCK, |block| {
        ndarray::Array1::from_shape_fn(block.shape[0], |i| (((block.start[0] + i) * 31) % 997) as f64 / 7.0)
    })
}

fn centered(x: &LazyArray1<f64>) -> LazyArray1<f64> {
    x - x.mean()
}

/// One barrier after the other.
fn standardized(x: &LazyArray1<f64>) -> LazyArray1<f64> {
    let y = centered(x);
    &y / y.square().mean().sqrt()
}

/// Stores an array within the limit on one thread and on several: no more is allocated than it says, and the file
/// holds what a run without a limit gives.
fn check_stored(name: &str, x: &LazyArray1<f64>) {
    let want = without_limit(x);
    for threads in [1, THREADS] {
        let rt = limited(threads).build().unwrap();
        check_stored_on(&rt, name, x, &want);
    }
}

fn check_stored_on(rt: &Runtime, name: &str, x: &LazyArray1<f64>, want: &[u8]) {
    let file = TempFile::new(name);
    let progress = Arc::new(Progress::new());
    let observed = rt.observed_by(progress.clone());
    let planned = rt.plan_store_npy(x, &file.0).unwrap().most_bytes() as usize;
    let (done, held, _) = measured(|| observed.store_npy(x, &file.0));
    done.unwrap();
    assert!(held <= most(rt.threads()), "{name}: {held} bytes on {rt:?}");
    let tracked = progress.peak_bytes() as usize;
    assert!(tracked <= LIMIT && planned <= LIMIT, "{name}: {tracked} tracked, {planned} planned on {rt:?}");
    assert!(holds(&file, want), "{name} is another array on {rt:?}");
}

/// The bytes of an array, as a run without a limit computes them.
fn without_limit(x: &LazyArray1<f64>) -> Vec<u8> {
    unlimited().compute(x).unwrap().iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Whether a file holds these elements, after its header.
fn holds(file: &TempFile, elements: &[u8]) -> bool {
    std::fs::read(&file.0).unwrap().ends_with(elements)
}

#[test]
fn centering_random_numbers_stays_within_the_limit() {
    let _turn = turn();
    check_stored("random", &centered(&random()));
}

#[test]
fn centering_a_file_stays_within_the_limit() {
    let _turn = turn();
    let file = TempFile::new("source");
    unlimited().store_npy(&random(), &file.0).unwrap();
    let x = chunkwise::open_npy::<f64, Ix1>(&file.0).unwrap().rechunk(BLOCK);
    check_stored("npy", &centered(&x));
}

#[test]
fn scans_and_windows_of_ten_times_the_limit_stay_within_it() {
    let _turn = turn();
    let x = Generator::new(6).uniform(0.0, 1.0, 10 * LIMIT / size_of::<f64>(), BLOCK);
    check_stored("cumsum", &x.cumsum(Axis(0)));
    check_stored("moving-median", &x.moving_median(101, Axis(0)));
    check_stored("moving-std", &x.moving_std(1001, 0.0, Axis(0)));
}

#[test]
fn two_reductions_of_everything_stay_within_the_limit() {
    let _turn = turn();
    check_stored("two-reductions", &standardized(&random()));
}

#[test]
fn what_functions_made_goes_to_disk_and_stays_within_the_limit() {
    let _turn = turn();
    let x = centered(&made());
    assert!(limited(1).build().unwrap().plan_store(&x).unwrap().spill_bytes() >= (LEN * 8 - LIMIT) as u64);
    check_stored("spilled", &x);
    check_stored("spilled-twice", &standardized(&made()));
}

#[test]
fn persisted_array_larger_than_the_limit_is_made_and_read_within_it() {
    let _turn = turn();
    let want = without_limit(&centered(&random()));
    for threads in [1, THREADS] {
        let rt = limited(threads).build().unwrap();
        let (kept, held, _) = measured(|| rt.persist(&random()).unwrap());
        assert!(held <= most(threads), "{held} bytes to persist on {rt:?}");
        assert_eq!(rt.persisted_bytes(), 0);
        check_stored_on(&rt, "persisted", &centered(&kept), &want);
    }
}

#[test]
fn persisted_array_gives_way_to_a_later_run() {
    let _turn = turn();
    // Half of the limit, and a run that needs more than the other half.
    let small: LazyArray1<f64> = Generator::new(6).uniform(0.0, 1.0, LIMIT / 16 - BLOCK, BLOCK);
    let large = random().slice(s![..LIMIT / 8 - 4 * BLOCK]);
    let want = unlimited().compute(&large).unwrap();
    let rt = limited(2).build().unwrap();
    let ((kept, result), held, _) = measured(|| {
        let kept = rt.persist(&small).unwrap();
        assert_eq!(rt.persisted_bytes() as usize, small.nbytes());
        let result = rt.compute(&large).unwrap();
        (kept, result)
    });
    assert!(held <= most(2), "{held} bytes on {rt:?}");
    assert_eq!(rt.persisted_bytes(), 0);
    assert!(result == want);
    drop((result, want));
    assert!(rt.compute(&kept).unwrap() == unlimited().compute(&small).unwrap());
}

#[test]
fn runs_at_the_same_time_share_one_limit() {
    let _turn = turn();
    let arrays = [centered(&random()), standardized(&made())];
    let wanted: Vec<_> = arrays.iter().map(without_limit).collect();
    let rt = limited(2).build().unwrap();
    let files = [TempFile::new("shared-0"), TempFile::new("shared-1")];
    let start = Barrier::new(2);
    let ((), held, _) = measured(|| {
        std::thread::scope(|scope| {
            for (x, file) in arrays.iter().zip(&files) {
                let (rt, start) = (&rt, &start);
                scope.spawn(move || {
                    start.wait();
                    rt.store_npy(x, &file.0).unwrap();
                });
            }
        });
    });
    // The calling threads of both have registers, too.
    assert!(held <= most(4) + SMALL, "{held} bytes on {rt:?}");
    for (file, want) in files.iter().zip(&wanted) {
        assert!(holds(file, want));
    }
}

#[test]
fn run_inside_a_task_takes_no_more_than_its_plan_beside_the_limit() {
    let _turn = turn();
    let rt = limited(2).build().unwrap();
    let inner: LazyArray1<f64> = Generator::new(7).uniform(0.0, 1.0, 4 * BLOCK, BLOCK);
    let peak = rt.plan(inner.mean()).unwrap().peak_bytes() as usize;
    let (runtime, nested) = (rt.clone(), inner.clone());
    let x = LazyArray::<f64, Ix1>::from_blocks(LEN, BLOCK, move |block| {
        let mean = runtime.compute(nested.mean()).unwrap();
        ndarray::Array1::from_elem(block.shape[0], mean + block.start[0] as f64)
    });
    let file = TempFile::new("nested");
    let (done, held, _) = measured(|| rt.store_npy(&centered(&x), &file.0));
    done.unwrap();
    // Each of the two threads may be in a task that computes.
    assert!(held <= most(4) + 2 * peak, "{held} bytes on {rt:?}");
    let stored = chunkwise::open_npy::<f64, Ix1>(&file.0).unwrap().rechunk(BLOCK);
    let (first, last) = unlimited().compute((stored.slice(s![..1]), stored.slice(s![-1..]))).unwrap();
    assert_eq!(last[0] - first[0], (LEN - BLOCK) as f64);
}

#[test]
fn without_a_disk_the_error_names_the_task_and_the_bytes() {
    let _turn = turn();
    let rt = limited(2).no_spill().build().unwrap();
    let x = centered(&made());
    let err = rt.store_npy(&x, TempFile::new("refused").0.clone()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Memory);
    let text = err.to_string();
    assert!(text.contains("block") && text.contains(&LIMIT.to_string()), "{text}");
    assert!(text.contains("memory.rs:"), "{text}");
    // What can be made again needs no disk.
    let file = TempFile::new("made-again");
    rt.store_npy(&centered(&random()), &file.0).unwrap();
}

#[test]
fn disk_that_takes_nothing_is_a_storage_error() {
    let _turn = turn();
    let no_folder = TempFile::new("no-folder");
    std::fs::write(&no_folder.0, "a file").unwrap();
    let rt = Runtime::builder().threads(2).memory_limit_bytes(LIMIT as u64).spill_dir(&no_folder.0);
    let rt = rt.build().unwrap();
    let target = TempFile::new("unwritten");
    let (result, held, _) = measured(|| rt.store_npy(&centered(&made()), &target.0));
    let err = result.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Storage, "{err}");
    assert!(err.to_string().contains(&no_folder.0.display().to_string()), "{err}");
    assert!(held <= most(2), "{held} bytes on {rt:?}");
    assert!(!target.0.exists());
    let err = rt.persist(&made()).unwrap_err();
    assert!(err.to_string().contains(&no_folder.0.display().to_string()), "{err}");
    // Both have left the runtime as it was.
    assert_eq!(rt.persisted_bytes(), 0);
    assert!(rt.compute(made().max()).unwrap() > 142.0);
}
