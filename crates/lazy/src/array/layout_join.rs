//! Arrays joined and taken apart.

use chunkwise_chunk::{ChunkError, Element, View};
use chunkwise_expr::{Expr, ExprError};
use ndarray::{Axis, Dimension, Ix1, RemoveAxis};

use super::here;
use super::layout::{Origin, check_axis, expanded, part};
use crate::{LazyArray, LazyArray1, LazyArrayD};

/// Parts of an array that are listed; more are an error.
const MOST_PARTS: usize = 1 << 24;

impl<T: Element, D: RemoveAxis> LazyArray<T, D> {
    /// So many parts of equal length along an axis. Where the length cannot be divided, each of them holds the error; of no
    /// parts, or more than can be listed, there is one that does.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 6, 1, 4);
    /// let parts = x.split(Axis(0), 3);
    /// assert_eq!(parts[1].compute()?, ndarray::arr1(&[2, 3]));
    /// assert!(x.split(Axis(0), 4)[0].check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn split(&self, axis: Axis, parts: usize) -> Vec<LazyArray<T, D>> {
        typed(split("split", self.expr(), axis.index(), parts, true, here()))
    }

    /// So many parts along an axis, the first ones longer by one where the length cannot be divided. Errors are as of
    /// [`split`](LazyArray::split).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let parts = LazyArray::arange(0_i32, 5, 1, 4).array_split(Axis(0), 3);
    /// let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    /// assert_eq!(lengths, [2, 2, 1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn array_split(&self, axis: Axis, parts: usize) -> Vec<LazyArray<T, D>> {
        typed(split("array_split", self.expr(), axis.index(), parts, false, here()))
    }

    /// The parts of an axis that end at these places, and the rest. Places beyond the end, and before the last one, give
    /// empty parts.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let parts = LazyArray::arange(0_i32, 5, 1, 4).split_places(Axis(0), &[1, 3]);
    /// let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    /// assert_eq!(lengths, [1, 2, 2]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn split_places(&self, axis: Axis, places: &[usize]) -> Vec<LazyArray<T, D>> {
        let at = here();
        let starts = std::iter::once(0).chain(places.iter().copied());
        let ends = places.iter().copied().chain([usize::MAX]);
        let parts = starts
            .zip(ends)
            .map(|(start, end)| part("split_places", self.expr(), axis.index(), start, end.max(start), at));
        typed(parts.collect())
    }

    /// The part of an axis before a place, and that from it on.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let (left, right) = LazyArray::arange(0_i32, 5, 1, 4).split_at(Axis(0), 2);
    /// assert_eq!((left.len(), right.len()), (2, 3));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn split_at(&self, axis: Axis, place: usize) -> (LazyArray<T, D>, LazyArray<T, D>) {
        let at = here();
        if self.expr().error().is_none() && self.len_of(axis) < place && axis.index() < self.ndim() {
            let index = place.try_into().unwrap_or(isize::MAX);
            let cause = ChunkError::Index { index, axis: axis.index(), shape: self.shape().into() };
            let error = Expr::invalid("split_at", cause.into(), at);
            return (LazyArray::wrap(error.clone()), LazyArray::wrap(error));
        }
        let side = |start, end| part("split_at", self.expr(), axis.index(), start, end, at);
        (LazyArray::wrap(side(0, place)), LazyArray::wrap(side(place, usize::MAX)))
    }
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// With at least one axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<u8, _>::zeros((), 1).atleast_1d().shape(), [1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atleast_1d(&self) -> LazyArrayD<T> {
        LazyArray::wrap(at_least(self.expr(), 1, here()))
    }

    /// With at least two axes; a line becomes a row.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<u8, _>::zeros(3, 1).atleast_2d().shape(), [1, 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atleast_2d(&self) -> LazyArrayD<T> {
        LazyArray::wrap(at_least(self.expr(), 2, here()))
    }

    /// With at least three axes: of a line in the middle, of a matrix in front.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<u8, _>::zeros(3, 1).atleast_3d().shape(), [1, 3, 1]);
    /// assert_eq!(LazyArray::<u8, _>::zeros((2, 3), 1).atleast_3d().shape(), [2, 3, 1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atleast_3d(&self) -> LazyArrayD<T> {
        LazyArray::wrap(at_least(self.expr(), 3, here()))
    }
}

fn typed<T, D>(exprs: Vec<Expr>) -> Vec<LazyArray<T, D>> {
    exprs.into_iter().map(LazyArray::wrap).collect()
}

