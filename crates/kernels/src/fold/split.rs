//! Any axes of any shape as (outer kept, reduced, inner kept).
//!
//! ```text
//! drop axes of length 1
//! reduced axes neighbour each other:   (outer, reduced, inner) = products of lengths before, of, after them
//! otherwise, or inner very short:      kept axes first, reduced ones last: (kept, reduced, 1)
//! ```
//!
//! The reduced elements of one result are in C order of the reduced axes in both forms. The form depends on
//! the shape alone: it decides how sums are cut, and so their last bits.

use chunkwise_chunk::{Region, Shape};
use chunkwise_expr::Reduce;

/// Rows shorter than this make poor vectors, unless there are too few of them to be worth a gather.
const SHORT_ROW: usize = 8;

/// Reduced lengths from which gathering pays where rows are short.
const LONG_COLUMN: usize = 32;

/// How a block is walked.
#[derive(Debug, PartialEq)]
pub(super) struct Split {
    /// The axes of the space in the order they are walked.
    pub(super) order: Shape,
    pub(super) outer: usize,
    pub(super) reduced: usize,
    pub(super) inner: usize,
    /// For each reduced axis: start and length in the block, length in the space.
    reduced_axes: Vec<[usize; 3]>,
}

impl Split {
    /// The walk of the block at `region`.
    ///
    /// # Panics
    /// When the region has not the rank of the space.
    pub(super) fn new(reduce: &Reduce, region: &Region) -> Split {
        let (shape, space) = (region.shape(), reduce.space.shape());
        assert_eq!(shape.len(), space.len(), "the region of a block has the rank of the space");
        let is_reduced = |axis: &usize| reduce.axes.contains(axis);
        let product = |axes: &[usize]| axes.iter().map(|&axis| shape[axis]).product();
        let (reduced, kept): (Shape, Shape) = (0..shape.len()).partition(is_reduced);
        let mut split = Split {
            order: (0..shape.len()).collect(),
            outer: product(&kept),
            reduced: product(&reduced),
            inner: 1,
            reduced_axes: reduced.iter().map(|&a| [region.start()[a], shape[a], space[a]]).collect(),
        };
        let (first, past) = ends(&reduced, shape);
        let long_kept = |range: std::ops::Range<usize>| -> Shape {
            range.filter(|axis| shape[*axis] != 1 && !is_reduced(axis)).collect()
        };
        let inner: usize = product(&long_kept(past..shape.len()));
        let neighbours = long_kept(first..past).is_empty();
        if neighbours && (inner == 1 || inner >= SHORT_ROW || split.reduced < LONG_COLUMN) {
            (split.outer, split.inner) = (product(&long_kept(0..first)), inner);
        } else {
            split.order = kept.iter().chain(&reduced).copied().collect();
        }
        split
    }

    /// Number of kept elements.
    pub(super) fn kept(&self) -> usize {
        self.outer * self.inner
    }

    /// Position in the reduced axes of the space of an element at `at` in those of the block, in C order.
    pub(super) fn position(&self, mut at: u64) -> u64 {
        let (mut position, mut scale) = (0, 1);
        for &[start, len, space] in self.reduced_axes.iter().rev() {
            position += (start as u64 + at % len as u64) * scale;
            at /= len as u64;
            scale *= space as u64;
        }
        position
    }
}

/// The first and one past the last reduced axis that is not of length 1; equal where there is none.
fn ends(reduced: &[usize], shape: &[usize]) -> (usize, usize) {
    let mut long = reduced.iter().copied().filter(|&axis| shape[axis] != 1);
    match long.next() {
        Some(first) => (first, long.next_back().unwrap_or(first) + 1),
        None => (shape.len(), shape.len()),
    }
}

/// Shape of the result of a block.
pub(super) fn result_shape(reduce: &Reduce, shape: &[usize]) -> Shape {
    let axes = 0..shape.len();
    axes.filter_map(|axis| match (reduce.axes.contains(&axis), reduce.keepdims) {
        (true, false) => None,
        (true, true) => Some(1),
        (false, _) => Some(shape[axis]),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::ChunkGrid;
    use chunkwise_expr::ReduceKind;

    fn split(shape: &[usize], axes: &[usize]) -> (usize, usize, usize, Vec<usize>) {
        let space = ChunkGrid::whole(shape);
        let (kind, axes) = (ReduceKind::Sum, axes.into());
        let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
        let split = Split::new(&reduce, &Region::whole(shape));
        (split.outer, split.reduced, split.inner, split.order.to_vec())
    }

    #[test]
    fn neighbours_are_one_group() {
        assert_eq!(split(&[2, 3, 4, 50], &[1, 2]), (2, 12, 50, vec![0, 1, 2, 3]));
        assert_eq!(split(&[2, 3, 4], &[0, 1, 2]), (1, 24, 1, vec![0, 1, 2]));
        assert_eq!(split(&[2, 3], &[]), (6, 1, 1, vec![0, 1]));
    }

    #[test]
    fn axes_of_length_one_do_not_part_a_group() {
        assert_eq!(split(&[5, 1, 4], &[0, 2]), (1, 20, 1, vec![0, 1, 2]));
        assert_eq!(split(&[5, 1, 40], &[1]), (200, 1, 1, vec![0, 1, 2]));
    }

    #[test]
    fn parted_axes_and_long_thin_blocks_are_walked_with_the_kept_axes_first() {
        assert_eq!(split(&[5, 3, 4], &[0, 2]), (3, 20, 1, vec![1, 0, 2]));
        assert_eq!(split(&[500, 3], &[0]), (3, 500, 1, vec![1, 0]));
    }

    #[test]
    fn positions_are_those_of_the_space() {
        let space = ChunkGrid::regular(&[4, 6, 5], &[2, 2, 5]);
        let (kind, axes) = (ReduceKind::ArgMin, [1, 2].into_iter().collect());
        let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
        let split = Split::new(&reduce, &Region::new(&[2, 4, 0], &[2, 2, 5]));
        assert_eq!((split.position(0), split.position(4), split.position(5)), (20, 24, 25));
    }
}
