//! Memory of blocks that nobody needs any more, for the blocks of later tasks of the same run.
//!
//! Memory fresh from the system is mapped page by page as it is first written, which costs more than most kernels
//! (filling 80 MB: 18 ms fresh, 1.6 ms again). A run works on a few blocks at a time and frees as many as it makes,
//! so it recycles: the task that uses a block last gives its memory back here, and the next one takes it.
//!
//! What lies idle is memory that the plan does not know of. It is therefore bounded by what the plan has set aside
//! ([`allow`](Recycler::allow)), nothing until then, and goes back to the system when the run ends.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chunkwise_chunk::{Chunk, DType, Room};

/// Most bytes that a run keeps idle.
pub(crate) const MOST_IDLE: u64 = 256 << 20;

/// Smaller blocks are left to the allocator, which recycles them itself.
const LEAST_BYTES: usize = 64 << 10;

/// Idle memory of one run.
#[derive(Debug, Default)]
pub(crate) struct Recycler {
    /// Most bytes that may lie idle.
    most: AtomicU64,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    /// In the order they came.
    rooms: Vec<Room>,
    bytes: u64,
}

impl Idle {
    fn remove(&mut self, at: usize) -> Room {
        let room = self.rooms.remove(at);
        self.bytes -= room.nbytes() as u64;
        room
    }
}

impl Recycler {
    /// Lets this many bytes lie idle.
    pub(crate) fn allow(&self, bytes: u64) {
        // Relaxed: nothing else is read after it.
        self.most.store(bytes, Ordering::Relaxed);
    }

    /// Room for `len` elements: idle memory of just that size, for the task that takes it is charged for no more; or none
    /// yet. Blocks of a grid are of few sizes.
    pub(crate) fn take(&self, dtype: DType, len: usize) -> Room {
        let bytes = len.saturating_mul(dtype.itemsize());
        if bytes < LEAST_BYTES {
            return Room::new(dtype);
        }
        let mut idle = self.lock();
        match idle.rooms.iter().rposition(|room| room.dtype() == dtype && room.nbytes() == bytes) {
            Some(at) => idle.remove(at),
            None => Room::new(dtype),
        }
    }

    /// Takes the memory of a block, if nobody else shares it. Where there is too much already, the memory that has lain
    /// idle longest goes back to the system.
    pub(crate) fn give(&self, chunk: Chunk) {
        let most = self.most.load(Ordering::Relaxed);
        if chunk.nbytes() < LEAST_BYTES {
            return;
        }
        let Some(room) = chunk.into_room().filter(|room| room.nbytes() as u64 <= most) else { return };
        let mut idle = self.lock();
        while idle.bytes + room.nbytes() as u64 > most {
            drop(idle.remove(0));
        }
        idle.bytes += room.nbytes() as u64;
        idle.rooms.push(room);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        // Nothing panics while the lock is held.
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(len: usize) -> Chunk {
        Chunk::zeros(DType::F64, &[len])
    }

    #[test]
    fn memory_comes_back_for_blocks_of_its_size_and_type() {
        let recycler = Recycler::default();
        recycler.allow(1 << 20);
        recycler.give(block(20_000));
        assert_eq!(recycler.take(DType::I64, 20_000).nbytes(), 0);
        assert_eq!(recycler.take(DType::F64, 19_999).nbytes(), 0);
        assert_eq!(recycler.take(DType::F64, 20_001).nbytes(), 0);
        assert_eq!(recycler.take(DType::F64, 20_000).nbytes(), 160_000);
        assert_eq!(recycler.take(DType::F64, 20_000).nbytes(), 0);
    }

    #[test]
    fn no_more_lies_idle_than_is_allowed() {
        let recycler = Recycler::default();
        recycler.give(block(20_000));
        assert_eq!(recycler.take(DType::F64, 20_000).nbytes(), 0);
        recycler.allow(200_000);
        recycler.give(block(20_000));
        recycler.give(block(20_000));
        assert_eq!(recycler.take(DType::F64, 20_000).nbytes(), 160_000);
        assert_eq!(recycler.take(DType::F64, 20_000).nbytes(), 0);
    }

    #[test]
    fn what_has_lain_idle_longest_makes_room() {
        let recycler = Recycler::default();
        recycler.allow(400_000);
        recycler.give(block(20_000));
        recycler.give(block(10_000));
        recycler.give(block(25_000));
        assert_eq!(recycler.take(DType::F64, 20_000).nbytes(), 0);
        assert_eq!(recycler.take(DType::F64, 10_000).nbytes(), 80_000);
        assert_eq!(recycler.take(DType::F64, 25_000).nbytes(), 200_000);
        recycler.give(block(1_000_000));
        assert_eq!(recycler.take(DType::F64, 1_000_000).nbytes(), 0);
    }

    #[test]
    fn shared_blocks_are_left_alone() {
        let recycler = Recycler::default();
        recycler.allow(1 << 20);
        let shared = block(20_000);
        recycler.give(shared.clone());
        assert_eq!(recycler.take(DType::F64, 20_000).nbytes(), 0);
        recycler.give(shared);
        assert_eq!(recycler.take(DType::F64, 20_000).nbytes(), 160_000);
    }
}
