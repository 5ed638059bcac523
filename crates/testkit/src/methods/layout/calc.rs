//! Differences, derivatives, integrals and interpolation along an axis.

use chunkwise::prelude::*;
use chunkwise::{InterpOptions, Spacing};
use chunkwise_chunk::Scalar;
use chunkwise_expr::{BinaryOp, eval_binary};

use super::{Method, Use, array, moved, with_axis, with_len};
use crate::PlainArray;
use crate::eager::number::float;
use crate::generate::draw::Draw;
use crate::methods::array_of_shape;

pub(super) const METHODS: &[Method] = &[
    Method { name: "diff", draw: diff },
    Method { name: "diff_with", draw: diff_with },
    Method { name: "ediff1d", draw: ediff1d },
    Method { name: "gradient", draw: |draw| gradient(draw, false) },
    Method { name: "gradient_with", draw: |draw| gradient(draw, true) },
    Method { name: "trapezoid", draw: trapezoid },
    Method { name: "gradient_all", draw: gradient_all },
    Method { name: "interp", draw: |draw| interp(draw, false) },
    Method { name: "interp", draw: interp_single },
    Method { name: "interp_with", draw: |draw| interp(draw, true) },
];

fn less(a: Scalar, b: Scalar) -> Scalar {
    eval_binary(BinaryOp::Sub, a, b).expect("numbers are subtracted")
}

/// Each element less the one before.
fn distances(x: &PlainArray, axis: usize) -> PlainArray {
    let shape = with_len(x.shape(), axis, x.shape()[axis].saturating_sub(1));
    PlainArray::from_fn(x.dtype(), &shape, |index| {
        less(x.get(&moved(index, axis, index[axis] + 1)), x.get(index))
    })
}

fn diff(draw: &mut Draw) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let n = if draw.one_in(6) { 1000 } else { draw.below(4) };
    let y = x.diff(n, Axis(axis));
    if axis == x.ndim() {
        return Use::fails(y);
    }
    Use::exact(y, (0..n.min(50)).fold(plain, |x, _| distances(&x, axis)))
}

fn diff_with(draw: &mut Draw) -> Use {
    let (x, plain) = array::<i32>(draw, 1);
    let mut beside = |present: bool| {
        let len = if present { 1 + draw.below(3) } else { 0 };
        array_of_shape::<i32>(draw, &[len])
    };
    let (before, after) = (beside(true), beside(false));
    let whole = [before.1.data(), plain.data(), after.1.data()].concat();
    let whole = PlainArray::new(plain.dtype(), &[whole.len()], whole);
    Use::exact(x.diff_with(1, Axis(0), Some(&before.0), Some(&after.0)), distances(&whole, 0))
}

fn ediff1d(draw: &mut Draw) -> Use {
    let (x, plain) = super::some_array(draw);
    let mut ends = |most: usize| (0..draw.below(most)).map(|i| i as i32).collect::<Vec<i32>>();
    let (before, after) = (ends(3), ends(2));
    let inside = distances(&plain.with_shape(&[plain.data().len()]), 0);
    let scalars = |values: &[i32]| values.iter().map(|&x| Scalar::I32(x)).collect::<Vec<_>>();
    let all = [scalars(&before), inside.data().to_vec(), scalars(&after)].concat();
    Use::exact(x.ediff1d(&before, &after).into_dyn(), PlainArray::new(DType::I32, &[all.len()], all))
}

/// Increasing coordinates, or a distance.
fn spacing(draw: &mut Draw, n: usize) -> (Spacing, Vec<f64>) {
    if draw.one_in(2) {
        let step = *draw.pick(&[1.0, 0.5, 3.0]);
        return (Spacing::even(step), (0..n).map(|i| i as f64 * step).collect());
    }
    let mut at = 0.0;
    let places: Vec<f64> = (0..n)
        .map(|_| {
            at += 0.25 * (1 + draw.below(6)) as f64;
            at
        })
        .collect();
    (Spacing::at(&places), places)
}

/// The derivative at `at` of the polynomial through the points: by divided differences of the products.
fn slope(at: f64, places: &[f64], values: &[f64]) -> f64 {
    let slope_of_basis = |i: usize| {
        let others = |skipped: usize| {
            (0..places.len())
                .filter(move |&j| j != i && j != skipped)
                .map(|j| (at - places[j]) / (places[i] - places[j]))
        };
        let each = (0..places.len()).filter(|&k| k != i);
        each.map(|k| others(k).product::<f64>() / (places[i] - places[k])).sum::<f64>()
    };
    (0..places.len()).map(|i| slope_of_basis(i) * values[i]).sum()
}

