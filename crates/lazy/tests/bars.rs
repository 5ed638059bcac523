//! Promises about task counts, depth, sharing and failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chunkwise::prelude::*;
use chunkwise::{ErrorKind, OptimizeOptions};
use ndarray::{Array1, Array2, arr1, arr2};

fn runtime(threads: usize) -> Runtime {
    Runtime::builder().threads(threads).build().expect("threads can be started")
}

#[test]
fn mean_of_sqrt_of_16_blocks_is_19_tasks() {
    let x = LazyArray::from_ndarray(Array1::<f64>::ones(1600), 100);
    // 16 folds with the square root inside, 2 merges of 8, 1 finish
    assert_eq!(x.sqrt().mean().plan().unwrap().tasks(), 19);
    let plain = Runtime::builder().threads(1).optimizer(OptimizeOptions::none()).build().unwrap();
    // 16 square roots more
    assert_eq!(plain.plan(x.sqrt().mean()).unwrap().tasks(), 35);
}

#[test]
fn chain_of_a_million_additions_builds_computes_and_drops() {
    let data = arr1(&[1.0, 2.0, 3.0]);
    let x = LazyArray::from_ndarray(data, 2);
    let mut y = x.clone();
    for _ in 0..1_000_000 {
        y = &y + 1.0;
    }
    assert_eq!(y.compute().unwrap(), arr1(&[1_000_001.0, 1_000_002.0, 1_000_003.0]));
}

#[test]
fn chain_of_additions_without_optimiser_computes() {
    let x = LazyArray::from_ndarray(arr1(&[1i64, 2, 3]), 2);
    let mut y = x.clone();
    for _ in 0..20_000 {
        y = &y + &x;
    }
    let plain = Runtime::builder().threads(2).optimizer(OptimizeOptions::none()).build().unwrap();
    assert_eq!(plain.compute(&y).unwrap(), arr1(&[20_001, 40_002, 60_003]));
}

/// Address of the first element a source hands out.
fn address(x: &LazyArray1<f64>) -> *const f64 {
    let chunkwise_expr::Op::Source(source) = x.expr().op() else { panic!("not a source: {x:?}") };
    let whole = chunkwise_chunk::Region::whole(x.shape());
    let block = source.source().read(&whole).expect("memory can be read");
    block.typed::<f64>().expect("the array holds f64").as_ptr()
}

#[test]
fn owned_and_shared_input_is_not_copied() {
    let owned = Array1::<f64>::zeros(1000);
    let at = owned.as_ptr();
    assert_eq!(address(&LazyArray::from_ndarray(owned, 1000)), at);
    let shared = Array1::<f64>::zeros(1000).into_shared();
    assert_eq!(address(&LazyArray::from_ndarray(&shared, 1000)), shared.as_ptr());
    assert_ne!(address(&LazyArray::from_ndarray(shared.view(), 1000)), shared.as_ptr());
}

#[test]
fn results_do_not_alias_the_input() {
    let data = Array1::<f64>::zeros(4).into_shared();
    let mut result = LazyArray::from_ndarray(&data, 4).compute().unwrap();
    result[0] = 1.0;
    assert_eq!(data[0], 0.0);
}

#[test]
fn work_shared_by_outputs_is_done_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let x = LazyArray::from_ndarray(Array1::<f64>::ones(100), 10);
    let y = x.mapv(move |v| {
        count.fetch_add(1, Relaxed);
        v
    });
    let (a, b) = runtime(2).compute((y.sum(), &y.max() + &y.min())).unwrap();
    assert_eq!((a, b, calls.load(Relaxed)), (100.0, 2.0, 100));
}

/// An array of 100 elements in 10 blocks, and how many of its blocks were made, or elements where it is by element.
fn counted(by_element: bool) -> (LazyArray1<f64>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let x = match by_element {
        true => LazyArray::from_fn(100, 10, move |i| {
            count.fetch_add(1, Relaxed);
            i as f64
        }),
        false => LazyArray::from_blocks(100, 10, move |block| {
            count.fetch_add(1, Relaxed);
            Array1::from_shape_fn(block.shape[0], |i| (block.start[0] + i) as f64)
        }),
    };
    (x, calls)
}

