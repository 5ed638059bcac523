//! Writing a Zarr array.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chunkwise_chunk::{
    BlockIndex, Chunk, ChunkGrid, ChunkSink, DType, Element, Region, Scalar, Shape, SourceError, dispatch,
};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use zarrs::array::{Array, ArrayToBytesCodecTraits, Element as ZarrElement, IntoArrayBytes};

use super::metadata::{ZarrOptions, ZarrVersion};
use super::store::Files;
use super::{ROOT, codec_options, error, indices};
use crate::bounds::{check_chunk, checked_nbytes, saturating_nbytes};
use crate::claims::Claims;
use crate::staged::Staged;

/// A Zarr array that is being written, in a folder.
///
/// Each write is one whole chunk, or one whole shard: [`ChunkSink::write_grid`] says which. The files go into a
/// temporary folder beside the final one, which is renamed when it is finished: the final name holds the former
/// array or the whole new one, even when the process is killed; what is left then, the next sink of that name removes. (Files are not written through to the disk one
/// by one: after a power failure, chunks can be missing.) A sink dropped unfinished removes its folder.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, DType, Region, Scalar};
/// use chunkwise_storage::{ZarrOptions, ZarrSink};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("x.zarr");
/// let grid = ChunkGrid::regular(&[100], &[10]);
/// let options = ZarrOptions::default().shard(&[50]);
/// let sink = ZarrSink::create(&path, DType::U8, &grid, &options).unwrap();
/// assert_eq!(sink.write_grid(), Some(ChunkGrid::regular(&[100], &[50])));
/// for start in [0, 50] {
///     let half = Chunk::filled(Scalar::U8(1), &[50]);
///     sink.write(&Region::new(&[start], &[50]), &half).unwrap();
/// }
/// sink.finish().unwrap();
/// assert!(path.join("zarr.json").exists());
/// ```
#[derive(Debug)]
pub struct ZarrSink {
    dtype: DType,
    array: Array<Files>,
    /// The grid of the files.
    grid: ChunkGrid,
    /// Elements of a file: those at the ends of the array are filled up to this.
    stored: Shape,
    /// Bytes of a chunk, when the files are shards that hold several.
    inner_nbytes: u64,
    fill: Scalar,
    claims: Claims,
    staged: Staged,
}

impl ZarrSink {
    /// Starts an array that will be the folder `path`, cut as `grid`; a Zarr array of that name is replaced
    /// when this one is finished.
    ///
    /// # Errors
    /// When the grid is not regular, the shard is no multiple of the chunk, the options do not fit the type or
    /// version, `path` is there and is no Zarr array, or no folder can be created beside it.
    ///
    /// ```
    /// use chunkwise_chunk::{AxisChunks, ChunkGrid, DType};
    /// use chunkwise_storage::{ZarrOptions, ZarrSink};
    /// let odd = ChunkGrid::new([AxisChunks::explicit(9, &[2, 4, 3]).unwrap()]);
    /// let err = ZarrSink::create("x.zarr", DType::F32, &odd, &ZarrOptions::default()).unwrap_err();
    /// assert!(err.to_string().contains("chunks must be equal along each axis"));
    /// ```
    pub fn create(
        path: impl AsRef<Path>,
        dtype: DType,
        grid: &ChunkGrid,
        options: &ZarrOptions,
    ) -> Result<ZarrSink, SourceError> {
        let path = path.as_ref();
        check_replaceable(path)?;
        let chunk = chunk_shape(grid).map_err(|e| error(path, e))?;
        let stored = stored_shape(&chunk, options).map_err(|e| error(path, e))?;
        checked_nbytes(dtype, grid.shape())
            .and(checked_nbytes(dtype, &stored))
            .map_err(|e| error(path, e))?;
        let files = options.files(dtype, grid.shape(), &chunk).map_err(|e| error(path, e))?;
        let inner_nbytes = options.shard.as_ref().map_or(0, |_| saturating_nbytes(dtype, &chunk) as u64);
        let fill = options.fill_value(dtype)?;
        let grid = ChunkGrid::regular(grid.shape(), &stored);
        let claims = Claims::new(&grid)?;
        let staged = Staged::folder(path)?;
        for (name, content) in files {
            fs::write(staged.path().join(name), format!("{content:#}"))
                .map_err(|e| SourceError::io(format!("zarr {}: cannot write {name}", path.display()), e))?;
        }
        let array = Array::open(Arc::new(Files::new(staged.path())), ROOT).map_err(|e| error(path, e))?;
        Ok(ZarrSink { dtype, array, grid, stored, inner_nbytes, fill, claims, staged })
    }

    /// The bytes of one file, or `None` when it holds nothing but the fill value.
    fn encode<T: Element + ZarrElement>(&self, chunk: &Chunk) -> Result<Option<Vec<u8>>, SourceError> {
        let failed = |e: &dyn Display| error(self.staged.target(), e);
        let chunk = chunk.to_contiguous();
        let elements = self.padded::<T>(&chunk)?;
        let bytes = (&*elements).into_array_bytes(self.array.data_type()).map_err(|e| failed(&e))?;
        if bytes.is_fill_value(self.array.fill_value()) {
            return Ok(None);
        }
        let shape = self.array.chunk_shape(&vec![0; self.stored.len()]).map_err(|e| failed(&e))?;
        let (data_type, fill) = (self.array.data_type(), self.array.fill_value());
        let encoded = self.array.codecs().encode(bytes, &shape, data_type, fill, &codec_options());
        Ok(Some(encoded.map_err(|e| failed(&e))?.into_owned()))
    }

