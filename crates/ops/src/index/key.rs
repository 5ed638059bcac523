//! What users write in brackets, by NumPy's rules: positions, ranges, new axes, and arrays of indices among them.
//!
//! A key is taken apart into a slice, which is a view, and points of the axes that have arrays:
//!
//! ```text
//! x[2:4, [0, 2], :, None, 1]      slice   2:4, :, :, None, 1        the array's axis as it is
//!                                 points  [0, 2] of axis 1
//! ```
//!
//! Arrays broadcast to one shape, whose axes stand where the arrays were; where something other than an array or a position
//! lies between them, they come first.

use std::panic::Location;

use chunkwise_chunk::{ChunkError, SliceElem, View};
use chunkwise_expr::{Expr, ExprError};
use ndarray::{Array, ArrayD, ArrayRef, Dimension, NewAxis, Slice, SliceInfoElem};

use super::IndexList;
use super::points::take_points;

type Origin = &'static Location<'static>;

/// An element of a key, as NumPy's brackets take them.
///
/// ```
/// use chunkwise_ops::index::Index;
/// let key = [Index::from(-1), Index::from(2..4), Index::from([3, 1, 1]), Index::from([true, false])];
/// assert!(matches!(key[2], Index::Array(_)) && matches!(key[3], Index::Mask(_)));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Index {
    /// A position; its axis vanishes. Negative ones count from the end.
    At(isize),
    /// A range with a step, as ndarray's `s![..]` has them.
    Slice(Slice),
    /// An array of positions.
    Array(IndexList),
    /// An array that is true where elements are taken, over as many axes as it has.
    Mask(ArrayD<bool>),
    /// A new axis of length 1.
    NewAxis,
    /// As many whole axes as the rest of the key leaves.
    Ellipsis,
}

macro_rules! positions {
    ($($t:ty)*) => { $(
        impl From<$t> for Index {
            fn from(index: $t) -> Index {
                // What is too large for the machine is out of bounds everywhere.
                Index::At(isize::try_from(index).unwrap_or(isize::MAX))
            }
        }
    )* };
}
positions!(i32 i64 isize u32 u64 usize);

macro_rules! ranges {
    ($($t:ty)*) => { $(
        impl From<$t> for Index {
            fn from(range: $t) -> Index {
                Index::Slice(Slice::from(range))
            }
        }
    )* };
}
ranges! {
    std::ops::Range<i32> std::ops::RangeFrom<i32> std::ops::RangeTo<i32> std::ops::RangeInclusive<i32>
    std::ops::Range<isize> std::ops::RangeFrom<isize> std::ops::RangeTo<isize> std::ops::RangeInclusive<isize>
    std::ops::Range<usize> std::ops::RangeFrom<usize> std::ops::RangeTo<usize> std::ops::RangeInclusive<usize>
    std::ops::RangeFull Slice
}

macro_rules! lists {
    ($($t:ty)*) => { $(
        impl From<Vec<$t>> for Index {
            fn from(indices: Vec<$t>) -> Index {
                Index::Array(indices.into())
            }
        }

        impl From<&Vec<$t>> for Index {
            fn from(indices: &Vec<$t>) -> Index {
                Index::Array(indices.into())
            }
        }

        impl<const N: usize> From<&[$t; N]> for Index {
            fn from(indices: &[$t; N]) -> Index {
                Index::Array(indices.into())
            }
        }

        impl From<&[$t]> for Index {
            fn from(indices: &[$t]) -> Index {
                Index::Array(indices.into())
            }
        }

        impl<const N: usize> From<[$t; N]> for Index {
            fn from(indices: [$t; N]) -> Index {
                Index::Array(indices.into())
            }
        }

        impl<D: Dimension> From<Array<$t, D>> for Index {
            fn from(indices: Array<$t, D>) -> Index {
                Index::Array(indices.into())
            }
        }

        impl<D: Dimension> From<&ArrayRef<$t, D>> for Index {
            fn from(indices: &ArrayRef<$t, D>) -> Index {
                Index::Array(indices.into())
            }
        }
    )* };
}
lists!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl From<IndexList> for Index {
    fn from(indices: IndexList) -> Index {
        Index::Array(indices)
    }
}

impl From<Vec<bool>> for Index {
    fn from(mask: Vec<bool>) -> Index {
        Index::Mask(Array::from(mask).into_dyn())
    }
}

impl From<&[bool]> for Index {
    fn from(mask: &[bool]) -> Index {
        mask.to_vec().into()
    }
}

impl<const N: usize> From<[bool; N]> for Index {
    fn from(mask: [bool; N]) -> Index {
        mask.to_vec().into()
    }
}

impl<D: Dimension> From<Array<bool, D>> for Index {
    fn from(mask: Array<bool, D>) -> Index {
        Index::Mask(mask.into_dyn())
    }
}

impl From<NewAxis> for Index {
    fn from(_: NewAxis) -> Index {
        Index::NewAxis
    }
}

