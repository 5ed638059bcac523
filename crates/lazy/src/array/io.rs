//! Arrays from files and into files.

use std::path::Path;
use std::sync::Arc;

use chunkwise_chunk::{ChunkError, ChunkSink, ChunkSource, DType, Element, SourceError};
use chunkwise_expr::Expr;
use chunkwise_storage::{NpySink, NpySource};
use ndarray::Dimension;

use super::here;
use crate::{Error, LazyArray, LazyDim, Plan, Result, Runtime};

/// Opens a `.npy` file; it is memory-mapped, and blocks are read when they are computed.
///
/// # Errors
/// When the file cannot be read, is no `.npy` file, or holds another element type or number of axes.
///
/// ```
/// use chunkwise::prelude::*;
/// let path = std::env::temp_dir().join(format!("chunkwise-doc-open-{}.npy", std::process::id()));
/// LazyArray::arange(0.0_f64, 6.0, 1.0, 4).reshape((2, 3)).store_npy(&path)?;
/// let x = chunkwise::open_npy::<f64, Ix2>(&path)?;
/// assert_eq!(x.sum().compute()?, 15.0);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[track_caller]
pub fn open_npy<T: Element, D: Dimension>(path: impl AsRef<Path>) -> Result<LazyArray<T, D>> {
    let at = here();
    let source = NpySource::open(path).map_err(|err| Error::storage(err, at))?;
    typed(Arc::new(source))
}

/// Opens a Zarr array, version 2 or 3, sharded or not; its blocks are those of the file. The elements are those that are
/// stored; [`decoded`](LazyArray::decoded) gives the values that they stand for, and [`ZarrArray`](crate::ZarrArray) has the
/// attributes.
///
/// # Errors
/// When the array cannot be read, or holds another element type or number of axes.
///
/// ```
/// use chunkwise::prelude::*;
/// let path = std::env::temp_dir().join(format!("chunkwise-doc-open-{}.zarr", std::process::id()));
/// LazyArray::arange(0.0_f64, 6.0, 1.0, 4).store_zarr(&path)?;
/// let x = chunkwise::open_zarr::<f64, Ix1>(&path)?;
/// assert_eq!((x.chunks().to_string(), x.sum().compute()?), ("(4,)".into(), 15.0));
/// # std::fs::remove_dir_all(path).unwrap();
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[cfg(feature = "zarr")]
#[track_caller]
pub fn open_zarr<T: Element, D: Dimension>(path: impl AsRef<Path>) -> Result<LazyArray<T, D>> {
    let at = here();
    let source = chunkwise_storage::ZarrSource::open(path).map_err(|err| Error::storage(err, at))?;
    typed(Arc::new(source))
}

/// The array of a source whose type and rank must be those of the caller.
#[track_caller]
pub(super) fn typed<T: Element, D: Dimension>(source: Arc<dyn ChunkSource>) -> Result<LazyArray<T, D>> {
    check_dtype(&*source, T::DTYPE)?;
    check_rank::<D>(&*source)?;
    Ok(LazyArray::wrap(Expr::source("open", source, None, here())))
}

#[track_caller]
pub(super) fn check_rank<D: Dimension>(source: &dyn ChunkSource) -> Result<()> {
    let Some(ndim) = D::NDIM.filter(|&ndim| ndim != source.shape().len()) else { return Ok(()) };
    let (name, shape) = (source.name(), source.shape());
    let text = format!("{name} has shape {shape:?}, which is not of {ndim} dimensions");
    Err(Error::storage(SourceError::message(text), here()))
}

#[track_caller]
fn check_dtype(source: &dyn ChunkSource, expected: DType) -> Result<()> {
    if source.dtype() == expected {
        return Ok(());
    }
    let err = ChunkError::DType { expected, found: source.dtype() };
    let found = source.dtype();
    let text = format!("{}: {err}; open it as {found} and convert with cast()", source.name());
    Err(Error::storage(SourceError::message(text), here()))
}