#[test]
fn siblings_read_a_source_once() {
    for (by_element, reads) in [(true, 100), (false, 10)] {
        let (x, calls) = counted(by_element);
        let y = x.sqrt() + x.sin();
        let (mean, std, max) = runtime(2).compute((y.mean(), y.std(0.0), y.max())).unwrap();
        assert_eq!(calls.swap(0, Relaxed), reads);
        let apart = Runtime::builder().threads(2).optimizer(OptimizeOptions::all().without("fuse_siblings"));
        let apart = apart.build().unwrap().compute((y.mean(), y.std(0.0), y.max())).unwrap();
        assert_eq!((mean.to_bits(), std.to_bits(), max), (apart.0.to_bits(), apart.1.to_bits(), apart.2));
        // 10 folds that read for themselves, 2 merges, 2 finishes, 1 sum
        assert_eq!((y.mean() + y.max()).plan().unwrap().tasks(), 15);
    }
}

#[test]
fn siblings_share_folds_and_merges() {
    let x = LazyArray::from_ndarray(Array1::<f64>::ones(1600), 100);
    let y = x.sqrt() + x.sin();
    let both = y.mean() + y.max() * x.min();
    // 16 folds, 2 merges of 8, 3 finishes, 1 sum of the three
    assert_eq!(both.plan().unwrap().tasks(), 22);
    let apart = OptimizeOptions::all().without("fuse_siblings");
    let apart = Runtime::builder().threads(1).optimizer(apart).build().unwrap();
    // 16 blocks of `y`, and 19 tasks for each reduction
    assert_eq!(apart.plan(&both).unwrap().tasks(), 16 + 3 * 19 + 1);
}

#[test]
fn siblings_of_which_parts_are_needed_compute_those() {
    let x = LazyArray::from_ndarray(Array2::from_shape_fn((6, 6), |(i, j)| (i * 6 + j) as f64), 2);
    let y = x.sqrt();
    let roots = || {
        let (some, all) = (y.sum_axis(Axis(0)).slice(s![..2]), y.max_keepdims([Axis(0)]));
        let other = y.min_axis(Axis(0)).slice(s![3..]);
        (some, all, other, y.argmax_axis(Axis(0)).slice(s![..0]))
    };
    let (some, all, other, none) = chunkwise::compute(roots()).unwrap();
    let plain = Runtime::builder().threads(1).optimizer(OptimizeOptions::none()).build().unwrap();
    assert_eq!((some, all, other, none.len()), {
        let plain = plain.compute(roots()).unwrap();
        (plain.0, plain.1, plain.2, 0)
    });
}

#[test]
fn sibling_is_not_folded_where_nothing_needs_it() {
    let x = LazyArray::from_ndarray(arr2(&[[1_i64, 2, 0, 0], [2, 1, 5, 0]]), 1);
    let inverse = (2_i64 / &x).sum_axis(Axis(0)); // an error in the last two columns
    let (max, some, none) =
        chunkwise::compute((x.max_axis(Axis(0)), inverse.slice(s![..2]), inverse.slice(s![..0]))).unwrap();
    assert_eq!((max, some, none.len()), (arr1(&[2, 2, 5, 0]), arr1(&[3, 3]), 0));
    assert!(chunkwise::compute((x.max_axis(Axis(0)), inverse.slice(s![1..3]))).is_err());
}

#[test]
fn error_in_siblings_names_the_lines_of_all() {
    let x = LazyArray::from_ndarray(arr1(&[1_i32, 0, 3]), 2);
    let y = 6 / &x;
    let line = line!() + 1;
    let err = chunkwise::compute((y.sum(), y.max())).unwrap_err().to_string();
    assert!(err.contains("sum{r0 = div 6 x0} and max{r0 = div 6 x0}, block [0]"), "{err}");
    assert!(err.contains(&format!("{}:{line}:37", file!())), "{err}");
    assert!(err.contains(&format!("{}:{line}:46", file!())), "{err}");
}

