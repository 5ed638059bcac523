//! Maps that are computed again behind a barrier, because holding their blocks does not fit.
//!
//! In `y = x - m; y / y.std()` all of `y` is needed for the deviation, and again when that is known. Where `y` does not
//! fit into memory, its blocks would go to disk and come back, though `x` can be read again and a difference costs next to
//! nothing. So the map is taken out of the graph: each of its users computes it for itself, tile by tile, and no block of
//! it is ever held.
//!
//! ```text
//! for each map y that is needed before a barrier and behind it, inputs first:
//!     does it fit into what is left of half the budget?           -> held
//!     can its inputs be had again: read, small, or such a map?    no  -> held or written, as the planner of evictions says
//!     costs that less than writing y and reading it back?         no  -> the same
//!     yes: users of the same blocks take its program into theirs; others share a copy for each number of barriers
//! ```
//!
//! It owns this rewrite. What is evicted besides, and when, is planned by the scheduler. Bits stay what they are: a fused
//! program computes what its parts do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chunkwise_chunk::{ReadCost, ReadUnit};
use chunkwise_expr::{
    Arg, ElementOp, ExprGraph, GraphNode, Meta, NodeId, Op, Program, ProgramBuilder, Reduce,
};
use chunkwise_optimize::{Notes, PassReport};
use smallvec::SmallVec;

use super::barriers::{Crossing, crossings};
use super::evict::calls_user;
use crate::cost;

/// Instructions of a map with those of all it is computed from, above which it is held.
const MOST_INSTRUCTIONS: usize = 512;

/// The part of the budget that an input may take and count as small: it is held in any case.
const SMALL: u64 = 16;

/// What was found out of the maps that do not fit.
pub(super) struct Recomputed {
    /// The graph without those that are computed again, if there are any.
    pub(super) graph: Option<ExprGraph>,
    pub(super) report: PassReport,
    /// Those maps.
    pub(super) maps: Vec<Again>,
}

/// A map that each user computes for itself.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    /// The operation as it was, and where the user wrote it.
    pub(crate) node: GraphNode,
    pub(crate) barrier: String,
    /// How often it is computed.
    pub(crate) times: usize,
    /// Nanoseconds that the times after the first take, and what the disk would.
    pub(crate) nanos: f64,
    pub(crate) disk_nanos: f64,
}

/// The graph with cheap maps computed again where they do not fit; `None` when all maps fit. `spills` says whether blocks
/// can go to disk.
pub(super) fn recompute(graph: &ExprGraph, budget: u64, spills: bool) -> Option<Recomputed> {
    let mut room = budget / 2;
    let is_shared_map = |id: NodeId| {
        let node = graph.node(id);
        matches!(node.op, Op::Element(_) | Op::Fused(..))
            && graph.users(id).nth(1).is_some()
            && !graph.is_root(id)
    };
    let shared = graph.ids().filter(|&id| is_shared_map(id));
    if shared.fold(0u64, |sum, id| sum.saturating_add(graph.node(id).meta.nbytes())) <= room {
        return None;
    }
    let mut notes = Notes::default();
    let mut chosen = Chosen { graph, budget, maps: HashMap::new() };
    let mut maps = Vec::new();
    for crossing in crossings(graph, is_shared_map).0 {
        let node = graph.node(crossing.node);
        let nbytes = node.meta.nbytes();
        if let Some(left) = room.checked_sub(nbytes) {
            room = left;
            continue;
        }
        match chosen.choose(&crossing, spills) {
            Ok(again) => {
                notes.did("compute again", node);
                maps.push(again);
            }
            Err(why) => notes.declined("compute again", node, why),
        }
    }
    let new = (!maps.is_empty()).then(|| Rewrite::new(&chosen).run());
    let after = new.as_ref().unwrap_or(graph).len();
    let report = PassReport { pass: "recompute", before: graph.len(), after, notes };
    Some(Recomputed { graph: new, report, maps })
}

/// The maps that are computed again.
struct Chosen<'g> {
    graph: &'g ExprGraph,
    budget: u64,
    maps: HashMap<NodeId, Map>,
}

/// A map with those that it is computed from.
struct Map {
    program: Arc<Program>,
    /// What the program reads, in the graph as it was: none of them a map of the same blocks that is computed again.
    inputs: Vec<NodeId>,
    /// Nanoseconds of computing all of it once.
    nanos: f64,
    /// For each user the number of barriers before it.
    users: BTreeMap<NodeId, u32>,
}

