//! Arrays written here and by zarr-python, read back; and arrays that cannot be read.

use std::fs;
use std::path::PathBuf;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkGrid, ChunkSink, ChunkSource, Complex, DType, Scalar};
use serde_json::{Value, json};

use super::*;
use crate::NpySource;
use crate::testing::{check_same, check_sink, check_source, sample};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(name)
}

fn expected(key: &str) -> f64 {
    let text = fs::read_to_string(data("expected.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[key].as_f64().unwrap()
}

fn whole(source: &dyn ChunkSource) -> Chunk {
    source.read(&Region::whole(source.shape())).unwrap()
}

fn write(path: &Path, content: &Chunk, chunk: &[usize], options: &ZarrOptions) {
    let grid = ChunkGrid::regular(content.shape(), chunk);
    let sink = ZarrSink::create(path, content.dtype(), &grid, options).unwrap();
    for block in sink.write_grid().unwrap().blocks() {
        let region = sink.write_grid().unwrap().region(&block);
        sink.write(&region, &content.part(&region)).unwrap();
    }
    sink.finish().unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn arrays_of_zarr_python_read_as_numpy_reads_them() {
    let npy = whole(&NpySource::open(data("a1b_air_temperature.npy")).unwrap());
    for (name, chunk) in
        [("a1b_v2.zarr", [60, 37, 49]), ("a1b_v3.zarr", [24, 20, 25]), ("a1b_v3_sharded.zarr", [12, 37, 49])]
    {
        let source = ZarrSource::open(data(name)).unwrap();
        assert_eq!(source.native_chunks(), Some(ChunkGrid::regular(&[240, 37, 49], &chunk)), "{name}");
        check_source(&source, &npy);
        let mean = whole(&source).to_array::<f32>().unwrap().mapv(f64::from).mean().unwrap();
        assert!((mean - expected("mean")).abs() < 1e-9, "{name}");
    }
    let source = ZarrSource::open(data("e1_v3.zarr")).unwrap();
    let array = whole(&source).to_array::<f32>().unwrap().mapv(f64::from);
    assert!((array.mean().unwrap() - expected("e1_mean")).abs() < 1e-9);
}

#[test]
fn attributes_and_shards_are_told() {
    for name in ["a1b_v2.zarr", "a1b_v3.zarr"] {
        let attributes: Value =
            serde_json::from_str(&ZarrSource::open(data(name)).unwrap().attributes()).unwrap();
        assert_eq!(attributes, json!({"units": "K", "standard_name": "air_temperature"}));
    }
    assert_eq!(ZarrSource::open(data("a1b_v3.zarr")).unwrap().shards(), None);
    let sharded = ZarrSource::open(data("a1b_v3_sharded.zarr")).unwrap();
    assert_eq!(sharded.shards(), Some(ChunkGrid::regular(&[240, 37, 49], &[120, 37, 49])));
    assert_eq!(sharded.name(), "zarr a1b_v3_sharded.zarr");
}

#[test]
fn every_type_comes_back_in_every_layout() {
    let folder = tempfile::tempdir().unwrap();
    let v3 = ZarrOptions::default();
    for (i, options) in [
        v3.clone(),
        v3.clone().shard(&[6, 4]),
        v3.clone().uncompressed(),
        v3.clone().version(ZarrVersion::V2),
        v3.version(ZarrVersion::V2).uncompressed(),
    ]
    .iter()
    .enumerate()
    {
        for &dtype in DType::ALL {
            let content = sample(dtype, &[7, 5]);
            let path = folder.path().join(format!("{dtype}-{i}.zarr"));
            let grid = ChunkGrid::regular(&[7, 5], &[3, 2]);
            check_sink(&ZarrSink::create(&path, dtype, &grid, options).unwrap(), &content);
            let source = ZarrSource::open(&path).unwrap();
            assert_eq!(source.native_chunks(), Some(grid));
            check_source(&source, &content);
        }
    }
}

#[test]
fn odd_shapes_come_back() {
    let folder = tempfile::tempdir().unwrap();
    for version in [ZarrVersion::V2, ZarrVersion::V3] {
        for (i, shape) in [&[][..], &[0], &[3, 0, 2], &[1, 1, 1, 1, 1, 1, 2]].iter().enumerate() {
            let content = sample(DType::I16, shape);
            let path = folder.path().join(format!("{version:?}-{i}.zarr"));
            let options = ZarrOptions::default().version(version);
            let sink = ZarrSink::create(&path, DType::I16, &ChunkGrid::whole(shape), &options).unwrap();
            check_sink(&sink, &content);
            check_source(&ZarrSource::open(&path).unwrap(), &content);
        }
    }
}

#[test]
fn missing_chunks_read_as_the_fill_value() {
    let complex = Scalar::C128(Complex::new(f64::NAN, -0.5));
    let folder = tempfile::tempdir().unwrap();
    for (i, fill) in
        [Scalar::F32(f32::NAN), Scalar::F32(f32::NEG_INFINITY), Scalar::F32(0.1), complex].iter().enumerate()
    {
        for version in [ZarrVersion::V2, ZarrVersion::V3] {
            let path = folder.path().join(format!("{i}-{version:?}.zarr"));
            let content = Chunk::filled(*fill, &[5]);
            write(&path, &content, &[2], &ZarrOptions::default().fill(*fill).version(version));
            let files = names(&path);
            assert!(files.iter().all(|f| f.starts_with(".z") || f == "zarr.json"), "{files:?}");
            check_same(&whole(&ZarrSource::open(&path).unwrap()), &content, "fill");
        }
    }
}

#[test]
fn missing_shards_and_missing_chunks_of_shards_read_as_the_fill_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let mut array = ndarray::ArrayD::from_elem(ndarray::IxDyn(&[12]), 7u16);
    array[[4]] = 1;
    let content = Chunk::from_array(array);
    write(&path, &content, &[2], &ZarrOptions::default().fill(Scalar::U16(7)).shard(&[6]));
    assert_eq!(names(&path.join("c")), ["0"]);
    check_source(&ZarrSource::open(&path).unwrap(), &content);
}

#[test]
fn irregular_chunks_of_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    write(&path, &Chunk::filled(Scalar::I32(5), &[7]), &[7], &ZarrOptions::default().fill(Scalar::I32(5)));
    let meta = path.join("zarr.json");
    let mut node: Value = serde_json::from_slice(&fs::read(&meta).unwrap()).unwrap();
    node["chunk_grid"] = json!({"name": "rectilinear", "configuration":
        {"kind": "inline", "chunk_shapes": [[3, 1, 3]]}});
    fs::write(&meta, node.to_string()).unwrap();
    let source = ZarrSource::open(&path).unwrap();
    let cut = AxisChunks::explicit(7, &[3, 1, 3]).unwrap();
    assert_eq!(source.native_chunks(), Some(ChunkGrid::new([cut])));
    check_source(&source, &Chunk::filled(Scalar::I32(5), &[7]));
}

#[test]
fn old_arrays_in_other_orders_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    fs::create_dir(&path).unwrap();
    let array = ndarray::arr2(&[[1i16, 2, 3], [4, 5, 6]]);
    for order in ["C", "F"] {
        let meta = json!({"zarr_format": 2, "shape": [2, 3], "chunks": [2, 3], "dtype": ">i2", "order": order,
            "compressor": null, "filters": null, "fill_value": null});
        fs::write(path.join(".zarray"), meta.to_string()).unwrap();
        let stored = if order == "C" { array.clone().into_dyn() } else { array.t().to_owned().into_dyn() };
        let bytes: Vec<u8> = stored.iter().flat_map(|x| x.to_be_bytes()).collect();
        fs::write(path.join("0.0"), bytes).unwrap();
        let source = ZarrSource::open(&path).unwrap();
        check_source(&source, &Chunk::from_array(array.clone().into_dyn()));
        fs::remove_file(path.join("0.0")).unwrap();
        check_same(&whole(&ZarrSource::open(&path).unwrap()), &Chunk::zeros(DType::I16, &[2, 3]), "no fill");
    }
}