fn split(name: &'static str, x: &Expr, axis: usize, parts: usize, equal: bool, at: Origin) -> Vec<Expr> {
    let listed = if parts > MOST_PARTS { 1 } else { parts.max(1) };
    let cause = match check_axis(axis, x.shape()) {
        _ if x.error().is_some() => return vec![x.clone(); listed],
        Err(cause) => ExprError::from(cause),
        Ok(()) if parts > MOST_PARTS => {
            ExprError::Message(format!("{parts} parts are more than can be listed"))
        }
        Ok(()) if parts == 0 => ExprError::Message("an array cannot be split into no parts".into()),
        Ok(()) if equal && !x.shape()[axis].is_multiple_of(parts) => {
            let len = x.shape()[axis];
            let text = format!(
                "{len} elements along axis {axis} cannot be split into {parts} equal parts; see array_split()"
            );
            ExprError::Message(text)
        }
        Ok(()) => {
            let len = x.shape()[axis];
            let start = |i: usize| len / parts * i + i.min(len % parts);
            return (0..parts).map(|i| part(name, x, axis, start(i), start(i + 1), at)).collect();
        }
    };
    vec![Expr::invalid(name, cause, at); listed]
}

fn at_least(x: &Expr, ndim: usize, at: Origin) -> Expr {
    let axes = match (ndim, x.shape().len()) {
        (1, 0) => vec![0],
        (2, 0) => vec![0, 1],
        (2, 1) => vec![0],
        (3, 0) => vec![0, 1, 2],
        (3, 1) => vec![0, 2],
        (3, 2) => vec![2],
        _ => return x.clone(),
    };
    expanded(x, axes, at)
}

/// Joins arrays that have at least so many axes.
fn joined<T: Element, D: Dimension>(
    name: &'static str,
    arrays: &[&LazyArray<T, D>],
    axis: impl Fn(usize) -> usize,
    ndim: usize,
    at: Origin,
) -> LazyArrayD<T> {
    let exprs: Vec<Expr> = arrays.iter().map(|array| at_least(array.expr(), ndim, at)).collect();
    let rank = exprs.first().map_or(0, |expr| expr.shape().len());
    LazyArray::wrap(joined_exprs(name, &exprs, axis(rank), at))
}

fn joined_exprs(name: &'static str, exprs: &[Expr], axis: usize, at: Origin) -> Expr {
    match exprs {
        [] => Expr::invalid(name, ExprError::NothingToConcat, at),
        [only] => only.clone(),
        several => Expr::concat(&several.iter().collect::<Vec<_>>(), axis, at),
    }
}

/// Arrays below each other: along the first axis, lines as rows.
///
/// ```
/// use chunkwise::prelude::*;
/// let (a, b) = (LazyArray::arange(0_i32, 2, 1, 2), LazyArray::arange(5, 7, 1, 1));
/// let both = ndarray::arr2(&[[0, 1], [5, 6]]).into_dyn();
/// assert_eq!(chunkwise::vstack(&[&a, &b]).compute()?, both);
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn vstack<T: Element, D: Dimension>(arrays: &[&LazyArray<T, D>]) -> LazyArrayD<T> {
    joined("vstack", arrays, |_| 0, 2, here())
}

/// Arrays beside each other: along the second axis, lines end to end.
///
/// ```
/// use chunkwise::prelude::*;
/// let (a, b) = (LazyArray::arange(0_i32, 2, 1, 2), LazyArray::arange(5, 7, 1, 1));
/// assert_eq!(chunkwise::hstack(&[&a, &b]).compute()?, ndarray::arr1(&[0, 1, 5, 6]).into_dyn());
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn hstack<T: Element, D: Dimension>(arrays: &[&LazyArray<T, D>]) -> LazyArrayD<T> {
    joined("hstack", arrays, |ndim| usize::from(ndim > 1), 1, here())
}

/// Arrays behind each other: along the third axis.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::<u8, _>::zeros((2, 3), 2);
/// assert_eq!(chunkwise::dstack(&[&x, &x]).shape(), [2, 3, 2]);
/// ```
#[must_use]
#[track_caller]
pub fn dstack<T: Element, D: Dimension>(arrays: &[&LazyArray<T, D>]) -> LazyArrayD<T> {
    joined("dstack", arrays, |_| 2, 3, here())
}

