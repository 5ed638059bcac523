//! What can go wrong inside a kernel.

use chunkwise_expr::BinaryOp;
use thiserror::Error;

/// Values an operation has no result for.
///
/// ```
/// use chunkwise_kernels::KernelError;
/// let err = KernelError::IntegerDivisionByZero { op: "div" };
/// assert_eq!(err.to_string(), "div: integer divided by zero; mask the zeros or cast to a float type first");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
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
}

impl KernelError {
    /// What it means when the fault predicate of this operation's row is true.
    pub(crate) fn of(op: BinaryOp) -> KernelError {
        match op {
            BinaryOp::Pow => KernelError::NegativeIntegerPower,
            op => KernelError::IntegerDivisionByZero { op: op.name() },
        }
    }
}
