//! Margins and neighbourhoods: the truth.

use chunkwise::Boundary;
use chunkwise_chunk::{Chunk, ChunkGrid, Region, Scalar};
use chunkwise_expr::{BinaryOp, Blockwise, eval_binary, eval_cast};
use chunkwise_ops::function::Place;
use chunkwise_ops::overlap::{
    AxisMargin, Correlate, MapOverlap, RankFilter, SlidingWindows, SplitAxes, Weights,
};

use super::function::called;
use super::{EagerError, PlainArray, Reference, exact};
use crate::eager::indices;
use crate::eager::number::{is_nan, less};

pub(super) const REFERENCES: &[Reference] = &[
    Reference { rule: "Correlate", truth: correlate, slack: exact },
    Reference { rule: "RankFilter", truth: rank_filter, slack: exact },
    Reference { rule: "MapOverlap", truth: map_overlap, slack: exact },
    Reference { rule: "SlidingWindows", truth: sliding_windows, slack: exact },
    Reference { rule: "SplitAxes", truth: split_axes, slack: exact },
];

/// The function of the padded arrays, which must do the same to an array as to its blocks; the margin is cut off.
fn map_overlap(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<MapOverlap>()?;
    let meta = op.infer(&[]).expect("it was inferred when it was built");
    let shape = meta.grid().shape();
    if shape.contains(&0) {
        return Some(Ok(PlainArray::new(meta.dtype(), shape, Vec::new())));
    }
    let padded = |input: &&PlainArray| {
        let mut margins = rule.margins()[shape.len() - input.shape().len()..].to_vec();
        for (axis, &len) in input.shape().iter().enumerate() {
            if len != shape[shape.len() - input.shape().len() + axis] {
                (margins[axis].before, margins[axis].after) = (0, 0);
            }
        }
        pad(input, &margins).to_chunk()
    };
    let padded: Vec<Chunk> = inputs.iter().map(padded).collect();
    let place = Place::of(&ChunkGrid::whole(shape), &Region::whole(shape));
    let made = called(rule.call().call(&padded, &place));
    Some(made.map(|made| if made.shape() == shape { made } else { trimmed(&made, rule.margins(), shape) }))
}

fn trimmed(made: &PlainArray, margins: &[AxisMargin], shape: &[usize]) -> PlainArray {
    let before = |margin: &AxisMargin| if margin.boundary == Boundary::None { 0 } else { margin.before };
    PlainArray::from_fn(made.dtype(), shape, |index| {
        let at: Vec<usize> = index.iter().zip(margins).map(|(&i, margin)| i + before(margin)).collect();
        made.get(&at)
    })
}

/// The array with its margin all around.
pub(crate) fn pad(input: &PlainArray, margins: &[AxisMargin]) -> PlainArray {
    let shape = input.shape().iter().zip(margins).map(|(&len, margin)| match margin.boundary {
        Boundary::None => len,
        _ => margin.before + len + margin.after,
    });
    let shape: Vec<usize> = shape.collect();
    PlainArray::from_fn(input.dtype(), &shape, |index| {
        let at: Vec<isize> = index
            .iter()
            .zip(margins)
            .map(|(&i, margin)| match margin.boundary {
                Boundary::None => i as isize,
                _ => i as isize - margin.before as isize,
            })
            .collect();
        beyond(input, &at, margins)
    })
}

/// The element at an index that may be beyond the ends.
pub(crate) fn beyond(input: &PlainArray, index: &[isize], margins: &[AxisMargin]) -> Scalar {
    let mut own = Vec::new();
    let mut constant = None;
    for (axis, &at) in index.iter().enumerate() {
        match walked(at, input.shape()[axis] as isize, margins[axis].boundary) {
            Ok(at) => own.push(at as usize),
            Err(value) => constant = Some(value),
        }
    }
    constant.map_or_else(|| input.get(&own), |value| eval_cast(value, input.dtype()))
}

/// Walks back into the axis, from one copy of it to the next; the constant where there is one.
fn walked(mut at: isize, n: isize, boundary: Boundary<Scalar>) -> Result<isize, Scalar> {
    while !(0..n).contains(&at) {
        let below = at < 0;
        at = match boundary {
            Boundary::Periodic => at + if below { n } else { -n },
            Boundary::Nearest => at.clamp(0, n - 1),
            Boundary::Symmetric => {
                if below {
                    -1 - at
                } else {
                    2 * n - 1 - at
                }
            }
            Boundary::Reflect if n == 1 => 0,
            Boundary::Reflect => {
                if below {
                    -at
                } else {
                    2 * n - 2 - at
                }
            }
            Boundary::Constant(value) => return Err(value),
            other => unreachable!("nothing lies beyond the ends with {other:?}"),
        };
    }
    Ok(at)
}

