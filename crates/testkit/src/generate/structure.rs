//! Steps that move, join, cut and reduce arrays.

use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, Chunks, SliceElem, View};
use chunkwise_expr::{Collect, Expr, FromObject, Object, Op, ReduceKind};

use super::Pool;
use super::data::grid;
use super::draw::Draw;
use super::elementwise::cast_to;
use super::reduction::user_reduction;

fn view(name: &str, x: &Expr, view: Result<View, chunkwise_chunk::ChunkError>) -> Option<Expr> {
    Some(Expr::view(name, x, view, Location::caller()))
}

/// Indices, ranges with any step from before the start to beyond the end, and new axes.
pub(super) fn slice(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let mut elems = Vec::new();
    for &len in x.shape() {
        if draw.one_in(8) {
            elems.push(SliceElem::NewAxis);
        }
        elems.push(slice_elem(draw, len as i64));
    }
    view("slice", &x, View::slice(x.shape(), &elems))
}

fn slice_elem(draw: &mut Draw, len: i64) -> SliceElem {
    if len > 0 && draw.one_in(6) {
        return SliceElem::Index(draw.between(-len, len - 1) as isize);
    }
    if draw.one_in(3) {
        return SliceElem::Slice { start: 0, end: None, step: *draw.pick(&[1, -1]) };
    }
    // Mostly a wide range: narrow ones leave nothing to compute after a few steps.
    let start = if draw.one_in(3) { draw.between(-len - 2, len + 2) } else { draw.between(0, len / 2) };
    let least = if draw.one_in(3) { -len - 2 } else { len / 2 };
    let end = draw.between(least, len + 2);
    let end = if draw.one_in(3) { None } else { Some(end as isize) };
    SliceElem::Slice { start: start as isize, end, step: *draw.pick(&[1, 1, 2, 3, -1, -2, -3]) }
}

pub(super) fn permute(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let axes = draw.shuffled((0..x.shape().len()).collect());
    view("permute", &x, View::permute(x.shape(), &axes))
}

pub(super) fn flip(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| !x.shape().is_empty())?;
    let axis = draw.below(x.shape().len());
    view("flip", &x, View::flip(x.shape(), axis))
}

pub(super) fn insert_axis(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let axis = draw.below(x.shape().len() + 1);
    view("insert_axis", &x, View::insert_axis(x.shape(), axis))
}

pub(super) fn remove_axis(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| x.shape().contains(&1))?;
    let axis = x.shape().iter().position(|&len| len == 1)?;
    view("remove_axis", &x, View::remove_axis(x.shape(), axis))
}

/// Axes of length 1 grow, and a new one may come first.
pub(super) fn broadcast(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let new_axis = draw.one_in(2).then(|| draw.below(4));
    let grown = x.shape().iter().map(|&len| if len == 1 { draw.below(4) } else { len });
    let target: Vec<usize> = new_axis.into_iter().chain(grown).collect();
    view("broadcast", &x, View::broadcast(x.shape(), &target))
}

/// The same elements in a random factorisation of their number.
pub(super) fn reshape(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let mut left: usize = x.shape().iter().product();
    let mut shape = Vec::new();
    while left > 1 && shape.len() < 3 {
        let divisors: Vec<usize> = (1..=left).filter(|d| left.is_multiple_of(*d)).collect();
        let len = *draw.pick(&divisors);
        shape.push(len);
        left /= len;
    }
    if left != 1 || draw.one_in(3) {
        shape.push(left);
    }
    Some(x.reshape(&draw.shuffled(shape), Location::caller()))
}

/// An array, parts of it, and others of its shape, along any axis.
pub(super) fn concat(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| !x.shape().is_empty())?;
    let axis = draw.below(x.shape().len());
    let count = 1 + draw.below(3);
    let parts: Vec<Expr> = (0..count).map(|_| part(draw, pool, &x, axis)).collect();
    Some(Expr::concat(&parts.iter().collect::<Vec<_>>(), axis, Location::caller()))
}

fn part(draw: &mut Draw, pool: &Pool, x: &Expr, axis: usize) -> Expr {
    let at = Location::caller();
    let dtype = x.dtype().expect("the pool holds arrays");
    if draw.one_in(3)
        && let Some(other) = pool.find(draw, |other| other.shape() == x.shape())
    {
        return cast_to(&other, dtype);
    }
    let mut elems = vec![SliceElem::Slice { start: 0, end: None, step: 1 }; x.shape().len()];
    let end = draw.below(x.shape()[axis] + 1);
    elems[axis] = SliceElem::Slice { start: 0, end: Some(end as isize), step: *draw.pick(&[1, -1]) };
    Expr::view("slice", x, View::slice(x.shape(), &elems), at)
}

pub(super) fn rechunk(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let grid = grid(draw, x.shape());
    Some(x.rechunk(&Chunks::from(grid), Location::caller()))
}

/// A reduction over any axes, which may be none, all, kept or gone.
pub(super) fn reduce(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let all = draw.shuffled((0..x.shape().len()).collect::<Vec<usize>>());
    let some = if draw.one_in(2) { 1 } else { draw.below(all.len() + 1) };
    let axes = (!draw.one_in(4)).then(|| &all[..some.min(all.len())]);
    Some(any_reduction(draw, &x, axes))
}

/// Another reduction of what a reduction folds, or of an operation on it, along the same axes.
pub(super) fn sibling(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let first = pool.find(draw, |x| matches!(x.op(), Op::Reduce(_)))?;
    let Op::Reduce(reduce) = first.op() else { return None };
    let x = first.node().inputs()[0].clone();
    let of_x =
        pool.find(draw, |y| y.node().inputs().iter().any(|input| input.same(&x)) && y.grid() == x.grid());
    let x = if draw.one_in(2) { of_x.unwrap_or(x) } else { x };
    Some(any_reduction(draw, &x, Some(&reduce.axes)))
}

fn any_reduction(draw: &mut Draw, x: &Expr, axes: Option<&[usize]>) -> Expr {
    let kind = match (x.dtype(), draw.one_in(10)) {
        (Some(dtype), true) => user_reduction(draw, dtype, axes.unwrap_or(x.shape()).len()),
        _ => draw.pick(ReduceKind::ALL).clone(),
    };
    let ddof = if kind.takes_ddof() { *draw.pick(&[0.0, 1.0, 0.5]) } else { 0.0 };
    x.reduce(kind, axes, draw.one_in(2), ddof, Location::caller())
}

/// An array made into a value and back into an array.
pub(super) fn delayed(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let at = Location::caller();
    let object = Expr::new(Op::Collect(Collect::new(|chunk: Chunk| Arc::new(chunk) as Object)), &[&x], at);
    let from = FromObject::new(x.dtype()?, ChunkGrid::whole(x.shape()), |object| {
        object.downcast_ref::<Chunk>().cloned().ok_or_else(|| "not an array".to_owned())
    });
    Some(Expr::new(Op::FromObject(from), &[&object], at))
}
