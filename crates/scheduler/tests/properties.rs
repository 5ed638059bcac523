//! Random graphs on 1, 2 and 4 threads: what is promised for every graph.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::Ordering::SeqCst;

use chunkwise_scheduler::{Plan, PlanError, Pool};
use common::{Dag, Ledger, Tracked, TrackedLayer};
use proptest::prelude::*;

static POOLS: LazyLock<Vec<Pool>> = LazyLock::new(|| [1, 2, 4].map(|n| Pool::new(n).unwrap()).to_vec());

fn plan(dag: &Dag, ledger: &Arc<Ledger>, budget: Option<u64>) -> Result<Plan<Arc<Tracked>>, PlanError> {
    dag.graph(Arc::new(TrackedLayer { dag: dag.clone(), ledger: Arc::clone(ledger) })).plan(budget)
}

/// The smallest budget that is enough.
fn peak_of(dag: &Dag) -> u64 {
    plan(dag, &Ledger::new(dag.inputs.len()), None).unwrap().peak_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_task_runs_once_and_values_match_the_truth(seed: u64, tasks in 0_u32..300) {
        let dag = Dag::random(seed, tasks);
        for pool in &*POOLS {
            let ledger = Ledger::new(dag.inputs.len());
            let kept = pool.run(plan(&dag, &ledger, None).unwrap()).unwrap();
            let numbers: Vec<u64> = kept.iter().map(|value| value.number).collect();
            prop_assert_eq!(numbers, dag.truth());
            prop_assert!(ledger.runs.iter().all(|runs| runs.load(SeqCst) == 1));
        }
    }

    #[test]
    fn only_kept_values_outlive_the_run_and_each_is_freed_once(seed: u64, tasks in 1_u32..300) {
        let dag = Dag::random(seed, tasks);
        for pool in &*POOLS {
            let ledger = Ledger::new(dag.inputs.len());
            let kept = pool.run(plan(&dag, &ledger, None).unwrap()).unwrap();
            prop_assert_eq!(ledger.live(), dag.kept_bytes());
            drop(kept);
            prop_assert_eq!(ledger.live(), 0);
            prop_assert!(ledger.drops.iter().all(|drops| drops.load(SeqCst) == 1));
        }
    }

    #[test]
    fn tracked_bytes_stay_within_the_budget(seed: u64, tasks in 1_u32..300, spare in 0_u64..300) {
        let dag = Dag::random(seed, tasks);
        let budget = peak_of(&dag) + spare;
        for pool in &*POOLS {
            let ledger = Ledger::new(dag.inputs.len());
            let kept = pool.run(plan(&dag, &ledger, Some(budget)).unwrap()).unwrap();
            prop_assert!(ledger.peak() <= budget, "{} bytes live, budget {budget}", ledger.peak());
            let numbers: Vec<u64> = kept.iter().map(|value| value.number).collect();
            prop_assert_eq!(numbers, dag.truth());
        }
    }

    #[test]
    fn one_thread_reaches_exactly_the_planned_peak(seed: u64, tasks in 1_u32..300) {
        let dag = Dag::random(seed, tasks);
        let ledger = Ledger::new(dag.inputs.len());
        let plan = plan(&dag, &ledger, None).unwrap();
        let peak = plan.peak_bytes();
        POOLS[0].run(plan).unwrap();
        prop_assert_eq!(ledger.peak(), peak);
    }

    #[test]
    fn a_budget_below_the_peak_is_kept_by_another_order_or_refused_with_one_that_is_enough(
        seed: u64,
        tasks in 1_u32..300,
    ) {
        let dag = Dag::random(seed, tasks);
        let below = peak_of(&dag).checked_sub(1);
        prop_assume!(below.is_some());
        let planned = |budget| plan(&dag, &Ledger::new(dag.inputs.len()), budget);
        match planned(below) {
            Ok(plan) => prop_assert!(Some(plan.peak_bytes()) <= below),
            Err(PlanError::BudgetTooSmall { needed, budget, .. }) => {
                prop_assert!(Some(budget) == below && needed > budget);
                prop_assert!(planned(Some(needed)).is_ok());
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_large_tight_run_ends_within_its_budget() {
    for seed in 0..8 {
        let dag = Dag::random(seed, 20_000);
        let budget = peak_of(&dag) + 40;
        let ledger = Ledger::new(dag.inputs.len());
        let kept = POOLS[2].run(plan(&dag, &ledger, Some(budget)).unwrap()).unwrap();
        assert!(ledger.peak() <= budget);
        assert_eq!(kept.iter().map(|value| value.number).collect::<Vec<_>>(), dag.truth());
    }
}
