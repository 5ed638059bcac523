//! Convolution and filters of images.

use chunkwise::prelude::*;
use chunkwise::{Boundary, ConvolveMode};
use chunkwise_chunk::{Element, Scalar};
use chunkwise_ops::overlap::{AxisMargin, Weights};
use ndarray::{Array1, ArrayD};

use super::overlap::written;
use super::{Method, Use, array};
use crate::PlainArray;
use crate::eager::rules::overlap::{correlated, ranked};
use crate::eager::to_ndarray;
use crate::generate::data::values;
use crate::generate::draw::Draw;
use crate::generate::rules::overlap::margins;

pub(super) const METHODS: &[Method] = &[
    Method { name: "convolve", draw: convolve },
    Method { name: "correlate", draw: correlate },
    Method { name: "convolve_nd", draw: convolve_nd },
    Method { name: "correlate_nd", draw: correlate_nd },
    Method { name: "convolve_axis", draw: convolve_axis },
    Method { name: "correlate_axis", draw: correlate_axis },
    Method { name: "gaussian_filter", draw: gaussian_filter },
    Method { name: "uniform_filter", draw: uniform_filter },
    Method { name: "sobel", draw: sobel },
    Method { name: "laplace", draw: laplace },
    Method { name: "median_filter", draw: median_filter },
    Method { name: "rank_filter", draw: rank_filter },
    Method { name: "minimum_filter", draw: minimum_filter },
    Method { name: "maximum_filter", draw: maximum_filter },
];

fn weights_of(plain: &PlainArray) -> Weights {
    Weights::of_chunk(&plain.to_chunk())
}

/// The full convolution, or correlation, of two lists; and the part of it that a mode gives.
fn one_dimensional(draw: &mut Draw, reversed: bool) -> Use {
    let (x, plain) = array::<i64>(draw, 1);
    let x: LazyArray1<i64> = x.into_dimensionality();
    let count = if draw.one_in(4) { draw.below(20) } else { draw.below(6) };
    let kernel = values(draw, DType::I64, &[count]);
    let weights: Array1<i64> = to_ndarray(&kernel).into_dimensionality().expect("a list is a list");
    let mode = *draw.pick(&[ConvolveMode::Full, ConvolveMode::Same, ConvolveMode::Valid]);
    let sums = if reversed { x.convolve(&weights, mode) } else { x.correlate(&weights, mode) };
    let len = plain.shape()[0];
    if count == 0 || len == 0 {
        return Use::fails(sums.into_dyn());
    }
    let mut kernel = weights.to_vec();
    if !reversed {
        kernel.reverse();
    }
    // As it is defined: every element times every weight, at the sum of their places.
    let mut full = vec![0_i64; len + count - 1];
    for (i, &x) in plain.data().iter().enumerate() {
        let Scalar::I64(x) = x else { panic!("the list is of i64") };
        for (k, &weight) in kernel.iter().enumerate() {
            full[i + k] = full[i + k].wrapping_add(x.wrapping_mul(weight));
        }
    }
    let part = match mode {
        ConvolveMode::Full => &full[..],
        // NumPy exchanges the operands of a correlation, and reverses the result.
        ConvolveMode::Same if !reversed && count > len => &full[len / 2..][..count],
        ConvolveMode::Same => &full[(len.min(count) - 1) / 2..][..len.max(count)],
        _ => &full[len.min(count) - 1..][..len.abs_diff(count) + 1],
    };
    Use::exact(sums.into_dyn(), PlainArray::of(&[part.len()], part))
}

fn convolve(draw: &mut Draw) -> Use {
    one_dimensional(draw, true)
}

fn correlate(draw: &mut Draw) -> Use {
    one_dimensional(draw, false)
}

/// Boundaries of so many axes around boxes of these lengths.
fn around(draw: &mut Draw, dtype: DType, size: &[usize], before: fn(usize) -> usize) -> Vec<AxisMargin> {
    let mut margins = margins(draw, dtype, size.len(), false);
    for (margin, &len) in margins.iter_mut().zip(size) {
        (margin.before, margin.after) = (before(len), len - 1 - before(len));
    }
    margins
}

fn small_size(draw: &mut Draw, ndim: usize) -> Vec<usize> {
    (0..ndim).map(|_| 1 + draw.below(4)).collect()
}

