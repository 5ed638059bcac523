//! Functions of the user's that take blocks.
//!
//! A function takes views of blocks and gives an ndarray. What it gives must be of the shape that was declared; what it
//! says in words of its own error, or its panic, is the error of the computation, with the operation, the block and the
//! line.

use std::panic::Location;

use chunkwise_chunk::{Chunk, Element};
use chunkwise_expr::{BlockError, Expr, ExprError};
use chunkwise_ops::function::{self, BlockFn, BlockLayout, Signature};
use ndarray::{Array, Array1, ArrayView, ArrayView1, Axis, Dimension, RemoveAxis};

use super::here;
use crate::{BlockInfo, LazyArray};

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// A function of every block, which gives a block of the same shape. It is called once for a block and run, and
    /// never for blocks without elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i64, 5, 1, 2);
    /// let parts = x.map_blocks(|block, info| block.mapv(|v| v as f64 / 2.0) + info.index[0] as f64);
    /// assert_eq!(parts.compute()?, ndarray::arr1(&[0.0, 0.5, 2.0, 2.5, 4.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn map_blocks<U: Element>(
        &self,
        f: impl Fn(ArrayView<'_, T, D>, &BlockInfo) -> Array<U, D> + Send + Sync + 'static,
    ) -> LazyArray<U, D> {
        let call = unary(move |block, info| Ok(f(block, info)));
        mapped("map_blocks", &[self.expr()], &BlockLayout::new(), call, here())
    }

    /// [`map_blocks`](LazyArray::map_blocks) with a function that may fail; an error of it is that of the computation.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i64, 4, 1, 2);
    /// let roots = x.try_map_blocks(|block, _| match block.iter().any(|&v| v > 2) {
    ///     true => Err("more than two"),
    ///     false => Ok(block.to_owned()),
    /// });
    /// assert_eq!(roots.slice(s![..2]).compute()?, ndarray::arr1(&[0, 1]));
    /// assert!(roots.compute().unwrap_err().to_string().contains("more than two"));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn try_map_blocks<U: Element, E: Into<BlockError>>(
        &self,
        f: impl Fn(ArrayView<'_, T, D>, &BlockInfo) -> Result<Array<U, D>, E> + Send + Sync + 'static,
    ) -> LazyArray<U, D> {
        let call = unary(move |block, info| f(block, info).map_err(Into::into));
        mapped("try_map_blocks", &[self.expr()], &BlockLayout::new(), call, here())
    }

    /// A function of every block, which gives blocks of other shapes: with axes less or more, or of other lengths, as
    /// `layout` declares. Blocks without elements, of the result, are not asked for.
    ///
    /// ```
    /// use chunkwise::BlockLayout;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i64, 6, 1, 2);
    /// // The least and the largest element of every block.
    /// let ends = x.map_blocks_to(BlockLayout::new().new_axis(Axis(1), 2).sizes(Axis(0), 1), |block, _| {
    ///     ndarray::arr2(&[[block[0], block[block.len() - 1]]])
    /// });
    /// assert_eq!(ends.compute()?, ndarray::arr2(&[[0, 1], [2, 3], [4, 5]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn map_blocks_to<U: Element, E: Dimension>(
        &self,
        layout: BlockLayout,
        f: impl Fn(ArrayView<'_, T, D>, &BlockInfo) -> Array<U, E> + Send + Sync + 'static,
    ) -> LazyArray<U, E> {
        let call = unary(move |block, info| Ok(f(block, info)));
        mapped("map_blocks_to", &[self.expr()], &layout, call, here())
    }

    /// One value for every block: an array with an element for each, in blocks of one. Merge it with whatever fits: it is
    /// as small as there are few blocks. Blocks without elements have a value too.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i64, 5, 1, 2);
    /// let longest = x.reduce_blocks(|block, _| block.iter().map(|v| v.count_ones()).max().unwrap_or(0));
    /// assert_eq!(longest.compute()?, ndarray::arr1(&[1, 2, 1]));
    /// assert_eq!(longest.max().compute()?, 2);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reduce_blocks<U: Element>(
        &self,
        f: impl Fn(ArrayView<'_, T, D>, &BlockInfo) -> U + Send + Sync + 'static,
    ) -> LazyArray<U, D> {
        let call = unary(move |block: ArrayView<'_, T, D>, info| {
            let mut one = D::zeros(block.ndim());
            one.slice_mut().fill(1);
            Ok(Array::from_elem(one, f(block, info)))
        });
        let every = (0..self.ndim()).map(Axis);
        let layout = every.fold(BlockLayout::new(), |layout, axis| layout.sizes(axis, 1));
        mapped("reduce_blocks", &[self.expr()], &layout, call, here())
    }

    /// A function of every lane along `axis`, which gives a lane of `len` elements. The axis is whole in a block; the
    /// others are cut finer for it, so that blocks hold about as many elements as before.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[3, 1, 2], [9, 7, 8]]), 1);
    /// let two_least = x.apply_along_axis(Axis(1), 2, |lane| {
    ///     let mut sorted = lane.to_vec();
    ///     sorted.sort();
    ///     ndarray::arr1(&sorted[..2])
    /// });
    /// assert_eq!(two_least.compute()?, ndarray::arr2(&[[1, 2], [7, 8]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn apply_along_axis<U: Element>(
        &self,
        axis: Axis,
        len: usize,
        f: impl Fn(ArrayView1<'_, T>) -> Array1<U> + Send + Sync + 'static,
    ) -> LazyArray<U, D> {
        let lanes = move |lane: ArrayView1<'_, T>, made: &mut Vec<U>| {
            made.extend(f(lane));
            Ok(())
        };
        let call = BlockFn::new(move |blocks, _| function::lane_by_lane(&blocks[0], Some(len), &lanes));
        let name = "apply_along_axis";
        let axis = axis.index();
        LazyArray::wrap(function::along_axis(name, self.expr(), axis, Some(len), U::DTYPE, call, here()))
    }

    /// A function of every lane along `axis`, which gives one value; the axis vanishes, as in ndarray. See
    /// [`apply_along_axis`](LazyArray::apply_along_axis).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[3, 1, 2], [9, 7, 8]]), 1);
    /// let middle = x.map_axis(Axis(1), |lane| lane[lane.len() / 2]);
    /// assert_eq!(middle.compute()?, ndarray::arr1(&[1, 7]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn map_axis<U: Element>(
        &self,
        axis: Axis,
        f: impl Fn(ArrayView1<'_, T>) -> U + Send + Sync + 'static,
    ) -> LazyArray<U, D::Smaller>
    where
        D: RemoveAxis,
    {
        let lanes = move |lane: ArrayView1<'_, T>, made: &mut Vec<U>| {
            made.push(f(lane));
            Ok(())
        };
        let call = BlockFn::new(move |blocks, _| function::lane_by_lane(&blocks[0], None, &lanes));
        let axis = axis.index();
        LazyArray::wrap(function::along_axis("map_axis", self.expr(), axis, None, U::DTYPE, call, here()))
    }
}

