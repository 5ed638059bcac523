//! Division of integers, truncated and floored, with the remainders.
//!
//! Processors divide floats eight at a time and integers one at a time, so integers of up to 32 bits are divided
//! as floats that have more bits:
//!
//! ```text
//! n    = the integer nearest to the rounded a / b
//! rest = a - n b,  |rest| <= |b| / 2
//! n is one too far where rest has a wrong sign: not that of a (truncated), not that of b (floored)
//! ```
//!
//! `n` is right although `a / b` is rounded: a quotient that is no multiple of 1/2 is away from the next one by at
//! least `1 / 2|b|`, that is `1 / 2|a|` of itself, and the rounding error is less. Adding 1.5 times the largest power
//! of two whose last place is 1 leaves `n` in the low bits of the sum, in two's complement: the smallest integer
//! divided by -1 wraps to itself.

/// Division with the values of `wrapping_div`; by zero, all results are 0.
pub(crate) trait Divide: Sized {
    /// Quotient rounded towards zero, and remainder with the sign of `self`.
    fn truncated(self, b: Self) -> (Self, Self);
    /// Quotient rounded down, and remainder with the sign of `b`.
    fn floored(self, b: Self) -> (Self, Self);
}

macro_rules! divide_as_float {
    ($($t:ident, $signed:ident, $wide:ident, $float:ident, $rounder:literal;)*) => { $(
        const _: () = {
            /// The nearest integer to `a / b`, and what it leaves, which fits the signed type.
            #[inline(always)]
            fn nearest(a: $t, b: $t) -> ($t, $t) {
                let n = (a as $wide as $float / b as $wide as $float + $rounder).to_bits() as $t;
                // A mask: behind a branch the division would not become a vector instruction.
                let defined = <$t>::from(b != 0).wrapping_neg();
                (n & defined, a.wrapping_sub(n.wrapping_mul(b)) & defined)
            }

            #[inline(always)]
            fn is_negative(x: $t) -> bool {
                <$t>::MIN != 0 && (x as $signed) < 0
            }

            impl Divide for $t {
                #[inline]
                fn truncated(self, b: $t) -> ($t, $t) {
                    let (n, rest) = nearest(self, b);
                    let too_far = rest != 0 && ((rest as $signed) < 0) != is_negative(self);
                    let (step, more) = match is_negative(self) != is_negative(b) {
                        true => ((0 as $t).wrapping_sub(1), (0 as $t).wrapping_sub(b)),
                        false => (1, b),
                    };
                    if too_far { (n.wrapping_sub(step), rest.wrapping_add(more)) } else { (n, rest) }
                }

                #[inline]
                fn floored(self, b: $t) -> ($t, $t) {
                    let (n, rest) = nearest(self, b);
                    let too_far = rest != 0 && ((rest as $signed) < 0) != is_negative(b);
                    if too_far { (n.wrapping_sub(1), rest.wrapping_add(b)) } else { (n, rest) }
                }
            }
        };
    )* };
}
divide_as_float! {
    i8, i8, i32, f32, 12_582_912.0;
    u8, i8, i32, f32, 12_582_912.0;
    i16, i16, i32, f32, 12_582_912.0;
    u16, i16, i32, f32, 12_582_912.0;
    i32, i32, i32, f64, 6_755_399_441_055_744.0;
    u32, i32, u32, f64, 6_755_399_441_055_744.0;
}

macro_rules! divide_singly {
    ($($t:ident)*) => { $(
        impl Divide for $t {
            #[inline]
            fn truncated(self, b: $t) -> ($t, $t) {
                let q = if b == 0 { 0 } else { self.wrapping_div(b) };
                (q, if b == 0 { 0 } else { self.wrapping_sub(q.wrapping_mul(b)) })
            }

            #[inline]
            fn floored(self, b: $t) -> ($t, $t) {
                let (q, r) = self.truncated(b);
                let above = <$t>::MIN != 0 && r != 0 && (r ^ b) >> (<$t>::BITS - 1) != 0;
                if above { (q.wrapping_sub(1), r.wrapping_add(b)) } else { (q, r) }
            }
        }
    )* };
}
divide_singly!(i64 u64);

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! check {
        ($($name:ident, $t:ident, $values:expr;)*) => { $(
            #[test]
            fn $name() {
                let values: Vec<$t> = $values;
                for (&a, &b) in values.iter().flat_map(|a| values.iter().map(move |b| (a, b))) {
                    let (wide_a, wide_b) = (i128::from(a), i128::from(b));
                    let (truncated, floored) = match b {
                        0 => ((0, 0), (0, 0)),
                        _ => {
                            let (q, r) = (wide_a / wide_b, wide_a % wide_b);
                            let above = r != 0 && (r < 0) != (wide_b < 0);
                            ((q, r), if above { (q - 1, r + wide_b) } else { (q, r) })
                        }
                    };
                    let wrapped = |(q, r): (i128, i128)| (q as $t, r as $t);
                    assert_eq!(a.truncated(b), wrapped(truncated), "{a} / {b}");
                    assert_eq!(a.floored(b), wrapped(floored), "{a} // {b}");
                }
            }
        )* };
    }

    /// Both ends, zero, powers of two, of three and their neighbours, and multiples of some divisors.
    fn edges(bits: u32) -> Vec<i128> {
        let powers = (0..bits).map(|e| 1_i128 << e).chain((0..bits / 2).map(|e| 3_i128.pow(e)));
        let products = [7, 10, 641, 65_535, 46_341].map(|d| (1_i128 << bits) / d * d);
        let edges =
            powers.chain(products).flat_map(|x| [x - 2, x - 1, x, x + 1, x + 2]).chain([1_i128 << bits]);
        edges.flat_map(|x| [x, -x, (1 << bits) - x, (1 << (bits - 1)) - x]).collect()
    }

    check! {
        all_pairs_of_i8, i8, (i8::MIN..=i8::MAX).collect();
        all_pairs_of_u8, u8, (u8::MIN..=u8::MAX).collect();
        edges_of_i16, i16, edges(16).into_iter().map(|x| x as i16).collect();
        edges_of_u16, u16, edges(16).into_iter().map(|x| x as u16).collect();
        edges_of_i32, i32, edges(32).into_iter().map(|x| x as i32).collect();
        edges_of_u32, u32, edges(32).into_iter().map(|x| x as u32).collect();
        edges_of_i64, i64, edges(64).into_iter().map(|x| x as i64).collect();
        edges_of_u64, u64, edges(64).into_iter().map(|x| x as u64).collect();
    }
}
