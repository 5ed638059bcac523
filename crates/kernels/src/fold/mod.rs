//! Reductions of blocks: partial results, merged in the order they are given, finished once.
//!
//! ```text
//! fold     block  -> Partial    one state per kept element, and how many elements each stands for
//! merge    Partials -> Partial  in the order given
//! finish   Partials -> Chunk    merge, then the value of each state
//! ```
//!
//! A huge block is folded in pieces, which are blocks of their own to all the rest, and merged by eights: the sum of a
//! block is the same whether one task folds it or each piece has a task.
//!
//! Each part has a file: [`split`] brings any axes to (outer, reduced, inner), [`pairwise`] is the order of
//! merging inside a block, [`rule`] is what a reduction is, [`lanes`], [`moments`], [`nan_moments`], [`high_moments`],
//! [`position`] and [`complex`] are the reductions, [`user`] those that users write, [`dispatch`] compiles them per
//! instruction set, [`typed`] hides what a rule works on, [`walk`] evaluates
//! a block and hands each tile to all reductions that take it, [`stoppable`] does all of it unless it is stopped.

mod complex;
mod dispatch;
mod high_moments;
mod lanes;
mod moments;
mod nan_moments;
mod pairwise;
mod partial;
mod pieces;
mod position;
mod rule;
mod split;
mod stoppable;
mod summed;
mod typed;
mod user;
mod walk;

use std::fmt;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, DType, Region, Shape};
use chunkwise_expr::{Arg, ElementOp, Program, ProgramBuilder, Reduce};

use crate::KernelError;
use crate::compile::Code;
use crate::machine::{scratch_bytes, strip_bytes};
use crate::operand::{AsOperand, in_order};
use crate::stop::{Stop, Stoppable};
use partial::Part;
use split::{Split, result_shape};
use typed::{Folder, folder, work_type};

pub use partial::Partial;

/// A reduction with its compiled program, or several that fold the same elements: shared by all blocks and threads.
///
/// Several are folded in one walk over a block: what their programs have in common is computed once per tile, and
/// every tile is folded by all of them while it is in the cache. Each keeps its own states in its own order, so its
/// bits are those it has alone.
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
    code: Code,
    /// Lengths of pieces.
    piece: Shape,
    /// At least one; all have one space and the same axes.
    members: Vec<Member>,
}

/// One reduction.
struct Member {
    reduce: Reduce,
    /// Which result of the code it folds.
    result: usize,
    output: DType,
    folder: Box<dyn Folder>,
}

impl Member {
    fn new(reduce: &Reduce, elements: DType, result: usize) -> Member {
        let folder = folder(&reduce.kind, work_type(&reduce.kind, elements));
        Member { reduce: reduce.clone(), result, output: reduce.kind.output(elements), folder }
    }

