//! Random numbers as a source of an array.

use std::fmt;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkSource, DType, Formula, ReadCost, Region, Shape, SourceError, TileMut};

use crate::distribution::{Distribution, ParameterError};
use crate::fill::Fill;
use crate::philox::Philox;

/// An array of random numbers: its elements follow from the distribution, the seed, the stream and their places.
///
/// ```
/// use chunkwise_chunk::{ChunkSource, Region};
/// use chunkwise_random::{Distribution, RandomSource};
/// let dice = RandomSource::new(Distribution::Poisson { lam: 3.0 }, 42, 0, &[1000, 1000]).unwrap();
/// assert_eq!(dice.name(), "poisson(3) of seed 42, stream 0");
/// let (row, part) = (Region::new(&[500, 0], &[1, 1000]), Region::new(&[500, 998], &[1, 2]));
/// let row = dice.read(&row).unwrap().to_array::<i64>().unwrap();
/// let part = dice.read(&part).unwrap().to_array::<i64>().unwrap();
/// assert_eq!(row.as_slice().unwrap()[998..], *part.as_slice().unwrap());
/// ```
#[derive(Clone)]
pub struct RandomSource {
    distribution: Arc<Distribution>,
    elements: Arc<dyn Fill>,
    seed: u64,
    stream: u32,
    shape: Shape,
}

impl RandomSource {
    /// The numbers of a seed and stream. Equal arguments give equal elements; other seeds and streams give
    /// independent ones, and so do other distributions only if they have other streams.
    ///
    /// # Errors
    /// A parameter out of range, a shape of more elements than can be counted, a permutation of another length.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// use chunkwise_random::{Distribution, RandomSource};
    /// let normal = Distribution::Normal { dtype: DType::F64, mean: 0.0, std: f64::NAN };
    /// let err = RandomSource::new(normal, 42, 0, &[10]).unwrap_err();
    /// assert_eq!(err.to_string(), "the standard deviation must be finite and at least 0, it is NaN");
    /// ```
    pub fn new(
        distribution: Distribution,
        seed: u64,
        stream: u32,
        shape: &[usize],
    ) -> Result<RandomSource, ParameterError> {
        let nonzero = shape.iter().filter(|&&n| n != 0);
        if nonzero.clone().try_fold(1usize, |len, &n| len.checked_mul(n)).is_none() {
            return Err(ParameterError(format!("shape {shape:?} has more elements than can be counted")));
        }
        if let Distribution::Permutation { n } = distribution
            && *shape != [n]
        {
            return Err(ParameterError(format!(
                "a permutation of {n} numbers has shape [{n}], not {shape:?}"
            )));
        }
        let elements = distribution.elements(&Philox::new(seed, stream))?.into();
        Ok(RandomSource { distribution: Arc::new(distribution), elements, seed, stream, shape: shape.into() })
    }
}

impl ChunkSource for RandomSource {
    fn dtype(&self) -> DType {
        self.elements.dtype()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        format!("{} of seed {}, stream {}", self.distribution, self.seed, self.stream)
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Generate
    }

    fn key(&self) -> Option<String> {
        let (key, shape) = (self.distribution.key()?, self.shape.as_slice());
        Some(format!("random {key} {} {} {shape:?}", self.seed, self.stream))
    }

    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        if !region.fits(&self.shape) {
            let shape = self.shape.to_vec();
            return Err(SourceError::Region { region: Box::new(region.clone()), shape });
        }
        Ok(self.elements.read(&self.shape, region))
    }
}

impl Formula for RandomSource {
    fn fill(&self, region: &Region, at: usize, out: TileMut<'_>) {
        self.elements.fill(&self.shape, region, at, out);
    }
}

impl fmt::Debug for RandomSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RandomSource<{}>{:?}: {}", self.dtype(), self.shape.as_slice(), self.name())
    }
}
