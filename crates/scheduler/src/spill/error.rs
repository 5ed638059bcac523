//! Why a value could not be written or read back.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a value could not be spilled or loaded.
///
/// ```
/// use chunkwise_scheduler::{SpillError, SpillStore};
///
/// let store = SpillStore::new(std::env::temp_dir(), Some(4096));
/// let error = store.write(|out| out.write_all(&[7; 5000])).unwrap_err();
/// assert!(error.is_full());
/// assert!(matches!(error, SpillError::Full { limit: 4096, on_disk: 0, .. }));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpillError {
    /// The store may not hold that much.
    #[error(
        "cannot write {bytes} more bytes to the spill files in `{}`: they hold {on_disk} of at most {limit} bytes; \
         raise the spill limit or use smaller chunks",
        directory.display()
    )]
    Full {
        /// Where the spill files are.
        directory: PathBuf,
        /// The space that was asked for, in whole blocks.
        bytes: u64,
        /// Bytes the store had on disk.
        on_disk: u64,
        /// Bytes the store may have on disk.
        limit: u64,
    },
    /// The operating system refused.
    #[error(
        "cannot {operation} {bytes} bytes of the spill files in `{}`: {source}; \
         set another spill directory or free space",
        directory.display()
    )]
    Io {
        /// Where the spill files are.
        directory: PathBuf,
        /// What was tried: "reserve", "write" or "read".
        operation: &'static str,
        /// For how many bytes.
        bytes: u64,
        /// What the operating system said.
        source: io::Error,
    },
    /// No spill file can be made in the directory.
    #[error("cannot create a spill file in `{}`: {source}; set another spill directory", directory.display())]
    Create {
        /// Where the spill files should be.
        directory: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What came back is not what was written.
    #[error(
        "a spilled value of {bytes} bytes in `{}` came back changed ({what}): the disk or the memory is faulty; \
         set another spill directory",
        directory.display()
    )]
    Corrupt {
        /// Where the spill files are.
        directory: PathBuf,
        /// Length of the value.
        bytes: u64,
        /// What does not match: "header", "checksum" or "length".
        what: &'static str,
    },
    /// The caller's encoder failed by itself.
    #[error("the value could not be encoded for spilling: {source}")]
    Encode {
        /// What the encoder said.
        source: io::Error,
    },
    /// The caller's decoder failed by itself, on bytes that are as they were written.
    #[error("the spilled value could not be decoded: {source}")]
    Decode {
        /// What the decoder said.
        source: io::Error,
    },
    /// The caller's decoder was content before it had read everything.
    #[error("the decoder read {read} of the {bytes} bytes of a spilled value: it must read them all")]
    Unread {
        /// Bytes it took.
        read: u64,
        /// Length of the value.
        bytes: u64,
    },
}

impl SpillError {
    /// Whether space ran out, be it the limit of the store, the disk or a quota: the value may be kept in memory, and
    /// spilled when other values have been dropped.
    ///
    /// ```
    /// use chunkwise_scheduler::SpillStore;
    ///
    /// let store = SpillStore::new("/no/such/directory", None);
    /// assert!(!store.write(|out| out.write_all(&[7; 10])).unwrap_err().is_full());
    /// ```
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::Io { source, .. } | Self::Create { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}
