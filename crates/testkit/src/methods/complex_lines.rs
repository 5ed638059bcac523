//! Complex arrays, line by line: what methods give along an axis, and over all elements of a line.

use chunkwise::prelude::*;
use chunkwise::{ConvolveMode, MovingWindow};
use chunkwise_chunk::{Complex, DType, Scalar};
use ndarray::{Array1, Ix1, Ix2};

use super::{Method, Use};
use crate::generate::data::grid;
use crate::generate::draw::Draw;
use crate::{AnyArray, PlainArray};

type C = Complex<f64>;

pub(super) const METHODS: &[Method] = &[
    Method { name: "cumsum", draw: cumsum },
    Method { name: "cumprod", draw: cumprod },
    Method { name: "nan_cumsum", draw: nan_cumsum },
    Method { name: "nan_cumprod", draw: nan_cumprod },
    Method { name: "diff", draw: diff },
    Method { name: "gradient", draw: gradient },
    Method { name: "moving_sum", draw: |draw| moving(draw, false) },
    Method { name: "moving_mean", draw: |draw| moving(draw, true) },
    Method { name: "convolve", draw: |draw| weighted(draw, false) },
    Method { name: "correlate", draw: |draw| weighted(draw, true) },
    Method { name: "convolve_axis", draw: |draw| weighted_along(draw, false) },
    Method { name: "correlate_axis", draw: |draw| weighted_along(draw, true) },
    Method { name: "cov", draw: |draw| covariances(draw, false) },
    Method { name: "corrcoef", draw: |draw| covariances(draw, true) },
    Method { name: "nan_var_axis", draw: |draw| spread(draw, false) },
    Method { name: "nan_std_axis", draw: |draw| spread(draw, true) },
    Method { name: "nan_sum_axis", draw: nan_sum },
    Method { name: "nan_prod_axis", draw: nan_prod },
    Method { name: "nan_mean_axis", draw: nan_mean },
    Method { name: "norm_l1_axis", draw: norm_l1 },
    Method { name: "norm_l2_axis", draw: norm_l2 },
    Method { name: "norm_max_axis", draw: norm_max },
    Method { name: "masked_invalid", draw: masked_invalid },
];

/// A matrix, and its lines along one of its axes.
struct Lines {
    lazy: LazyArrayD<C>,
    lines: Vec<Vec<C>>,
    axis: Axis,
}

impl Lines {
    fn draw(draw: &mut Draw, value: fn(&mut Draw) -> C) -> Lines {
        let axis = draw.below(2);
        Lines::along(draw, axis, value)
    }

    fn along(draw: &mut Draw, axis: usize, value: fn(&mut Draw) -> C) -> Lines {
        let (count, len) = (1 + draw.below(4), 2 + draw.below(12));
        let lines: Vec<Vec<C>> = (0..count).map(|_| (0..len).map(|_| value(draw)).collect()).collect();
        let plain = laid(axis, &lines, Scalar::C128);
        let AnyArray::C128(lazy) = AnyArray::from_plain(&plain, Chunks::from(grid(draw, plain.shape())))
        else {
            unreachable!("it was made of complex numbers")
        };
        Lines { lazy, lines, axis: Axis(axis) }
    }

    /// The lines that a function makes of these.
    fn want<T: Copy>(&self, scalar: fn(T) -> Scalar, f: impl Fn(&[C]) -> Vec<T>) -> PlainArray {
        let lines: Vec<Vec<T>> = self.lines.iter().map(|line| f(line)).collect();
        laid(self.axis.index(), &lines, scalar)
    }

    /// The numbers that a function makes of these lines.
    fn each<T: Copy>(&self, scalar: fn(T) -> Scalar, f: impl Fn(&[C]) -> T) -> PlainArray {
        let values: Vec<Scalar> = self.lines.iter().map(|line| scalar(f(line))).collect();
        PlainArray::new(values[0].dtype(), &[values.len()], values)
    }
}

