//! Sums of products.

use chunkwise::prelude::*;
use chunkwise::{einsum, matmul, tensordot};
use chunkwise_chunk::{Element, Scalar};
use chunkwise_expr::eval_cast;

use super::{Method, Use, array_of_shape};
use crate::eager::number::float;
use crate::eager::rules::contract::{indices, sum_of_products};
use crate::generate::data::{grid, mild_value};
use crate::generate::draw::Draw;
use crate::{AnyArray, PlainArray};

pub(super) const METHODS: &[Method] = &[
    Method { name: "dot", draw: dot },
    Method { name: "dot", draw: dot_of_vectors },
    Method { name: "matmul", draw: |draw| of_any_type(draw, matmuls::<f64>, matmuls::<i8>, matmuls::<bool>) },
    Method { name: "matmul", draw: matmul_of_misfits },
    Method {
        name: "tensordot",
        draw: |draw| of_any_type(draw, tensordots::<f32>, tensordots::<u8>, tensordots::<bool>),
    },
    Method { name: "tensordot", draw: tensordot_of_misfits },
    Method {
        name: "einsum",
        draw: |draw| of_any_type(draw, einsums::<f64>, einsums::<i32>, einsums::<bool>),
    },
    Method { name: "einsum", draw: einsum_of_misfits },
    Method { name: "inner", draw: |draw| of_any_type(draw, inners::<f64>, inners::<i16>, inners::<bool>) },
    Method { name: "outer", draw: |draw| of_any_type(draw, outers::<f64>, outers::<u64>, outers::<bool>) },
    Method { name: "kron", draw: |draw| of_any_type(draw, krons::<f32>, krons::<i64>, krons::<bool>) },
    Method { name: "vecdot", draw: |draw| of_any_type(draw, vecdots::<f64>, vecdots::<i8>, vecdots::<bool>) },
    Method { name: "trace", draw: trace },
    Method { name: "trace_offset", draw: trace_offset },
    Method { name: "cov", draw: cov },
    Method { name: "corrcoef", draw: corrcoef },
];

type DrawUse = fn(&mut Draw) -> Use;

fn of_any_type(draw: &mut Draw, floats: DrawUse, integers: DrawUse, truths: DrawUse) -> Use {
    draw.weighted(&[(3, floats), (3, integers), (1, truths)])(draw)
}

/// An array of small numbers in random chunks, and the same values as a plain array.
fn mild<T: Element>(draw: &mut Draw, shape: &[usize]) -> (LazyArrayD<T>, PlainArray) {
    let plain = PlainArray::from_fn(T::DTYPE, shape, |_| mild_value(draw, T::DTYPE));
    let lazy = AnyArray::from_plain(&plain, Chunks::from(grid(draw, shape)));
    (LazyArrayD::from_expr(lazy.expr().clone()), plain)
}

fn len(draw: &mut Draw) -> usize {
    *draw.weighted(&[(1, 0), (2, 1), (3, 2), (3, 3), (2, 5), (1, 7)])
}

fn lens(draw: &mut Draw, count: usize) -> Vec<usize> {
    (0..count).map(|_| len(draw)).collect()
}

