//! Results in memory of earlier ones: the same bits as in fresh memory, whatever that memory was.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise::{ErrorKind, LazyArrayD, OptimizeOptions};
use chunkwise_chunk::Element;
use ndarray::{Array1, Array2, ArrayD, IxDyn, ShapeBuilder, Slice};

fn runtimes() -> Vec<Runtime> {
    let of = |threads, options| Runtime::builder().threads(threads).optimizer(options).build().unwrap();
    let mut runtimes: Vec<Runtime> = (1..=3).map(|threads| of(threads, OptimizeOptions::all())).collect();
    runtimes.push(of(2, OptimizeOptions::none()));
    runtimes
}

fn same<T: Element>(got: &ArrayD<T>, want: &ArrayD<T>) -> bool {
    let bits = |(&a, &b): (&T, &T)| a.into_scalar() == b.into_scalar();
    got.shape() == want.shape() && got.iter().zip(want).all(bits)
}

/// Memory of earlier results: none, too small, just large enough, larger, of Fortran order, backwards, a part.
fn memories<T: Element>(shape: &[usize]) -> Vec<(&'static str, ArrayD<T>)> {
    let n: usize = shape.iter().product();
    let zeros = |shape: &[usize]| ArrayD::from_elem(IxDyn(shape), T::default());
    let mut backwards = zeros(&[n + 3, 2]);
    backwards.invert_axis(ndarray::Axis(0));
    let mut part = zeros(&[3, n + 1]);
    part.slice_axis_inplace(ndarray::Axis(0), Slice::from(1..2));
    vec![
        ("none", zeros(&[0])),
        ("too small", zeros(&[n / 2])),
        ("of the shape", zeros(shape)),
        ("of Fortran order", ArrayD::from_elem(IxDyn(shape).f(), T::default())),
        ("of another shape", zeros(&[n])),
        ("larger", zeros(&[2, n + 5])),
        ("backwards", backwards),
        ("a part", part),
    ]
}

fn check<T: Element>(name: &str, x: &LazyArrayD<T>) {
    let want: ArrayD<T> = Runtime::global().unwrap().compute(x).unwrap();
    for rt in runtimes() {
        for (kind, memory) in memories::<T>(x.shape()) {
            let got = rt.compute_into(x, memory).unwrap();
            assert!(same(&got, &want), "{name} into memory {kind} on {rt:?}");
            assert!(got.is_standard_layout(), "{name} into memory {kind}");
        }
    }
}

fn data(shape: (usize, usize)) -> Array2<f64> {
    Array2::from_shape_fn(shape, |(i, j)| ((i * 7919 + j * 104_729) % 1009) as f64 / 7.0 - 40.0)
}

#[test]
fn every_kind_of_root_has_the_bits_of_compute() {
    let x = LazyArray::from_ndarray(data((70, 611)), (33, 290));
    let y = LazyArray::from_ndarray(data((611, 70)), (100, 20));
    check("map", &(&x * 2.0 + y.t()).into_dyn());
    check("map of short rows", &(y.abs().sqrt() - &y).into_dyn());
    check("map of a constant", &(LazyArray::<f64, _>::ones((70, 611), (33, 290)) / 3.0).into_dyn());
    check("comparison", &x.lt(&y.t()).into_dyn());
    check("cast", &x.cast::<i16>().into_dyn());
    check("closure", &x.mapv(|x| if x > 0.0 { 3_u8 } else { 250 }).into_dyn());
    check("transpose", &x.t().into_dyn());
    check("slice", &x.slice(s![3..61;4, ..;-3]).into_dyn());
    check("broadcast", &x.slice(s![5, ..]).broadcast((9, 611)).into_dyn());
    check("reduction along rows", &(&x + 0.5).mean_axis(Axis(1)).into_dyn());
    check("reduction along columns", &x.var_axis(Axis(0), 1.0).into_dyn());
    check("position", &x.argmax_axis(Axis(0)).into_dyn());
    check("reduction to a number", &x.sum().into_dyn());
    check("reshape", &x.reshape((611, 7, 10)).into_dyn());
    check("concatenation", &chunkwise::concatenate(Axis(1), &[&x, &(&x + 1.0), &y.t()]).into_dyn());
    check("stack", &chunkwise::stack(Axis(0), &[&x, &y.t()]).into_dyn());
    check("rechunk", &(&x + 1.0).rechunk((70, 100)).into_dyn());
    check("array in memory", &x.clone().into_dyn());
    check(
        "function of the place",
        &LazyArray::from_fn((70, 611), 64, |(i, j)| (i * 1000 + j) as u32).into_dyn(),
    );
    check("range", &LazyArray::arange(-3_i32, 40_000, 7, 1000).into_dyn());
    check("constant", &LazyArray::full((70, 611), 1.25_f32, 50).into_dyn());
    check("nothing", &(LazyArray::<f64, _>::ones((0, 5), 2) + 1.0).into_dyn());
    check("number", &(LazyArray::<f64, _>::ones((), 1) + 1.0).into_dyn());
    let mut rng = Generator::new(5);
    check("random", &rng.normal(0.0, 1.0, (70, 611), (33, 290)).into_dyn());
    check("map of random", &(rng.uniform(0.0, 1.0, (70, 611), (33, 290)) + &x).into_dyn());
    check("map of random that is broadcast", &(rng.uniform(0.0, 1.0, (611,), 290) + &x).into_dyn());
    check("random integers", &rng.integers(-5_i32, 500, (70, 611), (33, 290)).into_dyn());
}

