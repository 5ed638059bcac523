//! Reductions by name: one arm for each row of the reduction tables, made from the tables.

use chunkwise::prelude::*;
use chunkwise_expr::{BinaryOp, ReduceKind, for_each_moment, for_each_reduction};

use super::Refusal;
use super::case::CaseStep;
use super::elementwise::{binary, cast, truth};
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
        fn plain(kind: ReduceKind, x: &AnyArray, over: &Over) -> Option<AnyArray> {
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
        fn moment(kind: ReduceKind, x: &AnyArray, over: &Over, ddof: f64) -> Option<AnyArray> {
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
    let &[x] = args else { return None };
    let kind = ReduceKind::ALL.iter().copied().find(|kind| kind.name() == step.op);
    match (kind, step.op.as_str()) {
        (Some(kind), _) => Some(reduce(step, kind, x)),
        (None, "ptp") => Some(peak_to_peak(step, x)),
        (None, "count_nonzero") => Some(reduce(step, ReduceKind::Sum, &cast(&truth(x), DType::I64))),
        _ => None,
    }
}

fn reduce(step: &CaseStep, kind: ReduceKind, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let axes = step.integers("axis")?;
    let axes = axes.map(|axes| axes.iter().map(|&axis| axis_of(axis, x.shape().len())).collect());
    let over = Over { axes, keepdims: step.flag("keepdims")? };
    let done = plain(kind, x, &over).or(moment(kind, x, &over, step.number("ddof")?));
    done.ok_or_else(|| Refusal::types(kind.name(), &[x]))
}

fn peak_to_peak(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let (max, min) = (reduce(step, ReduceKind::Max, x)?, reduce(step, ReduceKind::Min, x)?);
    binary(BinaryOp::Sub, &max, &min)
}

fn every_axis(ndim: usize) -> Vec<Axis> {
    (0..ndim).map(Axis).collect()
}
