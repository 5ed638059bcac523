//! Filters of images, of any number of axes: the names and meanings of `scipy.ndimage`.
//!
//! Their default there is [`Boundary::Symmetric`](crate::Boundary::Symmetric), called `reflect`. Filters that are products
//! of one along each axis run along one after the other, each a block with its margin.

use std::panic::Location;

use chunkwise_chunk::{ChunkError, DType, Float, Real, Signed};
use chunkwise_expr::{BinaryOp, Expr, ExprError};
use chunkwise_ops::overlap::{self, AxisMargin, Boundaries, PerAxis, Weights};
use ndarray::{Axis, Dimension};

use super::here;
use crate::LazyArray;

type Origin = &'static Location<'static>;

/// Standard deviations of a Gaussian on either side of its middle.
const TRUNCATE: f64 = 4.0;

impl<T: Float, D: Dimension> LazyArray<T, D> {
    /// A Gaussian of standard deviation `sigma` along every axis, cut off at four of them: `gaussian_filter`.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let point = LazyArray::<f64, _>::eye(9, 4).slice(s![4, ..]); // 0 0 0 0 1 0 0 0 0
    /// let smooth: ndarray::Array1<f64> = point.gaussian_filter(1.0, Boundary::default()).compute()?;
    /// assert!((smooth[4] - 0.39895).abs() < 1e-5 && (smooth[5] - 0.24198).abs() < 1e-5);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gaussian_filter(
        &self,
        sigma: impl Into<PerAxis<f64>>,
        boundary: impl Into<Boundaries<T>>,
    ) -> Self {
        let sigmas = sigma.into().axes("standard deviations are given", self.shape());
        let kernels = sigmas.and_then(|sigmas| sigmas.into_iter().map(gaussian).collect());
        self.separable("gaussian_filter", kernels, &boundary.into(), here())
    }

    /// The mean of the box of `size` elements around every element: `uniform_filter`.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0.0, 8.0, 4.0, 0.0]), 2);
    /// let means = x.uniform_filter([4], Boundary::Nearest);
    /// assert_eq!(means.compute()?, ndarray::arr1(&[2.0, 3.0, 3.0, 3.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn uniform_filter(
        &self,
        size: impl Into<PerAxis<usize>>,
        boundary: impl Into<Boundaries<T>>,
    ) -> Self {
        let sizes = size.into().axes("sizes are given", self.shape());
        let kernels = sizes.and_then(|sizes| sizes.into_iter().map(uniform).collect());
        self.separable("uniform_filter", kernels, &boundary.into(), here())
    }

    /// One filter along every axis, one after the other.
    fn separable(
        &self,
        name: &'static str,
        kernels: Result<Vec<Vec<f64>>, ExprError>,
        boundary: &Boundaries<T>,
        origin: Origin,
    ) -> Self {
        if self.expr().error().is_some() {
            return self.clone();
        }
        // What is given for other axes is refused whatever the filters are.
        let fits = boundary.full(vec![(0, 0); self.ndim()], self.shape());
        match kernels.and_then(|kernels| fits.map(|_| kernels)) {
            Ok(kernels) => kernels
                .iter()
                .enumerate()
                .fold(self.clone(), |x, (axis, kernel)| x.swept(name, kernel, axis, boundary, origin)),
            Err(cause) => LazyArray::wrap(Expr::invalid(name, cause, origin)),
        }
    }
}

impl<T: Signed + Real, D: Dimension> LazyArray<T, D> {
    /// The slope along `axis`, smoothed along the others: `sobel`, weights -1, 0, 1 along it and 1, 2, 1 along these.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_fn((3, 3), 2, |(i, j)| (10 * i + j) as i32);
    /// assert_eq!(x.sobel(Axis(0), Boundary::Nearest).compute()?.row(1), ndarray::arr1(&[80, 80, 80]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sobel(&self, axis: Axis, boundary: impl Into<Boundaries<T>>) -> Self {
        let (at, boundary, along) = (here(), boundary.into(), axis.index());
        if self.expr().error().is_none() && along >= self.ndim() {
            let cause = ChunkError::Axis { axis: along as isize, shape: self.shape().into() };
            return LazyArray::wrap(Expr::invalid("sobel", cause.into(), at));
        }
        let kernel = |axis| if axis == along { [-1.0, 0.0, 1.0] } else { [1.0, 2.0, 1.0] };
        (0..self.ndim()).fold(self.clone(), |x, axis| x.swept("sobel", &kernel(axis), axis, &boundary, at))
    }

    /// The sum of the second differences along all axes, weights 1, -2, 1: `laplace`.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_fn((4, 4), 2, |(i, j)| (i * i + j * j) as i32);
    /// assert_eq!(x.laplace(Boundary::default()).slice(s![1..3, 1..3]).compute()?, ndarray::arr2(&[[4, 4], [4, 4]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn laplace(&self, boundary: impl Into<Boundaries<T>>) -> Self {
        let (at, boundary) = (here(), boundary.into());
        let differences = |axis| self.swept("laplace", &[1.0, -2.0, 1.0], axis, &boundary, at);
        let sum = |a: Self, b: Self| {
            LazyArray::wrap(Expr::element(BinaryOp::Add.into(), &[a.expr(), b.expr()], at))
        };
        let no_axis = || match self.expr().error() {
            Some(_) => self.clone(),
            None => {
                let cause = ExprError::Message("an array without axes has no slope".into());
                LazyArray::wrap(Expr::invalid("laplace", cause, at))
            }
        };
        (0..self.ndim()).map(differences).reduce(sum).unwrap_or_else(no_axis)
    }
}

