//! A rule over what a machine has evaluated: rows and panels to states, states to values.
//!
//! The order in which a block is evaluated is that of [`walk`](super::walk).

use chunkwise_chunk::{Chunk, Complex, DType};
use chunkwise_expr::ReduceKind;

use super::complex;
use super::dispatch::Loops;
use super::high_moments::HighMoments;
use super::lanes::{Extreme, Lanes, Largest, Mean, Numbers, Prod, Smallest, Sum, Truth};
use super::moments::Moments;
use super::nan_moments::NanMoments;
use super::pairwise::Pairwise;
use super::partial::{Part, States};
use super::position::Position;
use super::rule::{Divisor, Rule};
use super::split::Split;
use super::user::User;
use crate::KernelError;
use crate::compile::SEGMENT;
use crate::machine::{COLUMNS, Machine};
use crate::stop::Watch;

/// Most panels' states that wait to be merged: enough for 2^32 rows.
const PANEL_STACK: usize = 26;

/// A reduction of elements whose type is known only when run. What goes through many states is stopped where it is no
/// longer wanted.
pub(super) trait Folder: Send + Sync {
    /// States of a block to be folded, with room for this many.
    fn start(&self, kept: usize) -> Box<dyn Folding + '_>;
    /// States over no elements.
    fn nothing(&self, kept: usize, watch: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError>;
    /// The states of at least one part, each with the elements it stands for, at least 1.
    fn merge(&self, parts: &[(&Part, u64)], watch: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError>;
    /// The values of states that stand for `count` elements.
    fn finish(
        &self,
        part: &Part,
        count: u64,
        divisor: Divisor,
        watch: &mut Watch<'_>,
    ) -> Result<Chunk, KernelError>;
    /// Bytes of one state.
    fn state_bytes(&self) -> usize;

    /// Bytes of the states of panels that wait to be merged.
    fn panel_bytes(&self) -> usize {
        PANEL_STACK * COLUMNS * self.state_bytes()
    }
}

/// A block being folded: takes what a machine has evaluated, and no more than that at a time, so that several
/// reductions can take the same tile before the next one is evaluated.
pub(super) trait Folding {
    /// Takes a run of whole rows of `len` elements.
    fn short_rows(&mut self, machine: &Machine<'_>, result: usize, len: usize);
    /// Takes a part of a row, the one that starts at position `at`.
    fn row_part(&mut self, machine: &Machine<'_>, result: usize, at: usize);
    /// The row is complete.
    fn end_row(&mut self);
    /// Takes a panel of rows, the first at position `row`.
    fn panel(&mut self, machine: &Machine<'_>, result: usize, row: usize);
    /// The columns of the panels since the last call are complete.
    fn end_columns(&mut self);
    /// The states of the block.
    fn finish(self: Box<Self>, split: &Split, watch: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError>;
}

/// The type a reduction works in. Elements of other types are converted as the last step of the program, at
/// the price of one pass over a tile in the cache, so that rules are compiled for few types:
///
/// * sums and products of integers and bool in 64 bits, which is also where they shall wrap;
/// * means and variances of everything but `f32` and complex numbers in `f64`: integers become floats before they are
///   added, so that their sum cannot wrap;
/// * extremes of small integers in 32 bits, which changes neither order nor value;
/// * truth in bool;
/// * a user's reduction in the type it was written for.
pub(super) fn work_type(kind: &ReduceKind, elements: DType) -> DType {
    match kind {
        ReduceKind::Sum | ReduceKind::Prod => elements.sum_type(),
        ReduceKind::Mean
        | ReduceKind::Var
        | ReduceKind::Std
        | ReduceKind::NanVar
        | ReduceKind::NanStd
        | ReduceKind::Moment3
        | ReduceKind::Moment4
        | ReduceKind::Skew
        | ReduceKind::Kurtosis => elements.mean_type(),
        ReduceKind::Any | ReduceKind::All => DType::Bool,
        ReduceKind::Min
        | ReduceKind::Max
        | ReduceKind::ArgMin
        | ReduceKind::ArgMax
        | ReduceKind::NanMin
        | ReduceKind::NanMax
        | ReduceKind::NanArgMin
        | ReduceKind::NanArgMax => match elements {
            DType::Bool | DType::U8 | DType::U16 => DType::U32,
            DType::I8 | DType::I16 => DType::I32,
            wide => wide,
        },
        ReduceKind::User(_) => elements,
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
pub(super) fn folder(kind: &ReduceKind, work: DType) -> Box<dyn Folder> {
    match work {
        _ if matches!(kind, ReduceKind::User(_)) => {}
        DType::C64 => return complex::folder::<Complex<f32>>(kind),
        DType::C128 => return complex::folder::<Complex<f64>>(kind),
        _ => {}
    }
    macro_rules! sums {
        ($rule:ident) => { rule!(work, T in (I64 i64, U64 u64, F32 f32, F64 f64) => Lanes<$rule<T>>) };
    }
    macro_rules! ordered {
        ($t:ident => $rule:ty) => {
            rule!(work, $t in (I32 i32, U32 u32, I64 i64, U64 u64, F32 f32, F64 f64) => $rule)
        };
    }
    macro_rules! floats {
        ($t:ident => $rule:ty) => { rule!(work, $t in (F32 f32, F64 f64) => $rule) };
    }
    let kind = if work.is_float() { kind.clone() } else { kind.clone().without_nan() };
    match kind {
        ReduceKind::Sum => sums!(Sum),
        ReduceKind::Prod => sums!(Prod),
        ReduceKind::Mean => floats!(T => Lanes<Mean<T>>),
        ReduceKind::Var | ReduceKind::Std => floats!(T => Moments<T>),
        ReduceKind::Min => ordered!(T => Lanes<Extreme<T, Smallest>>),
        ReduceKind::Max => ordered!(T => Lanes<Extreme<T, Largest>>),
        ReduceKind::ArgMin => ordered!(T => Position<T, Smallest>),
        ReduceKind::ArgMax => ordered!(T => Position<T, Largest>),
        ReduceKind::NanMin => floats!(T => Lanes<Extreme<T, Numbers<Smallest>>>),
        ReduceKind::NanMax => floats!(T => Lanes<Extreme<T, Numbers<Largest>>>),
        ReduceKind::NanArgMin => floats!(T => Position<T, Numbers<Smallest>>),
        ReduceKind::NanArgMax => floats!(T => Position<T, Numbers<Largest>>),
        ReduceKind::NanVar | ReduceKind::NanStd => floats!(T => NanMoments<T>),
        ReduceKind::Moment3 | ReduceKind::Moment4 | ReduceKind::Skew | ReduceKind::Kurtosis => {
            floats!(T => HighMoments<T>)
        }
        ReduceKind::User(reduction) => Box::new(User(reduction)),
        ReduceKind::Any => typed::<Lanes<Truth<Largest>>>(),
        ReduceKind::All => typed::<Lanes<Truth<Smallest>>>(),
    }
}

pub(super) fn typed<R: Rule>() -> Box<dyn Folder> {
    Box::new(Typed::<R>(Loops::new()))
}

struct Typed<R: Rule>(Loops<R>);

impl<R: Rule> Folder for Typed<R> {
    fn start(&self, kept: usize) -> Box<dyn Folding + '_> {
        Box::new(Block {
            loops: &self.0,
            states: Vec::with_capacity(kept),
            segments: Vec::new(),
            row: Pairwise::new(),
            columns: Pairwise::new(),
        })
    }

    fn nothing(&self, kept: usize, watch: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError> {
        let mut states = Vec::with_capacity(kept);
        watch.runs(kept, |run| states.resize(run.end, R::State::default()))?;
        Ok(Box::new(states))
    }

    fn merge(&self, parts: &[(&Part, u64)], watch: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError> {
        let (first, rest) = parts.split_first().expect("at least one part is merged");
        let (first, count) = (first.0.states::<R::State>(), first.1);
        let fits = |(other, _): &(&Part, u64)| other.states::<R::State>().len() == first.len();
        assert!(rest.iter().all(fits), "parts of one result have one shape");
        let mut states = Vec::with_capacity(first.len());
        watch.runs(first.len(), |run| {
            states.extend_from_slice(&first[run.clone()]);
            let mut count = count;
            for &(other, more) in rest {
                let other = &other.states::<R::State>()[run.clone()];
                self.0.merge(&mut states[run.clone()], count, other, more);
                count += more;
            }
        })?;
        Ok(Box::new(states))
    }

    fn finish(
        &self,
        part: &Part,
        count: u64,
        divisor: Divisor,
        watch: &mut Watch<'_>,
    ) -> Result<Chunk, KernelError> {
        let value = |&state: &R::State| match count {
            0 => R::nothing(),
            count => R::value(state, count, divisor),
        };
        let states = part.states::<R::State>();
        if let Some(fault) = states.iter().find_map(|&state| if count > 0 { R::fault(state) } else { None }) {
            return Err(fault);
        }
        let mut values: Vec<R::Out> = Vec::with_capacity(states.len());
        watch.runs(states.len(), |run| values.extend(states[run].iter().map(value)))?;
        Ok(Chunk::from_elements(values, &part.shape))
    }

    fn state_bytes(&self) -> usize {
        size_of::<R::State>()
    }
}

/// The states of a block so far.
struct Block<'f, R: Rule> {
    loops: &'f Loops<R>,
    states: Vec<R::State>,
    /// Memory to reuse.
    segments: Vec<R::State>,
    /// The row that is not complete.
    row: Pairwise<R::State>,
    /// The columns that are not complete.
    columns: Pairwise<Vec<R::State>>,
}

impl<R: Rule> Block<'_, R> {
    /// Adds the segments of a run to the row.
    fn segments(&mut self, items: &[R::Item], at: usize) {
        self.segments.clear();
        self.loops.segments(items, SEGMENT, [at as u64, SEGMENT as u64], &mut self.segments);
        for (&state, segment) in self.segments.iter().zip(items.chunks(SEGMENT)) {
            self.row.push(state, segment.len() as u64, R::merge);
        }
    }
}

impl<R: Rule> Folding for Block<'_, R> {
    fn short_rows(&mut self, machine: &Machine<'_>, result: usize, len: usize) {
        let items = machine.items::<R::Item>(result);
        if len <= SEGMENT {
            self.loops.segments(items, len, [0, 0], &mut self.states);
            return;
        }
        for row in items.chunks_exact(len) {
            self.segments(row, 0);
            self.end_row();
        }
    }

    fn row_part(&mut self, machine: &Machine<'_>, result: usize, at: usize) {
        self.segments(machine.items::<R::Item>(result), at);
    }

    fn end_row(&mut self) {
        self.states.extend(self.row.finish(R::merge));
    }

    fn panel(&mut self, machine: &Machine<'_>, result: usize, row: usize) {
        let rows = machine.rows::<R::Item>(result);
        let mut states = vec![R::State::default(); rows[0].len()];
        self.loops.columns(&rows, row as u64, &mut states);
        self.columns.push(states, rows.len() as u64, |a, na, b, nb| merged(self.loops, a, na, &b, nb));
    }

    fn end_columns(&mut self) {
        let states = self.columns.finish(|a, na, b, nb| merged(self.loops, a, na, &b, nb));
        self.states.extend(states.unwrap_or_default());
    }

    fn finish(self: Box<Self>, split: &Split, watch: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError> {
        let mut states = self.states;
        if R::HAS_POSITION {
            watch.runs(states.len(), |run| {
                for state in &mut states[run] {
                    *state = R::moved(*state, |at| split.position(at));
                }
            })?;
        }
        Ok(Box::new(states))
    }
}

fn merged<R: Rule>(
    loops: &Loops<R>,
    mut a: Vec<R::State>,
    na: u64,
    b: &[R::State],
    nb: u64,
) -> Vec<R::State> {
    loops.merge(&mut a, na, b, nb);
    a
}
