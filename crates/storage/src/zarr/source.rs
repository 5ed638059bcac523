//! Reading a Zarr array.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chunkwise_chunk::{
    AxisChunks, Chunk, ChunkGrid, ChunkSource, DType, Element, Packing, ReadCost, Region, Shape, SourceError,
    dispatch,
};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use serde_json::Value;
use zarrs::array::{
    Array, ArrayBytes, ArrayPartialDecoderTraits, ArrayShardedExt, CodecOptions, ElementOwned, FromArrayBytes,
};

use super::metadata::{dtype_of, known_types};
use super::store::Files;
use super::{ROOT, codec_options, error, indices, subset};
use crate::bounds::{check_region, checked_nbytes, saturating_nbytes};
use crate::cache::{ChunkCache, SourceId};

/// Shards whose index is kept; an index has 16 bytes a chunk.
const MAX_DECODERS: usize = 256;

/// An array in a Zarr folder, version 2 or 3.
///
/// The unit of reading is the chunk, or the inner chunk where chunks are packed into shards. A region made of
/// whole chunks is decoded straight into its block; a chunk of which only a part is wanted is decoded once and
/// kept in [`ChunkCache::global`], for the neighbour that wants the rest. A block shares the memory of such a chunk
/// only when it is at least half of it, so it keeps no more than twice its own bytes. Chunks that are not stored
/// read as the fill value.
///
/// The array must not be changed while it is open: what was decoded before would still be read.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, ChunkSource, DType, Region};
/// use chunkwise_storage::{ZarrOptions, ZarrSink, ZarrSource};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("x.zarr");
/// let grid = ChunkGrid::regular(&[4], &[3]);
/// let sink = ZarrSink::create(&path, DType::I32, &grid, &ZarrOptions::default()).unwrap();
/// let array = Chunk::from_array(ndarray::arr1(&[1, 2, 3, 4]).into_dyn());
/// for block in grid.blocks() {
///     let region = grid.region(&block);
///     sink.write(&region, &array.part(&region)).unwrap();
/// }
/// sink.finish().unwrap();
///
/// let source = ZarrSource::open(&path).unwrap();
/// assert_eq!(source.native_chunks(), Some(grid));
/// let middle = source.read(&Region::new(&[1], &[3])).unwrap();
/// assert_eq!(middle.to_array::<i32>().unwrap(), ndarray::arr1(&[2, 3, 4]).into_dyn());
/// ```
pub struct ZarrSource {
    path: PathBuf,
    array: Array<Files>,
    dtype: DType,
    shape: Shape,
    /// The chunks that can be decoded one by one.
    grid: ChunkGrid,
    /// The files, when they hold several chunks each.
    shards: Option<ChunkGrid>,
    /// Bytes of the largest chunk when it is decoded; at the end of the array it may be longer than its region.
    chunk_nbytes: u64,
    /// The same of the files, when they are shards.
    shard_nbytes: Option<u64>,
    decoders: Decoders,
    options: CodecOptions,
    id: SourceId,
    key: Option<String>,
}

