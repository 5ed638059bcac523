//! Arrays of ten times the memory limit that are laid out anew, or taken block by block: what is allocated stays within
//! the limit.
//!
//! In a file of its own, whose tests take turns: they measure what the whole process allocates.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chunkwise::prelude::*;
use chunkwise::{ErrorKind, PadMode};

use counting::{measured, turn};

/// 80 MiB: a tenth must hold the 4 MiB of pages that the reading of a square block of a file maps.
const ROWS: usize = 5120;
const COLUMNS: usize = 2048;
const NBYTES: usize = ROWS * COLUMNS * 8;

/// The memory limit.
const LIMIT: usize = NBYTES / 10;

/// Elements of a block of 128 KiB along each axis.
const SIDE: usize = 128;

/// Graphs, tasks, queues, and the registers of threads.
const SMALL: usize = 2 << 20;

fn limited() -> Runtime {
    Runtime::builder()
        .threads(2)
        .memory_limit_bytes(LIMIT as u64)
        .spill_dir(std::env::temp_dir())
        .build()
        .unwrap()
}

/// A file that is removed when the test is done with it.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str) -> TempFile {
        let name = format!("chunkwise-layout-{name}-{}.npy", std::process::id());
        TempFile(std::env::temp_dir().join(name))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // It may not have been written.
        drop(std::fs::remove_file(&self.0));
    }
}

/// The number of each element in C order.
fn numbers() -> LazyArray2<f64> {
    LazyArray::from_fn((ROWS, COLUMNS), SIDE, |(i, j)| (i * COLUMNS + j) as f64)
}

/// The same from a file, in square blocks.
fn filed(file: &TempFile) -> LazyArray2<f64> {
    Runtime::builder().threads(2).no_memory_limit().build().unwrap().store_npy(&numbers(), &file.0).unwrap();
    chunkwise::open_npy::<f64, Ix2>(&file.0).unwrap().rechunk(SIDE)
}

/// Stores an array within the limit; element `at` of the file is then `want(at)`, for some of them.
fn check_stored<D: ndarray::Dimension>(name: &str, x: &LazyArray<f64, D>, want: impl Fn(usize) -> f64) {
    let (rt, file) = (limited(), TempFile::new(name));
    let (done, held, _) = measured(|| rt.store_npy(x, &file.0));
    done.unwrap();
    assert!(held <= LIMIT + SMALL, "{name}: {held} bytes");
    let bytes = std::fs::read(&file.0).unwrap();
    let elements = &bytes[bytes.len() - x.len() * 8..];
    for at in (0..x.len()).step_by(997).chain([x.len() - 1]) {
        let element: [u8; 8] = elements[at * 8..at * 8 + 8].try_into().unwrap();
        assert_eq!(f64::from_le_bytes(element), want(at), "{name}, element {at}");
    }
}

#[test]
fn reshape_of_a_file_stays_within_a_tenth() {
    let _turn = turn();
    let file = TempFile::new("source");
    check_stored("reshaped", &filed(&file).reshape((COLUMNS, ROWS)), |at| at as f64);
    check_stored("flat", &filed(&file).flatten(), |at| at as f64);
}

#[test]
fn transpose_of_a_file_stays_within_a_tenth() {
    let _turn = turn();
    let file = TempFile::new("transposed-source");
    let transposed = |at: usize| ((at % ROWS) * COLUMNS + at / ROWS) as f64;
    check_stored("transposed", &filed(&file).t(), transposed);
    check_stored("rows-of-columns", &filed(&file).t().rechunk((8, ..)), transposed);
}

#[test]
fn padding_and_repetition_stay_within_a_tenth() {
    let _turn = turn();
    let file = TempFile::new("padded-source");
    let padded = filed(&file).pad([(0, 0), (3, 0)], PadMode::Reflect);
    let width = COLUMNS + 3;
    check_stored("padded", &padded, |at| {
        let column = (at % width).abs_diff(3);
        (at / width * COLUMNS + column) as f64
    });
    let part = filed(&file).slice(s![..ROWS / 4, ..]);
    check_stored("repeated", &part.repeat(3, Axis(0)), |at| {
        (at / COLUMNS / 3 * COLUMNS + at % COLUMNS) as f64
    });
    check_stored("tiled", &part.tile(&[2, 2]), |at| {
        let (row, column) = (at / (2 * COLUMNS) % (ROWS / 4), at % COLUMNS);
        (row * COLUMNS + column) as f64
    });
}

#[test]
fn blocks_are_taken_in_order_within_a_tenth() {
    let _turn = turn();
    let file = TempFile::new("streamed-source");
    let x = filed(&file).t().rechunk((8, ..)) + 1.0;
    let rt = limited();
    let (taken, held, _) = measured(|| {
        let mut next = 0;
        for block in rt.blocks_iter(&x).unwrap() {
            let (at, values) = block.unwrap();
            assert_eq!((at.start[0], values.shape()), (next, &[8, ROWS][..]));
            assert_eq!(values[[3, 5]], (5 * COLUMNS + next + 3 + 1) as f64);
            next += 8;
        }
        next
    });
    assert_eq!(taken, COLUMNS);
    assert!(held <= LIMIT + SMALL, "{held} bytes");
}

