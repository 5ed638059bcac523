//! Which distributions there are, what their parameters may be, and how they are shown.

use std::cmp::Ordering;
use std::fmt;

use chunkwise_chunk::{Chunk, DType, dispatch};

use crate::fill::{Drawn, Fill};
use crate::gamma::Gamma;
use crate::permutation::Permutation;
use crate::philox::Philox;
use crate::poisson;
use crate::real::{Bernoulli, Exponential, LogNormal, Normal, Real, Uniform};
use crate::table::Looked;
use crate::whole::{Integers, Whole};

/// What random numbers are distributed like.
///
/// Float types are f32 and f64. Parameters out of their range are an error of [`RandomSource::new`].
///
/// [`RandomSource::new`]: crate::RandomSource::new
///
/// ```
/// use chunkwise_random::Distribution;
/// assert_eq!(Distribution::Poisson { lam: 3.5 }.to_string(), "poisson(3.5)");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Distribution {
    /// Uniform in `[low, high)`; of `dtype` float.
    Uniform {
        /// Type of the elements.
        dtype: DType,
        /// The smallest value.
        low: f64,
        /// What is not reached.
        high: f64,
    },
    /// Normal; of `dtype` float.
    Normal {
        /// Type of the elements.
        dtype: DType,
        /// The mean.
        mean: f64,
        /// The standard deviation, at least 0.
        std: f64,
    },
    /// The exponential of a normal number; of `dtype` float.
    LogNormal {
        /// Type of the elements.
        dtype: DType,
        /// The mean of the logarithm.
        mean: f64,
        /// The standard deviation of the logarithm, at least 0.
        sigma: f64,
    },
    /// Exponential; of `dtype` float.
    Exponential {
        /// Type of the elements.
        dtype: DType,
        /// The mean, at least 0.
        scale: f64,
    },
    /// Gamma; of `dtype` float.
    Gamma {
        /// Type of the elements.
        dtype: DType,
        /// The shape, at least 0; the mean is `shape * scale`.
        shape: f64,
        /// The scale, at least 0.
        scale: f64,
    },
    /// All integers of an interval, equally likely; of `dtype` integer.
    Integers {
        /// Type of the elements.
        dtype: DType,
        /// The smallest value.
        low: i128,
        /// The largest value.
        last: i128,
    },
    /// `true` with a probability.
    Bernoulli {
        /// The probability, from 0 to 1.
        p: f64,
    },
    /// Poisson, of i64.
    Poisson {
        /// The mean, from 0 to 9.2e18.
        lam: f64,
    },
    /// One of some values, with replacement.
    Choice {
        /// The values, along one axis; at least one.
        values: Chunk,
        /// What their probabilities are in proportion to; without it they are equal.
        weights: Option<Vec<f64>>,
    },
    /// The numbers `0..n` in random order, of i64; for arrays of shape `[n]`.
    Permutation {
        /// How many.
        n: usize,
    },
}

/// A parameter that a distribution does not have.
///
/// ```
/// use chunkwise_random::{Distribution, RandomSource};
/// let err = RandomSource::new(Distribution::Bernoulli { p: 1.5 }, 42, 0, &[10]).unwrap_err();
/// assert_eq!(err.to_string(), "the probability must be from 0 to 1, it is 1.5");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParameterError(pub(crate) String);

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParameterError {}

/// Runs `$body` with `$t` bound to f32 or f64.
macro_rules! for_float {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            DType::F32 => {
                type $t = f32;
                $body
            }
            DType::F64 => {
                type $t = f64;
                $body
            }
            other => return Err(error(format!("elements must be f32 or f64, not {other}"))),
        }
    };
}

/// Runs `$body` with `$t` bound to an integer type.
macro_rules! for_integer {
    ($dtype:expr, $t:ident => $body:expr, $($v:ident $int:ty;)*) => {
        match $dtype {
            $(DType::$v => {
                type $t = $int;
                $body
            })*
            other => return Err(error(format!("elements must be integers, not {other}"))),
        }
    };
    ($dtype:expr, $t:ident => $body:expr) => {
        for_integer!($dtype, $t => $body, I8 i8; I16 i16; I32 i32; I64 i64; U8 u8; U16 u16; U32 u32; U64 u64;)
    };
}

