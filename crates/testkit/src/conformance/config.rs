//! The configurations every case runs under.

use std::fmt;

use chunkwise::OptimizeOptions;
use chunkwise::prelude::*;
use chunkwise_chunk::AxisSpec;

use super::case::Case;

/// Above this many elements chunks of 1 are left out: the format allows it, and they take long.
const MOST_ELEMENTS_FOR_ONES: usize = 500;

/// How the inputs of a case are cut.
///
/// ```
/// use chunkwise_testkit::conformance::Chunking;
/// let grid = Chunking::Irregular.chunks(&[7]).grid(&[7], 8).unwrap();
/// assert_eq!(grid.to_string(), "([2, 0, 5],)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunking {
    /// One chunk.
    One,
    /// Chunks of 1 along every axis.
    Ones,
    /// Chunks of 2 along every axis.
    Twos,
    /// Three chunks of unequal lengths along every axis, the middle one empty.
    Irregular,
}

impl Chunking {
    /// Every chunking.
    pub const ALL: [Chunking; 4] = [Chunking::One, Chunking::Ones, Chunking::Twos, Chunking::Irregular];

    /// The chunks of an array of this shape.
    pub fn chunks(self, shape: &[usize]) -> Chunks {
        let spec = |&len: &usize| match self {
            Chunking::One => AxisSpec::Whole,
            Chunking::Ones => AxisSpec::Size(1),
            Chunking::Twos => AxisSpec::Size(2),
            Chunking::Irregular => AxisSpec::Sizes(vec![len / 3, 0, len - len / 3]),
        };
        Chunks::from(shape.iter().map(spec).collect::<Vec<AxisSpec>>())
    }

    /// Whether a case runs in it.
    pub(super) fn suits(self, case: &Case) -> bool {
        let elements = |shape: &[usize]| shape.iter().product::<usize>();
        let largest = case.inputs.iter().map(|x| elements(&x.shape)).max().unwrap_or(0);
        self != Chunking::Ones || largest <= MOST_ELEMENTS_FOR_ONES
    }
}

impl fmt::Display for Chunking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Chunking::One => "one chunk",
            Chunking::Ones => "chunks of 1",
            Chunking::Twos => "chunks of 2",
            Chunking::Irregular => "irregular chunks",
        })
    }
}

/// A runtime that cases run on, and its name in reports.
///
/// ```
/// use chunkwise_testkit::conformance::Machine;
/// let machines = Machine::all()?;
/// assert_eq!(machines[3].name(), "2 threads, optimiser off");
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Debug)]
pub struct Machine {
    name: String,
    runtime: Runtime,
}

impl Machine {
    /// One and two threads, each with and without optimiser.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn all() -> chunkwise::Result<Vec<Machine>> {
        let all = [(1, true), (1, false), (2, true), (2, false)];
        all.iter().map(|&(threads, optimised)| Machine::new(threads, optimised)).collect()
    }

    fn new(threads: usize, optimised: bool) -> chunkwise::Result<Machine> {
        let options = if optimised { OptimizeOptions::all() } else { OptimizeOptions::none() };
        let runtime = Runtime::builder().threads(threads).optimizer(options).build()?;
        let plural = if threads == 1 { "" } else { "s" };
        let switch = if optimised { "on" } else { "off" };
        Ok(Machine { name: format!("{threads} thread{plural}, optimiser {switch}"), runtime })
    }

    /// Threads and optimiser, in words.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}
