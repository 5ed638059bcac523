//! What the model says of small plans, by hand.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::sync::Arc;

use super::*;
use crate::{FnLayer, GraphBuilder, Plan, TaskBytes};

/// A plan of tasks with these inputs and bytes; the last is kept.
fn plan(tasks: &[(&[usize], u64, u64)], budget: Option<u64>) -> Plan<u32> {
    let mut graph = GraphBuilder::new();
    let layer = graph.layer(Arc::new(FnLayer::new("task", |i, _: &mut [u32]| Ok(i)))).unwrap();
    let mut ids = Vec::new();
    for (index, &(inputs, output, scratch)) in tasks.iter().enumerate() {
        let inputs: Vec<_> = inputs.iter().map(|&input| ids[input]).collect();
        ids.push(graph.task(layer, index as u32, &inputs, TaskBytes { output, scratch }).unwrap());
    }
    graph.keep(*ids.last().unwrap()).unwrap();
    graph.build().plan(budget).unwrap()
}

fn most(plan: &Plan<u32>, threads: usize, budget: Option<u64>) -> u64 {
    most_live(plan.data(), threads, budget)
}

#[test]
fn one_seat_has_the_peak_of_the_order() {
    let plan = plan(&[(&[], 10, 5), (&[0], 10, 0), (&[], 10, 5), (&[1, 2], 1, 0)], None);
    assert_eq!(most(&plan, 1, None), plan.peak_bytes());
}

#[test]
fn every_seat_has_a_task_and_no_more() {
    let independent: Vec<(&[usize], u64, u64)> = vec![(&[], 0, 7); 20];
    let plan = plan(&independent, None);
    assert_eq!(most(&plan, 3, None), 21);
    assert_eq!(most(&plan, 64, None), 140);
}

#[test]
fn values_that_wait_for_others_are_counted() {
    // Four values of 10, then their sum.
    let plan = plan(&[(&[], 10, 0), (&[], 10, 0), (&[], 10, 0), (&[], 10, 0), (&[0, 1, 2, 3], 1, 0)], None);
    assert_eq!(most(&plan, 2, None), 41);
}

#[test]
fn the_window_keeps_the_model_within_the_budget() {
    let chains: Vec<usize> = (0..40).collect();
    let rows: Vec<[usize; 1]> = chains.iter().map(|&at| [at]).collect();
    let mut tasks: Vec<(&[usize], u64, u64)> = vec![(&[], 10, 3); 40];
    tasks.extend(rows.iter().map(|row| (&row[..], 1, 0)));
    let plan = plan(&tasks, None);
    for budget in [plan.peak_bytes(), plan.peak_bytes() + 20, 200, 1000] {
        for threads in [1, 2, 5] {
            assert!(most(&plan, threads, Some(budget)) <= budget);
        }
    }
}
