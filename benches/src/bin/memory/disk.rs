//! How long the disk alone takes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

use super::Failure;

const PIECE: usize = 8 << 20;

/// Milliseconds to write so many bytes to a file, through to the disk, and to read them so many times.
pub(crate) fn time(folder: &Path, bytes: u64, reads: u32) -> Result<f64, Failure> {
    let path = folder.join("plain");
    let mut piece =
        chunkwise_benches::uniform(PIECE / 8).iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    let start = Instant::now();
    let mut file = File::create(&path)?;
    for _ in 0..bytes / PIECE as u64 {
        file.write_all(&piece)?;
    }
    file.sync_all()?;
    for _ in 0..reads {
        let mut file = File::open(&path)?;
        while file.read(&mut piece)? > 0 {}
    }
    let ms = start.elapsed().as_secs_f64() * 1e3;
    std::fs::remove_file(path)?;
    Ok(ms)
}
