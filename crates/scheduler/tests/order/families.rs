//! The graph families of array programs.

use crate::common::Dag;
use crate::{CHUNK, TINY, each, pairs, peak, reduce, reduce_chunks, sources};

#[test]
fn map_and_reduce_holds_one_chunk_and_its_image() {
    let mut dag = Dag::default();
    let x = sources(&mut dag, 256);
    let y = each(&mut dag, &x, CHUNK);
    reduce(&mut dag, &y);
    assert!(peak(&dag) <= 2.5, "{}", peak(&dag));
}

#[test]
fn means_of_products_share_their_inputs_chunk_by_chunk() {
    let mut dag = Dag::default();
    let u = sources(&mut dag, 128);
    let v = sources(&mut dag, 128);
    for (a, b) in [(&u, &u), (&v, &v), (&u, &v)] {
        let product = pairs(&mut dag, a, b, CHUNK);
        reduce(&mut dag, &product);
    }
    assert!(peak(&dag) <= 3.5, "{}", peak(&dag));
}

#[test]
fn means_of_products_without_partials_hold_a_few_groups() {
    let mut dag = Dag::default();
    let u = sources(&mut dag, 128);
    let v = sources(&mut dag, 128);
    for (a, b) in [(&u, &u), (&v, &v), (&u, &v)] {
        let product = pairs(&mut dag, a, b, CHUNK);
        reduce_chunks(&mut dag, &product);
    }
    assert!(peak(&dag) <= 27.0, "{}", peak(&dag));
}

#[test]
fn subtracting_the_mean_holds_the_array_and_no_more() {
    let mut dag = Dag::default();
    let x = sources(&mut dag, 128);
    let mean = reduce(&mut dag, &x);
    for chunk in x {
        dag.add(&[chunk, mean], CHUNK, 0);
    }
    assert!(peak(&dag) <= 130.0, "{}", peak(&dag));
}

#[test]
fn sum_with_the_transpose_pairs_mirrored_chunks() {
    let mut dag = Dag::default();
    let side = 16;
    let x = sources(&mut dag, side * side);
    let mirrored: Vec<u32> = (0..side * side).map(|at| x[at % side * side + at / side]).collect();
    let sum = pairs(&mut dag, &x, &mirrored, CHUNK);
    reduce(&mut dag, &sum);
    assert!(peak(&dag) <= 4.5, "{}", peak(&dag));
}

#[test]
fn sum_with_a_transposed_copy_pairs_mirrored_chunks() {
    let mut dag = Dag::default();
    let side = 16;
    let x = sources(&mut dag, side * side);
    let mirrored: Vec<u32> = (0..side * side).map(|at| x[at % side * side + at / side]).collect();
    let copy = each(&mut dag, &mirrored, CHUNK);
    let sum = pairs(&mut dag, &x, &copy, CHUNK);
    reduce(&mut dag, &sum);
    assert!(peak(&dag) <= 5.5, "{}", peak(&dag));
}

#[test]
fn blocked_product_holds_one_operand_and_a_row_of_the_other() {
    let mut dag = Dag::default();
    let side = 10;
    let a = sources(&mut dag, side * side);
    let b = sources(&mut dag, side * side);
    for at in 0..side * side {
        let (row, column) = (at / side, at % side);
        let mut sum = None;
        for k in 0..side {
            let mut inputs = vec![a[row * side + k], b[k * side + column]];
            inputs.extend(sum);
            sum = Some(dag.add(&inputs, CHUNK, 0));
        }
    }
    assert!(peak(&dag) <= 114.0, "{}", peak(&dag));
}

#[test]
fn monthly_anomaly_works_month_by_month() {
    let mut dag = Dag::default();
    let (years, months) = (16, 12);
    let x = sources(&mut dag, years * months);
    for month in 0..months {
        let chunks: Vec<u32> = (0..years).map(|year| x[year * months + month]).collect();
        let mean = reduce(&mut dag, &chunks);
        let anomaly: Vec<u32> = chunks.iter().map(|&chunk| dag.add(&[chunk, mean], CHUNK, 0)).collect();
        reduce(&mut dag, &anomaly);
    }
    assert!(peak(&dag) <= 20.0, "{}", peak(&dag));
}

#[test]
fn stencil_in_one_dimension_holds_its_neighbours() {
    let mut dag = Dag::default();
    let x = sources(&mut dag, 256);
    let image: Vec<u32> =
        (0..256_usize).map(|at| dag.add(&x[at.saturating_sub(1)..(at + 2).min(256)], CHUNK, 0)).collect();
    reduce(&mut dag, &image);
    assert!(peak(&dag) <= 5.5, "{}", peak(&dag));
}

#[test]
fn stencil_in_two_dimensions_holds_two_rows() {
    let mut dag = Dag::default();
    let side = 16_usize;
    let x = sources(&mut dag, side * side);
    let mut image = Vec::new();
    for at in 0..side * side {
        let (row, column) = (at / side, at % side);
        let rows = row.saturating_sub(1)..(row + 2).min(side);
        let near =
            |row: usize| (column.saturating_sub(1)..(column + 2).min(side)).map(move |c| row * side + c);
        let inputs: Vec<u32> = rows.flat_map(near).map(|at| x[at]).collect();
        image.push(dag.add(&inputs, CHUNK, 0));
    }
    reduce(&mut dag, &image);
    assert!(peak(&dag) <= 38.0, "{}", peak(&dag));
}

#[test]
fn rechunk_splits_each_chunk_at_once() {
    let mut dag = Dag::default();
    let count = 24;
    let rows = sources(&mut dag, count);
    let pieces: Vec<Vec<u32>> = rows
        .iter()
        .map(|&row| (0..count).map(|_| dag.add(&[row], CHUNK / count as u64, 0)).collect())
        .collect();
    for column in 0..count {
        let inputs: Vec<u32> = pieces.iter().map(|row| row[column]).collect();
        let joined = dag.add(&inputs, CHUNK / count as u64 * count as u64, 0);
        dag.add(&[joined], TINY, 0);
    }
    assert!(peak(&dag) <= 26.5, "{}", peak(&dag));
}

#[test]
fn three_outputs_of_shared_inputs_are_made_together() {
    let mut dag = Dag::default();
    let x = sources(&mut dag, 128);
    for _ in 0..3 {
        let y = each(&mut dag, &x, CHUNK);
        each(&mut dag, &y, TINY);
    }
    assert!(peak(&dag) <= 3.5, "{}", peak(&dag));
}

#[test]
fn a_sum_of_two_sources_and_its_moments_need_a_few_chunks() {
    let mut dag = Dag::default();
    let x = sources(&mut dag, 64);
    let y = sources(&mut dag, 64);
    let z = pairs(&mut dag, &x, &y, CHUNK);
    for _ in 0..3 {
        reduce(&mut dag, &z);
    }
    assert!(peak(&dag) <= 3.5, "{}", peak(&dag));
}

#[test]
fn a_running_sum_whose_sum_comes_second_loads_one_chunk_at_a_time() {
    let mut dag = Dag::default();
    let x = sources(&mut dag, 256);
    let sum = x[1..].iter().fold(x[0], |sum, &chunk| dag.add(&[chunk, sum], CHUNK, 0));
    dag.add(&[sum], TINY, 0);
    assert!(peak(&dag) <= 3.0, "{}", peak(&dag));
}
