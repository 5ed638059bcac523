//! How an axis of a source is cut into the parts that steps take.

use chunkwise_chunk::{AxisChunks, ChunkGrid};

/// Elements of a block below which steps take several blocks at once: gathering them costs less than a task each.
const LEAST_ELEMENTS: usize = 1 << 15;

/// The parts of some axes that steps take: the blocks of the source, several where they are tiny.
pub(super) fn cells(grid: &ChunkGrid, axes: &[usize]) -> Vec<AxisChunks> {
    let longest = |axis: &AxisChunks| axis.max_chunk().max(1);
    let block = grid.axes().iter().fold(1usize, |n, axis| n.saturating_mul(longest(axis)));
    let mut merged = LEAST_ELEMENTS / block;
    let cell = |&axis: &usize| {
        let axis = grid.axis(axis);
        let several = merged.min(axis.count()).max(1);
        merged /= several;
        match several {
            1 => within_32_bits(axis),
            several => AxisChunks::regular(axis.len(), longest(axis) * several),
        }
    };
    axes.iter().map(cell).collect()
}

/// The blocks of an axis, cut where places inside of one would take more than 32 bits.
pub(super) fn within_32_bits(axis: &AxisChunks) -> AxisChunks {
    const MOST: usize = u32::MAX as usize;
    if axis.max_chunk() > MOST { AxisChunks::regular(axis.len(), MOST) } else { axis.clone() }
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
        let sizes = |shape: &[usize], chunk: &[usize], axes: &[usize]| -> Vec<usize> {
            cells(&ChunkGrid::regular(shape, chunk), axes).iter().map(AxisChunks::max_chunk).collect()
        };
        assert_eq!(sizes(&[1 << 20], &[1 << 16], &[0]), [1 << 16]);
        assert_eq!(sizes(&[1 << 20], &[1000], &[0]), [32_000]);
        assert_eq!(sizes(&[1 << 20, 1 << 10], &[1000, 1 << 10], &[0]), [1000]);
        assert_eq!(sizes(&[1 << 20, 1 << 20], &[16, 16], &[0, 1]), [16 * 128, 16]);
        assert_eq!(sizes(&[32, 1 << 20], &[16, 16], &[0, 1]), [32, 16 * 64]);
        assert_eq!(sizes(&[0], &[4], &[0]), [0]);
    }

    #[test]
    fn places_in_a_cell_fit_into_32_bits() {
        let axis = AxisChunks::whole(1 << 40);
        assert_eq!(cells(&ChunkGrid::whole(&[1 << 40]), &[0])[0].max_chunk(), u32::MAX as usize);
        assert_eq!(within_32_bits(&axis).count(), 257);
    }

    #[test]
    fn average_leaves_out_empty_blocks() {
        assert_eq!(average(&AxisChunks::explicit(6, &[0, 4, 0, 2]).unwrap()), 3);
        assert_eq!(average(&AxisChunks::regular(10, 4)), 4);
        assert_eq!(average(&AxisChunks::whole(0)), 1);
    }
}
