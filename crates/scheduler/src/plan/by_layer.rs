//! What a plan does for each layer: its tasks, and what the evictions do to their values.
//!
//! It owns the sums. It decides nothing.

use super::{Plan, PlanData};
use crate::TaskKind;

/// The tasks of one layer in a plan, and the bytes of their values.
///
/// ```
/// use chunkwise_scheduler::{FnLayer, GraphBuilder, TaskBytes};
///
/// let mut graph = GraphBuilder::new();
/// let layer = graph.layer(std::sync::Arc::new(FnLayer::new("count", |i, _: &mut [u32]| Ok(i))))?;
/// for index in 0..3 {
///     graph.task(layer, index, &[], TaskBytes { output: 4, scratch: 1 })?;
/// }
/// let totals = graph.build().plan(None)?.by_layer();
/// assert_eq!((totals[0].tasks, totals[0].output), (3, 12));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerTotals {
    /// Tasks that compute, each counted once however often it runs.
    pub tasks: usize,
    /// Bytes of their values.
    pub output: u64,
    /// Bytes of the values that are written to disk.
    pub spilled: u64,
    /// Bytes that are read back.
    pub loaded: u64,
    /// Bytes of the values of second and later runs.
    pub rerun: u64,
}

impl<V> Plan<V> {
    /// What is done for each layer, in the order in which they were added: the sums of
    /// [`spill_bytes`](Plan::spill_bytes), [`load_bytes`](Plan::load_bytes) and [`rerun_bytes`](Plan::rerun_bytes), by layer.
    ///
    /// Costs O(tasks).
    ///
    /// ```
    /// let plan = chunkwise_scheduler::GraphBuilder::<i32>::new().build().plan(None)?;
    /// assert!(plan.by_layer().is_empty());
    /// # Ok::<(), chunkwise_scheduler::PlanError>(())
    /// ```
    #[must_use]
    pub fn by_layer(&self) -> Vec<LayerTotals> {
        self.data.by_layer()
    }
}

impl<V> PlanData<V> {
    fn by_layer(&self) -> Vec<LayerTotals> {
        let mut totals = vec![LayerTotals::default(); self.num_layers()];
        // By creation id: every task of the graph is there at least once.
        let mut seen = vec![false; self.len()];
        for task in 0..self.len() as u32 {
            let (id, layer, _) = self.identity(task);
            let total = &mut totals[layer.number() as usize];
            let bytes = self.event_bytes(task).output;
            let sum = match self.kind(task) {
                TaskKind::Spill => &mut total.spilled,
                TaskKind::Load => &mut total.loaded,
                TaskKind::Compute if std::mem::replace(&mut seen[id.number() as usize], true) => {
                    &mut total.rerun
                }
                TaskKind::Compute => {
                    total.tasks += 1;
                    &mut total.output
                }
            };
            *sum = sum.saturating_add(bytes);
        }
        totals
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::LayerTotals;
    use crate::{BoxError, Eviction, GraphBuilder, Layer, PlanOptions, SpillCodec, TaskBytes, TaskCx};

    struct May(Eviction);

    impl Layer<u8> for May {
        fn run(&self, _: u32, _: &mut [u8], _: &TaskCx<'_>) -> Result<u8, BoxError> {
            Ok(0)
        }

        fn label(&self, index: u32) -> String {
            format!("{index}")
        }

        fn eviction(&self, _: u32) -> Eviction {
            self.0
        }
    }

    struct Codec;

    impl SpillCodec<u8> for Codec {
        fn write(&self, value: &u8, out: &mut dyn io::Write) -> io::Result<()> {
            out.write_all(&[*value])
        }

        fn read(&self, input: &mut dyn io::Read) -> io::Result<u8> {
            let mut value = [0];
            input.read_exact(&mut value).map(|()| value[0])
        }
    }

    /// Ten values of a layer that may go to disk and ten of one that runs again, all used by a task and once more when it
    /// is done: in room for six, at least fourteen of them leave.
    #[test]
    fn evictions_are_counted_where_the_values_come_from() {
        let mut graph = GraphBuilder::new();
        let layers = [Eviction::Spill, Eviction::Rerun, Eviction::Hold];
        let layers = layers.map(|may| graph.layer(Arc::new(May(may))).unwrap());
        let (block, tiny) = (TaskBytes { output: 1000, scratch: 0 }, TaskBytes { output: 1, scratch: 0 });
        let blocks: Vec<_> =
            (0..20).map(|i| graph.task(layers[i / 10], i as u32, &[], block).unwrap()).collect();
        let mut sum = blocks[0];
        for (index, &block) in blocks.iter().chain(&blocks).enumerate() {
            sum = graph.task(layers[2], index as u32, &[sum, block], tiny).unwrap();
        }
        graph.keep(sum).unwrap();
        let plan =
            graph.build().plan_with(PlanOptions::new().budget(Some(6000)).spill(Arc::new(Codec))).unwrap();
        let totals = plan.by_layer();
        let sum = |f: fn(&LayerTotals) -> u64| totals.iter().map(f).sum::<u64>();
        assert_eq!(totals.iter().map(|layer| layer.tasks).collect::<Vec<_>>(), [10, 10, 40]);
        assert_eq!(totals.iter().map(|layer| layer.output).collect::<Vec<_>>(), [10_000, 10_000, 40]);
        assert_eq!(sum(|layer| layer.spilled), plan.spill_bytes());
        assert_eq!(sum(|layer| layer.loaded), plan.load_bytes());
        assert_eq!(sum(|layer| layer.rerun), plan.rerun_bytes());
        assert_eq!(
            (totals[1].spilled, totals[0].rerun, totals[2]),
            (0, 0, LayerTotals { tasks: 40, output: 40, ..Default::default() })
        );
        assert!(totals[0].spilled + totals[1].rerun > 0);
    }
}
