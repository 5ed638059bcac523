//! Differences, derivatives, integrals and interpolation along an axis.

use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, Chunks, DType, Element, Float, Number, Real};
use chunkwise_expr::{BinaryOp, ElementFn, ElementOp, Expr, ExprError, ReduceKind};
use chunkwise_ops::shape::{Difference, Gradient, Spacing};
use chunkwise_storage::{FnSource, MemorySource};
use ndarray::{Array1, Axis, Dimension, Ix1, RemoveAxis};

use super::complex::{of_parts, parts};
use super::here;
use super::layout::{Origin, check_axis, part};
use crate::LazyArray;

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The distance of each element to the next along an axis, `n` times; of `bool` whether they differ. Integers wrap.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 4, 9, 16]), 2);
    /// assert_eq!(x.diff(1, Axis(0)).compute()?, ndarray::arr1(&[3, 5, 7]));
    /// assert_eq!(x.diff(2, Axis(0)).compute()?, ndarray::arr1(&[2, 2]));
    /// let z = x.cast::<Complex<f64>>() * Complex::i();
    /// assert_eq!(z.diff(1, Axis(0)).im().compute()?, ndarray::arr1(&[3.0, 5.0, 7.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn diff(&self, n: usize, axis: Axis) -> LazyArray<T, D> {
        LazyArray::wrap(differences(self.expr(), n, axis.index(), here()))
    }

    /// [`diff`](LazyArray::diff) of the array with others before and after it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1, 4, 9]), 2);
    /// let zero = LazyArray::<i32, _>::zeros(1, 1);
    /// assert_eq!(x.diff_with(1, Axis(0), Some(&zero), None).compute()?, ndarray::arr1(&[1, 3, 5]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn diff_with(
        &self,
        n: usize,
        axis: Axis,
        before: Option<&LazyArray<T, D>>,
        after: Option<&LazyArray<T, D>>,
    ) -> LazyArray<T, D> {
        let at = here();
        let parts: Vec<&Expr> =
            before.into_iter().chain([self]).chain(after).map(|array| array.expr()).collect();
        let whole = match parts[..] {
            [only] => only.clone(),
            _ => Expr::concat(&parts, axis.index(), at),
        };
        LazyArray::wrap(differences(&whole, n, axis.index(), at))
    }

    /// The distances of all elements in C order, with values before and after them: NumPy's `ediff1d`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 4], [9, 16]]), 1);
    /// assert_eq!(x.ediff1d(&[0], &[-1, -1]).compute()?, ndarray::arr1(&[0, 3, 5, 7, -1, -1]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ediff1d(&self, before: &[T], after: &[T]) -> LazyArray<T, Ix1> {
        let at = here();
        let distances = differences(&self.expr().reshape(&[self.len()], at), 1, 0, at);
        let listed = |values: &[T]| {
            let source = MemorySource::from_array(Array1::from(values.to_vec()).into_dyn());
            Expr::source("ediff1d", Arc::new(source), Some(&Chunks::Auto), at)
        };
        let parts = [listed(before), distances, listed(after)];
        let some = parts.iter().filter(|part| part.error().is_some() || part.shape() != [0]);
        let some: Vec<&Expr> = some.collect();
        LazyArray::wrap(match some[..] {
            [] => parts[1].clone(),
            [only] => only.clone(),
            _ => Expr::concat(&some, 0, at),
        })
    }
}