/// A function of the blocks of several arrays, by position. The blocks are those of the common grid: of several cuts of
/// an axis each block lies in one of every array. Shapes broadcast: an axis of length 1 is given as it is to every block
/// along it.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::zip_blocks;
/// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2, 3], [4, 5, 6]]), (1, 3));
/// let row = LazyArray::from_ndarray(ndarray::arr1(&[0.5, 1.5, 2.5]), 2);
/// let sum = zip_blocks((&x, &row), |x, row, _| x.mapv(f64::from) + &row);
/// assert_eq!(sum.compute()?, ndarray::arr2(&[[1.5, 3.5, 5.5], [4.5, 6.5, 8.5]]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn zip_blocks<A, F, U, E>(arrays: A, f: F) -> LazyArray<U, E>
where
    A: BlockArgs<F, Array<U, E>>,
    F: Send + Sync + 'static,
    U: Element,
    E: Dimension,
{
    let call = BlockFn::new(move |blocks, place| Ok(chunk(A::call(&f, blocks, &place.into())?)));
    mapped("zip_blocks", &refs(&arrays.exprs()), &BlockLayout::new(), call, here())
}

/// [`zip_blocks`] with a function that may fail; an error of it is that of the computation.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::try_zip_blocks;
/// let (a, b) = (LazyArray::arange(0_i64, 4, 1, 2), LazyArray::arange(0_i64, 4, 1, 3));
/// let sum = try_zip_blocks((&a, &b), |a, b, info| match info.start[0] {
///     3 => Err(format!("no block at {}", info.start[0])),
///     _ => Ok(&a + &b),
/// });
/// assert!(sum.compute().unwrap_err().to_string().contains("no block at 3"));
/// ```
#[must_use]
#[track_caller]
pub fn try_zip_blocks<A, F, U, E, Err>(arrays: A, f: F) -> LazyArray<U, E>
where
    A: BlockArgs<F, Result<Array<U, E>, Err>>,
    F: Send + Sync + 'static,
    U: Element,
    E: Dimension,
    Err: Into<BlockError>,
{
    let call =
        BlockFn::new(move |blocks, place| A::call(&f, blocks, &place.into())?.map(chunk).map_err(Into::into));
    mapped("try_zip_blocks", &refs(&arrays.exprs()), &BlockLayout::new(), call, here())
}

