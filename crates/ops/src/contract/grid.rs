//! How the result of a contraction and its summed axes are cut.
//!
//! The blocks of the operands are kept where they make products of a good size: large enough that packing them costs
//! little beside multiplying, small enough that several threads have something to do and that a block of the result
//! and what it is computed from stay in the caches. All numbers are constants: neither threads nor memory enter.

use chunkwise_chunk::{AxisChunks, ChunkGrid};

/// How large blocks and steps are made.
///
/// ```
/// use chunkwise_ops::contract::Limits;
/// assert_eq!(Limits::default().side, 512);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Longest side of a block of the result, unless the other side is shorter: its square is the largest area.
    pub side: usize,
    /// Shorter sides are joined to at least this much.
    pub least: usize,
    /// Elements that both operands of a step have together.
    pub step: usize,
    /// Summed elements of a step, where the axes have as many.
    pub least_summed: usize,
    /// Multiplications of a task, where there are as many.
    pub products: usize,
    /// Blocks of a result that are enough for all threads.
    pub blocks: usize,
    /// Steps that are worth a chain of tasks of their own.
    pub steps: usize,
}

impl Default for Limits {
    /// What is fast on today's machines.
    fn default() -> Limits {
        Limits {
            side: 512,
            least: 128,
            step: 1 << 20,
            least_summed: 256,
            products: 1 << 18,
            blocks: 32,
            steps: 4,
        }
    }
}

/// The cuts of the operands' axes by their part in the contraction.
pub(super) struct Parts {
    pub(super) batch: Vec<AxisChunks>,
    pub(super) left: Vec<AxisChunks>,
    pub(super) right: Vec<AxisChunks>,
    pub(super) summed: Vec<AxisChunks>,
}

/// The cuts that were chosen.
pub(super) struct Cuts {
    /// Batch axes, free axes of the left operand, free axes of the right one.
    pub(super) result: Vec<AxisChunks>,
    /// The summed axes: a block for each step.
    pub(super) steps: ChunkGrid,
    /// Independent sums that a block is made of.
    pub(super) segments: usize,
}

/// Chooses the cuts.
pub(super) fn choose(parts: &Parts, limits: &Limits) -> Cuts {
    let (m, n) = (length(&parts.left), length(&parts.right));
    let area = limits.side.saturating_mul(limits.side);
    let left = group(&parts.left, limits.least, limits.side.max(area / n.max(1)));
    let right = group(&parts.right, limits.least, limits.side.max(area / m.max(1)));
    let (m_block, n_block) = (block(&left), block(&right));
    let of_pair = m_block.saturating_mul(n_block);
    let most = (area / of_pair).max(1);
    let products = of_pair.saturating_mul(length(&parts.summed).clamp(1, limits.least_summed.max(1)));
    let batch = group(&parts.batch, (limits.products / products).clamp(1, most), most);
    let rows = m_block.saturating_add(n_block).saturating_mul(block(&batch));
    let summed = group(&parts.summed, limits.least_summed, (limits.step / rows).max(limits.least_summed));
    let steps = ChunkGrid::new(summed);
    let result: Vec<AxisChunks> = [batch, left, right].concat();
    let segments = segments(parts, &result, steps.num_blocks(), limits);
    Cuts { result, steps, segments }
}

/// One cut for an axis of both operands: that of the longer blocks, unless these are the whole axis.
pub(super) fn common(a: &AxisChunks, b: &AxisChunks) -> AxisChunks {
    let of_a = b.count() == 1 || (a.count() > 1 && a.max_chunk() >= b.max_chunk());
    if of_a { a.clone() } else { b.clone() }
}

/// A few blocks of many steps would be a few chains of tasks: they become sums of so many partial sums, which together
/// are small beside the operands.
fn segments(parts: &Parts, result: &[AxisChunks], steps: usize, limits: &Limits) -> usize {
    let blocks = result.iter().fold(1usize, |n, axis| n.saturating_mul(axis.count()));
    let rows = length(&parts.left).saturating_add(length(&parts.right));
    let inputs = rows.saturating_mul(length(&parts.batch)).saturating_mul(length(&parts.summed));
    let small = inputs / length(result).saturating_mul(4).max(1);
    (limits.blocks / blocks).min(steps / limits.steps.max(1)).min(small).max(1)
}

/// Cuts axes so that the product of their longest blocks lies between two bounds where it can, the inner axes first.
fn group(axes: &[AxisChunks], least: usize, most: usize) -> Vec<AxisChunks> {
    let (mut least, mut most) = (least.max(1), most.max(1));
    let mut cuts = axes.to_vec();
    for axis in cuts.iter_mut().rev() {
        *axis = cut(axis, least, most);
        let longest = axis.max_chunk().max(1);
        least = least.div_ceil(longest);
        most = (most / longest).max(1);
    }
    cuts
}

