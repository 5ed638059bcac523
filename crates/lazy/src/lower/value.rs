//! What flows along the edges of a task graph.

use std::sync::Arc;

use chunkwise_chunk::Chunk;
use chunkwise_expr::Object;
use chunkwise_kernels::Partial;

/// The value of a task; cheap to clone.
#[derive(Clone)]
pub(crate) enum Value {
    /// A block of an array.
    Block(Chunk),
    /// A partial result of a reduction, or of several that are folded together.
    Partial(Arc<Partial>),
    /// The value of a call.
    Object(Object),
    /// Nothing is left: the block was written to its sink.
    Written,
}

impl Value {
    pub(crate) fn block(&mut self) -> Chunk {
        match std::mem::replace(self, Value::Written) {
            Value::Block(chunk) => chunk,
            _ => unreachable!("edges are made for values of the kind the layer takes"),
        }
    }

    pub(crate) fn partial(&self) -> &Partial {
        match self {
            Value::Partial(partial) => partial,
            _ => unreachable!("edges are made for values of the kind the layer takes"),
        }
    }

    pub(crate) fn object(&self) -> Object {
        match self {
            Value::Object(object) => object.clone(),
            _ => unreachable!("edges are made for values of the kind the layer takes"),
        }
    }
}
