//! NumPy's rules where it is easy to depart from them when an array is cut into chunks. What each test expects is what
//! NumPy 2 gives for the array as a whole, and SciPy for moments.
//!
//! Arrays are cut into one block, into blocks of one element, into unequal ones, and into some of which are empty, and
//! so on every axis independently. Left for later, because there are no such operations yet:
//!
//! * sorting and `argsort`, `unique` and its counts with NaN, `bincount`,
//! * `topk` of more elements than there are,
//! * quantiles beside infinities, percentiles of several blocks,
//! * pivots of the LU decomposition outside the diagonal block.
//!
//! Elements of half precision and operands of two types are not there at all. Not NumPy's, on purpose: an integer divided by
//! zero is an error, and bounds of a slice beyond the axis are too, as in ndarray.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use chunkwise::prelude::*;
use chunkwise::{AxisChunks, Boundary, ChunkGrid, Element, Index, PadMode, concatenate, einsum, idx};
use ndarray::{Array, Array1, Array2, Array3, ArrayD, Dimension, Slice, arr0, arr1, arr2};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// One axis in one block, in single elements, in unequal blocks, and with empty ones at both ends and between.
fn cuts(len: usize) -> [AxisChunks; 4] {
    let (few, half) = (len / 3, len / 2);
    [
        AxisChunks::whole(len),
        AxisChunks::regular(len, 1),
        AxisChunks::explicit(len, &[few, len - few]).unwrap(),
        AxisChunks::explicit(len, &[0, half, 0, 0, len - half, 0]).unwrap(),
    ]
}

/// All grids of these axes.
fn grids(shape: &[usize]) -> Vec<ChunkGrid> {
    let mut grids = vec![Vec::new()];
    for &len in shape {
        let longer = |axes: &Vec<AxisChunks>| cuts(len).map(|axis| [axes.clone(), vec![axis]].concat());
        grids = grids.iter().flat_map(longer).collect();
    }
    grids.into_iter().map(ChunkGrid::new).collect()
}

/// The array in all its grids.
fn cut<T: Element, D: Dimension>(array: &Array<T, D>) -> Vec<LazyArray<T, D>> {
    grids(array.shape()).iter().map(|grid| LazyArray::from_ndarray(array, grid)).collect()
}

/// Equal, NaN to NaN.
#[track_caller]
fn same<D: Dimension>(got: &Array<f64, D>, want: &Array<f64, D>) {
    let equal = got.shape() == want.shape()
        && got.iter().zip(want).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
    assert!(equal, "{got}\nis not\n{want}");
}

#[track_caller]
fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-12 * want.abs(), "{got} is not {want}");
}

#[test]
fn first_of_equal_extremes_is_that_in_c_order() {
    for x in cut(&arr2(&[[1, 0], [0, 1]])) {
        assert_eq!(chunkwise::compute((x.argmin(), x.argmax())).unwrap(), (1, 0), "{x:?}");
        assert_eq!(x.t().argmin().compute().unwrap(), 1);
    }
    let values = Array3::from_shape_fn((3, 4, 5), |(i, j, k)| (7 * i + 5 * j + 3 * k) % 4);
    let first = |of: usize| values.iter().position(|&x| x == of).unwrap() as i64;
    for x in cut(&values.mapv(|x| x as i32)) {
        assert_eq!(chunkwise::compute((x.argmin(), x.argmax())).unwrap(), (first(0), first(3)), "{x:?}");
        let row = |j: usize| values.slice(s![.., j, ..]).iter().position(|&x| x == 3).unwrap() as i64;
        let rows = x.argmax_axes([Axis(0), Axis(2)]).compute().unwrap();
        assert_eq!(rows, Array1::from_shape_fn(4, row).into_dyn());
    }
    for x in cut(&arr1(&[2, 1, 1, 2])) {
        assert_eq!(chunkwise::compute((x.argmin(), x.argmax())).unwrap(), (1, 0), "{x:?}");
    }
    for x in cut(&arr2(&[[1, 2], [1, 0]])) {
        assert_eq!(x.argmin_axis(Axis(0)).compute().unwrap(), arr1(&[0, 1]));
    }
}

