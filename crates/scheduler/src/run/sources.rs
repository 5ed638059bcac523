//! Handing out the tasks without inputs.
//!
//! It owns the shared cursor over them and the private stretches that threads take from it. A stretch is one word,
//! so a thief can take half of it: no task hides behind a long one.

use crossbeam_utils::CachePadded;

use crate::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Relaxed, Release},
};

/// Most positions taken from the cursor at once.
const MOST_AT_ONCE: u32 = 64;

/// Positions `start..end` in the list of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    fn pack(self) -> u64 {
        u64::from(self.start) << 32 | u64::from(self.end)
    }

    fn unpack(word: u64) -> Self {
        Self { start: (word >> 32) as u32, end: word as u32 }
    }

    fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// The next source that nobody has taken.
pub(crate) struct Cursor(CachePadded<AtomicU32>);

impl Cursor {
    pub(crate) fn new() -> Self {
        Self(CachePadded::new(AtomicU32::new(0)))
    }

    pub(crate) fn position(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// Takes the next positions below `end`: few when few are left, so that the threads end together.
    pub(crate) fn claim(&self, end: u32, threads: u32) -> Option<Span> {
        let mut start = self.position();
        while start < end {
            let len = ((end - start) / (4 * threads)).clamp(1, MOST_AT_ONCE);
            // Relaxed: positions carry no data.
            match self.0.compare_exchange_weak(start, start + len, Relaxed, Relaxed) {
                Ok(_) => return Some(Span { start, end: start + len }),
                Err(now) => start = now,
            }
        }
        None
    }
}

/// The stretch of sources that one thread works through and others may halve.
///
/// The word is the whole state, so a compare-and-swap that succeeds on an old value is right all the same.
pub(crate) struct Stretch(AtomicU64);

impl Stretch {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn is_empty(&self) -> bool {
        Span::unpack(self.0.load(Relaxed)).is_empty()
    }

    /// Fills the owner's empty stretch.
    pub(crate) fn fill(&self, span: Span) {
        debug_assert!(self.is_empty());
        self.0.store(span.pack(), Release);
    }

    /// The owner takes the first position.
    #[inline]
    pub(crate) fn pop(&self) -> Option<u32> {
        self.take(|span| (Span { start: span.start + 1, ..span }, Span { end: span.start + 1, ..span }))
            .map(|taken| taken.start)
    }

    /// A thief takes the second half, the last position at least.
    pub(crate) fn steal(&self) -> Option<Span> {
        self.take(|span| {
            let middle = span.start + (span.end - span.start) / 2;
            (Span { end: middle, ..span }, Span { start: middle, ..span })
        })
    }

    /// Splits what is there into (kept, taken).
    #[inline]
    fn take(&self, split: impl Fn(Span) -> (Span, Span)) -> Option<Span> {
        let mut word = self.0.load(Relaxed);
        loop {
            let span = Span::unpack(word);
            if span.is_empty() {
                return None;
            }
            let (kept, taken) = split(span);
            match self.0.compare_exchange_weak(word, kept.pack(), AcqRel, Relaxed) {
                Ok(_) => return Some(taken),
                Err(now) => word = now,
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn claims_cover_every_position_once_and_shrink_towards_the_end() {
        let cursor = Cursor::new();
        let mut next = 0;
        let mut last_len = u32::MAX;
        while let Some(span) = cursor.claim(1000, 2) {
            assert_eq!(span.start, next);
            assert!(span.end - span.start <= last_len);
            last_len = span.end - span.start;
            next = span.end;
        }
        assert_eq!((next, last_len), (1000, 1));
    }

    #[test]
    fn a_thief_takes_the_second_half_and_the_last_one() {
        let stretch = Stretch::new();
        stretch.fill(Span { start: 4, end: 7 });
        assert_eq!(stretch.steal(), Some(Span { start: 5, end: 7 }));
        assert_eq!(stretch.steal(), Some(Span { start: 4, end: 5 }));
        assert_eq!(stretch.steal(), None);
        assert_eq!(stretch.pop(), None);
    }
}
