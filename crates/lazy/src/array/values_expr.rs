//! How elementwise methods that are made of several operations are put together: no types, no methods.

use std::panic::Location;

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::{BinaryOp, ElementOp, Expr, UnaryOp, eval_cast};

/// Makes elementwise operations that all come from one line of the user's program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elementwise(pub(super) &'static Location<'static>);

impl Elementwise {
    pub(super) fn unary(self, op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], self.0)
    }

    pub(super) fn binary(self, op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], self.0)
    }

    pub(super) fn select(self, which: &Expr, then: &Expr, otherwise: &Expr) -> Expr {
        Expr::element(ElementOp::Select, &[which, then, otherwise], self.0)
    }

    pub(super) fn cast(self, x: &Expr, to: DType) -> Expr {
        x.cast(to, self.0)
    }

    /// True where an element is not zero; NaN is not.
    pub(super) fn truth(self, x: &Expr) -> Expr {
        x.cast(DType::Bool, self.0)
    }

    pub(super) fn not(self, x: &Expr) -> Expr {
        self.unary(UnaryOp::Not, x)
    }

    pub(super) fn and(self, a: &Expr, b: &Expr) -> Expr {
        self.binary(BinaryOp::BitAnd, a, b)
    }

    pub(super) fn or(self, a: &Expr, b: &Expr) -> Expr {
        self.binary(BinaryOp::BitOr, a, b)
    }

    pub(super) fn literal(self, value: impl Into<Scalar>) -> Expr {
        Expr::literal(value.into(), self.0)
    }

    /// A number of the type of `like`.
    pub(super) fn number(self, value: impl Into<Scalar>, like: &Expr) -> Expr {
        // What cannot be built hands its error on, whatever it is combined with.
        self.literal(eval_cast(value.into(), like.dtype().unwrap_or(DType::F64)))
    }

    /// An operation with a number of the type of `x`.
    pub(super) fn with(self, op: BinaryOp, x: &Expr, value: impl Into<Scalar>) -> Expr {
        self.binary(op, x, &self.number(value, x))
    }
}
