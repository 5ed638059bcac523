//! Which bytes of which segment belong to a record.
//!
//! It owns the gaps between records, the count of bytes on disk and the limit. It does no I/O: the caller opens the
//! segments, punches the holes and closes what comes back, all without the lock around this.

use std::collections::{BTreeMap, BTreeSet};

/// Records begin at multiples of this, so that a freed one leaves whole blocks of the file system.
pub(super) const BLOCK: u64 = 4096;

/// The first segment has this many bytes, each further one twice as many as the one before.
pub(super) const FIRST_SEGMENT: u64 = 256 << 20;

/// How often a segment may be twice as large as the one before: up to 16 GiB.
const DOUBLINGS: usize = 6;

/// A long piece of data is not cut into pieces smaller than a segment divided by this.
pub(super) const PIECES: u64 = 256;

/// A range of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// The answer to a wish for space.
#[derive(Debug)]
pub(super) enum Taken<F> {
    /// Here; possibly less than was asked for, then ask again for the rest.
    Place(Place, F),
    /// Open a file, [`add`](Space::add) it and ask again.
    NeedsSegment,
    /// The limit does not allow it.
    Full,
}

/// A free range.
#[derive(Clone, Copy, Debug)]
struct Gap {
    len: u64,
    /// Whether its blocks are still allocated: using it again costs no disk.
    is_dead: bool,
}

/// One file.
#[derive(Debug)]
struct Segment<F> {
    file: F,
    /// Bytes that belong to records.
    live: u64,
    /// Bytes in dead gaps.
    dead: u64,
    /// Free ranges by offset; no two of a kind touch.
    gaps: BTreeMap<u64, Gap>,
}

impl<F> Segment<F> {
    fn on_disk(&self) -> u64 {
        self.live + self.dead
    }
}

/// The segments of a store; `F` is the handle of a file.
#[derive(Debug)]
pub(super) struct Space<F> {
    limit: u64,
    first_segment: u64,
    segments: BTreeMap<u64, Segment<F>>,
    /// All gaps as (length, segment, offset): the smallest that is large enough is the best.
    gaps: BTreeSet<(u64, u64, u64)>,
    next_segment: u64,
    on_disk: u64,
    most_on_disk: u64,
}

impl<F: Clone> Space<F> {
    pub(super) fn new(limit: Option<u64>, first_segment: u64) -> Self {
        Self {
            limit: limit.unwrap_or(u64::MAX),
            first_segment,
            segments: BTreeMap::new(),
            gaps: BTreeSet::new(),
            next_segment: 0,
            on_disk: 0,
            most_on_disk: 0,
        }
    }

    /// Bytes on disk now.
    pub(super) fn on_disk(&self) -> u64 {
        self.on_disk
    }

    /// Most bytes that were ever on disk.
    pub(super) fn most_on_disk(&self) -> u64 {
        self.most_on_disk
    }

    /// Takes a place for `wanted` bytes, a multiple of the block, or for a part of them.
    pub(super) fn take(&mut self, wanted: u64) -> Taken<F> {
        match self.best_gap(wanted) {
            Some((place, is_dead)) if is_dead || self.allows(place.len) => self.carve(place),
            None if self.allows(wanted) => Taken::NeedsSegment,
            _ => self.dead_gap(wanted).map_or(Taken::Full, |place| self.carve(place)),
        }
    }

    /// Adds an empty segment.
    pub(super) fn add(&mut self, file: F) {
        let capacity = self.first_segment << self.segments.len().min(DOUBLINGS);
        let id = self.next_segment;
        self.next_segment += 1;
        let gaps = BTreeMap::from([(0, Gap { len: capacity, is_dead: false })]);
        self.gaps.insert((capacity, id, 0));
        self.segments.insert(id, Segment { file, live: 0, dead: 0, gaps });
    }

