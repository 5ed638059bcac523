//! Reductions: which axes, what is kept, and the elementwise operations fused in front.

use std::sync::Arc;

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid, Shape};
use smallvec::SmallVec;

use crate::{ExprError, Meta, Program, ReduceKind};

/// How many partial results one task merges. Part of the value's definition: the tree of merges follows the
/// grid and this number alone, so bits do not depend on threads.
pub(crate) const FAN_IN: usize = 8;

/// Elements of a block from which it is folded in pieces. Part of the value's definition, like [`FAN_IN`].
const PIECE: usize = 1 << 20;

/// Elements that a piece reduces to one at least, so that partial results stay small against what they are of.
const LEAST_REDUCED: usize = 256;

/// A reduction over some axes of the space its inputs broadcast to.
#[derive(Clone, Debug)]
pub struct Reduce {
    /// What is computed.
    pub kind: ReduceKind,
    /// The axes, ascending.
    pub axes: SmallVec<[usize; 4]>,
    /// Whether reduced axes stay with length 1.
    pub keepdims: bool,
    /// What is subtracted from the count in variances; finite.
    pub ddof: f64,
    /// The grid that is folded, block by block.
    pub space: ChunkGrid,
    /// Elementwise operations applied before folding; `None` folds the only input as it is.
    pub program: Option<Arc<Program>>,
}

impl PartialEq for Reduce {
    /// `ddof` by its bits, so that NaN equals itself.
    fn eq(&self, other: &Reduce) -> bool {
        (&self.kind, &self.axes, self.keepdims, self.ddof.to_bits())
            == (&other.kind, &other.axes, other.keepdims, other.ddof.to_bits())
            && self.space == other.space
            && self.program == other.program
    }
}

impl Eq for Reduce {}

impl std::hash::Hash for Reduce {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.axes.hash(state);
        self.keepdims.hash(state);
        self.ddof.to_bits().hash(state);
    }
}

impl Reduce {
    /// Number of partial results one task merges.
    pub const FAN_IN: usize = FAN_IN;

    pub(crate) fn new(
        kind: ReduceKind,
        axes: Option<&[usize]>,
        keepdims: bool,
        ddof: f64,
        grid: &ChunkGrid,
    ) -> Result<Reduce, ExprError> {
        if !ddof.is_finite() {
            return Err(ExprError::Message(format!("ddof is {ddof}; it must be a finite number")));
        }
        let shape = grid.shape();
        let axes = match axes {
            None => (0..shape.len()).collect(),
            Some(axes) => sorted(axes, shape)?,
        };
        let reduce = Reduce { kind, axes, keepdims, ddof, space: grid.clone(), program: None };
        if reduce.kind.needs_elements() {
            reduce.check_elements()?;
        }
        Ok(reduce)
    }

    fn check_elements(&self) -> Result<(), ExprError> {
        let shape = self.space.shape();
        let reduced_is_empty = self.axes.iter().any(|&axis| shape[axis] == 0);
        let result_is_empty = (0..shape.len()).any(|axis| shape[axis] == 0 && !self.axes.contains(&axis));
        if reduced_is_empty && (self.kind.is_position() || !result_is_empty) {
            return Err(ExprError::NoElements { axes: self.axes.to_vec(), shape: shape.into() });
        }
        Ok(())
    }

    pub(crate) fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let input = self.program.as_ref().map_or_else(|| inputs[0].dtype(), |program| program.output());
        if !self.kind.takes(input) {
            return Err(ExprError::DType(vec![input]));
        }
        Ok(Meta::Array { dtype: self.kind.output(input), grid: self.result_grid() })
    }

    /// Grid of the result: the kept axes as they are, reduced ones of length 1 or gone.
    pub fn result_grid(&self) -> ChunkGrid {
        ChunkGrid::new((0..self.space.ndim()).filter_map(|axis| {
            if !self.axes.contains(&axis) {
                return Some(self.space.axis(axis).clone());
            }
            self.keepdims.then(|| AxisChunks::whole(1))
        }))
    }

    /// Number of blocks that are folded into one block of the result.
    pub fn blocks_per_result(&self) -> usize {
        self.axes.iter().map(|&axis| self.space.axis(axis).count()).product()
    }

    /// The blocks that are folded into one block of the result, in C order.
    pub fn blocks_of<'r>(&'r self, result: &[usize]) -> impl ExactSizeIterator<Item = usize> + use<'r> {
        self.some_blocks_of(result, 0..self.blocks_per_result())
    }

    /// Some of [`blocks_of`](Reduce::blocks_of), by their places among them.
    pub fn some_blocks_of<'r>(
        &'r self,
        result: &[usize],
        places: std::ops::Range<usize>,
    ) -> impl ExactSizeIterator<Item = usize> + use<'r> {
        let kept: SmallVec<[usize; 6]> = self.kept_block(result);
        places.map(move |mut place| {
            let mut block = kept.clone();
            for &axis in self.axes.iter().rev() {
                let count = self.space.axis(axis).count();
                block[axis] = place % count;
                place /= count;
            }
            self.space.linear(&block)
        })
    }

    /// Lengths of the pieces that blocks are folded in: those of the largest block where it has no more than a million
    /// elements or so, else less along the reduced axes, the outer ones first. Partial results of the pieces of a block
    /// are merged by [`FAN_IN`](Reduce::FAN_IN) until one is left. Lengths depend on the space and the axes alone, and
    /// so do bits: whether pieces are folded by one task or by several does not show.
    ///
    /// ```
    /// use chunkwise_chunk::ChunkGrid;
    /// use chunkwise_expr::{Reduce, ReduceKind};
    /// let (kind, space) = (ReduceKind::Sum, ChunkGrid::regular(&[10_000, 3000], &[5000, 3000]));
    /// let axes = [0, 1].into_iter().collect();
    /// let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// assert_eq!(reduce.piece()[..], [256, 3000]);
    /// ```
    pub fn piece(&self) -> Shape {
        let mut piece = self.space.max_chunk();
        let product = |axes: &mut dyn Iterator<Item = usize>| {
            axes.fold(1usize, |n, axis| n.saturating_mul(piece[axis].max(1)))
        };
        let kept = product(&mut (0..piece.len()).filter(|axis| !self.axes.contains(axis)));
        let mut reduced = product(&mut self.axes.iter().copied());
        let most = (PIECE / kept).max(LEAST_REDUCED);
        for &axis in &self.axes {
            if reduced <= most {
                break;
            }
            reduced /= piece[axis].max(1); // of one step along the axis
            let steps = (most / reduced).max(1);
            piece[axis] = 1 << steps.ilog2();
            reduced *= piece[axis];
        }
        piece
    }

    /// Number of pieces of the largest block.
    ///
    /// ```
    /// use chunkwise_chunk::ChunkGrid;
    /// use chunkwise_expr::{Reduce, ReduceKind};
    /// let (kind, axes) = (ReduceKind::Sum, [0].into_iter().collect());
    /// let space = ChunkGrid::regular(&[10 << 20], &[5 << 20]);
    /// let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// assert_eq!(reduce.most_pieces(), 5);
    /// ```
    pub fn most_pieces(&self) -> usize {
        ChunkGrid::regular(&self.space.max_chunk(), &self.piece()).num_blocks().max(1)
    }

    /// The block index of the space with zeros on the reduced axes.
    fn kept_block(&self, result: &[usize]) -> SmallVec<[usize; 6]> {
        let mut from = result.iter();
        (0..self.space.ndim())
            .map(|axis| match (self.axes.contains(&axis), self.keepdims) {
                (true, true) => from.next().map_or(0, |_| 0),
                (true, false) => 0,
                (false, _) => from.next().copied().unwrap_or(0),
            })
            .collect()
    }
}

