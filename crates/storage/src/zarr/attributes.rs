//! Attributes of an array: their texts, and the packing that they say.
//!
//! ```text
//! scale_factor add_offset        numbers
//! _FillValue missing_value       a number, or a list of them; "NaN", "Infinity", "-Infinity"; base64 of a double
//! valid_min valid_max            numbers
//! valid_range                    a list of two numbers
//! _Unsigned                      "true" or "false"
//! ```

use chunkwise_chunk::{Packing, Scalar, SourceError};
use serde_json::{Map, Value};
use zarrs::array::ArrayMetadata;

use super::{ZarrSource, error};

impl ZarrSource {
    /// An attribute of the array: a text as it is, anything else as JSON.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, ChunkSink, DType};
    /// # use chunkwise_storage::{ZarrOptions, ZarrSink, ZarrSource};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("x.zarr");
    /// let options = ZarrOptions::default().attributes(r#"{"units": "K", "levels": [850, 500]}"#);
    /// ZarrSink::create(&path, DType::I32, &ChunkGrid::whole(&[0]), &options).unwrap().finish().unwrap();
    /// let source = ZarrSource::open(&path).unwrap();
    /// assert_eq!(source.attribute("units"), Some("K".into()));
    /// assert_eq!(source.attribute("levels"), Some("[850,500]".into()));
    /// assert_eq!(source.attribute("source"), None);
    /// ```
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.array().attributes().get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// How the elements stand for values, as the attributes of the CF conventions say; see [`Packing`].
    ///
    /// Arrays of version 2 that xarray wrote, which have the attribute `_ARRAY_DIMENSIONS`, keep `_FillValue` as the fill
    /// value of the array; it is taken from there (xarray's "Zarr encoding specification").
    ///
    /// # Errors
    /// When one of these attributes is of another kind than it must be.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, ChunkSink, DType, Packing};
    /// # use chunkwise_storage::{ZarrOptions, ZarrSink, ZarrSource};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("x.zarr");
    /// let options = ZarrOptions::default().attributes(r#"{"scale_factor": 0.5, "_FillValue": -99}"#);
    /// ZarrSink::create(&path, DType::I16, &ChunkGrid::whole(&[0]), &options).unwrap().finish().unwrap();
    /// let packing = ZarrSource::open(&path).unwrap().packing().unwrap();
    /// assert_eq!(packing, Packing::default().scale_factor(0.5).missing_value(-99_i64));
    /// ```
    pub fn packing(&self) -> Result<Packing, SourceError> {
        let attributes = self.array().attributes();
        let packing = packing(attributes).map_err(|what| error(self.path(), what))?;
        let is_xarrays =
            attributes.contains_key("_ARRAY_DIMENSIONS") && !attributes.contains_key("_FillValue");
        let fill = match self.array().metadata() {
            ArrayMetadata::V2(metadata) if is_xarrays => serde_json::to_value(&metadata.fill_value).ok(),
            _ => None,
        };
        Ok(fill.as_ref().and_then(number).into_iter().fold(packing, Packing::missing_value))
    }
}

/// What the attributes say, or what is wrong with one of them.
fn packing(attributes: &Map<String, Value>) -> Result<Packing, String> {
    let list = |name: &str| match attributes.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => {
            numbers(value).ok_or_else(|| format!("its attribute {name} is {value}, which is no number"))
        }
    };
    let one = |name: &str| list(name).map(|numbers| numbers.first().copied());
    let unsigned = attributes.get("_Unsigned").is_some_and(|value| *value == "true" || *value == true);
    let mut packing = Packing::default().unsigned(unsigned);
    packing.scale = one("scale_factor")?.map(as_f64);
    packing.offset = one("add_offset")?.map(as_f64);
    packing.valid_min = one("valid_min")?;
    packing.valid_max = one("valid_max")?;
    match list("valid_range")?[..] {
        [] => {}
        [min, max] => packing = packing.valid_range(min, max),
        _ => return Err("its attribute valid_range is no list of two numbers".into()),
    }
    let missing = list("_FillValue")?.into_iter().chain(list("missing_value")?);
    Ok(missing.fold(packing, Packing::missing_value))
}

/// A number, or a list of them.
fn numbers(value: &Value) -> Option<Vec<Scalar>> {
    match value {
        Value::Array(values) => values.iter().map(number).collect(),
        value => number(value).map(|number| vec![number]),
    }
}

