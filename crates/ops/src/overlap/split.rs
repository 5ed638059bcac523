//! Axes as rows of equal length: what coarsening reduces.
//!
//! Blocks end where rows end, and hold about as many elements as before, or one row where that is longer: plans say so. The elements are in C order already: where they
//! are in one piece, none is copied.

use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkError, ChunkGrid, Region};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};

use crate::gathered::Gathered;

/// Each axis of `n` elements as two, of `n / factor` rows and of `factor` elements; what is left of it is dropped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SplitAxes {
    factors: Vec<usize>,
    gathered: Option<Gathered>,
}

impl SplitAxes {
    /// Elements of a row, for each axis of the input.
    pub fn factors(&self) -> &[usize] {
        &self.factors
    }

    fn check(&self, shape: &[usize]) -> Result<(), ExprError> {
        let (given, ndim) = (self.factors.len(), shape.len());
        if given != ndim {
            let text = format!("factors are given for {given} axes, but shape {shape:?} has {ndim}");
            return Err(ExprError::Message(text));
        }
        if self.factors.contains(&0) {
            return Err(ExprError::Message(format!("factors {:?} must be at least 1", self.factors)));
        }
        Ok(())
    }
}

impl SplitAxes {
    /// The blocks of the rows of a grid.
    fn rows(&self, grid: &ChunkGrid) -> Result<ChunkGrid, ExprError> {
        self.check(grid.shape())?;
        let rows = grid.axes().iter().zip(&self.factors).map(|(cut, &factor)| {
            // A row goes where its first element is; a factor beyond the axis leaves no row.
            let step = isize::try_from(factor).unwrap_or(isize::MAX);
            Ok([cut.strided(0, step, cut.len() / factor)?, AxisChunks::whole(factor)])
        });
        let axes: Result<Vec<_>, ChunkError> = rows.collect();
        Ok(ChunkGrid::new(axes?.into_iter().flatten()))
    }
}

impl fmt::Display for SplitAxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "split{:?}", self.factors)?;
        self.gathered.map_or(Ok(()), |gathered| write!(f, ", {gathered}"))
    }
}

impl BlockRule for SplitAxes {
    fn name(&self) -> &str {
        "coarsen"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let grid = inputs[0].grid();
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid: self.rows(grid)? })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let mut region = Region::whole(inputs[0].grid().shape());
        for (axis, &factor) in self.factors.iter().enumerate() {
            region.set_axis(axis, block.start()[2 * axis] * factor, block.shape()[2 * axis] * factor);
        }
        std::iter::once(Need { input: 0, region }).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        Ok(step.operands[0].with_shape(step.block.shape()))
    }
}

/// Each axis as rows of so many elements, and these as the axis after it.
pub fn split_axes(input: &Expr, factors: &[usize], origin: &'static Location<'static>) -> Expr {
    let mut rule = SplitAxes { factors: factors.to_vec(), gathered: None };
    if let Some(grid) = input.grid() {
        rule.gathered = rule.rows(grid).ok().and_then(|rows| Gathered::new(grid, rows.max_chunk()));
    }
    Expr::blockwise(rule, &[input], origin)
}
