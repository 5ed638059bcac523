//! Work in the background: waiting, polling, cancelling, letting go.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use chunkwise_scheduler::{CancelToken, RunHandle};

/// Work that ends when the sender sends, or goes.
fn gated<T: Send + 'static>(value: T) -> (Sender<()>, RunHandle<T>) {
    let (open, gate) = mpsc::channel();
    let work = move |_: &CancelToken| {
        let _opened_or_gone = gate.recv();
        value
    };
    (open, RunHandle::spawn(CancelToken::new(), work).unwrap())
}

/// Work that ends when it is cancelled, and tells so.
fn until_cancelled() -> (Receiver<&'static str>, RunHandle<()>) {
    let (sender, told) = mpsc::channel();
    let work = move |token: &CancelToken| {
        let (wake, woken) = mpsc::channel();
        let _guard = token.on_cancel(move || wake.send(()).unwrap());
        woken.recv().unwrap();
        sender.send("cancelled").unwrap();
    };
    (told, RunHandle::spawn(CancelToken::new(), work).unwrap())
}

fn until_finished<T>(handle: &RunHandle<T>) {
    while !handle.is_finished() {
        thread::yield_now();
    }
}

/// Wakes a thread that blocks on a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Counts wake-ups and tells of each.
struct Count {
    wakes: AtomicUsize,
    told: Sender<()>,
}

impl Count {
    fn new() -> (Arc<Self>, Receiver<()>) {
        let (told, woken) = mpsc::channel();
        (Arc::new(Self { wakes: AtomicUsize::new(0), told }), woken)
    }

    fn poll<T>(self: &Arc<Self>, handle: &mut RunHandle<T>) -> Poll<T> {
        Pin::new(handle).poll(&mut Context::from_waker(&Arc::clone(self).into()))
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, SeqCst);
        let _nobody_listens = self.told.send(());
    }
}

/// Panics when it is dropped, after it has told so.
struct Bomb(Sender<Option<String>>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.send(thread::current().name().map(str::to_string)).unwrap();
        panic!("the drop of the result");
    }
}

#[test]
fn wait_returns_the_value() {
    let (open, handle) = gated(vec![1, 2, 3]);
    assert!(!handle.is_finished());
    open.send(()).unwrap();
    assert_eq!(handle.wait(), [1, 2, 3]);
}

#[test]
fn the_thread_has_a_name_and_the_stack_of_a_worker() {
    /// Uses about a KiB of stack a level in any build.
    fn deep(level: usize) -> usize {
        let mut room = [level; 128];
        std::hint::black_box(&mut room);
        if level == 0 { 0 } else { 1 + deep(level - 1) + room[0] - level }
    }
    let work = |_: &CancelToken| (thread::current().name().map(str::to_string), deep(4096));
    let (name, depth) = RunHandle::spawn(CancelToken::new(), work).unwrap().wait();
    assert_eq!((name.as_deref(), depth), (Some("chunkwise-run"), 4096));
}

#[test]
fn a_handle_is_a_future_on_any_executor() {
    let (open, handle) = gated(42);
    let outside = thread::spawn(move || block_on(async { handle.await + 1 }));
    open.send(()).unwrap();
    assert_eq!(outside.join().unwrap(), 43);
}

#[test]
fn the_last_waker_is_woken_once_when_the_work_is_done() {
    let (open, mut handle) = gated(42);
    let ((first, _), (second, woken)) = (Count::new(), Count::new());
    for waker in [&first, &second, &first, &second] {
        assert_eq!(waker.poll(&mut handle), Poll::Pending);
    }
    assert_eq!(second.wakes.load(SeqCst), 0);
    open.send(()).unwrap();
    woken.recv().unwrap();
    assert_eq!(second.poll(&mut handle), Poll::Ready(42));
    assert_eq!((first.wakes.load(SeqCst), second.wakes.load(SeqCst)), (0, 1));
}

#[test]
fn a_finished_handle_is_ready_at_the_first_poll_and_wakes_nobody() {
    let (open, mut handle) = gated(42);
    open.send(()).unwrap();
    until_finished(&handle);
    let (count, _woken) = Count::new();
    assert_eq!(count.poll(&mut handle), Poll::Ready(42));
    assert_eq!(count.wakes.load(SeqCst), 0);
    assert!(handle.is_finished());
}

#[test]
fn a_handle_that_was_polled_can_be_waited_for() {
    let (open, mut handle) = gated(42);
    assert_eq!(Count::new().0.poll(&mut handle), Poll::Pending);
    open.send(()).unwrap();
    assert_eq!(handle.wait(), 42);
}

#[test]
fn a_handle_gives_its_result_once() {
    let (open, mut handle) = gated(42);
    open.send(()).unwrap();
    until_finished(&handle);
    let count = Count::new().0;
    assert_eq!(count.poll(&mut handle), Poll::Ready(42));
    assert!(catch_unwind(AssertUnwindSafe(|| count.poll(&mut handle))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| handle.wait())).is_err());
}

#[test]
fn a_panic_of_the_work_goes_on_in_wait_with_its_payload() {
    let handle = RunHandle::spawn(CancelToken::new(), |_| panic_any(7_u8)).unwrap();
    let payload = catch_unwind(AssertUnwindSafe(|| -> () { handle.wait() })).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&7_u8));
}

