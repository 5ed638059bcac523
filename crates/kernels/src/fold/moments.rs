//! Variance and standard deviation: mean and sum of squared deviations, in `f64`.
//!
//! ```text
//! segment   mean = sum(x) / n;   m2 = sum((x - mean)^2)             two passes over elements in the cache
//! merge     d = mean_b - mean_a;  n = na + nb
//!           mean = mean_a + d nb / n;   m2 = m2_a + m2_b + d^2 na nb / n
//! value     m2 / max(n - ddof, 0)
//! ```
//!
//! The merge is that of Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance". The
//! sum of squares less the square of the sum would lose all digits where the mean is large: with an offset of
//! 1e8 its relative error is 1e3, and this one's is 1e-9, for 10 to 35 % more time.

use std::marker::PhantomData;

use super::rule::{Divisor, Rule};
use super::summed::Summed;
use crate::machine::COLUMNS;

const LANES: usize = 32;

/// Mean and sum of squared deviations from it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Moment {
    mean: f64,
    m2: f64,
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
        let mean = lane_sum(items, |x| x.float()) / items.len() as f64;
        let m2 = lane_sum(items, |x| square(x.float() - mean));
        Moment { mean, m2 }
    }

    #[inline(always)]
    fn columns(rows: &[&[T]], _: u64, states: &mut [Moment]) {
        let n = states.len();
        let (mut mean, mut m2) = ([0.0; COLUMNS], [0.0; COLUMNS]);
        let (mean, m2) = (&mut mean[..n], &mut m2[..n]);
        add_rows(rows, mean, |x, _| x.float());
        let count = rows.len() as f64;
        mean.iter_mut().for_each(|mean| *mean /= count);
        add_rows(rows, m2, |x, column| square(x.float() - mean[column]));
        for (state, (&mean, &m2)) in states.iter_mut().zip(mean.iter().zip(&*m2)) {
            *state = Moment { mean, m2 };
        }
    }

    #[inline(always)]
    fn merge(a: Moment, na: u64, b: Moment, nb: u64) -> Moment {
        let (na, nb) = (na as f64, nb as f64);
        let share = nb / (na + nb);
        let d = b.mean - a.mean;
        Moment { mean: a.mean + d * share, m2: a.m2 + b.m2 + square(d) * (na * share) }
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
fn square(x: f64) -> f64 {
    x * x
}

/// Sum of a function of the elements, cut as in [`lanes`](super::lanes).
#[inline(always)]
fn lane_sum<T: Summed>(items: &[T], f: impl Fn(T) -> f64) -> f64 {
    if items.len() < LANES {
        return items.iter().fold(0.0, |acc, &x| acc + f(x));
    }
    let mut acc = [0.0; LANES];
    let (blocks, tail) = items.as_chunks::<LANES>();
    for block in blocks {
        for (acc, &x) in acc.iter_mut().zip(block) {
            *acc += f(x);
        }
    }
    for (acc, &x) in acc.iter_mut().zip(tail) {
        *acc += f(x);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            acc[i] += acc[i + half];
        }
        half /= 2;
    }
    acc[0]
}

/// Adds a function of element and column to `sums`, eight rows at a time.
#[inline(always)]
fn add_rows<T: Summed>(rows: &[&[T]], sums: &mut [f64], f: impl Fn(T, usize) -> f64) {
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
