//! Results that stay: in memory, or on disk where memory is short.
//!
//! A persisted array is the source of later runs. Its blocks are in memory or in records of the spill store, all of them
//! in one place; [`Registry::spill`] moves the oldest to disk, when a plan does not fit beside them and nothing runs. What is on disk is read block by block like a file.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, ChunkSource, DType, ReadCost, Region, SourceError};
use chunkwise_scheduler::{Lease, SpillRecord, SpillStore};
use chunkwise_storage::ResidentSource;
use parking_lot::{Mutex, RwLock};

/// The persisted results of a runtime.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// Those that may still be in memory, oldest first.
    held: Mutex<Vec<Weak<Persisted>>>,
    bytes: Arc<AtomicU64>,
}

impl Registry {
    /// Bytes of all persisted results that are in memory: at least those that the leases of results hold.
    pub(crate) fn bytes(&self) -> u64 {
        // Relaxed: who plans with what is out of date is refused the lease and looks again.
        self.bytes.load(Ordering::Relaxed)
    }

    /// A result in memory, of blocks in C order of the grid; the lease is that of the run that made them.
    pub(crate) fn keep_in_memory(
        &self,
        dtype: DType,
        grid: ChunkGrid,
        blocks: Vec<Chunk>,
        lease: Lease,
    ) -> Result<Arc<dyn ChunkSource>, SourceError> {
        let source = ResidentSource::new(dtype, grid.clone(), blocks)?;
        let bytes = source.nbytes() as u64;
        let counted = Counted::new(&self.bytes, bytes);
        let place = RwLock::new(Place::Memory(source, lease.keep(bytes), counted));
        Ok(self.keep(Persisted { dtype, grid, place }))
    }

    /// Counts a result until its last handle is dropped.
    pub(crate) fn keep(&self, persisted: Persisted) -> Arc<dyn ChunkSource> {
        let persisted = Arc::new(persisted);
        self.held.lock().push(Arc::downgrade(&persisted));
        persisted
    }

    /// Moves results to disk, the oldest first, until so many bytes are free; true when that has freed memory. A result
    /// that cannot be written stays where it is. Only for when nothing runs.
    pub(crate) fn spill(&self, store: &SpillStore, missing: u64) -> bool {
        let mut freed = 0u64;
        for array in self.arrays() {
            if freed >= missing.max(1) {
                break;
            }
            freed = freed.saturating_add(array.spill(store).unwrap_or(0));
        }
        freed > 0
    }

