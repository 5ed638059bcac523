//! Decaying sums: each element added to what is left of the sum before it, `y[t] = d^k y[t-1] + x[t]`.
//!
//! The steps are those of other scans. An element of a sum of blocks stands for as many elements of the array as its
//! block has, and what is carried past it decays once for each of them.

use std::fmt;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, DType, Region};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayD, ArrayView2, ArrayViewMut2, Axis, IxDyn};

use super::lanes::planes;
use super::{Origin, blocks_of, grouped};

/// What is left of a sum for each element that follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decay(f64);

impl PartialEq for Decay {
    fn eq(&self, other: &Decay) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Decay {}

impl std::hash::Hash for Decay {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// Decaying sums along an axis, of `f64`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Decayed {
    decay: Decay,
    axis: usize,
    /// The blocks of the input along the axis, and those of the result unless that is totals.
    grid: ChunkGrid,
    /// The blocks along the axis of the array, of its totals, and so on, up to those that the input's elements stand for.
    levels: Vec<AxisChunks>,
    /// Whether the result is the last sum of each block, alone.
    totals: bool,
}

impl Decayed {
    /// What is left of a sum for each element of the array.
    pub fn decay(&self) -> f64 {
        self.decay.0
    }

    /// The axis along which elements are summed.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// The blocks along it.
    pub fn blocks(&self) -> &AxisChunks {
        self.grid.axis(self.axis)
    }

    /// Whether the result is the last sum of each block, alone.
    pub fn is_totals(&self) -> bool {
        self.totals
    }

    /// What is left of a sum when the element at a place is added to it.
    pub fn left(&self, at: usize) -> f64 {
        let mut elements = at..at + 1;
        for blocks in self.levels.iter().rev() {
            elements = blocks.range(elements.start).start..blocks.range(elements.end - 1).end;
        }
        if elements.len() == 1 { self.decay.0 } else { self.decay.0.powf(elements.len() as f64) }
    }

    /// The sums of a plane in place, from what is carried.
    fn sum(&self, start: usize, carried: ArrayView2<'_, f64>, mut out: ArrayViewMut2<'_, f64>) {
        let mut before = carried.row(0).to_owned();
        for (mut row, at) in out.rows_mut().into_iter().zip(start..) {
            let left = self.left(at);
            row.zip_mut_with(&before, |x, before| *x += left * before);
            before.assign(&row);
        }
    }
}

/// Decaying sums along an axis, of `f64`. Blocks are those of the array.
pub fn decayed(x: &Expr, decay: f64, axis: usize, origin: Origin) -> Expr {
    match blocks_of(x, axis) {
        None => x.clone(),
        Some(Ok(grid)) => decayed_in(x, Decay(decay), axis, grid, Vec::new(), origin),
        Some(Err(cause)) => Expr::invalid("ewm_mean", cause, origin),
    }
}

fn decayed_in(
    x: &Expr,
    decay: Decay,
    axis: usize,
    grid: ChunkGrid,
    mut levels: Vec<AxisChunks>,
    origin: Origin,
) -> Expr {
    let along = grid.axis(axis).clone();
    let sums = Decayed { decay, axis, grid, levels: levels.clone(), totals: false };
    if along.count() == 1 {
        return Expr::blockwise(sums, &[x], origin);
    }
    let totals = Expr::blockwise(Decayed { totals: true, ..sums.clone() }, &[x], origin);
    let Some(coarse) = grouped(&totals, axis, &along) else { return totals };
    levels.push(along);
    let carried = decayed_in(&totals, decay, axis, coarse, levels, origin);
    Expr::blockwise(sums, &[x, &carried], origin)
}

impl fmt::Display for Decayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = if self.totals { "totals of " } else { "" };
        write!(f, "{totals}sums decaying by {} along axis {}", self.decay.0, self.axis)
    }
}

impl BlockRule for Decayed {
    fn name(&self) -> &str {
        "ewm_mean"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        if inputs[0].dtype() != DType::F64 {
            return Err(ExprError::DType(vec![inputs[0].dtype()]));
        }
        let mut axes = self.grid.axes().to_vec();
        if self.totals {
            axes[self.axis] = AxisChunks::regular(self.blocks().count(), 1);
        }
        Ok(Meta::Array { dtype: DType::F64, grid: ChunkGrid::new(axes) })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let first = block.start()[self.axis];
        let number = if self.totals { first } else { self.blocks().block_of(first) };
        let along = self.blocks().range(number);
        let need = |input: usize, start: usize, len: usize| {
            let mut region = block.clone();
            region.set_axis(self.axis, start, len);
            (len > 0).then_some(Need { input, region })
        };
        let carried = (number > 0 && inputs.len() > 1).then(|| need(1, number - 1, 1)).flatten();
        need(0, along.start, along.len()).into_iter().chain(carried).collect()
    }

    /// The sums of a block of which only the last ones are kept.
    fn scratch_bytes(&self, block: &Region, inputs: &[&Meta]) -> u64 {
        if !self.totals || block.is_empty() {
            return 0;
        }
        let needs = self.needs(block, 0, inputs);
        needs.first().map_or(0, |need| need.region.len().saturating_mul(size_of::<f64>()) as u64)
    }

    fn compute(&self, mut step: Step<'_>) -> Result<Chunk, BlockError> {
        let mut shape = step.block.shape().to_vec();
        shape[self.axis] = 1;
        let zeros = ArrayD::<f64>::zeros(IxDyn(&shape));
        if step.operands.is_empty() {
            return Ok(Chunk::from_array(zeros));
        }
        let mut sums = step.operands.swap_remove(0).into_array::<f64>()?;
        let carried = match step.operands.first() {
            Some(carried) => carried.typed::<f64>()?.view(),
            None => zeros.view(),
        };
        let first = step.block.start()[self.axis];
        let start = if self.totals { self.blocks().range(first).start } else { first };
        planes(carried, sums.view_mut(), self.axis, &mut |carried, out| self.sum(start, carried, out));
        if self.totals {
            sums.slice_axis_inplace(Axis(self.axis), (-1..).into());
            // A copy, which does not hold the memory of the other sums.
            sums = sums.as_standard_layout().into_owned();
        }
        Ok(Chunk::from_array(sums))
    }
}
