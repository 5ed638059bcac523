//! Pools: nested runs, runs at the same time, helpers, the end of a pool.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use chunkwise_scheduler::{BoxError, FnLayer, GraphBuilder, Layer, Plan, Pool, TaskCx};
use common::Dag;

/// `tasks` independent tasks, all kept.
fn many<V>(layer: impl Layer<V> + 'static, tasks: u32) -> Plan<V> {
    let mut graph = GraphBuilder::new();
    let layer = graph.layer(Arc::new(layer)).unwrap();
    for index in 0..tasks {
        let task = graph.task(layer, index, &[], Default::default()).unwrap();
        graph.keep(task).unwrap();
    }
    graph.build().plan(None).unwrap()
}

/// A layer whose task runs three tasks of the same kind, one level deeper, and counts the leaves.
fn nested(pool: Pool, depth: u32) -> impl Layer<u64> {
    FnLayer::new("nested", move |_, _: &mut [u64]| {
        if depth == 0 {
            return Ok(1);
        }
        Ok(pool.run(many(nested(pool.clone(), depth - 1), 3))?.iter().sum())
    })
}

#[test]
fn runs_nest_five_deep_on_any_number_of_threads() {
    for threads in [1, 2, 4] {
        let pool = Pool::new(threads).unwrap();
        assert_eq!(pool.run(many(nested(pool.clone(), 5), 1)).unwrap(), [243]);
    }
}

#[test]
fn a_lock_held_across_a_nested_run_does_not_deadlock() {
    for threads in [1, 2, 4] {
        let pool = Pool::new(threads).unwrap();
        let (inner, lock) = (pool.clone(), Arc::new(Mutex::new(0_u64)));
        let layer = FnLayer::new("locked", move |_, _: &mut [u64]| {
            let mut sum = lock.lock().unwrap();
            let values =
                inner.run(many(FnLayer::new("leaf", |index, _: &mut [u64]| Ok(u64::from(index))), 20))?;
            *sum += values.iter().sum::<u64>();
            Ok(*sum)
        });
        let sums = pool.run(many(layer, 16)).unwrap();
        assert_eq!(sums.into_iter().max(), Some(16 * 190));
    }
}

#[test]
fn two_pools_nest_into_each_other() {
    let (left, right) = (Pool::new(2).unwrap(), Pool::new(2).unwrap());
    let pools = [left.clone(), right];
    let layer = FnLayer::new("outer", move |_, _: &mut [u64]| {
        let again = pools[0].clone();
        let middle = FnLayer::new("middle", move |_, _: &mut [u64]| {
            let leaf = FnLayer::new("leaf", |_, _: &mut [u64]| Ok(1));
            Ok(again.run(many(leaf, 8))?.iter().sum())
        });
        Ok(pools[1].run(many(middle, 8))?.iter().sum())
    });
    assert_eq!(left.run(many(layer, 8)).unwrap(), [64; 8]);
}

#[test]
fn runs_of_several_threads_share_a_pool() {
    let pool = Pool::new(3).unwrap();
    thread::scope(|scope| {
        for seed in 0..16 {
            let pool = &pool;
            scope.spawn(move || {
                let dag = Dag::random(seed, 500);
                let layer = FnLayer::new("task", |index, inputs: &mut [u64]| {
                    Ok(common::value_of(index, inputs.iter().copied()))
                });
                let plan = dag.graph(Arc::new(layer)).plan(None).unwrap();
                for _ in 0..10 {
                    assert_eq!(pool.run(plan.clone()).unwrap(), dag.truth());
                }
            });
        }
    });
}

#[test]
fn all_threads_of_a_pool_work_on_one_run() {
    let threads = 4;
    let pool = Pool::new(threads).unwrap();
    let barrier = Arc::new(Barrier::new(threads));
    for _ in 0..50 {
        let barrier = Arc::clone(&barrier);
        // Nobody gets on before all four threads are inside.
        let layer = FnLayer::new("meet", move |index, _: &mut [u64]| {
            barrier.wait();
            Ok(u64::from(index))
        });
        assert_eq!(pool.run(many(layer, threads as u32)).unwrap(), [0, 1, 2, 3]);
    }
}

#[test]
fn ready_users_reach_all_threads() {
    let threads = 3;
    let pool = Pool::new(threads).unwrap();
    let barrier = Arc::new(Barrier::new(threads));
    for _ in 0..50 {
        let mut graph = GraphBuilder::<u64>::new();
        let one = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [u64]| Ok(1)))).unwrap();
        let barrier = Arc::clone(&barrier);
        let meet = FnLayer::new("meet", move |_, inputs: &mut [u64]| {
            barrier.wait();
            Ok(inputs[0])
        });
        let meet = graph.layer(Arc::new(meet)).unwrap();
        let source = graph.task(one, 0, &[], Default::default()).unwrap();
        for index in 0..threads as u32 {
            let task = graph.task(meet, index, &[source], Default::default()).unwrap();
            graph.keep(task).unwrap();
        }
        assert_eq!(pool.run(graph.build().plan(None).unwrap()).unwrap(), [1; 3]);
    }
}

