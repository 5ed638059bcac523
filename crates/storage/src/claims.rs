//! Who writes which block: one bit a block, so that none is written twice and none is missed.
//!
//! States of a block: free, claimed, done. `claim` takes a free block; `complete` makes it done for good; a
//! claim that is dropped (the write failed or panicked) frees the block again.

use chunkwise_chunk::{ChunkGrid, Region, SourceError};

use crate::bounds::check_block;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

const BITS: usize = u64::BITS as usize;

/// Which blocks of a grid are claimed, and how many elements are done.
#[derive(Debug)]
pub(crate) struct Claims {
    grid: ChunkGrid,
    claimed: Box<[AtomicU64]>,
    /// Elements of completed blocks.
    done: AtomicUsize,
}

impl Claims {
    pub(crate) fn new(grid: &ChunkGrid) -> Result<Claims, SourceError> {
        let words = if Region::whole(grid.shape()).is_empty() { 0 } else { grid.num_blocks().div_ceil(BITS) };
        let mut claimed = Vec::new();
        claimed.try_reserve_exact(words).map_err(|_| {
            let blocks = grid.num_blocks();
            SourceError::message(format!("{blocks} blocks are too many to keep track of; use larger chunks"))
        })?;
        claimed.resize_with(words, AtomicU64::default);
        Ok(Claims { grid: grid.clone(), claimed: claimed.into(), done: AtomicUsize::new(0) })
    }

    pub(crate) fn grid(&self) -> &ChunkGrid {
        &self.grid
    }

    /// Takes the block that is `region`. An empty region is always free and holds nothing.
    pub(crate) fn claim(&self, region: &Region) -> Result<Claim<'_>, SourceError> {
        let block = check_block(&self.grid, region)?;
        if region.is_empty() {
            return Ok(Claim { claims: self, linear: None, len: 0 });
        }
        let linear = self.grid.linear(&block);
        // Acquire pairs with the Release in `Claim::drop`: a second try sees what the failed one wrote.
        let before = self.claimed[linear / BITS].fetch_or(bit(linear), Ordering::Acquire);
        if before & bit(linear) != 0 {
            return Err(SourceError::message(format!("block {region} is written twice")));
        }
        Ok(Claim { claims: self, linear: Some(linear), len: region.len() })
    }

    /// Checks that every element was written; afterwards the caller sees all writes, and none can follow.
    pub(crate) fn check_complete(&self) -> Result<(), SourceError> {
        let len = Region::whole(self.grid.shape()).len();
        // Acquire pairs with the Release of every `Claim::complete`: they form one release sequence.
        let done = self.done.load(Ordering::Acquire);
        if done == len {
            return Ok(());
        }
        let first = match self.first_free() {
            Some(region) => format!(", the first of them at {region}"),
            None => String::new(),
        };
        let missing = len - done;
        Err(SourceError::message(format!("{missing} of {len} elements were never written{first}")))
    }

    fn first_free(&self) -> Option<Region> {
        let free = |linear: &usize| {
            self.claimed[linear / BITS].load(Ordering::Relaxed) & bit(*linear) == 0
                && !self.grid.region(&self.grid.block(*linear)).is_empty()
        };
        let linear = (0..self.grid.num_blocks()).find(free)?;
        Some(self.grid.region(&self.grid.block(linear)))
    }
}

/// The right to write one block.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    claims: &'a Claims,
    /// The block, until it is done; `None` for an empty region.
    linear: Option<usize>,
    len: usize,
}

impl Claim<'_> {
    /// True when there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The block is written.
    pub(crate) fn complete(mut self) {
        self.linear = None;
        // Release pairs with the Acquire in `Claims::check_complete`.
        self.claims.done.fetch_add(self.len, Ordering::Release);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(linear) = self.linear {
            // Release pairs with the Acquire in `Claims::claim`.
            self.claims.claimed[linear / BITS].fetch_and(!bit(linear), Ordering::Release);
        }
    }
}

fn bit(linear: usize) -> u64 {
    1 << (linear % BITS)
}

