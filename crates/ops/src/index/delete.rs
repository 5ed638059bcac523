//! An axis without some of its positions.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, Region, SliceElem, View, dispatch};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::Slice;

use super::plan::Picks;
use super::points::checked_axis;
use super::{Index, IndexList, begun, cells, gather};

/// Blocks of an axis that are listed one by one.
const MOST_LISTED: usize = 1 << 26;

/// Its input without what is at some positions of an axis. Each block holds what is left of one block of the input.
#[derive(Clone, Debug)]
pub struct Delete {
    axis: usize,
    /// In ascending order, each once.
    deleted: Arc<[usize]>,
}

impl Delete {
    /// The axis.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// The positions that are left out, in ascending order, each once.
    pub fn deleted(&self) -> &[usize] {
        &self.deleted
    }

    /// The position in the input of a position in the result: the first one that has so many others left before it.
    fn source(&self, at: usize) -> usize {
        // How many are left before a deleted position grows with it.
        let (mut low, mut high) = (0, self.deleted.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.deleted[middle] - middle <= at { low = middle + 1 } else { high = middle }
        }
        at + low
    }

    /// The positions of the input from the first to the last one that a block keeps.
    fn held(&self, block: &Region) -> Range<usize> {
        let start = block.start()[self.axis];
        self.source(start)..self.source(start + block.shape()[self.axis] - 1) + 1
    }

    /// Those of the positions that are left, as places from the first one.
    fn kept(&self, held: Range<usize>) -> Vec<u32> {
        let mut deleted =
            self.deleted[self.deleted.partition_point(|&at| at < held.start)..].iter().peekable();
        let start = held.start;
        held.filter(|at| deleted.next_if_eq(&at).is_none()).map(|at| (at - start) as u32).collect()
    }

    /// What is left of every block of the axis.
    fn cut(&self, axis: &AxisChunks) -> Result<AxisChunks, ExprError> {
        if self.deleted.is_empty() {
            return Ok(axis.clone());
        }
        let axis = cells::within_32_bits(axis);
        if axis.count() > MOST_LISTED {
            return Err(ExprError::TooManyBlocks { blocks: axis.count() });
        }
        let before = |bound: usize| self.deleted.partition_point(|&at| at < bound);
        let left = |block: Range<usize>| block.len() - (before(block.end) - before(block.start));
        let mut sizes: Vec<usize> = (0..axis.count()).map(|block| left(axis.range(block))).collect();
        sizes.retain(|&size| size > 0);
        if sizes.is_empty() {
            return Ok(AxisChunks::whole(0));
        }
        Ok(AxisChunks::explicit(axis.len() - self.deleted.len(), &sizes)?)
    }
}

impl PartialEq for Delete {
    fn eq(&self, other: &Delete) -> bool {
        let same = Arc::ptr_eq(&self.deleted, &other.deleted) || self.deleted == other.deleted;
        self.axis == other.axis && same
    }
}

impl Eq for Delete {}

impl Hash for Delete {
    /// Nothing of the positions but their number: there may be millions.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.axis, self.deleted.len()).hash(state);
    }
}

impl fmt::Display for Delete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delete[{} positions of axis {}]", self.deleted.len(), self.axis)
    }
}

impl BlockRule for Delete {
    fn name(&self) -> &str {
        "delete"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let mut axes = inputs[0].grid().axes().to_vec();
        axes[self.axis] = self.cut(&axes[self.axis])?;
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid: ChunkGrid::new(axes) })
    }

    fn needs(&self, block: &Region, _: usize, _: &[&Meta]) -> Needs {
        let held = self.held(block);
        let mut region = block.clone();
        region.set_axis(self.axis, held.start, held.len());
        Needs::from_iter([Need { input: 0, region }])
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, mut step: Step<'_>) -> Result<Chunk, BlockError> {
        let source = step.operands.swap_remove(0);
        if source.shape() == step.block.shape() {
            return Ok(source);
        }
        let kept = self.kept(self.held(step.block));
        // Blocks have at most 2^32 places along the axis.
        let places: Vec<u32> = (0..kept.len() as u32).collect();
        let picks = Picks { places: &places, sources: &kept };
        let mut out = begun(None, source.dtype(), step.block.shape());
        dispatch!(Bits: source.dtype(), W => {
            let mut elements = out.bits_mut::<W>()?;
            let elements = elements.as_slice_mut().expect("a block that is begun is in C order");
            gather::along(elements, kept.len(), source.bits::<W>()?, self.axis, picks);
        });
        Ok(out)
    }

    /// The places that are kept and where they go.
    fn scratch_bytes(&self, block: &Region, _: &[&Meta]) -> u64 {
        2 * size_of::<u32>() as u64 * block.shape()[self.axis] as u64
    }
}

