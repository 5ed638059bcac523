//! Shapes on which the order of another scheduler was once reported to need too much memory. The issues are those
//! of <https://github.com/dask/dask/issues>.

use crate::common::Dag;
use crate::{CHUNK, TINY, each, pairs, peak, reduce, reduce_chunks, sources};

/// Two fields less their means by group, multiplied, averaged: issue 994.
#[test]
fn covariance_of_anomalies_by_group_holds_one_group_of_each_field() {
    let mut dag = Dag::default();
    let (groups, size) = (12, 10);
    let (u, v) = (sources(&mut dag, groups * size), sources(&mut dag, groups * size));
    let mut anomaly = |field: &[u32]| -> Vec<u32> {
        let means: Vec<u32> = field.chunks(size).map(|group| reduce(&mut dag, group)).collect();
        field.iter().enumerate().map(|(at, &chunk)| dag.add(&[chunk, means[at / size]], CHUNK, 0)).collect()
    };
    let (u, v) = (anomaly(&u), anomaly(&v));
    let product = pairs(&mut dag, &u, &v, CHUNK);
    reduce(&mut dag, &product);
    assert!(peak(&dag) <= 22.0, "{}", peak(&dag));
}

/// Each file holds all fields and is cut into steps, whose products are averaged: issue 994.
#[test]
fn fields_cut_from_files_are_used_file_by_file() {
    let mut dag = Dag::default();
    let files = sources(&mut dag, 24);
    let mut cut = || -> Vec<u32> {
        files
            .iter()
            .flat_map(|&file| (0..8).map(|_| dag.add(&[file], CHUNK / 20, 0)).collect::<Vec<_>>())
            .collect()
    };
    let (u, v, t) = (cut(), cut(), cut());
    for (a, b) in [(&u, &v), (&u, &t), (&v, &t)] {
        let product = pairs(&mut dag, a, b, CHUNK / 20);
        reduce(&mut dag, &product);
    }
    assert!(peak(&dag) <= 2.0, "{}", peak(&dag));
}

/// Two running sums, a solve for each of their steps, and the residual sum by step: issue 3013.
#[test]
fn running_sums_advance_together() {
    let mut dag = Dag::default();
    let steps = 64;
    let (x, y) = (sources(&mut dag, steps), sources(&mut dag, steps));
    let running = |dag: &mut Dag, chunks: &[u32]| -> Vec<u32> {
        let mut last = None;
        let add = |&chunk: &u32| {
            let inputs: Vec<u32> = last.into_iter().chain([chunk]).collect();
            last = Some(dag.add(&inputs, CHUNK, 0));
            last.unwrap()
        };
        chunks.iter().map(add).collect()
    };
    let xy = pairs(&mut dag, &x, &y, CHUNK);
    let xy = running(&mut dag, &xy);
    let xx = each(&mut dag, &x, CHUNK);
    let xx = running(&mut dag, &xx);
    let beta = pairs(&mut dag, &xx, &xy, CHUNK);
    let fit = pairs(&mut dag, &x, &beta, CHUNK);
    each(&mut dag, &fit, TINY);
    assert!(peak(&dag) <= 5.5, "{}", peak(&dag));
}

/// As before, with a local sum of each chunk and its last item added to those that follow: issue 3013.
#[test]
fn running_sums_with_carries_advance_together() {
    let mut dag = Dag::default();
    let steps = 64;
    let (x, y) = (sources(&mut dag, steps), sources(&mut dag, steps));
    let running = |dag: &mut Dag, chunks: &[u32]| -> Vec<u32> {
        let local = each(dag, chunks, CHUNK);
        let ends = each(dag, &local[..chunks.len() - 1], TINY);
        let mut carry = dag.add(&[], TINY, 0);
        let mut sums = vec![dag.add(&[local[0], carry], CHUNK, 0)];
        for (&chunk, &end) in local[1..].iter().zip(&ends) {
            carry = dag.add(&[carry, end], TINY, 0);
            sums.push(dag.add(&[chunk, carry], CHUNK, 0));
        }
        sums
    };
    let xy = pairs(&mut dag, &x, &y, CHUNK);
    let xy = running(&mut dag, &xy);
    let xx = each(&mut dag, &x, CHUNK);
    let xx = running(&mut dag, &xx);
    let beta = pairs(&mut dag, &xx, &xy, CHUNK);
    let fit = pairs(&mut dag, &x, &beta, CHUNK);
    each(&mut dag, &fit, TINY);
    assert!(peak(&dag) <= 6.5, "{}", peak(&dag));
}