impl ZarrSource {
    /// Opens the array in a folder and reads its metadata.
    ///
    /// # Errors
    /// When the folder is no Zarr array, its metadata cannot be understood, or it holds elements of a type or
    /// uses a codec that cannot be read.
    ///
    /// ```
    /// use chunkwise_storage::ZarrSource;
    /// let err = ZarrSource::open("no/such.zarr").unwrap_err().to_string();
    /// assert!(err.starts_with("zarr no/such.zarr: cannot be opened"));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<ZarrSource, SourceError> {
        let path = path.as_ref();
        check_is_array(path)?;
        let array = Array::open(Arc::new(Files::new(path)), ROOT).map_err(|e| error(path, e))?;
        let dtype = dtype_of(array.data_type()).ok_or_else(|| {
            let (found, known) = (array.data_type(), known_types());
            error(path, format!("has elements of type {found}; known are {known}"))
        })?;
        let shape = sizes(array.shape(), path)?;
        checked_nbytes(dtype, &shape).map_err(|e| error(path, e))?;
        let (stored, longest) = stored_grid(&array, &shape, path)?;
        let inner = array.effective_subchunk_shape().filter(|_| array.is_sharded());
        let nbytes = |shape: &[usize]| saturating_nbytes(dtype, shape) as u64;
        let (grid, shards, chunk_nbytes, shard_nbytes) = match inner {
            Some(inner) => {
                let inner: Vec<u64> = inner.iter().map(|n| n.get()).collect();
                let inner = sizes(&inner, path)?;
                (ChunkGrid::regular(&shape, &inner), Some(stored), nbytes(&inner), Some(nbytes(&longest)))
            }
            None => (stored, None, nbytes(&longest), None),
        };
        checked_nbytes(dtype, &grid.max_chunk()).map_err(|e| error(path, e))?;
        Ok(ZarrSource {
            path: path.into(),
            key: key(path),
            array,
            dtype,
            shape,
            grid,
            shards,
            chunk_nbytes,
            shard_nbytes,
            decoders: Decoders::default(),
            options: codec_options(),
            id: SourceId::unique(),
        })
    }

    /// The folder.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, ChunkSink, DType};
    /// # use chunkwise_storage::{ZarrOptions, ZarrSink, ZarrSource};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("x.zarr");
    /// # let (grid, options) = (ChunkGrid::whole(&[0]), ZarrOptions::default());
    /// # ZarrSink::create(&path, DType::I32, &grid, &options).unwrap().finish().unwrap();
    /// assert_eq!(ZarrSource::open(&path).unwrap().path(), path);
    /// ```
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What zarrs knows of the array.
    pub(super) fn array(&self) -> &Array<Files> {
        &self.array
    }

    /// The attributes of the array: the text of a JSON object.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, ChunkSink, DType};
    /// # use chunkwise_storage::{ZarrOptions, ZarrSink, ZarrSource};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("x.zarr");
    /// let (grid, options) = (ChunkGrid::whole(&[0]), ZarrOptions::default().attributes(r#"{"units": "K"}"#));
    /// ZarrSink::create(&path, DType::I32, &grid, &options).unwrap().finish().unwrap();
    /// assert_eq!(ZarrSource::open(&path).unwrap().attributes(), r#"{"units":"K"}"#);
    /// ```
    pub fn attributes(&self) -> String {
        Value::Object(self.array.attributes().clone()).to_string()
    }

    /// The grid of the files, when they are shards that hold several chunks each: the unit that is best read
    /// by one task.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, ChunkSink, DType};
    /// # use chunkwise_storage::{ZarrOptions, ZarrSink, ZarrSource};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("x.zarr");
    /// let (grid, options) = (ChunkGrid::regular(&[0, 9], &[1, 3]), ZarrOptions::default().shard(&[1, 6]));
    /// ZarrSink::create(&path, DType::I32, &grid, &options).unwrap().finish().unwrap();
    /// assert_eq!(ZarrSource::open(&path).unwrap().shards(), Some(ChunkGrid::regular(&[0, 9], &[1, 6])));
    /// ```
    pub fn shards(&self) -> Option<ChunkGrid> {
        self.shards.clone()
    }

    /// Decodes a region by zarrs' own way, which decodes into place where the region holds whole chunks.
    fn decode<T: Element + ElementOwned>(&self, region: &Region) -> Result<Chunk, SourceError> {
        let elements: Vec<T> = self
            .array
            .retrieve_array_subset_opt(&subset(region), &self.options)
            .map_err(|e| self.error_at(region, e))?;
        self.block(region, elements)
    }

    /// Decodes one chunk out of its shard, whose index is read once.
    fn decode_inner<T: Element + ElementOwned>(
        &self,
        shards: &ChunkGrid,
        region: &Region,
    ) -> Result<Chunk, SourceError> {
        let shard = shards.blocks_in(region).next().expect("a chunk is not empty and lies in a shard");
        let decoder = self.decoders.get(shards.linear(&shard), || {
            let decoder = self.array.partial_decoder_opt(&indices(&shard), &self.options);
            decoder.map_err(|e| self.error_at(region, e))
        })?;
        let part = subset(&region.relative_to(&shards.region(&shard)));
        let bytes: ArrayBytes<'static> =
            decoder.partial_decode(&part, &self.options).map_err(|e| self.error_at(region, e))?.into_owned();
        let elements = Vec::<T>::from_array_bytes(bytes, &indices(region.shape()), self.array.data_type())
            .map_err(|e| self.error_at(region, e))?;
        self.block(region, elements)
    }

    fn block<T: Element>(&self, region: &Region, elements: Vec<T>) -> Result<Chunk, SourceError> {
        ArrayD::from_shape_vec(IxDyn(region.shape()), elements)
            .map(Chunk::from_array)
            .map_err(|e| self.error_at(region, e))
    }

    /// Decodes one chunk.
    fn decode_chunk(&self, region: &Region) -> Result<Chunk, SourceError> {
        match &self.shards {
            Some(shards) => dispatch!(self.dtype, T => self.decode_inner::<T>(shards, region)),
            None => dispatch!(self.dtype, T => self.decode::<T>(region)),
        }
    }

    /// The part of a region that lies in one chunk. A chunk that is wanted in part goes through the cache, and
    /// the part shares its memory.
    fn part(&self, index: &[usize], region: &Region) -> Result<(Region, Chunk), SourceError> {
        let chunk = self.grid.region(index);
        let common = chunk.intersect(region);
        let part = if common == chunk {
            self.decode_chunk(&chunk)?
        } else {
            let linear = self.grid.linear(index);
            let whole = ChunkCache::global().get_or_decode(self.id, linear, || self.decode_chunk(&chunk))?;
            whole.part(&common.relative_to(&chunk))
        };
        Ok((common.relative_to(region), part))
    }

    /// A region inside one chunk. A part smaller than half the chunk is copied: it would keep the memory of the
    /// chunk after the cache has dropped it.
    fn in_one_chunk(&self, index: &[usize], region: &Region) -> Result<Chunk, SourceError> {
        let (_, part) = self.part(index, region)?;
        let is_small = region.len() < self.grid.region(index).len().div_ceil(2);
        Ok(if is_small { part.to_owned_copy() } else { part })
    }

    /// A region of several chunks, put together chunk by chunk, so that no more than one is held beside it.
    fn assemble<T: Element>(&self, region: &Region) -> Result<Chunk, SourceError> {
        let mut whole = ArrayD::<T>::default(IxDyn(region.shape()));
        for index in self.grid.blocks_in(region) {
            let (at, part) = self.part(&index, region)?;
            let mut window = whole.view_mut();
            for axis in 0..at.ndim() {
                window.slice_axis_inplace(Axis(axis), Slice::from(at.start()[axis]..at.end(axis)));
            }
            window.assign(part.typed::<T>().map_err(|e| self.error_at(region, e))?);
        }
        Ok(Chunk::from_array(whole))
    }

    /// True when every chunk of the region is wanted whole.
    fn is_whole_chunks(&self, region: &Region) -> bool {
        self.grid.axes().iter().enumerate().all(|(a, axis)| {
            let blocks = axis.blocks_in(region.start()[a]..region.end(a));
            !blocks.is_empty()
                && axis.range(blocks.start).start == region.start()[a]
                && axis.range(blocks.end - 1).end == region.end(a)
        })
    }

    fn error_at(&self, region: &Region, what: impl fmt::Display) -> SourceError {
        error(&self.path, format!("region {region}: {what}"))
    }
}

