//! The windows of lanes, each joined from two parts: a time that does not depend on the length of the window.
//!
//! ```text
//! positions      .. |b-w  ..  s  ..  b-1|b  ..  s+w-1  ..  b+w-1| ..       b: a multiple of w
//! window of s                 [ suffix  ][   prefix  ]
//!
//! for each multiple b of w:
//!     suffix of s = element s joined to the suffix of s+1      for s = b-1 down to b-w+1
//!     prefix of e = prefix of e-1 joined to element e          for e = b up to b+w-1
//!     value of s  = suffix of s joined to prefix of s+w-1
//! ```
//!
//! (van Herk 1992; Gil and Werman 1993.) Nothing is ever taken away from a sum, so no error travels from one window to
//! the next. Positions are those in the array: a value depends on the elements of its window and its place in the array
//! alone, to the bit, however the array is cut. Windows of at most [`DIRECT`] elements are joined element by element.
//!
//! A lane may be several side by side: the elements are arrays then, and loops over them vectorise.

use std::array::from_fn;

use super::folds::Fold;

/// Windows of so many elements are joined element by element.
pub(super) const DIRECT: usize = 8;

/// Elements side by side.
type Row<T, const C: usize> = [T; C];

/// The values of the windows `x[i..i + window]`, where `x[0]` is at position `first`.
pub(super) fn slide<F: Fold, const C: usize>(
    fold: &F,
    window: usize,
    first: usize,
    x: &[Row<F::In, C>],
    out: &mut [Row<F::In, C>],
    suffixes: &mut Vec<Row<F::State, C>>,
) {
    if window <= DIRECT {
        return direct(fold, window, x, out);
    }
    let mut start = 0;
    while start < out.len() {
        let bound = (first + start).next_multiple_of(window) - first;
        let end = out.len().min(bound + 1);
        group(fold, window, bound, start, &x[..end - 1 + window], &mut out[start..end], suffixes);
        start = end;
    }
}

fn direct<F: Fold, const C: usize>(fold: &F, window: usize, x: &[Row<F::In, C>], out: &mut [Row<F::In, C>]) {
    for (value, window) in out.iter_mut().zip(x.windows(window)) {
        let pivot = window[0];
        *value = from_fn(|c| {
            let first = fold.lift(pivot[c], pivot[c]);
            fold.value(window[1..].iter().fold(first, |all, x| fold.join(all, fold.lift(x[c], pivot[c]))))
        });
    }
}

/// The windows from `start` on that hold the element at `bound`.
fn group<F: Fold, const C: usize>(
    fold: &F,
    window: usize,
    bound: usize,
    start: usize,
    x: &[Row<F::In, C>],
    out: &mut [Row<F::In, C>],
    suffixes: &mut Vec<Row<F::State, C>>,
) {
    let pivot = x[bound];
    let lift = |x: &Row<F::In, C>| -> Row<F::State, C> { from_fn(|c| fold.lift(x[c], pivot[c])) };
    let join = |a: &Row<F::State, C>, b: &Row<F::State, C>| -> Row<F::State, C> {
        from_fn(|c| fold.join(a[c], b[c]))
    };
    suffixes.clear();
    let mut before = x[start..bound].iter().rev().map(lift);
    if let Some(last) = before.next() {
        suffixes.push(last);
        suffixes.extend(before.scan(last, |suffix, x| {
            *suffix = join(&x, suffix);
            Some(*suffix)
        }));
    }
    let mut prefix = lift(&pivot);
    let known = start + window;
    for x in &x[bound + 1..known] {
        prefix = join(&prefix, &lift(x));
    }
    let mut suffixes = suffixes.iter().rev();
    let mut value = |prefix: &Row<F::State, C>| -> Row<F::In, C> {
        let all = suffixes.next().map_or(*prefix, |suffix| join(suffix, prefix));
        from_fn(|c| fold.value(all[c]))
    };
    out[0] = value(&prefix);
    for (out, x) in out[1..].iter_mut().zip(&x[known..]) {
        prefix = join(&prefix, &lift(x));
        *out = value(&prefix);
    }
}

#[cfg(test)]
mod tests {
    use super::super::folds::{Sum, Variance};
    use super::*;

    fn values(x: &[f64], window: usize, first: usize, fold: &impl Fold<In = f64>) -> Vec<f64> {
        let mut out = vec![0.0; x.len() + 1 - window];
        let (x, rows) = (x.as_chunks::<1>().0, out.as_chunks_mut::<1>().0);
        slide(fold, window, first, x, rows, &mut Vec::new());
        out
    }

    fn irregular(len: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7919) % 1009) as f64 / 7.0 - 50.0).collect()
    }

    #[test]
    fn values_are_those_of_the_windows() {
        let x = irregular(100);
        for window in 1..40 {
            let sums = values(&x, window, 0, &Sum { missing: f64::NAN });
            for (i, sum) in sums.iter().enumerate() {
                let want: f64 = x[i..i + window].iter().sum();
                assert!((sum - want).abs() < 1e-10, "window {window} at {i}: {sum}, not {want}");
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_where_a_lane_is_cut() {
        let x = irregular(300);
        for window in [3, 9, 17, 64] {
            let whole = values(&x, window, 0, &Sum { missing: f64::NAN });
            for start in 0..150 {
                let part = values(&x[start..start + window + 40], window, start, &Sum { missing: f64::NAN });
                assert_eq!(part, whole[start..start + 41], "window {window} from {start}");
            }
        }
    }

    #[test]
    fn variance_survives_a_mean_far_from_zero() {
        let x: Vec<f64> = (0..100).map(|i| 1e9 + f64::from(i % 3)).collect();
        for window in [3, 30] {
            let fold = Variance { window: window as f64, ddof: 0.0, root: false };
            assert!(values(&x, window, 0, &fold).iter().all(|v| (v - 2.0 / 3.0).abs() < 1e-12));
            assert!(values(&[1e9 + 0.1; 90], window, 0, &fold).iter().all(|&v| v == 0.0));
        }
    }
}
