//! Times what small work costs: the first `compute()` of a process, and one among many.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin start
//! cargo run --release -p chunkwise-benches --bin start -- --children 40
//! ```
//!
//! One JSON object a line: `first_us`, the median of child processes that each compute once; `warm_us`, the median of a
//! thousand computations in one more. Building the expression is inside, the input is there before. Every value is
//! checked.

use std::process::Command;
use std::time::Instant;

use chunkwise::prelude::*;
use ndarray::{Array1, Array2};

const N: usize = 1000;
const WARM_RUNS: usize = 1000;

/// A computation, ready to be run again and again; false when its value is wrong.
type Run = Box<dyn FnMut() -> chunkwise::Result<bool>>;

type Workload = (&'static str, fn() -> Run);

const WORKLOADS: &[Workload] = &[("sum", sum), ("map", map), ("mean_axis", mean_axis)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => report(20),
        ["--children", count] => report(count.parse::<usize>()?.max(1)),
        ["first", name] => {
            println!("{}", times(name, 1)?[0]);
            Ok(())
        }
        ["warm", name] => {
            println!("{}", median(times(name, WARM_RUNS)?));
            Ok(())
        }
        other => Err(format!("unknown arguments {other:?}; there is --children <count>").into()),
    }
}

fn report(children: usize) -> Result<(), Box<dyn std::error::Error>> {
    for (name, _) in WORKLOADS {
        let first = (0..children).map(|_| child("first", name)).collect::<Result<Vec<f64>, _>>()?;
        let least = first.iter().copied().fold(f64::INFINITY, f64::min);
        let (first, warm) = (median(first), child("warm", name)?);
        println!(
            "{{\"workload\": \"start_{name}\", \"peer\": \"chunkwise\", \"first_us\": {first:.1}, \
             \"min_first_us\": {least:.1}, \"warm_us\": {warm:.2}, \"children\": {children}}}"
        );
    }
    Ok(())
}

/// What a child process prints: microseconds.
fn child(what: &str, name: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let output = Command::new(std::env::current_exe()?).args([what, name]).output()?;
    if !output.status.success() {
        return Err(format!("{what} {name}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Microseconds of each of `runs` runs; a run before them is not counted where there are several.
fn times(name: &str, runs: usize) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let known = WORKLOADS.iter().find(|(known, _)| *known == name);
    let mut run = known.ok_or_else(|| format!("no workload {name:?}"))?.1();
    if runs > 1 {
        run()?;
    }
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            let right = run()?;
            let us = start.elapsed().as_secs_f64() * 1e6;
            if right { Ok(us) } else { Err(format!("{name} computes a wrong value").into()) }
        })
        .collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn counted() -> Array1<f64> {
    Array1::from_iter((0..N).map(|i| i as f64))
}

fn sum() -> Run {
    let x = LazyArray::from_ndarray(counted(), N);
    Box::new(move || Ok(x.sum().compute()? == (N * (N - 1) / 2) as f64))
}

fn map() -> Run {
    let x = LazyArray::from_ndarray(counted(), N);
    Box::new(move || Ok((&x + 1.0).compute()?[N - 1] == N as f64))
}

fn mean_axis() -> Run {
    let data: Array2<f64> = counted().into_shape_with_order((N / 10, 10)).expect("ten columns");
    let x = LazyArray::from_ndarray(data, (N / 10, 10));
    Box::new(move || Ok(x.mean_axis(Axis(0)).compute()?[0] == (N - 10) as f64 / 2.0))
}
