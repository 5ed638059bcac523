//! The statistical battery of the tests with more draws.
//!
//! ```text
//! cargo run --release -p chunkwise-random --example battery [-- draws]
//! ```

#[path = "../tests/battery/mod.rs"]
mod battery;

fn main() {
    let draws = std::env::args().nth(1).map_or(Ok(10_000_000), |n| n.parse()).expect("a number of draws");
    let report = battery::run(draws);
    report.lines.iter().for_each(|line| println!("{line}"));
    println!("{} tests of {draws} draws, {} failures", report.lines.len(), report.failures);
    std::process::exit(i32::from(report.failures > 0));
}
