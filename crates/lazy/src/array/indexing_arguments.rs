//! What methods of indexing take: keys, lists of indices, and indices for every lane.

use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{Chunks, Integer};
use chunkwise_expr::Expr;
use chunkwise_ops::index::IndexList;
use chunkwise_storage::MemorySource;
use ndarray::{Array, Axis, Dimension, Ix1};

use crate::LazyArray;

pub(super) type Origin = &'static Location<'static>;

/// A list of [`Index`](crate::Index)es as NumPy's brackets have them: what each element stands for is told by its type.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::idx;
/// let x = LazyArray::from_fn((3, 4), 2, |(i, j)| (10 * i + j) as u64);
/// assert_eq!(x.index(idx![[2, 0], 1..3]).compute()?, ndarray::arr2(&[[21, 22], [1, 2]]).into_dyn());
/// assert_eq!(x.index(idx![[2, 0], [1, 3]]).compute()?, ndarray::arr1(&[21, 3]).into_dyn());
/// assert_eq!(x.index(idx![-1, [true, false, false, true]]).compute()?, ndarray::arr1(&[20, 23]).into_dyn());
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[macro_export]
macro_rules! idx {
    ($($index:expr),* $(,)?) => { [$($crate::Index::from($index)),*] };
}

mod sealed {
    /// Closes [`IntoIndices`](super::IntoIndices) and [`LaneIndices`](super::LaneIndices) to other crates.
    pub trait Sealed {}
}

/// Indices along an axis: of the program, or computed.
#[doc(hidden)]
#[derive(Debug)]
pub enum Indices {
    /// Known when an expression is built.
    Given(IndexList),
    /// An array that is computed.
    Lazy(Expr),
}

/// Indices along one axis: vectors, slices and one-dimensional ndarrays of any integer type, or a one-dimensional lazy
/// array of integers. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(10, 15, 1, 2);
/// assert_eq!(x.take([4, 0], Axis(0)).compute()?, ndarray::arr1(&[14, 10]));
/// assert_eq!(x.take(&(&x - 10), Axis(0)).compute()?, x.compute()?);
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub trait IntoIndices: sealed::Sealed {
    #[doc(hidden)]
    fn into_indices(self) -> Indices;
}

macro_rules! into_indices {
    ($($t:ty)*) => { $(
        impl sealed::Sealed for Vec<$t> {}
        impl sealed::Sealed for &Vec<$t> {}
        impl sealed::Sealed for &[$t] {}
        impl<D> sealed::Sealed for Array<$t, D> {}
        impl<D> sealed::Sealed for &Array<$t, D> {}
        impl<const N: usize> sealed::Sealed for [$t; N] {}
        impl<const N: usize> sealed::Sealed for &[$t; N] {}

        into_indices!(@one Vec<$t>; &Vec<$t>; &[$t]; Array<$t, Ix1>; &Array<$t, Ix1>);

        impl<const N: usize> IntoIndices for [$t; N] {
            fn into_indices(self) -> Indices {
                Indices::Given(self.into())
            }
        }

        impl<const N: usize> IntoIndices for &[$t; N] {
            fn into_indices(self) -> Indices {
                Indices::Given(self.into())
            }
        }
    )* };
    (@one $($t:ty);*) => { $(
        impl IntoIndices for $t {
            fn into_indices(self) -> Indices {
                Indices::Given(self.into())
            }
        }
    )* };
}
into_indices!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl<I, D> sealed::Sealed for LazyArray<I, D> {}
impl<I, D> sealed::Sealed for &LazyArray<I, D> {}

impl<I: Integer> IntoIndices for LazyArray<I, Ix1> {
    fn into_indices(self) -> Indices {
        (&self).into_indices()
    }
}

impl<I: Integer> IntoIndices for &LazyArray<I, Ix1> {
    fn into_indices(self) -> Indices {
        Indices::Lazy(self.expr().clone())
    }
}

/// Indices of their own for every lane of an axis: a lazy array or an ndarray of integers. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::from_ndarray(ndarray::arr2(&[[3, 1, 2], [5, 6, 4]]), 2);
/// assert!(x.take_along_axis(&ndarray::arr2(&[[3], [0]]), Axis(1)).check().is_err());
/// ```
pub trait LaneIndices<D>: sealed::Sealed {
    /// The indices as an expression; those of the program are checked against the length of the axis.
    #[doc(hidden)]
    fn lanes(self, shape: &[usize], axis: Axis, origin: Origin) -> Expr;
}

impl<I: Integer, D> LaneIndices<D> for LazyArray<I, D> {
    fn lanes(self, _: &[usize], _: Axis, _: Origin) -> Expr {
        self.expr().clone()
    }
}

impl<I: Integer, D> LaneIndices<D> for &LazyArray<I, D> {
    fn lanes(self, _: &[usize], _: Axis, _: Origin) -> Expr {
        self.expr().clone()
    }
}

macro_rules! lane_indices {
    ($($t:ty)*) => { $(
        impl<D: Dimension> LaneIndices<D> for &Array<$t, D> {
            fn lanes(self, shape: &[usize], axis: Axis, origin: Origin) -> Expr {
                given_lanes(&self.into(), shape, axis.index(), origin)
            }
        }
    )* };
}
lane_indices!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

/// Indices of the program for every lane, when all lie inside the axis of an array of this shape.
fn given_lanes(list: &IndexList, shape: &[usize], axis: usize, origin: Origin) -> Expr {
    // Without such an axis there is nothing to check; taking along it is the error.
    if axis < shape.len()
        && let Err(cause) = list.check(axis, shape)
    {
        return Expr::invalid("take_along_axis", cause, origin);
    }
    let source = Arc::new(MemorySource::new(list.to_array().into_shared()));
    Expr::source("take_along_axis", source, Some(&Chunks::Auto), origin)
}