/// The definition of `einsum`: axes of one label are one, of length 1 they repeat, what `result` has not is summed.
fn by_labels(operands: &[(&PlainArray, &[u8])], result: &[u8]) -> PlainArray {
    let length = |label: u8| {
        let axes = operands.iter().flat_map(|(x, labels)| labels.iter().zip(x.shape()));
        let lengths: Vec<usize> = axes.filter(|(other, _)| **other == label).map(|(_, &len)| len).collect();
        lengths.iter().copied().find(|&len| len != 1).unwrap_or(1)
    };
    let mut summed: Vec<u8> = operands.iter().flat_map(|(_, labels)| labels.iter().copied()).collect();
    summed.retain(|label| !result.contains(label));
    summed.sort_unstable();
    summed.dedup();
    let lengths = |labels: &[u8]| labels.iter().map(|&label| length(label)).collect::<Vec<usize>>();
    let inner = indices(&lengths(&summed));
    let dtype = operands[0].0.dtype();
    PlainArray::from_fn(dtype, &lengths(result), |outer| {
        let at = |label: &u8, inner: &[usize]| match result.iter().position(|other| other == label) {
            Some(axis) => outer[axis],
            None => inner[summed.iter().position(|other| other == label).expect("it is summed")],
        };
        let element = |(x, labels): &(&PlainArray, &[u8]), inner: &[usize]| {
            let own =
                labels.iter().zip(x.shape()).map(|(label, &len)| if len == 1 { 0 } else { at(label, inner) });
            x.get(&own.collect::<Vec<usize>>())
        };
        let one = eval_cast(Scalar::U8(1), dtype);
        let pairs = inner.iter().map(|inner| {
            let (last, front) = operands.split_last().expect("there is an operand");
            let product =
                front.iter().fold(one, |product, x| sum_of_products(dtype, &[(product, element(x, inner))]));
            (product, element(last, inner))
        });
        sum_of_products(dtype, &pairs.collect::<Vec<_>>())
    })
}

/// Within the rounding errors of a few dozen products.
fn near(array: impl Into<AnyArray>, want: PlainArray) -> Use {
    let tolerance = if want.dtype() == DType::F32 { 1e-5 } else { 1e-13 };
    if want.dtype().is_float() { Use::within(tolerance, array, want) } else { Use::exact(array, want) }
}

fn dot(draw: &mut Draw) -> Use {
    let (m, k, n) = (len(draw), len(draw), len(draw));
    let ((a, left), (b, right)) = (mild::<f64>(draw, &[m, k]), mild::<f64>(draw, &[k, n]));
    let (a, b) = (a.into_dimensionality::<Ix2>(), b.into_dimensionality::<Ix2>());
    if draw.one_in(4) {
        let (x, vector) = mild::<f64>(draw, &[m]);
        let want = by_labels(&[(&vector, b"i"), (&left, b"ik")], b"k");
        return near(x.into_dimensionality::<Ix1>().dot(&a).into_dyn(), want);
    }
    near(a.dot(&b).into_dyn(), by_labels(&[(&left, b"ik"), (&right, b"kj")], b"ij"))
}

fn dot_of_vectors(draw: &mut Draw) -> Use {
    let (m, k) = (len(draw), len(draw));
    let other = if draw.one_in(6) { k + 2 } else { k };
    let ((x, left), (y, right)) = (mild::<i8>(draw, &[k]), mild::<i8>(draw, &[other]));
    let (x, y) = (x.into_dimensionality::<Ix1>(), y.into_dimensionality::<Ix1>());
    if other != k {
        return Use::fails(x.dot(&y).into_dyn());
    }
    if draw.one_in(2) {
        let (a, matrix) = array_of_shape::<i8>(draw, &[m, k]);
        let want = by_labels(&[(&matrix, b"ik"), (&left, b"k")], b"i");
        return near(a.into_dimensionality::<Ix2>().dot(&x).into_dyn(), want);
    }
    near(x.dot(&y).into_dyn(), by_labels(&[(&left, b"k"), (&right, b"k")], b""))
}

fn matmuls<T: Element>(draw: &mut Draw) -> Use
where
    AnyArray: From<LazyArrayD<T>>,
{
    let (m, k, n) = (len(draw), len(draw), len(draw));
    let batch = lens(draw, 2);
    let repeat =
        |draw: &mut Draw| batch.iter().map(|&len| if draw.one_in(3) { 1 } else { len }).collect::<Vec<_>>();
    let (before, after) = (repeat(draw), repeat(draw));
    let skip = (draw.below(3), draw.below(3));
    let (row, column) = (draw.one_in(5), draw.one_in(5));
    let shape = |batch: &[usize], skip: usize, own: &[usize]| [&batch[skip.min(2)..], own].concat();
    let (left_shape, left_labels): (Vec<usize>, &[u8]) = match row {
        true => (vec![k], b"k"),
        false => (shape(&before, skip.0, &[m, k]), &b"xyik"[skip.0..]),
    };
    let (right_shape, right_labels): (Vec<usize>, &[u8]) = match column {
        true => (vec![k], b"k"),
        false => (shape(&after, skip.1, &[k, n]), &b"xykj"[skip.1..]),
    };
    let ((a, left), (b, right)) = (mild::<T>(draw, &left_shape), mild::<T>(draw, &right_shape));
    let known = |label: &u8| left_labels.contains(label) || right_labels.contains(label);
    let result: Vec<u8> = b"xyij".iter().copied().filter(known).collect();
    near(matmul(&a, &b), by_labels(&[(&left, left_labels), (&right, right_labels)], &result))
}

