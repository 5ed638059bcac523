//! Scalars as numbers: wide enough that nothing is lost, or said so.

use chunkwise_chunk::{DType, Scalar};

/// The value of an integer or bool; `None` for floats.
pub(crate) fn integer(x: Scalar) -> Option<i128> {
    Some(match x {
        Scalar::Bool(x) => i128::from(x),
        Scalar::I8(x) => x.into(),
        Scalar::I16(x) => x.into(),
        Scalar::I32(x) => x.into(),
        Scalar::I64(x) => x.into(),
        Scalar::U8(x) => x.into(),
        Scalar::U16(x) => x.into(),
        Scalar::U32(x) => x.into(),
        Scalar::U64(x) => x.into(),
        Scalar::F32(_) | Scalar::F64(_) => return None,
    })
}

/// The nearest `f64`; exact but for integers beyond 2^53.
pub(crate) fn float(x: Scalar) -> f64 {
    match x {
        Scalar::F32(x) => x.into(),
        Scalar::F64(x) => x,
        other => integer(other).expect("what is no float is an integer") as f64,
    }
}

/// A float of type `dtype`, rounded.
pub(crate) fn rounded(x: f64, dtype: DType) -> Scalar {
    if dtype == DType::F32 { Scalar::F32(x as f32) } else { Scalar::F64(x) }
}

pub(crate) fn is_nan(x: Scalar) -> bool {
    float(x).is_nan()
}

/// True for anything but zero and `false`; NaN is true.
pub(crate) fn truth(x: Scalar) -> bool {
    float(x) != 0.0
}

/// `a < b`; false when either is NaN.
pub(crate) fn less(a: Scalar, b: Scalar) -> bool {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a < b,
        _ => float(a) < float(b),
    }
}

/// Machine epsilon of a float type; 0 for others, whose arithmetic is exact.
pub(crate) fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F32 => f32::EPSILON.into(),
        DType::F64 => f64::EPSILON,
        _ => 0.0,
    }
}
