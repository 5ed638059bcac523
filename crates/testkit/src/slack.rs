//! How far a computed element may be from the truth: bounds on rounding errors, derived per operation.

use std::fmt;

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::{BinaryOp, ElementOp, Op, Reduce, ReduceKind, UnaryOp};

use crate::eager::number::{epsilon, float, is_nan, magnitude, parts, rounded};
use crate::eager::reduce::slots;
use crate::eager::rules;
use crate::{PlainArray, Value};

/// How far an element may be from the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Slack {
    /// The same bits.
    Exact,
    /// An absolute distance.
    Within(f64),
    /// Partial results overflow in some orders and not in others.
    Anything,
}

impl fmt::Display for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Slack::Within(slack) => write!(f, " within {slack:e}"),
            _ => Ok(()),
        }
    }
}

/// The slack of every element of `want`; an empty list when all are exact.
pub(crate) fn slacks(op: &Op, inputs: &[&Value], want: &PlainArray) -> Vec<Slack> {
    match op {
        // Complex functions have one form, which every processor computes to the same bits.
        Op::Element(op) if want.dtype().is_float() && !is_rounded_correctly(op) => {
            want.data().iter().map(|&x| ulps(x, 4.0)).collect()
        }
        Op::Reduce(reduce) => {
            let Some(input) = inputs.first().and_then(|value| value.array()) else { return Vec::new() };
            let slots = slots(reduce, input);
            slots
                .iter()
                .zip(want.data())
                .map(|(slot, &want)| reduced(reduce, input.dtype(), slot, want))
                .collect()
        }
        Op::Blockwise(op) => {
            let inputs: Option<Vec<&PlainArray>> = inputs.iter().map(|value| value.array()).collect();
            inputs.map_or_else(Vec::new, |inputs| rules::slacks(op, &inputs, want))
        }
        _ => Vec::new(),
    }
}

/// True for operations whose result IEEE 754 fixes, and for those made of few such operations.
fn is_rounded_correctly(op: &ElementOp) -> bool {
    use UnaryOp::{
        Acos, Acosh, Asin, Asinh, Atan, Atanh, Cbrt, Cos, Cosh, Erf, Exp, Exp2, ExpM1, Ln, Ln1p, Log2, Log10,
        Sin, Sinh, Tan, Tanh,
    };
    match op {
        ElementOp::Unary(op) => !matches!(
            op,
            Cbrt | Exp
                | Exp2
                | ExpM1
                | Ln
                | Log2
                | Log10
                | Ln1p
                | Sin
                | Cos
                | Tan
                | Asin
                | Acos
                | Atan
                | Sinh
                | Cosh
                | Tanh
                | Asinh
                | Acosh
                | Atanh
                | Erf
        ),
        ElementOp::Binary(op) => {
            !matches!(op, BinaryOp::Pow | BinaryOp::Atan2 | BinaryOp::Hypot | BinaryOp::LnAddExp)
        }
        ElementOp::Select | ElementOp::Cast(_) | ElementOp::Call(_) => true,
    }
}

/// Units in the last place of a result.
fn ulps(want: Scalar, count: f64) -> Slack {
    Slack::Within(count * epsilon(want.dtype()) * magnitude(want) + tiny(want.dtype()))
}

/// What underflow may lose.
fn tiny(dtype: DType) -> f64 {
    if dtype.real_type() == DType::F32 { f32::MIN_POSITIVE.into() } else { f64::MIN_POSITIVE }
}

fn largest(dtype: DType) -> f64 {
    if dtype == DType::F32 { f32::MAX.into() } else { f64::MAX }
}

