//! `LazyArray<T, D>` by topic: what it is here, what it can do in the files beside this one.

mod assign;
mod blocks;
mod complex;
mod contract;
mod convert;
mod create;
mod function;
mod indexing;
mod indexing_arguments;
mod io;
mod layout;
mod layout_calc;
mod layout_join;
mod layout_matrix;
mod masked;
mod masked_expr;
mod masked_math;
mod masked_reduce;
mod masked_shape;
mod math;
mod missing;
mod missing_packing;
#[cfg(feature = "zarr")]
mod missing_zarr;
mod operand;
mod operators;
mod overlap;
mod overlap_convolve;
mod overlap_filter;
mod pad;
mod reduce;
mod reduction;
mod rolling;
mod scan;
mod scan_ewm;
mod shape;
mod statistics;
mod statistics_nodes;
mod statistics_weighted;
mod values;
mod values_choice;
mod values_expr;

use std::fmt;
use std::marker::PhantomData;

use chunkwise_chunk::{ChunkGrid, Chunks, DType, Element};
use chunkwise_expr::{Expr, ExprError};
use ndarray::{Array, ArrayD, Dimension, Ix0, Ix1, Ix2, Ix3, Ix4, Ix5, Ix6, IxDyn};

use crate::{Error, Plan, Result, RunHandle, Runtime};

pub use contract::{DotDim, IntoAxisPairs, einsum, matmul, tensordot};
pub use convert::IntoShared;
pub use create::BlockInfo;
pub use function::{BlockArgs, apply_gufunc, try_apply_gufunc, try_zip_blocks, zip_blocks};
pub use indexing_arguments::{IntoIndices, LaneIndices};
pub use io::open_npy;
#[cfg(feature = "zarr")]
pub use io::{ZarrOptions, ZarrVersion, open_zarr};
pub use layout_calc::InterpOptions;
pub use layout_join::{
    Indexing, Nested, block, broadcast_arrays, column_stack, dstack, hstack, meshgrid, meshgrid_sparse,
    vstack,
};
pub use layout_matrix::{indices, tril_indices, triu_indices};
pub use masked::MaskedArray;
pub use masked_math::MaskedOperand;
#[cfg(feature = "zarr")]
pub use missing_zarr::ZarrArray;
pub use operand::{IntoAxes, Operand};
pub use overlap::zip_overlap;
pub use pad::{PadMode, PadStatistic, PadWidth};
pub use reduction::reduction;
pub use shape::{concatenate, stack};
pub use values_choice::select;

pub(crate) use create::size_checked;
pub(crate) use operand::here;

/// An N-dimensional array that is computed when asked for: in blocks, on all cores, inside a memory limit.
///
/// A `LazyArray` is a small handle of an expression. Methods make new expressions and cost nothing; [`compute`],
/// [`persist`] and the `store_` methods run them. `T` is the element type, `D` ndarray's dimension type.
///
/// What cannot be built (axes, shapes, chunks that do not fit) does not panic: the error is kept with the line of the
/// program that caused it, and comes back from [`compute`] or [`check`].
///
/// [`compute`]: LazyArray::compute
/// [`persist`]: LazyArray::persist
/// [`check`]: LazyArray::check
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::from_ndarray(ndarray::Array::linspace(0.0, 4.0, 5), 2);
/// let rms: f64 = (&x * &x).mean().sqrt().compute()?;
/// assert_eq!(rms, 6.0_f64.sqrt());
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub struct LazyArray<T, D> {
    expr: Expr,
    typed: PhantomData<fn() -> (T, D)>,
}

/// One value: what `x.mean()` is. It broadcasts like any array.
pub type LazyScalar<T> = LazyArray<T, Ix0>;
/// A one-dimensional lazy array.
pub type LazyArray1<T> = LazyArray<T, Ix1>;
/// A two-dimensional lazy array.
pub type LazyArray2<T> = LazyArray<T, Ix2>;
/// A three-dimensional lazy array.
pub type LazyArray3<T> = LazyArray<T, Ix3>;
/// A four-dimensional lazy array.
pub type LazyArray4<T> = LazyArray<T, Ix4>;
/// A five-dimensional lazy array.
pub type LazyArray5<T> = LazyArray<T, Ix5>;
/// A six-dimensional lazy array.
pub type LazyArray6<T> = LazyArray<T, Ix6>;
/// A lazy array whose number of dimensions is known only when run.
pub type LazyArrayD<T> = LazyArray<T, IxDyn>;

impl<T, D> Clone for LazyArray<T, D> {
    fn clone(&self) -> Self {
        LazyArray { expr: self.expr.clone(), typed: PhantomData }
    }
}

impl<T, D> fmt::Debug for LazyArray<T, D> {
    /// Element type, shape and blocks, never the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LazyArray<{}>", self.expr.meta())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A dimension type that lazy arrays can be computed in: `Ix0`..`Ix6`, `IxDyn`. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let sum: i64 = LazyArray::arange(0i64, 4, 1, 2).sum().compute()?; // Ix0: a plain number
/// assert_eq!(sum, 6);
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub trait LazyDim: Dimension + sealed::Sealed {
    /// What `compute()` gives: `T` for `Ix0`, an ndarray otherwise.
    type Computed<T: Element>;

    /// Gives the array its static dimension.
    #[doc(hidden)]
    fn computed<T: Element>(array: ArrayD<T>) -> Self::Computed<T>;
}

impl sealed::Sealed for Ix0 {}
impl LazyDim for Ix0 {
    type Computed<T: Element> = T;

