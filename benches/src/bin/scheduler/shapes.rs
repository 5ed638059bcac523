//! The graphs that every peer runs: each task with its inputs, in an order in which they could run.
//!
//! It owns the shapes. `taskflow.cpp` has the same generator; the checksum of the edges shows that they agree.

use std::fmt;
use std::str::FromStr;

use chunkwise_scheduler::BoxError;

/// Most tasks of a graph: four times as many edges fit `u32`.
pub(crate) const MOST_TASKS: u32 = 1_000_000_000;

/// Where the random graph starts.
pub(crate) const SEED: u64 = 1;

/// How far back the inputs of a random task may be.
const REACH: u32 = 1000;

/// What a graph looks like. `n` is the number of tasks asked for; trees and squares may have a few less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each task waits for the one before.
    Chain,
    /// No task waits.
    Independent,
    /// A binary reduction.
    Tree,
    /// A square in which each task waits for the ones above and to the left.
    Wavefront,
    /// Each task waits for up to four draws, two on average, of the thousand before it. One may be drawn twice.
    Random,
    /// One task, then n - 2 that wait for it, then one that waits for those.
    Fan,
}

impl Shape {
    pub(crate) const ALL: [Self; 6] =
        [Self::Chain, Self::Independent, Self::Tree, Self::Wavefront, Self::Random, Self::Fan];

    fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Independent => "independent",
            Self::Tree => "tree",
            Self::Wavefront => "wavefront",
            Self::Random => "random",
            Self::Fan => "fan",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Shape {
    type Err = BoxError;

    fn from_str(name: &str) -> Result<Self, BoxError> {
        let found = Self::ALL.into_iter().find(|shape| shape.name() == name);
        found.ok_or_else(|| {
            format!("no shape {name:?}; there are: {}", Self::ALL.map(Self::name).join(", ")).into()
        })
    }
}

/// Rows of task numbers in two flat arrays.
#[derive(Debug)]
pub(crate) struct Rows {
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Rows {
    fn new(rows: u32) -> Self {
        Self { ends: Vec::with_capacity(rows as usize), items: Vec::new() }
    }

    fn push(&mut self, row: impl IntoIterator<Item = u32>) {
        self.items.extend(row);
        self.ends.push(self.items.len() as u32);
    }

    #[inline]
    pub(crate) fn row(&self, row: u32) -> &[u32] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
        &self.items[start as usize..self.ends[row as usize] as usize]
    }

    /// The reverse edges.
    pub(crate) fn transposed(&self) -> Self {
        let mut ends = vec![0; self.ends.len()];
        self.items.iter().for_each(|&item| ends[item as usize] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        // `ends` holds the starts now, and moves to the ends while the rows fill.
        let mut items = vec![0; self.items.len()];
        for row in 0..self.ends.len() as u32 {
            for &item in self.row(row) {
                let at = &mut ends[item as usize];
                items[*at as usize] = row;
                *at += 1;
            }
        }
        Self { ends, items }
    }
}

/// The inputs of each task; they come before it.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) shape: Shape,
    /// The number of tasks that was asked for.
    pub(crate) asked: u32,
    pub(crate) inputs: Rows,
}

impl Graph {
    pub(crate) fn new(shape: Shape, tasks: u32) -> Result<Self, BoxError> {
        if !(1..=MOST_TASKS).contains(&tasks) {
            return Err(format!("a graph of {tasks} tasks: ask for 1 to {MOST_TASKS}").into());
        }
        let inputs = match shape {
            Shape::Chain => chain(tasks),
            Shape::Independent => independent(tasks),
            Shape::Tree => tree(tasks),
            Shape::Wavefront => wavefront(tasks),
            Shape::Random => random(tasks),
            Shape::Fan => fan(tasks),
        };
        Ok(Self { shape, asked: tasks, inputs })
    }

    pub(crate) fn tasks(&self) -> u32 {
        self.inputs.ends.len() as u32
    }

    pub(crate) fn edges(&self) -> usize {
        self.inputs.items.len()
    }

