//! Margins, neighbourhoods, windows and boxes.

use chunkwise::prelude::*;
use chunkwise::{Boundaries, Boundary, Depth};
use chunkwise_chunk::Scalar;
use chunkwise_ops::overlap::AxisMargin;
use ndarray::{Array2, Zip};

use super::function::{at, made};
use super::{Method, Use, array, array_of_shape};
use crate::PlainArray;
use crate::eager::rules::overlap::beyond;
use crate::generate::draw::Draw;
use crate::generate::rules::overlap::margins;

pub(super) const METHODS: &[Method] = &[
    Method { name: "map_overlap", draw: map_overlap },
    Method { name: "try_map_overlap", draw: try_map_overlap },
    Method { name: "zip_overlap", draw: zip_overlap },
    Method { name: "stencil", draw: stencil },
    Method { name: "sliding_windows", draw: sliding_windows },
    Method { name: "coarsen", draw: coarsen },
];

/// The margins as users write them.
pub(super) fn written(margins: &[AxisMargin]) -> (Depth, Boundaries<i64>) {
    let depth: Vec<(usize, usize)> = margins.iter().map(|margin| (margin.before, margin.after)).collect();
    let boundary = |margin: &AxisMargin| match margin.boundary {
        Boundary::Reflect => Boundary::Reflect,
        Boundary::Symmetric => Boundary::Symmetric,
        Boundary::Periodic => Boundary::Periodic,
        Boundary::Nearest => Boundary::Nearest,
        Boundary::Constant(Scalar::I64(value)) => Boundary::Constant(value),
        _ => Boundary::None,
    };
    (depth.into(), margins.iter().map(boundary).collect::<Vec<_>>().into())
}

/// The element that is `offset` further, which may be beyond the ends.
fn neighbour(plain: &PlainArray, index: &[usize], offset: &[isize], margins: &[AxisMargin]) -> i64 {
    let at: Vec<isize> = index.iter().zip(offset).map(|(&i, &o)| i as isize + o).collect();
    match beyond(plain, &at, margins) {
        Scalar::I64(value) => value,
        other => panic!("{other:?} is no i64"),
    }
}

/// The first element of the margin minus the last one.
fn map_overlap(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i64>(draw, 2);
    let x: LazyArray2<i64> = x.into_dimensionality();
    let margins = margins(draw, DType::I64, 2, false);
    let (depth, boundary) = written(&margins);
    if draw.one_in(8) && !x.is_empty() {
        return Use::fails(x.map_overlap(depth, boundary, |_, _| Array2::<u8>::zeros((90, 1))).into_dyn());
    }
    if draw.one_in(8) {
        return Use::fails(
            x.map_overlap([1, 1, 1], Boundary::Nearest, |padded, _| padded.to_owned()).into_dyn(),
        );
    }
    let ends = x.map_overlap(depth, boundary, |padded, info| {
        let (rows, columns) = (info.shape[0], info.shape[1]);
        let part =
            |i: usize, j: usize| Array2::from_shape_fn((rows, columns), |(k, l)| padded[[i + k, j + l]]);
        let (first, last) = (part(0, 0), part(padded.nrows() - rows, padded.ncols() - columns));
        Zip::from(&first).and(&last).map_collect(|&a, &b| a.wrapping_sub(b))
    });
    let before: Vec<isize> = margins.iter().map(|margin| -(margin.before as isize)).collect();
    let after: Vec<isize> = margins.iter().map(|margin| margin.after as isize).collect();
    let want = made(plain.shape(), |index| {
        let first = neighbour(&plain, index, &before, &margins);
        first.wrapping_sub(neighbour(&plain, index, &after, &margins))
    });
    Use::exact(ends.into_dyn(), want)
}

/// The padded block as it is, so that the margin is cut off.
fn try_map_overlap(draw: &mut Draw) -> Use {
    let ndim = draw.below(4);
    let (x, plain) = array::<i64>(draw, ndim);
    let (depth, boundary) = written(&margins(draw, DType::I64, ndim, true));
    if draw.one_in(6) && !x.is_empty() {
        return Use::fails(x.try_map_overlap(depth, boundary, |padded, _| match padded.len() {
            0 => Ok(padded.to_owned()),
            _ => Err("no"),
        }));
    }
    Use::exact(x.try_map_overlap(depth, boundary, |padded, _| Ok::<_, String>(padded.to_owned())), plain)
}

