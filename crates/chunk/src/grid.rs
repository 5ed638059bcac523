//! How an array is cut into blocks: per axis a list of lengths, O(1) when they are equal.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::{ChunkError, Region, Shape};

/// Which block of a grid, one number per axis.
pub type BlockIndex = SmallVec<[usize; 6]>;

/// The blocks along one axis.
///
/// Blocks of length 0 are legal, as in `[0, 3, 0, 2]`; an axis of length 0 has one block of length 0.
///
/// ```
/// use chunkwise_chunk::AxisChunks;
/// let axis = AxisChunks::regular(10, 4);
/// assert_eq!(axis.count(), 3);
/// assert_eq!(axis.range(2), 8..10);
/// assert_eq!(axis.block_of(7), 1);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AxisChunks(Cut);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Cut {
    /// A first block of `first` elements, then blocks of `chunk`, the last one what is left; `first <= chunk`.
    /// A single block has `first == chunk == len` (1 for an axis of length 0).
    Regular { len: usize, first: usize, chunk: usize },
    /// Block `i` is `bounds[i]..bounds[i + 1]`.
    Explicit(Arc<[usize]>),
}

impl AxisChunks {
    /// Blocks of `chunk` elements; the last one may be shorter. A `chunk` of 0 counts as 1.
    pub fn regular(len: usize, chunk: usize) -> AxisChunks {
        let chunk = chunk.clamp(1, len.max(1));
        AxisChunks(Cut::Regular { len, first: chunk, chunk })
    }

    /// Blocks of `chunk` elements but for a first one of `first`, and the last one: what a slice of regular blocks has.
    fn offset_regular(len: usize, first: usize, chunk: usize) -> AxisChunks {
        match (first.min(len), chunk) {
            (first, _) if first == len => AxisChunks::whole(len),
            (first, chunk) if len - first <= chunk => {
                // Two blocks: `chunk` is the longer one, so that equal cuts are equal values.
                AxisChunks(Cut::Regular { len, first, chunk: first.max(len - first) })
            }
            (first, chunk) => AxisChunks(Cut::Regular { len, first, chunk }),
        }
    }

    /// One block for the whole axis.
    pub fn whole(len: usize) -> AxisChunks {
        AxisChunks::regular(len, len)
    }

    /// Blocks of the given lengths.
    ///
    /// # Errors
    /// When the list is empty or does not add up to `len`.
    pub fn explicit(len: usize, sizes: &[usize]) -> Result<AxisChunks, ChunkError> {
        if sizes.is_empty() {
            return Err(ChunkError::ZeroChunk);
        }
        let sum = sizes.iter().fold(0usize, |a, &b| a.saturating_add(b));
        if sum != len {
            return Err(ChunkError::ChunkSum { sizes: sizes.iter().take(16).copied().collect(), sum, len });
        }
        Ok(AxisChunks::from_sizes(sizes))
    }

    /// Blocks of the given lengths, whatever they add up to; equal lengths are stored in O(1).
    fn from_sizes(sizes: &[usize]) -> AxisChunks {
        let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
        let chunk = if sizes.len() > 2 { sizes[1] } else { first.max(last) };
        let equal = sizes[1..sizes.len().max(2) - 1].iter().all(|&size| size == chunk);
        if sizes.len() == 1 || (equal && first >= 1 && first <= chunk && (1..=chunk).contains(&last)) {
            return AxisChunks::offset_regular(sizes.iter().sum(), first, chunk);
        }
        let mut bounds = Vec::with_capacity(sizes.len() + 1);
        bounds.push(0);
        for size in sizes {
            bounds.push(bounds[bounds.len() - 1] + size);
        }
        AxisChunks(Cut::Explicit(bounds.into()))
    }

    /// Length of the axis.
    pub fn len(&self) -> usize {
        match &self.0 {
            Cut::Regular { len, .. } => *len,
            Cut::Explicit(bounds) => bounds[bounds.len() - 1],
        }
    }

    /// True when the axis has length 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of blocks, at least 1.
    pub fn count(&self) -> usize {
        match &self.0 {
            Cut::Regular { len, first, chunk } => 1 + len.saturating_sub(*first).div_ceil(*chunk),
            Cut::Explicit(bounds) => bounds.len() - 1,
        }
    }