/// Lines side by side along an axis of a matrix.
fn laid<T: Copy>(axis: usize, lines: &[Vec<T>], scalar: fn(T) -> Scalar) -> PlainArray {
    let mut shape = [lines.len(); 2];
    shape[axis] = lines[0].len();
    let dtype = lines[0].first().map_or(DType::C128, |&x| scalar(x).dtype());
    PlainArray::from_fn(dtype, &shape, |index| scalar(lines[index[1 - axis]][index[axis]]))
}

/// A method of complex numbers with parts of `f64`, or of `f32` and then converted.
macro_rules! of_either {
    ($draw:ident, $array:expr, $x:ident => $body:expr) => {
        if $draw.one_in(2) {
            let $x = $array;
            $body
        } else {
            let $x = &$array.cast::<Complex<f32>>();
            $body.cast()
        }
    };
}

/// Parts that sums of a few do not round.
fn small(draw: &mut Draw) -> C {
    let mut part = || draw.between(-8, 8) as f64 / 4.0;
    C::new(part(), part())
}

fn small_or_nan(draw: &mut Draw) -> C {
    match draw.below(8) {
        0 => C::new(f64::NAN, 1.0),
        1 => C::new(-1.0, f64::NAN),
        _ => small(draw),
    }
}

/// Factors that products of a few do not round.
fn factor(draw: &mut Draw) -> C {
    *draw.pick(&[C::new(0.0, 1.0), C::new(-1.0, 0.0), C::new(0.0, -2.0), C::new(1.0, 1.0)])
}

fn factor_or_nan(draw: &mut Draw) -> C {
    if draw.one_in(5) { C::new(f64::NAN, f64::INFINITY) } else { factor(draw) }
}

fn has_nan(z: C) -> bool {
    z.re.is_nan() || z.im.is_nan()
}

fn numbers(line: &[C]) -> Vec<C> {
    line.iter().copied().filter(|&z| !has_nan(z)).collect()
}

fn running(line: &[C], start: C, join: fn(C, C) -> C) -> Vec<C> {
    let joined = line.iter().scan(start, |total, &z| {
        *total = if has_nan(z) { *total } else { join(*total, z) };
        Some(*total)
    });
    joined.collect()
}

fn cumsum(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small);
    let want = x.want(Scalar::C128, |line| running(line, C::ZERO, |a, b| a + b));
    Use::within(1e-7, of_either!(draw, &x.lazy, z => z.cumsum(x.axis)), want)
}

fn cumprod(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, factor);
    let want = x.want(Scalar::C128, |line| running(line, C::ONE, |a, b| a * b));
    Use::within(1e-7, of_either!(draw, &x.lazy, z => z.cumprod(x.axis)), want)
}

fn nan_cumsum(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small_or_nan);
    let want = x.want(Scalar::C128, |line| running(line, C::ZERO, |a, b| a + b));
    Use::within(1e-7, of_either!(draw, &x.lazy, z => z.nan_cumsum(x.axis)), want)
}

fn nan_cumprod(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, factor_or_nan);
    let want = x.want(Scalar::C128, |line| running(line, C::ONE, |a, b| a * b));
    Use::within(1e-7, of_either!(draw, &x.lazy, z => z.nan_cumprod(x.axis)), want)
}

fn diff(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small);
    let want = x.want(Scalar::C128, |line| line.windows(2).map(|pair| pair[1] - pair[0]).collect());
    Use::within(1e-7, of_either!(draw, &x.lazy, z => z.diff(1, x.axis)), want)
}

/// Half the distance of the neighbours, and the distance itself at the ends.
fn gradient(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small);
    let slope = |line: &[C], i: usize| {
        let (low, high) = (i.saturating_sub(1), (i + 1).min(line.len() - 1));
        (line[high] - line[low]) / ((high - low) as f64 * 0.25)
    };
    let want = x.want(Scalar::C128, |line| (0..line.len()).map(|i| slope(line, i)).collect());
    Use::within(1e-7, of_either!(draw, &x.lazy, z => z.gradient(x.axis, 0.25)), want)
}

