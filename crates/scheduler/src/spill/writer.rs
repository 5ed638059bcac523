//! Takes the bytes of one value as the encoder gives them.
//!
//! It owns the choice between copying into a buffer and writing straight from the encoder's slice. A failure sticks:
//! nothing is written after it, and the record does not come to be even if the encoder ignores it.

use std::io;

use crc32fast::Hasher;

use super::SpillError;
use super::extents::Extents;
use super::header::{HEADER, Header};

/// Slices at least this long are not copied.
pub(super) const LARGE: usize = 64 << 10;

/// Small writes gather up to here.
const BUFFER: usize = 256 << 10;

/// Checksum and system call alternate in pieces of this size, so that the second finds the bytes in the cache.
pub(super) const PIECE: usize = 1 << 20;

/// A record in the making. Dropped before its end, it leaves nothing on disk.
pub(super) struct RecordWriter {
    extents: Extents,
    buffer: Vec<u8>,
    /// Bytes on disk, the room for the header included.
    at: u64,
    crc: Hasher,
    failure: Option<SpillError>,
}

impl RecordWriter {
    pub(super) fn new(extents: Extents) -> Self {
        Self { extents, buffer: vec![], at: HEADER, crc: Hasher::new(), failure: None }
    }

    /// The failure of the store, if that is why the encoder stopped.
    pub(super) fn take_failure(&mut self) -> Option<SpillError> {
        self.failure.take()
    }

    /// Writes what is left and the header.
    pub(super) fn finish(mut self, record: u64) -> Result<(Extents, Header), SpillError> {
        self.write_buffer()?;
        let header = Header { record, nbytes: self.at - HEADER, crc: self.crc.finalize() };
        self.extents.grow(HEADER)?;
        self.extents
            .write(0, &header.to_bytes())
            .map_err(|source| self.extents.shared().io_error("write", HEADER, source))?;
        self.extents.uncache();
        Ok((self.extents, header))
    }

    fn accept(&mut self, bytes: &[u8]) -> Result<(), SpillError> {
        if bytes.len() >= LARGE {
            self.write_buffer()?;
            return self.put(bytes);
        }
        if self.buffer.len() + bytes.len() > BUFFER {
            self.write_buffer()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn write_buffer(&mut self) -> Result<(), SpillError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.put(&buffer)?;
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }

    /// Room for all first: a full disk shows before anything of the slice is written.
    fn put(&mut self, bytes: &[u8]) -> Result<(), SpillError> {
        self.extents.grow(self.at.saturating_add(bytes.len() as u64))?;
        for piece in bytes.chunks(PIECE) {
            self.crc.update(piece);
            self.extents
                .write(self.at, piece)
                .map_err(|source| self.extents.shared().io_error("write", piece.len() as u64, source))?;
            self.at += piece.len() as u64;
        }
        Ok(())
    }
}

impl io::Write for RecordWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.is_none() {
            self.failure = self.accept(bytes).err();
        }
        match &self.failure {
            None => Ok(bytes.len()),
            Some(error) => Err(io::Error::other(error.to_string())),
        }
    }

    /// Does nothing: nobody else reads the file, and it does not outlive the process.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