impl Chosen<'_> {
    /// Takes a map in, or says why not.
    fn choose(&mut self, crossing: &Crossing, spills: bool) -> Result<Again, &'static str> {
        let graph = self.graph;
        let (id, node) = (crossing.node, graph.node(crossing.node));
        if calls_user(&node.op) {
            return Err("a function of the user's may take any time");
        }
        let (program, inputs) = self.program(id).ok_or("its inputs are no arrays")?;
        if program.instrs().len() > MOST_INSTRUCTIONS {
            return Err("it has too many instructions");
        }
        let bytes = node.meta.nbytes() as f64;
        let elements = bytes / node.meta.dtype().itemsize() as f64;
        let nanos =
            inputs.iter().map(|&input| self.again(input)).sum::<f64>() + elements * cost::program(&program);
        if nanos.is_infinite() {
            return Err("what it is made of would have to be held");
        }
        let times = crossing.times();
        let (nanos_more, disk_nanos) = ((times - 1) as f64 * nanos, cost::disk(bytes, times - 1));
        if spills && nanos_more > disk_nanos {
            return Err("the disk is quicker");
        }
        let users = crossing.users.clone();
        self.maps.insert(id, Map { program: Arc::new(program), inputs, nanos, users });
        let barrier = graph.node(crossing.barrier).op.name().to_owned();
        Ok(Again { node: node.clone(), barrier, times, nanos: nanos_more, disk_nanos })
    }

    /// Nanoseconds of having an input once more.
    fn again(&self, id: NodeId) -> f64 {
        let (graph, node) = (self.graph, self.graph.node(id));
        let Meta::Array { dtype, .. } = &node.meta else { return f64::INFINITY };
        let bytes = node.meta.nbytes();
        let elements = bytes as f64 / dtype.itemsize() as f64;
        if let Some(map) = self.maps.get(&id) {
            return map.nanos;
        }
        match &node.op {
            Op::Literal(_) => 0.0,
            Op::Source(source) if source.source().unit() == ReadUnit::Any => {
                cost::read(source.source().cost(), elements, bytes as f64)
            }
            Op::View(_) if matches!(reads(graph, id), Some(cost) if cost < ReadCost::Call) => {
                cost::read(reads(graph, id).unwrap_or(ReadCost::Call), elements, bytes as f64)
            }
            _ if bytes <= self.budget / SMALL => bytes as f64 / cost::MEMORY,
            _ => f64::INFINITY,
        }
    }

    /// Whether a map that is computed again has the blocks of a user, which then takes its program into its own.
    fn joins(&self, map: NodeId, user: NodeId) -> bool {
        let grid = self.graph.node(map).meta.grid();
        match &self.graph.node(user).op {
            Op::Element(_) | Op::Fused(..) => self.graph.node(user).meta.grid() == grid,
            Op::Reduce(reduce) => reduce.space == *grid,
            _ => false,
        }
    }

    /// The number of barriers between the maps that a user takes and the user.
    fn stage(&self, user: NodeId) -> u32 {
        let of = |input: &NodeId| self.maps.get(input)?.users.get(&user).copied();
        self.graph.inputs(user).iter().filter_map(of).max().unwrap_or(0)
    }

    /// The program of a map or a reduction with all that joins it, and what it reads.
    fn program(&self, id: NodeId) -> Option<(Program, Vec<NodeId>)> {
        let graph = self.graph;
        let mut builder = ProgramBuilder::new();
        let mut known: Vec<(NodeId, Arg)> = Vec::new();
        let mut outside = Vec::new();
        let mut operands: SmallVec<[Arg; 3]> = SmallVec::new();
        for input in graph.inputs(id) {
            let mut leaf = |builder: &mut ProgramBuilder, input: NodeId| -> Option<Arg> {
                if let Some((_, arg)) = known.iter().find(|(other, _)| *other == input) {
                    return Some(*arg);
                }
                let arg = match (&graph.node(input).op, &graph.node(input).meta) {
                    (Op::Literal(value), _) => builder.constant(*value),
                    (_, Meta::Array { dtype, .. }) => {
                        outside.push(input);
                        builder.input(*dtype)
                    }
                    _ => return None,
                };
                known.push((input, arg));
                Some(arg)
            };
            let operand = match self.maps.get(&input).filter(|_| self.joins(input, id)) {
                None => leaf(&mut builder, input)?,
                Some(map) => {
                    let args: Option<Vec<Arg>> =
                        map.inputs.iter().map(|&input| leaf(&mut builder, input)).collect();
                    builder.inline(&map.program, &args?)
                }
            };
            operands.push(operand);
        }
        let result = self.push(&mut builder, id, &operands)?;
        Some((builder.finish(result), outside))
    }

    /// The instructions of the node itself.
    fn push(&self, builder: &mut ProgramBuilder, id: NodeId, operands: &[Arg]) -> Option<Arg> {
        let node = self.graph.node(id);
        match &node.op {
            Op::Element(op) => {
                let result = builder.push(ElementOp::clone(op), operands)?;
                builder.written_at(node.origin);
                Some(result)
            }
            Op::Fused(program, _) => Some(builder.inline(program, operands)),
            Op::Reduce(reduce) => match &reduce.program {
                Some(program) => Some(builder.inline(program, operands)),
                None => Some(operands[0]),
            },
            _ => None,
        }
    }
}

