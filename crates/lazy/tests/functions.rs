//! Functions of the user's: how often they are called, with what, and what becomes of their mistakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chunkwise::prelude::*;
use chunkwise::{BlockLayout, Boundary, ConvolveMode, ErrorKind};
use ndarray::Array1;

fn runtime() -> Runtime {
    Runtime::builder().threads(2).build().expect("a few threads can be started")
}

/// `0..n` in blocks.
fn counting(n: i64, chunk: usize) -> LazyArray1<i64> {
    LazyArray::from_ndarray(Array1::from_iter(0..n), chunk)
}

#[test]
fn function_is_called_once_for_each_needed_block() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let y = counting(100, 10).map_blocks(move |block, _| {
        count.fetch_add(1, Ordering::Relaxed);
        block.mapv(|v| v + 1)
    });
    runtime().compute(&y).unwrap();
    assert_eq!(calls.swap(0, Ordering::Relaxed), 10);
    assert_eq!(runtime().compute(y.slice(s![15..35])).unwrap(), Array1::from_iter(16..36));
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[test]
fn margin_of_a_slice_asks_for_no_other_blocks() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let made = counting(100, 10).map_blocks(move |block, _| {
        count.fetch_add(1, Ordering::Relaxed);
        block.to_owned()
    });
    let sums = made.stencil([1], Boundary::Periodic, |n| n[[-1]] + n[[0]] + n[[1]]);
    // Block 0 and its neighbours 1 and, around the end, 9.
    assert_eq!(runtime().compute(sums.slice(s![..2])).unwrap(), ndarray::arr1(&[100, 3]));
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[test]
fn block_is_told_where_it_is() {
    let places = counting(5, 2).map_blocks(|block, info| {
        assert_eq!((info.index[0], info.blocks[0]), (info.start[0] / 2, 3));
        assert_eq!(info.shape, block.shape());
        block.to_owned()
    });
    assert_eq!(runtime().compute(places.sum()).unwrap(), 10);
}

#[test]
fn error_of_a_function_names_operation_block_and_line() {
    let x = counting(6, 2);
    let y = x.try_map_blocks(|block, info| match info.index[0] {
        1 => Err(std::io::Error::other("the instrument is off")),
        _ => Ok(block.to_owned()),
    });
    let err = runtime().compute(&y).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Task);
    let text = err.to_string();
    for part in ["try_map_blocks", "block [1]", "functions.rs:", "the instrument is off"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn block_of_another_shape_than_declared_is_an_error_that_names_both() {
    let y = counting(6, 2).map_blocks(|_, _| Array1::<u8>::zeros(3));
    let text = runtime().compute(&y).unwrap_err().to_string();
    assert!(text.contains("gave a block of u8[3], but u8[2] was declared"), "{text}");
    let y = counting(6, 2).map_overlap(1, Boundary::Nearest, |_, _| Array1::<u8>::zeros(3));
    let text = runtime().compute(&y).unwrap_err().to_string();
    assert!(text.contains("gave a block of shape [3], but was given [4] for a block of [2]"), "{text}");
}

#[test]
fn panic_of_a_function_is_an_error() {
    let y = counting(6, 2).map_overlap(1, Boundary::None, |padded, _| {
        assert!(padded.len() > 3, "a block at an end");
        padded.to_owned()
    });
    let err = runtime().compute(&y).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Panic);
    assert!(err.to_string().contains("a block at an end"), "{err}");
}

#[test]
fn whole_axes_make_blocks_no_larger() {
    let x = LazyArray::<f32, _>::ones((1000, 1000), 100);
    let y = x.map_axis(Axis(0), |lane| lane.sum());
    // Ten lanes of 1000 elements are as many as 100 times 100.
    assert_eq!(y.chunks().to_string(), "(10,)");
    assert_eq!(runtime().compute(y.sum()).unwrap(), 1e6);
    let windows = LazyArray::<f32, _>::ones(1000, 100).sliding_windows(20, Axis(0));
    assert_eq!(windows.chunks().max_chunk().to_vec(), [5, 20]);
}

