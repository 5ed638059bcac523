//! A function of the blocks of several arrays, whatever it makes of them.
//!
//! Blocks of the result and of the common grid of the inputs correspond one to one along every axis that both have. An
//! axis that the result drops is given whole; an axis that the result adds is one block.

use std::fmt;

use chunkwise_chunk::{AxisChunks, AxisSpec, Chunk, ChunkError, ChunkGrid, DType, Region};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, Meta, Need, Needs, Step};

use super::{BlockFn, Place, common_grid};

/// Which part of an input's axis a block of the result is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Take {
    /// The part that belongs to the block on this axis of the result.
    Along(usize),
    /// All of it.
    Whole,
}

/// How an axis of the result is cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OutAxis {
    /// The blocks of the result.
    pub own: AxisChunks,
    /// The blocks of the inputs that they are made of, one each; `None` for an axis that no input has.
    pub given: Option<AxisChunks>,
}

/// A function of the blocks of several arrays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MapBlocks {
    pub(super) name: &'static str,
    pub(super) dtype: DType,
    /// For each input what it gives of each axis.
    pub(super) inputs: Vec<Vec<Take>>,
    pub(super) axes: Vec<OutAxis>,
    pub(super) call: BlockFn,
}

impl MapBlocks {
    /// The function.
    pub fn call(&self) -> &BlockFn {
        &self.call
    }

    /// The axes of the result.
    pub fn axes(&self) -> &[OutAxis] {
        &self.axes
    }

    /// Which block of the common grid a block of the result is made of.
    fn place(&self, block: &Region) -> Place {
        let mut place = Place::of(&self.grid(), block);
        for (at, axis) in self.axes.iter().enumerate() {
            if let Some(given) = &axis.given {
                let range = given.range(place.index[at]);
                (place.start[at], place.shape[at]) = (range.start, range.len());
            }
        }
        place
    }

    fn grid(&self) -> ChunkGrid {
        ChunkGrid::new(self.axes.iter().map(|axis| axis.own.clone()))
    }

    /// The region of an input that belongs to a block, which may be empty.
    fn region(&self, takes: &[Take], place: &Place, shape: &[usize]) -> Region {
        let mut region = Region::whole(shape);
        for (axis, take) in takes.iter().enumerate() {
            if let Take::Along(at) = *take {
                region.set_axis(axis, place.start[at], place.shape[at]);
            }
        }
        region
    }
}

impl fmt::Display for MapBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl BlockRule for MapBlocks {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, _: &[&Meta]) -> Result<Meta, ExprError> {
        Ok(Meta::Array { dtype: self.dtype, grid: self.grid() })
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let place = self.place(block);
        let regions = self.inputs.iter().zip(inputs).enumerate();
        regions
            .map(|(input, (takes, meta))| Need {
                input,
                region: self.region(takes, &place, meta.grid().shape()),
            })
            .filter(|need| !need.region.is_empty())
            .collect()
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        let place = self.place(step.block);
        let mut operands = step.operands.into_iter();
        let mut blocks = Vec::with_capacity(self.inputs.len());
        for (takes, meta) in self.inputs.iter().zip(step.inputs) {
            let region = self.region(takes, &place, meta.grid().shape());
            blocks.push(match region.is_empty() {
                true => Chunk::zeros(meta.dtype(), region.shape()),
                false => operands.next().expect("there is an operand for every region that is not empty"),
            });
        }
        self.call.call(&blocks, &place)
    }

    /// A function of the user's may take any time.
    fn is_cheap(&self) -> bool {
        false
    }
}

/// How the blocks of a result follow from the common blocks of the inputs.
///
/// ```
/// use chunkwise_ops::function::Layout;
/// let same = Layout::default();
/// assert!(same.drop.is_empty() && same.new.is_empty() && same.sizes.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Axes of the inputs that the result does not have.
    pub drop: Vec<usize>,
    /// Axes of the result that the inputs do not have, with their lengths.
    pub new: Vec<(usize, usize)>,
    /// Lengths of the blocks along axes of the result.
    pub sizes: Vec<(usize, AxisSpec)>,
}

impl Layout {
    /// The axes of the result, and which of them each axis of the common grid is.
    fn axes(&self, common: &ChunkGrid) -> Result<(Vec<OutAxis>, Vec<Take>), ExprError> {
        let mut kept = self.kept(common)?;
        let mut new = self.new.clone();
        new.sort_unstable();
        for &(at, len) in &new {
            if at > kept.len() || new.iter().filter(|&&(other, _)| other == at).count() > 1 {
                return Err(message(format!(
                    "new axes {:?} are no places in a result of {} axes",
                    new.iter().map(|axis| axis.0).collect::<Vec<_>>(),
                    kept.len() + 1
                )));
            }
            kept.insert(at, (None, OutAxis { own: AxisChunks::whole(len), given: None }));
        }
        self.resize(&mut kept)?;
        let mut takes = vec![Take::Whole; common.ndim()];
        for (at, (axis, _)) in kept.iter().enumerate() {
            if let Some(axis) = axis {
                takes[*axis] = Take::Along(at);
            }
        }
        Ok((kept.into_iter().map(|(_, axis)| axis).collect(), takes))
    }