/// Lines as the columns of a matrix, and matrices beside each other.
///
/// ```
/// use chunkwise::prelude::*;
/// let (a, b) = (LazyArray::arange(0_i32, 2, 1, 2), LazyArray::arange(5, 7, 1, 1));
/// let both = ndarray::arr2(&[[0, 5], [1, 6]]).into_dyn();
/// assert_eq!(chunkwise::column_stack(&[&a, &b]).compute()?, both);
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn column_stack<T: Element, D: Dimension>(arrays: &[&LazyArray<T, D>]) -> LazyArrayD<T> {
    let at = here();
    let column = |array: &&LazyArray<T, D>| match array.ndim() {
        ndim @ (0 | 1) => expanded(array.expr(), (ndim..2).collect(), at),
        _ => array.expr().clone(),
    };
    let columns: Vec<Expr> = arrays.iter().map(column).collect();
    LazyArray::wrap(joined_exprs("column_stack", &columns, 1, at))
}

/// Arrays in lists of lists, as [`block`] joins them.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::Nested;
/// let x = LazyArray::<u8, _>::zeros((2, 3), 2).into_dyn();
/// let row = Nested::from(vec![Nested::from(&x), Nested::from(&x)]);
/// assert_eq!(chunkwise::block(&row).shape(), [2, 6]);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Nested<T> {
    /// An array.
    Array(LazyArrayD<T>),
    /// Arrays or lists, all of the same depth.
    List(Vec<Nested<T>>),
}

impl<T: Element, D: Dimension> From<&LazyArray<T, D>> for Nested<T> {
    fn from(array: &LazyArray<T, D>) -> Nested<T> {
        Nested::Array(LazyArray::wrap(array.expr().clone()))
    }
}

impl<T> From<Vec<Nested<T>>> for Nested<T> {
    fn from(list: Vec<Nested<T>>) -> Nested<T> {
        Nested::List(list)
    }
}

/// Arrays put together from blocks: those of the innermost lists along the last axis, the lists of these along the one
/// before, and so on. Missing axes are added in front.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::Nested;
/// let (a, b) = (LazyArray::<i32, _>::ones((1, 1), 1), LazyArray::<i32, _>::zeros((1, 2), 1));
/// let row = |x: &LazyArray2<i32>, y: &LazyArray2<i32>| Nested::from(vec![Nested::from(x), Nested::from(y)]);
/// let rows = Nested::from(vec![row(&a, &b), row(&b, &a)]);
/// assert_eq!(chunkwise::block(&rows).compute()?, ndarray::arr2(&[[1, 0, 0], [0, 0, 1]]).into_dyn());
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn block<T: Element>(blocks: &Nested<T>) -> LazyArrayD<T> {
    let at = here();
    let depth = depth(blocks);
    let ndim = depth.max(most_axes(blocks));
    LazyArray::wrap(joined_blocks(blocks, depth, ndim, at))
}

/// Lists around the first array.
fn depth<T>(blocks: &Nested<T>) -> usize {
    match blocks {
        Nested::Array(_) => 0,
        Nested::List(list) => 1 + list.first().map_or(0, depth),
    }
}

fn most_axes<T>(blocks: &Nested<T>) -> usize {
    match blocks {
        Nested::Array(array) => array.expr().shape().len(),
        Nested::List(list) => list.iter().map(most_axes).max().unwrap_or(0),
    }
}

/// Blocks under `depth` lists, joined to an array of `ndim` axes.
fn joined_blocks<T>(blocks: &Nested<T>, depth: usize, ndim: usize, at: Origin) -> Expr {
    let invalid = |text: &str| Expr::invalid("block", ExprError::Message(text.into()), at);
    match blocks {
        Nested::Array(array) if depth == 0 => {
            expanded(array.expr(), (0..ndim - array.expr().shape().len()).collect(), at)
        }
        Nested::List(list) if depth > 0 && !list.is_empty() => {
            let parts: Vec<Expr> = list.iter().map(|part| joined_blocks(part, depth - 1, ndim, at)).collect();
            joined_exprs("block", &parts, ndim - depth, at)
        }
        Nested::List(list) if list.is_empty() => invalid("a list of blocks is empty"),
        _ => invalid("some blocks are in more lists than others"),
    }
}

