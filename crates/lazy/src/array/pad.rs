//! Padding: what lies beyond the ends of the axes, and how wide.
//!
//! Where it is made of elements as they are, one node does it (`chunkwise_ops::shape::Extend`); ramps, statistics and odd
//! reflections are computed from views of the array, axis by axis, and joined to it.

use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{Chunks, DType, Element, Scalar, View};
use chunkwise_expr::{BinaryOp, ElementOp, Expr, ExprError, ReduceKind, UnaryOp, eval_cast};
use chunkwise_ops::shape::{Beyond, Extend, LineMedian, Walk};
use chunkwise_storage::ArangeSource;
use ndarray::{Dimension, SliceInfoElem};

use super::{here, size_checked};
use crate::LazyArray;

type Origin = &'static Location<'static>;

/// How many elements to add before and after each axis: one number for all ends, a pair for all axes, or a pair for each.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::{PadMode, PadWidth};
/// let x = LazyArray::<u8, _>::zeros((2, 3), 2);
/// assert_eq!(x.pad(1, PadMode::Edge).shape(), [4, 5]);
/// assert_eq!(x.pad((0, 2), PadMode::Edge).shape(), [4, 5]);
/// assert_eq!(x.pad([(1, 0), (0, 0)], PadMode::Edge).shape(), [3, 3]);
/// assert_eq!(PadWidth::from(1), PadWidth::from((1, 1)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PadWidth(Widths);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Widths {
    Every(usize, usize),
    Each(Vec<(usize, usize)>),
}

impl PadWidth {
    fn of_axes(self, ndim: usize) -> Result<Vec<(usize, usize)>, ExprError> {
        match self.0 {
            Widths::Every(before, after) => Ok(vec![(before, after); ndim]),
            Widths::Each(each) => for_axes(&each, ndim, "widths"),
        }
    }
}

impl From<usize> for PadWidth {
    fn from(width: usize) -> PadWidth {
        PadWidth(Widths::Every(width, width))
    }
}

impl From<(usize, usize)> for PadWidth {
    fn from((before, after): (usize, usize)) -> PadWidth {
        PadWidth(Widths::Every(before, after))
    }
}

impl From<&[(usize, usize)]> for PadWidth {
    fn from(each: &[(usize, usize)]) -> PadWidth {
        PadWidth(Widths::Each(each.to_vec()))
    }
}

impl From<Vec<(usize, usize)>> for PadWidth {
    fn from(each: Vec<(usize, usize)>) -> PadWidth {
        PadWidth(Widths::Each(each))
    }
}

impl<const N: usize> From<[(usize, usize); N]> for PadWidth {
    fn from(each: [(usize, usize); N]) -> PadWidth {
        PadWidth(Widths::Each(each.to_vec()))
    }
}

/// What lies beyond the ends of an array, as the modes of NumPy's `pad`.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::PadMode;
/// let x = LazyArray::arange(1_i32, 4, 1, 2);
/// assert_eq!(x.pad(2, PadMode::Reflect).compute()?, ndarray::arr1(&[3, 2, 1, 2, 3, 2, 1]));
/// assert_eq!(x.pad(2, PadMode::ReflectOdd).compute()?, ndarray::arr1(&[-1, 0, 1, 2, 3, 4, 5]));
/// assert_eq!(x.pad(2, PadMode::Wrap).compute()?, ndarray::arr1(&[2, 3, 1, 2, 3, 1, 2]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PadMode<T> {
    /// One value.
    Constant(T),
    /// Values before and after each axis, or one pair for all axes. At corners that of the last axis is taken.
    Constants(Vec<(T, T)>),
    /// The element at the end.
    Edge,
    /// The elements in reverse order, without the one at the end.
    Reflect,
    /// Twice the element at the end less the reflected ones, without the one at the end.
    ReflectOdd,
    /// The elements in reverse order.
    Symmetric,
    /// Twice the element at the end less the reflected ones.
    SymmetricOdd,
    /// The elements from the other end.
    Wrap,
    /// From the element at the end in equal steps to this value. Integers are rounded down; complex numbers are an error.
    LinearRamp(T),
    /// The same to values before and after each axis, or one pair for all axes.
    LinearRamps(Vec<(T, T)>),
    /// The largest element of the line. Complex numbers have none and are an error.
    Maximum,
    /// The smallest element of the line. Complex numbers have none and are an error.
    Minimum,
    /// The mean of the line. Integers are rounded, ties to even.
    Mean,
    /// The median of the line. Integers are rounded, ties to even; complex numbers are an error.
    Median,
    /// A statistic of so many elements from the end, before and after each axis, or one pair for all axes.
    Statistic(PadStatistic, Vec<(usize, usize)>),
}