/// A function of core axes, with a signature as NumPy's generalised functions have it: `"(i,j),(j)->(i)"` takes the last
/// two axes of the first array and the last one of the second. The other axes broadcast.
///
/// The function gets blocks: core axes whole, the others first and cut, finer than before where core axes have to be put
/// together, so that blocks hold about as many elements. It gives a block whose other axes are those of the broadcast
/// ones, and then the core axes of the result. A core axis that no array has is given as a length, `"(i)->(3)"`: several
/// results of one type are elements of such an axis, which [`index_axis`](LazyArray::index_axis) takes apart.
///
/// ```
/// use chunkwise::apply_gufunc;
/// use chunkwise::prelude::*;
/// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), 1);
/// let w = LazyArray::from_ndarray(ndarray::arr1(&[10.0, 1.0]), 1);
/// let dot = apply_gufunc("(i),(i)->()", (&x, &w), |x, w, _| x.dot(&w));
/// assert_eq!(dot.compute()?, ndarray::arr1(&[12.0, 34.0, 56.0]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn apply_gufunc<A, F, U, E>(signature: &str, arrays: A, f: F) -> LazyArray<U, E>
where
    A: BlockArgs<F, Array<U, E>>,
    F: Send + Sync + 'static,
    U: Element,
    E: Dimension,
{
    let call = BlockFn::new(move |blocks, place| Ok(chunk(A::call(&f, blocks, &place.into())?)));
    let (name, exprs, at) = ("apply_gufunc", arrays.exprs(), here());
    let signature = Signature::parse(signature);
    ranked(name, function::gufunc(name, signature, &refs(&exprs), U::DTYPE, call, at), at)
}

/// [`apply_gufunc`] with a function that may fail; an error of it is that of the computation.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::try_apply_gufunc;
/// let x = LazyArray::from_ndarray(ndarray::arr2(&[[4.0, 2.0], [3.0, 0.0]]), 1);
/// let ratio = try_apply_gufunc("(i)->()", (&x,), |x, _| {
///     let (above, below) = (x.index_axis(Axis(1), 0), x.index_axis(Axis(1), 1));
///     if below.iter().any(|&v| v == 0.0) { Err("a zero below") } else { Ok(&above / &below) }
/// });
/// assert_eq!(ratio.slice(s![..1]).compute()?, ndarray::arr1(&[2.0]));
/// assert!(ratio.compute().unwrap_err().to_string().contains("a zero below"));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn try_apply_gufunc<A, F, U, E, Err>(signature: &str, arrays: A, f: F) -> LazyArray<U, E>
where
    A: BlockArgs<F, Result<Array<U, E>, Err>>,
    F: Send + Sync + 'static,
    U: Element,
    E: Dimension,
    Err: Into<BlockError>,
{
    let call =
        BlockFn::new(move |blocks, place| A::call(&f, blocks, &place.into())?.map(chunk).map_err(Into::into));
    let (name, exprs, at) = ("try_apply_gufunc", arrays.exprs(), here());
    let signature = Signature::parse(signature);
    ranked(name, function::gufunc(name, signature, &refs(&exprs), U::DTYPE, call, at), at)
}