#[test]
fn whole_array_in_one_margin_needs_no_more_than_its_blocks() {
    let x = counting(10, 1);
    let sums = x.map_overlap(100, Boundary::Constant(0), |padded, info| {
        Array1::from_elem(info.shape[0], padded.sum())
    });
    assert_eq!(runtime().compute(&sums).unwrap(), Array1::from_elem(10, 45));
}

#[test]
fn what_does_not_fit_is_an_error_when_built() {
    let x = counting(6, 2);
    let says = |result: chunkwise::Result<()>| result.unwrap_err().to_string();
    let same = |padded: ndarray::ArrayView1<'_, i64>| padded.to_owned();
    let deep = x.map_overlap(usize::MAX, Boundary::Nearest, move |padded, _| same(padded));
    assert!(says(deep.check()).contains("deeper than any memory"));
    let two = x.map_overlap([1, 1], Boundary::Nearest, move |padded, _| same(padded));
    assert!(says(two.check()).contains("depths are given for 2 axes, but shape [6] has 1"));
    let signature = chunkwise::apply_gufunc("(i)->(j)", (&x,), |x, _| x.to_owned());
    assert!(says(signature.check()).contains("axis j of the result is that of no input"));
    let rank = chunkwise::zip_blocks((&x,), |_, _| ndarray::Array2::<i64>::zeros((1, 1)));
    assert!(says(rank.check()).contains("blocks of 2 axes, but the result has shape [6]"));
    assert!(says(x.sliding_windows(7, Axis(0)).check()).contains("windows of 7 elements do not fit axis 0"));
    assert!(says(x.correlate(Array1::zeros(0), ConvolveMode::Valid).check()).contains("correlate"));
}

#[test]
fn long_weights_give_the_sums_of_the_definition() {
    let (n, k) = (3000, 400);
    let x = Array1::from_shape_fn(n, |i| ((i * 7919) % 613) as f64 / 306.0 - 1.0);
    let w = Array1::from_shape_fn(k, |i| ((i * 104_729) % 211) as f64 / 105.0 - 1.0);
    let got = LazyArray::from_ndarray(&x, 700).convolve(&w, ConvolveMode::Full);
    let got = runtime().compute(&got).unwrap();
    assert_eq!(got.len(), n + k - 1);
    for (f, &got) in got.iter().enumerate() {
        let from = f.saturating_sub(n - 1)..(f + 1).min(k);
        let want: f64 = from.map(|j| w[j] * x[f - j]).sum();
        assert!((got - want).abs() < 1e-11, "element {f} is {got}, want {want}");
    }
}

#[test]
fn plans_say_what_is_put_together_for_a_block() {
    let x = LazyArray::<f64, _>::ones((600, 4), (6, 4));
    let said = |text: &str, what: &str| assert!(text.contains(what), "no {what:?} in\n{text}");
    let dropped = x.map_blocks_to(BlockLayout::new().drop_axis(Axis(0)), |block, _| block.sum_axis(Axis(0)));
    said(&dropped.explain(), "map_blocks_to[gathers 2400 elements from blocks of 24]");
    let coarse = x.coarsen([100, 1], |boxes, axes| boxes.max_axes(axes));
    said(&coarse.explain(), "split[100, 1], gathers 400 elements from blocks of 24");
    said(
        &x.sliding_windows(50, Axis(0)).explain(),
        "sliding_windows[50 along 0], gathers 200 elements from blocks of 24",
    );
    // Blocks of the array are enough.
    let text = x.map_blocks(|block, _| block.to_owned()).explain()
        + &x.coarsen([6, 1], |x, axes| x.max_axes(axes)).explain();
    assert!(!text.contains("gathers"), "{text}");
}
