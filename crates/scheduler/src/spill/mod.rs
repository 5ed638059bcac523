#![doc = include_str!("README.md")]

mod behind;
mod disk;
mod error;
mod extents;
#[cfg(all(test, not(loom)))]
mod faults;
mod header;
mod reader;
mod record;
mod space;
#[cfg(all(test, not(loom)))]
mod tests;
mod writer;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::SpillError;
pub use record::SpillRecord;

use self::behind::WriteBehind;
use self::disk::{Disk, RealDisk, SegmentFile, retry};
use self::extents::Extents;
use self::space::{FIRST_SEGMENT, PIECES, Space};
use self::writer::RecordWriter;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Files that hold what did not fit into memory. Cheap to clone; clones share files, limit and statistics.
///
/// ```
/// use chunkwise_scheduler::SpillStore;
///
/// let store = SpillStore::new(std::env::temp_dir(), Some(1 << 30));
/// let block = vec![1_u8; 1_000_000];
/// let record = store.write(|out| out.write_all(&block))?;
/// let mut back = vec![0_u8; 1_000_000];
/// record.read(|bytes| bytes.read_exact(&mut back))?;
/// assert_eq!(back, block);
/// # Ok::<(), chunkwise_scheduler::SpillError>(())
/// ```
#[derive(Clone)]
pub struct SpillStore {
    shared: Arc<Shared>,
}

/// What a [`SpillStore`] did.
///
/// ```
/// use chunkwise_scheduler::{SpillStats, SpillStore};
///
/// let store = SpillStore::new(std::env::temp_dir(), None);
/// assert_eq!(store.stats(), SpillStats::default());
/// drop(store.write(|out| out.write_all(&[0; 5000]))?);
/// let stats = store.stats();
/// assert_eq!((stats.on_disk, stats.most_on_disk, stats.written, stats.read), (0, 8192, 5000, 0));
/// # Ok::<(), chunkwise_scheduler::SpillError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpillStats {
    /// Bytes of disk in use now, in whole blocks of 4 KiB: records, those in the making, and freed places that the
    /// file system has not taken back.
    pub on_disk: u64,
    /// Most bytes of disk ever in use.
    pub most_on_disk: u64,
    /// Bytes of all values written.
    pub written: u64,
    /// Bytes of all values read back.
    pub read: u64,
}