impl<T: Number, D: Dimension> LazyArray<T, D> {
    /// The derivative along an axis, by central differences and simple ones at both ends: NumPy's `gradient`. The spacing is
    /// the distance of neighbours or the coordinates of all elements. The parts of complex numbers are derived one by one.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 2.0, 4.0, 7.0, 11.0]), 2);
    /// assert_eq!(x.gradient(Axis(0), 1.0).compute()?, ndarray::arr1(&[1.0, 1.5, 2.5, 3.5, 4.0]));
    /// let y = x.gradient(Axis(0), [0.0, 1.0, 1.5, 3.5, 4.0]);
    /// assert_eq!(y.compute()?[0], 1.0);
    /// let z = (x.to_complex() * Complex::i()).gradient(Axis(0), 0.5);
    /// assert_eq!(z.compute()?[1], Complex::new(0.0, 3.0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gradient(&self, axis: Axis, spacing: impl Into<Spacing>) -> LazyArray<T::Mean, D> {
        LazyArray::wrap(derived(self.expr(), axis.index(), spacing.into(), 1, here()))
    }

    /// [`gradient`](LazyArray::gradient) with differences of order 1 or 2 at both ends.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let squares = LazyArray::arange(0.0_f64, 5.0, 1.0, 2).square();
    /// let slopes = squares.gradient_with(Axis(0), 1.0, 2);
    /// assert_eq!(slopes.compute()?, ndarray::arr1(&[0.0, 2.0, 4.0, 6.0, 8.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gradient_with(
        &self,
        axis: Axis,
        spacing: impl Into<Spacing>,
        edge_order: usize,
    ) -> LazyArray<T::Mean, D> {
        LazyArray::wrap(derived(self.expr(), axis.index(), spacing.into(), edge_order, here()))
    }
}

impl<T: Real, D: Dimension> LazyArray<T, D> {
    /// The [`gradient`](LazyArray::gradient) along every axis, in their order: NumPy's `gradient` without an axis. One spacing
    /// is for all axes, several are for one axis each; another number is an error in each result. Computed together they
    /// read the array once for each axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1.0, 2.0, 6.0], [3.0, 4.0, 5.0]]), 2);
    /// let [rows, columns]: [_; 2] = x.gradient_all([1.0, 2.0]).try_into().unwrap();
    /// assert_eq!(rows.compute()?.row(0), ndarray::arr1(&[2.0, 2.0, -1.0]));
    /// assert_eq!(columns.compute()?.row(0), ndarray::arr1(&[0.5, 1.25, 2.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gradient_all(
        &self,
        spacings: impl IntoIterator<Item = impl Into<Spacing>>,
    ) -> Vec<LazyArray<T::Mean, D>> {
        let (at, spacings) = (here(), spacings.into_iter().map(Into::into).collect());
        slopes(self.expr(), spacings, at).into_iter().map(LazyArray::wrap).collect()
    }
}

impl<T: Number, D: Dimension> LazyArray<T, D> {
    /// The integral along an axis by the trapezoidal rule; the spacing is the distance of neighbours or the coordinates of
    /// all elements. One pass: each element is weighted by half the distance of its neighbours.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 2.0, 3.0]), 2);
    /// let even: f64 = x.trapezoid(Axis(0), 2.0).compute()?;
    /// let uneven: f64 = x.trapezoid(Axis(0), [0.0, 1.0, 4.0]).compute()?;
    /// assert_eq!((even, uneven), (8.0, 9.0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn trapezoid(&self, axis: Axis, spacing: impl Into<Spacing>) -> LazyArray<T::Mean, D::Smaller>
    where
        D: RemoveAxis,
    {
        LazyArray::wrap(integrated(self.expr(), axis.index(), spacing.into(), here()))
    }
}

/// What [`interp_with`](LazyArray::interp_with) gives outside the points, and whether they repeat.
///
/// ```
/// use chunkwise::InterpOptions;
/// let options = InterpOptions { left: Some(f64::NAN), ..InterpOptions::default() };
/// assert!(options.right.is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InterpOptions {
    /// The value before the first point; that of the first point where nothing is said.
    pub left: Option<f64>,
    /// The value after the last point; that of the last point where nothing is said.
    pub right: Option<f64>,
    /// The points repeat with this period, and need not be in order. `left` and `right` are then not used.
    pub period: Option<f64>,
}

impl<T: Float, D: Dimension> LazyArray<T, D> {
    /// The piecewise linear function through the points `(xp[i], fp[i])`, at every element: NumPy's `interp`. The
    /// coordinates `xp` must not decrease. Computed in `f64`, and rounded once to the type of the elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0.0, 1.5, 9.0]), 2);
    /// let y = x.interp(&[1.0, 2.0, 3.0], &[10.0, 20.0, 0.0]);
    /// assert_eq!(y.compute()?, ndarray::arr1(&[10.0, 15.0, 0.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn interp(&self, xp: &[f64], fp: &[f64]) -> LazyArray<T, D> {
        LazyArray::wrap(interpolated(self.expr(), xp, fp, InterpOptions::default(), here()))
    }

    /// [`interp`](LazyArray::interp) with other values outside the points, or points that repeat.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::InterpOptions;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[-180.0, 0.0, 365.0]), 2);
    /// let period = InterpOptions { period: Some(360.0), ..Default::default() };
    /// let y = x.interp_with(&[190.0, -190.0, 350.0, -350.0], &[5.0, 10.0, 3.0, 4.0], period);
    /// assert_eq!(y.compute()?, ndarray::arr1(&[7.5, 3.5, 3.75]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn interp_with(&self, xp: &[f64], fp: &[f64], options: InterpOptions) -> LazyArray<T, D> {
        LazyArray::wrap(interpolated(self.expr(), xp, fp, options, here()))
    }
}

