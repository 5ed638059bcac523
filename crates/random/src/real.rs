//! Uniform, normal, lognormal and exponential numbers: one attempt each.
//!
//! ```text
//! uniform      low + u (high - low)                             u in [0, 1)
//! normal       r cos a,  r sin a   with r = sqrt(-2 ln u), a = 2 pi v      u, v in (0, 1]      (Box and Muller, 1958)
//! exponential  -ln u                                            u in (0, 1]
//! ```
//!
//! f64 takes 53 bits for a uniform number, and f32 takes 24 of them, in all others 32. So the largest normal number
//! is sqrt(-2 ln 2^-53) = 8.57 standard deviations for f64 (an honest one is larger once in 10^17), 6.66 for f32
//! (once in 4 10^10), the largest exponential one 36.7 and 22.1 scales. All arithmetic is that of f64.
//!
//! Box and Muller's method was chosen over the ziggurat, which has branches and rejects, and over the inverse of the
//! distribution, whose tails need other polynomials than its middle.

use std::marker::PhantomData;

use chunkwise_chunk::Float;
use chunkwise_math::{Exp, Isa, Sqrt, Unary, unit};

use crate::fill::{Lanes, Law};
use crate::philox::{Block, long};

const TWO_POW_MINUS_53: f64 = 1.0 / (1u64 << 53) as f64;
const TWO_POW_MINUS_32: f64 = 1.0 / (1u64 << 32) as f64;

/// f32 and f64: how many random bits a number gets.
pub(crate) trait Real: Float {
    /// Numbers made of a block of words.
    const SHARE: usize;
    /// Uniform numbers in [0, 1), of as many bits as the type has.
    fn fractions(words: [u64; 4]) -> [f64; 4];
    /// Uniform numbers in (0, 1].
    fn positives(words: [u64; 4]) -> [f64; 4];
    /// The nearest number of the type.
    fn nearest(x: f64) -> Self;
    /// The largest number below.
    fn below(self) -> Self;
}

impl Real for f64 {
    const SHARE: usize = 2;

    #[inline(always)]
    fn fractions(words: [u64; 4]) -> [f64; 4] {
        let [u, v] = long(words);
        [half_open(u), half_open(v), 0.0, 0.0]
    }

    #[inline(always)]
    fn positives(words: [u64; 4]) -> [f64; 4] {
        let [u, v] = long(words);
        [positive(u), positive(v), 1.0, 1.0]
    }

    #[inline(always)]
    fn nearest(x: f64) -> f64 {
        x
    }

    fn below(self) -> f64 {
        self.next_down()
    }
}

impl Real for f32 {
    const SHARE: usize = 4;

    #[inline(always)]
    fn fractions(words: [u64; 4]) -> [f64; 4] {
        const TWO_POW_MINUS_24: f64 = 1.0 / (1u64 << 24) as f64;
        words.map(|word| (word >> 8) as f64 * TWO_POW_MINUS_24)
    }

    #[inline(always)]
    fn positives(words: [u64; 4]) -> [f64; 4] {
        words.map(|word| (word + 1) as f64 * TWO_POW_MINUS_32)
    }

    #[inline(always)]
    fn nearest(x: f64) -> f32 {
        x as f32
    }

    fn below(self) -> f32 {
        self.next_down()
    }
}

/// A number in [0, 1) of 64 random bits: a multiple of 2^-53.
#[inline(always)]
pub(crate) fn half_open(word: u64) -> f64 {
    (word >> 11) as f64 * TWO_POW_MINUS_53
}

/// A number in (0, 1] of 64 random bits: a multiple of 2^-53.
#[inline(always)]
pub(crate) fn positive(word: u64) -> f64 {
    ((word >> 11) + 1) as f64 * TWO_POW_MINUS_53
}

/// Two independent standard normal numbers of two uniform numbers in (0, 1].
#[inline(always)]
pub(crate) fn box_muller<I: Isa>(u: f64, v: f64) -> [f64; 2] {
    let radius = Sqrt::fast::<I>(-2.0 * unit::ln::<I>(u));
    let (sin, cos) = unit::sin_cos_of_turns::<I>(v);
    [radius * cos, radius * sin]
}

#[inline(always)]
fn normals<I: Isa, T: Real>(words: [u64; 4]) -> [f64; 4] {
    let [a, b, c, d] = T::positives(words);
    let [x, y] = box_muller::<I>(a, b);
    if T::SHARE == 2 {
        return [x, y, 0.0, 0.0];
    }
    let [z, w] = box_muller::<I>(c, d);
    [x, y, z, w]
}

/// A law that makes each element of one number.
///
/// Methods stand here instead of closures, which would not always be inlined into the loop of an instruction set.
pub(crate) trait OfNumber: std::fmt::Debug + Send + Sync + 'static {
    /// Type of the elements.
    type Value: Real;
    /// The numbers of a block.
    fn numbers<I: Isa>(words: [u64; 4]) -> [f64; 4];
    /// The element of a number.
    fn of<I: Isa>(&self, x: f64) -> Self::Value;
}

