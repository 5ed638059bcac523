//! Huge blocks in pieces: where they are cut, and the tree that merges them.

use chunkwise_chunk::{ChunkGrid, Region};
use chunkwise_expr::Reduce;

use super::{Fold, Partial};
use crate::KernelError;
use crate::stop::{Stop, Stoppable};

impl Fold {
    /// In how many pieces the block at `region` is folded: one unless it is huge. Pieces may be folded one by one, and
    /// merged in order by [`Reduce::FAN_IN`] until one is left: that is what [`fold`](Fold::fold) of the block gives.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::Sum, [0].into_iter().collect(), ChunkGrid::whole(&[3 << 20]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let fold = Fold::new(&reduce, DType::F32);
    /// let all = Region::whole(&[3 << 20]);
    /// assert_eq!((fold.pieces(&all), fold.piece(&all, 2)), (3, Region::new(&[2 << 20], &[1 << 20])));
    /// ```
    pub fn pieces(&self, region: &Region) -> usize {
        let along = |(&len, &piece): (&usize, &usize)| len.div_ceil(piece.max(1)).max(1);
        if region.is_empty() { 1 } else { region.shape().iter().zip(&self.0.piece).map(along).product() }
    }

    /// A piece of the block at `region`, in C order.
    ///
    /// # Panics
    /// When there is no such piece.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::Sum, [0].into_iter().collect(), ChunkGrid::whole(&[3 << 20]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let small = Region::new(&[100], &[50]);
    /// assert_eq!(Fold::new(&reduce, DType::F32).piece(&small, 0), small);
    /// ```
    pub fn piece(&self, region: &Region, number: usize) -> Region {
        let grid = ChunkGrid::regular(region.shape(), &self.0.piece);
        if region.is_empty() {
            return region.clone();
        }
        let mut piece = grid.region(&grid.block(number));
        for axis in 0..region.ndim() {
            let (start, len) = (piece.start()[axis], piece.shape()[axis]);
            piece.set_axis(axis, region.start()[axis] + start, len);
        }
        piece
    }

    /// One partial result out of at least one, merged in order by [`Reduce::FAN_IN`] until one is left: by the tree
    /// that tasks would make.
    ///
    /// # Panics
    /// When there are none, or they are of another reduction.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Scalar};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::Max, [0].into_iter().collect(), ChunkGrid::regular(&[9], &[1]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let fold = Fold::new(&reduce, DType::U8);
    /// let one = |i: usize| fold.fold(&[Chunk::filled(Scalar::U8(i as u8), &[1])], &Region::new(&[i], &[1])).unwrap();
    /// let all = fold.merge_by_eights((0..9).map(one).collect());
    /// assert_eq!(fold.finish(&[&all]).scalar(), Some(Scalar::U8(8)));
    /// ```
    pub fn merge_by_eights(&self, parts: Vec<Partial>) -> Partial {
        self.stoppable(Stop::never()).merge_by_eights(parts).expect("nothing stops it")
    }
}

impl Stoppable<'_, Fold> {
    /// [`Fold::merge_by_eights`], unless it is stopped.
    ///
    /// # Errors
    /// [`KernelError::Stopped`].
    ///
    /// # Panics
    /// As [`Fold::merge_by_eights`].
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Scalar};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::{Fold, KernelError, Stop};
    /// # let (kind, axes, space) = (ReduceKind::Max, [0].into_iter().collect(), ChunkGrid::regular(&[9], &[1]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let fold = Fold::new(&reduce, DType::U8);
    /// let one = |i: usize| fold.fold(&[Chunk::filled(Scalar::U8(i as u8), &[1])], &Region::new(&[i], &[1])).unwrap();
    /// let all = fold.stoppable(Stop::when(&|| true)).merge_by_eights((0..9).map(one).collect());
    /// assert_eq!(all.unwrap_err(), KernelError::Stopped);
    /// ```
    pub fn merge_by_eights(&self, mut parts: Vec<Partial>) -> Result<Partial, KernelError> {
        while parts.len() > 1 {
            let mut rest = parts.into_iter();
            parts = std::iter::from_fn(|| {
                let group: Vec<Partial> = rest.by_ref().take(Reduce::FAN_IN).collect();
                match group.len() {
                    0 | 1 => group.into_iter().next().map(Ok),
                    _ => Some(self.merge(&group.iter().collect::<Vec<_>>())),
                }
            })
            .collect::<Result<_, _>>()?;
        }
        Ok(parts.swap_remove(0))
    }
}
