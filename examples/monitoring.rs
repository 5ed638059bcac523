//! Tasks, bytes and time of a computation, told by an observer while it runs.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --example monitoring
//! ```
//!
//! The computation needs an array twice that is four times its memory limit. The chart shows the bytes of live
//! blocks over time, the table what each kind of task took; both come from the same three calls of the observer.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chunkwise::prelude::*;
use chunkwise::{Observer, RunEvent, TaskEnd, TaskEvent, TaskKind};

const LIMIT: u64 = 16 << 20;
/// Width of the chart in characters, and its height.
const CHART: (usize, usize) = (72, 10);

/// What happened, as it was told.
struct Monitor {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    budget: Option<u64>,
    /// When each thread began the task it is at.
    begun: BTreeMap<usize, Instant>,
    /// Live bytes at the start of each task.
    live: Vec<(Duration, u64)>,
    kinds: BTreeMap<String, Kind>,
}

/// Tasks of one kind.
#[derive(Default)]
struct Kind {
    tasks: u64,
    busy: Duration,
    bytes: u64,
}

impl Observer for Monitor {
    fn run_started(&self, run: &RunEvent) {
        println!("run {}: {} tasks on {} threads", run.run, run.tasks, run.threads);
        self.locked().budget = run.budget;
    }

    fn task_started(&self, task: &TaskEvent<'_>) {
        let now = Instant::now();
        let mut state = self.locked();
        state.begun.insert(task.worker, now);
        state.live.push((now - self.start, task.live_bytes));
    }

    fn task_finished(&self, task: &TaskEvent<'_>, _: TaskEnd) {
        let now = Instant::now();
        let name = match task.kind {
            TaskKind::Spill => "write to disk".to_owned(),
            TaskKind::Load => "read from disk".to_owned(),
            // Labels end with the block and the line; the operation comes first.
            _ => task.label().split([',', ' ']).next().unwrap_or_default().to_owned(),
        };
        let mut state = self.locked();
        let busy = state.begun.remove(&task.worker).map_or(Duration::ZERO, |begun| now - begun);
        let kind = state.kinds.entry(name).or_default();
        kind.tasks += 1;
        kind.busy += busy;
        kind.bytes += task.bytes.output;
    }
}

impl Monitor {
    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let monitor = Arc::new(Monitor { start: Instant::now(), state: Mutex::default() });
    let rt = Runtime::builder().memory_limit_bytes(LIMIT).build()?.observed_by(monitor.clone());

    // 64 MiB that only a function of ours can make: what does not stay in memory goes to disk.
    let n = 8 << 20;
    let field = LazyArray::from_blocks(n, n / 128, |block| {
        (block.start[0]..block.start[0] + block.shape[0]).map(|i| (i as f64 * 1e-3).sin()).collect()
    });
    let centred = &field - field.mean();
    let largest = centred.abs().max();
    let plan = rt.plan(&largest)?;
    println!(
        "planned: {} tasks, peak {} of {} KiB, {} KiB to disk and back\n",
        plan.tasks(),
        plan.peak_bytes() >> 10,
        LIMIT >> 10,
        plan.spill_bytes() >> 10
    );

    let largest = rt.compute(largest)?;
    let state = monitor.locked();
    table(&state);
    chart(&state.live);

    let peak = state.live.iter().map(|(_, live)| *live).max().unwrap_or(0);
    println!(
        "\nlargest deviation {largest:.6}; at most {} KiB live, the limit is {} KiB",
        peak >> 10,
        LIMIT >> 10
    );
    if peak > state.budget.unwrap_or(u64::MAX) { Err("more memory than planned".into()) } else { Ok(()) }
}

fn table(state: &State) {
    println!("\n{:<16}{:>8}{:>12}{:>14}", "task", "count", "busy ms", "output KiB");
    for (name, kind) in &state.kinds {
        let busy = kind.busy.as_secs_f64() * 1e3;
        println!("{name:<16}{:>8}{busy:>12.1}{:>14}", kind.tasks, kind.bytes >> 10);
    }
}

/// Live bytes over time: each column is the most of its moment.
fn chart(live: &[(Duration, u64)]) {
    let (Some((end, _)), Some(most)) = (live.last(), live.iter().map(|(_, live)| *live).max()) else {
        return;
    };
    let (width, height) = CHART;
    let mut columns = vec![0; width];
    for (at, live) in live {
        let column = (at.as_secs_f64() / end.as_secs_f64() * (width - 1) as f64) as usize;
        columns[column] = columns[column].max(*live);
    }
    println!();
    for row in (0..height).rev() {
        let above = most * row as u64 / height as u64;
        let line: String = columns.iter().map(|&live| if live > above { '#' } else { ' ' }).collect();
        println!("{:>7} KiB |{line}", (most * (row as u64 + 1) / height as u64) >> 10);
    }
    println!("{:>11} +{}", "", "-".repeat(width));
    println!("{:>11} 0{:>width$.1} ms", "", end.as_secs_f64() * 1e3);
}
