//! Reductions of the same elements are folded together: each tile is read and computed once, for all of them.
//!
//! ```text
//! walk from users to inputs:
//!     a map is inlined when
//!         it is not a result itself,
//!         every user of it is a reduction, or a map inlined before,
//!         all these reductions fold its own grid along the same axes and can be one set,  -- else it would be computed twice
//!         they are few, and copying its program into each adds little
//! walk from inputs to users:
//!     a reduction takes the programs of the maps inlined into it in front of its own
//!     reductions of the same space and axes that read nothing but what one of them reads
//!         become siblings                                                              -- `ExprGraph::siblings`
//! ```
//!
//! A sum of elements under a mask reads both, how many there are is a fold of the mask alone: they are one set, whose fold
//! reads what the sum does.
//!
//! Every sibling keeps its own program over the inputs they share; what the programs have in common is found when
//! they are compiled. So a graph with siblings means what it means without, node by node, and every reduction keeps
//! its own result, line and place among the roots: a node of several results would need a type, a grid and a truth of
//! its own.
//!
//! What a set reads comes before its first reduction in the order of the graph, so none of them can need another one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chunkwise_chunk::ChunkGrid;
use chunkwise_expr::{Arg, ExprGraph, GraphNode, NodeId, Op, Program, ProgramBuilder, Reduce};

use crate::fuse_reductions::program;
use crate::rebuild::{Inputs, Step, rebuild};
use crate::{Notes, Pass};

/// Reductions of a set: their results must stay in registers, and the registers in the first-level cache.
const MOST_SIBLINGS: usize = 16;

/// Instructions that inlining one map may add, over all reductions it is copied into.
const MOST_COPIES: usize = 4096;

/// Folds reductions of the same elements together.
///
/// ```
/// use chunkwise_optimize::{FuseSiblings, Pass};
/// assert_eq!(FuseSiblings.name(), "fuse_siblings");
/// ```
#[derive(Debug)]
pub struct FuseSiblings;

impl Pass for FuseSiblings {
    fn name(&self) -> &'static str {
        "fuse_siblings"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let maps = Inlined::find(graph, notes);
        let sets = sets(graph, &maps);
        if sets.is_empty() {
            return None;
        }
        let mut set_of: Vec<Option<usize>> = vec![None; graph.len()];
        for (number, set) in sets.iter().enumerate() {
            set.members.iter().for_each(|id| set_of[id.index()] = Some(number));
        }
        let mut siblings: Vec<Vec<NodeId>> = vec![Vec::new(); sets.len()];
        let mut new = rebuild(graph, notes, |new, id, places| {
            if maps.programs[id.index()].is_some() {
                return Step::Drop;
            }
            let Some(number) = set_of[id.index()] else { return Step::Keep };
            siblings[number].push(NodeId::new(new.len())); // the id it is about to get
            let inputs = &sets[number].inputs;
            Step::Replace("fold together", over(graph, &maps, id, inputs), places.of(inputs))
        });
        new.set_siblings(siblings);
        Some(new)
    }
}

/// Reductions that fold together.
#[derive(Clone)]
struct Set {
    members: Vec<NodeId>,
    /// What they read, each node once: all that one of them does, and nothing else.
    inputs: Inputs,
}

/// The maps that reductions take in.
struct Inlined {
    /// Of each map that is inlined its program and what that reads.
    programs: Vec<Option<(Arc<Program>, Inputs)>>,
    /// What each reduction reads, inlined maps seen through, and who takes in a map with it.
    sets: Vec<Set>,
    /// The set of each reduction.
    set_of: Vec<Option<usize>>,
    /// For each reduction what it reads itself.
    reads: Vec<Inputs>,
}

impl Inlined {
    fn find(graph: &ExprGraph, notes: &mut Notes) -> Inlined {
        let mut maps = Inlined::none(graph);
        // For each node the reductions that read it, maps inlined so far seen through.
        let mut fed: Vec<Vec<NodeId>> = vec![Vec::new(); graph.len()];
        for id in graph.ids().rev() {
            for &input in &maps.reads[id.index()] {
                fed[input.index()].push(id);
            }
            let reductions = std::mem::take(&mut fed[id.index()]);
            if !maps.may_take_in(graph, id, &reductions) {
                if matches!(graph.node(id).op, Op::Fused(..) | Op::Element(_)) && !reductions.is_empty() {
                    notes.declined(
                        "fold a map",
                        graph.node(id),
                        "its users do not all fold it alike: it is kept",
                    );
                }
                continue;
            }
            let Some((program, inputs)) = program(graph, id) else { continue };
            let copies = program.instrs().len() * reductions.len();
            if copies > MOST_COPIES || !maps.joins(id, &reductions, &inputs) {
                continue;
            }
            for input in &inputs {
                let known = &mut fed[input.index()];
                known.extend(&reductions);
                known.sort_unstable();
                known.dedup();
            }
            maps.programs[id.index()] = Some((program, inputs));
        }
        maps
    }

