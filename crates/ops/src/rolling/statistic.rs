//! What can be computed of a window, and the fold that does it.

use std::fmt;

use chunkwise_chunk::DType;
use chunkwise_expr::{Arith, Order};

use super::folds::{Extreme, ExtremeNumber, Fold, Mean, Numbers, Sum, Variance, VarianceOfNumbers};
use super::quantile::Quantile;

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

fn extreme<V: Visit>(
    dtype: DType,
    largest: bool,
    strict: bool,
    min_count: usize,
    visit: V,
) -> Option<V::Out> {
    macro_rules! integers {
        ($($v:ident $t:ty: $least:expr, $most:expr;)*) => {
            match dtype {
                $(DType::$v if largest => visit.visit(Extreme { missing: $least, join: <$t>::maximum }),
                DType::$v => visit.visit(Extreme { missing: $most, join: <$t>::minimum }),)*
                DType::F32 => return number(f32::NAN, min_count as u64, largest, strict, visit),
                DType::F64 => return number(f64::NAN, min_count as u64, largest, strict, visit),
                #[allow(unreachable_patterns)] // of what has no order
                _ => return None,
            }
        };
    }
    Some(integers! {
        Bool bool: false, true;
        I8 i8: i8::MIN, i8::MAX;
        I16 i16: i16::MIN, i16::MAX;
        I32 i32: i32::MIN, i32::MAX;
        I64 i64: i64::MIN, i64::MAX;
        U8 u8: u8::MIN, u8::MAX;
        U16 u16: u16::MIN, u16::MAX;
        U32 u32: u32::MIN, u32::MAX;
        U64 u64: u64::MIN, u64::MAX;
    })
}

#[allow(clippy::unnecessary_wraps)] // so that the row of a type is one call
fn number<T: chunkwise_chunk::Float + Arith + Order, V: Visit>(
    missing: T,
    min_count: u64,
    largest: bool,
    strict: bool,
    visit: V,
) -> Option<V::Out> {
    Some(match (largest, strict) {
        (true, true) => visit.visit(Extreme { missing, join: T::maximum }),
        (false, true) => visit.visit(Extreme { missing, join: T::minimum }),
        (true, false) => visit.visit(ExtremeNumber { missing, join: T::fmax, min_count }),
        (false, false) => visit.visit(ExtremeNumber { missing, join: T::fmin, min_count }),
    })
}