    fn computed<T: Element>(array: ArrayD<T>) -> T {
        array.first().copied().unwrap_or_default()
    }
}

macro_rules! lazy_dims {
    ($($d:ty)*) => { $(
        impl sealed::Sealed for $d {}
        impl LazyDim for $d {
            type Computed<T: Element> = Array<T, $d>;

            fn computed<T: Element>(array: ArrayD<T>) -> Array<T, $d> {
                array.into_dimensionality().expect("the rank of an expression is that of its type")
            }
        }
    )* };
}
lazy_dims!(Ix1 Ix2 Ix3 Ix4 Ix5 Ix6 IxDyn);

impl<T, D> LazyArray<T, D> {
    pub(crate) fn wrap(expr: Expr) -> Self {
        LazyArray { expr, typed: PhantomData }
    }

    /// The untyped expression inside.
    #[doc(hidden)]
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Wraps an expression, which must be of this element type and rank.
    #[doc(hidden)]
    pub fn from_expr(expr: Expr) -> Self {
        LazyArray::wrap(expr)
    }

    /// Length of every axis; empty when the expression cannot be built.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).shape(), [3, 4]);
    /// ```
    pub fn shape(&self) -> &[usize] {
        self.expr.shape()
    }

    /// Number of axes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).ndim(), 2);
    /// ```
    pub fn ndim(&self) -> usize {
        self.shape().len()
    }

    /// Number of elements; 0 when the expression cannot be built.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).len(), 12);
    /// ```
    pub fn len(&self) -> usize {
        if self.expr.error().is_some() { 0 } else { self.shape().iter().product() }
    }

    /// True when there are no elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert!(LazyArray::<f32, _>::zeros((3, 0), 2).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of one axis; 0 for an axis that does not exist.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).len_of(Axis(1)), 4);
    /// ```
    pub fn len_of(&self, axis: ndarray::Axis) -> usize {
        self.shape().get(axis.index()).copied().unwrap_or(0)
    }

    /// How the array is cut into blocks; one empty grid when the expression cannot be built.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((5, 4), (2, ..));
    /// assert_eq!(x.chunks().to_string(), "(2, 4)");
    /// assert_eq!(x.chunks().num_blocks(), 3);
    /// ```
    pub fn chunks(&self) -> ChunkGrid {
        self.expr.grid().cloned().unwrap_or_else(|| ChunkGrid::whole(&[]))
    }

    /// The first error made while building the expression, if any.
    ///
    /// # Errors
    /// That error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::zeros(4, 2);
    /// assert!(x.check().is_ok());
    /// assert!(x.slice(s![9]).check().is_err());
    /// ```
    pub fn check(&self) -> Result<()> {
        self.expr.error().map_or(Ok(()), |err| Err(Error::from(err.clone())))
    }

    /// The same array in other blocks; see [`Chunks`] for the ways to say which. Blocks are gathered from the
    /// parts they need, without passing through a copy of the whole.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f32, _>::zeros((4, 6), (4, 1));
    /// assert_eq!(x.rechunk((1, ..)).chunks().to_string(), "(1, 6)");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn rechunk(&self, chunks: impl Into<Chunks>) -> Self {
        LazyArray::wrap(self.expr.rechunk(&chunks.into(), here()))
    }

    /// The plan of computing this array on the global runtime, as text: the expression, what each pass did by which rule,
    /// the optimised expression, what becomes of values that are needed twice, tasks, time and bytes. See [`Plan`]; several
    /// values that are computed together have [`explain`](crate::explain), other runs the plans of [`Runtime`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 64.0, 1.0, 4);
    /// let text = x.sqrt().mean().explain();
    /// assert!(text.contains("mean{r0 = sqrt x0}"));
    /// assert!(text.contains("tasks 19"));
    /// ```
    pub fn explain(&self) -> String {
        match self.plan() {
            Ok(plan) => plan.to_string(),
            Err(err) => format!("cannot be planned: {err}\n"),
        }
    }

    /// The plan of computing this array on the global runtime.
    ///
    /// # Errors
    /// When the expression cannot be built, or the memory limit is too small for it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::zeros(64, 4);
    /// assert_eq!(x.sqrt().mean().plan()?.tasks(), 19); // 16 folds, 2 merges, 1 finish
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn plan(&self) -> Result<Plan> {
        Runtime::global()?.plan_compute(std::slice::from_ref(&self.expr))
    }

