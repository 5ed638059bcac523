//! Shapes: the truth.

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::{BinaryOp, Blockwise, eval_binary, eval_cast};
use chunkwise_ops::shape::{Beyond, Difference, Extend, Gradient, LineMedian, Walk};

use super::{Reference, exact};
use crate::eager::number::{epsilon, float, rounded};
use crate::eager::{EagerError, PlainArray};
use crate::slack::Slack;

pub(super) const REFERENCES: &[Reference] = &[
    Reference { rule: "Extend", truth: |op, inputs| Some(extend(op.downcast()?, inputs[0])), slack: exact },
    Reference {
        rule: "Difference",
        truth: |op, inputs| Some(difference(op.downcast()?, inputs[0])),
        slack: exact,
    },
    Reference {
        rule: "Gradient",
        truth: |op, inputs| Some(Ok(gradient(op.downcast()?, inputs[0]))),
        slack: slopes,
    },
    Reference {
        rule: "LineMedian",
        truth: |op, inputs| Some(Ok(median(op.downcast()?, inputs[0]))),
        slack: exact,
    },
];

/// The mean of the two elements in the middle of each line, which are the same where there is one.
fn median(rule: &LineMedian, x: &PlainArray) -> PlainArray {
    let n = x.shape()[rule.axis];
    let mut shape = x.shape().to_vec();
    shape[rule.axis] = 1;
    PlainArray::from_fn(x.dtype(), &shape, |index| {
        let mut line: Vec<f64> = (0..n).map(|i| float(neighbour(x, index, rule.axis, i))).collect();
        line.sort_by(f64::total_cmp);
        let (low, high) = (line[(n - 1) / 2], line[n / 2]);
        let is_nan = line.iter().any(|x| x.is_nan());
        let sum = float(rounded(low + high, x.dtype()));
        let middle = if n % 2 == 1 { high } else { sum / 2.0 };
        rounded(if is_nan { f64::NAN } else { middle }, x.dtype())
    })
}

/// What is seen at a place of an axis.
#[derive(Clone, Copy)]
enum Seen {
    Element(usize),
    Fill(Scalar),
}

/// Every place of an axis of `n` elements that is walked along.
fn walked(walk: &Walk, n: usize) -> Vec<Seen> {
    let elements = |places: Vec<usize>| places.into_iter().map(Seen::Element).collect();
    match walk {
        Walk::Along => elements((0..n).collect()),
        Walk::Repeat(count) => elements((0..n).flat_map(|i| vec![i; *count]).collect()),
        Walk::Repeats(counts) => elements((0..n).flat_map(|i| vec![i; counts.of(i)]).collect()),
        Walk::Extend { before, after, beyond } => {
            (-(*before as i64)..(n + after) as i64).map(|i| extended(*beyond, i, n)).collect()
        }
    }
}

/// What is seen `i` places after the first element: looked up in a list of one period.
fn extended(beyond: Beyond, i: i64, n: usize) -> Seen {
    let inside = usize::try_from(i).ok().filter(|&i| i < n);
    let period: Vec<usize> = match beyond {
        Beyond::Fill(before, after) => {
            return inside.map_or(Seen::Fill(if i < 0 { before } else { after }), Seen::Element);
        }
        Beyond::Edge => return Seen::Element(i.clamp(0, n as i64 - 1) as usize),
        Beyond::Wrap => (0..n).collect(),
        Beyond::Symmetric => (0..n).chain((0..n).rev()).collect(),
        Beyond::Reflect => (0..n).chain((1..n.max(2) - 1).rev()).collect(),
    };
    Seen::Element(period[i.rem_euclid(period.len() as i64) as usize])
}

fn extend(rule: &Extend, x: &PlainArray) -> Result<PlainArray, EagerError> {
    let axes: Vec<Vec<Seen>> = rule.walks().iter().zip(x.shape()).map(|(walk, &n)| walked(walk, n)).collect();
    let shape: Vec<usize> = axes.iter().map(Vec::len).collect();
    Ok(PlainArray::from_fn(x.dtype(), &shape, |index| {
        let seen: Vec<Seen> = axes.iter().zip(index).map(|(axis, &i)| axis[i]).collect();
        // Where several axes are filled the last one decides.
        let fill =
            seen.iter().rev().find_map(|seen| if let Seen::Fill(value) = seen { Some(*value) } else { None });
        let place = |seen: &Seen| if let Seen::Element(i) = seen { *i } else { 0 };
        fill.unwrap_or_else(|| x.get(&seen.iter().map(place).collect::<Vec<_>>()))
    }))
}

