//! Elements repeated, rolled and moved to other axes.

use chunkwise_chunk::{ChunkError, Element, View};
use chunkwise_expr::{Expr, ExprError};
use chunkwise_ops::shape::{Beyond, Counts, Extend, Walk};
use ndarray::{Axis, Dimension, Ix1, SliceInfoElem};

use super::here;
use crate::{IntoAxes, LazyArray, LazyArrayD};

pub(super) type Origin = &'static std::panic::Location<'static>;

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// Each element so many times along an axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 3, 1, 2);
    /// assert_eq!(x.repeat(2, Axis(0)).compute()?, ndarray::arr1(&[0, 0, 1, 1, 2, 2]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn repeat(&self, count: usize, axis: Axis) -> LazyArray<T, D> {
        LazyArray::wrap(walked("repeat", self.expr(), axis.index(), Ok(Walk::Repeat(count)), here()))
    }

    /// Each element of an axis as often as is listed for it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 3, 1, 2);
    /// assert_eq!(x.repeat_each(&[1, 0, 3], Axis(0)).compute()?, ndarray::arr1(&[0, 2, 2, 2]));
    /// assert!(x.repeat_each(&[1, 0], Axis(0)).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn repeat_each(&self, counts: &[usize], axis: Axis) -> LazyArray<T, D> {
        let walk = Counts::new(counts).map(Walk::Repeats);
        LazyArray::wrap(walked("repeat_each", self.expr(), axis.index(), walk, here()))
    }

    /// The whole array so many times along each axis, the last count for the last axis. Axes without a count are taken
    /// once, and counts without an axis make new ones in front, as NumPy's `tile`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 3, 1, 2);
    /// assert_eq!(x.tile(&[2]).compute()?, ndarray::arr1(&[0, 1, 2, 0, 1, 2]).into_dyn());
    /// assert_eq!(x.tile(&[2, 1]).shape(), [2, 3]);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tile(&self, counts: &[usize]) -> LazyArrayD<T> {
        LazyArray::wrap(tiled(self.expr(), counts, here()))
    }

    /// The elements moved along an axis, those that leave at one end entering at the other.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 5, 1, 2);
    /// assert_eq!(x.roll(2, Axis(0)).compute()?, ndarray::arr1(&[3, 4, 0, 1, 2]));
    /// assert_eq!(x.roll(-1, Axis(0)).compute()?, ndarray::arr1(&[1, 2, 3, 4, 0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: Axis) -> LazyArray<T, D> {
        LazyArray::wrap(rolled(self.expr(), shift, axis.index(), here()))
    }

    /// [`roll`](LazyArray::roll) along several axes; along one that is named twice by both.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// let y = x.roll_axes(&[(1, Axis(0)), (1, Axis(1))]);
    /// assert_eq!(y.compute()?, ndarray::arr2(&[[4, 3], [2, 1]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn roll_axes(&self, shifts: &[(isize, Axis)]) -> LazyArray<T, D> {
        let at = here();
        let roll = |x: Expr, &(shift, axis): &(isize, Axis)| rolled(&x, shift, axis.index(), at);
        LazyArray::wrap(shifts.iter().fold(self.expr().clone(), roll))
    }

    /// [`roll`](LazyArray::roll) of all elements in C order.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.roll_flat(1).compute()?, ndarray::arr2(&[[4, 1], [2, 3]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn roll_flat(&self, shift: isize) -> LazyArray<T, D> {
        let at = here();
        let line = self.expr().reshape(&[self.len()], at);
        LazyArray::wrap(rolled(&line, shift, 0, at).reshape(self.shape(), at))
    }

    /// All elements in C order, along one axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.flatten().compute()?, ndarray::arr1(&[1, 2, 3, 4]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn flatten(&self) -> LazyArray<T, Ix1> {
        LazyArray::wrap(self.expr().reshape(&[self.len()], here()))
    }

    /// The same as [`flatten`](LazyArray::flatten): what is lazy copies nothing in either.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<u8, _>::zeros((2, 3), 2).ravel().shape(), [6]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ravel(&self) -> LazyArray<T, Ix1> {
        self.flatten()
    }

    /// Two axes in each other's place.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<u8, _>::zeros((2, 3, 4), 2);
    /// assert_eq!(x.swap_axes(Axis(0), Axis(2)).shape(), [4, 3, 2]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn swap_axes(&self, one: Axis, other: Axis) -> LazyArray<T, D> {
        let mut axes: Vec<usize> = (0..self.ndim()).collect();
        let view = check_axis(one.index(), self.shape())
            .and_then(|()| check_axis(other.index(), self.shape()))
            .and_then(|()| {
                axes.swap(one.index(), other.index());
                View::permute(self.shape(), &axes)
            });
        LazyArray::wrap(Expr::view("swap_axes", self.expr(), view, here()))
    }

    /// An axis in another place, the others in their order.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<u8, _>::zeros((2, 3, 4), 2);
    /// assert_eq!(x.move_axis(Axis(0), Axis(2)).shape(), [3, 4, 2]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn move_axis(&self, from: Axis, to: Axis) -> LazyArray<T, D> {
        let mut axes: Vec<usize> = (0..self.ndim()).collect();
        let view = check_axis(from.index(), self.shape())
            .and_then(|()| check_axis(to.index(), self.shape()))
            .and_then(|()| {
                let axis = axes.remove(from.index());
                axes.insert(to.index(), axis);
                View::permute(self.shape(), &axes)
            });
        LazyArray::wrap(Expr::view("move_axis", self.expr(), view, here()))
    }

    /// Without all axes of length 1.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::<u8, _>::zeros((1, 3, 1), 2).squeeze_all().shape(), [3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn squeeze_all(&self) -> LazyArrayD<T> {
        let elem = |&len: &usize| if len == 1 { SliceInfoElem::Index(0) } else { (..).into() };
        let elems: Vec<SliceInfoElem> = self.shape().iter().map(elem).collect();
        LazyArray::wrap(Expr::view("squeeze_all", self.expr(), View::slice(self.shape(), &elems), here()))
    }

    /// With new axes of length 1, which have these numbers in the result.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<u8, _>::zeros((2, 3), 2);
    /// assert_eq!(x.expand_dims([Axis(0), Axis(3)]).shape(), [1, 2, 3, 1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn expand_dims(&self, axes: impl IntoAxes) -> LazyArrayD<T> {
        LazyArray::wrap(expanded(self.expr(), axes.into_axes(), here()))
    }

    /// Turned by `quarters` right angles, from the first axis towards the second.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.rot90(1, (Axis(0), Axis(1))).compute()?, ndarray::arr2(&[[2, 4], [1, 3]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn rot90(&self, quarters: isize, plane: (Axis, Axis)) -> LazyArray<T, D> {
        LazyArray::wrap(turned(self.expr(), quarters, (plane.0.index(), plane.1.index()), here()))
    }
}