    /// What is still there.
    fn arrays(&self) -> Vec<Arc<Persisted>> {
        let mut held = self.held.lock();
        held.retain(|array| array.strong_count() > 0);
        held.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Bytes that count as held until this is dropped.
#[derive(Debug)]
struct Counted {
    sum: Arc<AtomicU64>,
    bytes: u64,
}

impl Counted {
    fn new(sum: &Arc<AtomicU64>, bytes: u64) -> Counted {
        sum.fetch_add(bytes, Ordering::Relaxed);
        Counted { sum: Arc::clone(sum), bytes }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A persisted result as a source of later runs.
pub(crate) struct Persisted {
    dtype: DType,
    grid: ChunkGrid,
    place: RwLock<Place>,
}

/// Where the blocks are.
enum Place {
    /// Counted before the bytes are leased, and until the lease is given back: the fields are dropped in this order.
    Memory(ResidentSource, #[expect(dead_code, reason = "held for its drop")] Lease, Counted),
    /// A record for each block, in C order of the grid.
    Disk(Vec<Arc<SpillRecord>>),
}

impl Persisted {
    /// Writes the blocks to disk; gives the bytes that this has freed, 0 when they were there.
    fn spill(&self, store: &SpillStore) -> Result<u64, SourceError> {
        let (blocks, bytes) = match &*self.place.read() {
            Place::Memory(source, _, counted) => (source.blocks().to_vec(), counted.bytes),
            Place::Disk(_) => return Ok(0),
        };
        let records = blocks.into_iter().map(|block| write(store, &block)).collect::<Result<Vec<_>, _>>()?;
        *self.place.write() = Place::Disk(records);
        Ok(bytes)
    }

    fn record(&self, block: usize) -> Option<Arc<SpillRecord>> {
        match &*self.place.read() {
            Place::Memory(..) => None,
            Place::Disk(records) => Some(Arc::clone(&records[block])),
        }
    }

    fn read_from_disk(&self, region: &Region) -> Result<Chunk, SourceError> {
        let mut parts = Vec::new();
        for index in self.grid.blocks_in(region) {
            let whole = self.grid.region(&index);
            let common = whole.intersect(region);
            let Some(record) = self.record(self.grid.linear(&index)) else {
                return Err(SourceError::message("a persisted block has left the disk"));
            };
            let block = read(&record)?;
            if common == whole && whole == *region {
                return Ok(block);
            }
            parts.push((common.relative_to(region), block.part(&common.relative_to(&whole)).to_owned_copy()));
        }
        let places = parts.iter().map(|(at, part)| (at.clone(), part));
        Chunk::assemble(self.dtype, region.shape(), places)
            .map_err(|err| SourceError::message(err.to_string()))
    }
}

impl ChunkSource for Persisted {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.grid.shape()
    }

    fn name(&self) -> String {
        "persisted".to_owned()
    }

    fn cost(&self) -> ReadCost {
        match &*self.place.read() {
            Place::Memory(source, ..) => source.cost(),
            Place::Disk(_) => ReadCost::Decode,
        }
    }

    fn native_chunks(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    fn scratch(&self, region: &Region) -> u64 {
        let blocks = || self.grid.blocks_in(region).map(|index| self.grid.region(&index));
        let elements = match &*self.place.read() {
            // A view of the block, or a copy, which counts here because a read that is free counts nowhere else.
            Place::Memory(..) if blocks().nth(1).is_none() => 0,
            Place::Memory(..) => region.len(),
            Place::Disk(_) if blocks().nth(1).is_none() && blocks().all(|block| block == *region) => 0,
            // A block that is read for a part of it, and the parts that are put together.
            Place::Disk(_) => blocks().map(|block| block.len()).max().unwrap_or(0) + region.len(),
        };
        (elements * self.dtype.itemsize()) as u64
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        match &*self.place.read() {
            Place::Memory(source, ..) => return source.read(region),
            Place::Disk(_) => {}
        }
        self.read_from_disk(region)
    }
}

impl fmt::Debug for Persisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Persisted<{}> in {}", self.dtype, self.grid)
    }
}

/// Takes the blocks of an array to disk.
#[derive(Debug)]
pub(crate) struct PersistSink {
    dtype: DType,
    grid: ChunkGrid,
    store: SpillStore,
    records: Mutex<Vec<Option<Arc<SpillRecord>>>>,
}

impl PersistSink {
    pub(crate) fn new(dtype: DType, grid: ChunkGrid, store: SpillStore) -> PersistSink {
        let blocks = grid.num_blocks();
        PersistSink { dtype, grid, store, records: Mutex::new(vec![None; blocks]) }
    }

    /// The array, when all its blocks were written.
    pub(crate) fn take(&self) -> Result<Persisted, SourceError> {
        let records: Option<Vec<_>> = std::mem::take(&mut *self.records.lock()).into_iter().collect();
        let records = records.ok_or_else(|| SourceError::message("a block was never written"))?;
        Ok(Persisted { dtype: self.dtype, grid: self.grid.clone(), place: RwLock::new(Place::Disk(records)) })
    }
}

impl ChunkSink for PersistSink {
    fn write_grid(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    fn write(&self, region: &Region, chunk: &Chunk) -> Result<(), SourceError> {
        let record = write(&self.store, chunk)?;
        let block = self.grid.blocks_in(region).next();
        let block =
            block.ok_or_else(|| SourceError::message(format!("{region} is no block of the array")))?;
        self.records.lock()[self.grid.linear(&block)] = Some(record);
        Ok(())
    }

    fn finish(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

fn write(store: &SpillStore, block: &Chunk) -> Result<Arc<SpillRecord>, SourceError> {
    let record = store.write(|out| block.write_to(out));
    record.map(Arc::new).map_err(|err| SourceError::message(err.to_string()))
}

fn read(record: &SpillRecord) -> Result<Chunk, SourceError> {
    record.read(|input| Chunk::read_from(input)).map_err(|err| SourceError::message(err.to_string()))
}

#[cfg(test)]
mod tests {
    use chunkwise_scheduler::MemoryBudget;

    use super::*;

    /// Eight bytes in blocks of four.
    fn kept(registry: &Registry) -> Arc<dyn ChunkSource> {
        let lease = MemoryBudget::new(Some(100)).lease(8, 20).unwrap();
        let blocks = vec![Chunk::zeros(DType::U8, &[4]); 2];
        registry.keep_in_memory(DType::U8, ChunkGrid::regular(&[8], &[4]), blocks, lease).unwrap()
    }

    fn scratch(array: &Arc<dyn ChunkSource>, start: usize, len: usize) -> u64 {
        array.scratch(&Region::new(&[start], &[len]))
    }

    #[test]
    fn read_in_memory_allocates_what_spans_blocks() {
        let array = kept(&Registry::default());
        assert_eq!([scratch(&array, 4, 4), scratch(&array, 5, 2)], [0, 0]);
        assert_eq!([scratch(&array, 2, 4), scratch(&array, 0, 8)], [4, 8]);
    }

    #[test]
    fn read_from_disk_holds_a_block_and_the_parts_unless_it_is_of_one_block() {
        let registry = Registry::default();
        let array = kept(&registry);
        assert!(registry.spill(&SpillStore::default(), 1));
        assert_eq!([scratch(&array, 0, 4), scratch(&array, 4, 4)], [0, 0]);
        assert_eq!([scratch(&array, 2, 4), scratch(&array, 5, 2), scratch(&array, 0, 8)], [8, 6, 12]);
    }

    #[test]
    fn oldest_results_are_moved_until_enough_is_free() {
        let (registry, store) = (Registry::default(), SpillStore::default());
        let arrays = [kept(&registry), kept(&registry), kept(&registry)];
        assert_eq!(registry.bytes(), 24);
        assert!(registry.spill(&store, 9));
        assert_eq!(registry.bytes(), 8);
        assert_eq!([0, 1, 2].map(|i| arrays[i].cost() == ReadCost::Decode), [true, true, false]);
        assert!(registry.spill(&store, 1));
        assert!(!registry.spill(&store, 1));
        drop(kept(&registry));
        assert_eq!(registry.bytes(), 0);
    }
}