    fn part(&self, region: &Region, states: Box<dyn partial::States>) -> Part {
        Part { shape: result_shape(&self.reduce, region.shape()), states }
    }
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
        let elements = elements_of(reduce, input);
        let work = work_type(&reduce.kind, elements);
        let code = match &reduce.program {
            Some(program) => Code::with_output(program, work),
            None => Code::with_output(&Program::identity(input), work),
        };
        Fold(Arc::new(Inner { code, piece: reduce.piece(), members: vec![Member::new(reduce, elements, 0)] }))
    }

    /// Compiles reductions that fold the same elements: the same operands, of the types `inputs`, over the same space
    /// and axes. One without a program folds the first operand.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Scalar};
    /// use chunkwise_expr::{Reduce, ReduceKind};
    /// use chunkwise_kernels::Fold;
    ///
    /// let reduce = |kind| Reduce {
    ///     kind,
    ///     axes: [0].into_iter().collect(),
    ///     keepdims: false,
    ///     ddof: 0.0,
    ///     space: ChunkGrid::whole(&[3]),
    ///     program: None,
    /// };
    /// let fold = Fold::siblings(&[&reduce(ReduceKind::Mean), &reduce(ReduceKind::Max)], &[DType::I32]);
    /// let block = Chunk::from_array(ndarray::arr1(&[1, 2, 6]).into_dyn());
    /// let part = fold.fold(&[block], &Region::whole(&[3])).unwrap();
    /// assert_eq!(fold.finish_one(0, &[&part]).scalar(), Some(Scalar::F64(3.0)));
    /// assert_eq!(fold.finish_one(1, &[&part]).scalar(), Some(Scalar::I32(6)));
    /// ```
    ///
    /// # Panics
    /// When there are none, or they do not fold the same elements.
    pub fn siblings(reduces: &[&Reduce], inputs: &[DType]) -> Fold {
        let first = reduces[0];
        let input = inputs.first().copied().unwrap_or(DType::Bool); // one without inputs has a program
        if reduces.len() == 1 && (first.program.is_some() || inputs.len() == 1) {
            return Fold::new(first, input);
        }
        let alike = |other: &&Reduce| other.space == first.space && other.axes == first.axes;
        assert!(reduces.iter().all(alike), "siblings fold one space along the same axes");
        let mut builder = ProgramBuilder::new();
        let operands: Vec<Arg> = inputs.iter().map(|&dtype| builder.input(dtype)).collect();
        let (mut results, mut members): (Vec<Arg>, Vec<Member>) = (Vec::new(), Vec::new());
        for reduce in reduces {
            let elements = elements_of(reduce, input);
            let result = folded(&mut builder, reduce, elements, &operands);
            let known = results.iter().position(|&other| other == result);
            let place = known.unwrap_or_else(|| {
                results.push(result);
                results.len() - 1
            });
            members.push(Member::new(reduce, elements, place));
        }
        let program = builder.finish(results[0]);
        let code = Code::with_results(&program, &results);
        Fold(Arc::new(Inner { code, piece: first.piece(), members }))
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
        self.stoppable(Stop::never()).fold(operands, region)
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
        self.stoppable(Stop::never()).merge(parts).expect("nothing stops it")
    }

    /// The block of results: merges, then takes the value of each state. Where no elements were folded,
    /// sums are 0, products 1, `any` false, `all` true, means and variances NaN; the reductions that need
    /// elements, which is checked before anything runs, give NaN for floats and zero for other types.
    ///
    /// # Panics
    /// When there are no parts, they are of another reduction, or some state has no value, for which
    /// [`Stoppable::finish_one`] gives an error.
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
        self.finish_one(0, parts)
    }

    /// [`finish`](Fold::finish) of one of several reductions, by its place among those that were compiled.
    ///
    /// # Panics
    /// As [`finish`](Fold::finish), and when there is no such reduction.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Scalar};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let space = ChunkGrid::whole(&[2]);
    /// # let axes = [0].into_iter().collect();
    /// # let sum = Reduce { kind: ReduceKind::Sum, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let product = Reduce { kind: ReduceKind::Prod, ..sum.clone() };
    /// let fold = Fold::siblings(&[&sum, &product], &[DType::I64]);
    /// let block = Chunk::filled(Scalar::I64(3), &[2]);
    /// let part = fold.fold(&[block], &Region::whole(&[2])).unwrap();
    /// assert_eq!(fold.finish_one(1, &[&part]).scalar(), Some(Scalar::I64(9)));
    /// ```
    pub fn finish_one(&self, member: usize, parts: &[&Partial]) -> Chunk {
        self.stoppable(Stop::never())
            .finish_one(member, parts)
            .expect("states have values, and nothing stops it")
    }

    /// The fold, for results that may turn out not to be wanted.
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Scalar};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::{Fold, Stop};
    /// # let (kind, axes, space) = (ReduceKind::Sum, [0].into_iter().collect(), ChunkGrid::whole(&[6]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let fold = Fold::new(&reduce, DType::I64);
    /// let (block, all) = ([Chunk::filled(Scalar::I64(7), &[6])], Region::whole(&[6]));
    /// let part = fold.stoppable(Stop::when(&|| false)).fold(&block, &all).unwrap();
    /// assert_eq!(fold.finish(&[&part]).scalar(), Some(Scalar::I64(42)));
    /// ```
    pub fn stoppable<'s>(&'s self, stop: Stop<'s>) -> Stoppable<'s, Fold> {
        Stoppable { of: self, stop }
    }

    /// Type of the results; of the first reduction where there are several.
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
        self.output_of(0)
    }

    /// Type of the results of one of several reductions.
    ///
    /// # Panics
    /// When there are not so many.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (axes, space) = (Default::default(), ChunkGrid::whole(&[4]));
    /// # let mean = Reduce { kind: ReduceKind::Mean, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let max = Reduce { kind: ReduceKind::Max, ..mean.clone() };
    /// let fold = Fold::siblings(&[&mean, &max], &[DType::I16]);
    /// assert_eq!((fold.output_of(0), fold.output_of(1)), (DType::F64, DType::I16));
    /// ```
    pub fn output_of(&self, member: usize) -> DType {
        self.0.members[member].output
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
        Split::new(&self.0.members[0].reduce, region).kept() * self.state_bytes()
    }

    /// Bytes of the states of one kept element.
    fn state_bytes(&self) -> usize {
        self.0.members.iter().map(|member| member.folder.state_bytes()).sum()
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
        in_order(&Split::new(&self.0.members[0].reduce, region).order)
    }

    /// Bytes of registers, panels and strips of one evaluation over a block of this shape, beside operands and partial
    /// result: an upper bound.
    ///
    /// ```
    /// # use chunkwise_chunk::{ChunkGrid, DType};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::Fold;
    /// # let (kind, axes, space) = (ReduceKind::Sum, Default::default(), ChunkGrid::whole(&[4]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// assert!(Fold::new(&reduce, DType::F64).scratch_bytes(&[4]) < 512 << 10);
    /// ```
    pub fn scratch_bytes(&self, shape: &[usize]) -> usize {
        let stack: usize = self.0.members.iter().map(|member| member.folder.panel_bytes()).sum();
        scratch_bytes(&self.0.code, self.0.code.tile(), true) + stack + strip_bytes(&self.0.code, shape)
    }
}

/// Type of the elements that a reduction folds.
fn elements_of(reduce: &Reduce, input: DType) -> DType {
    reduce.program.as_ref().map_or(input, |program| program.output())
}

/// The elements that a reduction folds, in the type it works in, as a value of a program over its operands.
fn folded(builder: &mut ProgramBuilder, reduce: &Reduce, elements: DType, operands: &[Arg]) -> Arg {
    let value = match &reduce.program {
        Some(program) => builder.inline(program, operands),
        None => operands[0],
    };
    match work_type(&reduce.kind, elements) {
        work if work == elements => value,
        work => builder
            .push(ElementOp::Cast(work), &[value])
            .expect("every type converts to the one it is reduced in"),
    }
}

impl fmt::Debug for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fold")
            .field("kinds", &self.0.members.iter().map(|member| &member.reduce.kind).collect::<Vec<_>>())
            .field("axes", &self.0.members[0].reduce.axes)
            .field("steps", &self.0.code.steps.len())
            .finish()
    }
}
