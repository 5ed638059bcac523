//! The numbers `0..n` in random order, each computed from its place.
//!
//! ```text
//! n <= 4096    a table, shuffled by Fisher and Yates (1938; Durstenfeld, 1964): every order equally likely
//! n >  4096    f(x) = a Feistel network over the least 2^b >= n;  walk x <- f(x) until x < n
//! ```
//!
//! A network of keyed rounds is a one-to-one map whatever its round function is, and following it until the result is
//! small enough is one on `0..n` (cycle walking: Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). As
//! 2^b < 2 n, that takes two steps on average. The idea of a shuffle without memory is that of Mitchell, Stokes, Frank
//! and Holmes, "Bandwidth-optimal random shuffling for GPUs" (2021); there are 16 rounds, each of two products of 32
//! bits. Small `n` have a table because half a dozen bits to a side are few for a network, and because all orders are
//! then equally likely; it takes 8 KiB at most and is made when it is first read.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use chunkwise_math::{Plain, per_isa};

use crate::fill::{Elements, Law, TILE};
use crate::philox::{LOW, Philox};
use crate::whole::Narrow;

/// Lengths up to here have a table.
const TABULATED: u64 = 4096;
const ROUNDS: usize = 16;

/// A permutation of `0..n`.
#[derive(Debug)]
pub(crate) enum Permutation {
    Table(Table),
    Network(Network),
}

impl Permutation {
    pub(crate) fn new(n: u64, philox: &Philox) -> Permutation {
        if n <= TABULATED {
            return Permutation::Table(Table { n, philox: philox.clone(), order: OnceLock::new() });
        }
        Permutation::Network(Network::new(n, philox))
    }
}

impl Elements for Permutation {
    type Value = i64;

    fn run(&self, start: u64, out: &mut [i64]) {
        let mut at = [0; TILE];
        for (n, out) in out.chunks_mut(TILE).enumerate() {
            let first = start + (n * TILE) as u64;
            at.iter_mut().zip(first..).for_each(|(at, index)| *at = index);
            self.gather(&at[..out.len()], out);
        }
    }

    fn gather(&self, at: &[u64], out: &mut [i64]) {
        match self {
            Permutation::Table(table) => {
                let order = table.order();
                out.iter_mut().zip(at).for_each(|(out, &at)| *out = i64::from(order[at as usize]));
            }
            Permutation::Network(network) => {
                let mut moved = [0; TILE];
                for (at, out) in at.chunks(TILE).zip(out.chunks_mut(TILE)) {
                    let moved = &mut moved[..at.len()];
                    moved.copy_from_slice(at);
                    network.walk(moved);
                    out.iter_mut().zip(moved).for_each(|(out, moved)| *out = *moved as i64);
                }
            }
        }
    }
}

/// An order that is kept.
#[derive(Debug)]
pub(crate) struct Table {
    n: u64,
    philox: Philox,
    order: OnceLock<Vec<u16>>,
}

impl Table {
    fn order(&self) -> &[u16] {
        self.order.get_or_init(|| {
            let mut order: Vec<u16> = (0..self.n as u16).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, self.below(i as u64 + 1) as usize);
            }
            order
        })
    }

    /// An integer of `0..range`, of the block of that number.
    fn below(&self, range: u64) -> u64 {
        let (law, block) = (Narrow::<u64>::new(0, range), self.philox.block(range));
        let mut attempts = (0..).map(|number| law.attempt::<Plain>(number, block.words(number), block));
        attempts.find(|lanes| !lanes.open[0]).expect("half of all words will do").values[0]
    }
}

/// A keyed one-to-one map of numbers of some bits, walked until it stays below `n`.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    n: u64,
    /// Bits of the lower half; the upper one has as many or one less.
    low_bits: u32,
    high_mask: u64,
    keys: [u64; ROUNDS],
}