mod sealed {
    /// Closes [`BlockArgs`](super::BlockArgs) to other crates.
    pub trait Sealed {}
}

/// The arrays of [`zip_blocks`] for a closure `F` that takes a view of a block of each, and then which block it is: a tuple
/// of up to six references.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::zip_blocks;
/// let x = LazyArray::arange(0_i64, 3, 1, 2);
/// let starts = zip_blocks((&x,), |x, info| x.mapv(|v| v - info.start[0] as i64));
/// assert_eq!(starts.compute()?, ndarray::arr1(&[0, 1, 0]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
// The closure is a parameter of the trait, so that the compiler finds the types of its arguments from the tuple alone.
pub trait BlockArgs<F, R>: sealed::Sealed {
    /// The expressions of the arrays.
    #[doc(hidden)]
    fn exprs(&self) -> Vec<Expr>;

    /// Calls the closure.
    #[doc(hidden)]
    fn call(f: &F, blocks: &[Chunk], info: &BlockInfo) -> Result<R, BlockError>;
}

macro_rules! tuples {
    ($($($a:ident $d:ident $i:tt),+;)*) => { $(
        impl<$($a, $d),+> sealed::Sealed for ($(&LazyArray<$a, $d>,)+) {}
        impl<Func, Out, $($a: Element, $d: Dimension),+> BlockArgs<Func, Out> for ($(&LazyArray<$a, $d>,)+)
        where
            Func: Fn($(ArrayView<'_, $a, $d>,)+ &BlockInfo) -> Out,
        {
            fn exprs(&self) -> Vec<Expr> {
                vec![$(self.$i.expr().clone()),+]
            }

            fn call(f: &Func, blocks: &[Chunk], info: &BlockInfo) -> Result<Out, BlockError> {
                Ok(f($(view::<$a, $d>(&blocks[$i])?,)+ info))
            }
        }
    )* };
}
tuples! {
    A DA 0;
    A DA 0, B DB 1;
    A DA 0, B DB 1, C DC 2;
    A DA 0, B DB 1, C DC 2, G DG 3;
    A DA 0, B DB 1, C DC 2, G DG 3, H DH 4;
    A DA 0, B DB 1, C DC 2, G DG 3, H DH 4, I DI 5;
}

/// A typed function of one block as the rules hold it.
pub(super) fn unary<T: Element, D: Dimension, U: Element, E: Dimension>(
    f: impl Fn(ArrayView<'_, T, D>, &BlockInfo) -> Result<Array<U, E>, BlockError> + Send + Sync + 'static,
) -> BlockFn {
    BlockFn::new(move |blocks, place| f(view(&blocks[0])?, &place.into()).map(chunk))
}

pub(super) fn refs(exprs: &[Expr]) -> Vec<&Expr> {
    exprs.iter().collect()
}

/// A block as the function sees it.
fn view<T: Element, D: Dimension>(block: &Chunk) -> Result<ArrayView<'_, T, D>, BlockError> {
    Ok(block.typed::<T>()?.view().into_dimensionality()?)
}

/// What a function gave as a block.
pub(super) fn chunk<T: Element, D: Dimension>(made: Array<T, D>) -> Chunk {
    Chunk::from_array(made.into_dyn())
}

fn mapped<U: Element, E: Dimension>(
    name: &'static str,
    inputs: &[&Expr],
    layout: &BlockLayout,
    call: BlockFn,
    origin: &'static Location<'static>,
) -> LazyArray<U, E> {
    ranked(name, function::map_blocks(name, inputs, U::DTYPE, layout, call, origin), origin)
}

/// The array, if what the function gives has as many axes.
pub(super) fn ranked<U, E: Dimension>(
    name: &'static str,
    expr: Expr,
    origin: &'static Location<'static>,
) -> LazyArray<U, E> {
    match E::NDIM {
        Some(ndim) if expr.error().is_none() && ndim != expr.shape().len() => {
            let text = format!(
                "the function gives blocks of {ndim} axes, but the result has shape {:?}",
                expr.shape()
            );
            LazyArray::wrap(Expr::invalid(name, ExprError::Message(text), origin))
        }
        _ => LazyArray::wrap(expr),
    }
}
