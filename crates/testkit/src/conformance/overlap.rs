//! Operations on neighbourhoods, by name.

use chunkwise::prelude::*;
use chunkwise::{Boundary, Complex, ConvolveMode};
use chunkwise_chunk::{Element, for_each_dtype};
use ndarray::{Array1, ArrayD};

use super::Refusal;
use super::case::{CaseArray, CaseStep};
use super::structure::axis_of;
use crate::AnyArray;
use crate::eager::to_ndarray;

macro_rules! define_typed {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// Dispatches on the element type.
        macro_rules! with_array {
            ($any:expr, $x:ident => $body:expr) => {
                match $any { $(AnyArray::$v($x) => $body,)* }
            };
        }
    };
}
for_each_dtype!(define_typed);

/// Dispatches on the element types that have an order.
macro_rules! with_ordered {
    ($any:expr, $x:ident => $body:expr) => {
        match $any {
            AnyArray::C64(_) | AnyArray::C128(_) => return Err(Refusal::types("coarsen", &[$any])),
            any => with_ordered!(any, $x => $body; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64),
        }
    };
    ($any:expr, $x:ident => $body:expr; $($v:ident)*) => {
        match $any {
            $(AnyArray::$v($x) => $body,)*
            AnyArray::C64(_) | AnyArray::C128(_) => unreachable!("they were refused"),
        }
    };
}

/// Calls a method that numbers have and that keeps their type; for the types that cases use.
macro_rules! with_numbers {
    ($step:expr, $any:expr, $x:ident, $t:ident => $body:expr) => {
        with_numbers!($step, $any, $x, $t => $body; F64 f64, I64 i64)
    };
    (complex $step:expr, $any:expr, $x:ident, $t:ident => $body:expr) => {
        with_numbers!($step, $any, $x, $t => $body; F64 f64, I64 i64, C64 Complex<f32>, C128 Complex<f64>)
    };
    ($step:expr, $any:expr, $x:ident, $t:ident => $body:expr; $($v:ident $type:ty),*) => {
        match $any {
            $(AnyArray::$v($x) => {
                type $t = $type;
                Ok(AnyArray::$v($body))
            })*
            other => Err(Refusal::types(&$step.op, &[other])),
        }
    };
}

/// The result of a step; `None` when it is not one of these.
pub(super) fn apply(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    let &[x] = args else { return None };
    Some(match step.op.as_str() {
        "coarsen" => coarsen(step, x),
        "sliding_windows" => sliding_windows(step, x),
        "convolve" | "correlate" => one_dimensional(step, x),
        "convolve_nd" | "correlate_nd" => n_dimensional(step, x),
        "gaussian_filter" | "uniform_filter" => smoothed(step, x),
        "sobel" | "laplace" => slope(step, x),
        "median_filter" | "minimum_filter" | "maximum_filter" => ranked(step, x),
        _ => return None,
    })
}

fn lengths(step: &CaseStep, name: &str) -> Result<Vec<usize>, Refusal> {
    Ok(step.required_integers(name)?.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect())
}

fn text<'a>(step: &'a CaseStep, name: &str) -> &'a str {
    step.param(name).and_then(|value| value.as_str()).unwrap_or_default()
}

/// What lies beyond the ends, by its name in `scipy.ndimage`.
fn boundary<T: Element>(step: &CaseStep) -> Result<Boundary<T>, Refusal> {
    Ok(match text(step, "mode") {
        "reflect" => Boundary::Symmetric,
        "mirror" => Boundary::Reflect,
        "wrap" => Boundary::Periodic,
        "nearest" => Boundary::Nearest,
        "constant" => Boundary::Constant(T::default()),
        other => return Err(Refusal::malformed(format!("there is no mode {other:?}"))),
    })
}

