//! Expressions of products: what each public function means in labels of axes.

use std::panic::Location;

use chunkwise_chunk::{DType, SliceElem, View};
use chunkwise_expr::{Expr, ExprError, Meta, ReduceKind, UnaryOp};

use super::path;
use super::repeated::Repeated;
use super::subscripts::{self, Label, Subscripts};
use super::terms::{Asked, Lengths, Term};

type Origin = &'static Location<'static>;

/// Axes of all operands of a product together.
const MOST_AXES: usize = 128;

/// The product of `operands` with named axes, as `numpy.einsum`.
pub fn einsum(subscripts: &str, operands: &[&Expr], at: Origin) -> Expr {
    let asked = Asked { name: "einsum", at };
    if let Some(bad) = first_error(operands) {
        return bad;
    }
    let ranks: Vec<usize> = operands.iter().map(|expr| expr.shape().len()).collect();
    match subscripts::parse(subscripts, &ranks) {
        Ok(Subscripts { operands: labels, result }) => contraction(asked, operands, labels, &result),
        Err(cause) => asked.invalid(cause),
    }
}

/// The product over the paired axes, as `numpy.tensordot`: `axes` are those of `a`, then those of `b`.
pub fn tensordot(a: &Expr, b: &Expr, axes: Result<[Vec<usize>; 2], ExprError>, at: Origin) -> Expr {
    match axes {
        Ok(axes) => pairwise("tensordot", a, b, axes, at),
        Err(cause) => first_error(&[a, b]).unwrap_or_else(|| Expr::invalid("tensordot", cause, at)),
    }
}

/// Labels for two operands of which the axes at equal places of two lists are one.
fn paired(a: &Expr, b: &Expr, [of_a, of_b]: [Vec<usize>; 2]) -> Result<[Vec<Label>; 2], ExprError> {
    let (left, right) = (a.shape(), b.shape());
    let is_axes = |axes: &[usize], shape: &[usize]| {
        axes.iter().enumerate().all(|(i, axis)| *axis < shape.len() && !axes[..i].contains(axis))
    };
    let fits = of_a.len() == of_b.len()
        && is_axes(&of_a, left)
        && is_axes(&of_b, right)
        && of_a.iter().zip(&of_b).all(|(&i, &j)| left[i] == right[j]);
    if !fits {
        let text = format!(
            "axes {of_a:?} of shape {left:?} and {of_b:?} of shape {right:?} are not pairs of equal length"
        );
        return Err(ExprError::Message(text));
    }
    let first = labels(0, left.len())?;
    let mut second = labels(left.len(), right.len())?;
    of_a.iter().zip(&of_b).for_each(|(&i, &j)| second[j] = first[i]);
    Ok([first, second])
}

/// `count` labels from `start`.
fn labels(start: usize, count: usize) -> Result<Vec<Label>, ExprError> {
    let fits = start + count <= MOST_AXES;
    let labels = (start..start + count).map(|label| label as Label);
    if fits { Ok(labels.collect()) } else { Err(ExprError::Message("the arrays have too many axes".into())) }
}

/// The product of matrices, as `numpy.matmul`: the last two axes are a matrix, those before broadcast; a vector on the
/// left is a row, on the right a column.
pub fn matmul(a: &Expr, b: &Expr, at: Origin) -> Expr {
    let asked = Asked { name: "matmul", at };
    let (left, right) = (a.shape(), b.shape());
    if left.is_empty() || right.is_empty() {
        let text =
            format!("arrays of shapes {left:?} and {right:?} are no matrices; multiply numbers with *");
        return first_error(&[a, b]).unwrap_or_else(|| asked.invalid(ExprError::Message(text)));
    }
    let summed = (left.len() - 1, right.len().saturating_sub(2));
    let matrix_axes = |shape: &[usize]| shape.len().min(2);
    product(asked, (a, matrix_axes(left)), (b, matrix_axes(right)), summed)
}

/// The product of vectors and matrices as ndarray's `dot`; of any ranks as `numpy.dot`: the last axis of `a` is summed
/// with the last but one of `b`, and all others are kept.
pub fn dot(a: &Expr, b: &Expr, at: Origin) -> Expr {
    let (left, right) = (a.shape().len(), b.shape().len());
    let axes = match (left, right) {
        (0, _) | (_, 0) => [vec![], vec![]],
        _ => [vec![left - 1], vec![right.saturating_sub(2)]],
    };
    pairwise("dot", a, b, axes, at)
}

/// The product over the last axes, as `numpy.inner`.
pub fn inner(a: &Expr, b: &Expr, at: Origin) -> Expr {
    let (left, right) = (a.shape().len(), b.shape().len());
    let axes = match (left, right) {
        (0, _) | (_, 0) => [vec![], vec![]],
        _ => [vec![left - 1], vec![right - 1]],
    };
    pairwise("inner", a, b, axes, at)
}

