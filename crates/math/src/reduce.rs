//! Angles modulo pi/2: the fast reduction of moderate angles, and the exact one of all.
//!
//! **Fast** (Cody and Waite, 1980). `j = round(x 2/pi)`, and pi/2 is subtracted `j` times in parts:
//!
//! * with FMA, parts of 53, 30 and 53 bits. `x - j P1` is exact because its lowest bit is that of `P1`, and so is
//!   `j P2` for j < 2^23. Right for |x| below 2^23.
//! * without, parts of 33 bits, whose products with j < 2^20 are exact. Right for |x| below 2^20.
//!
//! Every sum keeps its error, so angles next to a multiple of pi/2 lose nothing.
//!
//! **Exact** (Payne and Hanek, "Radian reduction for trigonometric functions", 1983). `x = m 2^e` with a 53-bit
//! integer `m`; the bits of 2/pi that make multiples of four are skipped, 192 bits are multiplied by `m`, and what
//! is left is the quadrant (2 bits) and the fraction (190 bits). No double is nearer to a multiple of pi/2 than
//! 2^-62 of a quadrant, so over 70 bits of the fraction are right in the worst case.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use crate::num::{Pair, ROUNDER, fast_two_sum, fma, two_prod, two_sum};
use crate::{Isa, Plain};

/// An angle `quadrant * pi/2 + angle`; of the quadrant only the low two bits count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reduced {
    pub(crate) quadrant: u64,
    pub(crate) angle: Pair,
}

/// pi/2 - FRAC_PI_2; the first 30 bits of it, and what is left after those.
const PI_2_TAIL: f64 = 6.123_233_995_736_766e-17;
const PI_2_TAIL_PARTS: Pair = (6.123_233_994_092_14e-17, 1.644_625_693_632_425_8e-26);
/// pi/2 in three parts of 33 bits and one of 53.
const PI_2_PARTS: [f64; 4] = [
    1.570_796_326_734_125_6,
    6.077_100_506_303_966e-11,
    2.022_266_248_711_166_5e-21,
    8.478_427_660_368_9e-32,
];

/// The size from which on the fast reduction is not right.
#[inline(always)]
pub(crate) const fn limit<I: Isa>() -> f64 {
    if I::FMA { 8_388_608.0 } else { 1_048_576.0 }
}

/// The fast reduction, for `|x| < limit::<I>()`; a NaN or an infinity gives a NaN.
#[inline(always)]
pub(crate) fn fast<I: Isa>(x: f64) -> Reduced {
    let shifted = fma::<I>(x, FRAC_2_PI, ROUNDER);
    let j = shifted - ROUNDER;
    let angle = if I::FMA { subtract_fused::<I>(x, j) } else { subtract_parts(x, j) };
    Reduced { quadrant: shifted.to_bits(), angle }
}

#[inline(always)]
fn subtract_fused<I: Isa>(x: f64, j: f64) -> Pair {
    let (p2, p3) = PI_2_TAIL_PARTS;
    let first = fma::<I>(-j, FRAC_PI_2, x);
    // A fast two-sum of `first` and `-j p2`: the last place of the first is above that of the second.
    let high = fma::<I>(-j, p2, first);
    let low = fma::<I>(-j, p2, first - high);
    (high, fma::<I>(-j, p3, low))
}

#[inline(always)]
fn subtract_parts(x: f64, j: f64) -> Pair {
    let [p1, p2, p3, p4] = PI_2_PARTS;
    let (high, e2) = fast_two_sum(x - j * p1, -(j * p2));
    let (high, e3) = fast_two_sum(high, -(j * p3));
    (high, (e2 + e3) - j * p4)
}

/// The exact reduction, for finite `|x| >= 2^-8`.
pub(crate) fn exact(x: f64) -> Reduced {
    let exponent = (x.to_bits() >> 52 & 0x7ff) as i32 - 1075;
    let mantissa = x.to_bits() & ((1 << 52) - 1) | 1 << 52;
    // Bits of 2/pi before this one give multiples of four; the table starts with 64 zeros for small angles.
    let start = (exponent - 2 + 64) as usize;
    let product = multiply(mantissa, window(start));
    let quadrant = product[2] >> 62;
    // The fraction becomes signed: from a half on it counts from the next quadrant.
    let fraction = shift_left(product, 2);
    let negative = fraction[2] >> 63 == 1;
    let magnitude = if negative { negate(fraction) } else { fraction };
    let (high, low) = to_pair(magnitude);
    let (p, e) = two_prod::<Plain>(high, FRAC_PI_2);
    let (angle, tail) = two_sum(p, e + (low * FRAC_PI_2 + high * PI_2_TAIL));
    let quadrant = quadrant + u64::from(negative);
    if x < 0.0 {
        return signed(quadrant.wrapping_neg(), (angle, tail), !negative);
    }
    signed(quadrant, (angle, tail), negative)
}