impl From<SliceInfoElem> for Index {
    fn from(elem: SliceInfoElem) -> Index {
        match elem {
            SliceInfoElem::Slice { start, end, step } => Index::Slice(Slice { start, end, step }),
            SliceInfoElem::Index(index) => Index::At(index),
            SliceInfoElem::NewAxis => Index::NewAxis,
        }
    }
}

/// A key in the words of its parts.
#[derive(Debug, Default)]
struct Parts {
    slice: Vec<SliceElem>,
    /// Arrays, with the axes they have in what the slice shows.
    arrays: Vec<(usize, IndexList)>,
    /// Axes of what the slice shows that stand before the first array or position.
    before: Option<usize>,
    /// Whether something else stood between arrays and positions.
    apart: bool,
    /// What stood last was none of them, but one was before.
    left: bool,
    /// Axes of the input and of what the slice shows, so far.
    axes: usize,
    shown: usize,
}

impl Parts {
    /// The parts of a key for an array of this shape.
    fn new(key: &[Index], shape: &[usize]) -> Result<Parts, ExprError> {
        let consumed: usize = key.iter().map(consumes).sum();
        let ellipses = key.iter().filter(|index| matches!(index, Index::Ellipsis)).count();
        if ellipses > 1 {
            return Err(ExprError::Message("a key may have one ellipsis".into()));
        }
        let rest = shape.len().checked_sub(consumed);
        let rest = rest.ok_or_else(|| ChunkError::SliceRank { given: consumed, shape: shape.into() })?;
        let mut parts = Parts::default();
        for index in key {
            parts.add(index, shape, rest)?;
        }
        if ellipses == 0 {
            parts.ranges(rest);
        }
        Ok(parts)
    }

    fn add(&mut self, index: &Index, shape: &[usize], rest: usize) -> Result<(), ExprError> {
        match index {
            Index::At(at) => {
                self.meet();
                self.slice.push(SliceElem::Index(*at));
                self.axes += 1;
            }
            Index::Slice(Slice { start, end, step }) => {
                self.part();
                self.slice.push(SliceElem::Slice { start: *start, end: *end, step: *step });
                (self.axes, self.shown) = (self.axes + 1, self.shown + 1);
            }
            Index::NewAxis => {
                self.part();
                self.slice.push(SliceElem::NewAxis);
                self.shown += 1;
            }
            Index::Ellipsis => self.ranges(rest),
            Index::Array(list) => self.array(list.clone(), shape)?,
            Index::Mask(mask) => {
                let covered = &shape[self.axes..self.axes + mask.ndim()];
                if covered != mask.shape() || covered.is_empty() {
                    let text = format!("a mask of shape {:?} does not fit axes of {covered:?}", mask.shape());
                    return Err(ExprError::Message(text));
                }
                for list in IndexList::of_mask(mask) {
                    self.array(list, shape)?;
                }
            }
        }
        Ok(())
    }

    /// An array, whose indices become positions.
    fn array(&mut self, list: IndexList, shape: &[usize]) -> Result<(), ExprError> {
        self.meet();
        // Checked before it is repeated: what is out of bounds is an error also where nothing is taken.
        list.check(self.axes, shape)?;
        self.slice.push((..).into());
        self.arrays.push((self.shown, list));
        (self.axes, self.shown) = (self.axes + 1, self.shown + 1);
        Ok(())
    }

    /// Whole axes.
    fn ranges(&mut self, count: usize) {
        self.part();
        self.slice.extend(std::iter::repeat_n(SliceElem::from(..), count));
        (self.axes, self.shown) = (self.axes + count, self.shown + count);
    }

    /// An array or a position stands next.
    fn meet(&mut self) {
        self.before.get_or_insert(self.shown);
        self.apart |= self.left;
    }

    /// Something else stands next.
    fn part(&mut self) {
        self.left |= self.before.is_some();
    }
}

fn consumes(index: &Index) -> usize {
    match index {
        Index::At(_) | Index::Slice(_) | Index::Array(_) => 1,
        Index::Mask(mask) => mask.ndim(),
        Index::NewAxis | Index::Ellipsis => 0,
    }
}

/// What a key picks, by NumPy's rules.
///
/// Indices out of bounds are an error when built. Building takes O(n log n) for n points, and as many blocks come of the
/// points as their number has average blocks of the input.
pub fn index(input: &Expr, key: &[Index], origin: Origin) -> Expr {
    keyed("index", input, key, false, origin)
}

/// What a key picks, with the axes of its arrays first wherever they stand in the key.
pub fn vindex(input: &Expr, key: &[Index], origin: Origin) -> Expr {
    keyed("vindex", input, key, true, origin)
}

fn keyed(name: &str, input: &Expr, key: &[Index], first: bool, origin: Origin) -> Expr {
    if input.error().is_some() {
        return input.clone();
    }
    let built = Parts::new(key, input.shape()).and_then(|parts| picked(name, input, parts, first, origin));
    built.unwrap_or_else(|cause| Expr::invalid(name, cause, origin))
}

