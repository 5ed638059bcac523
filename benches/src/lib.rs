//! Timing of workloads: one JSON object a line, in the form other array libraries are timed in.
//!
//! `{"workload": .., "peer": "chunkwise", "ms": median, "min_ms": .., "runs": ..}`: input is in memory before the clock
//! starts; building the expression, optimising and running it is inside; one run before is not counted.

pub mod cases;

use std::time::Instant;

/// Times `run`, checks each value it gives, and prints a line.
///
/// # Panics
/// When a value is not what it should be.
pub fn report<T>(
    workload: &str,
    peer: &str,
    runs: usize,
    mut run: impl FnMut() -> T,
    check: impl Fn(&T) -> bool,
) {
    assert!(check(&run()), "{workload} of {peer} computes a wrong value");
    let mut times: Vec<f64> = (0..runs.max(1))
        .map(|_| {
            let start = Instant::now();
            let value = run();
            let ms = start.elapsed().as_secs_f64() * 1e3;
            assert!(check(&value), "{workload} of {peer} computes a wrong value");
            ms
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (median, least) = (times[times.len() / 2], times[0]);
    println!(
        "{{\"workload\": \"{workload}\", \"peer\": \"{peer}\", \"ms\": {median:.3}, \"min_ms\": {least:.3}, \
         \"runs\": {}}}",
        times.len()
    );
}

/// `n` numbers in [0, 1): reproducible, and as irregular as a workload needs (SplitMix64, Steele et al. 2014).
///
/// ```
/// let x = chunkwise_benches::uniform(1000);
/// let mean = x.iter().sum::<f64>() / 1000.0;
/// assert!((mean - 0.5).abs() < 0.05);
/// ```
pub fn uniform(n: usize) -> Vec<f64> {
    let mut state = 0u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    })
    .take(n)
    .collect()
}

/// Whether two values agree within a relative tolerance.
///
/// ```
/// assert!(chunkwise_benches::close(1.0, 1.0 + 1e-13, 1e-12));
/// ```
pub fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1e-300)
}
