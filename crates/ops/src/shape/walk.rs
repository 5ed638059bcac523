//! How one axis of a result runs along an axis of the input, and how it is cut.
//!
//! A walk is a map from places of the result to places of the input. The image of a block is one run of the input, or
//! two where a wrapped block goes over the seam, and no longer than the block.

use std::ops::Range;
use std::sync::Arc;

use chunkwise_chunk::{AxisChunks, ChunkError, Scalar};
use smallvec::{SmallVec, smallvec};

/// A single block may grow to this many elements: a small array that is repeated a million times must not become a
/// million blocks.
const GROWN_BLOCK: usize = 1 << 16;

/// Padding of up to this part of a block is part of the block beside it.
const SLIVER: usize = 4;

/// Blocks of unequal lengths that are listed one by one.
const MOST_LISTED: usize = 1 << 26;

/// How one axis of a result runs along an axis of the input.
///
/// ```
/// use chunkwise_ops::shape::{Beyond, Walk};
/// let walk = Walk::Extend { before: 2, after: 1, beyond: Beyond::Reflect };
/// assert_eq!(walk.len(3).unwrap(), 6);
/// let at: Vec<_> = (0..6).map(|i| walk.at(i, 3).unwrap()).collect();
/// assert_eq!(at, [2, 1, 0, 1, 2, 1]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Walk {
    /// As it is.
    Along,
    /// With elements before the first one and after the last one.
    Extend {
        /// How many come before.
        before: usize,
        /// How many come after.
        after: usize,
        /// Which they are.
        beyond: Beyond,
    },
    /// Each element so many times.
    Repeat(usize),
    /// Each element as often as is listed for it.
    Repeats(Counts),
}

/// What lies beyond the ends of an axis.
///
/// ```
/// use chunkwise_ops::shape::Beyond;
/// assert_ne!(Beyond::Reflect, Beyond::Symmetric);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Beyond {
    /// One value before the first element, one after the last.
    Fill(Scalar, Scalar),
    /// The element at the end.
    Edge,
    /// The elements in reverse order, without the one at the end: `.. c b | a b c | b a ..`.
    Reflect,
    /// The elements in reverse order: `.. b a | a b c | c b ..`.
    Symmetric,
    /// The elements from the other end: `.. b c | a b c | a b ..`.
    Wrap,
}

/// How often each element of an axis is repeated.
///
/// ```
/// use chunkwise_ops::shape::{Counts, Walk};
/// let walk = Walk::Repeats(Counts::new(&[2, 0, 1]).unwrap());
/// assert_eq!((0..3).map(|i| walk.at(i, 3).unwrap()).collect::<Vec<_>>(), [0, 0, 2]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Counts {
    /// Where the repetitions of each element end.
    ends: Arc<[usize]>,
}

impl Counts {
    /// The counts in order.
    ///
    /// # Errors
    /// When they do not add up to a length.
    pub fn new(counts: &[usize]) -> Result<Counts, ChunkError> {
        let mut end = 0usize;
        let sum = |&count: &usize| {
            end = end.checked_add(count)?;
            Some(end)
        };
        let ends: Option<Vec<usize>> = counts.iter().map(sum).collect();
        ends.map(|ends| Counts { ends: ends.into() }).ok_or(ChunkError::TooLarge(vec![usize::MAX]))
    }

    /// Number of elements that have a count.
    pub fn elements(&self) -> usize {
        self.ends.len()
    }

    /// How often an element is repeated.
    pub fn of(&self, element: usize) -> usize {
        self.ends[element] - if element == 0 { 0 } else { self.ends[element - 1] }
    }