#[test]
fn first_nan_is_every_extreme_and_its_position() {
    for x in cut(&arr1(&[1.0, NAN, 3.0, NAN])) {
        let (min, max) = chunkwise::compute((x.min(), x.max())).unwrap();
        assert!(min.is_nan() && max.is_nan());
        assert_eq!(chunkwise::compute((x.argmin(), x.argmax())).unwrap(), (1, 1));
    }
    for x in cut(&arr1(&[NAN, NAN, 1.0, 2.0])) {
        let (least, most) = chunkwise::compute((x.nan_argmin(), x.nan_argmax())).unwrap();
        assert_eq!((least, most), (2, 3));
        let (max, mean, var) = chunkwise::compute((x.nan_max(), x.nan_mean(), x.nan_var(0.0))).unwrap();
        assert_eq!((max, mean, var), (2.0, 1.5, 0.25));
    }
    for x in cut(&arr1(&[NAN, NAN])) {
        assert_eq!(chunkwise::compute((x.nan_sum(), x.nan_prod())).unwrap(), (0.0, 1.0));
        let (mean, max) = chunkwise::compute((x.nan_mean(), x.nan_max())).unwrap();
        assert!(mean.is_nan() && max.is_nan());
        assert!(x.nan_argmax().compute().is_err());
        assert_eq!(chunkwise::compute((x.any(), x.all())).unwrap(), (true, true));
    }
}

#[test]
fn empty_blocks_have_no_extremes() {
    for x in cut(&arr2(&[[1, 2, 3], [4, 5, 6]])) {
        let (least, most) = chunkwise::compute((x.min_axis(Axis(0)), x.max_axis(Axis(1)))).unwrap();
        assert_eq!((least, most), (arr1(&[1, 2, 3]), arr1(&[3, 6])), "{x:?}");
        assert_eq!(x.argmax_axis(Axis(0)).compute().unwrap(), arr1(&[1, 1, 1]));
        assert_eq!(x.argmin_keepdims(Axis(1)).compute().unwrap(), arr2(&[[0], [0]]));
        assert_eq!(x.t().dot(&x).compute().unwrap(), arr2(&[[17, 22, 27], [22, 29, 36], [27, 36, 45]]));
    }
    for x in cut(&Array3::from_shape_fn((3, 4, 5), |(i, j, k)| (i * 20 + j * 5 + k) as f32 - 7.0)) {
        assert_eq!(chunkwise::compute((x.min(), x.max())).unwrap(), (-7.0, 52.0), "{x:?}");
        assert_eq!(x.max_axis(Axis(2)).compute().unwrap()[[1, 2]], 27.0);
    }
}

#[test]
fn nothing_has_sums_but_no_extremes() {
    for x in cut(&Array1::<f64>::zeros(0)) {
        assert_eq!(
            chunkwise::compute((x.sum(), x.prod(), x.any(), x.all())).unwrap(),
            (0.0, 1.0, false, true)
        );
        let (mean, var) = chunkwise::compute((x.mean(), x.var(0.0))).unwrap();
        assert!(mean.is_nan() && var.is_nan());
        for error in
            [x.min().check(), x.max().check(), x.argmin().check(), x.argmax().check(), x.ptp().check()]
        {
            assert!(error.is_err(), "{x:?}");
        }
    }
    for x in cut(&Array2::<f64>::zeros((0, 3))) {
        assert_eq!(x.min_axis(Axis(1)).compute().unwrap().len(), 0);
        assert_eq!(x.argmin_axis(Axis(1)).compute().unwrap().len(), 0);
        assert!(x.min_axis(Axis(0)).check().is_err() && x.argmin_axis(Axis(0)).check().is_err());
        assert_eq!(x.sum_axis(Axis(0)).compute().unwrap(), arr1(&[0.0; 3]));
        same(&x.mean_axis(Axis(0)).compute().unwrap(), &arr1(&[NAN; 3]));
        assert_eq!(x.reshape_dyn(&[-1, 3]).shape(), [0, 3]);
        assert_eq!(x.reshape_dyn(&[-1]).compute().unwrap().shape(), [0]);
        assert!(x.reshape_dyn(&[0, -1]).check().is_err());
    }
}