#[test]
fn what_is_no_array_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let message = || ZarrSource::open(&path).unwrap_err().to_string();
    assert!(message().contains("x.zarr: cannot be opened"), "{}", message());
    fs::write(&path, "").unwrap();
    assert!(message().contains("x.zarr: is not a folder"), "{}", message());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(message().contains("neither zarr.json nor .zarray"), "{}", message());
    fs::write(path.join(".zgroup"), "{\"zarr_format\": 2}").unwrap();
    write(&path.join("b"), &sample(DType::U8, &[2]), &[2], &ZarrOptions::default());
    write(&path.join("a"), &sample(DType::U8, &[2]), &[2], &ZarrOptions::default().version(ZarrVersion::V2));
    assert!(message().contains("is a Zarr group; open one of its arrays: a, b"), "{}", message());
    fs::write(path.join("zarr.json"), "{\"node_type\": \"group\", \"zarr_format\": 3}").unwrap();
    assert!(message().contains("is a Zarr group"), "{}", message());
    fs::write(path.join("zarr.json"), "{\"node").unwrap();
    assert!(message().contains("zarr.json is no JSON"), "{}", message());
    fs::write(path.join("zarr.json"), "{\"node_type\": \"array\", \"zarr_format\": 3}").unwrap();
    assert!(message().contains("x.zarr"), "{}", message());
}