#[test]
fn delayed_value_is_computed_once_however_often_used() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let base = delayed(move || count.fetch_add(1, Relaxed));
    let (a, b) = (base.map(|v| v + 1), base.map(|v| v + 2));
    let array = LazyArray::from_delayed(base.map(|&v| Array1::from_elem(3, v as f64)), 3);
    let (a, b, sum, n) =
        chunkwise::compute((&a, &b, array.sum(), delayed_with((&a, &array), |a, x| a + x.len()))).unwrap();
    assert_eq!((*a, *b, sum, *n, calls.load(Relaxed)), (1, 2, 0.0, 4, 1));
}

#[test]
fn delayed_array_of_another_shape_is_an_error() {
    let x = LazyArray::from_delayed(delayed(|| Array1::<f64>::zeros(4)), 3);
    let err = x.compute().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Task);
    assert!(err.to_string().contains("the value has shape [4], not [3]"), "{err}");
}

#[test]
fn view_of_a_delayed_array_computes() {
    let x = LazyArray::from_delayed(delayed(|| arr1(&[1.0, 2.0, 3.0])), 3);
    assert_eq!(x.broadcast((2, 3)).compute().unwrap(), arr2(&[[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]));
    assert_eq!(x.slice(s![1..]).sum().compute().unwrap(), 5.0);
}

#[test]
fn errors_name_operation_shapes_and_line() {
    let x = LazyArray::<f64, _>::zeros((2, 3), 2);
    let line = line!() + 1;
    let err = (&x + LazyArray::<f64, _>::zeros(4, 2)).compute().unwrap_err();
    assert_eq!(
        err.to_string(),
        format!("add: shapes [2, 3] and [4] do not broadcast (at {}:{line}:15)", file!())
    );
    let err = x.reshape((7,)).compute().unwrap_err();
    assert!(
        err.to_string().starts_with("reshape: shape [2, 3] (6 elements) cannot become shape [7]"),
        "{err}"
    );
    let err = LazyArray::<f64, _>::zeros((2, 3), (2, 0)).compute().unwrap_err();
    assert!(err.to_string().contains("a chunk size must be at least 1"), "{err}");
    assert!(err.to_string().contains(file!()), "{err}");
}

#[test]
fn panicking_closure_is_an_error_and_the_next_compute_works() {
    for threads in [1, 2] {
        let rt = runtime(threads);
        let x = LazyArray::from_ndarray(Array2::<f64>::ones((4, 4)), 2);
        let bad = x.mapv(|v| if v > 0.0 { panic!("no good") } else { v });
        let err = rt.compute(&bad).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Panic);
        let text = err.to_string();
        assert!(text.contains("mapv") && text.contains("block [0, 0]") && text.contains("no good"), "{text}");
        assert!(text.contains(file!()), "{text}");
        assert_eq!(rt.compute(x.sum()).unwrap(), 16.0);
    }
}

#[test]
fn error_in_a_fused_group_names_the_line_of_each_operation() {
    let x = LazyArray::from_ndarray(arr1(&[1_i32, 0, 3]), 2);
    let line = line!() + 1;
    let y = 6 / &x;
    let err = (y + 1).sum().compute().unwrap_err().to_string();
    assert!(err.contains("sum{r0 = div 6 x0; r1 = add r0 1}, block [0]"), "{err}");
    assert!(err.contains(&format!("{}:{line}:13", file!())), "{err}");
}

#[test]
fn integer_division_by_zero_is_an_error() {
    let x = LazyArray::arange(0_i32, 10, 1, 3);
    let err = (1 / &x).compute().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Task);
    assert!(err.to_string().contains("div") && err.to_string().contains("block [0]"), "{err}");
}

