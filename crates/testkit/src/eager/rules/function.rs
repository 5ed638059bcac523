//! Functions of blocks: the truth. It holds for functions that do the same to an array as to its blocks.

use chunkwise_chunk::{Chunk, ChunkGrid, Region};
use chunkwise_expr::Blockwise;
use chunkwise_ops::function::{MapBlocks, Place};

use super::{EagerError, PlainArray, Reference, exact};

pub(super) const REFERENCES: &[Reference] =
    &[Reference { rule: "MapBlocks", truth: map_blocks, slack: exact }];

/// The function of the arrays as they are.
fn map_blocks(op: &Blockwise, inputs: &[&PlainArray]) -> Option<Result<PlainArray, EagerError>> {
    let rule = op.downcast::<MapBlocks>()?;
    let whole: Vec<Chunk> = inputs.iter().map(|input| input.to_chunk()).collect();
    let shape: Vec<usize> = rule.axes().iter().map(|axis| axis.own.len()).collect();
    if shape.contains(&0) {
        let dtype = op.infer(&[]).expect("it was inferred when it was built").dtype();
        return Some(Ok(PlainArray::new(dtype, &shape, Vec::new())));
    }
    let place = Place::of(&ChunkGrid::whole(&shape), &Region::whole(&shape));
    Some(called(rule.call().call(&whole, &place)))
}

/// What a function gave, or its error.
pub(super) fn called(made: Result<Chunk, chunkwise_expr::BlockError>) -> Result<PlainArray, EagerError> {
    made.map(|made| PlainArray::from_chunk(&made)).map_err(|err| EagerError::Object(err.to_string()))
}
