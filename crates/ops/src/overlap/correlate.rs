//! Weighted sums of neighbourhoods: correlation, and convolution, which is correlation with the weights in reverse.
//!
//! ```text
//! result[i] = sum over k of weights[k] * x[i - before + k]
//! ```
//!
//! The sums are added up in the order of `k`, in the type of the elements; integers wrap. A weight at a time is added to a
//! whole row, which vectorises. Long weights along one axis are multiplied in the frequency domain where the feature
//! `fft` is on; see [`fourier`](super::fourier).

use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{AxisChunks, Chunk, ChunkError, ChunkGrid, DType, Element, Region, Scalar, dispatch};
use chunkwise_expr::{
    Arith, BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step, UnaryOp, eval_cast, eval_unary,
};
use ndarray::{ArrayD, IxDyn};

use super::AxisMargin;
use super::fourier::Spectrum;
use super::function::check_size;
use super::margin::Padding;
use super::numbers::numbers;
use super::stencil::row_start;

/// Weights of a neighbourhood, in C order.
///
/// ```
/// use chunkwise_ops::overlap::Weights;
/// let mean = Weights::new(&[2, 1], vec![0.5, 0.5]);
/// assert_eq!(mean.clone().reversed(), mean);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Weights {
    shape: Vec<usize>,
    values: Vec<Scalar>,
}

impl Weights {
    /// The weights of a neighbourhood of this shape.
    ///
    /// # Panics
    /// When there is not one for every element.
    pub fn new<T: Element>(shape: &[usize], values: impl IntoIterator<Item = T>) -> Weights {
        let values: Vec<Scalar> = values.into_iter().map(Element::into_scalar).collect();
        assert_eq!(values.len(), shape.iter().product::<usize>(), "a weight for every element of {shape:?}");
        Weights { shape: shape.to_vec(), values }
    }

    /// Weights along one axis of `ndim`.
    pub fn along<T: Element>(values: impl IntoIterator<Item = T>, axis: usize, ndim: usize) -> Weights {
        let values: Vec<Scalar> = values.into_iter().map(Element::into_scalar).collect();
        Weights { shape: vec![values.len()], values }.turned(axis, ndim)
    }

    /// The weights that are the elements of a block.
    pub fn of_chunk(chunk: &Chunk) -> Weights {
        dispatch!(chunk.dtype(), T => {
            // Dispatched on the block's own type, so the elements are always there.
            let values = T::of_chunk(chunk).into_iter().flat_map(|array| array.iter().copied());
            Weights::new(chunk.shape(), values)
        })
    }

    /// Weights of one axis as weights along `axis` of `ndim`.
    #[must_use]
    pub fn turned(mut self, axis: usize, ndim: usize) -> Weights {
        let count = self.values.len();
        self.shape = (0..ndim).map(|at| if at == axis { count } else { 1 }).collect();
        self
    }

    /// The nearest weights of another type.
    #[must_use]
    pub fn cast(mut self, dtype: DType) -> Weights {
        self.values.iter_mut().for_each(|value| *value = eval_cast(*value, dtype));
        self
    }

    /// The conjugates of complex weights; real ones as they are.
    #[must_use]
    pub fn conjugated(mut self) -> Weights {
        for value in &mut self.values {
            *value = eval_unary(UnaryOp::Conj, *value).unwrap_or(*value);
        }
        self
    }

    /// The weights in reverse along every axis.
    #[must_use]
    pub fn reversed(mut self) -> Weights {
        self.values.reverse();
        self
    }

    /// Lengths of the neighbourhood.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The weights.
    pub fn values(&self) -> &[Scalar] {
        &self.values
    }

    pub(super) fn typed<T: Element>(&self) -> Result<Vec<T>, ChunkError> {
        let typed = self.values.iter().map(|&value| {
            T::of_scalar(value).ok_or(ChunkError::DType { expected: T::DTYPE, found: value.dtype() })
        });
        typed.collect()
    }
}

/// Which elements of a one-dimensional result there are.
///
/// ```
/// use chunkwise::ConvolveMode;
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(1_i32, 4, 1, 2);
/// let ones = ndarray::arr1(&[1, 1]);
/// assert_eq!(x.convolve(&ones, ConvolveMode::Full).compute()?, ndarray::arr1(&[1, 3, 5, 3]));
/// assert_eq!(x.convolve(&ones, ConvolveMode::Same).compute()?, ndarray::arr1(&[1, 3, 5]));
/// assert_eq!(x.convolve(&ones, ConvolveMode::Valid).compute()?, ndarray::arr1(&[3, 5]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConvolveMode {
    /// All that overlap the array: `n + k - 1` of them.
    Full,
    /// As many as the longer of array and weights has, in the middle.
    Same,
    /// Those in which all of the shorter takes part: `n - k + 1` of `n` elements and `k` weights, or `k - n + 1`.
    Valid,
}

