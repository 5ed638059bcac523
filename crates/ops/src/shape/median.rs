//! The median of the lines along an axis.
//!
//! A line is gathered as a whole: it has no median but that of all its elements. So that blocks do not grow by it, they
//! are cut across the lines.

use std::cmp::Ordering;
use std::fmt;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, DType, Float, Region};
use chunkwise_expr::{BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};
use ndarray::Axis;

use super::check_axis;

/// The element in the middle of each line along an axis, or the mean of the two there, along an axis of length 1; NaN where
/// an element is NaN. Takes floats.
///
/// ```
/// use chunkwise_ops::shape::LineMedian;
/// assert_eq!(LineMedian { axis: 1 }.to_string(), "median[axis 1]");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LineMedian {
    /// The axis.
    pub axis: usize,
}

impl fmt::Display for LineMedian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "median[axis {}]", self.axis)
    }
}

impl BlockRule for LineMedian {
    fn name(&self) -> &str {
        "median"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let (grid, dtype) = (inputs[0].grid(), inputs[0].dtype());
        check_axis(self.axis, grid.shape())?;
        if !matches!(dtype, DType::F32 | DType::F64) {
            return Err(ExprError::DType(vec![dtype]));
        }
        let len = grid.shape()[self.axis];
        if len == 0 {
            return Err(ExprError::NoElements { axes: vec![self.axis], shape: grid.shape().into() });
        }
        let mut cuts = grid.axes().to_vec();
        cuts[self.axis] = AxisChunks::whole(1);
        let elements = grid.max_chunk().iter().fold(1usize, |n, &len| n.saturating_mul(len));
        Ok(Meta::Array { dtype, grid: ChunkGrid::new(cuts).split((elements / len).max(1))? })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let mut region = block.clone();
        region.set_axis(self.axis, 0, inputs[0].grid().shape()[self.axis]);
        std::iter::once(Need { input: 0, region }).collect()
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        match step.operands[0].dtype() {
            DType::F32 => medians::<f32>(&step, Axis(self.axis)),
            DType::F64 => medians::<f64>(&step, Axis(self.axis)),
            other => Err(ExprError::DType(vec![other]).into()),
        }
    }

    fn scratch_bytes(&self, _: &Region, inputs: &[&Meta]) -> u64 {
        let len = inputs[0].grid().shape()[self.axis];
        (len as u64).saturating_mul(inputs[0].dtype().itemsize() as u64)
    }

    fn is_cheap(&self) -> bool {
        false
    }
}

/// Elements between two questions whether the result is still wanted.
const ASK: usize = 4096;

fn medians<T: Float>(step: &Step<'_>, axis: Axis) -> Result<Chunk, BlockError> {
    let lines = step.operands[0].typed::<T>()?.view();
    let mut line = Vec::with_capacity(lines.len_of(axis));
    let mut medians = Vec::with_capacity(step.block.len());
    let mut unasked = 0;
    for elements in lines.lanes(axis) {
        unasked += elements.len();
        if unasked >= ASK {
            if (step.cancelled)() {
                return Err("stopped: the run was cancelled".into());
            }
            unasked = 0;
        }
        line.clear();
        line.extend(elements.iter().copied());
        medians.push(median(&mut line));
    }
    Ok(Chunk::from_elements(medians, step.block.shape()))
}

/// The median of elements, which are put into another order; there must be some.
fn median<T: Float>(elements: &mut [T]) -> T {
    if elements.iter().any(|x| x.is_nan()) {
        return T::nan();
    }
    let middle = elements.len() / 2;
    // Of zeros the negative ones come first.
    let signs = |a: &T, b: &T| b.is_sign_negative().cmp(&a.is_sign_negative());
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(Ordering::Equal).then_with(|| signs(a, b));
    let is_odd = !elements.len().is_multiple_of(2);
    let (below, &mut high, _) = elements.select_nth_unstable_by(middle, order);
    if is_odd {
        return high;
    }
    let low = below.iter().copied().max_by(order).unwrap_or(high);
    (low + high) / (T::one() + T::one())
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn median_is_in_the_middle() {
        assert_eq!(median(&mut [3.0]), 3.0);
        assert_eq!(median(&mut [3.0, 1.0]), 2.0);
        assert_eq!(median(&mut [9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(&mut [4.0, f64::NAN, 3.0]).is_nan());
    }
}
