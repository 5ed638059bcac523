//! Elements replaced at given positions of an axis.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{AsBits, Chunk, Region, dispatch};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayViewD, ArrayViewMutD, Axis, Zip};

use super::assign::{repeated_to, replaced, same_type};
use super::points::checked_axis;
use super::take::first_error;
use super::{IndexList, take_list};

/// Its first input with what is at some positions of an axis replaced by its second one, which is as long as there are
/// positions. They ascend, so that a block of the result takes one region of each input.
#[derive(Clone, Debug)]
pub struct Place {
    axis: usize,
    positions: Arc<[usize]>,
}

impl Place {
    /// The axis.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// The positions that are replaced, in ascending order, each once.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// Which of the positions lie in a block.
    fn inside(&self, block: &Region) -> Range<usize> {
        let before = |bound: usize| self.positions.partition_point(|&at| at < bound);
        before(block.start()[self.axis])..before(block.end(self.axis))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Place) -> bool {
        let same = Arc::ptr_eq(&self.positions, &other.positions) || self.positions == other.positions;
        self.axis == other.axis && same
    }
}

impl Eq for Place {}

impl Hash for Place {
    /// Nothing of the positions but their number: there may be millions.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.axis, self.positions.len()).hash(state);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "assign_at[{} positions of axis {}]", self.positions.len(), self.axis)
    }
}

impl BlockRule for Place {
    fn name(&self) -> &str {
        "assign_at"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        same_type(inputs)
    }

    fn needs(&self, block: &Region, _: usize, _: &[&Meta]) -> Needs {
        let inside = self.inside(block);
        let covered = inside.len() == block.shape()[self.axis];
        let mut part = block.clone();
        part.set_axis(self.axis, inside.start, inside.len());
        let old = (!covered).then(|| Need { input: 0, region: block.clone() });
        let new = (!inside.is_empty()).then_some(Need { input: 1, region: part });
        old.into_iter().chain(new).collect()
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let mut operands = step.operands;
        let inside = self.inside(step.block);
        if inside.is_empty() {
            return Ok(operands.swap_remove(0));
        }
        let new = operands.pop().expect("a block that takes something new needs it");
        let old = operands.pop();
        let start = step.block.start()[self.axis];
        let mut out = replaced(old, new.dtype(), step.block.shape());
        dispatch!(Bits: new.dtype(), W => {
            let positions = &self.positions[inside];
            place(out.bits_mut::<W>()?, new.bits::<W>()?, Axis(self.axis), positions, start);
        });
        Ok(out)
    }
}

/// Replaces what is at the positions, of a block that starts at `start` on the axis.
fn place<T: AsBits>(
    mut out: ArrayViewMutD<'_, T>,
    new: ArrayViewD<'_, T>,
    axis: Axis,
    positions: &[usize],
    start: usize,
) {
    if axis.index() + 1 == out.ndim() {
        Zip::from(out.lanes_mut(axis)).and(new.lanes(axis)).for_each(|mut out, new| {
            positions.iter().zip(new).for_each(|(&at, &x)| out[at - start] = x);
        });
        return;
    }
    for (&at, new) in positions.iter().zip(new.axis_iter(axis)) {
        out.index_axis_mut(axis, at - start).assign(&new);
    }
}

/// `input` with the elements at `indices` of an axis replaced by `value`, which is repeated to the shape that taking them
/// would have. Of equal indices the last one counts.
pub fn assign_at(
    input: &Expr,
    indices: IndexList,
    axis: usize,
    value: &Expr,
    origin: &'static Location<'static>,
) -> Expr {
    let (Some(grid), Some(_)) = (input.grid(), value.grid()) else { return first_error(input, value) };
    let count = indices.indices().len();
    match checked_axis(axis, grid.shape()).and_then(|()| last_of_each(indices, axis, grid.shape())) {
        Ok((positions, last)) => {
            let mut shape = grid.shape().to_vec();
            shape[axis] = count;
            let value = in_order(value, &shape, axis, last, origin);
            Expr::blockwise(Place { axis, positions: positions.into() }, &[input, &value], origin)
        }
        Err(cause) => Expr::invalid("assign_at", cause, origin),
    }
}

/// The positions in ascending order, each once, and for each which of the indices is the last one of it.
fn last_of_each(
    indices: IndexList,
    axis: usize,
    shape: &[usize],
) -> Result<(Vec<usize>, Vec<usize>), ExprError> {
    if indices.shape().len() != 1 {
        let text = format!("indices of shape {:?} must have one axis", indices.shape());
        return Err(ExprError::Message(text));
    }
    let positions = indices.positions(axis, shape)?;
    let mut pairs: Vec<(usize, usize)> = positions.into_iter().zip(0..).collect();
    pairs.sort_unstable();
    let last = pairs.chunk_by(|a, b| a.0 == b.0).map(|equal| equal[equal.len() - 1]);
    Ok(last.unzip())
}

/// The values in the order of ascending positions: `which` of them along the axis. What is one value for all needs no
/// order.
fn in_order(
    value: &Expr,
    shape: &[usize],
    axis: usize,
    which: Vec<usize>,
    origin: &'static Location<'static>,
) -> Expr {
    let whole = repeated_to("assign_at", value, shape, origin);
    if whole.error().is_some() || which.iter().copied().eq(0..shape[axis]) {
        return whole;
    }
    let mut kept = shape.to_vec();
    kept[axis] = which.len();
    let own = (axis + value.shape().len()).checked_sub(shape.len());
    let lasting = match own {
        Some(own) if value.shape()[own] != 1 => take_list("assign_at", value, which.into(), own, origin),
        _ => value.clone(),
    };
    repeated_to("assign_at", &lasting, &kept, origin)
}