impl Distribution {
    /// Type of the elements.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// use chunkwise_random::Distribution;
    /// assert_eq!(Distribution::Bernoulli { p: 0.5 }.dtype(), DType::Bool);
    /// ```
    pub fn dtype(&self) -> DType {
        match self {
            Distribution::Uniform { dtype, .. }
            | Distribution::Normal { dtype, .. }
            | Distribution::LogNormal { dtype, .. }
            | Distribution::Exponential { dtype, .. }
            | Distribution::Gamma { dtype, .. }
            | Distribution::Integers { dtype, .. } => *dtype,
            Distribution::Bernoulli { .. } => DType::Bool,
            Distribution::Poisson { .. } | Distribution::Permutation { .. } => DType::I64,
            Distribution::Choice { values, .. } => values.dtype(),
        }
    }

    /// The name of the method that makes such an array.
    ///
    /// ```
    /// assert_eq!(chunkwise_random::Distribution::Permutation { n: 3 }.word(), "permutation");
    /// ```
    pub fn word(&self) -> &'static str {
        match self {
            Distribution::Uniform { .. } => "uniform",
            Distribution::Normal { .. } => "normal",
            Distribution::LogNormal { .. } => "lognormal",
            Distribution::Exponential { .. } => "exponential",
            Distribution::Gamma { .. } => "gamma",
            Distribution::Integers { .. } => "integers",
            Distribution::Bernoulli { .. } => "bernoulli",
            Distribution::Poisson { .. } => "poisson",
            Distribution::Choice { weights: None, .. } => "choice",
            Distribution::Choice { .. } => "choice_weighted",
            Distribution::Permutation { .. } => "permutation",
        }
    }

    /// Equal texts mean equal elements; none where the values would have to stand in the text.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            Distribution::Choice { .. } => None,
            other => Some(format!("{other:?}")),
        }
    }

    /// What computes the elements.
    pub(crate) fn elements(&self, philox: &Philox) -> Result<Box<dyn Fill>, ParameterError> {
        match self {
            &Distribution::Uniform { dtype, low, high } => {
                for_float!(dtype, T => uniform::<T>(low, high, philox))
            }
            &Distribution::Normal { dtype, mean, std } => {
                finite("the mean", mean)?;
                not_negative("the standard deviation", std)?;
                for_float!(dtype, T => Ok(Box::new(Drawn::new(Normal::<T>::new(mean, std), philox))))
            }
            &Distribution::LogNormal { dtype, mean, sigma } => {
                finite("the mean of the logarithm", mean)?;
                not_negative("the standard deviation of the logarithm", sigma)?;
                for_float!(dtype, T => {
                    Ok(Box::new(Drawn::new(LogNormal(Normal::<T>::new(mean, sigma)), philox)))
                })
            }
            &Distribution::Exponential { dtype, scale } => {
                not_negative("the scale", scale)?;
                for_float!(dtype, T => Ok(Box::new(Drawn::new(Exponential::<T>::new(scale), philox))))
            }
            &Distribution::Gamma { dtype, shape, scale } => {
                not_negative("the shape parameter", shape)?;
                not_negative("the scale", scale)?;
                for_float!(dtype, T => Ok(Box::new(Drawn::new(Gamma::<T>::new(shape, scale), philox))))
            }
            &Distribution::Integers { dtype, low, last } => {
                for_integer!(dtype, T => all_integers::<T>(low, last, philox))
            }
            &Distribution::Bernoulli { p } if (0.0..=1.0).contains(&p) => {
                Ok(Box::new(Drawn::new(Bernoulli::new(p), philox)))
            }
            &Distribution::Bernoulli { p } => {
                Err(error(format!("the probability must be from 0 to 1, it is {p}")))
            }
            &Distribution::Poisson { lam } if (0.0..=poisson::LARGEST).contains(&lam) => {
                Ok(poisson::poisson(lam, philox))
            }
            &Distribution::Poisson { lam } => {
                let most = poisson::LARGEST;
                Err(error(format!("the mean must be from 0 to {most:.2e}, it is {lam}")))
            }
            Distribution::Choice { values, weights } => choice(values, weights.as_deref(), philox),
            &Distribution::Permutation { n } => Ok(Box::new(Permutation::new(n as u64, philox))),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Distribution::Uniform { low, high, .. } => write!(f, "({low}, {high})"),
            Distribution::Normal { mean, std, .. } => write!(f, "({mean}, {std})"),
            Distribution::LogNormal { mean, sigma, .. } => write!(f, "({mean}, {sigma})"),
            Distribution::Exponential { scale, .. } => write!(f, "({scale})"),
            Distribution::Gamma { shape, scale, .. } => write!(f, "({shape}, {scale})"),
            Distribution::Integers { low, last, .. } => write!(f, "({low}..={last})"),
            Distribution::Bernoulli { p } => write!(f, "({p})"),
            Distribution::Poisson { lam } => write!(f, "({lam})"),
            Distribution::Choice { values, .. } => write!(f, "({} values)", values.len()),
            Distribution::Permutation { n } => write!(f, "({n})"),
        }
    }
}

