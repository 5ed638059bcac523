//! Rechunks of arrays that do not fit into memory: every block is read once and every byte written once.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fmt::Debug;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use chunkwise::ErrorKind;
use chunkwise::prelude::*;
use chunkwise_chunk::{
    AxisChunks, Chunk, ChunkGrid, ChunkSource, Chunks, DType, Element, ReadCost, ReadUnit, Region,
    SourceError,
};
use chunkwise_expr::Expr;
use ndarray::{Array2, ArrayD, IxDyn};

/// An array that must be decoded, and how often each region was.
#[derive(Debug)]
struct Stored {
    chunk: Chunk,
    grid: ChunkGrid,
    unit: ReadUnit,
    reads: Mutex<HashMap<Region, usize>>,
}

impl ChunkSource for Stored {
    fn dtype(&self) -> DType {
        self.chunk.dtype()
    }

    fn shape(&self) -> &[usize] {
        self.chunk.shape()
    }

    fn name(&self) -> String {
        "stored".into()
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Decode
    }

    fn unit(&self) -> ReadUnit {
        self.unit
    }

    fn native_chunks(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        *self.reads.lock().unwrap().entry(region.clone()).or_default() += 1;
        Ok(self.chunk.part(region).to_owned_copy())
    }
}

/// A stored array in such blocks.
fn stored<T: Element>(
    data: &ArrayD<T>,
    grid: &ChunkGrid,
    unit: ReadUnit,
) -> (LazyArray<T, IxDyn>, Arc<Stored>) {
    let chunk = Chunk::from_array(data.clone());
    let source = Arc::new(Stored { chunk, grid: grid.clone(), unit, reads: Mutex::default() });
    let chunks = Chunks::from(grid);
    let expr = Expr::source("stored", source.clone(), Some(&chunks), Location::caller());
    (LazyArray::from_expr(expr), source)
}

fn limited(threads: usize, bytes: u64) -> Runtime {
    Runtime::builder().threads(threads).memory_limit_bytes(bytes).build().unwrap()
}

fn unlimited() -> Runtime {
    Runtime::builder().threads(1).no_memory_limit().build().unwrap()
}

/// What a runtime stores of an array.
fn stored_by<T: Element>(rt: &Runtime, x: &LazyArray<T, IxDyn>, name: &str) -> chunkwise::Result<ArrayD<T>> {
    let path = std::env::temp_dir().join(format!("chunkwise-shuffle-{}-{name}.npy", std::process::id()));
    rt.store_npy(x, &path)?;
    let back = unlimited().compute(chunkwise::open_npy::<T, IxDyn>(&path).unwrap()).unwrap();
    std::fs::remove_file(path).unwrap();
    Ok(back)
}

/// 32 MiB in 32 blocks of rows, to 64 blocks of columns: 2048 pieces of 16 KiB.
const ROWS: usize = 1024;
const COLUMNS: usize = 4096;
const NBYTES: u64 = (ROWS * COLUMNS * 8) as u64;
const PIECE: u64 = 16 << 10;

fn rows() -> ChunkGrid {
    ChunkGrid::regular(&[ROWS, COLUMNS], &[32, COLUMNS])
}

fn columns() -> Chunks {
    Chunks::from(&ChunkGrid::regular(&[ROWS, COLUMNS], &[ROWS, 64]))
}

fn matrix() -> ArrayD<f64> {
    Array2::from_shape_fn((ROWS, COLUMNS), |(i, j)| (i * 4099 + j) as f64 / 7.0).into_dyn()
}

#[test]
fn rows_to_columns_of_a_large_array_reads_each_block_once() {
    let data = matrix();
    let limit = NBYTES / 10;
    for unit in [ReadUnit::Any, ReadUnit::Block] {
        for threads in [1, 2] {
            let (x, source) = stored(&data, &rows(), unit);
            let y = x.rechunk(columns());
            let rt = limited(threads, limit);
            let plan = rt.plan_store(&y).unwrap();
            assert_eq!((plan.bytes_read(), plan.rerun_bytes()), (NBYTES, 0));
            assert!(plan.spill_bytes() <= NBYTES, "{plan}");
            assert!(plan.peak_bytes() <= limit, "{plan}");
            assert_eq!(stored_by(&rt, &y, &format!("rows-{unit:?}-{threads}")).unwrap(), data);
            let reads = source.reads.lock().unwrap();
            let once = |(region, &n): (&Region, &usize)| n == 1 && region.shape() == [32, COLUMNS];
            assert!(reads.len() == 32 && reads.iter().all(once), "{reads:?}");
        }
    }
}