    /// Where block `i` lies on the axis.
    pub fn range(&self, i: usize) -> Range<usize> {
        match &self.0 {
            Cut::Regular { len, first, chunk } => {
                let start = if i == 0 { 0 } else { first + (i - 1) * chunk };
                let end = first.saturating_add(i.saturating_mul(*chunk));
                start.min(*len)..end.min(*len)
            }
            Cut::Explicit(bounds) => bounds[i]..bounds[i + 1],
        }
    }

    /// The block that holds index `position`, which must lie on the axis.
    pub fn block_of(&self, position: usize) -> usize {
        match &self.0 {
            Cut::Regular { first, chunk, .. } => match position.checked_sub(*first) {
                None => 0,
                Some(beyond) => 1 + beyond / chunk,
            },
            Cut::Explicit(bounds) => bounds.partition_point(|&b| b <= position) - 1,
        }
    }

    /// The blocks that hold `range`; none when it is empty.
    pub fn blocks_in(&self, range: Range<usize>) -> Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        self.block_of(range.start)..self.block_of(range.end - 1) + 1
    }

    /// Length of the longest block.
    pub fn max_chunk(&self) -> usize {
        match &self.0 {
            Cut::Regular { chunk, len, .. } => (*chunk).min(*len),
            Cut::Explicit(bounds) => bounds.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0),
        }
    }

    /// The block length, when all blocks but the last have it.
    pub fn regular_chunk(&self) -> Option<usize> {
        match &self.0 {
            Cut::Regular { first, chunk, .. } if first == chunk => Some(*chunk),
            _ => None,
        }
    }

    /// Lengths of the blocks in order.
    pub fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.count()).map(|i| self.range(i).len())
    }

    /// The coarsest cut whose every block lies inside one block of both; lengths must agree. O(1) for regular cuts that
    /// fit into each other, else O(blocks).
    ///
    /// # Errors
    /// When there would be more blocks than can be listed.
    ///
    /// ```
    /// use chunkwise_chunk::AxisChunks;
    /// let fine = AxisChunks::regular(6, 4).refine(&AxisChunks::regular(6, 3)).unwrap();
    /// assert_eq!(fine.sizes().collect::<Vec<_>>(), [3, 1, 2]);
    /// ```
    pub fn refine(&self, other: &AxisChunks) -> Result<AxisChunks, ChunkError> {
        match (&self.0, &other.0) {
            (a, b) if a == b => return Ok(self.clone()),
            _ if self.count() == 1 => return Ok(other.clone()),
            _ if other.count() == 1 => return Ok(self.clone()),
            (Cut::Regular { first: f, chunk: a, .. }, Cut::Regular { first: g, chunk: b, .. })
                if a % b == 0 && f % b == g % b =>
            {
                return Ok(other.clone());
            }
            (Cut::Regular { first: f, chunk: a, .. }, Cut::Regular { first: g, chunk: b, .. })
                if b % a == 0 && g % a == f % a =>
            {
                return Ok(self.clone());
            }
            _ => {}
        }
        check_listable(self.count().saturating_add(other.count()))?;
        Ok(AxisChunks::from_bounds(self.bounds().chain(other.bounds()).collect()))
    }

    /// The cut at these positions; duplicates are dropped, so no block is empty.
    fn from_bounds(mut bounds: Vec<usize>) -> AxisChunks {
        bounds.sort_unstable();
        bounds.dedup();
        let sizes: Vec<usize> = bounds.windows(2).map(|w| w[1] - w[0]).collect();
        if sizes.is_empty() { AxisChunks::whole(0) } else { AxisChunks::from_sizes(&sizes) }
    }

    fn bounds(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(0).chain((0..self.count()).map(|i| self.range(i).end))
    }

    /// The cut of `n` elements taken at `offset`, `offset + step`, ...; blocks that lose all their
    /// elements vanish. O(1) for regular cuts and a step that divides their blocks, else O(blocks).
    ///
    /// # Errors
    /// When there would be more blocks than can be listed.
    ///
    /// ```
    /// use chunkwise_chunk::AxisChunks;
    /// let odd = AxisChunks::regular(10, 4).strided(1, 2, 5).unwrap();
    /// assert_eq!(odd.sizes().collect::<Vec<_>>(), [2, 2, 1]);
    /// ```
    pub fn strided(&self, offset: usize, step: isize, n: usize) -> Result<AxisChunks, ChunkError> {
        if n == 0 || self.count() == 1 {
            return Ok(AxisChunks::whole(n));
        }
        let stride = step.unsigned_abs();
        if let Cut::Regular { chunk, .. } = self.0
            && chunk % stride == 0
        {
            let block = self.range(self.block_of(offset));
            let walked = if step > 0 { block.end - 1 - offset } else { offset - block.start };
            return Ok(AxisChunks::offset_regular(n, walked / stride + 1, chunk / stride));
        }
        check_listable(self.count())?;
        Ok(AxisChunks::from_bounds(self.strided_bounds(offset, step, n)))
    }

    fn strided_bounds(&self, offset: usize, step: isize, n: usize) -> Vec<usize> {
        let stride = step.unsigned_abs();
        let mut bounds = vec![0, n];
        if step > 0 {
            let cuts = self.bounds().filter(|&b| b > offset).map(|b| (b - offset).div_ceil(stride));
            bounds.extend(cuts.filter(|&k| k < n));
        } else {
            // Element k sits at offset - k * stride; it is the first below bound b when k > (offset - b) / stride.
            let cuts = self.bounds().filter(|&b| b <= offset).map(|b| (offset - b) / stride + 1);
            bounds.extend(cuts.filter(|&k| k < n));
        }
        bounds
    }

    /// The cuts of several arrays laid end to end.
    pub fn concat<'a>(parts: impl Iterator<Item = &'a AxisChunks>) -> AxisChunks {
        let sizes: Vec<usize> = parts.flat_map(AxisChunks::sizes).collect();
        if sizes.is_empty() { AxisChunks::whole(0) } else { AxisChunks::from_sizes(&sizes) }
    }
}

