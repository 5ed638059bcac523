//! Multiplies two matrices that are files, with a memory limit of a quarter of them; the product is a file as well.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --example matrix_product
//! cargo run --release -p chunkwise-examples --example matrix_product -- 4096     # rows and columns
//! ```
//!
//! It prints what the plan says the product will take and how fast it was, and checks some elements of it against plain dot
//! products. Then it turns points by a batch of rotations with `einsum`, and estimates covariances whose values are known.

use std::error::Error;
use std::f64::consts::TAU;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise::{Progress, einsum, stack};
use chunkwise_examples::{Folder, close};

fn main() -> Result<(), Box<dyn Error>> {
    let side = std::env::args().nth(1).map_or(Ok(2048), |side| side.parse())?;
    product(side)?;
    rotations()?;
    covariances()
}

/// The product of two square matrices of so many rows.
fn product(side: usize) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("matrix-product")?;
    let limit = (2 * side * side * 8 / 4) as u64;
    let rt = Runtime::builder().memory_limit_bytes(limit).spill_dir(folder.path()).build()?;
    let progress = Arc::new(Progress::new());
    let rt = rt.observed_by(progress.clone());
    let (a, b) = (matrix(&rt, &folder.file("a.npy"), side, 1)?, matrix(&rt, &folder.file("b.npy"), side, 2)?);
    println!("{a:?}\n{b:?}");
    println!("{} together, with a memory limit of {}", mib((a.nbytes() + b.nbytes()) as u64), mib(limit));

    let (c, target) = (a.dot(&b), folder.file("c.npy"));
    let plan = rt.plan_store_npy(&c, &target)?;
    println!("planned: {} on one thread, {} on all", mib(plan.peak_bytes()), mib(plan.most_bytes()));
    let start = Instant::now();
    rt.store_npy(&c, &target)?;
    let seconds = start.elapsed().as_secs_f64();
    let operations = 2.0 * (side as f64).powi(3);
    println!("multiplied and stored in {seconds:.2} s, {:.1} GFLOP/s", operations / seconds / 1e9);
    println!("tracked: {}", mib(progress.peak_bytes()));
    if progress.peak_bytes() > limit {
        return Err("more was in memory than the limit allows".into());
    }
    check(&rt, (&a, &b), &chunkwise::open_npy(&target)?)
}

/// A file of random numbers. They are drawn block by block on their way to it.
fn matrix(rt: &Runtime, path: &Path, side: usize, seed: u64) -> Result<LazyArray2<f64>, Box<dyn Error>> {
    // Blocks of a 64th of the matrix are a 32nd of the limit.
    let block = side.div_ceil(8);
    rt.store_npy(&Generator::new(seed).uniform(0.0, 1.0, (side, side), block), path)?;
    Ok(chunkwise::open_npy::<f64, Ix2>(path)?.rechunk(block))
}

/// Some elements of the stored product are dot products of a row and a column.
fn check(
    rt: &Runtime,
    (a, b): (&LazyArray2<f64>, &LazyArray2<f64>),
    c: &LazyArray2<f64>,
) -> Result<(), Box<dyn Error>> {
    let last = c.shape()[0] - 1;
    for (i, j) in [(0, 0), (last / 3, last / 2), (last, 0), (last, last)] {
        let parts = (a.slice(s![i, ..]), b.slice(s![.., j]), c.slice(s![i, j]));
        let (row, column, got) = rt.compute(parts)?;
        let want: f64 = row.iter().zip(&column).map(|(x, y)| x * y).sum();
        println!("  c[{i}, {j}] = {got:.9}, plain {want:.9}");
        if !close(got, want, 1e-12) {
            return Err("an element of the product is not what it should be".into());
        }
    }
    Ok(())
}

/// Twelve rotations of the plane, and a point turned by each.
fn rotations() -> Result<(), Box<dyn Error>> {
    let turned = LazyArray::from_fn((12, 2, 2), 5, |(k, i, j)| {
        let (sin, cos) = (TAU * k as f64 / 12.0).sin_cos();
        [[cos, -sin], [sin, cos]][i][j]
    });
    // Each times its own transpose.
    let unit = einsum("bij,bkj->bik", &[&turned, &turned]) - &LazyArray::<f64, _>::eye(2, 2);
    let point = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 0.0]), 2).into_dyn();
    let points = einsum("bij,j->bi", &[&turned.into_dyn(), &point]);
    let (off, points) = chunkwise::compute((unit.abs().max(), points))?;
    println!("\n(1, 0) by three twelfths of a turn: ({:.3}, {:.3})", points[[3, 0]], points[[3, 1]]);
    println!("rotations by their transposes: within {off:.1e} of the identity");
    let at_quarter = points[[3, 0]].abs() < 1e-15 && close(points[[3, 1]], 1.0, 1e-15);
    if off < 1e-15 && at_quarter { Ok(()) } else { Err("the rotations are not orthogonal".into()) }
}

/// The covariances of two independent variables and their sum, from a million observations.
fn covariances() -> Result<(), Box<dyn Error>> {
    const N: usize = 1_000_000;
    let mut rng = Generator::new(3);
    let mut draw = || rng.normal::<f64, _>(1e6, 1.0, N, 100_000);
    let (x, y) = (draw(), draw());
    let cov = stack(Axis(0), &[&x, &y, &(&x + &y)]).cov(1.0).compute()?;
    println!("\ncovariances of x, y and x + y, with independent x and y of variance 1:\n{cov:.4}");
    let want = ndarray::arr2(&[[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 2.0]]);
    // That of the variance of the sum is the largest, twice the variance by the root of n / 2; six of them.
    let furthest = (&cov - &want).iter().fold(0.0, |most: f64, off| most.max(off.abs()));
    let exact = close(cov[[0, 2]], cov[[0, 0]] + cov[[0, 1]], 1e-9);
    if exact && furthest < 6.0 * 2.0 / (N as f64 / 2.0).sqrt() {
        Ok(())
    } else {
        Err("the covariances are not what they should be".into())
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
