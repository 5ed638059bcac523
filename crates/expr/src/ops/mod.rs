//! The structural operations: one file each.

mod blockwise;
mod concat;
pub(crate) mod element;
mod object;
mod part;
mod rechunk;
mod reduce;
mod reduction;
mod reshape;
mod source;

pub use blockwise::{BlockError, BlockRule, Blockwise, Step};
pub use concat::Concat;
pub use object::{Call, Collect, FromObject, Object};
pub use part::OpPart;
pub use rechunk::Rechunk;
pub use reduce::Reduce;
pub use reduction::{Reduction, UserReduction, UserStates};
pub use reshape::Reshape;
pub use source::SourceOp;
