//! A Zarr array with its attributes: what it says of its elements, and the elements decoded accordingly.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, ChunkSource, DType, Element, Float, Packing};
use chunkwise_expr::{Expr, Op};
use chunkwise_storage::ZarrSource;
use ndarray::Dimension;

use super::here;
use super::io::{check_rank, typed};
use super::masked_expr::Masked;
use super::missing_packing::decoded;
use super::values_expr::Elementwise;
use crate::{Error, LazyArray, MaskedArray, Result};

/// A Zarr array that is open: its type, shape, attributes, and its elements as they are stored or as what they stand for.
///
/// [`open_zarr`](crate::open_zarr) is the short way to the stored elements, and `decoded()` from there to the values: this
/// type is for arrays whose element type is not known before, and for what attributes say.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::{ZarrArray, ZarrOptions};
/// let path = std::env::temp_dir().join(format!("chunkwise-doc-packed-{}.zarr", std::process::id()));
/// let attributes = r#"{"units": "K", "scale_factor": 0.5, "add_offset": 200.0, "_FillValue": -1}"#;
/// LazyArray::from_ndarray(ndarray::arr1(&[0_i16, 10, -1, 30]), 2)
///     .store_zarr_with(&path, ZarrOptions::default().attributes(attributes))?;
///
/// let array = ZarrArray::open(&path)?;
/// assert_eq!((array.dtype(), array.shape()), (DType::I16, &[4][..]));
/// assert_eq!(array.attribute("units"), Some("K".into()));
/// assert!(array.attributes().contains("scale_factor"));
/// assert_eq!(array.packing()?.scale, Some(0.5));
/// assert_eq!(array.stored::<i16, Ix1>()?.to_vec()?, [0, 10, -1, 30]);
/// let kelvin = array.decoded::<f64, Ix1>()?;
/// assert_eq!(kelvin.filled(0.0).compute()?, ndarray::arr1(&[200.0, 205.0, 0.0, 215.0]));
/// # std::fs::remove_dir_all(path).unwrap();
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone)]
pub struct ZarrArray(Arc<ZarrSource>);

impl fmt::Debug for ZarrArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZarrArray({} {}{:?})", self.0.name(), self.dtype(), self.shape())
    }
}

impl ZarrArray {
    /// Opens a Zarr array, version 2 or 3, sharded or not. The [example](ZarrArray) of the type shows this method and those
    /// below.
    ///
    /// # Errors
    /// When the array cannot be read.
    #[track_caller]
    pub fn open(path: impl AsRef<Path>) -> Result<ZarrArray> {
        let at = here();
        let source = ZarrSource::open(path).map_err(|err| Error::storage(err, at))?;
        Ok(ZarrArray(Arc::new(source)))
    }

    /// Type of the stored elements.
    pub fn dtype(&self) -> DType {
        self.0.dtype()
    }

    /// Length of every axis.
    pub fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    /// The chunks that can be decoded one by one.
    pub fn chunks(&self) -> ChunkGrid {
        self.0.native_chunks().unwrap_or_else(|| ChunkGrid::whole(self.0.shape()))
    }

    /// All attributes: the text of a JSON object.
    pub fn attributes(&self) -> String {
        self.0.attributes()
    }

    /// One attribute: a text as it is, anything else as JSON.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.0.attribute(name)
    }

    /// How the elements stand for values, as the attributes of the CF conventions say: `scale_factor`, `add_offset`,
    /// `_FillValue`, `missing_value`, `valid_min`, `valid_max`, `valid_range`, `_Unsigned`.
    ///
    /// # Errors
    /// When one of these attributes is of another kind than it must be.
    #[track_caller]
    pub fn packing(&self) -> Result<Packing> {
        let at = here();
        self.0.packing().map_err(|err| Error::storage(err, at))
    }

    /// The elements as they are stored.
    ///
    /// # Errors
    /// When they are of another type, or the array has another number of axes.
    #[track_caller]
    pub fn stored<T: Element, D: Dimension>(&self) -> Result<LazyArray<T, D>> {
        typed(Arc::clone(&self.0) as Arc<dyn ChunkSource>)
    }

    /// The values that the elements stand for, of whatever type these are, as [`packing`](ZarrArray::packing) says; see
    /// [`LazyArray::decoded_with`].
    ///
    /// # Errors
    /// When the array has another number of axes, or attributes that cannot be understood.
    #[track_caller]
    pub fn decoded<T: Float, D: Dimension>(&self) -> Result<MaskedArray<T, D>> {
        let (at, packing) = (here(), self.packing()?);
        check_rank::<D>(&*self.0)?;
        let stored = Expr::source("open", Arc::clone(&self.0) as Arc<dyn ChunkSource>, None, at);
        Ok(MaskedArray::wrap(decoded(&stored, &packing, T::DTYPE, Elementwise(at))))
    }
}

impl<S: Element, D: Dimension> LazyArray<S, D> {
    /// The values that the elements of a file stand for, as its attributes say: [`decoded_with`](LazyArray::decoded_with)
    /// the packing that the file has. The result is `f32` of stored `f32`, else `f64`; `decoded_with` makes other types.
    ///
    /// The array is one that [`open_zarr`](crate::open_zarr) gave, or parts of it: slices, transposes, reshapes and other
    /// blocks keep what elements stand for. An array that is computed, or comes from where there are no attributes, is an
    /// error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::{ZarrOptions, open_zarr};
    /// let path = std::env::temp_dir().join(format!("chunkwise-doc-decoded-{}.zarr", std::process::id()));
    /// let attributes = r#"{"scale_factor": 0.5, "add_offset": 200.0, "_FillValue": -1}"#;
    /// LazyArray::from_ndarray(ndarray::arr1(&[0_i16, 10, -1, 30]), 2)
    ///     .store_zarr_with(&path, ZarrOptions::default().attributes(attributes))?;
    ///
    /// let kelvin = open_zarr::<i16, Ix1>(&path)?.decoded();
    /// assert_eq!(kelvin.filled(0.0).compute()?, ndarray::arr1(&[200.0, 205.0, 0.0, 215.0]));
    /// assert!((open_zarr::<i16, Ix1>(&path)? + 1).decoded().check().is_err());
    /// # std::fs::remove_dir_all(path).unwrap();
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn decoded(&self) -> MaskedArray<S::Mean, D>
    where
        S::Mean: Float,
    {
        let make = Elementwise(here());
        MaskedArray::wrap(match own_packing(self.expr()) {
            Ok(packing) => decoded(self.expr(), &packing, S::Mean::DTYPE, make),
            Err(text) => Masked::invalid("decoded", text, make),
        })
    }
}

/// The packing of the source whose elements these are, unchanged.
fn own_packing(elements: &Expr) -> Result<Packing, String> {
    let mut expr = elements;
    while let Op::View(_) | Op::Reshape(_) | Op::Rechunk(_) = expr.op() {
        expr = &expr.node().inputs()[0];
    }
    let Op::Source(source) = expr.op() else {
        return match elements.error() {
            Some(_) => Ok(Packing::default()), // what cannot be built hands its own error on
            None => Err(format!("{} gives elements that are not stored; decode before it", expr.op().name())),
        };
    };
    match source.source().packing() {
        Ok(Some(packing)) => Ok(packing),
        Ok(None) => Err(format!("{} has no attributes; use decoded_with()", source.source().name())),
        Err(error) => Err(error.to_string()),
    }
}
