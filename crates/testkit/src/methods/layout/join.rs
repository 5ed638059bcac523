//! Arrays joined and taken apart.

use chunkwise::prelude::*;
use chunkwise::{Indexing, Nested};

use super::{Method, Use, array, gathered, some_array, with_axis, with_len};
use crate::PlainArray;
use crate::generate::draw::Draw;
use crate::methods::array_of_shape;

pub(super) const METHODS: &[Method] = &[
    Method { name: "split", draw: |draw| split(draw, LazyArrayD::split, true) },
    Method { name: "array_split", draw: |draw| split(draw, LazyArrayD::array_split, false) },
    Method { name: "split_places", draw: split_places },
    Method { name: "split_at", draw: split_at },
    Method { name: "atleast_1d", draw: |draw| at_least(draw, LazyArrayD::atleast_1d, 1) },
    Method { name: "atleast_2d", draw: |draw| at_least(draw, LazyArrayD::atleast_2d, 2) },
    Method { name: "atleast_3d", draw: |draw| at_least(draw, LazyArrayD::atleast_3d, 3) },
    Method { name: "vstack", draw: |draw| stacked(draw, chunkwise::vstack, "vstack") },
    Method { name: "hstack", draw: |draw| stacked(draw, chunkwise::hstack, "hstack") },
    Method { name: "dstack", draw: |draw| stacked(draw, chunkwise::dstack, "dstack") },
    Method { name: "column_stack", draw: |draw| stacked(draw, chunkwise::column_stack, "column_stack") },
    Method { name: "block", draw: block },
    Method { name: "broadcast_arrays", draw: broadcast_arrays },
    Method { name: "meshgrid", draw: |draw| meshgrid(draw, false) },
    Method { name: "meshgrid_sparse", draw: |draw| meshgrid(draw, true) },
];

/// Elements `start..end` of an axis.
fn part(x: &PlainArray, axis: usize, start: usize, end: usize) -> PlainArray {
    let (start, end) = (start.min(x.shape()[axis]), end.min(x.shape()[axis]));
    let shape = with_len(x.shape(), axis, end.max(start) - start);
    gathered(x, &shape, |index| {
        let mut index = index.to_vec();
        index[axis] += start;
        index
    })
}

type Split = fn(&LazyArrayD<i32>, Axis, usize) -> Vec<LazyArrayD<i32>>;

fn split(draw: &mut Draw, split: Split, equal: bool) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let parts = if draw.one_in(12) { usize::MAX } else { draw.below(5) };
    let pieces = split(&x, Axis(axis), parts);
    let number = draw.below(pieces.len());
    let len = x.shape().get(axis).copied().unwrap_or(0);
    if axis == x.ndim() || parts == 0 || parts > 5 || (equal && len % parts != 0) {
        return Use::fails(pieces[number].clone());
    }
    // The first ones are longer.
    let lengths: Vec<usize> = (0..parts).map(|i| (len + parts - 1 - i) / parts).collect();
    let start: usize = lengths[..number].iter().sum();
    Use::exact(pieces[number].clone(), part(&plain, axis, start, start + lengths[number]))
}

fn split_places(draw: &mut Draw) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let places: Vec<usize> = (0..draw.below(4)).map(|_| draw.below(14)).collect();
    let pieces = x.split_places(Axis(axis), &places);
    let number = draw.below(pieces.len());
    if axis == x.ndim() {
        return Use::fails(pieces[number].clone());
    }
    let start = if number == 0 { 0 } else { places[number - 1] };
    let end = places.get(number).copied().unwrap_or(usize::MAX);
    Use::exact(pieces[number].clone(), part(&plain, axis, start, end))
}

