//! Files written here and by NumPy, read back.

use chunkwise_chunk::{ChunkSink, Complex, Element};
use proptest::prelude::*;

use super::*;
use crate::testing::{check_same, check_sink, check_source, sample};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(name)
}

fn expected(key: &str) -> f64 {
    let text = std::fs::read_to_string(data("expected.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap()[key].as_f64().unwrap()
}

/// A file in NumPy's words.
fn write_file(path: &Path, descr: &str, fortran: bool, shape: &str, body: &[u8]) {
    let order = if fortran { "True" } else { "False" };
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x03\x00".to_vec();
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(body);
    std::fs::write(path, bytes).unwrap();
}

fn round_trip(content: &Chunk) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let sink = NpySink::create(&path, content.dtype(), content.shape()).unwrap();
    check_sink(&sink, content);
    check_source(&NpySource::open(&path).unwrap(), content);
}

#[test]
fn every_type_and_shape_comes_back() {
    for &dtype in DType::ALL {
        round_trip(&sample(dtype, &[7, 3, 5]));
    }
    for shape in [&[][..], &[0], &[1], &[3, 0, 2], &[1, 1, 1, 1, 1, 1, 2]] {
        round_trip(&sample(DType::I16, shape));
    }
}

#[test]
fn fortran_order_and_big_endian_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let content = sample(DType::I32, &[4, 3, 2]);
    let array = content.to_array::<i32>().unwrap();
    for fortran in [false, true] {
        let stored = if fortran { array.clone().reversed_axes() } else { array.clone() };
        for (order, big) in [('<', false), ('>', true)] {
            let bytes = |x: &i32| if big { x.to_be_bytes() } else { x.to_le_bytes() };
            let body: Vec<u8> = stored.iter().flat_map(bytes).collect();
            write_file(&path, &format!("{order}i4"), fortran, "(4, 3, 2)", &body);
            check_source(&NpySource::open(&path).unwrap(), &content);
        }
    }
}

#[test]
fn parts_of_complex_numbers_are_read_in_both_orders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let content = sample(DType::C128, &[3, 2]);
    let array = content.to_array::<Complex<f64>>().unwrap();
    for fortran in [false, true] {
        let stored = if fortran { array.clone().reversed_axes() } else { array.clone() };
        for (order, big) in [('<', false), ('>', true)] {
            let bytes = |x: f64| if big { x.to_be_bytes() } else { x.to_le_bytes() };
            let body: Vec<u8> = stored.iter().flat_map(|z| [bytes(z.re), bytes(z.im)].concat()).collect();
            write_file(&path, &format!("{order}c16"), fortran, "(3, 2)", &body);
            check_source(&NpySource::open(&path).unwrap(), &content);
        }
    }
}

#[test]
fn bool_bytes_other_than_one_are_true() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    write_file(&path, "|b1", false, "(4,)", &[0, 1, 2, 255]);
    let read = NpySource::open(&path).unwrap().read(&Region::whole(&[4])).unwrap();
    assert_eq!(read.to_array::<bool>().unwrap().as_slice().unwrap(), [false, true, true, true]);
}

#[test]
fn unreadable_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let message = || NpySource::open(&path).unwrap_err().to_string();
    assert!(message().contains("x.npy: cannot be opened: No such file"), "{}", message());
    std::fs::write(&path, "").unwrap();
    assert!(message().contains("x.npy: is not an npy file"), "{}", message());
    std::fs::write(&path, "\u{89}PNG").unwrap();
    assert!(message().contains("x.npy: is not an npy file"), "{}", message());
    write_file(&path, "<f8", false, "(3,)", &[0; 23]);
    assert!(message().contains("x.npy: is truncated: shape [3] of f64 needs 24 bytes"), "{}", message());
    assert!(NpySource::open(folder.path()).unwrap_err().to_string().contains("is not a file"));
}

