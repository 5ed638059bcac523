//! Reductions of blocks: partial results, merged in the order they are given, finished once.
//!
//! ```text
//! fold     block  -> Partial    one state per kept element, and how many elements each stands for
//! merge    Partials -> Partial  in the order given
//! finish   Partials -> Chunk    merge, then the value of each state
//! ```
//!
//! Each part has a file: [`split`] brings any axes to (outer, reduced, inner), [`pairwise`] is the order of
//! merging inside a block, [`rule`] is what a reduction is, [`lanes`], [`moments`] and [`position`] are the
//! reductions, [`dispatch`] compiles them per instruction set, [`typed`] runs a rule over a block.

mod dispatch;
mod lanes;
mod moments;
mod pairwise;
mod partial;
mod position;
mod rule;
mod split;
mod summed;
mod typed;

use std::fmt;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, DType, Region, Shape};
use chunkwise_expr::{Program, Reduce, ReduceKind};

use crate::compile::Code;
use crate::machine::scratch_bytes;
use crate::operand::{AsOperand, Prepared, in_order};
use crate::{Kernel, KernelError};
use rule::Divisor;
use split::Split;
use typed::{Folder, folder, work_type};

pub use partial::Partial;

/// A reduction with its compiled program: shared by all blocks and threads.
///
/// The partition of a block into segments depends only on its shape and the reduced axes, never on strides,
/// fusion or threads, so neither do the bits of the result.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
/// use chunkwise_expr::{Reduce, ReduceKind};
/// use chunkwise_kernels::Fold;
///
/// let reduce = Reduce {
///     kind: ReduceKind::Sum,
///     axes: [1].into_iter().collect(),
///     keepdims: false,
///     ddof: 0.0,
///     space: ChunkGrid::regular(&[2, 3], &[2, 2]),
///     program: None,
/// };
/// let fold = Fold::new(&reduce, DType::F64);
///
/// let left = Chunk::from_array(ndarray::arr2(&[[1.0, 2.0], [4.0, 5.0]]).into_dyn());
/// let right = Chunk::from_array(ndarray::arr2(&[[3.0], [6.0]]).into_dyn());
/// let a = fold.fold(&[left], &Region::new(&[0, 0], &[2, 2])).unwrap();
/// let b = fold.fold(&[right], &Region::new(&[0, 2], &[2, 1])).unwrap();
/// let sums = fold.finish(&[&a, &b]);
/// assert_eq!(sums.to_array::<f64>().unwrap(), ndarray::arr1(&[6.0, 15.0]).into_dyn());
/// ```
#[derive(Clone)]
pub struct Fold(Arc<Inner>);

struct Inner {
    reduce: Reduce,
    code: Code,
    output: DType,
    folder: Box<dyn Folder>,
}

impl Fold {
    /// Compiles a reduction. `input` is the type of its only operand where it has no program.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes) = (ReduceKind::Mean, Default::default());
    /// # let space = ChunkGrid::whole(&[4]);
    /// let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// assert_eq!(Fold::new(&reduce, DType::U8).output(), DType::F64);
    /// ```
    pub fn new(reduce: &Reduce, input: DType) -> Fold {
        let elements = reduce.program.as_ref().map_or(input, |program| program.output());
        let work = work_type(reduce.kind, elements);
        let code = match &reduce.program {
            Some(program) => Code::with_output(program, work),
            None => Code::with_output(&Program::identity(input), work),
        };
        let (output, folder) = (reduce.kind.output(elements), folder(reduce.kind, work));
        Fold(Arc::new(Inner { reduce: reduce.clone(), code, output, folder }))
    }

    /// Folds the block of the space that lies at `region`; it may be empty. Operands are broadcast to the
    /// shape of the region.
    ///
    /// # Errors
    /// When an operation of the program has no result for some element.
    ///
    /// # Panics
    /// When number, types or shapes of the operands do not fit, or the region has not the rank of the space,
    /// which whoever built the expression has checked.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Scalar};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes) = (ReduceKind::ArgMax, [0].into_iter().collect());
    /// # let space = ChunkGrid::regular(&[6], &[3]);
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let fold = Fold::new(&reduce, DType::I32);
    /// let block = Chunk::from_array(ndarray::arr1(&[1, 9, 9]).into_dyn());
    /// let part = fold.fold(&[block], &Region::new(&[3], &[3])).unwrap();
    /// assert_eq!(fold.finish(&[&part]).scalar(), Some(Scalar::I64(4)));
    /// ```
    pub fn fold<O: AsOperand>(&self, operands: &[O], region: &Region) -> Result<Partial, KernelError> {
        let inner = &*self.0;
        let split = Split::new(&inner.reduce, region);
        let prepared = Prepared::new(operands, region.shape(), &split.order);
        inner.folder.fold(&inner.code, &prepared.operands(), region.shape(), &split)
    }

