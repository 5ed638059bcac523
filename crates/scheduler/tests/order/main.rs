//! Peak memory of the chosen order. A chunk is 100 bytes, a partial sum 1.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../common/mod.rs"]
mod common;
mod families;
mod planning;
mod reported;

use std::sync::Arc;

use chunkwise_scheduler::FnLayer;
use common::Dag;

pub(crate) const CHUNK: u64 = 100;
pub(crate) const TINY: u64 = 1;

/// The peak in chunks.
pub(crate) fn peak(dag: &Dag) -> f64 {
    let layer = FnLayer::new("task", |_, _: &mut [u64]| Ok(0));
    dag.graph(Arc::new(layer)).plan(None).unwrap().peak_bytes() as f64 / CHUNK as f64
}

pub(crate) fn sources(dag: &mut Dag, count: usize) -> Vec<u32> {
    (0..count).map(|_| dag.add(&[], CHUNK, 0)).collect()
}

pub(crate) fn each(dag: &mut Dag, inputs: &[u32], output: u64) -> Vec<u32> {
    inputs.iter().map(|&input| dag.add(&[input], output, 0)).collect()
}

pub(crate) fn pairs(dag: &mut Dag, left: &[u32], right: &[u32], output: u64) -> Vec<u32> {
    left.iter().zip(right).map(|(&a, &b)| dag.add(&[a, b], output, 0)).collect()
}

/// A partial result for each chunk, then a tree of fan-in 8.
pub(crate) fn reduce(dag: &mut Dag, inputs: &[u32]) -> u32 {
    let mut level = each(dag, inputs, TINY);
    while level.len() > 1 {
        level = level.chunks(8).map(|group| dag.add(group, TINY, 0)).collect();
    }
    level[0]
}

/// A tree of fan-in 8 straight over the chunks.
pub(crate) fn reduce_chunks(dag: &mut Dag, inputs: &[u32]) -> u32 {
    let mut level = inputs.to_vec();
    while level.len() > 1 {
        level = level.chunks(8).map(|group| dag.add(group, TINY, 0)).collect();
    }
    level[0]
}
