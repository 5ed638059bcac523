//! Errors and panics of tasks and values: what is reported, and that nothing else suffers.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};

use chunkwise_scheduler::{
    BoxError, FnLayer, GraphBuilder, Layer, Plan, Pool, RunError, TaskCx, TaskErrorKind, TaskId,
};
use common::{Dag, Ledger, Tracked, TrackedLayer};

/// Runs a [`TrackedLayer`] but fails at some tasks.
struct FailingLayer {
    tracked: TrackedLayer,
    returns: BTreeSet<u32>,
    panics: BTreeSet<u32>,
}

impl Layer<Arc<Tracked>> for FailingLayer {
    fn run(
        &self,
        index: u32,
        inputs: &mut [Arc<Tracked>],
        cx: &TaskCx<'_>,
    ) -> Result<Arc<Tracked>, BoxError> {
        if self.returns.contains(&index) {
            return Err(format!("no data {index}").into());
        }
        assert!(!self.panics.contains(&index), "broken {index}");
        self.tracked.run(index, inputs, cx)
    }

    fn label(&self, index: u32) -> String {
        format!("failing {index}")
    }
}

fn fail_at(dag: &Dag, returns: &[u32], panics: &[u32]) -> (Plan<Arc<Tracked>>, Arc<Ledger>) {
    let ledger = Ledger::new(dag.inputs.len());
    let layer = FailingLayer {
        tracked: TrackedLayer { dag: dag.clone(), ledger: Arc::clone(&ledger) },
        returns: returns.iter().copied().collect(),
        panics: panics.iter().copied().collect(),
    };
    (dag.graph(Arc::new(layer)).plan(None).unwrap(), ledger)
}

fn one_task<V: Clone>(layer: impl Layer<V> + 'static, tasks: u32) -> Plan<V> {
    let mut graph = GraphBuilder::new();
    let layer = graph.layer(Arc::new(layer)).unwrap();
    for index in 0..tasks {
        let task = graph.task(layer, index, &[], Default::default()).unwrap();
        graph.keep(task).unwrap();
    }
    graph.build().plan(None).unwrap()
}

fn first(error: &RunError) -> (TaskId, u32, String) {
    let error = &error.errors()[0];
    (error.task, error.index, error.to_string())
}

#[test]
fn the_first_error_is_the_same_for_any_number_of_threads() {
    for seed in 0..60 {
        let dag = Dag::random(seed, 200);
        let failing = [17, 60, 61, 140].map(|task| (task + seed as u32) % 200);
        let (returns, panics) = failing.split_at(2);
        let expected = first(&Pool::new(1).unwrap().run(fail_at(&dag, returns, panics).0).unwrap_err());
        for threads in [2, 4] {
            let pool = Pool::new(threads).unwrap();
            let (plan, ledger) = fail_at(&dag, returns, panics);
            let error = pool.run(plan).unwrap_err();
            assert_eq!(first(&error), expected);
            assert_eq!(ledger.live(), 0, "a failed run frees everything");
        }
    }
}

#[test]
fn errors_come_in_execution_order_with_their_cause() {
    let barrier = Barrier::new(2);
    let layer = FnLayer::new("load", move |index, _: &mut [u64]| {
        barrier.wait();
        Err(format!("no file {index}").into())
    });
    let error = Pool::new(2).unwrap().run(one_task(layer, 2)).unwrap_err();
    let messages: Vec<String> = error.errors().iter().map(ToString::to_string).collect();
    assert_eq!(messages, ["task `load 0`: no file 0", "task `load 1`: no file 1"]);
    assert_eq!(error.to_string(), "task `load 0`: no file 0 (and 1 more failed tasks)");
    assert_eq!(error.source().unwrap().to_string(), "no file 0");
}

#[test]
fn a_panic_is_returned_with_its_message_and_the_pool_goes_on() {
    for threads in [1, 2, 4] {
        let pool = Pool::new(threads).unwrap();
        let dag = Dag::random(3, 100);
        let error = pool.run(fail_at(&dag, &[], &[40]).0).unwrap_err();
        let failed = &error.errors()[0];
        assert_eq!((failed.task.number(), failed.label.as_str()), (40, "failing 40"));
        assert!(matches!(&failed.kind, TaskErrorKind::Panicked(message) if message == "broken 40"));
        let kept = pool.run(fail_at(&dag, &[], &[]).0).unwrap();
        assert_eq!(kept.iter().map(|value| value.number).collect::<Vec<_>>(), dag.truth());
    }
}

/// Panics when its last handle is dropped.
#[derive(Debug)]
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("boom");
    }
}

