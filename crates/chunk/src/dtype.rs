//! Element types: the one table of dtypes, the sealed traits over them, and dtype dispatch.
//!
//! ```text
//!                 bool   integers   floats   complex
//! Element          x        x         x         x      can be stored, compared for equality, summed
//! Ordered          x        x         x                has an order
//! Bits             x        x                          has bitwise logic
//! Number                    x         x         x      has arithmetic
//! Real                      x         x                has arithmetic and an order
//! Signed                 signed       x         x      has negatives
//! Integer                   x
//! Inexact                             x         x      is rounded; has roots, exponentials, sines
//! Float                               x
//! ```

use std::fmt;
use std::mem::MaybeUninit;

use ndarray::{ArcArray, ArrayViewMutD, IxDyn};
use num_complex::Complex;

use crate::{Chunk, Room, Scalar, Tile, TileMut, Window, Written};

/// Calls `$reader!` with one row per element type: `Variant type, "name";`.
///
/// Adding an element type is adding a row here.
///
/// ```
/// macro_rules! count { ($($v:ident $t:ty, $name:literal;)*) => { [$($name),*].len() } }
/// assert_eq!(chunkwise_chunk::for_each_dtype!(count), 13);
/// ```
#[macro_export]
macro_rules! for_each_dtype {
    ($reader:ident) => {
        $reader! {
            Bool bool, "bool";
            I8 i8, "i8";
            I16 i16, "i16";
            I32 i32, "i32";
            I64 i64, "i64";
            U8 u8, "u8";
            U16 u16, "u16";
            U32 u32, "u32";
            U64 u64, "u64";
            F32 f32, "f32";
            F64 f64, "f64";
            C64 $crate::Complex<f32>, "c64";
            C128 $crate::Complex<f64>, "c128";
        }
    };
}

/// Runs `$body` with `$t` bound to the Rust type of a [`DType`]: the only dispatch on dtype there is. With a class before
/// it, `$t` is one of the types of that class, and `$otherwise` stands for the others. With `Bits:` it is the type that
/// stands for it where elements are only moved ([`AsBits`](crate::AsBits)).
///
/// ```
/// use chunkwise_chunk::{dispatch, DType};
/// assert_eq!(dispatch!(DType::I16, T => size_of::<T>()), 2);
/// let half = |dtype| dispatch!(Float: dtype, T => Some(f64::from(0.5 as T)), _ => None);
/// assert_eq!((half(DType::F32), half(DType::I8)), (Some(0.5), None));
/// ```
#[macro_export]
macro_rules! dispatch {
    (@match $dtype:expr, $t:ident, $body:expr, [$($v:ident $rust:ty),*], $($otherwise:tt)*) => {
        match $dtype {
            $($crate::DType::$v => {
                type $t = $rust;
                $body
            })*
            $($otherwise)*
        }
    };
    (Ordered: $dtype:expr, $t:ident => $body:expr, _ => $otherwise:expr) => {
        $crate::dispatch!(@match $dtype, $t, $body, [
            Bool bool,
            I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F32 f32, F64 f64
        ], _ => $otherwise)
    };
    (Real: $dtype:expr, $t:ident => $body:expr, _ => $otherwise:expr) => {
        $crate::dispatch!(@match $dtype, $t, $body, [
            I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F32 f32, F64 f64
        ], _ => $otherwise)
    };
    (Float: $dtype:expr, $t:ident => $body:expr, _ => $otherwise:expr) => {
        $crate::dispatch!(@match $dtype, $t, $body, [
            F32 f32, F64 f64
        ], _ => $otherwise)
    };
    (Bits: $dtype:expr, $t:ident => $body:expr) => {
        $crate::dispatch!(@match $dtype, $t, $body, [
            Bool bool,
            I8 u8, I16 u16, I32 u32, I64 u64, U8 u8, U16 u16, U32 u32, U64 u64,
            F32 u32, F64 u64,
            C64 $crate::Complex<f32>, C128 $crate::Complex<f64>
        ],)
    };
    ($dtype:expr, $t:ident => $body:expr) => {
        $crate::dispatch!(@match $dtype, $t, $body, [
            Bool bool,
            I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F32 f32, F64 f64,
            C64 $crate::Complex<f32>, C128 $crate::Complex<f64>
        ],)
    };
}

