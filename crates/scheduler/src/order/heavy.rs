//! Which input of a task to compute first: the one that needs more memory on the way.
//!
//! It owns the estimate of Sethi and Ullman (J. ACM 17, 1970), in bytes and with the graph taken for a tree. The
//! estimate is compared by powers of two only: sorting by its exact value tears neighbours apart.

use crate::TaskBytes;
use crate::csr::Csr;

/// The inputs of each task, those that need much more memory first; `None` if that is the order given.
pub(super) fn heavy_first(inputs: &Csr, bytes: &[TaskBytes]) -> Option<Csr> {
    let mut sorted: Option<Csr> = None;
    let mut needs: Vec<u64> = Vec::with_capacity(inputs.rows());
    for task in 0..inputs.rows() as u32 {
        let mut row = inputs.row(task);
        let lightness = |input: &u32| needs[*input as usize].leading_zeros();
        if !row.is_sorted_by_key(lightness) {
            let all = sorted.get_or_insert_with(|| inputs.clone());
            all.row_mut(task).sort_by_key(lightness);
            row = all.row(task);
        }
        needs.push(need(row, bytes[task as usize].total(), bytes, &needs));
    }
    sorted
}

/// Peak bytes of computing the inputs one after the other, then the task.
fn need(inputs: &[u32], own: u64, bytes: &[TaskBytes], needs: &[u64]) -> u64 {
    let (mut held, mut peak) = (0_u64, 0_u64);
    for &input in inputs {
        peak = peak.max(held.saturating_add(needs[input as usize]));
        held = held.saturating_add(bytes[input as usize].output);
    }
    peak.max(held.saturating_add(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heavy_input_comes_first_and_equals_keep_their_order() {
        let bytes = [1, 1, 64, 1].map(|output| TaskBytes { output, scratch: 0 });
        let mut inputs = Csr::new();
        (0..3).for_each(|_| inputs.push_row([]));
        inputs.push_row([1, 0, 2]);
        assert_eq!(heavy_first(&inputs, &bytes).map(|sorted| sorted.row(3).to_vec()), Some(vec![2, 1, 0]));
    }

    #[test]
    fn inputs_of_like_weight_stay_as_they_are() {
        let bytes = [100, 120].map(|output| TaskBytes { output, scratch: 0 });
        let mut inputs = Csr::new();
        (0..2).for_each(|_| inputs.push_row([]));
        inputs.push_row([0, 1]);
        assert_eq!(heavy_first(&inputs, &[bytes[0], bytes[1], bytes[0]]), None);
    }
}
