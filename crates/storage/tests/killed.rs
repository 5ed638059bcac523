//! A process killed in the middle of writing leaves nothing that looks whole, and nothing for long.
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

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

fn write_all(sink: &dyn ChunkSink) {
    for start in [0, 50] {
        sink.write(&Region::new(&[start], &[50]), &ones(50)).unwrap();
    }
    sink.finish().unwrap();
}

fn check_whole(path: &Path) {
    #[cfg(feature = "zarr")]
    if path.extension().is_some_and(|e| e == "zarr") {
        let source = chunkwise_storage::ZarrSource::open(path).unwrap();
        assert_eq!(source.read(&Region::whole(&[100])).unwrap().to_array::<u8>().unwrap().sum(), 100);
        return;
    }
    let source = NpySource::open(path).unwrap();
    assert_eq!(source.read(&Region::whole(&[100])).unwrap().to_array::<u8>().unwrap().sum(), 100);
}

const NAMES: &[&str] = if cfg!(feature = "zarr") { &["x.npy", "x.zarr"] } else { &["x.npy"] };

#[test]
fn killed_writer_leaves_no_target() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        kill_while_writing(&path);
        kill_while_writing(&path);
        assert!(!path.exists());
        write_all(&*sink_of(&path));
        check_whole(&path);
        assert_eq!(names(folder.path()), [*name]);
    }
}

#[test]
fn killed_writer_leaves_the_former_target() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        write_all(&*sink_of(&path));
        kill_while_writing(&path);
        check_whole(&path);
        write_all(&*sink_of(&path));
        check_whole(&path);
        assert_eq!(names(folder.path()), [*name]);
    }
}

#[test]
fn writers_of_one_target_leave_each_other_alone() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let first = sink_of(&path);
        first.write(&Region::new(&[0], &[50]), &ones(50)).unwrap();
        let second = sink_of(&path);
        write_all(&*second);
        first.write(&Region::new(&[50], &[50]), &ones(50)).unwrap();
        first.finish().unwrap();
        check_whole(&path);
        assert_eq!(names(folder.path()), [*name]);
    }
}

#[test]
fn dropped_writer_leaves_nothing() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let sink = sink_of(&path);
        sink.write(&Region::new(&[0], &[50]), &ones(50)).unwrap();
        assert!(sink.finish().is_err());
        drop(sink);
        assert!(names(folder.path()).is_empty());
        let panicked = std::panic::catch_unwind(|| {
            let _sink = sink_of(&path);
            panic!("in the middle of writing");
        });
        assert!(panicked.is_err() && names(folder.path()).is_empty());
    }
}
