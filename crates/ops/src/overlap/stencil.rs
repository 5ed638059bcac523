//! A function of the neighbourhood of every element.
//!
//! The blocks are padded first, so that the loop over elements knows no ends: the neighbour at an offset is at a fixed
//! distance in memory.

use std::ops::Index;
use std::panic::Location;

use chunkwise_chunk::{Chunk, Element};
use chunkwise_expr::{BlockError, Expr};
use ndarray::{ArrayD, IxDyn};

use super::Boundaries;
use super::function::overlap;
use crate::function::BlockFn;

/// An element and those around it, by their offsets on every axis: `n[[0, 0]]` is the element itself, `n[[-1, 0]]` the
/// one before it on the first axis.
///
/// Offsets beyond the depth that was asked for panic, which is the error of the computation.
///
/// ```
/// use chunkwise::Boundary;
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(0_i32, 4, 1, 2);
/// let left = x.stencil([1], Boundary::Constant(-1), |n| n[[-1]]);
/// assert_eq!(left.compute()?, ndarray::arr1(&[-1, 0, 1, 2]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Neighborhood<'a, T, const N: usize> {
    data: &'a [T],
    at: usize,
    strides: [isize; N],
    depth: [isize; N],
}

impl<T, const N: usize> Index<[isize; N]> for Neighborhood<'_, T, N> {
    type Output = T;

    #[inline(always)]
    fn index(&self, offset: [isize; N]) -> &T {
        let mut at = self.at as isize;
        for ((&step, &stride), &depth) in offset.iter().zip(&self.strides).zip(&self.depth) {
            if step.unsigned_abs() > depth as usize {
                beyond(&offset, &self.depth);
            }
            at += step * stride;
        }
        &self.data[at as usize]
    }
}

#[cold]
#[inline(never)]
fn beyond(offset: &[isize], depth: &[isize]) -> ! {
    panic!("offset {offset:?} is beyond the depth {depth:?} of the neighbourhood")
}

/// What `f` gives for the neighbourhood of every element.
pub fn stencil<T: Element, U: Element, const N: usize>(
    input: &Expr,
    depth: [usize; N],
    boundaries: &Boundaries<T>,
    f: impl Fn(Neighborhood<'_, T, N>) -> U + Send + Sync + 'static,
    origin: &'static Location<'static>,
) -> Expr {
    let margins =
        |shape: &[usize]| boundaries.full(depth.iter().map(|&depth| (depth, depth)).collect(), shape);
    let call = BlockFn::stoppable(move |blocks, place, cancelled| {
        each(&blocks[0], depth, &place.shape, &f, cancelled)
    });
    overlap("stencil", &[input], margins, U::DTYPE, (call, false), origin)
}

/// Elements between two questions whether the result is still wanted.
const ASK: usize = 4096;

/// The function of every neighbourhood of a padded block.
fn each<T: Element, U: Element, const N: usize>(
    padded: &Chunk,
    depth: [usize; N],
    shape: &[usize],
    f: &impl Fn(Neighborhood<'_, T, N>) -> U,
    cancelled: &dyn Fn() -> bool,
) -> Result<Chunk, BlockError> {
    let padded = padded.to_contiguous();
    let array = padded.typed::<T>()?;
    let data = array.as_slice().expect("it was made contiguous");
    let strides: [isize; N] = std::array::from_fn(|axis| array.strides()[axis]);
    let depth = depth.map(|depth| depth as isize);
    let first: isize = (0..N).map(|axis| depth[axis] * strides[axis]).sum();
    let row = shape.last().copied().unwrap_or(1);
    let rows: usize = shape[..N.saturating_sub(1)].iter().product();
    let mut made = Vec::with_capacity(row * rows);
    let mut asked_at = 0;
    for number in 0..rows {
        let start = first as usize + row_start(number, shape, &strides);
        for left in (0..row).step_by(ASK) {
            if made.len() >= asked_at {
                if cancelled() {
                    return Err("stopped: the run was cancelled".into());
                }
                asked_at = made.len() + ASK;
            }
            let part = start + left..start + row.min(left + ASK);
            made.extend(part.map(|at| f(Neighborhood { data, at, strides, depth })));
        }
    }
    let made = ArrayD::from_shape_vec(IxDyn(shape), made);
    Ok(Chunk::from_array(made.expect("there is a value for every element")))
}

/// How far the row with this number, of a block of this shape, is from the first one.
pub(super) fn row_start(mut number: usize, shape: &[usize], strides: &[isize]) -> usize {
    let mut start = 0;
    for axis in (0..shape.len().saturating_sub(1)).rev() {
        start += (number % shape[axis]) * strides[axis] as usize;
        number /= shape[axis];
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_row_is_left_when_the_run_is_cancelled() {
        let padded = Chunk::filled(chunkwise_chunk::Scalar::F64(1.0), &[5 * ASK]);
        let questions = std::cell::Cell::new(0);
        let stop = || questions.replace(questions.get() + 1) == 2;
        let made = each(&padded, [0], &[5 * ASK], &|n: Neighborhood<'_, f64, 1>| n[[0]], &stop);
        assert!(made.is_err());
        assert_eq!(questions.get(), 3);
    }
}