fn n_dimensional(draw: &mut Draw, convolves: bool) -> Use {
    let ndim = draw.below(4);
    let (x, plain) = array::<i64>(draw, ndim);
    let size = small_size(draw, ndim);
    let kernel = values(draw, DType::I64, &size);
    let before: fn(usize) -> usize = if convolves { |len| (len - 1) / 2 } else { |len| len / 2 };
    let margins = around(draw, DType::I64, &size, before);
    let (_, boundary) = written(&margins);
    let weights: ArrayD<i64> = to_ndarray(&kernel);
    if draw.one_in(8) {
        let more = weights.insert_axis(Axis(0));
        return Use::fails(x.correlate_nd(more, boundary));
    }
    let sums = match convolves {
        true => x.convolve_nd(weights, boundary),
        false => x.correlate_nd(weights, boundary),
    };
    let kernel = if convolves { weights_of(&kernel).reversed() } else { weights_of(&kernel) };
    Use::exact(sums, correlated(&plain, &kernel, &margins, plain.shape()))
}

fn convolve_nd(draw: &mut Draw) -> Use {
    n_dimensional(draw, true)
}

fn correlate_nd(draw: &mut Draw) -> Use {
    n_dimensional(draw, false)
}

fn along_axis(draw: &mut Draw, convolves: bool) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let beyond = usize::from(draw.one_in(8));
    let axis = draw.below(ndim + beyond);
    let count = draw.below(5);
    let kernel = values(draw, DType::I64, &[count]);
    let weights: Array1<i64> = to_ndarray(&kernel).into_dimensionality().expect("a list is a list");
    let mut size = vec![1; ndim];
    size.iter_mut().skip(axis).take(1).for_each(|len| *len = count.max(1));
    let before: fn(usize) -> usize = if convolves { |len| (len - 1) / 2 } else { |len| len / 2 };
    let margins = around(draw, DType::I64, &size, before);
    let (_, boundary) = written(&margins);
    let sums = match convolves {
        true => x.convolve_axis(&weights, Axis(axis), boundary),
        false => x.correlate_axis(&weights, Axis(axis), boundary),
    };
    if axis >= ndim || count == 0 {
        return Use::fails(sums);
    }
    let kernel = weights_of(&kernel).turned(axis, ndim);
    let kernel = if convolves { kernel.reversed() } else { kernel };
    Use::exact(sums, correlated(&plain, &kernel, &margins, plain.shape()))
}

fn convolve_axis(draw: &mut Draw) -> Use {
    along_axis(draw, true)
}

fn correlate_axis(draw: &mut Draw) -> Use {
    along_axis(draw, false)
}

/// One filter along every axis, all with the same beyond the ends.
fn separable(plain: &PlainArray, kernels: &[Vec<f64>], boundary: Boundary<Scalar>) -> PlainArray {
    kernels.iter().enumerate().fold(plain.clone(), |x, (axis, kernel)| {
        let ndim = x.shape().len();
        let none = AxisMargin { before: 0, after: 0, boundary };
        let mut margins = vec![none; ndim];
        margins[axis] = AxisMargin { before: kernel.len() / 2, after: (kernel.len() - 1) / 2, boundary };
        let weights = Weights::along(kernel.iter().copied(), axis, ndim).cast(x.dtype());
        let shape = x.shape().to_vec();
        correlated(&x, &weights, &margins, &shape)
    })
}

fn ends<T>(draw: &mut Draw) -> (Boundary<T>, Boundary<Scalar>) {
    match draw.below(4) {
        0 => (Boundary::Reflect, Boundary::Reflect),
        1 => (Boundary::Symmetric, Boundary::Symmetric),
        2 => (Boundary::Periodic, Boundary::Periodic),
        _ => (Boundary::Nearest, Boundary::Nearest),
    }
}

fn gaussian_filter(draw: &mut Draw) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<f64>(draw, ndim);
    let sigmas: Vec<f64> = (0..ndim).map(|_| draw.below(5) as f64 / 4.0).collect();
    let (boundary, plain_boundary) = ends(draw);
    if draw.one_in(8) {
        return Use::fails(x.gaussian_filter(vec![1.0; ndim + 1], boundary));
    }
    if draw.one_in(8) && ndim > 0 {
        return Use::fails(x.gaussian_filter(*draw.pick(&[-1.0, f64::NAN, f64::INFINITY]), boundary));
    }
    let kernel = |&sigma: &f64| {
        let half = (4.0 * sigma + 0.5) as i32;
        let bell = |at: i32| if at == 0 { 1.0 } else { (-0.5 * (f64::from(at) / sigma).powi(2)).exp() };
        let sum: f64 = (-half..=half).map(bell).sum();
        (-half..=half).map(|at| bell(at) / sum).collect()
    };
    let kernels: Vec<Vec<f64>> = sigmas.iter().map(kernel).collect();
    Use::within(1e-14, x.gaussian_filter(sigmas, boundary), separable(&plain, &kernels, plain_boundary))
}

