//! Padding, repetition and tiling: every axis of the result follows a walk along an axis of the input.
//!
//! A block takes the runs that its walks see, at most two along each axis, and no more elements than it has along any of
//! them. Blocks that see one run as it is, as most blocks of a padded array do, are handed on without a copy.

use std::fmt;

use chunkwise_chunk::{AsBits, AxisChunks, Chunk, ChunkError, ChunkGrid, Region, Scalar, dispatch};
use chunkwise_expr::{BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};
use smallvec::SmallVec;

use super::walk::{Beyond, Walk};

/// Every axis of the result follows a walk along the same axis of the one input.
///
/// ```
/// use chunkwise_ops::shape::{Extend, Walk};
/// let rule = Extend::new("repeat", vec![Walk::Repeat(2), Walk::Along]);
/// assert_eq!(rule.to_string(), "repeat[i0 / 2, i1]");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Extend {
    name: &'static str,
    walks: Vec<Walk>,
}

impl Extend {
    /// The walks along all axes, under the name of a method.
    pub fn new(name: &'static str, walks: Vec<Walk>) -> Extend {
        Extend { name, walks }
    }

    /// The walk along each axis.
    pub fn walks(&self) -> &[Walk] {
        &self.walks
    }

    fn cuts(&self, grid: &ChunkGrid) -> Result<Vec<AxisChunks>, ChunkError> {
        let longest = grid.max_chunk();
        let mut elements = longest.iter().fold(1usize, |n, &len| n.saturating_mul(len.max(1)));
        // From the last axis on, so that blocks grow along rows first.
        let mut cuts = Vec::with_capacity(longest.len());
        for (walk, axis) in self.walks.iter().zip(grid.axes()).rev() {
            cuts.push(walk.cut(axis, &mut elements)?);
        }
        cuts.reverse();
        Ok(cuts)
    }

    /// The runs of every axis that a block sees.
    fn runs(&self, block: &Region, source: &[usize]) -> Vec<Runs> {
        let part = |axis: usize| block.start()[axis]..block.end(axis);
        self.walks.iter().enumerate().map(|(axis, walk)| walk.runs(part(axis), source[axis])).collect()
    }

    /// How the block runs along one axis of the boxes put together.
    fn line<T: AsBits>(&self, axis: usize, block: &Region, runs: &Runs, n: usize) -> Line<T> {
        let (walk, part) = (&self.walks[axis], block.start()[axis]..block.end(axis));
        let mut line = Line { low: (0, T::default()), at: Vec::new(), high: (0, T::default()) };
        let mut seen = part.clone();
        if let Walk::Extend { before, beyond: Beyond::Fill(low, high), .. } = walk {
            let value = |fill: Scalar| fill.as_bits().unwrap_or_default();
            let inside = |place: usize| place.clamp(part.start, part.end);
            seen = inside(*before)..inside(before.saturating_add(n));
            line.low = (seen.start - part.start, value(*low));
            line.high = (part.end - seen.end, value(*high));
        }
        let place = |i| walk.at(i, n).map_or(0, |at| place_in(runs, at));
        line.at = seen.map(place).collect();
        line
    }

    fn laid_out<T: AsBits>(&self, step: &Step<'_>, boxed: Option<&Chunk>) -> Result<Chunk, BlockError> {
        let source = step.inputs[0].grid().shape();
        let runs = self.runs(step.block, source);
        let axes = 0..self.walks.len();
        let lines: Vec<Line<T>> =
            axes.map(|axis| self.line(axis, step.block, &runs[axis], source[axis])).collect();
        let boxed = boxed.map(Chunk::to_contiguous);
        let boxed = boxed.as_ref().map(Chunk::bits::<T>).transpose()?;
        let elements = boxed.as_ref().and_then(|array| array.as_slice()).unwrap_or_default();
        let mut out = Chunk::zeros(step.inputs[0].dtype(), step.block.shape());
        let mut places = out.bits_mut::<T>()?;
        let mut places = places.as_slice_mut().expect("a new block is in C order");
        lay_out(&lines, &strides(&runs), Seen::Elements(elements), &mut places);
        Ok(out)
    }
}

