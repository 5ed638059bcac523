//! Elements with equal indices on several axes: diagonals.

use std::fmt;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, Region, dispatch};
use chunkwise_expr::{BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayD, ArrayViewD, IxDyn};

/// Elements of a block along an axis of the result that stands for several: the box around them grows with a power of it.
const LONGEST: usize = 512;

/// Joins axes: axis `i` of the input is axis `to[i]` of the result. Where several are the same, the result has the
/// elements at which their indices are equal.
///
/// A block of `n` elements of a diagonal reads the box of `n * n` elements around them, which lies in one block of the
/// input: the diagonal is cut wherever it leaves one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Repeated {
    name: &'static str,
    to: Vec<usize>,
}

impl Repeated {
    /// The operation that `name` (for plans and errors) asks for. Every axis of the result must be named.
    pub fn new(name: &'static str, to: &[usize]) -> Repeated {
        Repeated { name, to: to.into() }
    }

    /// For each axis of the input, the axis of the result.
    pub fn to(&self) -> &[usize] {
        &self.to
    }

    fn axes_of(&self, axis: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.to.len()).filter(move |&i| self.to[i] == axis)
    }

    fn cut(&self, axis: usize, grid: &ChunkGrid) -> Result<AxisChunks, ExprError> {
        let mut axes = self.axes_of(axis);
        let unequal = || {
            let text = format!("axes {:?} of shape {:?} must be of equal length", self.to, grid.shape());
            ExprError::Message(text)
        };
        let mut cut = grid.axis(axes.next().ok_or_else(unequal)?).clone();
        let mut joined = 1;
        for other in axes.map(|other| grid.axis(other)) {
            if other.len() != cut.len() {
                return Err(unequal());
            }
            cut = cut.refine(other)?;
            joined += 1;
        }
        let (longest, most) = (cut.max_chunk(), longest(joined, grid));
        if joined == 1 || longest <= most {
            return Ok(cut);
        }
        // In equal parts, which need no list where blocks are equal.
        let part = longest.div_ceil(longest.div_ceil(most));
        Ok(cut.refine(&AxisChunks::regular(cut.len(), part))?)
    }

    fn elements<T: Copy>(&self, array: &ArrayViewD<'_, T>, shape: &[usize]) -> ArrayD<T> {
        let mut from = IxDyn(&vec![0; self.to.len()]);
        ArrayD::from_shape_fn(IxDyn(shape), |index| {
            self.to.iter().enumerate().for_each(|(i, &axis)| from[i] = index[axis]);
            array[&from]
        })
    }
}

/// Elements of a block along an axis that stands for so many: the box has no more elements than the largest block of the
/// input.
fn longest(joined: u32, grid: &ChunkGrid) -> usize {
    let most = grid.max_chunk().iter().fold(1usize, |n, &len| n.saturating_mul(len));
    let fits = |n: &usize| n.checked_pow(joined).is_some_and(|elements| elements <= most);
    (1..=LONGEST).rev().find(fits).unwrap_or(1)
}

impl BlockRule for Repeated {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let grid = inputs[0].grid();
        let axes = self.to.iter().max().map_or(0, |last| last + 1);
        let cuts = (0..axes).map(|axis| self.cut(axis, grid)).collect::<Result<Vec<AxisChunks>, _>>()?;
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid: ChunkGrid::new(cuts) })
    }

    fn needs(&self, block: &Region, _: usize, _: &[&Meta]) -> Needs {
        let mut region = Region::whole(&vec![0; self.to.len()]);
        for (i, &axis) in self.to.iter().enumerate() {
            region.set_axis(i, block.start()[axis], block.shape()[axis]);
        }
        std::iter::once(Need { input: 0, region }).collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let [input] = &step.operands[..] else { return Err("a diagonal is of one array".into()) };
        dispatch!(input.dtype(), T => {
            let array = input.typed::<T>()?;
            Ok(Chunk::from_array(self.elements(&array.view(), step.block.shape())))
        })
    }
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes: Vec<String> = self.to.iter().map(|axis| format!("i{axis}")).collect();
        write!(f, "{}[{}]", self.name, axes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(to: &[usize], grid: &ChunkGrid) -> Vec<usize> {
        Repeated::new("diag", to).cut(0, grid).unwrap().sizes().collect()
    }

    #[test]
    fn a_diagonal_is_cut_where_it_leaves_a_block() {
        assert_eq!(sizes(&[0; 4], &ChunkGrid::regular(&[10; 4], &[4; 4])), [4, 4, 2]);
        assert_eq!(sizes(&[0; 2], &ChunkGrid::regular(&[6; 2], &[4, 3])), [3, 1, 2]);
        assert_eq!(sizes(&[0; 2], &ChunkGrid::regular(&[2000; 2], &[1000; 2])), [500; 4]);
    }
}
