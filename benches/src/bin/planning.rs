//! Times planning: from an expression that is built to tasks in their order, nothing run.
//!
//! ```text
//! cargo run --release -p chunkwise-benches --bin planning                 # 1,000 and 1,000,000 nodes
//! cargo run --release -p chunkwise-benches --bin planning -- 100 10000    # other numbers
//! ```
//!
//! | expression | what it has of n nodes |
//! |---|---|
//! | `chain` | `sqrt` of `sqrt` of ..: one program, or many where it is long |
//! | `doubling` | `x = x + x`: 2^n paths from the result to the source |
//! | `means` | a mean of each of n / 3 maps of one array, added up |
//! | `sliced` | a slice of a slice of ..: each of `x + 1`, so that every one moves through all before it |
//!
//! A line each: `{"expression": .., "nodes": .., "plan_ms": .., "ns_a_node": ..}`, the least of five runs.

use std::time::Instant;

use chunkwise::prelude::*;

type Made = fn(usize, &LazyArray1<f64>) -> LazyArray1<f64>;

const EXPRESSIONS: [(&str, Made); 4] =
    [("chain", chain), ("doubling", doubling), ("means", means), ("sliced", sliced)];

fn main() -> chunkwise::Result<()> {
    let given: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if given.is_empty() { vec![1_000, 1_000_000] } else { given };
    let runtime = Runtime::builder().threads(1).build()?;
    for nodes in sizes {
        for (name, make) in EXPRESSIONS {
            let expression = make(nodes, &LazyArray::from_vec(vec![1.0; 1000], 1000));
            let mut least = f64::INFINITY;
            for _ in 0..5 {
                let start = Instant::now();
                let plan = runtime.plan(&expression)?;
                least = least.min(start.elapsed().as_secs_f64());
                assert!(plan.tasks() > 0);
            }
            println!(
                "{{\"expression\": \"{name}\", \"nodes\": {nodes}, \"plan_ms\": {:.3}, \"ns_a_node\": {:.0}}}",
                least * 1e3,
                least * 1e9 / nodes as f64
            );
        }
    }
    Ok(())
}

fn chain(nodes: usize, x: &LazyArray1<f64>) -> LazyArray1<f64> {
    (1..nodes).fold(x.clone(), |x, _| x.sqrt())
}

fn doubling(nodes: usize, x: &LazyArray1<f64>) -> LazyArray1<f64> {
    (1..nodes).fold(x.clone(), |x, _| &x + &x)
}

fn means(nodes: usize, x: &LazyArray1<f64>) -> LazyArray1<f64> {
    let mean = |i: usize| (x * (i as f64)).mean();
    let all = (1..nodes / 3).fold(mean(0), |sum, i| sum + mean(i));
    x + all
}

fn sliced(nodes: usize, x: &LazyArray1<f64>) -> LazyArray1<f64> {
    (0..nodes / 2).fold(x.clone(), |x, i| {
        // Ever shorter, down to one element.
        let keep = x.len() - usize::from(i % 1000 != 0 && x.len() > 1);
        (x + 1.0).slice(s![..keep])
    })
}
