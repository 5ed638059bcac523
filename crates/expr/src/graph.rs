//! Expressions as a petgraph graph: what passes rewrite and lowering reads.
//!
//! Nodes are in topological order of their ids: an input is always added before its user. Passes do not
//! change a graph, they build the next one.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use smallvec::SmallVec;

use crate::{BuildError, Expr, Meta, Node, Op};

/// A node of an [`ExprGraph`]; smaller ids never depend on larger ones.
pub type NodeId = NodeIndex<u32>;

/// An operation with what is known of its result.
///
/// ```
/// use std::panic::Location;
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::{Expr, ExprGraph};
/// let one = Expr::literal(Scalar::F64(1.0), Location::caller());
/// let graph = ExprGraph::import(&[one]).unwrap();
/// assert_eq!(graph.node(graph.roots()[0]).op.name(), "literal");
/// ```
#[derive(Clone, Debug)]
pub struct GraphNode {
    /// What is done.
    pub op: Op,
    /// What the result is.
    pub meta: Meta,
    /// Where the user wrote it.
    pub origin: &'static Location<'static>,
}

/// A graph of expressions with the results that are asked for.
///
/// ```
/// use std::panic::Location;
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::{BinaryOp, Expr, ExprGraph};
/// let at = Location::caller();
/// let one = Expr::literal(Scalar::F64(1.0), at);
/// let two = Expr::element(BinaryOp::Add.into(), &[&one, &one], at);
/// let graph = ExprGraph::import(&[two]).unwrap();
/// assert_eq!(graph.len(), 2);
/// assert_eq!(graph.inputs(graph.roots()[0]).len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ExprGraph {
    graph: DiGraph<GraphNode, u32>,
    roots: Vec<NodeId>,
    /// For each node whether it is a root.
    is_root: Vec<bool>,
    /// Sets of reductions that are folded together.
    siblings: Vec<Vec<NodeId>>,
    /// For each node which set it is in; empty where there are no sets.
    siblings_of: Vec<Option<u32>>,
}

impl ExprGraph {
    /// A graph without nodes.
    pub fn new() -> ExprGraph {
        ExprGraph::default()
    }

    /// The graph of everything the roots need; a shared node stays shared.
    ///
    /// # Errors
    /// When a root cannot be built.
    pub fn import(roots: &[Expr]) -> Result<ExprGraph, Arc<BuildError>> {
        if let Some(err) = roots.iter().find_map(Expr::error) {
            return Err(err.clone());
        }
        let mut graph = ExprGraph::new();
        let mut known: HashMap<*const Node, NodeId> = HashMap::new();
        let ids = roots.iter().map(|root| graph.import_one(root, &mut known)).collect();
        graph.set_roots(ids);
        Ok(graph)
    }

    /// Adds a root and all it needs, inputs first, without recursion.
    fn import_one(&mut self, root: &Expr, known: &mut HashMap<*const Node, NodeId>) -> NodeId {
        let mut stack: Vec<(&Expr, usize)> = vec![(root, 0)];
        while let Some((expr, next)) = stack.pop() {
            if known.contains_key(&expr.address()) {
                continue;
            }
            if let Some(input) = expr.node().inputs().get(next) {
                stack.push((expr, next + 1));
                stack.push((input, 0));
                continue;
            }
            let inputs: SmallVec<[NodeId; 3]> =
                expr.node().inputs().iter().map(|input| known[&input.address()]).collect();
            let node = GraphNode { op: expr.op().clone(), meta: expr.meta().clone(), origin: expr.origin() };
            known.insert(expr.address(), self.add(node, &inputs));
        }
        known[&root.address()]
    }

    /// Adds a node; its inputs must have been added before.
    pub fn add(&mut self, node: GraphNode, inputs: &[NodeId]) -> NodeId {
        let id = self.graph.add_node(node);
        for (place, &input) in (0..).zip(inputs) {
            self.graph.add_edge(input, id, place);
        }
        id
    }

    /// Says which results are asked for.
    pub fn set_roots(&mut self, roots: Vec<NodeId>) {
        self.is_root = vec![false; self.len()];
        roots.iter().for_each(|root| self.is_root[root.index()] = true);
        self.roots = roots;
    }

