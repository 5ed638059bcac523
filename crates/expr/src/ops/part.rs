//! Operations for a part of their result: what a slice leaves of them, and of their inputs.
//!
//! ```text
//! cut(op(a, b))  ->  op'(cut_a(a), cut_b(b))
//! ```
//!
//! | operation | its part takes |
//! |---|---|
//! | elementwise | of each operand what is broadcast to the part |
//! | reduction | the part of the kept axes, all of the others |
//! | concatenation | the inputs that reach into the part |
//! | rechunk | the part |
//! | reshape | the part of leading axes that both shapes have, or of rows that are runs of rows of the input |
//! | rule that goes [by regions](BlockRule::by_regions) | the box around what it needs: a slice and the margin of a window |
//!
//! Values keep their bits. A reduction keeps the order in which it folds: it has no part where the lengths of the pieces of
//! its blocks would be others.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, Cut, Region, Shape, Window, Written};
use smallvec::SmallVec;

use super::{BlockError, BlockRule, Blockwise, Concat, Rechunk, Reduce, Reshape, Step};
use crate::{ExprError, Meta, Need, Needs, Op, ReduceKind};

/// An operation that computes a part of the result of another one.
///
/// ```
/// use std::panic::Location;
/// use chunkwise_chunk::{ChunkGrid, Cut, DType, Region};
/// use chunkwise_expr::{Meta, Op, Rechunk};
/// let meta = Meta::Array { dtype: DType::F64, grid: ChunkGrid::regular(&[8], &[4]) };
/// let op = Op::Rechunk(Rechunk { grid: meta.grid().clone() });
/// let part = op.part(&Cut::region(&Region::new(&[3], &[2])), &[&meta], &meta).unwrap();
/// assert_eq!((part.grid.to_string(), part.inputs[0].1.start()), ("(1,)".to_owned(), &[3][..]));
/// ```
#[derive(Clone, Debug)]
pub struct OpPart {
    /// What is done.
    pub op: Op,
    /// Grid of its result.
    pub grid: ChunkGrid,
    /// The inputs it takes, by their places, and what of them.
    pub inputs: SmallVec<[(usize, Cut); 3]>,
    /// What is to be taken of its result: all, or every n-th index.
    pub left: Cut,
}

impl Op {
    /// The operation that computes what `cut` leaves of the result, from parts of the inputs; `None` where there is none, or
    /// it would need as much.
    pub fn part(&self, cut: &Cut, inputs: &[&Meta], meta: &Meta) -> Option<OpPart> {
        let shape = meta.grid().shape();
        if cut.is_empty() || cut.is_whole(shape) {
            return None;
        }
        match self {
            Op::Element(_) => exact(self.clone(), cut, meta, aligned(cut, inputs)),
            Op::Reduce(reduce) => of_reduction(reduce, cut, inputs, meta),
            Op::Concat(concat) => exact(self.clone(), cut, meta, of_parts(concat, cut, inputs)),
            Op::Rechunk(_) => {
                let grid = cut.grid(meta.grid()).ok()?;
                exact(Op::Rechunk(Rechunk { grid }), cut, meta, [(0, cut.clone())])
            }
            Op::Reshape(_) => {
                let of_input = of_reshaped(cut, inputs[0].grid().shape(), shape)?;
                let op = Op::Reshape(Reshape::with_grid(cut.grid(meta.grid()).ok()?));
                exact(op, cut, meta, [(0, of_input)])
            }
            Op::Blockwise(rule) if rule.by_regions() => of_rule(rule, cut, inputs, meta),
            _ => None,
        }
    }
}

/// The operation computes just what is left.
fn exact(op: Op, cut: &Cut, meta: &Meta, inputs: impl IntoIterator<Item = (usize, Cut)>) -> Option<OpPart> {
    let grid = cut.grid(meta.grid()).ok()?;
    Some(OpPart { op, grid, inputs: inputs.into_iter().collect(), left: Cut::whole(cut.shape()) })
}

/// What operands that are broadcast to an array have of a part of it.
fn aligned(cut: &Cut, inputs: &[&Meta]) -> SmallVec<[(usize, Cut); 3]> {
    let of_operand = |meta: &&Meta| {
        let shape = meta.grid().shape();
        let lead = cut.ndim() - shape.len();
        let mut own = cut.of_axes(&(lead..cut.ndim()).collect::<Vec<_>>());
        let repeated = (0..shape.len()).filter(|&axis| shape[axis] == 1);
        repeated.for_each(|axis| own.set_axis(axis, 0, 1, 1));
        own
    };
    inputs.iter().map(of_operand).enumerate().collect()
}

