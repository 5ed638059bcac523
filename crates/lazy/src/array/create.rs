//! Arrays from memory, constants, ranges and functions.

use std::io;
use std::sync::Arc;

use chunkwise_chunk::{ChunkError, ChunkSource, Chunks, Element, Float, Real, Region, Scalar};
use chunkwise_expr::{Expr, ExprError};
use chunkwise_ops::function::Place;
use chunkwise_storage::{
    ArangeSource, BlockFnSource, EyeSource, FillSource, FnSource, LinspaceSource, MemorySource,
};
use ndarray::{Array, Dimension, IntoDimension, Ix1, Ix2};

use super::here;
use crate::{IntoShared, LazyArray};

/// Which block a function of blocks is called for: of the result, as in [`from_blocks`](LazyArray::from_blocks), or of
/// the arrays it takes, as in [`map_blocks`](LazyArray::map_blocks).
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::from_blocks(5, 2, |block| {
///     ndarray::Array1::from_elem(block.shape[0], block.start[0] as u64)
/// });
/// assert_eq!(x.max().compute()?, 4);
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockInfo {
    /// First index on every axis.
    pub start: Vec<usize>,
    /// Length of every axis.
    pub shape: Vec<usize>,
    /// Number of the block on every axis.
    pub index: Vec<usize>,
    /// How many blocks there are on every axis.
    pub blocks: Vec<usize>,
}

impl From<&Place> for BlockInfo {
    fn from(place: &Place) -> BlockInfo {
        let Place { start, shape, index, blocks } = place.clone();
        BlockInfo { start, shape, index, blocks }
    }
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// An ndarray in memory. Owned arrays and `ArcArray`s are taken as they are, views and references are copied
    /// once.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let data = ndarray::Array2::<f64>::ones((100, 100));
    /// let x = LazyArray::from_ndarray(data, (50, ..));
    /// assert_eq!(x.sum().compute()?, 10_000.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn from_ndarray(array: impl IntoShared<T, D>, chunks: impl Into<Chunks>) -> Self {
        let source = MemorySource::new(array.into_shared_array().into_dyn());
        read(Ok(Arc::new(source)), chunks.into(), "from_ndarray")
    }

    /// Zeros, or `false`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<u8, _>::zeros((2, 2), 1).sum().compute()?, 0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn zeros<S: IntoDimension<Dim = D>>(shape: S, chunks: impl Into<Chunks>) -> Self {
        filled(Scalar::zero(T::DTYPE), shape.into_dimension().slice(), chunks.into())
    }

    /// Ones, or `true`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<u8, _>::ones((2, 2), 1).sum().compute()?, 4);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn ones<S: IntoDimension<Dim = D>>(shape: S, chunks: impl Into<Chunks>) -> Self {
        filled(Scalar::one(T::DTYPE), shape.into_dimension().slice(), chunks.into())
    }

    /// One value everywhere.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::full((2, 2), 2.5_f64, 1).sum().compute()?, 10.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn full<S: IntoDimension<Dim = D>>(shape: S, value: T, chunks: impl Into<Chunks>) -> Self {
        filled(value.into_scalar(), shape.into_dimension().slice(), chunks.into())
    }

    /// A function of the global index, as ndarray's `from_shape_fn`. It may be called more than once for an index.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_fn((2, 3), 2, |(i, j)| 10 * i as i32 + j as i32);
    /// assert_eq!(x.compute()?, ndarray::arr2(&[[0, 1, 2], [10, 11, 12]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn from_fn<S: IntoDimension<Dim = D>>(
        shape: S,
        chunks: impl Into<Chunks>,
        f: impl Fn(D::Pattern) -> T + Send + Sync + 'static,
    ) -> Self {
        let shape = shape.into_dimension();
        let source = size_checked(shape.slice()).map(|shape| {
            let at = move |index: &[usize]| {
                let mut dim = D::zeros(index.len());
                dim.slice_mut().copy_from_slice(index);
                f(dim.into_pattern())
            };
            Arc::new(FnSource::new::<T, _>(shape, at)) as Arc<dyn ChunkSource>
        });
        read(source, chunks.into(), "from_fn")
    }

    /// A function that makes a whole block. It is called once for a block and run; a block of another shape than
    /// asked for is an error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_blocks(5, 2, |block| ndarray::Array1::from_elem(block.shape[0], block.start[0]as u64));
    /// assert_eq!(x.compute()?, ndarray::arr1(&[0, 0, 2, 2, 4]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn from_blocks<S: IntoDimension<Dim = D>>(
        shape: S,
        chunks: impl Into<Chunks>,
        f: impl Fn(&BlockInfo) -> Array<T, D> + Send + Sync + 'static,
    ) -> Self {
        by_block("from_blocks", shape, chunks.into(), move |block| Ok(f(block)))
    }

    /// A function that reads a whole block from elsewhere and may fail: an instrument, a service, a format of your own.
    /// An error of its ends the computation, unless the runtime is asked to
    /// [try again](crate::RuntimeBuilder::retry).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use std::io::{Error, ErrorKind};
    ///
    /// let x = LazyArray::try_from_blocks(6, 2, |block| match block.start[0] {
    ///     4 => Err(Error::new(ErrorKind::TimedOut, "the buoy does not answer")),
    ///     start => Ok(ndarray::Array1::from_elem(block.shape[0], start as f64)),
    /// });
    /// assert_eq!(x.slice(s![..4]).compute()?, ndarray::arr1(&[0.0, 0.0, 2.0, 2.0]));
    /// assert!(x.compute().unwrap_err().to_string().contains("at [4..6]: the buoy does not answer"));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn try_from_blocks<S: IntoDimension<Dim = D>>(
        shape: S,
        chunks: impl Into<Chunks>,
        f: impl Fn(&BlockInfo) -> io::Result<Array<T, D>> + Send + Sync + 'static,
    ) -> Self {
        by_block("try_from_blocks", shape, chunks.into(), f)
    }
}