#[test]
fn unreadable_metadata_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    write(&path, &sample(DType::F32, &[4]), &[4], &ZarrOptions::default());
    let meta = path.join("zarr.json");
    let good: Value = serde_json::from_slice(&fs::read(&meta).unwrap()).unwrap();
    for (key, value, says) in [
        ("data_type", json!("float16"), "has elements of type float16 / <f2; known are bool, int8"),
        ("data_type", json!("nonsense"), "nonsense"),
        ("codecs", json!([{"name": "bytes"}, {"name": "pied_piper"}]), "pied_piper"),
        ("shape", json!([4, 4]), "dimensionality"),
        ("shape", json!([u64::MAX]), "address"),
        ("shape", json!("four"), "zarr.json"),
        ("fill_value", json!("red"), "fill value"),
        ("chunk_grid", json!({"name": "regular", "configuration": {"chunk_shape": [0]}}), "nonzero"),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        fs::write(&meta, bad.to_string()).unwrap();
        let message = ZarrSource::open(&path).unwrap_err().to_string();
        assert!(message.contains("x.zarr") && message.contains(says), "{key}: {message}");
    }
}

#[test]
fn damaged_chunks_are_errors_that_name_the_region() {
    let folder = tempfile::tempdir().unwrap();
    let content = sample(DType::F32, &[40]);
    for (i, options) in [ZarrOptions::default(), ZarrOptions::default().shard(&[20])].iter().enumerate() {
        let path = folder.path().join(format!("{i}.zarr"));
        write(&path, &content, &[10], options);
        let chunk = path.join("c/1");
        let good = fs::read(&chunk).unwrap();
        for bad in [&good[..good.len() / 2], &good[..1], &[]] {
            fs::write(&chunk, bad).unwrap();
            let source = ZarrSource::open(&path).unwrap();
            let region = if i == 0 { Region::new(&[10], &[10]) } else { Region::new(&[20], &[20]) };
            let message = source.read(&region).unwrap_err().to_string();
            assert!(message.contains(".zarr: region ["), "{message}");
        }
    }
}

#[test]
fn no_damage_is_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let content = sample(DType::F32, &[40]);
    let v3 = ZarrOptions::default();
    for (i, options) in
        [v3.clone(), v3.clone().shard(&[20]), v3.shard(&[20]).uncompressed()].iter().enumerate()
    {
        let path = folder.path().join(format!("{i}.zarr"));
        write(&path, &content, &[10], options);
        let chunk = path.join("c/1");
        let good = fs::read(&chunk).unwrap();
        for at in 0..good.len() {
            for flip in [0x01, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                fs::write(&chunk, &bad).unwrap();
                let source = ZarrSource::open(&path).unwrap();
                drop(source.read(&Region::new(&[8], &[25])));
                drop(source.read(&Region::whole(&[40])));
            }
        }
    }
}

#[test]
fn unaligned_readers_decode_a_chunk_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let content = sample(DType::F64, &[100]);
    write(&path, &content, &[100], &ZarrOptions::default());
    let source = ZarrSource::open(&path).unwrap();
    let first = source.read(&Region::new(&[0], &[10])).unwrap();
    // The file is gone, so whatever is read now was decoded before.
    fs::remove_file(path.join("c/0")).unwrap();
    for start in 0..9 {
        let region = Region::new(&[start * 10 + 3], &[7]);
        check_same(&source.read(&region).unwrap(), &content.part(&region), "cached");
    }
    drop(source);
    drop(first);
    let reopened = ZarrSource::open(&path).unwrap().read(&Region::new(&[0], &[10])).unwrap();
    check_same(&reopened, &Chunk::zeros(DType::F64, &[10]), "missing");
}

fn address(chunk: &Chunk) -> usize {
    chunk.typed::<f64>().unwrap().as_ptr() as usize
}

