//! A function of the lanes of one axis, over all others.

use std::panic::Location;

use chunkwise_chunk::{Chunk, ChunkError, DType, Element, View};
use chunkwise_expr::{BlockError, Expr, ExprError};
use ndarray::{ArrayD, ArrayView1, Axis, IxDyn};

use super::{BlockFn, Signature, gufunc};

/// What `call` makes of the lanes along `axis`, which are the last axis of its blocks. Lanes of length `len` take the
/// place of the axis; for `None` it is gone.
pub fn along_axis(
    name: &'static str,
    input: &Expr,
    axis: usize,
    len: Option<usize>,
    dtype: DType,
    call: BlockFn,
    origin: &'static Location<'static>,
) -> Expr {
    if input.error().is_some() {
        return input.clone();
    }
    let ndim = input.shape().len();
    if axis >= ndim {
        let cause = ChunkError::Axis { axis: axis as isize, shape: input.shape().into() };
        return Expr::invalid(name, ExprError::from(cause), origin);
    }
    let last: Vec<usize> = (0..ndim).filter(|&other| other != axis).chain([axis]).collect();
    let moved = Expr::view(name, input, View::permute(input.shape(), &last), origin);
    let signature = len.map_or_else(|| "(i)->()".into(), |len| format!("(i)->({len})"));
    let made = gufunc(name, Signature::parse(&signature), &[&moved], dtype, call, origin);
    if len.is_none() || made.error().is_some() {
        return made;
    }
    let back: Vec<usize> = (0..axis).chain([ndim - 1]).chain(axis..ndim - 1).collect();
    Expr::view(name, &made, View::permute(made.shape(), &back), origin)
}

/// A block of what `f` adds for every lane of the last axis: `len` elements, or one where it is `None`.
///
/// # Errors
/// When `f` has one, or adds another number of elements, or the block is of another type.
pub fn lane_by_lane<T: Element, U: Element>(
    block: &Chunk,
    len: Option<usize>,
    mut f: impl FnMut(ArrayView1<'_, T>, &mut Vec<U>) -> Result<(), BlockError>,
) -> Result<Chunk, BlockError> {
    let block = block.typed::<T>()?;
    let last = Axis(block.ndim() - 1);
    let outer = &block.shape()[..last.index()];
    let each = len.unwrap_or(1);
    let lanes: usize = outer.iter().product();
    let mut elements = Vec::with_capacity(lanes * each);
    for lane in block.lanes(last) {
        let before = elements.len();
        f(lane, &mut elements)?;
        let added = elements.len() - before;
        if added != each {
            return Err(format!("gave a lane of {added} elements, but {each} were declared").into());
        }
    }
    let shape: Vec<usize> = outer.iter().copied().chain(len).collect();
    Ok(Chunk::from_array(ArrayD::from_shape_vec(IxDyn(&shape), elements)?))
}
