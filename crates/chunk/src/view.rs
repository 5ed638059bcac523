//! Affine index maps: everything that only renames elements.
//!
//! A [`View`] maps an index of its result to an index of its source. Slices, steps, flips, permutations,
//! dropped and new axes and broadcasts are all of this form, and the form is closed under composition,
//! so a slice of a transpose of a broadcast is again one `View`.

use std::fmt;

use ndarray::SliceInfoElem;
use smallvec::SmallVec;

use crate::{AxisChunks, ChunkError, ChunkGrid, Region, Shape};

/// Repeated axes are cut so that a block holds at most about this many elements, or as many as the source's: a
/// broadcast must not make one block of everything.
const REPEATED_BLOCK: usize = 1 << 20;

/// The element of a slice: ndarray's own, as `s![..]` makes them.
pub type SliceElem = SliceInfoElem;

/// Where an axis of a view comes from.
///
/// ```
/// use chunkwise_chunk::{AxisMap, View};
/// let t = View::permute(&[3, 4], &[1, 0]).unwrap();
/// assert_eq!(t.axes()[0], AxisMap::Source { axis: 1, step: 1 });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AxisMap {
    /// It walks along an axis of the source.
    Source {
        /// The axis of the source.
        axis: usize,
        /// Elements to advance per index; negative walks backwards.
        step: isize,
    },
    /// It repeats: a new axis or a broadcast one.
    Repeat,
}

/// An affine map from the indices of a result to those of a source.
///
/// ```
/// use chunkwise_chunk::View;
/// let view = View::flip(&[5], 0).unwrap();
/// assert_eq!(view.source_index(&[0]).as_slice(), [4]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct View {
    source: Shape,
    shape: Shape,
    /// Source index of the result's index zero.
    offset: Shape,
    axes: SmallVec<[AxisMap; 6]>,
}

impl View {
    pub(crate) fn new(
        source: &[usize],
        shape: &[usize],
        offset: &[usize],
        axes: impl IntoIterator<Item = AxisMap>,
    ) -> View {
        View {
            source: source.into(),
            shape: shape.into(),
            offset: offset.into(),
            axes: axes.into_iter().collect(),
        }
    }

    /// The view that changes nothing.
    pub fn identity(shape: &[usize]) -> View {
        View {
            source: shape.into(),
            shape: shape.into(),
            offset: SmallVec::from_elem(0, shape.len()),
            axes: (0..shape.len()).map(|axis| AxisMap::Source { axis, step: 1 }).collect(),
        }
    }

    /// A slice as `s![..]` writes it. Bounds beyond the ends are clamped, as in NumPy; a range that ends
    /// before it starts is empty. A negative step walks the range from its end, as in ndarray.
    ///
    /// # Errors
    /// When an index is out of bounds, a step is 0 or the number of axes does not fit.
    pub fn slice(shape: &[usize], elems: &[SliceElem]) -> Result<View, ChunkError> {
        let given = elems.iter().filter(|e| !matches!(e, SliceElem::NewAxis)).count();
        if given != shape.len() {
            return Err(ChunkError::SliceRank { given, shape: shape.into() });
        }
        let mut view = View {
            source: shape.into(),
            shape: Shape::new(),
            offset: SmallVec::from_elem(0, shape.len()),
            axes: SmallVec::new(),
        };
        let mut axis = 0;
        for &elem in elems {
            match elem {
                SliceElem::NewAxis => view.push(AxisMap::Repeat, 1),
                SliceElem::Index(index) => {
                    view.offset[axis] = checked_index(index, axis, shape)?;
                    axis += 1;
                }
                SliceElem::Slice { start, end, step } => {
                    if step == 0 {
                        return Err(ChunkError::ZeroStep { axis });
                    }
                    let (offset, n) = clamped_range(start, end, step, shape[axis]);
                    view.offset[axis] = offset;
                    // A walk of one element has no step: whatever was written could overflow when views compose.
                    let step = if n <= 1 { 1 } else { step };
                    view.push(AxisMap::Source { axis, step }, n);
                    axis += 1;
                }
            }
        }
        Ok(view)
    }

