//! Blocks of a contraction of two operands: products of matrices, accumulated in place.
//!
//! ```text
//! C[b.., i.., j..] = sum over k.. of A[b.., i.., k..] * B[b.., j.., k..]        the axes of A and B in any order
//! ```
//!
//! A block is computed in steps, a task each: the first makes zeros, and every one adds the products of one region of
//! A with one of B, in the order of the summed axes. So a block is in memory once however many steps there are, its
//! elements stay of their type, and which thread runs which step changes no bit. The grids of the operands do not
//! matter: `grid` chooses the cuts, and steps read regions.
//!
//! Where the result has few blocks and the summed axes are long, the steps are shared out among *segments*: the result
//! gets a first axis with a partial sum for each, which the caller adds up.

use std::fmt;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkError, ChunkGrid, DType, Region, dispatch};
use chunkwise_expr::{BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayD, ArrayView3, ArrayViewD, Axis, CowArray, Ix3, IxDyn};

use super::grid::{self, Cuts, Limits, Parts};
use super::product::{Product, scratch_bytes};

/// Which axes of an operand are of which kind. Batch axes and summed ones are in the order of the other operand's.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Axes {
    /// Axes of both operands and the result.
    pub batch: Vec<usize>,
    /// Axes of this operand and the result.
    pub free: Vec<usize>,
    /// Axes of both operands that are summed.
    pub summed: Vec<usize>,
}

impl Axes {
    fn count(&self) -> usize {
        self.batch.len() + self.free.len() + self.summed.len()
    }

    /// The axes as three: batch, free, summed. Copied only where strides cannot express it.
    fn three<'a, T: Product>(&self, array: ArrayViewD<'a, T>) -> CowArray<'a, T, Ix3> {
        let order = [&self.batch[..], &self.free, &self.summed].concat();
        let mut array = array.permuted_axes(IxDyn(&order));
        let shape = array.shape().to_vec();
        let mut lengths = [1; 3];
        let mut end = 0;
        let mut joined = true;
        for (group, len) in [&self.batch, &self.free, &self.summed].into_iter().zip(&mut lengths) {
            let axes = end..end + group.len();
            *len = shape[axes.clone()].iter().product();
            end = axes.end;
            joined &= axes.skip(1).all(|axis| array.merge_axes(Axis(axis - 1), Axis(axis)));
        }
        if !joined {
            let copy = array.as_standard_layout().into_owned();
            let copy = copy.into_shape_with_order((lengths[0], lengths[1], lengths[2]));
            return CowArray::from(copy.expect("three axes hold the elements of all"));
        }
        CowArray::from(only_last(array, [&self.batch, &self.free, &self.summed].map(Vec::len)))
    }

    /// Whether [`three`](Axes::three) may have to copy.
    fn may_copy(&self) -> bool {
        self.batch.len() > 1 || self.free.len() > 1 || self.summed.len() > 1
    }
}

/// The contraction of two operands. The axes of the result are those of the segments if there are several, the batch
/// axes, the free axes of the left operand, and those of the right one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Contract {
    name: &'static str,
    dtype: DType,
    left: Axes,
    right: Axes,
    grid: ChunkGrid,
    steps: ChunkGrid,
    segments: usize,
}

impl Contract {
    /// The contraction that `name` (for plans and errors) asks for, in blocks within `limits`.
    ///
    /// # Errors
    /// When the axes of the operands do not fit.
    pub fn new(
        name: &'static str,
        (left, left_meta): (Axes, &Meta),
        (right, right_meta): (Axes, &Meta),
        limits: &Limits,
    ) -> Result<Contract, ExprError> {
        let (a, b) = (left_meta.grid(), right_meta.grid());
        check(&left, a, &right, b)?;
        let both = |a_axes: &[usize], b_axes: &[usize]| {
            let pairs = a_axes.iter().zip(b_axes);
            pairs.map(|(&i, &j)| grid::common(a.axis(i), b.axis(j))).collect::<Vec<AxisChunks>>()
        };
        let own = |axes: &[usize], grid: &ChunkGrid| axes.iter().map(|&i| grid.axis(i).clone()).collect();
        let parts = Parts {
            batch: both(&left.batch, &right.batch),
            left: own(&left.free, a),
            right: own(&right.free, b),
            summed: both(&left.summed, &right.summed),
        };
        let Cuts { result, steps, segments } = grid::choose(&parts, limits);
        let leading = (segments > 1).then(|| AxisChunks::regular(segments, 1));
        let grid = ChunkGrid::new(leading.into_iter().chain(result));
        Ok(Contract { name, dtype: left_meta.dtype(), left, right, grid, steps, segments })
    }

