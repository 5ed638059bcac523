#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

mod agree;
mod any;
pub mod conformance;
mod eager;
mod generate;
mod methods;
mod slack;
mod source;

pub use agree::{Disagreement, check_op, same_array, same_value};
pub use any::{AnyArray, compute_all};
pub use eager::rules::names as reference_names;
pub use eager::{EagerError, PlainArray, Value, eval, eval_graph, eval_op, exact_sum};
pub use generate::{RandomExpr, random_expressions};
pub use methods::{Use, method_names, random_uses};
pub use source::TestSource;
