//! Runs in the background: handles, cancellation, progress, retries, observers.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::future::Future;
use std::io::{Error as IoError, ErrorKind as IoKind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use chunkwise_lazy::prelude::*;
use chunkwise_lazy::{CancelToken, ErrorKind, Observer, Retry, RunEvent, TaskEnd, TaskEvent};
use ndarray::Array1;

fn runtime(threads: usize) -> Runtime {
    Runtime::builder().threads(threads).memory_limit("64 MiB").build().unwrap()
}

/// An array whose first block tells that it is being made and waits for permission to end; counts its blocks.
fn gated(blocks: usize) -> (LazyArray1<f64>, Receiver<()>, Sender<()>, Arc<AtomicUsize>) {
    let (tell, started) = channel();
    let (permit, permitted) = channel::<()>();
    let (gate, made) = (Mutex::new((tell, permitted)), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&made);
    let array = LazyArray::from_blocks(blocks, 1, move |block| {
        if count.fetch_add(1, SeqCst) == 0 {
            let gate = gate.lock().unwrap();
            gate.0.send(()).unwrap();
            // Whoever gives no permission any more wants no result.
            let _ = gate.1.recv();
        }
        Array1::from_elem(1, block.start[0] as f64)
    });
    (array, started, permit, made)
}

/// Polls a future on this thread until it is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn handles_give_the_result_to_those_who_wait_and_to_those_who_await() {
    for threads in [1, 2, 4] {
        let rt = runtime(threads);
        let x = LazyArray::arange(0.0_f64, 1000.0, 1.0, 10);
        assert_eq!(rt.submit(x.sum()).unwrap().wait().unwrap(), 499_500.0);
        let run = rt.submit((x.max(), delayed(|| 7))).unwrap();
        let (max, seven) = block_on(run).unwrap();
        assert_eq!((max, *seven), (999.0, 7));
    }
}

#[test]
fn a_dropped_handle_stops_the_run_and_a_detached_one_does_not() {
    // One thread: no other makes the blocks behind the first.
    let rt = runtime(1);
    let (x, started, permit, made) = gated(500);
    let run = rt.submit(x.sum()).unwrap();
    drop(x);
    started.recv().unwrap();
    drop(run);
    permit.send(()).unwrap();
    // The run holds the array's function until it is over.
    while Arc::strong_count(&made) > 1 {
        thread::yield_now();
    }
    assert!(made.load(SeqCst) < 500, "all blocks were made");
    let (y, started, permit, made_of_detached) = gated(50);
    let run = rt.submit(y.sum()).unwrap();
    started.recv().unwrap();
    run.detach();
    permit.send(()).unwrap();
    while made_of_detached.load(SeqCst) < 50 {
        thread::yield_now();
    }
}

#[test]
fn a_cancelled_run_ends_in_the_middle_of_a_block_with_an_error_of_its_own() {
    let rt = runtime(2);
    let (tell, started) = channel();
    let (tell, seen) = (Mutex::new(Some(tell)), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&seen);
    let n = 1 << 30;
    let slow = LazyArray::<f64, _>::ones(n, n).mapv(move |x| {
        if count.fetch_add(1, SeqCst) == 0 {
            tell.lock().unwrap().take().unwrap().send(()).unwrap();
        }
        x + 1.0
    });
    let run = rt.submit(slow.sum()).unwrap();
    started.recv().unwrap();
    assert!(!run.is_finished());
    run.cancel();
    assert_eq!(run.wait().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(seen.load(SeqCst) < n / 2, "{} of {n} elements were computed", seen.load(SeqCst));
}

#[test]
fn a_cancelled_store_leaves_nothing_and_the_old_file_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let rt = runtime(2);
    rt.store_npy(&LazyArray::<f64, _>::ones(10, 5), &path).unwrap();
    let (x, started, permit, _) = gated(100);
    let target = path.clone();
    let run = rt.submit_with(move |rt| rt.store_npy(&x, target)).unwrap();
    started.recv().unwrap();
    run.cancel();
    permit.send(()).unwrap();
    assert_eq!(run.wait().unwrap_err().kind(), ErrorKind::Cancelled);
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["x.npy"]);
    let old = chunkwise_lazy::open_npy::<f64, Ix1>(&path).unwrap();
    assert_eq!(rt.compute(old.sum()).unwrap(), 10.0);
}