impl ChunkSource for ZarrSource {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        format!("zarr {}", name.to_string_lossy())
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Decode
    }

    fn native_chunks(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    fn key(&self) -> Option<String> {
        self.key.clone()
    }

    fn packing(&self) -> Result<Option<Packing>, SourceError> {
        ZarrSource::packing(self).map(Some)
    }

    /// The encoded bytes, counted as the decoded ones, and the decoded chunk unless it is the block itself. Several
    /// whole chunks are decoded into one buffer of bytes, from which the elements are copied.
    ///
    /// Chunks that stay in the cache are counted by [`ChunkCache::nbytes`]; here only the one being decoded.
    fn scratch(&self, region: &Region) -> u64 {
        if region.is_empty() || check_region(region, &self.shape).is_err() {
            return 0;
        }
        let (own, chunk) = (saturating_nbytes(self.dtype, region.shape()) as u64, self.chunk_nbytes);
        // Out of a shard, zarrs holds a chunk encoded twice and decoded twice.
        let copies = if self.shards.is_some() { 4 } else { 2 };
        let one = chunk.saturating_mul(copies);
        let is_one = self.grid.blocks_in(region).nth(1).is_none();
        if is_one && own == chunk {
            return one - chunk;
        }
        if is_one || !self.is_whole_chunks(region) {
            return one;
        }
        own.max(one.saturating_add(self.shard_nbytes.map_or(0, |shard| shard.min(own))))
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        check_region(region, &self.shape)?;
        if region.is_empty() {
            return Ok(Chunk::zeros(self.dtype, region.shape()));
        }
        let mut indices = self.grid.blocks_in(region);
        if let (Some(index), None) = (indices.next(), indices.next()) {
            return self.in_one_chunk(&index, region);
        }
        if self.is_whole_chunks(region) {
            return dispatch!(self.dtype, T => self.decode::<T>(region));
        }
        dispatch!(self.dtype, T => self.assemble::<T>(region))
    }
}

impl Drop for ZarrSource {
    fn drop(&mut self) {
        ChunkCache::global().forget(self.id);
    }
}

impl fmt::Debug for ZarrSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dtype, shape, grid) = (self.dtype, self.shape(), &self.grid);
        write!(f, "ZarrSource<{dtype}>{shape:?} in {grid} of {}", self.path.display())
    }
}

