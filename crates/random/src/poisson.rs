//! Poisson numbers: by a table for small means, by transformed rejection for large ones.
//!
//! From a mean of 64 on it is algorithm PTRS of Hörmann, "The transformed rejection method for generating Poisson
//! random variables" (1993). About nine in ten elements are accepted by the squeeze, which is arithmetic alone and
//! so a vector loop; the others compute the probability, in the form of Loader, "Fast and accurate computation of
//! binomial probabilities" (2000), which loses nothing to cancellation when the mean is huge.
//!
//! Nothing here depends on the instruction set: the table and the probability are computed without fused operations.

use std::f64::consts::TAU;

use chunkwise_math::{Exp, Isa, Ln, Plain, Unary};

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

/// Transformed rejection with squeeze.
#[derive(Clone, Debug)]
pub(crate) struct Poisson {
    mean: f64,
    a: f64,
    b: f64,
    /// Places of the second number below this are accepted at once.
    squeeze: f64,
    ln_inverse_alpha: f64,
}

/// A proposal: two uniform numbers, and what they make.
struct Proposal {
    /// Distance of the first number from the ends of its interval.
    us: f64,
    v: f64,
    x: f64,
}

impl Poisson {
    fn new(mean: f64) -> Poisson {
        let b = 0.931 + 2.53 * mean.sqrt();
        Poisson {
            mean,
            a: -0.059 + 0.024_83 * b,
            b,
            squeeze: 0.9277 - 3.6224 / (b - 2.0),
            ln_inverse_alpha: Ln::eval::<Plain>(1.1239 + 1.1328 / (b - 3.4)),
        }
    }

    #[inline(always)]
    fn propose(&self, words: [u64; 4]) -> Proposal {
        let [u, v] = long(words);
        let u = half_open(u) - 0.5;
        let us = 0.5 - u.abs();
        Proposal { us, v: positive(v), x: (2.0 * self.a / us + self.b) * u + self.mean + 0.43 }
    }

    fn accepts(&self, p: &Proposal) -> bool {
        let k = p.x.floor();
        if p.us >= 0.07 && p.v <= self.squeeze {
            return true;
        }
        if k < 0.0 || (p.us < 0.013 && p.v > p.us) {
            return false;
        }
        let hat = Ln::eval::<Plain>(self.a / (p.us * p.us) + self.b);
        Ln::eval::<Plain>(p.v) + self.ln_inverse_alpha - hat <= ln_probability(k, self.mean)
    }
}

impl Law for Poisson {
    type Value = i64;
    const SHARE: usize = 1;
    const RETRIES: bool = true;

    #[inline(always)]
    fn first<I: Isa>(&self, words: [u64; 4], _: Block<'_>) -> Lanes<i64> {
        let p = self.propose(words);
        let accepted = (p.us >= 0.07) & (p.v <= self.squeeze);
        // Accepted numbers are positive, so that truncating is rounding down.
        Lanes { values: [p.x as i64, 0, 0, 0], open: [!accepted, false, false, false] }
    }

    fn retry(&self, block: Block<'_>, _: usize) -> i64 {
        let mut proposals = (0..).map(|draw| self.propose(block.words(draw)));
        let accepted = proposals.find(|p| self.accepts(p)).expect("nine proposals in ten are accepted");
        accepted.x.floor() as i64
    }
}

/// The logarithm of the probability of an integer `k`, at least 0.
fn ln_probability(k: f64, mean: f64) -> f64 {
    if k == 0.0 {
        return -mean;
    }
    -0.5 * Ln::eval::<Plain>(TAU * k) - stirling_error(k) - deviance(k, mean)
}

/// `ln k! - ln(sqrt(2 pi k) (k / e)^k)`
fn stirling_error(k: f64) -> f64 {
    if k < 16.0 {
        // Factorials up to that of 18 are numbers of f64.
        let factorial: f64 = (2..=k as u32).map(f64::from).product();
        return Ln::eval::<Plain>(factorial) - (k + 0.5) * Ln::eval::<Plain>(k) + k
            - 0.5 * Ln::eval::<Plain>(TAU);
    }
    let square = k * k;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / k
}

/// `k ln(k / mean) + mean - k`, by a series in `(k - mean) / (k + mean)` where the terms would cancel.
fn deviance(k: f64, mean: f64) -> f64 {
    let difference = k - mean;
    if difference.abs() >= 0.1 * (k + mean) {
        return k * Ln::eval::<Plain>(k / mean) - difference;
    }
    let v = difference / (k + mean);
    let (mut sum, mut term) = (difference * v, 2.0 * k * v);
    for j in 1..100 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up() {
        for mean in [64.0, 100.0, 12_345.6] {
            let spread = 40.0 * f64::sqrt(mean);
            let ks = (f64::max(mean - spread, 0.0) as u64)..(mean + spread) as u64;
            let sum: f64 = ks.map(|k| ln_probability(k as f64, mean).exp()).sum();
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
        for (k, p) in probabilities(63.0).into_iter().enumerate() {
            let other = ln_probability(k as f64, 63.0).exp();
            assert!((p - other).abs() <= 1e-12 * p, "{k} {p} {other}");
        }
    }

    #[test]
    fn squeezed_numbers_are_positive() {
        for mean in [LARGE, 1e3, 1e9, LARGEST] {
            let law = Poisson::new(mean);
            let least = (2.0 * law.a / 0.07 + law.b) * -0.43 + mean + 0.43;
            assert!(least > 1.0, "{mean} {least}");
        }
    }
}
