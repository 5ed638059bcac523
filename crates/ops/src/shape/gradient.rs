//! Derivatives by differences of neighbours, as NumPy's `gradient`.
//!
//! ```text
//! inside, even          (f[i + 1] - f[i - 1]) / 2h
//! inside, uneven        a f[i - 1] + b f[i] + c f[i + 1]     of the distances to both neighbours
//! at an end, order 1    the difference of the last two
//! at an end, order 2    a f[0] + b f[1] + c f[2]             exact for parabolas
//! ```
//!
//! A block takes its neighbours from wherever they are: blocks may be shorter than what an end needs. The formulas are those
//! of Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids" (1988), as NumPy writes them.

use std::fmt;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, DType, Element, Float, Region};
use chunkwise_expr::{BlockError, BlockRule, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Zip};

use super::check_axis;

/// Where the elements of an axis lie: so far apart, or at coordinates.
///
/// ```
/// use chunkwise_ops::shape::Spacing;
/// assert_ne!(Spacing::even(1.0), Spacing::at(&[0.0, 1.0]));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Spacing(Places);

impl From<f64> for Spacing {
    fn from(step: f64) -> Spacing {
        Spacing::even(step)
    }
}

impl From<&[f64]> for Spacing {
    fn from(coordinates: &[f64]) -> Spacing {
        Spacing::at(coordinates)
    }
}

impl From<&Vec<f64>> for Spacing {
    fn from(coordinates: &Vec<f64>) -> Spacing {
        Spacing::at(coordinates)
    }
}

impl<const N: usize> From<[f64; N]> for Spacing {
    fn from(coordinates: [f64; N]) -> Spacing {
        Spacing::at(&coordinates)
    }
}

/// Numbers as bits, so that equal ones are equal and can be hashed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Places {
    Even(u64),
    /// The distances of neighbours.
    Uneven(Arc<[u64]>),
    /// The same for distances that are all this one.
    Equal(u64, usize),
}

impl Spacing {
    /// So far apart.
    pub fn even(step: f64) -> Spacing {
        Spacing(Places::Even(step.to_bits()))
    }

    /// At these coordinates.
    pub fn at(coordinates: &[f64]) -> Spacing {
        let steps: Vec<f64> = coordinates.windows(2).map(|pair| pair[1] - pair[0]).collect();
        Spacing(match steps.first() {
            Some(&first) if steps.iter().all(|&step| step == first) => {
                Places::Equal(first.to_bits(), coordinates.len())
            }
            None => Places::Equal(1f64.to_bits(), coordinates.len()),
            _ => Places::Uneven(steps.iter().map(|step| step.to_bits()).collect()),
        })
    }

    /// How many coordinates there are, if they were given.
    ///
    /// ```
    /// use chunkwise_ops::shape::Spacing;
    /// assert_eq!([Spacing::even(1.0).coordinates(), Spacing::at(&[0.0, 2.0]).coordinates()], [None, Some(2)]);
    /// ```
    pub fn coordinates(&self) -> Option<usize> {
        match &self.0 {
            Places::Even(_) => None,
            Places::Equal(_, len) => Some(*len),
            Places::Uneven(steps) => Some(steps.len() + 1),
        }
    }

    /// The distance from an element to the next, which there must be.
    ///
    /// ```
    /// use chunkwise_ops::shape::Spacing;
    /// assert_eq!(Spacing::at(&[0.0, 2.0, 5.0]).step(1), 3.0);
    /// ```
    pub fn step(&self, at: usize) -> f64 {
        match &self.0 {
            Places::Even(step) | Places::Equal(step, _) => f64::from_bits(*step),
            Places::Uneven(steps) => f64::from_bits(steps[at]),
        }
    }

    fn is_even(&self) -> bool {
        !matches!(self.0, Places::Uneven(_))
    }
}

