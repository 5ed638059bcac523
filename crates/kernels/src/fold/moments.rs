//! Variance and standard deviation: mean and sum of squared deviations, in `f64`.
//!
//! ```text
//! segment   mean = sum(x) / n;   d = x - mean                       two passes over elements in the cache
//!           rest = sum(d) / n;   m2 = sum(d^2) - n rest^2           the mean is mean + rest
//! merge     d = (mean_b - mean_a) + (rest_b - rest_a);   n = na + nb
//!           mean + rest = mean_a + (rest_a + d nb / n);  m2 = m2_a + m2_b + d^2 na nb / n
//! value     m2 / max(n - ddof, 0)
//! ```
//!
//! The merge is that of Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance", the segment
//! their corrected two-pass algorithm. The mean is kept as an unevaluated sum of two doubles, without which an offset of
//! 1e9 would cost eight digits where parts are merged. The sum of squares less the square of the sum would lose all of
//! them.

use std::marker::PhantomData;

use super::rule::{Divisor, Rule};
use super::summed::Summed;
use crate::machine::COLUMNS;

const LANES: usize = 32;

/// Mean, as a sum of two doubles, and sum of squared deviations from it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Moment {
    pub(super) mean: f64,
    rest: f64,
    pub(super) m2: f64,
}

impl Moment {
    /// From a number near the mean, and the sums of deviations and of squared deviations from it.
    #[inline(always)]
    pub(super) fn about(mean: f64, sum: f64, squares: f64, count: f64) -> Moment {
        let rest = sum / count;
        Moment { mean, rest, m2: squares - sum * rest }
    }

    /// How far the mean of `b` is above that of `a`.
    #[inline(always)]
    pub(super) fn apart(a: Moment, b: Moment) -> f64 {
        (b.mean - a.mean) + (b.rest - a.rest)
    }

    /// The moments of both; `a` stands for `na` elements, `b` for `nb`, at least one each.
    #[inline(always)]
    pub(super) fn merged(a: Moment, na: f64, b: Moment, nb: f64) -> Moment {
        let share = nb / (na + nb);
        let d = Moment::apart(a, b);
        let (mean, rest) = two_sum(a.mean, a.rest + d * share);
        Moment { mean, rest, m2: a.m2 + b.m2 + square(d) * (na * share) }
    }
}

/// `var` and `std`.
pub(super) struct Moments<T>(PhantomData<T>);

impl<T: Summed> Rule for Moments<T> {
    type Item = T;
    type State = Moment;
    type Out = T;

    const WIDE: bool = true;

    #[inline(always)]
    fn segment(items: &[T], _: u64) -> Moment {
        let count = items.len() as f64;
        let mean = lane_sums(items, |x| [x.float()])[0] / count;
        let [sum, squares] = lane_sums(items, |x| {
            let d = x.float() - mean;
            [d, d * d]
        });
        Moment::about(mean, sum, squares, count)
    }

    #[inline(always)]
    fn columns(rows: &[&[T]], _: u64, states: &mut [Moment]) {
        let n = states.len();
        let (mut mean, mut sum, mut squares) = ([0.0; COLUMNS], [0.0; COLUMNS], [0.0; COLUMNS]);
        let (mean, sum, squares) = (&mut mean[..n], &mut sum[..n], &mut squares[..n]);
        add_rows(rows, mean, |x, _| x.float());
        let count = rows.len() as f64;
        mean.iter_mut().for_each(|mean| *mean /= count);
        add_rows(rows, sum, |x, column| x.float() - mean[column]);
        add_rows(rows, squares, |x, column| square(x.float() - mean[column]));
        for (i, state) in states.iter_mut().enumerate() {
            *state = Moment::about(mean[i], sum[i], squares[i], count);
        }
    }

    #[inline(always)]
    fn merge(a: Moment, na: u64, b: Moment, nb: u64) -> Moment {
        Moment::merged(a, na as f64, b, nb as f64)
    }

    fn value(state: Moment, count: u64, divisor: Divisor) -> T {
        let var = state.m2 / (count as f64 - divisor.ddof).max(0.0);
        T::from_float(if divisor.root { var.sqrt() } else { var })
    }

    fn nothing() -> T {
        T::from_float(f64::NAN)
    }
}

#[inline(always)]
pub(super) fn square(x: f64) -> f64 {
    x * x
}

/// The sum and what rounding took from it (Knuth, The Art of Computer Programming, 4.2.2).
#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// Sums of `K` functions of the elements, cut as in [`lanes`](super::lanes).
#[inline(always)]
pub(super) fn lane_sums<T: Summed, const K: usize>(items: &[T], f: impl Fn(T) -> [f64; K]) -> [f64; K] {
    let mut acc = [[0.0; LANES]; K];
    let (blocks, tail) = items.as_chunks::<LANES>();
    for block in blocks {
        for (i, &x) in block.iter().enumerate() {
            let terms = f(x);
            for k in 0..K {
                acc[k][i] += terms[k];
            }
        }
    }
    for (i, &x) in tail.iter().enumerate() {
        let terms = f(x);
        for k in 0..K {
            acc[k][i] += terms[k];
        }
    }
    acc.map(|mut acc| {
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                acc[i] += acc[i + half];
            }
            half /= 2;
        }
        acc[0]
    })
}

/// Adds a function of element and column to `sums`, eight rows at a time.
#[inline(always)]
pub(super) fn add_rows<T: Summed>(rows: &[&[T]], sums: &mut [f64], f: impl Fn(T, usize) -> f64) {
    let n = sums.len();
    let (groups, tail) = rows.as_chunks::<8>();
    for group in groups {
        let [a, b, c, d, e, g, h, k] = group.map(|row| &row[..n]);
        for i in 0..n {
            let left = (f(a[i], i) + f(b[i], i)) + (f(c[i], i) + f(d[i], i));
            let right = (f(e[i], i) + f(g[i], i)) + (f(h[i], i) + f(k[i], i));
            sums[i] += left + right;
        }
    }
    for row in tail {
        let row = &row[..n];
        for i in 0..n {
            sums[i] += f(row[i], i);
        }
    }
}
