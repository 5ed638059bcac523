//! What a scan joins elements with.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chunkwise_chunk::{DType, Element};
use chunkwise_expr::ExprError;

/// What a scan joins elements with: associative, so that it can be done in parts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ScanKind {
    /// Sums of `i64`, `u64`, `f64` and `Complex<f64>`; integers wrap.
    Sum,
    /// Products of `i64`, `u64`, `f64` and `Complex<f64>`; integers wrap.
    Prod,
    /// Largest elements, the first among equals; NaN passes on.
    Max,
    /// Smallest elements, the first among equals; NaN passes on.
    Min,
    /// Largest elements of floats that are not NaN.
    FMax,
    /// Smallest elements of floats that are not NaN.
    FMin,
    /// The latest elements of floats that are not NaN.
    Latest,
    /// A user's function.
    Call(ScanFn),
}

impl ScanKind {
    /// Name of the method.
    pub fn name(&self) -> &'static str {
        match self {
            ScanKind::Sum => "cumsum",
            ScanKind::Prod => "cumprod",
            ScanKind::Max => "cummax",
            ScanKind::Min => "cummin",
            ScanKind::FMax => "nan_cummax",
            ScanKind::FMin => "nan_cummin",
            ScanKind::Latest => "forward_fill",
            ScanKind::Call(_) => "scan_with",
        }
    }

    /// The type of the elements, when they can be joined.
    pub(super) fn check(&self, dtype: DType) -> Result<DType, ExprError> {
        if self.takes(dtype) { Ok(dtype) } else { Err(ExprError::DType(vec![dtype])) }
    }

    /// Whether elements of this type can be joined.
    pub fn takes(&self, dtype: DType) -> bool {
        match self {
            ScanKind::Sum | ScanKind::Prod => {
                matches!(dtype, DType::I64 | DType::U64 | DType::F64 | DType::C128)
            }
            ScanKind::Max | ScanKind::Min => dtype.is_float() || dtype.is_integer() || dtype == DType::Bool,
            ScanKind::FMax | ScanKind::FMin | ScanKind::Latest => dtype.is_float(),
            ScanKind::Call(function) => function.dtype == dtype,
        }
    }
}

/// A user's associative function of two elements, and its identity. Two are equal only when they are the same object.
///
/// ```
/// use chunkwise_ops::scan::ScanFn;
/// let gcd = ScanFn::new(0u64, |a, b| if b == 0 { a } else { a.max(b) });
/// assert_eq!(gcd, gcd.clone());
/// ```
#[derive(Clone)]
pub struct ScanFn {
    dtype: DType,
    function: Arc<dyn Any + Send + Sync>,
}

/// What a [`ScanFn`] holds.
pub(super) struct Function<T> {
    pub(super) identity: T,
    #[allow(clippy::type_complexity)] // a function of two elements is this type
    pub(super) join: Box<dyn Fn(T, T) -> T + Send + Sync>,
}

impl ScanFn {
    /// Wraps a function.
    pub fn new<T: Element>(identity: T, join: impl Fn(T, T) -> T + Send + Sync + 'static) -> ScanFn {
        ScanFn { dtype: T::DTYPE, function: Arc::new(Function { identity, join: Box::new(join) }) }
    }

    pub(super) fn typed<T: Element>(&self) -> Option<&Function<T>> {
        self.function.downcast_ref()
    }

    /// What an empty block gives: the identity.
    pub fn identity<T: Element>(&self) -> Option<T> {
        self.typed::<T>().map(|function| function.identity)
    }

    /// The function of two elements.
    pub fn join<T: Element>(&self, a: T, b: T) -> Option<T> {
        self.typed::<T>().map(|function| (function.join)(a, b))
    }
}

impl PartialEq for ScanFn {
    fn eq(&self, other: &ScanFn) -> bool {
        Arc::ptr_eq(&self.function, &other.function)
    }
}

impl Eq for ScanFn {}

impl Hash for ScanFn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.dtype.hash(state);
    }
}

impl fmt::Debug for ScanFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanFn").field("dtype", &self.dtype).finish_non_exhaustive()
    }
}
