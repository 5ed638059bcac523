//! A function of the blocks of several arrays, whatever it makes of them.
//!
//! Blocks of the result and of the common grid of the inputs correspond one to one along every axis that both have. An
//! axis that the result drops is given whole; an axis that the result adds is one block.

use std::fmt;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, DType, Region};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};

use super::{BlockFn, BlockLayout, Place, common_grid};
use crate::gathered::Gathered;

/// Which part of an input's axis a block of the result is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Take {
    /// The part that belongs to the block on this axis of the result.
    Along(usize),
    /// All of it.
    Whole,
}

/// How an axis of the result is cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OutAxis {
    /// The blocks of the result.
    pub own: AxisChunks,
    /// The blocks of the inputs that they are made of, one each; `None` for an axis that no input has.
    pub given: Option<AxisChunks>,
}

/// A function of the blocks of several arrays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MapBlocks {
    pub(super) name: &'static str,
    pub(super) dtype: DType,
    /// For each input what it gives of each axis.
    pub(super) inputs: Vec<Vec<Take>>,
    pub(super) axes: Vec<OutAxis>,
    /// What a block is given of the input that it needs more of than a block.
    pub(super) gathered: Option<Gathered>,
    pub(super) call: BlockFn,
}

impl MapBlocks {
    /// The function.
    pub fn call(&self) -> &BlockFn {
        &self.call
    }

    /// The axes of the result.
    pub fn axes(&self) -> &[OutAxis] {
        &self.axes
    }

    /// Which block of the common grid a block of the result is made of.
    fn place(&self, block: &Region) -> Place {
        let mut place = Place::of(&self.grid(), block);
        for (at, axis) in self.axes.iter().enumerate() {
            if let Some(given) = &axis.given {
                let range = given.range(place.index[at]);
                (place.start[at], place.shape[at]) = (range.start, range.len());
            }
        }
        place
    }

    fn grid(&self) -> ChunkGrid {
        ChunkGrid::new(self.axes.iter().map(|axis| axis.own.clone()))
    }

    /// The region of an input that belongs to a block, which may be empty.
    fn region(&self, takes: &[Take], place: &Place, shape: &[usize]) -> Region {
        let mut region = Region::whole(shape);
        for (axis, take) in takes.iter().enumerate() {
            if let Take::Along(at) = *take {
                region.set_axis(axis, place.start[at], place.shape[at]);
            }
        }
        region
    }
}

impl fmt::Display for MapBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.gathered.map_or(Ok(()), |gathered| write!(f, "[{gathered}]"))
    }
}

impl BlockRule for MapBlocks {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, _: &[&Meta]) -> Result<Meta, ExprError> {
        Ok(Meta::Array { dtype: self.dtype, grid: self.grid() })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let place = self.place(block);
        let regions = self.inputs.iter().zip(inputs).enumerate();
        regions
            .map(|(input, (takes, meta))| Need {
                input,
                region: self.region(takes, &place, meta.grid().shape()),
            })
            .filter(|need| !need.region.is_empty())
            .collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let place = self.place(step.block);
        let mut operands = step.operands.into_iter();
        let mut blocks = Vec::with_capacity(self.inputs.len());
        for (takes, meta) in self.inputs.iter().zip(step.inputs) {
            let region = self.region(takes, &place, meta.grid().shape());
            blocks.push(match region.is_empty() {
                true => Chunk::zeros(meta.dtype(), region.shape()),
                false => operands.next().expect("there is an operand for every region that is not empty"),
            });
        }
        self.call.call(&blocks, &place)
    }

    /// A function of the user's may take any time.
    fn is_cheap(&self) -> bool {
        false
    }
}

/// The array whose blocks are what `call` makes of the common blocks of `inputs`, of type `dtype` and cut as `layout`
/// says. The ranks of the inputs may differ; shapes broadcast.
pub fn map_blocks(
    name: &'static str,
    inputs: &[&Expr],
    dtype: DType,
    layout: &BlockLayout,
    call: BlockFn,
    origin: &'static std::panic::Location<'static>,
) -> Expr {
    let grids: Option<Vec<&ChunkGrid>> = inputs.iter().map(|input| input.grid()).collect();
    let Some(grids) = grids else {
        return inputs.iter().find(|input| input.error().is_some()).map_or_else(
            || Expr::invalid(name, ExprError::Message("arrays are needed".into()), origin),
            |&input| input.clone(),
        );
    };
    let axes = common_grid(&grids).and_then(|common| Ok((layout.axes(&common)?, common)));
    match axes {
        Ok(((axes, takes), common)) => {
            let takes: Vec<_> = grids.iter().map(|grid| taken(grid, &common, &takes)).collect();
            let given = grids.iter().zip(&takes).filter_map(|(grid, takes)| gathered(grid, takes, &axes));
            let gathered = given.max_by_key(Gathered::growth);
            Expr::blockwise(MapBlocks { name, dtype, inputs: takes, axes, gathered, call }, inputs, origin)
        }
        Err(cause) => Expr::invalid(name, cause, origin),
    }
}

/// How much more than a block of an input belongs to a block of the result.
fn gathered(grid: &ChunkGrid, takes: &[Take], axes: &[OutAxis]) -> Option<Gathered> {
    let length = |(axis, take): (usize, &Take)| match *take {
        Take::Along(at) => axes[at].given.as_ref().map_or(1, AxisChunks::max_chunk),
        Take::Whole => grid.shape()[axis],
    };
    Gathered::new(grid, takes.iter().enumerate().map(length))
}

/// What an input gives of each of its axes: all of those that repeat.
fn taken(grid: &ChunkGrid, common: &ChunkGrid, takes: &[Take]) -> Vec<Take> {
    let lead = common.ndim() - grid.ndim();
    let repeats = |axis: usize| grid.shape()[axis] != common.shape()[lead + axis];
    (0..grid.ndim()).map(|axis| if repeats(axis) { Take::Whole } else { takes[lead + axis] }).collect()
}
