//! Operands whose axes have labels: what einsum's rules say of one of them, and of two.

use std::panic::Location;

use chunkwise_chunk::{AxisChunks, ChunkGrid, Chunks, DType, SliceElem, View};
use chunkwise_expr::{BinaryOp, Expr, ExprError, ReduceKind};

use super::grid::Limits;
use super::repeated::Repeated;
use super::rule::{Axes, Contract};
use super::subscripts::Label;

/// Elements of a block of a product with new axes, unless a block of an operand has more.
const PRODUCT_BLOCK: usize = 1 << 20;

/// Who asks for a contraction.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// Name of the method, for plans and errors.
    pub(super) name: &'static str,
    /// Line of the user's program.
    pub(super) at: &'static Location<'static>,
}

/// An operand, or what became of several.
#[derive(Clone)]
pub(super) struct Term {
    pub(super) expr: Expr,
    /// What each axis is called.
    pub(super) labels: Vec<Label>,
}

/// The lengths of labels.
pub(super) struct Lengths([usize; 128]);

impl Lengths {
    /// The lengths in all operands: axes of one label are equally long, or of length 1, and then repeat.
    pub(super) fn of(terms: &[Term]) -> Result<Lengths, ExprError> {
        let mut lengths = [1; 128];
        for term in terms {
            for (&label, &len) in term.labels.iter().zip(term.expr.shape()) {
                let known = &mut lengths[usize::from(label)];
                match (*known, len) {
                    (1, _) => *known = len,
                    (known, len) if len == known || len == 1 => {}
                    (known, len) => return Err(unequal(terms, known, len)),
                }
            }
        }
        Ok(Lengths(lengths))
    }

    pub(super) fn get(&self, label: Label) -> usize {
        self.0[usize::from(label)]
    }
}

fn unequal(terms: &[Term], one: usize, other: usize) -> ExprError {
    let shapes: Vec<&[usize]> = terms.iter().map(|term| term.expr.shape()).collect();
    let text = format!(
        "arrays of shapes {shapes:?} do not fit: an axis is {one} long in one and {other} in another"
    );
    ExprError::Message(text)
}

impl Term {
    fn cut(&self, label: Label) -> Option<&AxisChunks> {
        let axis = self.labels.iter().position(|&other| other == label)?;
        self.expr.grid().map(|grid| grid.axis(axis))
    }

    fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }

    fn dtype(&self) -> DType {
        self.expr.dtype().unwrap_or(DType::Bool)
    }

    /// The axes of those of these labels that the term has, in their order.
    fn places(&self, labels: &[Label]) -> Vec<usize> {
        labels.iter().filter_map(|label| self.labels.iter().position(|own| own == label)).collect()
    }
}

impl Asked {
    /// An expression that cannot be built.
    pub(super) fn invalid(&self, cause: ExprError) -> Expr {
        Expr::invalid(self.name, cause, self.at)
    }