#[test]
fn running_values_go_on_behind_empty_blocks() {
    for x in cut(&arr1(&[3_i64, 1, 2])) {
        let (sums, products) = chunkwise::compute((x.cumsum(Axis(0)), x.cumprod(Axis(0)))).unwrap();
        assert_eq!((sums, products), (arr1(&[3, 4, 6]), arr1(&[3, 3, 6])), "{x:?}");
        assert_eq!(x.flip(Axis(0)).cummax(Axis(0)).compute().unwrap(), arr1(&[2, 2, 3]));
    }
    let values = Array2::from_shape_fn((4, 3), |(i, j)| (i * 3 + j) as i8 + 100);
    for x in cut(&values) {
        let sums = x.cumsum(Axis(0)).compute().unwrap();
        assert_eq!(sums.row(3), arr1(&[418_i64, 422, 426]), "narrow integers are summed in 64 bits");
        let flat = x.cumsum_flat().compute().unwrap();
        assert_eq!((flat.len(), flat[11]), (12, 1266));
    }
    for x in cut(&arr1(&[1.0, NAN, 2.0])) {
        same(&x.cumsum(Axis(0)).compute().unwrap(), &arr1(&[1.0, NAN, NAN]));
        same(&x.nan_cumsum(Axis(0)).compute().unwrap(), &arr1(&[1.0, 1.0, 3.0]));
        same(&x.nan_cumprod(Axis(0)).compute().unwrap(), &arr1(&[1.0, 1.0, 2.0]));
    }
}

#[test]
fn means_of_many_narrow_numbers_neither_round_nor_wrap() {
    const N: usize = 20_000_003;
    let unequal = AxisChunks::explicit(N, &[5, 0, 17_000_000, 2_999_998]).map(|axis| ChunkGrid::new([axis]));
    for grid in [ChunkGrid::whole(&[N]), ChunkGrid::regular(&[N], &[100_000]), unequal.unwrap()] {
        let ones = LazyArray::<f32, _>::ones(N, &grid);
        assert_eq!(chunkwise::compute((ones.sum(), ones.mean())).unwrap(), (N as f32, 1.0), "{grid}");
        let bytes = LazyArray::<u8, _>::full(N, 255, &grid);
        assert_eq!(
            chunkwise::compute((bytes.sum(), bytes.mean())).unwrap(),
            (255 * N as u64, 255.0),
            "{grid}"
        );
    }
    let tenths = Array1::from_elem(1_000_000, 0.1_f32);
    for chunk in [1_000_000, 777] {
        let x = LazyArray::from_ndarray(&tenths, chunk);
        assert_eq!(x.mean().compute().unwrap(), 0.1, "the mean of equal numbers is that number");
        assert_eq!(x.std(0.0).compute().unwrap(), 0.0);
    }
}

#[test]
fn integers_are_summed_in_64_bits_and_averaged_without_a_sum() {
    for x in cut(&arr1(&[1_i64 << 62; 3])) {
        assert_eq!(x.mean().compute().unwrap(), 4.611686018427388e18);
    }
    for x in cut(&arr1(&[200_u8, 100])) {
        assert_eq!(x.sum().compute().unwrap(), 300_u64);
    }
    for x in cut(&arr1(&[true, true, false, true])) {
        assert_eq!((x.sum().compute().unwrap(), x.mean().compute().unwrap()), (3_i64, 0.75));
    }
    for x in cut(&arr1(&[i64::MAX, 1])) {
        assert_eq!(x.sum().compute().unwrap(), i64::MIN, "64 bits wrap");
    }
    for x in cut(&arr1(&[i8::MIN, 127])) {
        assert_eq!(x.ptp().compute().unwrap(), -1, "differences wrap in the type of the elements");
    }
}

#[test]
fn first_moments_keep_axes_and_nan() {
    for x in cut(&arr2(&[[1.0, 2.0, NAN], [4.0, 5.0, 9.0]])) {
        same(&x.moment_keepdims(Axis(1), 0).compute().unwrap(), &arr2(&[[NAN], [1.0]]));
        same(&x.moment_keepdims(Axis(1), 1).compute().unwrap(), &arr2(&[[NAN], [0.0]]));
        same(&x.moment_axis(Axis(0), 0).compute().unwrap(), &arr1(&[1.0, 1.0, NAN]));
        same(&x.moment_axis(Axis(0), 1).compute().unwrap(), &arr1(&[0.0, 0.0, NAN]));
        assert_eq!(x.moment_keepdims([Axis(0), Axis(1)], 1).shape(), [1, 1]);
    }
}

