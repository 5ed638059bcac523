//! Results that are written beside their final place and renamed to it when they are whole.
//!
//! A staged file has no name where the system can make such files: when the process is killed, nothing is left. A
//! staged folder, and a file elsewhere, is `.<name>.tmp-<number>`, which the next writer of that name removes; see
//! [`leftovers`](crate::leftovers). What is dropped unpublished is removed at once.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use chunkwise_chunk::SourceError;

use crate::leftovers;
use crate::sync::{AtomicBool, Ordering};

/// Names tried before giving up: the first is free unless someone guesses it.
const ATTEMPTS: usize = 100;

/// The result inside a staged folder, beside its lock.
#[cfg(feature = "zarr")]
const INSIDE: &str = "array";

/// A file or folder under a temporary name, or a file that has none yet.
#[derive(Debug)]
pub(crate) struct Staged {
    /// What is published: the file, or a folder inside the staged one.
    path: PathBuf,
    temporary: PathBuf,
    target: PathBuf,
    /// Locked for as long as this lives: the file itself, or the lock of the folder.
    lock: File,
    is_unnamed: bool,
    published: AtomicBool,
}

impl Staged {
    /// A new file beside `target`.
    pub(crate) fn file(target: &Path) -> Result<(Staged, File), SourceError> {
        leftovers::remove_dead(target);
        match unnamed_file(leftovers::folder_of(target)) {
            Ok(file) => Staged::of_file(target, temporary(target)?, file, true),
            Err(_) => Staged::named_file(target),
        }
    }

    fn named_file(target: &Path) -> Result<(Staged, File), SourceError> {
        let (temporary, file) = create(target, leftovers::create_file)?;
        Staged::of_file(target, temporary, file, false)
    }

    fn of_file(
        target: &Path,
        temporary: PathBuf,
        file: File,
        is_unnamed: bool,
    ) -> Result<(Staged, File), SourceError> {
        // Both are one open file, with one lock.
        let lock = file.try_clone().map_err(|e| beside(target, e))?;
        let (path, published) = (temporary.clone(), AtomicBool::new(false));
        Ok((Staged { path, temporary, target: target.into(), lock, is_unnamed, published }, file))
    }

    /// A new folder beside `target`.
    #[cfg(feature = "zarr")]
    pub(crate) fn folder(target: &Path) -> Result<Staged, SourceError> {
        leftovers::remove_dead(target);
        let (temporary, lock) = create(target, leftovers::create_folder)?;
        let (path, published) = (temporary.join(INSIDE), AtomicBool::new(false));
        let staged = Staged { path, temporary, target: target.into(), lock, is_unnamed: false, published };
        fs::create_dir(&staged.path).map_err(|e| beside(target, e))?;
        Ok(staged)
    }

    /// Where the result is before it is published.
    #[cfg(any(test, feature = "zarr"))]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The final name.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// True after [`Staged::publish`] succeeded.
    pub(crate) fn is_published(&self) -> bool {
        self.published.load(Ordering::Relaxed)
    }

