//! Element types: the one table of dtypes, the sealed traits over them, and dtype dispatch.

use std::fmt;
use std::mem::MaybeUninit;

use ndarray::{ArcArray, ArrayViewMutD, IxDyn};

use crate::{Chunk, Room, Scalar, Tile, TileMut, Window, Written};

/// Calls `$reader!` with one row per element type: `Variant type "name" Class`.
///
/// Adding an element type is adding a row here.
///
/// ```
/// macro_rules! count { ($($v:ident $t:ty, $name:literal;)*) => { [$($name),*].len() } }
/// assert_eq!(chunkwise_chunk::for_each_dtype!(count), 11);
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
        }
    };
}

/// Runs `$body` with `$t` bound to the Rust type of a [`DType`]: the only dispatch on dtype there is.
///
/// ```
/// use chunkwise_chunk::{dispatch, DType};
/// assert_eq!(dispatch!(DType::I16, T => size_of::<T>()), 2);
/// ```
#[macro_export]
macro_rules! dispatch {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => {
                type $t = bool;
                $body
            }
            $crate::DType::I8 => {
                type $t = i8;
                $body
            }
            $crate::DType::I16 => {
                type $t = i16;
                $body
            }
            $crate::DType::I32 => {
                type $t = i32;
                $body
            }
            $crate::DType::I64 => {
                type $t = i64;
                $body
            }
            $crate::DType::U8 => {
                type $t = u8;
                $body
            }
            $crate::DType::U16 => {
                type $t = u16;
                $body
            }
            $crate::DType::U32 => {
                type $t = u32;
                $body
            }
            $crate::DType::U64 => {
                type $t = u64;
                $body
            }
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
        }
    };
}

/// The Rust type of [`DType::sum_type`].
#[rustfmt::skip]
macro_rules! sum_type {
    (f32) => { f32 };
    (f64) => { f64 };
    (u8) => { u64 };
    (u16) => { u64 };
    (u32) => { u64 };
    (u64) => { u64 };
    ($signed_or_bool:ident) => { i64 };
}

/// The Rust type of [`DType::mean_type`].
#[rustfmt::skip]
macro_rules! mean_type {
    (f32) => { f32 };
    ($other:ident) => { f64 };
}

macro_rules! define_dtype {
    ($($v:ident $t:ident, $name:literal;)*) => {
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

            /// The Rust name of the type, as in `"f64"`.
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
                type Sum = sum_type!($t);
                type Mean = mean_type!($t);
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

    /// True for the signed and unsigned integers, not for `bool`.
    pub fn is_integer(self) -> bool {
        !self.is_float() && self != DType::Bool
    }

    /// True for the unsigned integers.
    pub fn is_unsigned(self) -> bool {
        matches!(self, DType::U8 | DType::U16 | DType::U32 | DType::U64)
    }

    /// The type of `sum` and `prod`: 64-bit for bool and integers, unchanged for floats.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// assert_eq!(DType::U8.sum_type(), DType::U64);
    /// assert_eq!(DType::Bool.sum_type(), DType::I64);
    /// ```
    pub fn sum_type(self) -> DType {
        match self {
            d if d.is_float() => d,
            d if d.is_unsigned() => DType::U64,
            _ => DType::I64,
        }
    }

    /// The type of `mean`, `var` and `std`: `f64`, or `f32` for `f32`.
    pub fn mean_type(self) -> DType {
        if self == DType::F32 { DType::F32 } else { DType::F64 }
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

/// A type that arrays can hold: `bool`, `i8`..`i64`, `u8`..`u64`, `f32`, `f64`.
///
/// Sealed: the kernels are compiled for these types.
///
/// ```
/// use chunkwise_chunk::{DType, Element};
/// assert_eq!(<u8 as Element>::DTYPE, DType::U8);
/// ```
pub trait Element:
    sealed::Sealed + Copy + Default + PartialEq + PartialOrd + fmt::Debug + fmt::Display + Send + Sync + 'static
{
    /// The type of `sum` and `prod`; see [`DType::sum_type`].
    type Sum: Number;
    /// The type of `mean`, `var` and `std`; see [`DType::mean_type`].
    type Mean: Float;
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

/// A type with arithmetic: every [`Element`] but `bool`.
///
/// ```
/// fn zero<T: chunkwise_chunk::Number>() -> T { T::zero() }
/// assert_eq!(zero::<i32>(), 0);
/// ```
pub trait Number: Element + num_traits::NumCast + num_traits::Zero + num_traits::One {}

/// A type that has negative values: signed integers and floats.
///
/// ```
/// fn is_signed<T: chunkwise_chunk::Signed>() -> bool { true }
/// assert!(is_signed::<i8>());
/// ```
pub trait Signed: Number {}

/// `f32` or `f64`.
///
/// ```
/// fn half<T: chunkwise_chunk::Float>() -> T { T::one() / (T::one() + T::one()) }
/// assert_eq!(half::<f32>(), 0.5);
/// ```
pub trait Float: Signed + num_traits::Float {}

/// A signed or unsigned integer.
///
/// ```
/// fn max<T: chunkwise_chunk::Integer>() -> T { T::max_value() }
/// assert_eq!(max::<u8>(), 255);
/// ```
pub trait Integer: Number + num_traits::Bounded {}

/// A type with bitwise logic: `bool` and the integers.
///
/// ```
/// fn name<T: chunkwise_chunk::Bits>() -> &'static str { T::DTYPE.name() }
/// assert_eq!(name::<bool>(), "bool");
/// ```
pub trait Bits: Element {}

macro_rules! classes {
    ($($class:ident: $($t:ty)*;)*) => { $($(impl $class for $t {})*)* };
}
classes! {
    Number: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    Signed: i8 i16 i32 i64 f32 f64;
    Float: f32 f64;
    Integer: i8 i16 i32 i64 u8 u16 u32 u64;
    Bits: bool i8 i16 i32 i64 u8 u16 u32 u64;
}
