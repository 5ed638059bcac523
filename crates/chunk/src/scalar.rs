//! One value of any element type.

use std::fmt;
use std::hash::{Hash, Hasher};

use num_complex::Complex;

use crate::{DType, Element, dispatch, for_each_dtype};

macro_rules! define_scalar {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// One value of any element type; equality and hash are of type and bits, so `NaN` equals itself
        /// and `0.0` differs from `-0.0`.
        ///
        /// ```
        /// use chunkwise_chunk::{DType, Scalar};
        /// let x = Scalar::from(1.5_f64);
        /// assert_eq!(x.dtype(), DType::F64);
        /// assert_eq!(x.to_string(), "1.5");
        /// assert_eq!(Scalar::from(chunkwise_chunk::Complex::new(1.5, -0.0)).to_string(), "1.5-0.0i");
        /// ```
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)]
        pub enum Scalar { $($v($t),)* }

        impl Scalar {
            /// The type of the value.
            pub fn dtype(self) -> DType {
                match self { $(Scalar::$v(_) => DType::$v,)* }
            }
        }

        impl fmt::Display for Scalar {
            /// As Rust writes the value; a complex number as `1.0+2.0i`.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Scalar::$v(x) => show!($v, x, f),)* }
            }
        }
    };
}

macro_rules! show {
    (C64, $x:ident, $f:ident) => {
        write!($f, "{:?}{}{:?}i", $x.re, sign(f64::from($x.im)), $x.im.abs())
    };
    (C128, $x:ident, $f:ident) => {
        write!($f, "{:?}{}{:?}i", $x.re, sign($x.im), $x.im.abs())
    };
    ($real:ident, $x:ident, $f:ident) => {
        write!($f, "{:?}", $x)
    };
}
for_each_dtype!(define_scalar);

/// The sign between the parts of a complex number.
fn sign(im: f64) -> char {
    if im.is_sign_negative() && !im.is_nan() { '-' } else { '+' }
}

impl Scalar {
    /// The value of this type that is zero (`false` for bool).
    pub fn zero(dtype: DType) -> Scalar {
        dispatch!(dtype, T => T::default().into_scalar())
    }

    /// The value of this type that is one (`true` for bool).
    pub fn one(dtype: DType) -> Scalar {
        match dtype {
            DType::Bool => Scalar::Bool(true),
            DType::I8 => Scalar::I8(1),
            DType::I16 => Scalar::I16(1),
            DType::I32 => Scalar::I32(1),
            DType::I64 => Scalar::I64(1),
            DType::U8 => Scalar::U8(1),
            DType::U16 => Scalar::U16(1),
            DType::U32 => Scalar::U32(1),
            DType::U64 => Scalar::U64(1),
            DType::F32 => Scalar::F32(1.0),
            DType::F64 => Scalar::F64(1.0),
            DType::C64 => Scalar::C64(Complex::ONE),
            DType::C128 => Scalar::C128(Complex::ONE),
        }
    }

    fn bits(self) -> u128 {
        u128::from(match self {
            Scalar::Bool(x) => u64::from(x),
            Scalar::I8(x) => x as u64,
            Scalar::I16(x) => x as u64,
            Scalar::I32(x) => x as u64,
            Scalar::I64(x) => x as u64,
            Scalar::U8(x) => u64::from(x),
            Scalar::U16(x) => u64::from(x),
            Scalar::U32(x) => u64::from(x),
            Scalar::U64(x) => x,
            Scalar::F32(x) => u64::from(x.to_bits()),
            Scalar::F64(x) => x.to_bits(),
            Scalar::C64(x) => u64::from(x.re.to_bits()) | u64::from(x.im.to_bits()) << 32,
            Scalar::C128(x) => return u128::from(x.re.to_bits()) | u128::from(x.im.to_bits()) << 64,
        })
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        self.dtype() == other.dtype() && self.bits() == other.bits()
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.dtype().hash(state);
        self.bits().hash(state);
    }
}

impl<T: Element> From<T> for Scalar {
    fn from(x: T) -> Scalar {
        x.into_scalar()
    }
}
