//! Windows: the truth.

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::{BinaryOp, Blockwise, eval_binary};
use chunkwise_ops::rolling::{Moving, Statistic};

use super::Reference;
use crate::PlainArray;
use crate::eager::number::{epsilon, float, is_nan, less};
use crate::eager::{EagerError, exact_sum};
use crate::slack::Slack;

pub(super) const REFERENCES: &[Reference] = &[Reference { rule: "Moving", truth: moved, slack: moved_slack }];

fn moved(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<Moving>()?;
    let x = inputs[0];
    Some(Ok(PlainArray::from_fn(x.dtype(), rule.shape(), |index| {
        let elements = elements(rule, x, index);
        of_window(rule.statistic(), x.dtype(), &elements, rule.window(), rule.min_count())
    })))
}

/// The elements of the window of an index, as far as there are some.
fn elements(rule: &Moving, x: &PlainArray, index: &[usize]) -> Vec<Scalar> {
    let (axis, mut at) = (rule.axis(), index.to_vec());
    let start = index[axis] as i64 - rule.before() as i64;
    let along = (start..start + rule.window() as i64).filter_map(|i| usize::try_from(i).ok());
    let along = along.filter(|&i| i < x.shape()[axis]);
    let get = along.map(|i| {
        at[axis] = i;
        x.get(&at)
    });
    get.collect()
}

/// The statistic of a window of which there are these elements.
pub(crate) fn of_window(
    statistic: Statistic,
    dtype: DType,
    elements: &[Scalar],
    window: usize,
    min_count: usize,
) -> Scalar {
    let numbers: Vec<Scalar> = elements.iter().copied().filter(|&x| !is_nan(x)).collect();
    if !dtype.is_float() {
        return of_integers(statistic, &numbers, dtype);
    }
    if numbers.len() < min_count.min(window) {
        return nan(dtype);
    }
    let values: Vec<f64> = numbers.iter().map(|&x| float(x)).collect();
    let count = values.len() as f64;
    match statistic {
        Statistic::Min => extreme(&numbers, less).unwrap_or(nan(dtype)),
        Statistic::Max => extreme(&numbers, |a, b| less(b, a)).unwrap_or(nan(dtype)),
        Statistic::Sum => Scalar::F64(exact_sum(&values)),
        Statistic::Mean => Scalar::F64(exact_sum(&values) / count),
        Statistic::Var(ddof) => Scalar::F64(variance(&values, ddof)),
        Statistic::Std(ddof) => Scalar::F64(variance(&values, ddof).sqrt()),
        Statistic::Median => Scalar::F64(quantile(values, 0.5)),
        Statistic::Quantile(q) => Scalar::F64(quantile(values, q)),
        other => unreachable!("there is no truth for {other}"),
    }
}

fn nan(dtype: DType) -> Scalar {
    if dtype == DType::F32 { Scalar::F32(f32::NAN) } else { Scalar::F64(f64::NAN) }
}

fn of_integers(statistic: Statistic, elements: &[Scalar], dtype: DType) -> Scalar {
    let add = |a, b| eval_binary(BinaryOp::Add, a, b).expect("sums have a value");
    let value = match statistic {
        Statistic::Min => extreme(elements, less),
        Statistic::Max => extreme(elements, |a, b| less(b, a)),
        _ => Some(elements.iter().copied().fold(Scalar::zero(dtype), add)),
    };
    value.expect("the window of an integer holds it")
}

/// The first element that none comes before.
fn extreme(elements: &[Scalar], before: impl Fn(Scalar, Scalar) -> bool) -> Option<Scalar> {
    elements.iter().copied().find(|&x| elements.iter().all(|&y| !before(y, x)))
}

/// The corrected two-pass variance.
fn variance(values: &[f64], ddof: f64) -> f64 {
    let count = values.len() as f64;
    let mean = exact_sum(values) / count;
    let away: Vec<f64> = values.iter().map(|x| x - mean).collect();
    let squares: Vec<f64> = away.iter().map(|d| d * d).collect();
    let rest = exact_sum(&away);
    let correction = if rest == 0.0 { 0.0 } else { rest * rest / count };
    (exact_sum(&squares) - correction) / (count - ddof).max(0.0)
}

/// The quantile, interpolated between the two elements beside it.
fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    values.sort_by(f64::total_cmp);
    let place = q * last as f64;
    let (low, high) = (values[place as usize], values[last.min(place as usize + 1)]);
    match place.fract() {
        _ if low == high => low,
        0.0 => low,
        0.5 => (low + high) / 2.0,
        part if part < 0.5 => low + (high - low) * part,
        part => high - (high - low) * (1.0 - part),
    }
}

fn moved_slack(op: &Blockwise, inputs: &[&PlainArray], want: &PlainArray) -> Vec<Slack> {
    let Some(rule) = op.downcast::<Moving>() else { return Vec::new() };
    let x = inputs[0];
    if !x.dtype().is_float() {
        return Vec::new();
    }
    let mut slacks = Vec::new();
    PlainArray::from_fn(want.dtype(), want.shape(), |index| {
        let want = want.get(index);
        let merged = rule.min_count() < rule.window();
        slacks.push(of_value(rule.statistic(), merged, &elements(rule, x, index), want));
        want
    });
    slacks
}

/// How far the value of a window may be from the truth. Sums err by `n eps` of the sum of magnitudes; a variance, which
/// rests on distances to an element, by `n eps` of sums that are up to `n` times the sum of squared distances to the mean;
/// `merged` from means that are rounded, the deviation errs by `n eps` of the elements as well.
fn of_value(statistic: Statistic, merged: bool, elements: &[Scalar], want: Scalar) -> Slack {
    let values: Vec<f64> = elements.iter().map(|&x| float(x)).filter(|x| x.is_finite()).collect();
    let (count, total) = (elements.len() as f64, values.iter().map(|x| x.abs()).sum::<f64>());
    let (eps, value) = (epsilon(DType::F64), float(want));
    let largest = values.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    match statistic {
        Statistic::Min | Statistic::Max => Slack::Within(0.0),
        Statistic::Sum | Statistic::Mean if total == f64::INFINITY && !value.is_nan() => Slack::Anything,
        Statistic::Sum => Slack::Within(count * eps * total),
        Statistic::Mean => Slack::Within((count + 2.0) * eps * total + f64::MIN_POSITIVE),
        Statistic::Var(ddof) | Statistic::Std(ddof) => {
            if !(4.0 * largest * largest * count).is_finite() || values.len() as f64 <= ddof {
                return Slack::Anything;
            }
            let mean = if merged { 8.0 * count * eps * largest } else { 4.0 * eps * eps * largest };
            let of_mean = match statistic {
                Statistic::Std(_) => mean,
                _ => mean * (2.0 * value.abs().sqrt() + mean),
            };
            // Distances smaller than the root of the least number have squares of no precision.
            Slack::Within(16.0 * count * count * eps * value.abs() + of_mean + 1e-150)
        }
        _ => Slack::Within(4.0 * eps * largest),
    }
}
