//! The rule of moving windows: which elements a block needs, and where its values go.

use std::fmt;

use chunkwise_chunk::{Chunk, ChunkGrid, DType, Element, Region, Scalar, Window, Written};
use chunkwise_expr::{
    Arg, BinaryOp, BlockError, BlockRule, ExprError, Meta, Need, Needs, Program, ProgramBuilder, Step,
    eval_cast,
};
use chunkwise_kernels::{Kernel, Stop};
use ndarray::{ArrayD, ArrayViewMutD, IxDyn};

use super::Statistic;
use super::folds::Fold;
use super::slide::DIRECT;
use super::statistic::{Visit, with_fold};
use super::strips::{Place, block_bytes, fold_windows, quantiles, tile_bytes};
use crate::scan::copy_to;

/// Windows of more elements are kept on disk when memory is short.
const CHEAP: usize = 64;

/// A statistic of the windows that move along an axis. Elements keep their type.
///
/// The window of index `i` of the result is `i - before .. i - before + window` of the input, as far as that has these.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Moving {
    pub(super) statistic: Statistic,
    pub(super) axis: usize,
    pub(super) before: usize,
    pub(super) window: usize,
    pub(super) min_count: usize,
    pub(super) grid: ChunkGrid,
}

impl Moving {
    /// What is computed.
    pub fn statistic(&self) -> Statistic {
        self.statistic
    }

    /// The axis along which windows move.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// How far before the index of its value a window starts.
    pub fn before(&self) -> usize {
        self.before
    }

    /// Elements of a window.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Numbers that a window must have to have a value.
    pub fn min_count(&self) -> usize {
        self.min_count
    }

    /// Shape of the result.
    pub fn shape(&self) -> &[usize] {
        self.grid.shape()
    }

    /// A program of one operand for each element of a window, where that is the quickest way: short windows that no
    /// element is missing of. It joins elements in the order of [`slide`](super::slide), to the same bits.
    fn program(&self, dtype: DType) -> Option<Program> {
        let join = match self.statistic {
            Statistic::Sum | Statistic::Mean => BinaryOp::Add,
            Statistic::Max => BinaryOp::Maximum,
            Statistic::Min => BinaryOp::Minimum,
            _ => return None,
        };
        if self.window > DIRECT || self.min_count < self.window {
            return None;
        }
        let mut program = ProgramBuilder::new();
        let elements: Vec<Arg> = (0..self.window).map(|_| program.input(dtype)).collect();
        let mut all = elements[0];
        for &element in &elements[1..] {
            all = program.push(join.into(), &[all, element])?;
        }
        if self.statistic == Statistic::Mean {
            let count = program.constant(eval_cast(Scalar::U64(self.window as u64), dtype));
            all = program.push(BinaryOp::Div.into(), &[all, count])?;
        }
        Some(program.finish(all))
    }

    /// Runs [`program`](Moving::program) on a block whose windows are complete; gives `target` back otherwise.
    fn run_program<'w>(
        &self,
        step: &Step<'_>,
        target: Target<'w>,
    ) -> Result<Result<Done<'w>, BlockError>, Target<'w>> {
        let (x, len) = (&step.operands[0], step.block.shape()[self.axis]);
        let complete = x.shape()[self.axis] + 1 == len + self.window;
        let Some(program) = self.program(x.dtype()).filter(|_| complete) else { return Err(target) };
        let part = |at: usize| {
            let mut part = Region::whole(x.shape());
            part.set_axis(self.axis, at, len);
            x.part(&part)
        };
        let operands: Vec<Chunk> = (0..self.window).map(part).collect();
        let kernel = Kernel::new(&program);
        let kernel = kernel.stoppable(Stop::when(step.cancelled));
        Ok(match target {
            Target::Own => kernel.map(&operands, step.block.shape()).map(Done::Own),
            Target::Lent(window) => kernel.fill(&operands, window).map(Done::Lent),
        }
        .map_err(BlockError::from))
    }

    fn run<'w>(&self, step: &Step<'_>, target: Target<'w>) -> Result<Done<'w>, BlockError> {
        let target = match self.run_program(step, target) {
            Ok(done) => return done,
            Err(target) => target,
        };
        let (x, first) = (&step.operands[0], step.block.start()[self.axis]);
        let missing = self.before.saturating_sub(first);
        let place = Place { window: self.window, first, missing, cancelled: step.cancelled };
        let run = Run { x, place, axis: self.axis, block: step.block, target };
        if let Some(quantile) = self.statistic.quantile(self.min_count) {
            let lanes = x.typed::<f64>()?.view();
            return run.written(|out| quantiles(quantile, place, lanes, out, self.axis));
        }
        let done = with_fold(self.statistic, x.dtype(), self.window, self.min_count, run);
        done.unwrap_or_else(|| Err("elements of another type".into()))
    }
}

