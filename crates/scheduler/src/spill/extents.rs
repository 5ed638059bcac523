//! The bytes of one record as one range, wherever they lie.
//!
//! It owns the places of a record and frees them when dropped. It retries short and interrupted reads and writes. No
//! lock is held while it does I/O.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::disk::{SegmentFile, retry};
use super::space::{BLOCK, Place, Taken};
use super::{Shared, SpillError};

/// A place and where it begins in the record.
struct Extent {
    begin: u64,
    place: Place,
    file: Arc<dyn SegmentFile>,
}

/// The places of a record, in order.
pub(super) struct Extents {
    shared: Arc<Shared>,
    list: Vec<Extent>,
    len: u64,
}

impl Extents {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, list: vec![], len: 0 }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Makes room for `end` bytes in all, on disk where the file system can promise it.
    pub(super) fn grow(&mut self, end: u64) -> Result<(), SpillError> {
        while self.len < end {
            let wanted = (end - self.len).checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX - (BLOCK - 1));
            let (place, file) = self.take(wanted)?;
            // Into the list first: whatever happens next, the place is freed with the rest.
            self.list.push(Extent { begin: self.len, place, file });
            self.len += place.len;
            let reserve = |file: &Arc<dyn SegmentFile>| retry(|| file.reserve(place.offset, place.len));
            reserve(&self.list[self.list.len() - 1].file)
                .map_err(|source| self.shared.io_error("reserve", place.len, source))?;
        }
        Ok(())
    }

    /// Writes all of `bytes` at `position` of the record, for which there is room.
    pub(super) fn write(&self, mut position: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (file, offset, room) = self.locate(position);
            let piece = &bytes[..bytes.len().min(room)];
            let n = retry(|| file.write_at(piece, offset))?;
            if n == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[n..];
            position += n as u64;
        }
        Ok(())
    }

    /// Reads all of `bytes` from `position` of the record.
    pub(super) fn read(&self, mut position: u64, mut bytes: &mut [u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (file, offset, room) = self.locate(position);
            let piece_len = bytes.len().min(room);
            let n = retry(|| file.read_at(&mut bytes[..piece_len], offset))?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes = &mut bytes[n..];
            position += n as u64;
        }
        Ok(())
    }

    /// All has been written: memory need not keep a copy.
    pub(super) fn uncache(&self) {
        for Extent { place, file, .. } in &self.list {
            self.shared.behind.wrote(file, place.offset, place.len);
        }
    }

    /// File and offset of a position, and how many bytes follow in the same place.
    fn locate(&self, position: u64) -> (&dyn SegmentFile, u64, usize) {
        let next = self.list.partition_point(|extent| extent.begin <= position);
        let extent = &self.list[next - 1];
        let within = position - extent.begin;
        let room = usize::try_from(extent.place.len - within).unwrap_or(usize::MAX);
        (&*extent.file, extent.place.offset + within, room)
    }

    /// A place of at most `wanted` bytes, in a new segment if need be.
    fn take(&self, wanted: u64) -> Result<(Place, Arc<dyn SegmentFile>), SpillError> {
        let mut spare = None;
        loop {
            // `spare` is dropped after the lock: closing a file is I/O.
            let mut space = self.shared.space.lock();
            let mut taken = space.take(wanted);
            if matches!(taken, Taken::NeedsSegment)
                && let Some(file) = spare.take()
            {
                space.add(file);
                taken = space.take(wanted);
            }
            let on_disk = space.on_disk();
            drop(space);
            match taken {
                Taken::Place(place, file) => return Ok((place, file)),
                Taken::Full => return Err(self.shared.full(wanted, on_disk)),
                Taken::NeedsSegment => spare = Some(self.shared.open()?),
            }
        }
    }

    /// Frees one place: closes its segment if nothing else lives there, else makes a long place a hole.
    fn free(&self, extent: &Extent) {
        let closed = self.shared.space.lock().retire(extent.place);
        if closed.is_some() {
            return;
        }
        let is_hole =
            extent.place.len >= self.shared.hole && extent.file.punch(extent.place.offset, extent.place.len);
        // Named, so that the file is closed after the lock is released.
        let _closed = self.shared.space.lock().free(extent.place, is_hole);
    }
}

impl Drop for Extents {
    fn drop(&mut self) {
        for extent in std::mem::take(&mut self.list) {
            self.free(&extent);
        }
    }
}

impl fmt::Debug for Extents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list.iter().map(|extent| extent.place)).finish()
    }
}