    fn none(graph: &ExprGraph) -> Inlined {
        let reads = |id| match graph.node(id).op {
            Op::Reduce(_) => distinct(&graph.inputs(id)),
            _ => Inputs::new(),
        };
        let reads: Vec<Inputs> = graph.ids().map(reads).collect();
        let mut set_of = vec![None; graph.len()];
        let mut sets = Vec::new();
        for id in graph.ids().filter(|&id| matches!(graph.node(id).op, Op::Reduce(_))) {
            set_of[id.index()] = Some(sets.len());
            sets.push(Set { members: vec![id], inputs: reads[id.index()].clone() });
        }
        Inlined { programs: vec![None; graph.len()], sets, set_of, reads }
    }

    /// Whether these reductions are what a map is for, and fold alike.
    fn may_take_in(&self, graph: &ExprGraph, id: NodeId, reductions: &[NodeId]) -> bool {
        let folds = |user: NodeId| {
            matches!(graph.node(user).op, Op::Reduce(_)) || self.programs[user.index()].is_some()
        };
        let Some(&first) = reductions.first() else { return false };
        let (space, axes) = space_of(graph, first);
        (2..=MOST_SIBLINGS).contains(&reductions.len())
            && !graph.is_root(id)
            && graph.users(id).all(folds)
            && graph.node(id).meta.grid() == space
            && reductions.iter().all(|&other| space_of(graph, other) == (space, axes))
    }

    /// Makes one set of these reductions and of those in a set with them, which read `inputs` instead of a map then. False
    /// when they cannot be one.
    fn joins(&mut self, map: NodeId, reductions: &[NodeId], inputs: &[NodeId]) -> bool {
        let mut numbers: Vec<usize> = reductions.iter().map(|&id| self.number(id)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut members: Vec<NodeId> = numbers.iter().flat_map(|&at| self.sets[at].members.clone()).collect();
        members.sort_unstable();
        let reads = members.iter().map(|&id| replaced(&self.reads[id.index()], map, inputs));
        let reads: Vec<Inputs> = reads.collect();
        let Some(inputs) = common(&reads).filter(|inputs| inputs.iter().all(|&input| input < members[0]))
        else {
            return false;
        };
        if members.len() > MOST_SIBLINGS {
            return false;
        }
        for (&id, reads) in members.iter().zip(&reads) {
            self.reads[id.index()] = reads.clone();
            self.set_of[id.index()] = Some(numbers[0]);
        }
        self.sets[numbers[0]] = Set { members, inputs };
        true
    }

    fn number(&self, reduction: NodeId) -> usize {
        self.set_of[reduction.index()].expect("every reduction is in a set")
    }
}

/// What a reduction reads when a map is inlined into it.
fn replaced(reads: &[NodeId], map: NodeId, inputs: &[NodeId]) -> Inputs {
    let one = |&id: &NodeId| if id == map { inputs.to_vec() } else { vec![id] };
    distinct(&reads.iter().flat_map(one).collect::<Vec<_>>())
}

/// The first of these lists that holds all others, if one does.
fn common(lists: &[Inputs]) -> Option<Inputs> {
    let longest = lists.iter().rev().max_by_key(|list| list.len())?;
    lists.iter().all(|list| holds(longest, list)).then(|| longest.clone())
}

fn holds(all: &[NodeId], some: &[NodeId]) -> bool {
    some.iter().all(|id| all.contains(id))
}

/// What sets are found by: a node that they read, or that they read none, their space and axes.
type Reads<'a> = (Option<NodeId>, &'a ChunkGrid, &'a [usize]);

/// The sets of more than one reduction. Those that take in the same map stay together.
fn sets(graph: &ExprGraph, maps: &Inlined) -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::new();
    // Only looked up, never walked.
    let mut reading: HashMap<Reads<'_>, Vec<usize>> = HashMap::new();
    let reductions = graph.ids().filter(|id| maps.set_of[id.index()].is_some());
    for id in reductions {
        let set = &maps.sets[maps.number(id)];
        if set.members[0] != id {
            continue;
        }
        let (space, axes) = space_of(graph, id);
        let last = set.inputs.iter().max().copied();
        let known = reading.get(&(last, space, axes)).into_iter().flatten().rev().take(MOST_SIBLINGS);
        let fits = |&at: &usize| {
            let other: &Set = &sets[at];
            other.members.len() + set.members.len() <= MOST_SIBLINGS && holds(&other.inputs, &set.inputs)
        };
        match known.copied().find(fits) {
            Some(at) => sets[at].members.extend(&set.members),
            None => {
                let inputs = set.inputs.iter().map(|&input| Some(input));
                let known_by: Vec<Option<NodeId>> =
                    if last.is_some() { inputs.collect() } else { vec![None] };
                for input in known_by {
                    reading.entry((input, space, axes)).or_default().push(sets.len());
                }
                sets.push(set.clone());
            }
        }
    }
    sets.retain(|set| set.members.len() > 1);
    sets
}