impl<L: OfNumber> Law for L {
    type Value = L::Value;
    const SHARE: usize = L::Value::SHARE;

    #[inline(always)]
    fn attempt<I: Isa>(&self, _: u32, words: [u64; 4], _: Block<'_>) -> Lanes<L::Value> {
        let [a, b, c, d] = L::numbers::<I>(words);
        if L::Value::SHARE == 2 {
            return Lanes::two([self.of::<I>(a), self.of::<I>(b)]);
        }
        Lanes::all([self.of::<I>(a), self.of::<I>(b), self.of::<I>(c), self.of::<I>(d)])
    }
}

/// Uniform in [low, high).
#[derive(Clone, Debug)]
pub(crate) struct Uniform<T> {
    low: f64,
    span: f64,
    high: T,
    last: T,
}

impl<T: Real> Uniform<T> {
    /// `low < high` are numbers of the type, and their difference is finite.
    pub(crate) fn new(low: f64, high: f64) -> Uniform<T> {
        let end = T::nearest(high);
        Uniform { low, span: high - low, high: end, last: end.below() }
    }
}

impl<T: Real> OfNumber for Uniform<T> {
    type Value = T;

    #[inline(always)]
    fn numbers<I: Isa>(words: [u64; 4]) -> [f64; 4] {
        T::fractions(words)
    }

    #[inline(always)]
    fn of<I: Isa>(&self, u: f64) -> T {
        let x = T::nearest(self.low + u * self.span);
        // Rounding may reach the end of the interval, which is not part of it.
        if x < self.high { x } else { self.last }
    }
}

/// Normal, with this mean and standard deviation.
#[derive(Clone, Debug)]
pub(crate) struct Normal<T> {
    mean: f64,
    std: f64,
    value: PhantomData<T>,
}

impl<T> Normal<T> {
    pub(crate) fn new(mean: f64, std: f64) -> Normal<T> {
        Normal { mean, std, value: PhantomData }
    }
}

impl<T: Real> OfNumber for Normal<T> {
    type Value = T;

    #[inline(always)]
    fn numbers<I: Isa>(words: [u64; 4]) -> [f64; 4] {
        normals::<I, T>(words)
    }

    #[inline(always)]
    fn of<I: Isa>(&self, z: f64) -> T {
        T::nearest(self.mean + self.std * z)
    }
}

/// The exponential of a normal number.
#[derive(Clone, Debug)]
pub(crate) struct LogNormal<T>(pub(crate) Normal<T>);

impl<T: Real> OfNumber for LogNormal<T> {
    type Value = T;

    #[inline(always)]
    fn numbers<I: Isa>(words: [u64; 4]) -> [f64; 4] {
        normals::<I, T>(words)
    }

    #[inline(always)]
    fn of<I: Isa>(&self, z: f64) -> T {
        T::nearest(Exp::fast::<I>(self.0.mean + self.0.std * z))
    }
}

/// Exponential with this mean.
#[derive(Clone, Debug)]
pub(crate) struct Exponential<T> {
    scale: f64,
    value: PhantomData<T>,
}

impl<T> Exponential<T> {
    pub(crate) fn new(scale: f64) -> Exponential<T> {
        Exponential { scale, value: PhantomData }
    }
}

impl<T: Real> OfNumber for Exponential<T> {
    type Value = T;

    #[inline(always)]
    fn numbers<I: Isa>(words: [u64; 4]) -> [f64; 4] {
        T::positives(words)
    }

    #[inline(always)]
    fn of<I: Isa>(&self, u: f64) -> T {
        // 0 - ln 1 is +0.
        T::nearest(self.scale * (0.0 - unit::ln::<I>(u)))
    }
}

/// True with this probability.
///
/// A word decides by its comparison with the first 32 bits of the probability; when they are equal, another one is
/// compared with the next 32. So the probability is right to 2^-64, for the price of 32 bits.
#[derive(Clone, Debug)]
pub(crate) struct Bernoulli {
    high: u64,
    low: u64,
}

impl Bernoulli {
    /// `p` is in [0, 1].
    pub(crate) fn new(p: f64) -> Bernoulli {
        let bits = (p * 2f64.powi(64)) as u128;
        Bernoulli { high: (bits >> 32) as u64, low: bits as u64 & crate::philox::LOW }
    }
}

impl Law for Bernoulli {
    type Value = bool;
    const SHARE: usize = 4;
    const RETRIES: bool = true;

    #[inline(always)]
    fn attempt<I: Isa>(&self, number: u32, words: [u64; 4], _: Block<'_>) -> Lanes<bool> {
        if number == 0 {
            let open = words.map(|word| word == self.high);
            return Lanes { values: words.map(|word| word < self.high), open };
        }
        Lanes::all(words.map(|word| word < self.low))
    }
}
