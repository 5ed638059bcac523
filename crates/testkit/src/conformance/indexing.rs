//! Operations that pick elements by arrays of indices, by name.
//!
//! ```text
//! take             indices, axis
//! take_lazy        axis                 args: array, indices
//! take_along_axis  axis                 args: array, indices
//! index vindex     key                  per element an int, a list (of lists) of ints or bools, `{"slice": [start, stop, step]}`,
//!                                       "newaxis" or "..."
//! diagonal         offset, axis1, axis2
//! assign           slices               args: array, value
//! assign_at        indices, axis        args: array, value
//! assign_where                          args: array, mask, value
//! delete           indices, axis
//! compress         condition, axis
//! insert           index, axis          args: array, values
//! append           axis                 args: array, values
//! ```

use chunkwise::prelude::*;
use chunkwise::{Index, IndexList};
use chunkwise_chunk::for_each_dtype;
use ndarray::{ArrayD, SliceInfoElem};
use serde_json::Value;

use super::Refusal;
use super::case::CaseStep;
use super::slices::slice_elems;
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

        /// Calls a method of two arrays of one type; a refusal when their types differ.
        macro_rules! with_both {
            ($step:expr, $a:expr, $b:expr, $x:ident, $y:ident => $body:expr) => {
                match ($a, $b) {
                    $((AnyArray::$v($x), AnyArray::$v($y)) => Ok(AnyArray::$v($body)),)*
                    (a, b) => Err(Refusal::types(&$step.op, &[a, b])),
                }
            };
        }
    };
}
for_each_dtype!(define_typed);

/// The result of a step; `None` when it is not one of these.
pub(super) fn apply(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    Some(match (step.op.as_str(), args) {
        ("take", &[x]) => take(step, x),
        ("take_lazy", &[x, indices]) => take_lazy(step, x, indices),
        ("take_along_axis", &[x, indices]) => take_along_axis(step, x, indices),
        ("index" | "vindex", &[x]) => keyed(step, x),
        ("diagonal", &[x]) => diagonal(step, x),
        ("assign", &[x, value]) => assign(step, x, value),
        ("assign_at", &[x, value]) => assign_at(step, x, value),
        ("assign_where", &[x, mask, value]) => assign_where(step, x, mask, value),
        ("delete", &[x]) => delete(step, x),
        ("compress", &[x]) => compress(step, x),
        ("insert", &[x, values]) => insert(step, x, values),
        ("append", &[x, values]) => append(step, x, values),
        _ => return None,
    })
}

fn axis(step: &CaseStep, x: &AnyArray) -> Result<Axis, Refusal> {
    Ok(axis_of(step.integer("axis")?.unwrap_or(0), x.shape().len()))
}

/// Without an axis, elements of the flattened array.
fn take(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let indices = step.required_integers("indices")?;
    let x = match step.param("axis") {
        Some(_) => x.clone(),
        None => with_array!(x, x => x.reshape_dyn(&[-1])),
    };
    let axis = axis(step, &x)?;
    Ok(with_array!(&x, x => x.take(&indices, axis)))
}

/// Indices as a lazy array of `i64` and one axis.
fn lazy_indices(indices: &AnyArray) -> Result<LazyArrayD<i64>, Refusal> {
    match indices {
        AnyArray::I64(indices) => Ok(indices.clone()),
        other => Err(Refusal::types("take", &[other])),
    }
}

fn take_lazy(step: &CaseStep, x: &AnyArray, indices: &AnyArray) -> Result<AnyArray, Refusal> {
    let indices: LazyArray1<i64> = lazy_indices(indices)?.into_dimensionality();
    let axis = axis(step, x)?;
    Ok(with_array!(x, x => x.take(&indices, axis)))
}

fn take_along_axis(step: &CaseStep, x: &AnyArray, indices: &AnyArray) -> Result<AnyArray, Refusal> {
    let (indices, axis) = (lazy_indices(indices)?, axis(step, x)?);
    Ok(with_array!(x, x => x.take_along_axis(&indices, axis)))
}

fn keyed(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let key = step.param("key").and_then(Value::as_array);
    let key = key.ok_or_else(|| Refusal::malformed("index needs a key"))?;
    let elements = key.iter().map(element).collect::<Result<Vec<Vec<Index>>, Refusal>>()?;
    let key = elements.concat();
    Ok(match step.op.as_str() {
        "vindex" => with_array!(x, x => x.vindex(&key)),
        _ => with_array!(x, x => x.index(&key)),
    })
}

