//! What integers alone have: shifts and divisors.
//!
//! Every pair of values has a result, and none panics: shifts of too many bits shift everything out, and what leaves
//! the range wraps. This file does not own the arithmetic that integers share with floats.

use chunkwise_chunk::Integer;

/// Shifts and divisors, with NumPy's values.
///
/// ```
/// use chunkwise_expr::IntegerBits;
/// assert_eq!((1u8.shifted_left(9), (-8i32).shifted_right(40)), (0, -1));
/// assert_eq!((12u8.divisor(18), 4i64.multiple(-6)), (6, 12));
/// ```
pub trait IntegerBits: Integer {
    /// `self * 2^n`. A count that is negative, or not below the number of bits, gives 0.
    fn shifted_left(self, n: Self) -> Self;
    /// `self / 2^n` rounded down. A count that is negative, or not below the number of bits, gives 0, or -1 for a
    /// negative number.
    fn shifted_right(self, n: Self) -> Self;
    /// Greatest common divisor, not negative but where it wraps; 0 for two zeros.
    fn divisor(self, b: Self) -> Self;
    /// Least common multiple, not negative but where it wraps; 0 when either is 0.
    fn multiple(self, b: Self) -> Self;
    /// True for what is no index of a list of `n` items.
    fn is_outside(self, n: Self) -> bool;
}

macro_rules! integer_bits {
    ($($t:ty)*) => { $(
        #[allow(unused_comparisons)]
        impl IntegerBits for $t {
            #[inline]
            fn shifted_left(self, n: $t) -> $t {
                if !n.is_outside(<$t>::BITS as $t) { self.wrapping_shl(n as u32) } else { 0 }
            }
            #[inline]
            fn shifted_right(self, n: $t) -> $t {
                let out = if self < 0 { !0 } else { 0 };
                if !n.is_outside(<$t>::BITS as $t) { self.wrapping_shr(n as u32) } else { out }
            }
            #[inline]
            fn divisor(self, b: $t) -> $t {
                let (mut a, mut b) = (self, b);
                while b != 0 {
                    (a, b) = (b, a.wrapping_rem(b));
                }
                if a < 0 { (0 as $t).wrapping_sub(a) } else { a }
            }
            #[inline]
            fn multiple(self, b: $t) -> $t {
                let divisor = self.divisor(b);
                if divisor == 0 {
                    return 0;
                }
                let product = self.wrapping_div(divisor).wrapping_mul(b);
                if (self < 0) != (b < 0) { (0 as $t).wrapping_sub(product) } else { product }
            }
            #[inline]
            fn is_outside(self, n: $t) -> bool { self < 0 || self >= n }
        }
    )* };
}
integer_bits!(i8 i16 i32 i64 u8 u16 u32 u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_of_too_many_bits_shift_everything_out() {
        assert_eq!((1i32.shifted_left(32), 1u8.shifted_left(9), 1u8.shifted_left(7)), (0, 0, 128));
        assert_eq!(((-8i32).shifted_right(40), 8i32.shifted_right(40), 200u8.shifted_right(8)), (-1, 0, 0));
        assert_eq!((1i8.shifted_left(-1), (-5i8).shifted_right(-1), 5i8.shifted_right(-128)), (0, -1, 0));
        assert_eq!((i64::MIN.shifted_right(63), 1u64.shifted_left(63)), (-1, 1 << 63));
    }

    #[test]
    fn divisors_and_multiples_wrap_at_the_smallest_integer() {
        assert_eq!((0i8.divisor(0), (-12i8).divisor(18), i8::MIN.divisor(0)), (0, 6, i8::MIN));
        assert_eq!((i8::MIN.divisor(-1), 255u8.divisor(34)), (1, 17));
        assert_eq!((0i8.multiple(5), (-4i8).multiple(6), i8::MIN.multiple(3)), (0, 12, i8::MIN));
        assert_eq!((127i8.multiple(6), 127i8.multiple(-6)), (-6, -6));
    }
}
