//! How an axis of a source is cut into the parts that steps take.

use chunkwise_chunk::{AxisChunks, ChunkGrid};

/// Elements of a block below which steps take several blocks at once: gathering them costs less than a task each.
const LEAST_ELEMENTS: usize = 1 << 15;

/// The part of an axis that a step takes: the blocks of the source, several where they are tiny. `beside` is the number of
/// elements that a block has for each index of the axis.
pub(super) fn cells(axis: &AxisChunks, beside: usize) -> AxisChunks {
    let chunk = axis.max_chunk().max(1);
    let wanted = LEAST_ELEMENTS / beside.max(1);
    if chunk >= wanted {
        // Places inside a cell are kept in 32 bits.
        let most = u32::MAX as usize;
        return if chunk > most { AxisChunks::regular(axis.len(), most) } else { axis.clone() };
    }
    AxisChunks::regular(axis.len(), chunk.saturating_mul(wanted / chunk))
}

/// Elements of the largest block of a grid for each index of these axes.
pub(super) fn beside(grid: &ChunkGrid, axes: &[usize]) -> usize {
    let others = grid.axes().iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    others.fold(1usize, |n, (_, cut)| n.saturating_mul(cut.max_chunk().max(1)))
}

/// The average length of the blocks of an axis that are not empty, at least 1.
pub(super) fn average(axis: &AxisChunks) -> usize {
    let blocks = match axis.regular_chunk() {
        Some(chunk) => return chunk.max(1),
        None => axis.sizes().filter(|&size| size > 0).count(),
    };
    axis.len().div_ceil(blocks.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiny_blocks_share_a_step_and_large_ones_do_not() {
        let sizes = |axis: &AxisChunks| axis.sizes().take(3).collect::<Vec<_>>();
        assert_eq!(sizes(&cells(&AxisChunks::regular(1 << 20, 1 << 16), 1)), [1 << 16; 3]);
        assert_eq!(sizes(&cells(&AxisChunks::regular(1 << 20, 1000), 1)), [32_000; 3]);
        assert_eq!(sizes(&cells(&AxisChunks::regular(1 << 20, 1000), 1 << 10)), [1000; 3]);
        assert_eq!(cells(&AxisChunks::regular(0, 4), 1), AxisChunks::whole(0));
    }

    #[test]
    fn average_leaves_out_empty_blocks() {
        assert_eq!(average(&AxisChunks::explicit(6, &[0, 4, 0, 2]).unwrap()), 3);
        assert_eq!(average(&AxisChunks::regular(10, 4)), 4);
        assert_eq!(average(&AxisChunks::whole(0)), 1);
    }
}
