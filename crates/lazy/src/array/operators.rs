//! Operators: every pairing of owned and borrowed arrays of any ranks, and numbers on either side; real numbers beside
//! complex arrays too.

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Shl, Shr, Sub};

use chunkwise_chunk::{Bits, Complex, Integer, Number, Real, Signed};
use chunkwise_expr::{BinaryOp, Expr, UnaryOp};
use ndarray::{DimMax, Dimension};

use super::here;
use crate::{LazyArray, Operand};

macro_rules! array_array {
    ($trait:ident $method:ident $class:ident: $($left:ty, $right:ty;)*) => { $(
        impl<T: $class, D, E> $trait<$right> for $left
        where
            D: Dimension + DimMax<E>,
            E: Dimension,
        {
            type Output = LazyArray<T, <D as DimMax<E>>::Output>;

            #[track_caller]
            fn $method(self, right: $right) -> Self::Output {
                LazyArray::wrap(Expr::element(BinaryOp::$trait.into(), &[self.expr(), right.expr()], here()))
            }
        }
    )* };
}

macro_rules! array_number {
    ($trait:ident $method:ident $class:ident: $($left:ty;)*) => { $(
        impl<T: $class, D: Dimension> $trait<T> for $left {
            type Output = LazyArray<T, D>;

            #[track_caller]
            fn $method(self, right: T) -> Self::Output {
                let at = here();
                let right = Operand::<T>::operand(right, at);
                LazyArray::wrap(Expr::element(BinaryOp::$trait.into(), &[self.expr(), &right], at))
            }
        }
    )* };
}

macro_rules! number_array {
    ($trait:ident $method:ident: $($t:ty)*) => { $(
        number_array!(@one $trait $method $t, LazyArray<$t, D>);
        number_array!(@one $trait $method $t, &LazyArray<$t, D>);
    )* };
    (@one $trait:ident $method:ident $t:ty, $right:ty) => {
        impl<D: Dimension> $trait<$right> for $t {
            type Output = LazyArray<$t, D>;

            #[track_caller]
            fn $method(self, right: $right) -> Self::Output {
                let at = here();
                let left = Operand::<$t>::operand(self, at);
                LazyArray::wrap(Expr::element(BinaryOp::$trait.into(), &[&left, right.expr()], at))
            }
        }
    };
}

macro_rules! binary_operators {
    ($($trait:ident $method:ident $class:ident: $($t:ty)*;)*) => { $(
        array_array!($trait $method $class:
            LazyArray<T, D>, LazyArray<T, E>;
            LazyArray<T, D>, &LazyArray<T, E>;
            &LazyArray<T, D>, LazyArray<T, E>;
            &LazyArray<T, D>, &LazyArray<T, E>;
        );
        array_number!($trait $method $class: LazyArray<T, D>; &LazyArray<T, D>;);
        number_array!($trait $method: $($t)*);
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

macro_rules! complex_array_real {
    ($($trait:ident $method:ident)*) => { $(
        complex_array_real!(@types $trait $method f32 f64);
    )* };
    (@types $trait:ident $method:ident $($t:ident)*) => { $(
        complex_array_real!(@one $trait $method $t, LazyArray<Complex<$t>, D>);
        complex_array_real!(@one $trait $method $t, &LazyArray<Complex<$t>, D>);
    )* };
    (@one $trait:ident $method:ident $t:ident, $array:ty) => {
        impl<D: Dimension> $trait<$t> for $array {
            type Output = LazyArray<Complex<$t>, D>;

            /// The number as a complex one.
            #[track_caller]
            fn $method(self, right: $t) -> Self::Output {
                $trait::$method(self, Complex::from(right))
            }
        }

        impl<D: Dimension> $trait<$array> for $t {
            type Output = LazyArray<Complex<$t>, D>;

            /// The number as a complex one.
            #[track_caller]
            fn $method(self, right: $array) -> Self::Output {
                $trait::$method(Complex::from(self), right)
            }
        }
    };
}
complex_array_real!(Add add Sub sub Mul mul Div div);

macro_rules! unary_operators {
    ($($trait:ident $method:ident $class:ident;)*) => { $(
        unary_operators!(@one $trait $method $class, LazyArray<T, D>);
        unary_operators!(@one $trait $method $class, &LazyArray<T, D>);
    )* };
    (@one $trait:ident $method:ident $class:ident, $array:ty) => {
        impl<T: $class, D> $trait for $array {
            type Output = LazyArray<T, D>;

            #[track_caller]
            fn $method(self) -> LazyArray<T, D> {
                LazyArray::wrap(Expr::element(UnaryOp::$trait.into(), &[self.expr()], here()))
            }
        }
    };
}
unary_operators! {
    Neg neg Signed;
    Not not Bits;
}