/// The elements of a key: one, but for ranges whose form hangs on their axis.
fn element(value: &Value) -> Result<Vec<Index>, Refusal> {
    let misread = || Refusal::malformed(format!("a key cannot hold {value}"));
    Ok(vec![match value {
        Value::String(text) if text == "newaxis" => Index::NewAxis,
        Value::String(text) if text == "..." => Index::Ellipsis,
        Value::Object(range) => {
            let elems = range.get("slice").map(std::slice::from_ref).ok_or_else(misread)?;
            // The length of the axis matters where a negative step has negative bounds: keys have none of these.
            let elems = slice_elems(elems, &[usize::MAX >> 2])?;
            return Ok(elems.into_iter().map(Index::from).collect());
        }
        Value::Number(index) => Index::from(index.as_i64().ok_or_else(misread)?),
        Value::Array(_) => list(value).ok_or_else(misread)?,
        _ => return Err(misread()),
    }])
}

/// An array of indices, or a mask, of one axis or two.
fn list(value: &Value) -> Option<Index> {
    let rows = value.as_array()?;
    let shape = match rows.first() {
        Some(Value::Array(first)) => vec![rows.len(), first.len()],
        _ => vec![rows.len()],
    };
    let flat: Vec<&Value> = rows
        .iter()
        .flat_map(|row| row.as_array().map_or_else(|| vec![row], |row| row.iter().collect()))
        .collect();
    match flat.first() {
        Some(Value::Bool(_)) => {
            let mask = flat.iter().map(|x| x.as_bool()).collect::<Option<Vec<bool>>>()?;
            Some(ArrayD::from_shape_vec(shape, mask).ok()?.into())
        }
        _ => {
            let indices = flat.iter().map(|x| x.as_i64()).collect::<Option<Vec<i64>>>()?;
            Some(ArrayD::from_shape_vec(shape, indices).ok()?.into())
        }
    }
}

fn diagonal(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let ndim = x.shape().len();
    let offset = step.integer("offset")?.unwrap_or(0) as isize;
    let (a, b) = (step.integer("axis1")?.unwrap_or(0), step.integer("axis2")?.unwrap_or(1));
    let (a, b) = (axis_of(a, ndim), axis_of(b, ndim));
    Ok(with_array!(x, x => x.diagonal(offset, a, b)))
}

fn assign(step: &CaseStep, x: &AnyArray, value: &AnyArray) -> Result<AnyArray, Refusal> {
    let slices = step.param("slices").and_then(Value::as_array);
    let slices = slices.ok_or_else(|| Refusal::malformed("assign needs slices"))?;
    let elems: Vec<SliceInfoElem> = slice_elems(slices, x.shape())?;
    with_both!(step, x, value, x, value => x.assign(&elems[..], value))
}

fn assign_at(step: &CaseStep, x: &AnyArray, value: &AnyArray) -> Result<AnyArray, Refusal> {
    let indices = IndexList::from(step.required_integers("indices")?);
    let axis = axis(step, x)?;
    with_both!(step, x, value, x, value => x.assign_at(indices, axis, value))
}

fn assign_where(
    step: &CaseStep,
    x: &AnyArray,
    mask: &AnyArray,
    value: &AnyArray,
) -> Result<AnyArray, Refusal> {
    let AnyArray::Bool(mask) = mask else { return Err(Refusal::types(&step.op, &[mask])) };
    with_both!(step, x, value, x, value => x.assign_where(mask, value))
}

fn delete(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let (indices, axis) = (step.required_integers("indices")?, axis(step, x)?);
    Ok(with_array!(x, x => x.delete(&indices, axis)))
}

fn compress(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let mask = step.param("condition").and_then(Value::as_array);
    let mask = mask.and_then(|mask| mask.iter().map(Value::as_bool).collect::<Option<Vec<bool>>>());
    let mask = mask.ok_or_else(|| Refusal::malformed("compress needs a condition"))?;
    let axis = axis(step, x)?;
    Ok(with_array!(x, x => x.compress(&mask, axis)))
}

fn insert(step: &CaseStep, x: &AnyArray, values: &AnyArray) -> Result<AnyArray, Refusal> {
    let (index, axis) = (step.required_integer("index")? as isize, axis(step, x)?);
    with_both!(step, x, values, x, values => x.insert(index, values, axis))
}

fn append(step: &CaseStep, x: &AnyArray, values: &AnyArray) -> Result<AnyArray, Refusal> {
    let axis = axis(step, x)?;
    with_both!(step, x, values, x, values => x.append(values, axis))
}
