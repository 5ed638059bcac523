//! Running sums, products and extremes: each element joined with all before it along an axis.
//!
//! ```text
//! x        a b c | d e f | g h            blocks along the axis
//! totals    abc  |  def  |  gh            one element for each block      BlockTotals: a task each
//! carried   abc  | abcdef| ..             their scan                      ScanBlocks, or this whole picture once more
//! result   a ab abc | abc+d ..            each block from what is carried ScanBlocks: a task each
//! ```
//!
//! So the input is read twice, and no task waits for more than the totals. Where there are more totals than a block has
//! elements along the axis, their scan is done in the same way: the levels are as many as the logarithm of the number
//! of blocks. The order in which elements are joined follows from the grid alone. Blocks of more than a million
//! elements are cut into such, so that a result of one block is computed by all threads.

mod blocks;
mod decay;
mod ewm;
mod join;
mod kind;
pub(crate) mod lanes;
mod totals;

use std::panic::Location;

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid};
use chunkwise_expr::{Expr, ExprError};

pub use blocks::ScanBlocks;
pub use decay::{Decayed, decayed};
pub use ewm::Ewm;
pub(crate) use join::copy_to;
pub use kind::{ScanFn, ScanKind};
pub use totals::BlockTotals;

/// Elements of a block that is not cut.
pub(crate) const MOST_ELEMENTS: usize = 1 << 20;

/// Totals that are scanned in one go, however short the blocks are.
const FEW_TOTALS: usize = 16;

type Origin = &'static Location<'static>;

/// Each element joined with all before it along `axis`. Blocks are those of the array.
pub fn scan(x: &Expr, kind: &ScanKind, axis: usize, origin: Origin) -> Expr {
    match blocks_of(x, axis) {
        None => x.clone(),
        Some(Ok(grid)) => scan_in(x, kind, axis, grid, origin),
        Some(Err(cause)) => Expr::invalid(kind.name(), cause, origin),
    }
}

/// The blocks of the result of a scan; `None` when there is no array.
fn blocks_of(x: &Expr, axis: usize) -> Option<Result<ChunkGrid, ExprError>> {
    let grid = x.grid()?;
    if axis >= grid.ndim() {
        let cause = ChunkError::Axis { axis: axis as isize, shape: grid.shape().to_vec() };
        return Some(Err(cause.into()));
    }
    Some(grid.split(MOST_ELEMENTS).map_err(ExprError::from))
}

/// A scan whose result has these blocks.
fn scan_in(x: &Expr, kind: &ScanKind, axis: usize, grid: ChunkGrid, origin: Origin) -> Expr {
    let along = grid.axis(axis).clone();
    let blocks = ScanBlocks { kind: kind.clone(), axis, grid: grid.clone() };
    if along.count() == 1 {
        return Expr::blockwise(blocks, &[x], origin);
    }
    let totals = Expr::blockwise(BlockTotals { kind: kind.clone(), axis, grid }, &[x], origin);
    let Some(coarse) = grouped(&totals, axis, &along) else { return totals };
    let carried = scan_in(&totals, kind, axis, coarse, origin);
    Expr::blockwise(blocks, &[x, &carried], origin)
}

/// The blocks in which totals are scanned: no longer than those of the array, so that it takes no more memory.
fn grouped(totals: &Expr, axis: usize, along: &AxisChunks) -> Option<ChunkGrid> {
    let mut axes = totals.grid()?.axes().to_vec();
    axes[axis] = AxisChunks::regular(along.count(), along.max_chunk().max(FEW_TOTALS));
    Some(ChunkGrid::new(axes))
}