impl<T: Element, D: LazyDim> LazyArray<T, D> {
    /// Computes the array into a `.npy` file, block by block: the array is never in memory as a whole. The file
    /// appears under its name only when it is complete.
    ///
    /// # Errors
    /// As [`compute`](LazyArray::compute), and when the file cannot be written.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let path = std::env::temp_dir().join(format!("chunkwise-doc-store-{}.npy", std::process::id()));
    /// LazyArray::<f32, _>::ones((4, 4), 2).store_npy(&path)?;
    /// assert_eq!(chunkwise::open_npy::<f32, Ix2>(&path)?.sum().compute()?, 16.0);
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn store_npy(&self, path: impl AsRef<Path>) -> Result<()> {
        Runtime::global()?.store_npy(self, path)
    }
}

impl Runtime {
    /// [`LazyArray::store_npy`] on this runtime.
    ///
    /// # Errors
    /// As [`LazyArray::store_npy`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).build()?;
    /// let path = std::env::temp_dir().join(format!("chunkwise-doc-own-{}.npy", std::process::id()));
    /// rt.store_npy(&LazyArray::<f32, _>::ones((4, 4), 2), &path)?;
    /// assert_eq!(chunkwise::open_npy::<f32, Ix2>(&path)?.sum().compute()?, 16.0);
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn store_npy<T: Element, D>(&self, array: &LazyArray<T, D>, path: impl AsRef<Path>) -> Result<()> {
        self.store(array.expr(), npy_sink(array, path.as_ref())?)
    }

    /// The plan of [`store_npy`](Runtime::store_npy), without running it. The file is begun beside `path` and given up: what
    /// is there stays.
    ///
    /// # Errors
    /// When the expression cannot be built, does not fit into the memory limit, or no file can be created there.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).build()?;
    /// let x = LazyArray::<f64, _>::ones(1 << 20, 1 << 16);
    /// let path = std::env::temp_dir().join("chunkwise-doc-plan.npy");
    /// let (plan, without_file) = (rt.plan_store_npy(&x, &path)?, rt.plan_store(&x)?);
    /// // The buffer in which a file puts elements in order.
    /// assert_eq!(plan.peak_bytes() - without_file.peak_bytes(), 128 << 10);
    /// assert!(!path.exists());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn plan_store_npy<T: Element, D>(
        &self,
        array: &LazyArray<T, D>,
        path: impl AsRef<Path>,
    ) -> Result<Plan> {
        self.plan_into(array.expr(), npy_sink(array, path.as_ref())?)
    }
}

/// The file of an array that can be built.
#[track_caller]
fn npy_sink<T: Element, D>(array: &LazyArray<T, D>, path: &Path) -> Result<Arc<dyn ChunkSink>> {
    array.check()?;
    let sink = NpySink::create(path, T::DTYPE, array.shape());
    Ok(Arc::new(sink.map_err(|err| Error::storage(err, here()))?))
}

#[cfg(feature = "zarr")]
mod zarr {
    use chunkwise_chunk::{AxisChunks, ChunkGrid};
    use chunkwise_storage::ZarrSink;
    pub use chunkwise_storage::{ZarrOptions, ZarrVersion};

    use super::*;

    impl<T: Element, D: LazyDim> LazyArray<T, D> {
        /// Computes the array into a Zarr version 3 array (zstd), block by block: it is never in memory as a whole.
        /// Its chunks are this array's, made equal where they are not. It appears under its name, replacing what was
        /// there, only when it is complete.
        ///
        /// # Errors
        /// As [`compute`](LazyArray::compute), and when the array cannot be written.
        ///
        /// ```
        /// use chunkwise::prelude::*;
        /// let path = std::env::temp_dir().join(format!("chunkwise-doc-store-{}.zarr", std::process::id()));
        /// LazyArray::<f32, _>::ones((4, 4), 2).store_zarr(&path)?;
        /// assert_eq!(chunkwise::open_zarr::<f32, Ix2>(&path)?.sum().compute()?, 16.0);
        /// # std::fs::remove_dir_all(path).unwrap();
        /// # Ok::<(), chunkwise::Error>(())
        /// ```
        #[track_caller]
        pub fn store_zarr(&self, path: impl AsRef<Path>) -> Result<()> {
            self.store_zarr_with(path, ZarrOptions::default())
        }