#[test]
fn divisor_of_a_variance_is_never_negative() {
    for x in cut(&arr1(&[1.0, 2.0])) {
        assert_eq!(
            chunkwise::compute((x.var(2.0), x.var(3.0), x.std(5.0))).unwrap(),
            (INF, INF, INF),
            "{x:?}"
        );
    }
    for x in cut(&arr1(&[5.0_f64])) {
        let (one, two) = chunkwise::compute((x.var(1.0), x.std(2.0))).unwrap();
        assert!(one.is_nan() && two.is_nan());
    }
    for x in cut(&arr2(&[[1_i32, 1], [2, 4]])) {
        same(&x.var_axis(Axis(1), 3.0).compute().unwrap(), &arr1(&[NAN, INF]));
        same(&x.var_keepdims(Axis(0), 1.0).compute().unwrap(), &arr2(&[[0.5, 4.5]]));
    }
    for x in cut(&arr1(&[1e9, 1e9 + 1.0, 1e9 + 2.0])) {
        close(x.var(0.0).compute().unwrap(), 2.0 / 3.0);
    }
}

#[test]
fn products_of_small_integers_wrap_in_their_type() {
    let (one, other) = (arr2(&[[100_i8]]), arr2(&[[2_i8]]));
    for (x, y) in cut(&one).iter().zip(cut(&other)) {
        assert_eq!(x.dot(&y).compute().unwrap(), arr2(&[[-56_i8]]));
    }
    // 100 * 2 * 5 = 1000, which is -24 beside 4 * 256.
    for x in cut(&Array2::from_elem((2, 5), 100_i8)) {
        for y in cut(&Array2::from_elem((5, 3), 2_i8)) {
            let want = Array2::from_elem((2, 3), -24_i8);
            assert_eq!(x.dot(&y).compute().unwrap(), want, "{x:?} {y:?}");
            assert_eq!(x.matmul(&y).compute().unwrap(), want.clone().into_dyn());
            assert_eq!(x.tensordot(&y, 1).compute().unwrap(), want.into_dyn());
            let all = x.tensordot(&y, ([Axis(0), Axis(1)], [Axis(1), Axis(0)]));
            assert!(all.check().is_err(), "2 and 3 are not one length");
        }
        let sum = einsum("ij,ij->", &[&x, &x]).compute().unwrap();
        assert_eq!(sum, arr0(100_i8.wrapping_mul(100).wrapping_mul(10)).into_dyn());
    }
    for x in cut(&arr2(&[[NAN, 1.0], [INF, 2.0]])) {
        same(&x.dot(&LazyArray::zeros((2, 1), 1)).compute().unwrap(), &arr2(&[[NAN], [NAN]]));
    }
    let batch = LazyArray::<f64, _>::ones((2, 1, 3, 4), 2).matmul(&LazyArray::<f64, _>::ones((5, 4, 6), 3));
    assert_eq!(batch.compute().unwrap(), ArrayD::from_elem(vec![2, 5, 3, 6], 4.0));
    let number = LazyArray::<f64, Ix0>::from_ndarray(arr0(1.0), ..);
    assert!(number.matmul(&number).check().is_err());
}

#[test]
fn norms_of_small_integers_do_not_wrap() {
    for x in cut(&arr1(&[100_i8, 100, i8::MIN])) {
        let norms = chunkwise::compute((x.norm_l1(), x.norm_l2(), x.norm_max())).unwrap();
        assert_eq!(norms, (328.0, 36384.0_f64.sqrt(), 128.0));
    }
    for x in cut(&arr1(&[100_u8, 100])) {
        assert_eq!(x.norm_l2().compute().unwrap(), 141.421_356_237_309_5);
    }
}

#[test]
fn norm_of_three_axes_is_that_of_all_elements() {
    for x in cut(&Array3::from_elem((2, 3, 6), -2_i16)) {
        assert_eq!(x.norm_l2().compute().unwrap(), 12.0);
        assert_eq!(x.norm_l2_keepdims([Axis(0), Axis(2)]).compute().unwrap()[[0, 1, 0]], 48.0_f64.sqrt());
    }
}

