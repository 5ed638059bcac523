//! Elements as bytes of a file, in either byte order.

use chunkwise_chunk::{Complex, Element};

/// The order of the bytes of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The order of this machine.
    pub(crate) const NATIVE: ByteOrder =
        if cfg!(target_endian = "little") { ByteOrder::Little } else { ByteOrder::Big };
}

/// An element type with a byte form. Every byte pattern of a file is some value.
pub(crate) trait ByteForm: Element {
    /// Appends the elements that `bytes` holds; a rest shorter than an element is left out.
    fn decode(bytes: &[u8], order: ByteOrder, out: &mut Vec<Self>);
}

macro_rules! byte_form {
    ($($t:ty)*) => { $(impl ByteForm for $t {
        fn decode(bytes: &[u8], order: ByteOrder, out: &mut Vec<$t>) {
            let elements = bytes.chunks_exact(size_of::<$t>()).map(|b| b.try_into().expect("one element's bytes"));
            match order {
                ByteOrder::Little => out.extend(elements.map(<$t>::from_le_bytes)),
                ByteOrder::Big => out.extend(elements.map(<$t>::from_be_bytes)),
            }
        }
    })* };
}
byte_form!(i8 i16 i32 i64 u8 u16 u32 u64 f32 f64);

macro_rules! byte_form_of_parts {
    ($($t:ty)*) => { $(impl ByteForm for Complex<$t> {
        /// The real part first, each part in the byte order.
        fn decode(bytes: &[u8], order: ByteOrder, out: &mut Vec<Complex<$t>>) {
            let elements = bytes.chunks_exact(size_of::<Complex<$t>>()).map(|b| {
                let (re, im) = b.split_at(size_of::<$t>());
                [re, im].map(|part| part.try_into().expect("one part's bytes"))
            });
            match order {
                ByteOrder::Little => out.extend(elements.map(|[re, im]| Complex::new(<$t>::from_le_bytes(re), <$t>::from_le_bytes(im)))),
                ByteOrder::Big => out.extend(elements.map(|[re, im]| Complex::new(<$t>::from_be_bytes(re), <$t>::from_be_bytes(im)))),
            }
        }
    })* };
}
byte_form_of_parts!(f32 f64);

impl ByteForm for bool {
    /// Any byte but 0 is true, as in NumPy.
    fn decode(bytes: &[u8], _: ByteOrder, out: &mut Vec<bool>) {
        out.extend(bytes.iter().map(|&byte| byte != 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_read() {
        let mut out = Vec::new();
        i16::decode(&[1, 2, 3, 4, 5], ByteOrder::Little, &mut out);
        i16::decode(&[1, 2], ByteOrder::Big, &mut out);
        assert_eq!(out, [0x0201, 0x0403, 0x0102]);
    }

    #[test]
    fn parts_of_complex_numbers_are_swapped_one_by_one() {
        let z = Complex::new(1.5_f32, -2.0);
        let mut out = Vec::new();
        Complex::<f32>::decode(&[z.re.to_be_bytes(), z.im.to_be_bytes()].concat(), ByteOrder::Big, &mut out);
        Complex::<f32>::decode(
            &[z.re.to_le_bytes(), z.im.to_le_bytes()].concat(),
            ByteOrder::Little,
            &mut out,
        );
        assert_eq!(out, [z, z]);
    }

    #[test]
    fn any_byte_but_zero_is_true() {
        let mut out = Vec::new();
        bool::decode(&[0, 1, 2, 255], ByteOrder::Little, &mut out);
        assert_eq!(out, [false, true, true, true]);
    }
}