/// A reduction over the inputs of its set, with everything inlined into it.
fn over(graph: &ExprGraph, maps: &Inlined, id: NodeId, inputs: &[NodeId]) -> GraphNode {
    let node = graph.node(id);
    let reduce = reduce_of(graph, id);
    if graph.inputs(id)[..] == *inputs {
        return node.clone();
    }
    let mut builder = ProgramBuilder::new();
    let args = inputs.iter().map(|&input| (input, builder.input(graph.node(input).meta.dtype()))).collect();
    let result = value(&mut builder, graph, maps, id, args);
    let program = Some(Arc::new(builder.finish(result)));
    GraphNode { op: Op::Reduce(Arc::new(Reduce { program, ..reduce.clone() })), ..node.clone() }
}

/// The elements a reduction folds, as a value of the program that is built: those of the maps inlined into it, inputs
/// first, then those of its own program.
fn value(
    builder: &mut ProgramBuilder,
    graph: &ExprGraph,
    maps: &Inlined,
    id: NodeId,
    args: Vec<(NodeId, Arg)>,
) -> Arg {
    let mut known: HashMap<NodeId, Arg> = args.into_iter().collect();
    let mut inlined: BTreeSet<NodeId> = BTreeSet::new();
    let mut open: Vec<NodeId> = graph.inputs(id).to_vec();
    while let Some(input) = open.pop() {
        if let Some((_, inputs)) = &maps.programs[input.index()]
            && inlined.insert(input)
        {
            open.extend(inputs);
        }
    }
    for map in inlined {
        let (program, inputs) = maps.programs[map.index()].as_ref().expect("only inlined maps are noted");
        let operands: Vec<Arg> = inputs.iter().map(|input| known[input]).collect();
        known.insert(map, builder.inline(program, &operands));
    }
    let operands: Vec<Arg> = graph.inputs(id).iter().map(|input| known[input]).collect();
    match &reduce_of(graph, id).program {
        Some(program) => builder.inline(program, &operands),
        None => operands[0],
    }
}

/// Each node once, in the order of its first place.
fn distinct(inputs: &[NodeId]) -> Inputs {
    let mut distinct = Inputs::new();
    for &input in inputs {
        if !distinct.contains(&input) {
            distinct.push(input);
        }
    }
    distinct
}

fn reduce_of(graph: &ExprGraph, id: NodeId) -> &Reduce {
    let Op::Reduce(reduce) = &graph.node(id).op else { unreachable!("only reductions are asked") };
    reduce
}

