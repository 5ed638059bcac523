//! Which stretches of an array stored in C order a region is made of.

use chunkwise_chunk::{Region, Shape};

/// The contiguous runs of a region, in C order: all of one length, as long as possible.
///
/// Axes that the region takes whole are joined to the run, so a band of rows of a matrix is one run.
#[derive(Debug)]
pub(crate) struct Runs {
    len: usize,
    left: usize,
    /// Array offset of the next run.
    offset: usize,
    /// Where the next run lies on the axes that are walked.
    index: Shape,
    counts: Shape,
    strides: Shape,
}

impl Runs {
    /// The runs of a region that lies inside an array of this shape.
    pub(crate) fn new(shape: &[usize], region: &Region) -> Runs {
        let ndim = shape.len();
        let mut strides = Shape::from_elem(1, ndim);
        for axis in (1..ndim).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        let whole = (0..ndim).rev().take_while(|&axis| region.shape()[axis] == shape[axis]).count();
        // The axis before the whole ones is contiguous too, for as long as the region reaches.
        let walked = (ndim - whole).saturating_sub(1);
        let counts: Shape = region.shape()[..walked].into();
        Runs {
            len: region.shape()[walked..].iter().product(),
            left: if region.is_empty() { 0 } else { counts.iter().product() },
            offset: region.start().iter().zip(&strides).map(|(start, stride)| start * stride).sum(),
            index: Shape::from_elem(0, walked),
            counts,
            strides,
        }
    }

    /// Elements of each run.
    pub(crate) fn run_len(&self) -> usize {
        self.len
    }

    fn advance(&mut self) {
        for axis in (0..self.counts.len()).rev() {
            self.index[axis] += 1;
            self.offset += self.strides[axis];
            if self.index[axis] < self.counts[axis] {
                return;
            }
            self.offset -= self.counts[axis] * self.strides[axis];
            self.index[axis] = 0;
        }
    }
}

impl Iterator for Runs {
    /// Offset of the run in the array, in elements.
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let offset = self.offset;
        if self.left > 0 {
            self.advance();
        }
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(shape: &[usize], start: &[usize], len: &[usize]) -> (usize, Vec<usize>) {
        let runs = Runs::new(shape, &Region::new(start, len));
        (runs.run_len(), runs.collect())
    }

    #[test]
    fn whole_axes_join_the_run() {
        assert_eq!(runs(&[4, 3, 2], &[0, 0, 0], &[4, 3, 2]), (24, vec![0]));
        assert_eq!(runs(&[4, 3, 2], &[1, 0, 0], &[2, 3, 2]), (12, vec![6]));
        assert_eq!(runs(&[4, 3, 2], &[1, 1, 0], &[2, 2, 2]), (4, vec![8, 14]));
        assert_eq!(runs(&[4, 3, 2], &[1, 0, 1], &[2, 3, 1]), (1, vec![7, 9, 11, 13, 15, 17]));
    }

    #[test]
    fn scalars_are_one_run_and_empty_regions_none() {
        assert_eq!(runs(&[], &[], &[]), (1, vec![0]));
        assert!(runs(&[4, 3], &[4, 0], &[0, 3]).1.is_empty());
        assert!(runs(&[4, 3], &[2, 3], &[2, 0]).1.is_empty());
        assert!(runs(&[0, 3], &[0, 0], &[0, 3]).1.is_empty());
    }
}
