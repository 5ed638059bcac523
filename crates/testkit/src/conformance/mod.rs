//! Runs files of conformance cases: small array programs with the values NumPy gives.
//!
//! A file is a JSON array of cases:
//!
//! ```text
//! { "id": "argmin_ties_c_order",
//!   "inputs":  [ {"dtype": "i64", "shape": [2,2], "data": [1,0,0,1]} ],
//!   "steps":   [ {"op": "argmin", "args": [0]} ],      args index the values so far: inputs, then steps
//!   "outputs": [1],                                    all asked for in one compute
//!   "expect":  [ {"dtype": "index", "shape": [], "data": [1]} ],        or "error": true
//!   "rtol": 0.0, "atol": 0.0 }
//! ```
//!
//! Complex numbers (`c64`, `c128`) are written as pairs, `[1, "-0.0"]`.
//!
//! Every case runs in one chunk, in chunks of 1, of 2 and in irregular ones with an empty chunk, on one and
//! two threads, with and without optimiser, and must give the same answer each time. Programs are built
//! through the public API by name; an operation that the API does not have is counted and named.

mod case;
mod compare;
mod config;
mod contract;
mod elementwise;
mod indexing;
mod layout;
mod overlap;
mod reduce;
mod rolling;
mod run;
mod scan;
mod slices;
mod structure;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use case::{Case, CaseArray, CaseStep};
pub use config::{Chunking, Machine};

use crate::AnyArray;
use compare::Difference;

/// Why a step has no value in the public API.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// The operation is not known.
    Unsupported(String),
    /// The API's types rule the call out.
    Types(String),
    /// The file does not follow the format.
    Malformed(String),
}

impl Refusal {
    fn malformed(text: impl Into<String>) -> Refusal {
        Refusal::Malformed(text.into())
    }

    fn types(op: &str, args: &[&AnyArray]) -> Refusal {
        let types: Vec<&str> = args.iter().map(|x| x.dtype().name()).collect();
        Refusal::Types(format!("{op} does not take {}", types.join(", ")))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unsupported(op) => write!(f, "{op} is not supported"),
            Refusal::Types(text) => f.write_str(text),
            Refusal::Malformed(text) => write!(f, "the case is malformed: {text}"),
        }
    }
}

/// A case that gave another answer under one configuration.
///
/// ```
/// use chunkwise_testkit::conformance::{Report, Runner};
/// let text = r#"[{"id": "wrong", "inputs": [{"dtype": "i64", "shape": [], "data": [1]}], "steps": [],
///     "outputs": [0], "expect": [{"dtype": "i64", "shape": [], "data": [2]}]}]"#;
/// let report = Runner::new()?.run_text(text)?;
/// let line = report.failures()[0].to_string();
/// assert!(line.starts_with("wrong [one chunk, 1 thread, optimiser on]: got [] [1], want [] [2]"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Failure {
    id: String,
    config: String,
    difference: Difference,
}

impl Failure {
    fn new(case: &Case, config: &str, difference: Difference) -> Failure {
        Failure { id: case.id.clone(), config: config.to_owned(), difference }
    }

    /// A failure that belongs to no one configuration.
    fn of_case(case: &Case, got: &str) -> Failure {
        let difference = Difference { got: got.to_owned(), want: "an answer".to_owned() };
        Failure::new(case, "any configuration", difference)
    }
}

impl fmt::Display for Failure {
    /// One line: id, configuration, got, want.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_line = |text: &str| text.replace('\n', " ");
        let (got, want) = (one_line(&self.difference.got), one_line(&self.difference.want));
        write!(f, "{} [{}]: got {got}, want {want}", self.id, self.config)
    }
}

/// What became of one case.
enum Verdict {
    Passed,
    Failed(Vec<Failure>),
    Skipped(String),
}

/// What became of all cases.
///
/// ```
/// use chunkwise_testkit::conformance::Runner;
/// let report = Runner::new()?.run_text("[]")?;
/// assert_eq!(report.to_string(), "0 passed, 0 failed, 0 skipped");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Report {
    passed: usize,
    failed: usize,
    failures: Vec<Failure>,
    unsupported: BTreeMap<String, usize>,
}

impl Report {
    /// Every failure of every configuration, in the order of the cases.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The operations that are not supported, with the number of cases each has kept from running.
    pub fn unsupported(&self) -> &BTreeMap<String, usize> {
        &self.unsupported
    }

    /// True when no case failed.
    pub fn is_ok(&self) -> bool {
        self.failed == 0
    }

    /// Adds the cases of another report.
    ///
    /// ```
    /// use chunkwise_testkit::conformance::Report;
    /// let mut all = Report::default();
    /// all.merge(Report::default());
    /// assert!(all.is_ok());
    /// ```
    pub fn merge(&mut self, other: Report) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
        for (op, cases) in other.unsupported {
            *self.unsupported.entry(op).or_default() += cases;
        }
    }

    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(failures) => {
                self.failed += 1;
                self.failures.extend(failures);
            }
            Verdict::Skipped(op) => *self.unsupported.entry(op).or_default() += 1,
        }
    }
}

impl fmt::Display for Report {
    /// A line per failure, the unsupported operations, and the counts of cases alone on the last line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "FAILED {failure}")?;
        }
        for (op, cases) in &self.unsupported {
            let plural = if *cases == 1 { "" } else { "s" };
            writeln!(f, "unsupported: {op} ({cases} case{plural})")?;
        }
        let skipped: usize = self.unsupported.values().sum();
        write!(f, "{} passed, {} failed, {skipped} skipped", self.passed, self.failed)
    }
}

/// Runs files of cases.
///
/// ```
/// use chunkwise_testkit::conformance::Runner;
/// let text = r#"[{"id": "later", "inputs": [], "steps": [{"op": "fft", "args": []}], "outputs": [0]}]"#;
/// let report = Runner::new()?.run_text(text)?;
/// assert_eq!(report.unsupported()["fft"], 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Runner {
    machines: Arc<Vec<Machine>>,
}

impl Runner {
    /// A runner with its threads.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn new() -> chunkwise::Result<Runner> {
        Ok(Runner { machines: Arc::new(Machine::all()?) })
    }

    /// Runs the cases of a file.
    ///
    /// # Errors
    /// When the file cannot be read or is not of the format.
    pub fn run_file(&self, path: &Path) -> Result<Report, String> {
        let context = |err: &dyn fmt::Display| format!("{}: {err}", path.display());
        let text = std::fs::read_to_string(path).map_err(|err| context(&err))?;
        self.run_text(&text).map_err(|err| context(&err))
    }

    /// Runs the cases of a text.
    ///
    /// # Errors
    /// When the text is not of the format.
    pub fn run_text(&self, text: &str) -> Result<Report, serde_json::Error> {
        let cases: Vec<Arc<Case>> =
            serde_json::from_str::<Vec<Case>>(text)?.into_iter().map(Arc::new).collect();
        let mut report = Report::default();
        for case in &cases {
            report.add(run::run_case(case, &self.machines));
        }
        Ok(report)
    }
}
