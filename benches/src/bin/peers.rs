//! Times the workloads on which array libraries are compared.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin peers                  # every workload
//! cargo run --release -p chunkwise-benches --bin peers sqrt_sq chain    # some
//! cargo run --release -p chunkwise-benches --bin peers -- --runs 9 mean
//! ```
//!
//! Every value is checked against plain loops before and while it is timed.

use chunkwise::OptimizeOptions;
use chunkwise::prelude::*;
use chunkwise_benches::{close, report, uniform};
use ndarray::{Array1, Array2};

type Workload = (&'static str, fn(usize) -> chunkwise::Result<()>);

const WORKLOADS: &[Workload] = &[
    ("mean", mean),
    ("sqrt_sq", sqrt_sq),
    ("chain", chain),
    ("stats3", stats3),
    ("map_sin", |runs| map("map_sin", runs, |x| x.sin(), f64::sin)),
    ("map_cos", |runs| map("map_cos", runs, |x| x.cos(), f64::cos)),
    ("map_exp", |runs| map("map_exp", runs, |x| x.exp(), f64::exp)),
    ("map_log", |runs| map("map_log", runs, |x| x.ln(), f64::ln)),
    ("map_sqrt", |runs| map("map_sqrt", runs, |x| x.sqrt(), f64::sqrt)),
    ("map_tanh", |runs| map("map_tanh", runs, |x| x.tanh(), f64::tanh)),
    ("square_100m", square_100m),
    ("headline", headline),
    ("std_axis0", std_axis0),
    ("random_mean", random_mean),
    ("moving_average", moving_average),
    ("move_median", move_median),
    ("rechunk", rechunk),
    ("matmul", matmul),
    ("tiny_tasks", tiny_tasks),
];

const N: usize = 10_000_000;
const CHUNK: usize = 250_000;

fn main() -> chunkwise::Result<()> {
    let mut runs = 5;
    let mut wanted = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--runs" => runs = args.next().and_then(|n| n.parse().ok()).expect("--runs takes a number"),
            name => wanted.push(name.to_owned()),
        }
    }
    if let Some(unknown) = wanted.iter().find(|name| !WORKLOADS.iter().any(|(known, _)| known == name)) {
        let known: Vec<&str> = WORKLOADS.iter().map(|(name, _)| *name).collect();
        eprintln!("no workload {unknown:?}; there are: {}", known.join(", "));
        std::process::exit(2);
    }
    for (name, run) in WORKLOADS {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            run(runs)?;
        }
    }
    Ok(())
}

/// Sum of a function of the elements, pairwise by halves: accurate enough to check against.
fn pairwise(x: &[f64], f: &impl Fn(f64) -> f64) -> f64 {
    if x.len() <= 64 {
        return x.iter().map(|&v| f(v)).sum();
    }
    let (a, b) = x.split_at(x.len() / 2);
    pairwise(a, f) + pairwise(b, f)
}

fn lazy(data: &Array1<f64>, chunk: usize) -> LazyArray1<f64> {
    LazyArray::from_ndarray(data.clone(), chunk)
}

/// `mean()` of 10M f64 in memory.
fn mean(runs: usize) -> chunkwise::Result<()> {
    let data = Array1::from(uniform(N));
    let want = pairwise(data.as_slice().unwrap_or_default(), &|v| v) / N as f64;
    let x = lazy(&data, CHUNK);
    report(
        "mean",
        "chunkwise",
        runs,
        || x.mean().compute(),
        |m| m.as_ref().is_ok_and(|m| close(*m, want, 1e-12)),
    );
    Ok(())
}

/// `mean(sqrt(x^2))` of 10M f64 in memory, at six chunk sizes.
fn sqrt_sq(runs: usize) -> chunkwise::Result<()> {
    let data = Array1::from(uniform(N));
    let want = pairwise(data.as_slice().unwrap_or_default(), &|v| (v * v).sqrt()) / N as f64;
    for chunk in [10_000, 100_000, 1_000_000, 2_000_000, 5_000_000, N] {
        let x = lazy(&data, chunk);
        let run = || x.square().sqrt().mean().compute();
        report("sqrt_sq", &format!("chunkwise_{chunk}"), runs, run, |m| {
            m.as_ref().is_ok_and(|m| close(*m, want, 1e-12))
        });
    }
    Ok(())
}