#[test]
fn small_part_of_a_chunk_does_not_keep_the_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let content = sample(DType::F64, &[9, 20]);
    write(&path, &content, &[9, 10], &ZarrOptions::default());
    let source = ZarrSource::open(&path).unwrap();
    let read = |start: &[usize], len: &[usize]| {
        let region = Region::new(start, len);
        let part = source.read(&region).unwrap();
        check_same(&part, &content.part(&region), "part");
        part
    };
    // 50 of the 90 elements share the chunk, and so do 45; 40 and the short rows of a chunk are their own.
    let half = read(&[0, 0], &[5, 10]);
    let chunk = address(&half)..address(&half) + 90 * 8;
    assert_eq!(address(&read(&[4, 0], &[5, 10])), address(&half) + 4 * 10 * 8);
    assert!(chunk.contains(&address(&read(&[0, 5], &[9, 5]))));
    assert!(!chunk.contains(&address(&read(&[5, 0], &[4, 10]))));
    let column = read(&[0, 3], &[9, 1]);
    assert!(!chunk.contains(&address(&column)));
    assert!(column.typed::<f64>().unwrap().is_standard_layout());
}

#[test]
fn read_is_charged_what_it_decodes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    write(&path, &sample(DType::F64, &[25, 4]), &[10, 4], &ZarrOptions::default());
    let source = ZarrSource::open(&path).unwrap();
    let scratch = |start, len| source.scratch(&Region::new(&[start, 0], &[len, 4]));
    // A chunk has 320 bytes decoded. One chunk: its encoded bytes; the block is what was decoded.
    assert_eq!(scratch(10, 10), 320);
    // A part of one, parts of several, and the last one, which is stored at full length: encoded and decoded.
    assert_eq!((scratch(10, 9), scratch(5, 10), scratch(20, 5)), (640, 640, 640));
    // Several whole ones: one at a time, and the bytes of all from which the elements are copied.
    assert_eq!((scratch(0, 20), scratch(0, 25)), (640, 800));
    assert_eq!((scratch(10, 0), scratch(20, 6), scratch(usize::MAX, 2)), (0, 0, 0));
}

#[test]
fn read_of_a_shard_is_charged_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    write(&path, &sample(DType::U8, &[200]), &[10], &ZarrOptions::default().shard(&[50]));
    let source = ZarrSource::open(&path).unwrap();
    let scratch = |start, len| source.scratch(&Region::new(&[start], &[len]));
    // A chunk is held encoded twice and decoded twice, one of them the block when it is the whole chunk.
    assert_eq!((scratch(10, 10), scratch(10, 5), scratch(5, 10)), (30, 40, 40));
    // Several whole ones: also the file as far as it is read, or the bytes of all from which they are copied.
    assert_eq!((scratch(0, 20), scratch(0, 50), scratch(0, 200)), (60, 90, 200));
}

#[test]
fn chunk_longer_than_the_array_is_charged_as_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    write(&path, &sample(DType::U8, &[5]), &[5], &ZarrOptions::default().shard(&[100]));
    let source = ZarrSource::open(&path).unwrap();
    assert_eq!(source.scratch(&Region::whole(&[5])), 15);
    let meta = path.join("zarr.json");
    let mut node: Value = serde_json::from_slice(&fs::read(&meta).unwrap()).unwrap();
    node["codecs"] = json!([{"name": "bytes"}]);
    fs::write(&meta, node.to_string()).unwrap();
    let source = ZarrSource::open(&path).unwrap();
    assert_eq!(source.native_chunks(), Some(ChunkGrid::whole(&[5])));
    assert_eq!(source.scratch(&Region::whole(&[5])), 200);
}

#[test]
fn write_is_charged_its_copies_and_the_encoded_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let grid = ChunkGrid::regular(&[25, 4], &[10, 4]);
    let create = |name, options: &ZarrOptions| {
        ZarrSink::create(folder.path().join(name), DType::F64, &grid, options).unwrap()
    };
    let sink = create("chunks.zarr", &ZarrOptions::default());
    assert_eq!(sink.scratch(&Region::new(&[0, 0], &[10, 4])), 320 + 320);
    // The last one is filled up to a whole chunk.
    assert_eq!(sink.scratch(&Region::new(&[20, 0], &[5, 4])), 160 + 320 + 320);
    assert_eq!(sink.scratch(&Region::new(&[20, 0], &[0, 4])), 0);
    let sink = create("shards.zarr", &ZarrOptions::default().shard(&[20, 4]));
    // One chunk of the shard is taken out and encoded at a time.
    assert_eq!(sink.scratch(&Region::new(&[0, 0], &[20, 4])), 640 + 640 + 2 * 320);
    assert_eq!(sink.scratch(&Region::new(&[20, 0], &[5, 4])), 160 + 640 + 640 + 2 * 320);
}

