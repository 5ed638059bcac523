//! The elements in C order under another shape: a remap of linear indices.
//!
//! An output region is a set of runs of consecutive linear indices; a run of the input's linear indices is a
//! handful of boxes. So a block is gathered from just the elements it holds, for any two shapes, and no block
//! grows.

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid, Region, Shape};

use crate::{ExprError, Meta, Need, Needs};

/// The new shape, in the grid chosen for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reshape {
    grid: ChunkGrid,
}

impl Reshape {
    /// A new shape for an array of `source` grid.
    ///
    /// # Errors
    /// When the numbers of elements differ.
    pub(crate) fn new(source: &ChunkGrid, shape: &[usize]) -> Result<Reshape, ExprError> {
        let count = |shape: &[usize]| shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len));
        let to = count(shape).ok_or_else(|| ChunkError::TooLarge(shape.into()))?;
        if count(source.shape()) != Some(to) {
            return Err(ExprError::Reshape { from: source.shape().into(), to: shape.into() });
        }
        let block = source.max_chunk().iter().product::<usize>();
        Ok(Reshape { grid: rows(shape, block) })
    }

    /// The blocks of an array of `source` grid that hold consecutive elements in C order, as those of the result do, and as
    /// many at most as before: each is needed by few blocks of the result.
    pub fn rows_of(source: &ChunkGrid) -> ChunkGrid {
        rows(source.shape(), source.max_chunk().iter().product())
    }

    /// A part of a new shape.
    pub(crate) fn with_grid(grid: ChunkGrid) -> Reshape {
        Reshape { grid }
    }

    pub(crate) fn infer(&self, inputs: &[&Meta]) -> Meta {
        Meta::Array { dtype: inputs[0].dtype(), grid: self.grid.clone() }
    }

    /// Boxes of the input that hold the region's elements; read one after the other in C order they are the
    /// region's elements in C order.
    pub(crate) fn needs(&self, region: &Region, inputs: &[&Meta]) -> Needs {
        let mut needs = Needs::new();
        let source = inputs[0].grid().shape();
        for (start, len) in runs(region, self.grid.shape()) {
            boxes(start, len, source, &mut |region| needs.push(Need { input: 0, region }));
        }
        needs
    }
}

/// A grid of whole trailing axes, so that blocks are runs of C order, of at most `elements` elements.
fn rows(shape: &[usize], elements: usize) -> ChunkGrid {
    if shape.contains(&0) {
        return ChunkGrid::whole(shape);
    }
    let mut left = elements.max(1);
    let mut axes: Vec<AxisChunks> = Vec::with_capacity(shape.len());
    for &len in shape.iter().rev() {
        let chunk = len.min(left).max(1);
        left = if chunk == len { left / chunk } else { 1 };
        axes.push(AxisChunks::regular(len, chunk));
    }
    ChunkGrid::new(axes.into_iter().rev())
}

/// The runs of consecutive linear indices (start, length) of a region, in order, neighbours joined.
fn runs(region: &Region, shape: &[usize]) -> Vec<(usize, usize)> {
    let ndim = shape.len();
    // Trailing axes that the region takes whole belong to one run, and so does the axis before them.
    let mut split = ndim;
    while split > 0 && region.shape()[split - 1] == shape[split - 1] {
        split -= 1;
    }
    let outer = split.saturating_sub(1);
    let len: usize = region.shape()[outer..].iter().product();
    let outer_grid = ChunkGrid::regular(&region.shape()[..outer], &vec![1; outer]);
    let linear = |index: &[usize]| {
        (0..ndim).fold(0, |n, axis| n * shape[axis] + region.start()[axis] + index.get(axis).unwrap_or(&0))
    };
    outer_grid.blocks().map(|index| (linear(&index), len)).collect()
}

/// Boxes whose elements in C order, one box after the other, are `len` consecutive elements from `start`.
fn boxes(start: usize, len: usize, shape: &[usize], emit: &mut dyn FnMut(Region)) {
    let mut strides = Shape::from_elem(1, shape.len());
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    let (mut at, end) = (start, start + len);
    while at < end {
        let (mut region, mut rest) = (Region::whole(&Shape::from_elem(1, shape.len())), at);
        for axis in 0..shape.len() {
            region.set_axis(axis, rest / strides[axis], 1);
            rest %= strides[axis];
        }
        at += grow(&mut region, at, end - at, shape, &strides);
        emit(region);
    }
}

/// Makes a box of one element as large as consecutive elements allow; returns how many it holds.
fn grow(region: &mut Region, at: usize, left: usize, shape: &[usize], strides: &[usize]) -> usize {
    let aligned = |axis: usize| at.is_multiple_of(strides[axis]) && left >= strides[axis];
    let Some(axis) = (0..shape.len()).find(|&axis| aligned(axis)) else { return 1 };
    let first = region.start()[axis];
    let n = (left / strides[axis]).min(shape[axis] - first);
    region.set_axis(axis, first, n);
    for (inner, &len) in shape.iter().enumerate().skip(axis + 1) {
        region.set_axis(inner, 0, len);
    }
    n * strides[axis]
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::DType;

    /// Linear indices of the elements of a region in C order.
    fn linear(region: &Region, shape: &[usize]) -> Vec<usize> {
        let unit = ChunkGrid::regular(region.shape(), &vec![1; shape.len()]);
        let at = |i: &[usize]| (0..shape.len()).fold(0, |n, a| n * shape[a] + region.start()[a] + i[a]);
        unit.blocks().map(|i| at(&i)).collect()
    }

    #[test]
    fn needs_hold_the_elements_of_the_region_in_order() {
        let source = ChunkGrid::regular(&[4, 6, 5], &[3, 4, 2]);
        let meta = Meta::Array { dtype: DType::F64, grid: source.clone() };
        for shape in [vec![120], vec![8, 15], vec![2, 3, 4, 5], vec![1, 120, 1], vec![5, 6, 4]] {
            let reshape = Reshape::new(&source, &shape).unwrap();
            for block in reshape.grid.blocks() {
                let region = reshape.grid.region(&block);
                let needs = reshape.needs(&region, &[&meta]);
                let got: Vec<usize> = needs.iter().flat_map(|n| linear(&n.region, &[4, 6, 5])).collect();
                assert_eq!(got, linear(&region, &shape), "{shape:?} {region}");
            }
        }
    }

    #[test]
    fn blocks_do_not_grow() {
        let grid = rows(&[100, 10, 10], 250);
        assert_eq!(grid.to_string(), "(2, 10, 10)");
        assert_eq!(rows(&[7, 100], 30).to_string(), "(1, 30)");
        assert_eq!(rows(&[0, 3], 1).num_blocks(), 1);
    }
}