#[test]
fn block_function_that_returns_another_shape_is_an_error() {
    let x = LazyArray::<f64, _>::from_blocks(5, 2, |_| Array1::zeros(7));
    assert!(x.sum().compute().unwrap_err().to_string().contains('7'));
}

#[test]
fn budget_that_cannot_do_is_an_error_before_anything_runs() {
    let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build().unwrap();
    let x = LazyArray::<f64, _>::ones(1_000_000, 1_000_000).exp();
    assert_eq!(rt.compute(x.sum()).unwrap(), 1_000_000.0 * 1.0_f64.exp()); // folded tile by tile
    let err = rt.compute(&x).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Memory);
    let centred = &x - x.mean();
    let err = rt.compute(centred.sum()).unwrap_err();
    assert!(err.to_string().contains("budget"), "{err}");
}

#[test]
fn persisted_blocks_count_and_are_reused() {
    let rt = runtime(2);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let x = LazyArray::from_fn((8, 8), 4, move |(i, j)| {
        count.fetch_add(1, Relaxed);
        (i * 8 + j) as f64
    });
    let kept = rt.persist(&x).unwrap();
    assert_eq!((calls.load(Relaxed), rt.persisted_bytes()), (64, 512));
    assert_eq!(rt.compute((kept.sum(), kept.t().slice(s![.., 1]).sum())).unwrap(), (2016.0, 92.0));
    assert_eq!(calls.load(Relaxed), 64);
    drop(kept);
    assert_eq!(rt.persisted_bytes(), 0);
}

#[test]
fn slice_computes_only_the_blocks_it_needs() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let x = LazyArray::from_blocks((100, 100), 10, move |block| {
        count.fetch_add(1, Relaxed);
        Array2::from_elem((block.shape[0], block.shape[1]), block.start[0] as f64)
    });
    let part = (&x + 1.0).slice(s![15..25;-3, 95..]);
    assert_eq!(part.sum().compute().unwrap(), (2.0 * 21.0 + 2.0 * 11.0) * 5.0);
    assert_eq!(calls.load(Relaxed), 2);
}

#[test]
fn block_function_is_called_once_per_block_whoever_asks() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let x = LazyArray::<f64, _>::from_blocks(10, 2, move |block| {
        count.fetch_add(1, Relaxed);
        Array1::from_elem(block.shape[0], block.start[0] as f64)
    });
    let (all, sum, odd) = chunkwise::compute((&x, x.sum(), x.slice(s![1..;2]).max())).unwrap();
    assert_eq!((all[9], sum, odd, calls.load(Relaxed)), (8.0, 40.0, 8.0, 5));
}

#[test]
fn bits_do_not_depend_on_threads_or_passes() {
    let data = Array2::from_shape_fn((300, 70), |(i, j)| ((i * 7919 + j * 104_729) % 1009) as f64 / 7.0);
    let x = LazyArray::from_ndarray(data, (37, 11));
    let y = (x.sin() * &x).t();
    let of = |rt: Runtime| {
        let (a, b, c) = rt.compute((y.sum(), y.std_axis(Axis(1), 1.0), y.mean_axis(Axis(0)))).unwrap();
        let (d, e, f) = rt.compute((y.std(1.0), y.square().mean_axis(Axis(0)), y.max_axis(Axis(0)))).unwrap();
        let bits = |x: Array1<f64>| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        (a.to_bits(), bits(b), bits(c), d.to_bits(), bits(e), bits(f))
    };
    let first = of(runtime(1));
    let siblings_alone = OptimizeOptions::none().with("fuse_siblings");
    let all_but_siblings = OptimizeOptions::all().without("fuse_siblings");
    for threads in [1, 2, 3, 8] {
        assert_eq!(of(runtime(threads)), first);
        for options in [OptimizeOptions::none(), siblings_alone.clone(), all_but_siblings.clone()] {
            let other = Runtime::builder().threads(threads).optimizer(options).build().unwrap();
            assert_eq!(of(other), first);
        }
    }
}

