//! Who may be under way at a time: runs together, or one move of persisted arrays alone.
//!
//! A run plans with where the persisted arrays are and reads them there, so they stay while a run is under way. It owns
//! the counts and the waiting. What is moved, and when, is decided elsewhere.
//!
//! A run that waits for its program, a stream of blocks, may stay for ever: while there is one, nothing is moved, and nobody
//! waits to move. A move that waits keeps new runs from beginning, so it has its turn. Runs inside tasks begin all the same: the run
//! they belong to is one that the move waits for. They wait only for a move that is under way, which waits for nobody.

use std::sync::Arc;

use chunkwise_scheduler::CancelToken;
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::{Error, Result};

/// Lets runs and moves pass; clones are the same gate.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Shared>);

#[derive(Default)]
struct Shared {
    traffic: Mutex<Traffic>,
    /// Something has ended, or somebody shall look whether he was cancelled.
    news: Condvar,
}

#[derive(Default)]
struct Traffic {
    runs: usize,
    /// Of the runs those that wait for their program.
    streams: usize,
    /// Those that wait, and the one under way.
    moves: usize,
    is_moving: bool,
}

/// A run is under way as long as this lives: nothing is moved.
pub(super) struct Running(Gate);

/// A run waits for its program as long as this lives.
pub(super) struct Streaming(Gate);

/// A move is under way as long as this lives: nothing runs.
pub(super) struct Moving(Gate);

impl Gate {
    /// A run begins, when no move is under way and, unless it is inside a task, none waits.
    ///
    /// # Errors
    /// When the token is cancelled while it waits.
    pub(super) fn run(&self, nested: bool, cancel: Option<&CancelToken>) -> Result<Running> {
        let mut traffic = self.wait_while(cancel, |now| now.is_moving || (now.moves > 0 && !nested))?;
        traffic.runs += 1;
        Ok(Running(self.clone()))
    }

    /// A move begins, when all runs have ended; `None` when one of them may stay for ever. For a thread that is in none of
    /// them.
    ///
    /// # Errors
    /// When the token is cancelled while it waits.
    pub(super) fn move_alone(&self, cancel: Option<&CancelToken>) -> Result<Option<Moving>> {
        self.0.traffic.lock().moves += 1;
        let turn = self.wait_while(cancel, |now| (now.is_moving || now.runs > 0) && now.streams == 0);
        let alone = turn.map(|mut traffic| {
            traffic.is_moving |= traffic.runs == 0;
            traffic.runs == 0
        });
        if !matches!(alone, Ok(true)) {
            self.0.traffic.lock().moves -= 1;
            self.0.news.notify_all();
        }
        Ok(alone?.then(|| Moving(self.clone())))
    }

    /// A move begins, if nothing is under way.
    pub(super) fn try_move(&self) -> Option<Moving> {
        let mut traffic = self.0.traffic.lock();
        if traffic.is_moving || traffic.runs > 0 {
            return None;
        }
        traffic.moves += 1;
        traffic.is_moving = true;
        Some(Moving(self.clone()))
    }

    fn wait_while(
        &self,
        cancel: Option<&CancelToken>,
        closed: impl Fn(&Traffic) -> bool,
    ) -> Result<MutexGuard<'_, Traffic>> {
        let traffic = self.0.traffic.lock();
        if !closed(&traffic) {
            return Ok(traffic);
        }
        drop(traffic);
        let shared = Arc::clone(&self.0);
        let _wakes_this_wait = cancel.map(|token| token.on_cancel(move || shared.wake_all()));
        let mut traffic = self.0.traffic.lock();
        while closed(&traffic) {
            if cancel.is_some_and(CancelToken::is_cancelled) {
                return Err(Error::cancelled());
            }
            self.0.news.wait(&mut traffic);
        }
        Ok(traffic)
    }
}

impl Shared {
    /// Wakes whoever waits, and whoever has looked at the token and is about to.
    fn wake_all(&self) {
        drop(self.traffic.lock());
        self.news.notify_all();
    }
}

impl Running {
    /// The run waits for its program.
    pub(super) fn streams(&self) -> Streaming {
        self.0.0.traffic.lock().streams += 1;
        self.0.0.news.notify_all();
        Streaming(self.0.clone())
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        // Nobody waits for this: who would move has given up when it was made.
        self.0.0.traffic.lock().streams -= 1;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut traffic = self.0.0.traffic.lock();
        traffic.runs -= 1;
        if traffic.runs == 0 && traffic.moves > 0 {
            self.0.0.news.notify_all();
        }
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        let mut traffic = self.0.0.traffic.lock();
        traffic.moves -= 1;
        traffic.is_moving = false;
        self.0.0.news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::ErrorKind;

    /// Returns when a move waits at the gate.
    fn until_a_move_waits(gate: &Gate) {
        while gate.0.traffic.lock().moves == 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn runs_pass_together_and_keep_a_move_out() {
        let gate = Gate::default();
        let runs = [gate.run(false, None).unwrap(), gate.run(false, None).unwrap()];
        assert!(gate.try_move().is_none());
        drop(runs);
        let alone = gate.try_move().unwrap();
        assert!(gate.try_move().is_none());
        drop(alone);
        drop(gate.run(true, None).unwrap());
    }

    #[test]
    fn move_waits_for_the_run_and_for_runs_inside_it() {
        let gate = Gate::default();
        let outer = gate.run(false, None).unwrap();
        thread::scope(|scope| {
            let moved = scope.spawn(|| gate.move_alone(None).map(|moving| moving.is_some()));
            until_a_move_waits(&gate);
            let inner = gate.run(true, None).unwrap();
            drop(outer);
            assert!(gate.try_move().is_none());
            drop(inner);
            assert!(moved.join().unwrap().unwrap());
        });
        assert!(gate.try_move().is_some());
    }

    #[test]
    fn run_that_comes_after_a_move_waits_for_it() {
        let gate = Gate::default();
        let first = gate.run(false, None).unwrap();
        thread::scope(|scope| {
            let moved = scope.spawn(|| gate.move_alone(None).map(|moving| moving.is_some()));
            until_a_move_waits(&gate);
            let second = scope.spawn(|| gate.run(false, None).map(drop));
            drop(first);
            assert!(moved.join().unwrap().unwrap());
            second.join().unwrap().unwrap();
        });
    }

    #[test]
    fn cancelled_move_gives_up_and_lets_runs_begin() {
        let gate = Gate::default();
        let token = CancelToken::new();
        let first = gate.run(false, None).unwrap();
        thread::scope(|scope| {
            let moved = scope.spawn(|| gate.move_alone(Some(&token)).map(|moving| moving.is_some()));
            until_a_move_waits(&gate);
            token.cancel();
            let error = moved.join().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Cancelled);
        });
        drop(gate.run(false, None).unwrap());
        drop(first);
    }

    #[test]
    fn nobody_waits_to_move_beside_a_stream() {
        let gate = Gate::default();
        let run = gate.run(false, None).unwrap();
        thread::scope(|scope| {
            let moved = scope.spawn(|| gate.move_alone(None).map(|moving| moving.is_some()));
            until_a_move_waits(&gate);
            let _stream = run.streams();
            assert!(!moved.join().unwrap().unwrap());
            assert!(gate.move_alone(None).unwrap().is_none());
            drop(gate.run(false, None).unwrap());
        });
        drop(run);
        assert!(gate.move_alone(None).unwrap().is_some());
    }
}