fn error(text: String) -> ParameterError {
    ParameterError(text)
}

fn finite(what: &str, x: f64) -> Result<(), ParameterError> {
    if x.is_finite() { Ok(()) } else { Err(error(format!("{what} must be finite, it is {x}"))) }
}

fn not_negative(what: &str, x: f64) -> Result<(), ParameterError> {
    if x.is_finite() && x >= 0.0 {
        return Ok(());
    }
    Err(error(format!("{what} must be finite and at least 0, it is {x}")))
}

fn uniform<T: Real>(low: f64, high: f64, philox: &Philox) -> Result<Box<dyn Fill>, ParameterError> {
    let in_type = |x: f64| T::nearest(x).to_f64().unwrap_or(f64::NAN);
    let (low, high) = (in_type(low), in_type(high));
    if low.partial_cmp(&high) != Some(Ordering::Less) {
        return Err(error(format!("low must be below high, they are {low} and {high}")));
    }
    if !(high - low).is_finite() {
        return Err(error(format!("the distance of low and high must be finite, they are {low} and {high}")));
    }
    Ok(Box::new(Drawn::new(Uniform::<T>::new(low, high), philox)))
}

fn all_integers<T: Whole>(low: i128, last: i128, philox: &Philox) -> Result<Box<dyn Fill>, ParameterError> {
    let (least, most) = T::LIMITS;
    if low < least || last > most {
        let dtype = T::DTYPE;
        return Err(error(format!("{low}..={last} must lie within the integers of {dtype}")));
    }
    if low > last {
        return Err(error(format!("no integer lies from {low} to {last}")));
    }
    Ok(Box::new(Integers::<T>::new(low, last, philox)))
}

fn choice(values: &Chunk, weights: Option<&[f64]>, philox: &Philox) -> Result<Box<dyn Fill>, ParameterError> {
    if values.shape().len() != 1 || values.is_empty() {
        let shape = values.shape();
        return Err(error(format!(
            "there must be at least one value along one axis, the shape is {shape:?}"
        )));
    }
    if let Some(weights) = weights {
        check_weights(weights, values.len())?;
    }
    dispatch!(values.dtype(), T => {
        let values = values.typed::<T>().expect("the type was asked for").iter().copied().collect();
        Ok(match weights {
            None => Box::new(Looked::choice(values, philox)),
            Some(weights) => Box::new(Looked::weighted(values, weights, philox)),
        })
    })
}

fn check_weights(weights: &[f64], values: usize) -> Result<(), ParameterError> {
    if weights.len() != values {
        let given = weights.len();
        return Err(error(format!("there are {values} values and {given} weights")));
    }
    weights.iter().try_for_each(|&weight| not_negative("a weight", weight))?;
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(error("the weights must not all be 0".into()));
    }
    Ok(())
}
