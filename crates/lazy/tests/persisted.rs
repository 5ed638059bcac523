//! Persisted arrays beside runs: where they are kept, when they give way, and who waits for whom.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Barrier, Mutex};
use std::thread;

use chunkwise_lazy::prelude::*;
use chunkwise_lazy::{CancelToken, ErrorKind};
use ndarray::Array1;

const MIB: usize = 1 << 20;

fn runtime(mebibytes: usize) -> Runtime {
    let limit = (mebibytes * MIB) as u64;
    let builder = Runtime::builder().threads(2).memory_limit_bytes(limit);
    builder.spill_dir(std::env::temp_dir()).build().unwrap()
}

/// An array of so many MiB in blocks of 128 KiB, which counts from `start`.
fn counting(start: usize, mebibytes: usize) -> LazyArray1<f64> {
    counting_in_blocks(start, mebibytes, MIB / 64)
}

fn counting_in_blocks(start: usize, mebibytes: usize, block: usize) -> LazyArray1<f64> {
    LazyArray::from_blocks(mebibytes * MIB / 8, block, move |block| {
        Array1::from_shape_fn(block.shape[0], |i| (start + block.start[0] + i) as f64)
    })
}

fn sum_of_counting(start: usize, mebibytes: usize) -> f64 {
    let n = mebibytes * MIB / 8;
    (n * start + n * (n - 1) / 2) as f64
}

/// One number whose task tells that it runs and waits for permission to end.
fn gated() -> (LazyArray1<f64>, Receiver<()>, Sender<()>) {
    let (tell, started) = channel();
    let (permit, permitted) = channel::<()>();
    let gate = Mutex::new((tell, permitted));
    let array = LazyArray::from_blocks(1, 1, move |_| {
        let gate = gate.lock().unwrap();
        gate.0.send(()).unwrap();
        gate.1.recv().unwrap();
        Array1::from_elem(1, 5.0)
    });
    (array, started, permit)
}

#[test]
fn only_the_oldest_arrays_give_way_and_only_as_many_as_must() {
    let rt = runtime(10);
    let kept: Vec<_> = (0..4).map(|i| rt.persist(&counting(i, 2)).unwrap()).collect();
    assert_eq!(rt.persisted_bytes() as usize, 8 * MIB);
    // 2 MiB are free.
    let result = rt.compute(counting(9, 3)).unwrap();
    let held = rt.persisted_bytes() as usize;
    assert!((2 * MIB..=6 * MIB).contains(&held), "{held}");
    assert_eq!(result.sum(), sum_of_counting(9, 3));
    for (i, array) in kept.iter().enumerate() {
        assert_eq!(rt.compute(array.sum()).unwrap(), sum_of_counting(i, 2));
    }
}

#[test]
fn array_whose_plan_has_no_room_beside_it_is_persisted_on_disk() {
    let rt = runtime(10);
    // 4 MiB in blocks of 1 MiB; each needs one of eight others, which leaves no room for three that are kept.
    let of = |start| counting_in_blocks(start, 4, MIB / 8);
    let x = (1..8).fold(of(0), |sum, start| sum + of(start));
    assert!(rt.plan_store(&x).unwrap().peak_bytes() as usize <= 10 * MIB);
    let unspilled = Runtime::builder().threads(2).memory_limit("10 MiB").no_spill().build().unwrap();
    assert_eq!(unspilled.persist(&x).unwrap_err().kind(), ErrorKind::Memory);
    let kept = rt.persist(&x).unwrap();
    assert_eq!(rt.persisted_bytes(), 0);
    assert_eq!(rt.compute(kept.sum()).unwrap(), (0..8).map(|start| sum_of_counting(start, 4)).sum::<f64>());
}