#[test]
fn progress_goes_from_nothing_to_all() {
    let rt = runtime(2);
    let (x, started, permit, _) = gated(64);
    let run = rt.submit(x.sum()).unwrap();
    started.recv().unwrap();
    let progress = run.progress();
    assert!(progress.tasks() >= 64 && progress.finished() < progress.tasks());
    permit.send(()).unwrap();
    while !run.is_finished() {
        thread::yield_now();
    }
    assert_eq!(run.progress().fraction(), 1.0);
    assert!(run.progress().peak_bytes() > 0);
    run.wait().unwrap();
}

#[test]
fn a_token_given_to_the_runtime_cancels_what_is_submitted_through_it_and_not_the_reverse() {
    let token = CancelToken::new();
    let rt = runtime(2).cancelled_by(token.clone());
    let (x, started, permit, _) = gated(10);
    let run = rt.submit(x.sum()).unwrap();
    started.recv().unwrap();
    run.cancel();
    permit.send(()).unwrap();
    assert_eq!(run.wait().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(!token.is_cancelled());
    token.cancel();
    assert_eq!(rt.compute(LazyArray::arange(0, 3, 1, 1).sum()).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_run_submitted_inside_a_task_is_waited_for_without_deadlock() {
    for threads in [1, 2] {
        let rt = Runtime::builder().threads(threads).memory_limit("1 MiB").build().unwrap();
        let inner = rt.clone();
        let sums = LazyArray::from_blocks(8, 1, move |block| {
            let x = LazyArray::<f64, _>::ones(1000, 100) * block.start[0] as f64;
            Array1::from_elem(1, inner.submit(x.sum()).unwrap().wait().unwrap())
        });
        assert_eq!(rt.compute(sums.sum()).unwrap(), 28_000.0);
    }
}

/// An array whose block 3 fails so many times with this error, and the count of its calls.
fn flaky(times: usize, kind: IoKind) -> (LazyArray1<f64>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let array = LazyArray::try_from_blocks(8, 1, move |block| {
        if block.start[0] == 3 && count.fetch_add(1, SeqCst) < times {
            return Err(IoError::new(kind, "not now"));
        }
        Ok(Array1::from_elem(1, 1.0))
    });
    (array, calls)
}

#[test]
fn reads_that_time_out_are_tried_again_as_often_as_asked() {
    for threads in [1, 2, 4] {
        let retry = Retry::times(3).delay(Duration::from_micros(100));
        let rt = Runtime::builder().threads(threads).retry(retry).build().unwrap();
        let (x, calls) = flaky(3, IoKind::TimedOut);
        assert_eq!(rt.compute((&x + 1.0).sum()).unwrap(), 16.0);
        assert_eq!(calls.load(SeqCst), 4);
        let (x, calls) = flaky(4, IoKind::TimedOut);
        let error = rt.compute((&x + 1.0).sqrt()).unwrap_err();
        assert_eq!((error.kind(), calls.load(SeqCst)), (ErrorKind::Task, 4));
        assert!(error.to_string().contains("function of the block at [3..4]: not now"), "{error}");
    }
}

#[test]
fn errors_that_do_not_pass_are_not_tried_again() {
    let retry = Retry::times(3).delay(Duration::from_micros(100));
    let rt = Runtime::builder().threads(2).retry(retry).build().unwrap();
    for kind in [IoKind::NotFound, IoKind::InvalidData, IoKind::PermissionDenied] {
        let (x, calls) = flaky(3, kind);
        assert!(rt.compute(x.sum()).is_err());
        assert_eq!(calls.load(SeqCst), 1);
    }
    let (x, calls) = flaky(1, IoKind::TimedOut);
    assert!(runtime(2).compute(x.sum()).is_err());
    assert_eq!(calls.load(SeqCst), 1);
}

#[test]
fn a_cancelled_run_does_not_wait_for_its_next_attempt() {
    let retry = Retry::times(5).delay(Duration::from_secs(3600)).most_delay(Duration::from_secs(3600));
    for threads in [1, 2] {
        let rt = Runtime::builder().threads(threads).retry(retry).build().unwrap();
        let (x, calls) = flaky(usize::MAX, IoKind::TimedOut);
        let run = rt.submit(x.sum()).unwrap();
        while calls.load(SeqCst) == 0 {
            thread::yield_now();
        }
        run.cancel();
        assert_eq!(run.wait().unwrap_err().kind(), ErrorKind::Cancelled);
    }
}

/// Counts events.
#[derive(Default)]
struct Log {
    runs: AtomicUsize,
    started: AtomicUsize,
    ended: Mutex<Vec<(String, TaskEnd)>>,
}

impl Observer for Log {
    fn run_started(&self, _: &RunEvent) {
        self.runs.fetch_add(1, SeqCst);
    }

    fn task_started(&self, _: &TaskEvent<'_>) {
        self.started.fetch_add(1, SeqCst);
    }

    fn task_finished(&self, task: &TaskEvent<'_>, end: TaskEnd) {
        self.ended.lock().unwrap().push((task.label(), end));
    }
}

#[test]
fn observers_hear_of_every_task_by_its_name() {
    for threads in [1, 2] {
        let log = Arc::new(Log::default());
        let rt = runtime(threads).observed_by(log.clone());
        let (x, _) = flaky(0, IoKind::TimedOut);
        rt.compute(x.sum()).unwrap();
        let tasks = rt.plan(x.sum()).unwrap().tasks();
        assert_eq!((log.runs.load(SeqCst), log.started.load(SeqCst)), (1, tasks));
        let ended = log.ended.lock().unwrap();
        assert_eq!(ended.len(), tasks);
        assert!(ended.iter().all(|(_, end)| *end == TaskEnd::Done));
        assert!(
            ended.iter().any(|(label, _)| label.starts_with("sum") && label.contains("background.rs")),
            "{ended:?}"
        );
    }
}

#[test]
fn cancelling_a_run_stops_the_runs_that_its_tasks_call_for() {
    for threads in [1, 2] {
        let rt = runtime(threads);
        let inner = rt.clone();
        let (x, started, permit, made) = gated(500);
        let outer = LazyArray::from_blocks(1, 1, move |_| {
            let error = inner.compute(x.sum()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Cancelled);
            Array1::from_elem(1, 0.0)
        });
        let run = rt.submit(outer.sum()).unwrap();
        started.recv().unwrap();
        run.cancel();
        permit.send(()).unwrap();
        assert_eq!(run.wait().unwrap_err().kind(), ErrorKind::Cancelled);
        // A second thread may have made the others while the first one waited.
        assert!(threads > 1 || made.load(SeqCst) < 500, "all blocks were made");
    }
}

#[test]
fn a_second_attempt_does_not_wait_for_a_thread_that_is_busy() {
    let (tell, answered) = channel();
    let (tell, answered) = (Mutex::new(tell), Mutex::new(answered));
    let calls = AtomicUsize::new(0);
    let x = LazyArray::try_from_blocks(2, 1, move |block| {
        if block.start[0] == 0 {
            // Busy until the other block has been asked for twice.
            let answer = answered.lock().unwrap().recv_timeout(Duration::from_secs(60));
            return answer.map(|()| Array1::zeros(1)).map_err(|_| IoError::other("nobody asked again"));
        }
        if calls.fetch_add(1, SeqCst) == 0 {
            return Err(IoError::from(IoKind::TimedOut));
        }
        tell.lock().unwrap().send(()).map_err(IoError::other)?;
        Ok(Array1::<f64>::ones(1))
    });
    let retry = Retry::times(1).delay(Duration::from_millis(1));
    let rt = Runtime::builder().threads(2).retry(retry).build().unwrap();
    assert_eq!(rt.compute(x.sum()).unwrap(), 1.0);
}

#[test]
fn an_observer_may_compute_and_one_that_panics_leaves_the_others_alone() {
    struct Computes(Runtime);
    impl Observer for Computes {
        fn task_finished(&self, _: &TaskEvent<'_>, _: TaskEnd) {
            self.0.compute(LazyArray::<f64, _>::ones(100_000, 1000).sum()).unwrap();
        }
    }
    struct Panics;
    impl Observer for Panics {
        fn task_started(&self, _: &TaskEvent<'_>) {
            panic!("not my day");
        }
    }
    let log = Arc::new(Log::default());
    let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build().unwrap();
    let watched =
        rt.observed_by(Arc::new(Panics)).observed_by(Arc::new(Computes(rt.clone()))).observed_by(log.clone());
    let x = LazyArray::from_fn(1 << 16, 1 << 12, |i| i as f64);
    assert_eq!(watched.compute((&x - x.mean()).max()).unwrap(), 32_767.5);
    assert_eq!(log.ended.lock().unwrap().len(), log.started.load(SeqCst));
}
