//! Why a run gets no lease.
//!
//! It owns the error type and its messages. The rules are the book's.

use thiserror::Error;

/// Why [`MemoryBudget::lease`](crate::MemoryBudget::lease) refused.
///
/// ```
/// use chunkwise_scheduler::{LeaseError, MemoryBudget};
///
/// let error = MemoryBudget::new(Some(100)).lease(200, 300).unwrap_err();
/// assert_eq!(error, LeaseError::AboveLimit { needed: 200, limit: 100 });
/// assert!(error.to_string().starts_with("the run needs 200 bytes, the memory limit is 100"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// More than the limit.
    #[error(
        "the run needs {needed} bytes, the memory limit is {limit}: raise the limit to at least {needed} bytes or \
         use smaller chunks"
    )]
    AboveLimit {
        /// Bytes the run needs at least.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// More than results and runs that stay leave of the limit.
    #[error(
        "the run needs {needed} bytes, results that are kept and streams of blocks hold {held} of the memory limit of \
         {limit}: drop some of them, raise the limit or use smaller chunks"
    )]
    Held {
        /// Bytes the run needs at least.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
        /// Bytes of what stays.
        held: u64,
    },
    /// The token was cancelled before the lease was granted.
    #[error("the run was cancelled while it waited for memory")]
    Cancelled,
}