fn space_of(graph: &ExprGraph, id: NodeId) -> (&ChunkGrid, &[usize]) {
    let reduce = reduce_of(graph, id);
    (&reduce.space, &reduce.axes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_all, constant, lit, source, unchanged, unchanged_all};
    use crate::{FuseMaps, FuseReductions};
    use chunkwise_expr::{BinaryOp, Expr, ReduceKind, UnaryOp};
    use std::panic::Location;

    fn fold(kind: ReduceKind, x: &Expr) -> Expr {
        x.reduce(kind, None, false, 0.0, Location::caller())
    }

    fn map(op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], Location::caller())
    }

    fn two(op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], Location::caller())
    }

    #[test]
    fn map_of_several_reductions_is_in_each_of_them_and_no_array() {
        let y = map(UnaryOp::Sqrt, &source("x", &[4], &[2]));
        let after = [
            "%1 = mean{r0 = sqrt x0}(%0): f64 -> result",
            "%2 = max{r0 = sqrt x0}(%0): f64, folded with %1 -> result",
        ];
        check_all(&FuseSiblings, &[fold(ReduceKind::Mean, &y), fold(ReduceKind::Max, &y)], &after);
    }

    #[test]
    fn reductions_of_one_array_fold_together() {
        let x = source("x", &[4], &[2]);
        let after = ["%1 = mean(%0): f64 -> result", "%2 = max(%0): f64, folded with %1 -> result"];
        check_all(&FuseSiblings, &[fold(ReduceKind::Mean, &x), fold(ReduceKind::Max, &x)], &after);
    }

    #[test]
    fn maps_behind_maps_are_taken_in() {
        let y = map(UnaryOp::Sqrt, &source("x", &[4], &[2]));
        let z = two(BinaryOp::Mul, &y, &y);
        let roots = [fold(ReduceKind::Sum, &z), fold(ReduceKind::Any, &z), fold(ReduceKind::Min, &y)];
        let after = [
            "%1 = sum{r0 = sqrt x0; r1 = mul r0 r0}(%0): f64 -> result",
            "%2 = any{r0 = sqrt x0; r1 = mul r0 r0}(%0): bool, folded with %1 -> result",
            "%3 = min{r0 = sqrt x0}(%0): f64, folded with %1 -> result",
        ];
        check_all(&FuseSiblings, &roots, &after);
    }

    #[test]
    fn programs_are_written_over_the_same_order_of_inputs() {
        let (x, w) = (source("x", &[4], &[2]), source("w", &[4], &[2]));
        let weighted = fold(ReduceKind::Sum, &two(BinaryOp::Mul, &x, &w));
        let farthest = fold(ReduceKind::Max, &two(BinaryOp::Sub, &w, &x));
        let mut graph = ExprGraph::import(&[weighted, farthest]).unwrap();
        for pass in [&FuseMaps as &dyn Pass, &FuseReductions, &FuseSiblings] {
            graph = pass.run(&graph, &mut Notes::default()).unwrap_or(graph);
        }
        let text = graph.to_string();
        assert!(text.contains("%2 = sum{r0 = mul x0 x1}(%0, %1)"), "{text}");
        assert!(text.contains("%3 = max{r0 = sub x1 x0}(%0, %1): f64, folded with %2"), "{text}");
    }

    #[test]
    fn reduction_that_reads_less_joins_one_that_reads_it_too() {
        let (x, w) = (source("x", &[4], &[2]), source("w", &[4], &[2]));
        let roots = [fold(ReduceKind::Sum, &two(BinaryOp::Mul, &x, &w)), fold(ReduceKind::Sum, &w)];
        let mut graph = ExprGraph::import(&roots).unwrap();
        for pass in [&FuseMaps as &dyn Pass, &FuseReductions, &FuseSiblings] {
            graph = pass.run(&graph, &mut Notes::default()).unwrap_or(graph);
        }
        let text = graph.to_string();
        assert!(text.contains("%2 = sum{r0 = mul x0 x1}(%0, %1)"), "{text}");
        assert!(text.contains("%3 = sum{}(%0, %1): f64, folded with %2"), "{text}");
    }

    #[test]
    fn map_that_others_use_with_more_is_in_all_of_them() {
        let x = source("x", &[4], &[2]);
        let mask = two(BinaryOp::Gt, &x, &lit(0.0));
        let kept =
            Expr::element(chunkwise_expr::ElementOp::Select, &[&mask, &lit(0.0), &x], Location::caller());
        let (sum, count) = (fold(ReduceKind::Sum, &kept), fold(ReduceKind::Sum, &map(UnaryOp::Not, &mask)));
        let mut graph = ExprGraph::import(&[sum, count, fold(ReduceKind::All, &mask)]).unwrap();
        for pass in [&FuseMaps as &dyn Pass, &FuseReductions, &FuseSiblings] {
            graph = pass.run(&graph, &mut Notes::default()).unwrap_or(graph);
        }
        let text = graph.to_string();
        let want = [
            "%3 = sum{r0 = gt x0 0.0; r1 = where_ r0 0.0 x0}(%0)",
            "%4 = sum{r0 = gt x0 0.0; r1 = not r0}(%0): i64, folded with %3",
            "%5 = all{r0 = gt x0 0.0}(%0): bool, folded with %3",
        ];
        assert!(want.iter().all(|part| text.contains(part)), "{text}");
    }

    #[test]
    fn reductions_of_constants_read_nothing_and_fold_together() {
        let y = two(BinaryOp::Add, &constant(1.0, &[4], &[2]), &lit(2.0));
        let mut graph = ExprGraph::import(&[fold(ReduceKind::Sum, &y), fold(ReduceKind::Max, &y)]).unwrap();
        for pass in [&FuseMaps as &dyn Pass, &FuseReductions, &FuseSiblings] {
            graph = pass.run(&graph, &mut Notes::default()).unwrap_or(graph);
        }
        let text = graph.to_string();
        assert!(text.contains("sum{r0 = add 1.0 2.0}: f64") && text.contains("folded with"), "{text}");
    }

    #[test]
    fn map_of_reductions_that_read_different_arrays_stays_an_array() {
        let (x, v, w) = (source("x", &[4], &[2]), source("v", &[4], &[2]), source("w", &[4], &[2]));
        let y = map(UnaryOp::Exp, &x);
        let roots = [
            fold(ReduceKind::Sum, &two(BinaryOp::Mul, &y, &v)),
            fold(ReduceKind::Sum, &two(BinaryOp::Mul, &y, &w)),
        ];
        let mut graph = ExprGraph::import(&roots).unwrap();
        for pass in [&FuseMaps as &dyn Pass, &FuseReductions] {
            graph = pass.run(&graph, &mut Notes::default()).unwrap_or(graph);
        }
        assert!(FuseSiblings.run(&graph, &mut Notes::default()).is_none());
    }

    #[test]
    fn reductions_along_other_axes_stay_apart_and_their_map_an_array() {
        let y = map(UnaryOp::Sqrt, &source("x", &[4, 4], &[2, 2]));
        let along = |axis| y.reduce(ReduceKind::Sum, Some(&[axis]), false, 0.0, Location::caller());
        unchanged_all(&FuseSiblings, &[along(0), along(1)]);
    }

    #[test]
    fn map_with_a_user_that_is_no_reduction_stays_an_array() {
        let y = map(UnaryOp::Exp, &source("x", &[4], &[2]));
        unchanged(&FuseSiblings, two(BinaryOp::Sub, &y, &fold(ReduceKind::Mean, &y)));
    }

    #[test]
    fn map_that_is_a_result_stays_an_array_which_is_read_once() {
        let y = map(UnaryOp::Exp, &source("x", &[4], &[2]));
        let roots = [y.clone(), fold(ReduceKind::Mean, &y), fold(ReduceKind::Max, &y)];
        check_all(&FuseSiblings, &roots, &["%1 = exp(%0)", "%2 = mean(%1)", "max(%1): f64, folded with %2"]);
    }

    #[test]
    fn reduction_that_needs_another_one_is_no_sibling_of_it() {
        let x = source("x", &[4], &[2]);
        let centred = two(BinaryOp::Sub, &x, &fold(ReduceKind::Mean, &x));
        unchanged(&FuseSiblings, fold(ReduceKind::Max, &centred));
    }

    #[test]
    fn sets_are_bounded_and_keep_reductions_of_one_map_together() {
        let x = source("x", &[4], &[2]);
        let y = two(BinaryOp::Mul, &x, &lit(2.0));
        let above = |x: &Expr, i: usize| fold(ReduceKind::Sum, &two(BinaryOp::Gt, x, &lit(i as f64)));
        let roots: Vec<Expr> = (0..10).map(|i| above(&x, i)).chain((0..10).map(|i| above(&y, i))).collect();
        let mut graph = ExprGraph::import(&roots).unwrap();
        for pass in [&FuseMaps as &dyn Pass, &FuseReductions, &FuseSiblings] {
            graph = pass.run(&graph, &mut Notes::default()).unwrap_or(graph);
        }
        let sets: Vec<usize> = graph.roots().iter().map(|&root| graph.siblings(root).len()).collect();
        assert_eq!(sets, [10; 20], "{graph}");
    }
}
