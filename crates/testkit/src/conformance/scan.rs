//! Running sums and the like, by name.

use chunkwise::prelude::*;

use super::Refusal;
use super::case::CaseStep;
use super::structure::axis_of;
use crate::AnyArray;

/// The operations that are known here.
const OPS: &[&str] = &[
    "cumsum",
    "cumprod",
    "cummax",
    "cummin",
    "nan_cumsum",
    "nan_cumprod",
    "nan_cummax",
    "nan_cummin",
    "forward_fill",
    "backward_fill",
];

/// Calls a method of arrays whose elements have an order.
macro_rules! with_real {
    ($any:expr, $x:ident => $body:expr, [$($v:ident)*]) => {
        match $any {
            $(AnyArray::$v($x) => Ok($body.into_dyn().into()),)*
            #[allow(unreachable_patterns)] // of complex numbers
            other => Err(Refusal::types("a scan", &[other])),
        }
    };
    ($any:expr, $x:ident => $body:expr) => {
        with_real!($any, $x => $body, [Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64])
    };
}

/// Calls a method of arrays of any type.
macro_rules! with_any {
    ($any:expr, $x:ident => $body:expr) => {
        with_real!($any, $x => $body, [Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128])
    };
}

/// The result of a step; `None` when it is not one of these.
pub(super) fn apply(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    let &[x] = args else { return None };
    if !OPS.contains(&step.op.as_str()) {
        return None;
    }
    let axis = step.integer("axis").map(|axis| axis.map(|axis| axis_of(axis, x.shape().len())));
    let axis = match axis {
        Ok(axis) => axis,
        Err(refusal) => return Some(Err(refusal)),
    };
    macro_rules! running {
        (any $name:ident, $flat:ident) => {
            match axis {
                Some(axis) => with_any!(x, x => x.$name(axis)),
                None => with_any!(x, x => x.$flat()),
            }
        };
        ($name:ident, $flat:ident $(, $types:tt)?) => {
            match axis {
                Some(axis) => with_real!(x, x => x.$name(axis) $(, $types)?),
                None => with_real!(x, x => x.$flat() $(, $types)?),
            }
        };
    }
    Some(match step.op.as_str() {
        "cumsum" => running!(any cumsum, cumsum_flat),
        "cumprod" => running!(any cumprod, cumprod_flat),
        "cummax" => running!(cummax, cummax_flat),
        "cummin" => running!(cummin, cummin_flat),
        "nan_cumsum" => running!(nan_cumsum, nan_cumsum_flat, [F32 F64 C64 C128]),
        "nan_cumprod" => running!(nan_cumprod, nan_cumprod_flat, [F32 F64 C64 C128]),
        "nan_cummax" => running!(nan_cummax, nan_cummax_flat, [F32 F64]),
        "nan_cummin" => running!(nan_cummin, nan_cummin_flat, [F32 F64]),
        "forward_fill" | "backward_fill" => fill(step, x, axis.unwrap_or(Axis(0))),
        _ => return None,
    })
}

fn fill(step: &CaseStep, x: &AnyArray, axis: Axis) -> Result<AnyArray, Refusal> {
    let limit = step.integer("limit")?.map(|limit| usize::try_from(limit).unwrap_or(0));
    match step.op.as_str() {
        "forward_fill" => with_real!(x, x => x.forward_fill(axis, limit), [F32 F64]),
        _ => with_real!(x, x => x.backward_fill(axis, limit), [F32 F64]),
    }
}
