//! What plans say of themselves: texts compared with files beside this one, pictures, and times.
//!
//! ```text
//! CHUNKWISE_WRITE_SNAPSHOTS=1 cargo test -p chunkwise-lazy --test explain     # writes the files anew: look at the changes
//! ```
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use chunkwise::prelude::*;
use chunkwise::random::Generator;

/// Compares a text with a file, or writes it.
fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain").join(name);
    if std::env::var_os("CHUNKWISE_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap();
    assert!(text == want, "{name} is now\n{text}");
}

/// A machine that is the same everywhere.
fn runtime(limit: u64) -> Runtime {
    let spill = std::env::temp_dir();
    Runtime::builder().threads(2).memory_limit_bytes(limit).spill_dir(spill).build().unwrap()
}

fn in_memory() -> LazyArray1<f64> {
    LazyArray::from_ndarray(ndarray::Array1::from_shape_fn(1 << 20, |i| (i % 1013) as f64), 1 << 15)
}

/// The root of the mean of the squares, and what is left when it is taken out: 8 MiB, twice.
fn scaled(x: &LazyArray1<f64>) -> LazyArray1<f64> {
    let centred = x - x.mean();
    &centred / centred.square().mean().sqrt()
}

#[test]
fn mean_of_roots() {
    let x = LazyArray::from_ndarray(ndarray::Array2::<f64>::zeros((4096, 64)), (1024, 16));
    check("mean_of_roots.txt", &runtime(1 << 30).plan(x.sqrt().mean()).unwrap().to_string());
}

#[test]
fn several_results_share() {
    let mut random = Generator::new(1);
    let y = random.uniform(0.0, 1.0, (1000, 1000), 250).exp();
    let plan =
        runtime(1 << 30).plan((y.mean(), y.max(), &y + 1.0, y.t().slice(s![..10, ..]).to_owned())).unwrap();
    check("several_results.txt", &plan.to_string());
}

#[test]
fn maps_are_computed_again() {
    check("computed_again.txt", &runtime(2 << 20).plan_store(&scaled(&in_memory())).unwrap().to_string());
}

#[test]
fn maps_that_fit_are_held() {
    check("held.txt", &runtime(1 << 30).plan_store(&scaled(&in_memory())).unwrap().to_string());
}

#[test]
fn blocks_of_functions_go_to_disk() {
    let x =
        LazyArray::<f64, Ix1>::from_blocks(1 << 20, 1 << 15, |block| ndarray::Array1::ones(block.shape[0]));
    check("to_disk.txt", &runtime(2 << 20).plan_store(&(&x - x.mean())).unwrap().to_string());
}

#[test]
fn files_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let rt = runtime(16 << 20);
    rt.store_npy(&in_memory(), &path).unwrap();
    let x = chunkwise::open_npy::<f64, Ix1>(&path).unwrap();
    check("read_again.txt", &rt.plan_store(&(&x - x.mean())).unwrap().to_string());
    let blocks = x.rechunk(1 << 15);
    check("made_again.txt", &runtime(4 << 20).plan_store(&(&blocks - blocks.mean())).unwrap().to_string());
    check("persist.txt", &rt.plan_persist(&blocks.sqrt()).unwrap().to_string());
}

/// A hundred thousand nodes: no section goes beyond some hundred lines, nor a line beyond some hundred characters.
#[test]
fn huge_plans_have_short_texts() {
    let mut x = LazyArray::<f64, _>::ones(8, 8).cumsum(Axis(0));
    for _ in 0..40_000 {
        x = x.cumsum(Axis(0)) + 1.0;
    }
    let plan = runtime(8 << 30).plan(&x).unwrap();
    let text = plan.to_string();
    assert!(text.contains(" more\n") && text.contains("(below)"), "{text}");
    assert!(text.len() < 200_000 && text.lines().count() < 1000, "{}", text.len());
    assert!(plan.to_svg().contains("too many to be drawn"));
}

#[test]
fn more_work_takes_longer() {
    let rt = runtime(8 << 30);
    let time = |x: LazyArray1<f64>| rt.plan(x.sum()).unwrap().estimated_time();
    let x = |len| LazyArray::from_ndarray(ndarray::Array1::<f64>::zeros(len), 1 << 12);
    assert!(time(x(1 << 16)) < time(x(1 << 20)));
    assert!(time(x(1 << 20)) < time(x(1 << 20).sin()));
    assert!(time(x(1 << 20).sin()) < time(x(1 << 20).sin().exp().ln()));
    let tight = runtime(1 << 20);
    let made =
        LazyArray::<f64, Ix1>::from_blocks(1 << 19, 1 << 13, |block| ndarray::Array1::ones(block.shape[0]));
    let y = &made - made.mean();
    assert!(rt.plan_store(&y).unwrap().estimated_time() < tight.plan_store(&y).unwrap().estimated_time());
}

#[test]
fn a_plan_of_a_hundred_nodes_is_drawn() {
    let mut x = LazyArray::from_ndarray(ndarray::Array2::<f64>::zeros((64, 64)), 16);
    for step in 0..12 {
        let (up, down) = (x.roll(1, Axis(0)), x.roll(-1, Axis(0)));
        x = if step % 4 == 3 { up.maximum(&down) - x.mean() } else { (&x + &up + &down) / 3.0 };
    }
    let plan = runtime(1 << 30).plan(&x).unwrap();
    let picture = plan.to_svg();
    assert!(picture.matches("<rect ").count() > 100 && !picture.contains("too many"), "{}", picture.len());
    assert!(
        picture.contains(">expression: ") && picture.contains(">plan: ") && picture.contains(" tasks</text>")
    );
    if let Some(folder) = std::env::var_os("CHUNKWISE_PICTURES") {
        plan.visualize(Path::new(&folder).join("hundred.svg")).unwrap();
        let small = runtime(2 << 20).plan_store(&scaled(&in_memory())).unwrap();
        small.visualize(Path::new(&folder).join("small.svg")).unwrap();
    }
}