#[test]
fn a_panic_in_the_drop_of_a_value_is_an_error_of_the_task_that_drops_it() {
    for threads in [1, 2, 4] {
        let mut graph = GraphBuilder::<Option<Arc<Grenade>>>::new();
        let arm =
            graph.layer(Arc::new(FnLayer::new("arm", |_, _: &mut [_]| Ok(Some(Arc::new(Grenade)))))).unwrap();
        let defuse = graph.layer(Arc::new(FnLayer::new("use", |_, _: &mut [_]| Ok(None)))).unwrap();
        let armed = graph.task(arm, 0, &[], Default::default()).unwrap();
        let other = graph.task(defuse, 1, &[], Default::default()).unwrap();
        let used = graph.task(defuse, 0, &[armed, other], Default::default()).unwrap();
        graph.keep(used).unwrap();
        let error = Pool::new(threads).unwrap().run(graph.build().plan(None).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "task `use 0`: panicked: boom");
    }
}

#[test]
fn a_panic_in_the_drop_of_an_unused_value_is_an_error_of_its_task() {
    for threads in [1, 2] {
        let mut graph = GraphBuilder::<Option<Arc<Grenade>>>::new();
        let arm =
            graph.layer(Arc::new(FnLayer::new("arm", |_, _: &mut [_]| Ok(Some(Arc::new(Grenade)))))).unwrap();
        graph.task(arm, 0, &[], Default::default()).unwrap();
        graph.task(arm, 1, &[], Default::default()).unwrap();
        let error = Pool::new(threads).unwrap().run(graph.build().plan(None).unwrap()).unwrap_err();
        assert_eq!(first(&error).2, "task `arm 0`: panicked: boom");
    }
}

#[test]
fn values_left_by_a_failed_run_may_panic_in_their_drop() {
    for threads in [1, 2] {
        let mut graph = GraphBuilder::<Option<Arc<Grenade>>>::new();
        let arm =
            graph.layer(Arc::new(FnLayer::new("arm", |_, _: &mut [_]| Ok(Some(Arc::new(Grenade)))))).unwrap();
        let fail = graph.layer(Arc::new(FnLayer::new("fail", |_, _: &mut [_]| Err("no".into())))).unwrap();
        let armed = graph.task(arm, 0, &[], Default::default()).unwrap();
        graph.task(fail, 0, &[armed], Default::default()).unwrap();
        graph.keep(armed).unwrap();
        let error = Pool::new(threads).unwrap().run(graph.build().plan(None).unwrap()).unwrap_err();
        let messages: Vec<String> = error.errors().iter().map(ToString::to_string).collect();
        assert_eq!(messages, ["task `fail 0`: no", "task `arm 0`: panicked: boom"]);
    }
}

#[test]
fn a_label_that_panics_does_not_hide_the_error() {
    struct Nameless;
    impl Layer<u64> for Nameless {
        fn run(&self, _: u32, _: &mut [u64], _: &TaskCx<'_>) -> Result<u64, BoxError> {
            Err("no data".into())
        }
        fn label(&self, _: u32) -> String {
            panic!("no name")
        }
    }
    let error = Pool::new(1).unwrap().run(one_task(Nameless, 1)).unwrap_err();
    assert_eq!(error.to_string(), "task `index 0 of layer 0, whose label panicked: no name`: no data");
}

#[test]
fn tasks_after_a_failed_one_see_that_they_are_cancelled() {
    struct Waits(Barrier);
    impl Layer<u64> for Waits {
        fn run(&self, index: u32, _: &mut [u64], cx: &TaskCx<'_>) -> Result<u64, BoxError> {
            self.0.wait();
            if index == 0 {
                return Err("no data".into());
            }
            while !cx.cancelled() {
                std::thread::yield_now();
            }
            Ok(1)
        }
        fn label(&self, index: u32) -> String {
            format!("wait {index}")
        }
    }
    let error = Pool::new(2).unwrap().run(one_task(Waits(Barrier::new(2)), 2)).unwrap_err();
    assert_eq!(error.to_string(), "task `wait 0`: no data");
}

#[test]
fn a_failure_does_not_touch_another_run_in_flight() {
    let pool = Pool::new(3).unwrap();
    let dag = Dag::random(11, 400);
    std::thread::scope(|scope| {
        for round in 0..20 {
            let (pool, dag) = (&pool, &dag);
            scope.spawn(move || {
                let fails = round % 2 == 0;
                let (plan, ledger) = fail_at(dag, if fails { &[150] } else { &[] }, &[]);
                match pool.run(plan) {
                    Ok(kept) => assert!(!fails && kept.iter().map(|value| value.number).eq(dag.truth())),
                    Err(error) => assert!(fails && error.errors()[0].index == 150),
                }
                assert_eq!(ledger.live(), 0);
            });
        }
    });
}

#[test]
fn nothing_runs_after_a_failure_on_one_thread() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let layer = FnLayer::new("load", move |index, _: &mut [u64]| {
        counted.fetch_add(1, SeqCst);
        if index == 2 { Err("no data".into()) } else { Ok(0) }
    });
    Pool::new(1).unwrap().run(one_task(layer, 10)).unwrap_err();
    assert_eq!(runs.load(SeqCst), 3);
}
