//! Packed values: scale, offset and missing values of stored elements, decoded as they are read.

use chunkwise_chunk::{DType, Element, Float, Scalar};
use chunkwise_expr::{BinaryOp, Expr, UnaryOp, eval_cast};
use chunkwise_storage::Packing;
use ndarray::Dimension;

use super::here;
use super::masked_expr::{Masked, nothing_missing};
use super::values_expr::Elementwise;
use crate::{LazyArray, MaskedArray};

impl<S: Element, D: Dimension> LazyArray<S, D> {
    /// The values that these elements stand for, see [`Packing`]: `stored * scale + offset`, computed in `f64` and rounded
    /// once to `T`, and missing where the stored element says so. Fused into what follows, like any other arithmetic.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::Packing;
    /// let stored = LazyArray::from_ndarray(ndarray::arr1(&[0_i16, 250, -32768]), 2);
    /// let packing = Packing::default().scale_factor(0.01).add_offset(273.15).missing_value(-32768_i16);
    /// let kelvin = stored.decoded::<f32>(&packing);
    /// assert_eq!(kelvin.filled(f32::NAN).slice(s![..2]).compute()?, ndarray::arr1(&[273.15, 275.65]));
    /// assert_eq!(kelvin.count().compute()?, 2);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn decoded<T: Float>(&self, packing: &Packing) -> MaskedArray<T, D> {
        MaskedArray::wrap(decoded(self.expr(), packing, T::DTYPE, Elementwise(here())))
    }
}

/// Compares what is stored, and computes with what it stands for.
pub(super) fn decoded(stored: &Expr, packing: &Packing, to: DType, make: Elementwise) -> Masked {
    let Some(dtype) = stored.dtype() else {
        return Masked { data: stored.clone(), mask: stored.clone() };
    };
    let equal = packing.missing.iter().filter_map(|&value| equals(stored, value, dtype, make));
    let below = packing.valid_min.map(|least| beyond(stored, BinaryOp::Lt, least, dtype, make));
    let above = packing.valid_max.map(|most| beyond(stored, BinaryOp::Gt, most, dtype, make));
    let mask = equal.chain(below).chain(above).reduce(|all, mask| make.or(&all, &mask));
    let mask = mask.unwrap_or_else(|| nothing_missing(stored, make));
    Masked { data: make.cast(&unpacked(stored, packing, dtype, make), to), mask }
}

fn unpacked(stored: &Expr, packing: &Packing, dtype: DType, make: Elementwise) -> Expr {
    let mut x = if packing.unsigned { make.cast(stored, unsigned(dtype)) } else { stored.clone() };
    if let Some(scale) = packing.scale {
        x = make.with(BinaryOp::Mul, &make.cast(&x, DType::F64), scale);
    }
    if let Some(offset) = packing.offset {
        x = make.with(BinaryOp::Add, &make.cast(&x, DType::F64), offset);
    }
    x
}

/// Where an element is this value; `None` when the type does not hold it.
fn equals(stored: &Expr, value: Scalar, dtype: DType, make: Elementwise) -> Option<Expr> {
    let own = eval_cast(value, dtype);
    let is_nan = |x: Scalar| matches!(eval_cast(x, DType::F64), Scalar::F64(x) if x.is_nan());
    if is_nan(own) {
        return Some(make.unary(UnaryOp::IsNan, stored));
    }
    // Floats are written with as many digits as a double has, whatever they are stored as.
    let holds = dtype.is_float() || (!is_nan(value) && eval_cast(own, value.dtype()) == value);
    holds.then(|| make.binary(BinaryOp::Eq, stored, &make.literal(own)))
}

/// Where an element is beyond a bound, which saturates where the type does not hold it.
fn beyond(stored: &Expr, op: BinaryOp, bound: Scalar, dtype: DType, make: Elementwise) -> Expr {
    let own = if dtype.is_float() { eval_cast(bound, dtype) } else { saturated(bound, dtype) };
    make.binary(op, stored, &make.literal(own))
}

/// An integer as another type: the nearest there is.
fn saturated(x: Scalar, dtype: DType) -> Scalar {
    let own = eval_cast(x, dtype);
    // Conversions of floats saturate; those of integers wrap, but for these.
    if eval_cast(own, x.dtype()) == x { own } else { eval_cast(eval_cast(x, DType::F64), dtype) }
}

/// The type of the same bits without a sign.
fn unsigned(dtype: DType) -> DType {
    match dtype {
        DType::I8 => DType::U8,
        DType::I16 => DType::U16,
        DType::I32 => DType::U32,
        DType::I64 => DType::U64,
        other => other,
    }
}
