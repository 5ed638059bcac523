//! How a runtime is set up: from what is said, the environment, the machine.

use std::path::PathBuf;

use chunkwise_optimize::OptimizeOptions;
use chunkwise_scheduler::{ErrorMode, MemoryBudget, Pool, Retry, SpillStore};
use chunkwise_storage::ChunkCache;

use super::gate::Gate;
use super::{Runtime, Shared, Terms};
use crate::persist::Registry;
use crate::{Error, Result, config};

/// The cache of decoded chunks, which the process shares and no limit counts, keeps at most this part of any limit.
const CACHE_SHARE: u64 = 16;

/// How a [`Runtime`] shall be. What is not said comes from the environment (`CHUNKWISE_NUM_THREADS`,
/// `CHUNKWISE_MEMORY_LIMIT`, `CHUNKWISE_SPILL_DIR`), else from the machine: all cores, 60 % of the memory, and
/// the system's folder for large temporary files.
///
/// ```
/// use chunkwise::prelude::*;
/// assert_eq!(Runtime::builder().threads(3).build()?.threads(), 3);
/// assert!(Runtime::builder().memory_limit("plenty").build().is_err());
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RuntimeBuilder {
    threads: Option<usize>,
    memory_limit: Option<Limit>,
    spill: Spill,
    retry: Retry,
    errors: ErrorMode,
    options: OptimizeOptions,
}

#[derive(Clone, Debug)]
enum Limit {
    Text(String),
    Bytes(u64),
    None,
}

/// Where values go that do not fit into memory.
#[derive(Clone, Debug, Default)]
enum Spill {
    #[default]
    Anywhere,
    Directory(PathBuf),
    Nowhere,
}

impl RuntimeBuilder {
    /// Number of threads, at least 1.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(Runtime::builder().threads(2).build()?.threads(), 2);
    /// assert!(Runtime::builder().threads(0).build().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Bytes that the blocks, partial results and results of all runs and all persisted arrays may take together, as a
    /// size such as `"2 GiB"`. What does not fit at once is written to disk and read back, or computed again; a plan
    /// that cannot stay within the limit even so is an error before anything runs.
    ///
    /// A run waits until what it needs at least is free. A run inside a task never waits: it would wait for itself. It takes
    /// what its plan needs, beyond the limit if it must. A run that another thread begins does wait; a task that waits for
    /// such a run, or for a lock that is held while one is waited for, may be waiting for itself: that is a deadlock.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).memory_limit("1 MiB").no_spill().build()?;
    /// let x = LazyArray::<f64, _>::ones(1 << 20, 1 << 12); // 8 MiB
    /// assert_eq!(rt.compute(x.sum())?, 1048576.0);
    /// assert!(rt.compute(x).is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn memory_limit(mut self, size: &str) -> Self {
        self.memory_limit = Some(Limit::Text(size.to_owned()));
        self
    }

    /// The memory limit in bytes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).memory_limit_bytes(4096).build()?;
    /// assert_eq!(rt.memory_limit(), Some(4096));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn memory_limit_bytes(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(Limit::Bytes(bytes));
        self
    }

    /// No memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).no_memory_limit().build()?;
    /// assert_eq!(rt.memory_limit(), None);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn no_memory_limit(mut self) -> Self {
        self.memory_limit = Some(Limit::None);
        self
    }

    /// The folder for blocks that do not fit into memory; it is made when first needed. Its files have no name: nothing
    /// is left in it, however the process ends. It should not be on a file system that is itself in memory.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(1).spill_dir(std::env::temp_dir()).build()?;
    /// assert_eq!(rt.compute(LazyArray::<f64, _>::ones(8, 2).sum())?, 8.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn spill_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.spill = Spill::Directory(directory.into());
        self
    }

    /// Nothing is written to disk: a plan that does not fit into memory is an error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::ErrorKind;
    /// let rt = Runtime::builder().threads(1).memory_limit("1 MiB").no_spill().build()?;
    /// let x = LazyArray::<f64, Ix1>::from_blocks(1 << 19, 1 << 13, |block| {
    ///     ndarray::Array1::from_elem(block.shape[0], block.start[0] as f64)
    /// });
    /// let err = rt.plan_store(&(&x - x.mean())).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Memory);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn no_spill(mut self) -> Self {
        self.spill = Spill::Nowhere;
        self
    }

    /// How often a block is read again when that fails with an I/O error, and after which pauses. Not at all by
    /// default. Missing files and bytes that cannot be decoded are errors at once.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::Retry;
    /// let rt = Runtime::builder().threads(1).retry(Retry::times(3)).build()?;
    /// assert_eq!(rt.compute(LazyArray::<f64, _>::ones(8, 2).sum())?, 8.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Which errors a failed run reports: by default the one that a single thread would have met first.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::{ErrorKind, ErrorMode};
    /// let rt = Runtime::builder().threads(2).errors(ErrorMode::FailFast).build()?;
    /// let err = rt.compute(LazyArray::arange(0, 4, 1, 1) / 0).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Task);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn errors(mut self, mode: ErrorMode) -> Self {
        self.errors = mode;
        self
    }

    /// Which optimiser passes run; all by default. Results are the same bits with any choice.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::OptimizeOptions;
    /// let plain = Runtime::builder().threads(1).optimizer(OptimizeOptions::none()).build()?;
    /// let x = LazyArray::arange(0.0_f64, 64.0, 1.0, 8).sqrt().sum();
    /// assert!(plain.plan(&x)?.tasks() > x.plan()?.tasks());
    /// assert_eq!(plain.compute(&x)?, x.compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn optimizer(mut self, options: OptimizeOptions) -> Self {
        self.options = options;
        self
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// When a size cannot be read, the number of threads is 0, or the system refuses threads.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).build()?;
    /// assert_eq!(rt.compute(LazyArray::<f64, _>::ones(8, 2).sum())?, 8.0);
    /// assert!(Runtime::builder().threads(0).build().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn build(self) -> Result<Runtime> {
        let threads = self.threads.map_or_else(config::threads, Ok)?;
        let memory_limit = match self.memory_limit {
            None => config::memory_limit()?,
            Some(Limit::None) => None,
            Some(Limit::Bytes(bytes)) => Some(bytes),
            Some(Limit::Text(text)) => Some(config::parse_limit(&text).ok_or_else(|| {
                Error::config(format!("memory limit {text:?} is not a size such as \"2 GiB\""))
            })?),
        };
        let store = match self.spill {
            Spill::Nowhere => None,
            Spill::Directory(directory) => Some(SpillStore::new(directory, None)),
            Spill::Anywhere => Some(
                config::spill_dir()?
                    .map_or_else(SpillStore::default, |directory| SpillStore::new(directory, None)),
            ),
        };
        if let Some(limit) = memory_limit {
            let cache = ChunkCache::global();
            cache.set_limit(cache.limit().min(usize::try_from(limit / CACHE_SHARE).unwrap_or(usize::MAX)));
        }
        let shared = Shared {
            pool: Pool::new(threads)?,
            memory: MemoryBudget::new(memory_limit),
            store,
            retry: self.retry,
            options: self.options,
            registry: Registry::default(),
            gate: Gate::default(),
        };
        let terms = Terms { errors: self.errors, ..Terms::default() };
        Ok(Runtime { shared: std::sync::Arc::new(shared), terms })
    }
}