/// Which statistic [`PadMode::Statistic`] takes.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::{PadMode, PadStatistic};
/// let x = LazyArray::arange(1_i32, 6, 1, 2);
/// let ends = PadMode::Statistic(PadStatistic::Maximum, vec![(2, 1)]);
/// assert_eq!(x.pad(1, ends).compute()?, ndarray::arr1(&[2, 1, 2, 3, 4, 5, 5]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PadStatistic {
    /// The largest element, not of complex numbers.
    Maximum,
    /// The smallest element, not of complex numbers.
    Minimum,
    /// The mean. Integers are rounded, ties to even.
    Mean,
    /// The median, not of complex numbers. Integers are rounded, ties to even.
    Median,
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// With elements before and after each axis; see [`PadMode`] for which. As NumPy's `pad`, also where there are more of
    /// them than the axis has.
    ///
    /// Blocks stay as they are; narrow padding becomes part of those at the ends where it consists of elements as they are
    /// or of constants, and blocks of its own in the modes that compute.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::PadMode;
    /// let x = LazyArray::arange(1_i32, 4, 1, 2);
    /// assert_eq!(x.pad((1, 2), PadMode::Constant(0)).compute()?, ndarray::arr1(&[0, 1, 2, 3, 0, 0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn pad(&self, width: impl Into<PadWidth>, mode: PadMode<T>) -> LazyArray<T, D> {
        LazyArray::wrap(padded(self.expr(), width.into(), mode.untyped(), here()))
    }
}

/// [`PadMode`] without its type.
enum Mode {
    Copies(Copies),
    Odd {
        edge_twice: bool,
    },
    Ramp(Vec<(Scalar, Scalar)>),
    /// Of so many elements, or of all where nothing is said.
    Statistic(PadStatistic, Vec<(usize, usize)>),
}

/// Padding of elements as they are.
enum Copies {
    Fill(Vec<(Scalar, Scalar)>),
    Of(Beyond),
}

impl<T: Element> PadMode<T> {
    fn untyped(self) -> Mode {
        let pairs = |pairs: Vec<(T, T)>| -> Vec<(Scalar, Scalar)> {
            pairs.into_iter().map(|(before, after)| (before.into_scalar(), after.into_scalar())).collect()
        };
        match self {
            PadMode::Constant(value) => Mode::Copies(Copies::Fill(pairs(vec![(value, value)]))),
            PadMode::Constants(values) => Mode::Copies(Copies::Fill(pairs(values))),
            PadMode::Edge => Mode::Copies(Copies::Of(Beyond::Edge)),
            PadMode::Reflect => Mode::Copies(Copies::Of(Beyond::Reflect)),
            PadMode::Symmetric => Mode::Copies(Copies::Of(Beyond::Symmetric)),
            PadMode::Wrap => Mode::Copies(Copies::Of(Beyond::Wrap)),
            PadMode::ReflectOdd => Mode::Odd { edge_twice: false },
            PadMode::SymmetricOdd => Mode::Odd { edge_twice: true },
            PadMode::LinearRamp(value) => Mode::Ramp(pairs(vec![(value, value)])),
            PadMode::LinearRamps(values) => Mode::Ramp(pairs(values)),
            PadMode::Maximum => Mode::Statistic(PadStatistic::Maximum, Vec::new()),
            PadMode::Minimum => Mode::Statistic(PadStatistic::Minimum, Vec::new()),
            PadMode::Mean => Mode::Statistic(PadStatistic::Mean, Vec::new()),
            PadMode::Median => Mode::Statistic(PadStatistic::Median, Vec::new()),
            PadMode::Statistic(of, lengths) if lengths.is_empty() => Mode::Statistic(of, vec![(0, 0)]),
            PadMode::Statistic(of, lengths) => Mode::Statistic(of, lengths),
        }
    }
}

