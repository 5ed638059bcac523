//! Scans: the truth.

use chunkwise_chunk::{DType, Element, Scalar, dispatch};
use chunkwise_expr::{BinaryOp, Blockwise, eval_binary, eval_cast};
use chunkwise_ops::scan::{BlockTotals, Decayed, ScanBlocks, ScanKind};

use super::{Reference, exact};
use crate::PlainArray;
use crate::eager::EagerError;
use crate::eager::number::{float, is_nan, magnitude, rounded_complex};
use crate::slack::Slack;

pub(super) const REFERENCES: &[Reference] = &[
    Reference { rule: "BlockTotals", truth: totals, slack: totals_slack },
    Reference { rule: "ScanBlocks", truth: scanned, slack: exact },
    Reference { rule: "Decayed", truth: decayed, slack: exact },
];

/// The elements of each block along the axis, joined one by one.
fn totals(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<BlockTotals>()?;
    let x = inputs[0];
    Some(Ok(per_block(rule, x, x.dtype(), |elements| {
        let joined = elements.iter().copied().reduce(|a, b| join(rule.kind(), a, b));
        joined.unwrap_or_else(|| identity(rule.kind(), x.dtype()))
    })))
}

/// What `f` makes of the elements of each block along the axis.
fn per_block(
    rule: &BlockTotals,
    x: &PlainArray,
    dtype: DType,
    f: impl Fn(&[Scalar]) -> Scalar,
) -> PlainArray {
    let mut shape = x.shape().to_vec();
    shape[rule.axis()] = rule.blocks().count();
    PlainArray::from_fn(dtype, &shape, |index| {
        let mut at = index.to_vec();
        let along = rule.blocks().range(index[rule.axis()]);
        let elements = along.map(|i| {
            at[rule.axis()] = i;
            x.get(&at)
        });
        f(&elements.collect::<Vec<_>>())
    })
}

/// Each element joined with those before it in its block, and with what is carried to the block.
fn scanned(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<ScanBlocks>()?;
    let (x, axis) = (inputs[0], rule.axis());
    Some(Ok(PlainArray::from_fn(x.dtype(), x.shape(), |index| {
        let block = rule.blocks().block_of(index[axis]);
        let mut at = index.to_vec();
        let carried = (block > 0).then(|| inputs.get(1)).flatten().map(|carried| {
            at[axis] = block - 1;
            carried.get(&at)
        });
        let own = (rule.blocks().range(block).start..=index[axis]).map(|i| {
            at[axis] = i;
            x.get(&at)
        });
        let own: Vec<Scalar> = own.collect();
        let joined = carried.into_iter().chain(own).reduce(|a, b| join(rule.kind(), a, b));
        joined.expect("the element itself is among those before it")
    })))
}

/// Each element added to what is left of the sum before it, which is what is carried to its block at first.
fn decayed(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<Decayed>()?;
    let (x, axis) = (inputs[0], rule.axis());
    let mut shape = x.shape().to_vec();
    if rule.is_totals() {
        shape[axis] = rule.blocks().count();
    }
    Some(Ok(PlainArray::from_fn(DType::F64, &shape, |index| {
        let place = index[axis];
        let block = if rule.is_totals() { place } else { rule.blocks().block_of(place) };
        let along = rule.blocks().range(block);
        let end = if rule.is_totals() { along.end } else { place + 1 };
        let mut at = index.to_vec();
        let carried = (block > 0).then(|| inputs.get(1)).flatten().map_or(0.0, |carried| {
            at[axis] = block - 1;
            float(carried.get(&at))
        });
        Scalar::F64((along.start..end).fold(carried, |sum, i| {
            at[axis] = i;
            float(x.get(&at)) + rule.left(i) * sum
        }))
    })))
}

/// Two elements joined.
pub(crate) fn join(kind: &ScanKind, a: Scalar, b: Scalar) -> Scalar {
    let op = match kind {
        ScanKind::Sum => BinaryOp::Add,
        ScanKind::Prod => BinaryOp::Mul,
        ScanKind::Max => BinaryOp::Maximum,
        ScanKind::Min => BinaryOp::Minimum,
        ScanKind::FMax => BinaryOp::Fmax,
        ScanKind::FMin => BinaryOp::Fmin,
        ScanKind::Latest => return if is_nan(b) { a } else { b },
        ScanKind::Call(function) => {
            return dispatch!(a.dtype(), T => {
                let joined = T::of_scalar(a).zip(T::of_scalar(b)).and_then(|(a, b)| function.join(a, b));
                joined.expect("both are of the type of the function").into()
            });
        }
        other => unreachable!("there is no truth for {other:?}"),
    };
    eval_binary(op, a, b).expect("these have a result for all elements")
}

/// What changes no element that it is joined with.
fn identity(kind: &ScanKind, dtype: DType) -> Scalar {
    let of = |x: f64| eval_cast(Scalar::F64(x), dtype);
    match kind {
        ScanKind::Sum if dtype.is_complex() => rounded_complex([-0.0; 2], dtype),
        ScanKind::Sum => of(-0.0),
        ScanKind::Prod => of(1.0),
        ScanKind::Max if dtype == DType::Bool => Scalar::Bool(false),
        ScanKind::Max => of(f64::NEG_INFINITY),
        ScanKind::Min => of(f64::INFINITY),
        ScanKind::Call(function) => dispatch!(dtype, T => {
            function.identity::<T>().expect("the array is of the type of the function").into()
        }),
        _ => of(f64::NAN),
    }
}

/// Runs of a block are joined first: sums and products of floats round otherwise. Bounds as for reductions: `n eps` of
/// the sum of magnitudes, or of the product, of complex numbers four times that.
fn totals_slack(op: &Blockwise, inputs: &[&PlainArray], want: &PlainArray) -> Vec<Slack> {
    let Some(rule) = op.downcast::<BlockTotals>() else { return Vec::new() };
    let x = inputs[0];
    let is_complex = x.dtype().is_complex();
    let rounds = x.dtype().is_float() || is_complex;
    if !rounds || !matches!(rule.kind(), ScanKind::Sum | ScanKind::Prod) {
        return Vec::new();
    }
    let product = *rule.kind() == ScanKind::Prod;
    let bounds = per_block(rule, x, DType::F64, |elements| {
        // A part of an infinity is infinite, NaN or finite, by the order of the factors.
        let open = is_complex && product && elements.iter().any(|&x| !magnitude(x).is_finite());
        let values = elements.iter().map(|&x| magnitude(x)).filter(|x| x.is_finite());
        Scalar::F64(match product {
            _ if open => f64::INFINITY,
            true => swing(values),
            false => values.sum(),
        })
    });
    let count = x.shape()[rule.axis()] as f64 * if is_complex { 4.0 } else { 1.0 };
    let slack = |(&want, &bound): (&Scalar, &Scalar)| {
        let (want, bound) = (magnitude(want), float(bound));
        match product {
            true if bound > 1000.0 => Slack::Anything,
            true => Slack::Within(count * f64::EPSILON * want.abs() + f64::MIN_POSITIVE),
            false if bound == f64::INFINITY && !want.is_nan() => Slack::Anything,
            false => Slack::Within(count * f64::EPSILON * bound),
        }
    };
    want.data().iter().zip(bounds.data()).map(slack).collect()
}

/// How far, in powers of two, partial products may go up or down.
fn swing(values: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = values.map(f64::log2).filter(|x| x.is_finite()).collect();
    let up: f64 = logs.iter().map(|x| x.max(0.0)).sum();
    let down: f64 = logs.iter().map(|x| (-x).max(0.0)).sum();
    up.max(down)
}
