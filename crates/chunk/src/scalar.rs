//! One value of any element type.

use std::fmt;
use std::hash::{Hash, Hasher};

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
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Scalar::$v(x) => write!(f, "{x:?}"),)* }
            }
        }
    };
}
for_each_dtype!(define_scalar);

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
        }
    }

    fn bits(self) -> u64 {
        match self {
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
        }
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
