//! Reductions that users write: their states and functions are behind `UserReduction`, which knows the types.
//!
//! ```text
//! rows      fold(states[row], items of the row)             cut into runs from the start of the row
//! panels    fold(states[column], items of the column)       the rows of one panel at a time
//! ```
//!
//! A state goes through all elements of its block in C order: nothing is merged inside a block, but for huge ones, whose
//! pieces are folded like blocks and merged.

use chunkwise_chunk::{Chunk, DType, Tile, for_each_dtype};
use chunkwise_expr::{UserReduction, UserStates};

use super::partial::{Part, States};
use super::rule::Divisor;
use super::split::Split;
use super::typed::{Folder, Folding};
use crate::KernelError;
use crate::machine::{Machine, ROWS};
use crate::stop::Watch;

/// A user's reduction as the folds take it.
pub(super) struct User(pub(super) UserReduction);

/// The states of a block, with what they are said to take.
struct Kept {
    states: UserStates,
    bytes: usize,
}

impl States for Kept {
    fn nbytes(&self) -> usize {
        self.bytes
    }
}

impl User {
    fn kept(&self, states: UserStates, count: usize) -> Box<dyn States> {
        Box::new(Kept { states, bytes: count.saturating_mul(self.0.state_bytes()) })
    }

    fn fault(&self, error: &dyn std::fmt::Display) -> KernelError {
        KernelError::User(format!("{}: {error}", self.0.name()).into())
    }
}

fn states(part: &Part) -> &UserStates {
    &part.states_as::<Kept>().states
}

impl Folder for User {
    fn start(&self, kept: usize) -> Box<dyn Folding + '_> {
        Box::new(Block { of: self, states: self.0.states(kept), kept, done: 0, open: 0 })
    }

    fn nothing(&self, kept: usize, watch: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError> {
        watch.spend(kept)?;
        Ok(self.kept(self.0.states(kept), kept))
    }

    fn merge(&self, parts: &[(&Part, u64)], watch: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError> {
        let (&(first, _), rest) = parts.split_first().expect("at least one part is merged");
        let count = first.shape.iter().product();
        watch.spend(count)?;
        let mut merged = self.0.copied(states(first));
        watch.runs(count, |run| {
            for &(later, _) in rest {
                self.0.merge(&mut merged, states(later), run.clone());
            }
        })?;
        Ok(self.kept(merged, count))
    }

    fn finish(&self, part: &Part, _: u64, _: Divisor, watch: &mut Watch<'_>) -> Result<Chunk, KernelError> {
        watch.spend(part.shape.iter().product())?;
        self.0.finish(states(part), &part.shape).map_err(|error| self.fault(&error))
    }

    fn state_bytes(&self) -> usize {
        self.0.state_bytes()
    }

    fn panel_bytes(&self) -> usize {
        // One column is gathered at a time, and its state is one of the block's.
        ROWS * (size_of::<Tile<'_>>() + size_of::<&[u8]>() + self.0.item().itemsize())
    }
}

/// A block being folded.
struct Block<'f> {
    of: &'f User,
    states: UserStates,
    kept: usize,
    /// States that are complete.
    done: usize,
    /// Columns that are being folded.
    open: usize,
}

impl Folding for Block<'_> {
    fn short_rows(&mut self, machine: &Machine<'_>, result: usize, len: usize) {
        let items = run_of(machine, self.of.0.item(), result);
        self.of.0.fold_rows(&mut self.states, self.done, items, len);
        self.done += machine.evaluated() / len;
    }

    fn row_part(&mut self, machine: &Machine<'_>, result: usize, _: usize) {
        let items = run_of(machine, self.of.0.item(), result);
        self.of.0.fold_rows(&mut self.states, self.done, items, machine.evaluated());
    }

    fn end_row(&mut self) {
        self.done += 1;
    }

    fn panel(&mut self, machine: &Machine<'_>, result: usize, _: usize) {
        let rows = rows_of(machine, self.of.0.item(), result);
        self.open = machine.row_len();
        self.of.0.fold_columns(&mut self.states, self.done, &rows);
    }

    fn end_columns(&mut self) {
        self.done += std::mem::take(&mut self.open);
    }

    fn finish(self: Box<Self>, _: &Split, _: &mut Watch<'_>) -> Result<Box<dyn States>, KernelError> {
        Ok(self.of.kept(self.states, self.kept))
    }
}

macro_rules! define_tiles {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// The run that was evaluated last.
        fn run_of<'m>(machine: &'m Machine<'_>, dtype: DType, result: usize) -> Tile<'m> {
            match dtype { $(DType::$v => Tile::$v(machine.items::<$t>(result)),)* }
        }

        /// The rows that were evaluated last.
        fn rows_of<'m>(machine: &'m Machine<'_>, dtype: DType, result: usize) -> Vec<Tile<'m>> {
            match dtype { $(DType::$v => machine.rows::<$t>(result).into_iter().map(Tile::$v).collect(),)* }
        }
    };
}
for_each_dtype!(define_tiles);
