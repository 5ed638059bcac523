//! Operations that compute a block from regions of their inputs.

use std::sync::Arc;
use std::time::Duration;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSink, DType, Lent, ReadCost, Region, View, Window, Written};
use chunkwise_expr::{Blockwise, Concat, FromObject, Meta, Need, Needs, Op, Step};
use chunkwise_kernels::{Kernel, Stop};
use chunkwise_scheduler::{BoxError, Eviction, Layer, Retry, TaskBytes, TaskCx};
use smallvec::SmallVec;

use super::emit::number_of;
use super::evict::{may_fail_to_read, retry_read};
use super::feed::{Feed, bytes, kernel_error, kernel_operands, operands, recycle};
use super::recycle::Recycler;
use super::{Label, Value};

/// What is done to the gathered regions.
#[derive(Debug)]
pub(crate) enum BlockOp {
    /// An element program.
    Map(Kernel),
    /// A view of the one region.
    View(Arc<View>),
    /// The regions' elements, one after the other, in a new shape.
    Runs,
    /// The regions laid end to end; with where each input starts.
    Concat(Concat, Vec<usize>),
    /// The one region as it is.
    Gather,
    /// Whatever the rule does, in so many steps.
    Rule(Blockwise, usize),
    /// A value made into an array.
    FromObject(FromObject),
}

impl BlockOp {
    /// Tasks of each block, one after the other.
    pub(crate) fn steps(&self) -> usize {
        if let BlockOp::Rule(_, steps) = self { *steps } else { 1 }
    }
}

/// One task per block of a grid, or one per step of a block. They are numbered by block, then by step.
#[derive(Debug)]
pub(crate) struct BlockLayer {
    pub(crate) label: Label,
    /// Whether a block of `grid` is a group of those that the label numbers.
    pub(crate) groups: bool,
    pub(crate) op: Op,
    pub(crate) block_op: BlockOp,
    pub(crate) dtype: DType,
    pub(crate) grid: ChunkGrid,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) metas: Vec<Meta>,
    pub(crate) sinks: Vec<Arc<dyn ChunkSink>>,
    /// Whether other tasks, or the caller, take the block.
    pub(crate) used: bool,
    /// Whether a block has memory of its own: the caller keeps it, or what it is a part of is to go.
    pub(crate) owned: bool,
    /// What becomes of a block when memory is short.
    pub(crate) eviction: Eviction,
    /// How often reading is tried again.
    pub(crate) retry: Retry,
    pub(crate) recycler: Arc<Recycler>,
}

impl BlockLayer {
    /// The regions that a step of a block needs, in the order operands are taken.
    pub(crate) fn needs(&self, region: &Region, step: usize) -> Needs {
        if region.is_empty() && !matches!(self.block_op, BlockOp::FromObject(_)) {
            return Needs::new();
        }
        if matches!(self.op, Op::Source(_) | Op::Literal(_) | Op::Rechunk(_) | Op::FromObject(_)) {
            return smallvec::smallvec![Need { input: 0, region: region.clone() }];
        }
        match &self.block_op {
            BlockOp::Concat(concat, starts) => concat.parts(region, starts).map(|(need, _)| need).collect(),
            BlockOp::Rule(rule, _) => rule.needs(region, step, &self.metas()),
            _ => self.op.needs(region, &self.metas()),
        }
    }

    fn metas(&self) -> SmallVec<[&Meta; 3]> {
        self.metas.iter().collect()
    }

