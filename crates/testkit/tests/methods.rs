//! Every public method, used at random, in several ways to run it.

use std::sync::LazyLock;

use chunkwise::{OptimizeOptions, Runtime};
use chunkwise_testkit::{compute_all, random_uses};

/// Uses of each method; `METHOD_CASES` asks for more.
fn cases() -> u64 {
    std::env::var("METHOD_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(25)
}

static RUNTIMES: LazyLock<Vec<(&str, Runtime)>> = LazyLock::new(|| {
    let runtime = |threads: usize, options: OptimizeOptions| {
        Runtime::builder().threads(threads).optimizer(options).build().expect("a few threads can be started")
    };
    vec![
        ("1 thread, unoptimised", runtime(1, OptimizeOptions::none())),
        ("1 thread, optimised", runtime(1, OptimizeOptions::all())),
        ("2 threads, unoptimised", runtime(2, OptimizeOptions::none())),
        ("2 threads, optimised", runtime(2, OptimizeOptions::all())),
    ]
});

#[test]
fn every_method_gives_what_the_plainest_loop_gives() {
    let mut wrong = Vec::new();
    for seed in 0..cases() {
        for (name, used) in random_uses(seed) {
            for (runtime_name, runtime) in RUNTIMES.iter() {
                let got = compute_all(runtime, std::slice::from_ref(used.array()));
                let got = got.as_ref().map(|values| &values[0]).map_err(|err| err as &dyn std::fmt::Display);
                if let Err(difference) = used.check(got) {
                    wrong.push(format!("{name}, seed {seed}, {runtime_name}: {difference}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of the uses are wrong, among them\n{}",
        wrong.len(),
        wrong[..wrong.len().min(8)].join("\n")
    );
}
