#![doc = include_str!("README.md")]
#![deny(unsafe_code)]

mod buffer;
mod compile;
mod convert;
mod error;
mod fold;
mod isa;
mod kernel;
mod layout;
mod loops;
mod machine;
mod operand;
mod pairs;
mod product;
mod rows;
#[cfg(target_arch = "x86_64")]
mod sqrt;
mod stop;
mod streaming;
mod strip;
mod table;

pub use compile::CompileOptions;
pub use error::KernelError;
pub use fold::{Fold, Partial};
pub use kernel::Kernel;
pub use operand::{AsOperand, Operand};
pub use product::{Factor, add_product, product_scratch_bytes};
pub use stop::{Stop, Stoppable};