/// Runs that are shorter and longer than what a read keeps, and pages that two runs share.
#[test]
fn runs_of_any_length_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    for (dtype, width) in [(DType::Bool, 3_000_000), (DType::I16, 70_000), (DType::F64, 900_000)] {
        let content = sample(dtype, &[3, width]);
        let sink = NpySink::create(&path, dtype, &[3, width]).unwrap();
        sink.write(&Region::whole(&[3, width]), &content).unwrap();
        sink.finish().unwrap();
        let source = NpySource::open(&path).unwrap();
        for (start, len) in [(0, width), (1, width - 1), (0, width - 100), (5, 600), (5, 10), (width - 1, 1)]
        {
            let region = Region::new(&[0, start], &[3, len]);
            check_same(&source.read(&region).unwrap(), &content.part(&region), "region");
        }
    }
    let content = sample(DType::U16, &[1000, 100]);
    let sink = NpySink::create(&path, DType::U16, &[1000, 100]).unwrap();
    // Written from a block with gaps between its rows.
    let wide = sample(DType::U16, &[1000, 100]);
    sink.write(&Region::new(&[0, 0], &[1000, 60]), &wide.part(&Region::new(&[0, 0], &[1000, 60]))).unwrap();
    sink.write(&Region::new(&[0, 60], &[1000, 40]), &wide.part(&Region::new(&[0, 60], &[1000, 40]))).unwrap();
    sink.finish().unwrap();
    let source = NpySource::open(&path).unwrap();
    for (start, len) in [(0, 100), (1, 99), (30, 40), (99, 1)] {
        let region = Region::new(&[3, start], &[990, len]);
        check_same(&source.read(&region).unwrap(), &content.part(&region), "region");
    }
}

#[test]
fn source_of_a_replaced_file_keeps_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let write = |value: u8, n: usize| {
        let sink = NpySink::create(&path, DType::U8, &[n]).unwrap();
        sink.write(&Region::whole(&[n]), &Chunk::filled(value.into_scalar(), &[n])).unwrap();
        sink.finish().unwrap();
        NpySource::open(&path).unwrap()
    };
    let (former, latter) = (write(1, 3), write(2, 4));
    assert_eq!(former.read(&Region::whole(&[3])).unwrap().to_array::<u8>().unwrap()[0], 1);
    assert_eq!(latter.read(&Region::whole(&[4])).unwrap().to_array::<u8>().unwrap()[0], 2);
    assert_ne!(former.key(), latter.key());
    assert_eq!(latter.key(), NpySource::open(&path).unwrap().key());
}

#[test]
fn numpys_files_read_as_numpy_reads_them() {
    let source = NpySource::open(data("a1b_air_temperature.npy")).unwrap();
    assert_eq!((source.dtype(), source.shape()), (DType::F32, &[240, 37, 49][..]));
    let whole = source.read(&Region::whole(source.shape())).unwrap();
    check_source(&source, &whole);
    let array = whole.to_array::<f32>().unwrap().mapv(f64::from);
    assert!((array.mean().unwrap() - expected("mean")).abs() < 1e-9);
    assert!((array.std(0.0) - expected("std")).abs() < 1e-9);
    let argmax = array.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0))).unwrap().0;
    assert_eq!(argmax as f64, expected("argmax_flat"));

    let source = NpySource::open(data("soi_darwin.npy")).unwrap();
    assert_eq!(source.name(), "npy soi_darwin.npy");
    let array = source.read(&Region::whole(&[1776])).unwrap().to_array::<f32>().unwrap().mapv(f64::from);
    assert!((array.mean().unwrap() - expected("soi_mean")).abs() < 1e-9);
    assert!((array.std(0.0) - expected("soi_std")).abs() < 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_region_of_any_file_is_the_part_of_the_whole(
        shape in prop::collection::vec(0usize..6, 0..5),
        at in 0..DType::ALL.len(),
        cuts in prop::collection::vec((0usize..6, 0usize..6), 5),
        fortran: bool,
    ) {
        let content = sample(DType::ALL[at], &shape);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let sink = NpySink::create(&path, content.dtype(), &shape).unwrap();
        // Written from a block in the other order, the file must be the same.
        let block = if fortran { content.to_fortran() } else { content.clone() };
        sink.write(&Region::whole(&shape), &block).unwrap();
        sink.finish().unwrap();
        let mut region = Region::whole(&shape);
        for (axis, &(start, len)) in cuts.iter().enumerate().take(shape.len()) {
            let start = start.min(shape[axis]);
            region.set_axis(axis, start, len.min(shape[axis] - start));
        }
        let read = NpySource::open(&path).unwrap().read(&region).unwrap();
        check_same(&read, &content.part(&region), "region");
    }
}

trait ToFortran {
    fn to_fortran(&self) -> Chunk;
}

impl ToFortran for Chunk {
    /// The same elements, the first axis varying fastest in memory.
    fn to_fortran(&self) -> Chunk {
        let axes: Vec<usize> = (0..self.shape().len()).rev().collect();
        let flip = |chunk: &Chunk| chunk.view(&chunkwise_chunk::View::permute(chunk.shape(), &axes).unwrap());
        flip(&flip(self).to_owned_copy())
    }
}
