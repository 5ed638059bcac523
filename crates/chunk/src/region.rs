//! Boxes of an array.

use std::fmt;

use smallvec::SmallVec;

/// Lengths of axes, stored in place up to six axes.
pub type Shape = SmallVec<[usize; 6]>;

/// A box of an array: where it starts and how long it is on every axis.
///
/// ```
/// use chunkwise_chunk::Region;
/// let r = Region::new(&[2, 0], &[3, 4]);
/// assert_eq!(r.len(), 12);
/// assert_eq!(r.to_string(), "[2..5, 0..4]");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Region {
    start: Shape,
    shape: Shape,
}

impl Region {
    /// The box that starts at `start` and has lengths `shape`.
    ///
    /// # Panics
    /// When the two have different numbers of axes.
    pub fn new(start: &[usize], shape: &[usize]) -> Region {
        assert_eq!(start.len(), shape.len(), "a region needs a start and a length for every axis");
        Region { start: start.into(), shape: shape.into() }
    }

    /// The whole of an array of this shape.
    pub fn whole(shape: &[usize]) -> Region {
        Region { start: SmallVec::from_elem(0, shape.len()), shape: shape.into() }
    }

    /// First index on every axis.
    pub fn start(&self) -> &[usize] {
        &self.start
    }

    /// Length of every axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of axes.
    pub fn ndim(&self) -> usize {
        self.shape.len()
    }

    /// Number of elements; saturates.
    pub fn len(&self) -> usize {
        self.shape.iter().fold(1, |n: usize, &len| n.saturating_mul(len))
    }

    /// True when some axis has length 0.
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// One past the last index of `axis`; saturates.
    pub fn end(&self, axis: usize) -> usize {
        self.start[axis].saturating_add(self.shape[axis])
    }

    /// Replaces start and length of one axis.
    pub fn set_axis(&mut self, axis: usize, start: usize, len: usize) {
        self.start[axis] = start;
        self.shape[axis] = len;
    }

    /// True when the box lies inside an array of this shape.
    ///
    /// ```
    /// use chunkwise_chunk::Region;
    /// assert!(Region::new(&[2], &[3]).fits(&[5]));
    /// assert!(!Region::new(&[3], &[3]).fits(&[5]));
    /// ```
    pub fn fits(&self, shape: &[usize]) -> bool {
        let ends = self.start.iter().zip(&self.shape).map(|(&start, &len)| start.checked_add(len));
        self.ndim() == shape.len() && ends.zip(shape).all(|(end, &n)| end.is_some_and(|end| end <= n))
    }

    /// The common part of two boxes; empty axes have length 0.
    ///
    /// ```
    /// use chunkwise_chunk::Region;
    /// let a = Region::new(&[0], &[5]);
    /// assert_eq!(a.intersect(&Region::new(&[3], &[9])), Region::new(&[3], &[2]));
    /// ```
    #[must_use]
    pub fn intersect(&self, other: &Region) -> Region {
        let mut both = self.clone();
        for axis in 0..self.ndim() {
            let start = self.start[axis].max(other.start[axis]);
            let end = self.end(axis).min(other.end(axis));
            both.set_axis(axis, start, end.saturating_sub(start));
        }
        both
    }

    /// This box as seen from the start of `origin`.
    ///
    /// # Panics
    /// When this box starts before `origin` (in debug builds).
    #[must_use]
    pub fn relative_to(&self, origin: &Region) -> Region {
        let start = self.start.iter().zip(&origin.start).map(|(&s, &o)| s - o).collect();
        Region { start, shape: self.shape.clone() }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for axis in 0..self.ndim() {
            let comma = if axis == 0 { "" } else { ", " };
            write!(f, "{comma}{}..{}", self.start[axis], self.end(axis))?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn box_beyond_the_last_index_is_shown_and_fits_nowhere() {
        let beyond = Region::new(&[usize::MAX, 0], &[2, 1]);
        assert_eq!(beyond.to_string(), format!("[{0}..{0}, 0..1]", usize::MAX));
        assert!(!beyond.fits(&[usize::MAX, 1]));
        assert!(Region::new(&[usize::MAX - 1], &[1]).fits(&[usize::MAX]));
        assert!(!Region::new(&[0], &[1]).fits(&[1, 1]));
        let last = Region::new(&[usize::MAX, 0], &[0, 1]);
        assert_eq!(beyond.intersect(&Region::whole(&[usize::MAX, 1])), last);
    }

    #[test]
    fn number_of_elements_saturates() {
        assert_eq!(Region::whole(&[1 << 40, 1 << 40]).len(), usize::MAX);
        assert_eq!(Region::whole(&[1 << 40, 1 << 40, 0]).len(), 0);
        assert_eq!(Region::whole(&[]).len(), 1);
    }
}
