//! NumPy's `.npy` files: one array after a short header.
//!
//! Versions 1.0, 2.0 and 3.0, either byte order, C and Fortran order, any shape. Structured and object types are
//! refused. The format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

mod header;
mod map;
mod sink;

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use chunkwise_chunk::{Chunk, ChunkSource, DType, ReadCost, Region, Shape, SourceError, dispatch};
use ndarray::{ArrayD, IxDyn};

use crate::bounds::check_region;
use crate::bytes::ByteForm;
use crate::runs::Runs;
use header::Header;
use map::{AROUND, MappedFile, WINDOW};

pub use sink::NpySink;

/// An array in a `.npy` file, mapped into memory: opening it reads the header only, and a read copies just
/// the region. While it runs it keeps 4 MiB of the file in memory, afterwards nothing.
///
/// The file must not be changed in place while it is open: reads would see the change, and a file made
/// shorter ends the process (`SIGBUS`) when the missing part is read. Replacing the file by renaming another
/// to its name, as [`NpySink`] does, is safe: this source keeps reading the old one.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkSink, ChunkSource, DType, Region};
/// use chunkwise_storage::{NpySink, NpySource};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("x.npy");
/// let sink = NpySink::create(&path, DType::I32, &[3]).unwrap();
/// let array = ndarray::arr1(&[5, 6, 7]).into_dyn();
/// sink.write(&Region::whole(&[3]), &Chunk::from_array(array)).unwrap();
/// sink.finish().unwrap();
///
/// let source = NpySource::open(&path).unwrap();
/// let last = source.read(&Region::new(&[2], &[1])).unwrap();
/// assert_eq!(last.to_array::<i32>().unwrap()[0], 7);
/// ```
pub struct NpySource {
    path: PathBuf,
    header: Header,
    map: MappedFile,
    /// Tells this state of the file from later ones.
    key: Option<String>,
}

impl NpySource {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When the file cannot be read, is not a `.npy` file, is shorter than its header promises, or holds
    /// elements of a type that arrays cannot have.
    ///
    /// ```
    /// use chunkwise_storage::NpySource;
    /// let err = NpySource::open("no/such.npy").unwrap_err().to_string();
    /// assert!(err.starts_with("npy no/such.npy: cannot be opened"));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<NpySource, SourceError> {
        let path = path.as_ref();
        let shown = path.display();
        let io = |e| SourceError::io(format!("npy {shown}: cannot be opened"), e);
        // Asked before opening: opening a pipe would wait for its writer.
        if !fs::metadata(path).map_err(io)?.is_file() {
            return Err(SourceError::message(format!("npy {shown}: is not a file")));
        }
        let file = File::open(path).map_err(io)?;
        let meta = file.metadata().map_err(io)?;
        let map = MappedFile::new(&file).map_err(io)?;
        let header = Header::parse(map.bytes())
            .map_err(|what| SourceError::message(format!("npy {shown}: {what}")))?;
        Ok(NpySource { path: path.into(), header, map, key: key(path, &meta) })
    }

    /// The file.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkSink, DType};
    /// # use chunkwise_storage::{NpySink, NpySource};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("x.npy");
    /// # NpySink::create(&path, DType::I32, &[0]).unwrap().finish().unwrap();
    /// assert_eq!(NpySource::open(&path).unwrap().path(), path);
    /// ```
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The elements of a region given in storage order.
    fn elements<T: ByteForm>(&self, stored: &[usize], region: &Region) -> Result<Vec<T>, SourceError> {
        let mut elements = Vec::new();
        elements.try_reserve_exact(region.len()).map_err(|_| {
            let (shown, n) = (self.path.display(), region.len());
            SourceError::message(format!("npy {shown}: no memory for region {region} of {n} elements"))
        })?;
        let runs = Runs::new(stored, region);
        let len = runs.run_len() * size_of::<T>();
        let mut reading = self.map.read();
        for start in runs {
            let at = self.header.data_start + start * size_of::<T>();
            let mut done = 0;
            while done < len {
                let bytes = reading.bytes(at + done, len - done);
                T::decode(bytes, self.header.order, &mut elements);
                done += bytes.len();
            }
        }
        Ok(elements)
    }

    /// The shape of the array and a region of it as they are stored: in Fortran order the file is the transposed array in
    /// C order.
    fn as_stored(&self, region: &Region) -> (Shape, Region) {
        let shape = &self.header.shape;
        if !self.header.fortran {
            return (shape.clone(), region.clone());
        }
        let flip = |axes: &[usize]| axes.iter().rev().copied().collect::<Shape>();
        (flip(shape), Region::new(&flip(region.start()), &flip(region.shape())))
    }

    /// A region of the array.
    fn array<T: ByteForm>(&self, region: &Region) -> Result<ArrayD<T>, SourceError> {
        let (stored, part) = self.as_stored(region);
        let elements = self.elements(&stored, &part)?;
        let array = ArrayD::from_shape_vec(IxDyn(part.shape()), elements)
            .expect("the runs of a region hold its elements");
        Ok(if self.header.fortran { array.reversed_axes() } else { array })
    }
}

impl ChunkSource for NpySource {
    fn dtype(&self) -> DType {
        self.header.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        format!("npy {}", name.to_string_lossy())
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Decode
    }

    fn key(&self) -> Option<String> {
        self.key.clone()
    }

    /// The pages of the file that a read keeps at a time.
    fn scratch(&self, region: &Region) -> u64 {
        if region.is_empty() {
            return 0;
        }
        let (stored, part) = self.as_stored(region);
        let run = Runs::new(&stored, &part).run_len();
        // The pages of a run, with those that the system maps around its ends.
        let pages = (run * self.dtype().itemsize()).next_multiple_of(AROUND) + AROUND;
        let touched = pages.saturating_mul(part.len() / run);
        touched.min(WINDOW).min(self.map.bytes().len()) as u64
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        check_region(region, self.shape())?;
        dispatch!(self.dtype(), T => self.array::<T>(region).map(Chunk::from_array))
    }
}

impl fmt::Debug for NpySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NpySource<{}>{:?} of {}", self.dtype(), self.shape(), self.path.display())
    }
}

/// The path with the time and length of the file: a file that was replaced since has another key.
fn key(path: &Path, meta: &fs::Metadata) -> Option<String> {
    let path = path.canonicalize().ok()?;
    Some(format!("npy {} {:?} {}", path.display(), meta.modified().ok()?, meta.len()))
}

#[cfg(test)]
mod tests;