type Decoder = Arc<dyn ArrayPartialDecoderTraits>;

/// What is needed to read single chunks of the shards that were read last.
#[derive(Default)]
struct Decoders(crate::sync::Mutex<HashMap<usize, Decoder>>);

impl Decoders {
    /// The decoder of a shard. The lock is not held while `make` reads the shard's index; two threads may
    /// read the same one, to the same end.
    fn get(
        &self,
        shard: usize,
        make: impl FnOnce() -> Result<Decoder, SourceError>,
    ) -> Result<Decoder, SourceError> {
        if let Some(decoder) = self.0.lock().get(&shard) {
            return Ok(Arc::clone(decoder));
        }
        let decoder = make()?;
        let mut decoders = self.0.lock();
        if decoders.len() >= MAX_DECODERS {
            decoders.clear();
        }
        decoders.insert(shard, Arc::clone(&decoder));
        Ok(decoder)
    }
}

/// Checks that a folder is a Zarr array, and says what it is instead.
fn check_is_array(path: &Path) -> Result<(), SourceError> {
    let meta = fs::metadata(path)
        .map_err(|e| SourceError::io(format!("zarr {}: cannot be opened", path.display()), e))?;
    if !meta.is_dir() {
        return Err(error(path, "is not a folder"));
    }
    if let Ok(text) = fs::read(path.join("zarr.json")) {
        let node: Value = serde_json::from_slice(&text)
            .map_err(|e| error(path, format!("its zarr.json is no JSON: {e}")))?;
        return match node["node_type"].as_str() {
            Some("array") => Ok(()),
            Some("group") => Err(group(path)),
            _ => Err(error(path, "its zarr.json has no node_type \"array\"")),
        };
    }
    if path.join(".zarray").exists() {
        return Ok(());
    }
    if path.join(".zgroup").exists() {
        return Err(group(path));
    }
    Err(error(path, "is no Zarr array: it has neither zarr.json nor .zarray"))
}

/// True when a folder is a Zarr array.
pub(super) fn is_array(path: &Path) -> bool {
    check_is_array(path).is_ok()
}

/// The error of opening a group, which names what could be opened instead.
fn group(path: &Path) -> SourceError {
    let children = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = children
        .filter(|child| is_array(&child.path()))
        .map(|child| child.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names.truncate(8);
    error(path, format!("is a Zarr group; open one of its arrays: {}", names.join(", ")))
}

/// The grid of the files, any that is a product of cuts of the axes, and their longest length along each axis,
/// which may be that of a last one that reaches beyond the array.
fn stored_grid(
    array: &Array<Files>,
    shape: &[usize],
    path: &Path,
) -> Result<(ChunkGrid, Shape), SourceError> {
    let counts = sizes(array.chunk_grid_shape(), path)?;
    let (mut axes, mut longest) = (Vec::new(), Shape::new());
    for (axis, &len) in shape.iter().enumerate() {
        let chunk = |i: usize| {
            let mut index = vec![0u64; shape.len()];
            index[axis] = i as u64;
            let chunk = array.chunk_shape_usize(&index).map_err(|e| error(path, e))?;
            Ok::<usize, SourceError>(chunk[axis])
        };
        let regular = array.chunk_grid().metadata().name() == "regular";
        axes.push(if regular || counts[axis] <= 1 {
            let stored = if len == 0 { 1 } else { chunk(0)? };
            longest.push(stored);
            AxisChunks::regular(len, stored)
        } else {
            let mut sizes = (0..counts[axis]).map(chunk).collect::<Result<Vec<usize>, _>>()?;
            longest.push(sizes.iter().copied().max().expect("there are several"));
            // The last chunk may reach beyond the array.
            let before = sizes[..sizes.len() - 1].iter().fold(0, |sum: usize, &n| sum.saturating_add(n));
            *sizes.last_mut().expect("there are several") = len.saturating_sub(before);
            AxisChunks::explicit(len, &sizes).map_err(|e| error(path, e))?
        });
    }
    Ok((ChunkGrid::new(axes), longest))
}

fn sizes(lens: &[u64], path: &Path) -> Result<Shape, SourceError> {
    let too_long = |_| error(path, format!("shape {lens:?} is more than this machine can address"));
    lens.iter().map(|&n| usize::try_from(n).map_err(too_long)).collect()
}

/// The path with the time of the metadata: an array that was replaced since has another key.
fn key(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let meta = fs::metadata(path.join("zarr.json")).or_else(|_| fs::metadata(path.join(".zarray"))).ok()?;
    Some(format!("zarr {} {:?}", path.display(), meta.modified().ok()?))
}
