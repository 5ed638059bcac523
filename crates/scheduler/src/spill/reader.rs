//! Gives the bytes of one value to the decoder.
//!
//! It owns the running checksum and the choice between a buffer and the decoder's slice. Bytes go out before the
//! checksum is known; [`verify`](RecordReader::verify) has the last word.

use std::io;

use crc32fast::Hasher;

use super::SpillError;
use super::extents::Extents;
use super::header::{HEADER, Header};
use super::writer::{LARGE, PIECE};

/// A record being read.
pub(super) struct RecordReader<'a> {
    extents: &'a Extents,
    header: Header,
    /// Bytes of the value that came from disk.
    loaded: u64,
    /// The last of them, of which the first `given` went to the decoder.
    buffer: Vec<u8>,
    given: usize,
    crc: Hasher,
    failure: Option<SpillError>,
}

impl<'a> RecordReader<'a> {
    /// Reads and checks the header.
    pub(super) fn new(extents: &'a Extents, header: Header) -> Result<Self, SpillError> {
        let reader =
            Self { extents, header, loaded: 0, buffer: vec![], given: 0, crc: Hasher::new(), failure: None };
        let mut found = [0; HEADER as usize];
        reader.load(0, &mut found)?;
        if found != header.to_bytes() {
            return Err(reader.corrupt("header"));
        }
        Ok(reader)
    }

    /// The failure of the store, if that is why the decoder stopped.
    pub(super) fn take_failure(&mut self) -> Option<SpillError> {
        self.failure.take()
    }

    /// Bytes the decoder has not taken.
    pub(super) fn unread(&self) -> u64 {
        self.to_load() + (self.buffer.len() - self.given) as u64
    }

    /// Reads what the decoder left and compares the checksum.
    pub(super) fn verify(&mut self) -> Result<(), SpillError> {
        self.given = self.buffer.len();
        while self.to_load() > 0 {
            self.fill()?;
            self.given = self.buffer.len();
        }
        match self.crc.clone().finalize() == self.header.crc {
            true => Ok(()),
            false => Err(self.corrupt("checksum")),
        }
    }

    fn to_load(&self) -> u64 {
        self.header.nbytes - self.loaded
    }

    /// At most `most` of what is still on disk.
    fn next_len(&self, most: usize) -> usize {
        usize::try_from(self.to_load()).unwrap_or(usize::MAX).min(most)
    }

    fn give(&mut self, bytes: &mut [u8]) -> Result<usize, SpillError> {
        if self.given == self.buffer.len() && bytes.len() >= self.next_len(LARGE) {
            return self.load_into(bytes);
        }
        if self.given == self.buffer.len() {
            self.fill()?;
        }
        let n = bytes.len().min(self.buffer.len() - self.given);
        bytes[..n].copy_from_slice(&self.buffer[self.given..][..n]);
        self.given += n;
        Ok(n)
    }

    /// From disk straight into the decoder's slice.
    fn load_into(&mut self, bytes: &mut [u8]) -> Result<usize, SpillError> {
        let n = self.next_len(bytes.len().min(PIECE));
        self.load(HEADER + self.loaded, &mut bytes[..n])?;
        self.crc.update(&bytes[..n]);
        self.loaded += n as u64;
        Ok(n)
    }

    /// From disk into the buffer, all of which has been given.
    fn fill(&mut self) -> Result<(), SpillError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.given = 0;
        buffer.resize(self.next_len(4 * LARGE), 0);
        self.load_into(&mut buffer)?;
        self.buffer = buffer;
        Ok(())
    }

    fn load(&self, position: u64, bytes: &mut [u8]) -> Result<(), SpillError> {
        self.extents.read(position, bytes).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => self.corrupt("length"),
            _ => self.extents.shared().io_error("read", bytes.len() as u64, source),
        })
    }

    fn corrupt(&self, what: &'static str) -> SpillError {
        SpillError::Corrupt {
            directory: self.extents.shared().directory.clone(),
            bytes: self.header.nbytes,
            what,
        }
    }
}

impl io::Read for RecordReader<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.failure.is_none() {
            match self.give(bytes) {
                Ok(n) => return Ok(n),
                Err(error) => self.failure = Some(error),
            }
        }
        Err(io::Error::other(self.failure.as_ref().map(ToString::to_string).unwrap_or_default()))
    }
}
