//! Diagonals, triangles, and the indices of both.

use chunkwise::prelude::*;
use chunkwise_chunk::Scalar;
use ndarray::IxDyn;

use super::{Method, Use, array};
use crate::PlainArray;
use crate::generate::data::grid;
use crate::generate::draw::Draw;

pub(super) const METHODS: &[Method] = &[
    Method { name: "diag", draw: diag },
    Method { name: "from_diag", draw: from_diag },
    Method { name: "diagonal", draw: diagonal },
    Method { name: "tri", draw: tri },
    Method { name: "tril", draw: |draw| triangle(draw, true) },
    Method { name: "triu", draw: |draw| triangle(draw, false) },
    Method { name: "tril_indices", draw: |draw| triangle_indices(draw, true) },
    Method { name: "triu_indices", draw: |draw| triangle_indices(draw, false) },
    Method { name: "indices", draw: indices },
];

/// The elements with column less row `k`.
fn line(x: &PlainArray, k: i64) -> PlainArray {
    let on_it = |row: usize| {
        let column = usize::try_from(row as i64 + k).ok().filter(|&column| column < x.shape()[1])?;
        Some(x.get(&[row, column]))
    };
    let data: Vec<Scalar> = (0..x.shape()[0]).filter_map(on_it).collect();
    PlainArray::new(x.dtype(), &[data.len()], data)
}

fn diag(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i32>(draw, 2);
    Use::exact(x.into_dimensionality::<Ix2>().diag().into_dyn(), line(&plain, 0))
}

fn diagonal(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i32>(draw, 2);
    let k = draw.between(-9, 9);
    let wrong = draw.one_in(12);
    let y = x.diagonal(k as isize, Axis(0), Axis(usize::from(!wrong)));
    if wrong { Use::fails(y) } else { Use::exact(y, line(&plain, k)) }
}

fn from_diag(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i32>(draw, 1);
    let k = draw.between(-4, 4);
    let n = plain.shape()[0] + k.unsigned_abs() as usize;
    let want = PlainArray::from_fn(plain.dtype(), &[n, n], |index| {
        let (row, column) = (index[0] as i64, index[1] as i64);
        if column - row == k { plain.get(&[row.min(column) as usize]) } else { Scalar::I32(0) }
    });
    Use::exact(LazyArray::from_diag(&x.into_dimensionality(), k as isize).into_dyn(), want)
}

fn is_below(row: usize, column: usize, k: i64) -> bool {
    column as i64 - row as i64 <= k
}

/// Mostly near the matrix, at times as far as numbers go.
fn some_diagonal(draw: &mut Draw) -> i64 {
    if draw.one_in(8) { *draw.pick(&[i64::MIN, i64::MAX]) } else { draw.between(-6, 6) }
}

fn is_inside(row: usize, column: usize, k: i64, lower: bool) -> bool {
    let above = i128::from(column as i64 - row as i64) - i128::from(k);
    if lower { above <= 0 } else { above >= 0 }
}

fn tri(draw: &mut Draw) -> Use {
    let shape = (draw.below(6), draw.below(6));
    let k = draw.between(-6, 6);
    let chunks = grid(draw, &[shape.0, shape.1]);
    let want = PlainArray::from_fn(DType::U8, &[shape.0, shape.1], |index| {
        Scalar::U8(u8::from(is_below(index[0], index[1], k)))
    });
    Use::exact(LazyArray::<u8, Ix2>::tri(shape, k as isize, &chunks).into_dyn(), want)
}

fn triangle(draw: &mut Draw, lower: bool) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<i32>(draw, ndim);
    let k = some_diagonal(draw);
    let y = if lower { x.tril(k as isize) } else { x.triu(k as isize) };
    if ndim < 2 {
        return Use::fails(y);
    }
    Use::exact(
        y,
        PlainArray::from_fn(plain.dtype(), plain.shape(), |index| {
            match is_inside(index[ndim - 2], index[ndim - 1], k, lower) {
                true => plain.get(index),
                false => Scalar::I32(0),
            }
        }),
    )
}

fn triangle_indices(draw: &mut Draw, lower: bool) -> Use {
    let shape = (draw.below(6), draw.below(6));
    let k = some_diagonal(draw);
    let (rows, columns) = match lower {
        true => chunkwise::tril_indices(shape, k as isize, 3),
        false => chunkwise::triu_indices(shape, k as isize, 3),
    };
    let all = (0..shape.0).flat_map(|row| (0..shape.1).map(move |column| (row, column)));
    let inside: Vec<(usize, usize)> = all.filter(|&(row, column)| is_inside(row, column, k, lower)).collect();
    let first = draw.one_in(2);
    let values: Vec<i64> =
        inside.iter().map(|&(row, column)| if first { row } else { column } as i64).collect();
    let y = if first { rows } else { columns };
    Use::exact(y.into_dyn(), PlainArray::of(&[values.len()], &values))
}

fn indices(draw: &mut Draw) -> Use {
    let shape: Vec<usize> = (0..draw.below(4)).map(|_| draw.below(4)).collect();
    let chunks = grid(draw, &shape);
    let whole = [vec![shape.len()], shape.clone()].concat();
    let want = PlainArray::from_fn(DType::I64, &whole, |index| Scalar::I64(index[1 + index[0]] as i64));
    Use::exact(chunkwise::indices(IxDyn(&shape), &chunks), want)
}