    /// Renames to the final name by `rename`, once. What `rename` leaves in the place of the result is removed.
    pub(crate) fn publish(
        &self,
        rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> Result<(), SourceError> {
        let shown = self.target.display();
        self.name()
            .and_then(|()| rename(&self.path, &self.target))
            .map_err(|e| SourceError::io(format!("{shown}: cannot rename the finished result to it"), e))?;
        self.published.store(true, Ordering::Relaxed);
        sync_folder(&self.target);
        self.clear();
        Ok(())
    }

    /// Gives a file without a name the temporary one: only a rename replaces what has the final name.
    fn name(&self) -> io::Result<()> {
        if !self.is_unnamed {
            return Ok(());
        }
        match link(&self.lock, &self.temporary) {
            // By an attempt to publish that failed later.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            done => done,
        }
    }

    /// Removes what there is under the temporary name. A failure is left to the next writer.
    fn clear(&self) {
        if self.temporary.is_dir() {
            drop(leftovers::remove_folder(&self.temporary));
        } else {
            drop(fs::remove_file(&self.temporary));
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_published() {
            self.clear();
        }
    }
}

/// Makes something under a temporary name that no one else has.
fn create(
    target: &Path,
    make: impl Fn(&Path) -> io::Result<Option<File>>,
) -> Result<(PathBuf, File), SourceError> {
    for _ in 0..ATTEMPTS {
        let path = temporary(target)?;
        if let Some(file) = make(&path).map_err(|e| beside(target, e))? {
            return Ok((path, file));
        }
    }
    let shown = target.display();
    Err(SourceError::message(format!("{shown}: every name for a file beside it is taken")))
}

/// A temporary name that no one else uses.
fn temporary(target: &Path) -> Result<PathBuf, SourceError> {
    let number = RandomState::new().hash_one(std::process::id());
    leftovers::temporary(target, number)
        .ok_or_else(|| SourceError::message(format!("{} names no file", target.display())))
}

fn beside(target: &Path, e: io::Error) -> SourceError {
    SourceError::io(format!("{}: cannot create a file beside it", target.display()), e)
}

/// A file in a folder that has no name, and is locked for when it gets one.
#[cfg(target_os = "linux")]
fn unnamed_file(folder: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(folder, flags, Mode::from_raw_mode(0o666))?);
    fs::symlink_metadata(by_number(&file))?; // it is named by this path later
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD};
    Ok(rustix::fs::linkat(CWD, by_number(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// The path of an open file without a name.
#[cfg(target_os = "linux")]
fn by_number(file: &File) -> String {
    format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file))
}

#[cfg(not(target_os = "linux"))]
fn unnamed_file(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Makes a rename durable where folders can be synced. The result is whole without it, so a failure is no error.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(leftovers::folder_of(path)) {
        drop(folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    /// A file as it is where it can have no name yet, and one as elsewhere.
    fn both(target: &Path) -> [Staged; 2] {
        [Staged::file(target).unwrap().0, Staged::named_file(target).unwrap().0]
    }

    #[test]
    fn unpublished_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        for staged in both(&folder.path().join("x.npy")) {
            let name = staged.path().file_name().unwrap().to_string_lossy().into_owned();
            assert!(name.starts_with(".x.npy.tmp-"), "{name}");
            staged.publish(|_, _| Err(io::ErrorKind::Other.into())).unwrap_err();
            assert!(staged.path().exists());
            drop(staged);
        }
        assert_eq!(count(folder.path()), 0);
    }

    #[test]
    fn published_file_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.npy");
        for staged in both(&target) {
            staged.publish(|_, _| Err(io::ErrorKind::Other.into())).unwrap_err();
            staged.publish(|from, to| fs::rename(from, to)).unwrap();
            drop(staged);
            assert!(target.exists());
        }
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn writers_of_one_name_leave_each_other_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.npy");
        let (first, second) = (both(&target), both(&target));
        for staged in first.iter().chain(&second) {
            staged.publish(|from, to| fs::rename(from, to)).unwrap();
        }
        assert_eq!(count(folder.path()), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let plain = File::create(folder.path().join("plain")).unwrap().metadata().unwrap().mode();
        let (_staged, file) = Staged::file(&folder.path().join("x.npy")).unwrap();
        assert_eq!(file.metadata().unwrap().mode(), plain);
    }

    /// Not by permissions, which do not hold for root: no one can create files in `/proc`.
    #[cfg(target_os = "linux")]
    #[test]
    fn folder_that_takes_no_files_is_an_error() {
        let message = Staged::file(Path::new("/proc/x.npy")).unwrap_err().to_string();
        assert!(message.contains("/proc/x.npy: cannot create a file beside it"), "{message}");
    }

    #[test]
    fn place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/x.npy");
        assert!(Staged::file(&missing).unwrap_err().to_string().contains("no/such/x.npy"));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Staged::file(&file.join("x.npy")).is_err());
        assert!(Staged::file(Path::new("/")).unwrap_err().to_string().contains("names no file"));
    }
}
