//! Times of rounds, and what is said about them: lines of JSON and a table.

use std::fmt::{self, Write as _};
use std::time::Instant;

use crate::options::PeerName;
use crate::shapes::{Graph, Shape};

/// The parts of one round, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Times {
    pub(crate) build: f64,
    pub(crate) order: f64,
    pub(crate) run: f64,
    pub(crate) teardown: f64,
}

impl Times {
    fn sum(&self) -> f64 {
        self.build + self.order + self.run + self.teardown
    }
}

/// Time since the last look at it.
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start or the last lap.
    pub(crate) fn lap(&mut self) -> f64 {
        let now = Instant::now();
        (now - std::mem::replace(&mut self.0, now)).as_secs_f64() * 1e3
    }
}

/// What is known about one peer on one graph with one number of workers. It displays as a JSON object.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    shape: Shape,
    tasks: u32,
    edges: usize,
    workers: usize,
    peer: PeerName,
    runs: usize,
    median: Times,
    least_run: f64,
    least_sum: f64,
    bytes_per_task: f64,
}

impl Figures {
    /// Of at least one round.
    pub(crate) fn new(graph: &Graph, workers: usize, peer: PeerName, bytes: u64, times: &[Times]) -> Self {
        let of = |part: fn(&Times) -> f64| sorted(times.iter().map(part));
        let median = |part| of(part)[times.len() / 2];
        Self {
            shape: graph.shape,
            tasks: graph.tasks(),
            edges: graph.edges(),
            workers,
            peer,
            runs: times.len(),
            median: Times {
                build: median(|times| times.build),
                order: median(|times| times.order),
                run: median(|times| times.run),
                teardown: median(|times| times.teardown),
            },
            least_run: of(|times| times.run)[0],
            least_sum: of(Times::sum)[0],
            bytes_per_task: bytes as f64 / f64::from(graph.tasks()),
        }
    }

    /// Milliseconds of this graph as nanoseconds a task.
    fn nanos(&self, ms: f64) -> f64 {
        ms * 1e6 / f64::from(self.tasks)
    }

    fn is_same_graph(&self, other: &Self) -> bool {
        (self.shape, self.workers) == (other.shape, other.workers)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shape, tasks, edges, workers, peer, runs, median, .. } = self;
        write!(
            f,
            "{{\"shape\": \"{shape}\", \"tasks\": {tasks}, \"edges\": {edges}, \"workers\": {workers}, \
             \"peer\": \"{peer}\", \"build_ms\": {:.4}, \"order_ms\": {:.4}, \"run_ms\": {:.4}, \
             \"teardown_ms\": {:.4}, \"bytes_per_task\": {:.1}, \"run_min_ms\": {:.4}, \"sum_min_ms\": {:.4}, \
             \"runs\": {runs}}}",
            median.build,
            median.order,
            median.run,
            median.teardown,
            self.bytes_per_task,
            self.least_run,
            self.least_sum,
        )
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Nanoseconds a task: medians of the parts, least run and least sum; then the least times of chunkwise as multiples
/// of the peer's: below 1 chunkwise is faster.
pub(crate) fn table(all: &[Figures]) -> String {
    let mut text = format!(
        "{:<12}{:>9} {:<16}{:>8}{:>8}{:>8}{:>9}{:>9}{:>9}{:>8}{:>10}{:>10}\n",
        "ns a task",
        "workers",
        "peer",
        "build",
        "order",
        "run",
        "teardown",
        "min run",
        "min sum",
        "bytes",
        "ours:run",
        "ours:sum"
    );
    for figures in all {
        let ours = all.iter().find(|ours| ours.peer == PeerName::Chunkwise && ours.is_same_graph(figures));
        let ratio = |part: fn(&Figures) -> f64| {
            ours.map_or_else(String::new, |ours| format!("{:.2}", part(ours) / part(figures)))
        };
        let median = figures.median;
        let [build, order, run, teardown, least_run, least_sum] =
            [median.build, median.order, median.run, median.teardown, figures.least_run, figures.least_sum]
                .map(|ms| figures.nanos(ms));
        writeln!(
            text,
            "{:<12}{:>9} {:<16}{build:>8.1}{order:>8.1}{run:>8.1}{teardown:>9.1}{least_run:>9.1}{least_sum:>9.1}\
             {:>8.0}{:>10}{:>10}",
            figures.shape,
            figures.workers,
            figures.peer,
            figures.bytes_per_task,
            ratio(|figures| figures.least_run),
            ratio(|figures| figures.least_sum),
        )
        .expect("a string takes any text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(peer: PeerName, runs: &[f64]) -> Figures {
        let graph = Graph::new(Shape::Chain, 4).unwrap();
        let times = |&run: &f64| Times { build: 1.0, order: 0.0, run, teardown: 0.5 };
        Figures::new(&graph, 2, peer, 100, &runs.iter().map(times).collect::<Vec<_>>())
    }

    #[test]
    fn a_line_has_medians_and_least_times() {
        let line = figures(PeerName::Chunkwise, &[9.0, 2.0, 3.0]).to_string();
        assert_eq!(
            line,
            "{\"shape\": \"chain\", \"tasks\": 4, \"edges\": 3, \"workers\": 2, \"peer\": \"chunkwise\", \
             \"build_ms\": 1.0000, \"order_ms\": 0.0000, \"run_ms\": 3.0000, \"teardown_ms\": 0.5000, \
             \"bytes_per_task\": 25.0, \"run_min_ms\": 2.0000, \"sum_min_ms\": 3.5000, \"runs\": 3}"
        );
    }

    #[test]
    fn the_table_divides_our_least_times_by_the_peers() {
        let all = [figures(PeerName::Chunkwise, &[1.0]), figures(PeerName::Taskflow, &[4.0])];
        let text = table(&all);
        let last = text.lines().last().unwrap();
        assert!(last.contains("taskflow") && last.contains("0.25") && last.ends_with("0.45"), "{last}");
    }
}