/// An error where there is no such axis.
pub(super) fn check_axis(axis: usize, shape: &[usize]) -> Result<(), ChunkError> {
    if axis < shape.len() {
        return Ok(());
    }
    Err(ChunkError::Axis { axis: axis.try_into().unwrap_or(isize::MAX), shape: shape.into() })
}

/// Elements `start..end` of an axis, clamped to those there are.
pub(super) fn part(name: &str, x: &Expr, axis: usize, start: usize, end: usize, at: Origin) -> Expr {
    let signed = |place: usize| isize::try_from(place).unwrap_or(isize::MAX);
    let view = check_axis(axis, x.shape()).and_then(|()| {
        let mut elems: Vec<SliceInfoElem> = vec![(..).into(); x.shape().len()];
        elems[axis] = SliceInfoElem::Slice { start: signed(start), end: Some(signed(end)), step: 1 };
        View::slice(x.shape(), &elems)
    });
    Expr::view(name, x, view, at)
}

/// A walk along one axis.
fn walked(name: &'static str, x: &Expr, axis: usize, walk: Result<Walk, ChunkError>, at: Origin) -> Expr {
    if x.error().is_some() {
        return x.clone();
    }
    match check_axis(axis, x.shape()).and(walk) {
        Ok(Walk::Repeat(1)) => x.clone(),
        Ok(walk) => {
            let mut walks = vec![Walk::Along; x.shape().len()];
            walks[axis] = walk;
            Expr::blockwise(Extend::new(name, walks), &[x], at)
        }
        Err(cause) => Expr::invalid(name, cause.into(), at),
    }
}