    /// The results that are asked for.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// Says which reductions are folded together, each set in ascending order. The nodes of a set take equal elements:
    /// the same inputs, in the same order, over the same space and axes. So none of them needs another one.
    ///
    /// # Panics
    /// When the nodes of a set are no such reductions.
    ///
    /// ```
    /// use std::panic::Location;
    /// use chunkwise_chunk::Scalar;
    /// use chunkwise_expr::{Expr, ExprGraph, ReduceKind};
    /// let at = Location::caller();
    /// let x = Expr::literal(Scalar::F64(1.0), at);
    /// let sums = [ReduceKind::Sum, ReduceKind::Max].map(|kind| x.reduce(kind, None, false, 0.0, at));
    /// let mut graph = ExprGraph::import(&sums).unwrap();
    /// let roots = graph.roots().to_vec();
    /// graph.set_siblings(vec![roots.clone()]);
    /// assert_eq!(graph.siblings(roots[1]), roots);
    /// ```
    pub fn set_siblings(&mut self, sets: Vec<Vec<NodeId>>) {
        self.siblings_of = vec![None; self.len()];
        for (number, set) in (0..).zip(&sets) {
            assert!(
                set.is_sorted() && set.iter().all(|&id| self.fold_alike(set[0], id)),
                "siblings fold alike"
            );
            set.iter().for_each(|id| self.siblings_of[id.index()] = Some(number));
        }
        self.siblings = sets;
    }

    /// The reductions that are folded together with a node, itself among them, in ascending order; empty when it
    /// is folded alone.
    pub fn siblings(&self, id: NodeId) -> &[NodeId] {
        let set = self.siblings_of.get(id.index()).copied().flatten();
        set.map_or(&[], |set| &self.siblings[set as usize])
    }

    fn fold_alike(&self, a: NodeId, b: NodeId) -> bool {
        match (&self.node(a).op, &self.node(b).op) {
            (Op::Reduce(one), Op::Reduce(other)) => {
                one.axes == other.axes && one.space == other.space && self.inputs(a) == self.inputs(b)
            }
            _ => false,
        }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// True when there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All nodes, inputs before users.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.graph.node_count()).map(NodeId::new)
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &GraphNode {
        &self.graph[id]
    }

    /// The inputs of a node in the order of its operands.
    pub fn inputs(&self, id: NodeId) -> SmallVec<[NodeId; 3]> {
        let edges = self.graph.edges_directed(id, Direction::Incoming);
        let mut inputs: SmallVec<[(u32, NodeId); 3]> = edges.map(|e| (*e.weight(), e.source())).collect();
        inputs.sort_unstable_by_key(|&(place, _)| place);
        inputs.into_iter().map(|(_, input)| input).collect()
    }

    /// What is known of the inputs of a node, in the order of its operands.
    pub fn input_metas(&self, id: NodeId) -> SmallVec<[&Meta; 3]> {
        self.inputs(id).into_iter().map(|input| &self.graph[input].meta).collect()
    }

    /// The nodes that use this one, one entry per use.
    pub fn users(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.graph.neighbors_directed(id, Direction::Outgoing)
    }

    /// True when the result of the node is asked for.
    pub fn is_root(&self, id: NodeId) -> bool {
        self.is_root.get(id.index()).copied().unwrap_or(false)
    }

    /// The petgraph graph: an edge goes from an input to its user and holds the place of the operand.
    pub fn as_petgraph(&self) -> &DiGraph<GraphNode, u32> {
        &self.graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BinaryOp;
    use chunkwise_chunk::Scalar;

    #[test]
    fn operands_keep_their_order_and_sharing_stays() {
        let at = Location::caller();
        let (a, b) = (Expr::literal(Scalar::F64(1.0), at), Expr::literal(Scalar::F64(2.0), at));
        let c = Expr::element(BinaryOp::Sub.into(), &[&b, &a], at);
        let d = Expr::element(BinaryOp::Sub.into(), &[&c, &b], at);
        let graph = ExprGraph::import(&[d, c]).unwrap();
        assert_eq!(graph.len(), 4);
        let names = |id| graph.inputs(id).iter().map(|i| i.index()).collect::<Vec<_>>();
        assert_eq!(names(graph.roots()[0]), [2, 0]);
        assert_eq!(names(graph.roots()[1]), [0, 1]);
    }

    #[test]
    fn paths_that_double_at_each_step_stay_linear() {
        let at = Location::caller();
        let mut x = Expr::literal(Scalar::F64(1.0), at);
        for _ in 0..100 {
            x = Expr::element(BinaryOp::Add.into(), &[&x, &x], at);
        }
        assert_eq!(ExprGraph::import(&[x]).unwrap().len(), 101);
    }
}
