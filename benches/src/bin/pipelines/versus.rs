//! The same computed in two ways: compared, then timed alternately.

use std::time::Instant;

/// Which pipeline, and how often it is timed.
pub(crate) struct Versus {
    pub(crate) name: &'static str,
    pub(crate) runs: usize,
}

impl Versus {
    /// Compares what both give, times them, prints a line; the ratio of our time to that by hand.
    pub(crate) fn report<H, O>(
        &self,
        hand: impl Fn() -> H,
        ours: impl Fn() -> chunkwise::Result<O>,
        same: impl Fn(&H, &O) -> bool,
    ) -> chunkwise::Result<f64> {
        assert!(same(&hand(), &ours()?), "{}: both ways give different values", self.name);
        let (mut hand_ms, mut our_ms) = (Vec::new(), Vec::new());
        for run in 0..self.runs.max(1) {
            // Who goes first finds the caches as the other left them.
            if run % 2 == 0 {
                hand_ms.push(timed(&hand));
            }
            our_ms.push(timed(&ours));
            if run % 2 == 1 {
                hand_ms.push(timed(&hand));
            }
        }
        let (ms, by_hand) = (median(our_ms), median(hand_ms));
        println!(
            "{{\"pipeline\": \"{}\", \"ms\": {ms:.3}, \"hand_ms\": {by_hand:.3}, \"ratio\": {:.3}}}",
            self.name,
            ms / by_hand
        );
        Ok(ms / by_hand)
    }
}

/// Milliseconds, without freeing what was made.
fn timed<T>(f: impl Fn() -> T) -> f64 {
    let start = Instant::now();
    let _value = std::hint::black_box(f());
    start.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Whether all values agree within a tolerance, relative to the larger of the value and one; NaN agrees with NaN.
pub(crate) fn agree<'a, T: Into<f64> + Copy + 'a>(
    a: &[T],
    b: impl IntoIterator<Item = &'a T>,
    tolerance: f64,
) -> bool {
    let mut b = b.into_iter();
    let same = a.iter().all(|&a| {
        let (a, b): (f64, f64) = (a.into(), b.next().map_or(f64::INFINITY, |&b| b.into()));
        a.is_nan() && b.is_nan() || (a - b).abs() <= tolerance * b.abs().max(1.0)
    });
    same && b.next().is_none()
}
