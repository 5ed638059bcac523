//! Steps that follow the rules of `chunkwise-ops`.

mod contract;
mod function;
mod index;
pub(crate) mod overlap;
pub(crate) mod rolling;
pub(crate) mod scan;
mod shape;

use super::Step;

/// The steps of all topics, by weight.
pub(super) const TOPICS: &[&[(usize, Step)]] = &[
    contract::STEPS,
    function::STEPS,
    index::STEPS,
    overlap::STEPS,
    rolling::STEPS,
    scan::STEPS,
    shape::STEPS,
];
