//! The conformance suite: what every source and sink must do, whatever its format (feature `testing`).
//!
//! A new format is right when [`check_source`] and [`check_sink`] pass on arrays of several shapes, types and
//! chunkings.

use chunkwise_chunk::{
    Chunk, ChunkGrid, ChunkSink, ChunkSource, DType, Element, ReadUnit, Region, Scalar, Shape, dispatch,
};
use ndarray::{ArrayD, IxDyn};

use crate::bytes::{ByteForm, ByteOrder};

/// Threads that read or write at the same time.
const THREADS: usize = 8;

/// Regions tried beside the blocks.
const REGIONS: usize = 40;

/// Checks that a source reads as `expected`: whole, in its blocks, in odd regions, in empty ones, from eight
/// threads at a time, and that it refuses what lies outside.
///
/// # Panics
/// When the source does not conform; the message says how.
///
/// ```
/// use chunkwise_chunk::{Chunk, Scalar};
/// use chunkwise_storage::{FillSource, testing::check_source};
/// check_source(&FillSource::new(Scalar::I8(3), &[4, 5]), &Chunk::filled(Scalar::I8(3), &[4, 5]));
/// ```
pub fn check_source(source: &dyn ChunkSource, expected: &Chunk) {
    assert_eq!(source.dtype(), expected.dtype(), "type of {}", source.name());
    assert_eq!(source.shape(), expected.shape(), "shape of {}", source.name());
    assert!(!source.name().is_empty(), "a source needs a name for plans and errors");
    let regions = regions_of(source);
    for region in &regions {
        check_region(source, expected, region);
    }
    check_refused(source);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let regions = &regions;
            scope.spawn(move || {
                // Each thread starts elsewhere, so that different blocks are read at the same time.
                for i in 0..regions.len() {
                    check_region(
                        source,
                        expected,
                        &regions[(i + thread * regions.len() / THREADS) % regions.len()],
                    );
                }
            });
        }
    });
}

/// Checks that a sink takes `content` by blocks from eight threads and nothing else: no block of another type
/// or shape, no region outside the array or that is no block, and no end before every block is there.
///
/// Afterwards the sink is finished; the caller reads the result back.
///
/// # Panics
/// When the sink does not conform; the message says how.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkGrid, DType};
/// use chunkwise_storage::{MemorySink, testing::{check_same, check_sink}};
/// let content = Chunk::from_array(ndarray::Array::range(0.0, 10.0, 1.0).into_dyn());
/// let sink = MemorySink::new(DType::F64, &ChunkGrid::regular(&[10], &[3])).unwrap();
/// check_sink(&sink, &content);
/// check_same(&sink.into_chunk().unwrap(), &content, "memory");
/// ```
pub fn check_sink(sink: &dyn ChunkSink, content: &Chunk) {
    let shape = content.shape();
    let thirds: Shape = shape.iter().map(|n| n.div_ceil(3).max(1)).collect();
    let grid = sink.write_grid().unwrap_or_else(|| ChunkGrid::regular(shape, &thirds));
    assert_eq!(grid.shape(), shape, "shape of the write grid");
    check_bad_writes(sink, content, &grid);
    let mut blocks: Vec<Region> = grid.blocks().map(|block| grid.region(&block)).collect();
    blocks.reverse();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let blocks = &blocks;
            scope.spawn(move || {
                for region in blocks.iter().skip(thread).step_by(THREADS) {
                    sink.write(region, &content.part(region))
                        .unwrap_or_else(|e| panic!("write of {region}: {e}"));
                }
            });
        }
    });
    sink.finish().unwrap_or_else(|e| panic!("finish: {e}"));
}

/// Checks that two blocks have the same type, shape and bits.
///
/// # Panics
/// When they differ; the message starts with `what` and names the first index.
///
/// ```
/// use chunkwise_chunk::{Chunk, Scalar};
/// let nan = Chunk::filled(Scalar::F64(f64::NAN), &[2]);
/// chunkwise_storage::testing::check_same(&nan, &nan, "NaN");
/// ```
pub fn check_same(found: &Chunk, expected: &Chunk, what: &str) {
    assert_eq!(found.dtype(), expected.dtype(), "{what}: type");
    assert_eq!(found.shape(), expected.shape(), "{what}: shape");
    if bits(found) == bits(expected) {
        return;
    }
    let (found, expected) = (found.to_contiguous(), expected.to_contiguous());
    dispatch!(expected.dtype(), T => check_same_elements::<T>(&found, &expected, what));
}