#[test]
fn rows_to_columns_has_a_task_for_each_block_and_piece() {
    let (x, _) = stored(&matrix(), &rows(), ReadUnit::Any);
    let plan = limited(1, NBYTES / 10).plan_store(&x.rechunk(columns())).unwrap();
    // 32 reads, 2048 pieces and 64 blocks, and two for each piece that goes to disk and comes back.
    let moved = 2 * plan.spill_bytes() / PIECE;
    assert!(plan.spill_bytes() > NBYTES / 2);
    assert_eq!(plan.tasks() as u64, 32 + 2048 + 64 + moved);
}

#[test]
fn computed_blocks_go_to_disk_once() {
    let data = matrix();
    let (x, _) = stored(&data, &rows(), ReadUnit::Any);
    let y = x.mapv(|x| x + 1.0).rechunk(columns());
    let rt = limited(2, NBYTES / 10);
    let plan = rt.plan_store(&y).unwrap();
    assert!(plan.spill_bytes() <= NBYTES && plan.rerun_bytes() == 0, "{plan}");
    assert_eq!(stored_by(&rt, &y, "computed").unwrap(), data + 1.0);
}

#[test]
fn rechunk_that_fits_is_left_as_it_is() {
    let (x, source) = stored(&matrix(), &rows(), ReadUnit::Any);
    for y in [x.rechunk(columns()), x.mapv(|x| x).rechunk(columns())] {
        let free = unlimited().plan_store(&y).unwrap();
        assert_eq!(free.tasks(), 32 + 64);
        let plan = limited(1, 4 * NBYTES).plan_store(&y).unwrap();
        assert_eq!((plan.tasks(), plan.spill_bytes(), plan.bytes_read()), (32 + 64, 0, NBYTES));
    }
    // Twice the array: its blocks are held, and read once, though they are more than a quarter of the limit.
    let plan = limited(1, 2 * NBYTES).plan_store(&x.rechunk(columns())).unwrap();
    assert_eq!((plan.tasks(), plan.spill_bytes(), plan.bytes_read()), (32 + 64, 0, NBYTES));
    assert!(source.reads.lock().unwrap().is_empty());
}

#[test]
fn rechunk_that_joins_whole_blocks_needs_no_pieces() {
    let (x, _) = stored(&matrix(), &rows(), ReadUnit::Any);
    let joined = Chunks::from(&ChunkGrid::regular(&[ROWS, COLUMNS], &[64, COLUMNS]));
    let plan = limited(1, NBYTES / 4).plan_store(&x.rechunk(joined)).unwrap();
    assert_eq!((plan.tasks(), plan.bytes_read(), plan.spill_bytes()), (16, NBYTES, 0));
}

#[test]
fn rechunk_that_cuts_blocks_reads_them_once() {
    let (x, _) = stored(&matrix(), &rows(), ReadUnit::Any);
    let cut = Chunks::from(&ChunkGrid::regular(&[ROWS, COLUMNS], &[32, 512]));
    let plan = limited(1, NBYTES / 4).plan_store(&x.rechunk(cut)).unwrap();
    assert_eq!((plan.tasks(), plan.bytes_read(), plan.spill_bytes()), (32 + 8 * 32, NBYTES, 0));
}

#[test]
fn tiny_pieces_are_made_in_two_stages() {
    let data = Array2::from_shape_fn((1024, 1024), |(i, j)| (i * 1031 + j) as f64).into_dyn();
    let nbytes = 8 << 20;
    let rows = ChunkGrid::regular(&[1024, 1024], &[16, 1024]);
    let columns = ChunkGrid::regular(&[1024, 1024], &[1024, 16]);
    for (from, to) in [(&rows, &columns), (&columns, &rows)] {
        let (x, source) = stored(&data, from, ReadUnit::Block);
        let y = x.rechunk(Chunks::from(to));
        let rt = limited(2, nbytes / 10);
        let plan = rt.plan_store(&y).unwrap();
        // 64 x 64 pieces of 2 KiB cost as much as 64 MiB. Through 8 x 8 blocks they are 64 x 8 twice, of 16 KiB.
        let moved = 2 * plan.spill_bytes() / PIECE;
        assert_eq!(plan.tasks() as u64, 64 + 512 + 512 + 64 + moved);
        assert!(plan.spill_bytes() <= 2 * nbytes && plan.bytes_read() == nbytes, "{plan}");
        assert_eq!(plan.rerun_bytes(), 0);
        assert_eq!(stored_by(&rt, &y, "tiny").unwrap(), data);
        assert!(source.reads.lock().unwrap().values().all(|&n| n == 1));
    }
}

