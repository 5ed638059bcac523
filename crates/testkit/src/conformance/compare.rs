//! Whether a result is the one a case expects.

use chunkwise_chunk::Scalar;

use super::Refusal;
use super::case::{Case, CaseArray};
use crate::PlainArray;
use crate::eager::number::{float, integer, magnitude, parts};

/// Elements shown of an array in a report.
const SHOWN: usize = 8;

/// A result that differs, in words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) got: String,
    pub(crate) want: String,
}

/// Compares results with what a case expects.
pub(crate) fn compare(case: &Case, got: &[PlainArray]) -> Result<Option<Difference>, Refusal> {
    if got.len() != case.expect.len() {
        let text = format!("{} outputs are asked for, {} are expected", got.len(), case.expect.len());
        return Err(Refusal::malformed(text));
    }
    for (got, want) in got.iter().zip(&case.expect) {
        if let Some(difference) = compare_array(got, want, case.rtol, case.atol)? {
            return Ok(Some(difference));
        }
    }
    Ok(None)
}

fn compare_array(
    got: &PlainArray,
    want: &CaseArray,
    rtol: f64,
    atol: f64,
) -> Result<Option<Difference>, Refusal> {
    let fits = match want.element_type()? {
        Some(dtype) => got.dtype() == dtype,
        None => got.dtype().is_integer(),
    };
    let values = want.to_plain()?;
    if !fits || got.shape() != values.shape() {
        let want = format!("{}{}", want.dtype, shown(&values, 0));
        return Ok(Some(Difference { got: format!("{}{}", got.dtype(), shown(got, 0)), want }));
    }
    let pairs = got.data().iter().zip(values.data());
    let wrong = pairs.enumerate().find(|&(_, (&got, &want))| !close(got, want, rtol, atol));
    Ok(wrong.map(|(at, _)| Difference { got: shown(got, at), want: shown(&values, at) }))
}

/// The format's rule: `|got - want| <= atol + rtol * |want|`, NaN equals NaN, and without tolerance zeros
/// have a sign.
fn close(got: Scalar, want: Scalar, rtol: f64, atol: f64) -> bool {
    let exact = rtol == 0.0 && atol == 0.0;
    if want.dtype().is_complex() {
        // Each part may be as far as the whole allows.
        let atol = if magnitude(want).is_finite() { atol + rtol * magnitude(want) } else { atol };
        let pairs = parts(got).into_iter().zip(parts(want));
        return pairs.into_iter().all(|(got, want)| close(Scalar::F64(got), Scalar::F64(want), rtol, atol));
    }
    let (x, y) = (float(got), float(want));
    if let (Some(got), Some(want)) = (integer(got), integer(want)) {
        // The distance of integers is exact where their nearest floats are not.
        return got == want || (got - want).unsigned_abs() as f64 <= atol + rtol * y.abs();
    }
    if x.is_nan() || y.is_nan() {
        return x.is_nan() && y.is_nan();
    }
    if exact {
        return x == y && (x != 0.0 || x.is_sign_negative() == y.is_sign_negative());
    }
    x == y || (x - y).abs() <= atol + rtol * y.abs()
}

/// Shape and some elements, from `start` on.
fn shown(array: &PlainArray, start: usize) -> String {
    let data = array.data();
    let elements: Vec<String> = data.iter().skip(start).take(SHOWN).map(Scalar::to_string).collect();
    let before = if start > 0 { format!("from element {start}: ") } else { String::new() };
    let after = if data.len() > start + SHOWN { ", .." } else { "" };
    format!("{:?} {before}[{}{after}]", array.shape(), elements.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tolerance_zeros_have_a_sign() {
        let (zero, minus) = (Scalar::F64(0.0), Scalar::F64(-0.0));
        assert!(!close(zero, minus, 0.0, 0.0));
        assert!(close(minus, minus, 0.0, 0.0));
        assert!(close(zero, minus, 1e-9, 0.0));
    }

    #[test]
    fn tolerance_is_relative_to_what_is_wanted() {
        assert!(close(Scalar::F64(100.1), Scalar::F64(100.0), 1e-3, 1e-9));
        assert!(!close(Scalar::F64(100.2), Scalar::F64(100.0), 1e-3, 1e-9));
        assert!(close(Scalar::F64(f64::INFINITY), Scalar::F64(f64::INFINITY), 1e-3, 0.0));
        assert!(!close(Scalar::F64(1.0), Scalar::F64(f64::NAN), 1e-3, 1.0));
        let (max, below) = (Scalar::I64(i64::MAX), Scalar::I64(i64::MAX - 1));
        assert!(!close(max, below, 0.0, 0.0));
    }

    #[test]
    fn index_is_any_integer_type_and_no_other() {
        let want: CaseArray =
            serde_json::from_str(r#"{"dtype": "index", "shape": [1], "data": [3]}"#).unwrap();
        let compare = |got: &PlainArray| compare_array(got, &want, 0.0, 0.0).unwrap().is_none();
        assert!(compare(&PlainArray::of(&[1], &[3u32])));
        assert!(!compare(&PlainArray::of(&[1], &[3.0])));
        assert!(!compare(&PlainArray::of(&[], &[3i64])));
    }
}