/// A block of a type and shape whose elements differ from their neighbours.
///
/// # Panics
/// When the block would have more elements than memory holds.
///
/// ```
/// use chunkwise_chunk::DType;
/// assert_eq!(chunkwise_storage::testing::sample(DType::U16, &[3, 2]).len(), 6);
/// ```
pub fn sample(dtype: DType, shape: &[usize]) -> Chunk {
    let len: usize = shape.iter().product();
    dispatch!(dtype, T => {
        // 251 is prime to every usual length, so that no two rows or columns agree.
        let mut elements = Vec::with_capacity(len);
        let bytes = (0..len * size_of::<T>()).map(|i| (i % 251) as u8);
        T::decode(&bytes.collect::<Vec<u8>>(), ByteOrder::Little, &mut elements);
        Chunk::from_array(ArrayD::from_shape_vec(IxDyn(shape), elements).expect("one element an index"))
    })
}

/// Whole, each block, odd and empty regions; of a block source only blocks.
fn regions_of(source: &dyn ChunkSource) -> Vec<Region> {
    let shape = source.shape();
    let grid = source.native_chunks().unwrap_or_else(|| ChunkGrid::whole(shape));
    assert_eq!(grid.shape(), shape, "shape of the native grid of {}", source.name());
    let mut regions: Vec<Region> = grid.blocks().take(REGIONS).map(|block| grid.region(&block)).collect();
    if source.unit() == ReadUnit::Block {
        return regions;
    }
    regions.push(Region::whole(shape));
    let mut random = Random(1);
    for _ in 0..REGIONS {
        let mut region = Region::whole(shape);
        for (axis, &n) in shape.iter().enumerate() {
            let start = random.below(n + 1);
            let len = random.below(n - start + 1);
            region.set_axis(axis, start, if len == 0 && start < n { 1 } else { len });
        }
        regions.push(region);
    }
    for (axis, &n) in shape.iter().enumerate() {
        let mut region = Region::whole(shape);
        region.set_axis(axis, n / 2, 0);
        regions.push(region.clone());
        region.set_axis(axis, n, 0);
        regions.push(region);
    }
    regions
}

fn bits(chunk: &Chunk) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(chunk.nbytes());
    chunk.write_elements(&mut bytes).expect("a vector takes any bytes");
    bytes
}

fn check_same_elements<T: Element>(found: &Chunk, expected: &Chunk, what: &str) {
    let (found, expected) = (elements::<T>(found), elements::<T>(expected));
    for (i, (x, y)) in found.iter().zip(expected).enumerate() {
        assert_eq!(x.into_scalar(), y.into_scalar(), "{what}: element {i} in C order");
    }
    panic!("{what}: bits of NaN or of zero differ");
}

fn elements<T: Element>(chunk: &Chunk) -> &[T] {
    chunk.typed::<T>().expect("the type was checked").as_slice().expect("the block is contiguous")
}

fn check_region(source: &dyn ChunkSource, expected: &Chunk, region: &Region) {
    let what = format!("{} at {region}", source.name());
    let found = source.read(region).unwrap_or_else(|e| panic!("{what}: {e}"));
    check_same(&found, &expected.part(region), &what);
}

fn check_refused(source: &dyn ChunkSource) {
    let name = source.name();
    for region in outside(source.shape()) {
        assert!(source.read(&region).is_err(), "{name}: {region:?} lies outside and must be refused");
    }
}

fn check_bad_writes(sink: &dyn ChunkSink, content: &Chunk, grid: &ChunkGrid) {
    let (shape, first) = (content.shape(), grid.region(&grid.block(0)));
    for region in outside(shape) {
        let block = Chunk::zeros(content.dtype(), region.shape());
        assert!(sink.write(&region, &block).is_err(), "{region:?} lies outside and must be refused");
    }
    let other = if content.dtype() == DType::I32 { Scalar::F32(0.0) } else { Scalar::I32(0) };
    let wrong = Chunk::filled(other, first.shape());
    assert!(sink.write(&first, &wrong).is_err(), "a block of another type must be refused");
    let longer: Shape = first.shape().iter().map(|n| n + 1).chain([1]).collect();
    let wrong = Chunk::zeros(content.dtype(), &longer);
    assert!(sink.write(&first, &wrong).is_err(), "a block of another shape must be refused");
    if sink.write_grid().is_some() && grid.num_blocks() > 1 && !content.is_empty() {
        assert!(sink.write(&Region::whole(shape), content).is_err(), "what is no block must be refused");
    }
    if !content.is_empty() {
        assert!(sink.finish().is_err(), "an array with missing blocks must not be finished");
    }
}

/// Regions that no array of this shape has.
fn outside(shape: &[usize]) -> Vec<Region> {
    let mut regions = vec![Region::whole(&vec![0; shape.len() + 1])];
    for (axis, &n) in shape.iter().enumerate() {
        for (start, len) in [(0, n + 1), (n, 1), (n + 1, 0)] {
            let mut region = Region::whole(shape);
            region.set_axis(axis, start, len);
            regions.push(region);
        }
    }
    regions
}

/// Knuth's linear congruential generator: the same regions on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}
