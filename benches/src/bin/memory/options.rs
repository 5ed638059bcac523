//! What the program is asked to do.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Failure;
use super::workloads::{WORKLOADS, Workload};

/// The command line.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) budget: u64,
    /// How many times the budget the array takes.
    pub(crate) factor: u64,
    pub(crate) dir: PathBuf,
    pub(crate) threads: Option<usize>,
    pub(crate) bound: bool,
    pub(crate) workloads: Vec<&'static Workload>,
    /// What a child is to do.
    pub(crate) part: Option<Part>,
}

/// What a child is to do of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Prepare,
    Bound,
    Run,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Prepare => "prepare",
            Part::Bound => "bound",
            Part::Run => "run",
        })
    }
}

impl Options {
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Options, Failure> {
        let mut options = Options {
            budget: 512 << 20,
            factor: 10,
            dir: default_dir(),
            threads: None,
            bound: true,
            workloads: Vec::new(),
            part: None,
        };
        let mut args = args;
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} takes a value"));
            match arg.as_str() {
                "--budget" => options.budget = size(&value()?)?,
                "--factor" => options.factor = value()?.parse()?,
                "--dir" => options.dir = value()?.into(),
                "--threads" => options.threads = Some(value()?.parse()?),
                "--no-bound" => options.bound = false,
                "--part" => options.part = Some(part(&value()?)?),
                name => options.workloads.push(workload(name)?),
            }
        }
        if options.workloads.is_empty() {
            options.workloads = WORKLOADS.iter().collect();
        }
        Ok(options)
    }

    /// Bytes of the array that workloads are about, as asked for.
    pub(crate) fn array_bytes(&self) -> u64 {
        self.budget * self.factor
    }

    /// The command line of a child.
    pub(crate) fn for_child(&self, folder: &Path, workload: &str, part: Part) -> Vec<String> {
        let mut args = vec![workload.to_owned()];
        let mut pair = |name: &str, value: String| args.extend([name.to_owned(), value]);
        pair("--budget", self.budget.to_string());
        pair("--factor", self.factor.to_string());
        pair("--dir", folder.display().to_string());
        pair("--part", part.to_string());
        if let Some(threads) = self.threads {
            pair("--threads", threads.to_string());
        }
        args
    }
}

fn default_dir() -> PathBuf {
    let var_tmp = Path::new("/var/tmp");
    if var_tmp.is_dir() { var_tmp.to_path_buf() } else { std::env::temp_dir() }
}

fn size(text: &str) -> Result<u64, Failure> {
    let bytes = chunkwise_chunk::parse_bytes(text).map(|bytes| bytes as u64);
    bytes.filter(|&bytes| bytes > 0).ok_or_else(|| format!("{text:?} is not a size such as \"2 GiB\"").into())
}

fn part(text: &str) -> Result<Part, Failure> {
    let parts = [Part::Prepare, Part::Bound, Part::Run];
    parts.into_iter().find(|part| part.to_string() == text).ok_or_else(|| format!("no part {text:?}").into())
}

fn workload(name: &str) -> Result<&'static Workload, Failure> {
    WORKLOADS.iter().find(|workload| workload.name == name).ok_or_else(|| {
        let known: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
        format!("no workload {name:?}; there are: {}", known.join(", ")).into()
    })
}