#[test]
fn memory_that_is_large_enough_holds_the_result() {
    let x = LazyArray::from_ndarray(data((70, 611)), (33, 290));
    let rt = Runtime::builder().threads(2).build().unwrap();
    for (y, kind) in
        [(x.sqrt(), "map"), (x.slice(s![..;-1, ..]), "view"), (x.t().reshape((70, 611)), "reshape")]
    {
        let fortran = Array2::zeros((70, 611).f());
        let larger = Array2::zeros((80, 700));
        for memory in [Array2::zeros((70, 611)), fortran, larger] {
            let at = memory.as_ptr();
            assert_eq!(rt.compute_into(&y, memory).unwrap().as_ptr(), at, "{kind}");
        }
    }
}

#[test]
fn results_that_follow_each_other_in_one_memory_are_right() {
    let rt = Runtime::builder().threads(3).build().unwrap();
    let mut state = data((300, 300));
    let mut memory = Array2::zeros((300, 300));
    let mut want = state.clone();
    for step in 0..6 {
        let x = LazyArray::from_ndarray(state.view(), (64, 300));
        let next = rt.compute_into(&((x.t() + &x) * 0.5 + f64::from(step)), memory).unwrap();
        memory = std::mem::replace(&mut state, next);
        want = (&want.t() + &want) * 0.5 + f64::from(step);
        assert_eq!(state, want);
    }
}

/// More than the caches hold, so that it is written past them.
const LARGE: (usize, usize) = (2200, 2048);

/// Into memory of the shape, of Fortran order, and too small, on 1, 2 and 3 threads.
fn check_large(name: &str, x: &LazyArray2<f64>) {
    assert!(x.nbytes() > 32 << 20);
    let bits = |x: &Array2<f64>| x.as_slice().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
    let want = bits(&Runtime::builder().threads(1).build().unwrap().compute(x).unwrap());
    for threads in 1..=3 {
        let rt = Runtime::builder().threads(threads).build().unwrap();
        for memory in
            [Array2::from_elem(LARGE, 7.0), Array2::from_elem(LARGE.f(), 7.0), Array2::zeros((3, 4))]
        {
            let got = rt.compute_into(x, memory).unwrap();
            assert!(bits(&got) == want, "{name} on {threads} threads");
        }
    }
}

#[test]
fn large_maps_in_blocks_of_long_rows_have_the_bits_of_compute() {
    let x = LazyArray::from_ndarray(data(LARGE), (500, 700));
    check_large("map", &(x.abs().sqrt() * &x));
    let y = LazyArray::from_ndarray(data((LARGE.1, LARGE.0)), (700, 500));
    check_large("map of a transpose", &(y.t() + &x));
}

#[test]
fn large_maps_in_blocks_of_short_rows_or_of_one_block_have_the_bits_of_compute() {
    let x = data(LARGE);
    check_large("short rows", &(LazyArray::from_ndarray(x.view(), (1000, 100)) + 1.0));
    check_large("one block", &(LazyArray::from_ndarray(x.view(), (.., ..)).abs().sqrt() + 1.0));
}

