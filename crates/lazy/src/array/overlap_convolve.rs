//! Convolution and correlation with an array of weights in memory.
//!
//! The sums are taken in the type of the elements, in the order of the weights. With the feature `fft`, 128 and more
//! weights along one axis of floats or complex numbers are multiplied in the frequency domain: an element then costs a number of operations
//! that grows with the logarithm of their number, and its error is relative to the largest sums near it, of some units in
//! the last place times that logarithm.

use std::panic::Location;

use chunkwise_chunk::{Chunk, ChunkError, Number};
use chunkwise_expr::Expr;
use chunkwise_ops::overlap::{self, Boundaries, ConvolveMode, Weights};
use ndarray::{Axis, Dimension, Ix1};

use super::here;
use super::layout::part;
use crate::{IntoShared, LazyArray};

type Origin = &'static Location<'static>;

impl<T: Number> LazyArray<T, Ix1> {
    /// NumPy's `convolve`: element `i` of the full result is the sum of `weights[k] * x[i - k]`, with zeros beyond the ends.
    /// As in NumPy, [`Same`](ConvolveMode::Same) and [`Valid`](ConvolveMode::Valid) are of the longer of both: of more
    /// weights than elements, as many as there are weights, and those in which all elements take part.
    ///
    /// ```
    /// use chunkwise::ConvolveMode;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(1.0_f64, 4.0, 1.0, 2);
    /// let full = x.convolve(&ndarray::arr1(&[0.0, 1.0, 0.5]), ConvolveMode::Full);
    /// assert_eq!(full.compute()?, ndarray::arr1(&[0.0, 1.0, 2.5, 4.0, 1.5]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn convolve(&self, weights: impl IntoShared<T, Ix1>, mode: ConvolveMode) -> Self {
        let weights = taken(weights).reversed();
        LazyArray::wrap(one_dimensional("convolve", self.expr(), weights, mode, here()))
    }

    /// NumPy's `correlate`: the weights are not reversed, and the conjugates of complex ones are taken, so that element
    /// `i` of the valid result is the sum of `weights[k].conj() * x[i + k]`.
    ///
    /// ```
    /// use chunkwise::ConvolveMode;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(1.0_f64, 4.0, 1.0, 2);
    /// let same = x.correlate(&ndarray::arr1(&[0.0, 1.0, 0.5]), ConvolveMode::Same);
    /// assert_eq!(same.compute()?, ndarray::arr1(&[2.0, 3.5, 3.0]));
    /// let turned = x.to_complex().correlate(&ndarray::arr1(&[Complex::i()]), ConvolveMode::Valid);
    /// assert_eq!(turned.im().compute()?, ndarray::arr1(&[-1.0, -2.0, -3.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn correlate(&self, weights: impl IntoShared<T, Ix1>, mode: ConvolveMode) -> Self {
        let weights = taken(weights).conjugated();
        LazyArray::wrap(one_dimensional("correlate", self.expr(), weights, mode, here()))
    }
}

