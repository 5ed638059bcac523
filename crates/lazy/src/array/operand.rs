//! What methods take besides arrays: other arrays, numbers, axes.

use std::panic::Location;

use chunkwise_chunk::Element;
use chunkwise_expr::Expr;
use ndarray::{Axis, Dimension, Ix0};

use crate::LazyArray;

/// The line of the user's program, when called from a `#[track_caller]` method.
#[track_caller]
pub(crate) fn here() -> &'static Location<'static> {
    Location::caller()
}

mod sealed {
    /// Closes [`Operand`](super::Operand) to other crates.
    pub trait Operand<T> {}

    /// Closes [`IntoAxes`](super::IntoAxes).
    pub trait IntoAxes {}
}

impl<T, D> sealed::Operand<T> for LazyArray<T, D> {}
impl<T, D> sealed::Operand<T> for &LazyArray<T, D> {}
impl<T: Element> sealed::Operand<T> for T {}

impl sealed::IntoAxes for Axis {}
impl sealed::IntoAxes for &[Axis] {}
impl<const N: usize> sealed::IntoAxes for [Axis; N] {}
impl<const N: usize> sealed::IntoAxes for &[Axis; N] {}
impl sealed::IntoAxes for Vec<Axis> {}
impl sealed::IntoAxes for &Vec<Axis> {}

/// A second operand with elements of type `T`: an array of any rank, by value or reference, or a number. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(0.0_f64, 3.0, 1.0, 2);
/// assert_eq!(x.maximum(1.0).sum().compute()?, 4.0);
/// assert_eq!(x.maximum(x.mean()).sum().compute()?, 4.0);
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub trait Operand<T: Element>: sealed::Operand<T> {
    /// Its dimension type.
    type Dim: Dimension;

    /// The expression of the operand.
    #[doc(hidden)]
    fn operand(self, origin: &'static Location<'static>) -> Expr;
}

impl<T: Element, D: Dimension> Operand<T> for LazyArray<T, D> {
    type Dim = D;

    fn operand(self, _: &'static Location<'static>) -> Expr {
        self.expr().clone()
    }
}

impl<T: Element, D: Dimension> Operand<T> for &LazyArray<T, D> {
    type Dim = D;

    fn operand(self, _: &'static Location<'static>) -> Expr {
        self.expr().clone()
    }
}

impl<T: Element> Operand<T> for T {
    type Dim = Ix0;

    fn operand(self, origin: &'static Location<'static>) -> Expr {
        Expr::literal(self.into_scalar(), origin)
    }
}

/// One axis or several: `Axis(0)`, `[Axis(0), Axis(2)]`, a slice or a `Vec` of them. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::<f64, _>::ones((2, 3, 4), 2);
/// assert_eq!(x.sum_axes([Axis(0), Axis(2)]).shape(), [3]);
/// ```
pub trait IntoAxes: sealed::IntoAxes {
    /// Their numbers.
    fn into_axes(self) -> Vec<usize>;
}

impl IntoAxes for Axis {
    fn into_axes(self) -> Vec<usize> {
        vec![self.index()]
    }
}

impl IntoAxes for &[Axis] {
    fn into_axes(self) -> Vec<usize> {
        self.iter().map(|axis| axis.index()).collect()
    }
}

impl<const N: usize> IntoAxes for [Axis; N] {
    fn into_axes(self) -> Vec<usize> {
        self.as_slice().into_axes()
    }
}

impl<const N: usize> IntoAxes for &[Axis; N] {
    fn into_axes(self) -> Vec<usize> {
        self.as_slice().into_axes()
    }
}

impl IntoAxes for Vec<Axis> {
    fn into_axes(self) -> Vec<usize> {
        self.as_slice().into_axes()
    }
}

impl IntoAxes for &Vec<Axis> {
    fn into_axes(self) -> Vec<usize> {
        self.as_slice().into_axes()
    }
}