#[test]
fn run_that_lacks_memory_waits_until_persisted_arrays_may_be_moved() {
    let rt = runtime(10);
    let kept = rt.persist(&counting(0, 4)).unwrap();
    let (slow, started, permit) = gated();
    thread::scope(|scope| {
        let slow_run = scope.spawn(|| rt.compute((slow.sum(), kept.sum())).unwrap());
        started.recv().unwrap();
        let large = scope.spawn(|| rt.compute(counting(1, 8)).unwrap().sum());
        permit.send(()).unwrap();
        assert_eq!(slow_run.join().unwrap(), (5.0, sum_of_counting(0, 4)));
        assert_eq!(large.join().unwrap(), sum_of_counting(1, 8));
    });
    assert_eq!(rt.persisted_bytes(), 0);
    assert_eq!(rt.compute(kept.sum()).unwrap(), sum_of_counting(0, 4));
}

#[test]
fn run_that_waits_for_others_to_end_can_be_cancelled() {
    let rt = runtime(10);
    let _kept = rt.persist(&counting(0, 4)).unwrap();
    let (slow, started, permit) = gated();
    let slow_run = rt.submit(slow.sum()).unwrap();
    started.recv().unwrap();
    let token = CancelToken::new();
    let cancellable = rt.cancelled_by(token.clone());
    thread::scope(|scope| {
        let large = scope.spawn(|| cancellable.compute(counting(1, 8)).map(|_| ()));
        token.cancel();
        assert_eq!(large.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
    permit.send(()).unwrap();
    assert_eq!(slow_run.wait().unwrap(), 5.0);
    assert_eq!(rt.persisted_bytes() as usize, 4 * MIB);
}

#[test]
fn run_inside_a_task_goes_on_while_another_waits_for_persisted_arrays() {
    let rt = runtime(10);
    let kept = rt.persist(&counting(0, 4)).unwrap();
    let (tell, started) = channel();
    let (permit, permitted) = channel::<()>();
    let (gate, inner, read) = (Mutex::new((tell, permitted)), rt.clone(), kept.clone());
    let outer = LazyArray::<f64, Ix1>::from_blocks(1, 1, move |_| {
        let gate = gate.lock().unwrap();
        gate.0.send(()).unwrap();
        gate.1.recv().unwrap();
        Array1::from_elem(1, inner.compute(read.sum()).unwrap())
    });
    thread::scope(|scope| {
        let outer = scope.spawn(|| rt.compute(outer.sum()).unwrap());
        started.recv().unwrap();
        let large = scope.spawn(|| rt.compute(counting(1, 8)).unwrap().sum());
        permit.send(()).unwrap();
        assert_eq!(outer.join().unwrap(), sum_of_counting(0, 4));
        assert_eq!(large.join().unwrap(), sum_of_counting(1, 8));
    });
}

#[test]
fn threads_that_persist_and_read_at_once_all_have_their_results() {
    let rt = runtime(10);
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (rt, start) = (&rt, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..8 {
                    let first = thread * 100 + round;
                    let kept = rt.persist(&counting(first, 3)).unwrap();
                    assert_eq!(rt.compute(kept.sum()).unwrap(), sum_of_counting(first, 3));
                    assert_eq!(rt.compute(&kept).unwrap()[7], (first + 7) as f64);
                }
            });
        }
    });
    assert_eq!(rt.persisted_bytes(), 0);
}

#[test]
fn error_names_the_results_and_the_persisted_arrays() {
    let builder = Runtime::builder().threads(1).memory_limit("4 MiB").no_spill();
    let rt = builder.build().unwrap();
    let _kept = rt.persist(&counting(0, 2)).unwrap();
    let err = rt.compute(counting(0, 3)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Memory);
    let text = err.to_string();
    for bytes in [2 * MIB, 3 * MIB, 4 * MIB, 5 * MIB] {
        assert!(text.contains(&bytes.to_string()), "{text}");
    }
    assert!(text.contains("drop persisted arrays"), "{text}");
    let err = rt.compute(counting(0, 5)).unwrap_err().to_string();
    assert!(err.contains("persisted"), "{err}");
}
