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
    let text = |path: &str| std::fs::read_to_string(path).ok();
    let total = text("/proc/meminfo").as_deref().and_then(total_memory);
    let cgroup = cgroup_memory(&text("/proc/self/cgroup").unwrap_or_default(), text);
    total.into_iter().chain(cgroup).min()
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The smallest limit of the groups in `/proc/self/cgroup` and of those they are in; `read` gives the text of a file.
///
/// A line is `0::/path` in version 2, and `4:cpu,memory:/path` for the memory of version 1. In a container the path may
/// be that outside, which is not there: the limit is then that of the root.
fn cgroup_memory(groups: &str, read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let limit = |file: String| read(&file)?.trim().parse::<u64>().ok();
    let limits = |(root, file, path): (&str, &str, &str)| {
        ancestors(path).filter_map(|group| limit(format!("{root}{group}/{file}"))).min()
    };
    let named = groups.lines().filter_map(memory_group).filter_map(limits);
    let roots = [V2, V1].into_iter().filter_map(|(root, file)| limits((root, file, "")));
    named.chain(roots).min()
}

/// Where the groups of a version are, and the file that has the limit of one.
const V2: (&str, &str) = ("/sys/fs/cgroup", "memory.max");
const V1: (&str, &str) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes");

/// The root, file and path of a line of `/proc/self/cgroup` that says something about memory.
fn memory_group(line: &str) -> Option<(&'static str, &'static str, &str)> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let (root, file) = match controllers {
        "" => V2,
        several if several.split(',').any(|one| one == "memory") => V1,
        _ => return None,
    };
    Some((root, file, path.trim_end_matches('/')))
}

/// A path and those above it, up to the empty one of the root.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rfind('/').map(|end| &path[..end]))
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

    /// The limit, with these files.
    fn limit_of(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
        let read = |path: &str| files.iter().find(|file| file.0 == path).map(|file| file.1.to_owned());
        cgroup_memory(groups, read)
    }

    #[test]
    fn limit_is_the_smallest_on_the_way_to_the_root() {
        let files = [
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/memory.max", "4096\n"),
            ("/sys/fs/cgroup/memory.max", "8192\n"),
            ("/sys/fs/cgroup/other/memory.max", "1\n"),
        ];
        assert_eq!(limit_of("0::/a/b\n", &files), Some(4096));
        assert_eq!(limit_of("0::/\n", &files), Some(8192));
        assert_eq!(limit_of("", &files), Some(8192));
    }

    #[test]
    fn first_version_has_a_hierarchy_for_memory() {
        let files = [
            ("/sys/fs/cgroup/memory/job:1/memory.limit_in_bytes", "1000\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/cpu/memory.limit_in_bytes", "1\n"),
        ];
        assert_eq!(limit_of("5:cpu:/cpu\n4:hugetlb,memory:/job:1\n0::/\n", &files), Some(1000));
        // A path of outside the container.
        assert_eq!(limit_of("4:memory:/docker/f00\n", &files), Some(9223372036854771712));
    }

    #[test]
    fn no_limit_where_no_group_has_one() {
        assert_eq!(limit_of("0::/a\n", &[("/sys/fs/cgroup/a/memory.max", "max\n")]), None);
        assert_eq!(limit_of("not a line\n", &[]), None);
    }

    #[test]
    fn memory_of_the_machine_is_in_kibibytes() {
        assert_eq!(total_memory("MemFree: 1 kB\nMemTotal:       16 kB\n"), Some(16384));
        assert_eq!(total_memory("MemFree: 1 kB\n"), None);
    }
}
