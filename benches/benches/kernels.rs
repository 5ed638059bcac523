//! Times of every kernel on one thread, on operands in the cache.
//!
//! ```text
//! cargo bench -p chunkwise-benches --bench kernels              # all
//! cargo bench -p chunkwise-benches --bench kernels -- sqrt      # those whose name contains "sqrt"
//! ```

use chunkwise_benches::cases::{Case, cases};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

#[divan::bench(args = cases(), sample_count = 20)]
fn kernel(bencher: Bencher<'_, '_>, case: &Case) {
    bencher.counter(ItemsCount::new(case.elements())).bench(|| case.run());
}
