//! Scalars as numbers: wide enough that nothing is lost, or said so.

use chunkwise_chunk::{Complex, DType, Scalar};

/// The value of an integer or bool; `None` for others.
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
        Scalar::F32(_) | Scalar::F64(_) | Scalar::C64(_) | Scalar::C128(_) => return None,
    })
}

/// The nearest `f64`; exact but for integers beyond 2^53. Complex numbers have none: see [`parts`].
pub(crate) fn float(x: Scalar) -> f64 {
    match x {
        Scalar::F32(x) => x.into(),
        Scalar::F64(x) => x,
        other => integer(other).expect("what is neither a float nor complex is an integer") as f64,
    }
}

/// Real and imaginary part; that of a real number is 0.
pub(crate) fn parts(x: Scalar) -> [f64; 2] {
    match x {
        Scalar::C64(x) => [x.re.into(), x.im.into()],
        Scalar::C128(x) => [x.re, x.im],
        real => [float(real), 0.0],
    }
}

/// Absolute value.
pub(crate) fn magnitude(x: Scalar) -> f64 {
    let [re, im] = parts(x);
    re.hypot(im)
}

/// A float of type `dtype`, rounded.
pub(crate) fn rounded(x: f64, dtype: DType) -> Scalar {
    if dtype == DType::F32 { Scalar::F32(x as f32) } else { Scalar::F64(x) }
}

/// A complex number of type `dtype`, rounded.
pub(crate) fn rounded_complex([re, im]: [f64; 2], dtype: DType) -> Scalar {
    match dtype {
        DType::C64 => Scalar::C64(Complex::new(re as f32, im as f32)),
        _ => Scalar::C128(Complex::new(re, im)),
    }
}

/// True for NaN, and for complex numbers with a part that is.
pub(crate) fn is_nan(x: Scalar) -> bool {
    parts(x).iter().any(|part| part.is_nan())
}

/// True for anything but zero and `false`; NaN is true.
pub(crate) fn truth(x: Scalar) -> bool {
    parts(x) != [0.0, 0.0]
}

/// `a < b`; false when either is NaN.
pub(crate) fn less(a: Scalar, b: Scalar) -> bool {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a < b,
        _ => float(a) < float(b),
    }
}

/// Machine epsilon of a float type, or of the parts of a complex one; 0 for others, whose arithmetic is exact.
pub(crate) fn epsilon(dtype: DType) -> f64 {
    match dtype.real_type() {
        DType::F32 => f32::EPSILON.into(),
        DType::F64 => f64::EPSILON,
        _ => 0.0,
    }
}
