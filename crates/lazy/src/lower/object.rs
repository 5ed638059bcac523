//! Calls: one task each.

use std::sync::Arc;

use chunkwise_expr::{Call, Collect, Object};
use chunkwise_scheduler::{BoxError, Layer, TaskCx};

use super::feed::{Feed, operands};
use super::recycle::Recycler;
use super::{Label, Value};

/// Calls a function of values.
pub(crate) struct CallLayer {
    pub(crate) label: Label,
    pub(crate) call: Call,
}

impl Layer<Value> for CallLayer {
    fn run(&self, _: u32, inputs: &mut [Value], _: &TaskCx<'_>) -> Result<Value, BoxError> {
        let objects: Vec<Object> = inputs.iter().map(Value::object).collect();
        Ok(Value::Object(self.call.run(&objects)))
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index)
    }
}

/// Makes a value of an array of one block.
pub(crate) struct CollectLayer {
    pub(crate) label: Label,
    pub(crate) collect: Collect,
    pub(crate) feed: Feed,
    pub(crate) need: chunkwise_expr::Need,
    pub(crate) recycler: Arc<Recycler>,
}

impl Layer<Value> for CollectLayer {
    fn run(&self, _: u32, inputs: &mut [Value], _: &TaskCx<'_>) -> Result<Value, BoxError> {
        let mut operand = operands(
            std::slice::from_ref(&self.feed),
            std::slice::from_ref(&self.need),
            inputs,
            &self.recycler,
        )?;
        Ok(Value::Object(self.collect.run(operand.swap_remove(0))))
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index)
    }
}
