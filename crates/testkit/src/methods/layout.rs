//! Padding, repetition, joining, splitting.

mod calc;
mod join;
mod matrix;
mod pad;

use chunkwise::prelude::*;

use super::{Method, Use, array};
use crate::PlainArray;
use crate::generate::draw::Draw;

pub(super) const METHODS: &[&[Method]] =
    &[MOVED, calc::METHODS, join::METHODS, matrix::METHODS, pad::METHODS];

const MOVED: &[Method] = &[
    Method { name: "repeat", draw: repeat },
    Method { name: "repeat_each", draw: repeat_each },
    Method { name: "tile", draw: tile },
    Method { name: "roll", draw: roll },
    Method { name: "roll_axes", draw: roll_axes },
    Method { name: "roll_flat", draw: roll_flat },
    Method { name: "flatten", draw: |draw| flat(draw, LazyArrayD::flatten) },
    Method { name: "ravel", draw: |draw| flat(draw, LazyArrayD::ravel) },
    Method { name: "swap_axes", draw: swap_axes },
    Method { name: "move_axis", draw: move_axis },
    Method { name: "squeeze_all", draw: squeeze_all },
    Method { name: "expand_dims", draw: expand_dims },
    Method { name: "rot90", draw: rot90 },
];

/// Zero to three axes.
fn some_array(draw: &mut Draw) -> (LazyArrayD<i32>, PlainArray) {
    let ndim = draw.below(4);
    array(draw, ndim)
}

/// An array with the axis to use, which one in twelve times does not exist.
fn with_axis(draw: &mut Draw) -> (LazyArrayD<i32>, PlainArray, usize) {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array(draw, ndim);
    let axis = if draw.one_in(12) { ndim } else { draw.below(ndim) };
    (x, plain, axis)
}

/// The array of a shape whose elements are those at the indices that `from` says.
fn gathered(x: &PlainArray, shape: &[usize], from: impl Fn(&[usize]) -> Vec<usize>) -> PlainArray {
    PlainArray::from_fn(x.dtype(), shape, |index| x.get(&from(index)))
}

/// An index with another place along one axis.
fn moved(index: &[usize], axis: usize, to: usize) -> Vec<usize> {
    let mut index = index.to_vec();
    index[axis] = to;
    index
}

fn with_len(shape: &[usize], axis: usize, len: usize) -> Vec<usize> {
    moved(shape, axis, len)
}

fn repeat(draw: &mut Draw) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let count = draw.below(5);
    let y = x.repeat(count, Axis(axis));
    if axis == x.ndim() {
        return Use::fails(y);
    }
    let shape = with_len(x.shape(), axis, x.shape()[axis] * count);
    Use::exact(y, gathered(&plain, &shape, |index| moved(index, axis, index[axis] / count)))
}

fn repeat_each(draw: &mut Draw) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let len = x.shape().get(axis).copied().unwrap_or(0);
    let wrong = draw.one_in(10);
    let counts: Vec<usize> = (0..len + usize::from(wrong)).map(|_| draw.below(4)).collect();
    let y = x.repeat_each(&counts, Axis(axis));
    if wrong || axis == x.ndim() {
        return Use::fails(y);
    }
    let places: Vec<usize> = (0..len).flat_map(|i| vec![i; counts[i]]).collect();
    let shape = with_len(x.shape(), axis, places.len());
    Use::exact(y, gathered(&plain, &shape, |index| moved(index, axis, places[index[axis]])))
}

fn tile(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let counts: Vec<usize> = (0..draw.below(4)).map(|_| draw.below(4)).collect();
    let ndim = x.ndim().max(counts.len());
    let lead = |list: &[usize]| [vec![1; ndim - list.len()], list.to_vec()].concat();
    let (lengths, times) = (lead(x.shape()), lead(&counts));
    let shape: Vec<usize> = lengths.iter().zip(&times).map(|(len, times)| len * times).collect();
    let want = gathered(&plain.with_shape(&lengths), &shape, |index| {
        index.iter().zip(&lengths).map(|(i, len)| i % len).collect()
    });
    Use::exact(x.tile(&counts), want)
}

fn back(at: usize, shift: i64, len: usize) -> usize {
    (at as i64 - shift).rem_euclid(len as i64) as usize
}

fn roll(draw: &mut Draw) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let shift = draw.between(-20, 20);
    let y = x.roll(shift as isize, Axis(axis));
    if axis == x.ndim() {
        return Use::fails(y);
    }
    let from = |index: &[usize]| moved(index, axis, back(index[axis], shift, x.shape()[axis]));
    Use::exact(y, gathered(&plain, x.shape(), from))
}