/// One entry for each axis: as given, or the only one for all.
fn for_axes<P: Clone>(given: &[P], ndim: usize, what: &str) -> Result<Vec<P>, ExprError> {
    match given {
        each if each.len() == ndim => Ok(each.to_vec()),
        [only] => Ok(vec![only.clone(); ndim]),
        other => {
            let text = format!("{} pairs of {what} are given for an array of {ndim} axes", other.len());
            Err(ExprError::Message(text))
        }
    }
}

fn padded(x: &Expr, widths: PadWidth, mode: Mode, at: Origin) -> Expr {
    if x.error().is_some() {
        return x.clone();
    }
    match try_padded(x, widths, mode, at) {
        Ok(padded) => padded,
        Err(cause) => Expr::invalid("pad", cause, at),
    }
}

fn try_padded(x: &Expr, widths: PadWidth, mode: Mode, at: Origin) -> Result<Expr, ExprError> {
    let ndim = x.shape().len();
    let widths = widths.of_axes(ndim)?;
    // Before blocks are listed on the way there.
    let wide =
        |(&n, &(before, after)): (&usize, &(usize, usize))| n.saturating_add(before).saturating_add(after);
    size_checked(&x.shape().iter().zip(&widths).map(wide).collect::<Vec<_>>())?;
    match mode {
        Mode::Copies(copies) => copied(x, &widths, &copies, at),
        Mode::Odd { edge_twice } => along(x, &widths, &|x, axis, width| odd(x, axis, width, edge_twice, at)),
        Mode::Ramp(values) => {
            let values = for_axes(&values, ndim, "values")?;
            along(x, &widths, &|x, axis, width| ramped(x, axis, width, values[axis], at))
        }
        Mode::Statistic(of, lengths) => {
            let lengths = match lengths.is_empty() {
                true => vec![(usize::MAX, usize::MAX); ndim],
                false => for_axes(&lengths, ndim, "lengths")?,
            };
            if lengths.iter().any(|&(before, after)| before == 0 || after == 0) {
                return Err(ExprError::Message("a statistic of no elements has no value".into()));
            }
            along(x, &widths, &|x, axis, width| summarized(x, axis, width, of, lengths[axis], at))
        }
    }
}

/// Pads an axis, which has elements.
type PadAxis<'a> = dyn Fn(&Expr, usize, (usize, usize)) -> Expr + 'a;

/// Pads one axis after the other: the corners are made of what was padded before.
fn along(x: &Expr, widths: &[(usize, usize)], pad: &PadAxis<'_>) -> Result<Expr, ExprError> {
    let mut x = x.clone();
    for (axis, &width) in widths.iter().enumerate().filter(|(_, width)| **width != (0, 0)) {
        if x.error().is_none() && x.shape()[axis] == 0 {
            let text = format!("axis {axis} of shape {:?} has no elements to extend it with", x.shape());
            return Err(ExprError::Message(text));
        }
        x = pad(&x, axis, width);
    }
    Ok(x)
}

fn copied(x: &Expr, widths: &[(usize, usize)], copies: &Copies, at: Origin) -> Result<Expr, ExprError> {
    let beyond = match copies {
        Copies::Of(beyond) => vec![*beyond; widths.len()],
        Copies::Fill(values) => {
            let values = for_axes(values, widths.len(), "values")?;
            values.iter().map(|&(before, after)| Beyond::Fill(before, after)).collect()
        }
    };
    let walk = |(&width, &beyond): (&(usize, usize), &Beyond)| match width {
        (0, 0) => Walk::Along,
        (before, after) => Walk::Extend { before, after, beyond },
    };
    let walks: Vec<Walk> = widths.iter().zip(&beyond).map(walk).collect();
    if walks.iter().all(|walk| *walk == Walk::Along) {
        return Ok(x.clone());
    }
    Ok(Expr::blockwise(Extend::new("pad", walks), &[x], at))
}

/// Elements `start..end` of an axis, which has them.
fn part(x: &Expr, axis: usize, start: usize, end: usize, at: Origin) -> Expr {
    let mut elems: Vec<SliceInfoElem> = vec![(..).into(); x.shape().len()];
    if let Some(elem) = elems.get_mut(axis) {
        *elem = SliceInfoElem::Slice { start: start as isize, end: Some(end as isize), step: 1 };
    }
    Expr::view("pad", x, View::slice(x.shape(), &elems), at)
}

