//! A file mapped into memory. One of the two modules of this crate with unsafe code.
//!
//! Why mapped: of files in the page cache, 400 MB in blocks of 8 MiB came at 15 GB/s through a mapping and at 7 GB/s by
//! `pread`, and a run of 8 bytes costs 0.7 us by `pread` (two shared cores of a Xeon, Linux 6.18). A region that is narrow
//! in the last axis is many short runs.
//!
//! Pages that are read through a mapping count as memory of the process until they are given back, so a reader does
//! that as it goes: see [`Reading`].

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Range;

use memmap2::Mmap;

/// Bytes of pages that one read keeps at a time.
pub(super) const WINDOW: usize = 4 << 20;

/// Bytes that the system maps around a page that is read.
pub(super) const AROUND: usize = 64 << 10;

/// The bytes of a file, read-only.
#[derive(Debug)]
pub(super) struct MappedFile(Mmap);

impl MappedFile {
    pub(super) fn new(file: &File) -> io::Result<MappedFile> {
        // SAFETY: the mapping is read-only, so nothing here writes to it. Another process may change or shorten the
        // file; no lock can be relied on to prevent that, and `NpySource` says so to its users. What is read then is
        // other bytes, and every byte pattern is a valid element (`ByteForm`), or a signal that ends the process.
        unsafe { Mmap::map(file) }.map(MappedFile)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Starts a read.
    pub(super) fn read(&self) -> Reading<'_> {
        Reading { file: self, pages: 0..0, kept: 0 }
    }

    /// Gives pages back; whoever reads them next gets them from the page cache.
    fn release(&self, pages: Range<usize>) {
        let pages = pages.start..pages.end.min(self.0.len());
        #[cfg(unix)]
        if !pages.is_empty() {
            let advice = memmap2::UncheckedAdvice::DontNeed;
            // SAFETY: the mapping is shared and of a file, never written to: pages that were given back are read from
            // the file again and hold the same bytes. A failure changes nothing, so the result is not used.
            drop(unsafe { self.0.unchecked_advise_range(advice, pages.start, pages.len()) });
        }
    }
}

/// One read in ascending order: gives back its pages whenever they are more than [`WINDOW`], and at the end.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    file: &'a MappedFile,
    /// From the first to the last page that was read and not given back.
    pages: Range<usize>,
    /// Bytes of the pages in between that can be mapped.
    kept: usize,
}

impl<'a> Reading<'a> {
    /// The bytes from `at` on, at most half a window of `len`.
    pub(super) fn bytes(&mut self, at: usize, len: usize) -> &'a [u8] {
        let len = len.min(WINDOW / 2);
        let (start, end) = (at / AROUND * AROUND, (at + len).next_multiple_of(AROUND));
        let fresh = end.saturating_sub(start.max(self.pages.end));
        if self.kept + fresh > WINDOW {
            self.release();
        }
        if self.kept == 0 {
            self.pages.start = start;
        }
        self.kept += fresh;
        self.pages.end = end;
        &self.file.bytes()[at..at + len]
    }

    fn release(&mut self) {
        self.file.release(self.pages.clone());
        self.kept = 0;
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.release();
    }
}
