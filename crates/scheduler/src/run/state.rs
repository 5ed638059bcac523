//! The state of a run in words, for whoever wants to know why it does not end.
//!
//! It owns the choice of what is told. The numbers are read one after the other while the run goes on: they need not
//! fit together.

use std::fmt;

use super::parallel::Run;

impl<V, W> fmt::Debug for Run<V, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = &self.work.plan;
        let mut text = f.debug_struct("Run");
        text.field("tasks", &plan.len());
        text.field("sources_taken", &format_args!("{} of {}", self.cursor.position(), plan.sources.len()));
        text.field("window", &self.window);
        text.field("seats_with_tasks", &self.seats_with_tasks());
        text.field("delayed", &self.delayed.len());
        text.field("overdraft", &self.work.spilled.overdraft());
        text.field("failures", &self.work.failures).field("gate", &self.gate).finish()
    }
}

impl<V, W> Run<V, W> {
    fn seats_with_tasks(&self) -> Vec<usize> {
        (0..self.lanes.len()).filter(|&seat| !self.lanes[seat].is_empty()).collect()
    }
}