#[test]
fn deleting_takes_masks_for_masks_and_positions_once() {
    for x in cut(&Array1::from_iter(0..5)) {
        let mask = x.delete([false, true, false, false, true], Axis(0));
        let list = x.delete([1, -1, 1], Axis(0));
        let (mask, list) = chunkwise::compute((mask, list)).unwrap();
        assert_eq!((mask, list), (arr1(&[0, 2, 3]), arr1(&[0, 2, 3])), "{x:?}");
        assert_eq!(x.delete([true; 5], Axis(0)).compute().unwrap().len(), 0);
        assert_eq!(x.delete([false; 5], Axis(0)).compute().unwrap().len(), 5);
        assert!(x.delete([true, false], Axis(0)).check().is_err());
    }
}

#[test]
fn even_spacing_ends_exactly() {
    for grid in grids(&[11]) {
        let x = LazyArray::linspace(0.0, 1.0, 11, &grid).compute().unwrap();
        assert_eq!((x[10], x[5], x[0]), (1.0, 0.5, 0.0), "{grid}");
    }
    for (start, stop, n) in [(0.1_f64, 0.7, 50), (-3.3, 1e-3, 97), (1.0, 1.1, 1000), (5.0, -7.7, 33)] {
        for chunk in [n, 1, 7] {
            let x = LazyArray::linspace(start, stop, n, chunk).compute().unwrap();
            let step = (stop - start) / (n - 1) as f64;
            assert_eq!((x[0], x[n - 1], x[n / 2]), (start, stop, start + (n / 2) as f64 * step));
        }
    }
    assert_eq!(LazyArray::linspace(0.0, 1.0, 0, 3).compute().unwrap().len(), 0);
    assert_eq!(LazyArray::linspace(0.0, 1.0, 1, 3).compute().unwrap(), arr1(&[0.0]));
    let lengths = [(0.0, 1.0, 0.1), (1.0, 1.3, 0.1), (5.0, 0.0, 1.0)];
    let lengths = lengths.map(|(start, stop, step)| LazyArray::arange(start, stop, step, 3).len());
    assert_eq!(lengths, [10, 4, 0]);
    assert_eq!(LazyArray::arange(0, -5, -2, 2).compute().unwrap(), arr1(&[0, -2, -4]));
}

#[test]
fn repeating_takes_empty_arrays_and_a_count_for_each_element() {
    for x in cut(&Array2::<i32>::zeros((0, 3))) {
        assert_eq!(x.repeat(4, Axis(0)).compute().unwrap().shape(), [0, 3]);
        assert_eq!(x.repeat(4, Axis(1)).compute().unwrap().shape(), [0, 12]);
        assert_eq!(x.repeat_each(&[], Axis(0)).compute().unwrap().shape(), [0, 3]);
        assert_eq!(x.repeat_each(&[1, 0, 2], Axis(1)).compute().unwrap().shape(), [0, 3]);
    }
    for x in cut(&arr2(&[[1, 2, 3], [4, 5, 6]])) {
        let some = x.repeat_each(&[2, 0, 1], Axis(1)).compute().unwrap();
        assert_eq!(some, arr2(&[[1, 1, 3], [4, 4, 6]]), "{x:?}");
        assert_eq!(x.repeat_each(&[0, 2], Axis(0)).compute().unwrap(), arr2(&[[4, 5, 6], [4, 5, 6]]));
        assert_eq!(x.repeat(0, Axis(1)).compute().unwrap().shape(), [2, 0]);
        assert!(x.repeat_each(&[1, 2], Axis(1)).check().is_err());
    }
}

#[test]
fn ranges_and_counts_keep_axes_when_asked() {
    for x in cut(&arr2(&[[3.0, -0.0, 1.0], [NAN, 0.0, 2.0]])) {
        same(&x.ptp_keepdims(Axis(1)).compute().unwrap(), &arr2(&[[3.0], [NAN]]));
        same(&x.ptp_keepdims(Axis(0)).compute().unwrap(), &arr2(&[[NAN, 0.0, 1.0]]));
        assert_eq!(x.count_nonzero_keepdims(Axis(1)).compute().unwrap(), arr2(&[[2], [2]]));
        assert_eq!(x.count_nonzero_keepdims([Axis(0), Axis(1)]).compute().unwrap(), arr2(&[[4]]));
        assert_eq!(x.count_nonzero().compute().unwrap(), 4);
    }
}