/// Blocks of an axis that are listed one by one: some bytes each.
const MOST_LISTED: usize = 1 << 26;

fn check_listable(blocks: usize) -> Result<(), ChunkError> {
    if blocks <= MOST_LISTED { Ok(()) } else { Err(ChunkError::TooManyBlocks { blocks }) }
}

impl fmt::Display for AxisChunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cut::Regular { first, chunk, .. } if first == chunk => write!(f, "{chunk}"),
            _ => {
                let shown: Vec<String> = self.sizes().take(8).map(|s| s.to_string()).collect();
                let more = if self.count() > 8 { ", .." } else { "" };
                write!(f, "[{}{more}]", shown.join(", "))
            }
        }
    }
}

/// How an array is cut into blocks; cheap to clone.
///
/// ```
/// use chunkwise_chunk::ChunkGrid;
/// let grid = ChunkGrid::regular(&[10, 6], &[4, 6]);
/// assert_eq!(grid.num_blocks(), 3);
/// assert_eq!(grid.region(&[2, 0]).to_string(), "[8..10, 0..6]");
/// assert_eq!(grid.to_string(), "(4, 6)");
/// ```
#[derive(Clone, Eq)]
pub struct ChunkGrid(Arc<Grid>);

#[derive(PartialEq, Eq, Hash)]
struct Grid {
    shape: Shape,
    axes: SmallVec<[AxisChunks; 3]>,
}

