//! Random arrays: NumPy's words, as methods of a generator that hands a stream to each call.
//!
//! Element `i` of an array, in C order, follows from the seed, the array's stream and `i` alone: the same program gives the
//! same numbers for every chunking, slice and number of threads, and a slice computes what it needs and no more.
//! The methods, and how they are computed, are described in `crates/random`.
//!
//! ```
//! use chunkwise::prelude::*;
//! use chunkwise::random::Generator;
//!
//! let mut rng = Generator::new(42);
//! let x = rng.normal(10.0_f64, 2.0, (1000, 1000), 250);
//! let mean: f64 = x.mean().compute()?;
//! assert!((mean - 10.0).abs() < 0.01);
//!
//! // The same seed gives the same array, however it is cut.
//! let y = Generator::new(42).normal(10.0_f64, 2.0, (1000, 1000), (1, ..));
//! assert!((x - y).abs().max().compute()? == 0.0);
//! # Ok::<(), chunkwise::Error>(())
//! ```

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkSource, Chunks, Element, Float, Integer};
use chunkwise_expr::{Expr, ExprError};
use chunkwise_random::{Distribution, RandomSource};
use ndarray::{IntoDimension, Ix1};

use crate::LazyArray;
use crate::array::{here, size_checked};

/// Makes random arrays. Each call takes the next stream, so two calls give different arrays, and the same calls
/// in the same order give the same arrays.
///
/// A clone goes on with the same streams as the original.
///
/// ```
/// use chunkwise::random::Generator;
/// let mut rng = Generator::new(42);
/// let (a, b) = (rng.uniform(0.0, 1.0, 3, 3).compute()?, rng.uniform(0.0, 1.0, 3, 3).compute()?);
/// assert_ne!(a, b);
/// let again = Generator::new(42).uniform(0.0, 1.0, 3, 3).compute()?;
/// assert_eq!(a, again);
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    /// The stream of the next call; beyond `u32::MAX` there is none.
    stream: u64,
}