fn matmul_of_misfits(draw: &mut Draw) -> Use {
    let shapes: [(&[usize], &[usize]); 6] = [
        (&[2, 3], &[2, 3]),
        (&[], &[3]),
        (&[3], &[]),
        (&[2, 1], &[3, 2]),
        (&[2, 2, 3], &[3, 3, 1]),
        (&[2], &[3]),
    ];
    let (left, right) = *draw.pick(&shapes);
    let ((a, _), (b, _)) = (mild::<f64>(draw, left), mild::<f64>(draw, right));
    Use::fails(a.matmul(&b))
}

fn tensordots<T: Element>(draw: &mut Draw) -> Use
where
    AnyArray: From<LazyArrayD<T>>,
{
    let (free, summed) = ((draw.below(3), draw.below(3)), draw.below(3));
    let shared = lens(draw, summed);
    let left_shape = [lens(draw, free.0), shared.clone()].concat();
    let right_shape = [shared, lens(draw, free.1)].concat();
    let ((a, left), (b, right)) = (mild::<T>(draw, &left_shape), mild::<T>(draw, &right_shape));
    let (mine, both, others) = (&b"ab"[..free.0], &b"kl"[..summed], &b"cd"[..free.1]);
    let (of_a, of_b) = ([mine, both].concat(), [both, others].concat());
    let want = by_labels(&[(&left, &of_a), (&right, &of_b)], &[mine, others].concat());
    if draw.one_in(2) {
        return near(tensordot(&a, &b, summed), want);
    }
    // The same pairs, the last one first.
    let axes = |start: usize| (start..start + summed).rev().map(Axis).collect::<Vec<Axis>>();
    near(a.tensordot(&b, (axes(free.0), axes(0))), want)
}

fn tensordot_of_misfits(draw: &mut Draw) -> Use {
    let ((a, _), (b, _)) = (mild::<i32>(draw, &[2, 3]), mild::<i32>(draw, &[3, 4]));
    Use::fails(match draw.below(5) {
        0 => a.tensordot(&b, 3),
        1 => a.tensordot(&b, (Axis(0), Axis(0))),
        2 => a.tensordot(&b, (Axis(2), Axis(0))),
        3 => a.tensordot(&b, ([Axis(1), Axis(1)], [Axis(0), Axis(0)])),
        _ => a.tensordot(&b, ([Axis(1)], vec![])),
    })
}