#[test]
fn slow_program_has_few_blocks_computed_ahead() {
    let _turn = turn();
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let x: LazyArray1<f64> = LazyArray::from_blocks(ROWS * COLUMNS, SIDE * SIDE, |block| {
        MADE.fetch_add(1, Relaxed);
        ndarray::Array1::from_elem(block.shape[0], block.start[0] as f64)
    });
    let rt = limited();
    let mut blocks = rt.blocks_iter(&x).unwrap();
    for number in 0..40 {
        let (at, _) = blocks.next().unwrap().unwrap();
        assert_eq!(at.start[0], number * SIDE * SIDE);
        // What is ahead lies within the memory of the run.
        assert!(MADE.load(Relaxed) <= number + 2 + LIMIT / (SIDE * SIDE * 8));
    }
    drop(blocks);
    // The rest was never made, and the memory is there again.
    let most = 40 + 2 + LIMIT / (SIDE * SIDE * 8);
    assert_eq!(
        rt.compute(LazyArray::<f64, _>::ones(LIMIT / 16, 1 << 12).sum()).unwrap(),
        (LIMIT / 16) as f64
    );
    assert!(MADE.load(Relaxed) <= most, "{} blocks were made", MADE.load(Relaxed));
}

#[test]
fn computations_go_on_between_blocks() {
    let _turn = turn();
    let rt = limited();
    let x = numbers();
    let mut largest = 0.0;
    for block in rt.blocks_iter(&x).unwrap().take(5) {
        let (_, values) = block.unwrap();
        largest = rt.compute(LazyArray::from_ndarray(values, 64).max()).unwrap();
    }
    assert_eq!(largest, (127 * COLUMNS + 5 * SIDE - 1) as f64);
}

/// Takes the blocks of an array and computes something of its own after each.
fn computed_between_blocks(rt: &Runtime, inside: &LazyScalar<f64>) -> chunkwise::Result<usize> {
    let x: LazyArray1<f64> = LazyArray::from_fn(LIMIT / 2, SIDE * SIDE, |i| i as f64).sqrt();
    let mut taken = 0;
    for block in rt.blocks_iter(&x)? {
        assert_eq!(block?.0.start[0], taken * SIDE * SIDE);
        assert_eq!(rt.compute(inside)?, 3.0);
        taken += 1;
    }
    Ok(taken)
}

#[test]
fn what_needs_the_memory_of_a_stream_is_an_error_and_does_not_wait() {
    let _turn = turn();
    /// The largest element of a block of so many bytes.
    fn of_one_block(bytes: usize) -> LazyScalar<f64> {
        LazyArray::from_blocks(bytes / 8, bytes / 8, |block| ndarray::Array1::from_elem(block.shape[0], 3.0))
            .max()
    }
    let (large, small) = (of_one_block(LIMIT / 4 * 3), of_one_block(LIMIT / 32));
    for threads in [1, 3] {
        let rt = Runtime::builder().threads(threads).memory_limit(&LIMIT.to_string()).build().unwrap();
        assert_eq!(rt.compute(&large).unwrap(), 3.0);
        let error = computed_between_blocks(&rt, &large).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Memory);
        // The stream is gone.
        assert_eq!(rt.compute(&large).unwrap(), 3.0);
        assert_eq!(computed_between_blocks(&rt, &small).unwrap(), (LIMIT / 2).div_ceil(SIDE * SIDE));
    }
}

#[test]
fn what_does_not_fit_beside_a_stream_goes_to_disk() {
    let _turn = turn();
    let rt = limited();
    let kept = rt.persist(&LazyArray::<f64, _>::ones(LIMIT / 64, 1 << 12).sqrt()).unwrap();
    let mut blocks = rt.blocks_iter(&(&kept + 2.0)).unwrap();
    assert_eq!(blocks.next().unwrap().unwrap().1[0], 3.0);
    // Blocks of three quarters of the limit are needed twice, so they are written and read again.
    let x = LazyArray::<f64, _>::from_blocks(LIMIT / 8 * 3 / 4, 1 << 12, |block| {
        ndarray::Array1::from_elem(block.shape[0], 1.0)
    });
    let spread = (&x - x.sum()).sum();
    let result = rt.compute(&spread);
    assert!(result.is_ok_and(|x| x < 0.0), "{:?}", rt.compute(&spread));
    // A result that does not fit is an error, though moving what is kept to disk would make room for it.
    let error = rt.compute(&LazyArray::<f64, _>::ones(LIMIT / 8 * 3 / 4, 1 << 12).sqrt()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Memory);
    assert!(error.to_string().contains("streams of blocks"), "{error}");
    drop(blocks);
}

#[test]
fn error_of_a_block_comes_after_the_blocks_before() {
    let _turn = turn();
    let x: LazyArray1<f64> = LazyArray::try_from_blocks(10, 2, |block| match block.start[0] {
        6 => Err(std::io::Error::other("no such block")),
        start => Ok(ndarray::Array1::from_elem(block.shape[0], start as f64)),
    });
    let rt = limited();
    let mut blocks = rt.blocks_iter(&x).unwrap();
    let mut good = 0;
    let error = loop {
        match blocks.next().unwrap() {
            Ok(_) => good += 1,
            Err(error) => break error,
        }
    };
    assert!(good <= 3 && error.to_string().contains("no such block"), "{good} blocks, then {error}");
    assert!(blocks.next().is_none());
    let bad = rt.blocks_iter(&x.slice(s![..3]).reshape(7)).unwrap().next().unwrap();
    assert_eq!(bad.unwrap_err().kind(), ErrorKind::Build);
}