#[test]
fn huge_chunk_is_folded_in_pieces() {
    let data = Array1::from_shape_fn(5 << 19, |i| ((i * 7919) % 100_003) as f64 / 7.0);
    let x = LazyArray::from_ndarray(data.clone(), ..);
    let y = x.sqrt();
    // 3 pieces, their merge, 1 finish; and for a chunk less than twice as large as a piece 2 of each
    assert_eq!(y.mean().plan().unwrap().tasks(), 5);
    let halves = LazyArray::from_ndarray(data.clone(), 5 << 18);
    assert_eq!(halves.mean().plan().unwrap().tasks(), 2 * (2 + 1) + 1);
    // What user code makes is made by block, so it is folded by block as well.
    let made = LazyArray::from_fn(5 << 19, .., move |i| data[i]);
    assert_eq!(made.mean().plan().unwrap().tasks(), 2);
    let of = |rt: &Runtime, x: &LazyArray1<f64>| {
        let y = x.sqrt();
        let (mean, std, at) = rt.compute((y.mean(), y.std(1.0), y.argmax())).unwrap();
        (mean.to_bits(), std.to_bits(), at)
    };
    let first = of(&runtime(1), &x);
    for options in [OptimizeOptions::all(), OptimizeOptions::none()] {
        for threads in [1, 2, 3, 8] {
            let rt = Runtime::builder().threads(threads).optimizer(options.clone()).build().unwrap();
            assert_eq!((of(&rt, &x), of(&rt, &made)), (first, first));
        }
    }
}

#[test]
fn nested_compute_in_a_closure_works() {
    let x = LazyArray::from_ndarray(arr1(&[1.0, 2.0, 3.0, 4.0]), 1);
    let inner = LazyArray::<f64, _>::ones(10, 3);
    let y = x.mapv(move |v| v * inner.sum().compute().unwrap());
    assert_eq!(y.compute().unwrap(), arr1(&[10.0, 20.0, 30.0, 40.0]));
}

#[test]
fn one_block_per_element_still_adds_up() {
    let x = LazyArray::<f64, _>::ones(10_000, 1) + 1.0;
    assert_eq!(x.sum().compute().unwrap(), 20_000.0);
}

#[test]
fn zero_length_axes_work_throughout() {
    let x = LazyArray::<f64, _>::zeros((0, 3), 2);
    let (a, b, c) = chunkwise::compute((x.sum_axis(Axis(0)), x.mean(), &x + 1.0)).unwrap();
    assert_eq!((a, b.is_nan(), c.dim()), (arr1(&[0.0; 3]), true, (0, 3)));
    assert_eq!(x.min_axis(Axis(1)).compute().unwrap().len(), 0);
    assert!(x.min().compute().is_err());
    let joined = chunkwise::concatenate(Axis(0), &[&x, &LazyArray::ones((1, 3), 2)]);
    assert_eq!(joined.compute().unwrap(), arr2(&[[1.0; 3]]));
}

#[test]
fn same_root_asked_for_twice_comes_twice() {
    let x = LazyArray::arange(0_i32, 4, 1, 2);
    let (a, b, c) = chunkwise::compute((&x, x.clone(), x.sum())).unwrap();
    assert_eq!((a, b, c), (arr1(&[0, 1, 2, 3]), arr1(&[0, 1, 2, 3]), 6));
}