impl Network {
    fn new(n: u64, philox: &Philox) -> Network {
        let bits = (n - 1).max(1).ilog2() + 1;
        let (low_bits, high_bits) = (bits.div_ceil(2), bits / 2);
        let keys = std::array::from_fn(|i| philox.block(i as u64 / 4).words(0)[i % 4]);
        Network { n, low_bits, high_mask: (1 << high_bits) - 1, keys }
    }

    /// Maps every number: round by round, so that each is a short loop.
    #[inline(always)]
    fn step(&self, x: &mut [u64]) {
        let low_mask = (1 << self.low_bits) - 1;
        for keys in self.keys.as_chunks::<2>().0 {
            for x in &mut *x {
                let (high, low) = (*x >> self.low_bits, *x & low_mask);
                let high = high ^ (scramble(low ^ keys[0]) & self.high_mask);
                *x = high << self.low_bits | (low ^ (scramble(high ^ keys[1]) & low_mask));
            }
        }
    }

    /// Replaces indices by what stands there.
    fn walk(&self, x: &mut [u64]) {
        // SAFETY: the loop is for this processor, and has no other conditions.
        unsafe { walk()(self, x) }
    }
}

/// 32 bits that depend on all bits of `x`, which has 32.
#[inline(always)]
fn scramble(x: u64) -> u64 {
    let p = (x & LOW) * 0xD251_1F53;
    let q = ((p >> 32) ^ (p & LOW)) * 0xCD9E_8D57;
    ((q >> 32) ^ q) & LOW
}

/// Steps all numbers once, then those still outside together, so that every step is a vector's.
///
/// # Safety
/// None beyond the instruction set.
#[inline(always)]
unsafe fn walk_body(network: &Network, x: &mut [u64]) {
    let (mut outside, mut place) = ([0; TILE], [0; TILE]);
    for x in x.chunks_mut(TILE) {
        network.step(x);
        let mut count = 0;
        for (i, &x) in x.iter().enumerate() {
            outside[count] = x;
            place[count] = i;
            count += usize::from(x >= network.n);
        }
        while count > 0 {
            let walkers = std::mem::take(&mut count);
            network.step(&mut outside[..walkers]);
            for i in 0..walkers {
                x[place[i]] = outside[i];
                (outside[count], place[count]) = (outside[i], place[i]);
                count += usize::from(outside[i] >= network.n);
            }
        }
    }
}

per_isa! {
    /// What stands at some indices.
    fn walk<>(network: &Network, x: &mut [u64]) = walk_body
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether every number of `0..n` is there once.
    fn is_permutation(order: &[i64]) -> bool {
        let mut seen = vec![false; order.len()];
        order.iter().all(|&x| !std::mem::replace(&mut seen[x as usize], true))
    }

    fn all(permutation: &Permutation, n: u64) -> Vec<i64> {
        let mut order = vec![0; n as usize];
        permutation.run(0, &mut order);
        order
    }

    #[test]
    fn every_number_is_there_once() {
        for n in (0..70).chain([255, 256, 257, 4095, 4096, 4097, 8191, 8192, 8193, 65_536, 100_003, 1 << 17])
        {
            for seed in 0..3 {
                let order = all(&Permutation::new(n, &Philox::new(seed, 0)), n);
                assert!(is_permutation(&order), "{n}");
            }
        }
    }

    #[test]
    fn network_is_one_to_one_for_every_length() {
        for n in (1..300).chain([511, 512, 513, 1023, 1025]) {
            let network = Permutation::Network(Network::new(n, &Philox::new(n, 1)));
            assert!(is_permutation(&all(&network, n)), "{n}");
        }
    }

    #[test]
    fn places_of_a_huge_permutation_are_computed_alone() {
        let n = (1 << 60) - 12_345;
        let permutation = Permutation::new(n, &Philox::new(5, 5));
        let (mut near, mut far) = ([0; 300], [0; 2]);
        permutation.run(n - 300, &mut near);
        permutation.gather(&[n - 1, n - 300], &mut far);
        assert_eq!(far, [near[299], near[0]]);
        assert!(near.iter().all(|&x| (0..n as i64).contains(&x)));
    }
}
