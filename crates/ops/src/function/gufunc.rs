//! A function of core axes, over all others: the core axes are whole in a block, the others broadcast and are cut.
//!
//! An input whose core axes are cut is rechunked: the blocks become longer along these and shorter along the others, so
//! that they hold about as many elements as before.

use std::panic::Location;

use chunkwise_chunk::{AxisChunks, ChunkGrid, Chunks, DType};
use chunkwise_expr::{Expr, ExprError};

use super::map::{MapBlocks, OutAxis, Take};
use super::{BlockFn, Signature, common_grid};

/// What `call` makes of the core axes of `inputs`, which are their last ones. It is called with blocks: the other axes
/// come first.
pub fn gufunc(
    name: &'static str,
    signature: Result<Signature, ExprError>,
    inputs: &[&Expr],
    dtype: DType,
    call: BlockFn,
    origin: &'static Location<'static>,
) -> Expr {
    let plan = signature.and_then(|signature| Plan::new(&signature, inputs));
    let plan = match plan {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            return inputs.iter().find(|input| input.error().is_some()).map_or_else(
                || Expr::invalid(name, ExprError::Message("arrays are needed".into()), origin),
                |&input| input.clone(),
            );
        }
        Err(cause) => return Expr::invalid(name, cause, origin),
    };
    let rechunked = inputs.iter().zip(&plan.grids);
    let inputs: Vec<Expr> =
        rechunked.map(|(input, grid)| input.rechunk(&Chunks::from(grid), origin)).collect();
    // The inputs are in the blocks that are needed.
    let rule = MapBlocks { name, dtype, inputs: plan.takes, axes: plan.axes, gathered: None, call };
    Expr::blockwise(rule, &inputs.iter().collect::<Vec<_>>(), origin)
}

/// The blocks of the inputs and of the result.
struct Plan {
    grids: Vec<ChunkGrid>,
    takes: Vec<Vec<Take>>,
    axes: Vec<OutAxis>,
}

impl Plan {
    /// `None` when an input is no array.
    fn new(signature: &Signature, inputs: &[&Expr]) -> Result<Option<Plan>, ExprError> {
        if signature.arity() != inputs.len() {
            let (wanted, given) = (signature.arity(), inputs.len());
            let text = format!("signature {signature}: {given} arguments are given, {wanted} are taken");
            return Err(ExprError::Message(text));
        }
        let grids: Option<Vec<&ChunkGrid>> = inputs.iter().map(|input| input.grid()).collect();
        let Some(grids) = grids else { return Ok(None) };
        let shapes: Vec<&[usize]> = grids.iter().map(|grid| grid.shape()).collect();
        let core = signature.output(&shapes)?;
        let outer: Vec<ChunkGrid> =
            grids.iter().enumerate().map(|(i, grid)| outer(grid, grid.ndim() - signature.core(i))).collect();
        let common = common_grid(&outer.iter().collect::<Vec<_>>())?;
        let common = common.split(most_outer(&grids, &outer, &core))?;
        let axes = common.axes().iter();
        let axes = axes.map(|cut| OutAxis { own: cut.clone(), given: Some(cut.clone()) });
        let new = core.iter().map(|&len| OutAxis { own: AxisChunks::whole(len), given: None });
        let per_input = grids.iter().zip(&outer).map(|(grid, outer)| cut(grid, outer, &common));
        let (grids, takes) = per_input.unzip();
        Ok(Some(Plan { grids, takes, axes: axes.chain(new).collect() }))
    }
}

/// The grid of the first axes alone.
fn outer(grid: &ChunkGrid, axes: usize) -> ChunkGrid {
    ChunkGrid::new(grid.axes()[..axes].iter().cloned())
}

/// How many outer elements a block may have, so that no block is much larger than the largest there is.
fn most_outer(grids: &[&ChunkGrid], outer: &[ChunkGrid], core: &[usize]) -> usize {
    let product = |lengths: &[usize]| lengths.iter().fold(1usize, |n, &len| n.saturating_mul(len));
    let block = grids.iter().map(|grid| product(&grid.max_chunk())).max().unwrap_or(1);
    let cores = grids.iter().zip(outer).map(|(grid, outer)| product(&grid.shape()[outer.ndim()..]));
    let largest = cores.chain([product(core)]).max().unwrap_or(1);
    (block / largest.max(1)).max(1)
}

/// The blocks an input is needed in, and what it gives of each axis.
fn cut(grid: &ChunkGrid, outer: &ChunkGrid, common: &ChunkGrid) -> (ChunkGrid, Vec<Take>) {
    let lead = common.ndim() - outer.ndim();
    let repeats = |axis: usize| outer.shape()[axis] != common.shape()[lead + axis];
    let take = |axis| match axis < outer.ndim() && !repeats(axis) {
        true => Take::Along(lead + axis),
        false => Take::Whole,
    };
    let takes: Vec<Take> = (0..grid.ndim()).map(take).collect();
    let cuts = takes.iter().zip(grid.shape()).map(|(take, &len)| match *take {
        Take::Along(axis) => common.axis(axis).clone(),
        Take::Whole => AxisChunks::whole(len),
    });
    (ChunkGrid::new(cuts), takes)
}
