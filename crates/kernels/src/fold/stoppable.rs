//! Folding, merging and finishing, unless the result is no longer wanted: what every fold does, stopped or not.

use chunkwise_chunk::{Chunk, DType, Region, Shape};
use chunkwise_expr::Program;
use smallvec::SmallVec;

use super::partial::{Part, Partial, States};
use super::rule::Divisor;
use super::split::Split;
use super::walk::{Taker, walk_block};
use super::{Fold, Inner, Member};
use crate::compile::Code;
use crate::machine::Machine;
use crate::operand::{AsOperand, Operand, Prepared};
use crate::stop::{Stop, Stoppable, Watch};
use crate::{Kernel, KernelError};

impl Stoppable<'_, Fold> {
    /// [`Fold::fold`], unless it is stopped.
    ///
    /// # Errors
    /// As [`Fold::fold`], and [`KernelError::Stopped`].
    ///
    /// # Panics
    /// As [`Fold::fold`].
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::{Fold, KernelError, Stop};
    /// # let (kind, axes, space) = (ReduceKind::Sum, [0].into_iter().collect(), ChunkGrid::whole(&[6]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let (fold, block) = (Fold::new(&reduce, DType::I32), [Chunk::zeros(DType::I32, &[6])]);
    /// let part = fold.stoppable(Stop::when(&|| true)).fold(&block, &Region::whole(&[6]));
    /// assert_eq!(part.unwrap_err(), KernelError::Stopped);
    /// ```
    pub fn fold<O: AsOperand>(&self, operands: &[O], region: &Region) -> Result<Partial, KernelError> {
        match self.of.pieces(region) {
            1 => self.fold_piece(operands, region),
            count => {
                let parts = (0..count).map(|number| {
                    let piece = self.of.piece(region, number);
                    let place = piece.relative_to(region);
                    let operands: Vec<Operand> =
                        operands.iter().map(|operand| operand.part_in(&place)).collect();
                    self.fold_piece(&operands, &piece)
                });
                self.merge_by_eights(parts.collect::<Result<_, _>>()?)
            }
        }
    }

    fn fold_piece<O: AsOperand>(&self, operands: &[O], region: &Region) -> Result<Partial, KernelError> {
        let members = &self.of.0.members;
        let split = Split::new(&members[0].reduce, region);
        let states = if split.kept() * split.reduced == 0 {
            let mut watch = Watch::new(self.stop);
            let nothing = |member: &Member| member.folder.nothing(split.kept(), &mut watch);
            members.iter().map(nothing).collect::<Result<_, _>>()?
        } else {
            self.folded(operands, region, &split)?
        };
        let parts = members.iter().zip(states).map(|(member, states)| member.part(region, states));
        Ok(Partial { count: split.reduced as u64, parts: parts.collect() })
    }

    /// The states of every reduction over a block that is not empty.
    fn folded<O: AsOperand>(
        &self,
        operands: &[O],
        region: &Region,
        split: &Split,
    ) -> Result<SmallVec<[Box<dyn States>; 4]>, KernelError> {
        let Inner { code, members, .. } = &*self.of.0;
        let prepared = Prepared::new(operands, region.shape(), &split.order, self.stop)?;
        let (operands, panels) = (prepared.operands(), split.inner > 1);
        let mut machine = Machine::new(code, &operands, region.shape(), &split.order, panels, self.stop);
        let mut takers: SmallVec<[Taker<'_>; 4]> =
            members.iter().map(|member| (member.folder.start(split.kept()), member.result)).collect();
        walk_block(&mut machine, split, &mut takers)?;
        let mut watch = Watch::new(self.stop);
        takers.into_iter().map(|(folding, _)| folding.finish(split, &mut watch)).collect()
    }

    /// [`Fold::merge`], unless it is stopped.
    ///
    /// # Errors
    /// [`KernelError::Stopped`].
    ///
    /// # Panics
    /// As [`Fold::merge`].
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::{Fold, KernelError, Stop};
    /// # let (kind, axes, space) = (ReduceKind::Sum, [0].into_iter().collect(), ChunkGrid::whole(&[6]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let (fold, block) = (Fold::new(&reduce, DType::I32), [Chunk::zeros(DType::I32, &[6])]);
    /// let part = fold.fold(&block, &Region::whole(&[6])).unwrap();
    /// let merged = fold.stoppable(Stop::when(&|| true)).merge(&[&part, &part]);
    /// assert_eq!(merged.unwrap_err(), KernelError::Stopped);
    /// ```
    pub fn merge(&self, parts: &[&Partial]) -> Result<Partial, KernelError> {
        let mut watch = Watch::new(self.stop);
        let member = |number: usize| {
            let shape = parts[0].parts[number].shape.clone();
            Ok(Part { shape, states: self.merged(number, parts, &mut watch)? })
        };
        let merged = (0..self.of.0.members.len()).map(member).collect::<Result<_, _>>()?;
        Ok(Partial { count: count(parts), parts: merged })
    }

    /// The states of one reduction; parts over no elements are passed over.
    fn merged(
        &self,
        member: usize,
        parts: &[&Partial],
        watch: &mut Watch<'_>,
    ) -> Result<Box<dyn States>, KernelError> {
        let folder = &self.of.0.members[member].folder;
        let some: Vec<(&Part, u64)> = parts
            .iter()
            .filter(|part| part.count > 0)
            .map(|part| (&part.parts[member], part.count))
            .collect();
        match &some[..] {
            [] => folder.nothing(parts[0].parts[member].shape.iter().product(), watch),
            some => folder.merge(some, watch),
        }
    }

    /// [`Fold::finish_one`], unless it is stopped.
    ///
    /// # Errors
    /// [`KernelError::Stopped`]; [`KernelError::OnlyNan`] and [`KernelError::User`] where a state has no value.
    ///
    /// # Panics
    /// As [`Fold::finish_one`].
    ///
    /// ```
    /// # use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
    /// # use chunkwise_expr::{Reduce, ReduceKind};
    /// # use chunkwise_kernels::{Fold, KernelError, Stop};
    /// # let (kind, axes, space) = (ReduceKind::Sum, [0].into_iter().collect(), ChunkGrid::whole(&[6]));
    /// # let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
    /// let (fold, block) = (Fold::new(&reduce, DType::I32), [Chunk::zeros(DType::I32, &[6])]);
    /// let part = fold.fold(&block, &Region::whole(&[6])).unwrap();
    /// let sum = fold.stoppable(Stop::when(&|| true)).finish_one(0, &[&part]);
    /// assert_eq!(sum.unwrap_err(), KernelError::Stopped);
    /// ```
    pub fn finish_one(&self, member: usize, parts: &[&Partial]) -> Result<Chunk, KernelError> {
        let Member { reduce, folder, output, .. } = &self.of.0.members[member];
        let divisor = Divisor::new(&reduce.kind, reduce.ddof);
        let mut watch = Watch::new(self.stop);
        let values = match parts {
            [part] => folder.finish(&part.parts[member], part.count, divisor, &mut watch)?,
            parts => {
                let shape = parts[0].parts[member].shape.clone();
                let merged = Part { shape, states: self.merged(member, parts, &mut watch)? };
                folder.finish(&merged, count(parts), divisor, &mut watch)?
            }
        };
        converted(values, *output, self.stop)
    }
}

/// Elements that each state of the merged parts stands for.
fn count(parts: &[&Partial]) -> u64 {
    parts.iter().map(|part| part.count).sum()
}

/// The values in the type of the result; the working type holds all of them exactly, but for floats, which
/// are rounded here, once. Conversions have a result for every element.
fn converted(values: Chunk, output: DType, stop: Stop<'_>) -> Result<Chunk, KernelError> {
    if values.dtype() == output {
        return Ok(values);
    }
    let code = Code::with_output(&Program::identity(values.dtype()), output);
    let shape: Shape = values.shape().into();
    Kernel::of(code).stoppable(stop).map(&[values], &shape)
}