fn sorted(axes: &[usize], shape: &[usize]) -> Result<SmallVec<[usize; 4]>, ExprError> {
    let mut sorted: SmallVec<[usize; 4]> = axes.into();
    sorted.sort_unstable();
    if let Some(&axis) = sorted.iter().find(|&&axis| axis >= shape.len()) {
        return Err(ChunkError::Axis { axis: axis as isize, shape: shape.into() }.into());
    }
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ChunkError::RepeatedAxis { axis: pair[0], axes: axes.into() }.into());
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_listed_in_c_order() {
        let grid = ChunkGrid::regular(&[4, 6, 2], &[2, 2, 2]);
        let reduce = Reduce::new(ReduceKind::Sum, Some(&[2, 1]), false, 0.0, &grid).unwrap();
        assert_eq!(reduce.result_grid().to_string(), "(2,)");
        assert_eq!(reduce.blocks_of(&[1]).collect::<Vec<_>>(), [3, 4, 5]);
        let reduce = Reduce::new(ReduceKind::Sum, Some(&[0]), true, 0.0, &grid).unwrap();
        assert_eq!(reduce.blocks_of(&[0, 2, 0]).collect::<Vec<_>>(), [2, 5]);
    }

    fn piece(shape: &[usize], axes: &[usize]) -> Vec<usize> {
        Reduce::new(ReduceKind::Sum, Some(axes), false, 0.0, &ChunkGrid::whole(shape))
            .unwrap()
            .piece()
            .to_vec()
    }

    #[test]
    fn pieces_have_a_million_elements_or_so() {
        assert_eq!(piece(&[10_000_000], &[0]), [1 << 20]);
        assert_eq!(piece(&[1 << 20], &[0]), [1 << 20]);
        assert_eq!(piece(&[1000, 1000], &[0]), [1000, 1000]);
        assert_eq!(piece(&[10_000, 10_000], &[0, 1]), [64, 10_000]);
        assert_eq!(piece(&[10_000, 10_000], &[0]), [256, 10_000]);
        assert_eq!(piece(&[4, 10_000_000], &[0, 1]), [1, 1 << 20]);
        assert_eq!(piece(&[4, 10_000_000], &[1]), [4, 1 << 18]);
        assert_eq!(piece(&[0, 10_000_000], &[0]), [0, 10_000_000]);
    }

    #[test]
    fn pieces_are_not_smaller_than_what_they_leave() {
        // Along the kept axis there are no pieces, and short reduced axes stay whole.
        assert_eq!(piece(&[100, 10_000_000], &[0]), [100, 10_000_000]);
        assert_eq!(piece(&[1000, 10_000_000], &[0]), [256, 10_000_000]);
        assert_eq!(piece(&[10_000_000], &[]), [10_000_000]);
        let reduce =
            Reduce::new(ReduceKind::Sum, None, false, 0.0, &ChunkGrid::regular(&[30 << 20], &[10_000_000]));
        assert_eq!(reduce.unwrap().most_pieces(), 10);
        let empty = Reduce::new(ReduceKind::Sum, None, false, 0.0, &ChunkGrid::whole(&[0]));
        assert_eq!(empty.unwrap().most_pieces(), 1);
    }

    #[test]
    fn empty_axes_are_errors_where_there_is_no_value() {
        let grid = ChunkGrid::whole(&[0, 3]);
        let build = |kind, axis: usize| Reduce::new(kind, Some(&[axis]), false, 0.0, &grid);
        assert!(build(ReduceKind::Min, 0).is_err());
        assert!(build(ReduceKind::Min, 1).is_ok());
        assert!(build(ReduceKind::Sum, 0).is_ok());
    }
}
