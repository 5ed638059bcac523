//! The order in which running sums add: it follows from the blocks, and shows in the bits.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use chunkwise::prelude::*;

/// Values of many magnitudes: whatever is added in another order rounds otherwise.
fn values(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i as f64 * 0.731).sin() * 10f64.powi((i * 7 % 13) as i32 - 6)).collect()
}

/// One after the other, from what comes before.
fn in_turn(before: Option<f64>, x: &[f64]) -> Vec<f64> {
    let mut total = before;
    let add = |&x: &f64| *total.insert(total.map_or(x, |total| total + x));
    x.iter().map(add).collect()
}

/// The total of a block: of eight elements and more the sum of those of four runs.
fn total(x: &[f64]) -> f64 {
    let runs = if x.len() < 8 { x.len() } else { x.len() / 4 };
    let run = |from: usize, to: usize| *in_turn(None, &x[from..to]).last().unwrap();
    match x.len() {
        0..8 => run(0, runs),
        n => run(0, runs) + run(runs, 2 * runs) + run(2 * runs, 3 * runs) + run(3 * runs, n),
    }
}

/// Each block in turn from the running sum of the totals of the blocks before; totals that are more than a block has
/// elements, or 16, are summed in such groups.
fn running(x: &[f64], blocks: &[usize]) -> Vec<f64> {
    let ends: Vec<usize> = in_turn(None, &blocks.iter().map(|&n| n as f64).collect::<Vec<_>>())
        .iter()
        .map(|&end| end as usize)
        .collect();
    let block = |i: usize| &x[ends[i] - blocks[i]..ends[i]];
    if blocks.len() == 1 {
        return in_turn(None, x);
    }
    let totals: Vec<f64> = (0..blocks.len()).map(|i| total(block(i))).collect();
    let group = blocks.iter().copied().max().unwrap().max(16);
    let groups: Vec<usize> = totals.chunks(group).map(<[f64]>::len).collect();
    let carried = running(&totals, &groups);
    (0..blocks.len()).flat_map(|i| in_turn(i.checked_sub(1).map(|i| carried[i]), block(i))).collect()
}

fn check(x: &[f64], chunks: usize) {
    let lazy = LazyArray::from_vec(x.to_vec(), chunks).cumsum(Axis(0));
    let blocks: Vec<usize> = lazy.chunks().axis(0).sizes().collect();
    let want = running(x, &blocks);
    for (threads, limit) in [(1, "1 GiB"), (2, "1 GiB"), (4, "1 GiB"), (3, "40 MiB")] {
        let rt = Runtime::builder().threads(threads).memory_limit(limit).build().unwrap();
        let got = rt.compute(&lazy).unwrap();
        let differ = got.iter().zip(&want).position(|(got, want)| got.to_bits() != want.to_bits());
        assert_eq!(differ, None, "{threads} threads, {limit}, blocks of {chunks}");
    }
}

#[test]
fn running_sums_add_in_the_order_of_the_blocks() {
    let x = values(5000);
    for chunks in [7, 100, 1999, 5000] {
        check(&x, chunks);
    }
}

#[test]
fn running_sum_of_one_large_block_is_cut_and_adds_in_the_order_of_the_pieces() {
    let x = values((1 << 21) + 5);
    check(&x, x.len());
    let lazy = LazyArray::from_vec(x.clone(), x.len()).cumsum(Axis(0));
    assert!(lazy.chunks().num_blocks() > 1, "{}", lazy.chunks());
}

#[test]
fn order_shows_in_the_bits() {
    let x = values(5000);
    let of = |chunks| LazyArray::from_vec(x.clone(), chunks).cumsum(Axis(0)).to_vec().unwrap();
    assert_ne!(of(7), of(5000));
}