impl<T: Real, D: Dimension> LazyArray<T, D> {
    /// The median of the box of `size` elements around every element, the upper one of an even number: `median_filter`.
    /// NaN ranks above all numbers. Costs some operations for every element of a box: boxes should be small.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 1, 90, 2, 2, 3]), 2);
    /// assert_eq!(x.median_filter(3, Boundary::default()).compute()?, ndarray::arr1(&[1, 1, 2, 2, 2, 3]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn median_filter(&self, size: impl Into<PerAxis<usize>>, boundary: impl Into<Boundaries<T>>) -> Self {
        let middle = |count: usize| count / 2;
        self.ranked("median_filter", &size.into(), middle, &boundary.into(), here())
    }

    /// The element of rank `rank`, counted from 0 for the least, of the box around every element: `rank_filter`. See
    /// [`median_filter`](LazyArray::median_filter).
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[5, 1, 9, 2]), 2);
    /// assert_eq!(x.rank_filter(0, 3, Boundary::default()).compute()?, ndarray::arr1(&[1, 1, 1, 2]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn rank_filter(
        &self,
        rank: usize,
        size: impl Into<PerAxis<usize>>,
        boundary: impl Into<Boundaries<T>>,
    ) -> Self {
        self.ranked("rank_filter", &size.into(), |_| rank, &boundary.into(), here())
    }

    /// The least element of the box of `size` elements around every element: `minimum_filter`. NaN is above all numbers.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[5, 1, 9, 2]), 2);
    /// assert_eq!(x.minimum_filter(2, Boundary::default()).compute()?, ndarray::arr1(&[5, 1, 1, 2]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn minimum_filter(
        &self,
        size: impl Into<PerAxis<usize>>,
        boundary: impl Into<Boundaries<T>>,
    ) -> Self {
        self.ranked("minimum_filter", &size.into(), |_| 0, &boundary.into(), here())
    }

    /// The largest element of the box of `size` elements around every element: `maximum_filter`. NaN is above all numbers.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[5, 1, 9, 2]), 2);
    /// assert_eq!(x.maximum_filter(2, Boundary::default()).compute()?, ndarray::arr1(&[5, 5, 9, 9]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn maximum_filter(
        &self,
        size: impl Into<PerAxis<usize>>,
        boundary: impl Into<Boundaries<T>>,
    ) -> Self {
        self.ranked("maximum_filter", &size.into(), |count| count - 1, &boundary.into(), here())
    }

    fn ranked(
        &self,
        name: &'static str,
        size: &PerAxis<usize>,
        rank: impl Fn(usize) -> usize,
        boundary: &Boundaries<T>,
        origin: Origin,
    ) -> Self {
        if self.expr().error().is_some() {
            return self.clone();
        }
        let margins = size.axes("sizes are given", self.shape()).and_then(|sizes| {
            let count = sizes.iter().fold(1usize, |n, &len| n.saturating_mul(len));
            let depths = sizes.into_iter().map(around).collect::<Result<_, _>>()?;
            Ok((rank(count), boundary.full(depths, self.shape())?))
        });
        LazyArray::wrap(match margins {
            Ok((rank, margins)) => {
                let margins = |_: &[usize]| -> Result<Vec<AxisMargin>, ExprError> { Ok(margins) };
                overlap::rank_filter(name, self.expr(), rank, margins, origin)
            }
            Err(cause) => Expr::invalid(name, cause, origin),
        })
    }

    /// Sums along one axis, with weights that are numbers of any type.
    fn swept(
        &self,
        name: &'static str,
        kernel: &[f64],
        axis: usize,
        boundary: &Boundaries<T>,
        origin: Origin,
    ) -> Self {
        let dtype: DType = T::DTYPE;
        let weights = Weights::along(kernel.iter().copied(), axis, self.ndim()).cast(dtype);
        self.filtered(name, weights, boundary, |len| len / 2, origin)
    }
}

/// The elements before and after the middle of a box.
fn around(size: usize) -> Result<(usize, usize), ExprError> {
    match size {
        0 => Err(ExprError::Message("a box of 0 elements has no element".into())),
        _ => Ok((size / 2, (size - 1) / 2)),
    }
}

/// Weights that add up to 1.
fn gaussian(sigma: f64) -> Result<Vec<f64>, ExprError> {
    const MOST: f64 = (1_u64 << 26) as f64;
    let reach = (TRUNCATE * sigma + 0.5).floor();
    if !(sigma >= 0.0 && reach <= MOST) {
        let text = format!("a standard deviation of {sigma} is not one from 0 to {}", MOST / TRUNCATE);
        return Err(ExprError::Message(text));
    }
    let weight = |at: f64| if at == 0.0 { 1.0 } else { (-0.5 * (at / sigma) * (at / sigma)).exp() };
    let half = reach as i64;
    let weights: Vec<f64> = (-half..=half).map(|at| weight(at as f64)).collect();
    let sum: f64 = weights.iter().sum();
    Ok(weights.into_iter().map(|weight| weight / sum).collect())
}

fn uniform(size: usize) -> Result<Vec<f64>, ExprError> {
    around(size)?;
    if size > 1 << 27 {
        return Err(ExprError::Message(format!("a box of {size} elements is too long")));
    }
    Ok(vec![1.0 / size as f64; size])
}
