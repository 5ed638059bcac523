//! Times elements taken at random: `take` against ndarray's `select`, both in memory.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin take
//! ```
//!
//! One JSON object a line, best of five runs in milliseconds: `select_ms` of ndarray, `build_ms` of making the expression,
//! which groups the indices, `run_ms` of computing it, and `ratio`, both against `select`. Every result is compared.

use std::hint::black_box;
use std::time::Instant;

use chunkwise::prelude::*;
use ndarray::{Array1, Array2, ArrayD};

const RUNS: usize = 5;

/// An array, its chunks, and indices of an axis.
struct Workload {
    name: &'static str,
    array: fn() -> ArrayD<f64>,
    chunks: Chunks,
    axis: usize,
    indices: usize,
    sorted: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let line = || Array1::from_iter((0..100_000_000).map(f64::from)).into_dyn();
    let table = || Array2::from_shape_fn((100_000, 1000), |(i, j)| (i * 1000 + j) as f64).into_dyn();
    let workloads = [
        Workload {
            name: "random",
            array: line,
            chunks: 1_000_000.into(),
            axis: 0,
            indices: 1_000_000,
            sorted: false,
        },
        Workload {
            name: "sorted",
            array: line,
            chunks: 1_000_000.into(),
            axis: 0,
            indices: 1_000_000,
            sorted: true,
        },
        Workload {
            name: "several_blocks",
            array: line,
            chunks: 1_000_000.into(),
            axis: 0,
            indices: 4_000_000,
            sorted: false,
        },
        Workload {
            name: "rows",
            array: table,
            chunks: [1000, 1000].into(),
            axis: 0,
            indices: 10_000,
            sorted: false,
        },
        Workload {
            name: "columns",
            array: table,
            chunks: [1000, 1000].into(),
            axis: 1,
            indices: 100,
            sorted: false,
        },
    ];
    let wanted = std::env::args().nth(1);
    for workload in workloads.iter().filter(|w| wanted.as_deref().is_none_or(|name| name == w.name)) {
        report(workload)?;
    }
    Ok(())
}

fn report(workload: &Workload) -> Result<(), Box<dyn std::error::Error>> {
    let Workload { name, axis, .. } = *workload;
    let array = (workload.array)().into_shared();
    let indices = indices(workload, array.shape()[axis]);
    let lazy = LazyArray::from_ndarray(&array, workload.chunks.clone());
    let (mut select, mut build, mut run) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    for _ in 0..RUNS {
        let (ms, want) = timed(|| array.select(Axis(axis), &indices));
        select = select.min(ms);
        let (ms, taken) = timed(|| lazy.select(Axis(axis), &indices));
        build = build.min(ms);
        let (ms, got) = timed(|| taken.compute());
        run = run.min(ms);
        if black_box(got?) != want {
            return Err(format!("{name} takes wrong elements").into());
        }
    }
    let ratio = (build + run) / select;
    println!(
        "{{\"workload\": \"take_{name}\", \"select_ms\": {select:.2}, \"build_ms\": {build:.2}, \
         \"run_ms\": {run:.2}, \"ratio\": {ratio:.2}}}"
    );
    Ok(())
}

fn timed<T>(f: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = black_box(f());
    (start.elapsed().as_secs_f64() * 1e3, value)
}

/// Indices below `len` from a linear congruential generator: any will do that do not repeat soon.
fn indices(workload: &Workload, len: usize) -> Vec<usize> {
    let mut state = 42u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % len
    };
    let mut indices: Vec<usize> = (0..workload.indices).map(|_| next()).collect();
    if workload.sorted {
        indices.sort_unstable();
    }
    indices
}