    /// Depends on every edge and its place (FNV-1a over words).
    pub(crate) fn checksum(&self) -> u64 {
        let mix = |hash: u64, word: u32| (hash ^ u64::from(word)).wrapping_mul(0x0100_0000_01B3);
        let words = self.inputs.ends.iter().chain(&self.inputs.items);
        words.fold(0xCBF2_9CE4_8422_2325, |hash, &word| mix(hash, word))
    }
}

fn chain(tasks: u32) -> Rows {
    let mut rows = Rows::new(tasks);
    (0..tasks).for_each(|task| rows.push(task.checked_sub(1)));
    rows
}

fn independent(tasks: u32) -> Rows {
    let mut rows = Rows::new(tasks);
    (0..tasks).for_each(|_| rows.push([]));
    rows
}

/// The leaves first, then level by level; an odd one waits for the next level.
fn tree(tasks: u32) -> Rows {
    let mut rows = independent(tasks.div_ceil(2));
    let mut level: Vec<u32> = (0..rows.ends.len() as u32).collect();
    while level.len() > 1 {
        let join = |pair: &[u32]| match *pair {
            [one] => one,
            _ => {
                rows.push(pair.iter().copied());
                rows.ends.len() as u32 - 1
            }
        };
        level = level.chunks(2).map(join).collect();
    }
    rows
}

fn wavefront(tasks: u32) -> Rows {
    let side = tasks.isqrt();
    let mut rows = Rows::new(side * side);
    for task in 0..side * side {
        let above = task.checked_sub(side);
        let left = (task % side > 0).then(|| task - 1);
        rows.push(above.into_iter().chain(left));
    }
    rows
}

fn random(tasks: u32) -> Rows {
    let mut rows = Rows::new(tasks);
    let mut state = SEED;
    // The upper half of Knuth's linear congruential generator, which C++ can say in one line too.
    let mut draw = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32 % below
    };
    for task in 0..tasks {
        let count = if task == 0 { 0 } else { draw(5) };
        rows.push((0..count).map(|_| task - 1 - draw(task.min(REACH))));
    }
    rows
}

fn fan(tasks: u32) -> Rows {
    let mut rows = Rows::new(tasks);
    rows.push([]);
    let last = tasks - 1;
    (1..last).for_each(|_| rows.push([0]));
    if last > 0 {
        rows.push(1.min(last - 1)..last);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(shape: Shape, tasks: u32) -> Graph {
        Graph::new(shape, tasks).unwrap()
    }

    #[test]
    fn inputs_come_before_their_task_in_every_shape_and_size() {
        for shape in Shape::ALL {
            for tasks in (1..=40).chain([5000]) {
                let graph = graph(shape, tasks);
                assert!((1..=tasks).contains(&graph.tasks()), "{shape} of {tasks}");
                assert!(
                    (0..graph.tasks()).all(|task| graph.inputs.row(task).iter().all(|&input| input < task))
                );
            }
        }
    }

    #[test]
    fn edges_are_counted_by_hand() {
        let edges = |shape| graph(shape, 101).edges();
        assert_eq!((edges(Shape::Chain), edges(Shape::Independent)), (100, 0));
        // 51 leaves need 50 joins; a square of 10 x 10 has 90 neighbours in each direction.
        assert_eq!((edges(Shape::Tree), edges(Shape::Wavefront)), (100, 180));
        assert_eq!(edges(Shape::Fan), 2 * 99);
        let random = graph(Shape::Random, 100_000).edges();
        assert!((198_000..202_000).contains(&random), "{random} edges");
    }

    #[test]
    fn the_ends_of_a_small_fan_are_joined() {
        assert_eq!(graph(Shape::Fan, 1).edges(), 0);
        assert_eq!(graph(Shape::Fan, 2).inputs.row(1), [0]);
        assert_eq!(graph(Shape::Fan, 4).inputs.row(3), [1, 2]);
    }

    #[test]
    fn users_are_the_reverse_of_inputs() {
        let users = graph(Shape::Wavefront, 9).inputs.transposed();
        assert_eq!(users.row(0), [1, 3]);
        assert_eq!(users.row(4), [5, 7]);
        assert!(users.row(8).is_empty());
    }

    #[test]
    fn a_graph_without_tasks_is_refused() {
        assert!(Graph::new(Shape::Chain, 0).is_err());
        assert!("star".parse::<Shape>().unwrap_err().to_string().starts_with("no shape \"star\""));
    }
}
