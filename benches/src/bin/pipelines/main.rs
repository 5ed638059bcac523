//! Times ten pipelines against the same written by hand.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin pipelines                    # all ten
//! cargo run --release -p chunkwise-benches --bin pipelines ndvi heat          # some
//! cargo run --release -p chunkwise-benches --bin pipelines -- --runs 9 ndvi
//! ```
//!
//! | pipeline | input | what | by hand |
//! |---|---|---|---|
//! | `standardise` | 16000 x 1000 f64 | `(x - mean) / std` of columns | sums and squares of all columns in one pass, a second one writes |
//! | `climatology` | 480 months x 128 x 256 f64 | mean of each month of the year, largest anomaly | the 40 years of 1024 cells stay in the cache: one pass |
//! | `ndvi` | two images 4000 x 4000 f32, clouds | `(nir - red) / (nir + red)` without clouds, and its mean | one pass for both |
//! | `gradient` | 4000 x 4000 f64 | length of the gradient | one pass, rows in the cache |
//! | `zscore` | 10M f64 | `(x - moving mean) / moving std`, windows of 30 | running sums, four at a time, begun anew in each tile |
//! | `nearest` | 16000 points, 1000 others, 3 axes f64 | distance of each point to the nearest other | coordinates side by side, no matrix |
//! | `histogram` | two times 10M f64 | 64 bins of `sqrt(x^2 + y^2)` | numbers of bins by tiles, four tables a thread |
//! | `two_outputs` | 10M f64 | `sqrt(x^2 + 1)` and `(x - 0.5) / (x + 1)` | one pass for both |
//! | `heat` | 4000 x 4000 f64 | ten steps of the heat equation | ten steps of a tile and its margin in the cache |
//! | `filtered_mean` | 16M f64 | mean of `sqrt(x) + x^2` where `x > 0.5` | one pass without branches |
//!
//! By hand means plain loops over tiles on rayon's threads, without a temporary of the size of the input, and the results
//! written once, into memory that each run asks for as ours does. Both are compiled for the baseline of the target: the loops
//! by hand vectorise with what that has, our kernels choose the instruction set when they run. There are square roots
//! and arithmetic only, so that no mathematics library is compared. `RUSTFLAGS="-C target-cpu=native"` gives the loops by
//! hand all instructions of the machine, and `GLIBC_TUNABLES=glibc.malloc.hugetlb=1` the huge pages that our results have.
//!
//! Inputs are in memory before the clock starts, results are freed after it stopped. Both results are compared before
//! anything is timed; then both run alternately, so that what else the machine does meets both. One JSON object a line with
//! the medians, in milliseconds, and the geometric mean of the ratios at the end.

mod climate;
mod columns;
mod image;
mod maps;
mod points;
mod versus;
mod windows;

use versus::Versus;

type Pipeline = (&'static str, fn(&Versus) -> chunkwise::Result<f64>);

const PIPELINES: &[Pipeline] = &[
    ("standardise", columns::standardise),
    ("climatology", climate::climatology),
    ("ndvi", climate::ndvi),
    ("gradient", image::gradient),
    ("zscore", windows::zscore),
    ("nearest", points::nearest),
    ("histogram", points::histogram),
    ("two_outputs", maps::two_outputs),
    ("heat", image::heat),
    ("filtered_mean", maps::filtered_mean),
];

fn main() -> chunkwise::Result<()> {
    let mut runs = 7;
    let mut wanted = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--runs" => runs = args.next().and_then(|n| n.parse().ok()).expect("--runs takes a number"),
            name => wanted.push(name.to_owned()),
        }
    }
    if let Some(unknown) = wanted.iter().find(|name| !PIPELINES.iter().any(|(known, _)| known == name)) {
        let known: Vec<&str> = PIPELINES.iter().map(|(name, _)| *name).collect();
        eprintln!("no pipeline {unknown:?}; there are: {}", known.join(", "));
        std::process::exit(2);
    }
    let mut logarithms = Vec::new();
    for (name, run) in PIPELINES {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            logarithms.push(run(&Versus { name, runs })?.ln());
        }
    }
    let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
    println!("{{\"geometric_mean\": {:.3}, \"pipelines\": {}}}", mean.exp(), logarithms.len());
    Ok(())
}