/// The arrays repeated to the shape that all of them broadcast to.
///
/// ```
/// use chunkwise::prelude::*;
/// let row = LazyArray::<u8, _>::zeros((1, 3), 2).into_dyn();
/// let column = LazyArray::<u8, _>::zeros((2, 1), 2).into_dyn();
/// let both = chunkwise::broadcast_arrays(&[&row, &column]);
/// assert_eq!([both[0].shape(), both[1].shape()], [[2, 3], [2, 3]]);
/// ```
#[must_use]
#[track_caller]
pub fn broadcast_arrays<T: Element, D: Dimension>(arrays: &[&LazyArray<T, D>]) -> Vec<LazyArrayD<T>> {
    let at = here();
    let exprs: Vec<&Expr> = arrays.iter().map(|array| array.expr()).collect();
    if let Some(error) = exprs.iter().find(|expr| expr.error().is_some()) {
        return typed(vec![(*error).clone(); exprs.len()]);
    }
    let shape = exprs.iter().try_fold(Vec::new(), |shape: Vec<usize>, expr| common(&shape, expr.shape()));
    let repeated = |expr: &Expr| {
        let view = shape.clone().and_then(|shape| View::broadcast(expr.shape(), &shape));
        Expr::view("broadcast_arrays", expr, view, at)
    };
    typed(exprs.iter().map(|expr| repeated(expr)).collect())
}

/// The shape that two shapes broadcast to.
fn common(one: &[usize], other: &[usize]) -> Result<Vec<usize>, ChunkError> {
    let ndim = one.len().max(other.len());
    let len = |shape: &[usize], axis: usize| match (axis + shape.len()).checked_sub(ndim) {
        Some(own) => shape[own],
        None => 1,
    };
    let both = |axis| match (len(one, axis), len(other, axis)) {
        (a, b) if a == b || b == 1 => Ok(a),
        (1, b) => Ok(b),
        _ => Err(ChunkError::Broadcast { left: one.into(), right: other.into() }),
    };
    (0..ndim).map(both).collect()
}

/// Which axis of the results of [`meshgrid`] belongs to which array.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::Indexing;
/// let (x, y) = (LazyArray::arange(0_i32, 3, 1, 2), LazyArray::arange(0, 2, 1, 2));
/// assert_eq!(chunkwise::meshgrid(&[&x, &y], Indexing::Xy)[0].shape(), [2, 3]);
/// assert_eq!(chunkwise::meshgrid(&[&x, &y], Indexing::Ij)[0].shape(), [3, 2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexing {
    /// Each its own, in their order.
    Ij,
    /// The first array has the second axis and the second one the first: those of pictures.
    Xy,
}

/// Coordinates of the points of a grid: array `i` holds those of `arrays[i]`, repeated along all other axes.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::Indexing;
/// let (x, y) = (LazyArray::arange(0_i32, 3, 1, 2), LazyArray::arange(5, 7, 1, 2));
/// let grids = chunkwise::meshgrid(&[&x, &y], Indexing::Xy);
/// assert_eq!(grids[1].compute()?, ndarray::arr2(&[[5, 5, 5], [6, 6, 6]]).into_dyn());
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn meshgrid<T: Element>(arrays: &[&LazyArray1<T>], indexing: Indexing) -> Vec<LazyArrayD<T>> {
    let sparse = meshgrid_sparse(arrays, indexing);
    broadcast_arrays(&sparse.iter().collect::<Vec<_>>())
}

/// [`meshgrid`] without the repetition: each array has length 1 along the axes of the others.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::Indexing;
/// let (x, y) = (LazyArray::arange(0_i32, 3, 1, 2), LazyArray::arange(5, 7, 1, 2));
/// let grids = chunkwise::meshgrid_sparse(&[&x, &y], Indexing::Ij);
/// assert_eq!([grids[0].shape(), grids[1].shape()], [[3, 1], [1, 2]]);
/// ```
#[must_use]
#[track_caller]
pub fn meshgrid_sparse<T: Element>(arrays: &[&LazyArray<T, Ix1>], indexing: Indexing) -> Vec<LazyArrayD<T>> {
    let at = here();
    let own = |number: usize| match (indexing, number) {
        (Indexing::Xy, 0 | 1) if arrays.len() > 1 => 1 - number,
        _ => number,
    };
    let wide = |(number, array): (usize, &&LazyArray<T, Ix1>)| {
        let others = (0..arrays.len()).filter(|&axis| axis != own(number));
        expanded(array.expr(), others.collect(), at)
    };
    typed(arrays.iter().enumerate().map(wide).collect())
}
