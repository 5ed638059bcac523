//! A slice of an array replaced.

use std::fmt;
use std::ops::Range;
use std::panic::Location;

use chunkwise_chunk::{AxisMap, Chunk, DType, Region, SliceElem, View, dispatch};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::{Axis, Slice};
use smallvec::SmallVec;

use super::take::first_error;

/// Its first input with a slice replaced by its second one, which has the slice's lengths on the axes of the first.
///
/// The result is in the blocks of the first input. A block that the slice covers needs nothing of the first input, and one
/// that it does not touch nothing of the second.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Assign {
    walks: SmallVec<[Walk; 4]>,
}

/// The positions `offset`, `offset + step`, .. of an axis, `len` of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Walk {
    /// The first position.
    pub offset: usize,
    /// From one to the next.
    pub step: isize,
    /// How many.
    pub len: usize,
}

impl Walk {
    /// Which of the positions lie in a range of the axis.
    fn inside(&self, range: Range<usize>) -> Range<usize> {
        let stride = self.step.unsigned_abs();
        // The number of positions before one reaches `bound`, going up or down.
        let until = |bound: usize| match self.step > 0 {
            true => bound.saturating_sub(self.offset).div_ceil(stride),
            false => (self.offset + 1).saturating_sub(bound).div_ceil(stride),
        };
        let (first, end) = match self.step > 0 {
            true => (until(range.start), until(range.end)),
            false => (until(range.end), until(range.start)),
        };
        first.min(self.len)..end.min(self.len)
    }

    /// The slice of a block that starts at `start` which holds these of the positions, in their order.
    fn slice(&self, inside: &Range<usize>, start: usize) -> Slice {
        let at = |k: usize| self.offset.wrapping_add_signed(self.step * k as isize) - start;
        let (first, last) = (at(inside.start), at(inside.end - 1));
        Slice::new(first.min(last) as isize, Some(first.max(last) as isize + 1), self.step)
    }
}

impl Assign {
    /// The positions that are replaced, for every axis.
    pub fn walks(&self) -> &[Walk] {
        &self.walks
    }

    /// The part of the second input that a block takes; `None` when it takes nothing of it.
    fn part(&self, block: &Region) -> Option<Region> {
        let mut part = block.clone();
        for (axis, walk) in self.walks.iter().enumerate() {
            let inside = walk.inside(block.start()[axis]..block.end(axis));
            part.set_axis(axis, inside.start, inside.len());
        }
        (!part.is_empty()).then_some(part)
    }
}

impl fmt::Display for Assign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("assign[")?;
        for (axis, Walk { offset, step, len }) in self.walks.iter().enumerate() {
            let comma = if axis == 0 { "" } else { ", " };
            write!(f, "{comma}{len} from {offset} by {step}")?;
        }
        f.write_str("]")
    }
}

impl BlockRule for Assign {
    fn name(&self) -> &str {
        "assign"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        same_type(inputs)
    }

    fn needs(&self, block: &Region, _: usize, _: &[&Meta]) -> Needs {
        let part = self.part(block);
        let covered = part.as_ref().is_some_and(|part| part.shape() == block.shape());
        let old = (!covered).then(|| Need { input: 0, region: block.clone() });
        old.into_iter().chain(part.map(|region| Need { input: 1, region })).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let mut operands = step.operands;
        let Some(part) = self.part(step.block) else { return Ok(operands.swap_remove(0)) };
        let new = operands.pop().expect("a block that takes something new needs it");
        let old = operands.pop();
        let mut out = replaced(old, new.dtype(), step.block.shape());
        dispatch!(Bits: new.dtype(), W => {
            let mut window = out.bits_mut::<W>()?;
            for (axis, walk) in self.walks.iter().enumerate() {
                let inside = part.start()[axis]..part.end(axis);
                window.slice_axis_inplace(Axis(axis), walk.slice(&inside, step.block.start()[axis]));
            }
            window.assign(&new.bits::<W>()?);
        });
        Ok(out)
    }
}

/// The block that something new is written to: the old one, or zeros where nothing is left of it.
pub(super) fn replaced(old: Option<Chunk>, dtype: DType, shape: &[usize]) -> Chunk {
    old.map_or_else(|| Chunk::zeros(dtype, shape), Chunk::into_unshared)
}

