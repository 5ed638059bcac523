//! Products of many blocks, steps and partial sums, against loops and ndarray.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise::{AxisChunks, ChunkGrid, OptimizeOptions, einsum};
use ndarray::{Array2, Array3};

fn runtimes() -> Vec<Runtime> {
    let of = |threads, options| Runtime::builder().threads(threads).optimizer(options).build().unwrap();
    vec![of(1, OptimizeOptions::all()), of(3, OptimizeOptions::all()), of(2, OptimizeOptions::none())]
}

/// Whole numbers, of which float sums are exact in any order.
fn data(rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 7919 + j * 104_729) % 19) as f64 - 9.0)
}

fn irregular(len: usize) -> AxisChunks {
    AxisChunks::explicit(len, &[0, len / 3, 0, len - len / 3 - 1, 1]).unwrap()
}

/// Grids of a matrix: one block, tiny ones, unequal ones of which some are empty.
fn grids(shape: &[usize]) -> Vec<ChunkGrid> {
    vec![
        ChunkGrid::whole(shape),
        ChunkGrid::regular(shape, &[17, 23]),
        ChunkGrid::regular(shape, &[200, 150]),
        ChunkGrid::new(shape.iter().map(|&len| irregular(len))),
    ]
}

#[test]
fn product_of_many_blocks_does_not_depend_on_the_chunks() {
    let (a, b) = (data(300, 700), data(700, 410));
    let want = a.dot(&b);
    for of_a in grids(&[300, 700]) {
        for of_b in grids(&[700, 410]) {
            let x = LazyArray::from_ndarray(&a, &of_a);
            let y = LazyArray::from_ndarray(&b, &of_b);
            for rt in runtimes() {
                assert_eq!(rt.compute(x.dot(&y)).unwrap(), want, "{of_a} by {of_b} on {rt:?}");
            }
        }
    }
}

#[test]
fn transposed_and_computed_operands_are_multiplied() {
    let (a, b) = (data(600, 300), data(600, 200));
    let (x, y) = (LazyArray::from_ndarray(&a, 250), LazyArray::from_ndarray(&b, (600, 90)));
    let product = (&x + 1.0).t().dot(&(&y * 2.0)) - 1.0;
    let want = (&a + 1.0).t().dot(&(&b * 2.0)) - 1.0;
    for rt in runtimes() {
        assert_eq!(rt.compute(&product).unwrap(), want);
        assert_eq!(rt.compute(product.slice(s![5..9, ..;-1])).unwrap(), want.slice(s![5..9, ..;-1]));
    }
}

#[test]
fn integers_wrap_in_their_own_type_for_any_chunks() {
    let value = |i: usize, j: usize| (i * 31 + j * 17) as i8;
    let a = Array2::from_shape_fn((140, 900), |(i, j)| value(i, j));
    let b = Array2::from_shape_fn((900, 150), |(i, j)| value(j, i + 1));
    let want = Array2::from_shape_fn((140, 150), |(i, j)| {
        (0..900).fold(0i8, |sum, k| sum.wrapping_add(a[[i, k]].wrapping_mul(b[[k, j]])))
    });
    for chunk in [1000, 100, 37] {
        let (x, y) = (LazyArray::from_ndarray(&a, chunk), LazyArray::from_ndarray(&b, (chunk, 50)));
        assert_eq!(x.dot(&y).compute().unwrap(), want, "chunks of {chunk}");
        let (row, column) = (x.slice(s![3, ..]), y.slice(s![.., 7]));
        assert_eq!(row.dot(&column).compute().unwrap(), want[[3, 7]]);
    }
}

#[test]
fn tall_operands_are_summed_in_parts_side_by_side() {
    let (a, b) = (data(40_000, 3), data(40_000, 5));
    let (x, y) = (LazyArray::from_ndarray(&a, (500, 3)), LazyArray::from_ndarray(&b, (300, 2)));
    let product = x.t().dot(&y);
    assert!(product.explain().contains("partial sums"), "{}", product.explain());
    for rt in runtimes() {
        assert_eq!(rt.compute(&product).unwrap(), a.t().dot(&b));
    }
    let small = x.mapv(|x| x as i8).t().dot(&y.mapv(|x| x as i8)).compute().unwrap();
    assert_eq!(small, a.t().dot(&b).mapv(|x| x as i64 as i8));
    let truth = x.gt(8.0).t().dot(&y.lt(-8.0)).compute().unwrap();
    let both = |i: usize, j: usize| (0..40_000).any(|k| a[[k, i]] > 8.0 && b[[k, j]] < -8.0);
    assert_eq!(truth, Array2::from_shape_fn((3, 5), |(i, j)| both(i, j)));
}

