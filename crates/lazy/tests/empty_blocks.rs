//! Blocks without elements, where memory is short.

use chunkwise_lazy::prelude::*;
use ndarray::{Array3, Ix3};

#[test]
fn rechunk_through_pieces_passes_over_blocks_without_elements() {
    let element = |at: [usize; 3]| (at[0] * 100 + at[1] * 10 + at[2]) as f64;
    let x = LazyArray::<f64, Ix3>::from_blocks(
        (7, 7, 3),
        (vec![3, 2, 0, 0, 1, 1], vec![0, 3, 2, 2, 0], 3),
        move |block| {
            let shape = (block.shape[0], block.shape[1], block.shape[2]);
            let start = [block.start[0], block.start[1], block.start[2]];
            Array3::from_shape_fn(shape, |(i, j, k)| element([start[0] + i, start[1] + j, start[2] + k]))
        },
    );
    let turned = x.rechunk((vec![2, 4, 0, 1], 7, 1)).permuted_axes([1, 2, 0]);
    let rows = turned.rechunk((4, 1, 7)).cumsum(Axis(2));
    let mut pieces = 0;
    let plain = rows.plan().unwrap().tasks();
    for limit in (100..6000).step_by(50) {
        let runtime = Runtime::builder().threads(2).memory_limit_bytes(limit).build().unwrap();
        let Ok(plan) = runtime.plan(&rows) else { continue };
        pieces += usize::from(plan.tasks() > plain);
        let sums: Array3<f64> = runtime.compute(&rows).unwrap();
        for (at, &sum) in sums.indexed_iter() {
            let want: f64 = (0..=at.2).map(|j| element([j, at.0, at.1])).sum();
            assert_eq!(sum, want, "{at:?} within {limit} bytes");
        }
    }
    assert!(pieces > 0, "no limit made pieces");
}
