//! Truth for tests: a slow eager evaluator, random expressions, the conformance runner.

mod eager;
mod source;

pub use eager::{EagerError, PlainArray, Value, eval, eval_graph, eval_op, exact_sum};
pub use source::TestSource;
