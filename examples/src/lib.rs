//! What the examples share: where the data is, where files of a run go, and how a printed value is checked.
//!
//! The programs themselves are the files beside this package's manifest.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// A file or folder in the repository's `data/`, wherever the program is started.
///
/// ```
/// assert!(chunkwise_examples::data("README.md").is_file());
/// ```
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

/// A folder for the files of one run, removed when it is dropped.
///
/// ```
/// let folder = chunkwise_examples::Folder::new("doc")?;
/// std::fs::write(folder.file("x.txt"), "x")?;
/// let path = folder.path().to_owned();
/// drop(folder);
/// assert!(!path.exists());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A folder among the temporary files of the system, with the name of the program in its own.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(program: &str) -> std::io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("chunkwise-{program}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a file of this name in it is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left, the system removes with its temporary files.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Whether two numbers agree within a relative tolerance.
///
/// ```
/// use chunkwise_examples::close;
/// assert!(close(1000.0, 1000.1, 1e-3));
/// assert!(!close(1000.0, f64::NAN, 1e-3));
/// ```
pub fn close(got: f64, want: f64, tolerance: f64) -> bool {
    (got - want).abs() <= tolerance * want.abs()
}

/// Prints a value; an error when it is not the value that was expected.
///
/// # Errors
/// When the two differ by more than rounding.
///
/// ```
/// use chunkwise_examples::show;
/// assert!(show("half of one", 0.5, 0.5).is_ok());
/// assert!(show("half of one", 0.6, 0.5).is_err());
/// ```
pub fn show(what: &str, got: f64, want: f64) -> Result<(), String> {
    println!("{what}: {got}");
    if close(got, want, 1e-12) { Ok(()) } else { Err(format!("{what} should be {want}")) }
}
