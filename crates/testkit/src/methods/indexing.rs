//! Indexing by arrays.

use chunkwise::prelude::*;
use chunkwise::{Index, IndexList};
use chunkwise_chunk::{Element, Scalar};
use ndarray::{ArrayD, SliceInfoElem};

use super::{Method, Use, array, array_of_shape};
use crate::PlainArray;
use crate::generate::data::grid;
use crate::generate::draw::Draw;

pub(super) const METHODS: &[Method] = &[
    Method { name: "take", draw: take },
    Method { name: "take", draw: take_lazy },
    Method { name: "select", draw: select },
    Method { name: "take_along_axis", draw: take_along_axis },
    Method { name: "index", draw: |draw| keyed(draw, false) },
    Method { name: "vindex", draw: |draw| keyed(draw, true) },
    Method { name: "compress", draw: compress },
    Method { name: "delete", draw: delete },
    Method { name: "insert", draw: insert },
    Method { name: "append", draw: append },
    Method { name: "diagonal", draw: diagonal },
    Method { name: "assign", draw: assign },
    Method { name: "assign_at", draw: assign_at },
    Method { name: "assign_where", draw: assign_where },
];

/// An array of one axis at least, and an axis, which does not exist once in thirty times.
fn subject<T: Element>(draw: &mut Draw) -> (LazyArrayD<T>, PlainArray, usize) {
    let ndim = *draw.pick(&[1, 1, 2, 2, 3]);
    let (x, plain) = array(draw, ndim);
    let axis = if draw.one_in(30) { ndim } else { draw.below(ndim) };
    (x, plain, axis)
}

/// Length of an axis; 0 of one that does not exist.
fn len_of(x: &PlainArray, axis: usize) -> usize {
    x.shape().get(axis).copied().unwrap_or(0)
}

/// Up to eight indices, most of them inside an axis of `len`.
fn some_indices(draw: &mut Draw, len: usize) -> Vec<i64> {
    let (len, wild) = (len as i64, draw.one_in(8));
    let count = if len == 0 && !wild { 0 } else { draw.below(9) };
    let bounds = if wild || len == 0 { (-len - 2, len + 1) } else { (-len, len - 1) };
    (0..count).map(|_| draw.between(bounds.0, bounds.1)).collect()
}

/// The position an index means.
fn position(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { index + len as i64 } else { index };
    usize::try_from(at).ok().filter(|&at| at < len)
}

fn positions(indices: &[i64], len: usize) -> Option<Vec<usize>> {
    indices.iter().map(|&index| position(index, len)).collect()
}

/// The elements at positions of an axis.
fn at_positions(x: &PlainArray, axis: usize, positions: &[usize]) -> PlainArray {
    let mut shape = x.shape().to_vec();
    shape[axis] = positions.len();
    PlainArray::from_fn(x.dtype(), &shape, |index| {
        let mut at = index.to_vec();
        at[axis] = positions[index[axis]];
        x.get(&at)
    })
}

/// What must come of positions of an axis, when they and the axis exist.
fn picked(x: LazyArrayD<i64>, plain: &PlainArray, axis: usize, positions: Option<Vec<usize>>) -> Use {
    match positions.filter(|_| axis < plain.shape().len()) {
        Some(positions) => Use::exact(x, at_positions(plain, axis, &positions)),
        None => Use::fails(x),
    }
}

fn take(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let indices = some_indices(draw, len_of(&plain, axis));
    picked(x.take(&indices, Axis(axis)), &plain, axis, positions(&indices, len_of(&plain, axis)))
}

fn take_lazy(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let indices = some_indices(draw, len_of(&plain, axis));
    let grid = grid(draw, &[indices.len()]);
    let lazy = LazyArray::from_ndarray(ndarray::Array::from(indices.clone()), Chunks::from(grid));
    let taken = x.take(&lazy, Axis(axis));
    // What is out of bounds shows where it is computed: not where there is nothing to compute.
    let beside = plain.shape().iter().enumerate().any(|(at, &len)| at != axis && len == 0);
    match positions(&indices, len_of(&plain, axis)) {
        None if beside && axis < plain.shape().len() => {
            picked(taken, &plain, axis, Some(vec![0; indices.len()]))
        }
        positions => picked(taken, &plain, axis, positions),
    }
}

