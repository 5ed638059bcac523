//! The one error type of the library.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::SourceError;
use chunkwise_expr::BuildError;
use chunkwise_scheduler::{GraphError, LeaseError, PlanError, PoolError, RunError, TaskErrorKind};

/// A result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why nothing was computed.
///
/// The message names the operation, the shapes, the block where it has one, and the line of the program that asked
/// for it.
///
/// ```
/// use chunkwise::prelude::*;
/// use chunkwise::ErrorKind;
/// let x = LazyArray::<f64, _>::zeros((2, 3), 2);
/// let err = x.sum_axis(Axis(5)).compute().unwrap_err();
/// assert_eq!(err.kind(), ErrorKind::Build);
/// assert!(err.to_string().starts_with("sum: axis 5 is out of range for shape [2, 3] (at "));
/// ```
#[derive(Clone)]
pub struct Error(Arc<Cause>);

#[derive(Debug)]
enum Cause {
    Build(Arc<BuildError>),
    Plan(PlanError),
    Graph(GraphError),
    Budget { needed: u64, limit: u64, held: u64 },
    Run(RunError),
    Storage(SourceError, Option<&'static Location<'static>>),
    Pool(PoolError),
    Lease(LeaseError),
    Cancelled,
    Thread(std::io::Error),
    Config(String),
}

/// What kind of thing went wrong.
///
/// ```
/// use chunkwise::ErrorKind;
/// assert_eq!(format!("{:?}", ErrorKind::Memory), "Memory");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An operation that cannot be built: shapes, axes, chunks, element types.
    Build,
    /// The memory limit is too small for the plan.
    Memory,
    /// A task failed: a division by zero, a block that could not be read.
    Task,
    /// A closure of the user panicked.
    Panic,
    /// A file could not be opened, read or written, or blocks that do not fit into memory could not be moved to disk.
    Storage,
    /// The computation was cancelled before it was done.
    Cancelled,
    /// The runtime cannot be set up as asked, or the system refuses a thread.
    Config,
}

impl Error {
    pub(crate) fn config(message: impl Into<String>) -> Error {
        Cause::Config(message.into()).into()
    }

    pub(crate) fn budget(needed: u64, limit: u64, held: u64) -> Error {
        Cause::Budget { needed, limit, held }.into()
    }

    pub(crate) fn cancelled() -> Error {
        Cause::Cancelled.into()
    }

    /// The system refuses a thread.
    pub(crate) fn thread(err: std::io::Error) -> Error {
        Cause::Thread(err).into()
    }

    /// Whether more memory would help.
    pub(crate) fn is_short_of_memory(&self) -> bool {
        self.kind() == ErrorKind::Memory
    }

    /// How much more memory would help, as far as is known.
    pub(crate) fn missing_bytes(&self) -> Option<u64> {
        match &*self.0 {
            Cause::Plan(PlanError::BudgetTooSmall { needed, budget, .. }) => {
                Some(needed.saturating_sub(*budget))
            }
            Cause::Budget { needed, limit, held } => {
                Some(needed.saturating_add(*held).saturating_sub(*limit))
            }
            _ => None,
        }
    }

    /// Whether results that are kept have taken the memory between the plan and the run.
    pub(crate) fn is_overtaken(&self) -> bool {
        matches!(&*self.0, Cause::Lease(LeaseError::Held { .. }))
    }

    /// A file error of a call at this line.
    pub(crate) fn storage(err: SourceError, origin: &'static Location<'static>) -> Error {
        Cause::Storage(err, Some(origin)).into()
    }