/// The derivative along an axis.
///
/// ```
/// use chunkwise_ops::shape::{Gradient, Spacing};
/// let rule = Gradient { axis: 0, spacing: Spacing::even(0.5), edge_order: 2 };
/// assert_eq!(rule.to_string(), "gradient[axis 0, step 0.5, edges of order 2]");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Gradient {
    /// The axis.
    pub axis: usize,
    /// Where the elements lie.
    pub spacing: Spacing,
    /// Order of the differences at both ends: 1 or 2.
    pub edge_order: usize,
}

impl fmt::Display for Gradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spacing = match self.spacing.coordinates() {
            None => format!("step {}", self.spacing.step(0)),
            Some(len) => format!("{len} coordinates"),
        };
        write!(f, "gradient[axis {}, {spacing}, edges of order {}]", self.axis, self.edge_order)
    }
}

impl BlockRule for Gradient {
    fn name(&self) -> &str {
        "gradient"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let (shape, dtype) = (inputs[0].grid().shape(), inputs[0].dtype());
        check_axis(self.axis, shape)?;
        let n = shape[self.axis];
        let problem = match self.spacing.coordinates() {
            _ if !matches!(dtype, DType::F32 | DType::F64) => return Err(ExprError::DType(vec![dtype])),
            _ if !matches!(self.edge_order, 1 | 2) => {
                format!("edge order {} is neither 1 nor 2", self.edge_order)
            }
            Some(len) if len != n => {
                format!("{len} coordinates are given for {n} elements along axis {}", self.axis)
            }
            _ if n <= self.edge_order => format!(
                "axis {} of shape {shape:?} needs at least {} elements for edges of order {}",
                self.axis,
                self.edge_order + 1,
                self.edge_order
            ),
            _ => return Ok(inputs[0].clone()),
        };
        Err(ExprError::Message(problem))
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let (start, end) = self.needed(block, inputs[0].grid().shape()[self.axis]);
        let mut region = block.clone();
        region.set_axis(self.axis, start, end - start);
        std::iter::once(Need { input: 0, region }).collect()
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        // Coordinates are doubles, and with them all that is computed, as in NumPy.
        match (step.operands[0].dtype(), self.spacing.coordinates()) {
            (DType::F64, _) => self.derive::<f64, f64>(&step),
            (DType::F32, None) => self.derive::<f32, f32>(&step),
            (DType::F32, Some(_)) => self.derive::<f32, f64>(&step),
            (other, _) => Err(ExprError::DType(vec![other]).into()),
        }
    }

    fn scratch_bytes(&self, block: &Region, _: &[&Meta]) -> u64 {
        (block.shape()[self.axis] * size_of::<Slope<f64>>()) as u64
    }
}

impl Gradient {
    /// The elements along the axis that a block needs, of `n`.
    fn needed(&self, block: &Region, n: usize) -> (usize, usize) {
        let (mut start, mut end) =
            (block.start()[self.axis].saturating_sub(1), (block.end(self.axis) + 1).min(n));
        if block.start()[self.axis] == 0 {
            end = end.max(self.edge_order + 1);
        }
        if block.end(self.axis) == n {
            start = start.min(n - self.edge_order - 1);
        }
        (start, end)
    }

    /// The derivatives of a block of `T`, computed in `W`.
    fn derive<T: Float, W: Float>(&self, step: &Step<'_>) -> Result<Chunk, BlockError> {
        let n = step.inputs[0].grid().shape()[self.axis];
        let (begin, _) = self.needed(step.block, n);
        let places = step.block.start()[self.axis]..step.block.end(self.axis);
        let slopes: Vec<Slope<W>> = places.map(|place| self.slope(place, n).starting_at(begin)).collect();
        let elements = step.operands[0].typed::<T>()?.view();
        let mut out = ArrayD::<T>::default(IxDyn(step.block.shape()));
        let axis = Axis(self.axis);
        if self.axis + 1 == out.ndim() {
            let rows = Zip::from(out.lanes_mut(axis)).and(elements.lanes(axis));
            rows.for_each(|mut out, row| {
                let rows = out.iter_mut().zip(&slopes);
                rows.for_each(|(out, slope)| *out = cast(slope.of(|at| cast(row[at]))));
            });
        } else {
            for (place, slope) in slopes.iter().enumerate() {
                slope.fill(&elements, axis, out.index_axis_mut(axis, place));
            }
        }
        Ok(Chunk::from_array(out))
    }

