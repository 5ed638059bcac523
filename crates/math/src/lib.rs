#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

mod arc;
mod area;
mod complex;
#[doc(hidden)]
pub mod dispatch;
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
#[doc(hidden)]
pub mod unit;

pub use complex::complex_quotient;
pub use function::{Binary, Unary};
pub use isa::{Fma, Isa, Plain, has_fma};
pub use table::{
    Acos, Acosh, Asin, Asinh, Atan, Atan2, Atanh, Cbrt, Cos, Cosh, Erf, Exp, Exp2, ExpM1, Hypot, Ln, Ln1p,
    Log2, Log10, Pow, Recip, Sin, SinCos, Sinh, Sqrt, Tan, Tanh, acos, acosh, asin, asinh, atan, atan2,
    atanh, cbrt, cos, cosh, erf, exp, exp_m1, exp2, hypot, ln, ln_1p, log2, log10, pow, recip, sin, sin_cos,
    sinh, sqrt, tan, tanh,
};