fn picked(name: &str, input: &Expr, parts: Parts, first: bool, origin: Origin) -> Result<Expr, ExprError> {
    let shown = Expr::view(name, input, View::slice(input.shape(), &parts.slice), origin);
    if parts.arrays.is_empty() || shown.error().is_some() {
        return Ok(shown);
    }
    let place = if first || parts.apart { 0 } else { parts.before.unwrap_or(0) };
    let (axes, lists): (Vec<usize>, Vec<IndexList>) = parts.arrays.into_iter().unzip();
    let shape = common_shape(&lists)?;
    let positions =
        axes.iter().zip(lists).map(|(&axis, list)| list.broadcast(&shape)?.positions(axis, shown.shape()));
    let points = take_points(&shown, &axes, &positions.collect::<Result<Vec<_>, _>>()?, origin)?;
    // Points of one axis are where the axis was, those of several come first.
    let from = if let [axis] = axes[..] { axis } else { 0 };
    let moved = Expr::view(name, &points, moved(points.shape(), from, place), origin);
    let mut full = moved.shape().to_vec();
    full.splice(place..=place, shape);
    Ok(moved.reshape(&full, origin))
}

/// The shape that arrays of indices broadcast to.
fn common_shape(lists: &[IndexList]) -> Result<Vec<usize>, ExprError> {
    let ndim = lists.iter().map(|list| list.shape().len()).max().unwrap_or(0);
    let mut common = vec![1; ndim];
    for list in lists {
        let lead = ndim - list.shape().len();
        for (axis, &len) in list.shape().iter().enumerate() {
            match (common[lead + axis], len) {
                (_, 1) => {}
                (1, len) => common[lead + axis] = len,
                (a, b) if a == b => {}
                _ => {
                    let left = lists[0].shape().to_vec();
                    return Err(ChunkError::Broadcast { left, right: list.shape().to_vec() }.into());
                }
            }
        }
    }
    Ok(common)
}

/// The view with one axis at another place.
fn moved(shape: &[usize], from: usize, to: usize) -> Result<View, ChunkError> {
    let mut order: Vec<usize> = (0..shape.len()).filter(|&axis| axis != from).collect();
    order.insert(to, from);
    View::permute(shape, &order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::Scalar;

    fn shape_of(shape: &[usize], key: &[Index]) -> Vec<usize> {
        let at = Location::caller();
        let one = Expr::literal(Scalar::F64(1.0), at);
        let whole = Expr::view("broadcast", &one, View::broadcast(&[], shape), at);
        let result = index(&whole, key, at);
        assert!(result.error().is_none(), "{result}");
        result.shape().to_vec()
    }

    #[test]
    fn axes_of_arrays_stand_where_they_were_or_first_when_apart() {
        let (all, list) = (|| Index::from(..), || Index::from([0, 1]));
        let shape = [2, 3, 4];
        assert_eq!(shape_of(&shape, &[list(), all(), [1, 2].into()]), [2, 3]);
        assert_eq!(shape_of(&shape, &[all(), list(), [1, 2].into()]), [2, 2]);
        assert_eq!(shape_of(&shape, &[0.into(), all(), [1, 2, 3].into()]), [3, 3]);
        assert_eq!(shape_of(&shape, &[Index::Ellipsis, 0.into(), [1, 2, 3].into()]), [2, 3]);
        assert_eq!(shape_of(&shape, &[all(), [0, 1, 2].into(), Index::Ellipsis, [1, 2, 3].into()]), [3, 2]);
        assert_eq!(shape_of(&shape, &[Index::NewAxis, list(), all(), 1.into()]), [2, 1, 3]);
        let square = ndarray::arr2(&[[1, 2]]);
        assert_eq!(shape_of(&shape, &[all(), 0.into(), square.into()]), [2, 1, 2]);
        assert_eq!(shape_of(&shape, &[]), shape);
    }

    #[test]
    fn outside_and_misfit_are_errors_when_built() {
        let at = Location::caller();
        let x = Expr::view("x", &Expr::literal(Scalar::I8(1), at), View::broadcast(&[], &[2, 3]), at);
        let error = |key: &[Index]| index(&x, key, at).error().expect("it cannot be built").to_string();
        assert!(error(&[[0, 2].into()]).contains("index 2 is out of bounds for axis 0 of shape [2, 3]"));
        assert!(error(&[[0, 1].into(), [0, 1, 2].into()]).contains("do not broadcast"));
        assert!(error(&[Index::Ellipsis, Index::Ellipsis]).contains("one ellipsis"));
        assert!(error(&[0.into(), 0.into(), 0.into()]).contains("3 axes"));
        assert!(error(&[[true].into()]).contains("mask"));
        assert!(error(&[[2].into(), Vec::<i32>::new().into()]).contains("out of bounds"));
    }
}