/// What is inferred of the first input, when the second one is of its type.
pub(super) fn same_type(inputs: &[&Meta]) -> Result<Meta, ExprError> {
    let types: Vec<DType> = inputs.iter().map(|input| input.dtype()).collect();
    if types[0] != types[1] {
        return Err(ExprError::DType(types));
    }
    Ok(inputs[0].clone())
}

/// `input` with the elements that a slice shows replaced by `value`, which is repeated to the slice's shape.
pub fn assign(input: &Expr, slice: &[SliceElem], value: &Expr, origin: &'static Location<'static>) -> Expr {
    let (Some(grid), Some(_)) = (input.grid(), value.grid()) else { return first_error(input, value) };
    let shown = match View::slice(grid.shape(), slice) {
        Ok(shown) => shown,
        Err(cause) => return Expr::invalid("assign", cause.into(), origin),
    };
    let value = repeated_to("assign", value, shown.shape(), origin);
    let value = Expr::view("assign", &value, unsliced(&shown), origin);
    Expr::blockwise(Assign { walks: walks(&shown) }, &[input, &value], origin)
}

/// `value` repeated to the shape of `to`.
pub fn repeated(name: &str, value: &Expr, to: &Expr, origin: &'static Location<'static>) -> Expr {
    match to.error() {
        Some(_) => to.clone(),
        None => repeated_to(name, value, to.shape(), origin),
    }
}

/// `value` repeated to a shape; as in NumPy it may have more axes, if those in front have length 1.
pub(super) fn repeated_to(
    name: &str,
    value: &Expr,
    shape: &[usize],
    origin: &'static Location<'static>,
) -> Expr {
    let mut value = value.clone();
    while value.shape().len() > shape.len() && value.shape()[0] == 1 {
        value = Expr::view(name, &value, View::remove_axis(value.shape(), 0), origin);
    }
    Expr::view(name, &value, View::broadcast(value.shape(), shape), origin)
}

/// For every axis of the source the positions that a slice shows.
fn walks(shown: &View) -> SmallVec<[Walk; 4]> {
    let mut walks: SmallVec<[Walk; 4]> =
        shown.offset().iter().map(|&offset| Walk { offset, step: 1, len: 1 }).collect();
    for (map, &len) in shown.axes().iter().zip(shown.shape()) {
        if let AxisMap::Source { axis, step } = *map {
            (walks[axis].step, walks[axis].len) = (step, len);
        }
    }
    walks
}

/// The view from what a slice shows to as many axes as its source has: without new axes, and with dropped ones.
fn unsliced(shown: &View) -> Result<View, ExprError> {
    let kept = |map: &AxisMap| if matches!(map, AxisMap::Repeat) { SliceElem::Index(0) } else { (..).into() };
    let elems: Vec<SliceElem> = shown.axes().iter().map(kept).collect();
    let mut view = View::slice(shown.shape(), &elems)?;
    for axis in 0..shown.source_shape().len() {
        let is_kept = |map: &AxisMap| matches!(*map, AxisMap::Source { axis: of, .. } if of == axis);
        if !shown.axes().iter().any(is_kept) {
            view = view.then(&View::insert_axis(view.shape(), axis)?);
        }
    }
    Ok(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walk_knows_which_of_its_positions_lie_in_a_range() {
        for step in [-4isize, -2, -1, 1, 2, 3] {
            for (offset, len) in [(0, 1), (9, 3), (5, 0), (8, 2)] {
                let reach = offset as isize + step * (len as isize - 1).max(0);
                if !(0..20).contains(&reach) {
                    continue;
                }
                let walk = Walk { offset, step, len };
                for (low, high) in [(0, 20), (0, 1), (4, 9), (8, 12), (19, 20)] {
                    let at = |k: &usize| (offset as isize + step * *k as isize) as usize;
                    let want: Vec<usize> = (0..len).filter(|k| (low..high).contains(&at(k))).collect();
                    let got: Vec<usize> = walk.inside(low..high).collect();
                    assert_eq!(got, want, "{walk:?} {low}..{high}");
                }
            }
        }
    }
}