    /// Each label once: the diagonal of those that are repeated.
    pub(super) fn diagonal(&self, term: Term) -> Term {
        let mut labels: Vec<Label> = Vec::new();
        for &label in &term.labels {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        if labels.len() == term.labels.len() {
            return term;
        }
        let place = |label: &Label| labels.iter().position(|other| other == label);
        let to: Vec<usize> = term.labels.iter().filter_map(place).collect();
        Term { expr: Expr::blockwise(Repeated::new(self.name, &to), &[&term.expr], self.at), labels }
    }

    /// Without axes of length 1 whose labels are longer elsewhere: what they repeat for needs no axis.
    pub(super) fn without_repeats(&self, term: Term, lengths: &Lengths) -> Term {
        let repeats = |(label, &len): (&Label, &usize)| len == 1 && lengths.get(*label) != 1;
        let goes: Vec<bool> = term.labels.iter().zip(term.expr.shape()).map(repeats).collect();
        if !goes.contains(&true) {
            return term;
        }
        let elem = |&goes: &bool| if goes { SliceElem::Index(0) } else { (..).into() };
        let elems: Vec<SliceElem> = goes.iter().map(elem).collect();
        let view = View::slice(term.expr.shape(), &elems);
        let kept = term.labels.iter().zip(&goes).filter(|(_, goes)| !**goes);
        let labels = kept.map(|(&label, _)| label).collect();
        Term { expr: Expr::view(self.name, &term.expr, view, self.at), labels }
    }

    /// The sum over all axes but those of these labels, in the type of the elements.
    pub(super) fn summed(&self, term: Term, keep: impl Fn(Label) -> bool) -> Term {
        let axes: Vec<usize> = (0..term.labels.len()).filter(|&axis| !keep(term.labels[axis])).collect();
        if axes.is_empty() {
            return term;
        }
        let labels = term.labels.iter().copied().filter(|&label| keep(label)).collect();
        Term { expr: self.sum(&term.expr, &axes), labels }
    }

    /// Sums in 64 bits, cut to the type of the elements, are sums that wrap in that type.
    fn sum(&self, expr: &Expr, axes: &[usize]) -> Expr {
        let Some(dtype) = expr.dtype() else { return expr.clone() };
        let kind = if dtype == DType::Bool { ReduceKind::Any } else { ReduceKind::Sum };
        expr.reduce(kind, Some(axes), false, 0.0, self.at).cast(dtype, self.at)
    }

    /// The axes in the order of `labels`, with a new one of length 1 for each that the term has not.
    pub(super) fn ordered(&self, term: &Term, labels: &[Label]) -> Expr {
        let order = term.places(labels);
        let view = View::permute(term.expr.shape(), &order);
        let mut expr = Expr::view(self.name, &term.expr, view, self.at);
        for (axis, _) in labels.iter().enumerate().filter(|(_, label)| !term.has(**label)) {
            expr = Expr::view(self.name, &expr, View::insert_axis(expr.shape(), axis), self.at);
        }
        expr
    }

    /// The product of two terms, with the axes of `result` that they have; all other labels are summed.
    pub(super) fn product(&self, a: Term, b: Term, result: &[Label], lengths: &Lengths) -> Term {
        let (of_a, of_b) = (a.labels.clone(), b.labels.clone());
        let a = self.summed(a, |label| result.contains(&label) || of_b.contains(&label));
        let b = self.summed(b, |label| result.contains(&label) || of_a.contains(&label));
        let result: Vec<Label> =
            result.iter().copied().filter(|&label| a.has(label) || b.has(label)).collect();
        let summed: Vec<Label> =
            a.labels.iter().copied().filter(|&label| b.has(label) && !result.contains(&label)).collect();
        let size = |term: &Term, other: &Term| {
            let free = term.labels.iter().filter(|label| !other.has(**label));
            free.fold(1usize, |n, &label| n.saturating_mul(lengths.get(label)))
        };
        match summed.is_empty() || size(&a, &b) == 1 || size(&b, &a) == 1 {
            true => self.multiplied(&a, &b, result, &summed),
            false => self.contracted(a, b, &result, &summed),
        }
    }

    /// A product that is no more work than a pass over the elements of both.
    fn multiplied(&self, a: &Term, b: &Term, result: Vec<Label>, summed: &[Label]) -> Term {
        let space = [&result[..], summed].concat();
        let (a, b) = self.in_blocks_for(a, b, &space);
        let (left, right) = (self.ordered(&a, &space), self.ordered(&b, &space));
        let op = if a.dtype() == DType::Bool { BinaryOp::BitAnd } else { BinaryOp::Mul };
        let expr = Expr::element(op.into(), &[&left, &right], self.at);
        let keep = |label: Label| result.contains(&label);
        self.summed(Term { expr, labels: space.clone() }, keep)
    }

    /// The terms in such blocks that those of their product are not much larger.
    fn in_blocks_for(&self, a: &Term, b: &Term, space: &[Label]) -> (Term, Term) {
        let block = |term: &Term| {
            let longest = term.expr.grid().map(ChunkGrid::max_chunk).unwrap_or_default();
            longest.iter().fold(1usize, |n, &len| n.saturating_mul(len))
        };
        let most = PRODUCT_BLOCK.max(block(a)).max(block(b));
        let longest = |label: &Label| {
            let cuts = [a.cut(*label), b.cut(*label)];
            cuts.into_iter().flatten().map(AxisChunks::max_chunk).min().unwrap_or(1).max(1)
        };
        let mut lengths: Vec<usize> = space.iter().map(longest).collect();
        let all = |lengths: &[usize]| lengths.iter().fold(1usize, |n, &len| n.saturating_mul(len));
        if all(&lengths) <= most {
            return (a.clone(), b.clone());
        }
        while all(&lengths) > most {
            let Some(largest) = lengths.iter_mut().max() else { break };
            *largest = largest.div_ceil(2);
        }
        let cut = |term: &Term| self.cut_to(term, space, &lengths);
        (cut(a), cut(b))
    }

    /// A term in blocks of at most these lengths.
    fn cut_to(&self, term: &Term, space: &[Label], lengths: &[usize]) -> Term {
        let Some(grid) = term.expr.grid() else { return term.clone() };
        let cuts = term.labels.iter().zip(grid.axes()).map(|(label, cut)| {
            let at = space.iter().position(|other| other == label);
            match at.map(|at| lengths[at]) {
                Some(len) if len < cut.max_chunk() => AxisChunks::regular(cut.len(), len),
                _ => cut.clone(),
            }
        });
        let grid = ChunkGrid::new(cuts.collect::<Vec<AxisChunks>>());
        Term { expr: term.expr.rechunk(&Chunks::from(grid), self.at), labels: term.labels.clone() }
    }

    /// A product of matrices.
    fn contracted(&self, a: Term, b: Term, result: &[Label], summed: &[Label]) -> Term {
        let shared = |label: &&Label| a.has(**label) && b.has(**label);
        let batch: Vec<Label> = result.iter().filter(shared).copied().collect();
        // The operand whose axes come first in the result is the left one: then they need no reordering.
        let first = result.iter().find(|label| !batch.contains(label));
        let (a, b) = if first.is_some_and(|&label| a.has(label)) { (a, b) } else { (b, a) };
        let free = |term: &Term| {
            result
                .iter()
                .copied()
                .filter(|label| term.has(*label) && !batch.contains(label))
                .collect::<Vec<Label>>()
        };
        let axes = |term: &Term| Axes {
            batch: term.places(&batch),
            free: term.places(&free(term)),
            summed: term.places(summed),
        };
        let labels = [&batch[..], &free(&a), &free(&b)].concat();
        let (left, right) = ((axes(&a), a.expr.meta()), (axes(&b), b.expr.meta()));
        let rule = match Contract::new(self.name, left, right, &Limits::default()) {
            Ok(rule) => rule,
            Err(cause) => return Term { expr: self.invalid(cause), labels },
        };
        let segments = rule.segments();
        let expr = Expr::blockwise(rule, &[&a.expr, &b.expr], self.at);
        let expr = if segments > 1 { self.sum(&expr, &[0]) } else { expr };
        Term { expr, labels }
    }
}
