//! Elementwise methods and operators of masked arrays: every row of the operation tables.
//!
//! What is divided by zero is missing, of integers and of floats, as in `numpy.ma`. Other results that are no numbers, of
//! functions and of divisions of NaN, stay as they are.

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Shl, Shr, Sub};
use std::panic::Location;

use chunkwise_chunk::{Bits, Complex, Element, Float, Inexact, Integer, Number, Ordered, Real, Signed};
use chunkwise_expr::{BinaryOp, UnaryOp, for_each_binary, for_each_unary};
use ndarray::{DimMax, Dimension};

use super::here;
use super::masked_expr::MaskedOperandExpr;
use super::values_expr::Elementwise;
use crate::{LazyArray, MaskedArray, Operand};

mod sealed {
    /// Closes [`MaskedOperand`](super::MaskedOperand) to other crates.
    pub trait MaskedOperand<T> {}
}

impl<T, D> sealed::MaskedOperand<T> for MaskedArray<T, D> {}
impl<T, D> sealed::MaskedOperand<T> for &MaskedArray<T, D> {}

/// A second operand of a masked array: a masked array, or what is an [`Operand`] of a plain one. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::from_ndarray(ndarray::arr1(&[1_i32, 2]), 2).masked_equal(1);
/// assert_eq!((x.maximum(&x) + 1).sum().compute_option()?, Some(3));
/// # Ok::<(), chunkwise::Error>(())
/// ```
///
/// What is divided by zero (`/`, `%`, `floor_div`, `modulo`) is missing, and no error:
///
/// ```
/// use chunkwise::prelude::*;
/// let a = LazyArray::from_ndarray(ndarray::arr1(&[6_i32, 7]), 2).masked_equal(-1);
/// let b = LazyArray::from_ndarray(ndarray::arr1(&[3_i32, 0]), 2);
/// assert_eq!((&a / &b).filled(-1).compute()?, ndarray::arr1(&[2, -1]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub trait MaskedOperand<T: Element>: sealed::MaskedOperand<T> {
    /// Its dimension type.
    type Dim: Dimension;

    /// The expressions of the operand.
    #[doc(hidden)]
    fn masked_operand(self, origin: &'static Location<'static>) -> MaskedOperandExpr;
}

/// What has no mask.
macro_rules! unmasked_operands {
    ($([$($generics:tt)*] $operand:ty;)*) => { $(
        impl<$($generics)* T: Element> sealed::MaskedOperand<T> for $operand {}

        impl<$($generics)* T: Element> MaskedOperand<T> for $operand {
            type Dim = <$operand as Operand<T>>::Dim;

            fn masked_operand(self, origin: &'static Location<'static>) -> MaskedOperandExpr {
                MaskedOperandExpr { data: Operand::<T>::operand(self, origin), mask: None }
            }
        }
    )* };
}
unmasked_operands! {
    [] T;
    [D: Dimension,] LazyArray<T, D>;
    ['a, D: Dimension,] &'a LazyArray<T, D>;
}

impl<T: Element, D: Dimension> MaskedOperand<T> for MaskedArray<T, D> {
    type Dim = D;

    fn masked_operand(self, origin: &'static Location<'static>) -> MaskedOperandExpr {
        (&self).masked_operand(origin)
    }
}

impl<T: Element, D: Dimension> MaskedOperand<T> for &MaskedArray<T, D> {
    type Dim = D;

    fn masked_operand(self, _: &'static Location<'static>) -> MaskedOperandExpr {
        MaskedOperandExpr { data: self.data.expr().clone(), mask: Some(self.mask.expr().clone()) }
    }
}

#[rustfmt::skip]
macro_rules! output {
    (Same, $t:ident) => { $t };
    (Bool, $t:ident) => { bool };
    (Real, $t:ident) => { $t::Real };
}

macro_rules! unary_method {
    (operator $($rest:tt)*) => {};
    (method $variant:ident $name:ident $class:ident $out:ident ($eg:expr) ($res:expr)) => {
        impl<T: $class, D: Dimension> MaskedArray<T, D> {
            #[doc = concat!("[`", stringify!($name), "`](LazyArray::", stringify!($name), ") of the elements; what is missing stays missing.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::from_ndarray(ndarray::arr1(&[", stringify!($eg), "]), 1);")]
            #[doc = concat!("let y = MaskedArray::from(x).", stringify!($name), "();")]
            #[doc = concat!("assert_eq!(y.compute()?, (ndarray::arr1(&[", stringify!($res), "]), ndarray::arr1(&[false])));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $name(&self) -> MaskedArray<output!($out, T), D> {
                MaskedArray::wrap(self.masked().unary(UnaryOp::$variant, Elementwise(here())))
            }
        }
    };
}

macro_rules! define_unary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$x:ident| $body:expr,
        $form:ident $(via $math:ident)?, eg $eg:expr => $res:expr;)*) => {
        $(unary_method!($form $variant $name $class $out ($eg) ($res));)*
    };
}
for_each_unary!(define_unary);