/// The product over pairs of axes; the others are kept, those of `a` first.
fn pairwise(name: &'static str, a: &Expr, b: &Expr, axes: [Vec<usize>; 2], at: Origin) -> Expr {
    let asked = Asked { name, at };
    if let Some(bad) = first_error(&[a, b]) {
        return bad;
    }
    match paired(a, b, axes) {
        Ok([of_a, of_b]) => {
            let only_a = of_a.iter().filter(|label| !of_b.contains(label));
            let only_b = of_b.iter().filter(|label| !of_a.contains(label));
            let result: Vec<Label> = only_a.chain(only_b).copied().collect();
            contraction(asked, &[a, b], vec![of_a, of_b], &result)
        }
        Err(cause) => asked.invalid(cause),
    }
}

/// The products of vectors along the last axis, as `numpy.vecdot`: complex numbers of `a` are conjugated. The axes before
/// broadcast.
pub fn vecdot(a: &Expr, b: &Expr, at: Origin) -> Expr {
    let asked = Asked { name: "vecdot", at };
    let (left, right) = (a.shape().len(), b.shape().len());
    if left == 0 || right == 0 {
        let text = "numbers have no last axis; multiply them with *".to_owned();
        return first_error(&[a, b]).unwrap_or_else(|| asked.invalid(ExprError::Message(text)));
    }
    if a.dtype().is_some_and(DType::is_complex) {
        let conjugated = Expr::element(UnaryOp::Conj.into(), &[a], at);
        return product(asked, (&conjugated, 1), (b, 1), (left - 1, right - 1));
    }
    product(asked, (a, 1), (b, 1), (left - 1, right - 1))
}

/// The product of two operands over one axis of each. Of their last axes some are their own; those before broadcast.
fn product(
    asked: Asked,
    (a, own_of_a): (&Expr, usize),
    (b, own_of_b): (&Expr, usize),
    (axis_of_a, axis_of_b): (usize, usize),
) -> Expr {
    if let Some(bad) = first_error(&[a, b]) {
        return bad;
    }
    let (left, right) = (a.shape(), b.shape());
    if left[axis_of_a] != right[axis_of_b] {
        let text = format!(
            "shapes {left:?} and {right:?} do not fit: axis {axis_of_a} and axis {axis_of_b} must be equally long"
        );
        return asked.invalid(ExprError::Message(text));
    }
    let batch = (left.len() - own_of_a).max(right.len() - own_of_b);
    if batch + 3 > MOST_AXES {
        return asked.invalid(ExprError::Message("the arrays have too many axes".into()));
    }
    // Batch axes from 3 on, aligned at the end; 0 and 1 are the free axes, 2 is summed.
    let batch: Vec<Label> = (0..batch).map(|i| (3 + i) as Label).collect();
    let named = |shape: &[usize], own: usize, axis: usize, free: Label| {
        let before = shape.len() - own;
        let own = (before..shape.len()).map(|i| if i == axis { 2 } else { free });
        batch[batch.len() - before..].iter().copied().chain(own).collect::<Vec<Label>>()
    };
    let operands = vec![named(left, own_of_a, axis_of_a, 0), named(right, own_of_b, axis_of_b, 1)];
    let free = [0, 1].into_iter().filter(|label| operands.iter().any(|labels| labels.contains(label)));
    let result: Vec<Label> = batch.iter().copied().chain(free).collect();
    contraction(asked, &[a, b], operands, &result)
}

/// All products of an element of `a` and one of `b`, both in C order, as `numpy.outer`.
pub fn outer(a: &Expr, b: &Expr, at: Origin) -> Expr {
    let flat = |x: &Expr| x.reshape(&[x.shape().iter().product()], at);
    let asked = Asked { name: "outer", at };
    contraction(asked, &[&flat(a), &flat(b)], vec![vec![0], vec![1]], &[0, 1])
}

/// Every element of `a` replaced by it times `b`, as `numpy.kron`.
pub fn kron(a: &Expr, b: &Expr, at: Origin) -> Expr {
    let asked = Asked { name: "kron", at };
    if let Some(bad) = first_error(&[a, b]) {
        return bad;
    }
    let (left, right) = (a.shape(), b.shape());
    let (Ok(of_a), Ok(of_b)) = (labels(0, left.len()), labels(left.len(), right.len())) else {
        return asked.invalid(ExprError::Message("the arrays have too many axes".into()));
    };
    // Axes align at the end; what one has not is of length 1.
    let ndim = left.len().max(right.len());
    let at_end = |i: usize, len: usize| (i + len).checked_sub(ndim);
    let (mut result, mut shape) = (Vec::new(), Vec::new());
    for i in 0..ndim {
        let (in_a, in_b) = (at_end(i, left.len()), at_end(i, right.len()));
        result.extend(in_a.map(|i| of_a[i]).into_iter().chain(in_b.map(|i| of_b[i])));
        let len = |at: Option<usize>, shape: &[usize]| at.map_or(1, |at| shape[at]);
        shape.push(len(in_a, left).saturating_mul(len(in_b, right)));
    }
    contraction(asked, &[a, b], vec![of_a, of_b], &result).reshape(&shape, at)
}