fn differences(x: &Expr, n: usize, axis: usize, at: Origin) -> Expr {
    let Some(grid) = x.grid() else { return x.clone() };
    match check_axis(axis, grid.shape()) {
        Err(cause) => Expr::invalid("diff", cause.into(), at),
        // Nothing is left: no need to go there step by step.
        Ok(()) if n > grid.shape()[axis] => {
            let checked = Expr::blockwise(Difference { axis }, &[x], at);
            part("diff", &checked, axis, 0, 0, at)
        }
        Ok(()) => (0..n).fold(x.clone(), |x, _| Expr::blockwise(Difference { axis }, &[&x], at)),
    }
}

/// In the floats that means are taken in.
fn floats(x: &Expr, at: Origin) -> Expr {
    x.cast(x.dtype().map_or(DType::F64, DType::mean_type), at)
}

fn derived(x: &Expr, axis: usize, spacing: Spacing, edge_order: usize, at: Origin) -> Expr {
    let gradient = Gradient { axis, spacing, edge_order };
    let derived = |x: &Expr| Expr::blockwise(gradient.clone(), &[x], at);
    let x = floats(x, at);
    match x.dtype() {
        Some(dtype) if dtype.is_complex() => of_parts(parts(&x, at).map(|part| derived(&part)), at),
        _ => derived(&x),
    }
}

/// The derivative along every axis.
fn slopes(x: &Expr, mut spacings: Vec<Spacing>, at: Origin) -> Vec<Expr> {
    let ndim = x.shape().len();
    if let [one] = &spacings[..] {
        spacings = vec![one.clone(); ndim];
    }
    if spacings.len() != ndim && x.error().is_none() {
        let text = format!("{} spacings are given for {ndim} axes", spacings.len());
        return vec![Expr::invalid("gradient_all", ExprError::Message(text), at); ndim];
    }
    spacings.into_iter().enumerate().map(|(axis, spacing)| derived(x, axis, spacing, 1, at)).collect()
}

fn integrated(x: &Expr, axis: usize, spacing: Spacing, at: Origin) -> Expr {
    let Some(grid) = x.grid() else { return x.clone() };
    let cause = match check_axis(axis, grid.shape()) {
        Err(cause) => ExprError::from(cause),
        Ok(()) => match (spacing.coordinates(), grid.shape()[axis]) {
            (Some(given), n) if given != n => ExprError::Message(format!(
                "{given} coordinates are given for {n} elements along axis {axis}"
            )),
            (_, n) => return weighted(x, axis, &weights(grid, axis, n, spacing, at), at),
        },
    };
    Expr::invalid("trapezoid", cause, at)
}

/// Half the distance of the neighbours of each element, along an axis with length 1 along those after it, in the blocks of
/// a grid.
fn weights(grid: &ChunkGrid, axis: usize, n: usize, spacing: Spacing, at: Origin) -> Expr {
    let ndim = grid.ndim();
    let mut shape = vec![1; ndim - axis];
    shape[0] = n;
    let weight = move |index: &[usize]| {
        let before = if index[0] > 0 { spacing.step(index[0] - 1) } else { 0.0 };
        let after = if index[0] + 1 < n { spacing.step(index[0]) } else { 0.0 };
        (before + after) / 2.0
    };
    let unit = chunkwise_chunk::AxisChunks::whole(1);
    let cuts = std::iter::once(grid.axis(axis).clone()).chain((axis + 1..ndim).map(|_| unit.clone()));
    let chunks = Chunks::Grid(ChunkGrid::new(cuts));
    Expr::source("trapezoid", Arc::new(FnSource::new(&shape, weight)), Some(&chunks), at)
}

