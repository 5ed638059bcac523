//! Tiny blocks of results computed several at a time.
//!
//! A task costs about a microsecond, whatever it does. The elements of a map, or of a source, depend on nothing but
//! their place: where all inputs can be read in any regions, and whoever takes the result takes it in any, neighbouring
//! blocks are computed as one larger block. It shows in no bit. Reductions group the blocks they fold in
//! [`reduce`](super::reduce), along their tree of merges.

use chunkwise_chunk::{AxisChunks, ChunkGrid, Region};
use chunkwise_expr::{ExprGraph, NodeId, Op};

use super::feed::is_at_hand;

/// Elements that a task has at most: some tens of microseconds of work.
const GROUP_ELEMENTS: u64 = 1 << 16;

/// Groups that are made at least, so that many threads have something to do.
const LEAST_GROUPS: usize = 32;

/// Bytes of the budget for each element of a group. With its operands an element takes some hundred at most, so a group
/// takes a small part of the budget, and what fits block by block fits by groups.
const BUDGET_AN_ELEMENT: u64 = 1 << 10;

/// Elements that a group of blocks may have within a budget.
pub(crate) fn most_elements(budget: Option<u64>) -> usize {
    let fit = budget.map_or(GROUP_ELEMENTS, |bytes| bytes / BUDGET_AN_ELEMENT);
    fit.min(GROUP_ELEMENTS) as usize
}

/// The blocks in which a result is computed that is in blocks of `grid`, and may be in any: coarser ones of up to `most`
/// elements where the inputs are at hand.
pub(crate) fn result_grid(graph: &ExprGraph, id: NodeId, grid: &ChunkGrid, most: usize) -> ChunkGrid {
    let at_hand = |id: NodeId| match &graph.node(id).op {
        Op::Literal(_) => true,
        Op::Source(source) => is_at_hand(&**source.source()),
        _ => false,
    };
    let groupable = match &graph.node(id).op {
        Op::Element(_) | Op::Fused(..) => graph.inputs(id).iter().all(|&input| at_hand(input)),
        _ => at_hand(id),
    };
    match groupable {
        true => coarsened(grid, most.min(Region::whole(grid.shape()).len() / LEAST_GROUPS)),
        false => grid.clone(),
    }
}

/// Neighbouring blocks put together, along the innermost axes first, to blocks of at most `most` elements.
fn coarsened(grid: &ChunkGrid, most: usize) -> ChunkGrid {
    let mut elements = grid.max_chunk().iter().fold(1usize, |n, &len| n.saturating_mul(len.max(1)));
    let mut axes = grid.axes().to_vec();
    for axis in axes.iter_mut().rev() {
        let fit = most / elements;
        if fit < 2 {
            break;
        }
        let (before, count) = (axis.max_chunk().max(1), axis.count());
        *axis = grouped(axis, fit.min(count.max(1)));
        elements = elements / before * axis.max_chunk().max(1);
        if fit < count {
            break; // longer blocks than one of a whole axis are not in one piece
        }
    }
    ChunkGrid::new(axes)
}

