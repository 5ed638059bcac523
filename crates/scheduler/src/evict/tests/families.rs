//! Bytes moved on the graph families of array programs.

use Eviction::{Rerun, Spill};

use super::*;
use crate::order;

const CHUNK: u64 = 960 << 10;
const TINY: u64 = 10 << 10;

fn sources(dag: &mut Dag, count: usize, eviction: Eviction) -> Vec<u32> {
    (0..count).map(|_| dag.add(&[], CHUNK, 0, eviction)).collect()
}

fn each(dag: &mut Dag, inputs: &[u32], output: u64) -> Vec<u32> {
    inputs.iter().map(|&input| dag.add(&[input], output, 0, Spill)).collect()
}

/// A partial result for each chunk, then a tree of fan-in 8.
fn reduce(dag: &mut Dag, inputs: &[u32]) -> u32 {
    let mut level = each(dag, inputs, TINY);
    while level.len() > 1 {
        level = level.chunks(8).map(|group| dag.add(group, TINY, 0, Spill)).collect();
    }
    level[0]
}

/// x - x.mean() with 128 chunks.
fn minus_mean(eviction: Eviction) -> Dag {
    let mut dag = Dag::default();
    let x = sources(&mut dag, 128, eviction);
    let mean = reduce(&mut dag, &x);
    for chunk in x {
        dag.add(&[chunk, mean], CHUNK, 0, Spill);
    }
    dag
}

/// a.dot(b) with 10 x 10 chunks each.
fn product(a: Eviction, b: Eviction) -> Dag {
    let mut dag = Dag::default();
    let side = 10;
    let a = sources(&mut dag, side * side, a);
    let b = sources(&mut dag, side * side, b);
    for at in 0..side * side {
        let (row, column) = (at / side, at % side);
        let mut sum = None;
        for k in 0..side {
            let mut inputs = vec![a[row * side + k], b[k * side + column]];
            inputs.extend(sum);
            sum = Some(dag.add(&inputs, CHUNK, 0, Spill));
        }
    }
    dag
}

/// Rows to columns.
fn rechunk(count: usize) -> Dag {
    let mut dag = Dag::default();
    let mut pieces: Vec<Vec<u32>> = Vec::new();
    for _ in 0..count {
        let row = dag.add(&[], CHUNK, 0, Spill);
        pieces.push(each(&mut dag, &vec![row; count], CHUNK / count as u64));
    }
    for column in 0..count {
        let inputs: Vec<u32> = pieces.iter().map(|row| row[column]).collect();
        let joined = dag.add(&inputs, CHUNK, 0, Spill);
        dag.add(&[joined], TINY, 0, Spill);
    }
    dag
}

/// The graph renumbered by the order a plan would choose, evicted to `chunks`.
fn planned(dag: &Dag, chunks: u64) -> Evicted<u64> {
    let order::Ordered { graph, created, users, .. } = order::reorder_for_less(order::reorder(dag.graph()));
    let old = |task: u32| created.as_ref().map_or(task, |created| created[task as usize]);
    let evicted = evict(graph, &users, |task| dag.eviction[old(task) as usize], chunks * CHUNK).unwrap();
    assert!(evicted.peak.bytes <= chunks * CHUNK);
    evicted
}

/// Six passes over two arrays of 32 chunks, one of sources and one computed.
fn passes() -> Dag {
    let mut dag = Dag::default();
    let sources = sources(&mut dag, 32, Rerun);
    let computed: Vec<u32> = (0..32)
        .map(|_| {
            let seed = dag.add(&[], TINY, 0, Spill);
            dag.add(&[seed], CHUNK, 0, Spill)
        })
        .collect();
    let mut vector = dag.add(&[], TINY, 0, Spill);
    for _ in 0..6 {
        let mut parts = Vec::new();
        for (&a, &b) in sources.iter().zip(&computed) {
            parts.push(dag.add(&[a, vector], TINY, 0, Spill));
            parts.push(dag.add(&[b, vector], TINY, 0, Spill));
        }
        vector = dag.add(&parts, TINY, 0, Spill);
    }
    dag
}

/// Chunks written, read and made again, rounded up.
fn moved(dag: &Dag, chunks: u64) -> [u64; 3] {
    let evicted = planned(dag, chunks);
    [evicted.spilled, evicted.loaded, evicted.rerun].map(|bytes| bytes.div_ceil(CHUNK))
}

// Beside the mean and the first chunk of the result there is room for 38 of 128 chunks.
#[test]
fn subtracting_the_mean_moves_what_does_not_fit_once() {
    assert_eq!(moved(&minus_mean(Spill), 40), [90, 90, 0]);
}

#[test]
fn subtracting_the_mean_of_sources_writes_nothing() {
    assert_eq!(moved(&minus_mean(Rerun), 40), [0, 0, 90]);
}

// Beside the first column there is room for 15 of 24 chunks of pieces.
#[test]
fn rechunk_moves_the_pieces_that_do_not_fit_once() {
    assert_eq!(moved(&rechunk(24), 16), [9, 9, 0]);
}

#[test]
fn a_blocked_product_reads_less_the_more_it_may_hold() {
    assert_eq!(moved(&product(Spill, Spill), 30), [83, 744, 0]);
    assert_eq!(moved(&product(Spill, Spill), 80), [40, 287, 0]);
}

#[test]
fn a_blocked_product_of_sources_writes_nothing() {
    assert_eq!(moved(&product(Rerun, Rerun), 30), [0, 0, 738]);
    assert_eq!(moved(&product(Spill, Rerun), 30), [0, 0, 738]);
}

// With one price for all, 20 chunks are written and 105 read in 30 chunks of memory, 10 and 45 in 50.
#[test]
fn passes_over_sources_and_computed_values_make_the_sources_again() {
    let [written, read, again] = moved(&passes(), 30);
    assert!(written <= 4 && read <= 24 && again <= 160, "{written} {read} {again}");
    let [written, read, again] = moved(&passes(), 50);
    assert!(written == 0 && read == 0 && again <= 75, "{written} {read} {again}");
}

#[test]
fn a_value_with_many_users_is_moved_in_linear_time() {
    let mut dag = Dag::default();
    let shared = dag.add(&[], CHUNK, 0, Spill);
    for _ in 0..100_000 {
        dag.add(&[], 0, 2 * CHUNK, Spill);
        dag.add(&[shared, shared], TINY, 0, Spill);
    }
    let graph = dag.graph();
    let users = graph.inputs.transposed();
    let evicted = evict(graph, &users, |task| dag.eviction[task as usize], 2 * CHUNK).unwrap();
    assert_eq!((evicted.records, evicted.spilled), (1, CHUNK));
    assert_eq!(evicted.loaded, 100_000 * CHUNK);
}

#[test]
fn a_million_tasks_are_planned() {
    let mut rng = Rng(7);
    let mut dag = Dag::default();
    for task in 0..1_000_000_u64 {
        let mut near = || (task - 1 - rng.below(task.min(1000))) as u32;
        let inputs = if task % 3 == 0 { vec![] } else { vec![near(), near(), near()] };
        dag.add(&inputs, CHUNK, 0, if task % 2 == 0 { Rerun } else { Spill });
    }
    let target = dag.peak() / 4;
    let evicted = dag.evict(target).unwrap();
    assert!(evicted.peak.bytes <= target);
    assert!(evicted.records > 100_000);
}
