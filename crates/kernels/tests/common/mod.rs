//! Values and memory layouts that the tests share.
// Helpers of tests are not tests, to the lint.
#![allow(dead_code, clippy::unwrap_used)]

use chunkwise_chunk::{Chunk, Complex, DType, Element, Scalar, View, dispatch};
use chunkwise_expr::{ElementOp, Program, ProgramBuilder, eval_cast};
use ndarray::{ArrayD, IxDyn};

/// Zeros of both signs, ones, extremes, fractions, infinities, NaN, in this type.
pub(crate) fn special(dtype: DType) -> Vec<Scalar> {
    let floats = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        3.0,
        -7.0,
        100.0,
        1e-310,
        1e300,
        -1e300,
        f64::MAX,
        f64::MIN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        9_007_199_254_740_993.0,
    ];
    if dtype.is_complex() {
        let pairs = |by: usize| (0..21).map(move |i| Complex::new(floats[i], floats[(i * by + 3) % 21]));
        return pairs(5).chain(pairs(1)).map(|z| eval_cast(Scalar::C128(z), dtype)).collect();
    }
    let integers = [i64::MIN, i64::MIN + 1, i64::MAX, -129, 127, 128, 255, 256, 65_536, 1 << 31, -(1 << 31)];
    let floats = floats.into_iter().map(Scalar::F64);
    let integers = integers.into_iter().map(Scalar::I64).chain([Scalar::U64(u64::MAX)]);
    floats.chain(integers).map(|x| eval_cast(x, dtype)).collect()
}

/// A block of these elements in C order.
pub(crate) fn block(dtype: DType, elements: &[Scalar], shape: &[usize]) -> Chunk {
    dispatch!(dtype, T => {
        let elements = elements.iter().map(|&x| T::of_scalar(x).unwrap()).collect();
        Chunk::from_array(ArrayD::<T>::from_shape_vec(IxDyn(shape), elements).unwrap())
    })
}

/// The elements of a block in C order.
pub(crate) fn elements(chunk: &Chunk) -> Vec<Scalar> {
    dispatch!(chunk.dtype(), T => chunk.typed::<T>().unwrap().iter().map(|&x| x.into_scalar()).collect())
}

/// The same bits, or two NaN: which NaN an operation gives is not defined. Complex numbers are compared part by part.
pub(crate) fn same(a: Scalar, b: Scalar) -> bool {
    match (a, b) {
        (Scalar::C64(a), Scalar::C64(b)) => same(a.re.into(), b.re.into()) && same(a.im.into(), b.im.into()),
        (Scalar::C128(a), Scalar::C128(b)) => {
            same(a.re.into(), b.re.into()) && same(a.im.into(), b.im.into())
        }
        _ => a == b || (is_nan(a) && is_nan(b)),
    }
}

pub(crate) fn all_same(a: &[Scalar], b: &[Scalar]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| same(a, b))
}

fn is_nan(x: Scalar) -> bool {
    matches!(x, Scalar::F32(x) if x.is_nan()) || matches!(x, Scalar::F64(x) if x.is_nan())
}

/// Ways to hold the same elements in memory.
pub(crate) const LAYOUTS: usize = 5;

/// The same elements held in another way: in C order, transposed, reversed, with gaps, as part of a larger
/// block.
pub(crate) fn held(chunk: &Chunk, layout: usize) -> Chunk {
    let shape = chunk.shape().to_vec();
    if shape.is_empty() || chunk.is_empty() {
        return chunk.clone();
    }
    let reversed: Vec<usize> = (0..shape.len()).rev().collect();
    let last = shape.len() - 1;
    match layout {
        0 => chunk.to_contiguous(),
        1 => {
            let stored = chunk.view(&View::permute(&shape, &reversed).unwrap()).to_contiguous();
            stored.view(&View::permute(stored.shape(), &reversed).unwrap())
        }
        2 => {
            let flip = View::flip(&shape, last).unwrap().then(&View::flip(&shape, 0).unwrap());
            chunk.view(&flip).to_owned_copy().view(&flip)
        }
        3 => padded(chunk, last),
        _ => padded(&padded(chunk, 0), last),
    }
}

/// The elements with as much unused memory on one axis, every second element used.
fn padded(chunk: &Chunk, axis: usize) -> Chunk {
    let mut wide = chunk.shape().to_vec();
    wide.insert(axis + 1, 2);
    let mut one = chunk.shape().to_vec();
    one.insert(axis + 1, 1);
    let stored = chunk.with_shape(&one).view(&View::broadcast(&one, &wide).unwrap());
    let first = chunkwise_chunk::Region::whole(&one);
    let part = stored.part(&first);
    part.view(&View::remove_axis(&one, axis + 1).unwrap())
}

/// The program of one operation.
pub(crate) fn single(op: ElementOp, inputs: &[DType]) -> Option<Program> {
    let mut b = ProgramBuilder::new();
    let args: Vec<_> = inputs.iter().map(|&dtype| b.input(dtype)).collect();
    let result = b.push(op, &args)?;
    Some(b.finish(result))
}
