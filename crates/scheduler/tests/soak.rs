//! A short soak: the long one is `cargo soak`. One test, so that the files and threads it counts are its own.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use common::chaos::quiet;
use common::leaks::Handles;
use common::trial::{Arena, Tally, play};
use common::watchdog::Watchdog;

#[test]
fn random_runs_with_random_faults_keep_their_promises_and_leave_nothing() {
    quiet();
    let before = Handles::now();
    let mut tally = Tally::default();
    for round in 0..4 {
        let watchdog = Watchdog::new(format!("soak round {round}"));
        let arena = Arena::new();
        arena.pools.iter().for_each(|pool| watchdog.watch(pool));
        for seed in round * 100..(round + 1) * 100 {
            tally += play(&arena, seed);
        }
        assert!(arena.is_clean());
    }
    assert!(before.are_back(), "{before:?} before, {:?} after", Handles::now());
    assert!(tally.finished > 0 && tally.failed > 0 && tally.cancelled > 0 && tally.spilled > 0, "{tally}");
}