/// The sum of the diagonal of a matrix, in the type of sums.
pub fn trace(x: &Expr, offset: isize, at: Origin) -> Expr {
    if x.error().is_some() {
        return x.clone();
    }
    let (above, below) = (offset.unsigned_abs() * usize::from(offset < 0), offset.max(0).unsigned_abs());
    let len = match x.shape() {
        &[rows, columns] => rows.saturating_sub(above).min(columns.saturating_sub(below)),
        other => {
            let text = format!("shape {other:?} is no matrix");
            return Expr::invalid("trace", ExprError::Message(text), at);
        }
    };
    // Beyond the last element nothing is left, wherever the range starts.
    let range = |start: usize, of: usize| SliceElem::Slice {
        start: start.min(of) as isize,
        end: Some((start.min(of) + len) as isize),
        step: 1,
    };
    let ranges = [range(above, x.shape()[0]), range(below, x.shape()[1])];
    let square = Expr::view("trace", x, View::slice(x.shape(), &ranges), at);
    let diagonal = Expr::blockwise(Repeated::new("trace", &[0, 0]), &[&square], at);
    diagonal.reduce(ReduceKind::Sum, None, false, 0.0, at)
}

/// The product of operands with labels, summed over all that `result` has not. Every label of `result` is one of an
/// operand.
pub(super) fn contraction(
    asked: Asked,
    operands: &[&Expr],
    labels: Vec<Vec<Label>>,
    result: &[Label],
) -> Expr {
    if let Some(bad) = first_error(operands) {
        return bad;
    }
    let types: Vec<DType> = operands.iter().filter_map(|expr| expr.dtype()).collect();
    if types.len() != operands.len() || types.windows(2).any(|pair| pair[0] != pair[1]) {
        return asked.invalid(ExprError::DType(types));
    }
    let named = operands.iter().zip(labels).map(|(&expr, labels)| Term { expr: expr.clone(), labels });
    let terms: Vec<Term> = named.map(|term| asked.diagonal(term)).collect();
    if let Some(bad) = terms.iter().find(|term| term.expr.error().is_some()) {
        return bad.expr.clone();
    }
    match Lengths::of(&terms) {
        Ok(lengths) => contracted(asked, terms, result, &lengths),
        Err(cause) => asked.invalid(cause),
    }
}

/// Contracts the terms two at a time.
fn contracted(asked: Asked, terms: Vec<Term>, result: &[Label], lengths: &Lengths) -> Expr {
    let terms: Vec<Term> = terms.into_iter().map(|term| asked.without_repeats(term, lengths)).collect();
    let operands: Vec<Vec<Label>> = terms.iter().map(|term| term.labels.clone()).collect();
    let pairs = path::find(&operands, result, &|label| lengths.get(label));
    let mut left: Vec<Option<Term>> = terms.into_iter().map(Some).collect();
    for (first, second) in pairs {
        let taken = (left[first].take(), left[second].take());
        let (Some(a), Some(b)) = taken else { continue };
        let kept = kept(&a, &b, &left, result);
        left[first] = Some(asked.product(a, b, &kept, lengths));
    }
    let Some(last) = left.into_iter().flatten().next() else {
        return asked.invalid(ExprError::Message("there must be at least one operand".into()));
    };
    let last = asked.summed(last, |label| result.contains(&label));
    asked.ordered(&last, result)
}

/// The labels of two terms that the result or another term has: those of the result first, in its order.
fn kept(a: &Term, b: &Term, others: &[Option<Term>], result: &[Label]) -> Vec<Label> {
    let own = |label: &Label| a.labels.contains(label) || b.labels.contains(label);
    let mut kept: Vec<Label> = result.iter().copied().filter(own).collect();
    let needed = |label: Label| others.iter().flatten().any(|term| term.labels.contains(&label));
    for &label in a.labels.iter().chain(&b.labels) {
        if needed(label) && !kept.contains(&label) {
            kept.push(label);
        }
    }
    kept
}

/// The first operand that is no array, or the error of making it.
fn first_error(operands: &[&Expr]) -> Option<Expr> {
    operands.iter().find(|expr| !matches!(expr.meta(), Meta::Array { .. })).map(|&expr| expr.clone())
}
