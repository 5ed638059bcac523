//! Operations that pad, repeat and cut, by name.

use chunkwise::prelude::*;
use chunkwise::{InterpOptions, PadMode, PadStatistic, Spacing};
use chunkwise_chunk::{Element, for_each_dtype};
use serde_json::Value;

use super::Refusal;
use super::case::{CaseStep, scalar};
use super::elementwise::cast;
use super::structure::axis_of;
use crate::AnyArray;

macro_rules! define_typed {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// Calls a method that keeps the element type.
        macro_rules! with_array {
            ($any:expr, $x:ident => $body:expr) => {
                match $any { $(AnyArray::$v($x) => AnyArray::$v($body),)* }
            };
        }
    };
}
for_each_dtype!(define_typed);

macro_rules! with_number {
    ($any:expr, $x:ident => $body:expr) => {
        match $any {
            AnyArray::I8($x) => $body.into(),
            AnyArray::I16($x) => $body.into(),
            AnyArray::I32($x) => $body.into(),
            AnyArray::I64($x) => $body.into(),
            AnyArray::U8($x) => $body.into(),
            AnyArray::U16($x) => $body.into(),
            AnyArray::U32($x) => $body.into(),
            AnyArray::U64($x) => $body.into(),
            AnyArray::F32($x) => $body.into(),
            AnyArray::F64($x) => $body.into(),
            AnyArray::C64($x) => $body.into(),
            AnyArray::C128($x) => $body.into(),
            #[allow(unreachable_patterns)]
            other => return Err(Refusal::types("it", &[other])),
        }
    };
}

/// The result of a step; `None` when it is not one of these.
pub(super) fn apply(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    Some(match (step.op.as_str(), args) {
        ("pad", &[x]) => pad(step, x),
        ("repeat", &[x]) => repeat(step, x),
        ("tile", &[x]) => tile(step, x),
        ("tril" | "triu", &[x]) => triangle(step, x),
        ("gradient" | "trapezoid", &[x]) => slopes(step, x),
        ("rot90", &[x]) => rot90(step, x),
        ("diagonal", &[x]) => diagonal(step, x),
        ("interp", &[x]) => interp(step, x),
        ("swapaxes" | "moveaxis", &[x]) => moved(step, x),
        _ => return None,
    })
}

fn axis(step: &CaseStep, name: &str, default: i64, ndim: usize) -> Result<Axis, Refusal> {
    Ok(axis_of(step.integer(name)?.unwrap_or(default), ndim))
}

/// What cannot be a count becomes too large, and is refused by the library.
fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A list of pairs, or one number for all of them.
fn pairs<P: Clone>(
    step: &CaseStep,
    name: &str,
    read: impl Fn(&Value) -> Option<P>,
) -> Result<Option<Vec<(P, P)>>, Refusal> {
    let Some(value) = step.param(name) else { return Ok(None) };
    let pair = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([before, after]) => Some((read(before)?, read(after)?)),
        _ => None,
    };
    let list = match value.as_array() {
        Some(list) => list.iter().map(pair).collect(),
        None => read(value).map(|both| vec![(both.clone(), both)]),
    };
    list.map(Some).ok_or_else(|| step.misread(name, value))
}

fn pad(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let width = pairs(step, "width", |value| value.as_i64().map(count))?.unwrap_or_default();
    Ok(with_array!(x, x => x.pad(width, mode(step)?)))
}

fn mode<T: Element>(step: &CaseStep) -> Result<PadMode<T>, Refusal> {
    let read = |value: &Value| T::of_scalar(scalar(value, T::DTYPE).ok()?);
    let odd = step.param("reflect_type").and_then(Value::as_str) == Some("odd");
    let lengths = pairs(step, "stat_length", |value| value.as_i64().map(count))?;
    let statistic = |of, whole| lengths.clone().map_or(whole, |lengths| PadMode::Statistic(of, lengths));
    let zero = || vec![(T::default(), T::default())];
    let name = step.param("mode").and_then(Value::as_str).unwrap_or("constant");
    Ok(match name {
        "constant" => PadMode::Constants(pairs(step, "constant_values", read)?.unwrap_or_else(zero)),
        "linear_ramp" => PadMode::LinearRamps(pairs(step, "end_values", read)?.unwrap_or_else(zero)),
        "edge" => PadMode::Edge,
        "wrap" => PadMode::Wrap,
        "reflect" if odd => PadMode::ReflectOdd,
        "reflect" => PadMode::Reflect,
        "symmetric" if odd => PadMode::SymmetricOdd,
        "symmetric" => PadMode::Symmetric,
        "maximum" => statistic(PadStatistic::Maximum, PadMode::Maximum),
        "minimum" => statistic(PadStatistic::Minimum, PadMode::Minimum),
        "mean" => statistic(PadStatistic::Mean, PadMode::Mean),
        "median" => statistic(PadStatistic::Median, PadMode::Median),
        other => return Err(Refusal::malformed(format!("there is no padding {other}"))),
    })
}