#[test]
fn absurd_shapes_and_chunkings_are_errors() {
    let huge = LazyArray::<f64, _>::zeros((usize::MAX, 2, 0), ..);
    assert!(huge.check().unwrap_err().to_string().contains("more elements than this machine can address"));
    let one = LazyArray::<f64, _>::ones((1, 1), 1);
    assert!(one.broadcast((1 << 40, 1 << 40)).check().is_err());
    assert!(
        LazyArray::<f64, _>::zeros(1 << 40, 1)
            .sum()
            .compute()
            .unwrap_err()
            .to_string()
            .contains("larger chunks")
    );
    assert!(LazyArray::<f64, _>::zeros(1 << 45, 1 << 30).compute().is_err());
    let few = LazyArray::<f64, _>::zeros(1 << 33, 1000).exp().slice(s![..3]);
    assert_eq!(few.compute().unwrap(), arr1(&[1.0; 3]));
    assert_eq!(LazyArray::<f64, _>::zeros(0, 1).reshape((1 << 33, 0)).compute().unwrap().dim(), (1 << 33, 0));
    assert!(one.reshape_dyn(&[isize::MAX, isize::MAX, -1]).check().is_err());
    let long = LazyArray::<f64, _>::zeros((1 << 60) - 1, 1 << 50);
    assert!(chunkwise::concatenate(Axis(0), &[&long; 20]).check().is_err());
    assert!(long.sqrt().plan().is_err());
    let ten = LazyArray::arange(0_i32, 10, 1, 3);
    let step = |step| ndarray::SliceInfoElem::Slice { start: 0, end: None, step };
    let far = ten.slice_dyn(&[step(isize::MAX)]).slice_dyn(&[step(4)]);
    assert_eq!(far.compute().unwrap(), arr1(&[0]).into_dyn());
    assert!(ten.slice_dyn(&[step(isize::MIN)]).explain().contains("tasks"));
    assert!(LazyArray::arange(0.0, f64::INFINITY, 1.0, 1).check().is_err());
    assert!(LazyArray::arange(0, 5, 0, 1).check().is_err());
    assert_eq!(LazyArray::arange(5u8, 0, 1, 1).len(), 0);
    assert_eq!(LazyArray::arange(i64::MIN, i64::MAX, i64::MAX, 1).len(), 3);
}

#[test]
fn spread_of_anomalies_is_exact_along_a_long_axis() {
    let wave = |hour: usize, station: usize| 10.0 + station as f64 + 8.0 * (hour as f64 * 0.2618).sin();
    let data = Array2::from_shape_fn((8760, 100), |(hour, station)| wave(hour, station));
    let want = data.std_axis(ndarray::Axis(0), 0.0);
    let t = LazyArray::from_ndarray(data, (720, ..));
    let anomaly = &t - t.mean_axis(Axis(0)).insert_axis(Axis(0));
    for threads in [1, 2] {
        let got = runtime(threads).compute(anomaly.std_axis(Axis(0), 0.0)).unwrap();
        let worst = (&got - &want).mapv(f64::abs).fold(0.0, |a: f64, &b| a.max(b));
        assert!(worst < 1e-12, "{worst}");
    }
}

#[test]
fn building_does_not_walk_the_blocks() {
    let x = LazyArray::<f64, _>::zeros(1 << 45, 3);
    let end = -3;
    let y = (x.slice(s![4..]) + x.slice(s![1..end])).flip(Axis(0)).slice(s![2..;3]);
    assert!(y.check().is_ok());
    assert!(y.chunks().num_blocks() > 1 << 40);
    // Cuts that do not line up would have to be listed.
    let err = (x.slice(s![1..]) + x.slice(s![..-1])).check().unwrap_err();
    assert!(err.to_string().contains("unequal blocks"), "{err}");
}

#[test]
fn many_results_and_many_joined_arrays_stay_linear() {
    let arrays: Vec<LazyArray1<f64>> = (0..3000).map(|i| LazyArray::full(2, f64::from(i), 2) + 1.0).collect();
    let sums = chunkwise::compute(&arrays).unwrap();
    assert_eq!(sums[2999], arr1(&[3000.0, 3000.0]));
    let all: Vec<&LazyArray1<f64>> = arrays.iter().collect();
    assert_eq!(chunkwise::stack(Axis(0), &all).sum().compute().unwrap(), 2.0 * (3000.0 * 3001.0 / 2.0));
}

