//! Promises about indexing: what it needs, what it holds, when it refuses, and where it follows NumPy.

use chunkwise::prelude::*;
use chunkwise::{Index, idx};
use ndarray::{Array1, arr1, arr2};

/// 64 blocks of 4096 numbers that each are computed by a task.
fn computed() -> LazyArray1<f64> {
    LazyArray::from_fn(64 * 4096, 4096, |i| i as f64)
}

/// Places all over the array, as many as one block has.
fn scattered() -> Vec<usize> {
    (0..4096).map(|i| i * 7919 % (64 * 4096)).collect()
}

const BLOCK: u64 = 8 * 4096;

#[test]
fn random_indices_need_a_task_for_each_part_of_the_source() {
    let taken = LazyArray::<f64, _>::zeros(1 << 22, 1 << 16)
        .take((0..1 << 16).map(|i| (i * 64 + 1) % (1 << 22)).collect::<Vec<usize>>(), Axis(0));
    // 64 blocks of the source, one of the result
    assert_eq!(taken.plan().unwrap().tasks(), 64);
}

#[test]
fn indices_that_lie_in_one_block_need_no_other() {
    let x = LazyArray::<f64, _>::zeros(1 << 22, 1 << 16);
    assert_eq!(x.take([5, 3, 3, 9], Axis(0)).plan().unwrap().tasks(), 1);
}

#[test]
fn take_holds_a_few_blocks_of_a_source_of_many() {
    let taken = computed().take(scattered(), Axis(0));
    let peak = taken.plan().unwrap().peak_bytes();
    // Steps take eight of these small blocks at once: those, the region of them, and the block of the result.
    assert!(peak <= 20 * BLOCK, "{peak} bytes");
    let want: Vec<f64> = scattered().iter().map(|&i| i as f64).collect();
    assert_eq!(taken.compute().unwrap(), Array1::from(want));
}

#[test]
fn take_of_lazy_indices_holds_a_few_blocks_of_a_source_of_many() {
    let indices: Vec<i64> = scattered().iter().map(|&i| i as i64).collect();
    let lazy = LazyArray::from_ndarray(arr1(&indices), 4096);
    let taken = computed().take(&lazy, Axis(0));
    let peak = taken.plan().unwrap().peak_bytes();
    assert!(peak <= 22 * BLOCK, "{peak} bytes");
    let want: Vec<f64> = scattered().iter().map(|&i| i as f64).collect();
    assert_eq!(taken.compute().unwrap(), Array1::from(want));
}

#[test]
fn result_has_blocks_of_the_average_length_of_the_source() {
    let x = LazyArray::<u8, _>::zeros(10, vec![vec![0, 4, 0, 2, 4]]);
    assert_eq!(x.take([1; 9], Axis(0)).chunks().to_string(), "(4,)");
}

#[test]
fn index_out_of_bounds_is_refused_when_built_with_index_and_length() {
    let x = LazyArray::<f64, _>::zeros((5, 3), 2);
    let text = x.take([0, 5], Axis(0)).check().unwrap_err().to_string();
    assert!(text.contains("take: index 5 is out of bounds for axis 0 of shape [5, 3]"), "{text}");
    assert!(text.contains("indexing.rs"), "{text}");
    assert!(x.index(idx![.., [-4]]).check().is_err());
    assert!(x.assign_at([7], Axis(1), 0.0).check().is_err());
    assert!(x.take(Vec::<usize>::new(), Axis(2)).check().is_err());
}

#[test]
fn lazy_index_out_of_bounds_is_an_error_of_the_run_that_names_it() {
    let x = LazyArray::<f64, _>::zeros(5, 2);
    let at = LazyArray::arange(3, 7, 1, 2);
    let text = x.take(&at, Axis(0)).compute().unwrap_err().to_string();
    assert!(text.contains("index 5 is out of bounds for axis 0 of length 5"), "{text}");
    assert!(text.contains("take"), "{text}");
    let huge = LazyArray::from_ndarray(arr1(&[u64::MAX]), 1);
    assert!(x.take(&huge, Axis(0)).compute().is_err());
}

#[test]
fn index_in_an_empty_axis_is_out_of_bounds() {
    let x = LazyArray::<f64, _>::zeros((0, 3), 2);
    assert!(x.take([0], Axis(0)).check().is_err());
    assert!(x.take(&LazyArray::arange(0, 1, 1, 1), Axis(0)).compute().is_err());
    assert_eq!(x.take(Vec::<i32>::new(), Axis(0)).compute().unwrap().dim(), (0, 3));
}