/// One to four arrays with letters from a few, and any result.
fn einsums<T: Element>(draw: &mut Draw) -> Use
where
    AnyArray: From<LazyArrayD<T>>,
{
    let lengths: Vec<usize> = (0..4).map(|_| *draw.weighted(&[(1, 0), (3, 1), (6, 2), (6, 3)])).collect();
    let count = 1 + draw.below(4);
    let mut operands = Vec::new();
    for _ in 0..count {
        let labels: Vec<u8> = (0..draw.below(4)).map(|_| *draw.pick(b"abcd")).collect();
        let shape: Vec<usize> = labels.iter().map(|label| lengths[usize::from(label - b'a')]).collect();
        operands.push((mild::<T>(draw, &shape), labels));
    }
    let mut known: Vec<u8> = operands.iter().flat_map(|(_, labels)| labels.iter().copied()).collect();
    known.sort_unstable();
    let once = |label: &u8| known.iter().filter(|other| *other == label).count() == 1;
    let implicit: Vec<u8> = known.iter().copied().filter(once).collect();
    known.dedup();
    known.retain(|_| draw.one_in(2));
    let explicit = draw.shuffled(known);
    let text = |labels: &[u8]| String::from_utf8_lossy(labels).into_owned();
    let terms: Vec<String> = operands.iter().map(|(_, labels)| text(labels)).collect();
    let (result, arrow) = match draw.one_in(3) {
        true => (implicit, String::new()),
        false => (explicit.clone(), format!(" -> {}", text(&explicit))),
    };
    let plain: Vec<(&PlainArray, &[u8])> = operands.iter().map(|((_, x), labels)| (x, &labels[..])).collect();
    let arrays: Vec<&LazyArrayD<T>> = operands.iter().map(|((x, _), _)| x).collect();
    near(einsum(&format!("{}{arrow}", terms.join(", ")), &arrays), by_labels(&plain, &result))
}

fn einsum_of_misfits(draw: &mut Draw) -> Use {
    let ((a, _), (b, _)) = (mild::<f64>(draw, &[2, 3]), mild::<f64>(draw, &[4, 3]));
    let texts = [
        "ij,jk",
        "ii,jk",
        "ij",
        "ij,kj->l",
        "i j,kj->ii",
        "...j,ij->i",
        "ij,kj->(ik)",
        "ijk,...",
        "i...j...,ij",
    ];
    Use::fails(einsum(texts[draw.below(texts.len())], &[&a, &b]))
}

fn inners<T: Element>(draw: &mut Draw) -> Use
where
    AnyArray: From<LazyArrayD<T>>,
{
    let (m, k, n) = (len(draw), len(draw), len(draw));
    let (x, y) = (draw.one_in(3), draw.one_in(3));
    let (left_labels, right_labels): (&[u8], &[u8]) =
        (if x { b"k" } else { b"ik" }, if y { b"k" } else { b"jk" });
    let left_shape = if x { vec![k] } else { vec![m, k] };
    let right_shape = if y { vec![k] } else { vec![n, k] };
    let ((a, left), (b, right)) = (mild::<T>(draw, &left_shape), mild::<T>(draw, &right_shape));
    if draw.one_in(5) {
        let (number, value) = mild::<T>(draw, &[]);
        return near(number.inner(&a), by_labels(&[(&value, b""), (&left, left_labels)], left_labels));
    }
    let known = |label: &u8| left_labels.contains(label) || right_labels.contains(label);
    let result: Vec<u8> = b"ij".iter().copied().filter(known).collect();
    near(a.inner(&b), by_labels(&[(&left, left_labels), (&right, right_labels)], &result))
}

fn outers<T: Element>(draw: &mut Draw) -> Use
where
    AnyArray: From<LazyArrayD<T>>,
{
    let (shape, other) = (lens(draw, 2), lens(draw, 1));
    let ((a, left), (b, right)) = (mild::<T>(draw, &shape), mild::<T>(draw, &other));
    let flat = left.with_shape(&[left.data().len()]);
    near(a.outer(&b).into_dyn(), by_labels(&[(&flat, b"i"), (&right, b"j")], b"ij"))
}

fn krons<T: Element>(draw: &mut Draw) -> Use
where
    AnyArray: From<LazyArrayD<T>>,
{
    let (shape, other) = (lens(draw, 2), lens(draw, 2));
    let skip = draw.below(3);
    let ((a, left), (b, right)) = (mild::<T>(draw, &shape), mild::<T>(draw, &other[skip..]));
    let product = by_labels(
        &[(&left, b"ik"), (&right, &b"jl"[skip..])],
        &match skip {
            0 => b"ijkl".to_vec(),
            1 => b"ikl".to_vec(),
            _ => b"ik".to_vec(),
        },
    );
    let len = |axis: usize| shape[axis] * if axis >= skip { other[axis] } else { 1 };
    near(a.kron(&b), product.with_shape(&[len(0), len(1)]))
}

