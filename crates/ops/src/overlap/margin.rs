//! Where the elements of a block with its margin come from, and the padded block itself.
//!
//! Along an axis, the padded block is a list of runs: elements of the array at a step of 1, -1 or 0, or so many
//! constants. What all runs need of the axis are few intervals; a region of the array for every combination of them is
//! what the block needs.
//!
//! ```text
//! periodic, n = 10, block 8..10, margin 3      5 6 7 [8 9] 0 1 2       runs 5..10, 0..3      needs 0..3, 5..10
//! symmetric                                    5 6 7 [8 9] 9 8 7       runs 5..10, 9 down    needs 5..10
//! ```

use std::ops::Range;

use chunkwise_chunk::{AsBits, Chunk, ChunkError, DType, Region, Scalar, dispatch};
use chunkwise_expr::eval_cast;
use ndarray::{ArrayViewD, Axis, Slice};
use smallvec::SmallVec;

use super::Boundary;

/// How deep the margin of an axis is, and what lies beyond its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AxisMargin {
    /// Elements before a block.
    pub before: usize,
    /// Elements after a block.
    pub after: usize,
    /// What lies beyond the ends of the axis.
    pub boundary: Boundary<Scalar>,
}

impl AxisMargin {
    /// The index that stands in for `at`, which is beyond the ends of an axis of `len` elements.
    fn stands_in(&self, at: isize, len: usize) -> Option<usize> {
        let n = len as isize;
        Some(match self.boundary {
            Boundary::Periodic => at.rem_euclid(n),
            Boundary::Nearest => at.clamp(0, n - 1),
            Boundary::Symmetric => mirrored(at.rem_euclid(2 * n), 2 * n - 1),
            Boundary::Reflect if n == 1 => 0,
            Boundary::Reflect => mirrored(at.rem_euclid(2 * n - 2), 2 * n - 2),
            Boundary::Constant(_) | Boundary::None => return None,
        } as usize)
    }

    /// The indices of a block with its margin, some of them beyond the ends.
    fn padded(&self, block: &Range<usize>, len: usize) -> Range<isize> {
        let (low, high) = (block.start as isize - self.before as isize, (block.end + self.after) as isize);
        match self.boundary {
            Boundary::None => low.max(0)..high.min(len as isize),
            _ => low..high,
        }
    }
}

/// `at`, or what it is mirrored to: `sum - at`.
fn mirrored(at: isize, sum: isize) -> isize {
    at.min(sum - at)
}

/// Neighbouring elements of a padded block along an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    /// Where they are in the padded block.
    at: Range<usize>,
    /// The index of the first one and the step to the next; `None` for constants.
    from: Option<(usize, isize)>,
}

impl Run {
    /// The interval of the axis that holds its elements.
    fn interval(&self) -> Option<Range<usize>> {
        let (first, step) = self.from?;
        let last = first.wrapping_add_signed(step * (self.at.len() as isize - 1));
        Some(first.min(last)..first.max(last) + 1)
    }
}

/// One axis of a padded block.
#[derive(Clone, Debug)]
struct AxisPlan {
    runs: Vec<Run>,
    /// What they need of the axis: in order, disjoint and not empty.
    needs: SmallVec<[Range<usize>; 3]>,
    /// Length of the padded block.
    len: usize,
    /// Where the block without its margin lies in the padded one.
    inside: Range<usize>,
    constant: Option<Scalar>,
}

impl AxisPlan {
    fn new(margin: &AxisMargin, block: Range<usize>, len: usize) -> AxisPlan {
        let padded = margin.padded(&block, len);
        let low = (block.start as isize - padded.start) as usize;
        let runs = runs(margin, &padded, len);
        let constant = match margin.boundary {
            Boundary::Constant(value) => Some(value),
            _ => None,
        };
        AxisPlan { needs: needs(&runs), runs, len: padded.len(), inside: low..low + block.len(), constant }
    }

    /// Whether the padded block is what is needed, as it is.
    fn is_plain(&self) -> bool {
        matches!(&self.runs[..], [Run { from: Some((_, 1)), .. }])
    }

