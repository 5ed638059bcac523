//! What a loop needs of a function: its fast form, which arguments that form is not right for, and their results.

use crate::{Isa, has_fma};

/// A function of one number.
///
/// A loop computes all elements with [`fast`](Unary::fast), which has no branches, and collects whether any was
/// [rare](Unary::is_rare); if so it replaces those by [`slow`](Unary::slow). Only sin, cos, tan and sin_cos have
/// rare arguments, huge ones: of all others the test is the constant `false`.
///
/// ```
/// use chunkwise_math::{Isa, Plain, Sin, Unary};
///
/// #[inline(always)]
/// fn map<F: Unary<f64, Output = f64>, I: Isa>(x: &[f64], y: &mut [f64]) {
///     let mut rare = false;
///     for (y, &x) in y.iter_mut().zip(x) {
///         *y = F::fast::<I>(x);
///         rare |= F::is_rare::<I>(x);
///     }
///     if rare {
///         for (y, &x) in y.iter_mut().zip(x).filter(|(_, x)| F::is_rare::<I>(**x)) {
///             *y = F::slow(x);
///         }
///     }
/// }
///
/// let mut y = [0.0; 2];
/// map::<Sin, Plain>(&[0.5, 1e22], &mut y);
/// assert_eq!(y[1], -0.8522008497671888);
/// ```
pub trait Unary<T: Copy>: Copy + 'static {
    /// The type of the result: `T`, or a pair of them.
    type Output: Copy;

    /// The result of every argument that is not rare; anything for those that are.
    fn fast<I: Isa>(x: T) -> Self::Output;

    /// Whether [`fast`](Unary::fast) is not right for `x`.
    #[inline(always)]
    fn is_rare<I: Isa>(_x: T) -> bool {
        false
    }

    /// The result of an argument that is rare for some [`Isa`], the same bits for all; unspecified for others.
    fn slow(x: T) -> Self::Output;

    /// The result of any argument.
    #[inline(always)]
    fn eval<I: Isa>(x: T) -> Self::Output {
        if Self::is_rare::<I>(x) { Self::slow(x) } else { Self::fast::<I>(x) }
    }
}

/// A function of two numbers; none has rare arguments.
///
/// ```
/// use chunkwise_math::{Binary, Hypot, Plain};
/// assert_eq!(Hypot::fast::<Plain>(3.0, 4.0), 5.0);
/// ```
pub trait Binary<T: Copy>: Copy + 'static {
    /// The result, without branches.
    fn fast<I: Isa>(x: T, y: T) -> T;
}

/// The bits the loops of this processor give.
#[inline]
pub(crate) fn unary<F: Unary<T>, T: Copy>(x: T) -> F::Output {
    if has_fma() { F::eval::<crate::Fma>(x) } else { F::eval::<crate::Plain>(x) }
}

/// The bits the loops of this processor give.
#[inline]
pub(crate) fn binary<F: Binary<T>, T: Copy>(x: T, y: T) -> T {
    if has_fma() { F::fast::<crate::Fma>(x, y) } else { F::fast::<crate::Plain>(x, y) }
}
