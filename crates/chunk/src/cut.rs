//! Parts of an array that keep the order of its axes and elements.

use crate::{AxisMap, ChunkError, ChunkGrid, Region, Shape, View};

/// Every `step`-th index of a range, on each axis: what a [`View`] shows of its source, without how it shows it.
///
/// ```
/// use chunkwise_chunk::{Cut, SliceElem, View};
/// let flipped = View::slice(&[10], &[SliceElem::Slice { start: 2, end: None, step: -2 }]).unwrap();
/// let (cut, rest) = flipped.split();
/// // The indices 3, 5, 7, 9; then the other way round.
/// assert_eq!((cut.start(), cut.step(), cut.shape()), (&[3][..], &[2][..], &[4][..]));
/// assert_eq!(rest, View::flip(&[4], 0).unwrap());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cut {
    start: Shape,
    step: Shape,
    shape: Shape,
}

impl Cut {
    /// All of an array.
    pub fn whole(shape: &[usize]) -> Cut {
        Cut {
            start: Shape::from_elem(0, shape.len()),
            step: Shape::from_elem(1, shape.len()),
            shape: shape.into(),
        }
    }

    /// A box.
    pub fn region(region: &Region) -> Cut {
        let step = Shape::from_elem(1, region.ndim());
        Cut { start: region.start().into(), step, shape: region.shape().into() }
    }

    /// The first index of each axis.
    pub fn start(&self) -> &[usize] {
        &self.start
    }

    /// How far the next index is, at least 1.
    pub fn step(&self) -> &[usize] {
        &self.step
    }

    /// How many indices of each axis there are.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of axes.
    pub fn ndim(&self) -> usize {
        self.shape.len()
    }

    /// True when no element is left.
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// Whether an axis of `len` elements is there in whole.
    pub fn has_all(&self, axis: usize, len: usize) -> bool {
        (self.start[axis], self.step[axis], self.shape[axis]) == (0, 1, len)
    }

    /// Whether it is all of an array of this shape.
    pub fn is_whole(&self, shape: &[usize]) -> bool {
        (0..shape.len()).all(|axis| self.has_all(axis, shape[axis]))
    }

    /// Replaces what is taken of an axis.
    pub fn set_axis(&mut self, axis: usize, start: usize, step: usize, len: usize) {
        (self.start[axis], self.step[axis], self.shape[axis]) = (start, step, len);
    }

    /// The same of some axes, in this order.
    #[must_use]
    pub fn of_axes(&self, axes: &[usize]) -> Cut {
        let of = |values: &Shape| axes.iter().map(|&axis| values[axis]).collect();
        Cut { start: of(&self.start), step: of(&self.step), shape: of(&self.shape) }
    }

    /// The smallest box that holds it.
    pub fn bounds(&self) -> Region {
        let reach = |axis: usize| match self.shape[axis] {
            0 => 0,
            n => (n - 1) * self.step[axis] + 1,
        };
        let shape: Shape = (0..self.ndim()).map(reach).collect();
        Region::new(&self.start, &shape)
    }

    /// The view of it, of an array of this shape.
    pub fn view(&self, source: &[usize]) -> View {
        let walk = |axis| AxisMap::Source { axis, step: self.step[axis] as isize };
        View::new(source, &self.shape, &self.start, (0..self.ndim()).map(walk))
    }

    /// Its grid, of an array in this grid.
    ///
    /// # Errors
    /// When blocks of unequal lengths are too many to list.
    pub fn grid(&self, source: &ChunkGrid) -> Result<ChunkGrid, ChunkError> {
        self.view(source.shape()).grid(source)
    }
}

impl View {
    /// What the view shows, and the view of that.
    ///
    /// Where an axis of the source is walked by no axis of the view, one index of it is shown. A view of no elements shows
    /// nothing of any axis.
    #[must_use]
    pub fn split(&self) -> (Cut, View) {
        let ndim = self.source_shape().len();
        if self.shape().contains(&0) {
            let nothing = Cut::whole(&Shape::from_elem(0, ndim));
            let rest = View::new(nothing.shape(), self.shape(), nothing.start(), self.axes().iter().copied());
            return (nothing, rest);
        }
        let mut cut = Cut {
            start: self.offset().into(),
            step: Shape::from_elem(1, ndim),
            shape: Shape::from_elem(1, ndim),
        };
        let mut offset = Shape::from_elem(0, ndim);
        let mut axes = Vec::with_capacity(self.axes().len());
        for (&map, &n) in self.axes().iter().zip(self.shape()) {
            axes.push(match map {
                AxisMap::Source { axis, step } => {
                    let stride = step.unsigned_abs().max(1);
                    let low = if step < 0 { cut.start[axis] - (n - 1) * stride } else { cut.start[axis] };
                    cut.set_axis(axis, low, if n <= 1 { 1 } else { stride }, n);
                    offset[axis] = if step < 0 { n - 1 } else { 0 };
                    AxisMap::Source { axis, step: if step < 0 { -1 } else { 1 } }
                }
                AxisMap::Repeat => AxisMap::Repeat,
            });
        }
        let rest = View::new(&cut.shape, self.shape(), &offset, axes);
        (cut, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SliceElem;

    fn slice(start: isize, end: Option<isize>, step: isize) -> SliceElem {
        SliceElem::Slice { start, end, step }
    }

    #[test]
    fn split_views_are_the_view() {
        let shape = [6, 7, 4];
        let views = [
            View::slice(&shape, &[slice(1, Some(5), 2), slice(0, None, -3), SliceElem::Index(2)]).unwrap(),
            View::permute(&shape, &[2, 0, 1]).unwrap(),
            View::identity(&shape),
            View::broadcast(&[6, 1, 4], &shape).unwrap(),
            View::flip(&shape, 1).unwrap().then(&View::insert_axis(&shape, 1).unwrap()),
        ];
        for view in views {
            let (cut, rest) = view.split();
            assert_eq!(cut.view(view.source_shape()).then(&rest), view, "{view}");
        }
    }

    #[test]
    fn view_of_nothing_shows_nothing() {
        let empty = View::slice(&[5, 3], &[slice(2, Some(2), 1), slice(0, None, -1)]).unwrap();
        let (cut, rest) = View::flip(&[5, 3], 0).unwrap().then(&empty).split();
        assert!(cut.is_empty() && rest.shape() == [0, 3]);
    }

    #[test]
    fn bounds_end_at_the_last_index() {
        let (cut, _) = View::slice(&[10], &[slice(1, None, 4)]).unwrap().split();
        assert_eq!(cut.bounds(), Region::new(&[1], &[9]));
        assert!(Cut::whole(&[3]).is_whole(&[3]) && !cut.is_whole(&[10]));
        assert_eq!(cut.grid(&ChunkGrid::regular(&[10], &[5])).unwrap().to_string(), "([1, 2],)");
    }
}