#[test]
fn runtime_that_cannot_spill_rechunks_as_before() {
    let data = matrix();
    let (x, _) = stored(&data, &rows(), ReadUnit::Any);
    let y = x.rechunk(columns());
    let rt = Runtime::builder().threads(1).memory_limit_bytes(NBYTES / 10).no_spill().build().unwrap();
    assert_eq!(rt.plan_store(&y).unwrap().spill_bytes(), 0);
    assert_eq!(stored_by(&rt, &y, "no-spill").unwrap(), data);
}

/// Compares stored and computed arrays with the unlimited run, for limits from tight to ample.
fn check<T>(name: &str, shape: &[usize], from: &[&[usize]], to: &[&[usize]], value: fn(usize) -> T)
where
    T: Element + PartialEq + Debug,
{
    let grid = |axes: &[&[usize]]| {
        let axis = |(&n, sizes): (&usize, &&[usize])| AxisChunks::explicit(n, sizes).unwrap();
        ChunkGrid::new(shape.iter().zip(axes).map(axis))
    };
    let mut next = 0..;
    let data = ArrayD::from_shape_simple_fn(IxDyn(shape), || value(next.next().unwrap()));
    let nbytes = (data.len() * size_of::<T>()) as u64;
    for unit in [ReadUnit::Any, ReadUnit::Block] {
        let (x, _) = stored(&data, &grid(from), unit);
        for (kind, x) in [("stored", x.clone()), ("computed", x.mapv(|x| x))] {
            let y = x.rechunk(Chunks::from(&grid(to)));
            let want = unlimited().compute(&y).unwrap();
            assert_eq!(want, data);
            for limit in [nbytes / 2, nbytes, 2 * nbytes, 4 * nbytes] {
                let rt = limited(2, limit.max(64));
                match stored_by(&rt, &y, name) {
                    Ok(got) => assert_eq!(got, want, "{name}, {kind}, {unit:?}, {limit} bytes"),
                    // Too little for what one task needs.
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Memory, "{name}: {error}"),
                }
            }
        }
    }
}

#[test]
fn reshape_of_square_blocks_reads_each_block_once() {
    let data = matrix();
    let squares = ChunkGrid::regular(&[ROWS, COLUMNS], &[128, 128]);
    for shape in [vec![COLUMNS, ROWS], vec![ROWS * COLUMNS], vec![ROWS / 4, 4, COLUMNS]] {
        let (x, source) = stored(&data, &squares, ReadUnit::Any);
        let y = x.reshape(IxDyn(&shape));
        let rt = limited(2, NBYTES / 10);
        let plan = rt.plan_store(&y).unwrap();
        assert_eq!((plan.bytes_read(), plan.rerun_bytes()), (NBYTES, 0));
        assert!(plan.spill_bytes() <= NBYTES && plan.peak_bytes() <= NBYTES / 10, "{plan}");
        let want = data.clone().into_shape_with_order(shape).unwrap();
        assert_eq!(stored_by(&rt, &y, "reshaped").unwrap(), want);
        let reads = source.reads.lock().unwrap();
        assert!(reads.len() == 256 && reads.values().all(|&n| n == 1), "{reads:?}");
    }
}

#[test]
fn reshape_of_whole_rows_needs_no_pieces() {
    let (x, _) = stored(&matrix(), &rows(), ReadUnit::Any);
    let plan = limited(1, NBYTES / 10).plan_store(&x.reshape(IxDyn(&[COLUMNS, ROWS]))).unwrap();
    assert_eq!((plan.tasks(), plan.bytes_read(), plan.spill_bytes()), (32, NBYTES, 0));
}

#[test]
fn any_grids_and_types_have_the_bits_of_the_unlimited_run() {
    check("line", &[20], &[&[3, 7, 10]], &[&[5, 5, 5, 5]], |i| i as f64 / 3.0);
    check("empty-blocks", &[12], &[&[0, 4, 0, 5, 3, 0]], &[&[2, 0, 6, 4]], |i| i as i32);
    check("nothing", &[0, 4], &[&[0], &[2, 2]], &[&[0], &[1, 3]], |i| i as i64);
    check("ragged", &[9, 10], &[&[4, 4, 1], &[10]], &[&[9], &[3, 3, 3, 1]], |i| i as u8);
    check("crossing", &[9, 10], &[&[4, 4, 1], &[6, 4]], &[&[2, 5, 2], &[1, 8, 1]], |i| i as f32);
    check("bits", &[16, 16], &[&[1; 16], &[16]], &[&[16], &[1; 16]], |i| i % 3 == 0);
    check("cube", &[6, 7, 8], &[&[1; 6], &[7], &[8]], &[&[6], &[2, 2, 2, 1], &[3, 5]], |i| i as i16);
    check("pencils", &[5, 6, 7], &[&[5], &[1; 6], &[1; 7]], &[&[1; 5], &[6], &[7]], |i| i as u64);
}