#[test]
fn unfinished_array_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let grid = ChunkGrid::regular(&[4], &[2]);
    let sink = ZarrSink::create(&path, DType::U8, &grid, &ZarrOptions::default()).unwrap();
    sink.write(&Region::new(&[0], &[2]), &sample(DType::U8, &[2])).unwrap();
    let message = sink.finish().unwrap_err().to_string();
    assert!(
        message.contains("x.zarr: 2 of 4 elements were never written, the first of them at [2..4]"),
        "{message}"
    );
    assert!(!path.exists());
    drop(sink);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn former_array_stays_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let (former, latter) = (sample(DType::U8, &[4]), sample(DType::F64, &[2, 3]));
    write(&path, &former, &[2], &ZarrOptions::default());
    let sink =
        ZarrSink::create(&path, DType::F64, &ChunkGrid::whole(&[2, 3]), &ZarrOptions::default()).unwrap();
    sink.write(&Region::whole(&[2, 3]), &latter).unwrap();
    check_same(&whole(&ZarrSource::open(&path).unwrap()), &former, "former");
    sink.finish().unwrap();
    check_same(&whole(&ZarrSource::open(&path).unwrap()), &latter, "latter");
    assert_eq!(names(folder.path()), ["x.zarr"]);
    assert!(sink.finish().unwrap_err().to_string().contains("finished already"));
}

#[test]
fn only_arrays_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let create = || ZarrSink::create(&path, DType::U8, &ChunkGrid::whole(&[1]), &ZarrOptions::default());
    fs::create_dir(&path).unwrap();
    drop(create().unwrap());
    fs::write(path.join("thesis.tex"), "").unwrap();
    assert!(create().unwrap_err().to_string().contains("is there and is no Zarr array; it is not replaced"));
    fs::write(path.join("zarr.json"), "{\"node_type\": \"group\", \"zarr_format\": 3}").unwrap();
    assert!(create().is_err());
    assert_eq!(names(&path), ["thesis.tex", "zarr.json"]);
}

#[test]
fn impossible_options_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let regular = ChunkGrid::regular(&[10], &[3]);
    let odd = ChunkGrid::new([AxisChunks::explicit(10, &[3, 6, 1]).unwrap()]);
    let v3 = ZarrOptions::default();
    for (grid, options, says) in [
        (&odd, v3.clone(), "chunks must be equal along each axis"),
        (&regular, v3.clone().shard(&[4]), "shard [4] is no multiple of chunk [3]"),
        (&regular, v3.clone().shard(&[3, 3]), "is no multiple"),
        (&regular, v3.clone().shard(&[3]).version(ZarrVersion::V2), "version 2 has no shards"),
        (&regular, v3.clone().fill(Scalar::F32(0.0)), "fill value 0.0 is of type f32"),
        (&regular, v3.clone().attributes("[]"), "must be a JSON object"),
        (&regular, v3.clone().attributes("{"), "are no JSON"),
        (&regular, v3.clone().zstd_level(99), "x.zarr"),
    ] {
        let message = ZarrSink::create(&path, DType::U8, grid, &options).unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
    }
    assert!(names(folder.path()).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_an_error_and_the_write_can_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let grid = ChunkGrid::whole(&[4]);
    let sink = ZarrSink::create(&path, DType::U8, &grid, &ZarrOptions::default()).unwrap();
    let chunk = folder.path().join(&names(folder.path())[0]).join("array/c/0");
    fs::create_dir(chunk.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/full", &chunk).unwrap();
    let content = sample(DType::U8, &[4]);
    let message = sink.write(&Region::whole(&[4]), &content).unwrap_err().to_string();
    assert!(message.contains("x.zarr: cannot write the chunk at [0..4]: No space left"), "{message}");
    assert!(sink.finish().is_err());
    fs::remove_file(&chunk).unwrap();
    sink.write(&Region::whole(&[4]), &content).unwrap();
    sink.finish().unwrap();
    check_same(&whole(&ZarrSource::open(&path).unwrap()), &content, "second try");
}
