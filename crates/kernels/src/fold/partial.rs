//! What is known of a reduction after some of its elements.

use std::any::Any;
use std::fmt;

use chunkwise_chunk::Shape;
use smallvec::SmallVec;

/// The states of a reduction, or of several of the same elements, over some blocks: one per kept element, and the
/// number of elements that each stands for. Over no elements the states mean nothing, and merging passes over them.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
/// use chunkwise_expr::{Reduce, ReduceKind};
/// use chunkwise_kernels::Fold;
///
/// let (kind, axes) = (ReduceKind::Mean, [0].into_iter().collect());
/// let space = ChunkGrid::whole(&[5, 2]);
/// let fold = Fold::new(&Reduce { kind, axes, keepdims: true, ddof: 0.0, space, program: None }, DType::F64);
/// let part = fold.fold(&[Chunk::zeros(DType::F64, &[5, 2])], &Region::whole(&[5, 2])).unwrap();
/// assert_eq!((part.count(), part.shape(), part.nbytes()), (5, &[1, 2][..], 16));
/// ```
pub struct Partial {
    /// Elements folded into each state.
    pub(super) count: u64,
    /// One for each reduction.
    pub(super) parts: SmallVec<[Part; 1]>,
}

/// The states of one reduction.
pub(super) struct Part {
    /// Shape of the result block, with the reduced axes where they are kept.
    pub(super) shape: Shape,
    pub(super) states: Box<dyn States>,
}

impl Partial {
    /// Elements folded into each state.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::Sum, [0].into_iter().collect(), ChunkGrid::whole(&[5]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let nothing = Region::new(&[0], &[0]);
    /// let part = Fold::new(&reduce, DType::F64).fold(&[Chunk::zeros(DType::F64, &[0])], &nothing).unwrap();
    /// assert_eq!(part.count(), 0);
    /// ```
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Shape of the result block; of the first reduction where there are several.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::Sum, [0].into_iter().collect(), ChunkGrid::whole(&[5, 4]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let all = Region::whole(&[5, 4]);
    /// let part = Fold::new(&reduce, DType::I8).fold(&[Chunk::zeros(DType::I8, &[5, 4])], &all).unwrap();
    /// assert_eq!(part.shape(), [4]);
    /// ```
    pub fn shape(&self) -> &[usize] {
        &self.parts[0].shape
    }

    /// Bytes of the states.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::Any, [0].into_iter().collect(), ChunkGrid::whole(&[5, 4]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let all = Region::whole(&[5, 4]);
    /// let part = Fold::new(&reduce, DType::I8).fold(&[Chunk::zeros(DType::I8, &[5, 4])], &all).unwrap();
    /// assert_eq!(part.nbytes(), 4);
    /// ```
    pub fn nbytes(&self) -> usize {
        self.parts.iter().map(|part| part.states.nbytes()).sum()
    }
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Partial{:?} of {} elements each", self.shape(), self.count)
    }
}

/// States of a type that only the reduction knows.
pub(super) trait States: Any + Send + Sync {
    /// Bytes of all states.
    fn nbytes(&self) -> usize;
}

impl<S: Copy + Send + Sync + 'static> States for Vec<S> {
    fn nbytes(&self) -> usize {
        self.len() * size_of::<S>()
    }
}

impl Part {
    /// The states, of the type the reduction made them of.
    pub(super) fn states<S: 'static>(&self) -> &[S] {
        self.states_as::<Vec<S>>()
    }

    /// The states, in the form the reduction gave them.
    pub(super) fn states_as<S: 'static>(&self) -> &S {
        let states: &dyn Any = &*self.states;
        states.downcast_ref().expect("parts are merged by the reduction that made them")
    }
}