#[test]
fn taking_goes_along_the_axis_that_is_named() {
    for x in cut(&arr2(&[[10, 11, 12], [20, 21, 22]])) {
        assert_eq!(x.take([1, -1], Axis(0)).compute().unwrap(), arr2(&[[20, 21, 22], [20, 21, 22]]), "{x:?}");
        assert_eq!(x.take([2, 0, -2], Axis(1)).compute().unwrap(), arr2(&[[12, 10, 11], [22, 20, 21]]));
        assert_eq!(x.flatten().take([4, 0], Axis(0)).compute().unwrap(), arr1(&[21, 10]));
        assert!(x.take([2], Axis(0)).check().is_err() && x.take([0], Axis(2)).check().is_err());
        let nothing: [i64; 0] = [];
        assert_eq!(x.take(nothing, Axis(1)).compute().unwrap().shape(), [2, 0]);
    }
}

#[test]
fn derivatives_go_over_seams() {
    for x in cut(&arr1(&[1.0, 2.0, 4.0, 7.0, 11.0])) {
        let (simple, exact) =
            chunkwise::compute((x.gradient(Axis(0), 1.0), x.gradient_with(Axis(0), 1.0, 2))).unwrap();
        assert_eq!(simple, arr1(&[1.0, 1.5, 2.5, 3.5, 4.0]), "{x:?}");
        assert_eq!(exact, arr1(&[0.5, 1.5, 2.5, 3.5, 4.5]), "{x:?}");
    }
    // The example of NumPy's documentation.
    for x in cut(&arr1(&[1, 2, 4, 7, 11, 16])) {
        let slopes = x.gradient(Axis(0), [0.0, 1.0, 1.5, 3.5, 4.0, 6.0]).compute().unwrap();
        slopes.iter().zip([1.0, 3.0, 3.5, 6.7, 6.9, 2.5]).for_each(|(&got, want)| close(got, want));
    }
    for x in cut(&arr1(&[1, 4, 9, 16])) {
        assert_eq!(x.diff(1, Axis(0)).compute().unwrap(), arr1(&[3, 5, 7]), "{x:?}");
        assert_eq!(x.diff(3, Axis(0)).compute().unwrap(), arr1(&[0]));
        assert_eq!(x.diff(5, Axis(0)).compute().unwrap().len(), 0);
    }
    for x in cut(&arr1(&[5_u8, 3])) {
        assert_eq!(x.diff(1, Axis(0)).compute().unwrap(), arr1(&[254]));
    }
}

#[test]
fn integers_divide_downwards_shift_out_and_wrap() {
    let minus: [i64; 4] = [7, -7, 7, -7];
    for x in cut(&arr1(&minus)) {
        for by in cut(&arr1(&[-2_i64, 2, 2, -2])) {
            let (quotient, rest) = x.divmod(&by);
            let (quotient, rest) = chunkwise::compute((quotient, rest)).unwrap();
            assert_eq!((quotient, rest), (arr1(&[-4, -4, 3, 3]), arr1(&[-1, 1, 1, -1])));
            assert_eq!((&x % &by).compute().unwrap(), arr1(&[1, -1, 1, -1]), "the sign of the dividend");
        }
    }
    let one = |x: i64| LazyArray::from_ndarray(arr1(&[x]), 1);
    let of = |x: LazyArray1<i64>| x.compute().unwrap()[0];
    assert_eq!(of(one(i64::MIN).floor_div(-1)), i64::MIN);
    assert_eq!(of(one(i64::MIN).modulo(-1)), 0);
    assert_eq!(of(one(i64::MAX) + 1), i64::MIN);
    assert_eq!(of(one(0).pow(0)), 1);
    assert!(one(2).pow(-1).compute().is_err(), "an integer to a negative power");
    let narrow = LazyArray::from_ndarray(arr1(&[i8::MIN, 2]), 1);
    let (negative, positive, power) = chunkwise::compute((-&narrow, narrow.abs(), narrow.pow(7))).unwrap();
    assert_eq!((negative, positive, power), (arr1(&[i8::MIN, -2]), arr1(&[i8::MIN, 2]), arr1(&[0, i8::MIN])));
    let wide = LazyArray::from_ndarray(arr1(&[1_i32, -8]), 1);
    assert_eq!(wide.left_shift(32).compute().unwrap(), arr1(&[0, 0]));
    assert_eq!(wide.right_shift(40).compute().unwrap(), arr1(&[0, -1]));
    let tens = LazyArray::from_ndarray(arr1(&[15_i64, 25, -15]), 1);
    assert_eq!(tens.round_to(-1).compute().unwrap(), arr1(&[20, 20, -20]));
}