/// The Rust type of [`DType::sum_type`].
#[rustfmt::skip]
macro_rules! sum_type {
    (F32) => { f32 };
    (F64) => { f64 };
    (C64) => { Complex<f32> };
    (C128) => { Complex<f64> };
    (U8) => { u64 };
    (U16) => { u64 };
    (U32) => { u64 };
    (U64) => { u64 };
    ($signed_or_bool:ident) => { i64 };
}

/// The Rust type of [`DType::mean_type`].
#[rustfmt::skip]
macro_rules! mean_type {
    (F32) => { f32 };
    (C64) => { Complex<f32> };
    (C128) => { Complex<f64> };
    ($other:ident) => { f64 };
}

/// The Rust type of [`DType::double_type`].
#[rustfmt::skip]
macro_rules! double_type {
    (C64) => { Complex<f64> };
    (C128) => { Complex<f64> };
    ($real:ident) => { f64 };
}

/// The Rust type of [`DType::real_type`].
#[rustfmt::skip]
macro_rules! real_type {
    (C64, $t:ty) => { f32 };
    (C128, $t:ty) => { f64 };
    ($real:ident, $t:ty) => { $t };
}

macro_rules! define_dtype {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// The type of an array's elements.
        ///
        /// Exhaustive on purpose: dispatch over element types must be total.
        ///
        /// ```
        /// use chunkwise_chunk::DType;
        /// assert_eq!(DType::F32.to_string(), "f32");
        /// assert_eq!(DType::F32.itemsize(), 4);
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum DType { $($v,)* }

        impl DType {
            /// Every element type, in the order of the table.
            pub const ALL: &'static [DType] = &[$(DType::$v),*];

            /// The Rust name of the type, as in `"f64"`; that of complex numbers counts the bits of both parts, as in
            /// `"c128"`.
            pub fn name(self) -> &'static str {
                match self { $(DType::$v => $name,)* }
            }

            /// Bytes of one element.
            pub fn itemsize(self) -> usize {
                match self { $(DType::$v => size_of::<$t>(),)* }
            }
        }

        $(
            impl sealed::Sealed for $t {}
            impl Element for $t {
                type Sum = sum_type!($v);
                type Mean = mean_type!($v);
                type Double = double_type!($v);
                type Real = real_type!($v, $t);
                const DTYPE: DType = DType::$v;
                fn into_chunk(array: ArcArray<Self, IxDyn>) -> Chunk { Chunk::$v(array) }
                fn of_chunk(chunk: &Chunk) -> Option<&ArcArray<Self, IxDyn>> {
                    match chunk { Chunk::$v(a) => Some(a), _ => None }
                }
                fn from_chunk(chunk: Chunk) -> Option<ArcArray<Self, IxDyn>> {
                    match chunk { Chunk::$v(a) => Some(a), _ => None }
                }
                fn of_scalar(scalar: Scalar) -> Option<Self> {
                    match scalar { Scalar::$v(x) => Some(x), _ => None }
                }
                fn into_scalar(self) -> Scalar { Scalar::$v(self) }
                fn of_tile(tile: Tile<'_>) -> Option<&[Self]> {
                    match tile { Tile::$v(x) => Some(x), _ => None }
                }
                fn of_tile_mut(tile: TileMut<'_>) -> Option<&mut [Self]> {
                    match tile { TileMut::$v(x) => Some(x), _ => None }
                }
                fn tile_mut(run: &mut [Self]) -> TileMut<'_> { TileMut::$v(run) }
                fn window(memory: ArrayViewMutD<'_, MaybeUninit<Self>>) -> Window<'_> { Window::$v(memory) }
                fn of_window(window: Window<'_>) -> Option<ArrayViewMutD<'_, MaybeUninit<Self>>> {
                    match window { Window::$v(x) => Some(x), _ => None }
                }
                fn written(memory: ArrayViewMutD<'_, Self>) -> Written<'_> { Written::$v(memory) }
                fn of_written(written: Written<'_>) -> Option<ArrayViewMutD<'_, Self>> {
                    match written { Written::$v(x) => Some(x), _ => None }
                }
                fn of_room(room: Room) -> Option<Vec<Self>> {
                    match room { Room::$v(vec) => Some(vec), _ => None }
                }
            }
        )*
    };
}
for_each_dtype!(define_dtype);

impl DType {
    /// True for `f32` and `f64`.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// True for complex numbers.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// assert!(DType::C64.is_complex() && !DType::C64.is_float());
    /// ```
    pub fn is_complex(self) -> bool {
        matches!(self, DType::C64 | DType::C128)
    }

    /// True for the signed and unsigned integers, not for `bool`.
    pub fn is_integer(self) -> bool {
        !self.is_float() && !self.is_complex() && self != DType::Bool
    }

    /// True for the unsigned integers.
    pub fn is_unsigned(self) -> bool {
        matches!(self, DType::U8 | DType::U16 | DType::U32 | DType::U64)
    }

    /// The type of `sum` and `prod`: 64-bit for bool and integers, unchanged for floats and complex numbers.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// assert_eq!(DType::U8.sum_type(), DType::U64);
    /// assert_eq!(DType::Bool.sum_type(), DType::I64);
    /// ```
    pub fn sum_type(self) -> DType {
        match self {
            d if d.is_float() || d.is_complex() => d,
            d if d.is_unsigned() => DType::U64,
            _ => DType::I64,
        }
    }

    /// The type of `mean`: unchanged for floats and complex numbers, `f64` for others.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// assert_eq!((DType::I8.mean_type(), DType::C64.mean_type()), (DType::F64, DType::C64));
    /// ```
    pub fn mean_type(self) -> DType {
        if self == DType::F32 || self.is_complex() { self } else { DType::F64 }
    }

    /// The type of `cov`: complex numbers with parts of `f64` for complex ones, `f64` for others.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// assert_eq!((DType::F32.double_type(), DType::C64.double_type()), (DType::F64, DType::C128));
    /// ```
    pub fn double_type(self) -> DType {
        if self.is_complex() { DType::C128 } else { DType::F64 }
    }

    /// The type of `abs`, and of the parts of complex numbers; every other type itself.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// assert_eq!((DType::C128.real_type(), DType::I8.real_type()), (DType::F64, DType::I8));
    /// ```
    pub fn real_type(self) -> DType {
        match self {
            DType::C64 => DType::F32,
            DType::C128 => DType::F64,
            real => real,
        }
    }

    /// The complex numbers whose parts are of this type; complex types themselves, and `None` for what is no float.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// assert_eq!((DType::F32.complex_type(), DType::I8.complex_type()), (Some(DType::C64), None));
    /// ```
    pub fn complex_type(self) -> Option<DType> {
        match self {
            DType::F32 | DType::C64 => Some(DType::C64),
            DType::F64 | DType::C128 => Some(DType::C128),
            _ => None,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A type that arrays can hold: `bool`, `i8`..`i64`, `u8`..`u64`, `f32`, `f64`, `Complex<f32>`, `Complex<f64>`.
///
/// Sealed: the kernels are compiled for these types.
///
/// ```
/// use chunkwise_chunk::{DType, Element};
/// assert_eq!(<u8 as Element>::DTYPE, DType::U8);
/// ```
pub trait Element: sealed::Sealed + Copy + Default + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// The type of `sum` and `prod`; see [`DType::sum_type`].
    type Sum: Number;
    /// The type of `mean`; see [`DType::mean_type`]. That of `var` and `std` is its [`Real`](Element::Real).
    type Mean: Inexact;
    /// The type of `cov`; see [`DType::double_type`].
    type Double: Inexact;
    /// The type of `abs`: that of the parts of complex numbers, else the type itself; see [`DType::real_type`].
    type Real: Ordered;
    /// The run-time name of this type.
    const DTYPE: DType;
    /// Wraps an array of this type as a [`Chunk`].
    fn into_chunk(array: ArcArray<Self, IxDyn>) -> Chunk;
    /// The array inside a [`Chunk`], when it is of this type.
    fn of_chunk(chunk: &Chunk) -> Option<&ArcArray<Self, IxDyn>>;
    /// The array out of a [`Chunk`], when it is of this type.
    fn from_chunk(chunk: Chunk) -> Option<ArcArray<Self, IxDyn>>;
    /// The value inside a [`Scalar`], when it is of this type.
    fn of_scalar(scalar: Scalar) -> Option<Self>;
    /// Wraps the value as a [`Scalar`].
    fn into_scalar(self) -> Scalar;
    /// The elements of a [`Tile`], when it is of this type.
    #[doc(hidden)]
    fn of_tile(tile: Tile<'_>) -> Option<&[Self]>;
    /// The elements of a [`TileMut`], when it is of this type.
    #[doc(hidden)]
    fn of_tile_mut(tile: TileMut<'_>) -> Option<&mut [Self]>;
    /// Wraps a run as a [`TileMut`].
    #[doc(hidden)]
    fn tile_mut(run: &mut [Self]) -> TileMut<'_>;
    /// Wraps memory as a [`Window`].
    #[doc(hidden)]
    fn window(memory: ArrayViewMutD<'_, MaybeUninit<Self>>) -> Window<'_>;
    /// The memory of a [`Window`], when it is for elements of this type.
    #[doc(hidden)]
    fn of_window(window: Window<'_>) -> Option<ArrayViewMutD<'_, MaybeUninit<Self>>>;
    /// Wraps memory as [`Written`].
    #[doc(hidden)]
    fn written(memory: ArrayViewMutD<'_, Self>) -> Written<'_>;
    /// The memory of [`Written`], when its elements are of this type.
    #[doc(hidden)]
    fn of_written(written: Written<'_>) -> Option<ArrayViewMutD<'_, Self>>;
    /// The vector of a [`Room`], when it is for elements of this type.
    #[doc(hidden)]
    fn of_room(room: Room) -> Option<Vec<Self>>;
}

/// A type with an order: every [`Element`] but complex numbers.
///
/// ```
/// fn larger<T: chunkwise_chunk::Ordered>(a: T, b: T) -> T { if a > b { a } else { b } }
/// assert_eq!(larger(2u8, 3), 3);
/// ```
pub trait Ordered: Element<Real = Self> + PartialOrd + fmt::Display {}

/// A type with arithmetic: every [`Element`] but `bool`.
///
/// ```
/// fn zero<T: chunkwise_chunk::Number>() -> T { T::zero() }
/// assert_eq!(zero::<i32>(), 0);
/// ```
pub trait Number: Element + num_traits::Zero + num_traits::One {}

/// A number of the real line, which has an order and can be rounded down: integers and floats.
///
/// ```
/// fn is_small<T: chunkwise_chunk::Real>(x: T) -> bool { x < T::one() }
/// assert!(is_small(0.5));
/// ```
pub trait Real: Number + Ordered + num_traits::NumCast {}

/// A type that has the negative of each value: signed integers, floats and complex numbers.
///
/// ```
/// fn is_signed<T: chunkwise_chunk::Signed>() -> bool { true }
/// assert!(is_signed::<i8>());
/// ```
pub trait Signed: Number {}

/// A type whose values are rounded: floats and complex numbers. Roots, exponentials and sines are of these.
///
/// ```
/// use chunkwise_chunk::{Complex, Inexact};
/// fn is_inexact<T: Inexact>(_: T) -> bool { true }
/// assert!(is_inexact(0.5_f32) && is_inexact(Complex::new(0.0, 1.0)));
/// ```
pub trait Inexact: Signed {}

/// `f32` or `f64`.
///
/// ```
/// fn half<T: chunkwise_chunk::Float>() -> T { T::one() / (T::one() + T::one()) }
/// assert_eq!(half::<f32>(), 0.5);
/// ```
pub trait Float: Real + Inexact + num_traits::Float {}

/// A signed or unsigned integer.
///
/// ```
/// fn max<T: chunkwise_chunk::Integer>() -> T { T::max_value() }
/// assert_eq!(max::<u8>(), 255);
/// ```
pub trait Integer: Real + num_traits::Bounded {}

/// A type with bitwise logic: `bool` and the integers.
///
/// ```
/// fn name<T: chunkwise_chunk::Bits>() -> &'static str { T::DTYPE.name() }
/// assert_eq!(name::<bool>(), "bool");
/// ```
pub trait Bits: Ordered {}

macro_rules! classes {
    ($($class:ident: $($t:ty)*;)*) => { $($(impl $class for $t {})*)* };
}
classes! {
    Ordered: bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    Number: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 Complex<f32> Complex<f64>;
    Real: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    Signed: i8 i16 i32 i64 f32 f64 Complex<f32> Complex<f64>;
    Inexact: f32 f64 Complex<f32> Complex<f64>;
    Float: f32 f64;
    Integer: i8 i16 i32 i64 u8 u16 u32 u64;
    Bits: bool i8 i16 i32 i64 u8 u16 u32 u64;
}