    /// Partial sums that the result has along its first axis; 1 when it has no such axis.
    pub fn segments(&self) -> usize {
        self.segments
    }

    /// The axes of the left operand and of the right one.
    pub fn axes(&self) -> [&Axes; 2] {
        [&self.left, &self.right]
    }

    /// The regions of the summed axes that a segment adds up.
    pub fn summed_in(&self, segment: usize) -> impl Iterator<Item = Region> + '_ {
        let per = self.steps_of_block();
        let steps = segment * per..self.steps.num_blocks().min((segment + 1) * per);
        steps.map(|step| self.steps.region(&self.steps.block(step)))
    }

    fn steps_of_block(&self) -> usize {
        self.steps.num_blocks().div_ceil(self.segments)
    }

    /// Axes of the result before the batch axes.
    fn leading(&self) -> usize {
        usize::from(self.segments > 1)
    }

    /// The part of the summed axes that a step adds; `None` when its segment has no more.
    fn summed(&self, block: &Region, step: usize) -> Option<Region> {
        let segment = if self.segments > 1 { block.start()[0] } else { 0 };
        let step = segment * self.steps_of_block() + step;
        (step < self.steps.num_blocks()).then(|| self.steps.region(&self.steps.block(step)))
    }

    /// The region of an operand: its batch axes and free ones from the block, which has the free ones at `free`.
    fn region(&self, axes: &Axes, block: &Region, free: usize, summed: &Region) -> Region {
        let mut region = Region::whole(&vec![0; axes.count()]);
        let mut copy = |to: usize, from: &Region, axis: usize| {
            region.set_axis(to, from.start()[axis], from.shape()[axis]);
        };
        axes.batch.iter().enumerate().for_each(|(i, &axis)| copy(axis, block, self.leading() + i));
        axes.free.iter().enumerate().for_each(|(i, &axis)| copy(axis, block, free + i));
        axes.summed.iter().enumerate().for_each(|(i, &axis)| copy(axis, summed, i));
        region
    }

    /// Lengths of a block as a batch of matrices: their number, rows, columns.
    fn three(&self, shape: &[usize]) -> (usize, usize, usize) {
        let (batch, free) = shape[self.leading()..].split_at(self.left.batch.len());
        let (rows, columns) = free.split_at(self.left.free.len());
        (batch.iter().product(), rows.iter().product(), columns.iter().product())
    }

    fn accumulate<T: Product>(&self, sum: Chunk, step: &Step<'_>) -> Result<Chunk, BlockError> {
        let [a, b] = &step.operands[..] else { return Ok(sum) };
        let (a, b) = (a.typed::<T>()?, b.typed::<T>()?);
        let (a, b) = (self.left.three(a.view()), self.right.three(b.view()));
        let sum: ArrayD<T> = sum.into_array()?;
        let mut sum = sum.into_shape_with_order(self.three(step.block.shape()))?;
        for ((c, a), b) in sum.outer_iter_mut().zip(a.outer_iter()).zip(b.outer_iter()) {
            if (step.cancelled)() {
                return Err("stopped: the run was cancelled".into());
            }
            T::add_product(c, a, b.reversed_axes())?;
        }
        Ok(Chunk::from_array(sum.into_shape_with_order(IxDyn(step.block.shape()))?))
    }
}

/// The last axis of each group, or a new one where the group has none; all others have length 1.
fn only_last<'a, T>(mut array: ArrayViewD<'a, T>, groups: [usize; 3]) -> ArrayView3<'a, T> {
    for (axis, count) in groups.into_iter().enumerate() {
        for _ in 1..count {
            array = array.index_axis_move(Axis(axis), 0);
        }
        if count == 0 {
            array = array.insert_axis(Axis(axis));
        }
    }
    array.into_dimensionality().expect("one axis is left of each group")
}