/// Differences of an array and the row before, of two arrays of which one may repeat.
fn zip_overlap(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i64>(draw, 2);
    let repeats = draw.one_in(2);
    let rows = if repeats { 1 } else { plain.shape()[0] };
    let (y, other) = array_of_shape::<i64>(draw, &[rows, plain.shape()[1]]);
    let difference =
        chunkwise::zip_overlap((&x, &y), [(1, 0), (0, 0)], Boundary::Constant(5_i64), |x, y, _| {
            let rows = x.shape()[0] - 1;
            let x = x.slice_axis(Axis(0), (..rows).into());
            let y = y.slice_axis(Axis(0), (..y.shape()[0].min(rows)).into());
            let y = y.broadcast(x.raw_dim()).expect("blocks broadcast");
            Zip::from(&x).and(&y).map_collect(|&x, &y| x.wrapping_sub(y))
        });
    let repeats = plain.shape()[0] != rows;
    let want = made(plain.shape(), |index| {
        let before =
            |array: &PlainArray| if index[0] == 0 { 5 } else { at(array, &[index[0] - 1, index[1]]) };
        let right = if repeats { at(&other, &[0, index[1]]) } else { before(&other) };
        before(&plain).wrapping_sub(right)
    });
    Use::exact(difference, want)
}

fn stencil(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i64>(draw, 2);
    let mut margins = margins(draw, DType::I64, 2, false);
    margins.iter_mut().for_each(|margin| margin.after = margin.before);
    let depth = [margins[0].before, margins[1].before];
    let (_, boundary) = written(&margins);
    if draw.one_in(8) {
        return Use::fails(x.stencil([1], Boundary::Nearest, |n| n[[0]]));
    }
    if draw.one_in(8) {
        return Use::fails(x.stencil([1, 1], Boundary::None, |n| n[[0, 0]]));
    }
    let offset: Vec<isize> =
        depth.iter().map(|&depth| draw.between(-(depth as i64), depth as i64) as isize).collect();
    let (i, j) = (offset[0], offset[1]);
    let beyond_depth = draw.one_in(8);
    let far = isize::from(beyond_depth) * (depth[1] as isize + 1);
    let taken = x.stencil(depth, boundary, move |n| {
        n[[i, j]].wrapping_mul(3).wrapping_add(n[[-i, j]]).wrapping_sub(n[[0, far]])
    });
    if beyond_depth && !plain.data().is_empty() {
        return Use::fails(taken);
    }
    let want = made(plain.shape(), |index| {
        let take = |offset: [isize; 2]| neighbour(&plain, index, &offset, &margins);
        take([i, j]).wrapping_mul(3).wrapping_add(take([-i, j])).wrapping_sub(take([0, 0]))
    });
    Use::exact(taken, want)
}

fn sliding_windows(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let beyond = usize::from(draw.one_in(8));
    let axis = draw.below(ndim + beyond);
    let window = draw.below(5);
    let windows = x.sliding_windows(window, Axis(axis));
    let len = plain.shape().get(axis).copied().unwrap_or(0);
    if window == 0 || window > len {
        return Use::fails(windows);
    }
    let mut shape = plain.shape().to_vec();
    shape[axis] = len + 1 - window;
    shape.push(window);
    let want = made(&shape, |index| {
        let mut from = index[..ndim].to_vec();
        from[axis] += index[ndim];
        at(&plain, &from)
    });
    Use::exact(windows, want)
}

fn coarsen(draw: &mut Draw) -> Use {
    let ndim = draw.below(4);
    let (x, plain) = array::<i64>(draw, ndim);
    let mut factors: Vec<usize> = (0..ndim).map(|_| 1 + draw.below(4)).collect();
    if draw.one_in(8) {
        factors.push(1);
        return Use::fails(x.coarsen(&factors, |boxes, axes| boxes.sum_axes(axes)));
    }
    if draw.one_in(8) && ndim > 0 {
        factors[0] = 0;
        return Use::fails(x.coarsen(&factors, |boxes, axes| boxes.sum_axes(axes)));
    }
    let shape: Vec<usize> = plain.shape().iter().zip(&factors).map(|(&len, factor)| len / factor).collect();
    let want = made(&shape, |index| {
        crate::eager::indices(&factors).iter().fold(0_i64, |sum, inside| {
            let from: Vec<usize> = (0..ndim).map(|axis| index[axis] * factors[axis] + inside[axis]).collect();
            sum.wrapping_add(at(&plain, &from))
        })
    });
    Use::exact(x.coarsen(&factors, |boxes, axes| boxes.sum_axes(axes)), want)
}