#[test]
fn large_maps_of_formulas_have_the_bits_of_compute() {
    let mut rng = Generator::new(5);
    check_large("random", &(rng.uniform(-1.0, 1.0, LARGE, (500, 700)) * 3.0));
    let row = rng.uniform(-1.0, 1.0, LARGE.1, 700);
    check_large("random that is broadcast", &(rng.uniform(-1.0, 1.0, LARGE, (500, 700)) * row));
}

#[test]
fn large_roots_that_are_no_maps_have_the_bits_of_compute() {
    let x = LazyArray::from_ndarray(data((LARGE.1, LARGE.0)), (700, 500));
    check_large("transpose", &x.t());
    check_large("reshape", &(&x + 1.0).reshape(LARGE));
    let upper = (&x + 1.0).t().slice(s![..1100, ..]);
    check_large("concatenation", &chunkwise::concatenate(Axis(0), &[&upper, &(&upper * 2.0)]));
}

// --- Memory limits ---

fn limited(limit: u64) -> Runtime {
    Runtime::builder().threads(2).memory_limit_bytes(limit).build().unwrap()
}

/// The smallest memory limit within which an array is computed into this memory.
fn smallest_limit(x: &LazyArray2<f64>, memory: impl Fn() -> Array2<f64>, most: u64) -> u64 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let limit = low.midpoint(high);
        match limited(limit).compute_into(x, memory()) {
            Ok(_) => high = limit,
            Err(err) => {
                assert_eq!(err.kind(), ErrorKind::Memory, "{err}");
                low = limit + 1;
            }
        }
    }
    low
}

#[test]
fn limit_that_just_fits_gives_the_bits_of_compute_and_one_byte_less_is_an_error() {
    let x = LazyArray::from_ndarray(data((200, 600)), (50, 200));
    let result = 200 * 600 * 8;
    let block = 50 * 200 * 8;
    // A map is written in place and takes registers and a strip beside; the others make their blocks first.
    let centred = &x - x.mean_axis(Axis(0));
    let cases = [
        (x.abs().sqrt() + 1.0, 128 << 10, "map"),
        (x.slice(s![..;-1, ..]), block, "view"),
        ((&x + 1.0).reshape((200, 600)).rechunk((200, 100)), result + 5 * block, "rechunk"),
        (centred, result, "map of a reduction"),
    ];
    for (y, beside, kind) in cases {
        let want = Runtime::global().unwrap().compute(&y).unwrap();
        for memory in [Array2::zeros((200, 600)), Array2::zeros((200, 600).f()), Array2::zeros((1, 2))] {
            let least = smallest_limit(&y, || memory.clone(), 1 << 24);
            assert!((result..=result + beside).contains(&least), "{kind}: {least} bytes for {result}");
            assert_eq!(limited(least).compute_into(&y, memory.clone()).unwrap(), want, "{kind}");
            let err = limited(least - 1).compute_into(&y, memory).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Memory, "{kind}: {err}");
        }
    }
}

#[test]
fn memory_that_is_larger_than_the_result_counts_whole() {
    let y = LazyArray::from_ndarray(data((200, 600)), (50, 200)).sqrt();
    let memory = || Array2::<f64>::zeros((400, 600));
    let least = smallest_limit(&y, memory, 1 << 24);
    assert!((1_920_000..=1_920_000 + (128 << 10)).contains(&least), "{least} bytes for memory of 1920000");
    let err = limited(1_000_000).compute_into(&y, memory()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Memory);
    let text = err.to_string();
    assert!(text.contains("take 1920000 bytes, the memory limit is 1000000 bytes"), "{text}");
}

#[test]
fn limit_below_the_result_is_an_error_that_says_both_and_the_runtime_goes_on() {
    let x = LazyArray::from_ndarray(Array1::from_elem(100_000, 4.0), 10_000);
    let rt = limited(799_999);
    let err = rt.compute_into(&x.sqrt(), Array1::zeros(0)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Memory);
    let text = err.to_string();
    assert!(text.contains("800000 bytes") && text.contains("799999 bytes"), "{text}");
    assert!(text.contains("raise the limit"), "{text}");
    assert_eq!(
        rt.compute_into(&x.slice(s![..10]).sqrt(), Array1::zeros(10)).unwrap(),
        Array1::from_elem(10, 2.0)
    );
    assert_eq!(rt.compute(x.sqrt().sum()).unwrap(), 200_000.0);
}