#[test]
fn worker_indices_are_unique_in_a_run_and_the_caller_is_zero() {
    struct Seat(Barrier);
    impl Layer<(usize, thread::ThreadId)> for Seat {
        fn run(
            &self,
            _: u32,
            _: &mut [(usize, thread::ThreadId)],
            cx: &TaskCx<'_>,
        ) -> Result<(usize, thread::ThreadId), BoxError> {
            self.0.wait();
            Ok((cx.worker(), thread::current().id()))
        }
        fn label(&self, _: u32) -> String {
            "seat".to_string()
        }
    }
    let pool = Pool::new(3).unwrap();
    let mut seats = pool.run(many(Seat(Barrier::new(3)), 3)).unwrap();
    seats.sort_by_key(|seat| seat.0);
    assert_eq!(seats.iter().map(|seat| seat.0).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(seats[0].1, thread::current().id());
}

#[test]
fn short_graphs_and_chains_stay_on_the_calling_thread() {
    struct Short;
    impl Layer<thread::ThreadId> for Short {
        fn run(
            &self,
            _: u32,
            _: &mut [thread::ThreadId],
            _: &TaskCx<'_>,
        ) -> Result<thread::ThreadId, BoxError> {
            Ok(thread::current().id())
        }
        fn label(&self, _: u32) -> String {
            "short".to_string()
        }
        fn nanos_hint(&self, _: u32) -> Option<u64> {
            Some(100)
        }
    }
    let pool = Pool::new(4).unwrap();
    let here = thread::current().id();
    assert!(pool.run(many(Short, 64)).unwrap().iter().all(|&thread| thread == here));
}

#[test]
fn an_empty_graph_returns_nothing() {
    for threads in [1, 2] {
        let plan = GraphBuilder::<u64>::new().build().plan(Some(0)).unwrap();
        assert!(Pool::new(threads).unwrap().run(plan).unwrap().is_empty());
    }
}

#[test]
fn a_task_may_be_kept_twice() {
    for threads in [1, 2] {
        let mut graph = GraphBuilder::<u64>::new();
        let layer =
            graph.layer(Arc::new(FnLayer::new("count", |i, _: &mut [u64]| Ok(u64::from(i))))).unwrap();
        let tasks = [5, 6].map(|index| graph.task(layer, index, &[], Default::default()).unwrap());
        for at in [1, 0, 1] {
            graph.keep(tasks[at]).unwrap();
        }
        assert_eq!(Pool::new(threads).unwrap().run(graph.build().plan(None).unwrap()).unwrap(), [6, 5, 6]);
    }
}

#[test]
fn the_last_user_gets_the_value_itself() {
    for threads in [1, 2] {
        let mut graph = GraphBuilder::<Arc<u64>>::new();
        let one = graph.layer(Arc::new(FnLayer::new("one", |_, _: &mut [_]| Ok(Arc::new(1))))).unwrap();
        let add = FnLayer::new("add", |_, inputs: &mut [Arc<u64>]| {
            *Arc::get_mut(&mut inputs[0]).ok_or("the input is still shared")? += 1;
            Ok(Arc::clone(&inputs[0]))
        });
        let add = graph.layer(Arc::new(add)).unwrap();
        let side = graph.task(one, 0, &[], Default::default()).unwrap();
        let start = graph.task(one, 1, &[], Default::default()).unwrap();
        let next = graph.task(add, 0, &[start, side], Default::default()).unwrap();
        let last = graph.task(add, 1, &[next], Default::default()).unwrap();
        graph.keep(last).unwrap();
        assert_eq!(*Pool::new(threads).unwrap().run(graph.build().plan(None).unwrap()).unwrap()[0], 3);
    }
}

#[test]
fn the_last_handle_of_a_pool_may_go_in_one_of_its_own_workers() {
    let pool = Pool::new(2).unwrap();
    let (inner, barrier) = (Mutex::new(Some(pool.clone())), Arc::new(Barrier::new(2)));
    let layer = FnLayer::new("drop", move |_, _: &mut [u64]| {
        barrier.wait();
        drop(inner.lock().unwrap().take());
        Ok(0)
    });
    assert_eq!(pool.run(many(layer, 2)).unwrap(), [0, 0]);
}

#[test]
fn dropping_a_pool_ends_its_workers() {
    let alive = Arc::new(AtomicUsize::new(0));
    for _ in 0..20 {
        let pool = Pool::new(3).unwrap();
        let held = Arc::clone(&alive);
        let layer = FnLayer::new("hold", move |_, _: &mut [u64]| Ok(held.fetch_add(1, SeqCst) as u64));
        pool.run(many(layer, 100)).unwrap();
        drop(pool);
        assert_eq!(Arc::strong_count(&alive), 1, "no worker holds on to a run");
    }
    assert_eq!(alive.load(SeqCst), 2000);
}
