//! Indexing: random steps.

use std::panic::Location;

use chunkwise_chunk::{ReadUnit, SliceElem, View};
use chunkwise_expr::Expr;
use chunkwise_ops::index::{self, Index, IndexList};

use crate::generate::data::{grid, mild_value};
use crate::generate::draw::Draw;
use crate::generate::{Pool, Step};
use crate::{PlainArray, TestSource};

pub(in crate::generate) const STEPS: &[(usize, Step)] = &[
    (2, take),
    (1, take_lazy),
    (1, take_along),
    (2, key),
    (1, diagonal),
    (2, assign),
    (1, assign_at),
    (1, delete),
];

/// An array with an axis, and one of its axes that is not empty.
fn with_axis(draw: &mut Draw, pool: &Pool) -> Option<(Expr, usize)> {
    let x = pool.find(draw, |x| x.shape().iter().any(|&len| len > 0))?;
    let axes: Vec<usize> = (0..x.shape().len()).filter(|&axis| x.shape()[axis] > 0).collect();
    let axis = *draw.pick(&axes);
    Some((x, axis))
}

/// Some indices inside an axis of `len`, which is not 0.
fn indices(draw: &mut Draw, len: usize, most: usize) -> Vec<i64> {
    let count = draw.below(most + 1);
    let len = len as i64;
    let mut indices: Vec<i64> = (0..count).map(|_| draw.between(-len, len - 1)).collect();
    if draw.one_in(4) {
        indices.sort_unstable();
    }
    indices
}

fn take(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let (x, axis) = with_axis(draw, pool)?;
    let indices: IndexList = indices(draw, x.shape()[axis], 8).into();
    Some(index::take_list("take", &x, indices, axis, Location::caller()))
}

/// Indices that a source gives, in any chunks, some of them reversed.
fn lazy(draw: &mut Draw, shape: &[usize], len: usize) -> Expr {
    let len = len as i64;
    let count = shape.iter().product();
    let values: Vec<i64> = (0..count).map(|_| draw.between(-len, len - 1)).collect();
    let array = PlainArray::of(shape, &values);
    let unit = if draw.one_in(3) { ReadUnit::Block } else { ReadUnit::Any };
    let source = TestSource::new(&array, grid(draw, shape), unit).into_expr();
    match draw.one_in(2) {
        true => Expr::view("flip", &source, View::flip(shape, 0), Location::caller()),
        false => source,
    }
}

fn take_lazy(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let (x, axis) = with_axis(draw, pool)?;
    let count = draw.below(9);
    let indices = lazy(draw, &[count], x.shape()[axis]);
    Some(index::take_lazy(&x, &indices, axis, Location::caller()))
}

fn take_along(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let (x, axis) = with_axis(draw, pool)?;
    let mut shape: Vec<usize> = x.shape().iter().map(|&len| if draw.one_in(4) { 1 } else { len }).collect();
    shape[axis] = draw.below(4);
    let indices = lazy(draw, &shape, x.shape()[axis]);
    Some(index::take_along_axis(&x, &indices, axis, Location::caller()))
}

/// Positions, ranges, new axes, an ellipsis, masks and arrays of one axis or two, on any axes.
fn key(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| !x.shape().is_empty() && !x.shape().contains(&0))?;
    let count = 1 + draw.below(4);
    let mut key = Vec::new();
    let mut given = draw.below(x.shape().len() + 1);
    for &len in x.shape() {
        if given == 0 {
            break;
        }
        given -= 1;
        if draw.one_in(8) {
            key.push(Index::NewAxis);
        }
        key.push(element(draw, len, count));
    }
    if draw.one_in(3) {
        key.insert(0, Index::Ellipsis);
    }
    let pick = if draw.one_in(4) { index::vindex } else { index::index };
    Some(pick(&x, &key, Location::caller()))
}

fn element(draw: &mut Draw, len: usize, count: usize) -> Index {
    let whole = len as i64;
    let mut some =
        |count: usize| -> Vec<i64> { (0..count).map(|_| draw.between(-whole, whole - 1)).collect() };
    let (one, list) = (some(1)[0], some(count));
    match draw.below(6) {
        0 => one.into(),
        1 => Index::from(..),
        2 => ndarray::Slice::new(0, None, *draw.pick(&[1, 2, -1])).into(),
        3 => list[..1].into(),
        4 => ndarray::Array2::from_shape_fn((2, 1), |(i, _)| list[i % count]).into(),
        _ => list.into(),
    }
}

fn diagonal(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| x.shape().len() >= 2)?;
    let axes = draw.shuffled((0..x.shape().len()).collect::<Vec<usize>>());
    let offset = draw.between(-3, 3) as isize;
    Some(index::diagonal(&x, offset, [axes[0], axes[1]], Location::caller()))
}

/// A number, or what is replaced in another order.
fn value(draw: &mut Draw, x: &Expr, shown: &Expr) -> Option<Expr> {
    let at = Location::caller();
    if draw.one_in(3) {
        return Some(Expr::literal(mild_value(draw, x.dtype()?), at));
    }
    match shown.shape().is_empty() {
        true => Some(shown.clone()),
        false => Some(Expr::view("flip", shown, View::flip(shown.shape(), 0), at)),
    }
}

fn assign(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let (x, at) = (pool.pick(draw), Location::caller());
    let mut elems = Vec::new();
    for &len in x.shape() {
        let len = len as i64;
        elems.push(match draw.below(5) {
            0 if len > 0 => SliceElem::Index(draw.between(-len, len - 1) as isize),
            1 => (..).into(),
            _ => SliceElem::Slice {
                start: draw.between(-len - 1, len) as isize,
                end: if draw.one_in(2) { None } else { Some(draw.between(0, len + 1) as isize) },
                step: *draw.pick(&[1, 1, 2, 3, -1, -2]),
            },
        });
        if draw.one_in(8) {
            elems.push(SliceElem::NewAxis);
        }
    }
    let shown = Expr::view("slice", &x, View::slice(x.shape(), &elems), at);
    let value = value(draw, &x, &shown)?;
    Some(index::assign(&x, &elems, &value, at))
}

fn assign_at(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let (x, axis) = with_axis(draw, pool)?;
    let at = Location::caller();
    let indices: IndexList = indices(draw, x.shape()[axis], 6).into();
    let shown = index::take_list("take", &x, indices.clone(), axis, at);
    let value = value(draw, &x, &shown)?;
    Some(index::assign_at(&x, indices, axis, &value, at))
}

fn delete(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let (x, axis) = with_axis(draw, pool)?;
    let indices = indices(draw, x.shape()[axis], 4);
    Some(index::delete(&x, indices.into(), axis, Location::caller()))
}