#[cfg(all(test, loom))]
mod model {
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// Claims and the elements they guard; loom checks that no two threads touch one at a time.
    struct Guarded {
        claims: Claims,
        elements: [UnsafeCell<u8>; 2],
    }

    /// Writes a block, and leaves it incomplete the first time when `fails`.
    #[allow(unsafe_code)]
    fn write(guarded: &Guarded, block: usize, fails: bool) -> Result<(), SourceError> {
        let claim = guarded.claims.claim(&Region::new(&[block], &[1]))?;
        // SAFETY: the block is claimed, which is what loom checks here.
        guarded.elements[block].with_mut(|element| unsafe { *element += 1 });
        if !fails {
            claim.complete();
        }
        Ok(())
    }

    fn guarded() -> Arc<Guarded> {
        let claims = Claims::new(&ChunkGrid::regular(&[2], &[1])).unwrap();
        Arc::new(Guarded { claims, elements: [UnsafeCell::new(0), UnsafeCell::new(0)] })
    }

    #[test]
    #[allow(unsafe_code)]
    fn whoever_sees_it_complete_sees_every_element() {
        loom::model(|| {
            let shared = guarded();
            let threads: Vec<_> = (0..2)
                .map(|block| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || write(&shared, block, false).unwrap())
                })
                .collect();
            if shared.claims.check_complete().is_ok() {
                for element in &shared.elements {
                    // SAFETY: every block is complete, which is what loom checks here.
                    assert_eq!(element.with(|element| unsafe { *element }), 1);
                }
            }
            threads.into_iter().for_each(|t| t.join().unwrap());
        });
    }

    #[test]
    fn failed_write_hands_its_block_over() {
        loom::model(|| {
            let shared = guarded();
            let other = Arc::clone(&shared);
            let first = thread::spawn(move || write(&other, 0, true).is_ok());
            let second = write(&shared, 0, false).is_ok();
            assert!(first.join().unwrap() || second);
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use chunkwise_chunk::AxisChunks;

    #[test]
    fn block_is_claimed_once() {
        let grid = ChunkGrid::regular(&[5], &[2]);
        let claims = Claims::new(&grid).unwrap();
        let region = grid.region(&[1]);
        claims.claim(&region).unwrap().complete();
        assert!(claims.claim(&region).unwrap_err().to_string().contains("block [2..4] is written twice"));
    }

    #[test]
    fn failed_write_can_be_tried_again() {
        let claims = Claims::new(&ChunkGrid::whole(&[3])).unwrap();
        let region = Region::whole(&[3]);
        drop(claims.claim(&region).unwrap());
        claims.claim(&region).unwrap().complete();
        claims.check_complete().unwrap();
    }

    #[test]
    fn missing_blocks_are_named() {
        let grid = ChunkGrid::regular(&[5], &[2]);
        let claims = Claims::new(&grid).unwrap();
        claims.claim(&grid.region(&[0])).unwrap().complete();
        let message = claims.check_complete().unwrap_err().to_string();
        assert_eq!(message, "3 of 5 elements were never written, the first of them at [2..4]");
    }

    #[test]
    fn empty_blocks_need_no_write() {
        let grid = ChunkGrid::new([AxisChunks::explicit(2, &[0, 2, 0]).unwrap()]);
        let claims = Claims::new(&grid).unwrap();
        assert!(claims.claim(&grid.region(&[0])).unwrap().is_empty());
        claims.claim(&grid.region(&[1])).unwrap().complete();
        claims.check_complete().unwrap();
        Claims::new(&ChunkGrid::regular(&[0, 1 << 50], &[1, 1])).unwrap().check_complete().unwrap();
    }

    #[test]
    fn scalar_is_one_block() {
        let claims = Claims::new(&ChunkGrid::whole(&[])).unwrap();
        assert!(claims.check_complete().is_err());
        claims.claim(&Region::whole(&[])).unwrap().complete();
        claims.check_complete().unwrap();
    }
}