/// Sums or means of the numbers of each window; all of its elements must be, or one of them.
fn moving(draw: &mut Draw, mean: bool) -> Use {
    let strict = draw.one_in(2);
    let x = Lines::draw(draw, if strict { small } else { small_or_nan });
    // A window of one number that may not be missing is strict.
    let least = if strict { 1 } else { 2 };
    let window = least + draw.below(x.lines[0].len() + 1 - least);
    let value = |elements: &[C]| {
        let numbers = numbers(elements);
        let sum: C = numbers.iter().sum();
        match numbers.len() {
            0 => C::new(f64::NAN, f64::NAN),
            n if mean => sum / n as f64,
            _ => sum,
        }
    };
    let want = x.want(Scalar::C128, |line| line.windows(window).map(value).collect());
    let place = MovingWindow::valid(window);
    let place = if strict { place } else { place.min_count(1) };
    let got = match mean {
        true => of_either!(draw, &x.lazy, z => z.moving_mean(place, x.axis)),
        false => of_either!(draw, &x.lazy, z => z.moving_sum(place, x.axis)),
    };
    Use::within(1e-6, got, want)
}

/// Every element times every weight, at the sum of their places.
fn full(line: &[C], weights: &[C]) -> Vec<C> {
    let mut full = vec![C::ZERO; line.len() + weights.len() - 1];
    for (i, &z) in line.iter().enumerate() {
        for (k, &weight) in weights.iter().enumerate() {
            full[i + k] += z * weight;
        }
    }
    full
}

/// A correlation is a convolution with the conjugates of the weights in reverse.
fn kernel(weights: &[C], correlates: bool) -> Vec<C> {
    match correlates {
        true => weights.iter().rev().map(C::conj).collect(),
        false => weights.to_vec(),
    }
}

fn weights(draw: &mut Draw) -> Vec<C> {
    (0..1 + draw.below(4)).map(|_| small(draw)).collect()
}

fn weighted(draw: &mut Draw, correlates: bool) -> Use {
    let x = Lines::along(draw, 1, small);
    let weights = weights(draw);
    let array = Array1::from(weights.clone());
    let line: LazyArray<C, Ix1> = x.lazy.index_axis(Axis(0), 0).into_dimensionality();
    let got = match correlates {
        true => line.correlate(&array, ConvolveMode::Full),
        false => line.convolve(&array, ConvolveMode::Full),
    };
    let want = full(&x.lines[0], &kernel(&weights, correlates));
    Use::within(1e-12, got.into_dyn(), PlainArray::of(&[want.len()], &want))
}

/// Zeros beyond the ends; of an even number of weights the middle is the one before, in reverse the one after.
fn weighted_along(draw: &mut Draw, correlates: bool) -> Use {
    let x = Lines::draw(draw, small);
    let weights = weights(draw);
    let array = Array1::from(weights.clone());
    let beyond = chunkwise::Boundary::Constant(C::ZERO);
    let got = match correlates {
        true => x.lazy.correlate_axis(&array, x.axis, beyond),
        false => x.lazy.convolve_axis(&array, x.axis, beyond),
    };
    let middle = if correlates { (weights.len() - 1) / 2 } else { weights.len() / 2 };
    let want = x.want(Scalar::C128, |line| {
        full(line, &kernel(&weights, correlates))[middle..][..line.len()].to_vec()
    });
    Use::within(1e-12, got, want)
}

