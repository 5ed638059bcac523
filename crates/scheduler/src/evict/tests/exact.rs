//! Small graphs whose new tasks are known.

use Eviction::{Hold, Rerun, Spill};

use super::*;
use crate::evict::evict_below;

/// Task 0 has its only use after two others, which need 20 bytes beside it.
fn late_use(eviction: Eviction) -> Dag {
    let mut dag = Dag::default();
    let early = dag.add(&[], 10, 0, eviction);
    let other = dag.add(&[], 10, 0, Hold);
    let image = dag.add(&[other], 10, 0, Hold);
    dag.add(&[early, image], 0, 0, Hold);
    dag
}

/// Task 0 is used at once and twice more, each time after a task that needs the whole memory of 20 bytes.
fn three_uses(eviction: Eviction, scratch: u64) -> Dag {
    let mut dag = Dag::default();
    let value = dag.add(&[], 10, scratch, eviction);
    dag.add(&[value], 0, 0, Hold);
    for _ in 0..2 {
        dag.add(&[], 0, 20, Hold);
        dag.add(&[value], 0, 0, Hold);
    }
    dag
}

#[test]
fn a_value_goes_to_disk_and_comes_back_right_before_its_use() {
    let evicted = late_use(Spill).evict(20).unwrap();
    assert_eq!(listing(&evicted), ["0", "1", "s0 [0]", "2 [1]", "l0 [2]", "3 [4, 3]"]);
    assert_eq!((evicted.records, evicted.spilled, evicted.loaded, evicted.rerun), (1, 10, 10, 0));
    assert_eq!(evicted.peak, Peak { bytes: 20, at: 1 });
    let graph = &evicted.graph;
    assert_eq!((graph.layer[2], graph.index[2], graph.bytes[2]), (SPILL, 0, TaskBytes::default()));
    assert_eq!((graph.layer[4], graph.index[4]), (LOAD, 0));
    assert_eq!(graph.bytes[4], TaskBytes { output: 10, scratch: 0 });
}

#[test]
fn a_source_that_nobody_used_yet_runs_later_instead() {
    let evicted = late_use(Rerun).evict(20).unwrap();
    assert_eq!(listing(&evicted), ["1", "2 [0]", "0", "3 [2, 1]"]);
    assert_eq!((evicted.records, evicted.spilled, evicted.loaded, evicted.rerun), (0, 0, 0, 0));
}

#[test]
fn a_source_runs_again_for_each_use_after_an_eviction() {
    let evicted = three_uses(Rerun, 10).evict(20).unwrap();
    assert_eq!(listing(&evicted), ["0", "1 [0]", "2", "0", "3 [3]", "4", "0", "5 [6]"]);
    assert_eq!((evicted.records, evicted.rerun), (0, 20));
    assert!((0..8).all(|task| evicted.graph.layer[task] == 0));
}

#[test]
fn a_record_is_written_once_and_read_for_each_use() {
    let evicted = three_uses(Spill, 0).evict(20).unwrap();
    assert_eq!(listing(&evicted), ["0", "1 [0]", "s0 [0]", "2", "l0 [2]", "3 [4]", "4", "l0 [2]", "5 [7]"]);
    assert_eq!((evicted.records, evicted.spilled, evicted.loaded), (1, 10, 20));
}

#[test]
fn a_source_with_too_much_scratch_for_a_second_run_goes_to_disk() {
    let mut dag = Dag::default();
    let source = dag.add(&[], 10, 20, Rerun);
    let held = dag.add(&[], 10, 0, Hold);
    dag.add(&[held], 0, 20, Hold);
    dag.add(&[source, held], 0, 0, Hold);
    let evicted = dag.evict(30).unwrap();
    assert_eq!(listing(&evicted), ["0", "1", "s0 [0]", "2 [1]", "l0 [2]", "3 [4, 1]"]);
    let evicted = dag.evict(39).unwrap();
    assert_eq!(evicted.rerun + evicted.loaded, 10);
    assert!(evicted.peak.bytes <= 39);
}

#[test]
fn a_task_that_has_inputs_does_not_run_again() {
    let mut dag = Dag::default();
    let source = dag.add(&[], 0, 0, Hold);
    let value = dag.add(&[source], 10, 0, Rerun);
    dag.add(&[], 0, 20, Hold);
    dag.add(&[value], 0, 0, Hold);
    assert_eq!(listing(&dag.evict(20).unwrap()), ["0", "1 [0]", "s1 [1]", "2", "l1 [2]", "3 [4]"]);
}

