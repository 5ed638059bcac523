//! Elements as bits: what only moves elements needs no more of their type than its size, and is compiled once for all types
//! of one size.

// What the module is for: the elements of an array seen as another type. `forbid` holds for the rest of the crate.
#![allow(unsafe_code)]

use ndarray::{ArrayView, ArrayViewD, ArrayViewMut, ArrayViewMutD, IxDyn};

use crate::{Chunk, ChunkError, Complex, DType, Element, Scalar};

/// A type that stands for all elements of its size where these are moved: `bool`, the unsigned integers, and complex numbers,
/// whose alignment no integer has. Each dtype has one, which `dispatch!(Bits: dtype, W => ..)` names.
///
/// ```
/// use chunkwise_chunk::{Chunk, DType, Scalar, dispatch};
/// let mut pair = Chunk::zeros(DType::F32, &[2]);
/// let one = Chunk::filled(Scalar::F32(1.0), &[]);
/// dispatch!(Bits: pair.dtype(), W => pair.bits_mut::<W>()?[1] = one.bits::<W>()?[[]]);
/// assert_eq!(pair.to_array::<f32>()?, ndarray::arr1(&[0.0, 1.0]).into_dyn());
/// # Ok::<(), chunkwise_chunk::ChunkError>(())
/// ```
pub trait AsBits: Element {
    /// The elements of a block of a type that this one stands for.
    #[doc(hidden)]
    fn of(chunk: &Chunk) -> Option<ArrayViewD<'_, Self>>;
    /// The same to write to; copied before when others share them.
    #[doc(hidden)]
    fn of_mut(chunk: &mut Chunk) -> Option<ArrayViewMutD<'_, Self>>;
}

macro_rules! as_bits {
    ($($w:ty: $($v:ident)*;)*) => { $(
        impl AsBits for $w {
            fn of(chunk: &Chunk) -> Option<ArrayViewD<'_, $w>> {
                match chunk {
                    $(Chunk::$v(array) => Some(read(array.view())),)*
                    _ => None,
                }
            }

            fn of_mut(chunk: &mut Chunk) -> Option<ArrayViewMutD<'_, $w>> {
                match chunk {
                    $(Chunk::$v(array) => Some(write(array.view_mut())),)*
                    _ => None,
                }
            }
        }
    )* };
}
as_bits! {
    bool: Bool;
    u8: I8 U8;
    u16: I16 U16;
    u32: I32 U32 F32;
    u64: I64 U64 F64;
    Complex<f32>: C64;
    Complex<f64>: C128;
}

/// Whether every value of `T` is one of `W` and the other way round, in the same memory.
const fn alike<T: Element, W: Element>() -> bool {
    let is_bool = matches!(T::DTYPE, DType::Bool) == matches!(W::DTYPE, DType::Bool);
    is_bool && size_of::<T>() == size_of::<W>() && align_of::<T>() == align_of::<W>()
}

fn read<T: Element, W: Element>(elements: ArrayView<'_, T, IxDyn>) -> ArrayView<'_, W, IxDyn> {
    const { assert!(alike::<T, W>()) };
    // SAFETY: the view borrows the memory for as long as the result does. Its elements are initialised, aligned for `W`,
    // as large as `W` by the line above, and valid: numbers of any kind are valid whatever their bits, and `bool` stands
    // for itself alone.
    unsafe { elements.raw_view().cast::<W>().deref_into_view() }
}

fn write<T: Element, W: Element>(mut elements: ArrayViewMut<'_, T, IxDyn>) -> ArrayViewMut<'_, W, IxDyn> {
    const { assert!(alike::<T, W>()) };
    // SAFETY: as for `read`, the other way round as well: what is written as `W` is valid as `T`. The view was the only
    // way to the memory and is gone.
    unsafe { elements.raw_view_mut().cast::<W>().deref_into_view_mut() }
}

impl Chunk {
    /// The elements as bits.
    ///
    /// # Errors
    /// When `W` does not stand for their type.
    pub fn bits<W: AsBits>(&self) -> Result<ArrayViewD<'_, W>, ChunkError> {
        W::of(self).ok_or(ChunkError::DType { expected: W::DTYPE, found: self.dtype() })
    }

    /// The elements as bits to write to; copied before when others share them.
    ///
    /// # Errors
    /// When `W` does not stand for their type.
    pub fn bits_mut<W: AsBits>(&mut self) -> Result<ArrayViewMutD<'_, W>, ChunkError> {
        let found = self.dtype();
        W::of_mut(self).ok_or(ChunkError::DType { expected: W::DTYPE, found })
    }
}

impl Scalar {
    /// The value as bits.
    ///
    /// # Errors
    /// When `W` does not stand for its type.
    pub fn as_bits<W: AsBits>(self) -> Result<W, ChunkError> {
        Ok(Chunk::filled(self, &[]).bits::<W>()?[[]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{View, dispatch};

    #[test]
    fn every_type_is_moved_as_bits_and_comes_back() {
        for &dtype in DType::ALL {
            dispatch!(dtype, T => {
                let one = T::of_scalar(Scalar::one(dtype)).unwrap();
                let chunk = Chunk::from_elements(vec![one, T::default(), one], &[3]);
                let reversed = chunk.view(&View::flip(&[3], 0).unwrap()).view(&View::insert_axis(&[3], 1).unwrap());
                let mut copy = Chunk::zeros(dtype, &[3, 1]);
                dispatch!(Bits: dtype, W => copy.bits_mut::<W>().unwrap().assign(&reversed.bits::<W>().unwrap()));
                assert_eq!(copy.to_array::<T>().unwrap(), reversed.to_array::<T>().unwrap(), "{dtype}");
            });
        }
    }

    #[test]
    fn writing_leaves_those_who_share_the_elements_alone() {
        let shared = Chunk::zeros(DType::F64, &[2]);
        let mut own = shared.clone();
        own.bits_mut::<u64>().unwrap().fill(1.0_f64.to_bits());
        assert_eq!(own.to_array::<f64>().unwrap(), ndarray::arr1(&[1.0; 2]).into_dyn());
        assert_eq!(shared.to_array::<f64>().unwrap(), ndarray::arr1(&[0.0; 2]).into_dyn());
    }

    #[test]
    fn bits_of_another_size_are_refused() {
        let mut flags = Chunk::zeros(DType::Bool, &[1]);
        assert!(flags.bits::<u8>().is_err());
        assert!(flags.bits_mut::<u8>().is_err());
        assert!(Scalar::F32(1.0).as_bits::<u64>().is_err());
    }
}
