//! The file format: cases as JSON, and what a step's parameters mean.

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::eval_cast;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Refusal;
use crate::PlainArray;
use crate::eager::number::{float, rounded_complex};

/// One case: a program, its inputs and what must come out.
///
/// ```
/// use chunkwise_testkit::conformance::Case;
/// let text = r#"{"id": "sum", "inputs": [{"dtype": "i64", "shape": [2], "data": [1, 2]}],
///     "steps": [{"op": "sum", "args": [0]}], "outputs": [1],
///     "expect": [{"dtype": "i64", "shape": [], "data": [3]}]}"#;
/// let case: Case = serde_json::from_str(text).unwrap();
/// assert_eq!(case.steps[0].op, "sum");
/// ```
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// Name of the case.
    pub id: String,
    /// Arrays the program starts with.
    pub inputs: Vec<CaseArray>,
    /// Operations, each on values before it.
    pub steps: Vec<CaseStep>,
    /// Which values are asked for: inputs count first, then steps.
    pub outputs: Vec<usize>,
    /// What they must be.
    #[serde(default)]
    pub expect: Vec<CaseArray>,
    /// True when the program must be an error.
    #[serde(default)]
    pub error: bool,
    /// Relative tolerance.
    #[serde(default)]
    pub rtol: f64,
    /// Absolute tolerance.
    #[serde(default)]
    pub atol: f64,
}

/// An array in a file.
///
/// ```
/// use chunkwise_testkit::conformance::CaseArray;
/// let x: CaseArray = serde_json::from_str(r#"{"dtype": "f64", "shape": [1], "data": ["NaN"]}"#).unwrap();
/// assert_eq!(x.shape, [1]);
/// ```
#[derive(Clone, Debug, Deserialize)]
pub struct CaseArray {
    /// Name of the element type; `index` stands for any integer type.
    pub dtype: String,
    /// Lengths of the axes.
    pub shape: Vec<usize>,
    /// Elements in C order: numbers, booleans, and `"NaN"`, `"inf"`, `"-inf"`, `"-0.0"`; complex numbers as pairs of them.
    pub data: Vec<Value>,
}

/// One operation of a program.
///
/// ```
/// use chunkwise_testkit::conformance::CaseStep;
/// let step: CaseStep = serde_json::from_str(r#"{"op": "flip", "args": [0], "axis": 1}"#).unwrap();
/// assert_eq!(step.params["axis"], 1);
/// ```
#[derive(Clone, Debug, Deserialize)]
pub struct CaseStep {
    /// Name of the operation.
    pub op: String,
    /// Which values it takes.
    pub args: Vec<usize>,
    /// Its other parameters.
    #[serde(flatten)]
    pub params: Map<String, Value>,
}

impl CaseArray {
    /// Type of the elements; `None` for `index`.
    pub(crate) fn element_type(&self) -> Result<Option<DType>, Refusal> {
        if self.dtype == "index" { Ok(None) } else { dtype_named(&self.dtype).map(Some) }
    }

    /// The array; `index` is read as `i64`.
    pub(crate) fn to_plain(&self) -> Result<PlainArray, Refusal> {
        let dtype = self.element_type()?.unwrap_or(DType::I64);
        let data = self.data.iter().map(|x| scalar(x, dtype)).collect::<Result<Vec<_>, _>>()?;
        if data.len() != self.shape.iter().product::<usize>() {
            return Err(Refusal::malformed(format!("{} elements for shape {:?}", data.len(), self.shape)));
        }
        Ok(PlainArray::new(dtype, &self.shape, data))
    }
}

/// The element type of this name.
pub(crate) fn dtype_named(name: &str) -> Result<DType, Refusal> {
    let found = super::elementwise::ALL_DTYPES.iter().copied().find(|dtype| dtype.name() == name);
    found.ok_or_else(|| Refusal::malformed(format!("no element type is named {name:?}")))
}

