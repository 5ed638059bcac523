//! Python's slices in ndarray's words.

use ndarray::SliceInfoElem;
use serde_json::Value;

use super::Refusal;

const EVERYTHING: SliceInfoElem = SliceInfoElem::Slice { start: 0, end: None, step: 1 };

/// The slice of an array of this shape that Python's `x[slices]` means. What is out of range stays so.
pub(crate) fn slice_elems(slices: &[Value], shape: &[usize]) -> Result<Vec<SliceInfoElem>, Refusal> {
    let consumes = |value: &&Value| !matches!(value.as_str(), Some("newaxis" | "..."));
    let rest = shape.len().saturating_sub(slices.iter().filter(consumes).count());
    let mut elems = Vec::new();
    let mut axis = 0;
    let mut ellipsis = false;
    for value in slices {
        match value.as_str() {
            Some("newaxis") => elems.push(SliceInfoElem::NewAxis),
            Some("...") if !ellipsis => {
                ellipsis = true;
                elems.extend(std::iter::repeat_n(EVERYTHING, rest));
                axis += rest;
            }
            _ => {
                elems.push(one_axis(value, shape.get(axis).copied().unwrap_or(0))?);
                axis += 1;
            }
        }
    }
    if !ellipsis {
        elems.extend(std::iter::repeat_n(EVERYTHING, rest));
    }
    Ok(elems)
}

/// An index, or what Python's `slice` takes: `[stop]`, `[start, stop]` or `[start, stop, step]`.
fn one_axis(value: &Value, len: usize) -> Result<SliceInfoElem, Refusal> {
    let misread = || Refusal::malformed(format!("slices cannot hold {value}"));
    if let Some(index) = value.as_i64() {
        return Ok(SliceInfoElem::Index(index as isize));
    }
    let parts: Option<Vec<Option<i64>>> =
        value.as_array().map(|parts| parts.iter().map(Value::as_i64).collect());
    match parts.as_deref() {
        Some(&[stop]) => Ok(range(None, stop, 1, len as i64)),
        Some(&[start, stop]) => Ok(range(start, stop, 1, len as i64)),
        Some(&[start, stop, step]) => Ok(range(start, stop, step.unwrap_or(1), len as i64)),
        _ => Err(misread()),
    }
}

/// Python's `start:stop:step` on an axis of `len` elements.
///
/// A negative step in Python walks down from `start` and stops before `stop`; in ndarray it walks the range
/// `stop + 1..start + 1` from its end, which are the same elements.
fn range(start: Option<i64>, stop: Option<i64>, step: i64, len: i64) -> SliceInfoElem {
    let step_out = step as isize;
    if step >= 0 {
        return SliceInfoElem::Slice {
            start: start.unwrap_or(0) as isize,
            end: stop.map(|stop| stop as isize),
            step: step_out,
        };
    }
    let clamp = |i: i64| (if i < 0 { i + len } else { i }).clamp(-1, len - 1);
    let (start, stop) = (start.map_or(len - 1, clamp), stop.map_or(-1, clamp));
    SliceInfoElem::Slice { start: (stop + 1) as isize, end: Some((start + 1) as isize), step: step_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::View;

    /// The elements of 0..10 that a slice takes.
    fn taken(slice: &str) -> Vec<usize> {
        let value: Value = serde_json::from_str(slice).unwrap();
        let view = View::slice(&[10], &slice_elems(&[value], &[10]).unwrap()).unwrap();
        (0..view.shape()[0]).map(|i| view.source_index(&[i])[0]).collect()
    }

    #[test]
    fn python_slices_take_what_python_takes() {
        assert_eq!(taken("[null, null, -1]"), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
        assert_eq!(taken("[8, 1, -3]"), [8, 5, 2]);
        assert_eq!(taken("[-100, 2, null]"), [0, 1]);
        assert_eq!(taken("[5, 2, 1]"), [0usize; 0]);
        assert_eq!(taken("[20, null, 1]"), [0usize; 0]);
        assert_eq!(taken("[-1, -11, -1]"), taken("[null, null, -1]"));
        assert_eq!(taken("[null, null, -2]"), [9, 7, 5, 3, 1]);
        assert_eq!(taken("[2, null, 100]"), [2]);
        assert_eq!(taken("[2, 5, -1]"), [0usize; 0]);
        assert_eq!(taken("[100, 7, -1]"), [9, 8]);
        assert_eq!(taken("[-3, null, 2]"), [7, 9]);
        assert_eq!(taken("[0, 0, -2]"), [0usize; 0]);
        assert_eq!(taken("[-100, null, -1]"), [0usize; 0]);
        assert_eq!((taken("[2]"), taken("[8, null]"), taken("[null]").len()), (vec![0, 1], vec![8, 9], 10));
    }

    #[test]
    fn ellipsis_fills_the_middle_and_missing_axes_are_whole() {
        let slices: Vec<Value> = serde_json::from_str(r#"[1, "newaxis", "...", [null, null, -1]]"#).unwrap();
        let view = View::slice(&[2, 3, 4], &slice_elems(&slices, &[2, 3, 4]).unwrap()).unwrap();
        assert_eq!(view.shape(), [1, 3, 4]);
        let view = View::slice(&[2, 3], &slice_elems(&[Value::from(0)], &[2, 3]).unwrap()).unwrap();
        assert_eq!(view.shape(), [3]);
    }

    #[test]
    fn what_is_wrong_reaches_the_library() {
        let step_zero: Vec<Value> = serde_json::from_str("[[null, null, 0]]").unwrap();
        assert!(View::slice(&[10], &slice_elems(&step_zero, &[10]).unwrap()).is_err());
        assert!(View::slice(&[10], &slice_elems(&[Value::from(-11)], &[10]).unwrap()).is_err());
        assert!(slice_elems(&["...".into(), "...".into()], &[10]).is_err());
    }
}