/// Batch axes and summed ones are pairs of equal lengths.
fn check(left: &Axes, a: &ChunkGrid, right: &Axes, b: &ChunkGrid) -> Result<(), ExprError> {
    let counts = |axes: &Axes| (axes.batch.len(), axes.summed.len());
    let shared = |axes: &Axes| [&axes.batch[..], &axes.summed].concat();
    let lengths = |axes: &Axes, grid: &ChunkGrid| {
        shared(axes).iter().map(|&axis| grid.shape().get(axis).copied()).collect::<Option<Vec<usize>>>()
    };
    let fits = counts(left) == counts(right)
        && (left.count(), right.count()) == (a.ndim(), b.ndim())
        && lengths(left, a).is_some()
        && lengths(left, a) == lengths(right, b);
    let (left, right) = (a.shape().into(), b.shape().into());
    if fits { Ok(()) } else { Err(ChunkError::Broadcast { left, right }.into()) }
}

impl BlockRule for Contract {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let types: Vec<DType> = inputs.iter().map(|input| input.dtype()).collect();
        if types.iter().any(|&dtype| dtype != self.dtype) {
            return Err(ExprError::DType(types));
        }
        Ok(Meta::Array { dtype: self.dtype, grid: self.grid.clone() })
    }

    fn steps(&self, _: &[&Meta]) -> usize {
        self.steps_of_block()
    }

    fn needs(&self, block: &Region, step: usize, _: &[&Meta]) -> Needs {
        let Some(summed) = self.summed(block, step).filter(|summed| !summed.is_empty()) else {
            return Needs::new();
        };
        let rows = self.leading() + self.left.batch.len();
        let columns = rows + self.left.free.len();
        let (left, right) = (&self.left, &self.right);
        [(0, left, rows), (1, right, columns)]
            .into_iter()
            .map(|(input, axes, free)| Need { input, region: self.region(axes, block, free, &summed) })
            .collect()
    }

    fn compute(&self, mut step: Step<'_>) -> Result<Chunk, BlockError> {
        let sum = step.before.take().unwrap_or_else(|| Chunk::zeros(self.dtype, step.block.shape()));
        dispatch!(self.dtype, T => self.accumulate::<T>(sum, &step))
    }

    /// What packing takes, and copies of operands whose axes cannot be joined where they are.
    fn scratch_bytes(&self, block: &Region, _: &[&Meta]) -> u64 {
        let (batch, m, n) = self.three(block.shape());
        let k = self.steps.max_chunk().iter().product::<usize>();
        let copy = |axes: &Axes, rows: usize| if axes.may_copy() { batch * rows * k } else { 0 };
        let copied = copy(&self.left, m).saturating_add(copy(&self.right, n));
        let itemsize = self.dtype.itemsize();
        scratch_bytes(m, n, k, itemsize).saturating_add((copied as u64).saturating_mul(itemsize as u64))
    }

    fn is_cheap(&self) -> bool {
        false
    }
}

impl fmt::Display for Contract {
    /// The axes by letter, then the length of a step: `matmul[ac, cb -> ab, c by 1000]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |i: usize| char::from(b'a' + (i % 26) as u8);
        let (batch, rows, columns) = (self.left.batch.len(), self.left.free.len(), self.right.free.len());
        let name = |axes: &Axes, free: usize| {
            let mut text = vec![' '; axes.count()];
            axes.batch.iter().enumerate().for_each(|(i, &axis)| text[axis] = letter(i));
            axes.free.iter().enumerate().for_each(|(i, &axis)| text[axis] = letter(free + i));
            let summed = batch + rows + columns;
            axes.summed.iter().enumerate().for_each(|(i, &axis)| text[axis] = letter(summed + i));
            text.into_iter().collect::<String>()
        };
        let letters = |from: usize, count: usize| (from..from + count).map(letter).collect::<String>();
        let result = letters(0, batch + rows + columns);
        let summed = letters(batch + rows + columns, self.left.summed.len());
        let (left, right) = (name(&self.left, batch), name(&self.right, batch + rows));
        write!(f, "{}[{left}, {right} -> {result}, {summed} by {}", self.name, self.steps)?;
        match self.segments {
            1 => f.write_str("]"),
            segments => write!(f, ", {segments} partial sums]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn axes(batch: &[usize], free: &[usize], summed: &[usize]) -> Axes {
        Axes { batch: batch.into(), free: free.into(), summed: summed.into() }
    }

    #[test]
    fn transposed_operand_is_not_copied() {
        let x = Array2::<f64>::zeros((3, 4)).into_dyn();
        for (x, axes) in [(x.view(), axes(&[], &[0], &[1])), (x.view(), axes(&[], &[1], &[0]))] {
            let at = x.as_ptr();
            assert_eq!(axes.three(x).as_ptr(), at);
            assert!(!axes.may_copy());
        }
    }
}