/// `size` chunks of an axis at a time.
fn grouped(axis: &AxisChunks, size: usize) -> AxisChunks {
    if let Some(chunk) = axis.regular_chunk() {
        return AxisChunks::regular(axis.len(), chunk.saturating_mul(size).min(axis.len()).max(chunk));
    }
    let sizes: Vec<usize> = axis.sizes().collect();
    let sums: Vec<usize> = sizes.chunks(size).map(|group| group.iter().sum()).collect();
    AxisChunks::explicit(axis.len(), &sums).expect("sums of all sizes are sizes")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chunkwise_optimize::{GROUP_BLOCKS, OptimizeOptions};
    use chunkwise_scheduler::Progress;
    use ndarray::Array1;

    use super::*;
    use crate::{LazyArray, Runtime};

    /// `sin(x) + x` in chunks of one element, and the tasks it took.
    fn computed(options: OptimizeOptions) -> (Vec<u64>, u64) {
        let progress = Arc::new(Progress::new());
        let runtime = Runtime::builder().threads(2).optimizer(options).build().unwrap();
        let runtime = runtime.observed_by(progress.clone());
        let x = LazyArray::from_ndarray(Array1::from_iter((0..1000).map(|i| f64::from(i) / 7.0)), 1);
        let values = runtime.compute(x.sin() + &x).unwrap();
        (values.iter().map(|value| value.to_bits()).collect(), progress.tasks())
    }

    #[test]
    fn groups_are_few_tasks_and_give_the_same_bits() {
        let (grouped, tasks) = computed(OptimizeOptions::all());
        let (alone, each) = computed(OptimizeOptions::all().without(GROUP_BLOCKS));
        // 1000 / 32 = 31 blocks a group, in 33 groups.
        assert_eq!((tasks, each), (33, 1000));
        assert_eq!(grouped, alone);
    }

    #[test]
    fn blocks_stay_alone_where_memory_is_too_short_for_groups() {
        let x = LazyArray::from_ndarray(Array1::from_iter((0..100_000).map(f64::from)), 1);
        let alone = OptimizeOptions::all().without(GROUP_BLOCKS);
        let plan = Runtime::builder().threads(1).optimizer(alone).build().unwrap().plan(x.sin()).unwrap();
        for spare in [0, 8, 100, 1000] {
            let limit = plan.peak_bytes() + spare;
            let limited = Runtime::builder().threads(1).memory_limit_bytes(limit).build().unwrap();
            assert_eq!(limited.compute(x.sin()).unwrap()[1], 1.0_f64.sin());
        }
    }

    #[test]
    fn failure_in_a_group_names_its_blocks() {
        let x = LazyArray::from_ndarray(Array1::from_iter((0..1000).map(|i| i % 990)), 1);
        let divisor = LazyArray::from_ndarray(Array1::from_iter((0..1000).map(|i| i32::from(i != 40))), 1);
        let err = Runtime::builder().threads(1).build().unwrap().compute(&x / &divisor).unwrap_err();
        assert!(err.to_string().contains("one of the blocks [31] to [61] of shape [1000]"), "{err}");
    }

    fn grid(shape: &[usize], chunk: &[usize]) -> ChunkGrid {
        ChunkGrid::regular(shape, chunk)
    }

    #[test]
    fn tiny_blocks_are_put_together_up_to_a_size() {
        assert_eq!(coarsened(&grid(&[1000], &[1]), 64), grid(&[1000], &[64]));
        assert_eq!(coarsened(&grid(&[1000], &[10]), 64), grid(&[1000], &[60]));
    }

    #[test]
    fn inner_axes_come_first() {
        assert_eq!(coarsened(&grid(&[100, 8], &[1, 2]), 64), grid(&[100, 8], &[8, 8]));
        assert_eq!(coarsened(&grid(&[100, 100], &[2, 5]), 64), grid(&[100, 100], &[2, 30]));
    }

    #[test]
    fn irregular_chunks_are_put_together_by_number() {
        let axis = |sizes: &[usize]| AxisChunks::explicit(sizes.iter().sum(), sizes).unwrap();
        let tiny = ChunkGrid::new([axis(&[1, 0, 3, 2, 1])]);
        assert_eq!(coarsened(&tiny, 6), ChunkGrid::new([axis(&[1, 5, 1])]));
    }

    #[test]
    fn a_group_takes_a_small_part_of_the_budget() {
        assert_eq!(most_elements(None), 1 << 16);
        assert_eq!(most_elements(Some(1 << 20)), 1 << 10);
        assert_eq!(coarsened(&grid(&[1000], &[1]), most_elements(Some(100))), grid(&[1000], &[1]));
    }

    #[test]
    fn large_blocks_and_empty_arrays_stay() {
        for same in [grid(&[1000], &[40]), grid(&[0, 5], &[1, 5]), grid(&[], &[])] {
            assert_eq!(coarsened(&same, 64), same);
        }
    }
}