/// What reading costs a view of a source.
fn reads(graph: &ExprGraph, view: NodeId) -> Option<ReadCost> {
    let Op::Source(source) = &graph.node(*graph.inputs(view).first()?).op else { return None };
    let source = source.source();
    (source.unit() == ReadUnit::Any).then(|| source.cost())
}

/// The graph in which users compute the maps for themselves.
struct Rewrite<'c, 'g> {
    chosen: &'c Chosen<'g>,
    new: ExprGraph,
    places: Vec<Option<NodeId>>,
    /// Copies for users that cannot take the program in, by the number of barriers before these.
    copies: HashMap<(NodeId, u32), NodeId>,
}

impl<'c, 'g> Rewrite<'c, 'g> {
    fn new(chosen: &'c Chosen<'g>) -> Rewrite<'c, 'g> {
        Rewrite { chosen, new: ExprGraph::new(), places: Vec::new(), copies: HashMap::new() }
    }

    fn run(mut self) -> ExprGraph {
        let graph = self.chosen.graph;
        for id in graph.ids() {
            let place = (!self.chosen.maps.contains_key(&id)).then(|| self.node(id));
            self.places.push(place);
        }
        let places = |ids: &[NodeId]| -> Vec<NodeId> {
            ids.iter().map(|id| self.places[id.index()].expect("roots and reductions stay")).collect()
        };
        let mut sets: Vec<Vec<NodeId>> = Vec::new();
        for id in graph.ids().filter(|&id| graph.siblings(id).first() == Some(&id)) {
            sets.push(places(graph.siblings(id)));
        }
        let roots = places(graph.roots());
        self.new.set_roots(roots);
        if !sets.is_empty() {
            self.new.set_siblings(sets);
        }
        self.new
    }

    fn node(&mut self, id: NodeId) -> NodeId {
        let (graph, chosen) = (self.chosen.graph, self.chosen);
        let node = graph.node(id);
        let takes = |input: &NodeId| chosen.maps.contains_key(input) && chosen.joins(*input, id);
        let (op, inputs) = match &node.op {
            op if !graph.inputs(id).iter().any(takes) => (op.clone(), graph.inputs(id).into_vec()),
            op => {
                let (program, inputs) = chosen.program(id).expect("what it joins was made a program before");
                (with_program(op, &node.meta, program), inputs)
            }
        };
        let inputs: Vec<NodeId> = inputs.iter().map(|&input| self.input(input, id)).collect();
        self.new.add(GraphNode { op, ..node.clone() }, &inputs)
    }

    /// An input of a user, or a copy for it.
    fn input(&mut self, input: NodeId, user: NodeId) -> NodeId {
        match self.places[input.index()] {
            Some(place) => place,
            None => self.copy(input, self.chosen.stage(user)),
        }
    }

    fn copy(&mut self, id: NodeId, stage: u32) -> NodeId {
        if let Some(&copy) = self.copies.get(&(id, stage)) {
            return copy;
        }
        let chosen = self.chosen;
        let map = &chosen.maps[&id];
        let input = |this: &mut Self, input: NodeId| match this.places[input.index()] {
            Some(place) => place,
            None => this.copy(input, stage),
        };
        let inputs: Vec<NodeId> = map.inputs.iter().map(|&id| input(self, id)).collect();
        let node = chosen.graph.node(id);
        let op = Op::Fused(map.program.clone(), node.meta.grid().clone());
        let copy = self.new.add(GraphNode { op, ..node.clone() }, &inputs);
        self.copies.insert((id, stage), copy);
        copy
    }
}

fn with_program(op: &Op, meta: &Meta, program: Program) -> Op {
    let program = Arc::new(program);
    match op {
        Op::Reduce(reduce) => Op::Reduce(Arc::new(Reduce { program: Some(program), ..(**reduce).clone() })),
        _ => Op::Fused(program, meta.grid().clone()),
    }
}
