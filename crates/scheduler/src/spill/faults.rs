//! A disk in memory that fails when told to.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::disk::{Disk, SegmentFile};

/// What a call does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `ENOSPC`.
    NoSpace,
    /// `EIO`.
    Io,
    /// `EINTR`.
    Interrupted,
    /// It handles a part of the bytes.
    Short,
    /// It handles no bytes and says so.
    Nothing,
    /// It reads all and one bit changes.
    Flip,
}

impl Fault {
    /// Whether a store can go on as if nothing had happened.
    pub(super) fn is_harmless(self) -> bool {
        matches!(self, Self::Interrupted | Self::Short)
    }

    fn error(self) -> Option<io::Error> {
        match self {
            Self::NoSpace => Some(io::ErrorKind::StorageFull.into()),
            Self::Io => Some(io::Error::other("input/output error")),
            Self::Interrupted => Some(io::ErrorKind::Interrupted.into()),
            Self::Short | Self::Nothing | Self::Flip => None,
        }
    }
}

/// The calls that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Open,
    Reserve,
    Write,
    Read,
}

#[derive(Debug, Default)]
struct Script {
    /// How many such calls go well before this fault.
    faults: BTreeMap<Call, (u32, Fault)>,
    no_holes: bool,
    open_files: usize,
    files: Vec<Weak<FaultFile>>,
}

/// The disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct FaultDisk(Arc<Mutex<Script>>);

impl FaultDisk {
    /// The call after `good` good ones fails, once.
    pub(super) fn fail(&self, call: Call, good: u32, fault: Fault) {
        self.0.lock().faults.insert(call, (good, fault));
    }

    /// Forgets the faults to come; true if there were none.
    pub(super) fn heal(&self) -> bool {
        let mut script = self.0.lock();
        std::mem::take(&mut script.faults).is_empty()
    }

    /// Whether a fault is still to come.
    pub(super) fn is_scripted(&self) -> bool {
        !self.0.lock().faults.is_empty()
    }

    /// From now on freed ranges are not taken back.
    pub(super) fn refuse_holes(&self) {
        self.0.lock().no_holes = true;
    }

    pub(super) fn open_files(&self) -> usize {
        self.0.lock().open_files
    }

    /// Changes one bit of the oldest open file.
    pub(super) fn flip(&self, bit: usize) {
        self.oldest().bytes.lock()[bit / 8] ^= 1 << (bit % 8);
    }

    /// Cuts the oldest open file.
    pub(super) fn truncate(&self, len: usize) {
        self.oldest().bytes.lock().truncate(len);
    }

    fn oldest(&self) -> Arc<FaultFile> {
        self.0.lock().files.iter().find_map(Weak::upgrade).expect("the test has written")
    }

    fn next_fault(&self, call: Call) -> Option<Fault> {
        let faults = &mut self.0.lock().faults;
        match faults.get_mut(&call)? {
            (0, _) => faults.remove(&call).map(|(_, fault)| fault),
            (good, _) => {
                *good -= 1;
                None
            }
        }
    }

    /// The length a call handles, and whether a bit changes on the way.
    fn outcome(&self, call: Call, len: usize) -> io::Result<(usize, bool)> {
        match self.next_fault(call) {
            None => Ok((len, false)),
            Some(Fault::Short) => Ok((len.div_ceil(3), false)),
            Some(Fault::Nothing) => Ok((0, false)),
            Some(fault) => fault.error().map_or(Ok((len, true)), Err),
        }
    }
}

impl Disk for FaultDisk {
    fn open(&self, _: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        self.outcome(Call::Open, 1)?;
        let file = Arc::new(FaultFile { disk: self.clone(), bytes: Mutex::default() });
        let mut script = self.0.lock();
        script.open_files += 1;
        script.files.push(Arc::downgrade(&file));
        Ok(file)
    }
}

#[derive(Debug)]
struct FaultFile {
    disk: FaultDisk,
    bytes: Mutex<Vec<u8>>,
}

impl Drop for FaultFile {
    fn drop(&mut self) {
        self.disk.0.lock().open_files -= 1;
    }
}

impl SegmentFile for FaultFile {
    fn write_at(&self, from: &[u8], offset: u64) -> io::Result<usize> {
        let (n, _) = self.disk.outcome(Call::Write, from.len())?;
        let (mut bytes, offset) = (self.bytes.lock(), offset as usize);
        let end = bytes.len().max(offset + n);
        bytes.resize(end, 0);
        bytes[offset..][..n].copy_from_slice(&from[..n]);
        Ok(n)
    }

    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        let (n, flips) = self.disk.outcome(Call::Read, to.len())?;
        let bytes = self.bytes.lock();
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let n = n.min(rest.len());
        to[..n].copy_from_slice(&rest[..n]);
        if flips && n > 0 {
            to[n / 2] ^= 0x10;
        }
        Ok(n)
    }

    fn reserve(&self, _: u64, _: u64) -> io::Result<()> {
        self.disk.outcome(Call::Reserve, 1).map(|_| ())
    }

    fn punch(&self, offset: u64, len: u64) -> bool {
        if self.disk.0.lock().no_holes {
            return false;
        }
        let mut bytes = self.bytes.lock();
        let end = bytes.len().min((offset + len) as usize);
        // Not zeros, so that reading what is not one's own is seen.
        bytes.get_mut(offset as usize..end).unwrap_or_default().fill(0xdd);
        true
    }

    fn uncache(&self, _: u64, _: u64) {}
}
