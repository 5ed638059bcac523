//! Reductions: which axes, what is kept, and the elementwise operations fused in front.

use std::sync::Arc;

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid};
use smallvec::SmallVec;

use crate::{ExprError, Meta, Program, ReduceKind};

/// How many partial results one task merges. Part of the value's definition: the tree of merges follows the
/// grid and this number alone, so bits do not depend on threads.
pub(crate) const FAN_IN: usize = 8;

/// A reduction over some axes of the space its inputs broadcast to.
#[derive(Clone, Debug)]
pub struct Reduce {
    /// What is computed.
    pub kind: ReduceKind,
    /// The axes, ascending.
    pub axes: SmallVec<[usize; 4]>,
    /// Whether reduced axes stay with length 1.
    pub keepdims: bool,
    /// What is subtracted from the count in variances.
    pub ddof: f64,
    /// The grid that is folded, block by block.
    pub space: ChunkGrid,
    /// Elementwise operations applied before folding; `None` folds the only input as it is.
    pub program: Option<Arc<Program>>,
}

impl PartialEq for Reduce {
    /// `ddof` by its bits, so that NaN equals itself.
    fn eq(&self, other: &Reduce) -> bool {
        (self.kind, &self.axes, self.keepdims, self.ddof.to_bits())
            == (other.kind, &other.axes, other.keepdims, other.ddof.to_bits())
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
        let shape = grid.shape();
        let axes = match axes {
            None => (0..shape.len()).collect(),
            Some(axes) => sorted(axes, shape)?,
        };
        let reduce = Reduce { kind, axes, keepdims, ddof, space: grid.clone(), program: None };
        if kind.needs_elements() {
            reduce.check_elements()?;
        }
        Ok(reduce)
    }

    fn check_elements(&self) -> Result<(), ExprError> {
        let shape = self.space.shape();
        let reduced_is_empty = self.axes.iter().any(|&axis| shape[axis] == 0);
        let result_is_empty = (0..shape.len()).any(|axis| shape[axis] == 0 && !self.axes.contains(&axis));
        let positions = matches!(self.kind, ReduceKind::ArgMin | ReduceKind::ArgMax);
        if reduced_is_empty && (positions || !result_is_empty) {
            return Err(ExprError::NoElements { axes: self.axes.to_vec(), shape: shape.into() });
        }
        Ok(())
    }

    pub(crate) fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let input = self.program.as_ref().map_or_else(|| inputs[0].dtype(), |program| program.output());
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
    pub fn blocks_of(&self, result: &[usize]) -> impl Iterator<Item = usize> + '_ {
        let counts = self.axes.iter().map(|&axis| self.space.axis(axis).count());
        let reduced = ChunkGrid::new(counts.map(|n| AxisChunks::regular(n, 1)));
        let kept: SmallVec<[usize; 6]> = self.kept_block(result);
        reduced.blocks().collect::<Vec<_>>().into_iter().map(move |along| {
            let mut block = kept.clone();
            for (&axis, i) in self.axes.iter().zip(along) {
                block[axis] = i;
            }
            self.space.linear(&block)
        })
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

    #[test]
    fn empty_axes_are_errors_where_there_is_no_value() {
        let grid = ChunkGrid::whole(&[0, 3]);
        let build = |kind, axis: usize| Reduce::new(kind, Some(&[axis]), false, 0.0, &grid);
        assert!(build(ReduceKind::Min, 0).is_err());
        assert!(build(ReduceKind::Min, 1).is_ok());
        assert!(build(ReduceKind::Sum, 0).is_ok());
    }
}