type Runs = SmallVec<[std::ops::Range<usize>; 2]>;

impl fmt::Display for Extend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axis = |(i, walk): (usize, &Walk)| match walk {
            Walk::Along => format!("i{i}"),
            Walk::Extend { before, after, beyond: Beyond::Fill(low, high) } => {
                format!("{before} {low} + i{i} + {after} {high}")
            }
            Walk::Extend { before, after, beyond } => {
                format!("{before} + i{i} + {after} {}", format!("{beyond:?}").to_lowercase())
            }
            Walk::Repeat(count) => format!("i{i} / {count}"),
            Walk::Repeats(counts) => format!("i{i} by {} counts", counts.elements()),
        };
        let axes: Vec<String> = self.walks.iter().enumerate().map(axis).collect();
        write!(f, "{}[{}]", self.name, axes.join(", "))
    }
}

impl BlockRule for Extend {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let (grid, dtype) = (inputs[0].grid(), inputs[0].dtype());
        if self.walks.len() != grid.ndim() {
            let (given, shape) = (self.walks.len(), grid.shape());
            return Err(ExprError::Message(format!(
                "{given} axes are given for an array of shape {shape:?}"
            )));
        }
        for (axis, (walk, &n)) in self.walks.iter().zip(grid.shape()).enumerate() {
            check(axis, walk, n, grid.shape())?;
        }
        Ok(Meta::Array { dtype, grid: ChunkGrid::new(self.cuts(grid)?) })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let runs = self.runs(block, inputs[0].grid().shape());
        boxes(&runs).map(|(region, _)| Need { input: 0, region }).collect()
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, mut step: Step<'_>) -> Result<Chunk, BlockError> {
        let (dtype, runs) = (step.inputs[0].dtype(), self.runs(step.block, step.inputs[0].grid().shape()));
        let operands = std::mem::take(&mut step.operands);
        let sees_all = |walk: &Walk| match walk {
            Walk::Along | Walk::Extend { .. } => true,
            Walk::Repeat(count) => *count == 1,
            Walk::Repeats(_) => false,
        };
        if let [only] = &operands[..]
            && only.shape() == step.block.shape()
            && self.walks.iter().all(sees_all)
            && self.is_inside(step.block, step.inputs[0].grid().shape())
        {
            return Ok(only.clone());
        }
        let boxed = match &operands[..] {
            [] => None,
            [only] => Some(only.clone()),
            several => {
                let shape: Vec<usize> = runs.iter().map(total).collect();
                Some(Chunk::assemble(dtype, &shape, boxes(&runs).map(|(_, place)| place).zip(several))?)
            }
        };
        drop(operands);
        dispatch!(Bits: dtype, W => self.laid_out::<W>(&step, boxed.as_ref()))
    }

    fn scratch_bytes(&self, block: &Region, inputs: &[&Meta]) -> u64 {
        if block.is_empty() {
            return 0;
        }
        let runs = self.runs(block, inputs[0].grid().shape());
        let elements = runs.iter().map(total).fold(1u64, |n, len| n.saturating_mul(len as u64));
        let lines: u64 = block.shape().iter().map(|&len| len as u64 * size_of::<usize>() as u64).sum();
        elements.saturating_mul(inputs[0].dtype().itemsize() as u64).saturating_add(lines)
    }
}

impl Extend {
    /// Whether a block lies beside the first and before the last place beyond the ends of any axis.
    fn is_inside(&self, block: &Region, source: &[usize]) -> bool {
        self.walks.iter().enumerate().all(|(axis, walk)| match walk {
            Walk::Extend { before, .. } => {
                block.start()[axis] >= *before && block.end(axis) <= before.saturating_add(source[axis])
            }
            _ => true,
        })
    }
}

fn check(axis: usize, walk: &Walk, n: usize, shape: &[usize]) -> Result<(), ExprError> {
    if walk.len(n).is_some() {
        return Ok(());
    }
    Err(match walk {
        Walk::Extend { .. } if n == 0 => {
            ExprError::Message(format!("axis {axis} of shape {shape:?} has no elements to extend it with"))
        }
        Walk::Repeats(counts) if counts.elements() != n => ExprError::Message(format!(
            "{} counts are given for axis {axis} of shape {shape:?}, which has {n} elements",
            counts.elements()
        )),
        _ => ChunkError::TooLarge(shape.into()).into(),
    })
}

