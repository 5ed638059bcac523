//! A file mapped into memory. One of the two modules of this crate with unsafe code.
//!
//! Why mapped: a region that is narrow in the last axis is many short rows, and without a mapping each of them would
//! be a system call, or the rows between them would be read too.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// The bytes of a file, read-only.
#[derive(Debug)]
pub(super) struct MappedFile(Mmap);

impl MappedFile {
    pub(super) fn new(file: &File) -> io::Result<MappedFile> {
        // SAFETY: the mapping is private to this process and read-only, so nothing here writes to it. Another
        // process may change or shorten the file; no lock can be relied on to prevent that, and `NpySource`
        // says so to its users. What is read then is other bytes, and every byte pattern is a valid element
        // (`ByteForm`), or a signal that ends the process.
        unsafe { Mmap::map(file) }.map(MappedFile)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