fn signed(quadrant: u64, (high, low): Pair, negative: bool) -> Reduced {
    Reduced { quadrant, angle: if negative { (-high, -low) } else { (high, low) } }
}

/// The 192 bits of the table from bit `start` on, lowest word first.
fn window(start: usize) -> [u64; 3] {
    let (word, shift) = (start / 64, start % 64);
    let at = |i: usize| {
        let low = TWO_OVER_PI[word + i + 1].checked_shr(64 - shift as u32).unwrap_or(0);
        TWO_OVER_PI[word + i] << shift | low
    };
    [at(2), at(1), at(0)]
}

/// The low 192 bits of the product.
fn multiply(m: u64, [a, b, c]: [u64; 3]) -> [u64; 3] {
    let wide = |x: u64| u128::from(x) * u128::from(m);
    let low = wide(a);
    let middle = wide(b) + (low >> 64);
    let high = wide(c) + (middle >> 64);
    [low as u64, middle as u64, high as u64]
}

fn shift_left([a, b, c]: [u64; 3], by: u32) -> [u64; 3] {
    [a << by, b << by | a >> (64 - by), c << by | b >> (64 - by)]
}

/// Two's complement.
fn negate([a, b, c]: [u64; 3]) -> [u64; 3] {
    let (a, carry) = (!a).overflowing_add(1);
    let (b, carry) = (!b).overflowing_add(u64::from(carry));
    [a, b, (!c).wrapping_add(u64::from(carry))]
}

/// `value * 2^-192` as a pair, for a value that is not zero.
fn to_pair(value: [u64; 3]) -> Pair {
    let mut value = value;
    let mut exponent = -64;
    while value[2] == 0 {
        value = [0, value[0], value[1]];
        exponent -= 64;
    }
    let zeros = value[2].leading_zeros();
    if zeros > 0 {
        value = shift_left(value, zeros);
        exponent -= zeros as i32;
    }
    let unit = f64::from_bits(((1023 + exponent) as u64) << 52);
    // 53 bits are exact; the next 64 are rounded.
    let high = value[2] >> 11;
    let low = value[2] << 53 | value[1] >> 11;
    (high as f64 * 2048.0 * unit, low as f64 * unit * f64::from_bits((1023 - 53) << 52))
}

/// 64 zeros and the first 1280 bits of 2/pi after the point, highest first.
const TWO_OVER_PI: [u64; 21] = [
    0x0000_0000_0000_0000,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

#[cfg(test)]
mod tests {
    use super::{Reduced, exact, fast, limit};
    use crate::{Fma, Isa, Plain};

    /// Both reductions take the same quadrant, except perhaps next to an odd multiple of pi/4.
    fn same(x: f64, a: &Reduced, b: &Reduced) {
        let apart = (a.quadrant.wrapping_sub(b.quadrant) << 62) >> 62;
        assert_eq!(apart, 0, "quadrants of {x:?}: {a:?}, {b:?}");
        let difference = (a.angle.0 - b.angle.0) + (a.angle.1 - b.angle.1);
        assert!(difference.abs() <= a.angle.0.abs() * 8e-22, "angles of {x:?}: {a:?}, {b:?}");
    }

    fn compare<I: Isa>() {
        for j in 1..5_000_u64 {
            // Doubles next to multiples of pi/2, and others off the odd eighths.
            let quadrants = (j * j * 7 % 600_000 + 1) as f64;
            for x in
                [quadrants * std::f64::consts::FRAC_PI_2, (quadrants + 0.3) * std::f64::consts::FRAC_PI_2]
            {
                assert!(x < limit::<I>());
                same(x, &fast::<I>(x), &exact(x));
                same(-x, &fast::<I>(-x), &exact(-x));
            }
        }
    }

    #[test]
    fn fast_and_exact_reductions_agree_to_70_bits() {
        compare::<Plain>();
        compare::<Fma>();
    }
}
