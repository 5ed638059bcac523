//! Faults where they hurt: at every event of a run, at its end, in nested runs, on a disk that does not work.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use chunkwise_scheduler::{
    BoxError, CancelToken, ErrorMode, FnLayer, GraphBuilder, Layer, Plan, PlanError, Pool, RunOptions,
    SpillStore, TaskCx, TaskErrorKind,
};
use common::Dag;
use common::chaos::{CodecFault, Fate, Piece, Trip, Tripwire, World, quiet};
use common::leaks::TestStore;
use common::watchdog::Watchdog;

/// The tightest plan there is.
fn tight(world: &Arc<World>) -> Plan<Piece> {
    match world.plan(Some(0)) {
        Ok(plan) => plan,
        Err(PlanError::BudgetTooSmall { needed, .. }) => world.plan(Some(needed)).unwrap(),
        Err(error) => panic!("{error}"),
    }
}

fn world(dag: &Dag, faults: &[(usize, Fate)]) -> World {
    quiet();
    let mut world = World::new(dag.clone());
    faults.iter().for_each(|&(task, fate)| world.fates[task] = fate);
    world
}

/// Lets something happen at every event of a run, on pools of 1, 2 and 4 threads. `check` gets whether it happened.
fn at_every_event(
    name: &str,
    trip: impl Fn(&CancelToken) -> Trip,
    check: impl Fn(&World, Result<Vec<Piece>, chunkwise_scheduler::RunError>),
) {
    let watchdog = Watchdog::new(name);
    let dag = Dag::long_lived(5, 14);
    for threads in [1, 2, 4] {
        let (pool, store) = (Pool::new(threads).unwrap(), TestStore::new(None));
        watchdog.watch(&pool);
        let mut spills = false;
        for event in 1.. {
            let world = Arc::new(world(&dag, &[(3, Fate::Retries(1))]));
            let plan = tight(&world);
            spills |= plan.spill_bytes() > 0;
            let tripwire = Tripwire::new(event, trip(&world.token));
            let options = RunOptions::new().cancel(world.token.clone()).spill_to(store.store.clone());
            let result = pool.run_with(plan, options.observer(tripwire.clone()));
            check(&world, result);
            assert_eq!(world.live(), 0);
            assert!(store.is_clean());
            if !tripwire.has_tripped() {
                break;
            }
        }
        assert!(spills, "the graph is too small for its budget");
    }
}

#[test]
fn a_run_that_is_cancelled_at_any_event_ends_and_leaves_nothing() {
    at_every_event(
        "cancel at every event",
        |token| Trip::Cancel(token.clone()),
        |world, result| {
            let cancelled = world.token.is_cancelled();
            // The last event comes after the end.
            world.check(result, cancelled, false);
        },
    );
}

#[test]
fn an_observer_that_panics_at_any_event_changes_nothing() {
    at_every_event(
        "panic at every event",
        |_| Trip::Panic,
        |world, result| {
            assert!(result.is_ok());
            world.check(result, false, false);
        },
    );
}

/// Fails, and is cancelled when asked whether to try again.
struct Stubborn {
    token: CancelToken,
    runs: Arc<AtomicU32>,
}

impl Layer<u64> for Stubborn {
    fn run(&self, _: u32, _: &mut [u64], _: &TaskCx<'_>) -> Result<u64, BoxError> {
        self.runs.fetch_add(1, SeqCst);
        Err("not yet".into())
    }

    fn label(&self, index: u32) -> String {
        format!("stubborn {index}")
    }

    fn retries(&self) -> bool {
        true
    }

