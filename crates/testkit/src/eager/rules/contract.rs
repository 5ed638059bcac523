//! Sums of products: the truth.

use chunkwise_chunk::{DType, Region, Scalar};
use chunkwise_expr::{Blockwise, eval_cast};
use chunkwise_ops::contract::{Axes, Contract, Repeated};

use super::{Reference, exact};
use crate::PlainArray;
use crate::eager::EagerError;
pub(crate) use crate::eager::array::indices;
use crate::eager::number::{epsilon, float, integer, rounded, truth};
use crate::eager::sum::exact_sum;
use crate::slack::Slack;

pub(super) const REFERENCES: &[Reference] = &[
    Reference { rule: "Contract", truth: contract, slack: contract_slack },
    Reference { rule: "Repeated", truth: repeated, slack: exact },
];

fn contract(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule: &Contract = op.downcast()?;
    let &[a, b] = inputs else { return Some(Err(EagerError::types(op.name(), inputs))) };
    let shape = result_shape(rule, a, b);
    let sum = |index: &[usize]| sum_of_products(a.dtype(), &pairs(rule, a, b, index));
    Some(Ok(PlainArray::from_fn(a.dtype(), &shape, sum)))
}

fn result_shape(rule: &Contract, a: &PlainArray, b: &PlainArray) -> Vec<usize> {
    let [left, right] = rule.axes();
    let len =
        |x: &PlainArray, axes: &[usize]| axes.iter().map(|&axis| x.shape()[axis]).collect::<Vec<usize>>();
    let segments = if rule.segments() > 1 { vec![rule.segments()] } else { Vec::new() };
    [segments, len(a, &left.batch), len(a, &left.free), len(b, &right.free)].concat()
}

/// The elements whose products make the result at an index.
fn pairs(rule: &Contract, a: &PlainArray, b: &PlainArray, index: &[usize]) -> Vec<(Scalar, Scalar)> {
    let [left, right] = rule.axes();
    let (segment, rest) = if rule.segments() > 1 { (index[0], &index[1..]) } else { (0, index) };
    let (batch, free) = rest.split_at(left.batch.len());
    let (rows, columns) = free.split_at(left.free.len());
    let at = |axes: &Axes, free: &[usize], summed: &[usize]| {
        let mut own = vec![0; batch.len() + free.len() + summed.len()];
        for (axes, index) in [(&axes.batch, batch), (&axes.free, free), (&axes.summed, summed)] {
            axes.iter().zip(index).for_each(|(&axis, &i)| own[axis] = i);
        }
        own
    };
    let summed = rule.summed_in(segment).flat_map(|region| indices_of(&region));
    summed.map(|k| (a.get(&at(left, rows, &k)), b.get(&at(right, columns, &k)))).collect()
}

fn indices_of(region: &Region) -> Vec<Vec<usize>> {
    let shifted = |index: &Vec<usize>| index.iter().zip(region.start()).map(|(i, start)| i + start).collect();
    indices(region.shape()).iter().map(shifted).collect()
}

/// Floats without rounding but in the products; integers wrap; of truth values "or" of "and".
pub(crate) fn sum_of_products(dtype: DType, pairs: &[(Scalar, Scalar)]) -> Scalar {
    if dtype.is_float() {
        let products: Vec<f64> = pairs.iter().map(|&(a, b)| float(a) * float(b)).collect();
        return rounded(exact_sum(&products), dtype);
    }
    if dtype == DType::Bool {
        return Scalar::Bool(pairs.iter().any(|&(a, b)| truth(a) && truth(b)));
    }
    let bits = |x: Scalar| integer(x).map_or(0, |x| x as u64);
    let sum = pairs.iter().fold(0u64, |sum, &(a, b)| sum.wrapping_add(bits(a).wrapping_mul(bits(b))));
    eval_cast(Scalar::U64(sum), dtype)
}

/// Any order of adding n products errs by less than `n eps sum|a b|` (Higham, "Accuracy and Stability of Numerical
/// Algorithms", section 3.1), in the type of the elements.
fn contract_slack(op: &Blockwise, inputs: &[&PlainArray], want: &PlainArray) -> Vec<Slack> {
    let (Some(rule), &[a, b]) = (op.downcast::<Contract>(), inputs) else { return Vec::new() };
    if !want.dtype().is_float() {
        return Vec::new();
    }
    let slack = |index: &Vec<usize>| product_slack(want.dtype(), &pairs(rule, a, b, index));
    indices(want.shape()).iter().map(slack).collect()
}

fn product_slack(dtype: DType, pairs: &[(Scalar, Scalar)]) -> Slack {
    let (largest, tiny) = match dtype {
        DType::F32 => (f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE)),
        _ => (f64::MAX, f64::MIN_POSITIVE),
    };
    let finite = pairs.iter().filter(|(a, b)| float(*a).is_finite() && float(*b).is_finite());
    let total: f64 = finite.map(|&(a, b)| (float(a) * float(b)).abs()).sum();
    if total >= largest / 2.0 {
        return Slack::Anything;
    }
    let count = pairs.len() as f64 + 1.0;
    Slack::Within(count * epsilon(dtype) * total + count * tiny)
}

fn repeated(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule: &Repeated = op.downcast()?;
    let &[x] = inputs else { return Some(Err(EagerError::types(op.name(), inputs))) };
    let axes = rule.to().iter().max().map_or(0, |last| last + 1);
    let len = |axis| rule.to().iter().position(|&to| to == axis).map_or(0, |from| x.shape()[from]);
    let shape: Vec<usize> = (0..axes).map(len).collect();
    let at = |index: &[usize]| x.get(&rule.to().iter().map(|&axis| index[axis]).collect::<Vec<usize>>());
    Some(Ok(PlainArray::from_fn(x.dtype(), &shape, at)))
}
