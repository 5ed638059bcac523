//! Maps that are needed twice and do not fit: they are computed twice where that costs less than the disk.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise::{OptimizeOptions, Plan};

/// 8 MiB in blocks of 64 KiB.
const LEN: usize = 1 << 20;
const BLOCK: usize = 1 << 13;
const NBYTES: u64 = 8 << 20;

fn limited(limit: u64) -> Runtime {
    let spill = std::env::temp_dir();
    Runtime::builder().threads(2).memory_limit_bytes(limit).spill_dir(spill).build().unwrap()
}

fn unlimited() -> Runtime {
    Runtime::builder().threads(2).no_memory_limit().build().unwrap()
}

fn random() -> LazyArray1<f64> {
    Generator::new(3).uniform(-1.0, 1.0, LEN, BLOCK)
}

fn centred(x: &LazyArray1<f64>) -> LazyArray1<f64> {
    x - x.mean()
}

/// The plan of storing `y` in a quarter of its size, with the bits of a run without a limit.
fn stored(y: &LazyArray1<f64>) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("y.npy");
    let rt = limited(NBYTES / 4);
    rt.store_npy(y, &path).unwrap();
    let got = unlimited().compute(chunkwise::open_npy::<f64, Ix1>(&path).unwrap()).unwrap();
    let want = unlimited().compute(y).unwrap();
    assert!(got.iter().zip(&want).all(|(got, want)| got.to_bits() == want.to_bits()));
    rt.plan_store(y).unwrap()
}

#[test]
fn a_difference_of_a_formula_is_computed_twice() {
    let y = centred(&random());
    let plan = stored(&(&y / y.square().mean().sqrt()));
    assert_eq!((plan.spill_bytes(), plan.rerun_bytes()), (0, 0), "{plan}");
    assert!(plan.peak_bytes() < 1 << 20, "{plan}");
}

/// Every level computes all levels above it again: 1 + 2 + 3 reads of the numbers.
#[test]
fn a_chain_of_such_maps_is_computed_from_its_start() {
    let once = centred(&random());
    let twice = &once / once.square().mean().sqrt();
    let plan = stored(&(&twice - twice.abs().max()));
    assert_eq!((plan.spill_bytes(), plan.rerun_bytes()), (0, 0), "{plan}");
    assert!(plan.to_string().contains("compute again: "), "{plan}");
}

#[test]
fn a_map_under_a_broadcast_is_copied_for_its_user() {
    let columns = 1 << 10;
    let x = Generator::new(3).uniform(-1.0, 1.0, (LEN / columns, columns), (8, columns));
    let y = &x - x.mean_axis(Axis(0));
    // The user has another shape: it takes blocks of the map.
    let wide =
        y.insert_axis(Axis(0)) * LazyArray::from_ndarray(ndarray::arr3(&[[[1.0]], [[2.0]]]), (1, 1, 1));
    let wide: LazyArray3<f64> = wide - y.abs().max();
    let rt = limited(NBYTES / 4);
    let plan = rt.plan_store(&wide).unwrap();
    assert!(plan.spill_bytes() <= NBYTES / 8, "{plan}");
    let corner: LazyArray3<f64> = wide.slice(s![.., ..;9, ..;5]);
    assert_eq!(rt.compute(&corner).unwrap(), unlimited().compute(&corner).unwrap());
}

#[test]
fn what_fits_is_held() {
    let y = centred(&random());
    let y = &y / y.square().mean().sqrt();
    let plan = limited(4 * NBYTES).plan_store(&y).unwrap();
    assert!(plan.peak_bytes() >= NBYTES && !plan.to_string().contains("compute again"), "{plan}");
    // The choice is made by bytes alone.
    assert_eq!(plan.spill_bytes(), 0);
}

/// Thirty sines take longer than the disk.
#[test]
fn a_dear_map_goes_to_disk() {
    let mut y = centred(&random());
    for _ in 0..30 {
        y = y.sin();
    }
    let plan = stored(&(&y - y.mean()));
    assert!(plan.spill_bytes() >= NBYTES / 2, "{plan}");
    assert!(plan.to_string().contains("(the disk is quicker)"), "{plan}");
    // The same without inputs that are computed: the planner of evictions could make it again.
    let mut y = random();
    for _ in 0..30 {
        y = y.sin();
    }
    let plan = stored(&(&y - y.mean()));
    assert!(plan.spill_bytes() >= NBYTES / 2 && plan.rerun_bytes() == 0, "{plan}");
}

#[test]
fn a_function_of_the_users_is_called_once() {
    let y = centred(&random()).mapv(|x| x * 2.0);
    let plan = stored(&(&y - y.max()));
    assert!(plan.spill_bytes() >= NBYTES / 2, "{plan}");
    assert!(plan.to_string().contains("the user's function made it"), "{plan}");
}

/// What a map is made of would be needed again itself: one of them must be kept.
#[test]
fn a_map_of_what_must_be_kept_is_not_computed_again() {
    let made = LazyArray::<f64, Ix1>::from_blocks(LEN, BLOCK, |block| {
        ndarray::Array1::from_shape_fn(block.shape[0], |i| (block.start[0] + i) as f64)
    });
    let y = made.sqrt();
    let plan = stored(&(&y - y.mean()));
    assert!(plan.spill_bytes() >= NBYTES / 2 && plan.spill_bytes() <= NBYTES, "{plan}");
}

/// Without passes there are no programs, but single operations that can be computed again.
#[test]
fn it_needs_no_other_pass() {
    let spill = std::env::temp_dir();
    let rt = Runtime::builder().threads(1).memory_limit_bytes(NBYTES / 4).spill_dir(spill);
    let rt = rt.optimizer(OptimizeOptions::none()).build().unwrap();
    let y = centred(&random());
    let y = &y / y.abs().max();
    assert_eq!(rt.plan_store(&y.mean()).unwrap().spill_bytes(), 0);
    let (got, want) = (rt.compute(y.mean()).unwrap(), unlimited().compute(y.mean()).unwrap());
    assert_eq!(got.to_bits(), want.to_bits());
}