    /// Axis `i` of the result is axis `axes[i]` of the source.
    ///
    /// # Errors
    /// When `axes` is not a permutation.
    pub fn permute(shape: &[usize], axes: &[usize]) -> Result<View, ChunkError> {
        let mut seen = axes.to_vec();
        seen.sort_unstable();
        if !seen.iter().copied().eq(0..shape.len()) {
            return Err(ChunkError::Permutation { axes: axes.into(), shape: shape.into() });
        }
        let mut view = View::identity(shape);
        view.shape = axes.iter().map(|&axis| shape[axis]).collect();
        view.axes = axes.iter().map(|&axis| AxisMap::Source { axis, step: 1 }).collect();
        Ok(view)
    }

    /// The order of one axis reversed.
    ///
    /// # Errors
    /// When there is no such axis.
    pub fn flip(shape: &[usize], axis: usize) -> Result<View, ChunkError> {
        check_axis(axis, shape, shape.len())?;
        let mut view = View::identity(shape);
        view.offset[axis] = shape[axis].saturating_sub(1);
        view.axes[axis] = AxisMap::Source { axis, step: -1 };
        Ok(view)
    }

    /// A new axis of length 1 before `axis`.
    ///
    /// # Errors
    /// When `axis` is greater than the number of axes.
    pub fn insert_axis(shape: &[usize], axis: usize) -> Result<View, ChunkError> {
        check_axis(axis, shape, shape.len() + 1)?;
        let mut view = View::identity(shape);
        view.axes.insert(axis, AxisMap::Repeat);
        view.shape.insert(axis, 1);
        Ok(view)
    }

    /// Without `axis`, which must have length 1.
    ///
    /// # Errors
    /// When there is no such axis or it is longer.
    pub fn remove_axis(shape: &[usize], axis: usize) -> Result<View, ChunkError> {
        check_axis(axis, shape, shape.len())?;
        if shape[axis] != 1 {
            return Err(ChunkError::NotUnit { axis, len: shape[axis], shape: shape.into() });
        }
        let mut view = View::identity(shape);
        view.axes.remove(axis);
        view.shape.remove(axis);
        Ok(view)
    }

