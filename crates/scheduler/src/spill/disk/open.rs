//! Files without a name.
//!
//! It owns how a spill file comes to be so that no end of the process can leave it behind. See the README of the
//! module for what is promised where.

use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

/// How many names are tried before the directory is thought to be broken.
const ATTEMPTS: usize = 16;

/// Opens an empty file without a name in `directory`, which is made if its parent exists.
pub(in super::super) fn open_nameless(directory: &Path) -> io::Result<File> {
    make_directory(directory)?;
    #[cfg(target_os = "linux")]
    if let Ok(file) = open_tmpfile(directory) {
        return Ok(file);
    }
    // Also after any other failure: if the directory is at fault, this says so again.
    open_and_unlink(directory)
}

/// Whether files in `directory`, or in its parent if it is not there yet, live in memory.
pub(in super::super) fn is_memory_backed(directory: &Path) -> io::Result<bool> {
    #[cfg(target_os = "linux")]
    return match super::linux::is_memory_backed(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            super::linux::is_memory_backed(parent_of(directory))
        }
        result => result,
    };
    #[cfg(not(target_os = "linux"))]
    return directory.try_exists().map(|_| false);
}

#[cfg(target_os = "linux")]
fn parent_of(directory: &Path) -> &Path {
    directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path is empty"));
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(directory) {
        Err(_) if directory.is_dir() => Ok(()),
        result => result,
    }
}

/// A file that never had a name. `EXCL` forbids to give it one later.
#[cfg(target_os = "linux")]
fn open_tmpfile(directory: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::TMPFILE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(File::from(open(directory, flags, Mode::RUSR | Mode::WUSR)?))
}

/// A new file whose name is taken away at once. Between the two steps it is empty.
#[cfg(unix)]
pub(in super::super) fn open_and_unlink(directory: &Path) -> io::Result<File> {
    let (file, path) = create_named(directory, |options| {
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    })?;
    std::fs::remove_file(path)?;
    Ok(file)
}

/// A new file that Windows deletes with its last handle; nobody else may open it.
#[cfg(windows)]
fn open_and_unlink(directory: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_ATTRIBUTE_TEMPORARY: u32 = 0x100;
    const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
    let (file, _) = create_named(directory, |options| {
        options.share_mode(0).attributes(FILE_ATTRIBUTE_TEMPORARY).custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
    })?;
    Ok(file)
}

#[cfg(not(any(unix, windows)))]
fn open_and_unlink(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Creates a file of an unpredictable name; `adjust` sets what is special to the system.
#[cfg(any(unix, windows))]
fn create_named(directory: &Path, adjust: impl Fn(&mut OpenOptions)) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    adjust(&mut options);
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..ATTEMPTS {
        let path = directory.join(format!(".chunkwise-spill-{:016x}{:016x}", random(), random()));
        match options.open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// A number that others cannot foresee: the standard library keys its hashers from the system's random numbers.
#[cfg(any(unix, windows))]
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