macro_rules! binary_method {
    (operator $($rest:tt)*) => {};
    (method $variant:ident $name:ident $class:ident $out:ident ($ea:expr) ($eb:expr) ($res:expr)) => {
        impl<T: $class, D: Dimension> MaskedArray<T, D> {
            #[doc = concat!("[`", stringify!($name), "`](LazyArray::", stringify!($name), ") of the elements; missing where either is missing.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::from_ndarray(ndarray::arr1(&[", stringify!($ea), "]), 1);")]
            #[doc = concat!("let y = MaskedArray::from(x).", stringify!($name), "(", stringify!($eb), ");")]
            #[doc = concat!("assert_eq!(y.compute()?, (ndarray::arr1(&[", stringify!($res), "]), ndarray::arr1(&[false])));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $name<O: MaskedOperand<T>>(
                &self,
                other: O,
            ) -> MaskedArray<output!($out, T), <D as DimMax<O::Dim>>::Output>
            where
                D: DimMax<O::Dim>,
            {
                let at = here();
                let other = other.masked_operand(at);
                MaskedArray::wrap(self.masked().binary(BinaryOp::$variant, &other, Elementwise(at)))
            }
        }
    };
}

macro_rules! define_binary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$a:ident, $b:ident| $body:expr,
        faults $fault:expr, $form:ident $(via $math:ident)?, eg $ea:expr, $eb:expr => $res:expr;)*) => {
        $(binary_method!($form $variant $name $class $out ($ea) ($eb) ($res));)*
    };
}
for_each_binary!(define_binary);

/// Operators with a masked array on the left, and anything on the right.
macro_rules! masked_any {
    ($trait:ident $method:ident $class:ident: $($left:ty;)*) => { $(
        impl<T: $class, D, O> $trait<O> for $left
        where
            D: Dimension + DimMax<O::Dim>,
            O: MaskedOperand<T>,
        {
            type Output = MaskedArray<T, <D as DimMax<O::Dim>>::Output>;

            #[track_caller]
            fn $method(self, right: O) -> Self::Output {
                let at = here();
                let right = right.masked_operand(at);
                MaskedArray::wrap(self.masked().binary(BinaryOp::$trait, &right, Elementwise(at)))
            }
        }
    )* };
}

/// Operators with a plain array on the left.
macro_rules! array_masked {
    ($trait:ident $method:ident $class:ident: $($left:ty, $right:ty;)*) => { $(
        impl<T: $class, D, E> $trait<$right> for $left
        where
            D: Dimension + DimMax<E>,
            E: Dimension,
        {
            type Output = MaskedArray<T, <D as DimMax<E>>::Output>;

            #[track_caller]
            fn $method(self, right: $right) -> Self::Output {
                MaskedArray::wrap(right.masked().binary_from(BinaryOp::$trait, self.expr(), Elementwise(here())))
            }
        }
    )* };
}

/// Operators with a number on the left.
macro_rules! number_masked {
    ($trait:ident $method:ident: $($t:ty)*) => { $(
        number_masked!(@one $trait $method $t, MaskedArray<$t, D>);
        number_masked!(@one $trait $method $t, &MaskedArray<$t, D>);
    )* };
    (@one $trait:ident $method:ident $t:ty, $right:ty) => {
        impl<D: Dimension> $trait<$right> for $t {
            type Output = MaskedArray<$t, D>;

            #[track_caller]
            fn $method(self, right: $right) -> Self::Output {
                let make = Elementwise(here());
                MaskedArray::wrap(right.masked().binary_from(BinaryOp::$trait, &make.literal(self), make))
            }
        }
    };
}

macro_rules! binary_operators {
    ($($trait:ident $method:ident $class:ident: $($t:ty)*;)*) => { $(
        masked_any!($trait $method $class: MaskedArray<T, D>; &MaskedArray<T, D>;);
        array_masked!($trait $method $class:
            LazyArray<T, D>, MaskedArray<T, E>;
            LazyArray<T, D>, &MaskedArray<T, E>;
            &LazyArray<T, D>, MaskedArray<T, E>;
            &LazyArray<T, D>, &MaskedArray<T, E>;
        );
        number_masked!($trait $method: $($t)*);
    )* };
}
binary_operators! {
    Add add Number: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 Complex<f32> Complex<f64>;
    Sub sub Number: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 Complex<f32> Complex<f64>;
    Mul mul Number: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 Complex<f32> Complex<f64>;
    Div div Number: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 Complex<f32> Complex<f64>;
    Rem rem Real: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    BitAnd bitand Bits: bool i8 i16 i32 i64 u8 u16 u32 u64;
    BitOr bitor Bits: bool i8 i16 i32 i64 u8 u16 u32 u64;
    BitXor bitxor Bits: bool i8 i16 i32 i64 u8 u16 u32 u64;
    Shl shl Integer: i8 i16 i32 i64 u8 u16 u32 u64;
    Shr shr Integer: i8 i16 i32 i64 u8 u16 u32 u64;
}

macro_rules! unary_operators {
    ($($trait:ident $method:ident $class:ident;)*) => { $(
        unary_operators!(@one $trait $method $class, MaskedArray<T, D>);
        unary_operators!(@one $trait $method $class, &MaskedArray<T, D>);
    )* };
    (@one $trait:ident $method:ident $class:ident, $array:ty) => {
        impl<T: $class, D> $trait for $array {
            type Output = MaskedArray<T, D>;

            #[track_caller]
            fn $method(self) -> MaskedArray<T, D> {
                MaskedArray::wrap(self.masked().unary(UnaryOp::$trait, Elementwise(here())))
            }
        }
    };
}
unary_operators! {
    Neg neg Signed;
    Not not Bits;
}