fn weighted(x: &Expr, axis: usize, weights: &Expr, at: Origin) -> Expr {
    let x = floats(x, at);
    // A single element spans nothing, whatever it is.
    let x = match x.shape().get(axis) {
        Some(1) => part("trapezoid", &x, axis, 0, 0, at),
        _ => {
            Expr::element(BinaryOp::Mul.into(), &[&x, &weights.cast(x.dtype().unwrap_or(DType::F64), at)], at)
        }
    };
    x.reduce(ReduceKind::Sum, Some(&[axis]), false, 0.0, at)
}

fn interpolated(x: &Expr, xp: &[f64], fp: &[f64], options: InterpOptions, at: Origin) -> Expr {
    match Points::new(xp, fp, options) {
        Ok(points) => {
            let value = ElementFn::unary("interp", move |x: f64| points.value(x));
            let made = Expr::element(ElementOp::Call(value), &[&x.cast(DType::F64, at)], at);
            made.cast(x.dtype().unwrap_or(DType::F64), at)
        }
        Err(_) if x.error().is_some() => x.clone(),
        Err(cause) => Expr::invalid("interp", cause, at),
    }
}

/// A piecewise linear function.
struct Points {
    at: Vec<f64>,
    values: Vec<f64>,
    left: f64,
    right: f64,
    period: Option<f64>,
}

impl Points {
    fn new(xp: &[f64], fp: &[f64], options: InterpOptions) -> Result<Points, ExprError> {
        let refused = |text: String| Err(ExprError::Message(text));
        let (Some(&first), Some(&last)) = (fp.first(), fp.last()) else {
            return refused("there must be at least one point".into());
        };
        if xp.len() != fp.len() {
            return refused(format!("{} coordinates are given for {} values", xp.len(), fp.len()));
        }
        if let Some(period) = options.period {
            return match period.abs() {
                length if length > 0.0 && length.is_finite() => Ok(Points::periodic(xp, fp, length)),
                _ => refused(format!("a period of {period} is no distance")),
            };
        }
        if let Some(place) = xp.windows(2).position(|pair| pair[1] < pair[0]) {
            return refused(format!("the coordinates decrease after place {place}"));
        }
        Ok(Points {
            at: xp.to_vec(),
            values: fp.to_vec(),
            left: options.left.unwrap_or(first),
            right: options.right.unwrap_or(last),
            period: None,
        })
    }

    /// One period of the points in order, with one more at each end.
    fn periodic(xp: &[f64], fp: &[f64], period: f64) -> Points {
        let mut points: Vec<(f64, f64)> = xp
            .iter()
            .map(|&x| chunkwise_expr::RealArith::modulo(x, period))
            .zip(fp.iter().copied())
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (first, last) = (points[0], points[points.len() - 1]);
        points.insert(0, (last.0 - period, last.1));
        points.push((first.0 + period, first.1));
        let (at, values) = points.into_iter().unzip();
        Points { at, values, left: last.1, right: first.1, period: Some(period) }
    }

    /// As NumPy computes it: from the point before, or from the one after where that is no number.
    fn value(&self, x: f64) -> f64 {
        let x = self.period.map_or(x, |period| chunkwise_expr::RealArith::modulo(x, period));
        let after = self.at.partition_point(|&at| at <= x);
        match after.checked_sub(1) {
            // A lone point is all that is neither before nor after it.
            _ if x.is_nan() => {
                if self.at.len() == 1 {
                    self.values[0]
                } else {
                    x
                }
            }
            None => self.left,
            Some(last) if last + 1 == self.at.len() => {
                if x > self.at[last] {
                    self.right
                } else {
                    self.values[last]
                }
            }
            Some(this) if self.at[this] == x => self.values[this],
            Some(this) => self.between(this, x),
        }
    }

    fn between(&self, this: usize, x: f64) -> f64 {
        let (at, values) = (&self.at[this..], &self.values[this..]);
        let slope = (values[1] - values[0]) / (at[1] - at[0]);
        let forward = slope * (x - at[0]) + values[0];
        if !forward.is_nan() {
            return forward;
        }
        let backward = slope * (x - at[1]) + values[1];
        if backward.is_nan() && values[0] == values[1] { values[0] } else { backward }
    }
}