#[test]
fn batches_broadcast_and_are_shared_out() {
    let a = Array3::from_shape_fn((150, 20, 30), |(b, i, j)| ((b * 5 + i * 3 + j) % 11) as f32);
    let b = Array3::from_shape_fn((150, 30, 25), |(b, i, j)| ((b + i * 7 + j * 2) % 13) as f32);
    let (x, y) = (LazyArray::from_ndarray(&a, 40), LazyArray::from_ndarray(&b, (70, 30, 25)));
    let got = x.matmul(&y).compute().unwrap();
    let one = x.matmul(&y.slice(s![1..2, .., ..])).compute().unwrap();
    for i in 0..150 {
        let row = a.index_axis(Axis(0), i);
        assert_eq!(got.index_axis(Axis(0), i), row.dot(&b.index_axis(Axis(0), i)).into_dyn());
        assert_eq!(one.index_axis(Axis(0), i), row.dot(&b.index_axis(Axis(0), 1)).into_dyn());
    }
}

#[test]
fn one_large_block_is_cut_so_that_all_threads_work() {
    let x = LazyArray::<f64, _>::zeros((4000, 4000), 4000).persist().unwrap();
    let y = x.dot(&x);
    assert_eq!(y.chunks().to_string(), "(500, 500)");
    assert!(y.explain().contains("dot[ac, cb -> ab, c by (1000,)]"), "{}", y.explain());
    assert!(y.plan().unwrap().tasks() >= 256);
}

#[test]
fn products_of_long_vectors_have_small_blocks() {
    let x = LazyArray::<f64, _>::ones(100_000, 100_000);
    let y = x.outer(&x);
    assert!(y.chunks().max_chunk().iter().product::<usize>() <= 1 << 20, "{}", y.chunks());
    assert_eq!(y.slice(s![99_000.., 99_000..]).sum().compute().unwrap(), 1e6);
    let z = einsum("i,j,j->i", &[&x.clone().into_dyn(), &x.clone().into_dyn(), &x.into_dyn()]);
    assert_eq!(z.slice_dyn(&[(7..8).into()]).sum().compute().unwrap(), 1e5);
}

#[test]
fn nothing_summed_is_zero_and_nothing_to_sum_is_nothing() {
    let x = LazyArray::<f64, _>::ones((300, 0), 100);
    assert_eq!(x.dot(&x.t()).compute().unwrap(), Array2::<f64>::zeros((300, 300)));
    assert_eq!(x.t().dot(&x).shape(), [0, 0]);
    assert_eq!(x.t().dot(&x).compute().unwrap().len(), 0);
}

#[test]
fn covariance_of_large_means_keeps_its_digits() {
    let x = data(40, 3000);
    let far = LazyArray::from_ndarray(&x + 1e9, (7, 400)).cov(1.0).compute().unwrap();
    let near = LazyArray::from_ndarray(&x, 1000).cov(1.0).compute().unwrap();
    assert!(far.iter().zip(&near).all(|(far, near)| (far - near).abs() < 1e-6));
}

/// Long free axes in thin blocks, which the product joins: neither operand is held whole, though every block of one meets
/// every block of the other. Planned, not run: the product has 16 times the bytes of its operands.
#[test]
fn tall_times_wide_is_planned_within_a_tenth_of_both() {
    const LONG: usize = 1 << 14;
    const SHORT: usize = 512;
    let limit = 2 * LONG * SHORT * 8 / 10;
    let folder = tempfile::tempdir().unwrap();
    for threads in [1, 2] {
        let rt = Runtime::builder().threads(threads).memory_limit_bytes(limit as u64);
        let rt = rt.spill_dir(folder.path()).build().unwrap();
        for thin in [64, 1024] {
            let values = |seed, shape, chunk| -> LazyArray2<f64> {
                Generator::new(seed).uniform(0.0, 1.0, shape, chunk) + 1.0
            };
            let (a, b) = (values(1, (LONG, SHORT), (thin, SHORT)), values(2, (SHORT, LONG), (SHORT, thin)));
            let plan = rt.plan_store(&a.dot(&b)).unwrap();
            assert!(
                plan.peak_bytes() <= limit as u64,
                "{} bytes by {thin}, limit {limit}",
                plan.peak_bytes()
            );
        }
    }
}
