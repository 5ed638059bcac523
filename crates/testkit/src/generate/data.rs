//! Random shapes, chunkings and values.

use chunkwise::LazyArrayD;
use chunkwise_chunk::{AxisChunks, ChunkGrid, DType, Element, ReadCost, ReadUnit, Scalar, dispatch};
use chunkwise_expr::{Expr, eval_cast};
use ndarray::IxDyn;

use super::draw::Draw;
use crate::eager::number::{float, rounded_complex};
use crate::{PlainArray, TestSource};

/// Arrays hold no more elements than this: the evaluator is slow.
pub(crate) const MOST_ELEMENTS: usize = 400;

pub(crate) const DTYPES: &[DType] = &[
    DType::F64,
    DType::F32,
    DType::I64,
    DType::I32,
    DType::Bool,
    DType::U8,
    DType::F64,
    DType::I8,
    DType::I16,
    DType::U16,
    DType::U32,
    DType::U64,
    DType::C128,
    DType::C64,
];

/// An array of random type, shape and values, read from a source with a random grid.
pub(crate) fn source(draw: &mut Draw) -> Expr {
    let shape = shape(draw);
    let dtype = *draw.pick(DTYPES);
    if draw.one_in(12) {
        let value = values(draw, dtype, &[1]).get(&[0]);
        return constant(value, &shape, &grid(draw, &shape));
    }
    let array = values(draw, dtype, &shape);
    let unit = if draw.one_in(4) { ReadUnit::Block } else { ReadUnit::Any };
    let source = TestSource::new(&array, grid(draw, &shape), unit);
    match unit {
        ReadUnit::Any => {
            source.costing(*draw.pick(&[ReadCost::Free, ReadCost::Generate, ReadCost::Decode])).into_expr()
        }
        _ => source.into_expr(),
    }
}

/// An array of one value, which passes make a constant.
fn constant(value: Scalar, shape: &[usize], grid: &ChunkGrid) -> Expr {
    dispatch!(value.dtype(), T => {
        let value = T::of_scalar(value).unwrap_or_default();
        LazyArrayD::<T>::full(IxDyn(shape), value, grid).expr().clone()
    })
}

/// Zero to four axes, one in fifteen of them of length 0.
fn shape(draw: &mut Draw) -> Vec<usize> {
    let ndim = *draw.weighted(&[(1, 0), (4, 1), (6, 2), (4, 3), (2, 4)]);
    shape_of_rank(draw, ndim)
}

/// Lengths of so many axes, few of them zero, with at most [`MOST_ELEMENTS`] elements.
pub(crate) fn shape_of_rank(draw: &mut Draw, ndim: usize) -> Vec<usize> {
    let mut left = MOST_ELEMENTS;
    let mut len = || {
        let n = *draw.weighted(&[(1, 0), (3, 1), (3, 2), (3, 3), (2, 5), (2, 7), (1, 12)]);
        let n = if n > left { 1 } else { n };
        left /= n.max(1);
        n
    };
    (0..ndim).map(|_| len()).collect()
}

/// One chunk, chunks of one, of two, irregular ones with empty chunks, or another choice on every axis.
pub(crate) fn grid(draw: &mut Draw, shape: &[usize]) -> ChunkGrid {
    let style = draw.below(5);
    ChunkGrid::new(shape.iter().map(|&len| {
        let style = if style == 4 { draw.below(4) } else { style };
        match style {
            0 => AxisChunks::whole(len),
            1 => AxisChunks::regular(len, 1),
            2 => AxisChunks::regular(len, 2),
            _ => irregular(draw, len),
        }
    }))
}

/// Chunks of random lengths, one in four of them empty.
fn irregular(draw: &mut Draw, len: usize) -> AxisChunks {
    let mut sizes = Vec::new();
    let mut left = len;
    while left > 0 {
        let size = if draw.one_in(4) { 0 } else { 1 + draw.below(left.min(4)) };
        sizes.push(size);
        left -= size;
    }
    if sizes.is_empty() || draw.one_in(4) {
        sizes.push(0);
    }
    AxisChunks::explicit(len, &sizes).expect("the sizes add up to the length")
}

/// Three arrays in four hold small numbers, the others extremes, infinities and NaN as well.
pub(crate) fn values(draw: &mut Draw, dtype: DType, shape: &[usize]) -> PlainArray {
    let wild = draw.one_in(4);
    PlainArray::from_fn(
        dtype,
        shape,
        |_| if wild { wild_value(draw, dtype) } else { mild_value(draw, dtype) },
    )
}

/// A value that no operation overflows soon: a multiple of 1/8 for floats.
pub(crate) fn mild_value(draw: &mut Draw, dtype: DType) -> Scalar {
    if dtype.is_complex() {
        return complex(draw, dtype, mild_value);
    }
    let value = match dtype {
        DType::Bool => Scalar::Bool(draw.one_in(2)),
        d if d.is_float() => Scalar::F64(draw.between(-80, 80) as f64 / 8.0),
        d if d.is_unsigned() => Scalar::I64(draw.between(0, 20)),
        _ => Scalar::I64(draw.between(-20, 20)),
    };
    eval_cast(value, dtype)
}

/// A complex number whose parts are drawn one by one.
fn complex(draw: &mut Draw, dtype: DType, part: fn(&mut Draw, DType) -> Scalar) -> Scalar {
    let [re, im] = [(); 2].map(|()| float(part(draw, dtype.real_type())));
    rounded_complex([re, im], dtype)
}

fn wild_value(draw: &mut Draw, dtype: DType) -> Scalar {
    if dtype.is_complex() {
        return complex(draw, dtype, wild_value);
    }
    if draw.one_in(2) {
        return mild_value(draw, dtype);
    }
    if dtype.is_float() {
        let tiny = if dtype == DType::F32 { 1e-45 } else { 5e-324 };
        let largest = if dtype == DType::F32 { f64::from(f32::MAX) } else { f64::MAX };
        let specials =
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, largest, -largest, tiny, 0.1, 1e9, 1e-9];
        return eval_cast(Scalar::F64(*draw.pick(&specials)), dtype);
    }
    // Converting these saturates at the ends of every integer type.
    eval_cast(Scalar::F64(*draw.pick(&[f64::NEG_INFINITY, f64::INFINITY, 0.0, 1.0, -1.0])), dtype)
}