fn split_at(draw: &mut Draw) -> Use {
    let (x, plain, axis) = with_axis(draw);
    let place = draw.below(9);
    let (left, right) = x.split_at(Axis(axis), place);
    let first = draw.one_in(2);
    let piece = if first { left } else { right };
    if axis == x.ndim() || place > x.shape()[axis] {
        return Use::fails(piece);
    }
    let (start, end) = if first { (0, place) } else { (place, usize::MAX) };
    Use::exact(piece, part(&plain, axis, start, end))
}

fn shape_at_least(shape: &[usize], ndim: usize) -> Vec<usize> {
    match (ndim, shape) {
        (3, [n]) => vec![1, *n, 1],
        (3, [n, m]) => vec![*n, *m, 1],
        (_, shape) => [vec![1; ndim.saturating_sub(shape.len())], shape.to_vec()].concat(),
    }
}

fn at_least(draw: &mut Draw, method: fn(&LazyArrayD<i32>) -> LazyArrayD<i32>, ndim: usize) -> Use {
    let (x, plain) = some_array(draw);
    Use::exact(method(&x), plain.with_shape(&shape_at_least(x.shape(), ndim)))
}

/// Arrays end to end; `None` where they do not fit.
fn end_to_end(parts: &[PlainArray], axis: usize) -> Option<PlainArray> {
    let first = parts.first()?;
    let fits = |x: &PlainArray| {
        x.shape().len() == first.shape().len()
            && (0..x.shape().len()).all(|other| other == axis || x.shape()[other] == first.shape()[other])
    };
    if axis >= first.shape().len() || !parts.iter().all(fits) {
        return None;
    }
    let shape = with_len(first.shape(), axis, parts.iter().map(|x| x.shape()[axis]).sum());
    Some(PlainArray::from_fn(first.dtype(), &shape, |index| {
        let mut index = index.to_vec();
        let mut parts = parts.iter();
        loop {
            let part = parts.next().expect("the lengths of the parts add up");
            if index[axis] < part.shape()[axis] {
                return part.get(&index);
            }
            index[axis] -= part.shape()[axis];
        }
    }))
}

fn used(y: LazyArrayD<i32>, want: Option<PlainArray>) -> Use {
    match want {
        Some(want) => Use::exact(y, want),
        None => Use::fails(y),
    }
}

type Stack = fn(&[&LazyArrayD<i32>]) -> LazyArrayD<i32>;

fn stacked(draw: &mut Draw, stack: Stack, name: &str) -> Use {
    let ndim = draw.below(4);
    let count = if draw.one_in(12) { 0 } else { 1 + draw.below(3) };
    let (first, plain) = array::<i32>(draw, ndim);
    let mut arrays = vec![(first, plain)];
    while arrays.len() < count {
        let mut shape = arrays[0].0.shape().to_vec();
        // Mostly one that fits, along some axis.
        if ndim > 0 && draw.one_in(2) {
            let axis = draw.below(ndim);
            shape[axis] = draw.below(4);
        }
        arrays.push(array_of_shape(draw, &shape));
    }
    arrays.truncate(count);
    let (least, axis) = match name {
        "vstack" => (2, 0),
        "hstack" => (1, usize::from(ndim > 1)),
        "dstack" => (3, 2),
        _ => (2, 1),
    };
    let wide = |x: &PlainArray| match (name, x.shape()) {
        ("column_stack", [n]) => x.with_shape(&[*n, 1]),
        (_, shape) => x.with_shape(&shape_at_least(shape, least)),
    };
    let parts: Vec<PlainArray> = arrays.iter().map(|(_, plain)| wide(plain)).collect();
    used(stack(&arrays.iter().map(|(x, _)| x).collect::<Vec<_>>()), end_to_end(&parts, axis))
}

