//! Complex arrays: how they are made of real ones, and taken apart. Their methods are rows of the operation tables.

use std::panic::Location;

use chunkwise_chunk::{Complex, DType, Float, Scalar};
use chunkwise_expr::{BinaryOp, Expr, UnaryOp};
use ndarray::{DimMax, Dimension};

use super::here;
use super::values_expr::Elementwise;
use crate::{LazyArray, Operand};

impl<T: Float, D: Dimension> LazyArray<T, D> {
    /// The complex numbers of these real parts, with imaginary parts of 0. They have no order, and so none of the methods
    /// that need one:
    ///
    /// ```compile_fail
    /// # use chunkwise::prelude::*;
    /// LazyArray::<f64, _>::zeros(3, 2).to_complex().max();
    /// ```
    ///
    /// Those that need none take them where NumPy's do: functions, sums along axes, running and moving ones.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let z = LazyArray::from_ndarray(ndarray::arr1(&[2.0_f64, -4.0]), 1).to_complex() * Complex::i();
    /// assert_eq!(z.cumsum(Axis(0)).compute()?, ndarray::arr1(&[Complex::new(0.0, 2.0), Complex::new(0.0, -2.0)]));
    /// assert_eq!(z.cumprod(Axis(0)).compute()?[1], Complex::new(8.0, 0.0));
    /// assert_eq!(z.moving_mean(2, Axis(0)).compute()?, ndarray::arr1(&[Complex::new(0.0, -1.0)]));
    /// assert_eq!((z.norm_l1().compute()?, z.nan_var(0.0).compute()?), (6.0, 9.0));
    /// assert!((z.asin().sin() - &z).norm_max().compute()? < 1e-14);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    ///
    /// Operators take complex arrays with complex arrays, complex numbers and real numbers. A real array is made complex
    /// before it stands beside one, as an array of integers is converted before it stands beside floats.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(1.0_f64, 3.0, 1.0, 1);
    /// let z = LazyArray::from_parts(&x, 1.0);
    /// assert_eq!((z * x.to_complex()).compute()?, ndarray::arr1(&[Complex::new(1.0, 1.0), Complex::new(4.0, 2.0)]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 2.0, 1.0, 1).to_complex();
    /// assert_eq!((x * Complex::i()).compute()?, ndarray::arr1(&[Complex::new(0.0, 0.0), Complex::new(0.0, 1.0)]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn to_complex(&self) -> LazyArray<Complex<T>, D> {
        LazyArray::wrap(self.expr().cast(complex_of::<T>(), here()))
    }
}

impl<T: Float, D: Dimension> LazyArray<Complex<T>, D> {
    /// The complex numbers of real and imaginary parts, which broadcast; the imaginary ones are an array or a number.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 2.0, 1.0, 1);
    /// let z = LazyArray::from_parts(&x, 4.0);
    /// assert_eq!(z.compute()?, ndarray::arr1(&[Complex::new(0.0, 4.0), Complex::new(1.0, 4.0)]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn from_parts<I>(re: &LazyArray<T, D>, im: I) -> LazyArray<Complex<T>, <D as DimMax<I::Dim>>::Output>
    where
        I: Operand<T>,
        D: DimMax<I::Dim>,
    {
        let at = here();
        let im = im.operand(at);
        LazyArray::wrap(Expr::element(BinaryOp::Complex.into(), &[re.expr(), &im], at))
    }

    /// The complex numbers of absolute values and angles in radians, which broadcast; the angles are an array or a
    /// number.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let r = LazyArray::from_ndarray(ndarray::arr1(&[1.0_f64, 2.0]), 1);
    /// let z = LazyArray::from_polar(&r, 0.0);
    /// assert_eq!(z.compute()?, ndarray::arr1(&[Complex::new(1.0, 0.0), Complex::new(2.0, 0.0)]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn from_polar<A>(
        r: &LazyArray<T, D>,
        theta: A,
    ) -> LazyArray<Complex<T>, <D as DimMax<A::Dim>>::Output>
    where
        A: Operand<T>,
        D: DimMax<A::Dim>,
    {
        LazyArray::wrap(from_polar(r.expr(), &theta.operand(here()), here()))
    }
}

type Origin = &'static Location<'static>;

/// The real and the imaginary parts.
pub(super) fn parts(x: &Expr, at: Origin) -> [Expr; 2] {
    [UnaryOp::Re, UnaryOp::Im].map(|part| Elementwise(at).unary(part, x))
}

/// The real and the imaginary parts, both NaN where either is.
pub(super) fn present_parts(x: &Expr, at: Origin) -> [Expr; 2] {
    let make = Elementwise(at);
    let missing = make.unary(UnaryOp::IsNan, x);
    parts(x, at).map(|part| make.select(&missing, &make.number(Scalar::F64(f64::NAN), &part), &part))
}

/// The complex numbers of these parts.
pub(super) fn of_parts([re, im]: [Expr; 2], at: Origin) -> Expr {
    Elementwise(at).binary(BinaryOp::Complex, &re, &im)
}

fn from_polar(r: &Expr, theta: &Expr, at: Origin) -> Expr {
    use UnaryOp::{Cos, Sin};
    let part = |of| {
        let turn = Expr::element(of, &[theta], at);
        Expr::element(BinaryOp::Mul.into(), &[r, &turn], at)
    };
    Expr::element(BinaryOp::Complex.into(), &[&part(Cos.into()), &part(Sin.into())], at)
}

fn complex_of<T: Float>() -> DType {
    T::DTYPE.complex_type().expect("every float is a part of complex numbers")
}