/// Along an axis, or of all elements in C order.
fn repeat(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let counts: Vec<usize> = step.required_integers("repeats")?.into_iter().map(count).collect();
    let axis = step.integer("axis")?.map(|axis| axis_of(axis, x.shape().len()));
    let x = match axis {
        Some(_) => x.clone(),
        None => with_array!(x, x => x.flatten().into_dyn()),
    };
    let axis = axis.unwrap_or(Axis(0));
    Ok(match counts[..] {
        [count] => with_array!(&x, x => x.repeat(count, axis)),
        _ => with_array!(&x, x => x.repeat_each(&counts, axis)),
    })
}

fn tile(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let counts: Vec<usize> = step.required_integers("reps")?.into_iter().map(count).collect();
    Ok(with_array!(x, x => x.tile(&counts)))
}

fn triangle(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let k = step.integer("k")?.unwrap_or(0) as isize;
    Ok(match step.op.as_str() {
        "tril" => with_array!(x, x => x.tril(k)),
        _ => with_array!(x, x => x.triu(k)),
    })
}

/// Derivatives and integrals: the spacing is 1, `dx`, or that of the coordinates `x`.
fn slopes(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let along = axis(step, "axis", -1, x.shape().len())?;
    let order = step.integer("edge_order")?.map_or(1, count);
    let spacing = match (numbers(step, "x")?, step.param("dx").and_then(Value::as_f64)) {
        (Some(coordinates), _) => Spacing::at(&coordinates),
        (None, step) => Spacing::even(step.unwrap_or(1.0)),
    };
    let x = if x.dtype() == DType::Bool { cast(x, DType::I64) } else { x.clone() };
    Ok(match step.op.as_str() {
        "gradient" => with_number!(&x, x => x.gradient_with(along, spacing, order)),
        _ => with_number!(&x, x => x.trapezoid(along, spacing)),
    })
}

fn numbers(step: &CaseStep, name: &str) -> Result<Option<Vec<f64>>, Refusal> {
    let Some(value) = step.param(name) else { return Ok(None) };
    let list = value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
    list.map(Some).ok_or_else(|| step.misread(name, value))
}

fn rot90(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let axes = step.integers("axes")?.unwrap_or_else(|| vec![0, 1]);
    let at = |i: usize| axis_of(axes.get(i).copied().unwrap_or(i as i64), x.shape().len());
    let quarters = step.integer("k")?.unwrap_or(1) as isize;
    Ok(with_array!(x, x => x.rot90(quarters, (at(0), at(1)))))
}

fn diagonal(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let ndim = x.shape().len();
    let (rows, columns) = (axis(step, "axis1", 0, ndim)?, axis(step, "axis2", 1, ndim)?);
    let offset = step.integer("offset")?.unwrap_or(0) as isize;
    Ok(with_array!(x, x => x.diagonal(offset, rows, columns)))
}

fn interp(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let AnyArray::F64(x) = x else { return Err(Refusal::types("interp", &[x])) };
    let points = |name| numbers(step, name).map(Option::unwrap_or_default);
    let option = |name: &str| step.param(name).and_then(Value::as_f64);
    let options = InterpOptions { left: option("left"), right: option("right"), period: option("period") };
    Ok(x.interp_with(&points("xp")?, &points("fp")?, options).into())
}

fn moved(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let ndim = x.shape().len();
    let (one, other) = (axis(step, "axis1", 0, ndim)?, axis(step, "axis2", 1, ndim)?);
    Ok(match step.op.as_str() {
        "swapaxes" => with_array!(x, x => x.swap_axes(one, other)),
        _ => with_array!(x, x => x.move_axis(one, other)),
    })
}
