//! The spill store on real files: values come back, threads do not mix them up, and nothing stays on disk.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use chunkwise_scheduler::{SpillError, SpillRecord, SpillStore};

/// A directory of one test, removed at its end with all it holds.
struct TestDir(PathBuf);

impl TestDir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("spill-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn entries(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Bytes that differ from place to place and from value to value.
fn value(seed: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (seed ^ i).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]).collect()
}

fn write(store: &SpillStore, bytes: &[u8]) -> Result<SpillRecord, SpillError> {
    store.write(|out| out.write_all(bytes))
}

fn read(record: &SpillRecord) -> Vec<u8> {
    let mut bytes = vec![0; record.nbytes() as usize];
    record.read(|from| from.read_exact(&mut bytes)).unwrap();
    bytes
}

/// Open files of this process that lie, or lay, in `directory`.
#[cfg(target_os = "linux")]
fn open_files(directory: &Path) -> usize {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    descriptors
        .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
        .filter(|to| to.starts_with(directory))
        .count()
}

#[test]
fn nothing_happens_on_disk_before_the_first_write() {
    let parent = TestDir::new();
    let directory = parent.path().join("spill");
    let store = SpillStore::new(&directory, None);
    assert!(!directory.exists());
    let record = write(&store, b"first").unwrap();
    assert!(directory.is_dir());
    assert_eq!(read(&record), b"first");
}

#[test]
fn the_directory_stays_empty_while_values_are_there() {
    let directory = TestDir::new();
    let store = SpillStore::new(directory.path(), None);
    let records: Vec<SpillRecord> =
        (0..20).map(|seed| write(&store, &value(seed, 300_000)).unwrap()).collect();
    assert_eq!(directory.entries(), 0);
    for (seed, record) in records.iter().enumerate() {
        assert!(read(record) == value(seed as u64, 300_000));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn files_are_closed_and_records_outlive_the_store() {
    let directory = TestDir::new();
    let store = SpillStore::new(directory.path(), None);
    let records: Vec<SpillRecord> =
        (0..10).map(|seed| write(&store, &value(seed, 50_000)).unwrap()).collect();
    assert_eq!(open_files(directory.path()), 1);
    drop(store);
    assert!(read(&records[9]) == value(9, 50_000));
    drop(records);
    assert_eq!(open_files(directory.path()), 0);
}

#[test]
fn threads_share_a_store() {
    let directory = TestDir::new();
    let store = SpillStore::new(directory.path(), None);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                let mut kept = Vec::new();
                for turn in 0..60_u64 {
                    let (seed, len) = (thread << 32 | turn, (turn * 37_633 % 900_000) as usize);
                    kept.push((seed, len, write(store, &value(seed, len)).unwrap()));
                    if turn % 3 == 2 {
                        let (seed, len, record) = kept.swap_remove(turn as usize % kept.len());
                        assert!(read(&record) == value(seed, len));
                    }
                }
                assert!(kept.iter().all(|(seed, len, record)| read(record) == value(*seed, *len)));
            });
        }
    });
    assert_eq!(store.stats().on_disk, 0);
}

#[test]
fn one_record_is_read_by_many_threads() {
    let directory = TestDir::new();
    let record = write(&SpillStore::new(directory.path(), None), &value(1, 3_000_000)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(read(&record) == value(1, 3_000_000)));
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn freed_ranges_go_back_to_the_file_system() {
    use std::os::unix::fs::MetadataExt;
    let directory = TestDir::new();
    let store = SpillStore::new(directory.path(), None);
    let keeper = write(&store, b"keeps the file open").unwrap();
    let file = std::fs::read_dir("/proc/self/fd").unwrap().map(|fd| fd.unwrap().path());
    let file = file.filter(|fd| std::fs::read_link(fd).is_ok_and(|to| to.starts_with(directory.path())));
    let file: Vec<PathBuf> = file.collect();
    let blocks = || std::fs::metadata(&file[0]).unwrap().blocks();
    let before = blocks();
    let record = write(&store, &value(1, 10_000_000)).unwrap();
    assert!(blocks() >= before + 10_000_000 / 512);
    drop(record);
    // A file system without holes keeps the blocks, and then they count.
    assert!(blocks() < before + 100 || store.stats().on_disk > 10_000_000);
    assert_eq!(read(&keeper), b"keeps the file open");
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = TestDir::new();
    let file = directory.path().join("file");
    std::fs::write(&file, b"").unwrap();
    for path in [file.clone(), file.join("below"), directory.path().join("no/parent"), PathBuf::new()] {
        let error = write(&SpillStore::new(&path, None), b"x").unwrap_err();
        assert!(matches!(&error, SpillError::Create { directory, .. } if *directory == path), "{error}");
        assert!(!error.is_full());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn directories_in_memory_are_known() {
    let directory = TestDir::new();
    let of = |path: &Path| SpillStore::new(path, None).is_memory_backed();
    assert_eq!(of(directory.path()).unwrap(), of(&directory.path().join("to be made")).unwrap());
    assert!(of(&directory.path().join("no/parent")).is_err());
    assert!(!of(Path::new("/proc")).unwrap());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    if mounts.lines().any(|line| line.starts_with("tmpfs /dev/shm ")) {
        assert!(of(Path::new("/dev/shm")).unwrap());
    }
}

/// What the child of the next test does; on its own it does nothing.
#[test]
fn child_that_spills_until_it_is_killed() {
    let Some(directory) = std::env::var_os("SPILL_UNTIL_KILLED") else { return };
    let store = SpillStore::new(directory, None);
    let _kept = write(&store, &value(0, 5_000_000)).unwrap();
    let big = value(1, 1_000_000);
    let endless = store.write(|out| {
        for _ in 0..3 {
            out.write_all(&big)?;
        }
        // In the middle of a record: the parent kills at this line or in the writes after it.
        println!("\nspilling");
        std::io::stdout().flush()?;
        (0..200).try_for_each(|_| out.write_all(&big))
    });
    let _record = endless.unwrap();
    std::thread::park();
}

#[cfg(unix)]
#[test]
fn a_killed_process_leaves_nothing() {
    use std::os::unix::process::ExitStatusExt;
    let directory = TestDir::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_spills_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env("SPILL_UNTIL_KILLED", directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "spilling"));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(directory.entries(), 0);
}