    /// Sum of all counts.
    pub fn total(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn at(&self, place: usize) -> usize {
        self.ends.partition_point(|&end| end <= place)
    }

    /// Blocks that take at most `most` elements and have at most as many.
    fn cut(&self, most: usize) -> Vec<usize> {
        let (mut sizes, mut start, mut first) = (Vec::new(), 0, 0);
        for (element, &end) in self.ends.iter().enumerate() {
            let begin = if element == 0 { 0 } else { self.ends[element - 1] };
            if begin > start && (end - start > most || element - first >= most) {
                sizes.push(begin - start);
                (start, first) = (begin, element);
            }
            while end - start > most {
                sizes.push(most);
                start += most;
            }
        }
        if self.total() > start || sizes.is_empty() {
            sizes.push(self.total() - start);
        }
        sizes
    }
}

impl Walk {
    /// Length of the axis; `None` when it cannot be counted, or there is nothing to fill it with.
    pub fn len(&self, n: usize) -> Option<usize> {
        match self {
            Walk::Along => Some(n),
            Walk::Extend { before: 0, after: 0, .. } => Some(n),
            Walk::Extend { beyond, .. } if n == 0 && !matches!(beyond, Beyond::Fill(..)) => None,
            Walk::Extend { before, after, .. } => n.checked_add(*before)?.checked_add(*after),
            Walk::Repeat(count) => n.checked_mul(*count),
            Walk::Repeats(counts) => (counts.elements() == n).then(|| counts.total()),
        }
    }

    /// The place of the input of `n` elements that is seen at place `i`; `None` for filling.
    pub fn at(&self, i: usize, n: usize) -> Option<usize> {
        match self {
            Walk::Along => Some(i),
            Walk::Extend { before, beyond, .. } => match i.checked_sub(*before) {
                Some(inside) if inside < n => Some(inside),
                _ => beyond.at(i, *before, n),
            },
            Walk::Repeat(count) => Some(i / count),
            Walk::Repeats(counts) => Some(counts.at(i)),
        }
    }

    /// The runs of the input that a part of the result sees, in order and apart from each other.
    pub fn runs(&self, part: Range<usize>, n: usize) -> SmallVec<[Range<usize>; 2]> {
        let run = match self {
            Walk::Along => part,
            Walk::Extend { before, beyond, .. } => {
                let inside = part.start.saturating_sub(*before)..part.end.saturating_sub(*before).min(n);
                match beyond {
                    _ if part.start >= *before && part.end <= before.saturating_add(n) => inside,
                    Beyond::Fill(..) if inside.is_empty() => return SmallVec::new(),
                    Beyond::Fill(..) => inside,
                    Beyond::Edge => inside.start.min(n - 1)..inside.end.max(1),
                    Beyond::Reflect => mirrored(part, *before, n, (2 * n - 2).max(1)),
                    Beyond::Symmetric => mirrored(part, *before, n, 2 * n),
                    Beyond::Wrap => return wrapped(part, *before, n),
                }
            }
            Walk::Repeat(count) => part.start / count..(part.end - 1) / count + 1,
            Walk::Repeats(counts) => counts.at(part.start)..counts.at(part.end - 1) + 1,
        };
        smallvec![run]
    }

