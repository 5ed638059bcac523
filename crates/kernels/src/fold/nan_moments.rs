//! Variance and standard deviation of the elements that are not NaN.
//!
//! That of [`moments`](super::moments), but states hold how many elements they are of: NaN is left out where a segment
//! is summed, and the state of nothing but NaN changes none that it is merged with.

use std::marker::PhantomData;

use super::moments::{Moment, add_rows, lane_sums, square};
use super::rule::{Divisor, Rule};
use super::summed::Summed;
use crate::machine::COLUMNS;

/// The moments of what is not NaN.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Counted {
    count: f64,
    moment: Moment,
}

/// `nan_var` and `nan_std`.
pub(super) struct NanMoments<T>(PhantomData<T>);

impl<T: Summed> Rule for NanMoments<T> {
    type Item = T;
    type State = Counted;
    type Out = T;

    const WIDE: bool = true;

    #[inline(always)]
    fn segment(items: &[T], _: u64) -> Counted {
        let [count, sum] = lane_sums(items, |x| [present(x), or_zero(x, x.float())]);
        let mean = sum / count.max(1.0);
        let [sum, squares] = lane_sums(items, |x| {
            let d = or_zero(x, x.float() - mean);
            [d, d * d]
        });
        Counted::about(mean, sum, squares, count)
    }

    #[inline(always)]
    fn columns(rows: &[&[T]], _: u64, states: &mut [Counted]) {
        let n = states.len();
        let mut sums = [[0.0; COLUMNS]; 4];
        let [count, mean, sum, squares] = sums.each_mut().map(|sums| &mut sums[..n]);
        add_rows(rows, count, |x, _| present(x));
        add_rows(rows, mean, |x, _| or_zero(x, x.float()));
        mean.iter_mut().zip(&*count).for_each(|(mean, count)| *mean /= count.max(1.0));
        add_rows(rows, sum, |x, column| or_zero(x, x.float() - mean[column]));
        add_rows(rows, squares, |x, column| or_zero(x, square(x.float() - mean[column])));
        for (i, state) in states.iter_mut().enumerate() {
            *state = Counted::about(mean[i], sum[i], squares[i], count[i]);
        }
    }

    #[inline(always)]
    fn merge(a: Counted, _: u64, b: Counted, _: u64) -> Counted {
        if a.count == 0.0 {
            return b;
        }
        if b.count == 0.0 {
            return a;
        }
        let moment = Moment::merged(a.moment, a.count, b.moment, b.count);
        Counted { count: a.count + b.count, moment }
    }

    fn value(state: Counted, _: u64, divisor: Divisor) -> T {
        let left = state.count - divisor.ddof;
        let var = if state.count > 0.0 && left > 0.0 { state.moment.m2 / left } else { f64::NAN };
        T::from_float(if divisor.root { var.sqrt() } else { var })
    }

    fn nothing() -> T {
        T::from_float(f64::NAN)
    }
}

impl Counted {
    #[inline(always)]
    fn about(mean: f64, sum: f64, squares: f64, count: f64) -> Counted {
        // Without elements all sums are 0.
        Counted { count, moment: Moment::about(mean, sum, squares, count.max(1.0)) }
    }
}

/// 1 for a number.
#[inline(always)]
fn present<T: Summed>(x: T) -> f64 {
    if x.unordered() { 0.0 } else { 1.0 }
}

/// `value`, where `x` is a number.
#[inline(always)]
fn or_zero<T: Summed>(x: T, value: f64) -> f64 {
    if x.unordered() { 0.0 } else { value }
}
