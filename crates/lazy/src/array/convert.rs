//! To and from arrays, vectors and iterators in memory. Owned arrays and shared ones are taken as they are, views are
//! copied once.

use std::sync::Arc;

use ndarray::{
    ArcArray, Array, Array1, ArrayD, ArrayRef, ArrayView, ArrayViewMut, Axis, CowArray, Dimension,
    IntoDimension, Ix1, Ix2, IxDyn, RemoveAxis,
};

use chunkwise_chunk::{ChunkError, Chunks, Element};
use chunkwise_expr::{Expr, ExprError};
use chunkwise_storage::MemorySource;

use super::here;
use super::layout::Origin;
use crate::{LazyArray, LazyDim, Result, Runtime};

mod sealed {
    /// Closes [`IntoShared`](super::IntoShared) to other crates.
    pub trait IntoShared<T, D> {}
}

impl<T, D> sealed::IntoShared<T, D> for Array<T, D> {}
impl<T, D> sealed::IntoShared<T, D> for ArcArray<T, D> {}
impl<T, D> sealed::IntoShared<T, D> for &ArcArray<T, D> {}
impl<T, D> sealed::IntoShared<T, D> for ArrayView<'_, T, D> {}
impl<T, D> sealed::IntoShared<T, D> for CowArray<'_, T, D> {}
impl<T, D> sealed::IntoShared<T, D> for &Array<T, D> {}
impl<T, D> sealed::IntoShared<T, D> for &ArrayRef<T, D> {}
impl<T, D> sealed::IntoShared<T, D> for ArrayViewMut<'_, T, D> {}
impl<T> sealed::IntoShared<T, Ix1> for Vec<T> {}
impl<T> sealed::IntoShared<T, Ix1> for &[T] {}
impl<T, const N: usize> sealed::IntoShared<T, Ix1> for [T; N] {}
impl<T, const N: usize> sealed::IntoShared<T, Ix1> for &[T; N] {}

/// An ndarray, or what one can be made of, that a lazy array can be made of. Owned and reference-counted arrays are not
/// copied. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let data = ndarray::Array2::<f32>::zeros((4, 4));
/// let of_view = LazyArray::from_ndarray(data.view(), 2);
/// let of_owned = LazyArray::from_ndarray(data, 2);
/// assert_eq!(of_view.shape(), of_owned.shape());
/// assert_eq!(LazyArray::from_ndarray(&[1, 2, 3], 2).max().compute()?, 3);
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub trait IntoShared<T, D>: sealed::IntoShared<T, D> {
    /// The array, reference counted.
    fn into_shared_array(self) -> ArcArray<T, D>;
}

impl<T: Element, D: Dimension> IntoShared<T, D> for Array<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.into_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for ArcArray<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for &ArcArray<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.clone()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for ArrayView<'_, T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.to_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for CowArray<'_, T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.into_owned().into_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for &Array<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.to_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for &ArrayRef<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.to_owned().into_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for ArrayViewMut<'_, T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.to_owned().into_shared()
    }
}

impl<T: Element> IntoShared<T, Ix1> for Vec<T> {
    fn into_shared_array(self) -> ArcArray<T, Ix1> {
        Array1::from(self).into_shared()
    }
}

impl<T: Element> IntoShared<T, Ix1> for &[T] {
    fn into_shared_array(self) -> ArcArray<T, Ix1> {
        self.to_vec().into_shared_array()
    }
}

impl<T: Element, const N: usize> IntoShared<T, Ix1> for [T; N] {
    fn into_shared_array(self) -> ArcArray<T, Ix1> {
        self.to_vec().into_shared_array()
    }
}

impl<T: Element, const N: usize> IntoShared<T, Ix1> for &[T; N] {
    fn into_shared_array(self) -> ArcArray<T, Ix1> {
        self.to_vec().into_shared_array()
    }
}

impl<T: Element> LazyArray<T, Ix1> {
    /// The elements of a vector, which is not copied.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::from_vec(vec![1, 2, 3], 2).max().compute()?, 3);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn from_vec(elements: Vec<T>, chunks: impl Into<Chunks>) -> LazyArray<T, Ix1> {
        LazyArray::from_ndarray(elements, chunks)
    }
}

impl<T: Element> LazyArray<T, Ix2> {
    /// The rows of a matrix, which must be equally long.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_rows(&[vec![1, 2], vec![3, 4]], 1);
    /// assert_eq!(x.compute()?, ndarray::arr2(&[[1, 2], [3, 4]]));
    /// assert!(LazyArray::from_rows(&[vec![1, 2], vec![3]], 1).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn from_rows<R: AsRef<[T]>>(rows: &[R], chunks: impl Into<Chunks>) -> LazyArray<T, Ix2> {
        let columns = rows.first().map_or(0, |row| row.as_ref().len());
        let at = here();
        if let Some(row) = rows.iter().position(|row| row.as_ref().len() != columns) {
            let len = rows[row].as_ref().len();
            let text = format!("row {row} has {len} elements, the first one {columns}");
            return LazyArray::wrap(Expr::invalid("from_rows", ExprError::Message(text), at));
        }
        let elements: Vec<T> = rows.iter().flat_map(|row| row.as_ref()).copied().collect();
        LazyArray::wrap(of_shape("from_rows", &[rows.len(), columns], elements, &chunks.into(), at))
    }
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The elements of a vector in C order, as ndarray's `from_shape_vec`; there must be as many as the shape has.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_shape_vec((2, 2), vec![1, 2, 3, 4], 1);
    /// assert_eq!(x.compute()?, ndarray::arr2(&[[1, 2], [3, 4]]));
    /// assert!(LazyArray::from_shape_vec(3, vec![1, 2], 1).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn from_shape_vec<S: IntoDimension<Dim = D>>(
        shape: S,
        elements: Vec<T>,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, D> {
        let shape = shape.into_dimension();
        LazyArray::wrap(of_shape("from_shape_vec", shape.slice(), elements, &chunks.into(), here()))
    }
}

