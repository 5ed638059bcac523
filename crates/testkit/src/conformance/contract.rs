//! Sums of products, by name.

use chunkwise::einsum;
use chunkwise::prelude::*;
use chunkwise_chunk::for_each_dtype;
use serde_json::Value;

use super::Refusal;
use super::case::CaseStep;
use super::structure::axis_of;
use crate::AnyArray;

macro_rules! define_typed {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// Calls a method of two arrays of one type; a refusal where their types differ.
        macro_rules! with_pair {
            ($step:expr, $args:expr, $a:ident, $b:ident => $body:expr) => {
                match $args {
                    $(&[AnyArray::$v($a), AnyArray::$v($b)] => Ok($body.into_dyn().into()),)*
                    _ => Err(Refusal::types(&$step.op, $args)),
                }
            };
        }

        fn named(step: &CaseStep, subscripts: &str, args: &[&AnyArray]) -> Result<AnyArray, Refusal> {
            let refused = || Refusal::types(&step.op, args);
            match args.first().ok_or_else(refused)? {
                $(AnyArray::$v(_) => {
                    let typed = args.iter().map(|x| if let AnyArray::$v(x) = x { Some(x) } else { None });
                    let typed = typed.collect::<Option<Vec<&LazyArrayD<$t>>>>().ok_or_else(refused)?;
                    Ok(einsum(subscripts, &typed).into())
                })*
            }
        }
    };
}
for_each_dtype!(define_typed);

macro_rules! define_numbers {
    ($($v:ident)*) => {
        /// Calls a method of a matrix of numbers.
        macro_rules! with_matrix {
            ($step:expr, $any:expr, $x:ident => $body:expr) => {
                match $any {
                    $(AnyArray::$v(x) => {
                        let $x = x.clone().into_dimensionality::<Ix2>();
                        Ok($body.into_dyn().into())
                    })*
                    other => Err(Refusal::types(&$step.op, &[other])),
                }
            };
        }
    };
}
define_numbers!(I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128);

/// The result of a step; `None` when it is not one of these.
pub(super) fn apply(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    Some(match (step.op.as_str(), args) {
        ("matmul", args) => with_pair!(step, args, a, b => a.matmul(b)),
        ("dot", args) => with_pair!(step, args, a, b => a.dot(b)),
        ("inner", args) => with_pair!(step, args, a, b => a.inner(b)),
        ("outer", args) => with_pair!(step, args, a, b => a.outer(b)),
        ("kron", args) => with_pair!(step, args, a, b => a.kron(b)),
        ("vecdot", args) => with_pair!(step, args, a, b => a.vecdot(b)),
        ("tensordot", args) => tensordot(step, args),
        ("einsum", args) => {
            let subscripts = step.param("subscripts").and_then(Value::as_str);
            let malformed = || Refusal::Malformed("einsum needs subscripts".into());
            subscripts.ok_or_else(malformed).and_then(|subscripts| named(step, subscripts, args))
        }
        ("trace", &[x]) => match step.integer("offset") {
            Ok(offset) => {
                let offset = offset.unwrap_or(0) as isize;
                with_matrix!(step, x, x => if offset == 0 { x.trace() } else { x.trace_offset(offset) })
            }
            Err(refusal) => Err(refusal),
        },
        ("cov", &[x]) => match step.param("ddof").map_or(Some(1.0), Value::as_f64) {
            Some(ddof) => with_matrix!(step, x, x => x.cov(ddof)),
            None => Err(Refusal::Malformed("ddof is a number".into())),
        },
        ("corrcoef", &[x]) => with_matrix!(step, x, x => x.corrcoef()),
        _ => return None,
    })
}

/// A number of axes, or the axes of both arrays.
fn tensordot(step: &CaseStep, args: &[&AnyArray]) -> Result<AnyArray, Refusal> {
    let axes = step.param("axes").cloned().unwrap_or(Value::from(2));
    if let Some(count) = axes.as_u64() {
        return with_pair!(step, args, a, b => a.tensordot(b, count as usize));
    }
    let misread = || step.misread("axes", &axes);
    let list = |at: usize| {
        let value = axes.get(at)?;
        let items = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        let ndim = args.get(at)?.shape().len();
        items.iter().map(|axis| axis.as_i64().map(|axis| axis_of(axis, ndim))).collect::<Option<Vec<Axis>>>()
    };
    let pairs = (list(0).ok_or_else(misread)?, list(1).ok_or_else(misread)?);
    with_pair!(step, args, a, b => a.tensordot(b, pairs))
}