        /// [`store_zarr`](LazyArray::store_zarr) with a choice of version, shards, fill value.
        ///
        /// # Errors
        /// As [`store_zarr`](LazyArray::store_zarr).
        ///
        /// ```
        /// use chunkwise::prelude::*;
        /// use chunkwise::ZarrOptions;
        /// let path = std::env::temp_dir().join(format!("chunkwise-doc-with-{}.zarr", std::process::id()));
        /// LazyArray::<f32, _>::ones((4, 4), 2).store_zarr_with(&path, ZarrOptions::default())?;
        /// assert_eq!(chunkwise::open_zarr::<f32, Ix2>(&path)?.sum().compute()?, 16.0);
        /// # std::fs::remove_dir_all(path).unwrap();
        /// # Ok::<(), chunkwise::Error>(())
        /// ```
        #[track_caller]
        pub fn store_zarr_with(&self, path: impl AsRef<Path>, options: ZarrOptions) -> Result<()> {
            Runtime::global()?.store_zarr_with(self, path, options)
        }
    }

    impl Runtime {
        /// [`LazyArray::store_zarr_with`] on this runtime.
        ///
        /// # Errors
        /// As [`LazyArray::store_zarr`].
        ///
        /// ```
        /// use chunkwise::prelude::*;
        /// use chunkwise::{ZarrOptions, ZarrVersion};
        /// let rt = Runtime::builder().threads(1).build()?;
        /// let path = std::env::temp_dir().join(format!("chunkwise-doc-v2-{}.zarr", std::process::id()));
        /// let ones = LazyArray::<f32, _>::ones((4, 4), 2);
        /// rt.store_zarr_with(&ones, &path, ZarrOptions::default().version(ZarrVersion::V2))?;
        /// assert!(path.join(".zarray").exists());
        /// # std::fs::remove_dir_all(path).unwrap();
        /// # Ok::<(), chunkwise::Error>(())
        /// ```
        #[track_caller]
        pub fn store_zarr_with<T: Element, D>(
            &self,
            array: &LazyArray<T, D>,
            path: impl AsRef<Path>,
            options: ZarrOptions,
        ) -> Result<()> {
            self.store(array.expr(), zarr_sink(array, path.as_ref(), &options)?)
        }

        /// The plan of [`store_zarr_with`](Runtime::store_zarr_with), without running it. The array is begun beside `path` and
        /// given up: what is there stays.
        ///
        /// # Errors
        /// When the expression cannot be built, does not fit into the memory limit, or no array can be created there.
        ///
        /// ```
        /// use chunkwise::prelude::*;
        /// use chunkwise::ZarrOptions;
        /// let rt = Runtime::builder().threads(1).build()?;
        /// let x = LazyArray::<f64, _>::ones(1 << 20, 1 << 16);
        /// let path = std::env::temp_dir().join("chunkwise-doc-plan.zarr");
        /// let plan = rt.plan_store_zarr_with(&x, &path, ZarrOptions::default())?;
        /// // A copy of a block of half a MiB in C order, and at most as many encoded bytes.
        /// assert_eq!(plan.peak_bytes() - rt.plan_store(&x)?.peak_bytes(), 1 << 20);
        /// assert!(!path.exists());
        /// # Ok::<(), chunkwise::Error>(())
        /// ```
        #[track_caller]
        pub fn plan_store_zarr_with<T: Element, D>(
            &self,
            array: &LazyArray<T, D>,
            path: impl AsRef<Path>,
            options: ZarrOptions,
        ) -> Result<Plan> {
            self.plan_into(array.expr(), zarr_sink(array, path.as_ref(), &options)?)
        }
    }

    /// The Zarr array of an array that can be built.
    #[track_caller]
    fn zarr_sink<T: Element, D>(
        array: &LazyArray<T, D>,
        path: &Path,
        options: &ZarrOptions,
    ) -> Result<Arc<dyn ChunkSink>> {
        array.check()?;
        let sink = ZarrSink::create(path, T::DTYPE, &regular(&array.chunks()), options);
        Ok(Arc::new(sink.map_err(|err| Error::storage(err, here()))?))
    }

    /// The grid with every axis cut into equal blocks: its own where they are, else of its longest block.
    fn regular(grid: &ChunkGrid) -> ChunkGrid {
        ChunkGrid::new(grid.axes().iter().map(|axis| {
            let chunk = axis.regular_chunk().unwrap_or_else(|| axis.max_chunk());
            AxisChunks::regular(axis.len(), chunk)
        }))
    }
}
#[cfg(feature = "zarr")]
pub use zarr::{ZarrOptions, ZarrVersion};