/// The slack of one reduction of the elements in `slot`.
fn reduced(reduce: &Reduce, dtype: DType, slot: &[Scalar], want: Scalar) -> Slack {
    let part = |i: usize| slot.iter().map(|&x| parts(x)[i]).collect::<Vec<f64>>();
    let by_part = |f: &dyn Fn(&[f64], Scalar) -> Slack| {
        let [re, im] = parts(want).map(|x| rounded(x, want.dtype().real_type()));
        if dtype.is_complex() { either(f(&part(0), re), f(&part(1), im)) } else { f(&part(0), want) }
    };
    let rounds = dtype.is_float() || dtype.is_complex();
    let present = || part(0).into_iter().filter(|x| !x.is_nan()).collect::<Vec<f64>>();
    let too_few = || present().len() as f64 <= reduce.ddof.max(0.0);
    match reduce.kind {
        ReduceKind::Min | ReduceKind::Max | ReduceKind::NanMin | ReduceKind::NanMax if dtype.is_float() => {
            Slack::Within(0.0)
        }
        ReduceKind::Sum if rounds => by_part(&|part, want| sum(part, 1.0, want)),
        ReduceKind::Mean => by_part(&|part, want| sum(part, part.len() as f64, want)),
        ReduceKind::Prod if rounds => product(slot, want),
        ReduceKind::Var => spread([part(0), part(1)], reduce.ddof, want, float(want)),
        ReduceKind::Std => deviation([part(0), part(1)], reduce.ddof, want),
        ReduceKind::NanVar | ReduceKind::NanStd if too_few() => Slack::Exact,
        ReduceKind::NanVar => spread([present(), vec![0.0; present().len()]], reduce.ddof, want, float(want)),
        ReduceKind::NanStd => deviation([present(), vec![0.0; present().len()]], reduce.ddof, want),
        ReduceKind::Moment3 => moment(&part(0), 3, want),
        ReduceKind::Moment4 => moment(&part(0), 4, want),
        ReduceKind::Skew => standardised(&part(0), 3, want),
        ReduceKind::Kurtosis => standardised(&part(0), 4, want),
        _ => Slack::Exact,
    }
}

/// What allows both.
fn either(a: Slack, b: Slack) -> Slack {
    match (a, b) {
        (Slack::Anything, _) | (_, Slack::Anything) => Slack::Anything,
        (Slack::Exact, other) | (other, Slack::Exact) => other,
        (Slack::Within(a), Slack::Within(b)) => Slack::Within(a.max(b)),
    }
}

/// Any order of adding n numbers errs by less than `n eps sum|x|` (Higham, "Accuracy and Stability of
/// Numerical Algorithms", section 4.2); the accumulator is an `f64`, the result is rounded to its type.
fn sum(values: &[f64], divisor: f64, want: Scalar) -> Slack {
    let total = total(values, f64::abs);
    if total >= largest(want.dtype()) {
        return if is_nan(want) { Slack::Exact } else { Slack::Anything };
    }
    let order = values.len() as f64 * f64::EPSILON * total / divisor.max(1.0);
    add(order, rounding(want))
}

/// Each factor errs by an epsilon of the product, a complex one by four: two products and a sum for each part.
fn product(slot: &[Scalar], want: Scalar) -> Slack {
    // With subnormal or huge factors a partial product may leave the range though the whole one does not.
    let sizes: Vec<f64> = slot.iter().map(|&x| magnitude(x)).collect();
    let logs: Vec<f64> = sizes.iter().map(|x| x.log2()).filter(|x| x.is_finite()).collect();
    let (up, down) = (total(&logs, |x| x.max(0.0)), total(&logs, |x| (-x).max(0.0)));
    let limit = if epsilon(want.dtype()) == f64::from(f32::EPSILON) { 120.0 } else { 1000.0 };
    let complex = want.dtype().is_complex();
    // A part of an infinity is infinite, NaN or finite, by the order of the factors.
    let open = complex && sizes.iter().any(|x| !x.is_finite());
    if up.max(down) > limit || open {
        return Slack::Anything;
    }
    let order = if complex { 4.0 } else { 1.0 } * slot.len() as f64 * epsilon(want.dtype());
    add(order * magnitude(want), rounding(want))
}

/// The variance of real numbers, or that of complex ones, whose parts have variances no larger than theirs.
fn spread(parts: [Vec<f64>; 2], ddof: f64, want: Scalar, whole: f64) -> Slack {
    let [re, im] = parts.map(|part| variance(&part, ddof, want, whole));
    match (re, im) {
        (Slack::Within(re), Slack::Within(im)) => Slack::Within(re + im),
        (re, im) => either(re, im),
    }
}