impl SpillStore {
    /// A store in `directory` that has at most `limit` bytes on disk at once, 4 KiB blocks counted whole.
    ///
    /// Nothing happens on disk before the first write. That write creates the directory if it is missing, for the
    /// user alone, but not its parents: a file system that is not mounted is an error and not a full root disk.
    ///
    /// ```
    /// use chunkwise_scheduler::SpillStore;
    ///
    /// let store = SpillStore::new("/no/such/directory", None);
    /// assert_eq!(store.stats().on_disk, 0);
    /// assert!(store.write(|out| out.write_all(b"x")).is_err());
    /// ```
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, limit: Option<u64>) -> Self {
        Self::on_disk(Box::new(RealDisk), directory.into(), limit, FIRST_SEGMENT)
    }

    fn on_disk(disk: Box<dyn Disk>, directory: PathBuf, limit: Option<u64>, first_segment: u64) -> Self {
        let shared = Shared {
            directory,
            limit,
            disk,
            space: Mutex::new(Space::new(limit, first_segment)),
            hole: first_segment / PIECES,
            behind: WriteBehind::new(),
            records: AtomicU64::new(0),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Writes what `encode` writes. On any failure, a panic of `encode` included, nothing stays on disk.
    ///
    /// Slices of 64 KiB and more are written as they are; smaller ones are gathered first.
    ///
    /// ```
    /// use chunkwise_scheduler::SpillStore;
    ///
    /// let store = SpillStore::new(std::env::temp_dir(), None);
    /// let record = store.write(|out| {
    ///     out.write_all(&8_u64.to_le_bytes())?;
    ///     out.write_all(&[7; 8])
    /// })?;
    /// assert_eq!(record.nbytes(), 16);
    /// # Ok::<(), chunkwise_scheduler::SpillError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SpillError::Full`] at the limit, [`SpillError::Create`] and [`SpillError::Io`] from the operating system,
    /// [`SpillError::Encode`] with the error of `encode`. [`SpillError::is_full`] tells those that may pass.
    pub fn write(
        &self,
        encode: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<SpillRecord, SpillError> {
        let mut writer = RecordWriter::new(Extents::new(Arc::clone(&self.shared)));
        let encoded = encode(&mut writer);
        if let Some(failure) = writer.take_failure() {
            return Err(failure);
        }
        encoded.map_err(|source| SpillError::Encode { source })?;
        let (extents, header) = writer.finish(self.shared.records.fetch_add(1, Relaxed))?;
        self.shared.written.fetch_add(header.nbytes, Relaxed);
        Ok(SpillRecord::new(extents, header))
    }

    /// What was done so far.
    ///
    /// ```
    /// # use chunkwise_scheduler::SpillStore;
    /// let store = SpillStore::new(std::env::temp_dir(), None);
    /// let _record = store.write(|out| out.write_all(&[0; 100]))?;
    /// assert_eq!(store.stats().written, 100);
    /// # Ok::<(), chunkwise_scheduler::SpillError>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> SpillStats {
        let space = self.shared.space.lock();
        SpillStats {
            on_disk: space.on_disk(),
            most_on_disk: space.most_on_disk(),
            written: self.shared.written.load(Relaxed),
            read: self.shared.read.load(Relaxed),
        }
    }

    /// Where the files are.
    ///
    /// ```
    /// let store = chunkwise_scheduler::SpillStore::new("/var/tmp", None);
    /// assert_eq!(store.directory(), std::path::Path::new("/var/tmp"));
    /// ```
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// Whether the directory lies on a file system that is itself memory (tmpfs, ramfs, hugetlbfs), so that spilling
    /// frees nothing. Always false where the system cannot tell, which is anywhere but on Linux.
    ///
    /// ```
    /// let store = chunkwise_scheduler::SpillStore::new("/", None);
    /// println!("spilling to memory: {}", store.is_memory_backed()?);
    /// # Ok::<(), chunkwise_scheduler::SpillError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SpillError::Create`] if neither the directory nor its parent can be examined.
    pub fn is_memory_backed(&self) -> Result<bool, SpillError> {
        disk::is_memory_backed(self.directory()).map_err(|source| self.shared.create_error(source))
    }
}

/// In `/var/tmp`, which unlike `/tmp` is rarely memory, or else in the system's folder for temporary files; without a
/// limit.
impl Default for SpillStore {
    fn default() -> Self {
        let var_tmp = Path::new("/var/tmp");
        let directory = if var_tmp.is_dir() { var_tmp.to_path_buf() } else { std::env::temp_dir() };
        Self::new(directory, None)
    }
}

impl fmt::Debug for SpillStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpillStore")
            .field("directory", &self.shared.directory)
            .field("limit", &self.shared.limit)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// What the clones of a store and its records have in common.
struct Shared {
    directory: PathBuf,
    limit: Option<u64>,
    disk: Box<dyn Disk>,
    space: Mutex<Space<Arc<dyn SegmentFile>>>,
    /// Shorter places are not made holes: on ext4 a hole in a block just written was seen to take 2 ms.
    hole: u64,
    behind: WriteBehind,
    /// Number of the next record.
    records: AtomicU64,
    written: AtomicU64,
    read: AtomicU64,
}

impl Shared {
    /// A new segment.
    fn open(&self) -> Result<Arc<dyn SegmentFile>, SpillError> {
        retry(|| self.disk.open(&self.directory)).map_err(|source| self.create_error(source))
    }

    fn count_read(&self, nbytes: u64) {
        self.read.fetch_add(nbytes, Relaxed);
    }

    fn create_error(&self, source: io::Error) -> SpillError {
        SpillError::Create { directory: self.directory.clone(), source }
    }

    fn io_error(&self, operation: &'static str, bytes: u64, source: io::Error) -> SpillError {
        SpillError::Io { directory: self.directory.clone(), operation, bytes, source }
    }

    fn full(&self, bytes: u64, on_disk: u64) -> SpillError {
        let limit = self.limit.unwrap_or(u64::MAX);
        SpillError::Full { directory: self.directory.clone(), bytes, on_disk, limit }
    }
}
