//! A rule run over a block.
//!
//! ```text
//! inner == 1    for each kept element: its row of R elements          R <= 256: one segment
//!                   segments of 256 -> state -> pairwise
//! inner > 1     for each outer element, for each 256 columns:
//!                   panels of up to 64 rows -> states of the columns -> pairwise
//! ```
//!
//! Tiles are multiples of a segment and never cut one, so how many elements the machine evaluates at a time
//! does not show in the result.

use chunkwise_chunk::{Chunk, DType};
use chunkwise_expr::ReduceKind;
use ndarray::{ArrayD, IxDyn};

use super::Partial;
use super::dispatch::Loops;
use super::lanes::{Extreme, Lanes, Largest, Mean, Prod, Smallest, Sum, Truth};
use super::moments::Moments;
use super::pairwise::Pairwise;
use super::position::Position;
use super::rule::{Divisor, Rule};
use super::split::Split;
use crate::KernelError;
use crate::compile::{Code, SEGMENT};
use crate::machine::{COLUMNS, Machine, ROWS};
use crate::operand::OperandRef;

/// Most panels' states that wait to be merged: enough for 2^32 rows.
pub(super) const PANEL_STACK: usize = 26;

/// A reduction of elements whose type is known only when run.
pub(super) trait Folder: Send + Sync {
    /// The states of a block.
    fn fold(
        &self,
        code: &Code,
        operands: &[OperandRef<'_>],
        shape: &[usize],
        split: &Split,
    ) -> Result<Partial, KernelError>;
    /// One part out of at least one.
    fn merge(&self, parts: &[&Partial]) -> Partial;
    /// The values of the states.
    fn finish(&self, part: &Partial, divisor: Divisor) -> Chunk;
    /// Bytes of one state.
    fn state_bytes(&self) -> usize;
}

/// The type a reduction works in. Elements of other types are converted as the last step of the program, at
/// the price of one pass over a tile in the cache, so that rules are compiled for few types:
///
/// * sums and products of integers and bool in 64 bits, which is also where they shall wrap;
/// * means and variances of everything but `f32` in `f64`: integers become floats before they are added, so
///   that their sum cannot wrap;
/// * extremes of small integers in 32 bits, which changes neither order nor value;
/// * truth in bool.
pub(super) fn work_type(kind: ReduceKind, elements: DType) -> DType {
    match kind {
        ReduceKind::Sum | ReduceKind::Prod => elements.sum_type(),
        ReduceKind::Mean | ReduceKind::Var | ReduceKind::Std => elements.mean_type(),
        ReduceKind::Any | ReduceKind::All => DType::Bool,
        ReduceKind::Min | ReduceKind::Max | ReduceKind::ArgMin | ReduceKind::ArgMax => match elements {
            DType::Bool | DType::U8 | DType::U16 => DType::U32,
            DType::I8 | DType::I16 => DType::I32,
            wide => wide,
        },
    }
}

/// Picks a rule for a working type.
macro_rules! rule {
    ($work:expr, $t:ident in ($($v:ident $type:ty),*) => $rule:ty) => {
        match $work {
            $(DType::$v => {
                type $t = $type;
                typed::<$rule>()
            })*
            other => unreachable!("{other} is no working type of this reduction"),
        }
    };
}

/// The rule of a reduction for elements of its working type.
pub(super) fn folder(kind: ReduceKind, work: DType) -> Box<dyn Folder> {
    macro_rules! sums {
        ($rule:ident) => { rule!(work, T in (I64 i64, U64 u64, F32 f32, F64 f64) => Lanes<$rule<T>>) };
    }
    macro_rules! ordered {
        ($t:ident => $rule:ty) => {
            rule!(work, $t in (I32 i32, U32 u32, I64 i64, U64 u64, F32 f32, F64 f64) => $rule)
        };
    }
    match kind {
        ReduceKind::Sum => sums!(Sum),
        ReduceKind::Prod => sums!(Prod),
        ReduceKind::Mean => rule!(work, T in (F32 f32, F64 f64) => Lanes<Mean<T>>),
        ReduceKind::Var | ReduceKind::Std => rule!(work, T in (F32 f32, F64 f64) => Moments<T>),
        ReduceKind::Min => ordered!(T => Lanes<Extreme<T, Smallest>>),
        ReduceKind::Max => ordered!(T => Lanes<Extreme<T, Largest>>),
        ReduceKind::ArgMin => ordered!(T => Position<T, Smallest>),
        ReduceKind::ArgMax => ordered!(T => Position<T, Largest>),
        ReduceKind::Any => typed::<Lanes<Truth<Largest>>>(),
        ReduceKind::All => typed::<Lanes<Truth<Smallest>>>(),
    }
}

fn typed<R: Rule>() -> Box<dyn Folder> {
    Box::new(Typed::<R>(Loops::new()))
}

struct Typed<R: Rule>(Loops<R>);

impl<R: Rule> Folder for Typed<R> {
    fn fold(
        &self,
        code: &Code,
        operands: &[OperandRef<'_>],
        shape: &[usize],
        split: &Split,
    ) -> Result<Partial, KernelError> {
        let states = match split.kept() * split.reduced {
            0 => vec![R::State::default(); split.kept()],
            _ => {
                self.states(&mut Machine::new(code, operands, shape, &split.order, split.inner > 1), split)?
            }
        };
        Ok(Partial { shape: split.result.clone(), count: split.reduced as u64, states: Box::new(states) })
    }

    fn merge(&self, parts: &[&Partial]) -> Partial {
        let first = parts.iter().find(|part| part.count > 0).or(parts.first());
        let first = first.expect("there is at least one part to merge");
        let (mut states, mut count) = (first.states::<R::State>().to_vec(), 0);
        for part in parts.iter().filter(|part| part.count > 0) {
            if count > 0 {
                let other = part.states::<R::State>();
                assert_eq!(states.len(), other.len(), "parts of one result have one shape");
                self.0.merge(&mut states, count, other, part.count);
            }
            count += part.count;
        }
        Partial { shape: first.shape.clone(), count, states: Box::new(states) }
    }

    fn finish(&self, part: &Partial, divisor: Divisor) -> Chunk {
        let value = |&state: &R::State| match part.count {
            0 => R::nothing(),
            count => R::value(state, count, divisor),
        };
        let values: Vec<R::Out> = part.states::<R::State>().iter().map(value).collect();
        let block = ArrayD::from_shape_vec(IxDyn(&part.shape), values);
        Chunk::from_array(block.expect("a part has one state per element of its shape"))
    }

    fn state_bytes(&self) -> usize {
        size_of::<R::State>()
    }
}

impl<R: Rule> Typed<R> {
    fn states(&self, machine: &mut Machine<'_>, split: &Split) -> Result<Vec<R::State>, KernelError> {
        let mut states = Vec::with_capacity(split.kept());
        if split.inner > 1 {
            self.panels(machine, split, &mut states)?;
        } else if split.reduced <= machine.tile() {
            self.short_rows(machine, split, &mut states)?;
        } else {
            self.long_rows(machine, split, &mut states)?;
        }
        if R::HAS_POSITION {
            for state in &mut states {
                *state = R::moved(*state, |at| split.position(at));
            }
        }
        Ok(states)
    }

