//! What will be done, before it is done.

use std::fmt;

use chunkwise_expr::ExprGraph;
use chunkwise_optimize::PassReport;

/// The plan of a computation: the expression, what each pass did, the optimised expression, tasks and bytes.
///
/// ```
/// use chunkwise::prelude::*;
/// let plan = LazyArray::<f64, _>::zeros(64, 4).sqrt().mean().plan()?;
/// assert_eq!(plan.tasks(), 19);
/// assert!(plan.to_string().contains("fuse_reductions: 1 rewrite"));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) before: ExprGraph,
    pub(crate) after: ExprGraph,
    pub(crate) reports: Vec<PassReport>,
    pub(crate) tasks: usize,
    pub(crate) peak_bytes: u64,
    pub(crate) most_bytes: u64,
    pub(crate) bytes_read: u64,
    pub(crate) spill_bytes: u64,
    pub(crate) rerun_bytes: u64,
    pub(crate) memory_limit: Option<u64>,
}

impl Plan {
    /// Number of tasks.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// // Four blocks are summed, and their sums are.
    /// let x = LazyArray::<f64, _>::ones(64, 16);
    /// assert_eq!(x.sum().plan()?.tasks(), 5);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// Bytes of blocks, partial results and results that are in memory at once when one thread runs the tasks in
    /// order. More threads use more, up to the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, _>::ones(1 << 20, 1 << 12);
    /// assert!(x.plan()?.peak_bytes() >= 8 << 20); // the result
    /// assert!(x.sum().plan()?.peak_bytes() < 1 << 20);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// Bytes that may be in memory at once when all threads run: the [peak](Self::peak_bytes) and what tasks that run
    /// ahead take; never more than the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build()?;
    /// let plan = rt.plan(&LazyArray::from_fn(1 << 15, 1 << 12, |i| i as f64).sqrt())?;
    /// assert!(plan.peak_bytes() <= plan.most_bytes() && plan.most_bytes() <= 1 << 20);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    /// Bytes that will be written to disk, and read back, because they do not fit into the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build()?;
    /// // 4 MiB, needed once for the mean and once more when it is known.
    /// let x = LazyArray::<f64, Ix1>::from_blocks(1 << 19, 1 << 13, |block| {
    ///     ndarray::Array1::from_elem(block.shape[0], block.start[0] as f64)
    /// });
    /// let plan = rt.plan_store(&(&x - x.mean()))?;
    /// assert!(plan.peak_bytes() <= 1 << 20);
    /// assert!(plan.spill_bytes() >= 3 << 20);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn spill_bytes(&self) -> u64 {
        self.spill_bytes
    }

    /// Bytes of blocks that will be computed or read a second time because they do not fit into the memory limit.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build()?;
    /// // 4 MiB of random numbers: whoever needs one makes it, so none is held and none given up.
    /// let x = chunkwise::random::Generator::new(1).uniform(0.0, 1.0, 1 << 19, 1 << 13);
    /// let plan = rt.plan_store(&(&x - x.mean()))?;
    /// assert_eq!((plan.spill_bytes(), plan.rerun_bytes()), (0, 0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn rerun_bytes(&self) -> u64 {
        self.rerun_bytes
    }

    /// Bytes of decoded elements that will be read from files or made by user functions.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<f64, Ix1>::from_blocks(100, 10, |block| ndarray::Array1::ones(block.shape[0]));
    /// assert_eq!(x.sum().plan()?.bytes_read(), 800);
    /// assert_eq!(x.slice(s![..30]).sum().plan()?.bytes_read(), 240);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The optimised expression in Graphviz' DOT language.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let plan = LazyArray::<f64, _>::ones(4, 2).sum().plan()?;
    /// assert!(plan.to_dot().starts_with("digraph"));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    pub fn to_dot(&self) -> String {
        self.after.to_dot()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        section(f, "expression", &self.before.to_string())?;
        let did: Vec<String> = self.reports.iter().map(|report| format!("{report}\n")).collect();
        section(f, "passes", &did.concat())?;
        section(f, "plan", &self.after.to_string())?;
        let limit = self.memory_limit.map_or("none".to_owned(), readable);
        writeln!(
            f,
            "tasks {}, peak {} (one thread), {} (all threads), read {}, spill {}, memory limit {limit}",
            self.tasks,
            readable(self.peak_bytes),
            readable(self.most_bytes),
            readable(self.bytes_read),
            readable(self.spill_bytes)
        )
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, text: &str) -> fmt::Result {
    writeln!(f, "{title}")?;
    for line in text.lines() {
        writeln!(f, "  {line}")?;
    }
    Ok(())
}

/// Bytes with a binary prefix, as in `1.5 MiB`.
fn readable(bytes: u64) -> String {
    let mut amount = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if amount < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} TiB")
}
