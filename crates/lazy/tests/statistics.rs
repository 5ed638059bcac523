//! Statistics read their array once, and reductions that users write run as the built-in ones do.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chunkwise::prelude::*;
use chunkwise::{LazyArray1, OptimizeOptions, Reduction, reduction};

fn runtimes() -> Vec<Runtime> {
    let of = |threads, options| Runtime::builder().threads(threads).optimizer(options).build().unwrap();
    let mut runtimes: Vec<Runtime> = (1..=3).map(|threads| of(threads, OptimizeOptions::all())).collect();
    runtimes.push(of(2, OptimizeOptions::none()));
    runtimes
}

fn noise(n: usize) -> ndarray::Array1<f64> {
    ndarray::Array1::from_shape_fn(n, |i| ((i * 7919) % 1009) as f64 / 7.0 - 40.0)
}

/// An array that counts how many of its elements are made.
fn counted(n: usize, chunk: usize) -> (LazyArray1<f64>, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let x = LazyArray::from_ndarray(noise(n), chunk).mapv(move |x| {
        count.fetch_add(1, Ordering::Relaxed);
        x
    });
    (x, made)
}

fn reads_once<T: chunkwise::Element>(name: &str, statistic: impl Fn(&LazyArray1<f64>) -> LazyScalar<T>) {
    let (x, made) = counted(1000, 100);
    let runtime = Runtime::builder().threads(1).build().unwrap();
    let _ = runtime.compute(&statistic(&x)).unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 1000, "{name}: {}", statistic(&x).explain());
}

#[test]
fn statistics_read_their_array_once() {
    reads_once("nan_sum", |x| x.nan_sum());
    reads_once("nan_prod", |x| x.nan_prod());
    reads_once("nan_mean", |x| x.nan_mean());
    reads_once("nan_var", |x| x.nan_var(1.0));
    reads_once("nan_argmin", |x| x.nan_argmin());
    reads_once("ptp", |x| x.ptp());
    reads_once("moment", |x| x.moment(4));
    reads_once("skew", |x| x.skew(false));
    reads_once("kurtosis", |x| x.kurtosis(false));
    reads_once("norm_l2", |x| x.norm_l2());
    let weights = LazyArray::from_ndarray(noise(1000).mapv(f64::abs), 300);
    reads_once("average", |x| x.average(&weights));
    reads_once("fold_with", |x| x.fold_with(0.0, |s, x| *s += x.iter().sum::<f64>(), |a, b| *a += b, |s| *s));
    let several = |x: &LazyArray1<f64>| {
        let count = x.fold_with(0, |n, items| *n += items.len(), |n, m| *n += m, |&n| n as f64);
        x.nan_mean() + x.std(0.0) + x.skew(true) + count + x.ptp()
    };
    reads_once("several", several);
}

#[test]
fn moments_of_numbers_far_from_zero_keep_their_digits() {
    let near = noise(100_000);
    let far = near.mapv(|x| x + 1e9);
    for chunk in [100_000, 1000, 7] {
        let (near, far) = (LazyArray::from_ndarray(&near, chunk), LazyArray::from_ndarray(&far, chunk));
        for (name, a, b) in [
            ("nan_var", near.nan_var(0.0), far.nan_var(0.0)),
            ("moment", near.moment(3), far.moment(3)),
            ("skew", near.skew(false), far.skew(false)),
            ("kurtosis", near.kurtosis(true), far.kurtosis(true)),
        ] {
            let (a, b) = chunkwise::compute((a, b)).unwrap();
            // The sums of 1e9 and sevenths are rounded by 6e-8 each.
            assert!((a - b).abs() <= 1e-6 * a.abs(), "{name} in chunks of {chunk}: {a} and {b}");
        }
    }
}

#[test]
fn position_among_nothing_but_nan_is_an_error_when_run() {
    let x = LazyArray::from_ndarray(ndarray::arr2(&[[f64::NAN, f64::NAN], [1.0, f64::NAN]]), 1);
    let at = x.nan_argmin_axis(Axis(1));
    assert!(at.check().is_ok());
    let error = at.compute().unwrap_err().to_string();
    assert!(error.contains("nan_argmin") && error.contains("every element is NaN"), "{error}");
    assert!(error.contains("statistics.rs"), "{error}");
    assert_eq!(at.slice(s![1]).compute().unwrap(), 0_i64);
}

#[test]
fn errors_name_the_method_that_was_called() {
    let x = LazyArray::<f64, _>::zeros((2, 3), 2);
    for (name, error) in [
        ("nan_mean_axis", x.nan_mean_axis(Axis(2)).check().unwrap_err()),
        ("ptp_axes", x.ptp_axes([Axis(0), Axis(0)]).check().unwrap_err()),
        ("average_axis", x.average_axis(Axis(5), 1.0).check().unwrap_err()),
        ("norm_max", LazyArray::<f64, _>::zeros(0, 1).norm_max().check().unwrap_err()),
    ] {
        let text = error.to_string();
        assert!(text.starts_with(&format!("{name}: ")) && text.contains("statistics.rs"), "{text}");
    }
}

/// Adds in the order it is given the elements, so that every other order shows in the bits.
struct InOrder;