#[test]
fn floats_divide_downwards_as_python_does() {
    for x in cut(&arr1(&[1.0, -1.0, 6.0, -1.0])) {
        let by = LazyArray::from_ndarray(arr1(&[0.1, INF, -2.0, 0.1]), 3);
        let (quotient, rest) = x.divmod(&by);
        let (quotient, rest) = chunkwise::compute((quotient, rest)).unwrap();
        assert_eq!(quotient, arr1(&[9.0, -1.0, -3.0, -10.0]));
        assert_eq!(rest.slice(s![..3]), arr1(&[0.099_999_999_999_999_95, INF, -0.0]));
        assert!(rest[2].is_sign_negative(), "zero has the sign of the divisor");
    }
    for x in cut(&arr1(&[INF, INF, NAN, 1.0])) {
        let y = LazyArray::from_ndarray(arr1(&[INF, -INF, NAN, 1.0 + 1e-9]), 3);
        let near = |nan| x.is_close(&y, 1e-5, 1e-8, nan).compute().unwrap();
        assert_eq!(
            (near(false), near(true)),
            (arr1(&[true, false, false, true]), arr1(&[true, false, true, true]))
        );
    }
    for x in cut(&arr1(&[-0.0, 0.0, NAN, -3.0])) {
        same(&x.sign().compute().unwrap(), &arr1(&[0.0, 0.0, NAN, -1.0]));
        assert_eq!(x.ne(0.0).compute().unwrap(), arr1(&[false, false, true, true]));
    }
}

#[test]
fn lengths_of_one_repeat_to_nothing() {
    for x in cut(&Array2::<f64>::zeros((3, 1))) {
        for y in cut(&Array2::<f64>::zeros((1, 0))) {
            assert_eq!((&x * &y).compute().unwrap().shape(), [3, 0]);
        }
    }
    for x in cut(&Array1::<f64>::zeros(0)) {
        assert_eq!((&x + &LazyArray::<f64, Ix1>::ones(1, 1)).compute().unwrap().len(), 0);
        assert!((&x + &LazyArray::<f64, Ix1>::ones(2, 1)).check().is_err());
        assert_eq!((&x + &LazyArray::<f64, Ix0>::from_ndarray(arr0(1.0), ..)).compute().unwrap().len(), 0);
        let joined = concatenate(Axis(0), &[&x, &LazyArray::<f64, Ix1>::ones(2, 1), &x]);
        assert_eq!(joined.compute().unwrap(), arr1(&[1.0, 1.0]));
    }
    let values = Array1::from_iter(0..6);
    for x in cut(&values) {
        for y in cut(&values) {
            assert_eq!((&x + &y.flip(Axis(0))).compute().unwrap(), arr1(&[5; 6]));
        }
    }
}

#[test]
fn reversed_slices_step_over_seams() {
    let values = Array1::from_iter(0..10);
    for x in cut(&values) {
        // NumPy's [::-1], [8:1:-3], [::-2] and [2::100].
        for part in [s![..;-1], s![2..9;-3], s![..;-2], s![2..;100]] {
            assert_eq!(x.slice(part).compute().unwrap(), values.slice(part), "{x:?} {part:?}");
        }
        let twice = x.slice(s![..;-3]).slice(s![1..;-2]);
        assert_eq!(twice.compute().unwrap(), arr1(&[0, 6]));
        // x[::-2] = [1, 2, 3, 4, 5] leaves what was made of x before.
        let before = &x + 1;
        let y = x.assign(s![..;-2], &LazyArray::arange(1, 6, 1, 2));
        let (before, y) = chunkwise::compute((before, y)).unwrap();
        assert_eq!((before, y), (&values + 1, arr1(&[0, 5, 2, 4, 4, 3, 6, 2, 8, 1])));
        let y = x.assign_at([1, 1], Axis(0), &LazyArray::arange(5, 7, 1, 1)).compute().unwrap();
        assert_eq!(y[1], 6, "of equal positions the last one counts");
    }
}

