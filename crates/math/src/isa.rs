//! The one thing about a processor that changes a result: whether it multiplies and adds with one rounding.

/// How a function is compiled: with the fused multiplication and addition, or without.
///
/// Every function is written once, generic over this trait. [`Fma`] is right in a loop compiled for AVX2 and
/// FMA, AVX-512 or NEON, [`Plain`] in one compiled for the baseline of x86-64. Both keep the error bounds;
/// their results may differ in the last bit.
///
/// ```
/// use chunkwise_math::{Exp, Fma, Isa, Plain, Unary};
///
/// fn both<I: Isa>(x: f64) -> (bool, f64) {
///     (I::FMA, Exp::fast::<I>(x))
/// }
/// assert_eq!(both::<Fma>(0.0), (true, 1.0));
/// assert_eq!(both::<Plain>(0.0), (false, 1.0));
/// ```
pub trait Isa: Copy + 'static {
    /// Whether `mul_add` is one instruction.
    const FMA: bool;
}

/// Multiplications and additions are rounded one by one.
///
/// ```
/// use chunkwise_math::{Isa, Plain};
/// assert!(!Plain::FMA);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plain;

/// A multiplication and the addition of its product are rounded together.
///
/// In a function compiled without the feature the results are the same bits, by calls of the C library: slow.
///
/// ```
/// use chunkwise_math::{Fma, Isa};
/// assert!(Fma::FMA);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fma;

impl Isa for Plain {
    const FMA: bool = false;
}

impl Isa for Fma {
    const FMA: bool = true;
}

/// Whether the best loops of this processor are those of [`Fma`]: on x86-64 that takes AVX2 and FMA.
///
/// The scalar functions of this crate give the bits of those loops. The standard library caches the answer.
///
/// ```
/// use chunkwise_math::{Exp, Fma, Plain, Unary, exp, has_fma};
///
/// let of_loops = if has_fma() { Exp::eval::<Fma>(0.3) } else { Exp::eval::<Plain>(0.3) };
/// assert_eq!(exp(0.3), of_loops);
/// ```
#[inline]
pub fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    cfg!(target_arch = "aarch64")
}
