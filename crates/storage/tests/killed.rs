//! A process killed in the middle of writing leaves nothing that looks whole.
//!
//! The test starts itself as a child that writes half of an array and then waits for a word that never comes.

#![cfg(unix)]
// A helper of tests is a test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use chunkwise_chunk::{Chunk, ChunkSink, ChunkSource, DType, Region, Scalar};
use chunkwise_storage::{NpySink, NpySource};

const TARGET: &str = "CHUNKWISE_KILLED_TARGET";

fn ones(n: usize) -> Chunk {
    Chunk::filled(Scalar::U8(1), &[n])
}

fn sink_of(path: &Path) -> Box<dyn ChunkSink> {
    #[cfg(feature = "zarr")]
    if path.extension().is_some_and(|e| e == "zarr") {
        let options = chunkwise_storage::ZarrOptions::default();
        let grid = chunkwise_chunk::ChunkGrid::regular(&[100], &[50]);
        return Box::new(chunkwise_storage::ZarrSink::create(path, DType::U8, &grid, &options).unwrap());
    }
    Box::new(NpySink::create(path, DType::U8, &[100]).unwrap())
}

/// The child's part: not a test of its own, it does nothing unless it is started by one.
#[test]
fn child() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let sink = sink_of(Path::new(&target));
    sink.write(&Region::new(&[0], &[50]), &ones(50)).unwrap();
    println!("\nhalf written");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    unreachable!("the parent kills this process while it waits");
}

fn kill_while_writing(path: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(TARGET, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map(|line| line.unwrap()).any(|line| line == "half written"));
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

fn unfinished(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.') && name.contains(".tmp-")).collect()
}

#[test]
fn killed_npy_writer_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    kill_while_writing(&path);
    assert!(!path.exists());
    assert_eq!(unfinished(folder.path()).len(), 1);
}

#[test]
fn killed_npy_writer_leaves_the_former_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let sink = NpySink::create(&path, DType::U8, &[3]).unwrap();
    sink.write(&Region::whole(&[3]), &ones(3)).unwrap();
    sink.finish().unwrap();
    kill_while_writing(&path);
    assert_eq!(NpySource::open(&path).unwrap().shape(), [3]);
    // What was left behind is in nobody's way.
    let sink = sink_of(&path);
    sink.write(&Region::whole(&[100]), &ones(100)).unwrap();
    sink.finish().unwrap();
    assert_eq!(NpySource::open(&path).unwrap().shape(), [100]);
}

#[cfg(feature = "zarr")]
#[test]
fn killed_zarr_writer_leaves_no_array() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    kill_while_writing(&path);
    assert!(!path.exists());
    assert_eq!(unfinished(folder.path()).len(), 1);
    let sink = sink_of(&path);
    for start in [0, 50] {
        sink.write(&Region::new(&[start], &[50]), &ones(50)).unwrap();
    }
    sink.finish().unwrap();
    assert_eq!(chunkwise_storage::ZarrSource::open(&path).unwrap().shape(), [100]);
}
