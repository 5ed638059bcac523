//! Memory that a run recycles: the bits of a run are the same with it, and no more is held than the limit says.
//!
//! In a file of its own, whose tests take turns: they measure what the whole process allocates.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise::{ErrorKind, OptimizeOptions};
use ndarray::{Array1, Array2, ShapeBuilder};

use counting::{measured, turn};

/// Graphs, tasks, queues: what is not elements.
const SMALL: usize = 256 << 10;

/// Registers that a thread keeps for the next kernel: nobody's but its own.
const REGISTERS: usize = 256 << 10;

fn runtime(threads: usize, limit: Option<u64>, options: OptimizeOptions) -> Runtime {
    let builder = Runtime::builder().threads(threads).optimizer(options);
    match limit {
        Some(limit) => builder.memory_limit_bytes(limit).build().unwrap(),
        None => builder.no_memory_limit().build().unwrap(),
    }
}

/// Columns of a block of 128 KiB, in 64 rows.
const COLUMNS: usize = 256;

/// 64 such blocks.
const SHAPE: (usize, usize) = (64 * 16, COLUMNS * 4);

fn data() -> LazyArray2<f64> {
    let data = Array2::from_shape_fn(SHAPE, |(i, j)| ((i * 31 + j * 7) % 997) as f64 / 7.0);
    LazyArray::from_ndarray(data, (64, COLUMNS))
}

/// Chains of operations that are tasks of their own where nothing is fused.
fn chains() -> Vec<(&'static str, LazyArray2<f64>)> {
    let x = data();
    let rows = Generator::new(3).uniform(0.0, 1.0, SHAPE, (64, COLUMNS));
    let scaled = (x.sqrt() + 1.0) * 0.5;
    vec![
        ("one operand", ((x.sqrt() * 3.0 + 1.0).abs() - 2.0).sqrt()),
        ("an operand that others take", &scaled * &scaled + x.sqrt().abs()),
        ("two operands and a formula", (&scaled - rows).square() + 1.0),
        ("another type between", ((x.sqrt() + 1.0).cast::<f32>() * 2.0).cast::<f64>() + 1.0),
        ("unequal blocks", (x.sqrt().rechunk((50, 300)) + 1.0).abs() * 2.0),
        ("parts of blocks", (x.sqrt().slice(s![.., 40..]) + 1.0).abs().slice(s![5.., ..]) * 2.0),
        ("transposed", (x.sqrt().t().abs() + 1.0).t() * 2.0),
    ]
}

/// The bits of the results of a chain: all of it, and what it is folded to.
fn bits(rt: &Runtime, x: &LazyArray2<f64>) -> chunkwise::Result<Vec<u64>> {
    let all = rt.compute(x)?;
    let (sum, columns) = rt.compute((x.sum(), x.mean_axis(Axis(0))))?;
    let all = all.as_slice().unwrap().iter();
    Ok(all.chain(&columns).chain([&sum]).map(|x| x.to_bits()).collect())
}

#[test]
fn chains_that_recycle_have_the_bits_of_fused_ones() {
    let _turn = turn();
    let fused = runtime(1, None, OptimizeOptions::all());
    for (name, x) in chains() {
        let want = bits(&fused, &x).unwrap();
        let peak = runtime(1, None, OptimizeOptions::none()).plan(&x).unwrap().peak_bytes();
        for threads in [1, 2, 3] {
            for limit in [None, Some(peak), Some(peak + peak / 4)] {
                let rt = runtime(threads, limit, OptimizeOptions::none());
                assert!(bits(&rt, &x).unwrap() == want, "{name} on {rt:?}");
            }
        }
    }
}

#[test]
fn run_that_recycles_stays_within_its_limit() {
    let _turn = turn();
    for (name, x) in chains() {
        let plain = runtime(1, None, OptimizeOptions::none());
        let folded = x.mean_axis(Axis(0));
        let (peak, peak_folded) =
            (plain.plan(&x).unwrap().peak_bytes(), plain.plan(&folded).unwrap().peak_bytes());
        for threads in [1, 2, 3] {
            for more in [0, 1 << 18, 1 << 20, 1 << 23] {
                let check = |limit: u64, run: &dyn Fn(&Runtime)| {
                    let rt = runtime(threads, Some(limit), OptimizeOptions::none());
                    let ((), held, after) = measured(|| run(&rt));
                    let beside = SMALL + threads * REGISTERS;
                    assert!(held <= limit as usize + beside, "{name} on {rt:?}: {held} bytes");
                    assert!(after <= beside, "{name} on {rt:?}: {after} bytes are left");
                };
                check(peak + more, &|rt| drop(rt.compute(&x).unwrap()));
                check(peak_folded + more, &|rt| drop(rt.compute(&folded).unwrap()));
            }
        }
    }
}