    /// Which of the needed intervals holds a run, and where in it the run begins.
    fn place(&self, run: &Run) -> Option<(usize, usize)> {
        let (first, _) = run.from?;
        let number = self.needs.iter().position(|need| need.contains(&first))?;
        Some((number, first - self.needs[number].start))
    }
}

/// The runs of a padded range of an axis. What is inside the axis is one run at once, and so are constants and the nearest
/// element; what else is beyond is looked at element by element.
fn runs(margin: &AxisMargin, padded: &Range<isize>, len: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    let n = len as isize;
    let place = |at: isize| (at - padded.start) as usize;
    let beyond = |range: Range<isize>, runs: &mut Vec<Run>| match margin.boundary {
        _ if range.is_empty() => {}
        Boundary::Constant(_) | Boundary::None | Boundary::Nearest => {
            let from = margin.stands_in(range.start, len).map(|only| (only, 0));
            runs.push(Run { at: place(range.start)..place(range.end), from });
        }
        Boundary::Periodic | Boundary::Symmetric | Boundary::Reflect => {
            range.for_each(|at| push(runs, place(at), margin.stands_in(at, len)));
        }
    };
    beyond(padded.start..padded.end.min(0), &mut runs);
    let inside = padded.start.max(0)..padded.end.min(n);
    if !inside.is_empty() {
        let at = place(inside.start)..place(inside.end);
        let run = Run { at, from: Some((inside.start as usize, 1)) };
        join(&mut runs, run);
    }
    beyond(padded.start.max(n)..padded.end, &mut runs);
    runs
}

/// Adds one element to the last run, or begins a new one.
fn push(runs: &mut Vec<Run>, at: usize, from: Option<usize>) {
    let Some(last) = runs.last_mut() else {
        runs.push(Run { at: at..at + 1, from: from.map(|first| (first, 1)) });
        return;
    };
    let extended = match (&mut last.from, from) {
        (None, None) => true,
        (Some((first, step)), Some(next)) => {
            let distance = next as isize - *first as isize;
            let len = last.at.len() as isize;
            if len == 1 && distance.abs() <= 1 {
                *step = distance;
            }
            distance == *step * len
        }
        _ => false,
    };
    match extended {
        true => last.at.end = at + 1,
        false => runs.push(Run { at: at..at + 1, from: from.map(|first| (first, 1)) }),
    }
}

/// Adds a run, to the last one where it goes on.
fn join(runs: &mut Vec<Run>, run: Run) {
    if let (Some(Run { at, from: Some((first, 1)) }), Some((next, 1))) = (runs.last_mut(), run.from)
        && *first + at.len() == next
    {
        at.end = run.at.end;
        return;
    }
    runs.push(run);
}

/// The intervals that hold all runs, those that touch put together.
fn needs(runs: &[Run]) -> SmallVec<[Range<usize>; 3]> {
    let mut intervals: Vec<Range<usize>> = runs.iter().filter_map(Run::interval).collect();
    intervals.sort_unstable_by_key(|interval| interval.start);
    let mut needs: SmallVec<[Range<usize>; 3]> = SmallVec::new();
    for interval in intervals {
        match needs.last_mut() {
            Some(last) if interval.start <= last.end => last.end = last.end.max(interval.end),
            _ => needs.push(interval),
        }
    }
    needs
}

/// A block with its margin.
#[derive(Clone, Debug)]
pub(crate) struct Padding {
    axes: Vec<AxisPlan>,
}

impl Padding {
    /// The padding of a block of an array of this shape; with how deep, and what lies beyond, on every axis. The block may
    /// reach beyond the array where something lies there.
    pub(crate) fn new(margins: &[AxisMargin], block: &Region, shape: &[usize]) -> Padding {
        let axes = margins.iter().zip(shape).enumerate();
        let axes = axes
            .map(|(axis, (margin, &len))| AxisPlan::new(margin, block.start()[axis]..block.end(axis), len));
        Padding { axes: axes.collect() }
    }

