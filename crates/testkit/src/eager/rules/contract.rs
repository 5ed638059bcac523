//! Sums of products: the truth.

use chunkwise_chunk::{DType, Region, Scalar};
use chunkwise_expr::{Blockwise, eval_cast};
use chunkwise_ops::contract::{Axes, Contract, Repeated};

use super::{Reference, exact};
use crate::PlainArray;
use crate::eager::EagerError;
pub(crate) use crate::eager::array::indices;
use crate::eager::number::{epsilon, float, integer, parts, rounded, rounded_complex, truth};
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

/// Floats and parts of complex numbers without rounding but in the products; integers wrap; of truth values "or" of "and".
pub(crate) fn sum_of_products(dtype: DType, pairs: &[(Scalar, Scalar)]) -> Scalar {
    if dtype.is_float() {
        let products: Vec<f64> = pairs.iter().map(|&(a, b)| float(a) * float(b)).collect();
        return rounded(exact_sum(&products), dtype);
    }
    if dtype.is_complex() {
        let sum = |factors: Vec<(f64, f64)>| {
            exact_sum(&factors.into_iter().map(|(a, b)| a * b).collect::<Vec<f64>>())
        };
        return rounded_complex(factors_of_parts(pairs).map(sum), dtype);
    }
    if dtype == DType::Bool {
        return Scalar::Bool(pairs.iter().any(|&(a, b)| truth(a) && truth(b)));
    }
    let bits = |x: Scalar| integer(x).map_or(0, |x| x as u64);
    let sum = pairs.iter().fold(0u64, |sum, &(a, b)| sum.wrapping_add(bits(a).wrapping_mul(bits(b))));
    eval_cast(Scalar::U64(sum), dtype)
}

/// The factors whose products add up to the real part, and those of the imaginary one.
fn factors_of_parts(pairs: &[(Scalar, Scalar)]) -> [Vec<(f64, f64)>; 2] {
    let mut factors = [Vec::new(), Vec::new()];
    for &(a, b) in pairs {
        let ([a_re, a_im], [b_re, b_im]) = (parts(a), parts(b));
        factors[0].extend([(a_re, b_re), (-a_im, b_im)]);
        factors[1].extend([(a_re, b_im), (a_im, b_re)]);
    }
    factors
}

/// Any order of adding n products errs by less than `n eps sum|a b|` (Higham, "Accuracy and Stability of Numerical
/// Algorithms", section 3.1), in the type of the elements.
fn contract_slack(op: &Blockwise, inputs: &[&PlainArray], want: &PlainArray) -> Vec<Slack> {
    let (Some(rule), &[a, b]) = (op.downcast::<Contract>(), inputs) else { return Vec::new() };
    let dtype = want.dtype();
    let slack = |(index, &want): (&Vec<usize>, &Scalar)| {
        let pairs = pairs(rule, a, b, index);
        if dtype.is_complex() { complex_slack(want, &pairs) } else { float_slack(dtype, &pairs) }
    };
    match dtype.is_float() || dtype.is_complex() {
        true => indices(want.shape()).iter().zip(want.data()).map(slack).collect(),
        false => Vec::new(),
    }
}

fn float_slack(dtype: DType, pairs: &[(Scalar, Scalar)]) -> Slack {
    product_slack(dtype, &pairs.iter().map(|&(a, b)| (float(a), float(b))).collect::<Vec<(f64, f64)>>())
}

/// The larger slack of both parts. Sums may be multiplied by the number one, whose imaginary part makes NaN of an infinity.
fn complex_slack(want: Scalar, pairs: &[(Scalar, Scalar)]) -> Slack {
    if parts(want).iter().any(|part| !part.is_finite()) {
        return Slack::Anything;
    }
    let of_parts = factors_of_parts(pairs).map(|factors| product_slack(want.dtype().real_type(), &factors));
    match of_parts {
        [Slack::Within(re), Slack::Within(im)] => Slack::Within(re.max(im)),
        _ => Slack::Anything,
    }
}

fn product_slack(dtype: DType, factors: &[(f64, f64)]) -> Slack {
    let (largest, tiny) = match dtype {
        DType::F32 => (f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE)),
        _ => (f64::MAX, f64::MIN_POSITIVE),
    };
    let finite = factors.iter().filter(|(a, b)| a.is_finite() && b.is_finite());
    let total: f64 = finite.map(|&(a, b)| (a * b).abs()).sum();
    if total >= largest / 2.0 {
        return Slack::Anything;
    }
    let count = factors.len() as f64 + 1.0;
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