fn tiled(x: &Expr, counts: &[usize], at: Origin) -> Expr {
    if x.error().is_some() {
        return x.clone();
    }
    let new_axes = counts.len().saturating_sub(x.shape().len());
    let x = &expanded(x, (0..new_axes).collect(), at);
    let once = x.shape().len() - counts.len();
    let mut walks = vec![Walk::Along; x.shape().len()];
    for (axis, &count) in counts.iter().enumerate() {
        let (axis, len) = (axis + once, x.shape()[axis + once]);
        walks[axis] = match count {
            1 => Walk::Along,
            // Nothing is repeated as nothing.
            0 => Walk::Repeat(0),
            _ if len == 0 => Walk::Along,
            count => match len.checked_mul(count - 1) {
                Some(after) => Walk::Extend { before: 0, after, beyond: Beyond::Wrap },
                None => return Expr::invalid("tile", ChunkError::TooLarge(x.shape().into()).into(), at),
            },
        };
    }
    if walks.iter().all(|walk| *walk == Walk::Along) {
        return x.clone();
    }
    Expr::blockwise(Extend::new("tile", walks), &[x], at)
}

/// The end of the axis laid before its beginning.
fn rolled(x: &Expr, shift: isize, axis: usize, at: Origin) -> Expr {
    if x.error().is_some() {
        return x.clone();
    }
    if let Err(cause) = check_axis(axis, x.shape()) {
        return Expr::invalid("roll", cause.into(), at);
    }
    let len = x.shape()[axis];
    let split = match isize::try_from(len) {
        Ok(len) if len > 0 => len - shift.rem_euclid(len),
        _ => 0,
    };
    if split.unsigned_abs() % len.max(1) == 0 {
        return x.clone();
    }
    let split = split.unsigned_abs();
    let (front, back) = (part("roll", x, axis, 0, split, at), part("roll", x, axis, split, len, at));
    Expr::concat(&[&back, &front], axis, at)
}

pub(super) fn expanded(x: &Expr, mut axes: Vec<usize>, at: Origin) -> Expr {
    if x.error().is_some() || axes.is_empty() {
        return x.clone();
    }
    let ndim = x.shape().len() + axes.len();
    axes.sort_unstable();
    let cause = if let Some(&axis) = axes.iter().find(|&&axis| axis >= ndim) {
        ChunkError::Axis { axis: axis.try_into().unwrap_or(isize::MAX), shape: x.shape().into() }
    } else if let Some(pair) = axes.windows(2).find(|pair| pair[0] == pair[1]) {
        ChunkError::RepeatedAxis { axis: pair[0], axes: axes.clone() }
    } else {
        let elem = |axis| if axes.contains(&axis) { SliceInfoElem::NewAxis } else { (..).into() };
        let elems: Vec<SliceInfoElem> = (0..ndim).map(elem).collect();
        return Expr::view("expand_dims", x, View::slice(x.shape(), &elems), at);
    };
    Expr::invalid("expand_dims", ExprError::from(cause), at)
}

fn turned(x: &Expr, quarters: isize, (one, other): (usize, usize), at: Origin) -> Expr {
    let shape = x.shape();
    let turn = || {
        check_axis(one, shape)?;
        check_axis(other, shape)?;
        if one == other {
            return Err(ChunkError::RepeatedAxis { axis: one, axes: vec![one, other] });
        }
        let mut axes: Vec<usize> = (0..shape.len()).collect();
        axes.swap(one, other);
        let flip = |shape: &[usize], axis| View::flip(shape, axis);
        Ok(match quarters.rem_euclid(4) {
            1 => {
                let flipped = flip(shape, other)?;
                flipped.then(&View::permute(flipped.shape(), &axes)?)
            }
            2 => flip(shape, one)?.then(&flip(shape, other)?),
            3 => {
                let swapped = View::permute(shape, &axes)?;
                swapped.then(&flip(swapped.shape(), other)?)
            }
            _ => View::identity(shape),
        })
    };
    Expr::view("rot90", x, turn(), at)
}