/// `a = sqrt(a) + sin(a)` ten times, then the mean.
fn chain(runs: usize) -> chunkwise::Result<()> {
    let data = Array1::from(uniform(N));
    let ten = |v: f64| (0..10).fold(v, |a, _| a.sqrt() + a.sin());
    let want = pairwise(data.as_slice().unwrap_or_default(), &ten) / N as f64;
    let x = lazy(&data, CHUNK);
    let run = || {
        let mut a = x.clone();
        for _ in 0..10 {
            a = a.sqrt() + a.sin();
        }
        a.mean().compute()
    };
    report("chain", "chunkwise", runs, run, |m| m.as_ref().is_ok_and(|m| close(*m, want, 1e-12)));
    Ok(())
}

/// Mean, standard deviation and maximum of `sqrt(x) + sin(x)` together.
fn stats3(runs: usize) -> chunkwise::Result<()> {
    let data = Array1::from(uniform(N));
    let f = |v: f64| v.sqrt() + v.sin();
    let slice = data.as_slice().unwrap_or_default();
    let mean = pairwise(slice, &f) / N as f64;
    let std = (pairwise(slice, &|v| (f(v) - mean).powi(2)) / N as f64).sqrt();
    let max = slice.iter().map(|&v| f(v)).fold(f64::MIN, f64::max);
    let x = lazy(&data, CHUNK);
    let run = || {
        let y = x.sqrt() + x.sin();
        chunkwise::compute((y.mean(), y.std(0.0), y.max()))
    };
    report("stats3", "chunkwise", runs, run, |got| {
        got.as_ref().is_ok_and(|got| close(got.0, mean, 1e-12) && close(got.1, std, 1e-11) && got.2 == max)
    });
    Ok(())
}

/// `f(x)` of 10M f64 into a new array.
fn map(
    name: &str,
    runs: usize,
    f: impl Fn(&LazyArray1<f64>) -> LazyArray1<f64>,
    scalar: impl Fn(f64) -> f64,
) -> chunkwise::Result<()> {
    let data = Array1::from(uniform(N));
    let x = lazy(&data, CHUNK);
    let spots = [0, 1, N / 3, N - 1];
    report(
        name,
        "chunkwise",
        runs,
        || f(&x).compute(),
        |y| {
            y.as_ref()
                .is_ok_and(|y| y.len() == N && spots.iter().all(|&i| close(y[i], scalar(data[i]), 1e-15)))
        },
    );
    Ok(())
}

/// `x * x` of 100M f64 into a new array.
fn square_100m(runs: usize) -> chunkwise::Result<()> {
    let data = Array1::from(uniform(10 * N));
    let last = data[10 * N - 1];
    let x = LazyArray::from_ndarray(data, 4 * CHUNK);
    report(
        "square_100m",
        "chunkwise",
        runs,
        || x.square().compute(),
        |y| y.as_ref().is_ok_and(|y| y.len() == 10 * N && y[10 * N - 1] == last * last),
    );
    Ok(())
}

fn matrix() -> Array2<f64> {
    Array2::from_shape_vec((10_000, 10_000), uniform(100_000_000)).expect("10^4 x 10^4 elements")
}

/// `(x + x.T)[::2, 5000:].mean(axis=1)` of 10^4 x 10^4 f64.
fn headline(runs: usize) -> chunkwise::Result<()> {
    let data = matrix();
    let row = |i: usize| (5000..10_000).map(|j| data[[2 * i, j]] + data[[j, 2 * i]]).sum::<f64>() / 5000.0;
    let want = [row(0), row(4999)];
    let x = LazyArray::from_ndarray(data, 1000);
    let run = || (&x + x.t()).slice(s![..;2, 5000..]).mean_axis(Axis(1)).compute();
    report("headline", "chunkwise", runs, run, |y| {
        y.as_ref()
            .is_ok_and(|y| y.len() == 5000 && close(y[0], want[0], 1e-12) && close(y[4999], want[1], 1e-12))
    });
    Ok(())
}