/// Weighted sums of the neighbourhoods of an array.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Correlate {
    name: &'static str,
    weights: Weights,
    margins: Vec<AxisMargin>,
    dtype: DType,
    grid: ChunkGrid,
    spectrum: Spectrum,
}

impl Correlate {
    /// The weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The margin of every axis; together as long as the weights without one.
    pub fn margins(&self) -> &[AxisMargin] {
        &self.margins
    }

    fn padding(&self, block: &Region, inputs: &[&Meta]) -> Padding {
        Padding::new(&self.margins, block, inputs[0].grid().shape())
    }
}

impl fmt::Display for Correlate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.name, self.weights.shape)
    }
}

impl BlockRule for Correlate {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, _: &[&Meta]) -> Result<Meta, ExprError> {
        Ok(Meta::Array { dtype: self.dtype, grid: self.grid.clone() })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let regions = self.padding(block, inputs).regions();
        regions.into_iter().map(|region| Need { input: 0, region }).collect()
    }

    /// A transform of a longer run of elements has other roundings.
    fn by_regions(&self) -> bool {
        self.spectrum.is_unused()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let padded = self.padding(step.block, step.inputs).fill(&step.operands)?;
        drop(step.operands);
        let shape = step.block.shape();
        if let Some(made) = self.spectrum.correlate(&padded, &self.weights, shape, step.cancelled)? {
            return Ok(made);
        }
        numbers!(self.dtype,
            T => direct::<T>(&padded, &self.weights, shape, step.cancelled),
            _ => Err("sums need elements with arithmetic".into())
        )
    }

    /// The padded block, once as it is and once without gaps, and the weights with their places.
    fn scratch_bytes(&self, block: &Region, inputs: &[&Meta]) -> u64 {
        if block.is_empty() {
            return 0;
        }
        let padded = self.padding(block, inputs).shape();
        let bytes = padded.iter().fold(self.dtype.itemsize() as u64, |n, &len| n.saturating_mul(len as u64));
        let taps = TAP_BYTES.saturating_mul(self.weights.values.len() as u64);
        bytes.saturating_mul(2).saturating_add(taps).saturating_add(self.spectrum.scratch_bytes())
    }

    fn is_cheap(&self) -> bool {
        self.weights.values.len() <= 32
    }
}

/// A place and a weight, each by itself and then both together.
const TAP_BYTES: u64 = 2 * (8 + 16);

/// The sums of a padded block, a weight after the other for each row.
fn direct<T: Arith>(
    padded: &Chunk,
    weights: &Weights,
    shape: &[usize],
    cancelled: &dyn Fn() -> bool,
) -> Result<Chunk, BlockError> {
    let padded = padded.to_contiguous();
    let array = padded.typed::<T>()?;
    let data = array.as_slice().expect("it was made contiguous");
    let taps: Vec<(usize, T)> =
        offsets(&weights.shape, array.shape()).into_iter().zip(weights.typed::<T>()?).collect();
    let row = shape.last().copied().unwrap_or(1);
    let mut sums = vec![T::zero(); shape.iter().product()];
    for (number, sums) in sums.chunks_mut(row).enumerate() {
        let start = row_start(number, shape, array.strides());
        if cancelled() {
            return Err("stopped: the run was cancelled".into());
        }
        for &(offset, weight) in &taps {
            let from = &data[start + offset..][..row];
            for (sum, &x) in sums.iter_mut().zip(from) {
                *sum = sum.plus(weight.times(x));
            }
        }
    }
    let made = ArrayD::from_shape_vec(IxDyn(shape), sums);
    Ok(Chunk::from_array(made.expect("there is a sum for every element")))
}

/// Where the elements of a box, at the start of an array of shape `within`, are in C order. The box may have fewer axes.
pub(super) fn offsets(shape: &[usize], within: &[usize]) -> Vec<usize> {
    let mut all = vec![0];
    for (axis, &len) in shape.iter().enumerate() {
        let stride: usize = within[axis + 1..].iter().product();
        let mut more = Vec::with_capacity(all.len() * len);
        all.iter().for_each(|start| more.extend((0..len).map(|i| start + i * stride)));
        all = more;
    }
    all
}