    /// One partial result out of several, merged in the order given.
    ///
    /// # Panics
    /// When there are none, or they are of another reduction.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Scalar};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes) = (ReduceKind::Min, [0].into_iter().collect());
    /// # let space = ChunkGrid::whole(&[2]);
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let fold = Fold::new(&reduce, DType::F64);
    /// let some = Chunk::from_array(ndarray::arr1(&[3.0, 2.0]).into_dyn());
    /// let some = fold.fold(&[some], &Region::new(&[0], &[2])).unwrap();
    /// let none = fold.fold(&[Chunk::zeros(DType::F64, &[0])], &Region::new(&[2], &[0])).unwrap();
    /// let both = fold.merge(&[&none, &some]);
    /// assert_eq!(fold.finish(&[&both]).scalar(), Some(Scalar::F64(2.0)));
    /// ```
    pub fn merge(&self, parts: &[&Partial]) -> Partial {
        self.0.folder.merge(parts)
    }

    /// The block of results: merges, then takes the value of each state. Where no elements were folded,
    /// sums are 0, products 1, `any` false, `all` true, means and variances NaN; the reductions that need
    /// elements, which is checked before anything runs, give NaN for floats and zero for other types.
    ///
    /// # Panics
    /// When there are no parts, or they are of another reduction.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Scalar};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes) = (ReduceKind::Var, [0].into_iter().collect());
    /// # let space = ChunkGrid::whole(&[3]);
    /// let reduce = Reduce { kind, axes, keepdims: false, ddof: 1.0, space, program: None };
    /// let fold = Fold::new(&reduce, DType::I16);
    /// let block = Chunk::from_array(ndarray::arr1(&[1i16, 2, 6]).into_dyn());
    /// let part = fold.fold(&[block], &Region::new(&[0], &[3])).unwrap();
    /// assert_eq!(fold.finish(&[&part]).scalar(), Some(Scalar::F64(7.0)));
    /// ```
    pub fn finish(&self, parts: &[&Partial]) -> Chunk {
        let Inner { reduce, folder, output, .. } = &*self.0;
        let divisor = Divisor { ddof: reduce.ddof, root: reduce.kind == ReduceKind::Std };
        let values = match parts {
            [part] => folder.finish(part, divisor),
            parts => folder.finish(&folder.merge(parts), divisor),
        };
        converted(values, *output)
    }

    /// Type of the results.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::ArgMin, Default::default(), ChunkGrid::whole(&[4]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// assert_eq!(Fold::new(&reduce, DType::F32).output(), DType::I64);
    /// ```
    pub fn output(&self) -> DType {
        self.0.output
    }

    /// Bytes of the partial result of a block at `region`.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes) = (ReduceKind::Sum, [0].into_iter().collect());
    /// # let space = ChunkGrid::whole(&[100, 10]);
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let fold = Fold::new(&reduce, DType::F32);
    /// assert_eq!(fold.partial_bytes(&Region::whole(&[100, 10])), 10 * size_of::<f64>());
    /// ```
    pub fn partial_bytes(&self, region: &Region) -> usize {
        Split::new(&self.0.reduce, region).kept() * self.0.folder.state_bytes()
    }

    /// Whether the elements of a block at `region` are folded in C order: formulas of such a block are never written
    /// out.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes) = (ReduceKind::Sum, [0].into_iter().collect());
    /// # let space = ChunkGrid::whole(&[100, 3]);
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let long_and_thin = Region::whole(&[100, 3]);
    /// assert!(!Fold::new(&reduce, DType::F32).walks_in_order(&long_and_thin));
    /// ```
    pub fn walks_in_order(&self, region: &Region) -> bool {
        in_order(&Split::new(&self.0.reduce, region).order)
    }

    /// Bytes of registers and panels of one evaluation, beside operands and partial result: an upper bound
    /// for blocks of any shape.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::Sum, Default::default(), ChunkGrid::whole(&[4]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// assert!(Fold::new(&reduce, DType::F64).scratch_bytes() < 512 << 10);
    /// ```
    pub fn scratch_bytes(&self) -> usize {
        let stack = typed::PANEL_STACK * crate::machine::COLUMNS * self.0.folder.state_bytes();
        scratch_bytes(&self.0.code, self.0.code.tile(), true) + stack
    }
}

/// The values in the type of the result; the working type holds all of them exactly, but for floats, which
/// are rounded here, once.
fn converted(values: Chunk, output: DType) -> Chunk {
    if values.dtype() == output {
        return values;
    }
    let code = Code::with_output(&Program::identity(values.dtype()), output);
    let shape: Shape = values.shape().into();
    Kernel::of(code).map(&[values], &shape).expect("conversions have a result for every element")
}

impl fmt::Debug for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fold")
            .field("kind", &self.0.reduce.kind)
            .field("axes", &self.0.reduce.axes)
            .field("steps", &self.0.code.steps.len())
            .finish()
    }
}