    /// What the task of a step allocates: its block, and what it needs while it runs.
    pub(crate) fn bytes(&self, region: &Region, step: usize, needs: &[Need]) -> TaskBytes {
        let own = bytes(self.dtype, region);
        let sum = |f: &dyn Fn(&Feed, &Region) -> u64| {
            needs.iter().fold(0u64, |sum, need| sum.saturating_add(f(&self.feeds[need.input], &need.region)))
        };
        let (allocated, beside) = (sum(&Feed::allocates), sum(&Feed::scratch));
        let held = sum(&Feed::holds);
        let shares = matches!(self.block_op, BlockOp::View(_) | BlockOp::Gather) && !self.owned;
        let (output, scratch) = match &self.block_op {
            // A part shares the memory of what it is a part of, or is copied out of it.
            _ if shares && own < held / 2 => (own, allocated),
            BlockOp::View(view) if shares && view.repeats() => (own, allocated),
            _ if shares => (held, 0),
            BlockOp::Map(kernel) => {
                let walked = sum(&|feed, need| feed.allocates_for_walk(need, region.shape()));
                let own = if self.lender().is_some() { 0 } else { own };
                (own, walked.saturating_add(kernel.scratch_bytes(region.shape()) as u64))
            }
            BlockOp::Rule(rule, _) => {
                let own = if self.fills_sink(rule, step) { 0 } else { own };
                (own, allocated.saturating_add(rule.scratch_bytes(region, &self.metas())))
            }
            _ => (own, allocated),
        };
        if step + 1 < self.block_op.steps() {
            return TaskBytes { output, scratch: scratch.saturating_add(beside) };
        }
        let sinks = self.sinks.iter().fold(beside, |sum, sink| sum.saturating_add(sink.scratch(region)));
        let scratch = scratch.saturating_add(sinks);
        match self.used {
            true => TaskBytes { output, scratch },
            false => TaskBytes { output: 0, scratch: scratch.saturating_add(output) },
        }
    }

    /// The sink whose memory a kernel writes its results to, where nobody else takes them.
    fn lender(&self) -> Option<&Arc<dyn ChunkSink>> {
        match &self.sinks[..] {
            [sink] if !self.used && sink.lends().is_some() => Some(sink),
            _ => None,
        }
    }

    /// Whether a step of a rule writes its results to the memory of the sink.
    fn fills_sink(&self, rule: &Blockwise, step: usize) -> bool {
        step + 1 == self.block_op.steps() && rule.fills() && self.lender().is_some()
    }

    /// Runs a step of a rule, the last one in place where that can be; `None` when the block is written.
    fn step(
        &self,
        rule: &Blockwise,
        region: &Region,
        number: usize,
        inputs: &mut [Value],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Chunk>, BoxError> {
        let mut inputs = inputs;
        let before = match number {
            0 => None,
            _ => Some(
                inputs.split_off_first_mut().expect("a step has the one before as its first input").block(),
            ),
        };
        let operands = operands(&self.feeds, &self.needs(region, number), inputs, &self.recycler)?;
        let metas = self.metas();
        let mut step = Some(Step { block: region, number, before, operands, inputs: &metas, cancelled });
        if let Some(sink) = self.lender().filter(|_| self.fills_sink(rule, number)) {
            fill(&**sink, region, |window| {
                let step = step.take().ok_or("the memory of a block is lent once")?;
                rule.fill(step, window)
            })?;
            return Ok(None);
        }
        let step = step.take().expect("it was not run yet");
        rule.compute(step).and_then(|block| self.checked(block, region)).map(Some)
    }

    /// A block, if it is what was declared.
    fn checked(&self, block: Chunk, region: &Region) -> Result<Chunk, BoxError> {
        if block.dtype() == self.dtype && block.shape() == region.shape() {
            return Ok(block);
        }
        let (got, want) = ((block.dtype(), block.shape()), (self.dtype, region.shape()));
        Err(format!("gave a block of {}{:?}, but {}{:?} was declared", got.0, got.1, want.0, want.1).into())
    }

    /// Whether the result goes past the caches: it is larger than those, and its memory is mapped.
    fn streams(&self, sink: &dyn ChunkSink) -> bool {
        const CACHE_BYTES: u64 = 32 << 20;
        sink.lends() == Some(Lent::Used) && bytes(self.dtype, &Region::whole(self.grid.shape())) > CACHE_BYTES
    }

    /// Runs a kernel, in place where that can be; `None` when the block is written.
    fn map(
        &self,
        kernel: &Kernel,
        region: &Region,
        inputs: &mut [Value],
        stop: Stop<'_>,
    ) -> Result<Option<Chunk>, BoxError> {
        let kernel = kernel.stoppable(stop);
        let operands = kernel_operands(&self.feeds, &self.needs(region, 0), inputs, &self.recycler)?;
        let block = match self.lender() {
            Some(sink) => {
                let streams = self.streams(&**sink);
                fill(&**sink, region, |window| {
                    let filled = match streams {
                        true => kernel.fill_streaming(&operands, window),
                        false => kernel.fill(&operands, window),
                    };
                    filled.map_err(kernel_error)
                })?;
                None
            }
            None => {
                let room = self.recycler.take(self.dtype, region.len());
                Some(kernel.map_in(&operands, region.shape(), room).map_err(kernel_error)?)
            }
        };
        recycle(operands, &self.recycler);
        Ok(block)
    }

    fn compute(&self, region: &Region, inputs: &mut [Value]) -> Result<Chunk, BoxError> {
        if let BlockOp::FromObject(from) = &self.block_op {
            return Ok(from.run(&inputs[0].object())?);
        }
        if region.is_empty() {
            return Ok(Chunk::zeros(self.dtype, region.shape()));
        }
        let needs = self.needs(region, 0);
        let blocks: usize =
            inputs.iter().map(|input| if let Value::Block(c) = input { c.len() } else { 0 }).sum();
        let mut operands = operands(&self.feeds, &needs, inputs, &self.recycler)?;
        Ok(match &self.block_op {
            BlockOp::View(view) => {
                let held = blocks.max(self.decoded(&operands[0]));
                self.compact(operands.swap_remove(0).view(&view.pull(region).1), held)
            }
            BlockOp::Gather => self.compact(operands.swap_remove(0), blocks),
            BlockOp::Map(_) | BlockOp::FromObject(_) | BlockOp::Rule(..) => {
                unreachable!("they are run before operands are read")
            }
            BlockOp::Runs => Chunk::from_runs(self.dtype, region.shape(), &operands)?,
            BlockOp::Concat(..) if operands.len() == 1 => operands.swap_remove(0),
            BlockOp::Concat(concat, starts) => {
                let places = concat.parts(region, starts).map(|(_, place)| place);
                Chunk::assemble(self.dtype, region.shape(), places.zip(&operands))?
            }
        })
    }

    /// Elements that the task itself decoded or generated to have this operand.
    fn decoded(&self, operand: &Chunk) -> usize {
        match &self.feeds[0] {
            Feed::Source(source) if source.cost() > ReadCost::Free => operand.len(),
            _ => 0,
        }
    }

    /// Copies a small part of what is held, so that it does not keep the rest alive, and any part
    /// that is to have its own memory.
    fn compact(&self, part: Chunk, held: usize) -> Chunk {
        if self.owned || part.len() < held / 2 { part.to_owned_copy() } else { part }
    }
}

impl Layer<Value> for BlockLayer {
    fn eviction(&self, _: u32) -> Eviction {
        self.eviction
    }

