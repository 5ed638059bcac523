//! What a scheduler must offer to be compared.
//!
//! It owns how a peer is checked. How it is timed is the peer's own.

use std::hint::black_box;
use std::sync::Arc;

use chunkwise_scheduler::BoxError;

use crate::measure::Times;
use crate::memory::peak_of;
use crate::shapes::Graph;
use crate::watch::Watch;

/// A scheduler set up for one graph and one number of workers.
pub(crate) trait Peer {
    /// Runs the graph once with tasks that watch the order. The most bytes in use.
    fn check(&mut self) -> Result<u64, BoxError>;

    /// Runs the graph once with empty tasks.
    fn time(&mut self) -> Result<Times, BoxError>;
}

/// A peer inside this process.
pub(crate) trait Rounds {
    fn graph(&self) -> &Arc<Graph>;

    /// Builds the graph, runs it and drops it; `body` is given the number of each task.
    fn round<B>(&self, body: B) -> Result<Times, BoxError>
    where
        B: Fn(u32) + Send + Sync + 'static;
}

impl<R: Rounds> Peer for R {
    fn check(&mut self) -> Result<u64, BoxError> {
        let watch = Arc::new(Watch::new(self.graph()));
        let body = {
            let watch = Arc::clone(&watch);
            move |task| watch.run(task)
        };
        let (round, bytes) = peak_of(|| self.round(body));
        round?;
        watch.verdict()?;
        Ok(bytes)
    }

    fn time(&mut self) -> Result<Times, BoxError> {
        self.round(|task| {
            black_box(task);
        })
    }
}