/// The element `by` places further along an axis.
fn neighbour(x: &PlainArray, index: &[usize], axis: usize, at: usize) -> Scalar {
    let mut index = index.to_vec();
    index[axis] = at;
    x.get(&index)
}

fn difference(rule: &Difference, x: &PlainArray) -> Result<PlainArray, EagerError> {
    let op = if x.dtype() == DType::Bool { BinaryOp::Ne } else { BinaryOp::Sub };
    let mut shape = x.shape().to_vec();
    shape[rule.axis] = shape[rule.axis].saturating_sub(1);
    PlainArray::try_from_fn(x.dtype(), &shape, |index| {
        let next = neighbour(x, index, rule.axis, index[rule.axis] + 1);
        let args = [next, x.get(index)];
        eval_binary(op, args[0], args[1])
            .ok_or_else(|| EagerError::Fault { op: op.name(), args: args.to_vec() })
    })
}

/// The weights of the elements around a place, from the one at the first number on: the derivative of the parabola, or the
/// line, through them.
fn weights(rule: &Gradient, at: usize, n: usize) -> (usize, Vec<f64>) {
    let first = match at {
        0 => 0,
        last if last + 1 == n => n - 1 - rule.edge_order,
        inside => inside - 1,
    };
    let step = |i: usize| rule.spacing.step(i);
    if rule.edge_order == 1 && (at == 0 || at + 1 == n) {
        return (first, vec![-1.0 / step(first), 1.0 / step(first)]);
    }
    // Lagrange's polynomial: coordinates of the three, as seen from the place.
    let (h, k) = (step(first), step(first + 1));
    let places = match at - first {
        0 => [0.0, h, h + k],
        1 => [-h, 0.0, k],
        _ => [-h - k, -k, 0.0],
    };
    let weight = |i: usize| {
        let (a, b) = (places[(i + 1) % 3], places[(i + 2) % 3]);
        (-a - b) / ((places[i] - a) * (places[i] - b))
    };
    (first, (0..3).map(weight).collect())
}

fn gradient(rule: &Gradient, x: &PlainArray) -> PlainArray {
    let n = x.shape()[rule.axis];
    PlainArray::from_fn(x.dtype(), x.shape(), |index| {
        let (first, weights) = weights(rule, index[rule.axis], n);
        let term = |(i, weight): (usize, &f64)| match weight {
            // The middle one does not count where both sides are equally long, whatever it is.
            0.0 => 0.0,
            weight => weight * float(neighbour(x, index, rule.axis, first + i)),
        };
        rounded(weights.iter().enumerate().map(term).sum(), x.dtype())
    })
}

/// Rounding of each term, and of the differences of coordinates.
fn slopes(op: &Blockwise, inputs: &[&PlainArray], want: &PlainArray) -> Vec<Slack> {
    let Some(rule) = op.downcast::<Gradient>() else { return Vec::new() };
    let (x, axis) = (inputs[0], rule.axis);
    let slack = |index: &[usize]| {
        let (first, weights) = weights(rule, index[axis], x.shape()[axis]);
        let terms = weights.iter().enumerate();
        let sizes = terms.map(|(i, weight)| (weight * float(neighbour(x, index, axis, first + i))).abs());
        let size: f64 = sizes.sum();
        let overflows = float(rounded(4.0 * size, x.dtype())).is_infinite();
        if size.is_nan() || overflows {
            Slack::Anything
        } else {
            Slack::Within(16.0 * epsilon(x.dtype()) * size + tiny(x.dtype()))
        }
    };
    crate::eager::array::indices(want.shape()).iter().map(|index| slack(index)).collect()
}

fn tiny(dtype: DType) -> f64 {
    float(eval_cast(Scalar::F64(if dtype == DType::F32 { 1e-37 } else { 1e-307 }), dtype))
}
