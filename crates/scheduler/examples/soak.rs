//! Thousands of random runs with random faults, on pools of one to four threads: `cargo soak [RUNS] [--seed SEED]`.
//!
//! Each run draws its graph, budget, threads, error mode, disk and faults from a seed: tasks and codecs that fail or
//! panic, values that panic when copied or dropped, retries, full and missing disks, observers that panic, cancels at some
//! event, handles that are dropped, nested runs, runs at the same time. Checked are the values or the causes of the
//! error, and that nothing is left: values, leases, bytes on disk, files, threads. A run that hangs ends the process with
//! the state of its pool. The seed of a run that fails is printed; `cargo soak 1 --seed SEED` plays it alone.

#![cfg_attr(loom, allow(unused))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failure here is a found bug")]

#[cfg(not(loom))]
#[path = "../tests/common/mod.rs"]
mod common;

#[cfg(loom)]
fn main() {}

#[cfg(not(loom))]
fn main() -> std::process::ExitCode {
    soak::main()
}

#[cfg(not(loom))]
mod soak {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::process::ExitCode;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::common::Rng;
    use super::common::chaos::quiet;
    use super::common::leaks::Handles;
    use super::common::trial::{Arena, Tally, play};
    use super::common::watchdog::Watchdog;

    /// Runs between two looks at the files and threads of the process.
    const ROUND: u64 = 100;
    /// What a round never takes.
    const LIMIT: Duration = Duration::from_secs(120);

    /// What the command line asks for.
    struct Options {
        runs: u64,
        seed: u64,
    }

    impl Options {
        fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
            let number = |text: String| text.parse().map_err(|error| format!("`{text}`: {error}"));
            let mut options = Self { runs: 10_000, seed: 0 };
            while let Some(word) = words.next() {
                match word.as_str() {
                    "--seed" => options.seed = number(words.next().ok_or("--seed needs a number")?)?,
                    _ => options.runs = number(word)?,
                }
            }
            Ok(options)
        }
    }

    pub(super) fn main() -> ExitCode {
        quiet();
        match Options::parse(std::env::args().skip(1)).and_then(|options| soak(&options)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("soak: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn soak(options: &Options) -> Result<(), String> {
        let (start, mut tally) = (Instant::now(), Tally::default());
        let end = options.seed + options.runs;
        for first in (options.seed..end).step_by(ROUND as usize) {
            tally += round(first, end.min(first + ROUND))?;
            let done = first + ROUND - options.seed;
            if done.is_multiple_of(1000) {
                println!("{done} runs, {:.1} s: {tally}", start.elapsed().as_secs_f64());
            }
        }
        println!(
            "{} runs from seed {}, {:.1} s: {tally}",
            options.runs,
            options.seed,
            start.elapsed().as_secs_f64()
        );
        Ok(())
    }

    /// Plays the seeds `first..end` on pools of their own, which end with it.
    fn round(first: u64, end: u64) -> Result<Tally, String> {
        let before = Handles::now();
        let watchdog = Watchdog::with_limit(format!("soak --seed {first}"), LIMIT);
        let arena = Arena::new();
        arena.pools.iter().for_each(|pool| watchdog.watch(pool));
        let (mut tally, mut seed, mut dice) = (Tally::default(), first, Rng(first));
        while seed < end {
            let together = if dice.below(4) == 0 { (1 + dice.below(3)).min(end - seed) } else { 1 };
            tally += play_together(&arena, seed..seed + together)?;
            seed += together;
        }
        if !arena.is_clean() {
            return Err(format!("seeds {first} to {end} leave a lease: {:?}", arena.memory));
        }
        drop((watchdog, arena));
        match before.are_back() {
            true => Ok(tally),
            false => Err(format!("seeds {first} to {end} leave {:?}, {before:?} before", Handles::now())),
        }
    }

    /// Plays these seeds at the same time.
    fn play_together(arena: &Arena, seeds: std::ops::Range<u64>) -> Result<Tally, String> {
        thread::scope(|scope| {
            let threads: Vec<_> = seeds.map(|seed| scope.spawn(move || guarded(arena, seed))).collect();
            let mut tally = Tally::default();
            for thread in threads {
                tally += thread.join().map_err(|_| "a guard panicked")??;
            }
            Ok(tally)
        })
    }

    fn guarded(arena: &Arena, seed: u64) -> Result<Tally, String> {
        catch_unwind(AssertUnwindSafe(|| play(arena, seed))).map_err(|payload| {
            let text = payload.downcast_ref::<String>().cloned().unwrap_or_default();
            format!("seed {seed} fails, play it with `cargo soak 1 --seed {seed}`: {text}")
        })
    }
}
