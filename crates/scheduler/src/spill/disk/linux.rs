//! What Linux can do with a file beyond reading and writing: reserve blocks, punch holes, drop cached pages.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::path::Path;

use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate, statfs};
use rustix::io::{Errno, retry_on_intr};

/// `f_type` of file systems that live in memory: tmpfs, ramfs, hugetlbfs.
const IN_MEMORY: [u32; 3] = [0x0102_1994, 0x8584_58f6, 0x9584_58f6];

/// Allocates blocks, so that a full disk shows here and not when the data is half written.
pub(super) fn reserve(file: &File, offset: u64, len: u64) -> io::Result<()> {
    match retry_on_intr(|| fallocate(file, FallocateFlags::empty(), offset, len)) {
        // This file system, or this kind of file, cannot. Then the write itself will say.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NODEV) => Ok(()),
        result => Ok(result?),
    }
}

/// Frees the blocks of a range.
pub(super) fn punch(file: &File, offset: u64, len: u64) -> bool {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    retry_on_intr(|| fallocate(file, flags, offset, len)).is_ok()
}

/// Starts to write a range out and drops those of its pages that are clean. Only a hint: nobody waits, nothing fails.
pub(super) fn uncache(file: &File, offset: u64, len: u64) {
    let _hint = fadvise(file, offset, NonZeroU64::new(len), Advice::DontNeed);
}

/// Whether files in `directory` live in memory.
pub(super) fn is_memory_backed(directory: &Path) -> io::Result<bool> {
    let kind = statfs(directory)?.f_type;
    Ok(IN_MEMORY
        .iter()
        .any(|&magic| i128::from(magic) == i128::from(kind) || magic as i32 as i128 == i128::from(kind)))
}