impl PartialEq for ChunkGrid {
    fn eq(&self, other: &ChunkGrid) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Hash for ChunkGrid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl ChunkGrid {
    /// The product of cuts of each axis.
    pub fn new(axes: impl IntoIterator<Item = AxisChunks>) -> ChunkGrid {
        let axes: SmallVec<[AxisChunks; 3]> = axes.into_iter().collect();
        let shape = axes.iter().map(AxisChunks::len).collect();
        ChunkGrid(Arc::new(Grid { shape, axes }))
    }

    /// Blocks of shape `chunk`, those at the ends shorter.
    ///
    /// # Panics
    /// When the two have different numbers of axes.
    pub fn regular(shape: &[usize], chunk: &[usize]) -> ChunkGrid {
        assert_eq!(shape.len(), chunk.len(), "a regular grid needs one block length for every axis");
        ChunkGrid::new(shape.iter().zip(chunk).map(|(&n, &c)| AxisChunks::regular(n, c)))
    }

    /// One block.
    pub fn whole(shape: &[usize]) -> ChunkGrid {
        ChunkGrid::new(shape.iter().map(|&n| AxisChunks::whole(n)))
    }

    /// Shape of the array.
    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    /// Number of axes.
    pub fn ndim(&self) -> usize {
        self.0.shape.len()
    }

    /// The cut of one axis.
    pub fn axis(&self, axis: usize) -> &AxisChunks {
        &self.0.axes[axis]
    }

    /// The cuts of all axes.
    pub fn axes(&self) -> &[AxisChunks] {
        &self.0.axes
    }

    /// Number of blocks, at least 1; saturates.
    pub fn num_blocks(&self) -> usize {
        self.0.axes.iter().fold(1usize, |n, axis| n.saturating_mul(axis.count()))
    }

    /// Number of blocks along each axis.
    pub fn block_counts(&self) -> BlockIndex {
        self.0.axes.iter().map(AxisChunks::count).collect()
    }

    /// Where a block lies in the array.
    pub fn region(&self, block: &[usize]) -> Region {
        let mut region = Region::whole(self.shape());
        for (axis, &i) in block.iter().enumerate() {
            let range = self.axis(axis).range(i);
            region.set_axis(axis, range.start, range.len());
        }
        region
    }

    /// Number of a block in C order.
    pub fn linear(&self, block: &[usize]) -> usize {
        block.iter().zip(&self.0.axes).fold(0, |n, (&i, axis)| n * axis.count() + i)
    }

    /// The block with this number in C order.
    pub fn block(&self, mut linear: usize) -> BlockIndex {
        let mut block = BlockIndex::from_elem(0, self.ndim());
        for (i, axis) in block.iter_mut().zip(&self.0.axes).rev() {
            *i = linear % axis.count();
            linear /= axis.count();
        }
        block
    }

    /// All blocks in C order.
    pub fn blocks(&self) -> BlockIter {
        BlockIter::new(self.0.axes.iter().map(|axis| 0..axis.count()).collect())
    }

    /// The blocks that hold `region`, in C order; none when it is empty.
    pub fn blocks_in(&self, region: &Region) -> BlockIter {
        let axes = self.0.axes.iter().enumerate();
        BlockIter::new(axes.map(|(a, axis)| axis.blocks_in(region.start()[a]..region.end(a))).collect())
    }

    /// The grid with blocks of more than `most` elements cut into such of about as many, along the outer axes first.
    ///
    /// # Errors
    /// When there would be more blocks than can be listed.
    ///
    /// ```
    /// use chunkwise_chunk::ChunkGrid;
    /// let grid = ChunkGrid::regular(&[1000, 100], &[500, 100]);
    /// assert_eq!(grid.split(10_000).unwrap(), ChunkGrid::regular(&[1000, 100], &[100, 100]));
    /// assert_eq!(grid.split(100_000).unwrap(), grid);
    /// ```
    pub fn split(&self, most: usize) -> Result<ChunkGrid, ChunkError> {
        let mut piece = self.max_chunk();
        let mut elements = piece.iter().fold(1usize, |n, &len| n.saturating_mul(len));
        for len in piece.iter_mut().take_while(|len| **len > 0) {
            if elements <= most {
                break;
            }
            elements /= *len; // of one step along the axis
            *len = (most / elements.max(1)).clamp(1, *len);
            elements = elements.saturating_mul(*len);
        }
        let cuts = self.axes().iter().zip(&piece).map(|(axis, &len)| match len < axis.max_chunk() {
            true => axis.refine(&AxisChunks::regular(axis.len(), len)),
            false => Ok(axis.clone()),
        });
        Ok(ChunkGrid::new(cuts.collect::<Result<Vec<_>, _>>()?))
    }

    /// Shape of the largest block.
    pub fn max_chunk(&self) -> Shape {
        self.0.axes.iter().map(AxisChunks::max_chunk).collect()
    }
}

impl fmt::Display for ChunkGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes: Vec<String> = self.0.axes.iter().map(|a| a.to_string()).collect();
        let comma = if axes.len() == 1 { "," } else { "" };
        write!(f, "({}{comma})", axes.join(", "))
    }
}