fn of_reduction(reduce: &Reduce, cut: &Cut, inputs: &[&Meta], meta: &Meta) -> Option<OpPart> {
    if matches!(reduce.kind, ReduceKind::User(_)) {
        return None;
    }
    let mut space = Cut::whole(reduce.space.shape());
    let mut kept = 0;
    for axis in 0..space.ndim() {
        let reduced = reduce.axes.contains(&axis);
        if !reduced {
            space.set_axis(axis, cut.start()[kept], cut.step()[kept], cut.shape()[kept]);
        }
        kept += usize::from(!reduced || reduce.keepdims);
    }
    let part = Reduce { space: space.grid(&reduce.space).ok()?, ..reduce.clone() };
    let (piece, before) = (part.piece(), reduce.piece());
    if reduce.axes.iter().any(|&axis| piece[axis] != before[axis]) {
        return None;
    }
    exact(Op::Reduce(Arc::new(part)), cut, meta, aligned(&space, inputs))
}

/// The inputs of a concatenation that have elements of the part.
fn of_parts(concat: &Concat, cut: &Cut, inputs: &[&Meta]) -> Vec<(usize, Cut)> {
    let (axis, starts) = (concat.axis, concat.starts(inputs));
    let (first, step) = (cut.start()[axis], cut.step()[axis]);
    // How many indices of the part lie before a place.
    let before = |place: usize| place.saturating_sub(first).div_ceil(step).min(cut.shape()[axis]);
    let part = |input: usize| {
        let (low, high) = (before(starts[input]), before(starts[input + 1]));
        let mut own = cut.clone();
        own.set_axis(axis, (first + low * step).saturating_sub(starts[input]), step, high - low);
        (high > low).then_some((input, own))
    };
    (0..inputs.len()).filter_map(part).collect()
}

/// What a part of an array has of the same elements in another shape.
fn of_reshaped(cut: &Cut, from: &[usize], to: &[usize]) -> Option<Cut> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let whole_after = |axis: usize| (axis..to.len()).all(|axis| cut.has_all(axis, to[axis]));
    let mut own = Cut::whole(from);
    if common > 0 && whole_after(common) {
        for axis in 0..common {
            own.set_axis(axis, cut.start()[axis], cut.step()[axis], cut.shape()[axis]);
        }
        return Some(own);
    }
    // Rows that are whole rows of the input.
    let row = |shape: &[usize]| shape.iter().skip(1).product::<usize>();
    let (row, own_row) = (row(to), row(from));
    let (start, len) = (*cut.start().first()? * row, *cut.shape().first()? * row);
    let fits = !from.is_empty()
        && cut.step()[0] == 1
        && whole_after(1)
        && own_row > 0
        && start.is_multiple_of(own_row)
        && len.is_multiple_of(own_row);
    fits.then(|| own.set_axis(0, start / own_row, 1, len / own_row))?;
    Some(own)
}

fn of_rule(rule: &Blockwise, cut: &Cut, inputs: &[&Meta], meta: &Meta) -> Option<OpPart> {
    let region = cut.bounds();
    if region.shape() == meta.grid().shape() {
        return None;
    }
    let mut reads: Vec<Option<Region>> = vec![None; inputs.len()];
    for need in rule.all_needs(&region, inputs) {
        let read = &mut reads[need.input];
        *read = Some(read.take().map_or(need.region.clone(), |known| around(&known, &need.region)));
    }
    let whole = |meta: &&Meta| Region::whole(meta.grid().shape());
    let reads: Vec<Region> =
        reads.into_iter().zip(inputs).map(|(read, meta)| read.unwrap_or_else(|| whole(meta))).collect();
    let grid = Cut::region(&region).grid(meta.grid()).ok()?;
    let of_inputs = reads.iter().map(Cut::region).enumerate().collect();
    let mut left = Cut::whole(cut.shape());
    (0..cut.ndim()).for_each(|axis| left.set_axis(axis, 0, cut.step()[axis], cut.shape()[axis]));
    let part = Part {
        rule: rule.clone(),
        whole: inputs.iter().map(|&meta| meta.clone()).collect(),
        reads,
        start: region.start().into(),
        grid: grid.clone(),
    };
    Some(OpPart { op: Op::Blockwise(Blockwise::new(part)), grid, inputs: of_inputs, left })
}

/// The smallest box that holds both.
fn around(a: &Region, b: &Region) -> Region {
    let mut both = a.clone();
    for axis in 0..a.ndim() {
        let start = a.start()[axis].min(b.start()[axis]);
        both.set_axis(axis, start, a.end(axis).max(b.end(axis)) - start);
    }
    both
}

/// A box of the result of a rule, from boxes of its inputs. The rule is asked as if nothing were left out.
#[derive(Clone, Debug)]
struct Part {
    rule: Blockwise,
    /// The inputs that the rule was made for.
    whole: Vec<Meta>,
    /// What of them the box is computed from.
    reads: Vec<Region>,
    /// Where the box begins.
    start: Shape,
    /// Its blocks.
    grid: ChunkGrid,
}