fn select(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let indices = some_indices(draw, len_of(&plain, axis));
    let unsigned: Vec<usize> = indices.iter().map(|&i| i.unsigned_abs() as usize).collect();
    let inside = unsigned.iter().all(|&i| i < len_of(&plain, axis));
    picked(x.select(Axis(axis), &unsigned), &plain, axis, inside.then(|| unsigned.clone()))
}

fn take_along_axis(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let axis = axis.min(plain.shape().len() - 1);
    let len = plain.shape()[axis];
    let mut shape: Vec<usize> =
        plain.shape().iter().map(|&len| if draw.one_in(5) { 1 } else { len }).collect();
    shape[axis] = if len == 0 { 0 } else { draw.below(4) };
    let bound = len as i64 + i64::from(draw.one_in(10));
    let count = shape.iter().product::<usize>();
    let values: Vec<i64> = (0..count).map(|_| draw.between(-(len as i64), bound - 1)).collect();
    let given = ArrayD::from_shape_vec(IxDyn(&shape), values.clone()).expect("a value for every place");
    let taken = match draw.one_in(2) {
        true => x.take_along_axis(&given, Axis(axis)),
        false => {
            let lazy = LazyArray::from_ndarray(given, Chunks::from(grid(draw, &shape)));
            x.take_along_axis(&lazy, Axis(axis))
        }
    };
    let mut repeated = plain.shape().to_vec();
    repeated[axis] = shape[axis];
    let indices = PlainArray::of(&shape, &values);
    let want = PlainArray::try_from_fn(plain.dtype(), &repeated, |index| {
        let Scalar::I64(i) = indices.get_broadcast(index) else { unreachable!("indices are i64") };
        let mut at = index.to_vec();
        at[axis] = position(i, len).ok_or(())?;
        Ok::<Scalar, ()>(plain.get(&at))
    });
    match want {
        Ok(want) if positions(&values, len).is_some() => Use::exact(taken, want),
        _ => Use::fails(taken),
    }
}

/// An element of a key in the words of the truth.
#[derive(Clone, Debug)]
enum Part {
    /// Positions of a range; a position alone, when its axis vanishes.
    Range(Vec<usize>),
    New,
    /// Positions of an array with its shape.
    Array(PlainArray),
    At(usize),
    /// A range that takes no axis.
    Nothing,
}

/// A key and its parts. Arrays have one shape, or lengths of 1.
fn random_key(draw: &mut Draw, shape: &[usize]) -> (Vec<Index>, Vec<Part>) {
    let (mut key, mut parts) = (Vec::new(), Vec::new());
    let common = [1 + draw.below(2), 1 + draw.below(3)];
    let ellipsis = draw.below(2 * shape.len() + 2);
    for (axis, &len) in shape.iter().enumerate() {
        if axis == ellipsis {
            key.push(Index::Ellipsis);
            parts.push(Part::Nothing);
        }
        if draw.one_in(8) {
            key.push(Index::NewAxis);
            parts.push(Part::New);
        }
        let (index, part) = random_part(draw, len, common);
        key.push(index);
        parts.push(part);
    }
    (key, parts)
}

