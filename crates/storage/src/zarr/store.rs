//! The files of one array as zarrs wants to see them. Read-only: the sink writes its files itself.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zarrs::storage::byte_range::{ByteRange, ByteRangeIterator};
use zarrs::storage::{Bytes, MaybeBytes, MaybeBytesIterator, ReadableStorageTraits, StorageError, StoreKey};

/// The files below a folder.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn new(folder: &Path) -> Files {
        Files { folder: folder.into() }
    }

    pub(super) fn path(&self, key: &StoreKey) -> PathBuf {
        self.folder.join(key.as_str())
    }
}

impl ReadableStorageTraits for Files {
    fn get(&self, key: &StoreKey) -> Result<MaybeBytes, StorageError> {
        Ok(existing(fs::read(self.path(key)))?.map(Bytes::from))
    }

    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        let Some(mut file) = existing(File::open(self.path(key)))? else { return Ok(None) };
        let size = file.metadata()?.len();
        let key = key.clone();
        Ok(Some(Box::new(ranges.map(move |range| read_range(&mut file, size, range, &key)))))
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        Ok(existing(fs::metadata(self.path(key)))?.map(|meta| meta.len()))
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}

/// A missing file is a missing chunk, not an error.
fn existing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn read_range(file: &mut File, size: u64, range: ByteRange, key: &StoreKey) -> Result<Bytes, StorageError> {
    let (start, end) = match range {
        ByteRange::FromStart(start, None) => (start, size),
        ByteRange::FromStart(start, Some(len)) => (start, start.saturating_add(len)),
        ByteRange::Suffix(len) => (size.saturating_sub(len), size),
    };
    if start > end || end > size {
        let what = format!("{key} is truncated: it has {size} bytes, bytes {start}..{end} are wanted");
        return Err(StorageError::Other(what));
    }
    let mut bytes = Vec::with_capacity((end - start) as usize);
    file.seek(SeekFrom::Start(start))?;
    file.take(end - start).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}
