//! The largest error of every function over a million arguments each, in units of the last place.
//!
//! ```text
//! cargo run --release -p chunkwise-math --example sweep [-- count [name...]]
//! ```

#[allow(dead_code)]
#[path = "../tests/reference/mod.rs"]
mod reference;

use reference::cases::{Worst, cases, cases_of_two};

fn row(name: &str, bound: f64, [plain, fused]: [Worst; 2], single: Worst) {
    let mark = if plain.ulps.max(fused.ulps) > bound || single.ulps > 1.0 { " over the bound" } else { "" };
    println!(
        "{name:7} {:9.4} {:9.4} {:9.5}   {:?} {:?} {:?}{mark}",
        fused.ulps, plain.ulps, single.ulps, fused.at, plain.at, single.at
    );
}

fn main() {
    let mut args = std::env::args().skip(1);
    let count = args.next().map_or(1_000_000, |c| c.parse().expect("a number of arguments a function"));
    let names: Vec<String> = args.collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    println!("name      f64 FMA     plain       f32   worst arguments ({count} a function)");
    for case in cases().iter().filter(|c| wanted(c.name)) {
        row(case.name, case.bound, case.sweep(count), case.sweep_f32(count));
    }
    for case in cases_of_two().iter().filter(|c| wanted(c.name)) {
        row(case.name, case.bound, case.sweep(count), case.sweep_f32(count));
    }
}
