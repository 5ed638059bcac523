//! Random graphs: what is promised for every graph and every target.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A graph of one of several shapes, with values kept, unused, empty, used twice by one task, and all evictions.
fn random(seed: u64, tasks: u32) -> Dag {
    let mut rng = Rng(seed);
    let mut dag = Dag::default();
    let most = [1, 2, 3, 6][rng.below(4) as usize];
    let reach = [4, 20, 1000][rng.below(3) as usize];
    let holding = [0, 0, 2, 8][rng.below(4) as usize];
    for task in 0..u64::from(tasks) {
        let count = if task == 0 { 0 } else { rng.below(most + 1) };
        let inputs: Vec<u32> = (0..count).map(|_| (task - 1 - rng.below(task.min(reach))) as u32).collect();
        let eviction = match rng.below(10) {
            draw if draw < holding => Eviction::Hold,
            draw if draw % 2 == 0 => Eviction::Spill,
            _ => Eviction::Rerun,
        };
        dag.add(&inputs, rng.below(5) * 10, rng.below(4) * rng.below(3) * 5, eviction);
    }
    for _ in 0..rng.below(4).min(u64::from(tasks)) {
        dag.keep.push(rng.below(u64::from(tasks)) as u32);
    }
    dag
}

/// A target between the least peak and the peak.
fn target(dag: &Dag, part: u64) -> u64 {
    let least = dag.least_peak();
    least + (dag.peak() - least) * part / 8
}

fn check_spills_are_read(evicted: &Evicted<u64>) {
    let graph = &evicted.graph;
    let of = |layer: u32| (0..graph.len()).filter(move |&task| graph.layer[task] == layer);
    let written: Vec<u32> = of(SPILL).map(|task| graph.index[task]).collect();
    assert!(written.iter().copied().eq(0..evicted.records));
    let read: BTreeSet<u32> = of(LOAD).map(|task| graph.index[task]).collect();
    assert!(read.into_iter().eq(0..evicted.records));
    for task in of(SPILL) {
        let input = graph.inputs.row(task as u32)[0];
        assert_eq!(evicted.from[task], evicted.from[input as usize]);
        assert_eq!(graph.bytes[task], TaskBytes::default());
    }
}

/// Every task but those without inputs runs once; what was asked for by nobody still runs.
fn check_runs(dag: &Dag, evicted: &Evicted<u64>) {
    let mut runs = vec![0; dag.inputs.len()];
    for task in 0..evicted.graph.len() {
        if evicted.graph.layer[task] < LOAD {
            let (old, graph) = (evicted.from[task] as usize, &evicted.graph);
            runs[old] += 1;
            assert_eq!(graph.bytes[task], dag.bytes[old]);
            let inputs = graph.inputs.row(task as u32).iter().map(|&input| evicted.from[input as usize]);
            assert!(inputs.eq(dag.inputs[old].iter().copied()));
        }
    }
    for (task, &runs) in runs.iter().enumerate() {
        let again = dag.possible(task as u32) == Eviction::Rerun;
        assert!(runs == 1 || (again && runs > 1), "task {task} ran {runs} times");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_new_graph_gives_the_same_values_within_the_target(seed: u64, tasks in 0_u32..120, part in 0_u64..9) {
        let dag = random(seed, tasks);
        let target = target(&dag, part);
        let evicted = dag.evict(target).unwrap();
        let outcome = interpret(&evicted);
        prop_assert_eq!(&outcome.kept, &dag.truth());
        prop_assert!(outcome.peak <= target, "{} bytes live, target {target}", outcome.peak);
        prop_assert_eq!(outcome.peak, evicted.peak.bytes);
        prop_assert_eq!(peak(&evicted.graph), evicted.peak);
        prop_assert_eq!(
            (outcome.spilled, outcome.loaded, outcome.rerun),
            (evicted.spilled, evicted.loaded, evicted.rerun)
        );
        let kept: BTreeSet<u32> = dag.keep.iter().copied().collect();
        prop_assert_eq!(outcome.left, kept.iter().map(|&task| dag.bytes[task as usize].output).sum::<u64>());
    }

    #[test]
    fn inputs_come_before_their_users_and_records_are_written_once_and_read(
        seed: u64,
        tasks in 0_u32..120,
        part in 0_u64..9,
    ) {
        let dag = random(seed, tasks);
        let evicted = dag.evict(target(&dag, part)).unwrap();
        let inputs = rows(&evicted.graph.inputs);
        prop_assert!(inputs.iter().enumerate().all(|(task, row)| row.iter().all(|&input| (input as usize) < task)));
        prop_assert_eq!(&evicted.users, &evicted.graph.inputs.transposed());
        check_spills_are_read(&evicted);
        check_runs(&dag, &evicted);
    }

    #[test]
    fn less_than_the_least_peak_is_refused_with_the_least_peak(seed: u64, tasks in 1_u32..60) {
        let dag = random(seed, tasks);
        let least = dag.least_peak();
        prop_assume!(least > 0);
        let (graph, peak) = dag.evict(least - 1).unwrap_err();
        prop_assert_eq!(peak.bytes, least);
        prop_assert_eq!(rows(&graph.inputs), dag.inputs.clone());
        prop_assert!(dag.evict(least).is_ok());
    }

    #[test]
    fn a_graph_that_fits_stays_as_it_is(seed: u64, tasks in 0_u32..120) {
        let dag = random(seed, tasks);
        let evicted = dag.evict(dag.peak()).unwrap();
        prop_assert_eq!(rows(&evicted.graph.inputs), dag.inputs);
        prop_assert_eq!((evicted.spilled, evicted.loaded, evicted.rerun), (0, 0, 0));
    }

    #[test]
    fn the_same_graph_gives_the_same_answer(seed: u64, tasks in 0_u32..120, part in 0_u64..9) {
        let dag = random(seed, tasks);
        let target = target(&dag, part);
        let (one, two) = (dag.evict(target).unwrap(), dag.evict(target).unwrap());
        prop_assert_eq!(listing(&one), listing(&two));
    }
}