fn uniform_filter(draw: &mut Draw) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<f64>(draw, ndim);
    let sizes: Vec<usize> = (0..ndim).map(|_| draw.below(5)).collect();
    let (boundary, plain_boundary) = ends(draw);
    let means = x.uniform_filter(sizes.clone(), boundary);
    if sizes.contains(&0) {
        return Use::fails(means);
    }
    let kernels: Vec<Vec<f64>> = sizes.iter().map(|&size| vec![1.0 / size as f64; size]).collect();
    Use::within(1e-14, means, separable(&plain, &kernels, plain_boundary))
}

fn sobel(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let beyond = usize::from(draw.one_in(8));
    let axis = draw.below(ndim + beyond);
    let (boundary, plain_boundary) = ends(draw);
    let slopes = x.sobel(Axis(axis), boundary);
    if axis >= ndim {
        return Use::fails(slopes);
    }
    let mut kernels = vec![vec![1.0, 2.0, 1.0]; ndim];
    kernels[axis] = vec![-1.0, 0.0, 1.0];
    Use::exact(slopes, separable(&plain, &kernels, plain_boundary))
}

fn laplace(draw: &mut Draw) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let (boundary, plain_boundary) = ends(draw);
    let curved = x.laplace(boundary);
    if ndim == 0 {
        return Use::fails(curved);
    }
    let along = |axis: usize| {
        let mut kernels = vec![vec![1.0]; ndim];
        kernels[axis] = vec![1.0, -2.0, 1.0];
        separable(&plain, &kernels, plain_boundary)
    };
    let sums: Vec<PlainArray> = (0..ndim).map(along).collect();
    let want = PlainArray::from_fn(DType::I64, plain.shape(), |index| {
        let add = |sum: i64, array: &PlainArray| match array.get(index) {
            Scalar::I64(value) => sum.wrapping_add(value),
            other => panic!("{other:?} is no i64"),
        };
        Scalar::I64(sums.iter().fold(0, add))
    });
    Use::exact(curved, want)
}

/// A filter by rank, drawn and written down.
fn by_rank<T: Element + chunkwise::Number>(
    draw: &mut Draw,
    rank: impl Fn(&mut Draw, usize) -> usize,
    filter: impl Fn(&LazyArrayD<T>, usize, Vec<usize>, Boundary<T>) -> LazyArrayD<T>,
) -> Use
where
    LazyArrayD<T>: Into<crate::AnyArray>,
{
    let ndim = draw.below(3);
    let (x, plain) = array::<T>(draw, ndim);
    let mut sizes = small_size(draw, ndim);
    let (boundary, plain_boundary) = ends(draw);
    if draw.one_in(8) && ndim > 0 {
        sizes[0] = 0;
        return Use::fails(filter(&x, 0, sizes, boundary));
    }
    let count: usize = sizes.iter().product();
    let rank = rank(draw, count);
    let margins: Vec<AxisMargin> = sizes
        .iter()
        .map(|&len| AxisMargin { before: len / 2, after: (len - 1) / 2, boundary: plain_boundary })
        .collect();
    let filtered = filter(&x, rank, sizes, boundary);
    if rank >= count { Use::fails(filtered) } else { Use::exact(filtered, ranked(&plain, rank, &margins)) }
}

fn median_filter(draw: &mut Draw) -> Use {
    by_rank::<f64>(draw, |_, count| count / 2, |x, _, sizes, ends| x.median_filter(sizes, ends))
}

fn rank_filter(draw: &mut Draw) -> Use {
    by_rank::<i32>(
        draw,
        |draw, count| draw.below(count + 1),
        |x, rank, sizes, ends| x.rank_filter(rank, sizes, ends),
    )
}

fn minimum_filter(draw: &mut Draw) -> Use {
    by_rank::<u8>(draw, |_, _| 0, |x, _, sizes, ends| x.minimum_filter(sizes, ends))
}

fn maximum_filter(draw: &mut Draw) -> Use {
    by_rank::<f32>(draw, |_, count| count - 1, |x, _, sizes, ends| x.maximum_filter(sizes, ends))
}
