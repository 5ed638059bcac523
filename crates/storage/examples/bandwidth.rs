//! How fast blocks come and go, against a plain copy of the same bytes.
//!
//! `cargo run --release -p chunkwise-storage --features zarr --example bandwidth`

use std::time::Instant;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, ChunkSource, DType, Region};
use chunkwise_storage::{MemorySink, NpySink, NpySource};
use ndarray::{Array, s};

const SIDE: usize = 4096;
const BLOCK: usize = 1024;
const THREADS: usize = 2;

fn main() {
    let array = Array::from_shape_fn((SIDE, SIDE), |(i, j)| ((i * 31 + j * 17) % 1000) as f64);
    let grid = ChunkGrid::regular(&[SIDE, SIDE], &[BLOCK, BLOCK]);
    let blocks: Vec<(Region, Chunk)> = grid
        .blocks()
        .map(|block| {
            let r = grid.region(&block);
            let part = array.slice(s![r.start()[0]..r.end(0), r.start()[1]..r.end(1)]);
            (r.clone(), Chunk::from_array(part.to_owned().into_dyn()))
        })
        .collect();
    let folder = tempfile::tempdir().expect("a folder for the files");

    let elements = array.as_slice().expect("the array is contiguous");
    time("plain: zeroed Vec, then copy", || {
        let mut copy = vec![0.0; elements.len()];
        copy.copy_from_slice(elements);
        copy
    });
    time("plain: copy into a new Vec", || elements.to_vec());
    time("plain: zeroed Vec, two threads copy halves", || {
        let mut copy = vec![0.0; elements.len()];
        std::thread::scope(|scope| {
            let half = elements.len() / THREADS;
            for (to, from) in copy.chunks_mut(half).zip(elements.chunks(half)) {
                scope.spawn(|| to.copy_from_slice(from));
            }
        });
        copy
    });
    time("MemorySink, blocks", || {
        let sink = MemorySink::new(DType::F64, &grid).expect("memory");
        write(&sink, &blocks);
        sink.into_chunk().expect("every block was written")
    });
    let npy = folder.path().join("x.npy");
    time("NpySink, blocks, with fsync", || {
        write(&NpySink::create(&npy, DType::F64, &[SIDE, SIDE]).expect("a file"), &blocks);
    });
    let source = NpySource::open(&npy).expect("the file");
    time("NpySource, whole", || source.read(&Region::whole(&[SIDE, SIDE])));
    time("NpySource, blocks", || read(&source, &blocks));
    #[cfg(feature = "zarr")]
    zarr(&folder.path().join("x.zarr"), &grid, &blocks);
}

#[cfg(feature = "zarr")]
fn zarr(path: &std::path::Path, grid: &ChunkGrid, blocks: &[(Region, Chunk)]) {
    use chunkwise_storage::{ZarrOptions, ZarrSink, ZarrSource};
    for (what, options) in
        [("uncompressed", ZarrOptions::default().uncompressed()), ("zstd 3", ZarrOptions::default())]
    {
        time(&format!("ZarrSink, blocks, {what}"), || {
            write(&ZarrSink::create(path, DType::F64, grid, &options).expect("a folder"), blocks);
        });
        let source = ZarrSource::open(path).expect("the array");
        time(&format!("ZarrSource, blocks, {what}"), || read(&source, blocks));
        time(&format!("ZarrSource, whole, {what}"), || source.read(&Region::whole(&[SIDE, SIDE])));
        time(&format!("ZarrSource, 64 bands of rows, {what}"), || {
            for band in 0..64 {
                let rows = SIDE / 64;
                source.read(&Region::new(&[band * rows, 0], &[rows, SIDE])).expect("a band");
            }
        });
    }
}

fn write(sink: &dyn ChunkSink, blocks: &[(Region, Chunk)]) {
    in_parallel(blocks, |(region, chunk)| sink.write(region, chunk).expect("a block"));
    sink.finish().expect("every block was written");
}

fn read(source: &dyn ChunkSource, blocks: &[(Region, Chunk)]) {
    in_parallel(blocks, |(region, _)| drop(source.read(region).expect("a block")));
}

fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let work = &work;
            scope.spawn(move || items.iter().skip(thread).step_by(THREADS).for_each(work));
        }
    });
}

/// Prints the best of five runs.
fn time<T>(what: &str, mut run: impl FnMut() -> T) {
    let best = (0..5).map(|_| {
        let start = Instant::now();
        std::hint::black_box(run());
        start.elapsed().as_secs_f64()
    });
    let seconds = best.fold(f64::INFINITY, f64::min);
    let gib = (SIDE * SIDE * size_of::<f64>()) as f64 / f64::from(1 << 30);
    println!("{what:45} {:7.1} ms {:7.2} GiB/s", seconds * 1e3, gib / seconds);
}
