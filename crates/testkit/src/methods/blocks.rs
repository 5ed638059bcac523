//! Blocks one by one, and conversions.

use std::ops::Range;

use chunkwise::prelude::*;
use chunkwise_chunk::{ChunkGrid, Region, Scalar};
use ndarray::ArrayD;

use super::{Method, Use, array};
use crate::PlainArray;
use crate::eager::to_ndarray;
use crate::generate::draw::Draw;

pub(super) const METHODS: &[Method] = &[
    Method { name: "block", draw: block },
    Method { name: "block_range", draw: block_range },
    Method { name: "blocks", draw: blocks },
    Method { name: "blocks_iter", draw: blocks_iter },
    Method { name: "rechunk_balanced", draw: rechunk_balanced },
    Method { name: "axis_iter", draw: axis_iter },
    Method { name: "axis_chunks_iter", draw: axis_chunks_iter },
    Method { name: "from_vec", draw: from_vec },
    Method { name: "from_rows", draw: from_rows },
    Method { name: "from_shape_vec", draw: from_shape_vec },
    Method { name: "from_block_iter", draw: from_block_iter },
    Method { name: "to_vec", draw: to_vec },
    Method { name: "to_scalar", draw: to_scalar },
];

fn some_array(draw: &mut Draw) -> (LazyArrayD<i32>, PlainArray) {
    let ndim = draw.below(4);
    array(draw, ndim)
}

fn part(x: &PlainArray, region: &Region) -> PlainArray {
    PlainArray::from_fn(x.dtype(), region.shape(), |index| {
        let at: Vec<usize> = index.iter().zip(region.start()).map(|(i, start)| i + start).collect();
        x.get(&at)
    })
}

fn some_block(draw: &mut Draw, grid: &ChunkGrid) -> Vec<usize> {
    grid.block(draw.below(grid.num_blocks())).to_vec()
}

fn block(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let mut index = some_block(draw, &x.chunks());
    if !index.is_empty() && draw.one_in(10) {
        index[0] = x.chunks().block_counts()[0];
        return Use::fails(x.block(&index));
    }
    Use::exact(x.block(&index), part(&plain, &x.chunks().region(&index)))
}

fn block_range(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let counts = x.chunks().block_counts();
    let range = |&count: &usize| {
        let start = draw.below(count + 1);
        start..start + draw.below(count - start + 1)
    };
    let mut ranges: Vec<Range<usize>> = counts.iter().map(range).collect();
    let mut region = Region::whole(x.shape());
    for (axis, range) in ranges.iter().enumerate() {
        let lengths: Vec<usize> = x.chunks().axis(axis).sizes().collect();
        let start = lengths[..range.start].iter().sum();
        region.set_axis(axis, start, lengths[range.clone()].iter().sum());
    }
    if draw.one_in(10) {
        ranges.push(0..1);
        return Use::fails(x.block_range(&ranges));
    }
    Use::exact(x.block_range(&ranges), part(&plain, &region))
}

fn blocks(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let number = draw.below(x.chunks().num_blocks());
    let block = x.blocks().nth(number).expect("there are as many blocks as the grid has");
    Use::exact(block, part(&plain, &x.chunks().region(&x.chunks().block(number))))
}

/// The blocks that were handed over, put together again.
fn blocks_iter(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let x = &x + 1;
    let mut whole = ArrayD::<i32>::zeros(x.shape());
    let blocks = x.blocks_iter().expect("a thread can be started");
    for (number, block) in blocks.enumerate() {
        let (at, values) = block.expect("an addition has a value");
        let region = x.chunks().region(&x.chunks().block(number));
        assert_eq!((&at.start[..], &at.shape[..]), (region.start(), region.shape()));
        for (index, &value) in values.indexed_iter() {
            let index: Vec<usize> = (0..region.ndim()).map(|axis| index[axis] + at.start[axis]).collect();
            whole[&index[..]] = value;
        }
    }
    let want = PlainArray::from_fn(plain.dtype(), plain.shape(), |index| match plain.get(index) {
        Scalar::I32(value) => Scalar::I32(value.wrapping_add(1)),
        other => other,
    });
    Use::exact(LazyArray::from_ndarray(whole, 2), want)
}