/// The array whose blocks are made by `f`.
#[track_caller]
fn by_block<T: Element, D: Dimension>(
    op: &'static str,
    shape: impl IntoDimension<Dim = D>,
    chunks: Chunks,
    f: impl Fn(&BlockInfo) -> io::Result<Array<T, D>> + Send + Sync + 'static,
) -> LazyArray<T, D> {
    let shape = shape.into_dimension();
    let grid = size_checked(shape.slice()).and_then(|shape| Ok(chunks.grid(shape, T::DTYPE.itemsize())?));
    match grid {
        Ok(grid) => {
            let own = grid.clone();
            let block = move |region: &Region| f(&(&Place::of(&own, region)).into()).map(Array::into_dyn);
            let source = Arc::new(BlockFnSource::fallible::<T, _>(grid, block));
            LazyArray::wrap(Expr::source(op, source, None, here()))
        }
        Err(cause) => LazyArray::wrap(Expr::invalid(op, cause, here())),
    }
}

impl<T: Real> LazyArray<T, Ix1> {
    /// `start`, `start + step`, ... up to but without `stop`; element `i` is `start + i * step`.
    ///
    /// A step of 0 or a bound that is not finite is an error; a stop on the wrong side gives no elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 1.0, 0.25, 3);
    /// assert_eq!(x.compute()?, ndarray::arr1(&[0.0, 0.25, 0.5, 0.75]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn arange(start: T, stop: T, step: T, chunks: impl Into<Chunks>) -> Self {
        let source = arange_len(start, stop, step)
            .map(|len| Arc::new(ArangeSource::new(start, step, len)) as Arc<dyn ChunkSource>);
        read(source, chunks.into(), "arange")
    }
}

