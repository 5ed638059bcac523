//! Functions of blocks with a margin, neighbourhoods, windows, coarsening.

use chunkwise_chunk::Element;
use chunkwise_expr::{BlockError, Expr};
use chunkwise_ops::function::BlockFn;
use chunkwise_ops::overlap::{self, Boundaries, Depth, Neighborhood};
use ndarray::{Array, ArrayView, Axis, Dimension, IxDyn};

use super::function::{chunk, ranked, refs, unary};
use super::here;
use crate::{BlockArgs, BlockInfo, LazyArray, LazyArrayD};

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// A function of every block with a margin of its neighbours, `depth` elements deep. Beyond the ends of the array lies
    /// what `boundary` says; see [`Boundary`](crate::Boundary). The function gives a block as large as it was given,
    /// of which the margin is cut off, or one without margin. What it is told of the block is without margin.
    ///
    /// A block reads its margin from as many blocks as hold it: it may be deeper than these, and than the array. Each
    /// task holds its block with the margin, and what the function makes of it.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 6, 1, 2);
    /// let sums = x.map_overlap(1, Boundary::Periodic, |padded, _| {
    ///     ndarray::Array1::from_iter(padded.windows(3).into_iter().map(|three| three.sum()))
    /// });
    /// assert_eq!(sums.compute()?, ndarray::arr1(&[6, 3, 6, 9, 12, 9]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn map_overlap<U: Element>(
        &self,
        depth: impl Into<Depth>,
        boundary: impl Into<Boundaries<T>>,
        f: impl Fn(ArrayView<'_, T, D>, &BlockInfo) -> Array<U, D> + Send + Sync + 'static,
    ) -> LazyArray<U, D> {
        let call = unary(move |block, info| Ok(f(block, info)));
        self.overlapped("map_overlap", depth.into(), boundary.into(), call)
    }

    /// [`map_overlap`](LazyArray::map_overlap) with a function that may fail; an error of it is that of the computation.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 6, 1, 2);
    /// let same = x.try_map_overlap(1, Boundary::None, |padded, info| match info.index[0] {
    ///     2 => Err("the last block is not wanted"),
    ///     _ => Ok(padded.to_owned()),
    /// });
    /// assert!(same.compute().unwrap_err().to_string().contains("the last block is not wanted"));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn try_map_overlap<U: Element, E: Into<BlockError>>(
        &self,
        depth: impl Into<Depth>,
        boundary: impl Into<Boundaries<T>>,
        f: impl Fn(ArrayView<'_, T, D>, &BlockInfo) -> Result<Array<U, D>, E> + Send + Sync + 'static,
    ) -> LazyArray<U, D> {
        let call = unary(move |block, info| f(block, info).map_err(Into::into));
        self.overlapped("try_map_overlap", depth.into(), boundary.into(), call)
    }

    /// A function of the neighbourhood of every element: the elements up to `depth` away on each axis, by their offsets.
    /// Where neighbours are beyond the ends of the array, they are what `boundary` says; it cannot be
    /// [`None`](crate::Boundary::None).
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_fn((3, 3), 2, |(i, j)| (i * i + j) as f64);
    /// let laplace = x.stencil([1, 1], Boundary::Nearest, |n| {
    ///     n[[-1, 0]] + n[[1, 0]] + n[[0, -1]] + n[[0, 1]] - 4.0 * n[[0, 0]]
    /// });
    /// assert_eq!(laplace.compute()?.row(1), ndarray::arr1(&[3.0, 2.0, 1.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn stencil<U: Element, const N: usize>(
        &self,
        depth: [usize; N],
        boundary: impl Into<Boundaries<T>>,
        f: impl Fn(Neighborhood<'_, T, N>) -> U + Send + Sync + 'static,
    ) -> LazyArray<U, D> {
        LazyArray::wrap(overlap::stencil(self.expr(), depth, &boundary.into(), f, here()))
    }

    /// The windows of `window` elements along `axis`, as a new last axis: NumPy's `sliding_window_view`. Element
    /// `[.., i, .., k]` is element `[.., i + k, ..]`.
    ///
    /// Every block is a copy, `window` times as many elements as it is made of; blocks are cut along `axis` so that they
    /// are about as large as those of the array. Where a sum or mean of each window is wanted, a moving one costs less.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 4, 1, 2);
    /// let windows = x.sliding_windows(3, Axis(0));
    /// assert_eq!(windows.compute()?, ndarray::arr2(&[[0, 1, 2], [1, 2, 3]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sliding_windows(&self, window: usize, axis: Axis) -> LazyArray<T, D::Larger> {
        LazyArray::wrap(overlap::sliding_windows(self.expr(), window, axis.index(), here()))
    }

    /// The array in boxes of `factors` elements, one for each axis, and one value for each box. `how` gets the boxes
    /// and their axes, and reduces these. What is left of an axis is dropped.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_fn((4, 5), 3, |(i, j)| (10 * i + j) as f64);
    /// let coarse = x.coarsen([2, 2], |boxes, axes| boxes.mean_axes(axes));
    /// assert_eq!(coarse.compute()?, ndarray::arr2(&[[5.5, 7.5], [25.5, 27.5]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn coarsen<U: Element>(
        &self,
        factors: impl AsRef<[usize]>,
        how: impl FnOnce(LazyArrayD<T>, Vec<Axis>) -> LazyArray<U, IxDyn>,
    ) -> LazyArray<U, D> {
        let at = here();
        let boxes = overlap::split_axes(self.expr(), factors.as_ref(), at);
        let axes = (0..self.ndim()).map(|axis| Axis(2 * axis + 1)).collect();
        ranked("coarsen", how(LazyArray::wrap(boxes), axes).expr().clone(), at)
    }

    #[track_caller]
    fn overlapped<U: Element>(
        &self,
        name: &'static str,
        depth: Depth,
        boundary: Boundaries<T>,
        call: BlockFn,
    ) -> LazyArray<U, D> {
        let margins = |shape: &[usize]| boundary.margins(&depth, shape);
        LazyArray::wrap(overlap::map_overlap(name, &[self.expr()], margins, U::DTYPE, call, here()))
    }
}

/// [`map_overlap`](LazyArray::map_overlap) of several arrays: each with the same margin, and the same beyond its ends. Their
/// shapes broadcast; an axis that repeats has no margin.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::{Boundary, zip_overlap};
/// let (a, b) = (LazyArray::arange(0_i32, 4, 1, 2), LazyArray::arange(0_i32, 4, 1, 3));
/// let before = zip_overlap((&a, &b), [(1, 0)], Boundary::Constant(0), |a, b, _| {
///     &a.slice(s![..-1]) * 10 + &b.slice(s![1..])
/// });
/// assert_eq!(before.compute()?, ndarray::arr1(&[0, 1, 12, 23]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn zip_overlap<A, F, T, U, E>(
    arrays: A,
    depth: impl Into<Depth>,
    boundary: impl Into<Boundaries<T>>,
    f: F,
) -> LazyArray<U, E>
where
    A: BlockArgs<F, Array<U, E>>,
    F: Send + Sync + 'static,
    T: Element,
    U: Element,
    E: Dimension,
{
    let (name, exprs, at): (_, Vec<Expr>, _) = ("zip_overlap", arrays.exprs(), here());
    let (depth, boundary) = (depth.into(), boundary.into());
    let call = BlockFn::new(move |blocks, place| Ok(chunk(A::call(&f, blocks, &place.into())?)));
    let margins = |shape: &[usize]| boundary.margins(&depth, shape);
    ranked(name, overlap::map_overlap(name, &refs(&exprs), margins, U::DTYPE, call, at), at)
}
