//! Distributions over few values, by a table: choice, with and without weights, and Poisson numbers of small mean.
//!
//! With weights it is Walker's method of aliases (1977) as Vose builds it (1991): `n` slots of equal probability, each
//! split between two values. One word of 64 bits chooses both: the integer part of `word * n / 2^64` is the slot, and
//! the fraction says which of its values. Probabilities are right to 2^-64, beside the rounding of the weights.

use std::fmt;

use chunkwise_chunk::Element;

use crate::fill::{Elements, TILE};
use crate::philox::Philox;
use crate::whole::{Integers, product};

/// What a random word means.
pub(crate) trait Lookup: fmt::Debug + Send + Sync + 'static {
    /// Type of the elements.
    type Value: Element;
    /// The value of a word.
    fn value(&self, word: u64) -> Self::Value;
}

/// Elements that are looked up by random words.
#[derive(Debug)]
pub(crate) struct Looked<K> {
    words: Integers<u64>,
    lookup: K,
}

impl<T: Element> Looked<OneOf<T>> {
    /// One of the values, all with the same probability; there is at least one.
    pub(crate) fn choice(values: Vec<T>, philox: &Philox) -> Self {
        let words = Integers::new(0, values.len() as i128 - 1, philox);
        Looked { words, lookup: OneOf(values) }
    }
}

impl<T: Element> Looked<Weighted<T>> {
    /// One of the values with probabilities in proportion to the weights: as many as values, none of them negative,
    /// and not all of them zero.
    pub(crate) fn weighted(values: Vec<T>, weights: &[f64], philox: &Philox) -> Self {
        let words = Integers::new(0, i128::from(u64::MAX), philox);
        Looked { words, lookup: Weighted { values, slots: slots(weights) } }
    }
}

impl<K: Lookup> Elements for Looked<K> {
    type Value = K::Value;

    fn run(&self, start: u64, out: &mut [K::Value]) {
        let mut words = [0; TILE];
        for (n, out) in out.chunks_mut(TILE).enumerate() {
            let words = &mut words[..out.len()];
            self.words.run(start + (n * TILE) as u64, words);
            self.look_up(words, out);
        }
    }

    fn gather(&self, at: &[u64], out: &mut [K::Value]) {
        let mut words = [0; TILE];
        for (at, out) in at.chunks(TILE).zip(out.chunks_mut(TILE)) {
            let words = &mut words[..out.len()];
            self.words.gather(at, words);
            self.look_up(words, out);
        }
    }
}

impl<K: Lookup> Looked<K> {
    fn look_up(&self, words: &[u64], out: &mut [K::Value]) {
        out.iter_mut().zip(words).for_each(|(out, &word)| *out = self.lookup.value(word));
    }
}

/// A word is an index.
#[derive(Debug)]
pub(crate) struct OneOf<T>(Vec<T>);

impl<T: Element> Lookup for OneOf<T> {
    type Value = T;

    #[inline]
    fn value(&self, word: u64) -> T {
        self.0[word as usize]
    }
}

/// A word is a slot and a place in it.
#[derive(Debug)]
pub(crate) struct Weighted<T> {
    values: Vec<T>,
    slots: Vec<Slot>,
}

impl<T: Element> Lookup for Weighted<T> {
    type Value = T;

    #[inline]
    fn value(&self, word: u64) -> T {
        let (slot, place) = product(word, self.slots.len() as u64);
        let Slot { own, alias } = self.slots[slot as usize];
        // Which one it is cannot be predicted: 7.2 ns an element with a branch, 2.2 without.
        self.values[std::hint::select_unpredictable(place < own, slot as usize, alias)]
    }
}

/// Two values that share a slot.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Places below are the slot's own value.
    own: u64,
    /// All others are this one.
    alias: usize,
}

/// The table of aliases.
fn slots(weights: &[f64]) -> Vec<Slot> {
    let heaviest = (0..weights.len()).max_by(|&a, &b| weights[a].total_cmp(&weights[b])).unwrap_or(0);
    // In units of the largest the sum does not overflow.
    let relative = weights.iter().map(|w| w / weights[heaviest]);
    let unit = weights.len() as f64 / relative.clone().sum::<f64>();
    let mut share: Vec<f64> = relative.map(|w| w * unit).collect();
    let mut slots = vec![Slot { own: u64::MAX, alias: 0 }; weights.len()];
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|&i| share[i] < 1.0);
    while let (Some(s), Some(l)) = (small.pop(), large.pop()) {
        slots[s] = Slot { own: fixed(share[s]), alias: l };
        share[l] -= 1.0 - share[s];
        if share[l] < 1.0 { small.push(l) } else { large.push(l) }
    }
    // What rounding leaves over fills its slot, or belongs to the heaviest: never to a value of weight zero.
    large.iter().for_each(|&l| slots[l].alias = l);
    small.iter().for_each(|&s| slots[s] = Slot { own: fixed(share[s]), alias: heaviest });
    slots
}

/// A fraction of 64 bits.
fn fixed(x: f64) -> u64 {
    (x * 2f64.powi(64)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of every value, added up from the slots.
    fn probabilities(weights: &[f64]) -> Vec<f64> {
        let mut p = vec![0.0; weights.len()];
        for (i, slot) in slots(weights).iter().enumerate() {
            let own = if slot.alias == i { 1.0 } else { slot.own as f64 / 2f64.powi(64) };
            p[i] += own / weights.len() as f64;
            p[slot.alias] += (1.0 - own) / weights.len() as f64;
        }
        p
    }

    #[test]
    fn slots_add_up_to_the_weights() {
        let cases: [&[f64]; 8] = [
            &[1.0],
            &[1.0, 1.0],
            &[0.1; 10],
            &[3.0, 0.0, 1.0],
            &[0.0, 0.0, 5e-324],
            &[f64::MAX, f64::MAX, f64::MAX / 2.0],
            &[1e-300, 1.0, 1e-17],
            &[0.1, 0.2, 0.3, 0.0, 0.7, 0.05, 0.0, 0.9, 1e-9],
        ];
        for weights in cases {
            let most = weights.iter().fold(0.0f64, |a, &b| a.max(b));
            let sum: f64 = weights.iter().map(|w| w / most).sum();
            for (p, w) in probabilities(weights).iter().zip(weights) {
                assert!((p - w / most / sum).abs() < 1e-15, "{weights:?} {p} {w}");
            }
        }
    }

    #[test]
    fn weight_of_zero_is_never_chosen() {
        for n in 1..200 {
            let weights: Vec<f64> =
                (0..n).map(|i| if i % 3 == 1 { 0.0 } else { 0.1 + i as f64 / 7.0 }).collect();
            for (i, slot) in slots(&weights).iter().enumerate() {
                assert!(weights[i] > 0.0 || slot.own == 0, "own value of slot {i} of {n}");
                assert!(weights[slot.alias] > 0.0, "alias of slot {i} of {n}");
            }
        }
    }
}