/// A number of a file as an element.
pub(crate) fn scalar(value: &Value, dtype: DType) -> Result<Scalar, Refusal> {
    if let Value::Array(both) = value {
        let part = |at: usize| both.get(at).map_or(Ok(0.0), |part| scalar(part, DType::F64).map(float));
        return match both.len() {
            2 if dtype.is_complex() => Ok(rounded_complex([part(0)?, part(1)?], dtype)),
            _ => Err(Refusal::malformed(format!("{value} is no element"))),
        };
    }
    let wide = match value {
        Value::Bool(x) => Some(Scalar::Bool(*x)),
        // serde_json reads "-0" as the integer zero; files write "-0.0".
        Value::Number(x) if dtype.is_float() || dtype.is_complex() => x.as_f64().map(Scalar::F64),
        Value::Number(x) => {
            x.as_i64().map(Scalar::I64).or(x.as_u64().map(Scalar::U64)).or(x.as_f64().map(Scalar::F64))
        }
        Value::String(text) => text.parse().ok().map(Scalar::F64),
        _ => None,
    };
    let wide = wide.ok_or_else(|| Refusal::malformed(format!("{value} is no element")))?;
    Ok(eval_cast(wide, dtype))
}

impl CaseStep {
    /// A parameter; `None` when it is absent or null.
    pub(crate) fn param(&self, name: &str) -> Option<&Value> {
        self.params.get(name).filter(|value| !value.is_null())
    }

    /// An integer that may be absent.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.param(name).map(|value| value.as_i64().ok_or_else(|| self.misread(name, value))).transpose()
    }

    /// An integer that must be there.
    pub(crate) fn required_integer(&self, name: &str) -> Result<i64, Refusal> {
        self.integer(name)?.ok_or_else(|| Refusal::malformed(format!("{} needs {name}", self.op)))
    }

    /// A list of integers, or one integer; `None` when it is absent.
    pub(crate) fn integers(&self, name: &str) -> Result<Option<Vec<i64>>, Refusal> {
        let Some(value) = self.param(name) else { return Ok(None) };
        let items = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        let numbers: Option<Vec<i64>> = items.iter().map(Value::as_i64).collect();
        numbers.map(Some).ok_or_else(|| self.misread(name, value))
    }

    /// A list of integers that must be there.
    pub(crate) fn required_integers(&self, name: &str) -> Result<Vec<i64>, Refusal> {
        self.integers(name)?.ok_or_else(|| Refusal::malformed(format!("{} needs {name}", self.op)))
    }

    /// A flag; false when absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        self.param(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| self.misread(name, value)))
    }

    /// A number; 0 when absent.
    pub(crate) fn number(&self, name: &str) -> Result<f64, Refusal> {
        self.param(name).map_or(Ok(0.0), |value| value.as_f64().ok_or_else(|| self.misread(name, value)))
    }

    pub(crate) fn misread(&self, name: &str, value: &Value) -> Refusal {
        Refusal::malformed(format!("{}: {name} cannot be {value}", self.op))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_bit() {
        let read = |text: &str, dtype| scalar(&serde_json::from_str(text).unwrap(), dtype).unwrap();
        assert_eq!(read("18446744073709551615", DType::U64), Scalar::U64(u64::MAX));
        assert_eq!(read("-9223372036854775808", DType::I64), Scalar::I64(i64::MIN));
        assert_eq!(read("\"-0.0\"", DType::F64), Scalar::F64(-0.0));
        assert_eq!(read("\"-inf\"", DType::F32), Scalar::F32(f32::NEG_INFINITY));
        assert!(matches!(read("\"NaN\"", DType::F64), Scalar::F64(x) if x.is_nan()));
        assert_eq!(read("2", DType::F64), Scalar::F64(2.0));
        let z = read("[\"inf\", -2]", DType::C64);
        assert_eq!(z, Scalar::C64(chunkwise_chunk::Complex::new(f32::INFINITY, -2.0)));
    }

    #[test]
    fn absent_null_and_wrong_parameters_differ() {
        let step: CaseStep =
            serde_json::from_str(r#"{"op": "sum", "args": [0], "axis": null, "k": "x"}"#).unwrap();
        assert!(matches!(step.integers("axis"), Ok(None)));
        assert!(matches!(step.flag("keepdims"), Ok(false)));
        assert!(step.integer("k").is_err());
        assert!(step.required_integer("axis").is_err());
    }
}
