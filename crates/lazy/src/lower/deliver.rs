//! Results that are handed over block by block while the run goes on.
//!
//! The tasks of one result are a chain: at most one of them waits for the taker, on one thread, and the blocks come in
//! C order. What is computed ahead are values like any other, so that they stay within the budget of the run.

use std::sync::mpsc::SyncSender;

use chunkwise_chunk::Chunk;
use chunkwise_scheduler::{BoxError, Layer, TaskCx};

use super::{Label, Value};

/// Hands over one block a task; the inputs are the block and the task before.
pub(crate) struct DeliverLayer {
    pub(crate) label: Label,
    pub(crate) taker: SyncSender<Chunk>,
}

impl Layer<Value> for DeliverLayer {
    fn run(&self, _: u32, inputs: &mut [Value], _: &TaskCx<'_>) -> Result<Value, BoxError> {
        let block = inputs[0].block();
        self.taker.send(block).map_err(|_| "nobody takes the blocks any more")?;
        Ok(Value::Written)
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index)
    }
}
