//! Integers of an interval, all of them equally likely.
//!
//! The integer part of `word * range / 2^b` is one of `0..range`, where the words that make some results more likely
//! than others are those whose fraction is below `2^b mod range`: they are drawn again (Lemire, "Fast random
//! integer generation in an interval", 2019). Words of 32 bits are used where less than one in 2^16 is
//! drawn again, words of 64 for all other ranges.

use std::marker::PhantomData;

use chunkwise_chunk::{Element, for_each_dtype};
use chunkwise_math::Isa;

use crate::fill::{Drawn, Elements, Lanes, Law};
use crate::philox::{Block, LOW, Philox, long};

/// Types that integers are drawn for.
pub(crate) trait Whole: Element {
    /// The smallest and the largest value.
    const LIMITS: (i128, i128);
    /// The value of these low bits.
    fn of_bits(bits: u64) -> Self;
}

macro_rules! of_bits {
    ($($v:ident $t:ty, $name:literal;)*) => { $(of_bits!($v $t);)* };
    (Bool $t:ty) => {};
    (F32 $t:ty) => {};
    (F64 $t:ty) => {};
    (C64 $t:ty) => {};
    (C128 $t:ty) => {};
    ($v:ident $t:ty) => {
        impl Whole for $t {
            const LIMITS: (i128, i128) = (<$t>::MIN as i128, <$t>::MAX as i128);
            #[inline(always)]
            fn of_bits(bits: u64) -> $t {
                bits as $t
            }
        }
    };
}
for_each_dtype!(of_bits);

/// The elements of `low..=last`, of type `T`, which holds both.
#[derive(Debug)]
pub(crate) enum Integers<T> {
    Narrow(Drawn<Narrow<T>>),
    Wide(Drawn<Wide<T>>),
    Words(Drawn<Words<T>>),
}

impl<T: Whole> Integers<T> {
    /// `low <= last`
    pub(crate) fn new(low: i128, last: i128, philox: &Philox) -> Integers<T> {
        let bits = low as u64;
        match (last - low + 1) as u128 {
            range if range <= 1 << 16 || (range <= 1 << 32 && range.is_power_of_two()) => {
                Integers::Narrow(Drawn::new(Narrow::new(bits, range as u64), philox))
            }
            range if range <= u128::from(u64::MAX) => {
                Integers::Wide(Drawn::new(Wide::new(bits, range as u64), philox))
            }
            _ => Integers::Words(Drawn::new(Words(PhantomData), philox)),
        }
    }
}

impl<T: Whole> Elements for Integers<T> {
    type Value = T;

    fn run(&self, start: u64, out: &mut [T]) {
        match self {
            Integers::Narrow(drawn) => drawn.run(start, out),
            Integers::Wide(drawn) => drawn.run(start, out),
            Integers::Words(drawn) => drawn.run(start, out),
        }
    }

    fn gather(&self, at: &[u64], out: &mut [T]) {
        match self {
            Integers::Narrow(drawn) => drawn.gather(at, out),
            Integers::Wide(drawn) => drawn.gather(at, out),
            Integers::Words(drawn) => drawn.gather(at, out),
        }
    }
}

/// `range` values from `low` on, of words of 32 bits.
#[derive(Clone, Debug)]
pub(crate) struct Narrow<T> {
    low: u64,
    range: u64,
    /// Fractions below are drawn again: `2^32 mod range`.
    uneven: u64,
    value: PhantomData<T>,
}

impl<T> Narrow<T> {
    /// `range` is in `1..=2^32`.
    pub(crate) fn new(low: u64, range: u64) -> Narrow<T> {
        Narrow { low, range, uneven: (1 << 32) % range, value: PhantomData }
    }
}

impl<T: Whole> Law for Narrow<T> {
    type Value = T;
    const SHARE: usize = 4;
    const RETRIES: bool = true;

    #[inline(always)]
    fn attempt<I: Isa>(&self, _: u32, words: [u64; 4], _: Block<'_>) -> Lanes<T> {
        let products = words.map(|word| word * self.range);
        Lanes {
            values: products.map(|p| T::of_bits(self.low.wrapping_add(p >> 32))),
            open: products.map(|p| p & LOW < self.uneven),
        }
    }
}

