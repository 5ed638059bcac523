//! Writing a `.npy` file from many threads at once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use chunkwise_chunk::{Chunk, ChunkSink, DType, Region, Shape, SourceError};

use super::header::Header;
use crate::bounds::{check_chunk, check_region, checked_nbytes};
use crate::runs::Runs;
use crate::staged::Staged;
use crate::sync::{AtomicUsize, Ordering};

/// What [`Chunk::write_elements`] allocates.
const GATHERED: u64 = 128 << 10;

/// A `.npy` file that is being written: version 1.0, C order, the byte order of this machine.
///
/// Regions go straight to their place in a temporary file beside the final one, in parallel. `finish` writes
/// the file through to the disk and renames it: the final name holds the former file or the whole new one at
/// any moment, even when the process is killed. A sink dropped unfinished removes its temporary file; that of a
/// killed process has no name and is gone, or is removed by the next sink of the final name.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkSink, DType, Region, Scalar};
/// use chunkwise_storage::NpySink;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("x.npy");
/// let sink = NpySink::create(&path, DType::F32, &[2, 3]).unwrap();
/// sink.write(&Region::new(&[1, 0], &[1, 3]), &Chunk::filled(Scalar::F32(1.0), &[1, 3])).unwrap();
/// sink.write(&Region::new(&[0, 0], &[1, 3]), &Chunk::filled(Scalar::F32(0.0), &[1, 3])).unwrap();
/// assert!(!path.exists());
/// sink.finish().unwrap();
/// assert_eq!(std::fs::metadata(&path).unwrap().len(), 128 + 24);
/// ```
#[derive(Debug)]
pub struct NpySink {
    dtype: DType,
    shape: Shape,
    file: File,
    data_start: u64,
    /// Elements written so far.
    written: AtomicUsize,
    staged: Staged,
}

impl NpySink {
    /// Starts a file that will be `path`; a file of that name is replaced when this one is finished.
    ///
    /// # Errors
    /// When no file can be created in that folder, or the size overflows.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// use chunkwise_storage::NpySink;
    /// assert!(NpySink::create("no/such/folder/x.npy", DType::F32, &[2]).is_err());
    /// ```
    pub fn create(path: impl AsRef<Path>, dtype: DType, shape: &[usize]) -> Result<NpySink, SourceError> {
        let path = path.as_ref();
        let nbytes = checked_nbytes(dtype, shape)?;
        if path.is_dir() {
            return Err(SourceError::message(format!("npy {}: is a folder", path.display())));
        }
        let (staged, file) = Staged::file(path)?;
        let header = Header::render(dtype, shape);
        let data_start = header.len() as u64;
        write_all_at(&file, &header, 0)
            .and_then(|()| file.set_len(data_start.saturating_add(nbytes as u64)))
            .map_err(|e| SourceError::io(format!("npy {}: cannot be created", path.display()), e))?;
        Ok(NpySink { dtype, shape: shape.into(), file, data_start, written: AtomicUsize::new(0), staged })
    }

    fn check_open(&self) -> Result<(), SourceError> {
        if self.staged.is_published() {
            return Err(SourceError::message(format!("npy {}: is finished already", self.shown())));
        }
        Ok(())
    }

    fn shown(&self) -> std::path::Display<'_> {
        self.staged.target().display()
    }
}

impl ChunkSink for NpySink {
    /// A block that is not in C order is put in order a piece at a time; see [`Chunk::write_elements`].
    fn scratch(&self, region: &Region) -> u64 {
        if region.is_empty() { 0 } else { GATHERED }
    }

