//! Arrays laid end to end.

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid, DType, Region};

use crate::{ExprError, Meta, Need, Needs};

/// Blocks along the axis that are listed one by one: some bytes each.
const MOST_LISTED: usize = 1 << 26;

/// Lays its inputs end to end along an axis.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Concat {
    /// The axis.
    pub axis: usize,
}

impl Concat {
    pub(crate) fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let first = inputs.first().ok_or(ExprError::NothingToConcat)?;
        self.check(inputs)?;
        let blocks = inputs.iter().map(|input| input.grid().axis(self.axis).count());
        if blocks.fold(0, usize::saturating_add) > MOST_LISTED {
            return Err(ExprError::Message(
                "arrays of so many blocks cannot be joined; use larger chunks".into(),
            ));
        }
        let mut lengths = inputs.iter().map(|input| input.grid().shape()[self.axis]);
        if lengths.try_fold(0usize, |sum, len| sum.checked_add(len)).is_none() {
            return Err(ChunkError::TooLarge(first.grid().shape().into()).into());
        }
        let ndim = first.grid().ndim();
        let cut = |axis| {
            let mut cuts = inputs.iter().map(|input| input.grid().axis(axis));
            if axis == self.axis {
                return Ok(AxisChunks::concat(cuts.filter(|cut| !cut.is_empty())));
            }
            let first = first.grid().axis(axis).clone();
            cuts.try_fold(first, |common, cut| common.refine(cut))
        };
        let axes: Result<Vec<AxisChunks>, ChunkError> = (0..ndim).map(cut).collect();
        Ok(Meta::Array { dtype: first.dtype(), grid: ChunkGrid::new(axes?) })
    }

    fn check(&self, inputs: &[&Meta]) -> Result<(), ExprError> {
        let types: Vec<DType> = inputs.iter().map(|input| input.dtype()).collect();
        if types.iter().any(|&dtype| dtype != types[0]) {
            return Err(ExprError::DType(types));
        }
        let first = inputs[0].grid().shape();
        if self.axis >= first.len() {
            return Err(ChunkError::Axis { axis: self.axis as isize, shape: first.into() }.into());
        }
        let fits = |shape: &[usize]| {
            shape.len() == first.len()
                && (0..first.len()).all(|axis| axis == self.axis || shape[axis] == first[axis])
        };
        if inputs.iter().all(|input| fits(input.grid().shape())) {
            return Ok(());
        }
        let shapes = inputs.iter().map(|input| input.grid().shape().to_vec()).collect();
        Err(ExprError::Concat { shapes, axis: self.axis })
    }

    pub(crate) fn needs(&self, region: &Region, inputs: &[&Meta]) -> Needs {
        let starts = self.starts(inputs);
        self.parts(region, &starts).map(|(need, _)| need).collect()
    }

    /// Where each input begins on the axis, and where the last one ends.
    pub fn starts(&self, inputs: &[&Meta]) -> Vec<usize> {
        let mut starts = vec![0];
        for input in inputs {
            starts.push(starts[starts.len() - 1] + input.grid().shape()[self.axis]);
        }
        starts
    }

    /// The part of each input that lies in `region`, and where in the region it goes.
    pub fn parts<'a>(
        &self,
        region: &'a Region,
        starts: &'a [usize],
    ) -> impl Iterator<Item = (Need, Region)> + 'a {
        let axis = self.axis;
        let (start, end) = (region.start()[axis], region.end(axis));
        let first = starts.partition_point(|&begin| begin <= start) - 1;
        let inputs = (first..starts.len() - 1).take_while(move |&input| starts[input] < end);
        inputs.filter_map(move |input| {
            let (low, high) = (start.max(starts[input]), end.min(starts[input + 1]));
            if low >= high {
                return None;
            }
            let (mut part, mut place) = (region.clone(), Region::whole(region.shape()));
            part.set_axis(axis, low - starts[input], high - low);
            place.set_axis(axis, low - start, high - low);
            Some((Need { input, region: part }, place))
        })
    }
}
