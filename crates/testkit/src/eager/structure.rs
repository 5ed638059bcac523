//! Operations that only move elements.

use chunkwise_chunk::View;
use chunkwise_expr::{Meta, Op};

use super::array::indices;
use super::{EagerError, PlainArray};

/// The element at every index is the source's element at the index the view says.
pub(crate) fn view(view: &View, input: &PlainArray) -> PlainArray {
    PlainArray::from_fn(input.dtype(), view.shape(), |index| input.get(&view.source_index(index)))
}

/// The same list of elements under the shape the operation infers.
pub(crate) fn reshape(op: &Op, input: &PlainArray) -> PlainArray {
    let whole = chunkwise_chunk::ChunkGrid::whole(input.shape());
    let meta = op.infer(&[&Meta::Array { dtype: input.dtype(), grid: whole }]);
    input.with_shape(meta.expect("a reshape was checked when it was built").grid().shape())
}

/// The arrays one after the other along `axis`.
pub(crate) fn concat(axis: usize, inputs: &[&PlainArray]) -> Result<PlainArray, EagerError> {
    let mut shape = inputs[0].shape().to_vec();
    shape[axis] = inputs.iter().map(|x| x.shape()[axis]).sum();
    let owner = |mut at: usize| {
        for input in inputs {
            if at < input.shape()[axis] {
                return Some((*input, at));
            }
            at -= input.shape()[axis];
        }
        None
    };
    let misfit = || EagerError::types("concatenate", inputs);
    let data = indices(&shape).into_iter().map(|mut index| {
        let (input, at) = owner(index[axis]).ok_or_else(misfit)?;
        index[axis] = at;
        Ok(input.get(&index))
    });
    Ok(PlainArray::new(inputs[0].dtype(), &shape, data.collect::<Result<_, EagerError>>()?))
}