fn vecdots<T: Element>(draw: &mut Draw) -> Use
where
    AnyArray: From<LazyArrayD<T>>,
{
    let (m, k) = (len(draw), len(draw));
    let one_row = draw.one_in(3);
    let rows = if draw.one_in(3) { 1 } else { m };
    let (shape, labels): (Vec<usize>, &[u8]) = if one_row { (vec![k], b"k") } else { (vec![rows, k], b"ik") };
    let ((a, left), (b, right)) = (mild::<T>(draw, &[m, k]), mild::<T>(draw, &shape));
    near(a.vecdot(&b), by_labels(&[(&left, b"ik"), (&right, labels)], b"i"))
}

fn trace(draw: &mut Draw) -> Use {
    let shape = lens(draw, 2);
    let (x, plain) = mild::<i8>(draw, &shape);
    let sum: i64 = (0..shape[0].min(shape[1])).map(|i| float(plain.get(&[i, i])) as i64).sum();
    Use::exact(x.into_dimensionality::<Ix2>().trace().into_dyn(), PlainArray::of(&[], &[sum]))
}

fn trace_offset(draw: &mut Draw) -> Use {
    let shape = lens(draw, 2);
    let (x, plain) = mild::<i8>(draw, &shape);
    let offset = draw.between(-8, 8) as isize;
    let pairs = (0..shape[0]).flat_map(|i| (0..shape[1]).map(move |j| [i, j]));
    let on = pairs.filter(|&[i, j]| j as isize - i as isize == offset);
    let sum: i64 = on.map(|index| float(plain.get(&index)) as i64).sum();
    Use::exact(x.into_dimensionality::<Ix2>().trace_offset(offset).into_dyn(), PlainArray::of(&[], &[sum]))
}

/// The covariance of two rows, in two passes.
fn covariance(x: &PlainArray, i: usize, j: usize, ddof: f64) -> f64 {
    let n = x.shape()[1];
    let row = |i: usize| (0..n).map(|k| float(x.get(&[i, k]))).collect::<Vec<f64>>();
    let mean = |row: &[f64]| row.iter().sum::<f64>() / n as f64;
    let (a, b) = (row(i), row(j));
    let (a_mean, b_mean) = (mean(&a), mean(&b));
    let products: f64 = a.iter().zip(&b).map(|(a, b)| (a - a_mean) * (b - b_mean)).sum();
    products / (n as f64 - ddof).max(0.0)
}

fn cov(draw: &mut Draw) -> Use {
    let shape = [len(draw), [1, 2, 3, 7, 12][draw.below(5)]];
    let ddof = *draw.pick(&[0.0, 0.5]);
    let (x, plain) = mild::<i32>(draw, &shape);
    let want = PlainArray::from_fn(DType::F64, &[shape[0]; 2], |i| {
        Scalar::F64(covariance(&plain, i[0], i[1], ddof))
    });
    Use::within(1e-13, x.into_dimensionality::<Ix2>().cov(ddof).into_dyn(), want)
}

fn corrcoef(draw: &mut Draw) -> Use {
    let shape = [len(draw), [2, 3, 7, 12][draw.below(4)]];
    // No row has equal elements only, of which rounding decides what becomes.
    let plain = PlainArray::from_fn(DType::F32, &shape, |i| match i[1] {
        0 => Scalar::F32(-20.0),
        _ => mild_value(draw, DType::F32),
    });
    let x = AnyArray::from_plain(&plain, Chunks::from(grid(draw, &shape)));
    let want = PlainArray::from_fn(DType::F64, &[shape[0]; 2], |i| {
        let of = |i, j| covariance(&plain, i, j, 1.0);
        Scalar::F64(of(i[0], i[1]) / (of(i[0], i[0]) * of(i[1], i[1])).sqrt())
    });
    let AnyArray::F32(x) = x else { unreachable!("it was made of floats") };
    Use::within(1e-12, x.into_dimensionality::<Ix2>().corrcoef().into_dyn(), want)
}