fn joined(parts: &[&Expr], axis: usize, at: Origin) -> Expr {
    let some = parts.iter().filter(|part| part.error().is_some() || part.shape()[axis] > 0);
    Expr::concat(&some.copied().collect::<Vec<_>>(), axis, at)
}

fn binary(op: BinaryOp, a: &Expr, b: &Expr, at: Origin) -> Expr {
    Expr::element(op.into(), &[a, b], at)
}

fn number(value: f64, dtype: DType, at: Origin) -> Expr {
    Expr::literal(eval_cast(Scalar::F64(value), dtype), at)
}

/// Reflects both ends as often as it takes, each time all there is of it, in the order NumPy does: its sums round in the
/// same way.
fn odd(x: &Expr, axis: usize, (before, after): (usize, usize), edge_twice: bool, at: Origin) -> Expr {
    let n = x.shape()[axis];
    if n == 1 {
        let mut walks = vec![Walk::Along; x.shape().len()];
        walks[axis] = Walk::Extend { before, after, beyond: Beyond::Edge };
        return Expr::blockwise(Extend::new("pad", walks), &[x], at);
    }
    let (mut area, mut left, mut right) = (x.clone(), before, after);
    let lone = x.grid().is_some_and(|grid| grid.axis(axis).count() == 1);
    while (left, right) != (0, 0) && area.error().is_none() {
        let len = area.shape()[axis];
        let whole = if edge_twice { len / n * n } else { (len - 1) / (n - 1) * (n - 1) };
        let (low, high) = (whole.min(left), whole.min(right));
        let skipped = usize::from(!edge_twice);
        let start = turned(&area, axis, (0, skipped), low, at);
        // The end is reflected where the start is already there.
        let end = turned(&area, axis, (len - 1, len - skipped - high), high, at);
        area = joined(&[&start, &area, &end], axis, at);
        if lone {
            area = gathered(&area, axis, at);
        }
        (left, right) = (left - low, right - high);
    }
    area
}

/// Twice the element at `edge` less `count` elements from `start` on in reverse order.
fn turned(area: &Expr, axis: usize, (edge, start): (usize, usize), count: usize, at: Origin) -> Expr {
    if count == 0 || area.error().is_some() {
        return part(area, axis, 0, 0, at);
    }
    let dtype = area.dtype().unwrap_or(DType::F64);
    let twice = binary(BinaryOp::Mul, &number(2.0, dtype, at), &part(area, axis, edge, edge + 1, at), at);
    let reflected = part(area, axis, start, start + count, at);
    let reflected = Expr::view("pad", &reflected, View::flip(reflected.shape(), axis), at);
    binary(BinaryOp::Sub, &twice, &reflected, at)
}

/// What was one block along an axis, as few blocks: a small array that is extended a thousand times must not stay in
/// blocks of its first length.
fn gathered(area: &Expr, axis: usize, at: Origin) -> Expr {
    const MOST: usize = 1 << 16;
    let Some(grid) = area.grid() else { return area.clone() };
    let across: usize = (0..grid.ndim())
        .filter(|&other| other != axis)
        .map(|other| grid.axis(other).max_chunk().max(1))
        .product();
    let chunk = (MOST / across).max(grid.axis(axis).max_chunk());
    let cuts = grid.axes().iter().enumerate().map(|(number, cut)| match number == axis {
        true => chunkwise_chunk::AxisChunks::regular(cut.len(), chunk),
        false => cut.clone(),
    });
    area.rechunk(&Chunks::Grid(chunkwise_chunk::ChunkGrid::new(cuts)), at)
}

/// With straight lines from the elements at the ends to `values`.
fn ramped(x: &Expr, axis: usize, widths: (usize, usize), values: (Scalar, Scalar), at: Origin) -> Expr {
    if x.error().is_some() {
        return x.clone();
    }
    let n = x.shape()[axis];
    let low = ramp(&part(x, axis, 0, 1, at), axis, widths.0, values.0, at);
    let high = ramp(&part(x, axis, n - 1, n, at), axis, widths.1, values.1, at);
    let high = Expr::view("pad", &high, View::flip(high.shape(), axis), at);
    joined(&[&low, x, &high], axis, at)
}

