//! Results that stay in memory, and the registry that counts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSource, DType, ReadCost, Region, SourceError};
use chunkwise_storage::ResidentSource;
use dashmap::DashMap;

/// The persisted results of a runtime and their bytes.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    held: DashMap<u64, u64>,
    next: AtomicU64,
}

impl Registry {
    /// Bytes of all persisted results.
    pub(crate) fn bytes(&self) -> u64 {
        self.held.iter().map(|entry| *entry.value()).sum()
    }

    /// Counts a result until the source is dropped.
    pub(crate) fn keep(self: &Arc<Self>, blocks: ResidentSource) -> Persisted {
        // Relaxed: the number only has to be unique.
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.held.insert(id, blocks.nbytes() as u64);
        Persisted { blocks, registry: self.clone(), id }
    }
}

/// A persisted result as a source of later runs.
#[derive(Debug)]
pub(crate) struct Persisted {
    blocks: ResidentSource,
    registry: Arc<Registry>,
    id: u64,
}

impl Drop for Persisted {
    fn drop(&mut self) {
        self.registry.held.remove(&self.id);
    }
}

impl ChunkSource for Persisted {
    fn dtype(&self) -> DType {
        self.blocks.dtype()
    }

    fn shape(&self) -> &[usize] {
        self.blocks.shape()
    }

    fn name(&self) -> String {
        "persisted".to_owned()
    }

    fn cost(&self) -> ReadCost {
        self.blocks.cost()
    }

    fn native_chunks(&self) -> Option<ChunkGrid> {
        self.blocks.native_chunks()
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        self.blocks.read(region)
    }
}
