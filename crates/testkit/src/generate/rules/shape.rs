//! Shapes: random steps.

use std::panic::Location;

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::Expr;
use chunkwise_ops::shape::{Beyond, Counts, Difference, Extend, Gradient, LineMedian, Spacing, Walk};

use crate::generate::data::mild_value;
use crate::generate::draw::Draw;
use crate::generate::{Pool, Step};

pub(in crate::generate) const STEPS: &[(usize, Step)] =
    &[(3, extend), (2, difference), (1, gradient), (1, median)];

/// Axes padded and repeated, each in its own way.
fn extend(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| !x.shape().is_empty())?;
    let dtype = x.dtype()?;
    let walks = x.shape().iter().map(|&n| walk(draw, n, dtype)).collect();
    Some(Expr::blockwise(Extend::new("pad", walks), &[&x], Location::caller()))
}

fn walk(draw: &mut Draw, n: usize, dtype: DType) -> Walk {
    let values = [mild_value(draw, dtype), mild_value(draw, dtype)];
    match draw.below(8) {
        0 => Walk::Repeat(draw.below(4)),
        1 => {
            let counts: Vec<usize> = (0..n).map(|_| draw.below(4)).collect();
            Counts::new(&counts).map_or(Walk::Along, Walk::Repeats)
        }
        2..5 => {
            let beyond = beyond(draw, n, values);
            let (before, after) = (width(draw, n), width(draw, n));
            Walk::Extend { before, after, beyond }
        }
        _ => Walk::Along,
    }
}

fn beyond(draw: &mut Draw, n: usize, [low, high]: [Scalar; 2]) -> Beyond {
    let fill = Beyond::Fill(low, high);
    let modes = [fill, Beyond::Edge, Beyond::Reflect, Beyond::Symmetric, Beyond::Wrap];
    if n == 0 { fill } else { *draw.pick(&modes) }
}

/// Mostly less than the axis, at times several times as much.
fn width(draw: &mut Draw, n: usize) -> usize {
    let most = if draw.one_in(4) { 3 * n } else { n };
    draw.below(most.min(8) + 1)
}

fn difference(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| !x.shape().is_empty())?;
    let axis = draw.below(x.shape().len());
    Some(Expr::blockwise(Difference { axis }, &[&x], Location::caller()))
}

fn gradient(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x =
        pool.find(draw, |x| x.dtype().is_some_and(DType::is_float) && x.shape().iter().any(|&n| n >= 2))?;
    let long: Vec<usize> = (0..x.shape().len()).filter(|&axis| x.shape()[axis] >= 2).collect();
    let axis = *draw.pick(&long);
    let n = x.shape()[axis];
    let edge_order = if n >= 3 && draw.one_in(2) { 2 } else { 1 };
    let spacing = match draw.below(3) {
        0 => Spacing::even(*draw.pick(&[1.0, 0.25, -2.0, 3.0])),
        1 => Spacing::at(&(0..n).map(|i| i as f64 / 2.0).collect::<Vec<_>>()),
        _ => {
            let mut at = 0.0;
            let mut next = || {
                at += (1 + draw.below(8)) as f64 / 4.0;
                at
            };
            Spacing::at(&(0..n).map(|_| next()).collect::<Vec<_>>())
        }
    };
    Some(Expr::blockwise(Gradient { axis, spacing, edge_order }, &[&x], Location::caller()))
}

fn median(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| x.dtype().is_some_and(DType::is_float) && !x.shape().is_empty())?;
    let axis = draw.below(x.shape().len());
    Some(Expr::blockwise(LineMedian { axis }, &[&x], Location::caller()))
}
