//! Functions of blocks.

use chunkwise::prelude::*;
use chunkwise::{BlockInfo, BlockLayout};
use chunkwise_chunk::Scalar;
use ndarray::{Array1, Array2, ArrayD, ArrayViewD};

use super::{Method, Use, array, array_of_shape};
use crate::PlainArray;
use crate::generate::draw::Draw;

pub(super) const METHODS: &[Method] = &[
    Method { name: "map_blocks", draw: map_blocks },
    Method { name: "try_map_blocks", draw: try_map_blocks },
    Method { name: "map_blocks_to", draw: map_blocks_to },
    Method { name: "reduce_blocks", draw: reduce_blocks },
    Method { name: "apply_along_axis", draw: apply_along_axis },
    Method { name: "map_axis", draw: map_axis },
    Method { name: "zip_blocks", draw: zip_blocks },
    Method { name: "try_zip_blocks", draw: try_zip_blocks },
    Method { name: "apply_gufunc", draw: apply_gufunc },
    Method { name: "try_apply_gufunc", draw: apply_gufunc },
];

/// The element of an array of `i64`.
pub(super) fn at(plain: &PlainArray, index: &[usize]) -> i64 {
    match plain.get(index) {
        Scalar::I64(value) => value,
        other => panic!("{other:?} is no i64"),
    }
}

/// The array of these elements.
pub(super) fn made(shape: &[usize], mut f: impl FnMut(&[usize]) -> i64) -> PlainArray {
    PlainArray::from_fn(DType::I64, shape, |index| Scalar::I64(f(index)))
}

/// Every element plus the sum of its global indices.
fn placed(block: ArrayViewD<'_, i64>, info: &BlockInfo) -> ArrayD<i64> {
    let global = |axis: usize, i: usize| (info.start[axis] + i) as i64;
    ArrayD::from_shape_fn(block.raw_dim(), |index| {
        let sum: i64 = (0..block.ndim()).map(|axis| global(axis, index[axis])).sum();
        block[&index].wrapping_add(sum)
    })
}

fn map_blocks(draw: &mut Draw) -> Use {
    let ndim = draw.below(4);
    let (x, plain) = array::<i64>(draw, ndim);
    if draw.one_in(8) && !x.is_empty() {
        return Use::fails(x.map_blocks(|_, _| ArrayD::from_elem(IxDyn(&[400; 3]), 0_i64)));
    }
    let sum = |index: &[usize]| index.iter().sum::<usize>() as i64;
    let want = made(plain.shape(), |index| at(&plain, index).wrapping_add(sum(index)));
    Use::exact(x.map_blocks(placed), want)
}

fn try_map_blocks(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i64>(draw, 2);
    let limit = draw.between(-30, 30);
    let fits = plain.data().iter().all(|&value| matches!(value, Scalar::I64(value) if value >= limit));
    let kept = x.try_map_blocks(move |block, _| match block.iter().find(|&&value| value < limit) {
        Some(small) => Err(format!("{small} is less than {limit}")),
        None => Ok(block.to_owned()),
    });
    if fits { Use::exact(kept, plain) } else { Use::fails(kept) }
}

/// The sums of the rows of every block, twice each.
fn map_blocks_to(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i64>(draw, 2);
    let x: LazyArray2<i64> = x.into_dimensionality();
    let blocks = x.chunks().axis(0).count();
    if draw.one_in(6) {
        let layout = match draw.below(3) {
            0 => BlockLayout::new().drop_axis(Axis(2)),
            1 => BlockLayout::new().sizes(Axis(0), vec![1; blocks + 1]),
            _ => BlockLayout::new().new_axis(Axis(4), 1),
        };
        return Use::fails(x.map_blocks_to(layout, |block, _| block.to_owned()).into_dyn());
    }
    let layout = BlockLayout::new().drop_axis(Axis(1)).new_axis(Axis(1), 2);
    let sum = |row: ndarray::ArrayView1<'_, i64>| row.iter().fold(0_i64, |sum, &v| sum.wrapping_add(v));
    let twice = x.map_blocks_to(layout, move |block, _| {
        Array2::from_shape_fn((block.nrows(), 2), |(i, _)| sum(block.row(i)))
    });
    let columns = plain.shape()[1];
    let want = made(&[plain.shape()[0], 2], |index| {
        (0..columns).fold(0, |sum: i64, j| sum.wrapping_add(at(&plain, &[index[0], j])))
    });
    Use::exact(twice.into_dyn(), want)
}

