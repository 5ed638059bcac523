//! What lies in a deque: a ready task, or edges to tasks that are to be released.
//!
//! It owns the packing into one word. A task with very many users does not release them one by one while the other
//! threads wait: it leaves the edges in its deque, where they are halved and stolen like tasks.

use std::ops::Range;

/// Most edges that one thread releases at once.
pub(super) const FEW_EDGES: u32 = 256;

const EDGES: u64 = 1 << 63;

/// A word in a deque.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(u64);

/// What a word stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Find {
    /// A task to run.
    Task(u32),
    /// Positions in the list of all users, whose inputs have come one closer.
    Edges(Range<u32>),
}

impl Entry {
    pub(super) fn task(task: u32) -> Self {
        Self(u64::from(task))
    }

    /// Edges `start..end`; there are at most `u32::MAX / 2` of them.
    pub(super) fn edges(edges: Range<u32>) -> Self {
        let len = edges.end - edges.start;
        debug_assert!(len < 1 << 31);
        Self(EDGES | u64::from(len) << 32 | u64::from(edges.start))
    }

    pub(super) fn unpack(self) -> Find {
        let low = self.0 as u32;
        if self.0 & EDGES == 0 {
            return Find::Task(low);
        }
        let len = (self.0 >> 32) as u32 & (u32::MAX >> 1);
        Find::Edges(low..low + len)
    }
}

/// Cuts off the second half of edges that are too many for one, again and again.
pub(super) fn halve(mut edges: Range<u32>, mut rest: impl FnMut(Range<u32>)) -> Range<u32> {
    while edges.end - edges.start > FEW_EDGES {
        let middle = edges.start + (edges.end - edges.start) / 2;
        rest(middle..edges.end);
        edges.end = middle;
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        assert_eq!(Entry::task(u32::MAX - 1).unpack(), Find::Task(u32::MAX - 1));
        assert_eq!(Entry::edges(7..7).unpack(), Find::Edges(7..7));
        let most = 5..5 + (u32::MAX >> 1);
        assert_eq!(Entry::edges(most.clone()).unpack(), Find::Edges(most));
    }

    #[test]
    fn halves_cover_all_edges_once() {
        let mut covered = 0;
        let mut rests = Vec::new();
        let first = halve(10..10_010, |rest| rests.push(rest));
        for edges in rests.into_iter().chain([first.clone()]) {
            covered += edges.end - edges.start;
        }
        assert_eq!((covered, first.start), (10_000, 10));
        assert!(first.end - first.start <= FEW_EDGES);
    }
}
