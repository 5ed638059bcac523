//! The conformance suite over the sources and sinks that need no file.

#![cfg(feature = "testing")]
// A helper of tests is a test.
#![allow(clippy::unwrap_used)]

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, ChunkSource, DType, Region, Scalar};
use chunkwise_storage::testing::{check_same, check_sink, check_source, sample};
use chunkwise_storage::{
    ArangeSource, BlockFnSource, EyeSource, FillSource, FnSource, LinspaceSource, MemorySink, MemorySource,
    ResidentSource,
};
use ndarray::{Array, ArrayD, IxDyn};

/// Grids of one array: whole, all ones, regular with a rest, irregular with empty blocks.
fn grids() -> Vec<ChunkGrid> {
    let odd = [AxisChunks::explicit(7, &[0, 4, 0, 3]).unwrap(), AxisChunks::explicit(5, &[1, 0, 4]).unwrap()];
    vec![
        ChunkGrid::whole(&[7, 5]),
        ChunkGrid::regular(&[7, 5], &[1, 1]),
        ChunkGrid::regular(&[7, 5], &[3, 2]),
        ChunkGrid::new(odd),
    ]
}

/// Shapes with an axis of length 0, no axis, and many.
const SHAPES: [&[usize]; 5] = [&[], &[0], &[3, 0, 2], &[1, 1, 1, 1, 1, 1, 2], &[40, 33]];

#[test]
fn memory_sources() {
    for &dtype in DType::ALL {
        let content = sample(dtype, &[6, 4, 3]);
        check_source(&MemorySource::from_chunk(content.clone()), &content);
        let part = content.part(&Region::new(&[1, 1, 0], &[4, 2, 3]));
        check_source(&MemorySource::from_chunk(part.clone()), &part);
    }
    for shape in SHAPES {
        let content = sample(DType::F32, shape);
        check_source(&MemorySource::from_chunk(content.clone()), &content);
    }
}

#[test]
fn resident_sources() {
    let content = sample(DType::I64, &[7, 5]);
    for grid in grids() {
        let blocks = grid.blocks().map(|block| content.part(&grid.region(&block))).collect();
        check_source(&ResidentSource::new(DType::I64, grid, blocks).unwrap(), &content);
    }
}

#[test]
fn memory_sinks() {
    for &dtype in DType::ALL {
        let content = sample(dtype, &[7, 5]);
        for grid in grids() {
            let sink = MemorySink::new(dtype, &grid).unwrap();
            check_sink(&sink, &content);
            check_same(&sink.into_chunk().unwrap(), &content, "memory");
        }
    }
    for shape in SHAPES {
        let content = sample(DType::U16, shape);
        let sink = MemorySink::new(DType::U16, &ChunkGrid::whole(shape)).unwrap();
        check_sink(&sink, &content);
        check_same(&sink.into_chunk().unwrap(), &content, "memory");
    }
}

#[test]
fn formulas() {
    check_source(
        &FillSource::new(Scalar::F64(f64::NAN), &[3, 4]),
        &Chunk::filled(Scalar::F64(f64::NAN), &[3, 4]),
    );
    let range = Array::from_iter((0..100i16).map(|i| 5 - 3 * i)).into_dyn();
    check_source(&ArangeSource::new(5i16, -3, 100), &Chunk::from_array(range));
    let line = Array::linspace(-1.0f64, 1.0, 101).into_dyn();
    let source = LinspaceSource::new(-1.0f64, 1.0, 101);
    let found = source.read(&Region::whole(&[101])).unwrap();
    let error = (found.to_array::<f64>().unwrap() - line).mapv(f64::abs);
    assert!(error.iter().all(|&e| e < 1e-15));
    check_source(&source, &found);
    check_source(
        &EyeSource::new(DType::F32, 9, 9, 0),
        &Chunk::from_array(Array::<f32, _>::eye(9).into_dyn()),
    );
}

#[test]
fn functions() {
    let content = sample(DType::U8, &[7, 5]);
    let array = content.to_array::<u8>().unwrap();
    let (by_index, by_block) = (array.clone(), content.clone());
    check_source(&FnSource::new(&[7, 5], move |i: &[usize]| by_index[i]), &content);
    for grid in grids() {
        let content_of = by_block.clone();
        let block = move |r: &Region| -> ArrayD<u8> { content_of.part(r).to_array().unwrap() };
        check_source(&BlockFnSource::new(grid, block), &content);
    }
    let scalar = FnSource::new(&[], |_: &[usize]| 4.0f32);
    check_source(&scalar, &Chunk::from_array(ArrayD::from_elem(IxDyn(&[]), 4.0f32)));
}
