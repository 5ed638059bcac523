//! Operations that move, join and cut arrays, by name.

use chunkwise::prelude::*;
use chunkwise_chunk::{AxisSpec, for_each_dtype};
use ndarray::SliceInfoElem;

use super::Refusal;
use super::case::CaseStep;
use super::slices::slice_elems;
use crate::AnyArray;

macro_rules! define_typed {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// Calls a method that keeps the element type.
        macro_rules! with_array {
            ($any:expr, $x:ident => $body:expr) => {
                match $any { $(AnyArray::$v($x) => AnyArray::$v($body),)* }
            };
        }

        /// Lays arrays of one type end to end, or side by side.
        fn join(arrays: &[&AnyArray], axis: Axis, new_axis: bool) -> Option<AnyArray> {
            match arrays.first()? {
                $(AnyArray::$v(_) => {
                    let typed = arrays.iter().map(|x| if let AnyArray::$v(x) = x { Some(x) } else { None });
                    let typed = typed.collect::<Option<Vec<&LazyArrayD<$t>>>>()?;
                    let join = if new_axis { chunkwise::stack } else { chunkwise::concatenate };
                    Some(join(axis, &typed).into())
                })*
            }
        }
    };
}
for_each_dtype!(define_typed);

/// The structural operation of this name; `None` when it is not one.
pub(super) fn structural(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    Some(match (step.op.as_str(), args) {
        ("slice", &[x]) => slice(step, x),
        ("permute", &[x]) => permute(step, x),
        ("reshape", &[x]) => reshape(step, x),
        ("broadcast_to", &[x]) => broadcast(step, x),
        ("insert_axis", &[x]) => insert_axis(step, x),
        ("squeeze", &[x]) => squeeze(step, x),
        ("flip", &[x]) => flip(step, x),
        ("rechunk", &[x]) => rechunk(step, x),
        ("roll", &[x]) => roll(step, x),
        ("diff", &[x]) => diff(step, x),
        ("concatenate" | "stack", arrays) => joined(step, arrays),
        _ => return None,
    })
}

/// An axis, negative ones counted from the end; what is out of range stays so.
pub(super) fn axis_of(axis: i64, ndim: usize) -> Axis {
    let at = if axis < 0 { axis + ndim as i64 } else { axis };
    Axis(usize::try_from(at).unwrap_or(usize::MAX))
}

fn slice(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let slices = step.param("slices").and_then(|value| value.as_array());
    let slices = slices.ok_or_else(|| Refusal::malformed("slice needs slices"))?;
    Ok(sliced(x, &slice_elems(slices, x.shape())?))
}

fn sliced(x: &AnyArray, elems: &[SliceInfoElem]) -> AnyArray {
    with_array!(x, x => x.slice_dyn(elems))
}

/// Lengths and axes cannot be negative; what is becomes too large and is refused by the library.
fn lengths(numbers: &[i64]) -> Vec<usize> {
    numbers.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect()
}

fn permute(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let axes: Vec<i64> = match step.integers("axes")? {
        Some(axes) => axes,
        None => (0..x.shape().len() as i64).rev().collect(),
    };
    let axes: Vec<usize> = axes.iter().map(|&axis| axis_of(axis, x.shape().len()).index()).collect();
    Ok(with_array!(x, x => x.permuted_axes(IxDyn(&axes))))
}

fn reshape(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let shape: Vec<isize> = step.required_integers("shape")?.iter().map(|&n| n as isize).collect();
    Ok(with_array!(x, x => x.reshape_dyn(&shape)))
}

fn broadcast(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let shape = lengths(&step.required_integers("shape")?);
    Ok(with_array!(x, x => x.broadcast(IxDyn(&shape))))
}

fn insert_axis(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let axis = axis_of(step.required_integer("axis")?, x.shape().len() + 1);
    Ok(with_array!(x, x => x.insert_axis(axis)))
}

/// Without the axes named, or without all of length 1.
fn squeeze(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let ndim = x.shape().len();
    let mut axes: Vec<Axis> = match step.integers("axis")? {
        Some(axes) => axes.iter().map(|&axis| axis_of(axis, ndim)).collect(),
        None => (0..ndim).filter(|&axis| x.shape()[axis] == 1).map(Axis).collect(),
    };
    // From the last one, so that the others keep their numbers.
    axes.sort_by_key(|axis| std::cmp::Reverse(axis.index()));
    Ok(axes.iter().fold(x.clone(), |x, &axis| with_array!(x, x => x.squeeze(axis))))
}

fn flip(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let ndim = x.shape().len();
    let axes = step.integers("axis")?.unwrap_or_else(|| (0..ndim as i64).collect());
    Ok(axes.iter().fold(x.clone(), |x, &axis| with_array!(x, x => x.flip(axis_of(axis, ndim)))))
}

/// One length for all axes, one per axis, or lists of lengths.
fn rechunk(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let value = step.param("chunks").ok_or_else(|| Refusal::malformed("rechunk needs chunks"))?;
    // A negative length cannot be written down in the API.
    let misread = || Refusal::Types(format!("rechunk does not take {value}"));
    let size = |value: &serde_json::Value| value.as_u64().map(|n| n as usize);
    let spec = |value: &serde_json::Value| match value.as_array() {
        Some(sizes) => sizes.iter().map(size).collect::<Option<Vec<usize>>>().map(AxisSpec::Sizes),
        None => size(value).map(AxisSpec::Size),
    };
    let chunks = match value.as_array() {
        Some(specs) => specs.iter().map(spec).collect::<Option<Vec<AxisSpec>>>().map(Chunks::from),
        None => size(value).map(Chunks::from),
    };
    let chunks = chunks.ok_or_else(misread)?;
    Ok(with_array!(x, x => x.rechunk(chunks)))
}

fn joined(step: &CaseStep, arrays: &[&AnyArray]) -> Result<AnyArray, Refusal> {
    let new_axis = step.op == "stack";
    let ndim = arrays.first().map_or(0, |x| x.shape().len()) + usize::from(new_axis);
    let axis = axis_of(step.integer("axis")?.unwrap_or(0), ndim);
    join(arrays, axis, new_axis).ok_or_else(|| Refusal::types(&step.op, arrays))
}

/// Along an axis, or of all elements in C order.
fn roll(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let shift = step.required_integer("shift")? as isize;
    Ok(match step.integer("axis")? {
        None => with_array!(x, x => x.roll_flat(shift)),
        Some(axis) => with_array!(x, x => x.roll(shift, axis_of(axis, x.shape().len()))),
    })
}

/// Each element's distance to the next, `n` times.
fn diff(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let axis = axis_of(step.integer("axis")?.unwrap_or(-1), x.shape().len());
    let n = step.integer("n")?.unwrap_or(1);
    // Fewer differences than none cannot be written down in the API.
    let n = usize::try_from(n).map_err(|_| Refusal::Types(format!("diff does not take n {n}")))?;
    Ok(with_array!(x, x => x.diff(n, axis)))
}
