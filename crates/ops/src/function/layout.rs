//! How the blocks of a result follow from those of the arrays that a function takes.

use chunkwise_chunk::{AxisChunks, AxisSpec, ChunkError, ChunkGrid};
use chunkwise_expr::ExprError;
use ndarray::Axis;

use super::{OutAxis, Take};

/// How the blocks of a result follow from those of the arrays that a function takes; see
/// `LazyArray::map_blocks_to`. Without more, they are of the same shapes.
///
/// ```
/// use chunkwise::BlockLayout;
/// use chunkwise::prelude::*;
/// let x = LazyArray::<f64, _>::ones((4, 6), (2, 3));
/// let rows = x.map_blocks_to(BlockLayout::new().drop_axis(Axis(1)), |block, _| block.sum_axis(Axis(1)));
/// assert_eq!(rows.compute()?, ndarray::arr1(&[6.0; 4]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BlockLayout {
    /// Axes of the inputs that the result does not have.
    drop: Vec<usize>,
    /// Axes of the result that the inputs do not have, with their lengths.
    new: Vec<(usize, usize)>,
    /// Lengths of the blocks along axes of the result.
    sizes: Vec<(usize, AxisSpec)>,
}

impl BlockLayout {
    /// Blocks of the same shapes.
    pub fn new() -> BlockLayout {
        BlockLayout::default()
    }

    /// Without an axis of the arrays, which is whole in a block then.
    #[must_use]
    pub fn drop_axis(mut self, axis: Axis) -> BlockLayout {
        self.drop.push(axis.index());
        self
    }

    /// With an axis more, which is `axis` of the result and one block of `len` elements.
    #[must_use]
    pub fn new_axis(mut self, axis: Axis, len: usize) -> BlockLayout {
        self.new.push((axis.index(), len));
        self
    }

    /// With blocks of other lengths along `axis` of the result: one length for all, or a length for each block of the
    /// arrays.
    #[must_use]
    pub fn sizes(mut self, axis: Axis, sizes: impl Into<AxisSpec>) -> BlockLayout {
        self.sizes.push((axis.index(), sizes.into()));
        self
    }

    /// The axes of the result, and which of them each axis of the common grid is.
    pub(super) fn axes(&self, common: &ChunkGrid) -> Result<(Vec<OutAxis>, Vec<Take>), ExprError> {
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
            axis.own = declared(spec, axis.own.count())
                .map_err(|what| message(format!("{what}, but axis {at} has {} blocks", axis.own.count())))?;
        }
        Ok(())
    }
}

/// The cut of so many blocks of the lengths that were declared.
fn declared(spec: &AxisSpec, count: usize) -> Result<AxisChunks, String> {
    match spec {
        AxisSpec::Size(size) => {
            let len =
                size.checked_mul(count).ok_or_else(|| format!("blocks of {size} elements are given"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_dropped_added_and_resized() {
        let layout = BlockLayout::new().drop_axis(Axis(0)).new_axis(Axis(0), 3).sizes(Axis(1), [1, 0]);
        let (axes, takes) = layout.axes(&ChunkGrid::regular(&[4, 6], &[2, 3])).unwrap();
        assert_eq!(takes, [Take::Whole, Take::Along(1)]);
        assert_eq!(axes[0], OutAxis { own: AxisChunks::whole(3), given: None });
        assert_eq!(axes[1].own.sizes().collect::<Vec<_>>(), [1, 0]);
        assert_eq!(axes[1].given, Some(AxisChunks::regular(6, 3)));
    }

    #[test]
    fn lengths_that_do_not_fit_the_blocks_are_refused() {
        let common = ChunkGrid::regular(&[4], &[2]);
        let fails = |layout: BlockLayout| layout.axes(&common).unwrap_err().to_string();
        let sizes = |spec: AxisSpec| BlockLayout::new().sizes(Axis(0), spec);
        assert_eq!(
            fails(sizes(AxisSpec::Sizes(vec![1, 2, 3]))),
            "3 block lengths are given, but axis 0 has 2 blocks"
        );
        assert!(fails(sizes(AxisSpec::Size(usize::MAX))).starts_with("blocks of"));
        assert!(fails(BlockLayout::new().drop_axis(Axis(1))).contains("axis 1 is out of range"));
        assert!(fails(BlockLayout::new().new_axis(Axis(2), 1)).contains("no places"));
        assert!(fails(BlockLayout::new().drop_axis(Axis(0)).drop_axis(Axis(0))).contains("twice"));
    }
}
