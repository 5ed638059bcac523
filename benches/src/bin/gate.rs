//! Fails when a kernel has become much slower than it was: when the compiler has silently stopped vectorising it.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin gate             # compare with benches/kernels.txt
//! cargo run --release -p chunkwise-benches --bin gate -- --write  # measure anew and write the table
//! ```
//!
//! The time of each kernel is taken as a multiple of a yardstick's, an addition of f64 that is always vectorised,
//! in the same process. The best of many short passes is not disturbed by what else the machine does, and
//! the multiple not by how fast its clock runs. A lost loop costs 3 to 20 times; a kernel fails from [`WORST`] times
//! its multiple in the table on, and only if it does so again and again. The table is of processors with AVX2; others
//! are not watched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use chunkwise_benches::cases::{Case, ELEMENTS, cases};

/// How many times its multiple a kernel may take.
const WORST: f64 = 2.5;

/// Multiples are not told apart below this: a call costs some hundred nanoseconds besides.
const LEAST: f64 = 0.8;

/// How often a slow kernel is measured again before it fails.
const TRIES: usize = 6;

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels.txt");
    let result = match std::env::args().nth(1).as_deref() {
        Some("--write") => write(&path),
        None => check(&path),
        Some(other) => Err(format!("no option {other:?}; there is --write")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &Path) -> Result<(), String> {
    let mut table = String::new();
    for case in cases() {
        let multiple = (0..TRIES).map(|_| multiple(&case)).fold(f64::MAX, f64::min);
        writeln!(table, "{} {multiple:.2}", case.name()).map_err(|error| error.to_string())?;
    }
    std::fs::write(path, table).map_err(|error| format!("{}: {error}", path.display()))
}

fn check(path: &Path) -> Result<(), String> {
    if !watched() {
        println!("not watched: the processor has no AVX2");
        return Ok(());
    }
    let table = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut known: BTreeMap<&str, f64> = BTreeMap::new();
    for line in table.lines() {
        let (name, multiple) = line.split_once(' ').ok_or_else(|| format!("not a row: {line:?}"))?;
        known.insert(name, multiple.parse().map_err(|_| format!("not a number: {line:?}"))?);
    }
    let mut slow = Vec::new();
    let cases = cases();
    for case in &cases {
        match known.remove(case.name()) {
            Some(multiple) => slow.extend(slower(case, multiple)),
            None => slow.push(format!("{case} is not in the table: run the gate with --write")),
        }
    }
    slow.extend(
        known.keys().map(|name| format!("{name} is in the table and no kernel: run the gate with --write")),
    );
    println!("{} kernels, {} of them slow", cases.len(), slow.len());
    if slow.is_empty() { Ok(()) } else { Err(slow.join("\n")) }
}

/// What to say of a kernel that is too slow every time.
fn slower(case: &Case, known: f64) -> Option<String> {
    let allowed = known.max(LEAST) * WORST;
    let mut least = f64::MAX;
    for _ in 0..TRIES {
        least = least.min(multiple(case));
        if least <= allowed {
            return None;
        }
    }
    Some(format!("{case} takes {least:.1} times the yardstick, in the table it is {known:.1}"))
}

/// The time of a kernel in yardsticks.
fn multiple(case: &Case) -> f64 {
    let (a, b) = (vec![1.0; ELEMENTS], vec![2.0; ELEMENTS]);
    let mut sum = vec![0.0; ELEMENTS];
    let yardstick = best(|| add(black_box(&a), black_box(&b), &mut sum));
    best(|| case.run()) / yardstick
}

/// The shortest of some passes, in seconds.
fn best(mut run: impl FnMut()) -> f64 {
    const PASSES: usize = 15;
    (0..PASSES).fold(f64::MAX, |least, _| {
        let start = Instant::now();
        run();
        least.min(start.elapsed().as_secs_f64())
    })
}

fn watched() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The yardstick: a loop that the compiler has always vectorised, for the baseline of the target.
#[inline(never)]
fn add(a: &[f64], b: &[f64], sum: &mut [f64]) {
    for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
        *sum = a + b;
    }
    black_box(sum);
}