#[test]
fn small_part_that_is_kept_does_not_keep_the_rest() {
    let rt = runtime(2);
    let whole = rt.persist(&LazyArray::from_fn(100_000, 100_000, |i| i as f64)).unwrap();
    let part = rt.persist(&whole.slice(s![..;1000])).unwrap();
    assert_eq!(rt.persisted_bytes(), 800_000 + 800);
    assert_eq!(step(&part), 1, "the kept part has memory of its own");
}

/// Elements from one element of the only block to the next.
fn step(x: &LazyArray1<f64>) -> isize {
    let chunkwise_expr::Op::Source(source) = x.expr().op() else { panic!("not a source: {x:?}") };
    let block = source.source().read(&chunkwise_chunk::Region::whole(x.shape())).expect("memory can be read");
    block.typed::<f64>().expect("the array holds f64").strides()[0]
}

#[test]
fn rechunk_declares_its_blocks_once() {
    let x = LazyArray::from_ndarray(Array1::<f64>::ones(1 << 20), 1 << 17).sqrt().rechunk(..);
    // The result, all blocks of the roots and the block put together from them: 8 MiB each.
    let peak = x.plan().unwrap().peak_bytes();
    assert!(peak < (24 << 20) + (1 << 20), "{peak}");
}

#[test]
fn file_errors_name_the_file_and_the_line() {
    let err = chunkwise::open_npy::<f64, Ix1>("no-such-file.npy").unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Storage);
    let text = err.to_string();
    assert!(text.contains("no-such-file.npy") && text.contains(file!()), "{text}");
}

#[test]
fn tiny_blocks_are_folded_by_groups_with_the_bits_of_blocks() {
    let data = ndarray::Array2::from_shape_fn((600, 70), |(i, j)| ((i * 70 + j) as f64).sin() * 1e3 + 0.1);
    let x = LazyArray::from_ndarray(data, (2, 3));
    let root = x.abs().sqrt();
    // 300 x 24 blocks of 6: 15 groups of 512 would be few, so 113 of 64; merges of 112 to 14, of 15 to 2; the last one.
    let plan = root.sum().plan().unwrap();
    assert_eq!(plan.tasks(), 113 + 14 + 2 + 1);
    // Each root is an array of its own without fusion: blocks of other tasks are not grouped.
    let plain = Runtime::builder().threads(1).optimizer(OptimizeOptions::none()).build().unwrap();
    let values =
        || (root.sum(), root.std(1.0), root.sum_axis(Axis(0)), root.var_axis(Axis(1), 0.0), root.argmax());
    let apart = plain.compute(values()).unwrap();
    for threads in [1, 2, 3, 8] {
        assert_eq!(runtime(threads).compute(values()).unwrap(), apart);
    }
}

#[test]
fn error_of_a_group_names_its_blocks() {
    let x = LazyArray::from_ndarray(Array1::from_shape_fn(4000, |i| 4000 - i as i32), 1);
    let err = (LazyArray::full(4000, 1, 1) / (x - 3)).sum().compute().unwrap_err().to_string();
    assert!(err.contains("one of the blocks [3968] to [3999]"), "{err}");
}

#[test]
fn map_of_one_huge_block_is_written_in_pieces() {
    let data = Array1::from_shape_fn(5 << 20, |i| i as f64);
    let x = LazyArray::from_ndarray(data.clone(), ..);
    let rt = runtime(2);
    assert_eq!(rt.compute(x.sqrt() + 1.0).unwrap(), data.mapv(|x| x.sqrt() + 1.0));
    // A block that others take too stays whole.
    let y = x.sqrt();
    let (roots, sum) = rt.compute((&y, (&y + &x).sum())).unwrap();
    assert_eq!((roots[1 << 22], roots.len()), (2048.0, 5 << 20));
    assert_eq!(sum, rt.compute((x.sqrt() + &x).sum()).unwrap());
    let matrix = LazyArray::from_ndarray(data.into_shape_with_order((5 << 10, 1 << 10)).unwrap(), ..);
    assert_eq!(rt.compute(matrix.t() + 0.5).unwrap()[[3, 4000]], (4000 * 1024 + 3) as f64 + 0.5);
}