/// The mean over time of anomalies by day of a cycle: issue 9995.
#[test]
fn mean_of_anomalies_finishes_one_group_before_the_next() {
    let mut dag = Dag::default();
    let (cycles, days) = (20, 10);
    let x = sources(&mut dag, cycles * days);
    let means: Vec<u32> = (0..days)
        .map(|day| {
            let group: Vec<u32> = x.iter().copied().skip(day).step_by(days).collect();
            reduce(&mut dag, &group)
        })
        .collect();
    let anomaly: Vec<u32> =
        x.iter().enumerate().map(|(at, &chunk)| dag.add(&[chunk, means[at % days]], CHUNK, 0)).collect();
    reduce(&mut dag, &anomaly);
    assert!(peak(&dag) <= 23.0, "{}", peak(&dag));
}

/// Products of two sources and squares of one, each reduced without partial sums: issue 9995.
#[test]
fn two_reductions_over_one_source_go_side_by_side() {
    let mut dag = Dag::default();
    let (a, b) = (sources(&mut dag, 128), sources(&mut dag, 128));
    let product = pairs(&mut dag, &a, &b, CHUNK);
    let square = each(&mut dag, &a, CHUNK);
    reduce_chunks(&mut dag, &product);
    reduce_chunks(&mut dag, &square);
    assert!(peak(&dag) <= 17.0, "{}", peak(&dag));
}

/// Means over time of squares and products, for several tiles of space: issue 10384.
#[test]
fn means_over_time_of_products_go_tile_by_tile() {
    let mut dag = Dag::default();
    let (steps, tiles) = (50, 4);
    let (u, v) = (sources(&mut dag, steps * tiles), sources(&mut dag, steps * tiles));
    for (a, b) in [(&u, &u), (&v, &v), (&u, &v)] {
        let product = pairs(&mut dag, a, b, CHUNK);
        for tile in 0..tiles {
            let column: Vec<u32> = product.iter().copied().skip(tile).step_by(tiles).collect();
            reduce(&mut dag, &column);
        }
    }
    assert!(peak(&dag) <= 3.5, "{}", peak(&dag));
}

/// Sums by group along one axis: the labels of a row are shared by all its tiles, each tile is reduced over the
/// rows, and the groups are cut from the result: issue 10618.
fn grouped_sum(labels: u64, partial: u64) -> Dag {
    let mut dag = Dag::default();
    let (rows, tiles, groups) = (16, 16, 4);
    let labels: Vec<u32> = (0..rows).map(|_| dag.add(&[], labels, 0)).collect();
    let x = sources(&mut dag, rows * tiles);
    let partials: Vec<u32> =
        x.iter().enumerate().map(|(at, &chunk)| dag.add(&[chunk, labels[at / tiles]], partial, 0)).collect();
    for tile in 0..tiles {
        let mut level: Vec<u32> = partials.iter().copied().skip(tile).step_by(tiles).collect();
        while level.len() > 1 {
            level = level.chunks(4).map(|group| dag.add(group, partial, 0)).collect();
        }
        for _ in 0..groups {
            dag.add(&level, partial / groups, 0);
        }
    }
    dag
}

#[test]
fn grouped_sums_with_small_labels_go_tile_by_tile() {
    let dag = grouped_sum(TINY, CHUNK);
    assert!(peak(&dag) <= 8.5, "{}", peak(&dag));
}

#[test]
fn grouped_sums_with_large_labels_hold_the_labels() {
    let dag = grouped_sum(CHUNK, CHUNK);
    assert!(peak(&dag) <= 25.0, "{}", peak(&dag));
}

#[test]
fn grouped_sums_of_few_groups_hold_little_more_than_a_row() {
    let dag = grouped_sum(CHUNK, 4 * TINY);
    assert!(peak(&dag) <= 6.0, "{}", peak(&dag));
}