    /// Draws the expression and its plan on the global runtime to a file, see [`Plan::visualize`]. Its name ends in `.svg`,
    /// or in `.dot` for Graphviz.
    ///
    /// # Errors
    /// As [`plan`](LazyArray::plan); for names that end otherwise, and when the file cannot be written.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::ones((64, 64), 16);
    /// let path = std::env::temp_dir().join("chunkwise-doc-array.svg");
    /// (&x - x.mean_axis(Axis(0))).visualize(&path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|text| text.contains("f64[64, 64], 32.0 KiB")));
    /// let err = x.visualize("x.png").unwrap_err();
    /// assert!(err.to_string().contains("files that end in .svg or .dot"));
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn visualize(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
        self.plan()?.visualize(path)
    }

    /// The optimised expression in Graphviz' DOT language; a comment with the error when it cannot be built.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::zeros(64, 4);
    /// assert!(x.sqrt().mean().to_dot().starts_with("digraph {"));
    /// ```
    pub fn to_dot(&self) -> String {
        match self.plan() {
            Ok(plan) => plan.to_dot(),
            Err(err) => format!("// {err}\ndigraph {{}}\n"),
        }
    }
}

impl<T: Element, D> LazyArray<T, D> {
    /// Type of the elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros(3, 2).dtype(), DType::F32);
    /// ```
    pub fn dtype(&self) -> DType {
        T::DTYPE
    }

    /// Bytes of all elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<f32, _>::zeros((3, 4), 2).nbytes(), 48);
    /// ```
    pub fn nbytes(&self) -> usize {
        self.len().saturating_mul(T::DTYPE.itemsize())
    }

    /// The same array with its rank known only when run.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x: LazyArrayD<f32> = LazyArray::<f32, _>::zeros((3, 4), 2).into_dyn();
    /// assert_eq!(x.ndim(), 2);
    /// ```
    #[must_use]
    pub fn into_dyn(self) -> LazyArrayD<T> {
        LazyArray::wrap(self.expr)
    }
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The same array with the rank of `E`; another rank is an error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::ones((2, 3, 4), 2);
    /// let y: LazyArray1<f64> = x.sum_axes([Axis(0), Axis(2)]).into_dimensionality();
    /// assert_eq!(y.compute()?, ndarray::arr1(&[8.0, 8.0, 8.0]));
    /// assert!(y.into_dimensionality::<Ix2>().check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn into_dimensionality<E: Dimension>(self) -> LazyArray<T, E> {
        match E::NDIM {
            Some(ndim) if ndim != self.ndim() && self.expr.error().is_none() => {
                let text = format!("shape {:?} is not of {ndim} dimensions", self.shape());
                LazyArray::wrap(Expr::invalid("into_dimensionality", ExprError::Message(text), here()))
            }
            _ => LazyArray::wrap(self.expr),
        }
    }
}

impl<T: Element, D: LazyDim> LazyArray<T, D> {
    /// Computes the array on the global runtime: a plain `T` for a scalar, else an ndarray.
    ///
    /// # Errors
    /// When the expression cannot be built, does not fit into the memory limit, or a task fails.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 6.0, 1.0, 4);
    /// assert_eq!((&x + 1.0).compute()?, ndarray::arr1(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    /// assert_eq!(x.sum().compute()?, 15.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn compute(&self) -> Result<D::Computed<T>> {
        Runtime::global()?.compute(self)
    }

    /// Computes the array into the memory of `memory`, whatever its shape and elements: what is worth while where one
    /// result follows another, because memory fresh from the system takes longer than most computations. Memory that
    /// is too small is replaced.
    ///
    /// # Errors
    /// As [`compute`](LazyArray::compute); the memory is gone then.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let mut state = ndarray::Array1::from_elem(4, 1.0);
    /// for _ in 0..3 {
    ///     let x = LazyArray::from_ndarray(&state, 2);
    ///     state = (&x + 1.0).compute_into(state)?;
    /// }
    /// assert_eq!(state, ndarray::arr1(&[4.0, 4.0, 4.0, 4.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn compute_into(&self, memory: Array<T, D>) -> Result<Array<T, D>> {
        Runtime::global()?.compute_into(self, memory)
    }

    /// Computes the array in the background: the handle waits for the result, is a future of it, cancels it and tells
    /// how far it is.
    ///
    /// # Errors
    /// When the system refuses a thread. All other errors come from the handle.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let run = LazyArray::arange(1.0_f64, 5.0, 1.0, 2).prod().submit()?;
    /// assert_eq!(run.wait()?, 24.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn submit(&self) -> Result<RunHandle<D::Computed<T>>>
    where
        D: 'static,
        D::Computed<T>: Send + 'static,
    {
        Runtime::global()?.submit(self.clone())
    }

    /// Computes the array and keeps its blocks: the result is an array whose blocks are there. In memory they
    /// count in the memory limit until the last handle is dropped; where they take more than half of what is left of it,
    /// or a later computation needs the memory, they are on disk, in files without a name.
    ///
    /// # Errors
    /// As [`compute`](LazyArray::compute).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 6.0, 1.0, 4).exp().persist()?;
    /// assert_eq!(x.chunks().to_string(), "(4,)");
    /// let first: f64 = x.slice(s![0]).compute()?; // nothing is computed again
    /// assert_eq!(first, 1.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn persist(&self) -> Result<Self> {
        Runtime::global()?.persist(self)
    }
}
