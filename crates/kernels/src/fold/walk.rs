//! A block evaluated tile by tile, each tile folded by every reduction before the next one is evaluated.
//!
//! ```text
//! inner == 1    for each kept element: its row of R elements          R <= 256: one segment
//!                   segments of 256 -> state -> pairwise
//! inner > 1     for each outer element, for each 256 columns:
//!                   panels of up to 64 rows -> states of the columns -> pairwise
//! ```
//!
//! Tiles are multiples of a segment and never cut one, so how many elements the machine evaluates at a time
//! does not show in the result; nor does what else is folded from a tile.

use super::split::Split;
use super::typed::Folding;
use crate::KernelError;
use crate::machine::{COLUMNS, Machine, ROWS};

/// A reduction of a block, and which result of the machine it takes.
pub(super) type Taker<'f> = (Box<dyn Folding + 'f>, usize);

/// Folds a block that is not empty.
pub(super) fn walk_block(
    machine: &mut Machine<'_>,
    split: &Split,
    takers: &mut [Taker<'_>],
) -> Result<(), KernelError> {
    if split.inner > 1 {
        columns(machine, split, takers)
    } else if split.reduced <= machine.tile() {
        short_rows(machine, split, takers)
    } else {
        long_rows(machine, split, takers)
    }
}

/// Rows that fit in a tile: several of them at a time.
fn short_rows(machine: &mut Machine<'_>, split: &Split, takers: &mut [Taker<'_>]) -> Result<(), KernelError> {
    let (rows, len) = (split.outer, split.reduced);
    let at_once = machine.tile() / len;
    for row in (0..rows).step_by(at_once) {
        machine.run_tile(row * len, at_once.min(rows - row) * len)?;
        for (folding, result) in &mut *takers {
            folding.short_rows(machine, *result, len);
        }
    }
    Ok(())
}

/// Rows longer than a tile.
fn long_rows(machine: &mut Machine<'_>, split: &Split, takers: &mut [Taker<'_>]) -> Result<(), KernelError> {
    let (tile, len) = (machine.tile(), split.reduced);
    for row in 0..split.outer {
        for at in (0..len).step_by(tile) {
            machine.run_tile(row * len + at, tile.min(len - at))?;
            for (folding, result) in &mut *takers {
                folding.row_part(machine, *result, at);
            }
        }
        takers.iter_mut().for_each(|(folding, _)| folding.end_row());
    }
    Ok(())
}

/// Columns of panels.
fn columns(machine: &mut Machine<'_>, split: &Split, takers: &mut [Taker<'_>]) -> Result<(), KernelError> {
    for outer in 0..split.outer {
        for column in (0..split.inner).step_by(COLUMNS) {
            let columns = COLUMNS.min(split.inner - column);
            let start = outer * split.reduced * split.inner + column;
            for row in (0..split.reduced).step_by(ROWS) {
                let count = ROWS.min(split.reduced - row);
                machine.run_rows(start + row * split.inner, split.inner, count, columns)?;
                for (folding, result) in &mut *takers {
                    folding.panel(machine, *result, row);
                }
            }
            takers.iter_mut().for_each(|(folding, _)| folding.end_columns());
        }
    }
    Ok(())
}
