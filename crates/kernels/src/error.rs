//! What can go wrong inside a kernel.

use std::sync::Arc;

use chunkwise_expr::BinaryOp;
use thiserror::Error;

/// Why there is no result: values an operation has none for, or nobody who wants it.
///
/// ```
/// use chunkwise_kernels::KernelError;
/// let err = KernelError::IntegerDivisionByZero { op: "div" };
/// assert_eq!(err.to_string(), "div: integer divided by zero; mask the zeros or cast to a float type first");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KernelError {
    /// An integer divided by zero, or the remainder of one.
    #[error("{op}: integer divided by zero; mask the zeros or cast to a float type first")]
    IntegerDivisionByZero {
        /// The operation.
        op: &'static str,
    },
    /// An integer to a negative integer power.
    #[error("pow: negative exponent of an integer; cast to a float type first")]
    NegativeIntegerPower,
    /// The position of the smallest or largest number among elements of which none is one.
    #[error(
        "every element is NaN: none is the smallest or the largest; replace NaN before, or use argmin or argmax"
    )]
    OnlyNan,
    /// A user's reduction gave no value; what it said, after its name.
    #[error("{0}")]
    User(Arc<str>),
    /// An index that is negative, or not below the number of choices.
    #[error("choose: an index is outside the list of choices; clip() or modulo() it first")]
    IndexOutOfRange,
    /// Matrices that have no product, or not of that shape.
    #[error("product of {left:?} and {right:?} elements into {result:?}: the shapes do not fit")]
    Shapes {
        /// Rows and columns of the left matrix.
        left: (usize, usize),
        /// Rows and columns of the right matrix.
        right: (usize, usize),
        /// Rows and columns of the result.
        result: (usize, usize),
    },
    /// The result was no longer wanted; see [`Stop`](crate::Stop).
    #[error("stopped: the result is no longer wanted")]
    Stopped,
}

impl KernelError {
    /// What it means when the fault predicate of this operation's row is true.
    pub(crate) fn of(op: BinaryOp) -> KernelError {
        match op {
            BinaryOp::Pow => KernelError::NegativeIntegerPower,
            BinaryOp::IndexOf => KernelError::IndexOutOfRange,
            op => KernelError::IntegerDivisionByZero { op: op.name() },
        }
    }
}