    /// Shape of the padded block.
    pub(crate) fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(|axis| axis.len).collect()
    }

    /// Where the block lies in the padded one.
    pub(crate) fn inside(&self) -> Region {
        let start: Vec<usize> = self.axes.iter().map(|axis| axis.inside.start).collect();
        let shape: Vec<usize> = self.axes.iter().map(|axis| axis.inside.len()).collect();
        Region::new(&start, &shape)
    }

    /// Whether the padded block is a region of the array.
    pub(crate) fn is_plain(&self) -> bool {
        self.axes.iter().all(AxisPlan::is_plain)
    }

    /// The regions of the array that are needed.
    pub(crate) fn regions(&self) -> Vec<Region> {
        let mut all = vec![(Vec::new(), Vec::new())];
        for axis in &self.axes {
            let longer = |(start, shape): &(Vec<usize>, Vec<usize>)| {
                let with = |need: &Range<usize>| {
                    ([start.as_slice(), &[need.start]].concat(), [shape.as_slice(), &[need.len()]].concat())
                };
                axis.needs.iter().map(with).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        all.iter().map(|(start, shape)| Region::new(start, shape)).collect()
    }

    /// The padded block, put together from the regions that were asked for.
    pub(crate) fn fill(&self, pieces: &[Chunk]) -> Result<Chunk, ChunkError> {
        match pieces {
            [only] if self.is_plain() => Ok(only.clone()),
            [] => Ok(Chunk::filled(self.constant(&vec![0; self.axes.len()]), &self.shape())),
            [first, ..] => dispatch!(Bits: first.dtype(), W => self.filled::<W>(first.dtype(), pieces)),
        }
    }

    fn filled<W: AsBits>(&self, dtype: DType, pieces: &[Chunk]) -> Result<Chunk, ChunkError> {
        let pieces: Result<Vec<_>, ChunkError> = pieces.iter().map(Chunk::bits::<W>).collect();
        let pieces = pieces?;
        let mut padded = Chunk::zeros(dtype, &self.shape());
        let mut runs = vec![0; self.axes.len()];
        loop {
            let mut target = padded.bits_mut::<W>()?;
            let mut number = Some(0);
            for (axis, &run) in runs.iter().enumerate() {
                let plan = &self.axes[axis];
                let run = &plan.runs[run];
                target.slice_axis_inplace(Axis(axis), Slice::from(run.at.clone()));
                let place = plan.place(run).map(|(need, _)| need);
                number = number.zip(place).map(|(number, need)| number * plan.needs.len() + need);
            }
            match number {
                Some(number) => {
                    let source = self.source(pieces[number].view(), &runs);
                    let source = source.broadcast(target.raw_dim());
                    target.assign(&source.expect("a run of a repeated element has length 1"));
                }
                // Of several arrays with one constant, each has it in its own type.
                None => target.fill(eval_cast(self.constant(&runs), dtype).as_bits::<W>()?),
            }
            if !self.advance(&mut runs) {
                return Ok(padded);
            }
        }
    }

    /// The elements of one run on every axis.
    fn source<'a, T>(&self, mut piece: ArrayViewD<'a, T>, runs: &[usize]) -> ArrayViewD<'a, T> {
        for (axis, &run) in runs.iter().enumerate() {
            let plan = &self.axes[axis];
            let run = &plan.runs[run];
            let (Some((_, start)), Some((_, step))) = (plan.place(run), run.from) else { continue };
            let len = run.at.len();
            let slice = match step {
                0 => Slice::from(start..start + 1),
                1 => Slice::from(start..start + len),
                _ => Slice::new((start + 1 - len) as isize, Some(start as isize + 1), -1),
            };
            piece.slice_axis_inplace(Axis(axis), slice);
        }
        piece
    }

    /// The constant of the last axis that is beyond its ends.
    fn constant(&self, runs: &[usize]) -> Scalar {
        let beyond = |(plan, &run): (&AxisPlan, &usize)| match plan.runs.get(run) {
            Some(Run { from: None, .. }) => plan.constant,
            _ => None,
        };
        let constant = self.axes.iter().zip(runs).rev().find_map(beyond);
        constant.unwrap_or(Scalar::Bool(false))
    }

    /// The next combination of runs in C order, if there is one.
    fn advance(&self, runs: &mut [usize]) -> bool {
        for (run, plan) in runs.iter_mut().zip(&self.axes).rev() {
            *run += 1;
            if *run < plan.runs.len() {
                return true;
            }
            *run = 0;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn margin(depth: usize, boundary: Boundary<Scalar>) -> AxisMargin {
        AxisMargin { before: depth, after: depth, boundary }
    }

    #[test]
    fn constants_and_the_nearest_element_are_one_run_however_deep() {
        for boundary in [Boundary::Constant(Scalar::I32(0)), Boundary::Nearest] {
            let runs = runs(&margin(1 << 50, boundary), &(-(1 << 50)..1 << 51), 10);
            assert_eq!(runs.len(), 3, "{boundary:?}");
            assert_eq!(runs[2].at.end, 3 << 50);
        }
    }

    /// What pads `range` of `0..n`.
    fn padded(margin: AxisMargin, range: Range<usize>, n: i32) -> (Vec<i32>, usize) {
        let block = Region::new(&[range.start], &[range.len()]);
        let padding = Padding::new(&[margin], &block, &[n as usize]);
        let whole = Chunk::from_array(ndarray::Array1::from_iter(0..n).into_dyn());
        let pieces: Vec<Chunk> = padding.regions().iter().map(|region| whole.part(region)).collect();
        let filled = padding.fill(&pieces).unwrap();
        (filled.to_array::<i32>().unwrap().into_raw_vec_and_offset().0, pieces.len())
    }

    #[test]
    fn margins_follow_the_patterns_of_the_table() {
        let at = |depth, boundary| padded(margin(depth, boundary), 0..4, 4).0;
        assert_eq!(at(2, Boundary::Reflect), [2, 1, 0, 1, 2, 3, 2, 1]);
        assert_eq!(at(2, Boundary::Symmetric), [1, 0, 0, 1, 2, 3, 3, 2]);
        assert_eq!(at(2, Boundary::Periodic), [2, 3, 0, 1, 2, 3, 0, 1]);
        assert_eq!(at(2, Boundary::Nearest), [0, 0, 0, 1, 2, 3, 3, 3]);
        assert_eq!(at(2, Boundary::Constant(Scalar::I32(9))), [9, 9, 0, 1, 2, 3, 9, 9]);
        assert_eq!(at(2, Boundary::None), [0, 1, 2, 3]);
    }

    #[test]
    fn margins_deeper_than_the_axis_go_on() {
        let at = |boundary, n| padded(margin(5, boundary), 0..1, n).0;
        assert_eq!(at(Boundary::Reflect, 3), [1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1]);
        assert_eq!(at(Boundary::Symmetric, 2), [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
        assert_eq!(at(Boundary::Periodic, 3), [1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(at(Boundary::Reflect, 1), [0; 11]);
    }

    #[test]
    fn blocks_need_one_region_but_where_an_axis_closes() {
        assert_eq!(padded(margin(3, Boundary::Periodic), 8..10, 10), (vec![5, 6, 7, 8, 9, 0, 1, 2], 2));
        assert_eq!(padded(margin(3, Boundary::Symmetric), 8..10, 10), (vec![5, 6, 7, 8, 9, 9, 8, 7], 1));
        assert_eq!(padded(margin(1, Boundary::Periodic), 4..6, 10), (vec![3, 4, 5, 6], 1));
        assert_eq!(padded(margin(2, Boundary::None), 0..2, 10), (vec![0, 1, 2, 3], 1));
    }

    #[test]
    fn corners_take_the_constant_of_the_last_axis() {
        let one = |value| AxisMargin { before: 1, after: 0, boundary: Boundary::Constant(Scalar::U8(value)) };
        let padding = Padding::new(&[one(1), one(2)], &Region::whole(&[1, 1]), &[1, 1]);
        let filled = padding.fill(&[Chunk::filled(Scalar::U8(7), &[1, 1])]).unwrap();
        assert_eq!(filled.to_array::<u8>().unwrap(), ndarray::arr2(&[[2, 1], [2, 7]]).into_dyn());
    }
}