fn reduce_blocks(draw: &mut Draw) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let counted =
        x.reduce_blocks(|block, info| block.len() as i64 + 1000 * info.index.iter().sum::<usize>() as i64);
    let grid = x.chunks();
    let counts: Vec<usize> = grid.axes().iter().map(|axis| axis.count()).collect();
    let want = made(&counts, |index| {
        let lengths: usize = index.iter().zip(grid.axes()).map(|(&i, axis)| axis.range(i).len()).product();
        lengths as i64 + 1000 * index.iter().sum::<usize>() as i64
    });
    assert_eq!(plain.shape().len(), counts.len());
    Use::exact(counted, want)
}

/// Sums of an element and those before it, from the end.
fn apply_along_axis(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let beyond = usize::from(draw.one_in(6));
    let axis = draw.below(ndim + beyond);
    let len = plain.shape().get(axis).copied().unwrap_or(1);
    let declared = if draw.one_in(8) { len + 1 } else { len };
    let reversed =
        x.apply_along_axis(Axis(axis), declared, |lane| Array1::from_iter(lane.iter().rev().copied()));
    let others: usize =
        plain.shape().iter().enumerate().filter(|(at, _)| *at != axis).map(|(_, &n)| n).product();
    match axis >= ndim || (declared != len && others > 0) {
        true => Use::fails(reversed),
        false => {
            let mut shape = plain.shape().to_vec();
            shape[axis] = declared;
            let want = made(&shape, |index| {
                let mut from = index.to_vec();
                from[axis] = len - 1 - index[axis];
                at(&plain, &from)
            });
            Use::exact(reversed, want)
        }
    }
}

fn map_axis(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let beyond = usize::from(draw.one_in(6));
    let axis = draw.below(ndim + beyond);
    let folded = x.map_axis(Axis(axis), |lane| {
        lane.iter().fold(7_i64, |sum, &value| sum.wrapping_mul(3).wrapping_add(value))
    });
    if axis >= ndim {
        return Use::fails(folded);
    }
    let mut shape = plain.shape().to_vec();
    let len = shape.remove(axis);
    let want = made(&shape, |index| {
        let mut from = index.to_vec();
        from.insert(axis, 0);
        (0..len).fold(7_i64, |sum, i| {
            from[axis] = i;
            sum.wrapping_mul(3).wrapping_add(at(&plain, &from))
        })
    });
    Use::exact(folded, want)
}

/// An array, and one that broadcasts with it or, now and then, does not.
fn pair(draw: &mut Draw) -> (LazyArray2<i64>, PlainArray, LazyArray1<i32>, PlainArray, bool) {
    let (x, plain) = array::<i64>(draw, 2);
    let len = plain.shape()[1];
    let other = if draw.one_in(3) { 1 } else { len + usize::from(draw.one_in(6)) };
    let (y, row) = array_of_shape::<i32>(draw, &[other]);
    let fits = other == len || other == 1 || len == 1;
    (x.into_dimensionality(), plain, y.into_dimensionality(), row, fits)
}

fn zipped(plain: &PlainArray, row: &PlainArray) -> PlainArray {
    let columns = if plain.shape()[1] == 1 { row.shape()[0] } else { plain.shape()[1] };
    made(&[plain.shape()[0], columns], |index| {
        let Scalar::I32(right) = row.get_broadcast(index) else { panic!("the row is of i32") };
        let Scalar::I64(left) = plain.get_broadcast(index) else { panic!("the array is of i64") };
        left.wrapping_sub(right.into())
    })
}