impl<T: Element, D: RemoveAxis> LazyArray<T, D> {
    /// The blocks that an iterator gives, laid end to end along an axis; each stays a block. They are kept in memory: for
    /// what is larger see [`from_blocks`](LazyArray::from_blocks).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let blocks = (1..4).map(|n| ndarray::Array1::from_elem(n, n as u8));
    /// let x = LazyArray::from_block_iter(Axis(0), blocks);
    /// assert_eq!(x.chunks().to_string(), "([1, 2, 3],)");
    /// assert_eq!(x.compute()?, ndarray::arr1(&[1, 2, 2, 3, 3, 3]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn from_block_iter<B: IntoShared<T, D>>(
        axis: Axis,
        blocks: impl IntoIterator<Item = B>,
    ) -> LazyArray<T, D> {
        let at = here();
        let read = |block: B| {
            let source = MemorySource::new(block.into_shared_array().into_dyn());
            Expr::source("from_block_iter", Arc::new(source), Some(&Chunks::from(..)), at)
        };
        let blocks: Vec<Expr> = blocks.into_iter().map(read).collect();
        LazyArray::wrap(Expr::concat(&blocks.iter().collect::<Vec<_>>(), axis.index(), at))
    }
}

impl<T: Element, D: LazyDim> LazyArray<T, D> {
    /// Computes the only element of an array of any rank.
    ///
    /// # Errors
    /// When there is not exactly one element, and as [`compute`](LazyArray::compute).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::ones((2, 3), 2);
    /// assert_eq!(x.sum_keepdims([Axis(0), Axis(1)]).to_scalar()?, 6.0);
    /// assert!(x.to_scalar().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn to_scalar(&self) -> Result<T> {
        let scalar = self.expr().reshape(&[], here());
        Runtime::global()?.compute(LazyArray::<T, ndarray::Ix0>::wrap(scalar))
    }

    /// Computes the elements, in C order.
    ///
    /// # Errors
    /// As [`compute`](LazyArray::compute).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.t().to_vec()?, [1, 3, 2, 4]);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn to_vec(&self) -> Result<Vec<T>> {
        let array = Runtime::global()?.compute(LazyArray::<T, IxDyn>::wrap(self.expr().clone()))?;
        let len = array.len();
        if !array.is_standard_layout() {
            return Ok(array.into_iter().collect());
        }
        let (mut elements, offset) = array.into_raw_vec_and_offset();
        elements.drain(..offset.unwrap_or(0));
        elements.truncate(len);
        Ok(elements)
    }
}

/// `From` for arrays, in blocks of a size the library thinks good.
macro_rules! from_arrays {
    ($($array:ty;)*) => { $(
        impl<T: Element, D: Dimension> From<$array> for LazyArray<T, D> {
            /// The array in blocks of a size the library thinks good.
            #[track_caller]
            fn from(array: $array) -> LazyArray<T, D> {
                LazyArray::from_ndarray(array, Chunks::Auto)
            }
        }
    )* };
}
from_arrays! {
    Array<T, D>;
    &Array<T, D>;
    ArcArray<T, D>;
    ArrayView<'_, T, D>;
    CowArray<'_, T, D>;
}

impl<T: Element> From<Vec<T>> for LazyArray<T, Ix1> {
    /// The elements in blocks of a size the library thinks good.
    #[track_caller]
    fn from(elements: Vec<T>) -> LazyArray<T, Ix1> {
        LazyArray::from_ndarray(elements, Chunks::Auto)
    }
}

impl<T: Element> FromIterator<T> for LazyArray<T, Ix1> {
    /// The elements in blocks of a size the library thinks good.
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> LazyArray<T, Ix1> {
        LazyArray::from(elements.into_iter().collect::<Vec<T>>())
    }
}

fn of_shape<T: Element>(name: &str, shape: &[usize], elements: Vec<T>, chunks: &Chunks, at: Origin) -> Expr {
    let given = elements.len();
    match ArrayD::from_shape_vec(IxDyn(shape), elements) {
        Ok(array) => Expr::source(name, Arc::new(MemorySource::from_array(array)), Some(chunks), at),
        Err(_) if shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len)).is_none() => {
            Expr::invalid(name, ChunkError::TooLarge(shape.into()).into(), at)
        }
        Err(_) => {
            let text = format!("{given} elements are given for shape {shape:?}");
            Expr::invalid(name, ExprError::Message(text), at)
        }
    }
}