/// `range` values from `low` on, of words of 64 bits.
#[derive(Clone, Debug)]
pub(crate) struct Wide<T> {
    low: u64,
    range: u64,
    /// Fractions below are drawn again: `2^64 mod range`.
    uneven: u64,
    value: PhantomData<T>,
}

impl<T> Wide<T> {
    /// `range` is at least 1.
    pub(crate) fn new(low: u64, range: u64) -> Wide<T> {
        Wide { low, range, uneven: range.wrapping_neg() % range, value: PhantomData }
    }
}

impl<T: Whole> Law for Wide<T> {
    type Value = T;
    const SHARE: usize = 2;
    const RETRIES: bool = true;

    #[inline(always)]
    fn attempt<I: Isa>(&self, _: u32, words: [u64; 4], _: Block<'_>) -> Lanes<T> {
        let [(a, x), (b, y)] = long(words).map(|word| product(word, self.range));
        let value = |high: u64| T::of_bits(self.low.wrapping_add(high));
        let open = [x < self.uneven, y < self.uneven, false, false];
        Lanes { open, ..Lanes::two([value(a), value(b)]) }
    }
}

/// All values of 64 bits.
#[derive(Clone, Debug)]
pub(crate) struct Words<T>(pub(crate) PhantomData<T>);

impl<T: Whole> Law for Words<T> {
    type Value = T;
    const SHARE: usize = 2;

    #[inline(always)]
    fn attempt<I: Isa>(&self, _: u32, words: [u64; 4], _: Block<'_>) -> Lanes<T> {
        Lanes::two(long(words).map(T::of_bits))
    }
}

/// The high and the low half of a product, of products that vectors have.
#[inline(always)]
pub(crate) fn product(a: u64, b: u64) -> (u64, u64) {
    let low = (a & LOW) * (b & LOW);
    let cross = (a >> 32) * (b & LOW);
    let middle = (a & LOW) * (b >> 32) + (low >> 32) + (cross & LOW);
    let high = (a >> 32) * (b >> 32) + (cross >> 32) + (middle >> 32);
    (high, middle << 32 | low & LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_has_all_bits() {
        for a in [0, 1, LOW, LOW + 1, u64::MAX, 0x9E37_79B9_7F4A_7C15] {
            for b in [0, 1, 3, LOW, LOW + 1, u64::MAX, 0xD251_1F53_CD9E_8D57] {
                let whole = u128::from(a) * u128::from(b);
                assert_eq!(product(a, b), ((whole >> 64) as u64, whole as u64));
            }
        }
    }

    #[test]
    fn words_that_would_make_results_uneven_are_drawn_again() {
        // Of 2^64 words, 3 results take (2^64 - 1) / 3 each: only one word is left over, the first.
        assert_eq!(Wide::<u64>::new(0, 3).uneven, 1);
        assert_eq!(Wide::<u64>::new(0, 1 << 40).uneven, 0);
        assert_eq!(Wide::<u64>::new(0, (1 << 63) + 1).uneven, (1 << 63) - 1);
        assert_eq!(Narrow::<u8>::new(0, 1 << 32).uneven, 0);
        assert_eq!(Narrow::<u8>::new(0, 10).uneven, 6);

        // Half of the words are drawn again.
        let law = Wide::<u64>::new(0, (1 << 63) + 1);
        let philox = Philox::new(1, 2);
        let open = |block: u64| {
            let words = philox.block(block).words(0);
            let lanes = law.attempt::<chunkwise_math::Plain>(0, words, philox.block(block));
            lanes.open.into_iter().filter(|&open| open).count()
        };
        let sum: usize = (0..1000).map(open).sum();
        assert!((900..1100).contains(&sum), "{sum}");

        let mut drawn = [0; 1000];
        Drawn::new(law.clone(), &philox).run(0, &mut drawn);
        assert!(drawn.iter().all(|&x| x <= 1 << 63));
    }
}