fn random_part(draw: &mut Draw, len: usize, common: [usize; 2]) -> (Index, Part) {
    let whole = len as i64;
    match draw.below(if len == 0 { 1 } else { 6 }) {
        0 => (Index::from(..), Part::Range((0..len).collect())),
        1 => {
            let (start, step) = (draw.below(len), 1 + draw.below(3));
            let range = ndarray::Slice::new(start as isize, None, step as isize);
            (range.into(), Part::Range((start..len).step_by(step).collect()))
        }
        2 => {
            let index = draw.between(-whole, whole - 1);
            (index.into(), Part::At(position(index, len).expect("it was drawn inside")))
        }
        3 => {
            let mut mask = vec![false; len];
            (0..common[1]).for_each(|_| mask[draw.below(len)] = true);
            let at: Vec<u64> = (0..len as u64).filter(|&i| mask[i as usize]).collect();
            // As many as the other arrays have, or one.
            match at.len() == common[1] || at.len() == 1 {
                true => (mask.into(), Part::Array(PlainArray::of(&[at.len()], &at))),
                false => (Index::from(..), Part::Range((0..len).collect())),
            }
        }
        kind => {
            let shape = if kind == 4 { vec![common[1]] } else { common.to_vec() };
            let count = shape.iter().product::<usize>();
            let given: Vec<i64> = (0..count).map(|_| draw.between(-whole, whole - 1)).collect();
            let at = positions(&given, len).expect("they were drawn inside");
            let at: Vec<u64> = at.iter().map(|&i| i as u64).collect();
            let given = ArrayD::from_shape_vec(IxDyn(&shape), given).expect("a value for every place");
            (given.into(), Part::Array(PlainArray::of(&shape, &at)))
        }
    }
}

/// What a key picks: every place of the result looks its element up.
fn looked_up(x: &PlainArray, parts: &[Part], first: bool) -> PlainArray {
    let advanced = |part: &Part| matches!(part, Part::Array(_) | Part::At(_));
    let arrays: Vec<&PlainArray> =
        parts.iter().filter_map(|part| if let Part::Array(a) = part { Some(a) } else { None }).collect();
    let ndim = arrays.iter().map(|array| array.shape().len()).max().unwrap_or(0);
    let common: Vec<usize> = (0..ndim)
        .map(|axis| {
            let of = |a: &&PlainArray| (axis + a.shape().len()).checked_sub(ndim).map(|at| a.shape()[at]);
            arrays.iter().filter_map(of).find(|&len| len != 1).unwrap_or(1)
        })
        .collect();
    let runs = parts.chunk_by(|a, b| advanced(a) == advanced(b)).filter(|run| advanced(&run[0])).count();
    // The lengths of ranges and new axes, and how many of them stand before the first array.
    let lead = parts.iter().position(advanced).unwrap_or(parts.len());
    let len = |part: &Part| match part {
        Part::Range(at) => Some(at.len()),
        Part::New => Some(1),
        _ => None,
    };
    let before = if first || runs > 1 { 0 } else { parts[..lead].iter().filter_map(len).count() };
    let mut shape: Vec<usize> = parts.iter().filter_map(len).collect();
    let before = if arrays.is_empty() { 0 } else { before };
    shape.splice(before..before, common);
    PlainArray::from_fn(x.dtype(), &shape, |index| {
        let mut others: Vec<usize> = index.to_vec();
        let point: Vec<usize> = others.splice(before..before + ndim, []).collect();
        let mut others = others.into_iter();
        let at = parts.iter().filter_map(|part| match part {
            Part::Range(at) => others.next().map(|i| at[i]),
            Part::New => others.next().and(None),
            Part::At(at) => Some(*at),
            Part::Array(array) => match array.get_broadcast(&point) {
                Scalar::U64(at) => Some(at as usize),
                _ => unreachable!("positions are u64"),
            },
            Part::Nothing => None,
        });
        x.get(&at.collect::<Vec<usize>>())
    })
}

fn keyed(draw: &mut Draw, first: bool) -> Use {
    let ndim = 1 + draw.below(4);
    let (x, plain) = array::<i64>(draw, ndim);
    let (mut key, parts) = random_key(draw, plain.shape());
    let spoilt = draw.one_in(12);
    if spoilt {
        let bad = *draw.pick(&[0, 1, 2]);
        key.push(match bad {
            0 => Index::At(0),
            1 => Index::from([0]),
            _ => Index::from([true, true]),
        });
    }
    let got = if first { x.vindex(&key) } else { x.index(&key) };
    if spoilt { Use::fails(got) } else { Use::exact(got, looked_up(&plain, &parts, first)) }
}

