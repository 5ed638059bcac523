//! What was read from a file does not stay in the memory of the process.
//!
//! One test in a file of its own: it measures the whole process.

#![cfg(target_os = "linux")]
// A helper of tests is a test.
#![allow(clippy::unwrap_used)]

use chunkwise_chunk::{Chunk, ChunkSink, ChunkSource, DType, Region};
use chunkwise_storage::{NpySink, NpySource};

/// Bytes of files that are mapped and in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssFile:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

#[test]
fn pages_of_a_file_are_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let shape = [1024, 8192];
    let sink = NpySink::create(&path, DType::F64, &shape).unwrap();
    let before = resident();
    for row in (0..1024).step_by(128) {
        sink.write(&Region::new(&[row, 0], &[128, 8192]), &Chunk::zeros(DType::F64, &[128, 8192])).unwrap();
    }
    sink.finish().unwrap();
    let source = NpySource::open(&path).unwrap();
    for (start, len) in
        [([0, 0], shape), ([3, 0], [1000, 8192]), ([0, 10], [1024, 8000]), ([0, 77], [1024, 1])]
    {
        let region = Region::new(&start, &len);
        assert_eq!(source.read(&region).unwrap().len(), region.len());
        let grown = resident().saturating_sub(before);
        // The code of this program is a file too.
        assert!(grown < 4 << 20, "{grown} bytes are kept after a read of {region}");
    }
}
