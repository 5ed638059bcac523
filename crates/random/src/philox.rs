//! Philox 4x32-10: ten rounds that turn a counter of 128 bits into 128 random bits.
//!
//! ```text
//! (c0, c1, c2, c3) -> (high(M1 c2) ^ c1 ^ k0,  low(M1 c2),  high(M0 c0) ^ c3 ^ k1,  low(M0 c0))
//! ```
//!
//! From Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC'11), which found no failure
//! in TestU01's BigCrush for it.
//!
//! Words are kept in 64 bits, of which the low half counts: a product of two is then one instruction of every vector
//! set, and both halves of it are there without a shuffle.

/// The low half of a number of 64 bits.
pub(crate) const LOW: u64 = 0xffff_ffff;
const ROUNDS: usize = 10;
const M0: u64 = 0xD251_1F53;
const M1: u64 = 0xCD9E_8D57;

/// The random words of one seed and stream.
#[derive(Clone, Debug)]
pub(crate) struct Philox {
    /// The two words of the key in each round.
    keys: [[u64; 2]; ROUNDS],
    stream: u64,
}

impl Philox {
    pub(crate) fn new(seed: u64, stream: u32) -> Philox {
        let key = |round: usize| {
            let weyl = |word: u64, step: u64| (word + round as u64 * step) & LOW;
            [weyl(seed & LOW, 0x9E37_79B9), weyl(seed >> 32, 0xBB67_AE85)]
        };
        Philox { keys: std::array::from_fn(key), stream: u64::from(stream) }
    }

    /// The words of a block.
    #[inline(always)]
    pub(crate) fn block(&self, number: u64) -> Block<'_> {
        Block { philox: self, number }
    }

    /// The first words of two blocks. They are computed side by side, because a round waits for the round before: alone,
    /// the vectors of one block leave half of the multipliers idle (a uniform number with AVX2 takes 3.3 ns alone
    /// and 2.8 ns in pairs, with AVX-512 1.44 and 1.28).
    #[inline(always)]
    pub(crate) fn pair(&self, a: u64, b: u64) -> [[u64; 4]; 2] {
        let start = [self.counter(a, 0), self.counter(b, 0)];
        self.keys.iter().fold(start, |[a, b], &key| [round(a, key), round(b, key)]).map(low_halves)
    }

    #[inline(always)]
    fn counter(&self, number: u64, draw: u32) -> [u64; 4] {
        [number, number >> 32, u64::from(draw), self.stream]
    }
}

/// One round; what gathers in high halves does not count.
#[inline(always)]
fn round(c: [u64; 4], [k0, k1]: [u64; 2]) -> [u64; 4] {
    let (even, odd) = (M0 * (c[0] & LOW), M1 * (c[2] & LOW));
    [(odd >> 32) ^ c[1] ^ k0, odd, (even >> 32) ^ c[3] ^ k1, even]
}

#[inline(always)]
fn low_halves(words: [u64; 4]) -> [u64; 4] {
    words.map(|word| word & LOW)
}

/// Where random words come from for the elements that share them: any number of draws of four.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    philox: &'a Philox,
    number: u64,
}

impl Block<'_> {
    /// Four independent words of 32 bits.
    #[inline(always)]
    pub(crate) fn words(self, draw: u32) -> [u64; 4] {
        let start = self.philox.counter(self.number, draw);
        low_halves(self.philox.keys.iter().fold(start, |c, &key| round(c, key)))
    }

    /// Two independent words of 64 bits.
    #[inline(always)]
    pub(crate) fn long_words(self, draw: u32) -> [u64; 2] {
        long(self.words(draw))
    }
}

/// Four words as two of 64 bits.
#[inline(always)]
pub(crate) fn long([a, b, c, d]: [u64; 4]) -> [u64; 2] {
    [a | b << 32, c | d << 32]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kat_vectors` of Random123 1.14, the three of `philox4x32 10`: counter, key, result.
    #[test]
    fn words_are_those_of_the_published_vectors() {
        let cases: [([u32; 4], [u32; 2], [u64; 4]); 3] = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for ([c0, c1, draw, stream], [k0, k1], expected) in cases {
            let philox = Philox::new(u64::from(k0) | u64::from(k1) << 32, stream);
            let block = philox.block(u64::from(c0) | u64::from(c1) << 32);
            assert_eq!(block.words(draw), expected);
            let (this, other) = (u64::from(c0) | u64::from(c1) << 32, 7);
            assert_eq!(philox.pair(this, other), [block.words(0), philox.block(other).words(0)]);
            let [a, b, c, d] = expected;
            assert_eq!(block.long_words(draw), [a | b << 32, c | d << 32]);
        }
    }
}