fn compress(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let len = len_of(&plain, axis) + usize::from(draw.one_in(10));
    let mask: Vec<bool> = (0..len).map(|_| draw.one_in(2)).collect();
    let kept = (0..len).filter(|&i| mask[i]).collect();
    picked(x.compress(&mask, Axis(axis)), &plain, axis, (len == len_of(&plain, axis)).then_some(kept))
}

fn delete(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let len = len_of(&plain, axis);
    let indices = some_indices(draw, len);
    let left = positions(&indices, len).map(|gone| (0..len).filter(|at| !gone.contains(at)).collect());
    picked(x.delete(&indices, Axis(axis)), &plain, axis, left)
}

/// An array that fits another one but for the length of an axis.
fn beside(draw: &mut Draw, shape: &[usize], axis: usize) -> (LazyArrayD<i64>, PlainArray) {
    let mut shape = shape.to_vec();
    if let Some(len) = shape.get_mut(axis) {
        *len = draw.below(4);
    }
    array_of_shape(draw, &shape)
}

fn insert(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let (values, new) = beside(draw, plain.shape(), axis);
    let len = len_of(&plain, axis) as i64;
    let beyond = i64::from(draw.one_in(10));
    let index = draw.between(-len - beyond, len + beyond);
    let got = x.insert(index as isize, &values, Axis(axis));
    let split = if index < 0 { index + len } else { index };
    if axis >= plain.shape().len() || !(0..=len).contains(&split) {
        return Use::fails(got);
    }
    Use::exact(got, joined(&plain, &new, axis, split as usize))
}

fn append(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let (values, new) = beside(draw, plain.shape(), axis);
    let got = x.append(&values, Axis(axis));
    if axis >= plain.shape().len() {
        return Use::fails(got);
    }
    Use::exact(got, joined(&plain, &new, axis, plain.shape()[axis]))
}

fn joined(x: &PlainArray, new: &PlainArray, axis: usize, split: usize) -> PlainArray {
    let mut shape = x.shape().to_vec();
    let count = new.shape()[axis];
    shape[axis] += count;
    PlainArray::from_fn(x.dtype(), &shape, |index| {
        let mut at = index.to_vec();
        match index[axis] {
            i if i < split => x.get(&at),
            i if i < split + count => {
                at[axis] = i - split;
                new.get(&at)
            }
            i => {
                at[axis] = i - count;
                x.get(&at)
            }
        }
    })
}

fn diagonal(draw: &mut Draw) -> Use {
    let ndim = 2 + draw.below(2);
    let (x, plain) = array::<i64>(draw, ndim);
    let beyond = usize::from(draw.one_in(10));
    let (a, b) = (draw.below(ndim + beyond), draw.below(ndim));
    let offset = draw.between(-4, 4);
    let got = x.diagonal(offset as isize, Axis(a), Axis(b));
    if a == b || a >= ndim {
        return Use::fails(got);
    }
    // Pairs of positions whose distance is the offset.
    let pairs: Vec<(usize, usize)> = (0..plain.shape()[a])
        .flat_map(|i| (0..plain.shape()[b]).map(move |j| (i, j)))
        .filter(|&(i, j)| j as i64 - i as i64 == offset)
        .collect();
    let others: Vec<usize> = (0..ndim).filter(|&axis| axis != a && axis != b).collect();
    let lens = others.iter().map(|&axis| plain.shape()[axis]);
    let shape: Vec<usize> = lens.chain([pairs.len()]).collect();
    Use::exact(
        got,
        PlainArray::from_fn(plain.dtype(), &shape, |index| {
            let mut at = vec![0; ndim];
            others.iter().zip(index).for_each(|(&axis, &i)| at[axis] = i);
            (at[a], at[b]) = pairs[index[others.len()]];
            plain.get(&at)
        }),
    )
}

