//! Reductions: folds of blocks, merges in grid order, the final value.
//!
//! Siblings share folds and merges, whose partial results are of all of them; each finishes for itself.
//!
//! The tree depends on the grid alone: partial results of blocks in C order, merged by eights until at most eight are
//! left, which the finishing task merges itself. The partial result of a huge block is that of its pieces, merged by
//! eights until one is left. Each piece has a task of its own, unless the task reads what must be decoded: decoding is
//! by block, and pieces would do it again.
//!
//! The other way round, one task folds and merges 8, 64, 512, .. neighbouring blocks that are tiny, when it can read them
//! for itself: a subtree of the same tree, so this shows in no bit either.

use std::sync::Arc;
use std::time::Duration;

use chunkwise_chunk::{ChunkGrid, ChunkSink, Region};
use chunkwise_expr::{Meta, Needs, Reduce, element_needs};
use chunkwise_kernels::{Fold, KernelError, Partial, Stop, Stoppable};
use chunkwise_scheduler::{BoxError, Eviction, Layer, Retry, TaskCx};
use smallvec::SmallVec;

use super::blockwise::write;
use super::emit::number_of;
use super::evict::{may_fail_to_read, retry_read};
use super::feed::{Feed, kernel_error, kernel_operands, recycle};
use super::recycle::Recycler;
use super::{Label, Value};

/// Elements that a group of tiny blocks has at most: some tens of microseconds of work.
const GROUP_ELEMENTS: usize = 1 << 18;

/// Groups that are made at least, so that many threads have something to do.
const LEAST_GROUPS: usize = 32;

/// One task per block of the space that is folded, per piece of it, or per group of blocks.
pub(crate) struct FoldLayer {
    pub(crate) label: Label,
    pub(crate) fold: Arc<Fold>,
    pub(crate) space: ChunkGrid,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) metas: Vec<Meta>,
    /// Numbers of tasks for each block, of which smaller blocks use the first ones: the pieces of the largest block
    /// where each piece is a task, else one.
    pub(crate) numbers: usize,
    /// Where blocks are folded by groups.
    pub(crate) groups: Option<Groups>,
    /// How often reading is tried again.
    pub(crate) retry: Retry,
    pub(crate) recycler: Arc<Recycler>,
}

/// How blocks are grouped: `size` at a time, a power of [`Reduce::FAN_IN`], of those that are folded into one block of
/// the result. A task is numbered by that block, then by the group.
pub(crate) struct Groups {
    reduce: Reduce,
    results: ChunkGrid,
    size: usize,
}

impl Groups {
    /// The groups for tiny blocks; `None` when blocks are large or few.
    pub(crate) fn new(reduce: &Reduce) -> Option<Groups> {
        let reduce = Reduce { keepdims: false, ..reduce.clone() };
        let (elements, results) = (reduce.space.max_chunk().iter().product::<usize>(), reduce.result_grid());
        let count =
            |size: usize| reduce.blocks_per_result().div_ceil(size).saturating_mul(results.num_blocks());
        let fits =
            |size: &usize| size.saturating_mul(elements) <= GROUP_ELEMENTS && count(*size) >= LEAST_GROUPS;
        let sizes = std::iter::successors(Some(Reduce::FAN_IN), |size| size.checked_mul(Reduce::FAN_IN));
        let size = sizes
            .take_while(|size| size / Reduce::FAN_IN < reduce.blocks_per_result())
            .take_while(fits)
            .last()?;
        Some(Groups { reduce, results, size })
    }

    /// Number of groups for each block of the result.
    pub(crate) fn per_result(&self) -> usize {
        self.reduce.blocks_per_result().div_ceil(self.size)
    }

    /// The blocks of the group of this number.
    fn blocks(&self, index: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        let (result, group) = (index / self.per_result(), index % self.per_result());
        let end = ((group + 1) * self.size).min(self.reduce.blocks_per_result());
        self.reduce.some_blocks_of(&self.results.block(result), group * self.size..end)
    }

    /// A region as large as any block, and the partial results a task has at once: what its memory is estimated from.
    pub(crate) fn largest(&self) -> (Region, usize) {
        let shape = self.reduce.space.max_chunk();
        let levels = self.size.ilog(Reduce::FAN_IN) as usize + 1;
        (Region::whole(&shape), levels * Reduce::FAN_IN)
    }
}

/// Partial results that come one after the other, merged by eights as soon as there are eight: the tree of
/// [`Fold::merge_by_eights`], of which only the open branches are kept.
struct Eights<'f> {
    fold: Stoppable<'f, Fold>,
    /// Those that wait to be merged, fewer than eight a level, from the leaves up.
    levels: SmallVec<[Vec<Partial>; 6]>,
}