    /// The elements of a contiguous block, filled up to a whole file.
    fn padded<'a, T: Element>(&self, chunk: &'a Chunk) -> Result<Cow<'a, [T]>, SourceError> {
        let array = chunk.typed::<T>().map_err(|e| SourceError::message(e.to_string()))?;
        if let Some(elements) = array.as_slice().filter(|_| chunk.shape() == self.stored.as_slice()) {
            return Ok(Cow::Borrowed(elements));
        }
        let fill = T::of_scalar(self.fill).expect("the fill value is of the array's type");
        let mut whole = ArrayD::from_elem(IxDyn(&self.stored), fill);
        let mut window = whole.view_mut();
        for (axis, &len) in chunk.shape().iter().enumerate() {
            window.slice_axis_inplace(Axis(axis), Slice::from(0..len));
        }
        window.assign(array);
        Ok(Cow::Owned(whole.into_raw_vec_and_offset().0))
    }

    fn store(&self, index: &BlockIndex, bytes: Option<Vec<u8>>) -> io::Result<()> {
        let Some(bytes) = bytes else { return Ok(()) };
        let path = self.file(index);
        match fs::write(&path, &bytes) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().expect("a chunk lies in the array's folder"))?;
                fs::write(&path, &bytes)
            }
            done => done,
        }
    }

    fn file(&self, index: &BlockIndex) -> PathBuf {
        self.array.storage().path(&self.array.chunk_key(&indices(index)))
    }

    fn check_open(&self) -> Result<(), SourceError> {
        if self.staged.is_published() {
            return Err(error(self.staged.target(), "is finished already"));
        }
        Ok(())
    }
}

impl ChunkSink for ZarrSink {
    fn write_grid(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    /// A copy of the block in C order, one filled up to a whole file where it is shorter, and the encoded bytes,
    /// counted as the decoded ones; of a shard also one of its chunks, taken out and encoded.
    fn scratch(&self, region: &Region) -> u64 {
        if region.is_empty() {
            return 0;
        }
        let nbytes = |shape: &[usize]| saturating_nbytes(self.dtype, shape) as u64;
        let (own, encoded) = (nbytes(region.shape()), nbytes(&self.stored));
        let padded = if region.shape() == self.stored.as_slice() { 0 } else { encoded };
        let inner = self.inner_nbytes.saturating_mul(2);
        own.saturating_add(padded).saturating_add(encoded).saturating_add(inner)
    }

    fn write(&self, region: &Region, chunk: &Chunk) -> Result<(), SourceError> {
        self.check_open()?;
        check_chunk(region, chunk, self.dtype)?;
        let claim = self.claims.claim(region)?;
        if claim.is_empty() {
            return Ok(());
        }
        let bytes = dispatch!(self.dtype, T => self.encode::<T>(chunk))?;
        let index = self.grid.blocks_in(region).next().expect("the region is a block that is not empty");
        self.store(&index, bytes).map_err(|e| {
            let shown = self.staged.target().display();
            SourceError::io(format!("zarr {shown}: cannot write the chunk at {region}"), e)
        })?;
        claim.complete();
        Ok(())
    }

    fn finish(&self) -> Result<(), SourceError> {
        self.check_open()?;
        self.claims.check_complete().map_err(|e| error(self.staged.target(), e))?;
        self.staged.publish(replace)
    }
}

/// Checks that nothing but a Zarr array or an empty folder would be replaced.
fn check_replaceable(path: &Path) -> Result<(), SourceError> {
    let Ok(meta) = fs::symlink_metadata(path) else { return Ok(()) };
    let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if meta.is_dir() && (super::source::is_array(path) || is_empty()) {
        return Ok(());
    }
    Err(error(path, "is there and is no Zarr array; it is not replaced"))
}

fn chunk_shape(grid: &ChunkGrid) -> Result<Shape, String> {
    let chunk: Option<Shape> = grid.axes().iter().map(|axis| axis.regular_chunk()).collect();
    chunk.ok_or_else(|| {
        format!("chunks must be equal along each axis, those of {grid} are not; rechunk first")
    })
}

fn stored_shape(chunk: &Shape, options: &ZarrOptions) -> Result<Shape, String> {
    let Some(shard) = &options.shard else { return Ok(chunk.clone()) };
    if options.version == ZarrVersion::V2 {
        return Err("version 2 has no shards; use version 3".into());
    }
    let fits = |(s, c): (&usize, &usize)| *s > 0 && s % c == 0;
    if shard.len() != chunk.len() || !shard.iter().zip(chunk).all(fits) {
        return Err(format!("shard {shard:?} is no multiple of chunk {chunk:?} on every axis"));
    }
    Ok(shard.clone())
}

/// Puts a folder in the place of another, which gets its name if it is there.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(to).is_err() {
        return fs::rename(from, to);
    }
    exchange(from, to).or_else(|_| replace_in_two_steps(from, to))
}

/// Swaps two names at once, where the system and the file system can.
#[cfg(target_os = "linux")]
fn exchange(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Swaps two names one after the other: for a moment there is no array of the final name, but never a torn one.
fn replace_in_two_steps(from: &Path, to: &Path) -> io::Result<()> {
    // Under a name that no one removes: when the process is killed here, this is the only array there is.
    let mut aside = std::ffi::OsString::from(".");
    aside.push(to.file_name().unwrap_or_default());
    aside.push(format!(".former-{}", std::process::id()));
    let aside = to.with_file_name(aside);
    fs::rename(to, &aside)?;
    match fs::rename(from, to) {
        Ok(()) => fs::rename(&aside, from),
        Err(e) => fs::rename(&aside, to).and(Err(e)),
    }
}
