//! What a test must leave as it was: files and threads of the process, bytes of a spill store.

use std::path::Path;

use chunkwise_scheduler::SpillStore;

/// Files and threads of the process, where the system tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handles {
    pub(crate) files: usize,
    pub(crate) threads: usize,
}

impl Handles {
    /// What is open now; zero where there is no `/proc`.
    pub(crate) fn now() -> Self {
        Self { files: entries("/proc/self/fd"), threads: entries("/proc/self/task") }
    }

    /// Returns once there are no more than these: a thread that was joined may be on the system's list a moment longer.
    /// False when that does not happen.
    pub(crate) fn are_back(self) -> bool {
        (0..1_000_000).any(|_| {
            let now = Self::now();
            let back = now.files <= self.files && now.threads <= self.threads;
            if !back {
                std::thread::yield_now();
            }
            back
        })
    }
}

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// A spill store in a folder of its own, which goes with it.
pub(crate) struct TestStore {
    pub(crate) store: SpillStore,
    folder: std::path::PathBuf,
}

impl TestStore {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("chunkwise-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        Self { store: SpillStore::new(&folder, limit), folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether nothing is on disk, in records or in files.
    pub(crate) fn is_clean(&self) -> bool {
        self.store.stats().on_disk == 0 && std::fs::read_dir(&self.folder).map_or(0, Iterator::count) == 0
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