/// A range of an axis: its slice, and the positions it walks over.
fn random_range(draw: &mut Draw, len: usize) -> (SliceInfoElem, Vec<usize>) {
    let (start, end) = (draw.below(len + 1), draw.below(len + 2));
    let step = *draw.pick(&[1, 1, 2, 3, -1, -2]);
    let inside: Vec<usize> = (start..end.min(len)).collect();
    let stride = usize::try_from(i64::abs(step)).unwrap_or(1);
    let walked = match step > 0 {
        true => inside.into_iter().step_by(stride).collect(),
        false => inside.into_iter().rev().step_by(stride).collect(),
    };
    (SliceInfoElem::Slice { start: start as isize, end: Some(end as isize), step: step as isize }, walked)
}

/// An array that repeats to a shape, or one that does not once in twelve times.
fn value_for(draw: &mut Draw, shape: &[usize]) -> (LazyArrayD<i64>, PlainArray, bool) {
    let drop = if draw.one_in(3) { draw.below(shape.len() + 1) } else { 0 };
    let mut own: Vec<usize> = shape[drop..].iter().map(|&len| if draw.one_in(4) { 1 } else { len }).collect();
    let bad = !own.is_empty() && draw.one_in(12);
    if bad {
        own[0] = shape[drop] + 2;
    }
    let (value, plain) = array_of_shape(draw, &own);
    (value, plain, bad)
}

fn assign(draw: &mut Draw) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let ranges: Vec<(SliceInfoElem, Vec<usize>)> =
        plain.shape().iter().map(|&len| random_range(draw, len)).collect();
    let shape: Vec<usize> = ranges.iter().map(|(_, walked)| walked.len()).collect();
    let (value, new, bad) = value_for(draw, &shape);
    let info: Vec<SliceInfoElem> = ranges.iter().map(|(elem, _)| *elem).collect();
    let got = x.assign(&info[..], &value);
    if bad {
        return Use::fails(got);
    }
    let want = PlainArray::from_fn(plain.dtype(), plain.shape(), |index| {
        let walked = index.iter().zip(&ranges).map(|(i, (_, walked))| walked.iter().position(|at| at == i));
        let place: Option<Vec<usize>> = walked.collect();
        place.map_or_else(|| plain.get(index), |place| new.get_broadcast(&place))
    });
    Use::exact(got, want)
}

fn assign_at(draw: &mut Draw) -> Use {
    let (x, plain, axis) = subject::<i64>(draw);
    let indices = some_indices(draw, len_of(&plain, axis));
    let mut shape = plain.shape().to_vec();
    if let Some(len) = shape.get_mut(axis) {
        *len = indices.len();
    }
    let (value, new, bad) = value_for(draw, &shape);
    let got = x.assign_at(IndexList::from(&indices), Axis(axis), &value);
    let Some(positions) = positions(&indices, len_of(&plain, axis)) else { return Use::fails(got) };
    if bad || axis >= plain.shape().len() {
        return Use::fails(got);
    }
    let want = PlainArray::from_fn(plain.dtype(), plain.shape(), |index| {
        let mut at = index.to_vec();
        let Some(k) = positions.iter().rposition(|&at| at == index[axis]) else { return plain.get(index) };
        at[axis] = k;
        new.get_broadcast(&at)
    });
    Use::exact(got, want)
}

fn assign_where(draw: &mut Draw) -> Use {
    let ndim = draw.below(3);
    let (x, plain) = array::<i64>(draw, ndim);
    let (value, new, bad) = value_for(draw, plain.shape());
    let drop = draw.below(plain.shape().len() + 1);
    let (mask, set) = array_of_shape::<bool>(draw, &plain.shape()[drop..]);
    let got = x.assign_where(&mask, &value);
    if bad {
        return Use::fails(got);
    }
    let want = PlainArray::from_fn(plain.dtype(), plain.shape(), |index| {
        match set.get_broadcast(index) == Scalar::Bool(true) {
            true => new.get_broadcast(index),
            false => plain.get(index),
        }
    });
    Use::exact(got, want)
}