    /// What kind of thing went wrong.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::ErrorKind;
    /// let x = LazyArray::arange(0_i32, 4, 1, 1);
    /// assert_eq!((&x / 0).compute().unwrap_err().kind(), ErrorKind::Task);
    /// assert_eq!(x.sum_axis(Axis(1)).compute().unwrap_err().kind(), ErrorKind::Build);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Cause::Build(_) | Cause::Graph(_) => ErrorKind::Build,
            Cause::Plan(_) | Cause::Budget { .. } => ErrorKind::Memory,
            Cause::Lease(LeaseError::Cancelled) | Cause::Cancelled => ErrorKind::Cancelled,
            Cause::Lease(_) => ErrorKind::Memory,
            Cause::Run(run) => kind_of_run(run),
            Cause::Storage(..) => ErrorKind::Storage,
            Cause::Pool(_) | Cause::Config(_) | Cause::Thread(_) => ErrorKind::Config,
        }
    }

    /// Messages of all tasks that failed in the run, the one this error reports first; empty for other kinds.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 4, 1, 1);
    /// let err = (&x / 0).compute().unwrap_err();
    /// assert!(!err.task_errors().is_empty());
    /// ```
    #[must_use]
    pub fn task_errors(&self) -> Vec<String> {
        match &*self.0 {
            Cause::Run(run) => run.errors().iter().map(|err| err.to_string()).collect(),
            _ => Vec::new(),
        }
    }
}

/// What kind of thing went wrong in a run: its first error, unless it was cancelled.
fn kind_of_run(run: &RunError) -> ErrorKind {
    match run.errors().first().map(|error| &error.kind) {
        _ if run.is_cancelled() => ErrorKind::Cancelled,
        Some(TaskErrorKind::Panicked(_)) => ErrorKind::Panic,
        Some(TaskErrorKind::Spill(_)) => ErrorKind::Storage,
        _ => ErrorKind::Task,
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Error {
        Error(Arc::new(cause))
    }
}

impl From<Arc<BuildError>> for Error {
    fn from(err: Arc<BuildError>) -> Error {
        Cause::Build(err).into()
    }
}

impl From<PlanError> for Error {
    fn from(err: PlanError) -> Error {
        Cause::Plan(err).into()
    }
}

impl From<GraphError> for Error {
    fn from(err: GraphError) -> Error {
        Cause::Graph(err).into()
    }
}

impl From<RunError> for Error {
    fn from(run: RunError) -> Error {
        Cause::Run(run).into()
    }
}

impl From<LeaseError> for Error {
    fn from(err: LeaseError) -> Error {
        Cause::Lease(err).into()
    }
}

impl From<SourceError> for Error {
    fn from(err: SourceError) -> Error {
        Cause::Storage(err, None).into()
    }
}

impl From<PoolError> for Error {
    fn from(err: PoolError) -> Error {
        Cause::Pool(err).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Build(err) => write!(f, "{err}"),
            Cause::Plan(err) => write!(f, "{err}"),
            Cause::Graph(err) => write!(f, "{err}"),
            Cause::Budget { needed, limit, held: 0 } => write!(
                f,
                "the results alone take {needed} bytes, the memory limit is {limit} bytes: raise the limit to at least {needed} \
                 bytes or store the results instead of computing them"
            ),
            Cause::Budget { needed, limit, held } => {
                let both = needed.saturating_add(*held);
                write!(
                    f,
                    "the results take {needed} bytes beside {held} bytes of persisted arrays and streams of blocks, {both} \
                     together, the memory limit is {limit} bytes: drop persisted arrays or streams, let arrays be moved to a \
                     spill folder, raise the limit to at least {both} bytes or store the results instead of computing them"
                )
            }
            Cause::Run(run) => write!(f, "{run}"),
            Cause::Lease(err) => write!(f, "{err}"),
            Cause::Cancelled => f.write_str("the run was cancelled"),
            Cause::Thread(err) => write!(f, "no thread could be started for the run: {err}"),
            Cause::Storage(err, Some(origin)) => write!(f, "{err} (at {origin})"),
            Cause::Storage(err, None) => write!(f, "{err}"),
            Cause::Pool(err) => write!(f, "{err}"),
            Cause::Config(message) => f.write_str(message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            // What these say is the message itself; the cause is what they have as theirs.
            Cause::Run(run) => run.errors().first().and_then(std::error::Error::source),
            Cause::Storage(err, _) => err.source(),
            Cause::Thread(err) => Some(err),
            _ => None,
        }
    }
}
