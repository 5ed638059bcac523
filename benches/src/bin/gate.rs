//! Fails when a kernel has become much slower than it was: when the compiler has silently stopped vectorising it.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin gate             # compare with benches/kernels.txt
//! cargo run --release -p chunkwise-benches --bin gate -- --write  # measure anew and write the table
//! ```
//!
//! The time an element of each kernel is taken as a multiple of a yardstick's, an addition of f64 that is always
//! vectorised, in the same process. The best of many short passes is not disturbed by what else the machine does, and
//! the multiple not by how fast its clock runs; what still disturbs some is not there all the time, so that the median
//! of rounds over all kernels counts. A lost loop costs 3 to 20 times; a kernel fails from [`WORST`] times its multiple
//! in the table on, and only if it does so again and again.
//!
//! A lost loop that costs less than that is not noticed. With all loops made to go element by element (on a Sapphire
//! Rapids), those were of: integer division and power, float remainder, products, comparisons and conversions of
//! 64-bit integers, some roots and reciprocals of f64, folds of narrow and of 64-bit integers along columns, and copies
//! of wide elements. Whether any would be noticed is part of the check: additions that are not vectorised are measured
//! as kernels are, and must be found slow.
//!
//! All loops are those of AVX2 and FMA, whatever else the processor has, so that every machine watches the same code;
//! processors without are not watched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use chunkwise_benches::cases::{Case, cases, lost};
use chunkwise_math::dispatch::InstructionSet;

/// How many times its multiple a kernel may take.
const WORST: f64 = 2.0;

/// How often slow kernels are measured again before they fail.
const TRIES: usize = 4;

/// Rounds over the kernels, the median of which counts.
const ROUNDS: usize = 9;

/// Rounds for the table.
const ROUNDS_OF_TABLE: usize = 61;

/// Passes of a measurement, of which the shortest counts.
const PASSES: usize = 12;

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels.txt");
    let Some(avx2) = avx2() else {
        println!("not watched: the processor has no AVX2 and FMA");
        return ExitCode::SUCCESS;
    };
    let result = avx2.with(|| match std::env::args().nth(1).as_deref() {
        Some("--write") => write(&path),
        None => check(&path),
        Some(other) => Err(format!("no option {other:?}; there is --write")),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The instruction set of the table, where the processor has it.
fn avx2() -> Option<InstructionSet> {
    #[cfg(target_arch = "x86_64")]
    return InstructionSet::available().find(|&set| set == InstructionSet::Avx2);
    #[cfg(not(target_arch = "x86_64"))]
    None
}

fn write(path: &Path) -> Result<(), String> {
    let cases = cases();
    let all: Vec<&Case> = cases.iter().collect();
    let mut table = String::new();
    for (case, multiple) in all.iter().zip(multiples(&all, ROUNDS_OF_TABLE)) {
        writeln!(table, "{case} {multiple:.3}").map_err(|error| error.to_string())?;
    }
    std::fs::write(path, table).map_err(|error| format!("{}: {error}", path.display()))
}

fn check(path: &Path) -> Result<(), String> {
    let table = read(path)?;
    let (cases, lost) = (cases(), lost());
    let mut wrong = strangers(&table, &cases);
    let known: Vec<&Case> = cases.iter().filter(|case| table.contains_key(case.name())).collect();
    let slow = slow(&table, known);
    println!("{} kernels, {} of them slow", cases.len(), slow.len());
    wrong.extend(slow);
    for case in &lost {
        if multiples(&[case], ROUNDS)[0] <= allowed(&table, case) {
            wrong.push(format!(
                "{case} is not found slow when it is not vectorised: the gate would not notice"
            ));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Kernels and their multiples.
type Table = BTreeMap<String, f64>;

fn read(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let row = |line: &str| {
        let (name, multiple) = line.split_once(' ')?;
        Some((name.to_owned(), multiple.parse().ok()?))
    };
    text.lines().map(|line| row(line).ok_or_else(|| format!("not a row: {line:?}"))).collect()
}

/// What to say of rows without a kernel, and of kernels without a row.
fn strangers(table: &Table, cases: &[Case]) -> Vec<String> {
    let gone = table.keys().filter(|name| !cases.iter().any(|case| case.name() == *name));
    let new = cases.iter().map(Case::name).filter(|&name| !table.contains_key(name));
    gone.map(|name| format!("{name} is in the table and no kernel: run the gate with --write"))
        .chain(new.map(|name| format!("{name} is not in the table: run the gate with --write")))
        .collect()
}

/// What to say of kernels that are too slow every time.
fn slow(table: &Table, mut suspects: Vec<&Case>) -> Vec<String> {
    let mut slow = Vec::new();
    for _ in 0..TRIES {
        let measured = multiples(&suspects, ROUNDS);
        let pairs = suspects.into_iter().zip(measured);
        slow = pairs.filter(|&(case, multiple)| multiple > allowed(table, case)).collect();
        suspects = slow.iter().map(|&(case, _)| case).collect();
    }
    let row = |(case, multiple): (&Case, f64)| {
        let times = WORST * multiple / allowed(table, case);
        format!("{case} takes {multiple:.2} yardsticks, {times:.1} times what the table says")
    };
    slow.into_iter().map(row).collect()
}

/// The most a kernel may take; one that is not in the table, nothing.
fn allowed(table: &Table, case: &Case) -> f64 {
    WORST * table.get(case.name()).copied().unwrap_or_default()
}

/// For each kernel the median of its multiples. The rounds are over all kernels, and so far apart.
fn multiples(cases: &[&Case], rounds: usize) -> Vec<f64> {
    let mut measured = vec![Vec::with_capacity(rounds); cases.len()];
    for _ in 0..rounds {
        measured.iter_mut().zip(cases).for_each(|(measured, case)| measured.push(multiple(case)));
    }
    let median = |mut measured: Vec<f64>| {
        measured.sort_by(f64::total_cmp);
        measured[rounds / 2]
    };
    measured.into_iter().map(median).collect()
}

/// The time of an element in yardsticks. Both are timed in turn, so that they see the same clock.
fn multiple(case: &Case) -> f64 {
    let (a, b) = (vec![1.0; YARD], vec![2.0; YARD]);
    let mut sum = vec![0.0; YARD];
    let (mut yardstick, mut least) = (f64::MAX, f64::MAX);
    for _ in 0..PASSES {
        yardstick = yardstick.min(seconds(|| {
            for _ in 0..YARDS {
                add(black_box(&a), black_box(&b), &mut sum);
            }
        }));
        least = least.min(seconds(|| case.run()));
    }
    (least / case.elements() as f64) / (yardstick / (YARD * YARDS) as f64)
}

fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// Elements of the yardstick, within the first-level cache.
const YARD: usize = 1024;

/// How often they are added.
const YARDS: usize = 64;

/// The yardstick: a loop that the compiler has always vectorised, for the baseline of the target.
#[inline(never)]
fn add(a: &[f64], b: &[f64], sum: &mut [f64]) {
    for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
        *sum = a + b;
    }
    black_box(sum);
}
