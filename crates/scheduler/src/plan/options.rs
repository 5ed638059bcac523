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
    ///
    /// ```
    /// use chunkwise_scheduler::{GraphBuilder, PlanOptions};
    ///
    /// let plan = GraphBuilder::<i32>::new().build().plan_with(PlanOptions::new())?;
    /// assert_eq!((plan.budget(), plan.reserved_bytes()), (None, 0));
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { budget: None, reserve: 0, codec: None }
    }

    /// Bytes that values and running tasks may take together; `None` is no limit.
    ///
    /// It is an `Option` so that the limit of a program, which may have none, goes in as it is.
    /// [`RunOptions::budget`](crate::RunOptions::budget) is a number, because a run without it has the budget of its plan.
    ///
    /// ```
    /// use chunkwise_scheduler::{FnLayer, GraphBuilder, PlanOptions, TaskBytes};
    ///
    /// let mut graph = GraphBuilder::new();
    /// let load = graph.layer(std::sync::Arc::new(FnLayer::new("load", |_, _: &mut [i32]| Ok(1))))?;
    /// graph.task(load, 0, &[], TaskBytes { output: 800, scratch: 200 })?;
    /// assert!(graph.build().plan_with(PlanOptions::new().budget(Some(999))).is_err());
    /// # Ok::<(), chunkwise_scheduler::GraphError>(())
    /// ```
    #[must_use]
    pub fn budget(mut self, budget: Option<u64>) -> Self {
        self.budget = budget;
        self
    }

    /// Up to so many bytes of the budget are set aside for what the plan does not count, such as idle memory: no more
    /// than a quarter of what the tasks leave free when they run one by one.
    ///
    /// ```
    /// use chunkwise_scheduler::{GraphBuilder, PlanOptions};
    ///
    /// let options = PlanOptions::new().budget(Some(1000)).reserve(100);
    /// let plan = GraphBuilder::<i32>::new().build().plan_with(options.clone())?;
    /// assert_eq!((plan.reserved_bytes(), plan.budget()), (100, Some(900)));
    /// let plan = GraphBuilder::<i32>::new().build().plan_with(options.reserve(600))?;
    /// assert_eq!((plan.reserved_bytes(), plan.budget()), (250, Some(750)));
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn reserve(mut self, bytes: u64) -> Self {
        self.reserve = bytes;
        self
    }

    /// Values of layers that allow it ([`Eviction::Spill`](crate::Eviction::Spill)) may be written to disk when the budget
    /// is short. [`Plan::spill_bytes`](crate::Plan::spill_bytes) shows a run of such a plan.
    ///
    /// ```
    /// use chunkwise_scheduler::{BoxError, Eviction, GraphBuilder, Layer, PlanOptions, SpillCodec, TaskBytes, TaskCx};
    /// use std::{io, sync::Arc};
    ///
    /// struct Bytes;
    ///
    /// impl SpillCodec<u8> for Bytes {
    ///     fn write(&self, value: &u8, out: &mut dyn io::Write) -> io::Result<()> { out.write_all(&[*value]) }
    ///     fn read(&self, input: &mut dyn io::Read) -> io::Result<u8> {
    ///         let mut value = [0];
    ///         input.read_exact(&mut value).map(|()| value[0])
    ///     }
    /// }
    ///
    /// impl Layer<u8> for Bytes {
    ///     fn run(&self, _: u32, inputs: &mut [u8], _: &TaskCx<'_>) -> Result<u8, BoxError> { Ok(inputs.iter().sum()) }
    ///     fn label(&self, index: u32) -> String { format!("sum {index}") }
    ///     fn eviction(&self, _: u32) -> Eviction { Eviction::Spill }
    /// }
    ///
    /// // The first value waits for the third; each says that it takes a kilobyte.
    /// let mut graph = GraphBuilder::new();
    /// let layer = graph.layer(Arc::new(Bytes))?;
    /// let kilobyte = TaskBytes { output: 1000, scratch: 0 };
    /// let first = graph.task(layer, 0, &[], kilobyte)?;
    /// let second = graph.task(layer, 1, &[first], kilobyte)?;
    /// let third = graph.task(layer, 2, &[second], kilobyte)?;
    /// graph.task(layer, 3, &[third, first], TaskBytes::default())?;
    /// let plan = graph.build().plan_with(PlanOptions::new().budget(Some(2500)).spill(Arc::new(Bytes)))?;
    /// assert_eq!((plan.spill_bytes(), plan.peak_bytes()), (1000, 2000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