    /// Repeated to `target` by NumPy's rule: axes align at the end, length 1 repeats.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn broadcast(shape: &[usize], target: &[usize]) -> Result<View, ChunkError> {
        let err = || ChunkError::Broadcast { left: shape.into(), right: target.into() };
        let lead = target.len().checked_sub(shape.len()).ok_or_else(err)?;
        let mut view = View::identity(shape);
        view.shape = target.into();
        view.axes = SmallVec::from_elem(AxisMap::Repeat, target.len());
        for (axis, &n) in shape.iter().enumerate() {
            if n == target[lead + axis] {
                view.axes[lead + axis] = AxisMap::Source { axis, step: 1 };
            } else if n != 1 {
                return Err(err());
            }
        }
        Ok(view)
    }

    /// Shape of the source.
    pub fn source_shape(&self) -> &[usize] {
        &self.source
    }

    /// Shape of the result.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Where each axis of the result comes from.
    pub fn axes(&self) -> &[AxisMap] {
        &self.axes
    }

    /// Source index of the result's index zero.
    pub fn offset(&self) -> &[usize] {
        &self.offset
    }

    /// True when nothing changes.
    pub fn is_identity(&self) -> bool {
        *self == View::identity(&self.source)
    }

    /// True when some source element appears more than once.
    pub fn repeats(&self) -> bool {
        self.axes.iter().zip(&self.shape).any(|(map, &n)| *map == AxisMap::Repeat && n > 1)
    }

    /// Index of the source for an index of the result.
    pub fn source_index(&self, index: &[usize]) -> Shape {
        let mut at = self.offset.clone();
        for (map, &i) in self.axes.iter().zip(index) {
            if let AxisMap::Source { axis, step } = *map {
                at[axis] = at[axis].wrapping_add_signed(step * i as isize);
            }
        }
        at
    }

    /// This view, then `next` of its result.
    ///
    /// ```
    /// use chunkwise_chunk::View;
    /// let t = View::permute(&[3, 4], &[1, 0]).unwrap();
    /// assert!(t.then(&View::permute(&[4, 3], &[1, 0]).unwrap()).is_identity());
    /// ```
    #[must_use]
    pub fn then(&self, next: &View) -> View {
        let axes = next.axes.iter().map(|map| match *map {
            AxisMap::Source { axis: middle, step } => match self.axes[middle] {
                AxisMap::Source { axis, step: inner } => AxisMap::Source { axis, step: inner * step },
                AxisMap::Repeat => AxisMap::Repeat,
            },
            AxisMap::Repeat => AxisMap::Repeat,
        });
        let offset =
            if next.shape.contains(&0) { self.offset.clone() } else { self.source_index(&next.offset) };
        View { source: self.source.clone(), shape: next.shape.clone(), offset, axes: axes.collect() }
    }

    /// What a region of the result needs: the smallest box of the source that holds it, and the view
    /// from that box to the region.
    ///
    /// ```
    /// use chunkwise_chunk::{Region, View};
    /// let (need, local) = View::flip(&[10], 0).unwrap().pull(&Region::new(&[0], &[3]));
    /// assert_eq!(need, Region::new(&[7], &[3]));
    /// assert_eq!(local.source_index(&[0]).as_slice(), [2]);
    /// ```
    pub fn pull(&self, region: &Region) -> (Region, View) {
        if region.is_empty() {
            let nothing = Region::whole(&Shape::from_elem(0, self.source.len()));
            let local = View { source: nothing.shape().into(), shape: region.shape().into(), ..self.clone() };
            return (nothing, local);
        }
        let first = self.source_index(region.start());
        let (mut low, mut high) = (first.clone(), first.clone());
        for (map, &n) in self.axes.iter().zip(region.shape()) {
            if let AxisMap::Source { axis, step } = *map {
                let reach = step.unsigned_abs() * (n - 1);
                if step < 0 { low[axis] -= reach } else { high[axis] += reach }
            }
        }
        let shape: Shape = low.iter().zip(&high).map(|(l, h)| h - l + 1).collect();
        let offset = first.iter().zip(&low).map(|(f, l)| f - l).collect();
        let need = Region::new(&low, &shape);
        (need, View { source: shape, shape: region.shape().into(), offset, axes: self.axes.clone() })
    }

    /// The grid of the result: the source's cuts seen through the view.
    ///
    /// # Errors
    /// When blocks of unequal lengths are too many to list.
    pub fn grid(&self, source: &ChunkGrid) -> Result<ChunkGrid, ChunkError> {
        let block: usize = source.max_chunk().iter().fold(1, |n, &len| n.saturating_mul(len.max(1)));
        let new_axes =
            self.axes.iter().zip(&self.shape).filter(|&(map, &n)| *map == AxisMap::Repeat && n > 1);
        let repeats = match new_axes.count() {
            0 | 1 => REPEATED_BLOCK / block,
            several => ((REPEATED_BLOCK / block) as f64).powf(1.0 / several as f64) as usize,
        };
        let repeats = repeats.max(1);
        let cuts = self.axes.iter().zip(&self.shape).map(|(map, &n)| match *map {
            AxisMap::Source { axis, step: 1 } if n == self.source[axis] => Ok(source.axis(axis).clone()),
            AxisMap::Source { axis, step } => source.axis(axis).strided(self.offset[axis], step, n),
            AxisMap::Repeat => Ok(AxisChunks::regular(n, n.min(repeats))),
        });
        Ok(ChunkGrid::new(cuts.collect::<Result<Vec<_>, _>>()?))
    }

    fn push(&mut self, map: AxisMap, n: usize) {
        self.axes.push(map);
        self.shape.push(n);
    }
}

