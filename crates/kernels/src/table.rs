//! From an elementwise operation and its element types to the loop that runs it.
//!
//! Everything here is made from the tables of `expr`: a row becomes a type without values per operation, that
//! type implements [`UnaryRow`] or [`BinaryRow`] for every element type of the row's class, and a `match`
//! finds the loop. A new row in the tables is a new kernel without an edit here.

use chunkwise_chunk::DType;
use chunkwise_expr::{BinaryOp, UnaryOp, cast, for_each_binary, for_each_unary};

use crate::convert::saturated;
use crate::loops::{BinaryRow, RunFn, UnaryRow, binary, plain_binary, plain_unary, select, unary};

/// Calls `$reader!` with the element types of a class of the tables.
#[rustfmt::skip]
macro_rules! for_class {
    (Element, $reader:ident $args:tt) => { $reader!{ (Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64, C64 chunkwise_chunk::Complex<f32>, C128 chunkwise_chunk::Complex<f64>) $args } };
    (Ordered, $reader:ident $args:tt) => { $reader!{ (Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64) $args } };
    (Number, $reader:ident $args:tt) => { $reader!{ (I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64, C64 chunkwise_chunk::Complex<f32>, C128 chunkwise_chunk::Complex<f64>) $args } };
    (Real, $reader:ident $args:tt) => { $reader!{ (I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64) $args } };
    (Signed, $reader:ident $args:tt) => { $reader!{ (I8 i8, I16 i16, I32 i32, I64 i64, F32 f32, F64 f64, C64 chunkwise_chunk::Complex<f32>, C128 chunkwise_chunk::Complex<f64>) $args } };
    (Inexact, $reader:ident $args:tt) => { $reader!{ (F32 f32, F64 f64, C64 chunkwise_chunk::Complex<f32>, C128 chunkwise_chunk::Complex<f64>) $args } };
    (Float, $reader:ident $args:tt) => { $reader!{ (F32 f32, F64 f64) $args } };
    (Bits, $reader:ident $args:tt) => { $reader!{ (Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64) $args } };
    (Integer, $reader:ident $args:tt) => { $reader!{ (I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64) $args } };
}

#[rustfmt::skip]
macro_rules! out_type {
    (Same, $t:ty) => { $t };
    (Bool, $t:ty) => { bool };
    (Real, $t:ty) => { <$t as chunkwise_chunk::Element>::Real };
    (Complex, $t:ty) => { <$t as chunkwise_expr::Parts>::Complex };
}

/// The loop for every instruction set, of complex numbers for the baseline alone: their loops are bound by functions
/// that do not vectorise, or by memory, and each version costs time to build and bytes to ship.
#[rustfmt::skip]
macro_rules! loop_of {
    (C64 $every:ident $plain:ident, $row:ty, $t:ty) => { $plain::<$row, $t>() };
    (C128 $every:ident $plain:ident, $row:ty, $t:ty) => { $plain::<$row, $t>() };
    ($v:ident $every:ident $plain:ident, $row:ty, $t:ty) => { $every::<$row, $t>() };
}

macro_rules! impl_unary {
    (($($v:ident $t:ty),*) ($row:ident $out:ident |$x:ident| $body:expr)) => { $(
        impl UnaryRow<$t> for $row {
            type Out = out_type!($out, $t);
            #[inline(always)]
            fn apply<I: Isa>($x: $t) -> Self::Out { $body }
        }
    )* };
    // The vector form of the meaning; the tests compare the two.
    (($($v:ident $t:ty),*) ($row:ident $out:ident |$x:ident| $body:expr, via $math:ident)) => { $(
        impl UnaryRow<$t> for $row {
            type Out = $t;
            #[inline(always)]
            fn apply<I: Isa>(x: $t) -> $t { <math::$math as math::Unary<$t>>::fast::<I>(x) }
            #[inline(always)]
            fn is_rare<I: Isa>(x: $t) -> bool { <math::$math as math::Unary<$t>>::is_rare::<I>(x) }
            #[inline(always)]
            fn of_rare(x: $t) -> $t { <math::$math as math::Unary<$t>>::slow(x) }
        }
    )* };
}

macro_rules! find_unary {
    (($($v:ident $t:ty),*) ($row:ty, $dtype:expr)) => {
        match $dtype {
            $(DType::$v => Some(loop_of!($v unary plain_unary, $row, $t)),)*
            #[allow(unreachable_patterns)]
            _ => None,
        }
    };
}

macro_rules! define_unary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$x:ident| $body:expr,
        $form:ident $(via $math:ident)?, eg $eg:expr => $res:expr;)*) => {
        /// The rows of the unary table as types.
        pub(crate) mod unary_rows {
            #[allow(unused_imports)]
            use chunkwise_expr::{Arith, Order, Parts, RealArith};
            use chunkwise_math::{self as math, Isa};
            use super::UnaryRow;
            $(
                pub(crate) struct $variant;
                for_class!($class, impl_unary ($variant $out |$x| $body $(, via $math)?));
            )*
        }

        /// The loop of a unary operation; `None` when it does not take this type.
        pub(crate) fn unary_run(op: UnaryOp, dtype: DType) -> Option<RunFn> {
            match op {
                $(UnaryOp::$variant => for_class!($class, find_unary (unary_rows::$variant, dtype)),)*
            }
        }
    };
}
for_each_unary!(define_unary);