fn zip_blocks(draw: &mut Draw) -> Use {
    let (x, plain, y, row, fits) = pair(draw);
    let difference = chunkwise::zip_blocks((&x, &y), |x, y, _| {
        let columns = x.ncols().max(y.len());
        let (x, y) = (x.broadcast((x.nrows(), columns)), y.broadcast(columns));
        let (x, y) = (x.expect("blocks broadcast"), y.expect("blocks broadcast"));
        Array2::from_shape_fn(x.raw_dim(), |(i, j)| x[[i, j]].wrapping_sub(y[j].into()))
    });
    match fits {
        true => Use::exact(difference.into_dyn(), zipped(&plain, &row)),
        false => Use::fails(difference.into_dyn()),
    }
}

fn try_zip_blocks(draw: &mut Draw) -> Use {
    let (x, plain, y, _, fits) = pair(draw);
    let may = !draw.one_in(4);
    let kept = chunkwise::try_zip_blocks((&x, &y), move |x, y, _| match may {
        true => {
            let columns = x.ncols().max(y.len());
            Ok(x.broadcast((x.nrows(), columns)).expect("blocks broadcast").to_owned())
        }
        false => Err("not this time"),
    });
    let columns = kept.shape().get(1).copied().unwrap_or(0);
    let is_empty = kept.is_empty();
    match fits && (may || is_empty) {
        true => {
            let shape = [plain.shape()[0], columns];
            let want = PlainArray::from_fn(DType::I64, &shape, |index| plain.get_broadcast(index));
            Use::exact(kept.into_dyn(), want)
        }
        false => Use::fails(kept.into_dyn()),
    }
}

/// Products of matrices with vectors, and signatures that do not fit.
fn apply_gufunc(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i64>(draw, 3);
    let inner = plain.shape()[2] + usize::from(draw.one_in(8));
    let (y, vector) = array_of_shape::<i64>(draw, &[inner]);
    let (x, y): (LazyArray3<i64>, LazyArray1<i64>) = (x.into_dimensionality(), y.into_dimensionality());
    let signature =
        *draw.pick(&["(i,j),(j)->(i)", "(i, j), (j)->(i)", "(i,j),(j)->(i)", "(i,j)->(i)", "(i,j),(j->(i)"]);
    let product = chunkwise::apply_gufunc(signature, (&x, &y), |x, y, _| {
        let (outer, rows, columns) = x.dim();
        let term = |o: usize, i: usize, j: usize| x[[o, i, j]].wrapping_mul(y[j]);
        Array2::from_shape_fn((outer, rows), |(o, i)| {
            (0..columns).fold(0_i64, |sum, j| sum.wrapping_add(term(o, i, j)))
        })
    });
    let product = match draw.below(3) {
        0 => product,
        // The same, of a function that fails when it meets a value.
        which => {
            let refused = if which == 1 { None } else { plain.data().first().copied() };
            let checked = chunkwise::try_apply_gufunc("(i)->(i)", (&product,), move |x, info| match refused
                .filter(|_| info.start.iter().all(|&at| at == 0))
            {
                Some(value) => Err(format!("the first element is {value:?}")),
                None => Ok(x.to_owned()),
            });
            if refused.is_some() && product.check().is_ok() && !product.is_empty() {
                return Use::fails(checked.into_dyn());
            }
            checked
        }
    };
    if inner != plain.shape()[2] || !signature.contains("(j)->") && !signature.contains(" (j)->") {
        return Use::fails(product.into_dyn());
    }
    let want = made(&plain.shape()[..2], |index| {
        let term = |j: usize| at(&plain, &[index[0], index[1], j]).wrapping_mul(at(&vector, &[j]));
        (0..inner).fold(0_i64, |sum, j| sum.wrapping_add(term(j)))
    });
    Use::exact(product.into_dyn(), want)
}