fn covariances(draw: &mut Draw, scaled: bool) -> Use {
    // No row has equal elements only, of which rounding decides what becomes.
    let mut x = Lines::along(draw, 1, small);
    let first = LazyArrayD::<C>::full(ndarray::IxDyn(&[x.lines.len(), 1]), C::new(9.0, 0.0), 1);
    x.lazy = chunkwise::concatenate(Axis(1), &[&first, &x.lazy]);
    x.lines.iter_mut().for_each(|line| line.insert(0, C::new(9.0, 0.0)));
    let n = x.lines[0].len() as f64;
    let covariance = |a: &[C], b: &[C]| {
        let mean = |line: &[C]| line.iter().sum::<C>() / n;
        let (a_mean, b_mean) = (mean(a), mean(b));
        a.iter().zip(b).map(|(a, b)| (a - a_mean) * (b - b_mean).conj()).sum::<C>() / (n - 1.0)
    };
    let rows = &x.lines;
    let want = PlainArray::from_fn(DType::C128, &[rows.len(); 2], |index| {
        let (a, b) = (&rows[index[0]], &rows[index[1]]);
        let by = if scaled { (covariance(a, a).re * covariance(b, b).re).sqrt() } else { 1.0 };
        Scalar::C128(covariance(a, b) / by)
    });
    let matrix = x.lazy.into_dimensionality::<Ix2>();
    let got = if scaled { matrix.corrcoef() } else { matrix.cov(1.0) };
    Use::within(1e-12, got.into_dyn(), want)
}

/// The mean square of the distances to the mean; NaN where there are not two numbers.
fn spread(draw: &mut Draw, root: bool) -> Use {
    let x = Lines::draw(draw, small_or_nan);
    let want = x.each(Scalar::F64, |line| {
        let numbers = numbers(line);
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<C>() / n;
        let var = numbers.iter().map(|z| (z - mean).norm_sqr()).sum::<f64>() / (n - 1.0);
        match () {
            () if n <= 1.0 => f64::NAN,
            () if root => var.sqrt(),
            () => var,
        }
    });
    let got = match root {
        true => of_either!(draw, &x.lazy, z => z.nan_std_axis(x.axis, 1.0)),
        false => of_either!(draw, &x.lazy, z => z.nan_var_axis(x.axis, 1.0)),
    };
    Use::within(1e-6, got, want)
}

fn nan_sum(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small_or_nan);
    let want = x.each(Scalar::C128, |line| numbers(line).iter().sum());
    Use::within(1e-7, of_either!(draw, &x.lazy, z => z.nan_sum_axis(x.axis)), want)
}

fn nan_prod(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, factor_or_nan);
    let want = x.each(Scalar::C128, |line| numbers(line).iter().product());
    Use::within(1e-7, of_either!(draw, &x.lazy, z => z.nan_prod_axis(x.axis)), want)
}

fn nan_mean(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small_or_nan);
    let want = x.each(Scalar::C128, |line| {
        let numbers = numbers(line);
        numbers.iter().sum::<C>() / numbers.len() as f64
    });
    Use::within(1e-6, of_either!(draw, &x.lazy, z => z.nan_mean_axis(x.axis)), want)
}

fn norm_l1(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small);
    let want = x.each(Scalar::F64, |line| line.iter().map(|z| z.norm()).sum());
    Use::within(1e-6, of_either!(draw, &x.lazy, z => z.norm_l1_axis(x.axis)), want)
}

fn norm_l2(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small);
    let want = x.each(Scalar::F64, |line| line.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt());
    Use::within(1e-6, of_either!(draw, &x.lazy, z => z.norm_l2_axis(x.axis)), want)
}

fn norm_max(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, small);
    let want = x.each(Scalar::F64, |line| line.iter().map(|z| z.norm()).fold(0.0, f64::max));
    Use::within(1e-6, of_either!(draw, &x.lazy, z => z.norm_max_axis(x.axis)), want)
}

fn masked_invalid(draw: &mut Draw) -> Use {
    let x = Lines::draw(draw, factor_or_nan);
    let want = x.want(Scalar::Bool, |line| line.iter().map(|&z| has_nan(z)).collect());
    Use::exact(x.lazy.masked_invalid().mask().clone(), want)
}
