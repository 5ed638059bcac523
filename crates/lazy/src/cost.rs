//! What work costs: a model of a few numbers, for orders of magnitude.
//!
//! It owns the numbers. Two things ask it: whether a value is computed again or written to disk when memory is short
//! ([`lower`](crate::lower)), and about how long a plan takes ([`explain`](crate::explain)). It knows neither the machine nor
//! the number of threads, so that the same program has the same plan everywhere.
//!
//! The time of an element is that of its instructions, in multiples of an addition (`benches/kernels.txt` has all of them),
//! and of the bytes that go through memory. The other numbers are round ones, of a machine with two cores and a disk of some
//! hundred megabytes to a gigabyte a second; `cargo run --release -p chunkwise-benches --bin costs` measures them on another.

use chunkwise_chunk::ReadCost;
use chunkwise_expr::{ElementOp, Program};

/// Nanoseconds of an addition of `f64` in the first-level cache: the unit of `benches/kernels.txt`.
const ADDITION: f64 = 0.25;

/// Bytes of memory that a thread reads or writes in a nanosecond.
pub(crate) const MEMORY: f64 = 6.0;

/// Bytes that a thread reads from a file and decodes in a nanosecond.
const DECODED: f64 = 1.5;

/// Bytes that go to disk, and come back, in a nanosecond, whatever the number of threads.
pub(crate) const WRITTEN: f64 = 1.0;
pub(crate) const LOADED: f64 = 1.5;

/// Nanoseconds of an element that a formula computes; that of random numbers of the simple distributions.
const GENERATED: f64 = 4.0;

/// Nanoseconds that a call of a user's function is taken for, an element: nobody knows.
pub(crate) const CALLED: f64 = 2.0;

/// Nanoseconds of a task beside its work.
pub(crate) const TASK: f64 = 1000.0;

/// Instructions of `f64` that take more than a few additions, by their names. Others take [`SIMPLE`] ones.
const DEAR: &[(f64, &[&str])] = &[
    (4.0, &["div", "recip", "sqrt", "sign", "exponent"]),
    (
        10.0,
        &[
            "exp", "exp2", "exp_m1", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
            "hypot", "scale_b",
        ],
    ),
    (16.0, &["ln", "ln_1p", "log2", "log10", "erf", "cbrt"]),
    (28.0, &["atan2", "rem", "modulo", "floor_div", "acosh", "asinh", "atanh"]),
    (60.0, &["pow", "ln_add_exp", "log2_add_exp2"]),
    (300.0, &["bessel_i0"]),
];

/// Additions that most instructions take.
const SIMPLE: f64 = 1.0;

/// Additions that an instruction takes. Narrower elements take less, which the model leaves out.
fn additions(op: &ElementOp) -> f64 {
    if let ElementOp::Call(_) = op {
        return CALLED / ADDITION;
    }
    DEAR.iter().find(|(_, names)| names.contains(&op.name())).map_or(SIMPLE, |(additions, _)| *additions)
}

/// Nanoseconds of an element of one instruction.
pub(crate) fn instruction(op: &ElementOp) -> f64 {
    additions(op) * ADDITION
}

/// Nanoseconds of an element of a program.
pub(crate) fn program(program: &Program) -> f64 {
    program.instrs().iter().map(|step| instruction(&step.op)).sum()
}

/// Nanoseconds of reading elements from a source once more; infinite where a user's function makes them.
pub(crate) fn read(cost: ReadCost, elements: f64, bytes: f64) -> f64 {
    match cost {
        ReadCost::Free => bytes / MEMORY,
        ReadCost::Generate => elements * GENERATED,
        ReadCost::Decode => bytes / DECODED,
        _ => f64::INFINITY,
    }
}

/// Nanoseconds of writing bytes to disk and reading them back so many times.
pub(crate) fn disk(bytes: f64, times: usize) -> f64 {
    bytes / WRITTEN + times as f64 * bytes / LOADED
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_expr::{BinaryOp, UnaryOp};

    /// The times of all kernels of elementwise operations on `f64` that were measured, in additions.
    fn measured() -> Vec<(String, f64)> {
        let table = include_str!("../../../benches/kernels.txt");
        let row = |line: &str| {
            let (case, time) = line.split_once(' ')?;
            Some((case.strip_suffix(".f64")?.to_owned(), time.parse().ok()?))
        };
        table.lines().filter_map(row).collect()
    }

    #[test]
    fn the_model_is_near_what_was_measured() {
        let ops = UnaryOp::ALL.iter().map(|&op| ElementOp::from(op));
        let ops = ops.chain(BinaryOp::ALL.iter().map(|&op| ElementOp::from(op)));
        let measured = measured();
        let mut found = 0;
        for op in ops {
            let Some((name, time)) = measured.iter().find(|(name, _)| name == op.name()) else { continue };
            found += 1;
            let times = additions(&op) / time;
            assert!((0.2..=5.0).contains(&times), "{name} takes {time}, not {}", additions(&op));
        }
        assert!(found > 40, "{found}");
    }

    #[test]
    fn a_few_simple_instructions_cost_less_than_the_disk_and_many_dear_ones_more() {
        let element = |op: UnaryOp, count: usize| count as f64 * instruction(&op.into());
        assert!(element(UnaryOp::Square, 20) < disk(8.0, 1));
        assert!(element(UnaryOp::Sin, 20) > disk(8.0, 1));
        assert!(read(ReadCost::Decode, 1.0, 8.0) < disk(8.0, 1));
        assert!(read(ReadCost::Call, 1.0, 8.0).is_infinite());
    }
}