impl<T: Number, D: Dimension> LazyArray<T, D> {
    /// `scipy.ndimage`'s `convolve`: as many results as there are elements, with the middle of the weights on each, and
    /// beyond the ends what `boundary` says; there, the default is [`Symmetric`](crate::Boundary::Symmetric). Of an even
    /// number of weights, the middle is the one before.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_fn((3, 3), 2, |(i, j)| (3 * i + j) as i32);
    /// let right = x.convolve_nd(&ndarray::arr2(&[[0, 0, 1]]), Boundary::Constant(-1));
    /// assert_eq!(right.compute()?.row(0), ndarray::arr1(&[-1, 0, 1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn convolve_nd(&self, weights: impl IntoShared<T, D>, boundary: impl Into<Boundaries<T>>) -> Self {
        self.filtered("convolve_nd", taken(weights).reversed(), &boundary.into(), |len| (len - 1) / 2, here())
    }

    /// `scipy.ndimage`'s `correlate`: [`convolve_nd`](LazyArray::convolve_nd) with the weights in reverse, and the
    /// conjugates of complex ones. Of an even number of weights, the middle is the one after.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_fn((3, 3), 2, |(i, j)| (3 * i + j) as i32);
    /// let left = x.correlate_nd(&ndarray::arr2(&[[0, 0, 1]]), Boundary::Constant(-1));
    /// assert_eq!(left.compute()?.row(0), ndarray::arr1(&[1, 2, -1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn correlate_nd(&self, weights: impl IntoShared<T, D>, boundary: impl Into<Boundaries<T>>) -> Self {
        self.filtered("correlate_nd", taken(weights).conjugated(), &boundary.into(), |len| len / 2, here())
    }

    /// `scipy.ndimage`'s `convolve1d`: [`convolve_nd`](LazyArray::convolve_nd) with weights along one axis.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [4, 8]]), 1);
    /// let steps = x.convolve_axis(&ndarray::arr1(&[1, -1, 0]), Axis(0), Boundary::Nearest);
    /// assert_eq!(steps.compute()?, ndarray::arr2(&[[3, 6], [0, 0]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn convolve_axis(
        &self,
        weights: impl IntoShared<T, Ix1>,
        axis: Axis,
        boundary: impl Into<Boundaries<T>>,
    ) -> Self {
        let at = here();
        match self.along(taken(weights).reversed(), axis) {
            Ok(weights) => self.filtered("convolve_axis", weights, &boundary.into(), |len| (len - 1) / 2, at),
            Err(cause) => LazyArray::wrap(Expr::invalid("convolve_axis", cause.into(), at)),
        }
    }

    /// `scipy.ndimage`'s `correlate1d`: [`correlate_nd`](LazyArray::correlate_nd) with weights along one axis.
    ///
    /// ```
    /// use chunkwise::Boundary;
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [4, 8]]), 1);
    /// let steps = x.correlate_axis(&ndarray::arr1(&[0, -1, 1]), Axis(0), Boundary::Nearest);
    /// assert_eq!(steps.compute()?, ndarray::arr2(&[[3, 6], [0, 0]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn correlate_axis(
        &self,
        weights: impl IntoShared<T, Ix1>,
        axis: Axis,
        boundary: impl Into<Boundaries<T>>,
    ) -> Self {
        let at = here();
        match self.along(taken(weights).conjugated(), axis) {
            Ok(weights) => self.filtered("correlate_axis", weights, &boundary.into(), |len| len / 2, at),
            Err(cause) => LazyArray::wrap(Expr::invalid("correlate_axis", cause.into(), at)),
        }
    }

    /// Weights of one axis as weights along `axis` of this array.
    fn along(&self, weights: Weights, axis: Axis) -> Result<Weights, ChunkError> {
        match self.expr().error().is_some() || axis.index() < self.ndim() {
            true => Ok(weights.turned(axis.index(), self.ndim())),
            false => Err(ChunkError::Axis { axis: axis.index() as isize, shape: self.shape().into() }),
        }
    }

    /// The sums, with so many elements before the middle of the weights.
    pub(super) fn filtered(
        &self,
        name: &'static str,
        weights: Weights,
        boundary: &Boundaries<T>,
        before: impl Fn(usize) -> usize,
        origin: Origin,
    ) -> Self {
        let depths: Vec<(usize, usize)> = weights
            .shape()
            .iter()
            .map(|&len| len.max(1))
            .map(|len| (before(len), len - 1 - before(len)))
            .collect();
        let margins = |shape: &[usize]| boundary.full(depths, shape);
        LazyArray::wrap(overlap::correlate(name, self.expr(), weights, margins, origin))
    }
}

/// A sum of weighted neighbours in one of NumPy's modes, which are of the longer of array and weights. Of an even number of
/// elements under more weights the middle is one further to the right where the weights are not reversed.
fn one_dimensional(name: &'static str, x: &Expr, weights: Weights, mode: ConvolveMode, at: Origin) -> Expr {
    let (n, k) = (x.shape().first().copied().unwrap_or(0), weights.values().len());
    let start = match mode {
        ConvolveMode::Same if name == "correlate" => n / 2,
        ConvolveMode::Same => n.saturating_sub(1) / 2,
        _ => n.saturating_sub(1),
    };
    if n == 0 || k <= n || mode == ConvolveMode::Full {
        return overlap::correlate_1d(name, x, weights, mode, at);
    }
    let full = overlap::correlate_1d(name, x, weights, ConvolveMode::Full, at);
    let kept = if mode == ConvolveMode::Same { k } else { k - n + 1 };
    part(name, &full, 0, start, start + kept, at)
}

fn taken<T: Number, D: Dimension>(weights: impl IntoShared<T, D>) -> Weights {
    Weights::of_chunk(&Chunk::from_array(weights.into_shared_array().into_owned().into_dyn()))
}
