//! What a runtime has when nothing is said: from the environment, else from the machine.

use std::env;
use std::path::PathBuf;

use crate::{Error, Result};

/// Part of the machine's memory that is used when no limit is given.
const DEFAULT_SHARE: f64 = 0.6;

/// Threads: `CHUNKWISE_NUM_THREADS`, else the cores this process may use.
pub(crate) fn threads() -> Result<usize> {
    match read("CHUNKWISE_NUM_THREADS")? {
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
        Some(text) => match text.trim().parse() {
            Ok(n) if n > 0 => Ok(n),
            _ => Err(Error::config(format!(
                "CHUNKWISE_NUM_THREADS is {text:?}, it must be a number of at least 1"
            ))),
        },
    }
}

/// Bytes: `CHUNKWISE_MEMORY_LIMIT` (a size such as `2 GiB`, or `none`), else 60 % of what the cgroup or the machine
/// has; no limit where neither says.
pub(crate) fn memory_limit() -> Result<Option<u64>> {
    match read("CHUNKWISE_MEMORY_LIMIT")? {
        None => Ok(machine_memory().map(|bytes| (bytes as f64 * DEFAULT_SHARE) as u64)),
        Some(text) if text.trim().eq_ignore_ascii_case("none") => Ok(None),
        Some(text) => parse_limit(&text).map(Some).ok_or_else(|| {
            Error::config(format!(
                "CHUNKWISE_MEMORY_LIMIT is {text:?}, it must be a size such as \"2 GiB\" or \"none\""
            ))
        }),
    }
}

/// The folder for blocks that do not fit into memory: `CHUNKWISE_SPILL_DIR`.
pub(crate) fn spill_dir() -> Result<Option<PathBuf>> {
    match env::var_os("CHUNKWISE_SPILL_DIR") {
        Some(path) if path.is_empty() => {
            Err(Error::config("CHUNKWISE_SPILL_DIR is empty, it must be the path of a folder"))
        }
        path => Ok(path.map(PathBuf::from)),
    }
}

pub(crate) fn parse_limit(text: &str) -> Option<u64> {
    chunkwise_chunk::parse_bytes(text).map(|bytes| bytes as u64)
}

fn read(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Error::config(format!("{name} is not readable as text"))),
    }
}

/// The smaller of the cgroup's limit and the machine's memory, on Linux.
fn machine_memory() -> Option<u64> {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
    });
    let cgroup = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    match (total, cgroup) {
        (Some(total), Some(cgroup)) => Some(total.min(cgroup)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_sizes() {
        assert_eq!(parse_limit("2 GiB"), Some(2 << 30));
        assert_eq!(parse_limit("lots"), None);
    }

    #[test]
    fn machine_has_memory() {
        assert!(machine_memory().is_none_or(|bytes| bytes > 1 << 20));
    }
}
