//! How far a computed element may be from the truth: bounds on rounding errors, derived per operation.

use std::fmt;

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::{BinaryOp, ElementOp, Op, Reduce, ReduceKind, UnaryOp};

use crate::eager::number::{epsilon, float, is_nan};
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
    Slack::Within(count * epsilon(want.dtype()) * float(want).abs() + tiny(want.dtype()))
}

/// What underflow may lose.
fn tiny(dtype: DType) -> f64 {
    if dtype == DType::F32 { f32::MIN_POSITIVE.into() } else { f64::MIN_POSITIVE }
}

fn largest(dtype: DType) -> f64 {
    if dtype == DType::F32 { f32::MAX.into() } else { f64::MAX }
}

/// The slack of one reduction of the elements in `slot`.
fn reduced(reduce: &Reduce, dtype: DType, slot: &[Scalar], want: Scalar) -> Slack {
    let values: Vec<f64> = slot.iter().map(|&x| float(x)).collect();
    match reduce.kind {
        ReduceKind::Min | ReduceKind::Max if dtype.is_float() => Slack::Within(0.0),
        ReduceKind::Sum if dtype.is_float() => sum(&values, 1.0, want),
        ReduceKind::Mean => sum(&values, values.len() as f64, want),
        ReduceKind::Prod if dtype.is_float() => product(&values, want),
        ReduceKind::Var => variance(&values, reduce.ddof, want, float(want)),
        ReduceKind::Std => deviation(&values, reduce.ddof, want),
        _ => Slack::Exact,
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

fn product(values: &[f64], want: Scalar) -> Slack {
    // With subnormal or huge factors a partial product may leave the range though the whole one does not.
    let log = |x: &f64| x.abs().log2();
    let logs: Vec<f64> = values.iter().map(log).filter(|x| x.is_finite()).collect();
    let (up, down) = (total(&logs, |x| x.max(0.0)), total(&logs, |x| (-x).max(0.0)));
    let limit = if want.dtype() == DType::F32 { 120.0 } else { 1000.0 };
    if up.max(down) > limit {
        return Slack::Anything;
    }
    add(values.len() as f64 * epsilon(want.dtype()) * float(want).abs(), rounding(want))
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
fn deviation(values: &[f64], ddof: f64, want: Scalar) -> Slack {
    let std = float(want);
    match variance(values, ddof, want, std * std) {
        Slack::Within(slack) if slack < std * std => add(slack / std, rounding(want)),
        Slack::Within(slack) => add((2.0 * slack).sqrt(), rounding(want)),
        other => other,
    }
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