/// Merged two-pass variance: the sum of squares errs relatively by `n eps`, and each mean it rests on by
/// `n eps max|x|`, once multiplied by the distances and once squared.
fn variance(values: &[f64], ddof: f64, want: Scalar, variance: f64) -> Slack {
    let count = values.len() as f64;
    let largest_value = values.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    if !variance.is_finite() {
        let overflows = largest_value.is_finite() && (largest_value * largest_value * count).is_infinite();
        let unsure = overflows || count <= ddof;
        return if unsure { Slack::Anything } else { Slack::Exact };
    }
    let divisor = (count - ddof).max(f64::MIN_POSITIVE);
    let squares = variance * divisor;
    let shift = 8.0 * count * f64::EPSILON * largest_value;
    let order =
        8.0 * count * f64::EPSILON * squares + shift * (squares * count).sqrt() + count * shift * shift;
    if order.is_infinite() || (largest_value * largest_value * count) >= largest(want.dtype()) {
        return Slack::Anything;
    }
    add(order / divisor, rounding(want))
}

/// The error of a square root: relative half of the variance's, and at most its root.
fn deviation(parts: [Vec<f64>; 2], ddof: f64, want: Scalar) -> Slack {
    let std = float(want);
    match spread(parts, ddof, want, std * std) {
        Slack::Within(slack) if slack < std * std => add(slack / std, rounding(want)),
        Slack::Within(slack) => add((2.0 * slack).sqrt(), rounding(want)),
        other => other,
    }
}

/// How far a merged central moment may be off: deviations from a mean that is off by `shift`, and roundings of terms that
/// are as large as powers of the distance of two means, at most twice the largest deviation; `None` where they overflow.
fn moment_error(values: &[f64], power: i32, dtype: DType) -> Option<f64> {
    let count = values.len() as f64;
    let mean = total(values, |x| x / count);
    let largest_value = values.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let away = values.iter().fold(0.0_f64, |m, x| m.max((x - mean).abs()));
    let shift = 8.0 * count * f64::EPSILON * largest_value;
    let shifted = (away + shift).powi(power) - away.powi(power);
    let error = shifted + 64.0 * count * f64::EPSILON * (2.0 * away + shift).powi(power);
    let fits = count * (2.0 * away + shift).powi(power) < largest(dtype)
        && largest_value * count < largest(DType::F64);
    fits.then_some(error)
}

fn moment(values: &[f64], power: i32, want: Scalar) -> Slack {
    if values.is_empty() || values.iter().any(|x| !x.is_finite()) {
        return Slack::Exact;
    }
    moment_error(values, power, want.dtype()).map_or(Slack::Anything, |error| add(error, rounding(want)))
}

/// Skewness (power 3) and kurtosis (power 4): the error of the moment over the power of the standard deviation, and that
/// of the latter. Nothing is known where the variance is little but errors, or underflows.
fn standardised(values: &[f64], power: i32, want: Scalar) -> Slack {
    if values.is_empty() || values.iter().any(|x| !x.is_finite()) || values.iter().all(|x| *x == values[0]) {
        return Slack::Exact;
    }
    let mean = total(values, |x| x / values.len() as f64);
    let variance = total(values, |x| (x - mean) * (x - mean)) / values.len() as f64;
    let errors = (moment_error(values, 2, DType::F64), moment_error(values, power, DType::F64));
    let (Some(of_variance), Some(of_moment)) = errors else { return Slack::Anything };
    let scale = variance.powf(f64::from(power) / 2.0);
    if of_variance > 0.01 * variance || scale < 1e-280 || is_nan(want) {
        return Slack::Anything;
    }
    let relative = f64::from(power) * of_variance / variance;
    add(of_moment / scale + relative * (float(want).abs() + 3.0), rounding(want))
}

/// A few roundings of the result, and underflow.
fn rounding(want: Scalar) -> Slack {
    ulps(want, 2.0)
}

fn add(slack: f64, to: Slack) -> Slack {
    match to {
        Slack::Within(other) => Slack::Within(slack + other),
        other => other,
    }
}

/// The sum over all finite values.
fn total(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    values.iter().filter(|x| x.is_finite()).map(|&x| f(x)).sum()
}
