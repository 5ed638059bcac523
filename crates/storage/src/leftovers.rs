//! What writers leave behind when they are killed, and how the next one tells it from work in progress.
//!
//! Whoever writes under a temporary name holds an advisory lock for as long: on the file itself, or on a file `lock`
//! inside the folder. The system gives the lock up when the process is gone, however it ended. So a leftover whose
//! lock can be taken is dead, and whoever holds its lock may remove it; process ids are not looked at.
//!
//! Making and removing can meet, since a thing is there before it is locked. Then the writer does not get the lock,
//! or gets that of a file which has no name any more, and takes another name. A folder's `lock` is removed last, so
//! that no other `lock` can be made while anything else is removed.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The lock of a folder.
const LOCK: &str = "lock";

/// Digits at the end of a temporary name.
const DIGITS: usize = 16;

/// Whether the lock of a file is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Held,
    Taken,
    /// The file system has no locks, so no one can hold one.
    Unknown,
}

/// The temporary name of `target` that has this number.
pub(crate) fn temporary(target: &Path, number: u64) -> Option<PathBuf> {
    let mut name = prefix(target.file_name()?);
    name.push(format!("{number:016x}"));
    Some(target.with_file_name(name))
}

/// A new file that is locked, or `None` when another name has to be tried.
pub(crate) fn create_file(path: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => Ok(lock_new(&file).then_some(file)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(e) => Err(e),
    }
}

/// A new folder and its lock, or `None` when another name has to be tried.
#[cfg(any(test, feature = "zarr"))]
pub(crate) fn create_folder(path: &Path) -> io::Result<Option<File>> {
    use io::ErrorKind::{AlreadyExists, NotFound};
    let another =
        |e: io::Error, kinds: &[io::ErrorKind]| if kinds.contains(&e.kind()) { Ok(None) } else { Err(e) };
    if let Err(e) = fs::create_dir(path) {
        return another(e, &[AlreadyExists]);
    }
    match OpenOptions::new().write(true).create_new(true).open(path.join(LOCK)) {
        Ok(lock) => Ok(lock_new(&lock).then_some(lock)),
        Err(e) => another(e, &[AlreadyExists, NotFound]),
    }
}

/// Locks a file that was just made. False when someone else was faster and removes it.
pub(crate) fn lock_new(file: &File) -> bool {
    match hold(file) {
        Hold::Held => has_name(file),
        Hold::Unknown => true,
        Hold::Taken => false,
    }
}

/// Removes a folder whose lock is held.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_file(path.join(LOCK))?;
    fs::remove_dir(path)
}

/// Removes what dead writers of `target` have left beside it. What cannot be removed stays: it is in nobody's way.
pub(crate) fn remove_dead(target: &Path) {
    let Some(prefix) = target.file_name().map(prefix) else { return };
    let Ok(entries) = fs::read_dir(folder_of(target)) else { return };
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name(), &prefix)
            && let Ok(kind) = entry.file_type()
        {
            drop(remove_if_dead(&entry.path(), kind));
        }
    }
}

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn prefix(name: &OsStr) -> std::ffi::OsString {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    prefix.push(".tmp-");
    prefix
}

fn is_temporary(name: &OsStr, prefix: &OsStr) -> bool {
    let digits = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
    digits.is_some_and(|digits| digits.len() == DIGITS && digits.iter().all(u8::is_ascii_hexdigit))
}

fn remove_if_dead(path: &Path, kind: fs::FileType) -> io::Result<()> {
    let lock = if kind.is_dir() { path.join(LOCK) } else { path.to_path_buf() };
    // A link could lead anywhere; no writer makes one.
    match fs::symlink_metadata(&lock) {
        Ok(meta) if !meta.is_file() => return Ok(()),
        _ => {}
    }
    let mut options = OpenOptions::new();
    // A folder without a lock: its writer was killed before it could make one, or is about to.
    let lock = options.read(true).write(true).create(kind.is_dir()).truncate(false).open(lock)?;
    if hold(&lock) != Hold::Held || !has_name(&lock) {
        return Ok(());
    }
    if kind.is_dir() { remove_folder(path) } else { fs::remove_file(path) }
}

fn hold(file: &File) -> Hold {
    match file.try_lock() {
        Ok(()) => Hold::Held,
        Err(TryLockError::WouldBlock) => Hold::Taken,
        Err(TryLockError::Error(_)) => Hold::Unknown,
    }
}

/// False for a file that was removed since it was opened.
#[cfg(unix)]
fn has_name(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|meta| meta.nlink() > 0)
}

/// A file that is open keeps its name.
#[cfg(not(unix))]
fn has_name(_: &File) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_the_dead_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.npy");
        let at = |number| temporary(&target, number).unwrap();
        let _file = create_file(&at(1)).unwrap().unwrap();
        let _folder = create_folder(&at(2)).unwrap().unwrap();
        drop(create_file(&at(3)).unwrap().unwrap());
        drop(create_folder(&at(4)).unwrap().unwrap());
        fs::create_dir(at(4).join("array")).unwrap();
        fs::write(at(4).join("array/0"), "content").unwrap();
        fs::create_dir(at(5)).unwrap();
        remove_dead(&target);
        assert_eq!(names(folder.path()), [".x.npy.tmp-0000000000000001", ".x.npy.tmp-0000000000000002"]);
        assert!(at(2).join(LOCK).exists());
    }

    #[test]
    fn files_of_other_names_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let others = [
            ".x.npy.tmp-",
            ".x.npy.tmp-backup",
            ".y.npy.tmp-0123456789abcdef",
            "x.npy",
            "x.npy.tmp-0123456789abcdef",
        ];
        for name in others {
            fs::write(folder.path().join(name), "").unwrap();
        }
        remove_dead(&folder.path().join("x.npy"));
        assert_eq!(names(folder.path()).len(), others.len());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, mine) = (folder.path().join("x.npy"), folder.path().join("mine"));
        fs::write(&mine, "content").unwrap();
        std::os::unix::fs::symlink(&mine, temporary(&target, 1).unwrap()).unwrap();
        fs::create_dir(temporary(&target, 2).unwrap()).unwrap();
        std::os::unix::fs::symlink(&mine, temporary(&target, 2).unwrap().join(LOCK)).unwrap();
        remove_dead(&target);
        assert_eq!(fs::read(&mine).unwrap(), b"content");
        assert_eq!(names(folder.path()).len(), 3);
    }

    #[test]
    fn name_in_use_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let _held = create_file(&path).unwrap().unwrap();
        assert!(create_file(&path).unwrap().is_none());
        assert!(create_folder(&path).unwrap().is_none());
        assert!(create_file(&folder.path().join("no/x")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn file_that_was_removed_before_it_was_locked_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let file = File::create(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!lock_new(&file));
    }
}