    /// The axes of the common grid that the result keeps.
    fn kept(&self, common: &ChunkGrid) -> Result<Vec<(Option<usize>, OutAxis)>, ExprError> {
        for (at, &axis) in self.drop.iter().enumerate() {
            if axis >= common.ndim() {
                return Err(ChunkError::Axis { axis: axis as isize, shape: common.shape().into() }.into());
            }
            if self.drop[..at].contains(&axis) {
                return Err(ChunkError::RepeatedAxis { axis, axes: self.drop.clone() }.into());
            }
        }
        let kept = (0..common.ndim()).filter(|axis| !self.drop.contains(axis));
        Ok(kept
            .map(|axis| {
                let cut = common.axis(axis);
                (Some(axis), OutAxis { own: cut.clone(), given: Some(cut.clone()) })
            })
            .collect())
    }

    fn resize(&self, axes: &mut [(Option<usize>, OutAxis)]) -> Result<(), ExprError> {
        for (at, spec) in &self.sizes {
            let count = axes.len();
            let Some((_, axis)) = axes.get_mut(*at) else {
                return Err(message(format!("block lengths are given for axis {at} of {count} axes")));
            };
            axis.own = declared(spec, axis.own.count()).map_err(|what| {
                message(format!("{what}, but axis {at} has {} blocks", axis.own.count()))
            })?;
        }
        Ok(())
    }
}

/// The cut of so many blocks of the lengths that were declared.
fn declared(spec: &AxisSpec, count: usize) -> Result<AxisChunks, String> {
    match spec {
        AxisSpec::Size(size) => {
            let len = size.checked_mul(count).ok_or_else(|| format!("blocks of {size} elements are given"))?;
            Ok(AxisChunks::regular(len, *size))
        }
        AxisSpec::Sizes(sizes) if sizes.len() == count => {
            let len = sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size));
            let len = len.ok_or("lengths that cannot be added up are given")?;
            AxisChunks::explicit(len, sizes).map_err(|err| err.to_string())
        }
        AxisSpec::Sizes(sizes) => Err(format!("{} block lengths are given", sizes.len())),
        other => Err(format!("{other:?} is given instead of the lengths of blocks")),
    }
}

fn message(text: String) -> ExprError {
    ExprError::Message(text)
}

/// The array whose blocks are what `call` makes of the common blocks of `inputs`, of type `dtype` and cut as `layout`
/// says. The ranks of the inputs may differ; shapes broadcast.
pub fn map_blocks(
    name: &'static str,
    inputs: &[&Expr],
    dtype: DType,
    layout: &Layout,
    call: BlockFn,
    origin: &'static std::panic::Location<'static>,
) -> Expr {
    let grids: Option<Vec<&ChunkGrid>> = inputs.iter().map(|input| input.grid()).collect();
    let Some(grids) = grids else {
        return inputs.iter().find(|input| input.error().is_some()).map_or_else(
            || Expr::invalid(name, message("an array is needed".into()), origin),
            |&input| input.clone(),
        );
    };
    let axes = common_grid(&grids).and_then(|common| Ok((layout.axes(&common)?, common)));
    match axes {
        Ok(((axes, takes), common)) => {
            let inputs_take = grids.iter().map(|grid| taken(grid, &common, &takes)).collect();
            Expr::blockwise(MapBlocks { name, dtype, inputs: inputs_take, axes, call }, inputs, origin)
        }
        Err(cause) => Expr::invalid(name, cause, origin),
    }
}

/// What an input gives of each of its axes: all of those that repeat.
fn taken(grid: &ChunkGrid, common: &ChunkGrid, takes: &[Take]) -> Vec<Take> {
    let lead = common.ndim() - grid.ndim();
    let repeats = |axis: usize| grid.shape()[axis] != common.shape()[lead + axis];
    (0..grid.ndim()).map(|axis| if repeats(axis) { Take::Whole } else { takes[lead + axis] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_dropped_added_and_resized() {
        let layout =
            Layout { drop: vec![0], new: vec![(0, 3)], sizes: vec![(1, AxisSpec::Sizes(vec![1, 0]))] };
        let (axes, takes) = layout.axes(&ChunkGrid::regular(&[4, 6], &[2, 3])).unwrap();
        assert_eq!(takes, [Take::Whole, Take::Along(1)]);
        assert_eq!(axes[0], OutAxis { own: AxisChunks::whole(3), given: None });
        assert_eq!(axes[1].own.sizes().collect::<Vec<_>>(), [1, 0]);
        assert_eq!(axes[1].given, Some(AxisChunks::regular(6, 3)));
    }

    #[test]
    fn lengths_that_do_not_fit_the_blocks_are_refused() {
        let common = ChunkGrid::regular(&[4], &[2]);
        let fails = |layout: Layout| layout.axes(&common).unwrap_err().to_string();
        let sizes = |spec| Layout { sizes: vec![(0, spec)], ..Layout::default() };
        assert_eq!(
            fails(sizes(AxisSpec::Sizes(vec![1, 2, 3]))),
            "3 block lengths are given, but axis 0 has 2 blocks"
        );
        assert!(fails(sizes(AxisSpec::Size(usize::MAX))).starts_with("blocks of"));
        assert!(fails(Layout { drop: vec![1], ..Layout::default() }).contains("axis 1 is out of range"));
        assert!(fails(Layout { new: vec![(2, 1)], ..Layout::default() }).contains("no places"));
        assert!(fails(Layout { drop: vec![0, 0], ..Layout::default() }).contains("twice"));
    }
}