#[test]
fn run_without_a_limit_gives_idle_memory_back_when_it_ends() {
    let _turn = turn();
    for (name, x) in chains() {
        for threads in [1, 3] {
            let rt = runtime(threads, None, OptimizeOptions::none());
            let (_, _, after) = measured(|| rt.compute(x.sum()).unwrap());
            assert!(after <= SMALL + threads * REGISTERS, "{name} on {rt:?}: {after} bytes are left");
        }
    }
}

#[test]
fn limit_that_does_not_fit_is_an_error_before_anything_is_allocated() {
    let _turn = turn();
    for (name, x) in chains() {
        let least = x.nbytes() as u64;
        let rt = runtime(2, Some(least - 1), OptimizeOptions::none());
        let (err, held, _) = measured(|| rt.compute(&x).unwrap_err());
        assert!(err.kind() == ErrorKind::Memory && held < SMALL, "{name}: {held} bytes, {err}");
    }
}

#[test]
fn map_into_memory_that_is_there_allocates_no_block() {
    let _turn = turn();
    let y = data().sqrt() * 3.0 + 1.0;
    for threads in [1, 2, 3] {
        let rt = runtime(threads, Some(y.nbytes() as u64 + (1 << 19)), OptimizeOptions::all());
        for memory in [Array2::zeros(SHAPE), Array2::zeros(SHAPE.f())] {
            let (result, held, _) = measured(|| rt.compute_into(&y, memory).unwrap());
            assert!(held < SMALL + threads * REGISTERS, "{held} bytes");
            assert_eq!(result[[700, 1000]], (((700 * 31 + 1000 * 7) % 997) as f64 / 7.0).sqrt() * 3.0 + 1.0);
        }
    }
}

/// The limit counts the larger of the two, so there must never be both.
#[test]
fn memory_that_is_too_small_goes_before_other_memory_comes() {
    let _turn = turn();
    let y = data().sqrt() * 3.0 + 1.0;
    let memory = Array2::zeros((SHAPE.0 - 1, SHAPE.1));
    let rt = runtime(1, Some(y.nbytes() as u64 + (1 << 19)), OptimizeOptions::all());
    let (result, held, _) = measured(|| rt.compute_into(&y, memory).unwrap());
    assert!(held < SMALL + REGISTERS, "{held} bytes beside the memory for {}", result.len() * 8);
}

/// 40 blocks of `smaller` elements after as many of 40000, which are freed before: the memory of one may be that of
/// the other.
fn smaller_after_larger(smaller: usize) -> LazyArray1<f64> {
    const LARGE: usize = 40_000;
    let blocks = 40;
    let x = LazyArray::from_ndarray(Array1::from_shape_fn(blocks * LARGE, |i| i as f64), LARGE);
    let root = x.sqrt();
    let part = |i: usize| root.slice(s![i * LARGE..i * LARGE + smaller]) + 1.0;
    let parts: Vec<LazyArray1<f64>> = (0..blocks).map(part).collect();
    chunkwise::concatenate(Axis(0), &parts.iter().collect::<Vec<_>>()) * 2.0
}

#[test]
fn persisted_blocks_hold_hardly_more_than_their_elements() {
    let _turn = turn();
    let y = smaller_after_larger(25_000);
    for threads in [1, 2, 3] {
        let rt = runtime(threads, None, OptimizeOptions::none());
        let (kept, _, held) = measured(|| rt.persist(&y).unwrap());
        let counted = rt.persisted_bytes() as usize;
        assert_eq!(counted, y.nbytes());
        let most = counted * 5 / 4 + threads * REGISTERS;
        assert!(held <= most, "{held} bytes are held on {threads} threads, {counted} are counted");
        drop(kept);
        assert_eq!(rt.persisted_bytes(), 0);
    }
}

fn check_within_the_limit(smaller: usize) {
    let _turn = turn();
    let y = smaller_after_larger(smaller);
    let peak = runtime(1, None, OptimizeOptions::none()).plan(&y).unwrap().peak_bytes();
    for threads in [1, 2, 3] {
        for more in [0, 5 << 18, 2 << 20, 1 << 24] {
            let limit = peak + more;
            let rt = runtime(threads, Some(limit), OptimizeOptions::none());
            let (kept, held, _) = measured(|| rt.persist(&y).unwrap());
            let most = limit as usize + SMALL + threads * REGISTERS;
            assert!(held <= most, "{held} bytes on {rt:?}");
            drop(kept);
        }
    }
}

#[test]
fn smaller_blocks_in_memory_of_larger_ones_stay_within_the_limit() {
    check_within_the_limit(25_000);
}

#[test]
fn hardly_smaller_blocks_in_memory_of_larger_ones_stay_within_the_limit() {
    check_within_the_limit(33_000);
}