macro_rules! impl_binary {
    (($($v:ident $t:ty),*) ($row:ident $out:ident |$a:ident, $b:ident| $body:expr, $fault:expr, $via:tt)) => { $(
        impl BinaryRow<$t> for $row {
            type Out = out_type!($out, $t);
            #[inline(always)]
            fn apply<I: Isa>($a: $t, $b: $t) -> Self::Out { meaning!($v $t, $a, $b, $body, $via) }
            #[inline(always)]
            #[allow(unused_variables)]
            fn faults($a: $t, $b: $t) -> bool { $fault }
        }
    )* };
}

/// The meaning, or the vector form of it where the type is a float and there is one; the tests compare the two.
#[rustfmt::skip]
macro_rules! meaning {
    (F32 $t:ty, $a:ident, $b:ident, $body:expr, ($math:ident)) => { <math::$math as math::Binary<$t>>::fast::<I>($a, $b) };
    (F64 $t:ty, $a:ident, $b:ident, $body:expr, ($math:ident)) => { <math::$math as math::Binary<$t>>::fast::<I>($a, $b) };
    ($v:ident $t:ty, $a:ident, $b:ident, $body:expr, $via:tt) => { $body };
}

macro_rules! find_binary {
    (($($v:ident $t:ty),*) ($row:ty, $dtype:expr)) => {
        match $dtype {
            $(DType::$v => Some(loop_of!($v binary plain_binary, $row, $t)),)*
            #[allow(unreachable_patterns)]
            _ => None,
        }
    };
}

macro_rules! define_binary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$a:ident, $b:ident| $body:expr,
        faults $fault:expr, $form:ident $(via $math:ident)?, eg $ea:expr, $eb:expr => $res:expr;)*) => {
        /// The rows of the binary table as types.
        pub(crate) mod binary_rows {
            #[allow(unused_imports)]
            use chunkwise_expr::{Arith, Order, Parts, RealArith};
            use chunkwise_math::{self as math, Isa};
            use super::BinaryRow;
            $(
                pub(crate) struct $variant;
                for_class!($class, impl_binary ($variant $out |$a, $b| $body, $fault, ($($math)?)));
            )*
        }

        /// The loop of a binary operation; `None` when it does not take this type.
        pub(crate) fn binary_run(op: BinaryOp, dtype: DType) -> Option<RunFn> {
            match op {
                $(BinaryOp::$variant => for_class!($class, find_binary (binary_rows::$variant, dtype)),)*
            }
        }
    };
}
for_each_binary!(define_binary);

/// Conversion to `U`.
struct To<U>(std::marker::PhantomData<U>);

macro_rules! impl_cast {
    (($($v:ident $t:ty),*) ($w:ident $u:ty)) => { $(
        impl UnaryRow<$t> for To<$u> {
            type Out = $u;
            #[inline(always)]
            fn apply<I: chunkwise_math::Isa>(x: $t) -> $u { converted!($v to $w $u, x) }
        }
    )* };
}

/// The conversion, or the vector form of it where a float becomes an integer; the tests compare the two.
#[rustfmt::skip]
macro_rules! converted {
    ($v:ident to Bool $u:ty, $x:ident) => { cast($x) };
    ($v:ident to F32 $u:ty, $x:ident) => { cast($x) };
    ($v:ident to F64 $u:ty, $x:ident) => { cast($x) };
    ($v:ident to C64 $u:ty, $x:ident) => { cast($x) };
    ($v:ident to C128 $u:ty, $x:ident) => { cast($x) };
    (F32 to $w:ident $u:ty, $x:ident) => { saturated::<I, _, $u>($x) };
    (F64 to $w:ident $u:ty, $x:ident) => { saturated::<I, _, $u>($x) };
    ($v:ident to $w:ident $u:ty, $x:ident) => { cast($x) };
}

/// Calls `$reader!` with the element types that have a value in the type of this variant.
#[rustfmt::skip]
macro_rules! for_sources {
    (Bool, $($rest:tt)*) => { for_class! { Element, $($rest)* } };
    (C64, $($rest:tt)*) => { for_class! { Element, $($rest)* } };
    (C128, $($rest:tt)*) => { for_class! { Element, $($rest)* } };
    ($real:ident, $($rest:tt)*) => { for_class! { Ordered, $($rest)* } };
}

macro_rules! define_casts {
    (($($v:ident $u:ty),*) ()) => {
        $(for_sources!($v, impl_cast ($v $u));)*

        /// The loop that converts elements; `None` from complex to real numbers.
        pub(crate) fn cast_run(from: DType, to: DType) -> Option<RunFn> {
            match to { $(DType::$v => for_sources!($v, find_unary (To<$u>, from)),)* }
        }
    };
}
for_class!(Element, define_casts());

/// The loop of `where_` for elements of this type.
pub(crate) fn select_run(dtype: DType) -> RunFn {
    match (dtype.itemsize(), dtype) {
        // Words as wide as the parts: complex numbers are aligned no better.
        (_, DType::C64) => select::<[u32; 2]>(),
        (_, DType::C128) => select::<[u64; 2]>(),
        (1, _) => select::<u8>(),
        (2, _) => select::<u16>(),
        (4, _) => select::<u32>(),
        _ => select::<u64>(),
    }
}