/// `input` without what is at some positions of an axis: one, a list, a range, or where a mask of the axis is true. What is
/// named twice is deleted once. Building takes O(n log n) for n positions; a range without gaps is not listed, but cut out.
pub fn delete(input: &Expr, what: Index, axis: usize, origin: &'static Location<'static>) -> Expr {
    let Some(grid) = input.grid() else { return input.clone() };
    if let (Index::Slice(slice @ Slice { step: 1 | -1, .. }), Some(&len)) = (&what, grid.shape().get(axis)) {
        return match taken(*slice, len) {
            Ok(cut) => without(input, cut, axis, origin),
            Err(cause) => Expr::invalid("delete", cause, origin),
        };
    }
    match checked_axis(axis, grid.shape()).and_then(|()| positions(what, axis, grid.shape())) {
        Ok(mut deleted) => {
            deleted.sort_unstable();
            deleted.dedup();
            Expr::blockwise(Delete { axis, deleted: deleted.into() }, &[input], origin)
        }
        Err(cause) => Expr::invalid("delete", cause, origin),
    }
}

/// The positions of a slice with a step of 1 or -1.
fn taken(Slice { start, end, .. }: Slice, len: usize) -> Result<Range<usize>, ExprError> {
    let view = View::slice(&[len], &[SliceElem::Slice { start, end, step: 1 }])?;
    let first = if view.shape()[0] == 0 { 0 } else { view.source_index(&[0])[0] };
    Ok(first..first + view.shape()[0])
}

/// What is before and after a range of an axis.
fn without(input: &Expr, cut: Range<usize>, axis: usize, origin: &'static Location<'static>) -> Expr {
    let Some(grid) = input.grid() else { return input.clone() };
    let len = grid.shape()[axis];
    let part = |range: Range<usize>| {
        let all = |&len: &usize| SliceElem::Slice { start: 0, end: Some(len as isize), step: 1 };
        let mut elems: Vec<SliceElem> = grid.shape().iter().map(all).collect();
        elems[axis] =
            SliceElem::Slice { start: range.start as isize, end: Some(range.end as isize), step: 1 };
        Expr::view("delete", input, View::slice(grid.shape(), &elems), origin)
    };
    match (cut.start, cut.end) {
        _ if cut.is_empty() => input.clone(),
        (start, end) if end == len => part(0..start),
        (0, end) => part(end..len),
        (start, end) => Expr::concat(&[&part(0..start), &part(end..len)], axis, origin),
    }
}

fn positions(what: Index, axis: usize, shape: &[usize]) -> Result<Vec<usize>, ExprError> {
    let len = shape[axis];
    match what {
        Index::At(at) => IndexList::from([at]).positions(axis, shape),
        Index::Array(list) if list.shape().len() == 1 => list.positions(axis, shape),
        Index::Mask(mask) if mask.shape() == [len] => {
            Ok(mask.iter().zip(0..).filter(|(set, _)| **set).map(|(_, at)| at).collect())
        }
        Index::Slice(Slice { start, end, step }) => {
            let view = View::slice(&[len], &[SliceElem::Slice { start, end, step }])?;
            Ok((0..view.shape()[0]).map(|k| view.source_index(&[k])[0]).collect())
        }
        other => Err(ExprError::Message(format!("{other:?} does not say what to delete of {len} elements"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_the_result_are_those_left_in_order() {
        let delete = Delete { axis: 0, deleted: [0, 1, 4, 9].as_slice().into() };
        let left: Vec<usize> = (0..6).map(|at| delete.source(at)).collect();
        assert_eq!(left, [2, 3, 5, 6, 7, 8]);
        assert_eq!(delete.kept(2..9), [0, 1, 3, 4, 5, 6]);
    }

    #[test]
    fn a_range_is_cut_out_without_a_list() {
        let one = Expr::literal(chunkwise_chunk::Scalar::F64(1.0), Location::caller());
        let x = Expr::view("x", &one, View::broadcast(&[], &[1 << 44]), Location::caller());
        let left = |slice: Slice| delete(&x, Index::Slice(slice), 0, Location::caller()).shape()[0];
        assert_eq!(left((0_usize..1 << 43).into()), 1 << 43);
        assert_eq!(left(Slice::new(5, Some(-5), -1)), 10);
        assert_eq!(left((3..3).into()), 1 << 44);
        assert_eq!(left((..).into()), 0);
    }

    #[test]
    fn blocks_keep_what_is_left_of_them() {
        let delete = Delete { axis: 0, deleted: [0, 1, 4, 9].as_slice().into() };
        let cut = delete.cut(&AxisChunks::regular(10, 2)).unwrap();
        assert_eq!(cut.sizes().collect::<Vec<_>>(), [2, 1, 2, 1]);
    }
}
