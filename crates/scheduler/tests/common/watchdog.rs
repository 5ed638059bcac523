//! Ends a test that hangs, with the state of its pools in words.
//!
//! It owns the time limit. A watchdog that is not dropped in time writes what its pools do to standard error and aborts
//! the process: a hung test could not be told from a slow one otherwise.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chunkwise_scheduler::Pool;

/// What no test takes, on a busy machine in a debug build.
const LIMIT: Duration = Duration::from_secs(120);

/// Watches until it is dropped.
pub(crate) struct Watchdog {
    news: Option<Sender<Pool>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Gives the test `name` two minutes.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self::with_limit(name, LIMIT)
    }

    /// Gives the test so much time, from now or from the last pool it shows.
    pub(crate) fn with_limit(name: impl Into<String>, limit: Duration) -> Self {
        let (news, pools) = mpsc::channel::<Pool>();
        let name = name.into();
        let thread = thread::spawn(move || {
            let mut shown: Vec<Pool> = Vec::new();
            loop {
                match pools.recv_timeout(limit) {
                    Ok(pool) => shown.push(pool),
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => bark(&name, limit, &shown),
                }
            }
        });
        Self { news: Some(news), thread: Some(thread) }
    }

    /// Has the watchdog tell about this pool, which lives until the watchdog is dropped.
    pub(crate) fn watch(&self, pool: &Pool) {
        let news = self.news.as_ref().expect("it watches until it is dropped");
        news.send(pool.clone()).expect("it listens until it is dropped");
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.news.take());
        self.thread.take().map(JoinHandle::join);
    }
}

fn bark(name: &str, limit: Duration, pools: &[Pool]) -> ! {
    eprintln!("`{name}` has not ended after {limit:?}");
    pools.iter().for_each(|pool| eprintln!("{pool:#?}"));
    std::process::abort()
}