impl<'f> Eights<'f> {
    fn new(fold: Stoppable<'f, Fold>) -> Eights<'f> {
        Eights { fold, levels: SmallVec::new() }
    }

    fn push(&mut self, mut partial: Partial) -> Result<(), KernelError> {
        for waiting in &mut self.levels {
            waiting.push(partial);
            if waiting.len() < Reduce::FAN_IN {
                return Ok(());
            }
            partial = merged(&self.fold, waiting)?;
        }
        let mut level = Vec::with_capacity(Reduce::FAN_IN);
        level.push(partial);
        self.levels.push(level);
        Ok(())
    }

    /// What all of them give; there was at least one.
    fn finish(self) -> Result<Partial, KernelError> {
        let mut last = None;
        for mut waiting in self.levels {
            waiting.extend(last.take());
            last = match waiting.len() {
                0 | 1 => waiting.pop(),
                _ => Some(merged(&self.fold, &mut waiting)?),
            };
        }
        Ok(last.expect("groups have blocks"))
    }
}

/// Merges all of some partial results, and leaves their room.
fn merged(fold: &Stoppable<'_, Fold>, parts: &mut Vec<Partial>) -> Result<Partial, KernelError> {
    let merged = fold.merge(&parts.iter().collect::<SmallVec<[&Partial; Reduce::FAN_IN]>>());
    parts.clear();
    merged
}

impl FoldLayer {
    pub(crate) fn needs(&self, region: &Region) -> Needs {
        let metas: SmallVec<[&Meta; 3]> = self.metas.iter().collect();
        element_needs(region, &metas)
    }

    /// What the tasks of a block fold, in the order in which their partial results are merged.
    pub(crate) fn regions(&self, block: usize) -> SmallVec<[Region; 1]> {
        let region = self.space.region(&self.space.block(block));
        match self.numbers {
            1 => smallvec::smallvec![region],
            _ => (0..self.fold.pieces(&region)).map(|number| self.fold.piece(&region, number)).collect(),
        }
    }

    fn fold(&self, region: &Region, inputs: &mut [Value], stop: Stop<'_>) -> Result<Partial, BoxError> {
        let operands = kernel_operands(&self.feeds, &self.needs(region), inputs, &self.recycler)?;
        let partial = self.fold.stoppable(stop).fold(&operands, region).map_err(kernel_error)?;
        recycle(operands, &self.recycler);
        Ok(partial)
    }

    /// What the task of this number folds.
    fn region(&self, index: usize) -> Region {
        let region = self.space.region(&self.space.block(index / self.numbers));
        match self.numbers {
            1 => region,
            numbers => self.fold.piece(&region, index % numbers),
        }
    }
}

impl Layer<Value> for FoldLayer {
    fn retries(&self) -> bool {
        may_fail_to_read(&self.feeds, self.retry)
    }

    fn retry(&self, _: u32, failed: u32, error: &(dyn std::error::Error + 'static)) -> Option<Duration> {
        retry_read(self.retry, failed, error)
    }

    fn run(&self, index: u32, inputs: &mut [Value], cx: &TaskCx<'_>) -> Result<Value, BoxError> {
        let index = index as usize;
        let cancelled = || cx.cancelled();
        let stop = Stop::when(&cancelled);
        let partial = match &self.groups {
            None => self.fold(&self.region(index), inputs, stop)?,
            Some(groups) => {
                let mut parts = Eights::new(self.fold.stoppable(stop));
                for block in groups.blocks(index) {
                    let region = self.space.region(&self.space.block(block));
                    parts.push(self.fold(&region, &mut [], stop)?).map_err(kernel_error)?;
                }
                parts.finish().map_err(kernel_error)?
            }
        };
        Ok(Value::Partial(Arc::new(partial)))
    }

    fn label(&self, index: u32) -> String {
        match &self.groups {
            None => self.label.of(index / number_of(self.numbers)),
            Some(groups) => {
                let mut blocks = groups.blocks(index as usize);
                let first = blocks.next().unwrap_or(0);
                let last = blocks.last().unwrap_or(first);
                self.label.of_several(first, last)
            }
        }
    }
}

/// Merges partial results in the order of its inputs.
pub(crate) struct MergeLayer {
    pub(crate) label: Label,
    pub(crate) fold: Arc<Fold>,
}

impl Layer<Value> for MergeLayer {
    fn run(&self, _: u32, inputs: &mut [Value], cx: &TaskCx<'_>) -> Result<Value, BoxError> {
        let cancelled = || cx.cancelled();
        let merged = self.fold.stoppable(Stop::when(&cancelled)).merge(&partials(inputs));
        Ok(Value::Partial(Arc::new(merged.map_err(kernel_error)?)))
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index)
    }
}

/// Merges the last partial results of a block of the result and gives its value.
pub(crate) struct FinishLayer {
    pub(crate) label: Label,
    pub(crate) fold: Arc<Fold>,
    /// Which of the reductions that are folded together.
    pub(crate) member: usize,
    pub(crate) grid: ChunkGrid,
    pub(crate) sinks: Vec<Arc<dyn ChunkSink>>,
    pub(crate) used: bool,
}

impl Layer<Value> for FinishLayer {
    fn eviction(&self, _: u32) -> Eviction {
        Eviction::Spill
    }

    fn run(&self, index: u32, inputs: &mut [Value], cx: &TaskCx<'_>) -> Result<Value, BoxError> {
        let region = self.grid.region(&self.grid.block(index as usize));
        let cancelled = || cx.cancelled();
        let fold = self.fold.stoppable(Stop::when(&cancelled));
        let chunk = fold.finish_one(self.member, &partials(inputs)).map_err(kernel_error)?;
        write(&self.sinks, &region, &chunk)?;
        Ok(if self.used { Value::Block(chunk) } else { Value::Written })
    }

    fn label(&self, index: u32) -> String {
        self.label.of(index)
    }
}

fn partials(inputs: &[Value]) -> Vec<&Partial> {
    inputs.iter().map(Value::partial).collect()
}
