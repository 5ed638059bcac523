//! What layers say of their tasks while a plan is made or told of.
//!
//! It owns the guard around these calls: a layer is user code, and a panic of its answer stands for the default. What
//! the answers are good for is decided where they are asked for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Eviction, Layer};

/// What a layer calls a task.
pub(super) fn label<V>(layer: &dyn Layer<V>, number: u32, index: u32) -> String {
    answer(|| layer.label(index))
        .unwrap_or_else(|message| format!("index {index} of layer {number}, whose label panicked: {message}"))
}

/// Whether a layer wants to be asked before an error of its tasks counts.
pub(super) fn retries<V>(layer: &dyn Layer<V>) -> bool {
    answer(|| layer.retries()).unwrap_or(false)
}

/// What may be done with the value of a task.
pub(super) fn eviction<V>(layer: &dyn Layer<V>, index: u32) -> Eviction {
    answer(|| layer.eviction(index)).unwrap_or(Eviction::Hold)
}

/// How long a task takes, where that is known to be short.
pub(super) fn nanos_hint<V>(layer: &dyn Layer<V>, index: u32) -> Option<u64> {
    answer(|| layer.nanos_hint(index)).unwrap_or(None)
}

/// An answer, or the text of the panic that came instead.
fn answer<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(crate::run::panic_message)
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

    use std::io;
    use std::sync::Arc;

    use super::*;
    use crate::{
        BoxError, GraphBuilder, PlanError, PlanOptions, Pool, SpillCodec, TaskBytes, TaskCx, TaskGraph,
    };

    /// Adds up its inputs and 1, fails at index 9, and panics whatever else it is asked.
    struct Mute;

    impl Layer<u32> for Mute {
        fn run(&self, index: u32, inputs: &mut [u32], _: &TaskCx<'_>) -> Result<u32, BoxError> {
            if index == 9 { Err("nine".into()) } else { Ok(inputs.iter().sum::<u32>() + 1) }
        }

        fn label(&self, _: u32) -> String {
            panic!("no label")
        }

        fn eviction(&self, _: u32) -> Eviction {
            panic!("no eviction")
        }

        fn retries(&self) -> bool {
            panic!("no retries")
        }

        fn nanos_hint(&self, _: u32) -> Option<u64> {
            panic!("no hint")
        }
    }

    /// Nothing is ever written.
    struct Unused;

    impl SpillCodec<u32> for Unused {
        fn write(&self, _: &u32, _: &mut dyn io::Write) -> io::Result<()> {
            unreachable!("no layer lets its values be written")
        }

        fn read(&self, _: &mut dyn io::Read) -> io::Result<u32> {
            unreachable!("nothing was written")
        }
    }

    /// Three values of 10 bytes, each made of the one before, and a task of index `last` that takes the third and the first:
    /// 30 bytes at once if all values stay, 20 if the first goes to disk.
    fn chain(last: u32) -> TaskGraph<u32> {
        let mut graph = GraphBuilder::new();
        let mute = graph.layer(Arc::new(Mute)).unwrap();
        let ten = TaskBytes { output: 10, scratch: 0 };
        let first = graph.task(mute, 0, &[], ten).unwrap();
        let second = graph.task(mute, 1, &[first], ten).unwrap();
        let third = graph.task(mute, 2, &[second], ten).unwrap();
        let end = graph.task(mute, last, &[third, first], TaskBytes::default()).unwrap();
        graph.keep(end).unwrap();
        graph.build()
    }

    #[test]
    fn a_panic_stands_for_the_default() {
        assert!(!retries(&Mute));
        assert_eq!((eviction(&Mute, 0), nanos_hint(&Mute, 0)), (Eviction::Hold, None));
        assert_eq!(label(&Mute, 3, 4), "index 4 of layer 3, whose label panicked: no label");
    }

    #[test]
    fn a_plan_of_a_layer_that_panics_when_asked_runs() {
        assert_eq!(Pool::new(2).unwrap().run(chain(3).plan(None).unwrap()).unwrap(), [5]);
    }

    #[test]
    fn values_are_held_when_the_layer_panics_instead_of_letting_them_go() {
        let options = PlanOptions::new().budget(Some(25)).spill(Arc::new(Unused));
        let error = chain(3).plan_with(options).unwrap_err();
        assert!(matches!(error, PlanError::BudgetTooSmall { needed: 30, budget: 25, .. }), "{error}");
    }

    #[test]
    fn an_error_counts_at_once_when_the_layer_panics_instead_of_asking_for_retries() {
        let error = Pool::new(2).unwrap().run(chain(9).plan(None).unwrap()).unwrap_err();
        let text = "task `index 9 of layer 0, whose label panicked: no label`: nine";
        assert_eq!(error.to_string(), text);
    }
}