impl fmt::Display for Moving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} along axis {}", self.statistic, self.window, self.axis)?;
        if self.before > 0 {
            write!(f, " from {} before", self.before)?;
        }
        if self.min_count < self.window { write!(f, ", at least {}", self.min_count) } else { Ok(()) }
    }
}

impl BlockRule for Moving {
    fn name(&self) -> &str {
        self.statistic.name()
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        let dtype = inputs[0].dtype();
        match self.statistic.takes(dtype) {
            true => Ok(Meta::Array { dtype, grid: self.grid.clone() }),
            false => Err(ExprError::DType(vec![dtype])),
        }
    }

    fn needs(&self, block: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        let len = inputs[0].grid().shape()[self.axis];
        let start = block.start()[self.axis].saturating_sub(self.before);
        let end = len.min((block.end(self.axis) - 1 + self.window).saturating_sub(self.before));
        let mut region = block.clone();
        region.set_axis(self.axis, start, end - start);
        std::iter::once(Need { input: 0, region }).collect()
    }

    fn by_regions(&self) -> bool {
        true
    }

    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError> {
        match self.run(&step, Target::Own)? {
            Done::Own(chunk) => Ok(chunk),
            Done::Lent(_) => Err("memory was lent that was not asked for".into()),
        }
    }

    fn scratch_bytes(&self, block: &Region, _: &[&Meta]) -> u64 {
        let bytes = match self.statistic.quantile(self.min_count) {
            Some(_) => block_bytes(self.window),
            None => tile_bytes(self.window, block.shape()[self.axis]),
        };
        bytes as u64
    }

    fn fills(&self) -> bool {
        true
    }

    fn fill<'w>(&self, step: Step<'_>, window: Window<'w>) -> Result<Written<'w>, BlockError> {
        match self.run(&step, Target::Lent(window))? {
            Done::Lent(written) => Ok(written),
            Done::Own(_) => Err("memory that was lent was not used".into()),
        }
    }

    /// Quantiles sort, and long windows are joined from parts of tiles.
    fn is_cheap(&self) -> bool {
        self.statistic.quantile(self.min_count).is_none() && self.window <= CHEAP
    }
}

/// Where values go.
enum Target<'w> {
    Own,
    Lent(Window<'w>),
}

/// Where they are.
enum Done<'w> {
    Own(Chunk),
    Lent(Written<'w>),
}

/// A block whose values are to be computed by loops.
struct Run<'a, 'w> {
    x: &'a Chunk,
    place: Place<'a>,
    axis: usize,
    block: &'a Region,
    target: Target<'w>,
}

impl<'w> Run<'_, 'w> {
    /// The block that `write` writes over what is there.
    fn written<T: Element>(
        self,
        write: impl FnOnce(ArrayViewMutD<'_, T>) -> Result<(), BlockError>,
    ) -> Result<Done<'w>, BlockError> {
        match self.target {
            Target::Own => {
                let mut out = ArrayD::<T>::default(IxDyn(self.block.shape()));
                write(out.view_mut())?;
                Ok(Done::Own(Chunk::from_array(out)))
            }
            Target::Lent(window) => {
                // Memory without elements: those at hand are copied to it, which a loop can write over.
                let mut out = copy_to::<T>(&self.x.part(&Region::whole(self.block.shape())), window)?;
                write(out.view_mut())?;
                Ok(Done::Lent(T::written(out)))
            }
        }
    }
}

impl<'w> Visit for Run<'_, 'w> {
    type Out = Result<Done<'w>, BlockError>;

    fn visit<F: Fold>(self, fold: F) -> Self::Out {
        let (place, axis) = (self.place, self.axis);
        let x = self.x.typed::<F::In>()?.view();
        self.written(|out| fold_windows(&fold, place, x, out, axis))
    }
}