fn rechunk_balanced(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let size = 1 + draw.below(4);
    let y = x.rechunk_balanced(size);
    for (balanced, &len) in y.chunks().axes().iter().zip(x.shape()) {
        let lengths: Vec<usize> = balanced.sizes().collect();
        assert_eq!(lengths.len(), len.div_ceil(size).max(1));
        assert!(lengths.iter().max().unwrap_or(&0) - lengths.iter().min().unwrap_or(&0) <= 1, "{lengths:?}");
    }
    Use::exact(y, plain)
}

fn axis_iter(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<i32>(draw, ndim);
    let axis = draw.below(ndim);
    if x.shape()[axis] == 0 || draw.one_in(10) {
        return Use::fails(x.axis_iter(Axis(ndim)).next().expect("one array holds the error"));
    }
    let at = draw.below(x.shape()[axis]);
    let row = x.axis_iter(Axis(axis)).nth(at).expect("there is one array for each element");
    let mut region = Region::whole(x.shape());
    region.set_axis(axis, at, 1);
    let mut shape = x.shape().to_vec();
    shape.remove(axis);
    Use::exact(row, part(&plain, &region).with_shape(&shape))
}

fn axis_chunks_iter(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<i32>(draw, ndim);
    let (axis, size) = (draw.below(ndim), draw.below(4));
    let len = x.shape()[axis];
    let parts: Vec<LazyArrayD<i32>> = x.axis_chunks_iter(Axis(axis), size).collect();
    if size == 0 {
        return Use::fails(parts[0].clone());
    }
    assert_eq!(parts.len(), len.div_ceil(size));
    if parts.is_empty() {
        return Use::exact(x, plain);
    }
    let number = draw.below(parts.len());
    let mut region = Region::whole(x.shape());
    region.set_axis(axis, number * size, size.min(len - number * size));
    Use::exact(parts[number].clone(), part(&plain, &region))
}

fn from_vec(draw: &mut Draw) -> Use {
    let (_, plain) = array::<i32>(draw, 1);
    let elements = to_ndarray::<i32>(&plain).into_iter().collect::<Vec<i32>>();
    Use::exact(LazyArray::from_vec(elements, 2).into_dyn(), plain)
}

fn from_rows(draw: &mut Draw) -> Use {
    let (_, plain) = array::<i32>(draw, 2);
    let elements = to_ndarray::<i32>(&plain);
    let mut rows: Vec<Vec<i32>> = elements.outer_iter().map(|row| row.iter().copied().collect()).collect();
    if rows.len() > 1 && draw.one_in(10) {
        rows[1].push(0);
        return Use::fails(LazyArray::from_rows(&rows, 2).into_dyn());
    }
    let want = if rows.is_empty() { plain.with_shape(&[0, 0]) } else { plain };
    Use::exact(LazyArray::from_rows(&rows, 2).into_dyn(), want)
}

fn from_shape_vec(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let mut elements: Vec<i32> = to_ndarray::<i32>(&plain).into_iter().collect();
    if draw.one_in(10) {
        elements.push(0);
        return Use::fails(LazyArrayD::from_shape_vec(IxDyn(x.shape()), elements, 2));
    }
    Use::exact(LazyArrayD::from_shape_vec(IxDyn(x.shape()), elements, 2), plain)
}

fn from_block_iter(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (_, plain) = array::<i32>(draw, ndim);
    let axis = draw.below(ndim);
    let whole = to_ndarray::<i32>(&plain);
    if draw.one_in(10) {
        let none: [ArrayD<i32>; 0] = [];
        return Use::fails(LazyArrayD::from_block_iter(Axis(axis), none));
    }
    if plain.shape()[axis] == 0 {
        return Use::exact(LazyArrayD::from_block_iter(Axis(axis), [whole]), plain);
    }
    let blocks: Vec<ArrayD<i32>> =
        whole.axis_chunks_iter(Axis(axis), 2).map(|block| block.to_owned()).collect();
    Use::exact(LazyArrayD::from_block_iter(Axis(axis), blocks), plain)
}

fn to_vec(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let elements = x.to_vec().expect("an array in memory has values");
    Use::exact(LazyArrayD::from_shape_vec(IxDyn(x.shape()), elements, 2), plain)
}

fn to_scalar(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    match (x.to_scalar(), plain.data()) {
        (Ok(value), [_]) => Use::exact(LazyArray::full(x.shape(), value, 1).into_dyn(), plain),
        (Ok(value), _) => panic!("{value} is the scalar of an array of shape {:?}", x.shape()),
        (Err(_), _) => Use::fails(x.reshape(IxDyn(&[usize::MAX]))),
    }
}
