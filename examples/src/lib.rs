//! What the examples share: where the data is, and how a printed value is checked.
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