impl Part {
    /// A block of the box, in the result of the rule.
    fn place(&self, block: &Region) -> Region {
        let start: Shape = block.start().iter().zip(&self.start).map(|(at, start)| at + start).collect();
        Region::new(&start, block.shape())
    }

    fn whole(&self) -> SmallVec<[&Meta; 3]> {
        self.whole.iter().collect()
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Part) -> bool {
        (&self.start, &self.grid, &self.rule) == (&other.start, &other.grid, &other.rule)
            && self.reads == other.reads
            && self.whole == other.whole
    }
}

impl Eq for Part {}

impl Hash for Part {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.rule, &self.start).hash(state);
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {:?}", self.rule, &self.start[..])
    }
}

impl BlockRule for Part {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn infer(&self, _: &[&Meta]) -> Result<Meta, ExprError> {
        let dtype = self.rule.infer(&self.whole())?.dtype();
        Ok(Meta::Array { dtype, grid: self.grid.clone() })
    }

    fn steps(&self, _: &[&Meta]) -> usize {
        self.rule.steps(&self.whole())
    }

    fn needs(&self, block: &Region, step: usize, _: &[&Meta]) -> Needs {
        let needs = self.rule.needs(&self.place(block), step, &self.whole());
        let inside = |need: Need| Need { region: need.region.relative_to(&self.reads[need.input]), ..need };
        needs.into_iter().map(inside).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        self.rule.compute(Step { block: &self.place(step.block), inputs: &self.whole(), ..step })
    }

    fn scratch_bytes(&self, block: &Region, _: &[&Meta]) -> u64 {
        self.rule.scratch_bytes(&self.place(block), &self.whole())
    }

    fn fills(&self) -> bool {
        self.rule.fills()
    }

    fn fill<'w>(&self, step: Step<'_>, window: Window<'w>) -> Result<Written<'w>, BlockError> {
        self.rule.fill(Step { block: &self.place(step.block), inputs: &self.whole(), ..step }, window)
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn is_cheap(&self) -> bool {
        self.rule.is_cheap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::DType;

    fn meta(shape: &[usize]) -> Meta {
        Meta::Array { dtype: DType::F64, grid: ChunkGrid::regular(shape, &vec![2; shape.len()]) }
    }

    fn cut(axes: &[(usize, usize, usize)]) -> Cut {
        let mut cut = Cut::whole(&vec![0; axes.len()]);
        axes.iter().enumerate().for_each(|(axis, &(start, step, len))| cut.set_axis(axis, start, step, len));
        cut
    }

    #[test]
    fn concatenation_takes_the_inputs_that_reach_into_the_part() {
        let (a, b, c) = (meta(&[3]), meta(&[4]), meta(&[5]));
        let parts = of_parts(&Concat { axis: 0 }, &cut(&[(2, 3, 3)]), &[&a, &b, &c]);
        // The indices 2, 5, 8 are 2 of a, 2 of b, 1 of c.
        assert_eq!(parts, [(0, cut(&[(2, 3, 1)])), (1, cut(&[(2, 3, 1)])), (2, cut(&[(1, 3, 1)]))]);
        assert_eq!(
            of_parts(&Concat { axis: 0 }, &cut(&[(4, 1, 2)]), &[&a, &b, &c]),
            [(1, cut(&[(1, 1, 2)]))]
        );
    }

    #[test]
    fn reshaped_rows_are_rows_where_they_end_together() {
        let rows = cut(&[(2, 1, 4), (0, 1, 6)]);
        assert_eq!(of_reshaped(&rows, &[24, 2], &[8, 6]), Some(cut(&[(6, 1, 12), (0, 1, 2)])));
        assert_eq!(of_reshaped(&cut(&[(1, 1, 1), (0, 1, 6)]), &[12, 4], &[8, 6]), None);
        let leading = cut(&[(1, 2, 2), (0, 1, 6)]);
        assert_eq!(of_reshaped(&leading, &[4, 2, 3], &[4, 6]), Some(cut(&[(1, 2, 2), (0, 1, 2), (0, 1, 3)])));
    }

    #[test]
    fn reduction_has_no_part_that_is_folded_in_other_pieces() {
        let whole = |shape: &[usize]| Meta::Array { dtype: DType::F64, grid: ChunkGrid::whole(shape) };
        let part = |shape: &[usize]| {
            let input = whole(shape);
            let reduce = Reduce::new(ReduceKind::Sum, Some(&[0]), false, 0.0, input.grid()).unwrap();
            let (out, op) = (reduce.infer(&[&input]).unwrap(), Op::Reduce(Arc::new(reduce)));
            op.part(&cut(&[(5, 1, 1)]), &[&input], &out).is_some()
        };
        assert!(part(&[100, 100]));
        assert!(!part(&[10_000, 10_000]));
    }
}