    /// If `place` is all that lives in its segment, takes the segment out; its file is to be closed.
    pub(super) fn retire(&mut self, place: Place) -> Option<F> {
        let segment = self.segments.get(&place.segment)?;
        if segment.live != place.len {
            return None;
        }
        let segment = self.segments.remove(&place.segment)?;
        for (offset, gap) in &segment.gaps {
            self.gaps.remove(&(gap.len, place.segment, *offset));
        }
        self.on_disk -= segment.on_disk();
        Some(segment.file)
    }

    /// Frees a place. `is_hole` says whether the file system took it back. The file that comes out is to be closed.
    pub(super) fn free(&mut self, place: Place, is_hole: bool) -> Option<F> {
        if let Some(file) = self.retire(place) {
            return Some(file);
        }
        let segment = self.segments.get_mut(&place.segment).expect("a segment lives as long as its records");
        segment.live -= place.len;
        if is_hole {
            self.on_disk -= place.len;
        } else {
            segment.dead += place.len;
        }
        self.join(place, !is_hole);
        None
    }

    /// Whether so many bytes more may be on disk.
    fn allows(&self, len: u64) -> bool {
        self.on_disk.checked_add(len).is_some_and(|sum| sum <= self.limit)
    }

    /// The smallest gap that holds all, else the largest if it is worth a piece; and whether it is dead.
    fn best_gap(&self, wanted: u64) -> Option<(Place, bool)> {
        let smallest = (self.first_segment / PIECES).min(wanted);
        let gap = self.gaps.range((wanted, 0, 0)..).next().or_else(|| self.gaps.last());
        let &(len, segment, offset) = gap.filter(|gap| gap.0 >= smallest)?;
        Some((Place { segment, offset, len: len.min(wanted) }, self.segments[&segment].gaps[&offset].is_dead))
    }

    /// The largest dead gap.
    fn dead_gap(&self, wanted: u64) -> Option<Place> {
        let mut gaps = self.gaps.iter().rev();
        let &(len, segment, offset) =
            gaps.find(|(_, segment, offset)| self.segments[segment].gaps[offset].is_dead)?;
        Some(Place { segment, offset, len: len.min(wanted) })
    }

    /// Takes `place` from the front of the gap that begins there.
    fn carve(&mut self, place: Place) -> Taken<F> {
        let Place { segment: id, offset, len } = place;
        let segment = self.segments.get_mut(&id).expect("gaps are those of segments");
        let gap = segment.gaps.remove(&offset).expect("both tables list the same gaps");
        self.gaps.remove(&(gap.len, id, offset));
        if gap.len > len {
            segment.gaps.insert(offset + len, Gap { len: gap.len - len, ..gap });
            self.gaps.insert((gap.len - len, id, offset + len));
        }
        segment.live += len;
        if gap.is_dead {
            segment.dead -= len;
        } else {
            self.on_disk += len;
            self.most_on_disk = self.most_on_disk.max(self.on_disk);
        }
        Taken::Place(place, segment.file.clone())
    }

