//! Each element's distance to the next along an axis.
//!
//! A block takes one element more than it has. The same as a difference of two slices, but with the blocks of the input:
//! slices that are shifted against each other would be cut into a narrow block at every seam.

use std::fmt;

use chunkwise_chunk::{Chunk, ChunkGrid, Complex, DType, Element, Region};
use chunkwise_expr::{Arith, BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayD, ArrayViewD, Axis, Slice, Zip};

use super::check_axis;

/// `x[1..] - x[..-1]` along an axis; of `bool` whether they differ. Integers wrap.
///
/// ```
/// use chunkwise_ops::shape::Difference;
/// assert_eq!(Difference { axis: 1 }.to_string(), "diff[1]");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Difference {
    /// The axis.
    pub axis: usize,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "diff[{}]", self.axis)
    }
}

impl BlockRule for Difference {
    fn name(&self) -> &str {
        "diff"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let (grid, dtype) = (inputs[0].grid(), inputs[0].dtype());
        check_axis(self.axis, grid.shape())?;
        let mut cuts = grid.axes().to_vec();
        cuts[self.axis] = cuts[self.axis].strided(0, 1, grid.shape()[self.axis].saturating_sub(1))?;
        Ok(Meta::Array { dtype, grid: ChunkGrid::new(cuts) })
    }

    fn needs(&self, block: &Region, _: usize, _: &[&Meta]) -> Needs {
        let mut region = block.clone();
        region.set_axis(self.axis, block.start()[self.axis], block.shape()[self.axis] + 1);
        std::iter::once(Need { input: 0, region }).collect()
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let elements = &step.operands[0];
        distances(elements.dtype())(elements, Axis(self.axis))
    }
}

type Distances = fn(&Chunk, Axis) -> Result<Chunk, BlockError>;

/// The loop for an element type.
fn distances(dtype: DType) -> Distances {
    match dtype {
        DType::Bool => |x, axis| typed::<bool>(x, axis, |a, b| a != b),
        DType::I8 => subtract::<i8>,
        DType::I16 => subtract::<i16>,
        DType::I32 => subtract::<i32>,
        DType::I64 => subtract::<i64>,
        DType::U8 => subtract::<u8>,
        DType::U16 => subtract::<u16>,
        DType::U32 => subtract::<u32>,
        DType::U64 => subtract::<u64>,
        DType::F32 => subtract::<f32>,
        DType::F64 => subtract::<f64>,
        DType::C64 => subtract::<Complex<f32>>,
        DType::C128 => subtract::<Complex<f64>>,
    }
}

fn subtract<T: Arith>(elements: &Chunk, axis: Axis) -> Result<Chunk, BlockError> {
    typed::<T>(elements, axis, |next, this| next.minus(this))
}

fn typed<T: Element>(elements: &Chunk, axis: Axis, distance: fn(T, T) -> T) -> Result<Chunk, BlockError> {
    let elements = elements.typed::<T>()?;
    let part = |slice: Slice| -> ArrayViewD<'_, T> { elements.slice_axis(axis, slice) };
    let (next, this) = (part(Slice::from(1..)), part(Slice::from(..-1)));
    let distances: ArrayD<T> = Zip::from(next).and(this).map_collect(|&next, &this| distance(next, this));
    Ok(Chunk::from_array(distances))
}