fn roll_axes(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let count = if x.ndim() == 0 { 0 } else { draw.below(4) };
    let shifts: Vec<(isize, usize)> =
        (0..count).map(|_| (draw.between(-9, 9) as isize, draw.below(x.ndim()))).collect();
    let axes: Vec<(isize, Axis)> = shifts.iter().map(|&(shift, axis)| (shift, Axis(axis))).collect();
    let total = |axis: usize| shifts.iter().filter(|shift| shift.1 == axis).map(|shift| shift.0 as i64).sum();
    let from = |index: &[usize]| {
        (0..index.len()).map(|axis| back(index[axis], total(axis), x.shape()[axis])).collect()
    };
    Use::exact(x.roll_axes(&axes), gathered(&plain, x.shape(), from))
}

fn roll_flat(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let shift = draw.between(-20, 20);
    let len = plain.data().len();
    let data = (0..len).map(|at| plain.data()[back(at, shift, len)]).collect();
    Use::exact(x.roll_flat(shift as isize), PlainArray::new(plain.dtype(), x.shape(), data))
}

fn flat(draw: &mut Draw, flatten: fn(&LazyArrayD<i32>) -> LazyArray1<i32>) -> Use {
    let (x, plain) = some_array(draw);
    Use::exact(flatten(&x).into_dyn(), plain.with_shape(&[plain.data().len()]))
}

/// The array whose axis `i` is axis `axes[i]`.
fn permuted(plain: &PlainArray, axes: &[usize]) -> PlainArray {
    let shape: Vec<usize> = axes.iter().map(|&axis| plain.shape()[axis]).collect();
    gathered(plain, &shape, |index| {
        let mut own = vec![0; axes.len()];
        axes.iter().zip(index).for_each(|(&axis, &i)| own[axis] = i);
        own
    })
}

fn swap_axes(draw: &mut Draw) -> Use {
    let (x, plain, one) = with_axis(draw);
    let other = draw.below(x.ndim());
    let y = x.swap_axes(Axis(one), Axis(other));
    if one == x.ndim() {
        return Use::fails(y);
    }
    let mut axes: Vec<usize> = (0..x.ndim()).collect();
    axes.swap(one, other);
    Use::exact(y, permuted(&plain, &axes))
}

fn move_axis(draw: &mut Draw) -> Use {
    let (x, plain, from) = with_axis(draw);
    let to = draw.below(x.ndim());
    let y = x.move_axis(Axis(from), Axis(to));
    if from == x.ndim() {
        return Use::fails(y);
    }
    let mut axes: Vec<usize> = (0..x.ndim()).filter(|&axis| axis != from).collect();
    axes.insert(to, from);
    Use::exact(y, permuted(&plain, &axes))
}

fn squeeze_all(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let shape: Vec<usize> = x.shape().iter().copied().filter(|&len| len != 1).collect();
    Use::exact(x.squeeze_all(), plain.with_shape(&shape))
}

fn expand_dims(draw: &mut Draw) -> Use {
    let (x, plain) = some_array(draw);
    let ndim = x.ndim() + draw.below(3);
    let places: Vec<usize> = draw.shuffled((0..ndim).collect())[..ndim - x.ndim()].to_vec();
    if draw.one_in(12) {
        return Use::fails(x.expand_dims([Axis(0), Axis(0)]));
    }
    let mut lengths = x.shape().iter();
    let len = |axis: usize| if places.contains(&axis) { Some(1) } else { lengths.next().copied() };
    let shape: Vec<usize> = (0..ndim).filter_map(len).collect();
    let axes: Vec<Axis> = places.iter().map(|&axis| Axis(axis)).collect();
    Use::exact(x.expand_dims(axes), plain.with_shape(&shape))
}

fn rot90(draw: &mut Draw) -> Use {
    let ndim = 2 + draw.below(2);
    let (x, plain) = array::<i32>(draw, ndim);
    let quarters = draw.between(-5, 5);
    let axes = draw.shuffled((0..ndim).collect());
    let (one, other) = (axes[0], if draw.one_in(12) { axes[0] } else { axes[1] });
    let y = x.rot90(quarters as isize, (Axis(one), Axis(other)));
    if one == other {
        return Use::fails(y);
    }
    // A quarter: the element at (i, j) comes from (j, last - i).
    let turn = |x: &PlainArray| {
        let mut shape = x.shape().to_vec();
        shape.swap(one, other);
        let last = shape[one].wrapping_sub(1);
        gathered(x, &shape, |index| {
            let mut own = index.to_vec();
            (own[one], own[other]) = (index[other], last - index[one]);
            own
        })
    };
    Use::exact(y, (0..quarters.rem_euclid(4)).fold(plain, |x, _| turn(&x)))
}
