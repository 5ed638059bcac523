//! How fast regions of a `.npy` file come, by how long their runs in the file are; the file is in the page cache.
//!
//! `cargo run --release -p chunkwise-storage --example npy_regions`

use std::time::Instant;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, ChunkSource, DType, Region};
use chunkwise_storage::{NpySink, NpySource};

const SIDE: usize = 10_000;
const ROUNDS: usize = 7;

fn main() {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join("x.npy");
    let shape = [SIDE, SIDE];
    let sink = NpySink::create(&path, DType::F64, &shape).expect("a file");
    let grid = ChunkGrid::regular(&shape, &[100, SIDE]);
    for block in grid.blocks() {
        let region = grid.region(&block);
        let rows = ndarray::Array2::from_elem((100, SIDE), block[0] as f64);
        sink.write(&region, &Chunk::from_array(rows.into_dyn())).expect("a write");
    }
    sink.finish().expect("all was written");
    println!("run of bytes, shape, GB/s of one thread, of two, in the median of {ROUNDS}");
    for part in [
        [100, SIDE],
        [1000, SIDE],
        [SIDE, 5000],
        [SIDE, 1000],
        [SIDE, 500],
        [SIDE, 100],
        [1000, 100],
        [SIDE, 10],
        [SIDE, 1],
    ] {
        let [one, two] = [1, 2].map(|threads| speed(&path, part, threads));
        println!(
            "{:>8} {part:?} {one:.2} {two:.2}",
            if part[1] == SIDE { part[0] * SIDE * 8 } else { part[1] * 8 }
        );
    }
}

/// Reads regions of one shape, at most 800 MB of them, and looks at one element of every cache line.
fn speed(path: &std::path::Path, part: [usize; 2], threads: usize) -> f64 {
    let grid = ChunkGrid::regular(&[SIDE, SIDE], &part);
    let regions: Vec<Region> = grid.blocks().take(200).map(|block| grid.region(&block)).collect();
    let bytes: usize = regions.iter().map(|region| region.len() * 8).sum();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            // Opened each time, as a program opens a file once.
            let source = NpySource::open(path).expect("the file");
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    let (source, regions) = (&source, &regions);
                    scope.spawn(move || {
                        regions.iter().skip(thread).step_by(threads).map(|r| read(source, r)).sum::<f64>()
                    });
                }
            });
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    bytes as f64 / times[ROUNDS / 2] / 1e9
}

fn read(source: &NpySource, region: &Region) -> f64 {
    let chunk = source.read(region).expect("the region");
    let array = chunk.typed::<f64>().expect("the file is of f64");
    array.as_slice().expect("the block is contiguous").iter().step_by(8).sum()
}