/// `std(axis=0)` of 10^4 x 10^4 f64.
fn std_axis0(runs: usize) -> chunkwise::Result<()> {
    let data = matrix();
    let column = data.column(77).to_vec();
    let mean = pairwise(&column, &|v| v) / 1e4;
    let want = (pairwise(&column, &|v| (v - mean).powi(2)) / 1e4).sqrt();
    let x = LazyArray::from_ndarray(data, 1000);
    report(
        "std_axis0",
        "chunkwise",
        runs,
        || x.std_axis(Axis(0), 0.0).compute(),
        |y| y.as_ref().is_ok_and(|y| y.len() == 10_000 && close(y[77], want, 1e-12)),
    );
    Ok(())
}

/// The mean of 10^4 x 10^4 uniform numbers, drawn on the way.
fn random_mean(runs: usize) -> chunkwise::Result<()> {
    let mut rng = chunkwise::random::Generator::new(42);
    let run = || rng.uniform(0.0, 1.0, (10_000, 10_000), 1000).mean().compute();
    // Six standard deviations of the mean of so many.
    report("random_mean", "chunkwise", runs, run, |m| {
        m.as_ref().is_ok_and(|m: &f64| (m - 0.5).abs() < 1.8e-4)
    });
    Ok(())
}

/// The mean of each window of 5 in 10M f64, the valid part.
fn moving_average(runs: usize) -> chunkwise::Result<()> {
    let data = Array1::from(uniform(N));
    let slice = data.as_slice().unwrap_or_default();
    let want = slice.windows(5).step_by(997).map(|w| w.iter().sum::<f64>() / 5.0);
    let want: Vec<f64> = want.collect();
    let x = lazy(&data, CHUNK);
    report(
        "moving_average",
        "chunkwise",
        runs,
        || x.moving_mean(5, Axis(0)).compute(),
        |y| {
            y.as_ref()
                .is_ok_and(|y| y.len() == N - 4 && y.iter().step_by(997).zip(&want).all(|(y, w)| y == w))
        },
    );
    Ok(())
}

/// The median of each window of 101 in 10M f64, for each element that of the window that ends with it.
fn move_median(runs: usize) -> chunkwise::Result<()> {
    const WINDOW: usize = 101;
    let data = Array1::from(uniform(N));
    let median = |last: usize| {
        let mut window = data.as_slice().unwrap_or_default()[last + 1 - WINDOW..=last].to_vec();
        window.sort_by(f64::total_cmp);
        window[WINDOW / 2]
    };
    let want: Vec<(usize, f64)> = (WINDOW - 1..N).step_by(9973).map(|last| (last, median(last))).collect();
    let x = lazy(&data, CHUNK);
    let window = chunkwise::MovingWindow::trailing(WINDOW);
    report(
        "move_median",
        "chunkwise",
        runs,
        || x.moving_median(window, Axis(0)).compute(),
        |y| {
            y.as_ref().is_ok_and(|y| {
                y.len() == N && y[WINDOW - 2].is_nan() && want.iter().all(|&(last, median)| y[last] == median)
            })
        },
    );
    Ok(())
}

/// Columns (10000, 100) to rows (100, 10000), then `sum(axis=1)`.
fn rechunk(runs: usize) -> chunkwise::Result<()> {
    let data = matrix();
    let want = data.row(77).sum();
    let x = LazyArray::from_ndarray(data, (10_000, 100));
    report(
        "rechunk",
        "chunkwise",
        runs,
        || x.rechunk((100, 10_000)).sum_axis(Axis(1)).compute(),
        |y| y.as_ref().is_ok_and(|y| y.len() == 10_000 && close(y[77], want, 1e-12)),
    );
    Ok(())
}

