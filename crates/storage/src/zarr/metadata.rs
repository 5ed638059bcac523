//! The metadata of an array that is written, and how it can be chosen.

use chunkwise_chunk::{DType, Scalar, Shape, SourceError};
use serde_json::{Value, json};
use zarrs::array::{DataType, data_type};

/// zstd's own default.
const DEFAULT_LEVEL: i32 = 3;

/// The version of the Zarr format.
///
/// ```
/// use chunkwise_storage::{ZarrOptions, ZarrVersion};
/// let options = ZarrOptions::default().version(ZarrVersion::V2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ZarrVersion {
    /// Zarr v2, for older readers: `.zarray`, no shards.
    V2,
    /// Zarr v3.
    #[default]
    V3,
}

/// How a Zarr array is written: v3, compressed by zstd, without shards, missing chunks read as zero.
///
/// ```
/// use chunkwise_chunk::Scalar;
/// use chunkwise_storage::ZarrOptions;
/// let options = ZarrOptions::default()
///     .shard(&[120, 37, 49])
///     .fill(Scalar::F32(f32::NAN))
///     .zstd_level(9)
///     .attributes(r#"{"units": "K"}"#);
/// ```
#[derive(Clone, Debug)]
pub struct ZarrOptions {
    pub(super) version: ZarrVersion,
    pub(super) shard: Option<Shape>,
    fill: Option<Scalar>,
    level: Option<i32>,
    attributes: Option<String>,
}

impl Default for ZarrOptions {
    fn default() -> ZarrOptions {
        let version = ZarrVersion::default();
        ZarrOptions { version, shard: None, fill: None, level: Some(DEFAULT_LEVEL), attributes: None }
    }
}

impl ZarrOptions {
    /// The version of the format.
    #[must_use]
    pub fn version(self, version: ZarrVersion) -> ZarrOptions {
        ZarrOptions { version, ..self }
    }

    /// Packs chunks into shards of this shape, one file each: every axis a multiple of the chunk's. The unit
    /// of writing is then the shard.
    #[must_use]
    pub fn shard(self, shape: &[usize]) -> ZarrOptions {
        ZarrOptions { shard: Some(shape.into()), ..self }
    }

    /// The value of chunks that are not stored; of the type of the array. Chunks that hold nothing else are
    /// not stored.
    #[must_use]
    pub fn fill(self, value: Scalar) -> ZarrOptions {
        ZarrOptions { fill: Some(value), ..self }
    }

    /// The level of zstd, from -131072 (fastest) to 22 (smallest); 3 when not set.
    #[must_use]
    pub fn zstd_level(self, level: i32) -> ZarrOptions {
        ZarrOptions { level: Some(level), ..self }
    }

    /// Chunks are stored as they are.
    #[must_use]
    pub fn uncompressed(self) -> ZarrOptions {
        ZarrOptions { level: None, ..self }
    }

    /// The attributes of the array: the text of a JSON object.
    #[must_use]
    pub fn attributes(self, json: impl Into<String>) -> ZarrOptions {
        ZarrOptions { attributes: Some(json.into()), ..self }
    }

    pub(super) fn fill_value(&self, dtype: DType) -> Result<Scalar, SourceError> {
        let fill = self.fill.unwrap_or(Scalar::zero(dtype));
        if fill.dtype() != dtype {
            let found = fill.dtype();
            let what = format!("the fill value {fill} is of type {found}, the array of type {dtype}");
            return Err(SourceError::message(what));
        }
        Ok(fill)
    }

