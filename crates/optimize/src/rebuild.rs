//! Building the next graph from the last one, node by node.

use chunkwise_expr::{ExprGraph, GraphNode, NodeId};
use smallvec::SmallVec;

use crate::Notes;

/// Nodes of the new graph, in operand order.
pub(crate) type Inputs = SmallVec<[NodeId; 3]>;

/// What becomes of a node.
pub(crate) enum Step {
    /// It stays, over the new inputs.
    Keep,
    /// By this rule it becomes this node over these new inputs.
    Replace(&'static str, GraphNode, Inputs),
    /// By this rule its users take this new node instead.
    Forward(&'static str, NodeId),
    /// It vanishes: no node that stays uses it.
    Drop,
}

/// Builds a graph by asking `step` about every node, inputs first; `step` is given the new graph so far, the
/// old id and the new inputs (only of nodes that were not dropped), and may add nodes to it. Nodes that were replaced or
/// forwarded are noted.
pub(crate) fn rebuild(
    old: &ExprGraph,
    notes: &mut Notes,
    mut step: impl FnMut(&mut ExprGraph, NodeId, &Places) -> Step,
) -> ExprGraph {
    let mut new = ExprGraph::new();
    let mut places = Places(Vec::with_capacity(old.len()));
    for id in old.ids() {
        let place = match step(&mut new, id, &places) {
            Step::Keep => Some(new.add(old.node(id).clone(), &places.of(&old.inputs(id)))),
            Step::Replace(rule, node, inputs) => {
                notes.did(rule, old.node(id));
                Some(new.add(node, &inputs))
            }
            Step::Forward(rule, place) => {
                notes.did(rule, old.node(id));
                Some(place)
            }
            Step::Drop => None,
        };
        places.0.push(place);
    }
    new.set_roots(places.of(old.roots()).into_vec());
    new
}

/// Where the nodes of the old graph are in the new one.
pub(crate) struct Places(Vec<Option<NodeId>>);

impl Places {
    pub(crate) fn of(&self, old: &[NodeId]) -> Inputs {
        old.iter().map(|id| self.0[id.index()].expect("a dropped node has no user that stays")).collect()
    }
}