/// Products of matrices: 4000 x 4000 of f64 and of f32, in blocks of 1000 x 1000 and in one block each, and a tall matrix
/// of 10^6 x 64 with its transpose.
fn matmul(runs: usize) -> chunkwise::Result<()> {
    let side = 4000;
    let square = |from: usize| {
        let data = uniform(2 * side * side)[from..from + side * side].to_vec();
        Array2::from_shape_vec((side, side), data).expect("4000 x 4000 elements")
    };
    let (a, b) = (square(0), square(side * side));
    let want = a.row(77).dot(&b.column(3999));
    for chunk in [1000, side] {
        let (x, y) = (LazyArray::from_ndarray(a.clone(), chunk), LazyArray::from_ndarray(b.clone(), chunk));
        report(
            "matmul",
            &format!("chunkwise_{chunk}"),
            runs,
            || x.dot(&y).compute(),
            |c| c.as_ref().is_ok_and(|c| close(c[[77, 3999]], want, 1e-12)),
        );
    }
    let (a, b) = (a.mapv(|x| x as f32), b.mapv(|x| x as f32));
    let (x, y) = (LazyArray::from_ndarray(a, 1000), LazyArray::from_ndarray(b, 1000));
    report(
        "matmul_f32",
        "chunkwise_1000",
        runs,
        || x.dot(&y).compute(),
        |c| c.as_ref().is_ok_and(|c| close(c[[77, 3999]].into(), want, 1e-5)),
    );
    let tall = Array2::from_shape_vec((1_000_000, 64), uniform(64_000_000)).expect("10^6 x 64 elements");
    let want = tall.column(7).dot(&tall.column(63));
    let x = LazyArray::from_ndarray(tall, (250_000, 64));
    report(
        "matmul_tall",
        "chunkwise_250000",
        runs,
        || x.t().dot(&x).compute(),
        |c| c.as_ref().is_ok_and(|c| close(c[[7, 63]], want, 1e-12)),
    );
    Ok(())
}

/// `(ones(n, chunks=1) + 1).sum()` for n = 10k, 1M and 10M: the cost of graph and scheduler; with a task for each block too.
fn tiny_tasks(runs: usize) -> chunkwise::Result<()> {
    let options = OptimizeOptions::all().without("group_blocks");
    let ungrouped = Runtime::builder().optimizer(options).build()?;
    let grouped = Runtime::global()?;
    let cases = [
        ("chunkwise", grouped, 10_000),
        ("chunkwise_1000000", grouped, 1_000_000),
        ("chunkwise_10000000", grouped, 10_000_000),
        ("chunkwise_ungrouped", &ungrouped, 10_000),
        ("chunkwise_ungrouped_1000000", &ungrouped, 1_000_000),
    ];
    for (peer, runtime, n) in cases {
        let run = || runtime.compute((LazyArray::<f64, _>::ones(n, 1) + 1.0).sum());
        report("tiny_tasks", peer, runs, run, |sum| sum.as_ref().is_ok_and(|sum| *sum == 2.0 * n as f64));
    }
    tiny_map(runs, grouped, &ungrouped)
}

/// `x + 1` of 1M f64 in memory in chunks of one element and of a hundred, into a new array.
fn tiny_map(runs: usize, grouped: &Runtime, ungrouped: &Runtime) -> chunkwise::Result<()> {
    let data = Array1::from(uniform(1_000_000));
    for (chunk, runtime, peer) in
        [(1, grouped, "grouped"), (100, grouped, "grouped"), (1, ungrouped, "ungrouped")]
    {
        let x = lazy(&data, chunk);
        let right = |y: &chunkwise::Result<Array1<f64>>| {
            y.as_ref().is_ok_and(|y| y.iter().zip(&data).all(|(y, x)| *y == x + 1.0))
        };
        report("tiny_map", &format!("chunkwise_{peer}_{chunk}"), runs, || runtime.compute(&x + 1.0), right);
    }
    Ok(())
}
