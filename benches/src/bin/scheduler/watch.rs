//! Watches one run: did every task run once, after its inputs?
//!
//! It owns the marks of the tasks. Who calls it, and on which thread, is the peer's business.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use chunkwise_scheduler::BoxError;

use crate::shapes::Graph;

/// How often each task of a graph has run.
pub(crate) struct Watch {
    graph: Arc<Graph>,
    runs: Vec<AtomicU32>,
    early: AtomicU32,
}

impl Watch {
    pub(crate) fn new(graph: &Arc<Graph>) -> Self {
        let runs = (0..graph.tasks()).map(|_| AtomicU32::new(0)).collect();
        Self { graph: Arc::clone(graph), runs, early: AtomicU32::new(0) }
    }

    /// The body of a task.
    // Relaxed: it is the scheduler that must order a task after its inputs.
    pub(crate) fn run(&self, task: u32) {
        let done = |&input: &u32| self.runs[input as usize].load(Relaxed) == 1;
        if !self.graph.inputs.row(task).iter().all(done) {
            self.early.fetch_add(1, Relaxed);
        }
        self.runs[task as usize].fetch_add(1, Relaxed);
    }

    /// Whether all went as it should.
    pub(crate) fn verdict(&self) -> Result<(), BoxError> {
        let wrong = self.runs.iter().position(|runs| runs.load(Relaxed) != 1);
        if let Some(task) = wrong {
            return Err(format!("task {task} ran {} times", self.runs[task].load(Relaxed)).into());
        }
        match self.early.load(Relaxed) {
            0 => Ok(()),
            early => Err(format!("{early} tasks ran before their inputs").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::Shape;

    fn verdict(order: &[u32]) -> String {
        let watch = Watch::new(&Arc::new(Graph::new(Shape::Chain, 3).unwrap()));
        order.iter().for_each(|&task| watch.run(task));
        watch.verdict().map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn tasks_that_are_left_out_repeated_or_early_are_noticed() {
        assert_eq!(verdict(&[0, 1, 2]), "fine");
        assert_eq!(verdict(&[0, 1]), "task 2 ran 0 times");
        assert_eq!(verdict(&[0, 0, 1, 2]), "task 0 ran 2 times");
        assert_eq!(verdict(&[0, 2, 1]), "1 tasks ran before their inputs");
    }
}