    /// How the axis is cut, where a block of the input has at most `elements` elements, whose number is changed to those
    /// of a block of the result.
    ///
    /// # Errors
    /// When there would be more blocks than can be listed.
    pub(super) fn cut(&self, source: &AxisChunks, elements: &mut usize) -> Result<AxisChunks, ChunkError> {
        let (n, longest) = (source.len(), source.max_chunk().max(1));
        let Some(len) = self.len(n) else { return Ok(source.clone()) };
        if len == n && matches!(self, Walk::Along | Walk::Extend { .. }) {
            return Ok(source.clone());
        }
        let across = (*elements / longest).max(1);
        let chunk = match source.count() {
            1 => (GROWN_BLOCK / across).clamp(longest, len.max(longest)),
            _ => longest,
        };
        let cut = match self {
            Walk::Extend { before, after, .. } => extended(source, *before, *after, chunk)?,
            Walk::Repeat(count) if *count <= chunk => {
                AxisChunks::regular(len, chunk.div_ceil(*(count.max(&1))) * count)
            }
            Walk::Repeats(counts) => AxisChunks::explicit(len, &counts.cut(chunk))?,
            Walk::Along | Walk::Repeat(_) => AxisChunks::regular(len, chunk),
        };
        *elements = across.saturating_mul(cut.max_chunk());
        Ok(cut)
    }
}

impl Beyond {
    fn at(self, i: usize, before: usize, n: usize) -> Option<usize> {
        Some(match self {
            Beyond::Fill(..) => return None,
            Beyond::Edge => i.saturating_sub(before).min(n - 1),
            Beyond::Reflect => folded(i, before, n, (2 * n - 2).max(1)),
            Beyond::Symmetric => folded(i, before, n, 2 * n),
            Beyond::Wrap => phase(i, before, n),
        })
    }
}

/// Where a place lies in a period that starts at `before`.
fn phase(i: usize, before: usize, period: usize) -> usize {
    match i.checked_sub(before) {
        Some(inside) => inside % period,
        None => (period - (before - i) % period) % period,
    }
}

/// The element at a place of an axis that goes forth and back in each period.
fn folded(i: usize, before: usize, n: usize, period: usize) -> usize {
    let phase = phase(i, before, period);
    // The way back is `n - 1, .., 0` where both ends are seen twice, and `n - 2, .., 1` where they are not.
    let back = if period == 2 * n { 2 * n - 1 } else { period };
    if phase < n { phase } else { back - phase }
}

/// The run that a part of an axis sees that goes forth and back in each period.
fn mirrored(part: Range<usize>, before: usize, n: usize, period: usize) -> Range<usize> {
    let (first, last) = (folded(part.start, before, n, period), folded(part.end - 1, before, n, period));
    let start = phase(part.start, before, period);
    let sees = |turn: usize| (start..start.saturating_add(part.len())).contains(&turn);
    let low = if start == 0 || sees(period) { 0 } else { first.min(last) };
    let high = if sees(n - 1) || sees(period + n - 1) { n - 1 } else { first.max(last) };
    low..high + 1
}

/// The runs that a part of an axis sees that begins again and again.
fn wrapped(part: Range<usize>, before: usize, n: usize) -> SmallVec<[Range<usize>; 2]> {
    let start = phase(part.start, before, n);
    match start + part.len().min(n) {
        _ if part.len() >= n => smallvec![0..n],
        end if end <= n => smallvec![start..end],
        end => smallvec![0..end - n, start..n],
    }
}

/// The blocks of an axis with those before and after; narrow ones are part of the block beside them.
fn extended(
    source: &AxisChunks,
    before: usize,
    after: usize,
    chunk: usize,
) -> Result<AxisChunks, ChunkError> {
    let blocks = (before / chunk).saturating_add(after / chunk).saturating_add(source.count());
    if blocks > MOST_LISTED {
        return Err(ChunkError::TooManyBlocks { blocks });
    }
    let len = source.len() + before + after;
    if source.count() == 1 && len <= chunk {
        return Ok(AxisChunks::whole(len));
    }
    let mut sizes: Vec<usize> = source.sizes().filter(|&size| size > 0).collect();
    let is_sliver = |width: usize| width.saturating_mul(SLIVER) <= chunk;
    let beyond = |width: usize| AxisChunks::regular(width, chunk);
    if let (true, Some(last)) = (is_sliver(after), sizes.last_mut()) {
        *last += after;
    } else {
        sizes.extend(beyond(after).sizes());
    }
    if let (true, Some(first)) = (is_sliver(before), sizes.first_mut()) {
        *first += before;
    } else {
        sizes.splice(0..0, beyond(before).sizes().collect::<Vec<_>>().into_iter().rev());
    }
    sizes.retain(|&size| size > 0);
    if sizes.is_empty() { Ok(AxisChunks::whole(len)) } else { AxisChunks::explicit(len, &sizes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extend(before: usize, after: usize, beyond: Beyond) -> Walk {
        Walk::Extend { before, after, beyond }
    }

    fn seen(walk: &Walk, n: usize) -> Vec<Option<usize>> {
        (0..walk.len(n).unwrap()).map(|i| walk.at(i, n)).collect()
    }

    #[test]
    fn runs_hold_just_what_a_part_sees() {
        let fill = Beyond::Fill(Scalar::I8(0), Scalar::I8(1));
        let mut walks = vec![Walk::Along, Walk::Repeat(3), Walk::Repeat(1)];
        for beyond in [fill, Beyond::Edge, Beyond::Reflect, Beyond::Symmetric, Beyond::Wrap] {
            walks.extend([(0, 3), (2, 0), (1, 1), (11, 13)].map(|(b, a)| extend(b, a, beyond)));
        }
        for n in 1..6 {
            walks.push(Walk::Repeats(Counts::new(&[2, 0, 0, 1, 3][..n]).unwrap()));
            for walk in walks.iter().filter(|walk| walk.len(n).is_some()) {
                let len = walk.len(n).unwrap();
                for start in 0..len {
                    for end in start + 1..=len {
                        let mut want: Vec<usize> = (start..end).filter_map(|i| walk.at(i, n)).collect();
                        want.sort_unstable();
                        want.dedup();
                        let got: Vec<usize> = walk.runs(start..end, n).into_iter().flatten().collect();
                        let skipped = matches!(walk, Walk::Repeats(_));
                        assert!(
                            got == want || (skipped && want.iter().all(|i| got.contains(i))),
                            "{walk:?} of {n}, {start}..{end}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn mirrors_turn_at_the_ends() {
        let at = |beyond| seen(&extend(3, 4, beyond), 3).into_iter().map(Option::unwrap).collect::<Vec<_>>();
        assert_eq!(at(Beyond::Reflect), [1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
        assert_eq!(at(Beyond::Symmetric), [2, 1, 0, 0, 1, 2, 2, 1, 0, 0]);
        assert_eq!(at(Beyond::Wrap), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
        assert_eq!(seen(&extend(1, 2, Beyond::Reflect), 1), [Some(0); 4]);
        assert_eq!(extend(1, 0, Beyond::Edge).len(0), None);
    }

    fn cut(walk: &Walk, source: &AxisChunks) -> Vec<usize> {
        walk.cut(source, &mut source.max_chunk()).unwrap().sizes().collect()
    }

    #[test]
    fn narrow_padding_makes_no_blocks_of_its_own() {
        let source = AxisChunks::regular(100_000, 40_000);
        assert_eq!(cut(&extend(1, 10_000, Beyond::Edge), &source), [40_001, 40_000, 30_000]);
        assert_eq!(cut(&extend(50_000, 0, Beyond::Edge), &source), [10_000, 40_000, 40_000, 40_000, 20_000]);
    }

    #[test]
    fn one_small_block_grows_and_several_do_not() {
        assert_eq!(cut(&Walk::Repeat(4), &AxisChunks::whole(3)), [12]);
        assert_eq!(cut(&Walk::Repeat(4), &AxisChunks::regular(3, 1)), [1; 12]);
        assert_eq!(cut(&Walk::Repeat(2), &AxisChunks::regular(8, 4)), [4; 4]);
        let blocks = cut(&extend(0, 3_000_000, Beyond::Wrap), &AxisChunks::whole(3));
        assert!(blocks.len() < 50 && blocks.iter().all(|&size| size <= GROWN_BLOCK), "{blocks:?}");
    }

    #[test]
    fn counted_blocks_take_and_have_few_elements() {
        let counts = Counts::new(&[0, 0, 9, 0, 0, 0, 0, 1, 1, 1, 0]).unwrap();
        let walk = Walk::Repeats(counts.clone());
        let sizes = counts.cut(3);
        assert_eq!(sizes.iter().sum::<usize>(), 12);
        let mut start = 0;
        for size in sizes {
            let taken: usize = walk.runs(start..start + size, 11).iter().map(|run| run.len()).sum();
            assert!(size <= 3 && taken <= 3, "{size} of {taken} from {start}");
            start += size;
        }
        assert_eq!(Counts::new(&[]).unwrap().cut(3), [0]);
    }
}
