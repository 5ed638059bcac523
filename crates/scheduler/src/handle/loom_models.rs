//! Models of the handle and of cancelling, checked over every interleaving: a lost wake-up is a deadlock, which loom
//! reports. `.ci/model` runs them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};

use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
use loom::thread;

use super::{CancelToken, Outcome, RunHandle};
use crate::loom_models::check;
use crate::sync::Parker;

/// A handle, and the side of the thread that works for it.
fn handle<T>() -> (RunHandle<T>, Arc<Outcome<T>>) {
    let outcome = Arc::new(Outcome::new());
    (RunHandle { token: CancelToken::new(), outcome: Arc::clone(&outcome) }, outcome)
}

/// A task of an executor: counts its wake-ups and sleeps between them.
struct Task {
    wakes: AtomicU32,
    parker: Parker,
}

impl Task {
    fn new() -> Arc<Self> {
        Arc::new(Self { wakes: AtomicU32::new(0), parker: Parker::new() })
    }

    fn poll<T>(self: &Arc<Self>, handle: &mut RunHandle<T>) -> Poll<T> {
        Pin::new(handle).poll(&mut Context::from_waker(&Arc::clone(self).into()))
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, SeqCst);
        self.parker.unpark();
    }
}

/// A result that counts its drops.
struct Counted(Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn loom_a_result_left_while_the_handle_falls_asleep_wakes_it() {
    check(3, || {
        let (handle, outcome) = handle();
        let worker = thread::spawn(move || outcome.finish(Ok(7)));
        assert_eq!(handle.wait(), 7);
        worker.join().unwrap();
    });
}

#[test]
fn loom_a_waker_stored_while_the_work_ends_is_woken_once() {
    check(3, || {
        let (mut handle, outcome) = handle();
        let worker = thread::spawn(move || outcome.finish(Ok(7)));
        let task = Task::new();
        let pending = task.poll(&mut handle).is_pending();
        if pending {
            task.parker.park();
            assert_eq!(task.poll(&mut handle), Poll::Ready(7));
        }
        worker.join().unwrap();
        assert_eq!(task.wakes.load(SeqCst), u32::from(pending));
    });
}

#[test]
fn loom_the_waker_of_the_last_poll_is_woken() {
    check(3, || {
        let (mut handle, outcome) = handle();
        let (first, second) = (Task::new(), Task::new());
        assert!(first.poll(&mut handle).is_pending());
        let worker = thread::spawn(move || outcome.finish(Ok(7)));
        let pending = second.poll(&mut handle).is_pending();
        if pending {
            second.parker.park();
            assert_eq!(second.poll(&mut handle), Poll::Ready(7));
        }
        worker.join().unwrap();
        let wakes = [&first, &second].map(|task| task.wakes.load(SeqCst));
        assert_eq!(wakes, if pending { [0, 1] } else { [1, 0] });
    });
}

#[test]
fn loom_a_result_that_races_with_the_drop_of_the_handle_and_a_cancel_is_dropped_once() {
    check(3, || {
        let (handle, outcome) = handle();
        let (drops, token) = (Arc::new(AtomicU32::new(0)), handle.token().clone());
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let _guard = token.on_cancel(move || {
            counted.fetch_add(1, SeqCst);
        });
        let result = Counted(Arc::clone(&drops));
        let worker = thread::spawn(move || outcome.finish(Ok(result)));
        let cancel = thread::spawn({
            let token = token.clone();
            move || token.cancel()
        });
        drop(handle);
        worker.join().unwrap();
        cancel.join().unwrap();
        assert_eq!((drops.load(SeqCst), calls.load(SeqCst)), (1, 1));
    });
}

#[test]
fn loom_dropping_the_handle_of_finished_work_does_not_cancel() {
    check(3, || {
        let (handle, outcome) = handle();
        let (drops, token) = (Arc::new(AtomicU32::new(0)), handle.token().clone());
        let result = Counted(Arc::clone(&drops));
        let worker = thread::spawn(move || outcome.finish(Ok(result)));
        let finished = handle.is_finished();
        drop(handle);
        worker.join().unwrap();
        assert_eq!(drops.load(SeqCst), 1);
        assert!(!(finished && token.is_cancelled()));
    });
}

#[test]
fn loom_a_call_that_is_added_during_a_cancel_is_made_once() {
    check(3, || {
        let (token, calls) = (CancelToken::new(), Arc::new(AtomicU32::new(0)));
        let cancels = [0, 1].map(|_| {
            let token = token.clone();
            thread::spawn(move || token.cancel())
        });
        let counted = Arc::clone(&calls);
        let guard = token.on_cancel(move || {
            counted.fetch_add(1, SeqCst);
        });
        cancels.into_iter().for_each(|cancel| cancel.join().unwrap());
        assert_eq!(calls.load(SeqCst), 1);
        drop(guard);
    });
}

#[test]
fn loom_a_call_that_is_taken_off_during_a_cancel_is_made_once_or_never_and_dropped() {
    check(3, || {
        let (token, calls) = (CancelToken::new(), Arc::new(AtomicU32::new(0)));
        let drops = Arc::new(AtomicU32::new(0));
        let (counted, data) = (Arc::clone(&calls), Counted(Arc::clone(&drops)));
        let guard = token.on_cancel(move || {
            let _owned = &data;
            counted.fetch_add(1, SeqCst);
        });
        let cancel = thread::spawn({
            let token = token.clone();
            move || token.cancel()
        });
        drop(guard);
        cancel.join().unwrap();
        assert!(calls.load(SeqCst) <= 1);
        assert_eq!(drops.load(SeqCst), 1);
    });
}