impl<T: Float> LazyArray<T, Ix1> {
    /// `n` numbers evenly spaced from `start` to `stop`, both included; the last one is exactly `stop`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::linspace(0.0, 1.0, 5, 2);
    /// assert_eq!(x.compute()?, ndarray::arr1(&[0.0, 0.25, 0.5, 0.75, 1.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn linspace(start: T, stop: T, n: usize, chunks: impl Into<Chunks>) -> Self {
        let source =
            size_checked(&[n]).map(|_| Arc::new(LinspaceSource::new(start, stop, n)) as Arc<dyn ChunkSource>);
        read(source, chunks.into(), "linspace")
    }
}

impl<T: Element> LazyArray<T, Ix2> {
    /// The identity matrix of `n` rows.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f64, _>::eye(3, 2).sum().compute()?, 3.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn eye(n: usize, chunks: impl Into<Chunks>) -> Self {
        LazyArray::eye_offset((n, n), 0, chunks)
    }

    /// Ones on the `k`-th diagonal of a matrix, zeros elsewhere; `k > 0` lies above the main diagonal.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<i32, _>::eye_offset((2, 3), 1, 1);
    /// assert_eq!(x.compute()?, ndarray::arr2(&[[0, 1, 0], [0, 0, 1]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn eye_offset(shape: (usize, usize), k: isize, chunks: impl Into<Chunks>) -> Self {
        let source = size_checked(&[shape.0, shape.1])
            .map(|_| Arc::new(EyeSource::new(T::DTYPE, shape.0, shape.1, k)) as Arc<dyn ChunkSource>);
        read(source, chunks.into(), "eye")
    }
}

#[track_caller]
fn filled<T, D>(value: Scalar, shape: &[usize], chunks: Chunks) -> LazyArray<T, D> {
    let source =
        size_checked(shape).map(|shape| Arc::new(FillSource::new(value, shape)) as Arc<dyn ChunkSource>);
    read(source, chunks, "full")
}

#[track_caller]
fn read<T, D>(
    source: Result<Arc<dyn ChunkSource>, ExprError>,
    chunks: Chunks,
    name: &str,
) -> LazyArray<T, D> {
    LazyArray::wrap(match source {
        Ok(source) => Expr::source(name, source, Some(&chunks), here()),
        Err(cause) => Expr::invalid(name, cause, here()),
    })
}

/// The shape, when its elements can be counted: a source must not be asked for more.
pub(crate) fn size_checked(shape: &[usize]) -> Result<&[usize], ExprError> {
    let most = isize::MAX as usize / size_of::<f64>();
    let mut lengths = shape.iter().filter(|&&len| len != 0);
    match lengths.try_fold(1usize, |n, &len| n.checked_mul(len)) {
        Some(n) if n <= most => Ok(shape),
        _ => Err(ChunkError::TooLarge(shape.to_vec()).into()),
    }
}

/// Number of elements from `start` to before `stop`.
fn arange_len<T: Real>(start: T, stop: T, step: T) -> Result<usize, ExprError> {
    let bad = |why: &str| ExprError::Message(format!("{why} (start {start}, stop {stop}, step {step})"));
    let len = if T::DTYPE.is_float() {
        let to_f64 =
            |x: T| x.to_f64().filter(|x| x.is_finite()).ok_or_else(|| bad("bounds and step must be finite"));
        let (start, stop, step) = (to_f64(start)?, to_f64(stop)?, to_f64(step)?);
        if step == 0.0 {
            return Err(bad("the step must not be 0"));
        }
        ((stop - start) / step).ceil().max(0.0)
    } else {
        let to_i128 = |x: T| x.to_i128().ok_or_else(|| bad("bounds must be integers"));
        let (start, stop, step) = (to_i128(start)?, to_i128(stop)?, to_i128(step)?);
        if step == 0 {
            return Err(bad("the step must not be 0"));
        }
        let (span, stride) = if step > 0 { (stop - start, step) } else { (start - stop, -step) };
        (span.max(0) as u128).div_ceil(stride as u128) as f64
    };
    if len > 2f64.powi(53) {
        return Err(bad("more than 2^53 elements"));
    }
    let len = len as usize;
    size_checked(&[len])?;
    Ok(len)
}
