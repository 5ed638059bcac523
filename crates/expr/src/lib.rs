#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

mod arith;
mod complex;
mod display;
mod divide;
mod element;
mod error;
mod eval;
mod expr;
mod float_parts;
mod graph;
mod integer_bits;
mod op;
mod op_table;
mod ops;
mod program;
mod reduce_table;

/// The elementary functions, as the rows of the tables name them.
pub use chunkwise_math as math;

pub use arith::{Arith, Order, RealArith, cast};
pub use complex::Parts;
pub use element::{BinaryOp, ElementFn, ElementOp, UnaryOp};
pub use error::{BuildError, ExprError};
pub use eval::{eval_binary, eval_cast, eval_element, eval_unary};
pub use expr::{Expr, Meta, Node};
pub use float_parts::FloatParts;
pub use graph::{ExprGraph, GraphNode, NodeId};
pub use integer_bits::IntegerBits;
pub use op::{Need, Needs, Op};
pub use ops::element::needs as element_needs;
pub use ops::{BlockError, BlockRule, Blockwise, Step};
pub use ops::{Call, Collect, Concat, FromObject, Object, Rechunk, Reduce, Reshape, SourceOp};
pub use ops::{OpPart, Reduction, UserReduction, UserStates};
pub use program::{Arg, Instr, Program, ProgramBuilder};
pub use reduce_table::ReduceKind;
