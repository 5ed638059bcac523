//! Functions of blocks: random steps.

use std::panic::Location;

use chunkwise_chunk::{Chunk, View};
use chunkwise_expr::Expr;
use chunkwise_ops::function::{BlockFn, BlockLayout, along_axis, map_blocks};

use crate::generate::draw::Draw;
use crate::generate::{Pool, Step};

pub(in crate::generate) const STEPS: &[(usize, Step)] = &[(1, blocks), (1, lanes)];

/// The first of two arrays, repeated to their common shape.
fn blocks(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let (a, b) = (pool.pick(draw), pool.pick(draw));
    let repeated = BlockFn::new(|blocks, _| {
        let common = common_shape(blocks[0].shape(), blocks[1].shape());
        Ok(blocks[0].view(&View::broadcast(blocks[0].shape(), &common)?))
    });
    let at = Location::caller();
    Some(map_blocks("zip_blocks", &[&a, &b], a.dtype()?, &BlockLayout::new(), repeated, at))
}

fn common_shape(a: &[usize], b: &[usize]) -> Vec<usize> {
    let ndim = a.len().max(b.len());
    let len = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(ndim).map_or(1, |at| shape[at]);
    (0..ndim).map(|axis| if len(a, axis) == 1 { len(b, axis) } else { len(a, axis) }).collect()
}

/// Lanes from their end, without their first element, or only the last one.
fn lanes(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.find(draw, |x| x.shape().iter().any(|&len| len > 0))?;
    let axes: Vec<usize> = (0..x.shape().len()).filter(|&axis| x.shape()[axis] > 0).collect();
    let axis = *draw.pick(&axes);
    let len = (!draw.one_in(3)).then(|| x.shape()[axis] - draw.below(2));
    let call = BlockFn::new(move |blocks, _| Ok(ends(&blocks[0], len)));
    Some(along_axis("apply_along_axis", &x, axis, len, x.dtype()?, call, Location::caller()))
}

/// The last `len` elements of every lane of the last axis in reverse, or the last one without the axis.
fn ends(block: &Chunk, len: Option<usize>) -> Chunk {
    let (shape, last) = (block.shape(), block.shape().len() - 1);
    let reversed = block.view(&View::flip(shape, last).expect("there is a last axis"));
    let mut part = chunkwise_chunk::Region::whole(shape);
    part.set_axis(last, 0, len.unwrap_or(1));
    let part = reversed.part(&part);
    match len {
        Some(_) => part,
        None => part.with_shape(&shape[..last]),
    }
}
