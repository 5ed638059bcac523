//! Packed values: scale, offset and missing values of stored elements, decoded as they are read.

use chunkwise_chunk::{DType, Element, Float, Packing, Scalar};
use chunkwise_expr::{BinaryOp, Expr, UnaryOp, eval_cast};
use ndarray::Dimension;

use super::here;
use super::masked_expr::{Masked, least, most, nothing_missing};
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
    /// let kelvin = stored.decoded_with::<f32>(&packing);
    /// assert_eq!(kelvin.filled(f32::NAN).slice(s![..2]).compute()?, ndarray::arr1(&[273.15, 275.65]));
    /// assert_eq!(kelvin.count().compute()?, 2);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn decoded_with<T: Float>(&self, packing: &Packing) -> MaskedArray<T, D> {
        MaskedArray::wrap(decoded(self.expr(), packing, T::DTYPE, Elementwise(here())))
    }
}

/// Compares what is stored, and computes with what it stands for.
pub(super) fn decoded(stored: &Expr, packing: &Packing, to: DType, make: Elementwise) -> Masked {
    let Some(dtype) = stored.dtype() else {
        return Masked { data: stored.clone(), mask: stored.clone() };
    };
    let (stored, dtype, wraps) = match unsigned(dtype).filter(|_| packing.unsigned) {
        Some(unsigned) => (make.cast(stored, unsigned), unsigned, true),
        None => (stored.clone(), dtype, false),
    };
    let own = Stored { x: &stored, dtype, wraps, make };
    let equal = packing.missing.iter().filter_map(|&value| own.equals(value));
    let below = packing.valid_min.and_then(|least| own.below(least));
    let above = packing.valid_max.and_then(|most| own.above(most));
    let mask = equal.chain(below).chain(above).reduce(|all, mask| make.or(&all, &mask));
    let mask = mask.unwrap_or_else(|| nothing_missing(&stored, make));
    Masked { data: make.cast(&unpacked(&stored, packing, make), to), mask }
}

fn unpacked(stored: &Expr, packing: &Packing, make: Elementwise) -> Expr {
    let mut x = stored.clone();
    if let Some(scale) = packing.scale {
        x = make.with(BinaryOp::Mul, &make.cast(&x, DType::F64), scale);
    }
    if let Some(offset) = packing.offset {
        x = make.with(BinaryOp::Add, &make.cast(&x, DType::F64), offset);
    }
    x
}

/// Stored elements without the sign they are not to have, and comparisons with what attributes say of them.
#[derive(Clone, Copy)]
struct Stored<'a> {
    x: &'a Expr,
    dtype: DType,
    /// Whether negative numbers are written for the bits of unsigned ones.
    wraps: bool,
    make: Elementwise,
}

impl Stored<'_> {
    /// Where an element is this value; `None` when the type does not hold it.
    fn equals(self, value: Scalar) -> Option<Expr> {
        let own = match self.is_exact() {
            true => number(self.unwrapped(exactly(value)?), self.dtype)?,
            // Floats are written with as many digits as a double has, whatever they are stored as.
            false => eval_cast(value, self.dtype),
        };
        if is_nan(own) {
            return Some(self.make.unary(UnaryOp::IsNan, self.x));
        }
        Some(self.compare(BinaryOp::Eq, own))
    }

    /// Where an element is less than a bound; `None` when none can be.
    fn below(self, bound: Scalar) -> Option<Expr> {
        if !self.is_exact() {
            return Some(self.compare(BinaryOp::Lt, eval_cast(bound, self.dtype)));
        }
        let bound = self.unwrapped(whole(bound, f64::ceil)?);
        match number(bound, self.dtype) {
            Some(bound) => Some(self.compare(BinaryOp::Lt, bound)),
            None => (bound > 0).then(|| self.compare(BinaryOp::Le, most(self.dtype))),
        }
    }

    /// Where an element is greater than a bound; `None` when none can be.
    fn above(self, bound: Scalar) -> Option<Expr> {
        if !self.is_exact() {
            return Some(self.compare(BinaryOp::Gt, eval_cast(bound, self.dtype)));
        }
        let bound = self.unwrapped(whole(bound, f64::floor)?);
        match number(bound, self.dtype) {
            Some(bound) => Some(self.compare(BinaryOp::Gt, bound)),
            None => (bound < 0).then(|| self.compare(BinaryOp::Ge, least(self.dtype))),
        }
    }

    /// Whether elements are integers or bool.
    fn is_exact(self) -> bool {
        self.dtype.is_integer() || self.dtype == DType::Bool
    }

    /// What a negative number of the stored type stands for.
    fn unwrapped(self, value: i128) -> i128 {
        let range = 1_i128 << (8 * self.dtype.itemsize());
        let wraps = self.wraps && (-range / 2..0).contains(&value);
        if wraps { value + range } else { value }
    }

    fn compare(self, op: BinaryOp, with: Scalar) -> Expr {
        self.make.binary(op, self.x, &self.make.literal(with))
    }
}

fn is_nan(x: Scalar) -> bool {
    matches!(eval_cast(x, DType::F64), Scalar::F64(x) if x.is_nan())
}

/// The integer that a number is, if it is one.
fn exactly(x: Scalar) -> Option<i128> {
    let floor = whole(x, f64::floor)?;
    (whole(x, f64::ceil)? == floor).then_some(floor)
}

/// A number as an integer, rounded so; huge ones saturate. `None` for NaN and for complex numbers.
fn whole(x: Scalar, round: fn(f64) -> f64) -> Option<i128> {
    match eval_cast(x, if x.dtype().is_float() { DType::F64 } else { x.dtype().sum_type() }) {
        Scalar::I64(x) => Some(x.into()),
        Scalar::U64(x) => Some(x.into()),
        Scalar::F64(x) => (!x.is_nan()).then(|| round(x) as i128),
        _ => None,
    }
}

/// An integer as an element of a type; `None` when the type does not hold it.
fn number(x: i128, dtype: DType) -> Option<Scalar> {
    let wide = u64::try_from(x).map(Scalar::U64).or_else(|_| i64::try_from(x).map(Scalar::I64)).ok()?;
    let own = eval_cast(wide, dtype);
    (whole(own, f64::trunc) == Some(x)).then_some(own)
}

/// The type of the same bits without a sign, where there is one.
fn unsigned(dtype: DType) -> Option<DType> {
    match dtype {
        DType::I8 => Some(DType::U8),
        DType::I16 => Some(DType::U16),
        DType::I32 => Some(DType::U32),
        DType::I64 => Some(DType::U64),
        _ => None,
    }
}
