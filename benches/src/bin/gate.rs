//! Fails when a kernel has become much slower than it was: when the compiler has silently stopped vectorising it.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin gate              # compare with benches/kernels.txt
//! cargo run --release -p chunkwise-benches --bin gate -- --write   # measure anew and write the table
//! cargo run --release -p chunkwise-benches --bin gate -- --lost    # whether lost loops would be noticed
//! ```
//!
//! The time an element of each kernel is taken as a multiple of a yardstick's, an addition of f64 that is always
//! vectorised, in the same process. The best of many short passes is not disturbed by what else the machine does, and
//! the multiple not by how fast its clock runs. A lost loop costs 3 to 20 times; a kernel fails from [`WORST`] times
//! its multiple in the table on, and only if it does so again and again.
//!
//! All loops are those of AVX2 and FMA, whatever else the processor has, so that every machine watches the same code;
//! processors without are not watched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use chunkwise_benches::cases::{Case, cases};
use chunkwise_math::dispatch::InstructionSet;

/// How many times its multiple a kernel may take.
const WORST: f64 = 2.0;

/// How often a kernel is measured for the table, and a slow one before it fails.
const TRIES: usize = 9;

/// Passes of a measurement, of which the shortest counts.
const PASSES: usize = 12;

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels.txt");
    let Some(watched) = watched() else {
        println!("not watched: the processor has no AVX2 and FMA");
        return ExitCode::SUCCESS;
    };
    let result = match std::env::args().nth(1).as_deref() {
        Some("--write") => watched.with(|| write(&path)),
        Some("--lost") => lost(&path, watched),
        None => watched.with(|| check(&path)),
        Some(other) => Err(format!("no option {other:?}; there are --write and --lost")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The instruction set of the table, where the processor has it.
fn watched() -> Option<InstructionSet> {
    #[cfg(target_arch = "x86_64")]
    return InstructionSet::available().find(|&set| set == InstructionSet::Avx2);
    #[cfg(not(target_arch = "x86_64"))]
    None
}

fn write(path: &Path) -> Result<(), String> {
    let mut table = String::new();
    for case in cases() {
        let mut multiples: Vec<f64> = (0..TRIES).map(|_| multiple(&case)).collect();
        multiples.sort_by(f64::total_cmp);
        let median = multiples[TRIES / 2];
        writeln!(table, "{} {median:.3}", case.name()).map_err(|error| error.to_string())?;
    }
    std::fs::write(path, table).map_err(|error| format!("{}: {error}", path.display()))
}

fn check(path: &Path) -> Result<(), String> {
    let table = Table::read(path)?;
    let cases = cases();
    let mut slow = table.without(&cases);
    slow.extend(cases.iter().filter_map(|case| table.slower(case)));
    println!("{} kernels, {} of them slow", cases.len(), slow.len());
    if slow.is_empty() { Ok(()) } else { Err(slow.join("\n")) }
}

fn lost(path: &Path, watched: InstructionSet) -> Result<(), String> {
    let _ = watched;
    let table = Table::read(path)?;
    InstructionSet::Baseline.with(|| {
        let cases = cases();
        let slow: Vec<String> = cases.iter().filter_map(|case| table.slower(case)).collect();
        println!("{} kernels, {} of them slow\n{}", cases.len(), slow.len(), slow.join("\n"));
    });
    Ok(())
}

/// Kernels and their multiples.
struct Table(BTreeMap<String, f64>);

impl Table {
    fn read(path: &Path) -> Result<Table, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let row = |line: &str| {
            let (name, multiple) = line.split_once(' ')?;
            Some((name.to_owned(), multiple.parse().ok()?))
        };
        let rows = text.lines().map(|line| row(line).ok_or_else(|| format!("not a row: {line:?}")));
        rows.collect::<Result<_, _>>().map(Table)
    }

    /// What to say of rows of no case.
    fn without(&self, cases: &[Case]) -> Vec<String> {
        let gone = self.0.keys().filter(|name| !cases.iter().any(|case| case.name() == *name));
        gone.map(|name| format!("{name} is in the table and no kernel: run the gate with --write")).collect()
    }

    /// What to say of a kernel that is too slow every time.
    fn slower(&self, case: &Case) -> Option<String> {
        let Some(&known) = self.0.get(case.name()) else {
            return Some(format!("{case} is not in the table: run the gate with --write"));
        };
        let mut least = f64::MAX;
        for _ in 0..TRIES {
            least = least.min(multiple(case));
            if least <= known * WORST {
                return None;
            }
        }
        let times = least / known;
        Some(format!("{case} takes {least:.3} yardsticks, {times:.1} times the {known:.3} of the table"))
    }
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
