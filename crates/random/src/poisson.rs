//! Poisson numbers: by a table for small means, by transformed rejection for large ones.
//!
//! From a mean of 64 on it is algorithm PTRS of Hörmann, "The transformed rejection method for generating Poisson
//! random variables" (1993), without its squeezes, which save nothing in a vector loop. The probability is computed
//! in the form of Loader, "Fast and accurate computation of binomial probabilities" (2000), which loses nothing to
//! cancellation when the mean is huge.
//!
//! Nothing here depends on the instruction set: the table and the probability are computed without fused operations.

use std::f64::consts::TAU;

use chunkwise_math::{Exp, Isa, Plain, Unary, unit};

use crate::fill::{Drawn, Fill, Lanes, Law};
use crate::philox::{Block, Philox, long};
use crate::real::{half_open, positive};
use crate::table::Looked;

/// Means from here on are not tabulated.
const LARGE: f64 = 64.0;
/// The largest mean of which ten standard deviations fit into i64, as in NumPy.
pub(crate) const LARGEST: f64 = 9.223_372_006_484_771e18;

/// The elements of this mean, which is in `0..=LARGEST`.
pub(crate) fn poisson(mean: f64, philox: &Philox) -> Box<dyn Fill> {
    if mean >= LARGE {
        return Box::new(Drawn::new(Poisson::new(mean), philox));
    }
    let weights = probabilities(mean);
    let values = (0..weights.len() as i64).collect();
    Box::new(Looked::weighted(values, &weights, philox))
}

/// The probabilities of 0, 1, ... as far as they matter to numbers of 64 bits.
fn probabilities(mean: f64) -> Vec<f64> {
    let mut p = vec![Exp::eval::<Plain>(-mean)];
    for k in 1.. {
        let next = p[k - 1] * (mean / k as f64);
        if next < 2f64.powi(-70) && k as f64 > mean {
            break;
        }
        p.push(next);
    }
    p
}

/// Transformed rejection.
#[derive(Clone, Debug)]
pub(crate) struct Poisson {
    mean: f64,
    a: f64,
    b: f64,
    inverse_alpha: f64,
}

impl Poisson {
    fn new(mean: f64) -> Poisson {
        let b = 0.931 + 2.53 * mean.sqrt();
        Poisson { mean, a: -0.059 + 0.024_83 * b, b, inverse_alpha: 1.1239 + 1.1328 / (b - 3.4) }
    }
}

impl Law for Poisson {
    type Value = i64;
    const SHARE: usize = 1;
    const RETRIES: bool = true;

    #[inline(always)]
    fn attempt<I: Isa>(&self, _: u32, words: [u64; 4], _: Block<'_>) -> Lanes<i64> {
        let [u, v] = long(words);
        let u = half_open(u) - 0.5;
        // How near u is to an end of its interval: the hat's tails are there. At the end itself k is not a number of i64.
        let us = 0.5 - u.abs();
        let k = ((2.0 * self.a / us + self.b) * u + self.mean + 0.43).floor();
        let ratio = positive(v) * self.inverse_alpha / (self.a / (us * us) + self.b);
        let accepted = accepts(ratio, k, self.mean) & (k >= 0.0) & (us > 0.0);
        Lanes { values: [k as i64, 0, 0, 0], open: [!accepted, false, false, false] }
    }
}

/// Whether `ratio` is at most the probability of `k`, in logarithms.
#[inline(always)]
fn accepts(ratio: f64, k: f64, mean: f64) -> bool {
    let k = if k > 1.0 { k } else { 1.0 };
    unit::ln::<Plain>(ratio * (TAU * k).sqrt()) <= -(stirling_error(k) + deviance(k, mean))
}

/// `ln k! - ln(sqrt(2 pi k) (k / e)^k)`, for `k` of at least 1. Its error is 3e-4 at 1 and below 1e-13 from 16 on; less than
/// one number in 10^11 is smaller.
#[inline(always)]
fn stirling_error(k: f64) -> f64 {
    let square = k * k;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / k
}

/// `k ln(k / mean) + mean - k`, by a series in `(k - mean) / (k + mean)` where the terms would cancel.
#[inline(always)]
fn deviance(k: f64, mean: f64) -> f64 {
    let difference = k - mean;
    let v = difference / (k + mean);
    let z = v * v;
    let mut series = 1.0 / 17.0;
    for odd in [15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series * z + 1.0 / odd;
    }
    let near = difference * v + 2.0 * k * v * z * series;
    let far = k * unit::ln::<Plain>(k / mean) - difference;
    if z < 0.01 { near } else { far }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probability(k: f64, mean: f64) -> f64 {
        (-stirling_error(k) - deviance(k, mean)).exp() / (TAU * k).sqrt()
    }

    #[test]
    fn probabilities_add_up() {
        for mean in [64.0, 100.0, 12_345.6, 1e9] {
            let spread = 40.0 * f64::sqrt(mean);
            let ks = (f64::max(mean - spread, 1.0) as u64)..(mean + spread) as u64;
            let sum: f64 = ks.map(|k| probability(k as f64, mean)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{mean} {sum}");
        }
        for mean in [0.0, 1e-300, 1e-9, 0.5, 10.0, 63.999] {
            let p = probabilities(mean);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-14, "{mean}");
            assert!(p.len() < 250);
        }
    }

    #[test]
    fn both_forms_of_a_probability_agree() {
        for (k, p) in probabilities(63.0).into_iter().enumerate().skip(1) {
            let other = probability(k as f64, 63.0);
            let error = if k < 16 { 4e-4 } else { 2e-12 };
            assert!((p - other).abs() <= error * p, "{k} {p} {other}");
        }
    }
}
