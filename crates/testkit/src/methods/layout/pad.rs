//! Padding: each mode by what lies beyond one end of one line, axis by axis.

use chunkwise::prelude::*;
use chunkwise::{PadMode, PadStatistic};
use chunkwise_chunk::Scalar;

use super::{Method, Use, array, moved, with_len};
use crate::PlainArray;
use crate::generate::draw::Draw;

pub(super) const METHODS: &[Method] = &[
    Method { name: "pad", draw: pad },
    Method { name: "pad", draw: pad },
    Method { name: "pad", draw: pad },
];

/// The elements of a line, and so many before and after.
type Line = fn(&[i64], usize, usize) -> Vec<i64>;

fn mode(draw: &mut Draw) -> (PadMode<i64>, Line) {
    match draw.below(11) {
        0 => (PadMode::Constant(7), |x, b, a| [vec![7; b], x.to_vec(), vec![7; a]].concat()),
        1 => (PadMode::Edge, |x, b, a| [vec![x[0]; b], x.to_vec(), vec![x[x.len() - 1]; a]].concat()),
        2 => (PadMode::Wrap, |x, b, a| from_period(x, x, b, a)),
        3 => (PadMode::Reflect, |x, b, a| from_period(x, &forth_and_back(x, 1), b, a)),
        4 => (PadMode::Symmetric, |x, b, a| from_period(x, &forth_and_back(x, 0), b, a)),
        5 => (PadMode::ReflectOdd, |x, b, a| odd(x, b, a, 1)),
        6 => (PadMode::SymmetricOdd, |x, b, a| odd(x, b, a, 0)),
        7 => (PadMode::Maximum, |x, b, a| summary(x, b, a, |x| *x.iter().max().expect("it is not empty"))),
        8 => {
            let of_two = PadMode::Statistic(PadStatistic::Minimum, vec![(2, 2)]);
            (of_two, |x, b, a| summary(x, b, a, |x| *x.iter().min().expect("it is not empty")))
        }
        9 => (PadMode::Median, |x, b, a| summary(x, b, a, middle)),
        _ => (PadMode::LinearRamp(0), ramp),
    }
}

fn from_period(x: &[i64], period: &[i64], before: usize, after: usize) -> Vec<i64> {
    let places = -(before as i64)..(x.len() + after) as i64;
    places.map(|i| period[i.rem_euclid(period.len() as i64) as usize]).collect()
}

fn forth_and_back(x: &[i64], skipped: usize) -> Vec<i64> {
    let back = x[skipped.min(x.len() - 1)..(x.len() - skipped).max(1)].iter().rev();
    if x.len() == 1 { x.to_vec() } else { x.iter().chain(back).copied().collect() }
}

/// Turned around the ends again and again: each turn continues by the rise of the whole line.
fn odd(x: &[i64], before: usize, after: usize, skipped: usize) -> Vec<i64> {
    let n = x.len() as i64;
    if n == 1 {
        return vec![x[0]; before + 1 + after];
    }
    let (first, last) = (x[0], x[x.len() - 1]);
    let gap = 1 - skipped as i64;
    let mut value = std::collections::BTreeMap::new();
    (0..n).for_each(|i| {
        value.insert(i, x[i as usize]);
    });
    // Around the first place `i` lies opposite of `-i - gap`, around the last one of `2 (n - 1) + gap - i`.
    let period = 2 * (n - 1 + gap);
    (n..period).for_each(|i| {
        value.insert(i, 2 * last - x[(2 * (n - 1) + gap - i).clamp(0, n - 1) as usize]);
    });
    let rise = 2 * (last - first);
    (-(before as i64)..n + after as i64)
        .map(|i| value[&i.rem_euclid(period)] + i.div_euclid(period) * rise)
        .collect()
}

fn summary(x: &[i64], before: usize, after: usize, of: fn(&[i64]) -> i64) -> Vec<i64> {
    // The minimum is that of two elements at each end.
    let near = if of(&[0, 1, 1]) == 0 { x.len().min(2) } else { x.len() };
    [vec![of(&x[..near]); before], x.to_vec(), vec![of(&x[x.len() - near..]); after]].concat()
}

/// The median, rounded to the even number where it lies between two.
fn middle(x: &[i64]) -> i64 {
    let mut x = x.to_vec();
    x.sort_unstable();
    let twice = x[(x.len() - 1) / 2] + x[x.len() / 2];
    let low = twice.div_euclid(2);
    if twice % 2 == 0 { low } else { low + low.rem_euclid(2) }
}

fn ramp(x: &[i64], before: usize, after: usize) -> Vec<i64> {
    let line = |edge: i64, width: usize| (0..width).map(move |i| (edge * i as i64).div_euclid(width as i64));
    let high: Vec<i64> = line(x[x.len() - 1], after).collect();
    line(x[0], before).chain(x.iter().copied()).chain(high.into_iter().rev()).collect()
}

fn pad(draw: &mut Draw) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<i32>(draw, ndim);
    // Small numbers: sums of reflections must not wrap.
    let small = PlainArray::from_fn(DType::I64, plain.shape(), |index| match plain.get(index) {
        Scalar::I32(value) => Scalar::I64(i64::from(value % 64)),
        other => other,
    });
    let x = (x % 64).cast::<i64>();
    let (mode, line) = mode(draw);
    let powers =
        |width: usize| if matches!(mode, PadMode::LinearRamp(_)) { width.next_power_of_two() } else { width };
    let widths: Vec<(usize, usize)> =
        (0..ndim).map(|_| (powers(draw.below(9)), powers(draw.below(9)))).collect();
    if ndim > 0 && draw.one_in(12) {
        return Use::fails(x.pad(*draw.pick(&[1 << 61, usize::MAX]), mode));
    }
    let y = x.pad(widths.clone(), mode.clone());
    let copies = matches!(mode, PadMode::Constant(_));
    let empty = (0..ndim).any(|axis| plain.shape()[axis] == 0 && widths[axis] != (0, 0));
    if empty && !copies {
        return Use::fails(y);
    }
    let want = widths.iter().enumerate().fold(small, |x, (axis, &width)| along(&x, axis, width, line));
    Use::exact(y, want)
}

/// Every line of an axis replaced.
fn along(x: &PlainArray, axis: usize, (before, after): (usize, usize), line: Line) -> PlainArray {
    if (before, after) == (0, 0) {
        return x.clone();
    }
    let n = x.shape()[axis];
    PlainArray::from_fn(x.dtype(), &with_len(x.shape(), axis, n + before + after), |index| {
        let value = |i: usize| match x.get(&moved(index, axis, i)) {
            Scalar::I64(value) => value,
            other => panic!("{other:?} is an i64"),
        };
        let elements: Vec<i64> = (0..n).map(value).collect();
        Scalar::I64(line(&elements, before, after)[index[axis]])
    })
}
