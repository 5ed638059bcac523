//! Taskflow, in a process of its own: `taskflow.cpp` is compiled when the benchmark starts and told when to run.
//!
//! It owns the compiler call and the conversation with the process: a line that says what to do, and a JSON object
//! back. Bytes are those its allocator has handed out, rounding and all; ours are those that were asked for.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;

use chunkwise_scheduler::BoxError;

use crate::measure::Times;
use crate::peer::Peer;
use crate::shapes::{Graph, SEED};

const SOURCE: &str = include_str!("taskflow.cpp");

/// The compiled program, in a folder that goes with it.
pub(crate) struct Program {
    folder: PathBuf,
}

impl Program {
    /// Compiles against the headers in `headers` with `$CXX`, or `c++`.
    pub(crate) fn compile(headers: &Path) -> Result<Self, BoxError> {
        let header = headers.join("taskflow/taskflow.hpp");
        if !header.is_file() {
            return Err(format!("no headers of Taskflow: there is no file {}", header.display()).into());
        }
        let folder = std::env::temp_dir().join(format!("chunkwise-scheduler-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let program = Self { folder };
        let source = program.folder.join("taskflow.cpp");
        std::fs::write(&source, SOURCE)?;
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| OsString::from("c++"));
        let status = Command::new(&compiler)
            .args(["-O3", "-std=c++20", "-pthread", "-I"])
            .arg(headers)
            .arg(&source)
            .arg("-o")
            .arg(program.executable())
            .status()
            .map_err(|error| format!("cannot start the compiler {}: {error}", compiler.display()))?;
        if status.success() {
            Ok(program)
        } else {
            Err(format!("{} cannot compile Taskflow: {status}", compiler.display()).into())
        }
    }

    fn executable(&self) -> PathBuf {
        self.folder.join("taskflow")
    }

    /// Starts a process that makes the same graph.
    pub(crate) fn start(&self, graph: &Arc<Graph>, workers: usize) -> Result<Taskflow, BoxError> {
        let arguments =
            [graph.shape.to_string(), graph.asked.to_string(), workers.to_string(), SEED.to_string()];
        let mut process = Command::new(self.executable())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = process.stdin.take();
        let answers = process.stdout.take().map(BufReader::new).expect("its output is piped");
        Ok(Taskflow { graph: Arc::clone(graph), process, orders, answers })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A folder left behind in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A running process.
pub(crate) struct Taskflow {
    graph: Arc<Graph>,
    process: Child,
    /// Its end tells the process to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Taskflow {
    fn ask(&mut self, order: &str) -> Result<String, BoxError> {
        let orders = self.orders.as_mut().expect("open until the drop");
        writeln!(orders, "{order}")?;
        let mut answer = String::new();
        match self.answers.read_line(&mut answer)? {
            0 => Err("the process of taskflow has ended early".into()),
            _ => Ok(answer),
        }
    }

    /// Whether the process runs the graph that the other peers run.
    fn check_graph(&self, answer: &str) -> Result<(), BoxError> {
        let (edges, checksum): (usize, u64) = (field(answer, "edges")?, field(answer, "checksum")?);
        if (edges, checksum) == (self.graph.edges(), self.graph.checksum()) {
            return Ok(());
        }
        Err(format!("it has another graph: {edges} edges, not {}, or edges elsewhere", self.graph.edges())
            .into())
    }
}

impl Peer for Taskflow {
    fn check(&mut self) -> Result<u64, BoxError> {
        let answer = self.ask("check")?;
        self.check_graph(&answer)?;
        match field(&answer, "wrong")? {
            0_u64 => field(&answer, "bytes"),
            wrong => Err(format!("{wrong} tasks did not run once, after their inputs").into()),
        }
    }

    fn time(&mut self) -> Result<Times, BoxError> {
        let answer = self.ask("time")?;
        Ok(Times {
            build: field(&answer, "build_ms")?,
            order: field(&answer, "order_ms")?,
            run: field(&answer, "run_ms")?,
            teardown: field(&answer, "teardown_ms")?,
        })
    }
}

impl Drop for Taskflow {
    fn drop(&mut self) {
        self.orders = None;
        // It ends at the end of its input; how it does changes no figure.
        let _ = self.process.wait();
    }
}

/// The number called `name` in a flat JSON object.
fn field<T: FromStr>(object: &str, name: &str) -> Result<T, BoxError> {
    let found = object.split_once(&format!("\"{name}\": "));
    let (_, rest) = found.ok_or_else(|| format!("no {name} in the answer {object:?}"))?;
    let text = rest.split([',', '}']).next().unwrap_or(rest);
    text.parse().map_err(|_| format!("{name} is no number in the answer {object:?}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_an_answer_are_found_by_name() {
        let answer = "{\"edges\": 7, \"checksum\": 18446744073709551615, \"run_ms\": 1.5}\n";
        assert_eq!(field::<usize>(answer, "edges").unwrap(), 7);
        assert_eq!(field::<u64>(answer, "checksum").unwrap(), u64::MAX);
        assert_eq!(field::<f64>(answer, "run_ms").unwrap(), 1.5);
        assert!(field::<f64>(answer, "build_ms").is_err());
        assert!(field::<f64>("{\"run_ms\": soon}", "run_ms").is_err());
    }

    #[test]
    fn a_folder_without_headers_is_named() {
        let error = Program::compile(Path::new("/nowhere")).err().unwrap().to_string();
        assert_eq!(error, "no headers of Taskflow: there is no file /nowhere/taskflow/taskflow.hpp");
    }
}
