//! Products of files within a tenth of their bytes.
//!
//! In a file of its own: it measures what the whole process allocates.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

use chunkwise::prelude::*;
use chunkwise::random::Generator;

use counting::{measured, turn};

/// Rows and columns of the operands.
const SIDE: usize = 2048;

/// Rows and columns of a block: two panels of such blocks take more than the limit.
const BLOCK: usize = 256;

/// The memory limit: a tenth of both operands.
const LIMIT: usize = 2 * SIDE * SIDE * 8 / 10;

const _: () = assert!(2 * BLOCK * SIDE * 8 > LIMIT, "two panels do not fit");

/// Graphs, tasks, queues: what is not elements.
const SMALL: usize = 1 << 20;

#[test]
fn product_of_two_files_stays_within_a_tenth_of_them() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let unlimited = Runtime::builder().threads(2).no_memory_limit().build().unwrap();
    let file = |name: &str, seed: u64| {
        let path = folder.path().join(name);
        let values: LazyArray2<f64> = Generator::new(seed).uniform(0.0, 1.0, (SIDE, SIDE), BLOCK);
        unlimited.store_npy(&values, &path).unwrap();
        chunkwise::open_npy::<f64, Ix2>(&path).unwrap().rechunk(BLOCK)
    };
    let (a, b) = (file("a.npy", 1), file("b.npy", 2));
    let products = [a.dot(&b), a.t().dot(&(&b + 1.0))];
    for (number, product) in products.iter().enumerate() {
        let want = unlimited.compute(product).unwrap();
        for threads in [1, 3] {
            let rt = Runtime::builder().threads(threads).memory_limit_bytes(LIMIT as u64);
            let rt = rt.spill_dir(folder.path()).build().unwrap();
            let target = folder.path().join("product.npy");
            let (stored, held, _) = measured(|| rt.store_npy(product, &target));
            stored.unwrap();
            assert!(held <= LIMIT + SMALL, "product {number}: {held} bytes on {rt:?}, limit {LIMIT}");
            let stored = chunkwise::open_npy::<f64, Ix2>(&target).unwrap();
            assert!(unlimited.compute(&stored).unwrap() == want, "product {number} on {rt:?}");
        }
    }
}