impl Reduction for InOrder {
    type Item = f64;
    type State = f64;
    type Output = f64;

    fn name(&self) -> &str {
        "in_order"
    }

    fn identity(&self) -> f64 {
        0.0
    }

    fn fold(&self, state: &mut f64, items: &[f64]) {
        // Depends on how runs are cut, as sums in lanes do.
        *state += items.iter().sum::<f64>();
    }

    fn merge(&self, state: &mut f64, later: &f64) {
        *state = *state * 1.000_000_1 + later;
    }

    fn finish(&self, state: &f64) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
        if state.is_nan() { Err("the elements do not add up".into()) } else { Ok(*state) }
    }
}

#[test]
fn bits_of_a_users_reduction_depend_on_neither_threads_nor_passes() {
    let x = LazyArray::from_ndarray(noise(90_000).into_shape_with_order((300, 300)).unwrap(), (70, 110));
    let long = LazyArray::from_ndarray(noise(3 << 20), 2 << 20);
    let roots = |x: &LazyArray2<f64>| {
        let y = x.abs().sqrt();
        (
            y.reduce_with(InOrder),
            y.reduce_with_axis(Axis(0), InOrder),
            y.reduce_with_axis(Axis(1), InOrder),
            x.t().reduce_with_keepdims(Axis(0), InOrder),
            long.reduce_with(InOrder),
        )
    };
    let want = Runtime::builder().threads(1).build().unwrap().compute(roots(&x)).unwrap();
    for runtime in runtimes() {
        assert_eq!(runtime.compute(roots(&x)).unwrap(), want, "{runtime:?}");
    }
}

#[test]
fn users_reduction_takes_in_maps_and_siblings() {
    let x = LazyArray::from_ndarray(noise(64), 4);
    let text = x.sqrt().reduce_with(InOrder).explain();
    assert!(text.contains("in_order{r0 = sqrt x0}(%0): f64 -> result"), "{text}");
    let y = x.sqrt();
    let text = (y.mean() + y.reduce_with(InOrder)).explain();
    assert!(text.contains("in_order{r0 = sqrt x0}(%0): f64, folded with %1"), "{text}");
}

#[test]
fn one_object_is_one_reduction_and_two_are_two() {
    let x = LazyArray::from_ndarray(noise(64), 4);
    let shared = Arc::new(InOrder);
    let reductions = |text: &str| text.split("plan").nth(1).unwrap().matches("in_order").count();
    let one = x.reduce_with(shared.clone()) + x.reduce_with(shared);
    assert_eq!(reductions(&one.explain()), 1, "{}", one.explain());
    let two = x.reduce_with(InOrder) + x.reduce_with(InOrder);
    assert_eq!(reductions(&two.explain()), 2, "{}", two.explain());
}

#[test]
fn refusal_and_panic_of_a_users_reduction_are_errors_with_its_name_and_line() {
    let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, f64::NAN, 3.0]), 1);
    let refused = x.reduce_with(InOrder).compute().unwrap_err().to_string();
    assert!(refused.contains("in_order") && refused.contains("the elements do not add up"), "{refused}");
    assert!(refused.contains("statistics.rs"), "{refused}");
    for part in ["fold", "merge", "finish"] {
        let fails = move |now: &str| assert!(now != part, "no {now} today");
        let sum = reduction(
            0.0,
            move |sum, items: &[f64]| {
                fails("fold");
                *sum += items.len() as f64;
            },
            move |sum, later| {
                fails("merge");
                *sum += later;
            },
            move |sum| {
                fails("finish");
                *sum
            },
        );
        let error = x.reduce_with(sum).compute().unwrap_err().to_string();
        assert!(error.contains("reduction") && error.contains(&format!("no {part} today")), "{error}");
        assert!(error.contains("statistics.rs"), "{error}");
        assert_eq!(x.nan_sum().compute().unwrap(), 4.0);
    }
}

/// States that own memory, and say so.
struct Histogram;

impl Reduction for Histogram {
    type Item = f64;
    type State = Vec<u64>;
    type Output = i64;

    fn identity(&self) -> Vec<u64> {
        vec![0; 1 << 16]
    }

    fn fold(&self, state: &mut Vec<u64>, items: &[f64]) {
        items.iter().for_each(|x| state[(*x as i64).rem_euclid(1 << 16) as usize] += 1);
    }

    fn merge(&self, state: &mut Vec<u64>, later: &Vec<u64>) {
        state.iter_mut().zip(later).for_each(|(a, b)| *a += b);
    }

    fn finish(&self, state: &Vec<u64>) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
        Ok(state.iter().filter(|&&count| count > 0).count() as i64)
    }

    fn state_bytes(&self) -> usize {
        size_of::<Vec<u64>>() + (1 << 19)
    }
}

#[test]
fn states_that_own_memory_count_in_the_plan() {
    let x = LazyArray::from_ndarray(noise(1000), 100);
    let plan = x.reduce_with(Histogram).plan().unwrap();
    // The partial results of eight blocks or so, half a megabyte each.
    assert!((4 << 20..8 << 20).contains(&plan.peak_bytes()), "{plan}");
    assert_eq!(x.reduce_with(Histogram).compute().unwrap(), 145);
}
