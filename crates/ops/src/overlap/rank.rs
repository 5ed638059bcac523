//! The element of a given rank of every neighbourhood: medians, least and largest elements.
//!
//! A neighbourhood is gathered and selected from anew for each element: that costs a few operations for each of its
//! elements, and is meant for small ones. NaN ranks above all numbers.

use std::cmp::Ordering;
use std::fmt;
use std::panic::Location;

use chunkwise_chunk::{Chunk, Number, Region, Scalar};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};
use ndarray::{ArrayD, IxDyn};

use super::AxisMargin;
use super::correlate::offsets;
use super::function::check_size;
use super::margin::Padding;
use super::numbers::numbers;
use super::stencil::row_start;

/// The element of rank `rank`, counted from 0, of the box around every element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RankFilter {
    name: &'static str,
    rank: usize,
    margins: Vec<AxisMargin>,
}

impl RankFilter {
    /// Which element of the box is taken, from the least.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How far the box reaches on every axis.
    pub fn margins(&self) -> &[AxisMargin] {
        &self.margins
    }

    /// Lengths of the box.
    pub fn size(&self) -> Vec<usize> {
        self.margins.iter().map(|margin| margin.before + 1 + margin.after).collect()
    }

    fn padding(&self, block: &Region, inputs: &[&Meta]) -> Padding {
        Padding::new(&self.margins, block, inputs[0].grid().shape())
    }
}

impl fmt::Display for RankFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{} of {:?}]", self.name, self.rank, self.size())
    }
}

impl BlockRule for RankFilter {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let dtype = inputs[0].dtype();
        numbers!(real dtype, T => { let _: Option<T> = None; }, _ => return Err(ExprError::DType(vec![dtype])));
        check_size(inputs[0].grid(), &self.margins)?;
        Ok(inputs[0].clone())
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let regions = self.padding(block, inputs).regions();
        regions.into_iter().map(|region| Need { input: 0, region }).collect()
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let padded = self.padding(step.block, step.inputs).fill(&step.operands)?;
        drop(step.operands);
        numbers!(real padded.dtype(),
            T => self.ranked::<T>(&padded, step.block.shape(), step.cancelled),
            _ => Err("ranks need elements with an order".into())
        )
    }

    fn scratch_bytes(&self, block: &Region, inputs: &[&Meta]) -> u64 {
        if block.is_empty() {
            return 0;
        }
        let padded = self.padding(block, inputs).shape();
        let item = inputs[0].dtype().itemsize() as u64;
        let bytes = padded.iter().fold(item, |n, &len| n.saturating_mul(len as u64)).saturating_mul(2);
        // The elements of a box, and where they are, which is listed axis after axis.
        let around = self.size().iter().fold(item + 16, |n, &len| n.saturating_mul(len as u64));
        bytes.saturating_add(around)
    }

    fn is_cheap(&self) -> bool {
        false
    }
}

impl RankFilter {
    fn ranked<T: Number + PartialOrd>(
        &self,
        padded: &Chunk,
        shape: &[usize],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Chunk, BlockError> {
        let padded = padded.to_contiguous();
        let array = padded.typed::<T>()?;
        let data = array.as_slice().expect("it was made contiguous");
        let around = offsets(&self.size(), array.shape());
        let mut box_ = Vec::with_capacity(around.len());
        let row = shape.last().copied().unwrap_or(1);
        let mut made = Vec::with_capacity(shape.iter().product());
        for number in 0..shape[..shape.len().saturating_sub(1)].iter().product() {
            let start = row_start(number, shape, array.strides());
            if cancelled() {
                return Err("stopped: the run was cancelled".into());
            }
            for at in start..start + row {
                box_.clear();
                box_.extend(around.iter().map(|offset| data[at + offset]));
                made.push(*box_.select_nth_unstable_by(self.rank, nan_last).1);
            }
        }
        let made = ArrayD::from_shape_vec(IxDyn(shape), made);
        Ok(Chunk::from_array(made.expect("there is a value for every element")))
    }
}

/// The order of numbers, with -0.0 below 0.0, so that a rank has one value, and NaN above all.
#[allow(clippy::eq_op)] // what is not itself is NaN
fn nan_last<T: Number + PartialOrd>(a: &T, b: &T) -> Ordering {
    match a.partial_cmp(b) {
        Some(Ordering::Equal) if *a == T::default() => match (a.into_scalar(), b.into_scalar()) {
            (Scalar::F32(a), Scalar::F32(b)) => a.total_cmp(&b),
            (Scalar::F64(a), Scalar::F64(b)) => a.total_cmp(&b),
            _ => Ordering::Equal,
        },
        Some(order) => order,
        None => (a != a).cmp(&(b != b)),
    }
}

/// The element of rank `rank` of the box around every element.
pub fn rank_filter(
    name: &'static str,
    input: &Expr,
    rank: usize,
    margins: impl FnOnce(&[usize]) -> Result<Vec<AxisMargin>, ExprError>,
    origin: &'static Location<'static>,
) -> Expr {
    let Some(grid) = input.grid() else { return input.clone() };
    match margins(grid.shape()) {
        Ok(margins) => {
            let rule = RankFilter { name, rank, margins };
            let count = rule.size().iter().fold(1usize, |n, &len| n.saturating_mul(len));
            if rank >= count {
                let text = format!("rank {rank} is not that of one of {count} elements");
                return Expr::invalid(name, ExprError::Message(text), origin);
            }
            Expr::blockwise(rule, &[input], origin)
        }
        Err(cause) => Expr::invalid(name, cause, origin),
    }
}