#[test]
fn an_input_given_twice_is_loaded_once_and_arguments_keep_their_order() {
    let mut dag = Dag::default();
    let x = dag.add(&[], 10, 0, Spill);
    let y = dag.add(&[], 10, 0, Spill);
    dag.add(&[], 0, 20, Hold);
    dag.add(&[y, x, y], 0, 0, Hold);
    let evicted = dag.evict(20).unwrap();
    assert_eq!(listing(&evicted), ["0", "1", "s0 [0]", "s1 [1]", "2", "l1 [3]", "l0 [2]", "3 [5, 6, 5]"]);
    assert_eq!((evicted.spilled, evicted.loaded), (20, 20));
}

#[test]
fn an_input_in_memory_is_pinned_while_the_others_are_loaded() {
    let mut dag = Dag::default();
    let x = dag.add(&[], 10, 0, Spill);
    dag.add(&[], 0, 20, Hold);
    let y = dag.add(&[], 10, 0, Spill);
    let z = dag.add(&[], 10, 0, Spill);
    dag.add(&[x, y], 0, 0, Hold);
    dag.add(&[z, y], 0, 0, Hold);
    let evicted = dag.evict(20).unwrap();
    let expected = ["0", "s0 [0]", "1", "2", "3", "s3 [4]", "l0 [1]", "4 [6, 3]", "l3 [5]", "5 [8, 3]"];
    assert_eq!(listing(&evicted), expected);
}

#[test]
fn kept_values_and_values_without_bytes_stay() {
    let mut dag = Dag::default();
    let kept = dag.add(&[], 10, 0, Rerun);
    let empty = dag.add(&[], 0, 0, Spill);
    let value = dag.add(&[], 5, 0, Spill);
    dag.add(&[], 0, 20, Hold);
    dag.add(&[kept, empty, value], 0, 0, Hold);
    dag.keep = vec![kept, kept];
    let evicted = dag.evict(30).unwrap();
    assert_eq!(listing(&evicted), ["0", "1", "2", "s2 [2]", "3", "l2 [3]", "4 [0, 1, 5]"]);
    assert_eq!(evicted.graph.keep, [0, 0]);
    assert_eq!(dag.evict(29).unwrap_err().1, Peak { bytes: 30, at: 3 });
}

#[test]
fn a_target_below_what_one_task_needs_is_refused_with_that_task() {
    let (graph, peak) = late_use(Hold).evict(29).unwrap_err();
    assert_eq!((graph.len(), peak), (4, Peak { bytes: 30, at: 2 }));
    assert_eq!(late_use(Spill).evict(19).unwrap_err().1, Peak { bytes: 20, at: 2 });
}

#[test]
fn a_graph_that_would_grow_beyond_its_ids_is_refused_with_its_own_peak() {
    let dag = late_use(Spill);
    let refused = |limit| {
        let graph = dag.graph();
        let users = graph.inputs.transposed();
        evict_below(graph, &users, |_| Spill, 20, limit).err().map(|(graph, peak)| (graph.len(), peak.bytes))
    };
    assert_eq!(refused(6), Some((4, 30)));
    assert_eq!(refused(7), None);
}

#[test]
fn bytes_beyond_64_bits_are_refused_or_evicted() {
    let mut dag = Dag::default();
    let x = dag.add(&[], u64::MAX, 0, Spill);
    let y = dag.add(&[], u64::MAX, 0, Spill);
    dag.add(&[y], 0, 0, Hold);
    dag.add(&[x], 0, 0, Hold);
    let evicted = dag.evict(u64::MAX).unwrap();
    assert_eq!(listing(&evicted), ["0", "s0 [0]", "1", "2 [2]", "l0 [1]", "3 [4]"]);
    dag.add(&[], u64::MAX, u64::MAX, Hold);
    assert_eq!(dag.evict(u64::MAX - 1).unwrap_err().1, Peak { bytes: u64::MAX, at: 0 });
}

#[test]
fn an_empty_graph_needs_nothing() {
    let evicted = Dag::default().evict(0).unwrap();
    assert!(evicted.graph.is_empty());
    assert_eq!((evicted.peak, evicted.users.rows()), (Peak { bytes: 0, at: 0 }, 0));
}