    fn retries(&self) -> bool {
        may_fail_to_read(&self.feeds, self.retry)
    }

    fn retry(&self, _: u32, failed: u32, error: &(dyn std::error::Error + 'static)) -> Option<Duration> {
        retry_read(self.retry, failed, error)
    }

    fn run(&self, index: u32, inputs: &mut [Value], cx: &TaskCx<'_>) -> Result<Value, BoxError> {
        let (index, steps) = (index as usize, self.block_op.steps());
        let (region, step) = (self.grid.region(&self.grid.block(index / steps)), index % steps);
        let cancelled = || cx.cancelled();
        let block = match &self.block_op {
            BlockOp::Map(kernel) if !region.is_empty() => {
                self.map(kernel, &region, inputs, Stop::when(&cancelled))?
            }
            BlockOp::Rule(rule, _) if !region.is_empty() => {
                self.step(rule, &region, step, inputs, &cancelled)?
            }
            _ => Some(self.compute(&region, inputs)?),
        };
        let Some(chunk) = block else { return Ok(Value::Written) };
        if step + 1 < steps {
            return Ok(Value::Block(chunk));
        }
        write(&self.sinks, &region, &chunk)?;
        Ok(if self.used { Value::Block(chunk) } else { Value::Written })
    }

    fn label(&self, index: u32) -> String {
        let index = index / number_of(self.block_op.steps());
        match self.groups {
            true => self.label.of_region(&self.grid.region(&self.grid.block(index as usize))),
            false => self.label.of(index),
        }
    }
}

/// Lets a kernel or a rule write to the memory of a sink.
fn fill(
    sink: &dyn ChunkSink,
    region: &Region,
    mut write: impl for<'w> FnMut(Window<'w>) -> Result<Written<'w>, BoxError>,
) -> Result<(), BoxError> {
    let mut failure = None;
    sink.fill(region, &mut |window| write(window).map_err(|error| failure = Some(error)).ok())?;
    failure.map_or(Ok(()), Err)
}

pub(crate) fn write(sinks: &[Arc<dyn ChunkSink>], region: &Region, chunk: &Chunk) -> Result<(), BoxError> {
    for sink in sinks {
        sink.write(region, chunk)?;
    }
    Ok(())
}
