//! The files below a store, behind two traits, so that tests can let them fail.
//!
//! It owns what is asked of a file system and how real files answer. It does not count or allocate.

#[cfg(target_os = "linux")]
mod linux;
mod open;

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

#[cfg(all(test, unix, not(loom)))]
pub(super) use open::open_and_unlink;
pub(super) use open::{is_memory_backed, open_nameless};

/// Where segments come from.
pub(super) trait Disk: Debug + Send + Sync {
    /// A new empty file that nobody else can open and that vanishes with its last handle, however the process ends.
    fn open(&self, directory: &Path) -> io::Result<Arc<dyn SegmentFile>>;
}

/// A file, used at offsets by many threads at once.
pub(super) trait SegmentFile: Debug + Send + Sync {
    /// Writes some of the bytes; says how many.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Reads some bytes; 0 means that the file ends there.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Makes sure that a later write to the range finds space. Does nothing where the file system cannot promise it.
    fn reserve(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Gives the range back to the file system; false where it will not take it.
    fn punch(&self, offset: u64, len: u64) -> bool;

    /// Writes the range out soon, and drops from memory what has been written out.
    fn uncache(&self, offset: u64, len: u64);
}

/// The file system of the machine.
#[derive(Debug)]
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, directory: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(open_nameless(directory)?))
    }
}

impl SegmentFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::write_at(self, bytes, offset);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_write(self, bytes, offset);
        #[cfg(not(any(unix, windows)))]
        return Err(io::ErrorKind::Unsupported.into());
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(self, bytes, offset);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(self, bytes, offset);
        #[cfg(not(any(unix, windows)))]
        return Err(io::ErrorKind::Unsupported.into());
    }

    #[cfg(target_os = "linux")]
    fn reserve(&self, offset: u64, len: u64) -> io::Result<()> {
        linux::reserve(self, offset, len)
    }

    #[cfg(not(target_os = "linux"))]
    fn reserve(&self, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn punch(&self, offset: u64, len: u64) -> bool {
        linux::punch(self, offset, len)
    }

    #[cfg(not(target_os = "linux"))]
    fn punch(&self, _: u64, _: u64) -> bool {
        false
    }

    #[cfg(target_os = "linux")]
    fn uncache(&self, offset: u64, len: u64) {
        linux::uncache(self, offset, len);
    }

    #[cfg(not(target_os = "linux"))]
    fn uncache(&self, _: u64, _: u64) {}
}

/// Again as long as a signal interrupts.
pub(super) fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