/// The weights, as an array in memory.
fn weights<T: Element>(step: &CaseStep) -> Result<ArrayD<T>, Refusal> {
    let missing = || Refusal::malformed(format!("{} needs weights", step.op));
    let array: CaseArray = serde_json::from_value(step.param("weights").ok_or_else(missing)?.clone())
        .map_err(|err| Refusal::malformed(err.to_string()))?;
    let plain = array.to_plain()?;
    match plain.dtype() == T::DTYPE {
        true => Ok(to_ndarray(&plain)),
        false => Err(Refusal::malformed("the weights are of another type than the array")),
    }
}

fn one_dimensional(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let mode = match text(step, "mode") {
        "full" => ConvolveMode::Full,
        "same" => ConvolveMode::Same,
        _ => ConvolveMode::Valid,
    };
    with_numbers!(complex step, x, x, T => {
        let x: LazyArray1<T> = x.clone().into_dimensionality();
        let weights = weights::<T>(step)?.into_dimensionality();
        let weights: Array1<T> = weights.map_err(|err| Refusal::malformed(err.to_string()))?;
        match step.op.as_str() {
            "convolve" => x.convolve(&weights, mode).into_dyn(),
            _ => x.correlate(&weights, mode).into_dyn(),
        }
    })
}

fn n_dimensional(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    with_numbers!(complex step, x, x, T => match step.op.as_str() {
        "convolve_nd" => x.convolve_nd(weights::<T>(step)?, boundary::<T>(step)?),
        _ => x.correlate_nd(weights::<T>(step)?, boundary::<T>(step)?),
    })
}

fn smoothed(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let AnyArray::F64(x) = x else { return Err(Refusal::types(&step.op, &[x])) };
    let sigma = || {
        let list = step.param("sigma").and_then(|list| list.as_array());
        let numbers: Option<Vec<f64>> = list.and_then(|list| list.iter().map(|x| x.as_f64()).collect());
        numbers.ok_or_else(|| Refusal::malformed("gaussian_filter needs sigma"))
    };
    Ok(AnyArray::F64(match step.op.as_str() {
        "gaussian_filter" => x.gaussian_filter(sigma()?, boundary(step)?),
        _ => x.uniform_filter(lengths(step, "size")?, boundary(step)?),
    }))
}

fn slope(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    with_numbers!(step, x, x, T => match step.op.as_str() {
        "sobel" => x.sobel(axis_of(step.required_integer("axis")?, x.ndim()), boundary::<T>(step)?),
        _ => x.laplace(boundary::<T>(step)?),
    })
}

fn ranked(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let size = lengths(step, "size")?;
    with_numbers!(step, x, x, T => match step.op.as_str() {
        "median_filter" => x.median_filter(size, boundary::<T>(step)?),
        "minimum_filter" => x.minimum_filter(size, boundary::<T>(step)?),
        _ => x.maximum_filter(size, boundary::<T>(step)?),
    })
}

fn sliding_windows(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let window = usize::try_from(step.required_integer("window")?).unwrap_or(0);
    let axis = axis_of(step.required_integer("axis")?, x.shape().len());
    Ok(with_array!(x, x => x.sliding_windows(window, axis).into()))
}

fn coarsen(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let factors: Vec<usize> =
        step.required_integers("factors")?.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
    let how = step.param("how").and_then(|how| how.as_str()).unwrap_or_default();
    Ok(match how {
        "sum" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.sum_axes(axes)).into()),
        "mean" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.mean_axes(axes)).into()),
        "min" => with_ordered!(x, x => x.coarsen(&factors, |boxes, axes| boxes.min_axes(axes)).into()),
        "max" => with_ordered!(x, x => x.coarsen(&factors, |boxes, axes| boxes.max_axes(axes)).into()),
        "prod" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.prod_axes(axes)).into()),
        "any" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.any_axes(axes)).into()),
        "all" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.all_axes(axes)).into()),
        _ => return Err(Refusal::malformed(format!("coarsen does not know how {how:?}"))),
    })
}