fn number(value: &Value) -> Option<Scalar> {
    match value {
        Value::Bool(x) => Some(Scalar::Bool(*x)),
        Value::Number(x) => {
            x.as_i64().map(Scalar::I64).or(x.as_u64().map(Scalar::U64)).or(x.as_f64().map(Scalar::F64))
        }
        // Rust reads "NaN", "Infinity" and "-Infinity" as floats, as JSON has no way to write them.
        Value::String(text) => text.parse().ok().or_else(|| base64_double(text)).map(Scalar::F64),
        _ => None,
    }
}

fn as_f64(x: Scalar) -> f64 {
    match x {
        Scalar::I64(x) => x as f64,
        Scalar::U64(x) => x as f64,
        Scalar::F64(x) => x,
        Scalar::Bool(x) => f64::from(u8::from(x)),
        other => unreachable!("no attribute is read as {other:?}"),
    }
}

/// The double whose eight bytes, the lowest first, are written in base64 (RFC 4648): how xarray writes the `_FillValue`
/// of floats.
fn base64_double(text: &str) -> Option<f64> {
    let digits = text.strip_suffix('=').filter(|digits| digits.len() == 11)?;
    let mut bits = 0_u128;
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u128::from(value);
    }
    // Eleven digits have 66 bits: the last two of them are no part of a byte.
    Some(f64::from_bits(((bits >> 2) as u64).swap_bytes()))
}

#[cfg(test)]
mod tests {
    use chunkwise_chunk::{ChunkGrid, ChunkSink, DType};

    use super::*;
    use crate::{ZarrOptions, ZarrSink, ZarrVersion};

    fn read(text: &str) -> Result<Packing, String> {
        packing(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap())
    }

    #[test]
    fn attributes_say_the_packing() {
        let text = r#"{"scale_factor": 2, "add_offset": -0.5, "_FillValue": -9, "missing_value": [-9, -8],
            "valid_min": 0, "_Unsigned": "true", "units": "K"}"#;
        let want = Packing::default().scale_factor(2.0).add_offset(-0.5).unsigned(true);
        let mut want = want.missing_value(-9_i64).missing_value(-8_i64);
        want.valid_min = Some(Scalar::I64(0));
        assert_eq!(read(text), Ok(want));
        assert_eq!(read("{}"), Ok(Packing::default()));
        assert_eq!(read(r#"{"valid_range": [1, 2]}"#), Ok(Packing::default().valid_range(1_i64, 2_i64)));
    }

    #[test]
    fn fill_values_that_json_cannot_write_are_texts() {
        for text in [r#"{"_FillValue": "NaN"}"#, r#"{"_FillValue": "AAAAAAAA+H8="}"#] {
            let missing = read(text).unwrap().missing;
            assert!(matches!(missing[..], [Scalar::F64(x)] if x.is_nan()), "{text}: {missing:?}");
        }
        assert_eq!(base64_double("AAAAAAAA8D8="), Some(1.0));
        assert_eq!(
            read(r#"{"missing_value": "-Infinity"}"#).unwrap().missing,
            [Scalar::F64(f64::NEG_INFINITY)]
        );
    }

    #[test]
    fn version_2_of_xarray_has_the_fill_value_of_the_array() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, attributes: &str| {
            let options =
                ZarrOptions::default().version(ZarrVersion::V2).fill(Scalar::I16(7)).attributes(attributes);
            let path = folder.path().join(name);
            ZarrSink::create(&path, DType::I16, &ChunkGrid::whole(&[0]), &options).unwrap().finish().unwrap();
            ZarrSource::open(&path).unwrap().packing().unwrap().missing
        };
        assert_eq!(written("plain", r#"{"scale_factor": 2}"#), []);
        assert_eq!(written("xarray", r#"{"_ARRAY_DIMENSIONS": ["x"]}"#), [Scalar::I64(7)]);
        assert_eq!(written("both", r#"{"_ARRAY_DIMENSIONS": ["x"], "_FillValue": 3}"#), [Scalar::I64(3)]);
    }

    #[test]
    fn attributes_of_another_kind_are_named() {
        let wrong = [r#"{"scale_factor": "red"}"#, r#"{"valid_range": [1]}"#, r#"{"_FillValue": {"a": 1}}"#];
        for text in wrong {
            let name = text.split('"').nth(1).unwrap();
            assert!(read(text).unwrap_err().contains(name), "{text}");
        }
    }
}
