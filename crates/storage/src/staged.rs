//! Results that are written beside their final place and renamed to it when they are whole.
//!
//! The name of a staged file or folder is `.<name>.tmp-<process>-<number>`. It is removed when it is dropped
//! unpublished; a killed process leaves it behind, and readers never look at it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use chunkwise_chunk::SourceError;

use crate::sync::{AtomicBool, Counter, Ordering};

/// Names tried before giving up: more than a killed process of the same id can have left.
const ATTEMPTS: usize = 1000;

/// A file or folder under a temporary name.
#[derive(Debug)]
pub(crate) struct Staged {
    temporary: PathBuf,
    target: PathBuf,
    published: AtomicBool,
}

impl Staged {
    /// A new file beside `target`.
    pub(crate) fn file(target: &Path) -> Result<(Staged, File), SourceError> {
        let create = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        Staged::create(target, create)
    }

    /// A new folder beside `target`.
    #[cfg(feature = "zarr")]
    pub(crate) fn folder(target: &Path) -> Result<Staged, SourceError> {
        let create = |path: &Path| fs::create_dir(path);
        Ok(Staged::create(target, create)?.0)
    }

    fn create<F>(target: &Path, create: impl Fn(&Path) -> io::Result<F>) -> Result<(Staged, F), SourceError> {
        static NUMBER: Counter = Counter::new(0);
        let shown = target.display();
        let name =
            target.file_name().ok_or_else(|| SourceError::message(format!("{shown} names no file")))?;
        for _ in 0..ATTEMPTS {
            let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let name = format!(".{}.tmp-{}-{number}", name.to_string_lossy(), std::process::id());
            let temporary = target.with_file_name(name);
            match create(&temporary) {
                Ok(made) => {
                    let published = AtomicBool::new(false);
                    return Ok((Staged { temporary, target: target.into(), published }, made));
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(SourceError::io(format!("{shown}: cannot create a file beside it"), e)),
            }
        }
        Err(SourceError::message(format!(
            "{shown}: too many unfinished files of this name beside it; remove them"
        )))
    }

    /// The temporary name.
    #[cfg(any(test, feature = "zarr"))]
    pub(crate) fn path(&self) -> &Path {
        &self.temporary
    }

    /// The final name.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// True after [`Staged::publish`] succeeded.
    pub(crate) fn is_published(&self) -> bool {
        self.published.load(Ordering::Relaxed)
    }

    /// Renames to the final name by `rename`, once.
    pub(crate) fn publish(
        &self,
        rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> Result<(), SourceError> {
        let shown = self.target.display();
        rename(&self.temporary, &self.target)
            .map_err(|e| SourceError::io(format!("{shown}: cannot rename the finished result to it"), e))?;
        self.published.store(true, Ordering::Relaxed);
        sync_folder(&self.target);
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.is_published() {
            return;
        }
        // Nothing can be done about a failure here: the name says that it is unfinished.
        let removed = fs::remove_file(&self.temporary);
        if removed.is_err() {
            drop(fs::remove_dir_all(&self.temporary));
        }
    }
}

/// Makes a rename durable where folders can be synced. The result is whole without it, so a failure is no error.
fn sync_folder(path: &Path) {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(parent) {
        drop(folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpublished_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (staged, _) = Staged::file(&folder.path().join("x.npy")).unwrap();
        let name = staged.path().file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with(".x.npy.tmp-"), "{name}");
        drop(staged);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn published_file_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.npy");
        let (staged, _) = Staged::file(&target).unwrap();
        staged.publish(|from, to| fs::rename(from, to)).unwrap();
        drop(staged);
        assert!(target.exists());
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