    pub(super) fn attribute_object(&self) -> Result<Value, SourceError> {
        let text = self.attributes.as_deref().unwrap_or("{}");
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Ok(Value::Object(object)),
            Ok(_) => Err(SourceError::message("the attributes must be a JSON object")),
            Err(e) => Err(SourceError::message(format!("the attributes are no JSON: {e}"))),
        }
    }

    /// The metadata files of an array and what is in them.
    pub(super) fn files(
        &self,
        dtype: DType,
        shape: &[usize],
        chunk: &[usize],
    ) -> Result<Vec<(&'static str, Value)>, SourceError> {
        let (fill, attributes) = (fill_json(self.fill_value(dtype)?), self.attribute_object()?);
        Ok(match self.version {
            ZarrVersion::V2 => {
                vec![(".zattrs", attributes), (".zarray", self.array_v2(dtype, shape, chunk, &fill))]
            }
            ZarrVersion::V3 => {
                vec![("zarr.json", self.array_v3(dtype, shape, chunk, &fill, &attributes))]
            }
        })
    }

    fn array_v3(
        &self,
        dtype: DType,
        shape: &[usize],
        chunk: &[usize],
        fill: &Value,
        attributes: &Value,
    ) -> Value {
        let stored = self.shard.as_deref().unwrap_or(chunk);
        json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": shape,
            "data_type": name_v3(dtype),
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": stored}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": fill,
            "codecs": self.codecs_v3(chunk),
            "attributes": attributes,
        })
    }

    fn codecs_v3(&self, chunk: &[usize]) -> Value {
        let bytes = json!({"name": "bytes", "configuration": {"endian": "little"}});
        let mut codecs = vec![bytes.clone()];
        if let Some(level) = self.level {
            codecs.push(json!({"name": "zstd", "configuration": {"level": level, "checksum": false}}));
        }
        if self.shard.is_none() {
            return codecs.into();
        }
        json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": chunk,
            "codecs": codecs,
            "index_codecs": [bytes, {"name": "crc32c"}],
            "index_location": "end",
        }}])
    }

    fn array_v2(&self, dtype: DType, shape: &[usize], chunk: &[usize], fill: &Value) -> Value {
        json!({
            "zarr_format": 2,
            "shape": shape,
            "chunks": chunk,
            "dtype": name_v2(dtype),
            "compressor": self.level.map(|level| json!({"id": "zstd", "level": level})),
            "fill_value": fill,
            "order": "C",
            "filters": null,
            "dimension_separator": ".",
        })
    }
}

/// The names of one element type: here, in v3, in v2, and in zarrs.
type Names = (DType, &'static str, &'static str, fn() -> DataType);

const NAMES: [Names; 13] = [
    (DType::Bool, "bool", "|b1", data_type::bool),
    (DType::I8, "int8", "|i1", data_type::int8),
    (DType::I16, "int16", "<i2", data_type::int16),
    (DType::I32, "int32", "<i4", data_type::int32),
    (DType::I64, "int64", "<i8", data_type::int64),
    (DType::U8, "uint8", "|u1", data_type::uint8),
    (DType::U16, "uint16", "<u2", data_type::uint16),
    (DType::U32, "uint32", "<u4", data_type::uint32),
    (DType::U64, "uint64", "<u8", data_type::uint64),
    (DType::F32, "float32", "<f4", data_type::float32),
    (DType::F64, "float64", "<f8", data_type::float64),
    (DType::C64, "complex64", "<c8", data_type::complex64),
    (DType::C128, "complex128", "<c16", data_type::complex128),
];

/// The element type of an array, when there is one.
pub(super) fn dtype_of(found: &DataType) -> Option<DType> {
    NAMES.iter().find(|(_, _, _, make)| make() == *found).map(|names| names.0)
}

/// The element types that can be read, for messages.
pub(super) fn known_types() -> String {
    NAMES.map(|names| names.1).join(", ")
}

fn names(dtype: DType) -> &'static Names {
    NAMES.iter().find(|names| names.0 == dtype).expect("the table has every element type")
}

fn name_v3(dtype: DType) -> &'static str {
    names(dtype).1
}

fn name_v2(dtype: DType) -> &'static str {
    names(dtype).2
}

/// A fill value in JSON, where numbers that JSON lacks are words.
fn fill_json(fill: Scalar) -> Value {
    let float = |x: f64| match x {
        _ if x.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ => json!(x),
    };
    match fill {
        Scalar::Bool(x) => json!(x),
        Scalar::I8(x) => json!(x),
        Scalar::I16(x) => json!(x),
        Scalar::I32(x) => json!(x),
        Scalar::I64(x) => json!(x),
        Scalar::U8(x) => json!(x),
        Scalar::U16(x) => json!(x),
        Scalar::U32(x) => json!(x),
        Scalar::U64(x) => json!(x),
        Scalar::F32(x) => float(f64::from(x)),
        Scalar::F64(x) => float(x),
        Scalar::C64(x) => json!([float(x.re.into()), float(x.im.into())]),
        Scalar::C128(x) => json!([float(x.re), float(x.im)]),
    }
}