/// Weighted sums of the neighbourhoods of `input`, with as many results as it has elements: `margins` says what lies
/// around it. See [`Correlate`].
pub fn correlate(
    name: &'static str,
    input: &Expr,
    weights: Weights,
    margins: impl FnOnce(&[usize]) -> Result<Vec<AxisMargin>, ExprError>,
    origin: &'static Location<'static>,
) -> Expr {
    rule(name, input, weights, origin, |grid| Ok((margins(grid.shape())?, grid.clone())))
}

/// Weighted sums along a one-dimensional array, with zeros around it, for the positions that `mode` says.
pub fn correlate_1d(
    name: &'static str,
    input: &Expr,
    weights: Weights,
    mode: ConvolveMode,
    origin: &'static Location<'static>,
) -> Expr {
    let beyond = weights.values.len().saturating_sub(1);
    let zero = super::Boundary::Constant(Scalar::zero(input.dtype().unwrap_or(DType::F64)));
    let margin = |before: usize| AxisMargin { before, after: beyond - before, boundary: zero };
    rule(name, input, weights, origin, |grid| {
        let (len, cut) = (grid.shape()[0], grid.axis(0));
        if len == 0 {
            return Err(ExprError::Message("the array has no elements".into()));
        }
        let (margin, cut) = match mode {
            ConvolveMode::Same => (margin(beyond.div_ceil(2)), cut.clone()),
            ConvolveMode::Full => (margin(beyond), lengthened(cut, beyond)?),
            ConvolveMode::Valid if beyond < len => (margin(0), cut.strided(0, 1, len - beyond)?),
            ConvolveMode::Valid => {
                let text = format!("{} weights are more than the {len} elements", beyond + 1);
                return Err(ExprError::Message(text));
            }
        };
        Ok((vec![margin], ChunkGrid::new([cut])))
    })
}

/// The cut of an axis with `more` elements at its end, in blocks as long as the longest.
fn lengthened(cut: &AxisChunks, more: usize) -> Result<AxisChunks, ExprError> {
    let tail = AxisChunks::regular(more, cut.max_chunk());
    let len = cut.len().checked_add(more).ok_or_else(|| ChunkError::TooLarge(vec![cut.len(), more]))?;
    match (cut.regular_chunk(), more) {
        (_, 0) => Ok(cut.clone()),
        (Some(chunk), _) => Ok(AxisChunks::regular(len, chunk)),
        _ => Ok(AxisChunks::concat([cut, &tail].into_iter())),
    }
}

fn rule(
    name: &'static str,
    input: &Expr,
    weights: Weights,
    origin: &'static Location<'static>,
    place: impl FnOnce(&ChunkGrid) -> Result<(Vec<AxisMargin>, ChunkGrid), ExprError>,
) -> Expr {
    let (Some(grid), Some(dtype)) = (input.grid(), input.dtype()) else { return input.clone() };
    let rule = checked(&weights, grid, dtype).and_then(|()| {
        let (margins, result) = place(grid)?;
        check_size(&result, &margins)?;
        let spectrum = Spectrum::of(&weights, dtype);
        Ok(Correlate { name, weights, margins, dtype, grid: result, spectrum })
    });
    match rule {
        Ok(rule) => Expr::blockwise(rule, &[input], origin),
        Err(cause) => Expr::invalid(name, cause, origin),
    }
}

fn checked(weights: &Weights, grid: &ChunkGrid, dtype: DType) -> Result<(), ExprError> {
    if dtype == DType::Bool {
        return Err(ExprError::DType(vec![dtype]));
    }
    let (given, ndim) = (weights.shape.len(), grid.ndim());
    if given != ndim {
        let text = format!("weights of shape {:?} do not fit shape {:?}", weights.shape, grid.shape());
        return Err(ExprError::Message(text));
    }
    if weights.values.is_empty() {
        return Err(ExprError::Message(format!("weights of shape {:?} are none", weights.shape)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_a_corner() {
        assert_eq!(offsets(&[2, 2], &[3, 5]), [0, 1, 5, 6]);
        assert_eq!(offsets(&[2], &[3, 5]), [0, 5]);
        assert_eq!(offsets(&[], &[7]), [0]);
    }

    #[test]
    fn longer_axes_keep_their_blocks() {
        let sizes = |cut: &AxisChunks, more| lengthened(cut, more).unwrap().sizes().collect::<Vec<_>>();
        assert_eq!(sizes(&AxisChunks::regular(5, 2), 2), [2, 2, 2, 1]);
        assert_eq!(sizes(&AxisChunks::explicit(4, &[0, 3, 1]).unwrap(), 4), [0, 3, 1, 3, 1]);
        assert_eq!(sizes(&AxisChunks::regular(5, 2), 0), [2, 2, 1]);
    }
}