    fn slope<W: Float>(&self, place: usize, n: usize) -> Slope<W> {
        let step = |at| self.spacing.step(at);
        match place {
            0 if self.edge_order == 1 => Slope::quotient(0, 1, step(0)),
            0 => Slope::sum(0, self.first_weights(step(0), step(1))),
            last if last + 1 == n && self.edge_order == 1 => Slope::quotient(n - 2, n - 1, step(n - 2)),
            last if last + 1 == n => Slope::sum(n - 3, self.last_weights(step(n - 3), step(n - 2))),
            _ if self.spacing.is_even() => Slope::quotient(place - 1, place + 1, 2.0 * step(0)),
            _ => {
                let (h, k) = (step(place - 1), step(place));
                Slope::sum(place - 1, [-k / (h * (h + k)), (k - h) / (h * k), h / (k * (h + k))])
            }
        }
    }

    fn first_weights(&self, h: f64, k: f64) -> [f64; 3] {
        match self.spacing.is_even() {
            true => [-1.5 / h, 2.0 / h, -0.5 / h],
            false => [-(2.0 * h + k) / (h * (h + k)), (h + k) / (h * k), -h / (k * (h + k))],
        }
    }

    fn last_weights(&self, h: f64, k: f64) -> [f64; 3] {
        match self.spacing.is_even() {
            true => [0.5 / h, -2.0 / h, 1.5 / h],
            false => [k / (h * (h + k)), -(k + h) / (h * k), (2.0 * k + h) / (k * (h + k))],
        }
    }
}

/// The formula at one place.
enum Slope<W> {
    /// `(f[high] - f[low]) / step`.
    Quotient { low: usize, high: usize, step: W },
    /// `a f[first] + b f[first + 1] + c f[first + 2]`.
    Sum { first: usize, weights: [W; 3] },
}

impl<W: Float> Slope<W> {
    fn quotient(low: usize, high: usize, step: f64) -> Slope<W> {
        Slope::Quotient { low, high, step: cast(step) }
    }

    fn sum(first: usize, weights: [f64; 3]) -> Slope<W> {
        Slope::Sum { first, weights: weights.map(cast) }
    }

    /// The same for elements that begin at `begin`.
    fn starting_at(self, begin: usize) -> Slope<W> {
        match self {
            Slope::Quotient { low, high, step } => {
                Slope::Quotient { low: low - begin, high: high - begin, step }
            }
            Slope::Sum { first, weights } => Slope::Sum { first: first - begin, weights },
        }
    }

    fn of(&self, f: impl Fn(usize) -> W) -> W {
        match self {
            Slope::Quotient { low, high, step } => (f(*high) - f(*low)) / *step,
            Slope::Sum { first, weights: [a, b, c] } => {
                *a * f(*first) + *b * f(first + 1) + *c * f(first + 2)
            }
        }
    }

    /// The slopes of all lanes at one place.
    fn fill<T: Float>(&self, f: &ArrayViewD<'_, T>, axis: Axis, out: ndarray::ArrayViewMutD<'_, T>) {
        let lanes = |at| f.index_axis(axis, at);
        match self {
            Slope::Quotient { low, high, step } => Zip::from(out)
                .and(lanes(*low))
                .and(lanes(*high))
                .for_each(|out, &low, &high| *out = cast((cast::<T, W>(high) - cast(low)) / *step)),
            Slope::Sum { first, weights: [a, b, c] } => Zip::from(out)
                .and(lanes(*first))
                .and(lanes(first + 1))
                .and(lanes(first + 2))
                .for_each(|out, &f, &g, &h| *out = cast(*a * cast(f) + *b * cast(g) + *c * cast(h))),
        }
    }
}

/// Between floats, rounded.
fn cast<A: Float, B: Float + Element>(x: A) -> B {
    num_traits::cast(x).unwrap_or_else(num_traits::Float::nan)
}