/// `width` numbers from `value` on in equal steps that would lead to `edge`, as NumPy's `linspace` computes them: in
/// double precision, and by another formula where any step is 0.
fn ramp(edge: &Expr, axis: usize, width: usize, value: Scalar, at: Origin) -> Expr {
    let dtype = edge.dtype().unwrap_or(DType::F64);
    if width == 0 || dtype == DType::Bool {
        let empty = part(edge, axis, 0, 0, at);
        // Of `bool` there is no ramp: the error is that of the subtraction.
        return if width == 0 { empty } else { binary(BinaryOp::Sub, edge, edge, at) };
    }
    let double = |x: f64| Expr::literal(Scalar::F64(x), at);
    let value = Expr::literal(eval_cast(value, DType::F64), at);
    let delta = binary(BinaryOp::Sub, &edge.cast(DType::F64, at), &value, at);
    let step = binary(BinaryOp::Div, &delta, &double(width as f64), at);
    let vanishes =
        binary(BinaryOp::Eq, &step, &double(0.0), at).reduce(ReduceKind::Any, None, false, 0.0, at);
    let place = places(edge.shape().len(), axis, width, at);
    let share = binary(BinaryOp::Div, &place, &double(width as f64), at);
    let by_share = binary(BinaryOp::Mul, &share, &delta, at);
    let by_step = binary(BinaryOp::Mul, &place, &step, at);
    let line = Expr::element(ElementOp::Select, &[&vanishes, &by_share, &by_step], at);
    let line = binary(BinaryOp::Add, &line, &value, at);
    match dtype.is_integer() {
        true => Expr::element(UnaryOp::Floor.into(), &[&line], at).cast(dtype, at),
        false => line.cast(dtype, at),
    }
}

/// 0, 1, .. along an axis of an array that has length 1 along all others.
fn places(ndim: usize, axis: usize, width: usize, at: Origin) -> Expr {
    let source = Arc::new(ArangeSource::new(0.0_f64, 1.0, width));
    let line = Expr::source("pad", source, Some(&Chunks::Auto), at);
    let elems: Vec<SliceInfoElem> =
        (0..ndim).map(|other| if other == axis { (..).into() } else { SliceInfoElem::NewAxis }).collect();
    Expr::view("pad", &line, View::slice(line.shape(), &elems), at)
}

/// With a statistic of the elements near each end.
fn summarized(
    x: &Expr,
    axis: usize,
    widths: (usize, usize),
    of: PadStatistic,
    lengths: (usize, usize),
    at: Origin,
) -> Expr {
    if x.error().is_some() {
        return x.clone();
    }
    let n = x.shape()[axis];
    let (first, last) = (lengths.0.min(n), lengths.1.min(n));
    let low = statistic(&part(x, axis, 0, first, at), axis, of, at);
    let high = statistic(&part(x, axis, n - last, n, at), axis, of, at);
    let wide = |line: &Expr, width: usize| {
        let mut shape = line.shape().to_vec();
        if let Some(len) = shape.get_mut(axis) {
            *len = width;
        }
        Expr::view("pad", line, View::broadcast(line.shape(), &shape), at)
    };
    joined(&[&wide(&low, widths.0), x, &wide(&high, widths.1)], axis, at)
}

/// The statistic of all lines along an axis, in the type of the elements.
fn statistic(x: &Expr, axis: usize, of: PadStatistic, at: Origin) -> Expr {
    let dtype = x.dtype().unwrap_or(DType::F64);
    let reduce = |kind| x.reduce(kind, Some(&[axis]), true, 0.0, at);
    match of {
        PadStatistic::Maximum => reduce(ReduceKind::Max),
        PadStatistic::Minimum => reduce(ReduceKind::Min),
        PadStatistic::Mean => rounded(&reduce(ReduceKind::Mean), dtype, at),
        PadStatistic::Median => {
            let floats = x.cast(dtype.mean_type(), at);
            rounded(&Expr::blockwise(LineMedian { axis }, &[&floats], at), dtype, at)
        }
    }
}

/// Floats in the type of the elements.
fn rounded(x: &Expr, dtype: DType, at: Origin) -> Expr {
    match dtype.is_integer() {
        true => Expr::element(UnaryOp::RoundTiesEven.into(), &[x], at).cast(dtype, at),
        false => x.cast(dtype, at),
    }
}