    fn retry(&self, _: u32, _: u32, _: &(dyn std::error::Error + 'static)) -> Option<Duration> {
        self.token.cancel();
        Some(Duration::from_secs(3600))
    }
}

#[test]
fn a_task_that_waits_for_its_next_attempt_does_not_run_again_after_a_cancel() {
    let _watchdog = Watchdog::new("cancelled retry");
    for (threads, tasks) in [(1, 1), (2, 1), (2, 3), (4, 3)] {
        let (token, runs) = (CancelToken::new(), Arc::new(AtomicU32::new(0)));
        let mut graph = GraphBuilder::new();
        let stubborn = Stubborn { token: token.clone(), runs: Arc::clone(&runs) };
        let layer = graph.layer(Arc::new(stubborn)).unwrap();
        for index in 0..tasks {
            graph.task(layer, index, &[], Default::default()).unwrap();
        }
        let plan = graph.build().plan(None).unwrap();
        let pool = Pool::new(threads).unwrap();
        let error = pool.run_with(plan, RunOptions::new().cancel(token)).unwrap_err();
        assert!(error.is_cancelled() && error.errors().is_empty());
        assert!(runs.load(SeqCst) <= tasks);
    }
}

#[test]
fn a_copy_of_a_kept_value_that_panics_is_an_error() {
    for threads in [1, 2] {
        let mut dag = Dag::default();
        let (fragile, other) = (dag.add(&[], 10, 0), dag.add(&[], 10, 0));
        dag.keep = vec![other, fragile, fragile];
        let world = Arc::new(world(&dag, &[(fragile as usize, Fate::Fragile)]));
        let error = Pool::new(threads).unwrap().run(world.plan(None).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "task `piece 0`: panicked: chaos: a copy of a value");
        assert_eq!(world.live(), 0);
    }
}

/// A value that goes to disk while a large task runs, is used after it, and is the `fate` of.
fn one_spilled(fate: Fate, codec: CodecFault) -> Arc<World> {
    let mut dag = Dag::default();
    // Some tasks have a hash that lets their values be spilled; the others are not used again.
    let spilled = (0..).find(|_| {
        let task = dag.add(&[], 1, 0);
        common::mix(u64::from(task)) % 8 > 3
    });
    let value = spilled.map(|_| dag.inputs.len() as u32 - 1).unwrap();
    dag.bytes[value as usize].output = 20;
    let near = dag.add(&[value], 10, 0);
    let large = dag.add(&[near], 10, 30);
    let last = dag.add(&[value, large], 10, 0);
    dag.keep = vec![last];
    let mut world = world(&dag, &[(value as usize, fate)]);
    world.codec = codec;
    Arc::new(world)
}

#[test]
fn a_value_that_a_full_disk_left_in_memory_may_panic_in_its_drop_when_the_run_has_failed() {
    for threads in [1, 2] {
        let world = one_spilled(Fate::Bomb, CodecFault::WriteFails);
        let plan = tight(&world);
        assert!(plan.spill_bytes() > 0);
        let error = Pool::new(threads).unwrap().run(plan).unwrap_err();
        let kinds: Vec<&TaskErrorKind> = error.errors().iter().map(|error| &error.kind).collect();
        assert!(matches!(kinds[..], [TaskErrorKind::Spill(_), TaskErrorKind::Panicked(_)]), "{kinds:?}");
        assert_eq!(world.live(), 0);
    }
}

#[test]
fn a_spill_folder_that_is_missing_or_a_file_or_too_small_is_an_error_of_the_task_that_has_no_memory() {
    let (folder, file) =
        (TestStore::new(None), std::env::temp_dir().join(format!("file-{}", std::process::id())));
    std::fs::write(&file, b"not a folder").unwrap();
    let stores = [
        SpillStore::new(folder.folder().join("no").join("such"), None),
        SpillStore::new(&file, None),
        SpillStore::new(folder.folder(), Some(0)),
    ];
    for (store, threads) in
        stores.into_iter().flat_map(|store| [1, 2, 4].map(|threads| (store.clone(), threads)))
    {
        let world = one_spilled(Fate::Fine, CodecFault::None);
        let options = RunOptions::new().spill_to(store);
        let error = Pool::new(threads).unwrap().run_with(tight(&world), options).unwrap_err();
        assert!(matches!(error.errors()[0].kind, TaskErrorKind::Spill(_)), "{error}");
        assert_eq!((error.errors().len(), world.live()), (1, 0));
    }
    std::fs::remove_file(file).unwrap();
    assert!(folder.is_clean());
}

#[test]
fn a_codec_that_fails_or_panics_fails_its_task_and_leaves_nothing() {
    use CodecFault::{ReadFails, ReadPanics, WriteFails, WritePanics};
    for codec in [WriteFails, WritePanics, ReadFails, ReadPanics] {
        for threads in [1, 2, 4] {
            let (world, store) = (one_spilled(Fate::Fine, codec), TestStore::new(None));
            let options = RunOptions::new().spill_to(store.store.clone());
            let result = Pool::new(threads).unwrap().run_with(tight(&world), options);
            assert!(result.is_err(), "{codec:?}");
            world.check(result, false, false);
            assert_eq!(world.live(), 0);
            assert!(store.is_clean());
        }
    }
}

#[test]
fn the_first_error_is_the_same_for_any_number_of_threads_within_a_tight_budget() {
    for seed in 0..30 {
        let dag = Dag::long_lived(seed, 30);
        let faults = [(7 + seed as usize % 9, Fate::Fails), (19, Fate::Panics), (24, Fate::Fails)];
        let first = |threads| {
            let world = Arc::new(world(&dag, &faults));
            let error = Pool::new(threads).unwrap().run(tight(&world)).unwrap_err();
            assert_eq!(world.live(), 0);
            error.to_string().split(" (and").next().map(str::to_string)
        };
        let expected = first(1);
        assert_eq!((first(2), first(4)), (expected.clone(), expected), "seed {seed}");
    }
}

#[test]
fn a_run_that_stops_at_any_error_keeps_the_errors_of_tasks_that_were_running() {
    let threads = 3;
    let mut graph = GraphBuilder::<u64>::new();
    let barrier = Barrier::new(threads);
    let meet = FnLayer::new("meet", move |index, _: &mut [u64]| {
        barrier.wait();
        Err(format!("no data {index}").into())
    });
    let layer = graph.layer(Arc::new(meet)).unwrap();
    for index in 0..threads as u32 {
        graph.task(layer, index, &[], Default::default()).unwrap();
    }
    let options = RunOptions::new().errors(ErrorMode::FailFast);
    let error = Pool::new(threads).unwrap().run_with(graph.build().plan(None).unwrap(), options).unwrap_err();
    assert_eq!(error.errors().iter().map(|error| error.index).collect::<Vec<_>>(), [0, 1, 2]);
}

/// A graph of one task that runs another such graph, `depth` levels deep; the innermost cancels all of them.
fn cancelled_inside(pool: &Pool, depth: u32, token: &CancelToken) -> Plan<u64> {
    let (inner, seen) = (pool.clone(), token.clone());
    let layer = FnLayer::new("level", move |_, _: &mut [u64]| {
        if depth == 0 {
            seen.cancel();
            return Ok(0);
        }
        let options = RunOptions::new().cancel(seen.clone());
        Ok(inner.run_with(cancelled_inside(&inner, depth - 1, &seen), options)?[0])
    });
    let mut graph = GraphBuilder::new();
    let layer = graph.layer(Arc::new(layer)).unwrap();
    for index in 0..3 {
        let task = graph.task(layer, index, &[], Default::default()).unwrap();
        graph.keep(task).unwrap();
    }
    graph.build().plan(None).unwrap()
}

#[test]
fn nested_runs_that_are_cancelled_from_inside_all_end() {
    let watchdog = Watchdog::new("cancelled from inside");
    for threads in [1, 2, 4] {
        let (pool, token) = (Pool::new(threads).unwrap(), CancelToken::new());
        watchdog.watch(&pool);
        let plan = cancelled_inside(&pool, 5, &token);
        let error = pool.run_with(plan, RunOptions::new().cancel(token)).unwrap_err();
        assert!(error.is_cancelled());
        let kept = pool.run(cancelled_inside(&pool, 0, &CancelToken::new())).unwrap();
        assert_eq!(kept, [0; 3], "the pool goes on");
    }
}

#[test]
fn a_pool_tells_how_far_its_runs_are() {
    let pool = Pool::new(2).unwrap();
    let (inner, text) = (pool.clone(), Arc::new(std::sync::Mutex::new(String::new())));
    let told = Arc::clone(&text);
    let mut graph = GraphBuilder::<u64>::new();
    let tell = FnLayer::new("tell", move |index, _: &mut [u64]| {
        if index == 0 {
            *told.lock().unwrap() = format!("{inner:?}");
        }
        Ok(0)
    });
    let layer = graph.layer(Arc::new(tell)).unwrap();
    for index in 0..3 {
        graph.task(layer, index, &[], Default::default()).unwrap();
    }
    pool.run(graph.build().plan(None).unwrap()).unwrap();
    let text = text.lock().unwrap();
    for part in
        ["Run { tasks: 3, sources_taken: ", "of 3", "window: None", "delayed: 0", "gate: Gate { helpers: "]
    {
        assert!(text.contains(part), "`{part}` is missing in {text}");
    }
    assert!(format!("{pool:?}").ends_with("runs: [] }"));
}