/// Rows of blocks; at times one block is in a list too many, or a list is empty.
fn block(draw: &mut Draw) -> Use {
    let heights: Vec<usize> = (0..1 + draw.below(2)).map(|_| 1 + draw.below(3)).collect();
    let widths: Vec<usize> = (0..1 + draw.below(2)).map(|_| 1 + draw.below(3)).collect();
    let (mut rows, mut plain_rows) = (Vec::new(), Vec::new());
    for &height in &heights {
        let (mut row, mut plain_row) = (Vec::new(), Vec::new());
        for &width in &widths {
            // A line counts as a row.
            let shape = if height == 1 && draw.one_in(2) { vec![width] } else { vec![height, width] };
            let (x, plain) = array_of_shape::<i32>(draw, &shape);
            row.push(Nested::from(&x));
            plain_row.push(plain.with_shape(&[height, width]));
        }
        rows.push(Nested::from(row));
        plain_rows.push(end_to_end(&plain_row, 1));
    }
    let wrong = draw.below(12);
    if wrong == 0 {
        rows.push(Nested::from(vec![Nested::from(vec![Nested::from(Vec::new())])]));
    } else if wrong == 1 {
        rows.push(Nested::from(&array::<i32>(draw, 1).0));
    }
    let parts: Option<Vec<PlainArray>> = plain_rows.into_iter().collect();
    let want = parts.and_then(|parts| end_to_end(&parts, 0)).filter(|_| wrong > 1);
    used(chunkwise::block(&Nested::from(rows)), want)
}

fn broadcast_arrays(draw: &mut Draw) -> Use {
    let shape: Vec<usize> = (0..draw.below(4)).map(|_| 1 + draw.below(3)).collect();
    let narrow = |draw: &mut Draw| {
        let skipped = draw.below(shape.len() + 1);
        let lengths = shape[skipped..].iter().map(|&len| if draw.one_in(3) { 1 } else { len });
        lengths.collect::<Vec<usize>>()
    };
    let shapes: Vec<Vec<usize>> = (0..1 + draw.below(3)).map(|_| narrow(draw)).collect();
    let arrays: Vec<_> = shapes.iter().map(|shape| array_of_shape::<i32>(draw, shape)).collect();
    let ndim = shapes.iter().map(Vec::len).max().unwrap_or(0);
    let longest = |axis: usize| {
        let own = shapes.iter().filter_map(|shape| Some(shape[(axis + shape.len()).checked_sub(ndim)?]));
        own.max().unwrap_or(1)
    };
    let common: Vec<usize> = (0..ndim).map(longest).collect();
    let number = draw.below(arrays.len());
    let all = chunkwise::broadcast_arrays(&arrays.iter().map(|(x, _)| x).collect::<Vec<_>>());
    let plain = &arrays[number].1;
    let want = PlainArray::from_fn(plain.dtype(), &common, |index| plain.get_broadcast(index));
    Use::exact(all[number].clone(), want)
}

fn meshgrid(draw: &mut Draw, sparse: bool) -> Use {
    let arrays: Vec<(LazyArrayD<i32>, PlainArray)> = (0..1 + draw.below(3)).map(|_| array(draw, 1)).collect();
    let lines: Vec<LazyArray1<i32>> = arrays.iter().map(|(x, _)| x.clone().into_dimensionality()).collect();
    let lines: Vec<&LazyArray1<i32>> = lines.iter().collect();
    let (indexing, xy) =
        if draw.one_in(2) { (Indexing::Xy, arrays.len() > 1) } else { (Indexing::Ij, false) };
    let axis = |number: usize| if xy && number < 2 { 1 - number } else { number };
    let number = draw.below(arrays.len());
    let mut shape = vec![1; arrays.len()];
    for (other, (_, plain)) in arrays.iter().enumerate() {
        if !sparse || other == number {
            shape[axis(other)] = plain.shape()[0];
        }
    }
    let grids = match sparse {
        true => chunkwise::meshgrid_sparse(&lines, indexing),
        false => chunkwise::meshgrid(&lines, indexing),
    };
    let want = gathered(&arrays[number].1, &shape, |index| vec![index[axis(number)]]);
    Use::exact(grids[number].clone(), want)
}