impl fmt::Debug for ChunkGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkGrid{self}")
    }
}

/// Blocks of a box of the grid, in C order.
///
/// ```
/// use chunkwise_chunk::ChunkGrid;
/// let blocks: Vec<_> = ChunkGrid::regular(&[4, 4], &[2, 2]).blocks().map(|b| b.to_vec()).collect();
/// assert_eq!(blocks, [[0, 0], [0, 1], [1, 0], [1, 1]]);
/// ```
#[derive(Clone, Debug)]
pub struct BlockIter {
    ranges: SmallVec<[Range<usize>; 6]>,
    next: Option<BlockIndex>,
}

impl BlockIter {
    fn new(ranges: SmallVec<[Range<usize>; 6]>) -> BlockIter {
        let some = ranges.iter().all(|r| !r.is_empty());
        let next = some.then(|| ranges.iter().map(|r| r.start).collect());
        BlockIter { ranges, next }
    }
}

impl Iterator for BlockIter {
    type Item = BlockIndex;

    fn next(&mut self) -> Option<BlockIndex> {
        let block = self.next.take()?;
        let mut following = block.clone();
        for axis in (0..following.len()).rev() {
            following[axis] += 1;
            if following[axis] < self.ranges[axis].end {
                self.next = Some(following);
                return Some(block);
            }
            following[axis] = self.ranges[axis].start;
        }
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(axis: &AxisChunks) -> Vec<usize> {
        axis.sizes().collect()
    }

    #[test]
    fn equal_lists_are_stored_as_regular() {
        assert_eq!(AxisChunks::explicit(10, &[4, 4, 2]).unwrap(), AxisChunks::regular(10, 4));
        assert!(AxisChunks::explicit(10, &[4, 2, 4]).unwrap().regular_chunk().is_none());
    }

    #[test]
    fn zero_length_axis_has_one_empty_block() {
        let axis = AxisChunks::regular(0, 4);
        assert_eq!((axis.count(), axis.range(0)), (1, 0..0));
        assert_eq!(ChunkGrid::whole(&[0, 3]).blocks().count(), 1);
    }

    #[test]
    fn empty_blocks_hold_no_position() {
        let axis = AxisChunks::explicit(5, &[0, 3, 0, 2]).unwrap();
        assert_eq!((0..5).map(|i| axis.block_of(i)).collect::<Vec<_>>(), [1, 1, 1, 3, 3]);
    }

    #[test]
    fn strided_cut_matches_brute_force() {
        for cut in [AxisChunks::regular(12, 4), AxisChunks::explicit(12, &[5, 0, 1, 6]).unwrap()] {
            for step in [-5isize, -4, -2, -1, 1, 2, 3, 4, 7] {
                for offset in 0..12usize {
                    let reach = if step > 0 { 11 - offset } else { offset };
                    let n = reach / step.unsigned_abs() + 1;
                    let mut want: Vec<usize> = Vec::new();
                    let mut last = usize::MAX;
                    for k in 0..n {
                        let block = cut.block_of(offset.wrapping_add_signed(k as isize * step));
                        if block != last {
                            want.push(0);
                            last = block;
                        }
                        *want.last_mut().unwrap() += 1;
                    }
                    assert_eq!(
                        sizes(&cut.strided(offset, step, n).unwrap()),
                        want,
                        "{cut} {offset} {step} {n}"
                    );
                }
            }
        }
    }

    #[test]
    fn linear_and_block_are_inverse() {
        let grid = ChunkGrid::regular(&[5, 7, 3], &[2, 3, 1]);
        for (i, block) in grid.blocks().enumerate() {
            assert_eq!(grid.linear(&block), i);
            assert_eq!(grid.block(i), block);
        }
    }
}
