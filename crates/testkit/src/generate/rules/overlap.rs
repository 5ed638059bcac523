//! Margins and neighbourhoods: random steps.

use std::panic::Location;

use chunkwise::Boundary;
use chunkwise_chunk::{DType, Region, Scalar};
use chunkwise_expr::Expr;
use chunkwise_ops::function::BlockFn;
use chunkwise_ops::overlap::{
    AxisMargin, ConvolveMode, Weights, correlate, correlate_1d, map_overlap, rank_filter, sliding_windows,
    split_axes,
};

use crate::generate::data::{mild_value, values};
use crate::generate::draw::Draw;
use crate::generate::{Pool, Step};

pub(in crate::generate) const STEPS: &[(usize, Step)] =
    &[(2, shifted), (1, windows), (1, boxes), (1, sums), (1, full_sums), (1, ranks)];

/// Random margins of an array of so many axes, some deeper than it is long.
pub(crate) fn margins(draw: &mut Draw, dtype: DType, ndim: usize, may_end: bool) -> Vec<AxisMargin> {
    (0..ndim)
        .map(|_| {
            let deepest = if draw.one_in(6) { 9 } else { 2 };
            let (before, after) = (draw.below(deepest + 1), draw.below(deepest + 1));
            AxisMargin { before, after, boundary: boundary(draw, dtype, may_end) }
        })
        .collect()
}

fn boundary(draw: &mut Draw, dtype: DType, may_end: bool) -> Boundary<Scalar> {
    let all = [
        Boundary::Reflect,
        Boundary::Symmetric,
        Boundary::Periodic,
        Boundary::Nearest,
        Boundary::Constant(mild_value(draw, dtype)),
        Boundary::None,
    ];
    all[draw.below(if may_end { 6 } else { 5 })]
}

/// Every element one of its neighbours; or the same one, where ends have none.
fn shifted(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let dtype = x.dtype()?;
    let margins = margins(draw, dtype, x.shape().len(), true);
    let ends = margins.iter().any(|margin| margin.boundary == Boundary::None);
    let offset: Vec<usize> =
        margins.iter().map(|margin| draw.below(margin.before + margin.after + 1)).collect();
    let call = BlockFn::new(move |blocks, place| match ends {
        true => Ok(blocks[0].clone()),
        false => Ok(blocks[0].part(&Region::new(&offset, &place.shape))),
    });
    Some(map_overlap("map_overlap", &[&x], |_| Ok(margins), dtype, call, Location::caller()))
}

fn windows(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| x.shape().iter().any(|&len| len > 0))?;
    let axes: Vec<usize> = (0..x.shape().len()).filter(|&axis| x.shape()[axis] > 0).collect();
    let axis = *draw.pick(&axes);
    let window = 1 + draw.below(x.shape()[axis].min(4));
    Some(sliding_windows(&x, window, axis, Location::caller()))
}

fn boxes(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| x.shape().len() <= 2)?;
    let factors: Vec<usize> = x.shape().iter().map(|_| 1 + draw.below(4)).collect();
    Some(split_axes(&x, &factors, Location::caller()))
}

/// Random weights of a neighbourhood of this shape.
pub(crate) fn weights(draw: &mut Draw, dtype: DType, shape: &[usize]) -> Weights {
    Weights::of_chunk(&values(draw, dtype, shape).to_chunk())
}

/// Lengths of the neighbourhoods with these margins.
pub(crate) fn size(margins: &[AxisMargin]) -> Vec<usize> {
    margins.iter().map(|margin| margin.before + 1 + margin.after).collect()
}

/// Few elements, so that the slow sums end.
fn small(margins: &[AxisMargin]) -> bool {
    size(margins).iter().product::<usize>() <= 60
}

fn is_number(x: &Expr) -> bool {
    x.dtype().is_some_and(|dtype| dtype != DType::Bool)
}

fn sums(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, is_number)?;
    let margins = margins(draw, x.dtype()?, x.shape().len(), false);
    let weights = weights(draw, x.dtype()?, &size(&margins));
    small(&margins).then(|| correlate("correlate_nd", &x, weights, |_| Ok(margins), Location::caller()))
}

fn full_sums(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| is_number(x) && x.shape().len() == 1 && x.shape()[0] > 0)?;
    let mode = *draw.pick(&[ConvolveMode::Full, ConvolveMode::Same, ConvolveMode::Valid]);
    let count = 1 + draw.below(6);
    let weights = weights(draw, x.dtype()?, &[count]);
    Some(correlate_1d("correlate", &x, weights, mode, Location::caller()))
}

fn ranks(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, is_number)?;
    let margins = margins(draw, x.dtype()?, x.shape().len(), false);
    let rank = draw.below(size(&margins).iter().product());
    small(&margins).then(|| rank_filter("rank_filter", &x, rank, |_| Ok(margins), Location::caller()))
}
