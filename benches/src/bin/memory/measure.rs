//! What a process takes: as the system sees it, and as the scheduler counts it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chunkwise::{Progress, Runtime};

use super::Failure;

/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(3);

/// What was seen of a computation.
pub(crate) struct Seen {
    pub(crate) ms: f64,
    pub(crate) rss_peak: u64,
    pub(crate) anon_peak: u64,
    pub(crate) tracked_peak: u64,
    pub(crate) spilled: u64,
}

/// Runs a computation on a runtime and looks on.
pub(crate) fn watch(
    runtime: &Runtime,
    run: impl FnOnce(&Runtime) -> Result<(), Failure>,
) -> Result<Seen, Failure> {
    let progress = Arc::new(Progress::new());
    let observed = runtime.observed_by(progress.clone());
    let idle = Resident::now();
    let sampler = Sampler::start();
    let start = Instant::now();
    let result = run(&observed);
    let ms = start.elapsed().as_secs_f64() * 1e3;
    let most = sampler.stop();
    result?;
    Ok(Seen {
        ms,
        rss_peak: most.all.saturating_sub(idle.all),
        anon_peak: most.anon.saturating_sub(idle.anon),
        tracked_peak: progress.peak_bytes(),
        spilled: progress.spilled_bytes(),
    })
}

/// Bytes of this process that are in memory.
#[derive(Clone, Copy, Debug, Default)]
struct Resident {
    all: u64,
    /// Those that are no file's.
    anon: u64,
}

impl Resident {
    /// Zeros where the system does not tell.
    fn now() -> Resident {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let kib = status.lines().find_map(|line| line.strip_prefix(name));
            kib.and_then(|kib| kib.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        Resident { all: field("VmRSS:"), anon: field("RssAnon:") }
    }
}

/// A thread that looks at the memory of the process until it is stopped.
struct Sampler {
    shared: Arc<Samples>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Samples {
    all: AtomicU64,
    anon: AtomicU64,
    stop: AtomicBool,
}

impl Samples {
    fn look(&self) {
        let now = Resident::now();
        self.all.fetch_max(now.all, Relaxed);
        self.anon.fetch_max(now.anon, Relaxed);
    }
}

impl Sampler {
    fn start() -> Sampler {
        let shared = Arc::new(Samples::default());
        let samples = shared.clone();
        let thread = std::thread::spawn(move || {
            while !samples.stop.load(Relaxed) {
                samples.look();
                std::thread::sleep(EVERY);
            }
        });
        Sampler { shared, thread }
    }

    fn stop(self) -> Resident {
        self.shared.look();
        self.shared.stop.store(true, Relaxed);
        // A sampler that panicked has seen what it has seen.
        drop(self.thread.join());
        Resident { all: self.shared.all.load(Relaxed), anon: self.shared.anon.load(Relaxed) }
    }
}
