//! Gamma numbers by the method of Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).
//!
//! ```text
//! d = shape - 1/3,  y = z / (3 sqrt(d)),  v = (1 + y)^3           z normal, u uniform
//! accept d v if ln u < z^2/2 + d (1 - v + ln v)
//! ```
//!
//! At least 95 in 100 are accepted. Neighbours share a pair of normal numbers. Attempt `t` takes draw `2 t` for the
//! normal and `2 t + 1` for the uniform numbers. For a shape below 1 it is the number of `shape + 1` times
//! `u^(1/shape)`, of the last draw. The squeeze of the paper is left out: in a vector loop it would save nothing.
//!
//! `z^2/2 + d (1 - v + ln v)` is `-d (3/4 y^4 - 3/5 y^5 + ...)`: the lower terms cancel, and for a large shape so does
//! everything that f64 holds of them, so there the series is used.

use std::marker::PhantomData;

use chunkwise_math::{Exp, Isa, Unary, unit};

use crate::fill::{Lanes, Law};
use crate::philox::{Block, long};
use crate::real::{Real, box_muller, positive};

/// The draw for the factor of shapes below 1.
const BOOST: u32 = u32::MAX;
/// From here on the series is more accurate than the logarithm.
const LARGE: f64 = 1e5;

/// Gamma numbers of type `T`.
#[derive(Clone, Debug)]
pub(crate) struct Gamma<T> {
    d: f64,
    /// `1 / (3 sqrt(d))`
    c: f64,
    /// `1 / shape` below 1, else 0.
    inverse_shape: f64,
    /// `d scale`
    size: f64,
    value: PhantomData<T>,
}

impl<T: Real> Gamma<T> {
    /// Both are at least 0 and finite.
    pub(crate) fn new(shape: f64, scale: f64) -> Gamma<T> {
        let (shape, inverse_shape) =
            if shape < 1.0 { (shape + 1.0, (1.0 / shape).min(f64::MAX)) } else { (shape, 0.0) };
        let d = shape - 1.0 / 3.0;
        // Of shape 0 every number is 0, also where the factor is 1.
        let size = if inverse_shape == f64::MAX { 0.0 } else { d * scale };
        Gamma { d, c: 1.0 / (3.0 * d.sqrt()), inverse_shape, size, value: PhantomData }
    }

    /// `(1 + y)^3` of two normal numbers.
    #[inline(always)]
    fn cubes<I: Isa>(&self, words: [u64; 4]) -> ([f64; 2], [f64; 2]) {
        let [u, v] = long(words);
        let z = box_muller::<I>(positive(u), positive(v));
        let (w0, w1) = (1.0 + z[0] * self.c, 1.0 + z[1] * self.c);
        (z, [w0 * w0 * w0, w1 * w1 * w1])
    }

    /// The scaled value, with the factor for a shape below 1.
    #[inline(always)]
    fn value<I: Isa>(&self, cube: f64, boost: f64) -> T {
        let ln = unit::ln::<I>(boost) * self.inverse_shape;
        T::nearest(self.size * cube * Exp::fast::<I>(ln))
    }

    /// Whether a proposal with `u` in (0, 1] is a gamma number.
    #[inline(always)]
    fn accepts<I: Isa>(&self, z: f64, cube: f64, u: f64) -> bool {
        let y = z * self.c;
        let exponent = if self.d < LARGE {
            0.5 * z * z + self.d * (1.0 - cube + unit::ln::<I>(cube))
        } else {
            -self.d * (y * y) * (y * y) * (0.75 - y * (0.6 - 0.5 * y))
        };
        (cube > 0.0) & (unit::ln::<I>(u) < exponent)
    }
}

impl<T: Real> Law for Gamma<T> {
    type Value = T;
    const SHARE: usize = 2;
    const RETRIES: bool = true;
    const DRAWS: u32 = 2;

    #[inline(always)]
    fn attempt<I: Isa>(&self, number: u32, words: [u64; 4], block: Block<'_>) -> Lanes<T> {
        let ([z0, z1], [v0, v1]) = self.cubes::<I>(words);
        let [u0, u1] = block.long_words(number.wrapping_mul(2) + 1);
        let accepted = [self.accepts::<I>(z0, v0, positive(u0)), self.accepts::<I>(z1, v1, positive(u1))];
        let values = if self.inverse_shape > 0.0 {
            let [b0, b1] = block.long_words(BOOST);
            [self.value::<I>(v0, positive(b0)), self.value::<I>(v1, positive(b1))]
        } else {
            [T::nearest(self.size * v0), T::nearest(self.size * v1)]
        };
        Lanes { open: [!accepted[0], !accepted[1], false, false], ..Lanes::two(values) }
    }
}