fn sliding_windows(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<SlidingWindows>()?;
    let mut shape = inputs[0].shape().to_vec();
    shape[rule.axis()] -= rule.window() - 1;
    shape.push(rule.window());
    Some(Ok(PlainArray::from_fn(inputs[0].dtype(), &shape, |index| {
        let (k, at) = index.split_last().expect("windows are the last axis");
        let mut at = at.to_vec();
        at[rule.axis()] += k;
        inputs[0].get(&at)
    })))
}

fn split_axes(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let factors = op.downcast::<SplitAxes>()?.factors();
    let shape: Vec<usize> =
        inputs[0].shape().iter().zip(factors).flat_map(|(&len, &factor)| [len / factor, factor]).collect();
    Some(Ok(PlainArray::from_fn(inputs[0].dtype(), &shape, |index| {
        let at: Vec<usize> =
            index.chunks(2).zip(factors).map(|(pair, factor)| pair[0] * factor + pair[1]).collect();
        inputs[0].get(&at)
    })))
}

fn correlate(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<Correlate>()?;
    let meta = op.infer(&[]).expect("it was inferred when it was built");
    Some(Ok(correlated(inputs[0], rule.weights(), rule.margins(), meta.grid().shape())))
}

/// The sums of a weight times a neighbour, in the order of the weights, for every index of `shape`.
pub(crate) fn correlated(
    input: &PlainArray,
    weights: &Weights,
    margins: &[AxisMargin],
    shape: &[usize],
) -> PlainArray {
    let dtype = input.dtype();
    let both =
        |op: BinaryOp, a: Scalar, b: Scalar| eval_binary(op, a, b).expect("sums and products have values");
    let taps = indices(weights.shape());
    PlainArray::from_fn(dtype, shape, |index| {
        taps.iter().zip(weights.values()).fold(Scalar::zero(dtype), |sum, (tap, &weight)| {
            let neighbour = beyond(input, &tapped(index, tap, margins), margins);
            both(BinaryOp::Add, sum, both(BinaryOp::Mul, weight, neighbour))
        })
    })
}

/// The index of the neighbour that a weight is for.
fn tapped(index: &[usize], tap: &[usize], margins: &[AxisMargin]) -> Vec<isize> {
    let axes = index.iter().zip(tap).zip(margins);
    axes.map(|((&i, &k), margin)| (i + k) as isize - margin.before as isize).collect()
}

fn rank_filter(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<RankFilter>()?;
    Some(Ok(ranked(inputs[0], rule.rank(), rule.margins())))
}

/// Whether a value is the zero that stands below the other one.
fn is_negative_zero(value: Scalar) -> bool {
    match value {
        Scalar::F32(x) => x.to_bits() == (-0.0_f32).to_bits(),
        Scalar::F64(x) => x.to_bits() == (-0.0_f64).to_bits(),
        _ => false,
    }
}

/// The element of a rank of every box, -0.0 below 0.0, NaN above all others.
pub(crate) fn ranked(input: &PlainArray, rank: usize, margins: &[AxisMargin]) -> PlainArray {
    let size: Vec<usize> = margins.iter().map(|margin| margin.before + margin.after + 1).collect();
    let taps = indices(&size);
    PlainArray::from_fn(input.dtype(), input.shape(), |index| {
        let neighbour = |tap: &Vec<usize>| beyond(input, &tapped(index, tap, margins), margins);
        let mut sorted: Vec<Scalar> = taps.iter().map(neighbour).collect();
        let before =
            |a: Scalar, b: Scalar| if is_nan(a) || is_nan(b) { !is_nan(a) && is_nan(b) } else { less(a, b) };
        sorted.sort_by(|&a, &b| match (before(a, b), before(b, a)) {
            (true, _) => std::cmp::Ordering::Less,
            (_, true) => std::cmp::Ordering::Greater,
            _ => is_negative_zero(b).cmp(&is_negative_zero(a)),
        });
        sorted[rank]
    })
}
