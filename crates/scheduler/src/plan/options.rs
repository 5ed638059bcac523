//! What a plan is made for: a budget, and whether values may go to disk.

use std::fmt;
use std::io;
use std::sync::Arc;

/// How values are written to disk and read back, for plans that do not fit their budget.
///
/// ```
/// use chunkwise_scheduler::SpillCodec;
/// use std::io;
///
/// struct Numbers;
///
/// impl SpillCodec<Vec<u8>> for Numbers {
///     fn write(&self, value: &Vec<u8>, out: &mut dyn io::Write) -> io::Result<()> {
///         out.write_all(value)
///     }
///
///     fn read(&self, input: &mut dyn io::Read) -> io::Result<Vec<u8>> {
///         let mut value = Vec::new();
///         input.read_to_end(&mut value)?;
///         Ok(value)
///     }
/// }
///
/// let mut file = Vec::new();
/// Numbers.write(&vec![1, 2], &mut file)?;
/// assert_eq!(Numbers.read(&mut &file[..])?, [1, 2]);
/// # Ok::<(), io::Error>(())
/// ```
pub trait SpillCodec<V>: Send + Sync {
    /// Writes a value. Large slices are written as they are: the fewer and larger, the better.
    ///
    /// # Errors
    /// Those of `out`, and whatever makes the value impossible to write.
    fn write(&self, value: &V, out: &mut dyn io::Write) -> io::Result<()>;

    /// Reads a value that was written with [`write`](Self::write): all of its bytes, which are then checked against
    /// their checksum.
    ///
    /// # Errors
    /// Those of `input`, and bytes that are no value.
    fn read(&self, input: &mut dyn io::Read) -> io::Result<V>;
}

/// What a plan is made for.
///
/// ```
/// use chunkwise_scheduler::{GraphBuilder, PlanOptions};
///
/// let graph = GraphBuilder::<i32>::new().build();
/// let plan = graph.plan_with(PlanOptions::new().budget(Some(1 << 20)))?;
/// assert_eq!(plan.budget(), Some(1 << 20));
/// # Ok::<(), chunkwise_scheduler::PlanError>(())
/// ```
#[derive(Clone)]
pub struct PlanOptions<V> {
    pub(super) budget: Option<u64>,
    pub(super) reserve: u64,
    pub(super) codec: Option<Arc<dyn SpillCodec<V>>>,
}

impl<V> PlanOptions<V> {
    /// No limit, nothing set aside, no disk.
    #[must_use]
    pub fn new() -> Self {
        Self { budget: None, reserve: 0, codec: None }
    }

    /// Bytes that values and running tasks may take together; `None` is no limit.
    #[must_use]
    pub fn budget(mut self, budget: Option<u64>) -> Self {
        self.budget = budget;
        self
    }

    /// Up to so many bytes of the budget are set aside for what the plan does not count, such as idle memory: no more
    /// than a quarter of what the tasks leave free when they run one by one.
    #[must_use]
    pub fn reserve(mut self, bytes: u64) -> Self {
        self.reserve = bytes;
        self
    }

    /// Values of layers that allow it may be written to disk when the budget is short.
    #[must_use]
    pub fn spill(mut self, codec: Arc<dyn SpillCodec<V>>) -> Self {
        self.codec = Some(codec);
        self
    }
}

impl<V> Default for PlanOptions<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> fmt::Debug for PlanOptions<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanOptions")
            .field("budget", &self.budget)
            .field("reserve", &self.reserve)
            .field("spills", &self.codec.is_some())
            .finish()
    }
}