#[test]
fn arrays_on_several_axes_are_points() {
    let x = LazyArray::from_fn((3, 4), 2, |(i, j)| (10 * i + j) as i64);
    assert_eq!(x.index(idx![[0, 2], [1, -1]]).compute().unwrap(), arr1(&[1, 23]).into_dyn());
    let rows = arr2(&[[0], [2]]);
    assert_eq!(x.index(idx![rows, [1, 3]]).compute().unwrap(), arr2(&[[1, 3], [21, 23]]).into_dyn());
}

#[test]
fn mask_of_another_length_is_refused_and_an_empty_choice_is_empty() {
    let x = LazyArray::<u8, _>::zeros((3, 2), 2);
    assert!(x.index(idx![[true, false]]).check().is_err());
    assert_eq!(x.index(idx![[false, false, false]]).compute().unwrap().shape(), [0, 2]);
}

#[test]
fn position_among_arrays_counts_as_one() {
    let x = LazyArray::<u8, _>::zeros((2, 3, 4), 2);
    assert_eq!(x.index(idx![0, .., [1, 2]]).shape(), [2, 3]);
    assert_eq!(x.index(idx![.., 0, [1, 2]]).shape(), [2, 2]);
    assert_eq!(x.index(idx![Index::NewAxis, .., [1, 2]]).shape(), [1, 2, 2, 4]);
}

#[test]
fn assignment_leaves_what_was_built_before_as_it_was() {
    let x = LazyArray::arange(0, 10, 1, 3);
    let y = &x + 1;
    // ndarray's negative step walks the range from its end.
    let z = x.assign(s![..;-2], &LazyArray::arange(1, 6, 1, 2));
    assert_eq!(z.compute().unwrap(), arr1(&[0, 5, 2, 4, 4, 3, 6, 2, 8, 1]));
    assert_eq!(y.compute().unwrap(), (1..11).collect::<Array1<i32>>());
    assert_eq!(x.compute().unwrap(), (0..10).collect::<Array1<i32>>());
}

#[test]
fn last_of_equal_indices_is_assigned() {
    let x = LazyArray::arange(0, 4, 1, 3);
    let y = x.assign_at([1, 1], Axis(0), &LazyArray::arange(5, 7, 1, 1));
    assert_eq!(y.compute().unwrap(), arr1(&[0, 6, 2, 3]));
}

#[test]
fn covered_blocks_are_not_computed_and_others_are_not_touched() {
    let old = LazyArray::from_fn(12, 4, |i| {
        assert!(!(4..8).contains(&i), "these are replaced");
        i as i64
    });
    let want = arr1(&[0, 1, 2, 3, 9, 9, 9, 9, 8, 9, 10, 11]);
    assert_eq!(old.assign(s![4..8], 9).compute().unwrap(), want);
    assert_eq!(old.assign_at([4, 5, 6, 7], Axis(0), 9).compute().unwrap(), want);
}

#[test]
fn delete_of_a_range_keeps_what_is_before_and_after_it() {
    let x = LazyArray::arange(0, 10, 1, 4);
    let without = |range: Index| x.delete(range, Axis(0)).compute().unwrap();
    assert_eq!(without((3..6).into()), arr1(&[0, 1, 2, 6, 7, 8, 9]));
    assert_eq!(without((..-8).into()), arr1(&[2, 3, 4, 5, 6, 7, 8, 9]));
    assert_eq!(without((1..).into()), arr1(&[0]));
    assert_eq!(without((6..6).into()).len(), 10);
    assert_eq!(without((..).into()).len(), 0);
}

#[test]
fn delete_takes_a_mask_for_a_mask() {
    let x = LazyArray::arange(0, 5, 1, 2);
    let mask = [false, true, false, false, true];
    assert_eq!(x.delete(mask, Axis(0)).compute().unwrap(), arr1(&[0, 2, 3]));
    assert_eq!(x.delete([1, -1, 1], Axis(0)).compute().unwrap(), arr1(&[0, 2, 3]));
    assert!(x.delete([true], Axis(0)).check().is_err());
}

#[test]
fn equal_takes_of_one_array_are_one() {
    let x = LazyArray::<f64, _>::ones(100, 10);
    let sum = x.take([3, 99], Axis(0)) + x.take([3, 99], Axis(0));
    let other = x.take([3, 99], Axis(0)) + x.take([4, 99], Axis(0));
    assert!(sum.plan().unwrap().tasks() < other.plan().unwrap().tasks());
}