impl Generator {
    /// The streams of a seed, from the first on.
    ///
    /// ```
    /// use chunkwise::random::Generator;
    /// let x = Generator::new(7).integers(0, 10, 5, 2);
    /// assert_eq!(x.compute()?, Generator::new(7).integers(0, 10, 5, 5).compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn new(seed: u64) -> Generator {
        Generator::with_stream(seed, 0)
    }

    /// The streams of a seed from this number on: for parts of a program that shall not depend on each other's calls.
    ///
    /// ```
    /// use chunkwise::random::Generator;
    /// let mut rng = Generator::new(7);
    /// let (_, second) = (rng.uniform(0.0, 1.0, 3, 3), rng.uniform(0.0, 1.0, 3, 3));
    /// let alone = Generator::with_stream(7, 1).uniform(0.0, 1.0, 3, 3);
    /// assert_eq!(second.compute()?, alone.compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn with_stream(seed: u64, stream: u32) -> Generator {
        Generator { seed, stream: stream.into() }
    }

    /// The streams of a seed that the operating system draws; [`seed`](Generator::seed) says which, to repeat a run.
    ///
    /// ```
    /// use chunkwise::random::Generator;
    /// let mut rng = Generator::from_entropy();
    /// let x = rng.uniform(0.0, 1.0, 10, 10).compute()?;
    /// assert_eq!(x, Generator::new(rng.seed()).uniform(0.0, 1.0, 10, 10).compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn from_entropy() -> Generator {
        // The standard library keys its hash maps from the operating system, and each state by one more.
        Generator::new(RandomState::new().hash_one(0u64))
    }

    /// The seed.
    ///
    /// ```
    /// assert_eq!(chunkwise::random::Generator::new(42).seed(), 42);
    /// ```
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Uniform numbers in `[low, high)`: multiples of 2^-53 (f32: 2^-24) of the interval; `high` is never reached.
    ///
    /// # Errors
    /// On running, when `low < high` does not hold or the distance between them overflows.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = chunkwise::random::Generator::new(1).uniform(-1.0, 1.0, (100, 100), 50);
    /// let (least, most) = chunkwise::compute((x.min(), x.max()))?;
    /// assert!(-1.0 <= least && most < 1.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn uniform<T: Float, S: IntoDimension>(
        &mut self,
        low: T,
        high: T,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        let distribution = Distribution::Uniform { dtype: T::DTYPE, low: wide(low), high: wide(high) };
        self.array(distribution, shape, chunks)
    }

    /// Normal numbers of this mean and standard deviation, by Box and Muller's method (1958).
    ///
    /// The farthest ones are 8.57 standard deviations from the mean, of f32 6.66.
    ///
    /// # Errors
    /// On running, when the mean is not finite or the standard deviation is negative or not finite.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let mut rng = chunkwise::random::Generator::new(1);
    /// let std = rng.normal(5.0_f32, 2.0, 100_000, 10_000).std(0.0).compute()?;
    /// assert!((std - 2.0).abs() < 0.02);
    /// assert_eq!(rng.normal(5.0, 0.0, 2, 2).compute()?, ndarray::arr1(&[5.0, 5.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn normal<T: Float, S: IntoDimension>(
        &mut self,
        mean: T,
        std: T,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        let distribution = Distribution::Normal { dtype: T::DTYPE, mean: wide(mean), std: wide(std) };
        self.array(distribution, shape, chunks)
    }

    /// Numbers whose logarithm is normal, with this mean and standard deviation of the logarithm.
    ///
    /// # Errors
    /// On running, when `mean` is not finite or `sigma` is negative or not finite.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = chunkwise::random::Generator::new(1).lognormal(0.0, 0.5, 100_000, 10_000);
    /// let mean: f64 = x.mean().compute()?;
    /// assert!((mean - 0.125_f64.exp()).abs() < 0.01);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn lognormal<T: Float, S: IntoDimension>(
        &mut self,
        mean: T,
        sigma: T,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        let distribution = Distribution::LogNormal { dtype: T::DTYPE, mean: wide(mean), sigma: wide(sigma) };
        self.array(distribution, shape, chunks)
    }

    /// Exponential numbers of this mean; the largest are 36.7 times the scale, of f32 22.1 times.
    ///
    /// # Errors
    /// On running, when the scale is negative or not finite.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = chunkwise::random::Generator::new(1).exponential(3.0, 100_000, 10_000);
    /// let mean: f64 = x.mean().compute()?;
    /// assert!((mean - 3.0).abs() < 0.03);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn exponential<T: Float, S: IntoDimension>(
        &mut self,
        scale: T,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        self.array(Distribution::Exponential { dtype: T::DTYPE, scale: wide(scale) }, shape, chunks)
    }

    /// Gamma numbers of mean `shape_parameter * scale`, by the method of Marsaglia and Tsang (2000).
    ///
    /// # Errors
    /// On running, when a parameter is negative or not finite.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = chunkwise::random::Generator::new(1).gamma(2.0, 3.0, 100_000, 10_000);
    /// let mean: f64 = x.mean().compute()?;
    /// assert!((mean - 6.0).abs() < 0.06);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn gamma<T: Float, S: IntoDimension>(
        &mut self,
        shape_parameter: T,
        scale: T,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        let (parameter, scale) = (wide(shape_parameter), wide(scale));
        self.array(Distribution::Gamma { dtype: T::DTYPE, shape: parameter, scale }, shape, chunks)
    }

    /// Integers of `low..high`, all exactly equally likely, by the method of Lemire (2019).
    ///
    /// # Errors
    /// On running, when `low < high` does not hold.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let dice = chunkwise::random::Generator::new(1).integers(1, 7, 100_000, 10_000);
    /// assert_eq!(chunkwise::compute((dice.min(), dice.max()))?, (1, 6));
    ///
    /// let none = chunkwise::random::Generator::new(1).integers(7, 7, 10, 10);
    /// assert!(none.check().unwrap_err().to_string().starts_with("integers: no integer lies from 7 to 6"));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn integers<T: Integer, S: IntoDimension>(
        &mut self,
        low: T,
        high: T,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        let distribution =
            Distribution::Integers { dtype: T::DTYPE, low: widest(low), last: widest(high) - 1 };
        self.array(distribution, shape, chunks)
    }

    /// Integers of `low..=last`: [`integers`](Generator::integers) with the end included, so that all values of the
    /// type can be drawn.
    ///
    /// # Errors
    /// On running, when `low <= last` does not hold.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let bytes = chunkwise::random::Generator::new(1).integers_inclusive(u8::MIN, u8::MAX, 100_000, 10_000);
    /// assert_eq!(chunkwise::compute((bytes.min(), bytes.max()))?, (0, 255));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn integers_inclusive<T: Integer, S: IntoDimension>(
        &mut self,
        low: T,
        last: T,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        let distribution = Distribution::Integers { dtype: T::DTYPE, low: widest(low), last: widest(last) };
        self.array(distribution, shape, chunks)
    }

    /// `true` with probability `p`, right to 2^-64.
    ///
    /// # Errors
    /// On running, when `p` is not from 0 to 1.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let heads = chunkwise::random::Generator::new(1).bernoulli(0.25, 100_000, 10_000);
    /// assert!((24_500..25_500).contains(&heads.sum().compute()?));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn bernoulli<S: IntoDimension>(
        &mut self,
        p: f64,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<bool, S::Dim> {
        self.array(Distribution::Bernoulli { p }, shape, chunks)
    }

    /// One of the values for each element, all equally likely, with replacement. The values are kept.
    ///
    /// # Errors
    /// On running, when there are no values.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = chunkwise::random::Generator::new(1).choice(&[0.5, 2.0], (10, 10), 5);
    /// assert_eq!(chunkwise::compute((x.min(), x.max()))?, (0.5, 2.0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn choice<T: Element, S: IntoDimension>(
        &mut self,
        values: &[T],
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        self.array(Distribution::Choice { values: vector(values), weights: None }, shape, chunks)
    }

    /// One of the values for each element, with probabilities in proportion to the weights, with replacement, by the
    /// method of aliases (Walker, 1977). A value of weight 0 is never chosen.
    ///
    /// # Errors
    /// On running, when there are no values, not as many weights as values, a weight that is negative or not finite,
    /// or only weights of 0.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = chunkwise::random::Generator::new(1).choice_weighted(&[1, 2, 3], &[1.0, 0.0, 3.0], 100_000, 10_000);
    /// let mean: f64 = x.mean().compute()?;
    /// assert!((mean - 2.5).abs() < 0.01);
    /// assert!(!x.eq(2).any().compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn choice_weighted<T: Element, S: IntoDimension>(
        &mut self,
        values: &[T],
        weights: &[f64],
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        let weights = Some(weights.to_vec());
        self.array(Distribution::Choice { values: vector(values), weights }, shape, chunks)
    }

    /// Poisson numbers of mean `lam`: by a table below 64, by Hörmann's transformed rejection (1993) from there on.
    /// [`cast`](LazyArray::cast) gives them another type.
    ///
    /// # Errors
    /// On running, when `lam` is not from 0 to 9.2e18.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = chunkwise::random::Generator::new(1).poisson(3.5, 100_000, 10_000);
    /// let mean: f64 = x.mean().compute()?;
    /// assert!((mean - 3.5).abs() < 0.03);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn poisson<S: IntoDimension>(
        &mut self,
        lam: f64,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<i64, S::Dim> {
        self.array(Distribution::Poisson { lam }, shape, chunks)
    }

    /// The numbers `0..n` in random order. An element is computed from its place, so a huge permutation takes no memory
    /// but that of the part that is asked for. Up to 4096 numbers all orders are equally likely; beyond, the order is
    /// that of a keyed Feistel network.
    ///
    /// # Errors
    /// On running, when `n` elements cannot be counted.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = chunkwise::random::Generator::new(1).permutation(1_000_000, 100_000);
    /// assert_eq!(x.sum().compute()?, 999_999 * 1_000_000 / 2);
    /// assert_eq!(chunkwise::compute((x.min(), x.max()))?, (0, 999_999));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn permutation(&mut self, n: usize, chunks: impl Into<Chunks>) -> LazyArray<i64, Ix1> {
        self.array(Distribution::Permutation { n }, n, chunks)
    }

    /// The array of the next stream.
    #[track_caller]
    fn array<T, S: IntoDimension>(
        &mut self,
        distribution: Distribution,
        shape: S,
        chunks: impl Into<Chunks>,
    ) -> LazyArray<T, S::Dim> {
        use ndarray::Dimension;
        LazyArray::wrap(self.expr(distribution, shape.into_dimension().slice(), &chunks.into(), here()))
    }

    fn expr(
        &mut self,
        distribution: Distribution,
        shape: &[usize],
        chunks: &Chunks,
        origin: &'static Location<'static>,
    ) -> Expr {
        let name = distribution.word();
        match self.source(distribution, shape) {
            Ok(source) => Expr::source(name, source, Some(chunks), origin),
            Err(cause) => Expr::invalid(name, cause, origin),
        }
    }

    fn source(
        &mut self,
        distribution: Distribution,
        shape: &[usize],
    ) -> Result<Arc<dyn ChunkSource>, ExprError> {
        let message = |text: &dyn fmt::Display| ExprError::Message(text.to_string());
        let stream = u32::try_from(self.stream);
        self.stream = self.stream.saturating_add(1);
        let stream = stream.map_err(|_| message(&"a seed has 2^32 streams, and they are used up"))?;
        size_checked(shape)?;
        let source = RandomSource::new(distribution, self.seed, stream, shape);
        Ok(Arc::new(source.map_err(|err| message(&err))?))
    }
}

/// A float as f64; exact.
fn wide<T: Float>(x: T) -> f64 {
    x.to_f64().unwrap_or(f64::NAN)
}

/// An integer as i128; exact.
fn widest<T: Integer>(x: T) -> i128 {
    x.to_i128().expect("integers of 64 bits fit")
}

fn vector<T: Element>(values: &[T]) -> Chunk {
    Chunk::from_array(ndarray::ArrayView1::from(values).to_owned().into_dyn())
}