#[test]
fn a_panic_of_the_work_goes_on_in_poll_and_cancels_nothing() {
    let handle = RunHandle::spawn(CancelToken::new(), |_| panic_any(7_u8)).unwrap();
    let token = handle.token().clone();
    let payload = catch_unwind(AssertUnwindSafe(|| -> () { block_on(handle) })).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&7_u8));
    assert!(!token.is_cancelled());
}

#[test]
fn dropping_the_loser_of_a_select_cancels_it() {
    let (told, mut loser) = until_cancelled();
    let (open, mut winner) = gated(42);
    open.send(()).unwrap();
    let select = std::future::poll_fn(move |cx| {
        assert!(Pin::new(&mut loser).poll(cx).is_pending());
        Pin::new(&mut winner).poll(cx)
    });
    assert_eq!(block_on(select), 42);
    assert_eq!(told.recv(), Ok("cancelled"));
}

#[test]
fn dropping_a_handle_does_not_wait_for_the_work() {
    let (open, handle) = gated(42);
    let token = handle.token().clone();
    // The work goes on until the gate opens, which is after the drop.
    drop(handle);
    assert!(token.is_cancelled());
    open.send(()).unwrap();
}

#[test]
fn waiting_for_and_dropping_finished_work_leave_a_shared_token_alone() {
    let token = CancelToken::new();
    assert_eq!(RunHandle::spawn(token.clone(), |_| 1).unwrap().wait(), 1);
    let finished = RunHandle::spawn(token.clone(), |_| 1).unwrap();
    until_finished(&finished);
    drop(finished);
    assert!(!token.is_cancelled());
}

#[test]
fn detached_work_goes_on_to_its_end_uncancelled() {
    let (sender, told) = mpsc::channel();
    let barrier = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&barrier);
    let handle = RunHandle::spawn(CancelToken::new(), move |token| {
        inside.wait();
        sender.send(token.is_cancelled()).unwrap();
    });
    handle.unwrap().detach();
    barrier.wait();
    assert_eq!(told.recv(), Ok(false));
}

#[test]
fn a_result_whose_drop_panics_is_dropped_by_the_thread_that_nobody_waits_for() {
    let (sender, dropped) = mpsc::channel();
    let (open, handle) = gated(Bomb(sender));
    handle.detach();
    open.send(()).unwrap();
    assert_eq!(dropped.recv().unwrap().as_deref(), Some("chunkwise-run"));
    // The sender went with the bomb: the panic is over.
    assert!(dropped.recv().is_err());
}

#[test]
fn a_result_whose_drop_panics_does_not_panic_in_the_drop_of_the_handle() {
    let (sender, dropped) = mpsc::channel();
    let (open, handle) = gated(Bomb(sender));
    open.send(()).unwrap();
    until_finished(&handle);
    drop(handle);
    assert_eq!(dropped.recv().unwrap().as_deref(), thread::current().name());
}

#[test]
fn work_that_was_cancelled_before_it_starts_runs_and_sees_it() {
    let token = CancelToken::new();
    token.cancel();
    let handle = RunHandle::spawn(token, |token| token.is_cancelled()).unwrap();
    assert!(handle.wait());
}

#[test]
fn a_cancelled_handle_can_still_be_waited_for() {
    let (told, handle) = until_cancelled();
    handle.cancel();
    handle.wait();
    assert_eq!(told.recv(), Ok("cancelled"));
}

#[test]
fn calls_at_cancel_are_made_once_in_order_and_not_after_their_guard_is_gone() {
    let token = CancelToken::new();
    let (sender, calls) = mpsc::channel();
    let call = |name| {
        let sender = sender.clone();
        token.on_cancel(move || sender.send(name).unwrap())
    };
    let (_first, second, _third) = (call("first"), call("second"), call("third"));
    drop(second);
    token.cancel();
    token.cancel();
    let _late = call("late");
    assert_eq!(calls.try_iter().collect::<Vec<_>>(), ["first", "third", "late"]);
}

#[test]
fn a_call_that_panics_keeps_no_other_from_being_made() {
    let token = CancelToken::new();
    let (sender, calls) = mpsc::channel();
    let _first = token.on_cancel(|| panic!("a call that panics"));
    let _second = token.on_cancel(move || sender.send(()).unwrap());
    token.cancel();
    assert_eq!(calls.recv(), Ok(()));
}

#[test]
fn a_call_may_use_its_token_and_add_and_drop_calls() {
    let token = CancelToken::new();
    let (sender, calls) = mpsc::channel();
    let inner = token.clone();
    let other = Mutex::new(Some(token.on_cancel(|| {})));
    let _guard = token.on_cancel(move || {
        inner.cancel();
        drop(other.lock().unwrap().take());
        let sender = sender.clone();
        drop(inner.on_cancel(move || sender.send("at once").unwrap()));
    });
    token.cancel();
    assert_eq!(calls.recv(), Ok("at once"));
}

#[test]
fn handles_and_tokens_cross_threads_and_print() {
    fn sent<T: Send + Sync>(value: &T) -> &T {
        value
    }
    let (open, handle) = gated(42);
    assert_eq!(format!("{:?}", sent(handle.token())), "CancelToken { cancelled: false, .. }");
    assert_eq!(format!("{:?}", sent(&handle)), "RunHandle { finished: false, cancelled: false, .. }");
    open.send(()).unwrap();
    assert_eq!(handle.wait(), 42);
}