/// An axis in blocks of at least `least` and at most `most` elements, made of whole blocks or equal parts of them where
/// that is possible. O(1) but for listed blocks.
fn cut(axis: &AxisChunks, least: usize, most: usize) -> AxisChunks {
    let (len, longest) = (axis.len(), axis.max_chunk());
    if len <= least.min(most) {
        return AxisChunks::whole(len);
    }
    let average = len / axis.count();
    match axis.regular_chunk() {
        Some(chunk) if chunk < least => AxisChunks::regular(len, chunk * (least.min(most) / chunk).max(1)),
        Some(chunk) if chunk > most => AxisChunks::regular(len, part_of(chunk, most)),
        None if average < least => AxisChunks::regular(len, least.min(most)),
        None if longest > most => split(axis, most),
        _ => axis.clone(),
    }
}

/// A length of at most `most` that divides `chunk`, if there is one that is not much shorter; else one that does not.
fn part_of(chunk: usize, most: usize) -> usize {
    let pieces = chunk.div_ceil(most);
    let exact = (pieces..=pieces.saturating_mul(2).min(1024)).find(|pieces| chunk.is_multiple_of(*pieces));
    chunk.div_ceil(exact.unwrap_or(pieces))
}

/// Every listed block in equal parts.
fn split(axis: &AxisChunks, most: usize) -> AxisChunks {
    let mut sizes = Vec::new();
    for size in axis.sizes().filter(|&size| size > 0) {
        let pieces = size.div_ceil(most);
        sizes.extend((0..pieces).map(|piece| (piece + 1) * size / pieces - piece * size / pieces));
    }
    AxisChunks::explicit(axis.len(), &sizes).unwrap_or_else(|_| AxisChunks::regular(axis.len(), most))
}

fn length(axes: &[AxisChunks]) -> usize {
    axes.iter().fold(1, |n, axis| n.saturating_mul(axis.len()))
}

/// Elements of the largest block.
fn block(axes: &[AxisChunks]) -> usize {
    axes.iter().fold(1usize, |n, axis| n.saturating_mul(axis.max_chunk())).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrices(m: (usize, usize), k: (usize, usize), n: (usize, usize)) -> Cuts {
        let axis = |(len, chunk)| vec![AxisChunks::regular(len, chunk)];
        let parts = Parts { batch: Vec::new(), left: axis(m), right: axis(n), summed: axis(k) };
        choose(&parts, &Limits::default())
    }

    fn shown(cuts: &Cuts) -> String {
        format!("{} by {}", ChunkGrid::new(cuts.result.clone()), cuts.steps)
    }

    #[test]
    fn one_large_block_is_cut_for_all_threads() {
        let cuts = matrices((4000, 4000), (4000, 4000), (4000, 4000));
        assert_eq!(shown(&cuts), "(500, 500) by (1000,)");
        assert_eq!(cuts.segments, 1);
    }

    #[test]
    fn blocks_of_one_element_are_joined() {
        let cuts = matrices((1000, 1), (1000, 1), (1000, 1));
        assert_eq!(shown(&cuts), "(128, 128) by (256,)");
    }

    #[test]
    fn blocks_of_a_good_size_are_kept() {
        let cuts = matrices((1000, 300), (1000, 400), (1000, 200));
        assert_eq!(shown(&cuts), "(300, 200) by (400,)");
    }

    #[test]
    fn tall_operands_make_partial_sums() {
        let cuts = matrices((64, 64), (1_000_000, 250_000), (64, 64));
        assert_eq!(cuts.result.iter().map(AxisChunks::count).product::<usize>(), 1);
        assert_eq!(cuts.segments, 32);
    }

    #[test]
    fn irregular_blocks_are_split_evenly_and_empty_ones_vanish() {
        let axis = AxisChunks::explicit(2200, &[0, 1200, 0, 1000]).unwrap();
        assert_eq!(cut(&axis, 128, 512).sizes().collect::<Vec<_>>(), [400, 400, 400, 500, 500]);
        assert_eq!(cut(&AxisChunks::whole(0), 128, 512).count(), 1);
    }

    #[test]
    fn parts_divide_a_block_where_they_can() {
        assert_eq!(part_of(1000, 512), 500);
        assert_eq!(part_of(1005, 512), 335); // 1005 = 3 * 5 * 67
        assert_eq!(part_of(1021, 512), 511); // a prime number
    }
}
