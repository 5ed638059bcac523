//! A function of blocks with a margin of their neighbours.

use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{Chunk, ChunkError, ChunkGrid, DType, Region};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};

use super::AxisMargin;
use super::margin::Padding;
use crate::function::{BlockFn, Place, common_grid};

/// A function of the blocks of several arrays, each with a margin.
///
/// The function gives a block as large as the padded one, of which the margin is cut off, or one that has no margin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MapOverlap {
    name: &'static str,
    dtype: DType,
    grid: ChunkGrid,
    margins: Vec<AxisMargin>,
    call: BlockFn,
    cheap: bool,
}

impl MapOverlap {
    /// The function.
    pub fn call(&self) -> &BlockFn {
        &self.call
    }

    /// The margin of every axis.
    pub fn margins(&self) -> &[AxisMargin] {
        &self.margins
    }

    /// How the part of an input is padded that belongs to a block. Axes that repeat have no margin.
    fn padding(&self, block: &Region, shape: &[usize]) -> Padding {
        let lead = block.ndim() - shape.len();
        let (mut margins, mut part) = (self.margins[lead..].to_vec(), Region::whole(shape));
        for (axis, &len) in shape.iter().enumerate() {
            match len == self.grid.shape()[lead + axis] {
                true => part.set_axis(axis, block.start()[lead + axis], block.shape()[lead + axis]),
                false => (margins[axis].before, margins[axis].after) = (0, 0),
            }
        }
        Padding::new(&margins, &part, shape)
    }

    /// A block without its margin.
    fn trimmed(&self, made: Chunk, block: &Region) -> Result<Chunk, BlockError> {
        let padding = Padding::new(&self.margins, block, self.grid.shape());
        let padded = padding.shape();
        if made.shape() == padded {
            return Ok(made.part(&padding.inside()));
        }
        if made.shape() == block.shape() {
            return Ok(made);
        }
        let (got, own) = (made.shape(), block.shape());
        Err(format!("gave a block of shape {got:?}, but was given {padded:?} for a block of {own:?}").into())
    }
}

impl fmt::Display for MapOverlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let depth = |margin: &AxisMargin| match margin.before == margin.after {
            true => margin.before.to_string(),
            false => format!("({}, {})", margin.before, margin.after),
        };
        let depths: Vec<String> = self.margins.iter().map(depth).collect();
        write!(f, "{}[{}]", self.name, depths.join(", "))
    }
}

impl BlockRule for MapOverlap {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, _: &[&Meta]) -> Result<Meta, ExprError> {
        Ok(Meta::Array { dtype: self.dtype, grid: self.grid.clone() })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let regions = |(input, meta): (usize, &&Meta)| {
            let regions = self.padding(block, meta.grid().shape()).regions();
            regions.into_iter().map(move |region| Need { input, region })
        };
        inputs.iter().enumerate().flat_map(regions).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let mut operands = step.operands.as_slice();
        let mut padded = Vec::with_capacity(step.inputs.len());
        for meta in step.inputs {
            let padding = self.padding(step.block, meta.grid().shape());
            let (pieces, rest) = operands.split_at(padding.regions().len());
            padded.push(padding.fill(pieces)?);
            operands = rest;
        }
        drop(step.operands);
        let made = self.call.call_until(&padded, &Place::of(&self.grid, step.block), step.cancelled)?;
        self.trimmed(made, step.block)
    }

    /// The padded blocks, where they are put together here, and one of the result.
    fn scratch_bytes(&self, block: &Region, inputs: &[&Meta]) -> u64 {
        if block.is_empty() {
            return 0;
        }
        let bytes = |dtype: DType, shape: &[usize]| {
            shape.iter().fold(dtype.itemsize() as u64, |n, &len| n.saturating_mul(len as u64))
        };
        let input = |meta: &&Meta| {
            let padding = self.padding(block, meta.grid().shape());
            if padding.is_plain() { 0 } else { bytes(meta.dtype(), &padding.shape()) }
        };
        let made = Padding::new(&self.margins, block, self.grid.shape()).shape();
        inputs.iter().map(input).fold(bytes(self.dtype, &made), u64::saturating_add)
    }

    fn is_cheap(&self) -> bool {
        self.cheap
    }
}

/// The array whose blocks are what `call` makes of the common blocks of `inputs`, each with the margins that are given
/// for the shape of the result.
pub fn map_overlap(
    name: &'static str,
    inputs: &[&Expr],
    margins: impl FnOnce(&[usize]) -> Result<Vec<AxisMargin>, ExprError>,
    dtype: DType,
    call: BlockFn,
    origin: &'static Location<'static>,
) -> Expr {
    overlap(name, inputs, margins, dtype, (call, false), origin)
}

/// [`map_overlap`] of a function that may be one of this library's, which is cheap.
pub(super) fn overlap(
    name: &'static str,
    inputs: &[&Expr],
    margins: impl FnOnce(&[usize]) -> Result<Vec<AxisMargin>, ExprError>,
    dtype: DType,
    (call, cheap): (BlockFn, bool),
    origin: &'static Location<'static>,
) -> Expr {
    if let Some(invalid) = inputs.iter().find(|input| input.error().is_some()) {
        return (*invalid).clone();
    }
    let grids: Vec<&ChunkGrid> = inputs.iter().filter_map(|input| input.grid()).collect();
    let rule = common_grid(&grids).and_then(|grid| {
        let margins = margins(grid.shape())?;
        check_size(&grid, &margins)?;
        Ok(MapOverlap { name, dtype, grid, margins, call, cheap })
    });
    match rule {
        Ok(rule) => Expr::blockwise(rule, inputs, origin),
        Err(cause) => Expr::invalid(name, cause, origin),
    }
}

/// Refuses blocks whose elements cannot be counted with their margin.
pub(super) fn check_size(grid: &ChunkGrid, margins: &[AxisMargin]) -> Result<(), ExprError> {
    let padded: Vec<usize> = grid
        .max_chunk()
        .iter()
        .zip(margins)
        .map(|(&len, margin)| len.saturating_add(margin.before).saturating_add(margin.after))
        .collect();
    let most = isize::MAX as usize / size_of::<f64>() / 8;
    match padded.iter().try_fold(1usize, |n, &len| n.checked_mul(len)) {
        Some(n) if n <= most => Ok(()),
        _ => Err(ChunkError::TooLarge(padded).into()),
    }
}
