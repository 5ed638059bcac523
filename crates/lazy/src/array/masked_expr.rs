//! Masked values as expressions: how operations and reductions treat the mask. No types, no methods.
//!
//! What lies under a mask is never looked at: reductions put in its place what changes nothing, and operations that are
//! errors for some values a value for which they are none. What is divided by zero is missing.

use std::sync::Arc;

use chunkwise_chunk::{ChunkSource, Chunks, DType, Scalar};
use chunkwise_expr::{BinaryOp, Expr, ExprError, ReduceKind, UnaryOp, eval_cast};
use chunkwise_storage::FillSource;

use super::values_expr::Elementwise;

/// Elements, and where they are missing: two expressions of one shape.
#[derive(Clone, Debug)]
pub(super) struct Masked {
    pub(super) data: Expr,
    pub(super) mask: Expr,
}

/// The second operand of an operation: nothing is missing where it has no mask.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct MaskedOperandExpr {
    pub(super) data: Expr,
    pub(super) mask: Option<Expr>,
}

/// What a reduction runs over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over<'a> {
    /// `None` for all axes.
    pub(super) axes: Option<&'a [usize]>,
    pub(super) keepdims: bool,
}

impl Masked {
    /// What cannot be built.
    pub(super) fn invalid(op: &str, text: String, make: Elementwise) -> Masked {
        let invalid = Expr::invalid(op, ExprError::Message(text), make.0);
        Masked { data: invalid.clone(), mask: invalid }
    }

    /// Elements under a mask that broadcasts to their shape.
    pub(super) fn new(data: Expr, mask: &Expr, make: Elementwise) -> Masked {
        let mask = mask_like(&data, &[mask], make);
        let mask = match (data.error(), mask.error()) {
            (None, None) if mask.shape() != data.shape() => {
                let text =
                    format!("a mask of shape {:?} is for no array of shape {:?}", mask.shape(), data.shape());
                Expr::invalid("masked_where", ExprError::Message(text), make.0)
            }
            _ => mask,
        };
        Masked { data, mask }
    }

    pub(super) fn unary(&self, op: UnaryOp, make: Elementwise) -> Masked {
        Masked { data: make.unary(op, &self.data), mask: self.mask.clone() }
    }

    /// The result is missing where one of the operands is.
    pub(super) fn binary(&self, op: BinaryOp, other: &MaskedOperandExpr, make: Elementwise) -> Masked {
        combine(op, &self.data, &other.data, &[Some(&self.mask), other.mask.as_ref()], make)
    }

    /// [`binary`](Masked::binary) with the operands exchanged.
    pub(super) fn binary_from(&self, op: BinaryOp, first: &Expr, make: Elementwise) -> Masked {
        combine(op, first, &self.data, &[Some(&self.mask)], make)
    }

    /// The elements, with a value where they are missing.
    pub(super) fn filled(&self, value: impl Into<Scalar>, make: Elementwise) -> Expr {
        make.select(&self.mask, &make.literal(value), &self.data)
    }

    /// How many elements are not missing.
    pub(super) fn count(&self, over: Over<'_>, make: Elementwise) -> Expr {
        reduced(&make.not(&self.mask), ReduceKind::Sum, over, make)
    }

    /// A reduction of what is not missing; the result is missing where everything is, and variances are where there are
    /// no more than `ddof`.
    pub(super) fn reduce(&self, kind: ReduceKind, over: Over<'_>, ddof: f64, make: Elementwise) -> Masked {
        if !ddof.is_finite() {
            let text = format!("ddof is {ddof}; it must be a finite number");
            return Masked::invalid(kind.name(), text, make);
        }
        let mut mask = reduced(&self.mask, ReduceKind::All, over, make);
        if matches!(kind, ReduceKind::Var | ReduceKind::Std) && ddof > 0.0 {
            let count = make.cast(&self.count(over, make), DType::F64);
            mask = make.or(&mask, &make.with(BinaryOp::Le, &count, ddof));
        }
        let Some(dtype) = self.data.dtype() else { return Masked { data: self.data.clone(), mask } };
        let neutral = |value: Scalar| reduced(&self.filled(value, make), kind.clone(), over, make);
        let data = match kind.clone() {
            ReduceKind::Sum | ReduceKind::Any => neutral(Scalar::zero(dtype)),
            ReduceKind::Prod | ReduceKind::All => neutral(Scalar::one(dtype)),
            ReduceKind::Min => neutral(most(dtype)),
            ReduceKind::Max => neutral(least(dtype)),
            ReduceKind::ArgMin => self.position(ReduceKind::Min, most(dtype), over, make),
            ReduceKind::ArgMax => self.position(ReduceKind::Max, least(dtype), over, make),
            ReduceKind::Mean => make.cast(&self.mean(over, make), dtype.mean_type()),
            ReduceKind::Var => make.cast(&self.variance(over, ddof, make), dtype.mean_type().real_type()),
            ReduceKind::Std => {
                let root = make.unary(UnaryOp::Sqrt, &self.variance(over, ddof, make));
                make.cast(&root, dtype.mean_type().real_type())
            }
            other => {
                let text = "there is no such reduction of masked elements; take filled() first".to_owned();
                Expr::invalid(other.name(), ExprError::Message(text), make.0)
            }
        };
        Masked { data, mask }
    }