#[test]
fn masks_and_lists_pick_in_c_order() {
    let values = Array1::from_iter(0..12).into_shape_with_order((3, 4)).unwrap();
    for x in cut(&values) {
        let even = x.index(idx![values.mapv(|x| x % 2 == 0)]).compute().unwrap();
        assert_eq!(even, arr1(&[0, 2, 4, 6, 8, 10]).into_dyn(), "{x:?}");
        assert_eq!(x.index(idx![values.mapv(|_| false)]).compute().unwrap().shape(), [0]);
        assert_eq!(x.index(idx![[true, false, true]]).compute().unwrap().shape(), [2, 4]);
        assert!(x.index(idx![[true, false]]).check().is_err());
        assert_eq!(x.reshape((2, 6)).t().flatten().compute().unwrap().slice(s![..4]), arr1(&[0, 6, 1, 7]));
        assert_eq!(x.roll_flat(13).compute().unwrap().row(0), arr1(&[11, 0, 1, 2]));
    }
    let values = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| 100 * i + 10 * j + k).mapv(|x| x as u16);
    for x in cut(&values) {
        let apart = x.index(idx![[0, 1], .., [1, 2]]).compute().unwrap();
        assert_eq!(apart, arr2(&[[1, 11, 21], [102, 112, 122]]).into_dyn(), "{x:?}");
        let beside = x.index(idx![.., [0, 1], [1, 2]]).compute().unwrap();
        assert_eq!(beside, arr2(&[[1, 12], [101, 112]]).into_dyn());
        // A position counts as a list, so the lists are apart and their axis comes first.
        let position = x.index(idx![0, .., [1, 2]]).compute().unwrap();
        assert_eq!(position, arr2(&[[1, 11, 21], [2, 12, 22]]).into_dyn());
        let turned = x.index(idx![1, Index::NewAxis, Index::Ellipsis, Slice::new(0, None, -1)]);
        assert_eq!(turned.shape(), [1, 3, 4]);
        assert_eq!(turned.compute().unwrap()[[0, 2, 0]], 123);
        assert!(x.index(idx![Index::Ellipsis, 0, Index::Ellipsis]).check().is_err());
    }
}

#[test]
fn margins_reach_over_several_blocks() {
    let values = Array1::from_iter((0..8).map(|x| x * x));
    let wrapped = |at: i64| values[at.rem_euclid(8) as usize];
    for x in cut(&values) {
        let sums = x.stencil([3], Boundary::Periodic, |n| n[[-3]] + 2 * n[[3]]).compute().unwrap();
        assert_eq!(sums, Array1::from_iter((0..8).map(|i| wrapped(i - 3) + 2 * wrapped(i + 3))), "{x:?}");
        let far = x.stencil([11], Boundary::Periodic, |n| n[[-11]]).compute().unwrap();
        assert_eq!(far, Array1::from_iter((0..8).map(|i| wrapped(i - 11))), "a margin longer than the axis");
        let windows = x.sliding_windows(4, Axis(0)).compute().unwrap();
        assert_eq!(windows.row(4), arr1(&[16, 25, 36, 49]));
        assert_eq!(x.sliding_windows(8, Axis(0)).compute().unwrap().shape(), [1, 8]);
        assert!(x.sliding_windows(9, Axis(0)).check().is_err());
    }
}

#[test]
fn padding_mirrors_as_often_as_it_must() {
    struct Pad(&'static [i32], usize, PadMode<i32>, &'static [i32]);
    let pads = [
        Pad(&[1, 2, 3], 1, PadMode::Symmetric, &[1, 1, 2, 3, 3]),
        Pad(&[1, 2, 3], 2, PadMode::Symmetric, &[2, 1, 1, 2, 3, 3, 2]),
        Pad(&[1, 2, 3], 2, PadMode::Reflect, &[3, 2, 1, 2, 3, 2, 1]),
        Pad(&[1, 2], 3, PadMode::Reflect, &[2, 1, 2, 1, 2, 1, 2, 1]),
        Pad(&[1, 2, 3], 2, PadMode::Wrap, &[2, 3, 1, 2, 3, 1, 2]),
    ];
    for Pad(values, width, mode, want) in pads {
        for x in cut(&arr1(values)) {
            assert_eq!(x.pad(width, mode.clone()).compute().unwrap(), arr1(want), "{x:?} {mode:?}");
        }
    }
}
