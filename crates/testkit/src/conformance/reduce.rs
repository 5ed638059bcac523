//! Reductions by name: one arm for each row of the reduction tables, made from the tables.

use chunkwise::prelude::*;
use chunkwise_chunk::Element;
use chunkwise_expr::{ReduceKind, for_each_moment, for_each_reduction};

use super::Refusal;
use super::case::CaseStep;
use super::structure::axis_of;
use crate::AnyArray;

/// Which axes a reduction runs over.
struct Over {
    /// `None` for all.
    axes: Option<Vec<Axis>>,
    keepdims: bool,
}

/// Calls one of the four methods of a row on a typed array.
macro_rules! reduce_typed {
    ($x:ident, $over:ident, $all:ident, $several:ident, $keep:ident, ($($ddof:expr)?)) => {
        match &$over.axes {
            None if $over.keepdims => $x.$keep(every_axis($x.ndim()) $(, $ddof)?).into(),
            None => $x.$all($($ddof)?).into_dyn().into(),
            Some(axes) if $over.keepdims => $x.$keep(axes $(, $ddof)?).into(),
            Some(axes) => $x.$several(axes $(, $ddof)?).into(),
        }
    };
}

/// Evaluates `$body` for arrays of the types in a class of the tables.
#[rustfmt::skip]
macro_rules! with_class {
    (Element $($rest:tt)*) => { with_types!($($rest)*; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128) };
    (Ordered $($rest:tt)*) => { with_types!($($rest)*; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Number $($rest:tt)*) => { with_types!($($rest)*; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128) };
    (Real $($rest:tt)*) => { with_types!($($rest)*; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
}

macro_rules! with_types {
    ($x:ident, $body:expr; $($v:ident)*) => {
        match $x {
            $(AnyArray::$v($x) => Some($body),)*
            #[allow(unreachable_patterns)]
            _ => None,
        }
    };
}

macro_rules! define_plain {
    ($($(#[$doc:meta])* $variant:ident $all:ident $one:ident $several:ident $keep:ident: $class:ident -> $out:ident,
        eg $eg:expr => $res:expr;)*) => {
        /// A reduction without parameter; `None` for the others.
        fn plain(kind: &ReduceKind, x: &AnyArray, over: &Over) -> Option<AnyArray> {
            match kind {
                $(ReduceKind::$variant => {
                    with_class!($class x, reduce_typed!(x, over, $all, $several, $keep, ()))
                })*
                _ => None,
            }
        }
    };
}
for_each_reduction!(define_plain);

macro_rules! define_moment {
    ($($(#[$doc:meta])* $variant:ident $all:ident $one:ident $several:ident $keep:ident: $class:ident -> $out:ident,
        eg $eg:expr, $ddof:expr => $res:expr;)*) => {
        /// A reduction that takes `ddof`; `None` for the others.
        fn moment(kind: &ReduceKind, x: &AnyArray, over: &Over, ddof: f64) -> Option<AnyArray> {
            match kind {
                $(ReduceKind::$variant => {
                    with_class!($class x, reduce_typed!(x, over, $all, $several, $keep, (ddof)))
                })*
                _ => None,
            }
        }
    };
}
for_each_moment!(define_moment);

/// The reduction of this name; `None` when it is not one.
pub(super) fn reduction(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    match *args {
        [x] => {
            let kind = ReduceKind::ALL.iter().find(|kind| kind.name() == step.op);
            kind.map(|kind| reduce(step, kind, x)).or_else(|| statistic(step, x))
        }
        [x, weights] if step.op == "average" => Some(average(step, x, weights)),
        _ => None,
    }
}

impl Over {
    fn of(step: &CaseStep, x: &AnyArray) -> Result<Over, Refusal> {
        let axes = step.integers("axis")?;
        let axes = axes.map(|axes| axes.iter().map(|&axis| axis_of(axis, x.shape().len())).collect());
        Ok(Over { axes, keepdims: step.flag("keepdims")? })
    }
}

fn reduce(step: &CaseStep, kind: &ReduceKind, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let over = Over::of(step, x)?;
    let biased = step.flag("bias")?;
    let done = plain(kind, x, &over)
        .or(moment(kind, x, &over, step.number("ddof")?))
        .or(standardised(kind, x, &over, biased));
    done.ok_or_else(|| Refusal::types(kind.name(), &[x]))
}

/// The reductions that take `bias`; `None` for the others.
fn standardised(kind: &ReduceKind, x: &AnyArray, over: &Over, bias: bool) -> Option<AnyArray> {
    match kind {
        ReduceKind::Skew => {
            with_class!(Ordered x, reduce_typed!(x, over, skew, skew_axes, skew_keepdims, (bias)))
        }
        ReduceKind::Kurtosis => {
            with_class!(Ordered x, reduce_typed!(x, over, kurtosis, kurtosis_axes, kurtosis_keepdims, (bias)))
        }
        _ => None,
    }
}

/// What is composed of reductions.
fn statistic(step: &CaseStep, x: &AnyArray) -> Option<Result<AnyArray, Refusal>> {
    let over = match Over::of(step, x) {
        Ok(over) => over,
        Err(refusal) => return Some(Err(refusal)),
    };
    macro_rules! call {
        ($class:ident, $all:ident, $several:ident, $keep:ident $(, $arg:expr)?) => {
            with_class!($class x, reduce_typed!(x, over, $all, $several, $keep, ($($arg)?)))
        };
    }
    let over = &over;
    let order = step.integer("order").ok().flatten().and_then(|order| u32::try_from(order).ok()).unwrap_or(0);
    let done = match step.op.as_str() {
        "nan_sum" => call!(Element, nan_sum, nan_sum_axes, nan_sum_keepdims),
        "nan_prod" => call!(Element, nan_prod, nan_prod_axes, nan_prod_keepdims),
        "nan_mean" => call!(Element, nan_mean, nan_mean_axes, nan_mean_keepdims),
        "nan_count" => call!(Element, nan_count, nan_count_axes, nan_count_keepdims),
        "count_nonzero" => call!(Element, count_nonzero, count_nonzero_axes, count_nonzero_keepdims),
        "moment" => call!(Ordered, moment, moment_axes, moment_keepdims, order),
        "ptp" | "norm_l1" | "norm_l2" | "norm_max" => {
            return Some(number_statistic(step, x, over).ok_or_else(|| Refusal::types(&step.op, &[x])));
        }
        _ => None,
    };
    done.map(Ok)
}

/// Those that bool has not, and complex numbers have but for the first; `None` for the others.
fn number_statistic(step: &CaseStep, x: &AnyArray, over: &Over) -> Option<AnyArray> {
    macro_rules! call {
        ($class:ident, $all:ident, $several:ident, $keep:ident) => {
            with_class!($class x, reduce_typed!(x, over, $all, $several, $keep, ()))
        };
    }
    match step.op.as_str() {
        "ptp" => call!(Real, ptp, ptp_axes, ptp_keepdims),
        "norm_l1" => call!(Number, norm_l1, norm_l1_axes, norm_l1_keepdims),
        "norm_l2" => call!(Number, norm_l2, norm_l2_axes, norm_l2_keepdims),
        "norm_max" => call!(Number, norm_max, norm_max_axes, norm_max_keepdims),
        _ => None,
    }
}

fn average(step: &CaseStep, x: &AnyArray, weights: &AnyArray) -> Result<AnyArray, Refusal> {
    fn typed<T: Element>(x: &LazyArrayD<T>, weights: &AnyArray, over: &Over) -> AnyArray {
        let weights = LazyArrayD::<T::Mean>::from_expr(weights.expr().clone());
        let all = every_axis(x.ndim());
        let axes = over.axes.as_ref().unwrap_or(&all);
        let average = match over.keepdims {
            true => x.average_keepdims(axes, &weights),
            false => x.average_axes(axes, &weights),
        };
        AnyArray::from_expr(average.expr())
    }
    if weights.dtype() != x.dtype().mean_type() {
        return Err(Refusal::types("average", &[x, weights]));
    }
    let over = Over::of(step, x)?;
    let done: Option<AnyArray> = with_class!(Element x, typed(x, weights, &over));
    done.ok_or_else(|| Refusal::types("average", &[x, weights]))
}

fn every_axis(ndim: usize) -> Vec<Axis> {
    (0..ndim).map(Axis).collect()
}