    /// Where the first of the extreme elements is. What is put in place of missing ones may be an element too, so they
    /// are told apart: the first place that is not missing and holds the extreme.
    fn position(&self, kind: ReduceKind, neutral: Scalar, over: Over<'_>, make: Elementwise) -> Expr {
        let kept = Over { keepdims: true, ..over };
        let extreme = reduced(&self.filled(neutral, make), kind, kept, make);
        let mut here = make.binary(BinaryOp::Eq, &self.data, &extreme);
        if self.data.dtype().is_some_and(DType::is_float) {
            // The extreme is NaN when there is one, and equals nothing.
            here = make.or(&here, &make.unary(UnaryOp::IsNan, &self.data));
        }
        reduced(&make.and(&here, &make.not(&self.mask)), ReduceKind::ArgMax, over, make)
    }

    /// The type that means are computed in.
    fn wide(&self) -> DType {
        if self.data.dtype().is_some_and(DType::is_complex) { DType::C128 } else { DType::F64 }
    }

    /// In parts of `f64`, as the mean of a plain array.
    fn mean(&self, over: Over<'_>, make: Elementwise) -> Expr {
        let wide = Masked { data: make.cast(&self.data, self.wide()), mask: self.mask.clone() };
        let sum = reduced(&wide.filled(Scalar::zero(self.wide()), make), ReduceKind::Sum, over, make);
        make.binary(BinaryOp::Div, &sum, &make.cast(&self.count(over, make), self.wide()))
    }

    /// In `f64` and two passes, the mean and then the squares of the distances to it: a difference of sums of squares would
    /// lose what is small against the mean.
    fn variance(&self, over: Over<'_>, ddof: f64, make: Elementwise) -> Expr {
        let mean = self.mean(Over { keepdims: true, ..over }, make);
        let distance = make.binary(BinaryOp::Sub, &make.cast(&self.data, self.wide()), &mean);
        let squared = make.unary(UnaryOp::NormSqr, &distance);
        let squares = Masked { data: squared, mask: self.mask.clone() }.filled(0.0, make);
        let squares = reduced(&squares, ReduceKind::Sum, over, make);
        let count = make.cast(&self.count(over, make), DType::F64);
        let divisor = make.with(BinaryOp::Maximum, &make.with(BinaryOp::Sub, &count, ddof), 0.0);
        make.binary(BinaryOp::Div, &squares, &divisor)
    }
}

/// An operation of elements, missing where one of the masks says so.
fn combine(op: BinaryOp, a: &Expr, b: &Expr, masks: &[Option<&Expr>], make: Elementwise) -> Masked {
    let zero = zero_divisor(op, b, make);
    let masks: Vec<&Expr> = masks.iter().copied().flatten().chain(&zero).collect();
    let total = a.dtype().is_none_or(|dtype| op.is_total(dtype));
    let harmless;
    let b = if total {
        b
    } else {
        // What is missing must not be an error: one divides everything, and is an exponent of everything.
        let mask = masks.iter().skip(1).fold(masks[0].clone(), |all, mask| make.or(&all, mask));
        harmless = make.select(&mask, &make.number(1_u8, b), b);
        &harmless
    };
    let data = make.binary(op, a, b);
    let mask = mask_like(&data, &masks, make);
    Masked { data, mask }
}

/// Where a divisor is zero; `None` for what is no division, and for numbers that are not zero.
fn zero_divisor(op: BinaryOp, divisor: &Expr, make: Elementwise) -> Option<Expr> {
    let divides = matches!(op, BinaryOp::Div | BinaryOp::Rem | BinaryOp::FloorDiv | BinaryOp::Modulo);
    let zero = Scalar::zero(divisor.dtype()?);
    let never =
        divisor.op().constant().is_some_and(|value| eval_cast(value, DType::Bool) == Scalar::Bool(true));
    (divides && !never).then(|| make.binary(BinaryOp::Eq, divisor, &make.literal(zero)))
}

/// The masks together, as one of the shape of `data` where they broadcast to it.
fn mask_like(data: &Expr, masks: &[&Expr], make: Elementwise) -> Expr {
    let joined = masks.iter().copied().cloned().reduce(|all, mask| make.or(&all, &mask));
    match joined {
        Some(mask) if mask.shape() == data.shape() || data.error().is_some() => mask,
        Some(mask) => make.or(&mask, &nothing_missing(data, make)),
        None => nothing_missing(data, make),
    }
}

/// A mask that is false everywhere, in the blocks of `data`.
pub(super) fn nothing_missing(data: &Expr, make: Elementwise) -> Expr {
    let Some(grid) = data.grid() else { return data.clone() };
    let source: Arc<dyn ChunkSource> = Arc::new(FillSource::new(Scalar::Bool(false), grid.shape()));
    Expr::source("masked_where", source, Some(&Chunks::from(grid)), make.0)
}

fn reduced(x: &Expr, kind: ReduceKind, over: Over<'_>, make: Elementwise) -> Expr {
    x.reduce(kind, over.axes, over.keepdims, 0.0, make.0)
}

/// What no element is above.
pub(super) fn most(dtype: DType) -> Scalar {
    extreme(f64::INFINITY, dtype)
}

/// What no element is below.
pub(super) fn least(dtype: DType) -> Scalar {
    extreme(f64::NEG_INFINITY, dtype)
}

/// Conversion saturates; the smallest bool is `false`, though no infinity is.
fn extreme(infinity: f64, dtype: DType) -> Scalar {
    match dtype {
        DType::Bool => Scalar::Bool(infinity > 0.0),
        dtype => eval_cast(infinity.into(), dtype),
    }
}