    fn write(&self, region: &Region, chunk: &Chunk) -> Result<(), SourceError> {
        self.check_open()?;
        check_region(region, &self.shape)?;
        check_chunk(region, chunk, self.dtype)?;
        let (itemsize, runs) = (self.dtype.itemsize(), Runs::new(&self.shape, region));
        let mut out =
            RunWriter { file: &self.file, data_start: self.data_start, itemsize, runs, at: 0, left: 0 };
        chunk
            .write_elements(&mut out)
            .map_err(|e| SourceError::io(format!("npy {}: cannot write region {region}", self.shown()), e))?;
        // Relaxed: the scheduler orders `finish` after all writes; the file needs no ordering of ours.
        self.written.fetch_add(region.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Writes the file through to the disk and gives it its name.
    ///
    /// # Errors
    /// When elements are missing or were written twice, or the file cannot be synced or renamed.
    fn finish(&self) -> Result<(), SourceError> {
        self.check_open()?;
        let (written, len) = (self.written.load(Ordering::Relaxed), Region::whole(&self.shape).len());
        if written != len {
            let shown = self.shown();
            return Err(SourceError::message(format!(
                "npy {shown}: {written} elements were written to an array of {len}; the file is not kept"
            )));
        }
        self.file
            .sync_all()
            .map_err(|e| SourceError::io(format!("npy {}: cannot be written through", self.shown()), e))?;
        self.staged.publish(|from, to| fs::rename(from, to))
    }
}

/// Bytes of a region in C order on their way to its runs in the file.
struct RunWriter<'a> {
    file: &'a File,
    data_start: u64,
    itemsize: usize,
    runs: Runs,
    /// Place in the file of what comes next, and bytes left of its run.
    at: u64,
    left: usize,
}

impl Write for RunWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            let Some(start) = self.runs.next() else { return Ok(0) };
            self.at = self.data_start + (start * self.itemsize) as u64;
            self.left = self.runs.run_len() * self.itemsize;
        }
        let len = bytes.len().min(self.left);
        write_all_at(self.file, &bytes[..len], self.at)?;
        self.at += len as u64;
        self.left -= len;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

/// Without positional writes the position of the file is shared, so one thread writes at a time.
#[cfg(not(unix))]
fn write_all_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    static POSITION: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _held = POSITION.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn unfinished_file_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let sink = NpySink::create(&path, DType::U8, &[4]).unwrap();
        sink.write(&Region::new(&[0], &[2]), &Chunk::zeros(DType::U8, &[2])).unwrap();
        let message = sink.finish().unwrap_err().to_string();
        assert!(message.contains("x.npy: 2 elements were written to an array of 4"), "{message}");
        drop(sink);
        assert!(files(folder.path()).is_empty());
    }

    #[test]
    fn former_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        fs::write(&path, "former").unwrap();
        let sink = NpySink::create(&path, DType::U8, &[1]).unwrap();
        sink.write(&Region::whole(&[1]), &Chunk::zeros(DType::U8, &[1])).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"former");
        sink.finish().unwrap();
        assert_eq!(files(folder.path()), ["x.npy"]);
        assert_eq!(fs::metadata(&path).unwrap().len(), 129);
        assert!(sink.finish().unwrap_err().to_string().contains("finished already"));
        assert!(sink.write(&Region::whole(&[1]), &Chunk::zeros(DType::U8, &[1])).is_err());
    }

    #[test]
    fn folder_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            NpySink::create(folder.path(), DType::U8, &[1]).unwrap_err().to_string().contains("is a folder")
        );
    }

    #[test]
    fn file_longer_than_any_disk_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let create =
            |dtype, len: usize| NpySink::create(folder.path().join("x.npy"), dtype, &[len]).map(|_| ());
        assert!(create(DType::F64, isize::MAX as usize / 8).unwrap_err().to_string().contains("x.npy"));
        assert!(create(DType::F64, isize::MAX as usize).unwrap_err().to_string().contains("address"));
        assert!(files(folder.path()).is_empty());
    }

    #[test]
    fn region_beyond_every_index_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let sink = NpySink::create(folder.path().join("x.npy"), DType::U8, &[4]).unwrap();
        for (start, len) in [(usize::MAX, 4), (usize::MAX, 1), (1, usize::MAX)] {
            let region = Region::new(&[start], &[len]);
            let message = sink.write(&region, &Chunk::zeros(DType::U8, &[4])).unwrap_err().to_string();
            assert!(message.contains(&region.to_string()), "{message}");
        }
    }

    #[test]
    fn write_is_charged_a_piece_of_its_block() {
        let folder = tempfile::tempdir().unwrap();
        let sink = NpySink::create(folder.path().join("x.npy"), DType::F64, &[4, 5]).unwrap();
        assert_eq!(sink.scratch(&Region::new(&[1, 0], &[2, 5])), GATHERED);
        assert_eq!(sink.scratch(&Region::new(&[1, 0], &[0, 5])), 0);
        assert_eq!(sink.scratch(&Region::whole(&[1 << 40, 1 << 40])), GATHERED);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn full_disk_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = NpySink::create(folder.path().join("x.npy"), DType::F64, &[3]).unwrap();
        sink.file = File::options().write(true).open("/dev/full").unwrap();
        let message =
            sink.write(&Region::whole(&[3]), &Chunk::zeros(DType::F64, &[3])).unwrap_err().to_string();
        assert!(message.contains("x.npy: cannot write region [0..3]"), "{message}");
        assert!(message.contains("No space left"), "{message}");
        assert!(sink.finish().is_err());
    }
}
