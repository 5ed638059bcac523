//! Third and fourth central moments, skewness and kurtosis: mean and sums of powers of deviations, in `f64`, in one pass.
//!
//! ```text
//! segment   mean = sum(x) / n;   s_k = sum((x - mean)^k);   r = s_1 / n       two passes over elements in the cache
//!           m2 = s_2 - n r^2;   m3 = s_3 - 3 r s_2 + 2 n r^3;   m4 = s_4 - 4 r s_3 + 6 r^2 s_2 - 3 n r^4
//! merge     d = mean_b - mean_a;   n = na + nb
//!           m2 = m2_a + m2_b + d^2 na nb / n
//!           m3 = m3_a + m3_b + d^3 na nb (na - nb) / n^2 + 3 d (na m2_b - nb m2_a) / n
//!           m4 = m4_a + m4_b + d^4 na nb (na^2 - na nb + nb^2) / n^3
//!                + 6 d^2 (na^2 m2_b + nb^2 m2_a) / n^2 + 4 d (na m3_b - nb m3_a) / n
//! ```
//!
//! The merge is that of Pébay (2008), "Formulas for robust, one-pass parallel computation of covariances and
//! arbitrary-order statistical moments", SAND2008-6212, equations 2.1 and 3.1. Sums of powers of the elements themselves
//! would cancel.

use std::marker::PhantomData;

use super::moments::{Moment, add_rows, lane_sums, square};
use super::rule::{Divisor, HighMoment, Rule};
use super::summed::Summed;
use crate::machine::COLUMNS;

/// Below this share of the mean a standard deviation is nothing but rounding errors, as in SciPy.
const RESOLUTION: f64 = 1e-15;

/// Mean and sums of second, third and fourth powers of deviations from it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct High {
    second: Moment,
    m3: f64,
    m4: f64,
}

/// `moment` of order 3 and 4, `skew` and `kurtosis`.
pub(super) struct HighMoments<T>(PhantomData<T>);

impl<T: Summed> Rule for HighMoments<T> {
    type Item = T;
    type State = High;
    type Out = T;

    const WIDE: bool = true;

    #[inline(always)]
    fn segment(items: &[T], _: u64) -> High {
        let count = items.len() as f64;
        let mean = lane_sums(items, |x| [x.float()])[0] / count;
        High::about(mean, lane_sums(items, |x| powers(x.float() - mean)), count)
    }

    #[inline(always)]
    fn columns(rows: &[&[T]], _: u64, states: &mut [High]) {
        let n = states.len();
        let mut sums = [[0.0; COLUMNS]; 5];
        let [mean, s1, s2, s3, s4] = sums.each_mut().map(|sums| &mut sums[..n]);
        add_rows(rows, mean, |x, _| x.float());
        let count = rows.len() as f64;
        mean.iter_mut().for_each(|mean| *mean /= count);
        add_rows(rows, s1, |x, column| x.float() - mean[column]);
        add_rows(rows, s2, |x, column| square(x.float() - mean[column]));
        add_rows(rows, s3, |x, column| powers(x.float() - mean[column])[2]);
        add_rows(rows, s4, |x, column| powers(x.float() - mean[column])[3]);
        for (i, state) in states.iter_mut().enumerate() {
            *state = High::about(mean[i], [s1[i], s2[i], s3[i], s4[i]], count);
        }
    }

    #[inline(always)]
    fn merge(a: High, na: u64, b: High, nb: u64) -> High {
        let (na, nb) = (na as f64, nb as f64);
        let (pa, pb) = (na / (na + nb), nb / (na + nb));
        let d = Moment::apart(a.second, b.second);
        let (m2a, m2b) = (a.second.m2, b.second.m2);
        let spread = square(d) * (na * pb);
        let m3 = spread * d * (pa - pb) + 3.0 * d * (pa * m2b - pb * m2a);
        let m4 = spread * square(d) * (pa * pa - pa * pb + pb * pb)
            + 6.0 * square(d) * (pa * pa * m2b + pb * pb * m2a)
            + 4.0 * d * (pa * b.m3 - pb * a.m3);
        High {
            second: Moment::merged(a.second, na, b.second, nb),
            m3: a.m3 + b.m3 + m3,
            m4: a.m4 + b.m4 + m4,
        }
    }

    fn value(state: High, count: u64, divisor: Divisor) -> T {
        let count = count as f64;
        let [m2, m3, m4] = [state.second.m2, state.m3, state.m4].map(|sum| sum / count);
        let is_constant = m2 <= square(RESOLUTION * state.second.mean);
        T::from_float(match divisor.moment {
            HighMoment::Third => m3,
            HighMoment::Fourth => m4,
            _ if is_constant => f64::NAN,
            HighMoment::Skew => m3 / (m2 * m2.sqrt()),
            HighMoment::Kurtosis => m4 / square(m2) - 3.0,
        })
    }

    fn nothing() -> T {
        T::from_float(f64::NAN)
    }
}

impl High {
    /// From a number near the mean, and the sums of the first four powers of deviations from it.
    #[inline(always)]
    fn about(mean: f64, [s1, s2, s3, s4]: [f64; 4], count: f64) -> High {
        let r = s1 / count;
        let m3 = s3 - 3.0 * r * s2 + 2.0 * r * r * s1;
        let m4 = s4 - 4.0 * r * s3 + 6.0 * r * r * s2 - 3.0 * r * r * r * s1;
        High { second: Moment::about(mean, s1, s2, count), m3, m4 }
    }
}

/// The first four powers.
#[inline(always)]
fn powers(d: f64) -> [f64; 4] {
    let square = d * d;
    [d, square, square * d, square * square]
}