fn total(runs: &Runs) -> usize {
    runs.iter().map(|run| run.len()).sum()
}

/// Where an element of the input lies among those of its runs.
fn place_in(runs: &Runs, at: usize) -> usize {
    let mut before = 0;
    for run in runs {
        if run.contains(&at) {
            return before + at - run.start;
        }
        before += run.len();
    }
    0
}

/// The boxes that are the products of runs, in C order, and where they go when they are put together.
fn boxes(runs: &[Runs]) -> impl Iterator<Item = (Region, Region)> + '_ {
    // Filling alone needs nothing.
    let counts: Vec<usize> = runs.iter().map(|runs| runs.len()).collect();
    let some = !counts.contains(&0);
    let grid = ChunkGrid::regular(&counts, &vec![1; counts.len()]);
    let choices = some.then(|| grid.blocks().collect::<Vec<_>>()).into_iter().flatten();
    choices.map(move |choice| {
        let (mut region, mut place) =
            (Region::whole(&vec![0; runs.len()]), Region::whole(&vec![0; runs.len()]));
        for (axis, &chosen) in choice.iter().enumerate() {
            let run = &runs[axis][chosen];
            region.set_axis(axis, run.start, run.len());
            let before = runs[axis][..chosen].iter().map(|run| run.len()).sum();
            place.set_axis(axis, before, run.len());
        }
        (region, place)
    })
}

/// Elements from one place of each axis to the next in the boxes put together.
fn strides(runs: &[Runs]) -> Vec<usize> {
    let mut strides = vec![1; runs.len()];
    for axis in (1..runs.len()).rev() {
        strides[axis - 1] = strides[axis] * total(&runs[axis]);
    }
    strides
}

/// How a block runs along an axis: filling, places, filling.
struct Line<T> {
    low: (usize, T),
    at: Vec<usize>,
    high: (usize, T),
}

/// What is seen along the axes so far.
#[derive(Clone, Copy)]
enum Seen<'a, T> {
    /// Elements of the input, from here on.
    Elements(&'a [T]),
    /// Filling of an axis; an axis further in may overrule it.
    Fill(T),
}

/// Writes what is seen along some axes to the first of the places, which are left behind.
fn lay_out<T: Copy>(lines: &[Line<T>], strides: &[usize], seen: Seen<'_, T>, out: &mut &mut [T]) {
    let Some((line, inner)) = lines.split_first() else {
        next(out, 1)[0] = match seen {
            Seen::Elements(elements) => elements[0],
            Seen::Fill(value) => value,
        };
        return;
    };
    fill(line.low, inner, strides, out);
    match seen {
        Seen::Fill(value) => fill((line.at.len(), value), inner, strides, out),
        Seen::Elements(elements) if inner.is_empty() => row(elements, &line.at, out),
        Seen::Elements(elements) => {
            for &at in &line.at {
                lay_out(inner, &strides[1..], Seen::Elements(&elements[at * strides[0]..]), out);
            }
        }
    }
    fill(line.high, inner, strides, out);
}

fn fill<T: Copy>((count, value): (usize, T), inner: &[Line<T>], strides: &[usize], out: &mut &mut [T]) {
    if inner.is_empty() {
        return next(out, count).fill(value);
    }
    for _ in 0..count {
        lay_out(inner, &strides[1..], Seen::Fill(value), out);
    }
}

/// The next so many places.
fn next<'a, T>(out: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let (next, rest) = std::mem::take(out).split_at_mut(count);
    *out = rest;
    next
}

fn row<T: Copy>(elements: &[T], at: &[usize], out: &mut &mut [T]) {
    let out = next(out, at.len());
    let is_run = at.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    match at.first() {
        Some(&first) if is_run => out.copy_from_slice(&elements[first..first + at.len()]),
        _ => out.iter_mut().zip(at).for_each(|(out, &at)| *out = elements[at]),
    }
}
