//! What was asked for on the command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use chunkwise_scheduler::BoxError;

use crate::shapes::Shape;

/// Where the headers of Taskflow are.
const TASKFLOW_DIR: &str = "TASKFLOW_DIR";

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) tasks: u32,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) workers: Vec<usize>,
    pub(crate) runs: usize,
    pub(crate) peers: Vec<PeerName>,
    pub(crate) table: bool,
    /// The headers of Taskflow, if it is among the peers.
    pub(crate) taskflow: Option<PathBuf>,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        let headers = std::env::var_os(TASKFLOW_DIR).map(PathBuf::from);
        let has_headers = headers.is_some();
        let mut options = Self {
            tasks: 1_000_000,
            shapes: Shape::ALL.to_vec(),
            workers: vec![1, 2],
            runs: 15,
            peers: PeerName::ALL
                .into_iter()
                .filter(|&name| name != PeerName::Taskflow || has_headers)
                .collect(),
            table: false,
            taskflow: None,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} takes a value"));
            match arg.as_str() {
                "--tasks" => options.tasks = number(&arg, &value()?)?,
                "--shapes" => options.shapes = list(&value()?)?,
                "--workers" => options.workers = numbers(&arg, &value()?)?,
                "--runs" => options.runs = number(&arg, &value()?)?,
                "--peers" => options.peers = list(&value()?)?,
                "--table" => options.table = true,
                _ => return Err(unknown(&arg)),
            }
        }
        if options.peers.contains(&PeerName::Taskflow) {
            let missing =
                || format!("to compare with taskflow, set {TASKFLOW_DIR} to the folder of its headers");
            options.taskflow = Some(headers.ok_or_else(missing)?);
        }
        Ok(options)
    }
}

fn unknown(arg: &str) -> BoxError {
    format!("no option {arg:?}; there are: --tasks --shapes --workers --runs --peers --table").into()
}

fn list<T: FromStr<Err = BoxError>>(text: &str) -> Result<Vec<T>, BoxError> {
    text.split(',').map(str::parse).collect()
}

fn numbers(option: &str, text: &str) -> Result<Vec<usize>, BoxError> {
    text.split(',').map(|one| number(option, one)).collect()
}

/// A number from 1 on.
fn number<T: FromStr + PartialOrd + From<u8>>(option: &str, text: &str) -> Result<T, BoxError> {
    let number = text.parse().ok().filter(|number| *number >= T::from(1));
    number.ok_or_else(|| format!("{option} takes numbers from 1 on, not {text:?}").into())
}

/// A scheduler to compare, or a way to use one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerName {
    Chunkwise,
    ChunkwiseTight,
    RayonScope,
    RayonJoin,
    Taskflow,
}

impl PeerName {
    const ALL: [Self; 5] =
        [Self::Chunkwise, Self::ChunkwiseTight, Self::RayonScope, Self::RayonJoin, Self::Taskflow];

    fn name(self) -> &'static str {
        match self {
            Self::Chunkwise => "chunkwise",
            Self::ChunkwiseTight => "chunkwise_tight",
            Self::RayonScope => "rayon_scope",
            Self::RayonJoin => "rayon_join",
            Self::Taskflow => "taskflow",
        }
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for PeerName {
    type Err = BoxError;

    fn from_str(name: &str) -> Result<Self, BoxError> {
        let found = Self::ALL.into_iter().find(|peer| peer.name() == name);
        found.ok_or_else(|| {
            format!("no peer {name:?}; there are: {}", Self::ALL.map(Self::name).join(", ")).into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let options =
            parse("--tasks 5 --shapes tree,fan --workers 1,4 --peers chunkwise,rayon_join").unwrap();
        assert_eq!((options.tasks, options.runs, options.table), (5, 15, false));
        assert_eq!(options.shapes, [Shape::Tree, Shape::Fan]);
        assert_eq!(options.workers, [1, 4]);
        assert_eq!(options.peers, [PeerName::Chunkwise, PeerName::RayonJoin]);
    }

    #[test]
    fn wrong_options_are_named() {
        assert_eq!(parse("--runs 0").unwrap_err(), "--runs takes numbers from 1 on, not \"0\"");
        assert_eq!(parse("--workers 1,x").unwrap_err(), "--workers takes numbers from 1 on, not \"x\"");
        assert_eq!(parse("--tasks").unwrap_err(), "--tasks takes a value");
        assert!(parse("--peers tbb").unwrap_err().starts_with("no peer \"tbb\"; there are: chunkwise,"));
        assert!(parse("--fast").unwrap_err().starts_with("no option \"--fast\""));
    }
}