    /// Rows that fit in a tile: several of them at a time.
    fn short_rows(
        &self,
        machine: &mut Machine<'_>,
        split: &Split,
        states: &mut Vec<R::State>,
    ) -> Result<(), KernelError> {
        let (rows, len) = (split.outer, split.reduced);
        let at_once = machine.tile() / len;
        let (mut segments, mut parts) = (Vec::new(), Pairwise::new());
        for row in (0..rows).step_by(at_once) {
            let items = machine.items::<R::Item>(row * len, at_once.min(rows - row) * len)?;
            if len <= SEGMENT {
                self.0.segments(items, len, [0, 0], states);
                continue;
            }
            for row in items.chunks_exact(len) {
                self.segments(row, 0, &mut segments, &mut parts);
                states.extend(parts.finish(R::merge));
            }
        }
        Ok(())
    }

    /// Rows longer than a tile.
    fn long_rows(
        &self,
        machine: &mut Machine<'_>,
        split: &Split,
        states: &mut Vec<R::State>,
    ) -> Result<(), KernelError> {
        let (tile, len) = (machine.tile(), split.reduced);
        let (mut segments, mut parts) = (Vec::new(), Pairwise::new());
        for row in 0..split.outer {
            for at in (0..len).step_by(tile) {
                let items = machine.items::<R::Item>(row * len + at, tile.min(len - at))?;
                self.segments(items, at as u64, &mut segments, &mut parts);
            }
            states.extend(parts.finish(R::merge));
        }
        Ok(())
    }

    /// Adds the segments of a run to the parts; `states` is memory to reuse.
    fn segments(
        &self,
        items: &[R::Item],
        at: u64,
        states: &mut Vec<R::State>,
        parts: &mut Pairwise<R::State>,
    ) {
        states.clear();
        self.0.segments(items, SEGMENT, [at, SEGMENT as u64], states);
        for (&state, segment) in states.iter().zip(items.chunks(SEGMENT)) {
            parts.push(state, segment.len() as u64, R::merge);
        }
    }

    /// Columns of panels.
    fn panels(
        &self,
        machine: &mut Machine<'_>,
        split: &Split,
        states: &mut Vec<R::State>,
    ) -> Result<(), KernelError> {
        for outer in 0..split.outer {
            for column in (0..split.inner).step_by(COLUMNS) {
                let columns = COLUMNS.min(split.inner - column);
                let start = outer * split.reduced * split.inner + column;
                states.extend(self.columns(machine, start, columns, split)?);
            }
        }
        Ok(())
    }

    fn columns(
        &self,
        machine: &mut Machine<'_>,
        start: usize,
        columns: usize,
        split: &Split,
    ) -> Result<Vec<R::State>, KernelError> {
        let merge = |mut a: Vec<R::State>, na, b: Vec<R::State>, nb| {
            self.0.merge(&mut a, na, &b, nb);
            a
        };
        let mut parts = Pairwise::new();
        for row in (0..split.reduced).step_by(ROWS) {
            let count = ROWS.min(split.reduced - row);
            let rows = machine.rows::<R::Item>(start + row * split.inner, split.inner, count, columns)?;
            let mut states = vec![R::State::default(); columns];
            self.0.columns(&rows, row as u64, &mut states);
            parts.push(states, count as u64, merge);
        }
        Ok(parts.finish(merge).unwrap_or_default())
    }
}