fn gradient(draw: &mut Draw, with_order: bool) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let n = x.shape().get(axis).copied().unwrap_or(0);
    let (spacing, places) = spacing(draw, n);
    let order = if with_order { draw.below(4) } else { 1 };
    let y = match with_order {
        true => x.gradient_with(Axis(axis), spacing, order),
        false => x.gradient(Axis(axis), spacing),
    };
    if axis == x.ndim() || n <= order || !(1..=2).contains(&order) {
        return Use::fails(y);
    }
    let want = PlainArray::from_fn(DType::F64, x.shape(), |index| {
        let at = index[axis];
        let first = match at {
            0 => 0,
            last if last + 1 == n => n - 1 - order,
            inside => inside - 1,
        };
        let count = if at == 0 || at + 1 == n { order + 1 } else { 3 };
        let values: Vec<f64> =
            (first..first + count).map(|i| float(plain.get(&moved(index, axis, i)))).collect();
        Scalar::F64(slope(places[at], &places[first..first + count], &values))
    });
    Use::within(1e-12, y, want)
}

/// The derivative along one of the axes, of all.
fn gradient_all(draw: &mut Draw) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let ndim = plain.shape().len();
    let steps: Vec<f64> = (0..draw.below(ndim + 2)).map(|_| *draw.pick(&[1.0, 0.5, 3.0])).collect();
    let all = x.gradient_all(steps.iter().copied());
    assert_eq!(all.len(), ndim, "a result for every axis");
    let Some(y) = all.into_iter().nth(axis) else {
        return Use::fails(x.gradient(Axis(axis), 1.0));
    };
    let n = plain.shape()[axis];
    if (steps.len() != 1 && steps.len() != ndim) || n < 2 {
        return Use::fails(y);
    }
    let step = steps[if steps.len() == 1 { 0 } else { axis }];
    let want = PlainArray::from_fn(DType::F64, plain.shape(), |index| {
        let (before, after) = (index[axis].saturating_sub(1), (index[axis] + 1).min(n - 1));
        let value = |i: usize| float(plain.get(&moved(index, axis, i)));
        Scalar::F64((value(after) - value(before)) / ((after - before) as f64 * step))
    });
    Use::within(1e-12, y, want)
}

/// Floats of half the width are computed in `f64` and rounded once.
fn interp_single(draw: &mut Draw) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<f32>(draw, ndim);
    let y = x.interp(&[-2.0, 1.0], &[0.0, 1.0]);
    let want = PlainArray::from_fn(DType::F32, plain.shape(), |index| {
        let x = float(plain.get(index));
        Scalar::F32(if x.is_nan() { f32::NAN } else { ((x.clamp(-2.0, 1.0) + 2.0) / 3.0) as f32 })
    });
    Use::within(1e-7, y, want)
}

fn trapezoid(draw: &mut Draw) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let n = x.shape().get(axis).copied().unwrap_or(0);
    let (spacing, places) = spacing(draw, n);
    let y = x.trapezoid(Axis(axis), spacing);
    if axis == x.ndim() {
        return Use::fails(y);
    }
    let mut shape = x.shape().to_vec();
    shape.remove(axis);
    let area = |rest: &[usize]| {
        let value = |i: usize| {
            let mut index = rest.to_vec();
            index.insert(axis, i);
            float(plain.get(&index))
        };
        (1..n).map(|i| (places[i] - places[i - 1]) * (value(i) + value(i - 1)) / 2.0).sum::<f64>()
    };
    Use::within(1e-10, y, PlainArray::from_fn(DType::F64, &shape, |rest| Scalar::F64(area(rest))))
}

fn interp(draw: &mut Draw, with_ends: bool) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<f64>(draw, ndim);
    let count = draw.below(5);
    let (_, xp) = spacing(draw, count);
    let fp: Vec<f64> = (0..count).map(|_| draw.between(-9, 9) as f64).collect();
    let (left, right) = (with_ends.then_some(-100.0), with_ends.then_some(100.0));
    let y = match with_ends {
        true => x.interp_with(&xp, &fp, InterpOptions { left, right, ..InterpOptions::default() }),
        false => x.interp(&xp, &fp),
    };
    let (Some(&first), Some(&last)) = (fp.first(), fp.last()) else { return Use::fails(y) };
    let value = |x: f64| {
        if x < xp[0] {
            return left.unwrap_or(first);
        }
        if x > xp[count - 1] {
            return right.unwrap_or(last);
        }
        if count == 1 {
            return fp[0];
        }
        let after = (1..count).find(|&i| x < xp[i]).unwrap_or(count - 1);
        let share = (x - xp[after - 1]) / (xp[after] - xp[after - 1]);
        fp[after - 1] + share * (fp[after] - fp[after - 1])
    };
    let want =
        PlainArray::from_fn(DType::F64, plain.shape(), |index| Scalar::F64(value(float(plain.get(index)))));
    Use::within(1e-13, y, want)
}
