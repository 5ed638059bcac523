//! Results that stay: in memory, or on disk where memory is short.
//!
//! A persisted array is the source of later runs. Its blocks are in memory or in records of the spill store, all of them
//! in one place; [`Registry::spill`] moves what is in memory to disk, when a plan does not fit beside it and nothing
//! runs. What is on disk is read block by block like a file.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, ChunkSource, DType, ReadCost, Region, SourceError};
use chunkwise_scheduler::{Lease, SpillRecord, SpillStore};
use chunkwise_storage::ResidentSource;
use parking_lot::{Mutex, RwLock};

/// The persisted results of a runtime, and whether anything runs that may read them.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// Those that may still be in memory, oldest first.
    held: Mutex<Vec<Weak<Persisted>>>,
    running: AtomicUsize,
}

/// Counts a run as long as it lives.
pub(crate) struct Running<'a>(&'a Registry);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Release pairs with Acquire in `spill`: the reads of the run come before.
        self.0.running.fetch_sub(1, Ordering::Release);
    }
}

impl Registry {
    /// Bytes of all persisted results that are in memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.arrays().iter().fold(0, |sum, array| sum.saturating_add(array.resident_bytes()))
    }

    /// Counts a result until its last handle is dropped.
    pub(crate) fn keep(&self, persisted: Persisted) -> Arc<dyn ChunkSource> {
        let persisted = Arc::new(persisted);
        self.held.lock().push(Arc::downgrade(&persisted));
        persisted
    }

    /// A run begins, which may read persisted results and has planned with where they are.
    pub(crate) fn run_begins(&self) -> Running<'_> {
        // Relaxed: whoever moves results looks again after it has.
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// Moves all results to disk, unless something runs; true when that has freed memory. A result that cannot be
    /// written stays where it is.
    pub(crate) fn spill(&self, store: &SpillStore) -> bool {
        let arrays = self.arrays();
        let idle = |registry: &Registry| registry.running.load(Ordering::Acquire) == 0;
        arrays.into_iter().filter(|array| idle(self) && array.spill(store).is_ok_and(|freed| freed)).count()
            > 0
    }

    /// What is still there.
    fn arrays(&self) -> Vec<Arc<Persisted>> {
        let mut held = self.held.lock();
        held.retain(|array| array.strong_count() > 0);
        held.iter().filter_map(Weak::upgrade).collect()
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
    Memory(ResidentSource, #[expect(dead_code, reason = "held for its drop")] Lease),
    /// A record for each block, in C order of the grid.
    Disk(Vec<Arc<SpillRecord>>),
}

impl Persisted {
    /// Blocks in memory, in C order of the grid; the lease is that of the run that made them.
    pub(crate) fn in_memory(
        dtype: DType,
        grid: ChunkGrid,
        blocks: Vec<Chunk>,
        lease: Lease,
    ) -> Result<Persisted, SourceError> {
        let source = ResidentSource::new(dtype, grid.clone(), blocks)?;
        let lease = lease.keep(source.nbytes() as u64);
        Ok(Persisted { dtype, grid, place: RwLock::new(Place::Memory(source, lease)) })
    }

    fn resident_bytes(&self) -> u64 {
        match &*self.place.read() {
            Place::Memory(source, _) => source.nbytes() as u64,
            Place::Disk(_) => 0,
        }
    }

    /// Writes the blocks to disk; true when they were in memory.
    fn spill(&self, store: &SpillStore) -> Result<bool, SourceError> {
        let blocks = match &*self.place.read() {
            Place::Memory(source, _) => source.blocks().to_vec(),
            Place::Disk(_) => return Ok(false),
        };
        let records = blocks.into_iter().map(|block| write(store, &block)).collect::<Result<Vec<_>, _>>()?;
        *self.place.write() = Place::Disk(records);
        Ok(true)
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
            Place::Memory(source, _) => source.cost(),
            Place::Disk(_) => ReadCost::Decode,
        }
    }

    fn native_chunks(&self) -> Option<ChunkGrid> {
        Some(self.grid.clone())
    }

    fn scratch(&self, region: &Region) -> u64 {
        let block = |index: &_| self.grid.region(index).len();
        let largest = match &*self.place.read() {
            Place::Memory(..) => 0,
            Place::Disk(_) => self.grid.blocks_in(region).map(|index| block(&index)).max().unwrap_or(0),
        };
        // A block that is read for a part of it, and the parts that are put together.
        if largest == region.len() { 0 } else { ((largest + region.len()) * self.dtype.itemsize()) as u64 }
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        match &*self.place.read() {
            Place::Memory(source, _) => return source.read(region),
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