    /// Adds a gap and joins it with neighbours of its kind.
    fn join(&mut self, place: Place, is_dead: bool) {
        let Place { segment: id, mut offset, mut len } = place;
        let gaps = &mut self.segments.get_mut(&id).expect("checked by the caller").gaps;
        if let Some((&left, &gap)) = gaps.range(..offset).next_back()
            && left + gap.len == offset
            && gap.is_dead == is_dead
        {
            gaps.remove(&left);
            self.gaps.remove(&(gap.len, id, left));
            (offset, len) = (left, gap.len + len);
        }
        let right = offset + len;
        if let Some(gap) = gaps.get(&right).copied().filter(|gap| gap.is_dead == is_dead) {
            gaps.remove(&right);
            self.gaps.remove(&(gap.len, id, right));
            len += gap.len;
        }
        gaps.insert(offset, Gap { len, is_dead });
        self.gaps.insert((len, id, offset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(taken: Taken<()>) -> Place {
        let Taken::Place(place, ()) = taken else { panic!("{taken:?}") };
        place
    }

    fn one_segment(limit: Option<u64>) -> Space<()> {
        let mut space = Space::new(limit, 64 * BLOCK);
        space.add(());
        space
    }

    #[test]
    fn an_empty_store_asks_for_a_segment() {
        let mut space = Space::<()>::new(None, 64 * BLOCK);
        assert!(matches!(space.take(BLOCK), Taken::NeedsSegment));
        space.add(());
        assert_eq!(place(space.take(BLOCK)), Place { segment: 0, offset: 0, len: BLOCK });
    }

    #[test]
    fn a_freed_range_is_used_again_by_what_fits_it_best() {
        let mut space = one_segment(None);
        let places: Vec<Place> = [4, 1, 2, 1].iter().map(|n| place(space.take(n * BLOCK))).collect();
        space.free(places[0], true);
        space.free(places[2], true);
        assert_eq!(place(space.take(2 * BLOCK)), places[2]);
        assert_eq!(place(space.take(3 * BLOCK)).offset, 0);
        assert_eq!(space.on_disk(), 7 * BLOCK);
        assert_eq!(space.most_on_disk(), 8 * BLOCK);
    }

    #[test]
    fn neighbouring_gaps_become_one() {
        let mut space = one_segment(None);
        let places: Vec<Place> = (0..4).map(|_| place(space.take(BLOCK))).collect();
        for index in [0, 2, 1] {
            assert_eq!(space.free(places[index], true), None);
        }
        assert_eq!(space.gaps.len(), 2);
        assert_eq!(place(space.take(3 * BLOCK)), Place { segment: 0, offset: 0, len: 3 * BLOCK });
    }

    #[test]
    fn a_segment_without_records_leaves() {
        let mut space = one_segment(None);
        let (first, second) = (place(space.take(BLOCK)), place(space.take(BLOCK)));
        assert_eq!(space.retire(first), None);
        assert_eq!(space.free(first, true), None);
        assert_eq!(space.retire(second), Some(()));
        assert_eq!((space.on_disk(), space.gaps.len(), space.segments.len()), (0, 0, 0));
    }

    #[test]
    fn a_long_wish_is_cut_at_the_end_of_a_segment() {
        let mut space = one_segment(None);
        assert_eq!(place(space.take(100 * BLOCK)).len, 64 * BLOCK);
        assert!(matches!(space.take(36 * BLOCK), Taken::NeedsSegment));
        space.add(());
        assert_eq!(place(space.take(36 * BLOCK)), Place { segment: 1, offset: 0, len: 36 * BLOCK });
    }

    #[test]
    fn segments_grow_up_to_a_bound() {
        let mut space = Space::<()>::new(None, BLOCK);
        (0..9).for_each(|_| space.add(()));
        let sizes: Vec<u64> = space.segments.values().map(|segment| segment.gaps[&0].len / BLOCK).collect();
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn the_limit_counts_what_is_live() {
        let mut space = one_segment(Some(3 * BLOCK));
        let first = place(space.take(2 * BLOCK));
        assert!(matches!(space.take(2 * BLOCK), Taken::Full));
        assert!(matches!(space.take(!(BLOCK - 1)), Taken::Full));
        space.add(());
        place(space.take(BLOCK));
        space.free(first, true);
        place(space.take(2 * BLOCK));
        assert_eq!(space.on_disk(), 3 * BLOCK);
    }

    #[test]
    fn freed_ranges_that_are_no_holes_count_until_they_are_used_again() {
        let mut space = one_segment(Some(4 * BLOCK));
        let places: Vec<Place> = (0..4).map(|_| place(space.take(BLOCK))).collect();
        space.free(places[0], false);
        space.free(places[2], false);
        assert_eq!(space.on_disk(), 4 * BLOCK);
        let parts = [place(space.take(2 * BLOCK)), place(space.take(BLOCK))];
        assert_eq!(parts.map(|part| part.len), [BLOCK, BLOCK]);
        assert!(matches!(space.take(BLOCK), Taken::Full));
        assert_eq!(space.on_disk(), 4 * BLOCK);
    }
}