impl fmt::Display for View {
    /// Writes the source index per axis, with `i0, i1, ..` the indices of the result.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut terms: Vec<String> = self.offset.iter().map(|o| o.to_string()).collect();
        for (i, map) in self.axes.iter().enumerate() {
            if let AxisMap::Source { axis, step } = *map {
                let walk = match step {
                    1 => format!("i{i}"),
                    -1 => format!("{} - i{i}", self.offset[axis]),
                    s if s < 0 => format!("{} - {}*i{i}", self.offset[axis], -s),
                    s => format!("{s}*i{i}"),
                };
                let offset = self.offset[axis];
                terms[axis] = if step < 0 || offset == 0 { walk } else { format!("{offset} + {walk}") };
            }
        }
        write!(f, "[{}]", terms.join(", "))
    }
}

fn check_axis(axis: usize, shape: &[usize], limit: usize) -> Result<(), ChunkError> {
    if axis < limit {
        return Ok(());
    }
    Err(ChunkError::Axis { axis: axis as isize, shape: shape.into() })
}

fn checked_index(index: isize, axis: usize, shape: &[usize]) -> Result<usize, ChunkError> {
    let n = shape[axis] as isize;
    let at = if index < 0 { index.saturating_add(n) } else { index };
    if (0..n).contains(&at) {
        return Ok(at as usize);
    }
    Err(ChunkError::Index { index, axis, shape: shape.into() })
}

/// First source index and number of elements of a slice whose bounds are clamped to the axis.
fn clamped_range(start: isize, end: Option<isize>, step: isize, len: usize) -> (usize, usize) {
    let n = len as isize;
    let clamp = |i: isize| if i < 0 { i.saturating_add(n).max(0) } else { i.min(n) };
    let (low, high) = (clamp(start), clamp(end.unwrap_or(n)));
    if high <= low {
        return (0, 0);
    }
    let count = ((high - low) as usize).div_ceil(step.unsigned_abs());
    let first = if step > 0 { low } else { high - 1 };
    (first as usize, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{NewAxis, s};

    #[test]
    fn slice_bounds_clamp_and_indices_do_not() {
        let view = View::slice(&[10], s![-100..2].as_ref()).unwrap();
        assert_eq!(view.shape(), [2]);
        assert_eq!(View::slice(&[10], s![20..].as_ref()).unwrap().shape(), [0]);
        let (start, end) = (5, 2);
        assert_eq!(View::slice(&[10], s![start..end].as_ref()).unwrap().shape(), [0]);
        assert!(View::slice(&[10], s![10].as_ref()).is_err());
        assert!(View::slice(&[10], s![-11].as_ref()).is_err());
    }

    #[test]
    fn negative_step_walks_from_the_end() {
        let view = View::slice(&[10], s![2..9;-3].as_ref()).unwrap();
        let at: Vec<usize> = (0..view.shape()[0]).map(|i| view.source_index(&[i])[0]).collect();
        assert_eq!(at, [8, 5, 2]);
    }

    #[test]
    fn composition_is_application_in_turn() {
        let a = View::slice(&[6, 7, 5], s![1..6;2, .., 3].as_ref()).unwrap();
        let b = View::permute(a.shape(), &[1, 0]).unwrap();
        let c = View::slice(b.shape(), s![..;-2, NewAxis, 1..].as_ref()).unwrap();
        let all = a.then(&b).then(&c);
        for i in 0..all.shape()[0] {
            for k in 0..all.shape()[2] {
                let by_hand = a.source_index(&b.source_index(&c.source_index(&[i, 0, k])));
                assert_eq!(all.source_index(&[i, 0, k]), by_hand);
            }
        }
    }

    #[test]
    fn pulled_box_holds_just_the_region() {
        let view = View::slice(&[20], s![3..18;-4].as_ref()).unwrap();
        let (need, local) = view.pull(&Region::new(&[1], &[2]));
        assert_eq!(need, Region::new(&[9], &[5]));
        assert_eq!(local.source_index(&[1]).as_slice(), [0]);
    }
}
