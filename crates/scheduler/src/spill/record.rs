//! One value on disk.
//!
//! It owns the rule which of several failures of a read is told: the store's own before a changed value, a changed
//! value before what a decoder made of it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::SpillError;
use super::extents::Extents;
use super::header::Header;
use super::reader::RecordReader;

/// One written value. Dropping it frees its space.
///
/// ```
/// use chunkwise_scheduler::SpillStore;
///
/// let store = SpillStore::new(std::env::temp_dir(), None);
/// let record = store.write(|out| out.write_all(&[7; 100]))?;
/// assert_eq!(store.stats().on_disk, 4096);
/// drop(record);
/// assert_eq!(store.stats().on_disk, 0);
/// # Ok::<(), chunkwise_scheduler::SpillError>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping a record frees its space on disk"]
pub struct SpillRecord {
    extents: Extents,
    header: Header,
}

impl SpillRecord {
    pub(super) fn new(extents: Extents, header: Header) -> Self {
        Self { extents, header }
    }

    /// Length of the value in bytes, as it was written.
    ///
    /// ```
    /// # use chunkwise_scheduler::SpillStore;
    /// let store = SpillStore::new(std::env::temp_dir(), None);
    /// assert_eq!(store.write(|out| out.write_all(b"seven b"))?.nbytes(), 7);
    /// # Ok::<(), chunkwise_scheduler::SpillError>(())
    /// ```
    #[must_use]
    pub fn nbytes(&self) -> u64 {
        self.header.nbytes
    }

    /// Reads the value back, any number of times and by several threads at once. `decode` gets the bytes as they were
    /// written and must read them all; they go straight into its slice where that is 64 KiB or longer.
    ///
    /// The checksum is compared after `decode`, which therefore may see changed bytes, but whatever it makes of them
    /// is dropped, a panic included.
    ///
    /// ```
    /// use chunkwise_scheduler::SpillStore;
    ///
    /// let store = SpillStore::new(std::env::temp_dir(), None);
    /// let record = store.write(|out| out.write_all(b"a block"))?;
    /// let text = record.read(|bytes| {
    ///     let mut text = String::new();
    ///     bytes.read_to_string(&mut text).map(|_| text)
    /// })?;
    /// assert_eq!(text, "a block");
    /// # Ok::<(), chunkwise_scheduler::SpillError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SpillError::Io`] if the disk cannot be read, [`SpillError::Corrupt`] if a bit has changed,
    /// [`SpillError::Decode`] with the error of `decode`, [`SpillError::Unread`] if it stopped early.
    ///
    /// # Panics
    ///
    /// If `decode` panics on bytes that are as they were written.
    pub fn read<T>(&self, decode: impl FnOnce(&mut dyn io::Read) -> io::Result<T>) -> Result<T, SpillError> {
        let mut reader = RecordReader::new(&self.extents, self.header)?;
        let decoded = catch_unwind(AssertUnwindSafe(|| decode(&mut reader)));
        if let Some(failure) = reader.take_failure() {
            return Err(failure);
        }
        let unread = reader.unread();
        reader.verify()?;
        let value = match decoded {
            Ok(result) => result.map_err(|source| SpillError::Decode { source })?,
            Err(panic) => resume_unwind(panic),
        };
        if unread > 0 {
            return Err(SpillError::Unread { read: self.nbytes() - unread, bytes: self.nbytes() });
        }
        self.extents.shared().count_read(self.nbytes());
        Ok(value)
    }
}
