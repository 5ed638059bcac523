//! What can be computed of a window, and the fold that does it.

use std::fmt;

use chunkwise_chunk::{DType, dispatch};

use super::folds::{Extreme, ExtremeNumber, Fold, Mean, Numbers, Sum, Variance, VarianceOfNumbers};
use super::quantile::Quantile;
use crate::ends::Ends;

/// What is computed of each window.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Statistic {
    /// Sum of `i64`, `u64` or `f64`.
    Sum,
    /// Mean of `f64`.
    Mean,
    /// Smallest element.
    Min,
    /// Largest element.
    Max,
    /// Variance of `f64` with the divisor `n - ddof`.
    Var(f64),
    /// Standard deviation of `f64` with the divisor `n - ddof`.
    Std(f64),
    /// Median of `f64`.
    Median,
    /// Quantile of `f64`, interpolated linearly.
    Quantile(f64),
}

impl Statistic {
    /// Name of the method.
    pub fn name(self) -> &'static str {
        match self {
            Statistic::Sum => "moving_sum",
            Statistic::Mean => "moving_mean",
            Statistic::Min => "moving_min",
            Statistic::Max => "moving_max",
            Statistic::Var(_) => "moving_var",
            Statistic::Std(_) => "moving_std",
            Statistic::Median => "moving_median",
            Statistic::Quantile(_) => "moving_quantile",
        }
    }

    /// Whether elements of this type are taken.
    pub fn takes(self, dtype: DType) -> bool {
        match self {
            Statistic::Sum => matches!(dtype, DType::I64 | DType::U64 | DType::F64),
            Statistic::Min | Statistic::Max => dtype.is_float() || dtype.is_integer() || dtype == DType::Bool,
            _ => dtype == DType::F64,
        }
    }

    /// The quantile that is asked for, if it is one.
    pub(super) fn quantile(self, min_count: usize) -> Option<Quantile> {
        match self {
            Statistic::Median => Some(Quantile { q: 0.5, min_count }),
            Statistic::Quantile(q) => Some(Quantile { q, min_count }),
            _ => None,
        }
    }

    fn parameter(self) -> u64 {
        match self {
            Statistic::Var(x) | Statistic::Std(x) | Statistic::Quantile(x) => x.to_bits(),
            _ => 0,
        }
    }
}

impl Eq for Statistic {}

impl std::hash::Hash for Statistic {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
        // 0.0 and -0.0 are equal.
        if self.parameter() << 1 != 0 {
            self.parameter().hash(state);
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Statistic::Var(x) | Statistic::Std(x) | Statistic::Quantile(x) => write!(f, " {x}"),
            _ => Ok(()),
        }
    }
}

/// What is done with the fold of a statistic, whatever its type.
pub(super) trait Visit {
    /// What it gives.
    type Out;

    /// Does it.
    fn visit<F: Fold>(self, fold: F) -> Self::Out;
}

/// Calls `visit` with the fold of a statistic over windows of so many elements; `None` when it takes no elements of this
/// type. Windows of fewer numbers than `min_count` have the value NaN; where that is all of a window, NaN passes on.
pub(super) fn with_fold<V: Visit>(
    statistic: Statistic,
    dtype: DType,
    window: usize,
    min_count: usize,
    visit: V,
) -> Option<V::Out> {
    let strict = min_count >= window;
    let (n, least) = (window as f64, min_count as f64);
    Some(match statistic {
        Statistic::Sum => match dtype {
            DType::I64 => visit.visit(Sum { missing: 0_i64 }),
            DType::U64 => visit.visit(Sum { missing: 0_u64 }),
            DType::F64 if strict => visit.visit(Sum { missing: f64::NAN }),
            DType::F64 => visit.visit(Numbers { mean: false, min_count: least }),
            _ => return None,
        },
        Statistic::Mean if strict => visit.visit(Mean { window: n }),
        Statistic::Mean => visit.visit(Numbers { mean: true, min_count: least }),
        Statistic::Var(ddof) | Statistic::Std(ddof) => {
            let root = matches!(statistic, Statistic::Std(_));
            match strict {
                true => visit.visit(Variance { window: n, ddof, root }),
                false => visit.visit(VarianceOfNumbers { min_count: least, ddof, root }),
            }
        }
        Statistic::Max => return extreme(dtype, true, strict, min_count, visit),
        Statistic::Min => return extreme(dtype, false, strict, min_count, visit),
        Statistic::Median | Statistic::Quantile(_) => return None,
    })
}

/// The fold of the largest element or the smallest one: one for both, as which of them is asked for is no type.
fn extreme<V: Visit>(
    dtype: DType,
    largest: bool,
    strict: bool,
    min_count: usize,
    visit: V,
) -> Option<V::Out> {
    dispatch!(Float: dtype,
        T => return Some(match strict {
            true => visit.visit(Extreme { missing: T::NAN, largest }),
            false => visit.visit(ExtremeNumber { missing: T::NAN, largest, min_count: min_count as u64 }),
        }),
        _ => {}
    );
    dispatch!(Ordered: dtype,
        T => Some(visit.visit(Extreme { missing: if largest { T::LEAST } else { T::LARGEST }, largest })),
        _ => None
    )
}
