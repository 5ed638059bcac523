//! What a read or a write allocates beside its block is no more than its source or sink says.
//!
//! One test in a file of its own: it measures what the whole process allocates.

#![cfg(feature = "zarr")]
// A helper of tests is a test.
#![allow(clippy::unwrap_used)]

#[path = "../../lazy/tests/common/counting.rs"]
mod counting;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, ChunkSource, DType, Region, View};
use chunkwise_storage::{ChunkCache, NpySink, NpySource, ZarrOptions, ZarrSink, ZarrSource, ZarrVersion};

use counting::{measured, turn};

/// Metadata, paths, the tables of the codecs.
const SMALL: usize = 3 << 20;

fn check_read(source: &dyn ChunkSource, start: &[usize], len: &[usize]) {
    let region = Region::new(start, len);
    ChunkCache::global().clear();
    let (block, peak, _) = measured(|| source.read(&region).unwrap());
    // The cache answers for what it keeps of several chunks; a single one is the read's own.
    let is_one = source.native_chunks().is_none_or(|grid| grid.blocks_in(&region).count() == 1);
    let kept = if is_one { 0 } else { ChunkCache::global().nbytes() };
    let told = block.nbytes() + source.scratch(&region) as usize + kept;
    assert!(peak <= told + SMALL, "{} at {region}: {peak} bytes, {told} were told", source.name());
}

fn check_write(sink: &dyn ChunkSink, region: &Region, block: &Chunk) {
    let (done, peak, _) = measured(|| sink.write(region, block));
    done.unwrap();
    let told = sink.scratch(region) as usize;
    assert!(
        peak <= told + SMALL,
        "write of {region} to {:?}: {peak} bytes, {told} were told",
        sink.write_grid()
    );
}

/// Numbers that no codec makes shorter, in Fortran order.
fn noise(shape: &[usize; 2]) -> Chunk {
    let mut state = 1u64;
    let array = ndarray::Array2::from_shape_simple_fn((shape[1], shape[0]), || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    });
    let chunk = Chunk::from_array(array.into_dyn());
    chunk.view(&View::permute(&[shape[1], shape[0]], &[1, 0]).unwrap())
}

#[test]
fn no_more_is_allocated_than_is_told() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    // 40 MiB in chunks of 8 MiB; the last of them is half empty.
    let (shape, chunk) = ([4608, 1024], [1024, 1024]);
    let content = noise(&shape);
    let v3 = ZarrOptions::default();
    for (i, options) in [
        v3.clone(),
        v3.clone().uncompressed(),
        v3.clone().version(ZarrVersion::V2),
        v3.clone().shard(&[2048, 1024]),
        v3.shard(&[2048, 1024]).uncompressed(),
    ]
    .iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{i}.zarr"));
        let sink = ZarrSink::create(&path, DType::U64, &ChunkGrid::regular(&shape, &chunk), options).unwrap();
        let grid = sink.write_grid().unwrap();
        for block in grid.blocks() {
            let region = grid.region(&block);
            check_write(&sink, &region, &content.part(&region));
        }
        sink.finish().unwrap();
        let source = ZarrSource::open(&path).unwrap();
        for (start, len) in [(0, 1024), (1024, 100), (1024, 1000), (4096, 512), (4100, 10), (512, 1024)] {
            check_read(&source, &[start, 0], &[len, 1024]);
            check_read(&source, &[start, 0], &[len, 512]);
        }
        for (start, len) in [(0, 2048), (1024, 2048), (0, 4608), (4, 4600), (2048, 2560)] {
            check_read(&source, &[start, 0], &[len, 1024]);
        }
    }
    let path = folder.path().join("x.npy");
    let sink = NpySink::create(&path, DType::U64, &shape).unwrap();
    check_write(&sink, &Region::whole(&shape), &content);
    sink.finish().unwrap();
    check_read(&NpySource::open(&path).unwrap(), &[10, 10], &[4000, 1000]);
}
