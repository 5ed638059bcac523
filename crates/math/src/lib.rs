#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

mod arc;
mod area;
mod erf;
mod exp;
mod function;
mod hyperbolic;
mod isa;
mod log;
mod num;
mod pow;
mod reduce;
mod root;
mod single;
mod table;
mod trig;

pub use function::{Binary, Unary};
pub use isa::{Fma, Isa, Plain, has_fma};
pub use table::*;
